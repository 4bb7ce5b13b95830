# SPDX-License-Identifier: Apache-2.0
"""Starts the real programs for a test, on free ports and with a data directory of their own.

    class Login(harness.Case):
        config = '[session]\\nidle = "2s"\\n'      # more of moat.toml, if any
        def test_unknown_user_gets_401(self):
            answer = self.moat.request('POST', '/auth/login', json={'email': …, 'password': …})
            self.assertEqual(answer.status, 401)

One gateway serves a whole class; a test that needs a fresh one starts `harness.Moat()` itself.
Whatever is started is ended with the class, and a gateway that did not end well fails the class.
"""
import base64
import fcntl
import http.client
import http.server
import json as json_module
import os
import pathlib
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

SKIPPED = 77
HOST = '127.0.0.1'


# Each port of a test is a lock file that stays open.
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)


def reserve(port):
    """True: no other test has the port, nor will have it while this one runs. Two gateways that begin to listen in the same
    moment would share it, since their workers do (SO_REUSEPORT)."""
    place = pathlib.Path(tempfile.gettempdir()) / f'moat-e2e-ports-{os.getuid()}'
    place.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(place / str(port), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return False
    return True  # it ends with this process


def free_port():
    """A port that was free a moment ago, and that no other test takes."""
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = probe.getsockname()[1]
        if reserve(port):
            return port


def wait_until(condition, seconds=10, what='it'):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError(f'{what} did not happen within {seconds} s')


class Answer:
    """Status, headers (all of them, in order, names in lower case) and body of one response."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def header(self, name):
        values = self.all(name)
        return values[0] if values else None

    def all(self, name):
        return [value for key, value in self.headers if key == name.lower()]

    def json(self):
        return json_module.loads(self.body)

    @property
    def text(self):
        return self.body.decode('utf-8', 'replace')

    def __repr__(self):
        return f'<{self.status} {self.headers} {self.body[:200]!r}>'


class Program:
    """A process with its output collected; ended with SIGTERM, then SIGKILL."""

    def __init__(self, arguments, env=None):
        self.lines = []
        self.process = subprocess.Popen(
            [str(a) for a in arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}, text=True, errors='replace')
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip('\n'))

    @property
    def output(self):
        return '\n'.join(self.lines)

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process.poll() is None

    def stop(self, seconds=30, how=signal.SIGTERM):
        """Ends it and returns its exit code."""
        if self.running():
            self.process.send_signal(how)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f'did not end within {seconds} s of signal {how}:\n{self.output[-4000:]}')
        self._reader.join(5)
        self.process.stdout.close()
        return code

    def resident_kib(self):
        for line in pathlib.Path(f'/proc/{self.pid}/status').read_text().splitlines():
            if line.startswith('VmRSS:'):
                return int(line.split()[1])
        raise AssertionError('no VmRSS')

    def descriptors(self):
        return len(os.listdir(f'/proc/{self.pid}/fd'))

    def cpu_seconds(self):
        fields = pathlib.Path(f'/proc/{self.pid}/stat').read_text().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


class Notes(Program):
    """The sample backend."""

    def __init__(self):
        super().__init__([os.environ['MOAT_NOTES'], '--port', '0'])
        line = wait_until(lambda: next((x for x in self.lines if 'listening on' in x), None),
                          what='the sample backend')
        self.url = line.rsplit(' ', 1)[1]


class EchoServer(http.server.ThreadingHTTPServer):
    request_queue_size = 512  # a burst of connections overflows the five that are usual


class Echo:
    """A backend inside the test. It says what it got, as JSON, and keeps it in `requests`.

    /cookies?set=a%3D1&set=…  sets these cookies as they are;  /slow?seconds=1  thinks so long first;
    /status?code=204  answers with that status.
    """

    def __init__(self):
        self.requests = []
        self._lock = threading.Lock()
        self._server = EchoServer((HOST, 0), self._handler())
        self._server.daemon_threads = True
        self.url = f'http://{HOST}:{self._server.server_address[1]}'
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def seen(self, path):
        """What arrived at a path so far."""
        with self._lock:
            return [r for r in self.requests if r['path'].split('?')[0] == path]

    def _handler(echo):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def answer(self):
                target = urllib.parse.urlsplit(self.path)
                query = urllib.parse.parse_qs(target.query)
                body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
                said = {'method': self.command, 'path': self.path, 'body': body.decode('latin-1'),
                        'headers': [[k.lower(), v] for k, v in self.headers.items()]}
                with echo._lock:
                    echo.requests.append(said)
                if target.path == '/slow':
                    time.sleep(float(query['seconds'][0]))
                status = int(query['code'][0]) if target.path == '/status' else 200
                text = json_module.dumps(said).encode() if status != 204 else b''
                self.send_response(status)
                for cookie in query.get('set', []):
                    self.send_header('Set-Cookie', cookie)
                if text:
                    self.send_header('Content-Type', 'application/json')
                    self.send_header('Content-Length', str(len(text)))
                self.end_headers()
                if self.command != 'HEAD':
                    try:
                        self.wfile.write(text)
                    except ConnectionError:  # a test let go of it
                        self.close_connection = True

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def log_message(self, *arguments):
                pass

        return Handler


def header_of(said, name):
    """The values of one header that the Echo backend got, in order."""
    return [value for key, value in said['headers'] if key == name.lower()]


def base64url(text):
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))


class Moat(Program):
    """The gateway in front of `to`. `data` is kept when given, else a fresh directory is used."""

    def __init__(self, to, config='', options=(), data=None, env=None, domain='localhost', trusted=None, prefix=(),
                 ports=None, site=None):
        """`domain` is given as an option; `site` says which of the configuration's own is meant."""
        self.to, self.domain, self.trusted = to, site or domain, trusted
        self._own_data = data is None
        self.data = pathlib.Path(data or tempfile.mkdtemp(prefix='moat-e2e-'))
        self.https_port, self.http_port = ports or (free_port(), free_port())
        self.admin_port = free_port()
        arguments = [*prefix, os.environ['MOAT_BIN'], 'run', '--to', to, '--data', self.data / 'data',
                     '--https', f'{HOST}:{self.https_port}', '--http', f'{HOST}:{self.http_port}',
                     '--admin', f'{HOST}:{self.admin_port}']
        if domain != 'localhost':
            arguments += ['--domain', domain]
        if config:
            path = self.data / 'moat.toml'
            path.write_text(config)
            arguments += ['--config', path]
        super().__init__(arguments + list(options), env)
        try:
            self._wait_ready()
        except BaseException:
            self.stop(how=signal.SIGKILL)
            raise

    def _wait_ready(self):
        def ready():
            if not self.running():
                self._reader.join(10)
                raise AssertionError(f'moat ended with {self.process.returncode}:\n{self.output[-4000:]}')
            try:
                return self.request('GET', '/readyz', port=self.admin_port, tls=False,
                                    headers={'Host': f'localhost:{self.admin_port}'}).status == 200
            except OSError:
                return False
        wait_until(ready, 30, 'moat becoming ready')

    @property
    def origin(self):
        return f'https://{self.domain}:{self.https_port}'

    def ca_file(self):
        """What clients trust: `trusted`, or the local CA's root."""
        if self.trusted:
            return self.trusted
        path = self.data / 'ca.pem'
        if not path.exists():
            found = sorted((self.data / 'data').rglob('*root*.pem')) + sorted((self.data / 'data').rglob('*root*.crt'))
            if not found:
                raise AssertionError(f'no root certificate below {self.data}')
            whole = self.data / f'ca.pem.{threading.get_ident()}'  # several threads may ask at once
            shutil.copyfile(found[0], whole)
            whole.replace(path)
        return path

    def tls_context(self, alpn=('http/1.1',)):
        context = ssl.create_default_context(cafile=str(self.ca_file()))
        context.set_alpn_protocols(list(alpn))
        return context

    def connect(self, tls=True, port=None, timeout=15, host=None, source=None):
        """A socket to the gateway: for raw bytes. `source` is another of 127.0.0.0/8."""
        raw = socket.create_connection((HOST, port or (self.https_port if tls else self.http_port)), timeout,
                                       source and (source, 0))
        return self.tls_context().wrap_socket(raw, server_hostname=host or self.domain) if tls else raw

    def raw(self, data, tls=True, port=None, timeout=15):
        """Sends bytes and reads until the other side closes or the time is over."""
        with self.connect(tls, port, timeout) as peer:
            peer.sendall(data)
            received = b''
            try:
                while chunk := peer.recv(65536):
                    received += chunk
            except (TimeoutError, ssl.SSLError, ConnectionError):
                pass
            return received

    def request(self, method, path, json=None, form=None, headers=None, body=None, port=None, tls=True,
                cookies=None, source=None):
        """One request on a connection of its own. Nothing is added that the test did not ask for."""
        port = port or (self.https_port if tls else self.http_port)
        sent = {'Host': f'{self.domain}:{port}', **(headers or {})}
        if json is not None:
            body, kind = json_module.dumps(json).encode(), 'application/json'
            sent.setdefault('Content-Type', kind)
        elif form is not None:
            body, kind = urllib.parse.urlencode(form).encode(), 'application/x-www-form-urlencoded'
            sent.setdefault('Content-Type', kind)
        if cookies:
            sent['Cookie'] = '; '.join(f'{k}={v}' for k, v in cookies.items())
        if body is None and method in ('POST', 'PUT', 'PATCH'):
            body = b''
        if body is not None:
            sent.setdefault('Content-Length', str(len(body)))
        connection = http.client.HTTPConnection(HOST, port, timeout=30)
        connection.sock = self.connect(tls, port, 30, source=source)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return Answer(response.status, [(k.lower(), v) for k, v in response.getheaders()],
                          response.read())
        finally:
            connection.close()

    def client(self, **headers):
        return Client(self, headers)

    def stop(self, *arguments, **keywords):
        try:
            return super().stop(*arguments, **keywords)
        finally:
            if self._own_data:
                shutil.rmtree(self.data, ignore_errors=True)


class Client:
    """A client with a cookie jar that behaves like a browser's page on the same origin."""

    def __init__(self, moat, headers=None):
        self.moat, self.cookies, self.headers = moat, {}, headers or {}

    def request(self, method, path, **keywords):
        sent = {**self.headers, **(keywords.pop('headers', None) or {})}
        if method not in ('GET', 'HEAD'):
            sent.setdefault('Origin', self.moat.origin)
            sent.setdefault('Sec-Fetch-Site', 'same-origin')
        answer = self.moat.request(method, path, headers=sent, cookies=self.cookies, **keywords)
        for line in answer.all('set-cookie'):
            pair, _, attributes = line.partition(';')
            name, _, value = pair.partition('=')
            if 'max-age=0' in attributes.lower().replace(' ', ''):
                self.cookies.pop(name.strip(), None)
            else:
                self.cookies[name.strip()] = value.strip()
        return answer

    def get(self, path, **keywords):
        return self.request('GET', path, **keywords)

    def post(self, path, **keywords):
        return self.request('POST', path, **keywords)


class Case(unittest.TestCase):
    """A test class with a backend (the sample one, or with `backend_class = Echo` the one
    above; `self.backend`) and the gateway as `self.moat`."""

    backend_class = Notes
    config = ''
    options = ()
    env = {}

    @classmethod
    def setUpClass(cls):
        cls.backend = cls.notes = cls.backend_class()
        cls.addClassCleanup(cls.backend.stop)
        cls.moat = Moat(cls.backend.url, cls.config, cls.options, env=cls.env)
        cls.addClassCleanup(cls._end)

    @classmethod
    def _end(cls):
        code = cls.moat.stop()
        if code != 0:
            raise AssertionError(f'moat ended with {code}:\n{cls.moat.output[-6000:]}')


def main():
    """Runs the test file; where the programs are not built it is skipped."""
    for variable in ('MOAT_BIN', 'MOAT_NOTES'):
        if not os.path.exists(os.environ.get(variable, '')):
            print(f'skipped: {variable} names no program')
            sys.exit(SKIPPED)
    unittest.main(verbosity=2)
