# SPDX-License-Identifier: Apache-2.0
"""The security fields of whatever Moat answers, and what the MDN HTTP Observatory would say of them."""
import base64
import os
import subprocess

import harness
import observatory
from clients_e2e import self_signed, temporary

NAME = 'app.example.test'
PAGE = {'Accept': 'text/html,application/xhtml+xml', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document'}
PASSWORD = 'a quite long passphrase 29'
ROUTES = '''
[[route]]
match = "/enforced/*"
csp = "enforce"
[[route]]
match = "/limited"
limit = "1/day/ip"
[[route]]
match = "/private"
login = "required"
[[route]]
match = "/quiet"
websocket = false
[[route]]
match = "/*"
'''


class Plain(harness.Echo):
    """A backend that says nothing of security: pages, a session cookie, and what it is asked for."""

    def _handler(echo):
        class Handler(super()._handler()):
            def answer(self):
                self.rfile.read(int(self.headers.get('Content-Length') or 0))
                path = self.path.split('?')[0]
                last = path.rsplit('/', 1)[-1]
                status = int(last) if last.isdigit() else 200
                text = b'<!doctype html><title>x</title><script src="/app.js"></script><p>hello'
                self.send_response(status)
                self.send_header('X-Powered-By', 'a version')
                if status in (301, 302):
                    self.send_header('Location', '/')
                if status in (204, 304):
                    text = b''
                else:
                    kind = 'application/json' if path.startswith('/json') else 'text/html; charset=utf-8'
                    self.send_header('Content-Type', kind)
                    self.send_header('Content-Length', str(len(text)))
                self.send_header('Set-Cookie', 'sessionid=abc; Path=/')
                self.end_headers()
                if self.command != 'HEAD':
                    self.wfile.write(text)

            do_GET = do_HEAD = do_POST = do_OPTIONS = do_PUT = answer

        return Handler


class Named(harness.Case):
    """A gateway under a public name, with a certificate from files as in production."""
    backend_class = Plain
    config = ROUTES

    @classmethod
    def setUpClass(cls):
        cls.backend = cls.backend_class()
        cls.addClassCleanup(cls.backend.stop)
        cls.files = temporary(cls)
        chain, key = self_signed(cls.files, NAME)
        config = f'[tls]\ncertificate = "{chain}"\nkey = "{key}"\n' + cls.config
        cls.moat = harness.Moat(cls.backend.url, config, domain=NAME, trusted=chain,
                                env={'MOAT_LIMITS_DEFAULT': '1000000/min/ip burst 100000'})
        cls.addClassCleanup(cls._end)

    def http2(self, method, path, headers=None, body=None):
        """The same by HTTP/2, with curl."""
        words = ['curl', '-sS', '--http2', '--max-time', '30', '--path-as-is', '--cacert', str(self.moat.ca_file()),
                 '--resolve', f'{NAME}:{self.moat.https_port}:{harness.HOST}', '-D', '-', '-o', os.devnull,
                 '-X', method]
        if method == 'HEAD':
            words.append('-I')
        for name, value in {'Accept': '*/*', **(headers or {})}.items():
            words += ['-H', f'{name}: {value}']
        if body is not None:
            words += ['--data-binary', '@-']
        done = subprocess.run([*words, self.moat.origin + path], input=body, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.decode('latin-1').split('\r\n')
        self.assertTrue(lines[0].startswith('HTTP/2 '), lines[0])
        fields = [(name, value.strip()) for name, _, value in (line.partition(':') for line in lines[1:] if line)]
        return harness.Answer(int(lines[0].split(' ')[1]), fields, b'')


UPGRADE = {'Connection': 'Upgrade', 'Upgrade': 'websocket', 'Sec-WebSocket-Version': '13',
           'Sec-WebSocket-Key': base64.b64encode(b'0123456789abcdef').decode()}
OWN = 'of Moat'
HTML = 'a page of the backend'
OTHER = 'of the backend'
# name: status, whose it is, method, path, headers, body; None as the body: none.
ANSWERS = {
    'a page': (200, HTML, 'GET', '/', {}, None),
    'HEAD of a page': (200, HTML, 'HEAD', '/', {}, None),
    'a page under a policy': (200, HTML, 'GET', '/enforced/', {}, None),
    'a page of an error': (500, HTML, 'GET', '/500', {}, None),
    'a page that is not there': (404, HTML, 'GET', '/404', PAGE, None),
    'a redirect of the backend': (302, HTML, 'GET', '/302', {}, None),
    'JSON': (200, OTHER, 'GET', '/json', {}, None),
    'JSON of an error': (422, OTHER, 'POST', '/json/422', {}, b''),
    'no content': (204, OTHER, 'GET', '/204', {}, None),
    'not modified': (304, OTHER, 'GET', '/304', {'If-None-Match': '"x"'}, None),
    'the login page': (200, OWN, 'GET', '/auth/login', PAGE, None),
    'a style sheet': (200, OWN, 'GET', '/auth/moat.css', {}, None),
    'nobody is logged in': (401, OWN, 'GET', '/auth/me', {}, None),
    'an unknown page of ours': (404, OWN, 'GET', '/auth/nothing', PAGE, None),
    'a method that is not allowed': (405, OWN, 'PUT', '/auth/login', {}, b''),
    'public keys': (200, OWN, 'GET', '/.well-known/moat/jwks.json', {}, None),
    'a report': (204, OWN, 'POST', '/.well-known/moat/reports', {'Content-Type': 'application/reports+json'}, b'[]'),
    'a bad report': (400, OWN, 'POST', '/.well-known/moat/reports', {'Content-Type': 'application/csp-report'}, b'x'),
    'reports are not shown': (405, OWN, 'GET', '/.well-known/moat/reports', {}, None),
    'a login is asked for': (303, OWN, 'GET', '/private', PAGE, None),
    'a login is asked for of a program': (401, OWN, 'GET', '/private', {}, None),
    'a forged request': (403, OWN, 'POST', '/auth/login', {'Origin': 'https://evil.example'}, b''),
    'too large a body': (413, OWN, 'POST', '/', {}, b'x' * (1024 * 1024 + 1)),
    'too long a path': (414, OWN, 'GET', '/' + 'a' * 9000, {}, None),
    'too many requests': (429, OWN, 'GET', '/limited', {}, None),
    'too many requests, for a person': (429, OWN, 'GET', '/limited', PAGE, None),
    'a bad path': (400, OWN, 'GET', '/a/../b', {}, None),
    'an ambiguous path': (400, OWN, 'GET', '/a%2Fb', PAGE, None),
    'an unknown method': (501, OWN, 'BREW', '/', {}, None),
}
# What HTTP/2 has no words for.
ANSWERS_1 = {
    'an unknown host': (421, OWN, 'GET', '/', {'Host': 'evil.example'}, None),
    'a bad head': (400, OWN, 'GET', '/', {'Content-Length': 'x'}, None),
    'too large a head': (431, OWN, 'GET', '/', {'X-Long': 'a' * 17000}, None),
    'the server as a whole': (204, OWN, 'OPTIONS', '*', {}, None),
    'a WebSocket that is not wanted': (400, OWN, 'GET', '/quiet', UPGRADE, None),
    'a bad WebSocket': (400, OWN, 'GET', '/', {**UPGRADE, 'Sec-WebSocket-Version': '8'}, None),
    'a forged WebSocket': (403, OWN, 'GET', '/', {**UPGRADE, 'Origin': 'https://evil.example',
                                                  'Cookie': '__Host-Http-rt=x'}, None),
}
ONCE = {'x-content-type-options': ('nosniff',), 'x-xss-protection': ('0',),
        'x-frame-options': ('DENY', 'SAMEORIGIN'),
        'referrer-policy': ('no-referrer', 'same-origin', 'strict-origin-when-cross-origin'),
        'cross-origin-resource-policy': ('same-origin',)}
DOCUMENT = {'cross-origin-opener-policy': ('same-origin',),
            'permissions-policy': ('camera=(), microphone=(), geolocation=(), payment=()',)}


class EveryAnswer(Named):
    def check(self, answer, whose, tls=True):
        wanted = {**ONCE, **(DOCUMENT if whose in (OWN, HTML) else {})}
        for name, values in wanted.items():
            self.assertEqual(len(answer.all(name)), 1, name)
            self.assertIn(answer.header(name), values, name)
        self.assertEqual(answer.all('strict-transport-security'),
                         ['max-age=63072000; includeSubDomains'] if tls else [])
        for name in ('server', 'x-powered-by', 'via'):
            self.assertEqual(answer.all(name), [], name)
        policies = answer.all('content-security-policy'), answer.all('content-security-policy-report-only')
        if whose == OWN:
            self.assertEqual(len(policies[0]), 1, policies)
            self.assertTrue(policies[0][0].startswith("default-src 'none'"), policies)
            self.assertEqual(answer.header('cache-control'), 'no-store')
            self.assertEqual(answer.header('x-frame-options'), 'DENY')
            if answer.header('content-length') not in (None, '0'):
                self.assertRegex(answer.header('content-type') or '',
                                 r'^(text/(html|css|plain); charset=utf-8|application/(problem\+|jwk-set\+)?json)$')
        elif whose == HTML:
            self.assertEqual(len(policies[0] + policies[1]), 1, policies)

    def ask_all(self, table, ask):
        for name, (status, whose, method, path, headers, body) in table.items():
            with self.subTest(name):
                if status == 429:
                    ask(method, path, headers=headers, body=body)
                answer = ask(method, path, headers=headers, body=body)
                self.assertEqual(answer.status, status, answer)
                self.check(answer, whose)

    def test_over_http_1_1(self):
        self.ask_all({**ANSWERS, **ANSWERS_1}, self.moat.request)

    def test_over_http_2(self):
        self.ask_all(ANSWERS, self.http2)

    def test_on_port_80(self):
        for status, method, headers in ((308, 'GET', PAGE), (308, 'HEAD', PAGE), (403, 'GET', {}), (403, 'POST', {}),
                                        (403, 'GET', {'Host': 'evil.example', **PAGE}), (403, 'GET', UPGRADE)):
            with self.subTest(f'{status} {method}'):
                answer = self.moat.request(method, '/', tls=False, headers=headers)
                self.assertEqual(answer.status, status, answer)
                self.check(answer, OWN, tls=False)

    def test_while_the_backend_is_dead(self):
        backend = Plain()
        moat = harness.Moat(backend.url, domain='localhost')
        self.addCleanup(moat.stop)
        backend.stop()
        for headers in ({}, PAGE):
            answer = moat.request('GET', '/', headers=headers)
            self.assertEqual(answer.status, 502)
            self.check(answer, OWN, tls=False)  # localhost never has HSTS


class Observatory(Named):
    """https://developer.mozilla.org/en-US/observatory/docs/tests_and_scoring, by observatory.py."""

    def site(self, path, client=None):
        ask = client.get if client else lambda path, **more: self.moat.request('GET', path, **more)
        answer = ask(path, headers=PAGE)
        self.assertEqual(answer.status, 200, answer)
        route = [f'http://{NAME}{path}']
        plain = self.moat.request('GET', path, tls=False, headers=PAGE)
        while plain.status in (301, 302, 303, 307, 308) and len(route) < 5:
            route.append(plain.header('location'))
            if route[-1].startswith('https:'):
                break
            plain = self.moat.request('GET', path, tls=False, headers=PAGE)
        shared = ask(path, headers={**PAGE, 'Origin': observatory.Site.cors_origin})
        return observatory.Site(self.moat.origin + path, answer.headers, answer.text, route,
                                cors_headers=shared.headers)

    def assert_score(self, site, least):
        graded = observatory.grade(site)
        self.assertGreaterEqual(graded.score, least, graded)
        return graded

    def test_pages_of_moat(self):
        for path in ('/auth/login', '/auth/signup'):
            graded = self.assert_score(self.site(path), 130)
            self.assertEqual(graded.results['content-security-policy'],
                             'csp-implemented-with-no-unsafe-default-src-none')
            self.assertEqual(graded.results['cookies'], 'cookies-secure-with-httponly-sessions-and-samesite')

    def test_the_account_page(self):
        client = self.moat.client()
        given = {'email': 'a@example.com', 'password': PASSWORD}
        self.assertEqual(client.post('/auth/signup', json=given).status, 201)
        self.assert_score(self.site('/auth/account', client), 130)

    def test_a_backend_behind_an_enforced_policy(self):
        site = self.site('/enforced/')
        self.assertTrue(any('sessionid' in value for value in site.all('set-cookie')))
        graded = self.assert_score(site, 125)
        self.assertEqual(graded.results['cookies'], 'cookies-secure-with-httponly-sessions-and-samesite')

    def test_a_policy_that_is_only_reported_counts_for_nothing(self):
        graded = observatory.grade(self.site('/'))
        self.assertEqual(graded.results['content-security-policy'], 'csp-not-implemented-but-reporting-enabled')
        self.assertEqual(graded.score, 75)

    def test_the_backend_alone_would_fail(self):
        answer = harness.Moat.request(self.moat, 'GET', '/', tls=False, port=self.backend._server.server_address[1])
        site = observatory.Site(f'https://{NAME}/', answer.headers, answer.text, [f'http://{NAME}/'])
        graded = observatory.grade(site)
        self.assertEqual((graded.score, graded.letter), (0, 'F'), graded)


class ObservatorySelfTest(observatory.SelfTest):
    """Headers whose score is known."""


if __name__ == '__main__':
    harness.main()
