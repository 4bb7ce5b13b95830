# SPDX-License-Identifier: Apache-2.0
"""Any backend will do: an Express application from npm, unmodified, behind the gateway."""
import os
import pathlib
import shutil
import sys
import time
import unittest

import harness

HERE = pathlib.Path(__file__).parent
PASSWORD = 'a lantern over the harbour'


class App(harness.Program):
    def __init__(self):
        super().__init__(['node', HERE / 'express_app.js'], {'NODE_ENV': 'production'})
        line = harness.wait_until(lambda: next((x for x in self.lines if 'listening on' in x), None), 20,
                                  f'the Express application: {self.output}')
        self.url = line.rsplit(' ', 1)[1]


class Express(harness.Case):
    backend_class = App
    config = '[limits]\ndefault = "100000/min/ip burst 10000"\nsignup = "1000/hour/ip"\n'

    def get(self, path, **keywords):
        return self.moat.request('GET', path, **keywords)

    def test_pages_and_headers(self):
        answer = self.get('/')
        self.assertEqual((answer.status, answer.header('content-type')), (200, 'text/html; charset=utf-8'))
        self.assertIn('<h1>Shop</h1>', answer.text)
        self.assertEqual(answer.header('content-length'), str(len(answer.body)))
        self.assertIsNone(answer.header('x-powered-by'), 'Express says what it is; the gateway does not repeat it')
        self.assertEqual(answer.all('x-content-type-options'), ['nosniff'])
        self.assertIn("default-src 'self'", answer.header('content-security-policy-report-only'))
        self.assertIsNone(answer.header('content-security-policy'), 'what works is not broken')
        head = self.moat.request('HEAD', '/')
        self.assertEqual((head.status, head.body, head.header('content-length')), (200, b'', str(len(answer.body))))

    def test_it_learns_who_asks(self):
        nobody = self.get('/who', headers={'X-Moat-User': 'admin', 'Cookie': 'mine=1'}).json()
        self.assertEqual((nobody['user'], nobody['cookies']), (None, 'mine=1'))
        self.assertEqual((nobody['host'], nobody['proto']), (f'localhost:{self.moat.https_port}', 'https'))
        client = self.moat.client()
        account = client.post('/auth/signup', json={'email': 'shopper@example.com', 'password': PASSWORD}).json()
        known = client.get('/who').json()
        self.assertEqual((known['user'], known['email'], known['cookies']),
                         (account['id'], 'shopper@example.com', None))

    def test_redirects_stay_as_they_are(self):
        answer = self.get('/old')
        self.assertEqual((answer.status, answer.header('location')), (301, '/new?from=old'))

    def test_bodies_and_methods(self):
        made = self.moat.request('POST', '/items', json={'name': 'tea', 'tags': ['a', 'ü']})
        self.assertEqual((made.status, made.header('location')), (201, '/items/1'))
        self.assertEqual(made.json(), {'got': {'name': 'tea', 'tags': ['a', 'ü']}})
        form = self.moat.request('POST', '/items', form={'name': 'green tea', 'x': 'ä&='})
        self.assertEqual(form.json(), {'got': {'name': 'green tea', 'x': 'ä&='}})
        self.assertEqual(self.moat.request('PUT', '/items/1', json={'a': 1}).json(), {'put': {'a': 1}})
        self.assertEqual(self.moat.request('DELETE', '/items/1').status, 204)
        self.assertEqual(self.get('/items/a%20b?x=1&y=%C3%A4').json(), {'id': 'a b', 'query': {'x': '1', 'y': 'ä'}})
        self.assertEqual(self.moat.request('POST', '/items', body=b'{"broken', headers={
            'Content-Type': 'application/json'}).status, 400, "Express's own refusal")

    def test_cookies(self):
        cookies = {line.split('=')[0]: line for line in self.get('/cookie').all('set-cookie')}
        self.assertEqual(set(cookies), {'basket', 'theme', 'gone'})
        for line in cookies.values():
            self.assertIn('; Secure', line)
            self.assertIn('; HttpOnly', line)
        self.assertTrue(cookies['basket'].startswith('basket=a%20b; Max-Age=60; Path=/; Expires='))
        self.assertIn('SameSite=Strict', cookies['theme'])
        self.assertIn('SameSite=Lax', cookies['basket'])

    def test_static_files_with_conditions_and_ranges(self):
        answer = self.get('/static/shop.css')
        self.assertEqual((answer.status, answer.body), (200, b'body { color: teal; }\n'))
        self.assertEqual(answer.header('cache-control'), 'public, max-age=3600')
        same = self.get('/static/shop.css', headers={'If-None-Match': answer.header('etag')})
        self.assertEqual((same.status, same.body), (304, b''))
        part = self.get('/static/shop.css', headers={'Range': 'bytes=0-3'})
        self.assertEqual((part.status, part.body, part.header('content-range')), (206, b'body', 'bytes 0-3/22'))
        for path in ('/static/../express_app.js', '/static/%2e%2e/express_app.js', '/static/..%2fexpress_app.js'):
            self.assertEqual(self.get(path).status, 400)

    def test_streams_arrive_as_they_are_made(self):
        with self.moat.connect() as peer:
            peer.sendall(f'GET /stream HTTP/1.1\r\nHost: localhost:{self.moat.https_port}\r\nConnection: close\r\n\r\n'.encode())
            arrived, received = [], b''
            while chunk := peer.recv(65536):
                received += chunk
                arrived.append(time.monotonic())
        self.assertIn(b'end\n', received)
        self.assertGreater(arrived[-1] - arrived[0], 0.3, 'not collected first')

    def test_server_sent_events(self):
        with self.moat.connect() as peer:
            peer.sendall(f'GET /events HTTP/1.1\r\nHost: localhost:{self.moat.https_port}\r\n\r\n'.encode())
            received = b''
            while b'data: 4' not in received:
                chunk = peer.recv(65536)
                self.assertTrue(chunk)
                received += chunk
        self.assertIn(b'content-type: text/event-stream', received.lower())

    def test_large_bodies_both_ways(self):
        answer = self.get('/big')
        self.assertEqual((answer.status, len(answer.body)), (200, 3 * 1024 * 1024))
        body = os.urandom(900_000)
        sent = self.moat.request('POST', '/echo', body=body, headers={'Content-Type': 'application/octet-stream'})
        self.assertEqual((sent.status, sent.body == body), (200, True))
        chunks = b''.join(b'%x\r\n%s\r\n' % (len(c), c) for c in (b'one ', b'two ', b'three')) + b'0\r\n\r\n'
        said = self.moat.raw((f'POST /echo HTTP/1.1\r\nHost: localhost:{self.moat.https_port}\r\nConnection: close\r\n'
                              'Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n').encode() + chunks)
        self.assertTrue(said.startswith(b'HTTP/1.1 200'))
        self.assertIn(b'one two three', said)
        said = self.moat.raw((f'POST /echo HTTP/1.1\r\nHost: localhost:{self.moat.https_port}\r\n'
                              f'Content-Length: {1024 * 1024 + 1}\r\n\r\n').encode())
        self.assertTrue(said.startswith(b'HTTP/1.1 413'), said)
        self.assertIn(b'body_too_large', said)

    def test_its_own_errors_pass(self):
        self.assertEqual(self.get('/nowhere').status, 404)
        broken = self.get('/broken')
        self.assertEqual(broken.status, 500)
        self.assertNotIn('stack trace', broken.text)
        self.assertEqual(broken.all('x-content-type-options'), ['nosniff'])

    def test_one_connection_serves_many_requests(self):
        with self.moat.connect() as peer:
            for number in range(20):
                peer.sendall(f'GET /items/{number} HTTP/1.1\r\nHost: localhost:{self.moat.https_port}\r\n\r\n'.encode())
                received = b''
                while f'"id":"{number}"'.encode() not in received:
                    chunk = peer.recv(65536)
                    self.assertTrue(chunk, received)
                    received += chunk


class Gone(unittest.TestCase):
    def test_a_backend_that_is_down_and_comes_back(self):
        app = App()
        moat = harness.Moat(app.url)
        self.addCleanup(moat.stop)
        self.assertEqual(moat.request('GET', '/').status, 200)
        app.stop()
        answer = moat.request('GET', '/')
        self.assertEqual((answer.status, answer.header('content-type')), (502, 'application/problem+json'))
        page = moat.request('GET', '/', headers={'Accept': 'text/html'})
        self.assertEqual(page.status, 502)
        self.assertIn('<h1>', page.text)
        self.assertNotIn(app.url.split('//')[1], page.text, 'where the backend is stays inside')


if __name__ == '__main__':
    if not shutil.which('node') or not (HERE / 'node_modules' / 'express').exists():
        print('skipped: Express is not installed (npm ci in tests/e2e)')
        sys.exit(harness.SKIPPED)
    harness.main()
