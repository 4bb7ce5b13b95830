# SPDX-License-Identifier: Apache-2.0
"""What the tests of certificates by themselves have in common: pebble, a CA that is as strict as ACME lets it be, a DNS of the
test's that says 127.0.0.1 for every name, and Moat before them."""
import base64
import http.server
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest
import urllib.request

from harness import HOST, Moat, Notes, Program, free_port, reserve, wait_until

DOMAIN = 'app.example.net'


def lasting_port():
    """One that stays free between two starts: the system gives none of these to a client."""
    while True:
        port = random.randrange(20000, 30000)
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) != 0 and reserve(port):
                return port


def openssl(*arguments):
    subprocess.run(['openssl', *map(str, arguments)], check=True, capture_output=True)


class Authority:
    """Signs the certificate of the CA's own server."""

    def __init__(self, folder):
        self.root, self.chain, self.key = folder / 'root.pem', folder / 'server.pem', folder / 'server.key'
        root_key = folder / 'root.key'
        curve = ('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes')
        openssl('req', '-x509', *curve, '-days', '30', '-subj', '/CN=test root', '-keyout', root_key, '-out', self.root,
                '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign')
        request = folder / 'server.csr'
        openssl('req', *curve, '-subj', '/CN=ca', '-keyout', self.key, '-out', request)
        names = folder / 'names'
        names.write_text('subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n')
        openssl('x509', '-req', '-in', request, '-CA', self.root, '-CAkey', root_key, '-CAcreateserial', '-days', '20',
                '-extfile', names, '-out', self.chain)


class Pebble:
    """The CA and the DNS that it asks."""

    def __init__(self, folder, authority, https_port, http_port, env=None, dns=None, **settings):
        self.port, self.management = free_port(), free_port()
        self.authority = authority
        self.dns = None
        if dns is None:
            dns, self.dns_management = free_port(), free_port()
            self.dns = Program(['pebble-challtestsrv', '-defaultIPv4', HOST, '-defaultIPv6', '', '-dns01', f'{HOST}:{dns}', '-http01',
                                '', '-https01', '', '-tlsalpn01', '', '-management', f'{HOST}:{self.dns_management}'])
        config = folder / f'pebble-{self.port}.json'
        config.write_text(json.dumps({'pebble': {
            'listenAddress': f'{HOST}:{self.port}', 'managementListenAddress': f'{HOST}:{self.management}',
            'certificate': str(authority.chain), 'privateKey': str(authority.key), 'httpPort': http_port, 'tlsPort': https_port,
            'externalAccountBindingRequired': False, **settings}}))
        self.program = Program(['pebble', '-strict', '-config', config, '-dnsserver', f'{HOST}:{dns}'],
                               {'PEBBLE_VA_NOSLEEP': '1', 'PEBBLE_WFE_NONCEREJECT': '5', **(env or {})})
        wait_until(lambda: 'ACME directory available' in self.program.output or not self.program.running(), 20, 'pebble')

    @property
    def directory(self):
        return f'https://localhost:{self.port}/dir'

    def root(self):
        """What signs its certificates; another each time it starts."""
        context = ssl.create_default_context(cafile=str(self.authority.root))
        with urllib.request.urlopen(f'https://localhost:{self.management}/roots/0', context=context) as answer:
            return answer.read().decode()

    def issued(self):
        return self.program.output.count('Issued certificate serial')

    def stop(self):
        self.program.stop(how=signal.SIGKILL)
        if self.dns:
            self.dns.stop(how=signal.SIGKILL)


