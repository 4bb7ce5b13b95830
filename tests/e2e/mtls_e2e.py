# SPDX-License-Identifier: Apache-2.0
"""Certificates on both sides: of clients, by route; of Moat towards its backends; several for several names."""
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

import harness
import pki
import wire
from wire import request

QUICK = {**wire.LIMITS, 'MOAT_SERVER_TIMEOUTS_DRAIN': '3s'}
PREFIX = 'x-moat-client-certificate-'


def said(got):
    """What the backend was told of the client's certificate."""
    return {name[len(PREFIX):]: value for name, value in got.fields if name.startswith(PREFIX)}


def upgrade(peer, got):
    peer.send(b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
              b'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n')
    peer.send(b'hello')
    try:
        peer.rest()
    except TimeoutError:
        pass
    return False


WEBSOCKET = ('Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13',
             'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Origin: https://localhost')


class Served(unittest.TestCase):
    """A gateway that a test configures, in front of one backend."""

    def start(self, head='', *routes, handlers=None, options=()):
        backend = wire.Backend(handlers or {})
        self.addCleanup(backend.stop)
        text = head + ''.join(f'\n[[route]]\nbackend = "{backend.url}"\n{route}\n' for route in routes)
        moat = wire.Toml(text, ('--workers', '1', *options), QUICK)
        self.addCleanup(self._end, moat)
        self.text = text
        return moat, backend

    def _end(self, moat):
        self.assertEqual(moat.stop(), 0, moat.output[-4000:])

    def reload(self, moat, text):
        (moat.data / 'moat.toml').write_text(text)
        done = subprocess.run([os.environ['MOAT_BIN'], 'reload', '--data', moat.data / 'data'], capture_output=True,
                              text=True)
        self.assertEqual(done.returncode, 0, done.stderr + moat.output[-2000:])

    def placed(self, moat, *files):
        """One file of all, beside the configuration: the sandbox has closed the rest."""
        path = moat.data / f'placed-{len(list(moat.data.iterdir()))}.pem'
        path.write_text(''.join(file.read_text() for file in files))
        return path

    def tool(self, moat, *arguments):
        done = subprocess.run([os.environ['MOAT_BIN'], *arguments, '--config', moat.data / 'moat.toml', '--data',
                               moat.data / 'data'], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def logged(self, moat, event, text=''):
        return harness.wait_until(
            lambda: [line for line in list(moat.lines) if f'"{event}"' in line and text in line], 5, event)


def context_of(moat, own=None, version=None):
    context = moat.tls_context()
    if own:
        context.load_cert_chain(*own)
    if version:
        context.minimum_version = context.maximum_version = version
    return context


def connect(moat, own=None, context=None, session=None):
    """A connection of a client with a certificate, or none."""
    raw = socket.create_connection((harness.HOST, moat.https_port), 15)
    context = context or context_of(moat, own)
    return wire.Wire(context.wrap_socket(raw, server_hostname='localhost', session=session))


def get(moat, path, *fields, own=None):
    with connect(moat, own) as peer:
        return peer.get(path, *fields)


class Clients(Served):
    ROUTES = ('match = "/staff/*"\nclient_certificate = "required"',
              'match = "/maybe/*"\nclient_certificate = "optional"', 'match = "/*"')

    @classmethod
    def setUpClass(cls):
        cls.authority = pki.Authority(cls)
        cls.ada = cls.authority.issue('ada', 'email:ada@example.com,DNS:ada.example,URI:spiffe://example/ada')

    def served(self, *more, routes=ROUTES, **keywords):
        head = f'tls.client_ca_file = "{self.authority.ca}"\n' + ''.join(f'{line}\n' for line in more)
        return self.start(head, *routes, **keywords)

    def refused(self, answer):
        self.assertEqual((answer.status, answer.json()['code']), (403, 'client_certificate_required'))
        self.assertEqual(answer.header('content-type'), 'application/problem+json')

    def ends(self, moat, own, alert):
        """The handshake is refused. With TLS 1.3 the client hears of it when it reads."""
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.assertRaisesRegex((OSError, wire.Closed), alert):
                with connect(moat, context=context_of(moat, own, version)) as peer:
                    peer.get('/')

    # --------------------------------------------------------------------------------- by route

    def test_a_route_needs_one_may_have_one_or_is_told_of_none(self):
        moat, backend = self.served()
        self.refused(get(moat, '/staff/a'))
        self.assertEqual(backend.requests, [])
        self.assertEqual(get(moat, '/staff/a', own=self.ada).status, 200)
        told = said(backend.seen('/staff/a')[0])
        self.assertEqual(told.pop('serial').upper(),
                         pki.openssl('x509', '-in', self.ada[0], '-noout', '-serial').strip().split('=')[1])
        self.assertEqual(told, {'sha256': pki.fingerprint(self.ada[0]), 'subject': 'CN=ada',
                                'email': 'ada@example.com', 'dns': 'ada.example', 'uri': 'spiffe://example/ada'})
        for own in (None, self.ada):
            self.assertEqual(get(moat, '/maybe/a', own=own).status, 200)
            self.assertEqual(get(moat, '/other', own=own).status, 200)
        without, with_one = backend.seen('/maybe/a')
        self.assertEqual(said(without), {})
        self.assertEqual(said(with_one)['subject'], 'CN=ada')
        self.assertEqual([said(got) for got in backend.seen('/other')], [{}, {}])
        self.logged(moat, 'refused', 'client_certificate_required')
        metrics = moat.request('GET', '/metrics', port=moat.admin_port, tls=False).text
        self.assertRegex(metrics, r'moat_refused_total\{[^}]*practice="1"[^}]*step="certificate"[^}]*'
                                  r'code="client_certificate_required"\} 1')

    def test_what_a_client_says_of_itself_is_not_believed(self):
        moat, backend = self.served(routes=('match = "/maybe/*"\nclient_certificate = "optional"\n'
                                            'allow_underscore_headers = true', 'match = "/*"'))
        lies = [f'{name}: {"0" * 64}' for name in (
            'X-Moat-Client-Certificate-Sha256', 'x-moat-client-certificate-subject', 'X_Moat_Client_Certificate_Sha256',
            'X-Moat_Client-Certificate-Email', 'X-MOAT-CLIENT-CERTIFICATE-URI')]
        for path in ('/maybe/a', '/b'):
            self.assertEqual(get(moat, path, *lies).status, 200)
            self.assertEqual([name for name in backend.seen(path)[0].names if 'certificate' in name], [])
        self.assertEqual(get(moat, '/maybe/c', *lies, own=self.ada).status, 200)
        got = backend.seen('/maybe/c')[0]
        self.assertEqual(got.all('x-moat-client-certificate-sha256'), [pki.fingerprint(self.ada[0])])
        self.assertEqual([name for name in got.names if 'certificate' in name and not name.startswith(PREFIX)], [])

    def test_it_comes_before_the_session_and_the_login(self):
        moat, backend = self.served(routes=('match = "/staff/*"\nclient_certificate = "required"\nlogin = "required"',
                                            'match = "/*"'))
        self.refused(get(moat, '/staff/a', 'Authorization: Bearer moat_at_nonsense'))
        self.refused(get(moat, '/staff/a', 'Cookie: __Host-Http-rt=1; __Host-Http-rt=2'))
        answer = get(moat, '/staff/a', own=self.ada)
        self.assertEqual((answer.status, answer.json()['code']), (401, 'login_required'))
        self.assertEqual(backend.requests, [])
        self.assertEqual(get(moat, '/auth/login').status, 200)  # Moat's own pages are there for all

    def test_where_all_routes_need_one_moats_own_pages_do(self):
        moat, _ = self.served(routes=('match = "/*"\nclient_certificate = "required"',))
        self.refused(get(moat, '/auth/login'))
        self.assertIn('certificate required', self.tool(moat, 'explain', 'GET', '/auth/login'))
        self.assertEqual(get(moat, '/auth/login', own=self.ada).status, 200)

    def test_a_path_with_two_readings_does_not_lead_around_it(self):
        moat, backend = self.served()
        for path in ('/STAFF/a', '/%73taff/a', '/staff;x/a', '/staff', '/x/..;/staff/a'):
            self.assertIn(get(moat, path).status, (400, 403), path)
        self.assertEqual(backend.requests, [])

    def test_websockets(self):
        moat, backend = self.served(handlers={'/staff/ws': upgrade})
        self.refused(get(moat, '/staff/ws', *WEBSOCKET))
        self.assertEqual(backend.requests, [])
        with connect(moat, self.ada) as peer:
            peer.send(request('GET', '/staff/ws', *WEBSOCKET))
            self.assertEqual(peer.answer().status, 101)
            self.assertEqual(peer.exactly(5), b'hello')
        self.assertEqual(said(backend.seen('/staff/ws')[0])['subject'], 'CN=ada')

    def test_http2_serves_several_routes_on_one_connection(self):
        moat, backend = self.served()
        urls = [f'https://localhost:{moat.https_port}{path}' for path in ('/staff/a', '/other', '/maybe/a', '/staff/b')]
        for own, codes in ((None, ['403', '200', '200', '403']), (self.ada, ['200'] * 4)):
            shown = ['--cert', own[0], '--key', own[1]] if own else []
            done = subprocess.run(['curl', '--http2', '-sS', '--cacert', moat.ca_file(), *shown, '--connect-to',
                                   f'localhost::{harness.HOST}:', '-w', '\n%{http_version} %{http_code} %{num_connects}\n',
                                   *urls], capture_output=True, text=True, timeout=30)
            self.assertEqual(done.returncode, 0, done.stderr)
            lines = re.findall(r'^(2) (\d+) (\d)$', done.stdout, re.M)
            self.assertEqual([code for _, code, _ in lines], codes)
            self.assertEqual([new for _, _, new in lines], ['1', '0', '0', '0'])
        self.assertEqual([said(got).get('subject') for got in backend.requests],
                         [None, None, 'CN=ada', None, 'CN=ada', 'CN=ada'])

    def test_nobody_is_asked_where_no_route_wants_one(self):
        def asked(moat):
            out = subprocess.run(['openssl', 's_client', '-connect', f'{harness.HOST}:{moat.https_port}', '-servername',
                                  'localhost', '-CAfile', moat.ca_file()], input='', capture_output=True, text=True)
            return 'Acceptable client certificate CA names' in out.stdout
        moat, _ = self.served()
        self.assertTrue(asked(moat))
        moat, _ = self.start('', 'match = "/*"')
        self.assertFalse(asked(moat))
        self.assertEqual(get(moat, '/', own=self.ada).status, 200)

    # ------------------------------------------------------------------------ what is no good

    def test_what_does_not_verify_ends_the_handshake(self):
        moat, backend = self.served()
        stranger = pki.Authority(self, 'strangers')
        same_name = pki.Authority(self, 'clients')
        self.ends(moat, stranger.issue('eve'), 'unknown ca|UNKNOWN_CA')
        self.ends(moat, same_name.issue('eve'), 'decrypt|DECRYPT|unknown ca|UNKNOWN_CA')
        self.ends(moat, (stranger.ca, stranger.place / 'ca.key'), 'unknown ca|UNKNOWN_CA')
        self.ends(moat, self.authority.issue('old', expired=True), 'expired|EXPIRED')
        for usage in ('serverAuth', ''):
            self.ends(moat, self.authority.issue('server', usage=usage), 'unsupported certificate|UNSUPPORTED_CERT')
        self.logged(moat, 'client_certificate_refused', 'extended key usage')
        self.logged(moat, 'client_certificate_refused', 'expired')
        self.assertEqual(backend.requests, [])
        self.assertEqual(get(moat, '/staff/a', own=self.ada).status, 200)

    def test_large_ones_are_refused_and_many_names_told_whole_or_not(self):
        moat, backend = self.served()
        names = lambda count: ','.join(f'DNS:n{i}.example' for i in range(count))
        self.assertEqual(get(moat, '/staff/a', own=self.authority.issue('some', names(100))).status, 200)
        self.assertEqual(said(backend.seen('/staff/a')[0])['dns'], names(100).replace('DNS:', ''))
        self.assertEqual(get(moat, '/staff/b', own=self.authority.issue('more', names(600))).status, 200)
        self.assertEqual(set(said(backend.seen('/staff/b')[0])), {'sha256', 'serial', 'subject'})
        self.ends(moat, self.authority.issue('most', names(4500)), '.')
        self.assertEqual(get(moat, '/staff/a', own=self.ada).status, 200)

    def test_a_subject_is_text_of_strangers(self):
        moat, backend = self.served()
        own = self.authority.issue('odd', subject='/CN=a\r\nX-Moat-User: root\r\n\r\n"é, O=b')
        self.assertEqual(get(moat, '/staff/a', own=own).status, 200)
        got = backend.seen('/staff/a')[0]
        self.assertEqual(said(got)['subject'], r'CN=a\0D\0AX-Moat-User: root\0D\0A\0D\0A\"\C3\A9\, O=b')
        self.assertEqual(got.all('x-moat-user'), [])
        units = ''.join(f'/OU={"u" * 60}' for _ in range(30))
        self.assertEqual(get(moat, '/staff/b', own=self.authority.issue('huge', subject=units)).status, 200)
        self.assertEqual(set(said(backend.seen('/staff/b')[0])), {'sha256', 'serial'})

    # ------------------------------------------------------------------ resumption, and reloads

    def kept_session(self, moat, version):
        """A context whose session shows ada's certificate."""
        context = context_of(moat, self.ada, version)
        with connect(moat, context=context) as peer:
            self.assertEqual(peer.get('/staff/first').status, 200)
            session = peer.sock.sock.session
        self.assertTrue(session.has_ticket)
        return context, session

    def test_it_survives_a_resumption(self):
        moat, backend = self.served()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context, session = self.kept_session(moat, version)
            with connect(moat, context=context, session=session) as peer:
                self.assertTrue(peer.sock.sock.session_reused)
                self.assertEqual(peer.get('/staff/again').status, 200)
            self.assertEqual(said(backend.seen('/staff/again')[-1]), said(backend.seen('/staff/first')[-1]))

    def test_one_that_is_taken_back_is_refused_wherever_it_comes(self):
        moat, backend = self.served(handlers={'/staff/ws': upgrade})
        old = [self.kept_session(moat, version) for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)]
        kept = connect(moat, self.ada)
        self.assertEqual(kept.get('/staff/a').status, 200)
        open_one = connect(moat, self.ada)
        open_one.send(request('GET', '/staff/ws', *WEBSOCKET))
        self.assertEqual(open_one.answer().status, 101)
        other = self.authority.issue('bob')
        lists = self.authority.revocations('ada')
        self.addCleanup((self.authority.place / 'index.txt').write_text, '')
        self.reload(moat, f'tls.client_crl_file = "{lists}"\n{self.text}')
        seen = len(backend.requests)
        for context, session in old:
            with self.assertRaisesRegex((ssl.SSLError, wire.Closed), 'revoked|REVOKED'):
                with connect(moat, context=context, session=session) as peer:
                    peer.get('/')
        answer = kept.get('/staff/a')
        self.refused(answer)
        self.assertEqual(answer.header('connection'), 'close')
        kept.close()
        self.assertEqual(len(backend.requests), seen)
        self.assertTrue(open_one.closed(15))  # a WebSocket is looked at every five seconds
        open_one.close()
        self.assertEqual(get(moat, '/staff/b', own=other).status, 200)
        self.assertEqual(get(moat, '/other').status, 200)

    def test_other_authorities_are_others(self):
        moat, _ = self.served()
        old = [self.kept_session(moat, version) for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)]
        kept = connect(moat, self.ada)
        self.assertEqual(kept.get('/staff/a').status, 200)
        others = pki.Authority(self, 'others')
        eve = others.issue('eve')
        self.reload(moat, self.text.replace(str(self.authority.ca), str(self.placed(moat, others.ca))))
        for context, session in old:
            with self.assertRaisesRegex((ssl.SSLError, wire.Closed), 'unknown ca|UNKNOWN_CA'):
                with connect(moat, context=context, session=session) as peer:
                    peer.get('/')
        self.refused(kept.get('/staff/a'))
        kept.close()
        self.assertEqual(get(moat, '/staff/a', own=eve).status, 200)

    def test_a_kept_connection_goes_on_under_authorities_that_still_vouch_for_it(self):
        moat, _ = self.served()
        kept = connect(moat, self.ada)
        self.assertEqual(kept.get('/staff/a').status, 200)
        both = self.placed(moat, self.authority.ca, pki.Authority(self, 'others').ca)
        self.reload(moat, self.text.replace(str(self.authority.ca), str(both)))
        self.assertEqual(kept.get('/staff/a').status, 200)
        kept.close()

    def test_a_connection_that_was_not_asked_is_told_to_come_again(self):
        moat, _ = self.start('', *[route.split('\n')[0] for route in self.ROUTES])
        kept = connect(moat, self.ada)
        self.assertEqual(kept.get('/staff/a').status, 200)
        routes = ''.join(f'\n[[route]]\nbackend = "{backend}"\n{route}\n' for route, backend in
                         zip(self.ROUTES, re.findall('backend = "(.*)"', self.text)))
        self.reload(moat, f'tls.client_ca_file = "{self.placed(moat, self.authority.ca)}"\n{routes}')
        answer = kept.get('/staff/a')
        self.refused(answer)
        self.assertEqual(answer.header('connection'), 'close')
        kept.close()
        self.assertEqual(get(moat, '/staff/a', own=self.ada).status, 200)
        # Who was asked and has none may go on.
        with connect(moat) as peer:
            self.refused(peer.get('/staff/a'))
            self.assertEqual(peer.get('/other').status, 200)

    def test_streams_of_such_a_connection_are_sent_to_another(self):
        going = threading.Event()

        def slow(peer, got):
            going.wait(10)
            peer.send(wire.ok())
        moat, backend = self.start('', *[route.split('\n')[0] for route in self.ROUTES], handlers={'/slow': slow})
        targets = [part for path in ('/slow', '/staff/a', '/staff/b') for part in
                   ('-o', '/dev/null', f'https://localhost:{moat.https_port}{path}')]
        # curl 7.88 may begin a stream on a connection whose GOAWAY it has read already, and calls that a framing error.
        curl = subprocess.Popen(['curl', '--http2', '-sS', '--retry', '1', '--retry-all-errors', '--retry-delay', '0', '--cacert', moat.ca_file(), '--cert', self.ada[0], '--key',
                                 self.ada[1], '--connect-to', f'localhost::{harness.HOST}:', '-w',
                                 '%{http_version} %{http_code} %{num_connects}\n', *targets],
                                stdout=subprocess.PIPE, text=True)
        harness.wait_until(lambda: backend.seen('/slow'), what='the first stream')
        routes = ''.join(f'\n[[route]]\nbackend = "{backend.url}"\n{route}\n' for route in self.ROUTES)
        self.reload(moat, f'tls.client_ca_file = "{self.placed(moat, self.authority.ca)}"\n{routes}')
        going.set()
        said, _ = curl.communicate(timeout=30)
        self.assertEqual(said.splitlines(), ['2 200 1', '2 403 0', '2 200 1'])

    def test_a_wrong_file_refuses_the_reload_and_all_goes_on(self):
        moat, _ = self.served()
        wrong = self.authority.place / 'wrong.pem'
        for content in ('', 'nonsense', self.ada[0].read_text()):
            wrong.write_text(content)
            for key in ('client_ca_file', 'client_crl_file'):
                text = self.text.replace(str(self.authority.ca), str(wrong)) if key == 'client_ca_file' else \
                    f'tls.client_crl_file = "{wrong}"\n{self.text}'
                (moat.data / 'moat.toml').write_text(text)
                done = subprocess.run([os.environ['MOAT_BIN'], 'reload', '--data', moat.data / 'data'],
                                      capture_output=True, text=True)
                self.assertEqual(done.returncode, 1)
                self.assertIn(key, done.stderr + done.stdout)
        self.assertEqual(get(moat, '/staff/a', own=self.ada).status, 200)
        (moat.data / 'moat.toml').write_text(self.text)

    def test_check_and_explain_say_who_is_asked(self):
        moat, _ = self.served()
        checked = self.tool(moat, 'check')
        self.assertIn('Client certificates: required for /staff/*; asked for, but not required, for /maybe/*; '
                      'of 1 authority; no list of revoked ones (tls.client_crl_file).', checked)
        self.assertIn('certificate required', self.tool(moat, 'explain', 'GET', '/staff/a'))
        self.assertIn('X-Moat-Client-Certificate-Sha256', self.tool(moat, 'explain', 'GET', '/maybe/a'))
        self.assertNotIn('ertificate', self.tool(moat, 'explain', 'GET', '/other'))


