# SPDX-License-Identifier: Apache-2.0
"""What an attacker tries against routes with an OpenAPI document: the connection behind a refusal, bodies that are
framed oddly, and the promise that a route which only reports changes nothing."""
import http.client
import json
import pathlib
import shutil
import tempfile
import threading
import unittest

import harness
from forms_e2e import Pages

DOCUMENT = """
openapi: 3.1.0
info: {title: Orders, version: '1'}
paths:
  /orders:
    get: {responses: {'200': {content: {application/json: {schema: {type: array, items: {type: integer}}}}}}}
    post:
      requestBody:
        required: true
        content: {application/json: {schema: {type: object, required: [n], properties: {n: {type: integer}}}}}
      responses:
        '200': {description: made, content: {application/json: {schema: {type: object, properties: {n: {type: integer}}}}}}
        '204': {description: nothing}
  /files:
    post:
      requestBody: {content: {application/octet-stream: {}}}
      responses: {'200': {description: kept, content: {application/json: {schema: {type: object, required: [n], properties: {n: {type: integer}}}}}}}
  /orders/mine: {get: {responses: {'200': {description: mine}}}}
  /orders/{name}:
    get:
      parameters: [{name: name, in: path, required: true, schema: {type: string}}]
      responses: {'200': {description: it}}
"""


class Reader:
    """The answers on one connection, one after the other, from one buffer."""

    def __init__(self, peer):
        self._file = peer.makefile('rb')

    def makefile(self, *_):
        return self

    def __getattr__(self, name):
        return getattr(self._file, name)

    def close(self):
        """Not the end of the connection."""

    def next(self):
        response = http.client.HTTPResponse(self)
        response.begin()
        response.read()
        return response


class Schema(harness.Case):
    """`answers` holds for a path what the backend answers, as of Pages."""
    backend_class = Pages
    mode, responses = 'enforce', 'off'

    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(tempfile.mkdtemp(prefix='moat-schema-'))
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        document = folder / 'openapi.yaml'
        document.write_text(DOCUMENT.replace('200\': {content', '200\': {description: all, content'))
        cls.config = f'schema = "{document}"\nschema_mode = "{cls.mode}"\nschema_responses = "{cls.responses}"\n'
        super().setUpClass()

    def setUp(self):
        self.backend.requests.clear()
        self.backend.pages.clear()
        self.answer('/orders', {'n': 1})

    def answer(self, path, value, status=200, kind='application/json'):
        body = value if isinstance(value, (bytes, list, tuple)) else json.dumps(value).encode()
        self.backend.pages[path] = (status, {'Content-Type': kind}, body)

    def head(self, method, path, *lines):
        host = f'Host: localhost:{self.moat.https_port}'
        return '\r\n'.join([f'{method} {path} HTTP/1.1', host, *lines, '', '']).encode()

    def post(self, body, *lines):
        return self.head('POST', '/orders', 'Content-Type: application/json', f'Content-Length: {len(body)}',
                         *lines) + body

    def statuses(self, data, count):
        """Of `count` answers on one connection."""
        with self.moat.connect() as peer:
            peer.sendall(data)
            reader = Reader(peer)
            return [reader.next().status for _ in range(count)]


