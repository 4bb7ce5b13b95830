# SPDX-License-Identifier: Apache-2.0
"""Bearer tokens of another issuer: its keys are fetched from a small HTTPS server of the test's, its tokens signed
by the openssl program."""
import base64
import hashlib
import hmac
import http.client
import http.server
import json
import pathlib
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

import harness
from harness import header_of

ISSUER = 'https://issuer.test'
AUDIENCE = 'https://api.test'


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def openssl(*arguments, given=None):
    return subprocess.run(['openssl', *map(str, arguments)], input=given, check=True, capture_output=True).stdout


class Key:
    """A key of the issuer's, ES256 or RS256."""

    def __init__(self, folder, kid, algorithm='ES256'):
        self.kid, self.algorithm = kid, algorithm
        self.path = pathlib.Path(folder) / f'{kid}.key'
        if algorithm == 'ES256':
            openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', self.path)
        else:
            openssl('genrsa', '-out', self.path, '2048')
        self.pem = openssl('pkey', '-in', self.path, '-pubout')

    def jwk(self):
        jwk = {'kid': self.kid, 'alg': self.algorithm, 'use': 'sig'}
        if self.algorithm == 'ES256':
            point = openssl('pkey', '-in', self.path, '-pubout', '-outform', 'DER')[-64:]
            return {**jwk, 'kty': 'EC', 'crv': 'P-256', 'x': b64(point[:32]), 'y': b64(point[32:])}
        modulus = openssl('rsa', '-in', self.path, '-noout', '-modulus').decode().strip().split('=')[1]
        return {**jwk, 'kty': 'RSA', 'n': b64(bytes.fromhex(modulus)), 'e': 'AQAB'}

    def sign(self, text):
        signature = openssl('dgst', '-sha256', '-sign', self.path, given=text)
        if self.algorithm != 'ES256':
            return signature
        # SEQUENCE of two INTEGERs, below 128 bytes; RFC 7518 section 3.4 wants r and s side by side.
        r_size = signature[3]
        r = signature[4:4 + r_size]
        s = signature[6 + r_size:]
        return r.lstrip(b'\0').rjust(32, b'\0') + s.lstrip(b'\0').rjust(32, b'\0')

    def token(self, header=None, **changes):
        now = int(time.time())
        claims = {'iss': ISSUER, 'aud': AUDIENCE, 'sub': 'ada', 'iat': now, 'exp': now + 300, **changes}
        claims = {k: v for k, v in claims.items() if v is not None}
        head = {'alg': self.algorithm, 'kid': self.kid, 'typ': 'at+jwt', **(header or {})}
        text = f'{b64(json.dumps(head).encode())}.{b64(json.dumps(claims).encode())}'
        return f'{text}.{b64(self.sign(text.encode()))}'


