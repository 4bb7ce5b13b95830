# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: servers pinned to a core, their CPU time by the kernel's own accounting, sessions, wrk."""
import concurrent.futures, http.client, json, os, re, shutil, signal, socket, ssl, statistics, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get('MOAT_BUILD', os.path.join(ROOT, 'build', 'release'))
SERVER_CPU, CLIENT_CPU = '0', '1'
PASSWORD = 'a rather long passphrase'
LOOSE = {  # limits are on, and far away
    'MOAT_LIMITS_DEFAULT': '1000000/s/ip', 'MOAT_LIMITS_USER': '1000000/s/user', 'MOAT_LIMITS_SIGNUP': '1000000/h/ip',
    'MOAT_LIMITS_LOGIN': '1000000/h/ip', 'MOAT_SERVER_MAX_CONNECTIONS_PER_ADDRESS': '100000',
    'MOAT_SERVER_MAX_CONNECTIONS': '100000', 'MOAT_SESSION_ACCESS': '15m', 'MOAT_LOG_LEVEL': 'warn'}


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def wait_for(port, seconds=20):
    end = time.time() + seconds
    while time.time() < end:
        try:
            socket.create_connection(('127.0.0.1', port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f'nothing listens on port {port}')


def pin(cpu, command, **options):
    return subprocess.Popen(['taskset', '-c', cpu, *command], **options)


def tree(pid):
    """A process and its descendants."""
    out, queue = [], [pid]
    while queue:
        p = queue.pop()
        out.append(p)
        for task in os.listdir(f'/proc/{p}/task'):
            try:
                queue += [int(c) for c in open(f'/proc/{p}/task/{task}/children').read().split()]
            except OSError:
                pass
    return out


def cpu_ns(pid):
    """CPU time of a process tree, all threads, in ns (the first number of schedstat)."""
    total = 0
    for p in tree(pid):
        for task in os.listdir(f'/proc/{p}/task'):
            try:
                total += int(open(f'/proc/{p}/task/{task}/schedstat').read().split()[0])
            except OSError:
                pass
    return total


def pss_kib(pid):
    total = 0
    for p in tree(pid):
        for line in open(f'/proc/{p}/smaps_rollup'):
            if line.startswith('Pss:'):
                total += int(line.split()[1])
    return total


def rss_kib(pid):
    return sum(int(re.search(r'VmRSS:\s+(\d+)', open(f'/proc/{p}/status').read()).group(1)) for p in tree(pid))


class Bench:
    """Starts servers in a folder of its own and ends them by process id."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix='moat-bench-')
        self.started = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.started):
            process.send_signal(signal.SIGTERM)
        for process in self.started:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def certificate(self):
        key, chain = (os.path.join(self.folder, n) for n in ('bench.key', 'bench.crt'))
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
                        '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
                        '-keyout', key, '-out', chain], check=True, capture_output=True)
        os.chmod(key, 0o600)
        return chain, key

    def nginx(self, name, cpu, body):
        folder = os.path.join(self.folder, name)
        os.makedirs(folder)
        path = os.path.join(folder, 'nginx.conf')
        with open(path, 'w') as f:
            f.write(f'daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log crit;\n'
                    'events { worker_connections 20000; }\n'
                    f'http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;\n'
                    f'fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n'
                    f'keepalive_requests 100000000; keepalive_timeout 600s; {body} }}\n')
        process = pin(cpu, ['nginx', '-p', folder, '-c', path], stderr=subprocess.DEVNULL)
        self.started.append(process)
        return process

    def backend(self):
        """A fast backend: nginx that answers a fixed JSON text of 1 KiB."""
        port = free_port()
        text = '{"items":[' + ','.join('{"id":%d,"name":"item %d"}' % (i, i) for i in range(36)) + ']}'
        text = text[:-1] + ',"pad":"' + 'x' * (1024 - len(text) - 9) + '"}'
        self.nginx('backend', CLIENT_CPU, f"server {{ listen 127.0.0.1:{port}; default_type application/json; "
                                          f"location / {{ return 200 '{text}'; }} }}")
        wait_for(port)
        return port

    def proxy(self, backend, chain, key):
        """nginx as a bare TLS proxy: no limits, no sessions, no headers."""
        port = free_port()
        process = self.nginx('proxy', SERVER_CPU,
                             f'upstream b {{ server 127.0.0.1:{backend}; keepalive 128; keepalive_requests 100000000; }}\n'
                             f'server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {chain}; ssl_certificate_key {key};\n'
                             'ssl_protocols TLSv1.3; ssl_session_tickets on; ssl_buffer_size 16k;\n'
                             'location / { proxy_pass http://b; proxy_http_version 1.1; proxy_set_header Connection ""; } }')
        wait_for(port)
        return process, port

    def moat(self, backend, chain, key, environment=()):
        port = free_port()
        process = pin(SERVER_CPU, [os.path.join(BUILD, 'moat'), 'run', '--to', f'127.0.0.1:{backend}', '--workers', '1',
                                   '--https', f'127.0.0.1:{port}', '--http', 'off', '--data', os.path.join(self.folder, 'data')],
                      env={**os.environ, **LOOSE, 'MOAT_TLS_CERTIFICATE': chain, 'MOAT_TLS_KEY': key, **dict(environment)},
                      stdout=subprocess.DEVNULL)
        self.started.append(process)
        wait_for(port)
        return process, port


def client(port):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # our own throw-away certificate
    return http.client.HTTPSConnection('localhost', port, context=context, timeout=60)


def credentials(port, path, email):
    connection = client(port)
    connection.request('POST', path, json.dumps({'email': email, 'password': PASSWORD}), {'Content-Type': 'application/json'})
    answer = connection.getresponse()
    answer.read()
    if answer.status not in (200, 201):
        raise RuntimeError(f'{path}: {answer.status}')
    cookies = [v.split(';')[0] for k, v in answer.getheaders() if k.lower() == 'set-cookie']
    return '; '.join(c for c in cookies if c.startswith(('__Host-Http-at=', '__Host-Http-rt=')))


def sessions(port, count):
    """`count` distinct sessions: ten a person, which is the most one may have."""
    people = (count + 9) // 10
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        first = list(pool.map(lambda i: credentials(port, '/auth/signup', f'person{i}@example.com'), range(people)))
        rest = list(pool.map(lambda i: credentials(port, '/auth/login', f'person{i % people}@example.com'), range(count - people)))
    return first + rest


def wrk(port, seconds, connections, script=None, path='/api/items'):
    command = ['taskset', '-c', CLIENT_CPU, 'wrk', '-t1', f'-c{connections}', f'-d{seconds}s', '--latency']
    command += ['-s', script] if script else []
    out = subprocess.run(command + [f'https://127.0.0.1:{port}{path}'], capture_output=True, text=True, check=True).stdout
    requests = int(re.search(r'(\d+) requests in', out).group(1))
    rate = float(re.search(r'Requests/sec:\s+([\d.]+)', out).group(1))
    p99 = re.search(r'99%\s+([\d.]+)(us|ms|s)', out)
    p99 = float(p99.group(1)) * {'us': 0.001, 'ms': 1, 's': 1000}[p99.group(2)]
    bad = re.search(r'Non-2xx or 3xx responses: (\d+)', out)
    if bad or 'Socket errors' in out:
        sys.exit('the run had errors:\n' + out)
    return requests, rate, p99


def spread(values, digits=2):
    return f'{statistics.median(values):.{digits}f} [{min(values):.{digits}f}..{max(values):.{digits}f}]'