class Answers(Schema):
    responses = 'enforce'

    def test_a_refused_answer_leaves_the_connection_where_it_was(self):
        self.answer('/orders', {'n': 'secret'})
        for body in (b'{"n":1}', b'{"n":1}' + b' ' * 2000):
            both = self.post(body) + self.head('GET', '/nowhere')
            self.assertEqual(self.statuses(both, 2), [502, 404], body[:8])
        # Nothing of what was asked next is taken for a part of the body.
        three = self.post(b'{"n":1}') + self.post(b'{"n":"x"}') + self.head('GET', '/nowhere')
        self.assertEqual(self.statuses(three, 3), [502, 422, 404])
        self.assertEqual(self.statuses(self.post(b'{"n":1}'), 1), [502])
        self.assertTrue(self.moat.running())

    def test_nothing_of_the_next_request_is_lost_behind_an_upload(self):
        self.answer('/files', {'n': 'secret'})
        with self.moat.connect() as peer:
            peer.sendall(self.head('POST', '/files', 'Content-Type: application/octet-stream', 'Content-Length: 10'))
            peer.sendall(b'0123456789' + self.head('GET', '/nowhere'))
            reader = Reader(peer)
            first = reader.next()
            self.assertEqual(first.status, 502)
            # What came behind is answered as what it is, or the connection ends before it.
            if first.getheader('Connection') != 'close':
                self.assertEqual(reader.next().status, 404)

    def test_answers_of_every_framing_are_judged(self):
        good, bad = b'{"n":1}', b'{"n":"x"}'
        for body in (good, [good[:3], good[3:]], (good[:3], good[3:])):
            self.answer('/orders', body)
            answer = self.moat.request('POST', '/orders', json={'n': 1})
            self.assertEqual((answer.status, answer.body), (200, good), body)
        for body in (bad, [bad[:3], bad[3:]], (bad[:3], bad[3:]), b'{"n":1}{', b'\xef\xbb\xbf{"n":1}', b'{"n":1,"n":2}'):
            self.answer('/orders', body)
            answer = self.moat.request('POST', '/orders', json={'n': 1})
            self.assertEqual((answer.status, answer.json()['code']),
                             (502, 'schema_response_body'), body)
            self.assertNotIn('errors', answer.json())
        self.backend.pages['/orders'] = (204, {}, b'')
        self.assertEqual(self.moat.request('POST', '/orders', json={'n': 1}).status, 204)
        self.backend.pages['/orders'] = (304, {'ETag': '"x"'}, b'')
        self.assertEqual(self.moat.request('POST', '/orders', json={'n': 1}).status, 304)
        self.backend.pages['/orders'] = (200, {'Content-Type': 'application/json', 'Content-Encoding': 'gzip'}, good)
        self.assertEqual(self.moat.request('POST', '/orders', json={'n': 1}).json()['code'], 'schema_response_encoded')
        self.answer('/orders', good)
        answer = self.moat.request('HEAD', '/orders')
        self.assertEqual((answer.status, answer.body), (200, b''))
        self.assertEqual(dict(self.backend.requests[-1]['headers']).get('accept-encoding'), 'identity')

    def test_an_answer_that_breaks_off_is_none(self):
        self.backend.pages['/orders'] = (200, {'Content-Type': 'application/json', 'Content-Length': '7'}, (b'{"n":',))
        self.assertEqual(self.moat.request('POST', '/orders', json={'n': 1}).status, 502)