class KeyServer:
    """The issuer's HTTPS server. `answer` writes whatever a test wants."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.ca_file = folder / 'ca.pem'
        key, certificate, request, extensions = (folder / name for name in ('s.key', 's.pem', 's.csr', 's.ext'))
        extensions.write_text('subjectAltName=IP:127.0.0.1,DNS:localhost')
        for path in (folder / 'ca.key', key):
            openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', path)
        openssl('req', '-x509', '-new', '-key', folder / 'ca.key', '-subj', '/CN=test authority', '-days', '30',
                '-out', self.ca_file)
        openssl('req', '-new', '-key', key, '-subj', '/CN=issuer', '-out', request)
        openssl('x509', '-req', '-in', request, '-CA', self.ca_file, '-CAkey', folder / 'ca.key', '-days', '30',
                '-CAcreateserial', '-extfile', extensions, '-out', certificate)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self.fetches, self.paths = 0, []
        self.publish()
        self.port = 0
        self.start()

    @property
    def url(self):
        return f'https://127.0.0.1:{self.port}/jwks.json'

    def publish(self, *keys):
        """From now on it answers with these keys."""
        self.say(200, json.dumps({'keys': [k if isinstance(k, dict) else k.jwk() for k in keys]}).encode())

    def say(self, status, body, headers=()):
        def answer(handler):
            handler.send_response(status)
            for name, value in headers:
                handler.send_header(name, value)
            handler.send_header('Content-Length', str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)
        self.answer = answer

    def start(self):
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_GET(self):
                server.fetches += 1
                server.paths.append(self.path)
                try:
                    server.answer(self)
                except OSError:
                    pass  # Moat has had enough
                self.close_connection = True

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def get_request(self):
                client, address = super().get_request()
                return server._context.wrap_socket(client, server_side=True, do_handshake_on_connect=False), address

            def handle_error(self, request, address):
                pass  # who does not trust it leaves in the handshake

        self._server = Server((harness.HOST, self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


class Issuer(unittest.TestCase):
    """Each test has a key server, and starts the gateways that it needs."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='moat-issuer-')
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.backend = harness.Echo()
        cls.addClassCleanup(cls.backend.stop)
        cls.first, cls.second = Key(cls.folder, 'first'), Key(cls.folder, 'second')
        cls.rsa = Key(cls.folder, 'rsa', 'RS256')

    def setUp(self):
        folder = tempfile.mkdtemp(prefix='moat-issuer-')
        self.addCleanup(shutil.rmtree, folder)
        self.server = KeyServer(folder)
        self.addCleanup(self.server.stop)
        self.server.publish(self.first)

    def start(self, more='', rules='login = "required"', server=None):
        server = server or self.server
        config = f'''
[[route]]
match = "/*"
backend = "{self.backend.url}"
{rules}
[[issuer]]
url = "{ISSUER}"
audience = "{AUDIENCE}"
jwks = "{server.url}"
ca_file = "{server.ca_file}"
{more}
[limits]
default = "100000/min/ip burst 10000"
'''
        moat = harness.Moat(self.backend.url, config)
        self.addCleanup(self.end, moat)
        return moat

    def end(self, moat):
        self.assertEqual(moat.stop(), 0, moat.output[-4000:])

    def get(self, moat, token, path='/api', **keywords):
        return moat.request('GET', path, headers={'Authorization': f'Bearer {token}'}, **keywords)

    def assert_passes(self, moat, token):
        answer = self.get(moat, token)
        self.assertEqual(answer.status, 200, answer)
        return answer.json()

    def assert_refused(self, moat, token):
        answer = self.get(moat, token)
        self.assertEqual((answer.status, answer.json()['code']), (401, 'invalid_token'), answer)
        self.assertEqual(answer.all('www-authenticate'), ['Bearer error="invalid_token"'])

    def assert_unavailable(self, moat, token):
        answer = self.get(moat, token)
        self.assertEqual((answer.status, answer.json()['code']), (503, 'issuer_unavailable'), answer)
        self.assertIsNotNone(answer.header('retry-after'))
        self.assertEqual(answer.all('www-authenticate'), [])


