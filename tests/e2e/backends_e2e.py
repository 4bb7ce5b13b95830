# SPDX-License-Identifier: Apache-2.0
"""The backend side: several servers, servers that die, Unix sockets, TLS, health, bounds, connections that know
who is at their other end; and the PROXY protocol before it all."""
import base64
import hashlib
import pathlib
import re
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import unittest

import harness
import pki
import wire
from wire import ok, request

QUICK = {**wire.LIMITS, 'MOAT_SERVER_TIMEOUTS_BACKEND': '2s', 'MOAT_SERVER_TIMEOUTS_CONNECT': '1s',
         'MOAT_SERVER_TIMEOUTS_DRAIN': '3s'}


def named(name):
    """Says which server it is."""
    def handler(peer, got):
        peer.body(got.fields)
        peer.send(ok(name.encode()))
    return handler


def backends(names, path='/', **more):
    made = {name: wire.Backend({path: named(name), **more}) for name in names}
    return made


class Several(unittest.TestCase):
    """A gateway with the backends and the settings that a test asks for."""

    def start(self, servers, *settings, env=QUICK, head='', workers='1'):
        urls = ', '.join(f'"{s if isinstance(s, str) else s.url}"' for s in servers)
        lines = '\n'.join(settings)
        config = f'{head}\n[[route]]\nmatch = "/*"\nbackend = [{urls}]\n{lines}\n'
        moat = wire.Toml(config, ('--workers', workers), env)
        for server in servers:
            if not isinstance(server, str):
                self.addCleanup(server.stop)
        self.addCleanup(self._end, moat)
        return moat

    def _end(self, moat):
        self.assertEqual(moat.stop(), 0, moat.output[-4000:])

    def get(self, moat, path='/', *fields):
        with wire.Wire(moat.connect()) as peer:
            return peer.get(path, *fields)

    def logged(self, moat, event, text=''):
        """The lines of an event; the log is written by a thread of its own, so they are waited for."""
        lines = lambda: [line for line in list(moat.lines) if f'"{event}"' in line and text in line]
        try:
            return harness.wait_until(lines, 10)
        except AssertionError:
            return []


class Balance(Several):
    def test_servers_take_turns(self):
        a, b = wire.Backend({'/': named('a')}), wire.Backend({'/': named('b')})
        moat = self.start([a, b])
        got = [self.get(moat).text for _ in range(8)]
        self.assertEqual((got.count('a'), got.count('b')), (4, 4))

    def test_the_idlest_is_preferred(self):
        going = threading.Event()

        def slow(peer, got):
            going.wait(10)
            peer.send(ok(b'slow'))
        a, b = (wire.Backend({'/': named(name), '/slow': slow}) for name in 'ab')
        moat = self.start([a, b], 'balance = "least_connections"')
        busy = wire.Wire(moat.connect())
        busy.send(request('GET', '/slow'))
        harness.wait_until(lambda: a.seen('/slow') or b.seen('/slow'), what='the slow request')
        other = 'b' if a.seen('/slow') else 'a'
        self.assertEqual({self.get(moat).text for _ in range(6)}, {other})
        going.set()
        self.assertEqual(busy.answer().body, b'slow')
        busy.close()
        self.assertEqual({self.get(moat).text for _ in range(6)}, {'a', 'b'})

    def test_a_server_has_as_many_requests_as_it_may_have(self):
        going = threading.Event()

        def slow(peer, got):
            going.wait(10)
            peer.send(ok(b'slow'))
        server = wire.Backend({'/': named('a'), '/slow': slow})
        # Those of all workers count.
        moat = self.start([server], 'backend_max_connections = 2', workers='2')
        busy = [wire.Wire(moat.connect()) for _ in range(2)]
        for peer in busy:
            peer.send(request('GET', '/slow'))
        harness.wait_until(lambda: len(server.seen('/slow')) == 2, what='the slow requests')
        for _ in range(5):
            answer = self.get(moat)
            self.assertEqual((answer.status, answer.json()['code']), (503, 'backend_busy'))
            self.assertEqual(answer.header('retry-after'), '1')
        going.set()
        for peer in busy:
            self.assertEqual(peer.answer().body, b'slow')
            peer.close()
        self.assertEqual(self.get(moat).text, 'a')
        self.assertEqual(server.seen('/slow')[1].path, '/slow')


