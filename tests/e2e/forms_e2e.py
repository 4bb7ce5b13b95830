# SPDX-License-Identifier: Apache-2.0
"""Form tokens of a backend that knows nothing of them: put into its pages on the way, and demanded of its forms."""
import gzip
import http.server
import re
import socket
import threading
import time
import unittest

import harness
from accounts_e2e import ACCESS, PASSWORD, PRE_LOGIN, WIDE
from csrf_e2e import Csrf, EVIL
from harness import header_of

FIELD = re.compile(r'<input type=hidden name=_csrf value=([\w-]{70}) >')
PAGE = ('<!doctype html><title>Pay</title><!-- <form method=post> --><script>"<form method=post>"</script>'
        '<form action="/search"><input name=q></form>'
        '<form method="post" action="/pay">@<input name="amount"></form>'
        '<form method=post action=https://elsewhere.example/pay><input name=amount></form>')
BARE = PAGE.replace('@', '')


class Pages:
    """A backend that answers a path with what `pages` holds for it: (status, headers, body), the body whole, in
    pieces (a list, chunked) or up to the end of the connection (a tuple)."""

    def __init__(self):
        self.pages, self.requests = {}, []
        pages = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def answer(self):
                length = self.headers.get('Content-Length')
                body = self.rfile.read(int(length)) if length else b''
                while self.headers.get('Transfer-Encoding') == 'chunked':
                    size = int(self.rfile.readline(), 16)
                    body += self.rfile.read(size)
                    self.rfile.readline()
                    if size == 0:
                        break
                pages.requests.append({'method': self.command, 'path': self.path, 'body': body,
                                       'headers': [[k.lower(), v] for k, v in self.headers.items()]})
                default = (200, {'Content-Type': 'text/html; charset=utf-8'}, BARE.encode())
                status, headers, body = pages.pages.get(self.path.split('?')[0], default)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if isinstance(body, list):
                    self.send_header('Transfer-Encoding', 'chunked')
                elif isinstance(body, tuple):
                    self.close_connection = True
                elif status not in (204, 304):
                    self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                if self.command == 'HEAD' or status in (204, 304):
                    return
                for piece in [body] if isinstance(body, bytes) else body:
                    if callable(piece):
                        piece()
                        continue
                    self.wfile.write(b'%x\r\n%s\r\n' % (len(piece), piece) if isinstance(body, list) else piece)
                    self.wfile.flush()
                if isinstance(body, list):
                    self.wfile.write(b'0\r\n\r\n')

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *arguments):
                pass

        self._server = harness.EchoServer((harness.HOST, 0), Handler)
        self._server.daemon_threads = True
        self.url = f'http://{harness.HOST}:{self._server.server_address[1]}'
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def seen(self, path):
        return [r for r in self.requests if r['path'].split('?')[0] == path]


class Forms(Csrf):
    backend_class = Pages
    config = '''
[[route]]
match = "/plain/*"
[[route]]
match = "/header/*"
csrf = "token"
max_body = "4MiB"
[[route]]
match = "/members/*"
csrf = "token"
csrf_forms = "inject"
login = "required"
[[route]]
match = "/*"
csrf = "token"
csrf_forms = "inject"
max_body = "4MiB"
'''

    def serve(self, path, body, headers=None, status=200):
        self.backend.pages[path] = (status, {'Content-Type': 'text/html; charset=utf-8', **(headers or {})}, body)

    def token_of(self, client, path='/page'):
        answer = client.get(path)
        self.assertEqual(answer.status, 200, answer)
        return FIELD.findall(answer.text)[0]

    def assert_injected(self, answer):
        found = FIELD.findall(answer.text)
        self.assertEqual(len(found), 1, answer.text[:500])
        self.assertEqual(answer.text, PAGE.replace('@', f'<input type=hidden name=_csrf value={found[0]} >'))
        return found[0]


