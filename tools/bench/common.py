# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: servers pinned to a core, their CPU time by the kernel's own accounting, sessions, wrk."""
import collections, concurrent.futures, http.client, json, os, re, resource, shutil, signal, socket, ssl, statistics, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get('MOAT_BUILD', os.path.join(ROOT, 'build', 'release'))
SERVER_CPU, CLIENT_CPU = '0', '1'
PASSWORD = 'a rather long passphrase'
LOOSE = {  # limits are on, and far away
    'MOAT_LIMITS_DEFAULT': '1000000/s/ip', 'MOAT_LIMITS_USER': '1000000/s/user', 'MOAT_LIMITS_SIGNUP': '1000000/h/ip',
    'MOAT_LIMITS_LOGIN': '1000000/h/ip', 'MOAT_SERVER_MAX_CONNECTIONS_PER_ADDRESS': '100000',
    'MOAT_SERVER_MAX_CONNECTIONS': '100000', 'MOAT_SESSION_ACCESS': '15m', 'MOAT_LOG_LEVEL': 'warn'}


def raise_descriptor_limit():
    """For this process and all that it starts."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


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
    """Memory of a process tree; pages that its processes share are counted once."""
    total = 0
    for p in tree(pid):
        for line in open(f'/proc/{p}/smaps_rollup'):
            if line.startswith('Pss:'):
                total += int(line.split()[1])
    return total


def rss_kib(pid):
    return sum(int(re.search(r'VmRSS:\s+(\d+)', open(f'/proc/{p}/status').read()).group(1)) for p in tree(pid))


def items():
    """1 KiB of JSON."""
    text = '{"items":[' + ','.join('{"id":%d,"name":"item %d"}' % (i, i) for i in range(36)) + ']}'
    return text[:-1] + ',"pad":"' + 'x' * (1024 - len(text) - 9) + '"}'


class Bench:
    """Starts servers in a folder of its own and ends them by process id."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix='moat-bench-')
        self.started = []

    def __enter__(self):
        # Whoever ends the benchmark ends its servers.
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda got, _: sys.exit(128 + got))
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
            if os.geteuid() == 0:  # its folder is nobody else's to read
                f.write('user root;\n')
            f.write(f'daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log crit;\n'
                    'worker_rlimit_nofile 20000; events { worker_connections 16000; }\n'
                    f'http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;\n'
                    f'fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n'
                    f'keepalive_requests 100000000; keepalive_timeout 600s; {body} }}\n')
        process = pin(cpu, ['nginx', '-p', folder, '-c', path], stderr=subprocess.DEVNULL)
        self.started.append(process)
        return process

    def backend(self):
        """A fast backend: nginx that answers a fixed JSON text of 1 KiB."""
        port = free_port()
        self.nginx('backend', CLIENT_CPU, f"server {{ listen 127.0.0.1:{port}; default_type application/json; "
                                          f"location / {{ return 200 '{items()}'; }} }}")
        wait_for(port)
        return port

    def moat(self, backend, chain, key, environment=()):
        port = free_port()
        process = pin(SERVER_CPU, [os.path.join(BUILD, 'moat'), 'run', '--to', f'127.0.0.1:{backend}', '--workers', '1',
                                   '--https', f'127.0.0.1:{port}', '--http', 'off', '--data', os.path.join(self.folder, f'data-{port}')],
                      env={**os.environ, **LOOSE, 'MOAT_TLS_CERTIFICATE': chain, 'MOAT_TLS_KEY': key, **dict(environment)},
                      stdout=subprocess.DEVNULL)
        self.started.append(process)
        wait_for(port)
        return process, port


def orders():
    """A schema of orders, and one that fits it, of 1.5 KiB: what ./dev bench validate has, too, where the second order does not fit."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'validate', 'inputs.json')) as f:
        inputs = json.load(f)
    return inputs['schema'], inputs['orders'][:1]


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


# What a load program saw; times in milliseconds.
Load = collections.namedtuple('Load', 'requests rate p50 p99')


def on_client_core(command, seconds):
    """Its output. `seconds`: how long it takes by itself; who needs much longer hangs."""
    try:
        done = subprocess.run(['taskset', '-c', CLIENT_CPU, *command], capture_output=True, text=True, timeout=3 * seconds + 60)
    except subprocess.TimeoutExpired:
        sys.exit(f'{" ".join(command[:3])} did not end')
    if done.returncode != 0:
        sys.exit(f'{" ".join(command[:3])} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}')
    return done.stdout


def wrk(port, seconds, connections, script=None, path='/api/items'):
    """As many requests as the server takes, HTTP/1.1."""
    command = ['wrk', '-t1', f'-c{connections}', f'-d{seconds}s', '--latency']
    out = on_client_core(command + (['-s', script] if script else []) + [f'https://127.0.0.1:{port}{path}'], seconds)
    requests = int(re.search(r'(\d+) requests in', out).group(1))
    rate = float(re.search(r'Requests/sec:\s+([\d.]+)', out).group(1))
    if 'Non-2xx' in out or 'Socket errors' in out or requests == 0:
        sys.exit('the run had errors:\n' + out)

    def percentile(which):
        value, unit = re.search(which + r'%\s+([\d.]+)(us|ms|s)\b', out).groups()
        return float(value) * {'us': 0.001, 'ms': 1, 's': 1000}[unit]
    return Load(requests, rate, percentile('50'), percentile('99'))


def h2load(folder, port, seconds, clients, streams=1, rate=None, cookie=None, http1=False, path='/api/items'):
    """HTTP/2, or HTTP/1.1; `rate`: so many requests a second in all, not as many as the server takes."""
    log = os.path.join(folder, 'h2load.log')
    if os.path.exists(log):
        os.remove(log)
    command = ['h2load', '-t1', f'-c{clients}', f'-m{streams}', f'-D{seconds}', f'--log-file={log}']
    command += ['--h1'] if http1 else []
    command += [f'--rps={rate / clients:.3f}'] if rate else []
    command += ['-H', f'cookie: {cookie}'] if cookie else []
    out = on_client_core(command + [f'https://127.0.0.1:{port}{path}'], seconds)
    done, good = (int(re.search(rf'(\d+) {word}', out).group(1)) for word in ('done', 'succeeded'))
    if done == 0 or good != done:
        sys.exit('the run had errors:\n' + out)
    # When it began and how long it took, in microseconds. What waited for the handshakes is left out.
    lines = [(int(begun), int(took) / 1000) for begun, _, took in (line.split('\t') for line in open(log))]
    first = min(begun for begun, _ in lines)
    times = sorted(took for begun, took in lines if begun - first >= 300_000)
    return Load(done, done / seconds, times[len(times) // 2], times[int(len(times) * 0.99)])


def spread(values, digits=2):
    return f'{statistics.median(values):.{digits}f} [{min(values):.{digits}f}..{max(values):.{digits}f}]'