class Backends(Served):
    """Moat in front of a server that is somebody, and wants to know who Moat is."""

    @classmethod
    def setUpClass(cls):
        cls.authority = pki.Authority(cls, 'inside')
        cls.server = cls.authority.issue('server', 'IP:127.0.0.1', usage='serverAuth')
        cls.own = cls.authority.issue('moat')
        cls.pinned = f'backend_ca = "{cls.authority.ca}"'

    def backend(self, pair=None, asks=True):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*(pair or self.server))
        if asks:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.authority.ca)
        self.shown = []

        def say(peer, got):
            self.shown.append((peer.sock.sock.getpeercert() or {}).get('serialNumber'))
            peer.send(wire.ok())
        made = wire.Backend({'/': say}, tls=context)
        self.addCleanup(made.stop)
        return made

    def front(self, backend, *settings, env=None):
        self.text = f'[[route]]\nmatch = "/*"\nbackend = "{backend.url}"\n' + '\n'.join(settings) + '\n'
        moat = wire.Toml(self.text, ('--workers', '1'), {**QUICK, **(env or {})})
        self.addCleanup(self._end, moat)
        return moat

    def pair(self, own):
        return f'backend_certificate = "{own[0]}"\nbackend_key = "{own[1]}"'

    def checked(self, *settings):
        """What `moat check` has against it."""
        place = self.authority.place / 'check.toml'
        place.write_text('backend = "https://127.0.0.1:1"\n' + '\n'.join(settings) + '\n')
        done = subprocess.run([os.environ['MOAT_BIN'], 'check', '--config', place], capture_output=True, text=True)
        return done.returncode, done.stderr + done.stdout

    def serial(self, own):
        return pki.openssl('x509', '-in', own[0], '-noout', '-serial').strip().split('=')[1]

    def test_a_backend_that_asks_learns_who_moat_is(self):
        moat = self.front(self.backend(), self.pinned, self.pair(self.own))
        self.assertEqual(get(moat, '/').text, 'ok')
        self.assertEqual(self.shown, [self.serial(self.own)])
        self.assertIn(f'To the backends of /* Moat shows {self.own[0]}, until', self.tool(moat, 'check'))
        self.assertIn(str(self.own[0]), self.tool(moat, 'explain', 'GET', '/'))

    def test_without_one_or_with_a_strangers_it_is_refused(self):
        backend = self.backend()
        self.assertEqual(get(self.front(backend, self.pinned), '/').status, 502)
        stranger = pki.Authority(self, 'strangers').issue('moat')
        self.assertEqual(get(self.front(backend, self.pinned, self.pair(stranger)), '/').status, 502)
        self.assertEqual(backend.requests, [])

    def test_a_backend_that_does_not_ask_is_told_nothing(self):
        moat = self.front(self.backend(asks=False), self.pinned, self.pair(self.own))
        self.assertEqual(get(moat, '/').text, 'ok')
        self.assertEqual(self.shown, [None])

    def test_questions_for_health_show_it_too(self):
        backend = self.backend()
        moat = self.front(backend, self.pinned, self.pair(self.own), 'health_path = "/"', 'health_every = "50ms"')
        harness.wait_until(lambda: self.shown, what='a question for health')
        self.assertEqual(self.shown[0], self.serial(self.own))
        self.assertEqual(get(moat, '/').text, 'ok')

    def test_the_files_are_looked_at_before_the_start(self):
        self.assertEqual(self.checked(self.pair(self.own))[0], 0)
        others = pki.Authority(self, 'others')
        for own, why in (((self.own[0], self.server[1]), 'does not belong'),
                         ((self.own[0], self.authority.place / 'none.key'), 'none.key'),
                         (self.server, 'clientAuth'),
                         (others.issue('old', expired=True), 'expired')):
            code, text = self.checked(self.pair(own))
            self.assertEqual(code, 1, text)
            self.assertIn(why, text)
        loose = others.issue('loose')
        loose[1].chmod(0o644)
        code, text = self.checked(self.pair(loose))
        self.assertEqual(code, 1, text)
        self.assertIn('loose.key', text)
        self.assertEqual(self.checked(self.pair(loose), 'tls.allow_key_readable_by_all = true')[0], 0)

    def test_another_one_is_shown_after_a_reload(self):
        moat = self.front(self.backend(), self.pinned, self.pair(self.own))
        self.assertEqual(get(moat, '/').text, 'ok')
        other = self.authority.issue('other')
        for kept, fresh in zip(self.own, other):
            before = kept.read_bytes()
            self.addCleanup(kept.write_bytes, before)
            kept.write_bytes(fresh.read_bytes())
        self.reload(moat, self.text)
        self.assertEqual(get(moat, '/').text, 'ok')
        self.assertEqual(self.shown[-1], self.serial(other))

    # Whom Moat takes for its backend; more of it is in backends_e2e.

    def refused(self, pair, *settings, env=None, why):
        backend = self.backend(pair, asks=False)
        moat = self.front(backend, *settings, env=env)
        answer = get(moat, '/')
        self.assertEqual((answer.status, answer.json()['code']), (502, 'backend_failed'))
        self.logged(moat, 'backend_unreachable', why)
        self.assertEqual(backend.requests, [])

    def test_a_backend_of_another_authority_than_the_named_one_is_refused(self):
        """Be it one that the whole system trusts."""
        public = pki.Authority(self, 'public')
        server = public.issue('server', 'IP:127.0.0.1', usage='serverAuth')
        place = public.place / 'moat'  # with the configuration in it, or the sandbox closes it
        place.mkdir()
        shutil.copy(public.ca, place / 'system.pem')
        system = {**QUICK, 'SSL_CERT_FILE': str(place / 'system.pem')}
        for settings, status in (('log.level = "info"', 200), (self.pinned, 502)):
            moat = harness.Moat(self.backend(server, asks=False).url, settings + '\n', data=place, env=system)
            self.addCleanup(self._end, moat)
            self.assertEqual(get(moat, '/').status, status, moat.output)
            moat.stop()
        self.logged(moat, 'backend_unreachable', 'unknown authority')

    def test_a_backend_that_signed_itself_is_refused(self):
        place = self.authority.place
        pki.openssl('req', '-x509', *pki.Authority.EC, '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1', '-addext',
                    'subjectAltName=IP:127.0.0.1', '-keyout', place / 'self.key', '-out', place / 'self.pem')
        own = (place / 'self.pem', place / 'self.key')
        self.refused(own, self.pinned, why='unknown authority')
        self.refused(own, why='unknown authority')
        named = f'backend_ca = "{own[0]}"'
        self.assertEqual(get(self.front(self.backend(own, asks=False), named), '/').text, 'ok')

    def test_a_backend_that_shows_a_clients_certificate_is_refused(self):
        client = self.authority.issue('client', 'IP:127.0.0.1', usage='clientAuth')
        self.refused(client, self.pinned, why='certificate')