class Injection(Forms):
    def test_each_form_that_posts_home_gets_a_token_of_its_own(self):
        client, _, _ = self.member()
        first, second = client.get('/page'), client.get('/page')
        self.assertNotEqual(self.assert_injected(first), self.assert_injected(second), 'BREACH')
        self.assertIsNone(first.header('content-length'))
        self.assertEqual(first.header('transfer-encoding'), 'chunked')
        self.assertEqual(first.all('set-cookie'), [], 'it is bound to the session')
        self.assertEqual(first.all('cache-control'), ['private, no-store'])

    def test_however_the_backend_sends_it(self):
        client, _, _ = self.member()
        data = BARE.encode()
        for name, body in (('whole', data), ('two', [data[:150], data[150:]]), ('bytes', [bytes([b]) for b in data]),
                           ('until close', (data,)), ('late', [data[:160], lambda: time.sleep(0.05), data[160:]])):
            with self.subTest(name):
                self.serve('/sent', body)
                self.assert_injected(client.get('/sent'))

    def test_it_streams(self):
        client, _, _ = self.member()
        go_on = threading.Event()
        self.serve('/stream', [b'<form method=post>', lambda: go_on.wait(10), b'</form>'])
        cookies = '; '.join(f'{k}={v}' for k, v in client.cookies.items())
        stream = self.moat.connect()
        try:
            stream.sendall(f'GET /stream HTTP/1.1\r\nHost: localhost:{self.moat.https_port}\r\nCookie: {cookies}\r\n'
                           'Connection: close\r\n\r\n'.encode())
            got = b''
            while b' >' not in got.partition(b'\r\n\r\n')[2]:
                piece = stream.recv(4096)
                self.assertTrue(piece, got)
                got += piece
            self.assertFalse(go_on.is_set(), 'the token is here before the page is over')
            go_on.set()
            while piece := stream.recv(4096):
                got += piece
            self.assertTrue(got.endswith(b'0\r\n\r\n'), got)
        finally:
            go_on.set()
            stream.close()

    def test_an_old_client_gets_it_without_chunks(self):
        client, _, _ = self.member()
        cookies = '; '.join(f'{k}={v}' for k, v in client.cookies.items())
        got = self.moat.raw(f'GET /page HTTP/1.0\r\nHost: localhost:{self.moat.https_port}\r\nCookie: {cookies}\r\n\r\n'.encode())
        head, _, body = got.partition(b'\r\n\r\n')
        self.assertNotIn(b'content-length', head.lower())
        self.assertNotIn(b'transfer-encoding', head.lower())
        self.assertEqual(len(FIELD.findall(body.decode())), 1)

    def test_no_cache_may_keep_it(self):
        client, _, _ = self.member()
        self.serve('/cached', BARE.encode(), {
            'Cache-Control': 'public, max-age=600', 'ETag': '"1"', 'Last-Modified': 'Mon, 01 Jan 2024 00:00:00 GMT',
            'Expires': 'Mon, 01 Jan 2100 00:00:00 GMT', 'CDN-Cache-Control': 'max-age=600', 'X-Kept': 'yes',
            'Cloudflare-CDN-Cache-Control': 'max-age=600', 'Surrogate-Control': 'max-age=600', 'Accept-Ranges': 'bytes',
            'Content-Digest': 'sha-256=:AAAA:', 'Content-MD5': 'AAAA', 'Pragma': 'public', 'Age': '3'})
        answer = client.get('/cached')
        self.assert_injected(answer)
        self.assertEqual(answer.all('cache-control'), ['private, no-store'])
        for name in ('etag', 'last-modified', 'expires', 'cdn-cache-control', 'cloudflare-cdn-cache-control',
                     'surrogate-control', 'accept-ranges', 'content-digest', 'content-md5', 'pragma', 'age'):
            self.assertEqual(answer.all(name), [], name)
        self.assertEqual(answer.header('x-kept'), 'yes')

    def test_a_page_from_before_the_tokens_is_not_confirmed(self):
        client, _, _ = self.member()
        had = {'If-None-Match': '"1"', 'If-Modified-Since': 'Mon, 01 Jan 2024 00:00:00 GMT'}
        for path, headers, passed in (('/old', {'Accept': 'text/html'}, False), ('/old', {'Sec-Fetch-Mode': 'navigate'}, False),
                                      ('/old', {'Accept': 'image/png'}, True), ('/plain/old', {'Accept': 'text/html'}, True)):
            with self.subTest(path=path, headers=headers):
                client.get(path, headers={**had, **headers})
                seen = dict(self.backend.seen(path)[-1]['headers'])
                self.assertEqual([name.lower() in seen for name in had], [passed, passed])

    def test_what_is_no_page_passes_as_it_is(self):
        client, _, _ = self.member()
        kept = {'ETag': '"1"', 'Cache-Control': 'max-age=600'}
        data = BARE.encode()
        for name, headers, status in (
                ('json', {'Content-Type': 'application/json'}, 200), ('script', {'Content-Type': 'text/javascript'}, 200),
                ('xhtml', {'Content-Type': 'application/xhtml+xml'}, 200), ('plain', {'Content-Type': 'text/plain'}, 200),
                ('utf-16', {'Content-Type': 'text/html; charset=utf-16'}, 200), ('br', {'Content-Encoding': 'br'}, 200),
                ('part', {'Content-Range': f'bytes 0-{len(data) - 1}/{len(data)}'}, 206)):
            with self.subTest(name):
                self.serve('/as-it-is', data, {**kept, **headers}, status)
                answer = client.get('/as-it-is')
                self.assertEqual((answer.status, answer.body), (status, data))
                self.assertEqual((answer.header('etag'), answer.header('cache-control')), ('"1"', 'max-age=600'))
                self.assertEqual(answer.header('content-length'), str(len(data)))
        self.serve('/as-it-is', data, {**kept, 'Content-Encoding': 'identity'})
        self.assert_injected(client.get('/as-it-is'))

    def test_an_answer_without_a_body_stays(self):
        client, _, _ = self.member()
        self.serve('/no-body', BARE.encode(), {'ETag': '"1"'})
        head = client.request('HEAD', '/no-body')
        self.assertEqual((head.status, head.header('etag'), head.header('content-length')), (200, '"1"', str(len(BARE))))
        for status in (204, 304):
            self.serve('/no-body', b'', {'ETag': '"1"'}, status)
            answer = client.get('/no-body')
            self.assertEqual((answer.status, answer.header('etag'), answer.body), (status, '"1"', b''))
        self.serve('/no-body', b'')
        self.assertEqual(client.get('/no-body').body, b'')

    def test_the_backend_is_asked_for_what_can_be_read(self):
        client, _, _ = self.member()
        for path, wanted in (('/asked', ['identity']), ('/plain/asked', ['gzip, br'])):
            client.get(path, headers={'Accept-Encoding': 'gzip, br'})
            self.assertEqual(header_of(self.backend.seen(path)[-1], 'accept-encoding'), wanted)
        self.serve('/zipped', gzip.compress(BARE.encode()), {'Content-Encoding': 'gzip'})
        self.assertEqual(gzip.decompress(client.get('/zipped').body).decode(), BARE)

    def test_other_routes_are_left_alone(self):
        client, _, _ = self.member()
        answer = client.get('/plain/page')
        self.assertEqual((answer.text, answer.header('content-length')), (BARE, str(len(BARE))))

    def test_before_a_login_a_cookie_binds_it(self):
        client = self.moat.client()
        answer = client.get('/page')
        token = self.assert_injected(answer)
        self.assertEqual([c.split('=')[0] for c in answer.all('set-cookie')], [PRE_LOGIN])
        self.assertIn('HttpOnly', answer.all('set-cookie')[0])
        pre = client.cookies[PRE_LOGIN]
        self.assertEqual(client.post('/pay', form={'_csrf': token, 'amount': '1'}).status, 200)
        client.get('/page')
        self.assertEqual(client.cookies[PRE_LOGIN], pre, 'every tab works')
        self.assert_problem(client.post('/pay', form={'_csrf': token[:-1] + ('A' if token[-1] != 'A' else 'Q')}), 403, 'csrf')

    def test_errors_are_pages_too(self):
        client, _, _ = self.member()
        self.serve('/error', BARE.encode(), status=422)
        answer = client.get('/error')
        self.assertEqual(answer.status, 422)
        self.assert_injected(answer)

    def test_a_large_page_arrives_whole(self):
        client, _, _ = self.member()
        one = '<p>' + 'x' * 1000 + '<form method=post action=/a>@</form>\n'
        self.serve('/large', (one.replace('@', '') * 3000).encode())
        answer = client.get('/large')
        token = FIELD.findall(answer.text)
        self.assertEqual((len(token), len(set(token))), (3000, 1))
        self.assertEqual(FIELD.sub('', answer.text), one.replace('@', '') * 3000)