class Failing(Several):
    def test_a_killed_server_is_passed_over_and_comes_back(self):
        a, b = wire.Backend({'/': named('a')}), wire.Backend({'/': named('b')})
        moat = self.start([a, b])
        self.assertEqual({self.get(moat).text for _ in range(4)}, {'a', 'b'})
        port = b.port
        b.stop()
        for _ in range(12):
            answer = self.get(moat)
            self.assertEqual((answer.status, answer.text), (200, 'a'))
        self.assertEqual(len(self.logged(moat, 'backend_down', str(port))), 1)
        metrics = moat.request('GET', '/metrics', port=moat.admin_port, tls=False,
                               headers={'Host': f'localhost:{moat.admin_port}'}).text
        self.assertIn(f'moat_backend_up{{server="{b.url}"}} 0', metrics)
        self.assertIn(f'moat_backend_up{{server="{a.url}"}} 1', metrics)
        self.assertIn(f'moat_backend_requests{{server="{a.url}"}} 0', metrics)
        again = wire.Backend({'/': named('b again')}, port)
        self.addCleanup(again.stop)
        harness.wait_until(lambda: self.get(moat).text == 'b again', 10, 'the return of the server')
        self.assertEqual(len(self.logged(moat, 'backend_up', str(port))), 1)
        self.assertEqual({self.get(moat).text for _ in range(4)}, {'a', 'b again'})

    def test_a_server_that_gives_502_is_left_alone(self):
        bad = wire.Backend({'/': lambda peer, got: peer.send(ok(b'', status='502 Bad Gateway'))})
        good = wire.Backend({'/': named('good')})
        moat = self.start([bad, good])
        for _ in range(8):
            self.get(moat)
        self.assertTrue(self.logged(moat, 'backend_down', 'answers 502'))
        before = len(bad.requests)
        for _ in range(6):
            self.assertEqual(self.get(moat).text, 'good')
        self.assertLessEqual(len(bad.requests), before + 1)  # a trial at most

    def test_a_server_that_breaks_alone_is_asked_all_the_same(self):
        server = wire.Backend({'/': lambda peer, got: False, '/ok': named('ok')})
        moat = self.start([server])
        for _ in range(6):
            self.assertEqual(self.get(moat).status, 502)
        self.assertEqual(len(self.logged(moat, 'backend_down', 'closed before an answer')), 1)
        self.assertEqual(self.get(moat, '/ok').text, 'ok')
        self.assertEqual(len(self.logged(moat, 'backend_up')), 1)

    def test_only_what_may_be_repeated_is_sent_again(self):
        """A reused connection that the backend closes over the request: GET gets a second try, POST does not."""
        seen = []

        def once(peer, got):
            body = peer.body(got.fields)
            seen.append((got.method, body))
            if getattr(peer, 'used', False):
                return False
            peer.used = True
            peer.send(ok(b'fresh'))
        server = wire.Backend({'/': once})
        moat = self.start([server])
        with wire.Wire(moat.connect()) as peer:
            self.assertEqual(peer.get('/').body, b'fresh')
            self.assertEqual(peer.get('/').body, b'fresh')  # by way of a second connection
            self.assertEqual(len(seen), 3)
            peer.send(request('POST', '/', body=b'once'))
            self.assertEqual(peer.answer().status, 502)
        self.assertEqual(seen.count(('POST', b'once')), 1)
        with wire.Wire(moat.connect()) as peer:
            self.assertEqual(peer.get('/').body, b'fresh')
            # PUT may be repeated, but not once its body was streamed.
            peer.send(request('PUT', '/', 'Content-Length: 8') + b'half')
            time.sleep(0.2)
            peer.send(b'half')
            self.assertEqual(peer.answer().status, 502)
        self.assertEqual(seen.count(('PUT', b'halfhalf')), 1)

    def test_a_server_that_cannot_be_reached_costs_a_post_nothing(self):
        dead = f'http://{harness.HOST}:{harness.free_port()}'
        alive = wire.Backend()
        moat = self.start([dead, alive])
        with wire.Wire(moat.connect()) as peer:
            for i in range(4):
                peer.send(request('POST', '/', 'Transfer-Encoding: chunked') + wire.chunked(b'%d' % i))
                self.assertEqual(peer.answer().body, b'%d' % i)
        self.assertEqual(len(alive.requests), 4)