class Tokens(Issuer):
    def test_a_good_token_says_who_it_is(self):
        moat = self.start('roles_claim = "groups"\nemail_claim = "email"')
        said = self.assert_passes(moat, self.first.token(groups=['ops', 'a,admin'], email='ada@example.com'))
        user = 'x-' + b64(hashlib.sha256(f'{ISSUER}\nada'.encode()).digest())
        self.assertEqual(header_of(said, 'x-moat-user'), [user])
        self.assertEqual(header_of(said, 'x-moat-roles'), ['ops'])
        self.assertEqual(header_of(said, 'x-moat-email'), ['ada@example.com'])
        self.assertEqual(header_of(said, 'authorization'), [], 'the token was for Moat')
        payload = header_of(said, 'x-moat-assertion')[0].split('.')[1]
        claims = json.loads(harness.base64url(payload))
        self.assertEqual((claims['sub'], claims['roles']), (user, ['ops']))
        self.assertEqual(self.server.fetches, 1)
        self.assertEqual(self.server.paths, ['/jwks.json'])

    def test_who_has_no_token_is_nobody(self):
        moat = self.start()
        self.assertEqual(moat.request('GET', '/api').status, 401)
        self.assertEqual(self.get(moat, 'opaque').status, 401)
        self.assertEqual(self.server.fetches, 0)

    def test_the_token_goes_on_where_that_is_set(self):
        moat = self.start('pass_token = true')
        token = self.first.token()
        self.assertEqual(header_of(self.assert_passes(moat, token), 'authorization'), [f'Bearer {token}'])

    def test_bad_tokens_are_refused_on_public_routes_too(self):
        moat = self.start(rules='login = "optional"')
        now = int(time.time())
        good = self.first.token()
        self.assert_passes(moat, good)
        head, claims, signature = good.split('.')
        passed = len(self.backend.seen('/api'))
        for name, token in {
                'another audience': self.first.token(aud='https://other.test'),
                'audiences of others': self.first.token(aud=['https://api.test.evil', 'https://api.tes']),
                'no audience': self.first.token(aud=None),
                'expired': self.first.token(exp=now - 31, iat=now - 300),
                'no expiry': self.first.token(exp=None),
                'not yet': self.first.token(nbf=now + 60),
                'no user': self.first.token(sub=None),
                'another purpose': self.first.token({'typ': 'logout+jwt'}),
                'another key': f'{head}.{claims}.{b64(self.second.sign(f"{head}.{claims}".encode()))}',
                'changed claims': f'{head}.{self.first.token(sub="admin").split(".")[1]}.{signature}',
                'no signature': f'{head}.{claims}.',
                'its own key': self.second.token({'kid': 'first', 'jwk': self.second.jwk()}),
                'a key elsewhere': self.second.token({'jku': 'https://evil.test/', 'x5u': 'https://evil.test/'}),
                'critical': self.first.token({'crit': ['exp']}),
        }.items():
            with self.subTest(name):
                self.assert_refused(moat, token)
        self.assertEqual(len(self.backend.seen('/api')), passed)

    def test_neither_none_nor_a_public_key_as_a_secret(self):
        moat = self.start(rules='login = "optional"')
        claims = self.first.token().split('.')[1]
        for algorithm in ('none', 'None', 'nOnE'):
            head = b64(json.dumps({'alg': algorithm, 'kid': 'first'}).encode())
            self.assert_refused(moat, f'{head}.{claims}.')
        head = b64(json.dumps({'alg': 'HS256', 'kid': 'first', 'typ': 'at+jwt'}).encode())
        text = f'{head}.{claims}'
        jwks = json.dumps({'keys': [self.first.jwk()]}).encode()
        for secret in (self.first.pem, self.first.pem.strip(), jwks, json.dumps(self.first.jwk()).encode()):
            self.assert_refused(moat, f'{text}.{b64(hmac.new(secret, text.encode(), hashlib.sha256).digest())}')

    def test_a_secret_that_is_published_verifies_nothing(self):
        secret = b'0123456789abcdef-of-the-published'
        self.server.publish(self.first, {'kty': 'oct', 'kid': 'oct', 'alg': 'HS256', 'k': b64(secret)})
        moat = self.start()
        self.assert_passes(moat, self.first.token())
        head = b64(json.dumps({'alg': 'HS256', 'kid': 'oct'}).encode())
        text = f'{head}.{self.first.token().split(".")[1]}'
        self.assert_refused(moat, f'{text}.{b64(hmac.new(secret, text.encode(), hashlib.sha256).digest())}')
        harness.wait_until(lambda: "not_public 'oct'" in moat.output, what='a line about it')

    def test_rs256_only_where_it_is_named(self):
        self.server.publish(self.first, self.rsa)
        moat = self.start()
        self.assert_passes(moat, self.first.token())
        self.assert_refused(moat, self.rsa.token())
        other = self.start('algorithms = ["RS256"]')
        self.assert_passes(other, self.rsa.token())
        self.assert_refused(other, self.first.token())

    def test_a_token_of_nobody_known_is_the_backends(self):
        moat = self.start(rules='login = "optional"')
        for token in ('opaque', self.first.token(iss='https://other.test'), self.first.token(iss=ISSUER + '/')):
            said = self.assert_passes(moat, token)
            self.assertEqual(header_of(said, 'authorization'), [f'Bearer {token}'])
            self.assertEqual(header_of(said, 'x-moat-user'), [])

    def test_it_is_nobody_at_moats_own_accounts(self):
        moat = self.start()
        answer = self.get(moat, self.first.token(), '/auth/session')
        self.assertNotEqual(answer.status, 200, answer)
        self.assertEqual(self.server.fetches, 0)

    def test_roles_of_a_route_are_asked_for(self):
        moat = self.start('roles_claim = "groups"', 'login = "required"\nroles = ["ops"]')
        self.assert_passes(moat, self.first.token(groups=['ops']))
        self.assertEqual(self.get(moat, self.first.token(groups=['dev'])).status, 403)
        self.assertEqual(self.get(moat, self.first.token()).status, 403)