class Demanded(Forms):
    def setUp(self):
        self.client, _, _ = self.member()
        self.token = self.token_of(self.client)
        self.backend.requests.clear()

    def pay(self, path='/pay', **keywords):
        return self.client.post(path, **keywords)

    def reached(self, path='/pay'):
        return [r['body'] for r in self.backend.seen(path)]

    def test_a_form_brings_it_and_arrives_as_it_was(self):
        fields = {'_csrf': self.token, 'amount': '1', 'to': 'a&b=ä'}
        self.assertEqual(self.pay(form=fields).status, 200)
        [said] = self.backend.seen('/pay')
        self.assertTrue(said['body'].startswith(b'_csrf=' + self.token.encode()), said)
        self.assertEqual(header_of(said, 'content-length'), [str(len(said['body']))])
        self.assertIn('x-moat-user', dict(map(tuple, said['headers'])))

    def test_without_it_the_backend_sees_nothing(self):
        other, _, _ = self.member()
        stolen = self.token_of(other)
        self.backend.requests.clear()
        for name, fields in (('none', {'amount': '1'}), ('empty', {'_csrf': ''}), ('nonsense', {'_csrf': 'x' * 70}),
                             ("another's", {'_csrf': stolen}), ('in the query of the body', {'a': f'_csrf={self.token}'})):
            with self.subTest(name):
                self.assert_problem(self.pay(form=fields), 403, 'csrf')
        self.assert_problem(self.pay(f'/pay?_csrf={self.token}', form={'amount': '1'}), 403, 'csrf')
        self.assertEqual(self.reached(), [])
        reasons = {line['reason'] for line in harness.wait_until(lambda: self.lines('refused', target='/pay'))}
        self.assertTrue(any('brings no token' in reason for reason in reasons), reasons)

    def test_by_parts(self):
        boundary = '----WebKitFormBoundary7MA4YWxk'
        part = lambda name, value: f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        typed = {'Content-Type': f'multipart/form-data; boundary={boundary}'}
        picture = part('picture"; filename="x.png', 'P' * 300_000)
        good = (part('_csrf', self.token) + picture + f'--{boundary}--\r\n').encode()
        self.assertEqual(self.pay(headers=typed, body=good).status, 200)
        self.assertEqual(self.reached(), [good], 'all of it, as it came')
        late = (picture + part('_csrf', self.token) + f'--{boundary}--\r\n').encode()
        self.assert_problem(self.pay(headers=typed, body=late), 403, 'csrf')
        self.assertEqual(len(self.reached()), 1, 'only the beginning is looked at')
        self.assertEqual(self.pay(headers={**typed, 'X-CSRF-Token': self.token}, body=late).status, 200)

    def test_in_a_header_under_each_name(self):
        for name in ('X-CSRF-Token', 'CSRF-Token', 'X-XSRF-Token', 'XSRF-Token'):
            with self.subTest(name):
                for kind in ('text/plain', 'application/x-www-form-urlencoded', None):
                    typed = {'Content-Type': kind} if kind else {}
                    sent = self.pay('/header/a', headers={**typed, name: self.token}, body=b'a=1')
                    self.assertEqual(sent.status, 200, sent)
                    self.assert_problem(self.pay('/header/a', headers={**typed, name: 'x'}, body=b'a=1'), 403, 'csrf')

    def test_json_needs_none_and_its_look_alikes_do(self):
        self.assertEqual(self.pay(json={'a': 1}).status, 200)
        for kind in ('text/plain', 'text/plain; charset=application/json', '', 'nonsense', None):
            with self.subTest(kind):
                typed = {'Content-Type': kind} if kind is not None else {}
                self.assert_problem(self.pay(headers=typed, body=b'{"a":1}'), 403, 'csrf')

    def test_the_page_that_scripts_ask_gives_one_too(self):
        token = self.client.get('/auth/csrf').json()['token']
        self.assertEqual(self.pay(form={'_csrf': token}).status, 200)

    def test_from_another_site_it_does_not_help(self):
        answer = self.moat.request('POST', '/pay', form={'_csrf': self.token}, headers=EVIL, cookies=self.client.cookies)
        self.assert_problem(answer, 403, 'csrf')
        self.assertEqual(self.reached(), [])

    def test_a_bearer_token_needs_none_and_goes_without_cookies(self):
        answer = self.pay(form={'a': '1'}, headers={'Authorization': 'Bearer of-the-backend'})
        self.assertEqual(answer.status, 200)
        [said] = self.backend.seen('/pay')
        self.assertEqual(header_of(said, 'cookie') + header_of(said, 'x-moat-user'), [])
        plain = self.moat.request('POST', '/pay', form={'a': '1'}, headers={'Authorization': 'Bearer x'})
        self.assertEqual(plain.status, 200, 'an API client has no cookies at all')
        self.assert_problem(self.moat.request('POST', '/pay', form={'a': '1'}), 403, 'csrf')
        refused = self.client.post('/members/a', form={'a': '1'}, headers={'Authorization': 'Bearer x'})
        self.assert_problem(refused, 401, 'login_required')

    def test_a_logout_ends_it(self):
        self.assertEqual(self.client.post('/auth/logout').status, 204)
        self.assert_problem(self.pay(form={'_csrf': self.token}), 403, 'csrf')

    def send(self, pieces, framing, path='/pay', pause=0.01):
        """Sends a body in pieces of its own; the whole answer."""
        cookies = '; '.join(f'{k}={v}' for k, v in self.client.cookies.items())
        stream = self.moat.connect()
        try:
            stream.sendall(f'POST {path} HTTP/1.1\r\nHost: localhost:{self.moat.https_port}\r\nCookie: {cookies}\r\n'
                           f'Origin: {self.moat.origin}\r\nContent-Type: application/x-www-form-urlencoded\r\n'
                           f'Connection: close\r\n{framing}\r\n\r\n'.encode())
            got = b''
            for piece in pieces:
                if callable(piece):
                    got += piece(stream)
                    continue
                stream.sendall(piece)
                time.sleep(pause)
            while piece := stream.recv(65536):
                got += piece
            return got
        except ConnectionError:
            return got
        finally:
            stream.close()

    def test_however_the_body_is_cut(self):
        body = b'_csrf=' + self.token.encode() + b'&amount=1'
        for name, pieces, framing in (
                ('by length', [body[:40], body[40:]], f'Content-Length: {len(body)}'),
                ('by bytes', [bytes([b]) for b in body], f'Content-Length: {len(body)}'),
                ('chunked', [b'%x\r\n%s\r\n' % (len(p), p) for p in (body[:3], body[3:50], body[50:])] + [b'0\r\n\r\n'],
                 'Transfer-Encoding: chunked')):
            with self.subTest(name):
                self.backend.requests.clear()
                self.assertIn(b' 200 ', self.send(pieces, framing, pause=0.001).split(b'\r\n')[0])
                self.assertEqual(self.reached(), [body])

    def test_a_long_body_goes_on_as_it_comes(self):
        field = b'_csrf=' + self.token.encode() + b'&text='
        for size in (20_000, 40_000, 3_000_000):
            body = field + b'y' * size
            for framing, pieces in ((f'Content-Length: {len(body)}', [body]),
                                    ('Transfer-Encoding: chunked',
                                     [b'%x\r\n%s\r\n' % (len(body[i:i + 9000]), body[i:i + 9000])
                                      for i in range(0, len(body), 9000)] + [b'0\r\n\r\n'])):
                with self.subTest(size=size, framing=framing):
                    self.backend.requests.clear()
                    self.assertIn(b' 200 ', self.send(pieces, framing, pause=0).split(b'\r\n')[0])
                    self.assertEqual([len(b) for b in self.reached()], [len(body)])
                    self.assertEqual(self.reached()[0], body)

    def test_who_waits_for_100_gets_one(self):
        body = b'_csrf=' + self.token.encode()
        hundreds = []

        def wait(stream):
            got = stream.recv(4096)
            hundreds.append(got)
            return b''
        got = self.send([wait, body], f'Expect: 100-continue\r\nContent-Length: {len(body)}')
        self.assertEqual(hundreds, [b'HTTP/1.1 100 Continue\r\n\r\n'])
        self.assertIn(b' 200 ', got.split(b'\r\n')[0])
        self.assertEqual(self.reached(), [body])

    def test_what_is_broken_is_refused(self):
        got = self.send([b'xyz\r\n'], 'Transfer-Encoding: chunked')
        self.assertIn(b' 400 ', got.split(b'\r\n')[0])
        self.assertEqual(self.reached(), [])

    def test_over_http2(self):
        self.assertEqual(http2(self, self.client, self.token), 200)