class Health(Several):
    CHECK = ('health_path = "/healthz"', 'health_every = "100ms"', 'health_timeout = "500ms"')

    def server(self, name):
        state = {'status': '200 OK'}

        def healthz(peer, got):
            peer.send(ok(b'', status=state['status']))
            return False
        backend = wire.Backend({'/': named(name), '/healthz': healthz})
        backend.state = state
        return backend

    def test_a_server_gets_no_requests_until_it_passes(self):
        a, b = self.server('a'), self.server('b')
        moat = self.start([a, b], *self.CHECK)
        self.assertEqual({self.get(moat).text for _ in range(4)}, {'a', 'b'})
        a.state['status'] = '503 Starting'
        self.assertTrue(self.logged(moat, 'backend_down', 'answers 503'))
        seen = len(a.seen('/'))
        self.assertEqual({self.get(moat).text for _ in range(6)}, {'b'})
        self.assertEqual(len(a.seen('/')), seen)
        a.state['status'] = '200 OK'
        self.assertTrue(self.logged(moat, 'backend_up'))
        self.assertEqual({self.get(moat).text for _ in range(4)}, {'a', 'b'})
        self.assertEqual(len(self.logged(moat, 'backend_down')), 1)
        self.assertEqual(len(self.logged(moat, 'backend_up')), 1)
        asked = a.seen('/healthz')[0]
        self.assertEqual((asked.method, asked.field('user-agent')), ('GET', 'moat-health'))

    def test_where_none_passes_it_is_503(self):
        a = self.server('a')
        moat = self.start([a], *self.CHECK)
        a.state['status'] = '500 Broken'
        self.assertTrue(self.logged(moat, 'backend_down'))
        answer = self.get(moat)
        self.assertEqual((answer.status, answer.json()['code'], answer.header('retry-after')),
                         (503, 'backend_down', '1'))
        self.assertEqual(a.seen('/'), [])
        a.state['status'] = '200 OK'
        harness.wait_until(lambda: self.get(moat).status == 200, what='the return')

    def test_one_worker_asks_for_all(self):
        a = self.server('a')
        moat = self.start([a], 'health_path = "/healthz"', 'health_every = "500ms"', workers='4')
        begun = time.monotonic()
        before = len(a.seen('/healthz'))
        harness.wait_until(lambda: len(a.seen('/healthz')) >= before + 4, 30, 'four questions')
        # Four workers that each ask would be there in half a second.
        self.assertGreater(time.monotonic() - begun, 1.2)
        self.assertEqual(self.get(moat).text, 'a')


class UnixSocket(Several):
    def test_a_backend_on_a_unix_socket(self):
        with tempfile.TemporaryDirectory(prefix='moat-e2e-') as place:
            path = pathlib.Path(place) / 'app.sock'
            server = wire.Backend(path=path)
            moat = self.start([server], 'host = "backend"')
            with wire.Wire(moat.connect()) as peer:
                for _ in range(10):
                    self.assertEqual(peer.get('/a').body, b'OK')
                peer.send(request('POST', '/b', body=b'x' * 300_000))
                self.assertEqual(peer.answer().body, b'x' * 300_000)
            self.assertEqual(server.connections, 1)
            self.assertEqual(server.seen('/a')[0].field('host'), 'localhost')
            server.stop()
            path.unlink()
            harness.wait_until(lambda: self.get(moat).status == 502, what='502')
            self.assertTrue(self.logged(moat, 'backend_unreachable', 'no such socket'))
            again = wire.Backend(path=path)
            self.addCleanup(again.stop)
            self.assertEqual(self.get(moat).text, 'OK')