class Requests(Schema):
    def test_bodies_of_every_framing_are_judged_and_passed_on_whole(self):
        for lines, body in (((), b'{"n":\t1}'), (('Expect: 100-continue',), b'{"n": 2}')):
            answer = self.moat.raw(self.post(body, 'Connection: close', *lines))
            self.assertIn(b'HTTP/1.1 200', answer, body)
            self.assertEqual(self.backend.requests[-1]['body'], body)
        chunked = self.head('POST', '/orders', 'Content-Type: application/json', 'Transfer-Encoding: chunked')
        for n, trailer in ((1, b''), (2, b'X-Role: admin\r\n')):
            data = chunked + b'3;a=b\r\n{"n\r\n4\r\n":%d}\r\n0\r\n' % n + trailer + b'\r\n'
            # Two behind each other on one connection, with a third whose body is refused.
            bad = chunked + b'9\r\n{"n":"x"}\r\n0\r\n\r\n'
            self.assertEqual(self.statuses(data + bad + data + self.head('GET', '/orders/x'), 4), [200, 422, 200, 200])
            seen = [r for r in self.backend.requests if r['body'] == b'{"n":%d}' % n]
            self.assertEqual(len(seen), 2)
            names = {name for r in seen for name, _ in r['headers']}
            self.assertNotIn('x-role', names)
            self.assertIn(['content-length', '7'], seen[0]['headers'])
            self.assertNotIn('transfer-encoding', names)
        self.assertFalse([r for r in self.backend.requests if b'"x"' in r['body']])

    def test_what_is_refused_by_its_head_is_not_asked_for(self):
        for line in ('Content-Type: text/plain', 'Content-Type: application/json;charset=utf-16',
                     'Content-Encoding: gzip', 'X-HTTP-Method-Override: DELETE', 'X-Nothing: 1'):
            kind = () if line.startswith('Content-Type') else ('Content-Type: application/json',)
            answer = self.moat.raw(self.head('POST', '/orders?a=1', 'Content-Length: 7', 'Expect: 100-continue',
                                             line, *kind))
            self.assertRegex(answer.decode(), r'^HTTP/1.1 4\d\d ')
        self.assertEqual(self.backend.requests, [])

    def test_paths_that_others_read_as_another_operation_are_refused(self):
        for path in ('/orders/MINE', '/orders/mine;x=1', '/orders/mine.json', '/orders/m%49ne', '/orders/mine%20',
                     '/orders/', '/orders/a%2Fb', '/orders/..%2Fmine', '/orders//mine'):
            answer = self.moat.request('GET', path)
            self.assertIn(answer.status, (400, 404), path)
        self.assertEqual(self.backend.requests, [])
        for path in ('/orders/mine', '/orders/yours', '/orders/m', '/orders/mine2'):
            self.assertEqual(self.moat.request('GET', path).status, 200, path)

    def test_nothing_of_a_stranger_stands_in_logs_or_answers(self):
        evil = 'e"\\v\u202ei\x1bl'
        answer = self.moat.request('POST', '/orders', json={'n': 1, evil: {evil: 1}})
        self.assertEqual(answer.status, 422)
        self.assertNotIn('v', ''.join(e['pointer'] for e in answer.json()['errors']))
        page = self.moat.request('POST', '/orders', json={'n': evil}, headers={
            'Accept': 'text/html', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document'})
        self.assertEqual(page.status, 422)
        self.assertNotIn('\u202e', page.text)
        for line in self.moat.output.splitlines():
            if line.startswith('{'):
                self.assertNotIn('\x1b', json.loads(line).get('reason', ''))


class Shadow(Schema):
    mode, responses = 'shadow', 'shadow'

    def test_all_passes_as_it_came(self):
        for method, path, body in (('GET', '/nowhere?a=1;b=2', None), ('DELETE', '/orders', None),
                                   ('GET', '/orders/MINE', None), ('POST', '/orders', b'{"n":'),
                                   ('POST', '/orders', b'\xff' * 70_000), ('PUT', '/orders', b'x')):
            answer = self.moat.request(method, path, body=body, headers={'Content-Type': 'application/json'})
            self.assertEqual(answer.status, 200, path)
            seen = self.backend.requests[-1]
            self.assertEqual((seen['method'], seen['path'], seen['body']), (method, path, body or b''))
        self.answer('/orders', b'no json')
        answer = self.moat.request('POST', '/orders', json={'n': 1})
        self.assertEqual((answer.status, answer.body), (200, b'no json'))

    def test_answers_are_not_held_back(self):
        go_on = threading.Event()
        self.addCleanup(go_on.set)
        self.backend.pages['/orders'] = (200, {'Content-Type': 'application/json'},
                                         [b'[1,', lambda: go_on.wait(20), b'2]'])
        with self.moat.connect() as peer:
            peer.sendall(self.head('GET', '/orders'))
            response = http.client.HTTPResponse(peer)
            response.begin()
            self.assertEqual(response.read(3), b'[1,')  # while the backend has not sent the rest
            go_on.set()
            self.assertEqual(response.read(), b'2]')


if __name__ == '__main__':
    harness.main()