class Names(Served):
    """Several names, several certificates."""

    @classmethod
    def setUpClass(cls):
        cls.authority = pki.Authority(cls, 'public')
        issue = lambda name, names, **more: cls.authority.issue(name, names, usage='serverAuth', **more)
        cls.a = issue('a', 'DNS:a.example,DNS:www.a.example')
        cls.b = issue('b', 'DNS:*.b.example')
        cls.rsa = issue('rsa', 'DNS:a.example', key=('-newkey', 'rsa:3072'))

    DOMAINS = 'domain = ["a.example", "www.a.example", "x.b.example"]\n'

    def pairs(self, *pairs):
        return ''.join(f'[[tls.certificate]]\ncertificate_file = "{chain}"\nkey_file = "{key}"\n'
                       for chain, key in pairs)

    def front(self, *pairs, domains=DOMAINS):
        backend = wire.Backend()
        self.addCleanup(backend.stop)
        self.head = f'{domains}backend = "{backend.url}"\n'
        moat = wire.Toml(self.head + self.pairs(*pairs), ('--workers', '1'), QUICK)
        moat.trusted = self.authority.ca
        self.addCleanup(self._end, moat)
        return moat

    def shown(self, moat, name, *more):
        """The fingerprint of what a client gets that asks for the name."""
        done = subprocess.run(['openssl', 's_client', '-connect', f'{harness.HOST}:{moat.https_port}', *more,
                               *(('-servername', name) if name else ('-noservername',)), '-CAfile',
                               self.authority.ca], input='', capture_output=True, text=True)
        if 'BEGIN CERTIFICATE' not in done.stdout:
            return None
        said = subprocess.run(['openssl', 'x509', '-noout', '-fingerprint', '-sha256'], input=done.stdout,
                              capture_output=True, text=True, check=True)
        return said.stdout.strip().split('=')[1].replace(':', '').lower()

    def test_each_name_gets_its_own(self):
        moat = self.front(self.a, self.b)
        for name, own in (('a.example', self.a), ('www.a.example', self.a), ('x.b.example', self.b),
                          ('X.B.EXAMPLE', self.b), (None, self.a)):
            self.assertEqual(self.shown(moat, name), pki.fingerprint(own[0]), name)
        for name in ('c.example', 'b.example', 'x.x.b.example'):
            self.assertIsNone(self.shown(moat, name), name)
        for name in ('a.example', 'x.b.example'):
            with wire.Wire(moat.connect(host=name)) as peer:  # python verifies the name
                peer.send(f'GET / HTTP/1.1\r\nHost: {name}\r\n\r\n'.encode())
                self.assertEqual(peer.answer().status, 200)
        checked = self.tool(moat, 'check')
        self.assertIn(f'Certificate: {self.a[0]} for a.example, www.a.example (ECDSA P-256), until', checked)
        self.assertIn(f'Certificate: {self.b[0]} for *.b.example (ECDSA P-256), until', checked)

    def test_one_name_has_both_kinds_of_key(self):
        moat = self.front(self.a, self.b, self.rsa)
        for version in ('-tls1_2', '-tls1_3'):
            for name in ('a.example', None):
                self.assertEqual(self.shown(moat, name, version), pki.fingerprint(self.a[0]))
                self.assertEqual(self.shown(moat, name, version, '-sigalgs', 'RSA-PSS+SHA256'),
                                 pki.fingerprint(self.rsa[0]))
            self.assertIsNone(self.shown(moat, 'www.a.example', version, '-sigalgs', 'RSA-PSS+SHA256'))

    def test_a_reload_takes_other_files_and_no_connection_ends(self):
        moat = self.front(self.a, self.b)
        with wire.Wire(moat.connect(host='a.example')) as kept:
            ask = lambda: (kept.send(b'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n'), kept.answer().status)[1]
            self.assertEqual(ask(), 200)
            places = []
            for source in self.authority.issue('new', 'DNS:a.example,DNS:www.a.example', usage='serverAuth'):
                places.append(self.placed(moat, source))
                places[-1].chmod(0o600)
            self.reload(moat, self.head + self.pairs(places, self.b))
            self.assertEqual(self.shown(moat, 'a.example'), pki.fingerprint(places[0]))
            self.assertEqual(self.shown(moat, 'x.b.example'), pki.fingerprint(self.b[0]))
            self.assertEqual(ask(), 200)
            # One of them becomes another in its place, which is seen without being asked to.
            for place, source in zip(places, self.a):
                place.write_text(source.read_text())
            harness.wait_until(lambda: self.shown(moat, 'a.example') == pki.fingerprint(self.a[0]), 10,
                               'the changed certificate')
            self.assertEqual(ask(), 200)
            # Half of them is nothing.
            (moat.data / 'moat.toml').write_text(self.head + self.pairs(self.b))
            done = subprocess.run([os.environ['MOAT_BIN'], 'reload', '--data', moat.data / 'data'],
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 1)
            self.assertIn("no certificate for 'a.example'", done.stderr)
            self.assertEqual(self.shown(moat, 'a.example'), pki.fingerprint(self.a[0]))
            self.assertEqual(ask(), 200)

    def test_a_name_without_one_refuses_the_start_with_the_nearest(self):
        for domains, pairs, why in ((self.DOMAINS, (self.a,), "no certificate for 'x.b.example'"),
                                    ('domain = "ww.a.example"\n', (self.a, self.b), "did you mean 'www.a.example'"),
                                    ('domain = "a.example"\n', ((self.a[0], self.b[1]),), 'does not belong'),
                                    ('domain = "a.example"\n', ((self.a[0], '/none.key'),), '/none.key')):
            with self.assertRaisesRegex(AssertionError, why):
                self.front(*pairs, domains=domains)
            place = self.authority.place / 'check.toml'
            place.write_text(self.head + self.pairs(*pairs))
            done = subprocess.run([os.environ['MOAT_BIN'], 'check', '--config', place], capture_output=True, text=True)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(why, done.stderr)