class Authority(pki.Authority):
    def leaf(self, name, names, **more):
        """A server's context."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue(name, names, usage='serverAuth', **more))
        return context


class Tls(Several):
    @classmethod
    def setUpClass(cls):
        cls.certificates = Authority(cls)
        cls.ca = f'backend_ca = "{cls.certificates.ca}"'

    def refused(self, context, why, *settings):
        server = wire.Backend(tls=context)
        moat = self.start([server], *settings)
        answer = self.get(moat)
        self.assertEqual((answer.status, answer.json()['code']), (502, 'backend_failed'))
        self.assertTrue(self.logged(moat, 'backend_unreachable', why), moat.output)
        self.assertEqual(server.requests, [])

    def test_a_verified_backend_serves(self):
        context = self.certificates.leaf('good', 'IP:127.0.0.1')
        server = wire.Backend(tls=context)
        moat = self.start([server], self.ca)
        with wire.Wire(moat.connect()) as peer:
            for _ in range(20):
                self.assertEqual(peer.get('/').body, b'OK')
            peer.send(request('POST', '/', body=b'x' * 500_000))
            self.assertEqual(peer.answer().body, b'x' * 500_000)
            peer.send(request('POST', '/', 'Transfer-Encoding: chunked') + wire.chunked(b'y' * 300_000))
            self.assertEqual(peer.answer().body, b'y' * 300_000)
        self.assertLessEqual(server.connections, 2)  # they are kept

    def test_sessions_are_resumed(self):
        context = self.certificates.leaf('resumed', 'IP:127.0.0.1')
        server = wire.Backend({'/': lambda peer, got: peer.send(ok(b'bye', 'Connection: close')) or False}, tls=context)
        moat = self.start([server], self.ca)
        for _ in range(4):
            self.assertEqual(self.get(moat).text, 'bye')
        self.assertGreaterEqual(context.session_stats()['hits'], 2)

    def test_websockets_go_over_tls_and_hold_a_place(self):
        def upgrade(peer, got):
            accept = base64.b64encode(hashlib.sha1(
                (got.field('sec-websocket-key') + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').encode()).digest()).decode()
            peer.send(b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
                      b'Sec-WebSocket-Accept: ' + accept.encode() + b'\r\n\r\n')
            while True:
                peer.fill()
                peer.send(peer.exactly(len(peer.buffer)))
        server = wire.Backend({'/ws': upgrade}, tls=self.certificates.leaf('ws', 'IP:127.0.0.1'))
        moat = self.start([server], self.ca, 'backend_max_connections = 1')
        with wire.Wire(moat.connect()) as peer:
            peer.send(request('GET', '/ws', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13',
                              'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', f'Origin: {moat.origin}'))
            self.assertEqual(peer.answer().status, 101)
            for size in (1, 1000, 100_000):
                peer.send(b'w' * size)
                self.assertEqual(peer.exactly(size), b'w' * size)
            self.assertEqual(self.get(moat).status, 503)
        harness.wait_until(lambda: self.get(moat).status == 200, what='the place of the WebSocket')

    def test_an_answer_that_was_cut_off_is_not_whole(self):
        """Only a farewell ends what has no length: anybody may close a connection."""
        def until_end(farewell):
            def handler(peer, got):
                peer.send(b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nall of it')
                if farewell:
                    try:
                        peer.sock.settimeout(1)
                        peer.sock.unwrap()
                    except OSError:
                        pass
                return False
            return handler
        context = self.certificates.leaf('cut', 'IP:127.0.0.1')
        server = wire.Backend({'/whole': until_end(True), '/cut': until_end(False)}, tls=context)
        moat = self.start([server], self.ca)
        self.assertEqual(self.get(moat, '/whole').text, 'all of it')
        with self.assertRaises(wire.Closed):
            self.get(moat, '/cut')

    def test_a_name_may_be_given(self):
        context = self.certificates.leaf('named', 'DNS:app.internal')
        asked = []
        context.sni_callback = lambda sock, name, ctx: asked.append(name)
        server = wire.Backend(tls=context)
        moat = self.start([server], self.ca, 'backend_name = "app.internal"')
        self.assertEqual(self.get(moat).text, 'OK')
        self.assertEqual(asked, ['app.internal'])

    def test_another_name_is_refused(self):
        self.refused(self.certificates.leaf('other', 'DNS:other.internal'), 'certificate is for another name', self.ca)

    def test_an_unknown_authority_is_refused(self):
        self.refused(self.certificates.leaf('unknown', 'IP:127.0.0.1'), 'certificate is from an unknown authority')

    def test_an_expired_certificate_is_refused(self):
        # The oldest openssl that is tested with has no -not_after; a negative number of days does as well.
        context = self.certificates.leaf('old', 'IP:127.0.0.1', expired=True)
        self.refused(context, 'certificate has expired', self.ca)

    def test_a_plain_server_is_refused(self):
        server = harness.Echo()
        self.addCleanup(server.stop)
        moat = self.start([server.url.replace('http:', 'https:')], self.ca)
        self.assertEqual(self.get(moat).status, 502)
        self.assertTrue(self.logged(moat, 'backend_unreachable', 'does not speak TLS'), moat.output)
        self.assertEqual(server.requests, [])

    def test_a_silent_server_is_504(self):
        server = wire.Backend()
        moat = self.start([server.url.replace('http:', 'https:')], self.ca)
        self.addCleanup(server.stop)
        self.assertEqual(self.get(moat).status, 504)
        self.assertTrue(self.logged(moat, 'backend_unreachable', 'TLS handshake timed out'), moat.output)

    def test_allow_unverified_backend_takes_it_and_is_a_weakening(self):
        context = self.certificates.leaf('whoever', 'DNS:other.internal')
        server = wire.Backend(tls=context)
        moat = self.start([server], 'allow_unverified_backend = true')
        self.assertEqual(self.get(moat).text, 'OK')
        done = subprocess.run([moat.process.args[0], 'check', '--config', moat.data / 'moat.toml'],
                              capture_output=True, text=True)
        self.assertIn('weakened: practice 1', done.stdout)

    def test_a_missing_or_wrong_authority_refuses_the_start(self):
        for text in ('', 'no certificate'):
            path = self.certificates.place / 'wrong.pem'
            path.write_text(text)
            self._refuses_the_start(path)
        self._refuses_the_start(self.certificates.place / 'not-there.pem')

    def _refuses_the_start(self, path):
        with tempfile.TemporaryDirectory(prefix='moat-e2e-') as place:
            config = pathlib.Path(place) / 'moat.toml'
            config.write_text(f'backend = "https://127.0.0.1:1"\nbackend_ca = "{path}"\n')
            done = subprocess.run([harness.os.environ['MOAT_BIN'], 'check', '--config', config], capture_output=True,
                                  text=True)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertRegex(done.stderr, 'backend_ca|certificate')


def ntlm(peer, got):
    """The connection is whoever shook hands on it: what NTLM does, in one step instead of three."""
    peer.body(got.fields)
    said = got.field('authorization')
    if said and said.startswith('NTLM '):
        peer.user = said[5:]
    user = getattr(peer, 'user', None)
    if user is None:
        peer.send(ok(b'', 'WWW-Authenticate: NTLM', status='401 Unauthorized'))
    else:
        peer.send(ok(user.encode()))


class IdleConnections(Several):
    """What a backend does on a connection that nobody uses, behind answers of every size."""
    SIZES = (1_000, 40_000, 70_000, 90_000, 200_000, 400_000, 1_000_000)

    def test_one_that_was_closed_is_not_used_again(self):
        def answer(peer, got):
            peer.body(got.fields)
            peer.send(ok(b'x' * int(got.path[1:])))
            return False  # closes
        server = wire.Backend({f'/{size}': answer for size in self.SIZES})
        moat = self.start([server])
        for size in self.SIZES:
            with self.subTest(size=size):
                self.assertEqual(len(self.get(moat, f'/{size}').body), size)
                time.sleep(0.3)
                with wire.Wire(moat.connect()) as peer:
                    peer.send(b'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx')
                    self.assertEqual(peer.answer().status, 200)

    def test_what_it_says_unasked_is_nobodys_answer(self):
        def answer(peer, got):
            peer.body(got.fields)
            peer.send(ok(b'x' * int(got.path[1:])))
            time.sleep(0.1)
            peer.send(ok(b'unasked', status='408 Request Timeout'))
        server = wire.Backend({f'/{size}': answer for size in self.SIZES})
        moat = self.start([server])
        for size in self.SIZES:
            with self.subTest(size=size):
                self.assertEqual(len(self.get(moat, f'/{size}').body), size)
                time.sleep(0.3)
                self.assertEqual(self.get(moat, '/').status, 200)


class ConnectionAuthentication(Several):
    """A backend that authenticates connections: each is its client's alone."""

    def test_two_clients_never_share(self):
        server = wire.Backend({'/': ntlm})
        moat = self.start([server])
        alice, bob = wire.Wire(moat.connect()), wire.Wire(moat.connect())
        self.assertEqual(alice.get('/').status, 401)
        self.assertEqual(alice.get('/', 'Authorization: NTLM alice').text, 'alice')
        for _ in range(5):
            self.assertEqual(alice.get('/').text, 'alice')  # the connection is hers
            self.assertEqual(bob.get('/').status, 401)
        self.assertEqual(bob.get('/', 'Authorization: NTLM bob').text, 'bob')
        for _ in range(5):
            self.assertEqual(alice.get('/').text, 'alice')
            self.assertEqual(bob.get('/').text, 'bob')
            self.assertEqual(self.get(moat).status, 401)
        alice.close()
        bob.close()
        for _ in range(5):
            self.assertEqual(self.get(moat).status, 401)

    def test_what_is_not_authenticated_is_shared_as_ever(self):
        server = wire.Backend({'/': ntlm})
        moat = self.start([server])
        with wire.Wire(moat.connect()) as alice:
            self.assertEqual(alice.get('/').status, 401)
            self.assertEqual(alice.get('/', 'Authorization: NTLM alice').text, 'alice')
            before = server.connections
            for _ in range(10):
                with wire.Wire(moat.connect()) as peer:
                    self.assertEqual(peer.get('/other').text, 'OK')
            self.assertEqual(server.connections, before + 1)
            self.assertEqual(alice.get('/').text, 'alice')

    def test_a_connection_that_the_backend_closed_is_replaced(self):
        server = wire.Backend({'/': ntlm, '/last': lambda peer, got: False})
        moat = self.start([server])
        with wire.Wire(moat.connect()) as alice:
            self.assertEqual(alice.get('/').status, 401)
            self.assertEqual(alice.get('/', 'Authorization: NTLM alice').text, 'alice')
            self.assertEqual(alice.get('/last').status, 502)
            self.assertEqual(alice.get('/').status, 401)
            self.assertEqual(alice.get('/', 'Authorization: NTLM alice').text, 'alice')

    def test_who_only_claims_it_holds_no_place(self):
        server = wire.Backend({'/': lambda peer, got: peer.send(ok(b'x'))})
        moat = self.start([server], 'backend_max_connections = 2')
        claims = [wire.Wire(moat.connect()) for _ in range(4)]
        for peer in claims:
            self.assertEqual(peer.get('/', 'Authorization: NTLM x').status, 200)
        self.assertEqual(self.get(moat).status, 200)
        for peer in claims:
            peer.close()

    def test_behind_a_trusted_proxy_no_connection_is_anybodys(self):
        """It brings many users on one connection, so none of them gets a backend's connection to himself."""
        server = wire.Backend({'/': ntlm})
        moat = self.start([server], head='[server]\ntrusted_proxies = ["127.0.0.1"]')
        with wire.Wire(moat.connect()) as proxy:
            self.assertEqual(proxy.get('/', 'Authorization: NTLM alice', 'X-Forwarded-For: 192.0.2.1').text, 'alice')
            self.assertEqual(proxy.get('/', 'X-Forwarded-For: 192.0.2.2').status, 401)

    @unittest.skipUnless(shutil.which('curl'), 'needs curl')
    def test_streams_of_http2_share_none(self):
        server = wire.Backend({'/': ntlm})
        moat = self.start([server])
        done = curl(moat, '/', '-H', 'Authorization: NTLM alice', '--next', *curl_options(moat), url(moat, '/'))
        self.assertEqual(re.findall('HTTP/2 ([0-9]+)', done), ['200', '401'])