class Front:
    def __init__(self, ca, pages, directory):
        self.authority, self.asked, self.posted = ca.authority, [], []
        trusting = ssl.create_default_context(cafile=str(ca.authority.root))

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(handler):
                if handler.path == '/dir':
                    with urllib.request.urlopen(ca.directory, context=trusting) as answer:
                        body = directory(json.load(answer), self.url)
                else:
                    self.asked.append(handler.path)
                    body = next(page() for path, page in pages.items() if handler.path.startswith(path))
                text = json.dumps(body).encode()
                handler.send_response(200)
                handler.send_header('Content-Length', str(len(text)))
                handler.send_header('Retry-After', '1')  # which is taken for a minute
                handler.end_headers()
                handler.wfile.write(text)

            def do_POST(handler):
                """What the CA is asked for is kept, and refused: it has had enough."""
                jws = json.loads(handler.rfile.read(int(handler.headers['Content-Length'])))
                payload = jws['payload']
                self.posted.append(json.loads(base64.urlsafe_b64decode(payload + '=' * (-len(payload) % 4))))
                text = b'{"type":"urn:ietf:params:acme:error:rateLimited","detail":"enough"}'
                handler.send_response(429)
                handler.send_header('Content-Length', str(len(text)))
                handler.end_headers()
                handler.wfile.write(text)

            def log_message(handler, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((HOST, 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(ca.authority.chain, ca.authority.key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f'https://localhost:{self.server.server_port}'

    @property
    def directory(self):
        return self.url + '/dir'

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def shown(port, name=DOMAIN, root=None, alpn=('http/1.1',)):
    """The certificate that is served, in DER; with `root`, only where it is trusted for the name."""
    context = ssl.create_default_context(cadata=root) if root else ssl._create_unverified_context()
    context.set_alpn_protocols(list(alpn))
    with socket.create_connection((HOST, port), 10) as raw, context.wrap_socket(raw, server_hostname=name) as peer:
        return peer.getpeercert(binary_form=True)


def is_trusted(port, root, name=DOMAIN):
    try:
        return shown(port, name, root) is not None
    except (ssl.SSLError, OSError):
        return False


def command(*words):
    done = subprocess.run([os.environ['MOAT_BIN'], *map(str, words)], capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout + done.stderr


class AcmeMoat(Moat):
    """Its readiness is asked for on the admin port, so that no certificate has to be trusted."""

    def __init__(self, to, ca, config='', names=(DOMAIN,), tls='', env=None, **keywords):
        listed = ', '.join(f'"{name}"' for name in names)
        text = (f'domain = [{listed}]\n[tls]\n{tls}\n[tls.acme]\nagree_to_terms = true\ndirectory = "{ca.directory}"\n'
                f'ca_file = "{ca.authority.root}"\n' + config)
        super().__init__(to, text, site=names[0], env={'MOAT_SERVER_ALLOW_UNSANDBOXED': 'false', **(env or {})}, **keywords)

    def said(self, event):
        return [line for line in self.lines if f'"event":"{event}"' in line]

    def ready(self):
        return self.request('GET', '/readyz', port=self.admin_port, tls=False,
                            headers={'Host': f'localhost:{self.admin_port}'}).json()


class AcmeCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if shutil.which('pebble') is None:
            raise unittest.SkipTest('pebble is not installed')
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix='moat-acme-'))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.authority = Authority(cls.folder)
        cls.backend = Notes()
        cls.addClassCleanup(cls.backend.stop)

    def setUp(self):
        self.ports = lasting_port(), lasting_port()
        self.data = pathlib.Path(tempfile.mkdtemp(prefix='moat-acme-data-'))
        self.addCleanup(shutil.rmtree, self.data, ignore_errors=True)

    def ca(self, env=None, **settings):
        made = Pebble(self.folder, self.authority, *self.ports, env=env, **settings)
        self.addCleanup(made.stop)
        return made

    def front(self, ca, pages, directory):
        """A stand-in before the CA, for what pebble has not: its directory, changed by `directory`, and `pages` by their path."""
        front = Front(ca, pages, directory)
        self.addCleanup(front.stop)
        return front

    def moat(self, ca, config='', **keywords):
        made = AcmeMoat(self.backend.url, ca, config, ports=self.ports, data=self.data, **keywords)
        self.addCleanup(made.stop)
        return made

    def wait_for_certificate(self, moat, ca, seconds=60):
        root = ca.root()
        try:
            wait_until(lambda: is_trusted(moat.https_port, root), seconds, 'a certificate of the CA')
        except AssertionError:
            raise AssertionError(f'{moat.output[-3000:]}\n{ca.program.output[-3000:]}')