class Keys(Issuer):
    SHORT = 'max_age = "4s"\nmax_stale = "4s"\ncooldown = "1s"\nretry = "1s"'

    def test_many_at_once_wait_for_one_fetch(self):
        release = threading.Event()
        publish = self.server.answer

        def slow(handler):
            release.wait(10)
            publish(handler)
        self.server.answer = slow
        moat = self.start()
        token = self.first.token()
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(self.get(moat, token).status)) for _ in range(30)]
        for thread in threads:
            thread.start()
        harness.wait_until(lambda: self.server.fetches == 1, what='the fetch')
        # Whoever needs no key is served meanwhile.
        self.assertEqual(moat.request('GET', '/api').status, 401)
        release.set()
        for thread in threads:
            thread.join()
        self.assertEqual(answers, [200] * 30)
        self.assertEqual(self.server.fetches, 1)

    def test_a_flood_of_unknown_keys_causes_no_flood_of_fetches(self):
        moat = self.start()
        self.assert_passes(moat, self.first.token())
        claims = self.first.token().split('.')[1]
        began = time.monotonic()
        for i in range(400):
            head = b64(json.dumps({'alg': 'ES256', 'kid': f'x{i}'}).encode())
            self.assert_refused(moat, f'{head}.{claims}.{"A" * 86}')
        most = 1 + int((time.monotonic() - began) / 30) + 1
        self.assertLessEqual(self.server.fetches, most)
        self.assert_passes(moat, self.first.token())

    def test_a_new_key_is_found_and_one_that_vanished_is_out(self):
        moat = self.start(self.SHORT)
        self.assert_passes(moat, self.first.token())
        self.server.publish(self.first, self.second)
        harness.wait_until(lambda: self.get(moat, self.second.token()).status == 200, what='the new key')
        self.assert_passes(moat, self.first.token())
        self.server.publish(self.second)
        harness.wait_until(lambda: self.get(moat, self.first.token()).status == 401, what='the end of the old key')
        self.assert_passes(moat, self.second.token())

    def test_known_keys_serve_while_the_issuer_is_down_and_then_nobody_can_say(self):
        moat = self.start(self.SHORT)
        self.assert_passes(moat, self.first.token())
        self.server.stop()
        self.assert_passes(moat, self.first.token())
        harness.wait_until(lambda: 'issuer_keys_not_fetched' in moat.output or
                           self.get(moat, self.first.token()).status == 503, 20, 'a failed fetch')
        harness.wait_until(lambda: self.get(moat, self.first.token()).status == 503, 20, 'the end of the keys')
        self.assert_unavailable(moat, self.first.token())
        self.server.start()
        harness.wait_until(lambda: self.get(moat, self.first.token()).status == 200, 20, 'the keys again')

    def test_what_is_no_key_set_is_no_key(self):
        good = json.dumps({'keys': [self.first.jwk()]}).encode()
        for name, say in {
                'too large': lambda: self.server.say(200, good + b' ' * 65537),
                'an error': lambda: self.server.say(500, good),
                'a page': lambda: self.server.say(200, b'<html>'),
                'a redirect': lambda: self.server.say(302, good, [('Location', self.server.url + '?again')]),
                'compressed': lambda: self.server.say(200, good, [('Content-Encoding', 'gzip')]),
                'a name twice': lambda: self.server.publish(self.first, self.first),
        }.items():
            with self.subTest(name):
                self.server.fetches, self.server.paths = 0, []
                say()
                moat = self.start()
                for _ in range(3):
                    self.assert_unavailable(moat, self.first.token())
                self.assertEqual(self.server.paths, ['/jwks.json'])
                harness.wait_until(lambda: 'issuer_keys_not_fetched' in moat.output, what='a line about it')

    def drip(self):
        """An answer that never ends."""
        let_go = threading.Event()
        self.addCleanup(let_go.set)

        def drip(handler):
            handler.send_response(200)
            handler.send_header('Content-Length', '100000')
            handler.end_headers()
            while not let_go.wait(0.05):
                handler.wfile.write(b' ')
        self.server.answer = drip

    def test_a_server_that_is_slow_is_left(self):
        self.drip()
        moat = self.start('timeout = "300ms"')
        self.assert_unavailable(moat, self.first.token())

    def test_a_server_that_is_slow_does_not_hold_up_the_end(self):
        self.drip()
        moat = self.start('timeout = "30s"\n[server.timeouts]\ndrain = "500ms"')

        def ask():
            try:
                self.get(moat, self.first.token())
            except (OSError, http.client.HTTPException):
                pass  # it is cut
        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        harness.wait_until(lambda: self.server.paths, 10, 'the question for the keys')
        began = time.monotonic()
        self.assertEqual(moat.stop(), 0, moat.output)
        self.assertLess(time.monotonic() - began, 10, 'of thirty')

    def test_a_server_that_is_somebody_else_is_not_asked(self):
        folder = tempfile.mkdtemp(prefix='moat-issuer-')
        self.addCleanup(shutil.rmtree, folder)
        stranger = KeyServer(folder)
        self.addCleanup(stranger.stop)
        stranger.publish(self.first)
        stranger.ca_file = self.server.ca_file
        moat = self.start(server=stranger)
        self.assert_unavailable(moat, self.first.token())
        self.assertEqual(stranger.fetches, 0)
        harness.wait_until(lambda: 'unknown authority' in moat.output, what='a line about it')

    def test_a_reload_keeps_the_keys(self):
        moat = self.start()
        self.assert_passes(moat, self.first.token())
        config = moat.data / 'moat.toml'
        config.write_text(config.read_text() + '\n# changed\n')
        moat.process.send_signal(1)
        harness.wait_until(lambda: 'config_reloaded' in moat.output, what='the reload')
        self.assert_passes(moat, self.first.token())
        self.assertEqual(self.server.fetches, 1)


if __name__ == '__main__':
    harness.main()