def http2(case, client, token):
    """A page and its form over HTTP/2, as curl does it, if there is one that can."""
    import shutil
    import subprocess
    if not shutil.which('curl'):
        case.skipTest('there is no curl')
    version = subprocess.run(['curl', '--version'], capture_output=True, text=True, check=True).stdout
    if 'HTTP2' not in version:
        case.skipTest('this curl speaks no HTTP/2')
    cookies = '; '.join(f'{k}={v}' for k, v in client.cookies.items())
    common = ['curl', '-sS', '--http2', '--cacert', str(case.moat.ca_file()), '--resolve', f'localhost:{case.moat.https_port}:127.0.0.1',
              '-H', f'Cookie: {cookies}', '-H', f'Origin: {case.moat.origin}']
    page = subprocess.run([*common, '-i', f'{case.moat.origin}/page'], capture_output=True, text=True, check=True).stdout
    head, _, body = page.replace('\r\n', '\n').partition('\n\n')
    case.assertTrue(head.startswith('HTTP/2 200'), head)
    case.assertNotIn('content-length', head.lower())
    case.assertEqual(len(FIELD.findall(body)), 1)
    return int(subprocess.run([*common, '-o', '/dev/null', '-w', '%{http_code}', '-d', f'_csrf={token}', f'{case.moat.origin}/pay'],
                              capture_output=True, text=True, check=True).stdout)


if __name__ == '__main__':
    harness.main()