def url(moat, path):
    return f'https://localhost:{moat.https_port}{path}'


def curl_options(moat):
    return ['-s', '-i', '--http2', '--max-time', '10', '--cacert', str(moat.ca_file()), '--resolve',
            f'localhost:{moat.https_port}:127.0.0.1']


def curl(moat, path, *more):
    done = subprocess.run(['curl', *curl_options(moat), url(moat, path), *more], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f'curl ended with {done.returncode}: {done.stderr}')
    return done.stdout


class EarlyHints(Several):
    HINTS = b'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nServer: secret\r\n\r\n'

    def test_hints_come_before_the_answer(self):
        going = threading.Event()

        def hinted(peer, got):
            peer.send(self.HINTS + b'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n')
            going.wait(10)
            peer.send(ok(b'whole'))
        server = wire.Backend({'/': hinted})
        moat = self.start([server])
        with wire.Wire(moat.connect()) as peer:
            peer.send(request('GET', '/'))
            line, fields = peer.head()  # while the backend still thinks
            self.assertEqual((line, fields), ('HTTP/1.1 103 Early Hints', [('link', '</a.css>; rel=preload')]))
            going.set()
            answer = peer.answer()
            self.assertEqual((answer.status, answer.interim, answer.body), (200, [], b'whole'))
            self.assertEqual(peer.get('/').interim, [103])
        with wire.Wire(moat.connect()) as old:
            old.send(b'GET / HTTP/1.0\r\nHost: localhost\r\n\r\n')
            answer = old.answer()
            self.assertEqual((answer.status, answer.interim), (200, []))
        if shutil.which('curl'):
            heads = [line for line in curl(moat, '/').splitlines() if line.startswith(('HTTP/2', 'link'))]
            self.assertEqual(heads, ['HTTP/2 103 ', 'link: </a.css>; rel=preload', 'HTTP/2 200 '])

    def test_expectations_are_answered_beside_hints(self):
        def hinted(peer, got):
            peer.send(self.HINTS)
            peer.send(ok(peer.body(got.fields)))
        server = wire.Backend({'/': hinted})
        moat = self.start([server])
        with wire.Wire(moat.connect()) as peer:
            peer.send(request('POST', '/', 'Expect: 100-continue', 'Content-Length: 5'))
            first = {peer.head()[0].split()[1], peer.head()[0].split()[1]}
            self.assertEqual(first, {'100', '103'})
            peer.send(b'hello')
            answer = peer.answer()
            self.assertEqual((answer.body, answer.interim), (b'hello', []))

    def test_a_flood_of_hints_ends(self):
        server = wire.Backend({'/': lambda peer, got: peer.send(self.HINTS * 1000 + ok()) or False})
        moat = self.start([server])
        answer = self.get(moat)
        self.assertEqual((answer.status, len(answer.interim)), (502, 32))

    def test_a_request_that_was_hinted_at_is_not_sent_again(self):
        def hinted(peer, got):
            if getattr(peer, 'used', False):
                peer.send(self.HINTS)
                return False
            peer.used = True
            peer.send(ok())
        server = wire.Backend({'/': hinted})
        moat = self.start([server])
        with wire.Wire(moat.connect()) as peer:
            self.assertEqual(peer.get('/').status, 200)
            answer = peer.get('/')
            self.assertEqual((answer.status, answer.interim), (502, [103]))
        self.assertEqual(len(server.requests), 2)