class Hsts(unittest.TestCase):
    """The ramp, from a file that says how far it has come."""

    NAME = 'app.example.test'
    LAST = 'max-age=63072000; includeSubDomains'

    def setUp(self):
        authority = pki.Authority(self, 'public')
        chain, key = authority.issue('app', f'DNS:{self.NAME}', usage='serverAuth')
        self.trusted = authority.ca
        made = tempfile.TemporaryDirectory(prefix='moat-e2e-')
        self.addCleanup(made.cleanup)
        self.place = pathlib.Path(made.name)
        (self.place / 'data').mkdir(0o700)
        self.file = self.place / 'data' / 'hsts-ramp'
        self.head = f'domain = "{self.NAME}"\ntls.certificate = "{chain}"\ntls.key = "{key}"\n'
        self.backend = harness.Echo()
        self.addCleanup(self.backend.stop)

    def start(self, hsts='tls.hsts.ramp = true'):
        moat = harness.Moat(self.backend.url, self.head + hsts + '\n', ('--workers', '2'), data=self.place,
                            domain=self.NAME, trusted=self.trusted)
        self.addCleanup(lambda: moat.running() and moat.stop())
        return moat

    def at(self, step, ago):
        self.file.write_text(f'{step} {int(time.time() - ago)}\n')
        self.file.chmod(0o600)

    def field(self, moat, path='/'):
        return moat.request('GET', path).all('strict-transport-security')

    def test_every_answer_follows_the_step(self):
        for step, value in enumerate(('max-age=300', 'max-age=86400', 'max-age=2592000', self.LAST)):
            self.at(step, 60)
            moat = self.start()
            self.assertEqual(self.field(moat), [value])
            self.assertEqual(self.field(moat, '/auth/login'), [value])
            self.assertEqual(self.field(moat, '/a%2Fb'), [value])  # refused by Moat
            self.assertIn(f'Strict-Transport-Security: {value}\r\n'.encode(), moat.raw(b'nonsense\r\n\r\n'))
            for path in ('/', '/auth/login'):
                done = subprocess.run(['curl', '--http2', '-sSi', '--cacert', self.trusted, '--resolve',
                                       f'{self.NAME}:{moat.https_port}:{harness.HOST}',
                                       f'https://{self.NAME}:{moat.https_port}{path}'], capture_output=True, text=True)
                self.assertIn('HTTP/2 200', done.stdout)
                self.assertIn(f'strict-transport-security: {value}\n', done.stdout.replace('\r', ''))
            plain = moat.request('GET', '/', tls=False, headers={'Accept': 'text/html'})
            self.assertIsNone(plain.header('strict-transport-security'))  # RFC 6797 section 7.2
            moat.stop()

    def test_it_begins_once_and_survives_a_restart(self):
        moat = self.start()
        self.assertEqual(self.field(moat), ['max-age=300'])
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o600)
        begun = self.file.read_text()
        moat.stop()
        moat = self.start()
        self.assertEqual(self.file.read_text(), begun)
        self.assertEqual(self.field(moat), ['max-age=300'])

    def test_the_next_step_comes_without_a_restart(self):
        self.at(0, 86_400 - 4)
        moat = self.start()
        harness.wait_until(lambda: self.field(moat) == ['max-age=86400'], 20, 'the second step')
        self.assertTrue(self.file.read_text().startswith('1 '))

    def test_a_clock_that_was_ahead_does_not_hold_it(self):
        self.at(1, -40 * 86_400)
        moat = self.start()
        self.assertEqual(self.field(moat), ['max-age=86400'])
        self.assertLessEqual(int(self.file.read_text().split()[1]), int(time.time()))

    def test_off_is_all_at_once_and_a_reload_turns_it(self):
        moat = self.start(hsts='')
        self.assertEqual(self.field(moat), [self.LAST])
        self.assertFalse(self.file.exists())
        for hsts, value in (('tls.hsts.ramp = true\n', 'max-age=300'), ('', self.LAST)):
            (self.place / 'moat.toml').write_text(self.head + hsts)
            done = subprocess.run([os.environ['MOAT_BIN'], 'reload', '--data', self.place / 'data'], capture_output=True,
                                  text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(self.field(moat), [value])

    def test_check_shows_the_step_and_the_rules_of_preloading(self):
        (self.place / 'moat.toml').write_text(self.head + 'backend = "3000"\n[tls.hsts]\nramp = true\npreload = true\n')

        def checked():
            done = subprocess.run([os.environ['MOAT_BIN'], 'check', '--config', self.place / 'moat.toml', '--data',
                                   self.place / 'data'], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout
        self.assertIn('HSTS ramp: not begun', checked())
        self.at(2, 86_400)
        said = checked()
        self.assertIn('HSTS ramp: step 3 of 4, max-age=2592000, since ', said)
        self.assertIn('NOT MET: the preload directive is sent: not before the ramp has ended', said)
        self.assertIn('met: port 80 redirects to HTTPS', said)
        self.assertIn('warning: the list is built into browsers', said)
        self.assertIn('weakened: practice 1: HSTS begins with five minutes', said)


if __name__ == '__main__':
    harness.main()
