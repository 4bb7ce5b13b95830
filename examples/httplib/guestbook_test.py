# SPDX-License-Identifier: Apache-2.0
"""The guest book on cpp-httplib: the shield stands in front of its routes, over real TLS."""
import os
import pathlib
import re
import sys
import tempfile
import unittest

import harness

PASSWORD = 'a pale green tortoise 42'


class Guestbook(harness.Moat):
    """The program, with the clients of the gateway's tests."""

    def __init__(self, *options):
        self._own_data, self.domain, self.trusted = True, 'localhost', None
        self.data = pathlib.Path(tempfile.mkdtemp(prefix='moat-httplib-'))
        harness.Program.__init__(
            self, [os.environ['GUESTBOOK'], '--port', '0', '--data', self.data / 'data', *options])

        def listening():
            if not self.running():
                raise AssertionError(f'guestbook ended with {self.process.returncode}:\n{self.output}')
            return next((x for x in self.lines if 'listening on' in x), None)
        self.https_port = int(harness.wait_until(listening, 30, 'the guest book').rsplit(':', 1)[1])


class Case(unittest.TestCase):
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.app = Guestbook(*cls.options)
        cls.addClassCleanup(cls._end)

    @classmethod
    def _end(cls):
        code = cls.app.stop()
        if code != 0:
            raise AssertionError(f'guestbook ended with {code}:\n{cls.app.output[-6000:]}')

    def signed_up(self, email):
        client = self.app.client()
        answer = client.post('/auth/signup', json={'email': email, 'password': PASSWORD})
        self.assertEqual(answer.status, 201, answer)
        return client

    def check_secure(self, answer):
        self.assertEqual(answer.all('x-content-type-options'), ['nosniff'], answer)
        self.assertEqual(len(answer.all('referrer-policy')), 1, answer)
        self.assertEqual(len(answer.all('x-frame-options')), 1, answer)
        self.assertEqual(answer.all('strict-transport-security'), [], 'never for localhost')
        self.assertIsNone(answer.header('server'))


class Accounts(Case):
    def test_from_sign_up_to_logout(self):
        client = self.signed_up('ada@example.com')
        self.assertIn('__Host-Http-at', client.cookies)
        self.assertEqual(client.get('/auth/me').json()['email'], 'ada@example.com')
        self.assertEqual(client.get('/entries').status, 200)
        answer = client.post('/entries', json={'text': 'hello'})
        self.assertEqual(answer.status, 201, answer)
        self.assertIn({'by': 'ada@example.com', 'text': 'hello'}, client.get('/entries').json())
        self.assertEqual(client.post('/auth/logout', json={}).status, 204)
        self.assertEqual(client.get('/entries').status, 401)

    def test_login(self):
        self.signed_up('tom@example.com')
        client = self.app.client()
        wrong = client.post('/auth/login', json={'email': 'tom@example.com', 'password': 'not it at all'})
        self.assertEqual((wrong.status, client.cookies), (401, {}), wrong)
        right = client.post('/auth/login', json={'email': 'tom@example.com', 'password': PASSWORD})
        self.assertEqual(right.status, 200, right)
        cookies = [line for line in right.all('set-cookie') if line.startswith('__Host-Http-')]
        self.assertGreaterEqual(len(cookies), 2)
        for line in cookies:
            for attribute in ('Secure', 'HttpOnly', 'SameSite=Lax', 'Path=/'):
                self.assertIn(attribute, line)

    def test_routes_ask_for_a_login_and_a_role(self):
        anonymous = self.app.client()
        self.assertEqual(anonymous.get('/').status, 200)
        refused = anonymous.get('/entries')
        self.assertEqual((refused.status, refused.json()['code']), (401, 'login_required'))
        self.assertEqual(anonymous.get('/no/such/page').status, 401)
        person = anonymous.get('/entries', headers={'Sec-Fetch-Mode': 'navigate', 'Accept': 'text/html'})
        self.assertEqual((person.status, person.header('location')), (303, '/auth/login?next=%2Fentries'))
        user = self.signed_up('eve@example.com')
        self.assertEqual(user.get('/no/such/page').status, 404)
        refused = user.get('/admin/entries/count')
        self.assertEqual((refused.status, refused.json()['code']), (403, 'role_required'))

    def test_weak_password_and_bad_address(self):
        client = self.app.client()
        weak = client.post('/auth/signup', json={'email': 'x@example.com', 'password': 'password123'})
        self.assertEqual(weak.status, 422, weak)
        bad = client.post('/auth/signup', json={'email': 'x@', 'password': PASSWORD})
        self.assertIn(bad.status, (400, 422), bad)


class Forgeries(Case):
    def test_foreign_pages_are_refused(self):
        client = self.signed_up('ada@example.com')
        for headers in ({'Origin': 'https://evil.example', 'Sec-Fetch-Site': 'cross-site'},
                        {'Origin': 'https://evil.example'}, {'Origin': 'null'}, {}):
            answer = self.app.request('POST', '/entries', json={'text': 'forged'}, headers=headers,
                                      cookies=client.cookies)
            self.assertEqual((answer.status, answer.json()['code']), (403, 'csrf'), headers)
            self.check_secure(answer)
        self.assertNotIn('forged', [entry['text'] for entry in client.get('/entries').json()])

    def test_foreign_host_is_misdirected(self):
        answer = self.app.request('GET', '/', headers={'Host': 'evil.example'})
        self.assertEqual(answer.status, 421, answer)

    def test_cookies_of_handlers_are_hardened(self):
        client = self.signed_up('tom@example.com')
        line = next(x for x in client.post('/entries', json={'text': 'x'}).all('set-cookie') if 'last_entry' in x)
        for attribute in ('Secure', 'HttpOnly', 'SameSite=Lax'):
            self.assertIn(attribute, line)