def v2(client, command=1, family=0x11, fields=b'', port=4711):
    """A header of version 2 for a client by IPv4."""
    addresses = socket.inet_aton(client) + socket.inet_aton('10.0.0.1') + struct.pack('>HH', port, 443)
    return (b'\r\n\r\n\0\r\nQUIT\n' + bytes((0x20 | command, family)) +
            struct.pack('>H', len(addresses + fields)) + addresses + fields)


class ProxyProtocol(Several):
    """The gateway behind a balancer that says who its clients are."""

    TRUSTED = '[server]\nproxy_protocol = true\ntrusted_proxies = ["127.0.0.1"]'

    def gateway(self, more='', env=QUICK):
        self.server = wire.Backend()
        return self.start([self.server], head=f'{self.TRUSTED}\n{more}', env=env)

    def behind(self, moat, header, alpn=('http/1.1',), timeout=15, piecewise=False):
        raw = socket.create_connection((harness.HOST, moat.https_port), timeout)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in ([header[i:i + 1] for i in range(len(header))] if piecewise else [header]):
            raw.sendall(piece)
            if piecewise:
                time.sleep(0.005)
        return wire.Wire(moat.tls_context(alpn).wrap_socket(raw, server_hostname='localhost'))

    def refused(self, moat, header, source=None):
        """Whether the connection ends without a byte."""
        raw = socket.create_connection((harness.HOST, moat.https_port), 15, source and (source, 0))
        with wire.Wire(raw) as peer:
            try:
                peer.send(header + b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + b'x' * 100)
            except OSError:
                return True
            return peer.closed() and peer.buffer == b''

    def test_where_it_names_nobody_the_client_is_not_believed_instead(self):
        moat = self.gateway()
        for header in (b'PROXY UNKNOWN\r\n', v2('192.0.2.10', command=0)):
            with self.subTest(header=header), self.behind(moat, header) as peer:
                self.assertEqual(peer.get('/who', 'X-Forwarded-For: 10.9.8.7', 'X-Request-Id: forged').status, 200)
                seen = self.server.seen('/who')[-1]
                self.assertNotIn('10.9.8.7', seen.field('x-forwarded-for'))
                self.assertNotEqual(seen.field('x-request-id'), 'forged')

    def client_seen(self, peer):
        answer = peer.get('/who')
        self.assertEqual(answer.status, 200)
        return self.server.seen('/who')[-1].field('x-forwarded-for')

    def test_the_address_it_names_is_the_clients(self):
        moat = self.gateway()
        for header, client in ((b'PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n', '192.0.2.7'),
                               (b'PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n', '2001:db8::7'),
                               (v2('192.0.2.8'), '192.0.2.8'),
                               (v2('192.0.2.9', fields=b'\x01\x00\x08http/1.1'), '192.0.2.9'),
                               (b'PROXY UNKNOWN\r\n', '127.0.0.1'),
                               (v2('192.0.2.10', command=0), '127.0.0.1')):
            for piecewise in (False, True):
                with self.subTest(header=header, piecewise=piecewise), \
                        self.behind(moat, header, piecewise=piecewise) as peer:
                    self.assertEqual(self.client_seen(peer), client)
                    self.assertEqual(self.client_seen(peer), client)

    def test_it_may_come_in_one_packet_with_the_handshake(self):
        moat = self.gateway()
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = moat.tls_context().wrap_bio(incoming, outgoing, server_hostname='localhost')
        with self.assertRaises(ssl.SSLWantReadError):
            tls.do_handshake()
        for header in (b'PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n', v2('192.0.2.7')):
            with socket.create_connection((harness.HOST, moat.https_port), 15) as raw:
                raw.sendall(header + outgoing.read())
                incoming.write(raw.recv(65536))
                try:
                    tls.do_handshake()
                except ssl.SSLWantReadError:
                    self.fail('the handshake was cut')
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = moat.tls_context().wrap_bio(incoming, outgoing, server_hostname='localhost')
            with self.assertRaises(ssl.SSLWantReadError):
                tls.do_handshake()

    def test_who_is_not_trusted_is_refused_with_and_without(self):
        moat = self.gateway()
        for header in (v2('192.0.2.7'), b'PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n', b''):
            self.assertTrue(self.refused(moat, header, source='127.0.0.2'), header)
        self.assertTrue(self.logged(moat, 'connection_refused', 'no_trusted_proxy'))
        self.assertEqual(self.server.requests, [])

    def test_who_is_trusted_must_say_it_right(self):
        moat = self.gateway()
        for header in (b'', b'GET / HTTP/1.1\r\n\r\n', b'PROXY TCP4 192.0.2.7 10.0.0.1 01 2\r\n',
                       b'PROXY TCP4 evil 10.0.0.1 1 2\r\n', v2('192.0.2.7', family=0x12), v2('192.0.2.7', command=2),
                       b'PROXY UNKNOWN ' + b'x' * 100 + b'\r\n'):
            self.assertTrue(self.refused(moat, header), header)
        self.assertTrue(self.logged(moat, 'connection_refused', 'bad_line'))
        with self.behind(moat, v2('192.0.2.7')) as peer:
            self.assertEqual(self.client_seen(peer), '192.0.2.7')

    def test_half_a_header_times_out(self):
        moat = self.gateway(env={**QUICK, 'MOAT_SERVER_TIMEOUTS_HANDSHAKE': '1s'})
        for part in (b'', b'PROXY TCP4 192.0', v2('192.0.2.7')[:20]):
            with wire.Wire(socket.create_connection((harness.HOST, moat.https_port), 15)) as peer:
                peer.send(part)
                self.assertFalse(peer.closed(0.5))
                self.assertTrue(peer.closed(3))

    def test_without_the_setting_it_is_no_handshake(self):
        server = wire.Backend()
        moat = self.start([server], head='[server]\ntrusted_proxies = ["127.0.0.1"]')
        raw = socket.create_connection((harness.HOST, moat.https_port), 15)
        with wire.Wire(raw) as peer:
            peer.send(b'PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n')
            self.assertIn(b'400 Bad Request', peer.rest())

    def test_connections_are_counted_by_client(self):
        moat = self.gateway('max_connections_per_address = 2')
        held = [self.behind(moat, v2('192.0.2.7')) for _ in range(2)]
        for peer in held:
            self.assertEqual(self.client_seen(peer), '192.0.2.7')
        self.assertTrue(self.refused(moat, v2('192.0.2.7')))
        self.assertTrue(self.logged(moat, 'connection_refused', '192.0.2.7'))
        with self.behind(moat, v2('192.0.2.8')) as other:
            self.assertEqual(self.client_seen(other), '192.0.2.8')
        held.pop().close()
        harness.wait_until(lambda: not self.refused_at_once(moat), what='a free place')
        for peer in held:
            peer.close()

    def refused_at_once(self, moat):
        try:
            with self.behind(moat, v2('192.0.2.7')) as peer:
                return peer.get('/').status != 200
        except (OSError, wire.Closed):
            return True

    def test_the_plain_port_speaks_it_too(self):
        moat = self.gateway()
        for header, answered in ((v2('192.0.2.7'), True), (b'PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n', True), (b'', False)):
            with wire.Wire(socket.create_connection((harness.HOST, moat.http_port), 15)) as peer:
                peer.send(header + b'GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n')
                got = peer.rest()
                self.assertEqual(got.startswith(b'HTTP/1.1 403 '), answered, got)  # "use https"

    @unittest.skipUnless(shutil.which('curl'), 'needs curl')
    def test_http2_behind_it(self):
        moat = self.gateway()
        done = curl(moat, '/who', '--haproxy-protocol')
        self.assertIn('HTTP/2 200', done)
        self.assertEqual(self.server.seen('/who')[-1].field('x-forwarded-for'), '127.0.0.1')


if __name__ == '__main__':
    harness.main()
