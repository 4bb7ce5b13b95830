# SPDX-License-Identifier: Apache-2.0
"""The servers that ./dev bench gateway measures: one worker each, pinned to one core, tuned as their documentation advises."""
import json, os, shutil, subprocess, sys
import common

HERE = os.path.dirname(os.path.abspath(__file__))
KIB, MIB = 1024, 1 << 20


class Target:
    """A running server. `cookies`: whole Cookie headers that it takes for signed-in users."""

    def __init__(self, process, port, cookies=()):
        self.pid, self.port, self.cookies = process.pid, port, list(cookies)


class Peers:
    """Starts each by name, once, in front of the same backend."""

    names = ('moat', 'nginx', 'haproxy', 'caddy', 'auth_request', 'express', 'schema')

    def __init__(self, bench, sessions, engine=None):
        self.bench, self.sessions, self.engine = bench, sessions, engine
        self.chain, self.key = bench.certificate()
        self.backend = self._backend()
        self.running = {}

    def __getitem__(self, name):
        if name not in self.running:
            self.running[name] = getattr(self, '_' + name)()
            common.wait_for(self.running[name].port)
        return self.running[name]

    def _start(self, command, **options):
        process = common.pin(common.SERVER_CPU, command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
        self.bench.started.append(process)
        return process

    def _file(self, name, text):
        path = os.path.join(self.bench.folder, name)
        with open(path, 'w') as f:
            f.write(text)
        return path

    def _backend(self):
        """nginx: 1 KiB of JSON, bodies of 64 KiB and 1 MiB, and a check for auth_request that lets everybody in."""
        port = common.free_port()
        root = os.path.join(self.bench.folder, 'www')
        os.makedirs(os.path.join(root, 'body'))
        for name, size in (('64k', 64 * KIB), ('1m', MIB)):
            with open(os.path.join(root, 'body', name), 'wb') as f:
                f.write(b'x' * size)
        self.bench.nginx('backend', common.CLIENT_CPU,
                         f"server {{ listen 127.0.0.1:{port}; default_type application/json; root {root}; sendfile on; tcp_nopush on;\n"
                         "open_file_cache max=10 inactive=600s; open_file_cache_valid 600s;\n"
                         f"location /body/ {{ default_type application/octet-stream; }}\n"
                         "location = /check { return 204; }\n"
                         f"location / {{ return 200 '{common.items()}'; }} }}")
        common.wait_for(port)
        return port

    def _proxy(self, name, inside, beside=''):
        port = common.free_port()
        process = self.bench.nginx(
            name, common.SERVER_CPU,
            f'upstream b {{ server 127.0.0.1:{self.backend}; keepalive 128; keepalive_requests 100000000; }}\n'
            f'server {{ listen 127.0.0.1:{port} ssl http2; ssl_certificate {self.chain}; ssl_certificate_key {self.key};\n'
            'ssl_protocols TLSv1.3; ssl_session_tickets on; ssl_session_cache shared:tls:10m; ssl_buffer_size 16k;\n'
            'proxy_buffers 16 32k; proxy_max_temp_file_size 0; proxy_http_version 1.1; proxy_set_header Connection "";\n'
            f'location / {{ {inside} proxy_pass http://b; }} {beside} }}')
        return Target(process, port)

    def _nginx(self):
        """A bare TLS proxy: no limits, no sessions, no headers."""
        return self._proxy('proxy', '')

    def _auth_request(self):
        """nginx that asks an authentication service about each request, which is the way to add accounts to it."""
        return self._proxy('auth', 'auth_request /check;',
                           'location = /check { internal; proxy_pass http://b; proxy_pass_request_body off; proxy_set_header Content-Length ""; }')

    def _haproxy(self):
        port = common.free_port()
        with open(self.chain) as chain, open(self.key) as key:
            pem = self._file('haproxy.pem', chain.read() + key.read())
        os.chmod(pem, 0o600)
        path = self._file('haproxy.cfg', f'''global
    nbthread 1
    maxconn 4000
    ssl-default-bind-options ssl-min-ver TLSv1.3
defaults
    mode http
    maxconn 4000
    timeout connect 5s
    timeout client 600s
    timeout server 600s
    timeout http-keep-alive 600s
    http-reuse always
frontend in
    bind 127.0.0.1:{port} ssl crt {pem} alpn h2,http/1.1
    default_backend out
backend out
    server b 127.0.0.1:{self.backend} pool-max-conn 128
''')
        return Target(self._start(['haproxy', '-db', '-f', path]), port)

    def _caddy(self):
        port = common.free_port()
        path = self._file('Caddyfile', f'''{{
    admin off
    auto_https off
    servers {{
        protocols h1 h2
    }}
    log {{
        level ERROR
    }}
}}
https://:{port} {{
    bind 127.0.0.1
    tls {self.chain} {self.key}
    reverse_proxy 127.0.0.1:{self.backend} {{
        transport http {{
            keepalive 600s
            keepalive_idle_conns_per_host 128
        }}
    }}
}}
''')
        env = {**os.environ, 'GOMAXPROCS': '1', 'HOME': self.bench.folder, 'XDG_DATA_HOME': self.bench.folder, 'XDG_CONFIG_HOME': self.bench.folder}
        return Target(self._start(['caddy', 'run', '--adapter', 'caddyfile', '--config', path], env=env), port)

    def _express(self):
        """The seven practices as npm packages; installed as tools/bench/express/package-lock.json says, where they are not there yet."""
        folder = os.path.join(HERE, 'express')
        installed = os.path.join(folder, 'node_modules', '.package-lock.json')
        if not os.path.exists(installed) or os.path.getmtime(installed) < os.path.getmtime(os.path.join(folder, 'package-lock.json')):
            print('installing the packages of tools/bench/express …', flush=True)
            done = subprocess.run(['npm', 'ci', '--no-audit', '--no-fund'], cwd=folder, capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit('npm ci failed in tools/bench/express:\n' + done.stderr[-2000:])
        port = common.free_port()
        cookies = os.path.join(self.bench.folder, 'express.cookies')
        process = self._start(['node', os.path.join(folder, 'server.js'), '--port', str(port), '--backend', f'127.0.0.1:{self.backend}',
                               '--cert', self.chain, '--key', self.key, '--cookies', cookies, '--sessions', str(self.sessions)],
                              env={**os.environ, 'NODE_ENV': 'production'})
        common.wait_for(port)
        return Target(process, port, open(cookies).read().split('\n')[:-1])

    def _schema(self):
        """Moat, and an OpenAPI document that describes what the case `schema` posts."""
        schema = common.orders()[0]
        answer = {'200': {'description': 'ok'}}
        document = {'openapi': '3.1.0', 'info': {}, 'paths': {'/api/items': {'get': {'responses': answer}, 'post': {
            'requestBody': {'required': True, 'content': {'application/json': {'schema': schema}}}, 'responses': answer}}}}
        return self._moat(sessions=1, MOAT_SCHEMA=self._file('openapi.json', json.dumps(document)))

    def _moat(self, sessions=None, **more):
        """Everything on, as it ships; its limits are far away."""
        environment = {**more, 'MOAT_SERVER_TIMEOUTS_IDLE': '10m', 'MOAT_PASSWORD_WORKERS': '1'}
        if self.engine:
            environment['MOAT_SERVER_ENGINE'] = self.engine
        process, port = self.bench.moat(self.backend, self.chain, self.key, environment)
        sessions = sessions or self.sessions
        print(f'making {sessions} sessions (each costs an Argon2id hash) …', flush=True)
        return Target(process, port, common.sessions(port, sessions))


def missing(names):
    """Programs that these peers need and that are not installed."""
    needed = {'nginx': 'nginx', 'auth_request': 'nginx', 'haproxy': 'haproxy', 'caddy': 'caddy', 'express': 'npm'}
    return sorted({needed[n] for n in names if n in needed and shutil.which(needed[n]) is None})