class Headers(Case):
    def test_on_every_answer(self):
        client = self.signed_up('ada@example.com')
        for answer in (client.get('/'), client.get('/entries'), client.get('/missing'),
                       self.app.client().get('/entries'), client.get('/auth/me'),
                       client.post('/entries', json={'text': 1}),
                       client.get('/' + 'x' * 9000),
                       client.request('HEAD', '/')):
            self.check_secure(answer)
        # One that is too large, told by its head alone: a client still sending would meet the closed door.
        large = self.app.raw(b'POST /entries HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n\r\n', timeout=5)
        self.assertRegex(large, rb'^HTTP/1\.1 413 ')
        for line in (rb'x-content-type-options: nosniff\r', rb'referrer-policy: ', rb'x-frame-options: '):
            self.assertEqual(len(re.findall(rb'\n(?i:' + line + rb')', large)), 1, large)
        self.assertNotRegex(large, rb'\n(?i:server|strict-transport-security): ')
        self.assertIn("default-src 'self'", client.get('/').header('content-security-policy'))
        self.assertEqual(client.get('/entries').header('cache-control'), 'no-store')


class Canonical(Case):
    """What could be read in two ways is refused, and nothing of it is taken for another request."""

    options = ('--limit', '600/min/ip burst 300')

    def refused(self, head, body=b'', status=None):
        smuggled = b'GET /auth/me HTTP/1.1\r\nHost: localhost\r\n\r\n'
        received = self.app.raw(head.encode('latin-1') + b'\r\n' + (body or smuggled), timeout=5)
        self.assertRegex(received, rb'^HTTP/1\.1 4\d\d ', head)
        self.assertEqual(received.count(b'HTTP/1.1 '), 1, received)
        if status:
            self.assertEqual(int(received[9:12]), status, received)

    def test_framing(self):
        post = 'POST /entries HTTP/1.1\r\nHost: localhost\r\n'
        self.refused(post + 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', status=400)
        self.refused(post + 'Content-Length: 5\r\nContent-Length: 6\r\n', status=400)
        self.refused(post + 'Content-Length: 5x\r\n', status=400)
        self.refused(post + 'Content-Length: +5\r\n', status=400)
        self.refused(post + 'Transfer-Encoding: chunked\r\n', status=411)
        self.refused(post + 'Transfer-Encoding: xchunked\r\n')
        self.refused(post + 'Content_Length: 5\r\n')
        self.refused(post + 'Content-Length: 99999999\r\n', status=413)
        self.refused('GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 43\r\n', status=400)

    def test_host_and_path(self):
        for head in ('GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n', 'GET / HTTP/1.1\r\n',
                     'GET /a/../entries HTTP/1.1\r\nHost: localhost\r\n',
                     'GET /a%2fb HTTP/1.1\r\nHost: localhost\r\n',
                     'GET /%00 HTTP/1.1\r\nHost: localhost\r\n',
                     'GET / HTTP/1.1\r\nHost: localhost\r\nX: %0d%0aY: z\r\n',
                     'GET / HTTP/1.1\r\nHost: localhost\r\nX : y\r\n',
                     'GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: a\r\nOrigin: b\r\n'):
            self.refused(head + 'Connection: close\r\n', b' ')

    def test_a_refused_body_is_not_the_next_request(self):
        body = b'GET /auth/me HTTP/1.1\r\nHost: localhost\r\n\r\n'
        head = f'POST /entries HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n'.encode()
        last = b'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
        with self.app.connect() as peer:
            peer.sendall(head + body)
            first = b''
            while b'login_required' not in first:
                first += peer.recv(65536)
            peer.sendall(last)
            rest = b''
            while chunk := peer.recv(65536):
                rest += chunk
        self.assertRegex(first, rb'^HTTP/1\.1 401 ')
        self.assertRegex(rest, rb'^[^"]*HTTP/1\.1 200 ')
        self.assertEqual((first + rest).count(b'HTTP/1.1 '), 2, first + rest)

    def test_no_length_means_no_body(self):
        client = self.signed_up('ada@example.com')
        cookie = '; '.join(f'{k}={v}' for k, v in client.cookies.items())
        received = self.app.raw(
            f'DELETE /entries HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nSec-Fetch-Site: same-origin\r\n'
            'Connection: close\r\n\r\n'.encode(), timeout=5)
        self.assertRegex(received, rb'^HTTP/1\.1 404 ')

    def test_internal_path(self):
        client = self.signed_up('tom@example.com')
        self.assertEqual(client.post('/.refused', json={}).status, 404)


class Limits(Case):
    options = ('--limit', '20/min/ip')

    def test_too_many_requests(self):
        client = self.app.client()
        answers = [client.get('/') for _ in range(25)]
        self.assertEqual([a.status for a in answers[:20]], 20 * [200])
        last = answers[-1]
        self.assertEqual((last.status, last.json()['code']), (429, 'rate_limited'))
        self.assertGreater(int(last.header('retry-after')), 0)
        self.assertIn('r=0', last.header('ratelimit'))
        self.check_secure(last)


if __name__ == '__main__':
    if not os.path.exists(os.environ.get('GUESTBOOK', '')):
        print('skipped: GUESTBOOK names no program')
        sys.exit(harness.SKIPPED)
    unittest.main(verbosity=2)
