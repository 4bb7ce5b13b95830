# SPDX-License-Identifier: Apache-2.0
"""Routes with an OpenAPI document: what it does not describe reaches no backend."""
import itertools
import json
import pathlib
import random
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse
import urllib.request

import harness
import wire

HERE = pathlib.Path(__file__).parent
LIMITS = '[limits]\ndefault = "1000000/min/ip burst 100000"\n'
ORDER = {'item': 'tea', 'count': 2}


marks = itertools.count(1)


def line_with(moat, *texts):
    """The first line of the log with all of these; it is written by a thread of its own, so it is waited for."""
    return harness.wait_until(
        lambda: next((line for line in list(moat.lines) if all(text in line for text in texts)), None), 10, f'a line with {texts}')


def peer_of(moat):
    return wire.Wire(moat.connect())


def kept(peer, got):
    """Keeps the body, and answers."""
    got.body = peer.body(got.fields)
    peer.send(wire.ok())


class App(harness.Program):
    """Express, which takes what comes."""

    def __init__(self):
        super().__init__(['node', HERE / 'express_orders.js'], {'NODE_ENV': 'production'})
        line = harness.wait_until(lambda: next((x for x in self.lines if 'listening on' in x), None), 20,
                                  f'the Express application: {self.output}')
        self.url = line.rsplit(' ', 1)[1]

    def seen(self):
        """All that it has seen so far. It writes lines in order: once a request of this function's own is there, all before are."""
        mark = f'/mark/{next(marks)}'
        urllib.request.urlopen(self.url + mark, timeout=20).close()
        found = lambda: [json.loads(line[5:]) for line in list(self.lines) if line.startswith('seen ')]
        harness.wait_until(lambda: any(r['path'] == mark for r in found()), 20, 'the line of the own request')
        return [r for r in found() if not r['path'].startswith('/mark/')]


def mutated(generator, request):
    """Another request than a described one: one thing about it is changed."""
    method, path, headers, body = request
    kind = generator.randrange(8)
    if kind == 0:
        path = generator.choice(['/order', '/orders/', '/orders/x', '/orders/-1', '/orders/1/', '/admin', '/orders/1/photos',
                                 '/ORDERS', '/orders/0', '/orders/1e3', '/orders/01', '/orders/1.0', '/orders;a=1', '/orders/1%2F2'])
    elif kind == 1:
        method = generator.choice(['PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'Get', 'CONNECT'])
    elif kind == 2:
        name = generator.choice(['limit', 'open', 'is_admin', 'limit[$gt]', '__proto__[a]', 'tag[0]', '_method', 'Limit', 'a.b'])
        value = generator.choice(['x', '-1', '101', '1.5', '', 'true1', '%00', '%zz', '1e2', 'DELETE'])
        path += ('&' if '?' in path else '?') + f'{name}={value}'
    elif kind == 3 and isinstance(body, dict):
        body = {**body, generator.choice(['id', 'is_admin', '$where', '__proto__', 'constructor', 'Item', 'item ']): 1}
    elif kind == 4 and isinstance(body, dict):
        name = generator.choice(['item', 'count', 'lines', 'mail'])
        body = {**body, name: generator.choice([None, [], {'$gt': ''}, True, '', -1, 1.5, 'x' * 21, [{}], {'a': 1}])}
    elif kind == 5 and body is not None:
        headers = {**headers, 'Content-Type': generator.choice(['text/plain', 'application/xml', 'text/json', 'multipart/form-data',
                                                                'application/json; charset=utf-16', 'application/json, text/plain'])}
    elif kind == 6 and isinstance(body, dict):
        text = json.dumps(body)
        body = generator.choice([text[:-1], text + ' x', text[:-1] + ',"item":"b"}', '[' * 2000, text.replace('"', "'"),
                                 '\ufeff' + text, '', 'null', '[]', '"x"', text[:-1] + ',"count":1e999}']).encode()
    elif kind == 7:
        headers = {**headers, generator.choice(['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']): 'DELETE'}
    else:
        path = path.split('?')[0] + '?unknown=1'
    return method, path, headers, body


@unittest.skipUnless(shutil.which('node') and (HERE / 'node_modules' / 'express').exists(), 'no node, or no Express')
class Express(unittest.TestCase):
    """What a real application sees."""

    @classmethod
    def setUpClass(cls):
        cls.backend = App()
        cls.addClassCleanup(cls.backend.stop)
        cls.moat = harness.Moat(cls.backend.url, f'schema = "{HERE}/orders.yaml"\nschema_responses = "enforce"\n{LIMITS}')
        cls.addClassCleanup(cls._end)

    @classmethod
    def _end(cls):
        code = cls.moat.stop()
        if code != 0:
            raise AssertionError(f'moat ended with {code}:\n{cls.moat.output[-4000:]}')

    def ask(self, method, path, headers=None, body=None):
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        if body is not None:
            headers = {'Content-Type': 'application/json', **(headers or {})}
        return self.moat.request(method, path, headers=headers, body=body)

    DESCRIBED = [
        ('GET', '/orders', {}, None),
        ('GET', '/orders?limit=5&tag=a&tag=b&open=false', {}, None),
        ('HEAD', '/orders', {}, None),
        ('POST', '/orders', {}, ORDER),
        ('POST', '/orders', {}, {**ORDER, 'mail': 'a@example.com', 'lines': [{'sku': 'ABC'}, {'sku': 'DEF'}]}),
        ('POST', '/orders', {}, {**ORDER, 'note': 'x' * 60000}),
        ('POST', '/orders', {'Content-Type': 'application/x-www-form-urlencoded'}, b'item=tea&count=2'),
        ('GET', '/orders/7', {'X-Trace': 'abc1', 'Cookie': 'theme=dark; other=1'}, None),
        ('PUT', '/orders/7', {}, ORDER),
        ('DELETE', '/orders/7', {}, None),
        ('PUT', '/orders/7/photo', {'Content-Type': 'image/png'}, b'\x89PNG\r\n\x1a\n' + bytes(100_000)),
        ('POST', '/charges', {'Content-Type': 'application/x-www-form-urlencoded'},
         b'amount=1&expand[]=a&expand[]=b&metadata[order]=7&items[0][price]=p&items[0][codes][]=4&items[1][price]=q'),
    ]

    def test_what_is_described_passes_whole(self):
        before = len(self.backend.seen())
        for request in self.DESCRIBED:
            with self.subTest(request[:2]):
                self.assertIn(self.ask(*request).status, (200, 201, 204))
        seen = self.backend.seen()[before:]
        self.assertEqual([(r['method'], r['path']) for r in seen],
                         [(m, p.split('?')[0]) for m, p, _, _ in self.DESCRIBED])
        self.assertEqual(seen[1]['query'], {'limit': '5', 'tag': ['a', 'b'], 'open': 'false'})
        self.assertEqual(seen[5]['body'], {**ORDER, 'note': 'x' * 60000})
        self.assertEqual(seen[6]['body'], {'item': 'tea', 'count': '2'})
        self.assertEqual(seen[10]['body'], {'bytes': 100_008})
        # Brackets are to the application what they are to Moat.
        self.assertEqual(seen[11]['body'], {'amount': '1', 'expand': ['a', 'b'], 'metadata': {'order': '7'},
                                            'items': [{'price': 'p', 'codes': ['4']}, {'price': 'q'}]})

    def test_what_is_not_described_is_never_seen(self):
        generator = random.Random(6)
        before = len(self.backend.seen())
        refused = {}
        for _ in range(600):
            method, path, headers, body = mutated(generator, generator.choice(self.DESCRIBED))
            answer = self.ask(method, path, headers, body)
            self.assertIn(answer.status, (400, 404, 405, 413, 415, 422, 501), (method, path, headers, body))
            refused[answer.status] = refused.get(answer.status, 0) + 1
        # A refused one that reached the application all the same would be in a line beside this one's.
        self.assertEqual(self.ask('GET', '/orders?limit=99').status, 200)
        self.assertEqual([r['query'] for r in self.backend.seen()[before:]], [{'limit': '99'}])
        for status in (400, 404, 405, 415, 422):
            self.assertGreater(refused.get(status, 0), 5, refused)

    def test_words_that_deny_lists_look_for_are_words(self):
        """OWASP, Input Validation: a deny list refuses O'Brian. There is none, with a schema and without."""
        notes = ["Conan O'Brian & Zoë", "Robert'); DROP TABLE students;--", '1 OR 1=1', 'SELECT a word FROM the list, UNION or not',
                 'a < b && b > c -- or so', '<b>bold</b> and <script>', "it's 100% {{fine}} ${really} `here`", '../and/or/../etc',
                 'C:\\temp; rm -rf / | cat', 'script, onload=, javascript: and eval()', 'http://127.0.0.1/ and file:///etc/passwd']
        plain = harness.Moat(self.backend.url, LIMITS)
        self.addCleanup(lambda: self.assertEqual(plain.stop(), 0))
        before = len(self.backend.seen())
        for moat in (self.moat, plain):
            for note in notes:
                with self.subTest(note):
                    self.assertEqual(moat.request('POST', '/orders', json={**ORDER, 'note': note}).status, 201)
                    self.assertEqual(moat.request('GET', '/orders?tag=' + urllib.parse.quote(note[:10], safe='')).status, 200)
        seen = self.backend.seen()[before:]
        self.assertEqual([one['body']['note'] for one in seen if one['method'] == 'POST'], notes * 2)
        self.assertEqual([one['query']['tag'] for one in seen if one['method'] == 'GET'], [note[:10] for note in notes] * 2)

    def test_every_mutation_is_found_by_the_backend_alone(self):
        """The twin: without a schema the application sees what is above refused."""
        moat = harness.Moat(self.backend.url, LIMITS)
        try:
            before = len(self.backend.seen())
            for path in ('/orders?limit[$gt]=1', '/admin', '/orders?__proto__[a]=1'):
                self.assertEqual(moat.request('GET', path).status, 200)
            harness.wait_until(lambda: len(self.backend.seen()) >= before + 3, what='three requests')
            self.assertEqual(self.backend.seen()[before]['query'], {'limit': {'$gt': '1'}})
        finally:
            self.assertEqual(moat.stop(), 0)


def answering(status, body=b'{"id":1,"item":"tea","count":1}', kind='application/json', **fields):
    """A backend that says this to every request."""
    def handler(peer, got):
        peer.body(got.fields)
        lines = [f'HTTP/1.1 {status} X', f'Content-Type: {kind}', f'Content-Length: {len(body)}']
        lines += [f'{name.replace("_", "-")}: {value}' for name, value in fields.items()]
        peer.send('\r\n'.join([*lines, '', '']).encode() + body)
    return handler


def chunked(*parts, kind='application/json'):
    def handler(peer, got):
        peer.body(got.fields)
        peer.send(f'HTTP/1.1 200 X\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n'.encode())
        for part in parts:
            peer.send(b'%x\r\n%s\r\n' % (len(part), part))
            time.sleep(0.02)
        peer.send(b'0\r\n\r\n')
    return handler


def until_close(body):
    def handler(peer, got):
        peer.body(got.fields)
        peer.send(b'HTTP/1.1 200 X\r\nContent-Type: application/json\r\n\r\n' + body)
        return False
    return handler


def pieces_of(body):
    """Of a body in chunks."""
    while body:
        size, _, body = body.partition(b'\r\n')
        yield body[:int(size, 16)]
        body = body[int(size, 16) + 2:]


class Schema(unittest.TestCase):
    """One gateway for each test, in front of a backend by hand."""

    def start(self, settings, handlers=None, document=HERE / 'orders.yaml'):
        backend = wire.Backend(handlers or {})
        self.addCleanup(backend.stop)
        moat = harness.Moat(backend.url, f'schema = "{document}"\n{settings}\n{LIMITS}')
        self.addCleanup(lambda: self.assertEqual(moat.stop(), 0, moat.output[-3000:]))
        return moat, backend

    def metrics(self, moat):
        return moat.request('GET', '/metrics', tls=False, port=moat.admin_port).text


class Refusals(Schema):
    @classmethod
    def setUpClass(cls):
        cls.backend = wire.Backend({'/orders': kept, '/charges': kept})
        cls.addClassCleanup(cls.backend.stop)
        cls.moat = harness.Moat(cls.backend.url, f'schema = "{HERE}/orders.yaml"\n{LIMITS}')
        cls.addClassCleanup(lambda: cls.moat.stop())

    def test_they_say_what_is_wrong(self):
        before = len(self.backend.requests)
        answer = self.moat.request('POST', '/orders', json={'item': '', 'lines': [{'sku': 'abc'}], 'extra': 1})
        self.assertEqual((answer.status, answer.header('content-type')), (422, 'application/problem+json'))
        said = answer.json()
        self.assertEqual((said['code'], said['status'], said['title']),
                         ('schema_body', 422, 'The body is not what is expected here.'))
        self.assertEqual({(e['in'], e['pointer'], e['keyword']) for e in said['errors']},
                         {('body', '#', 'required'), ('body', '#', 'unevaluatedProperties'), ('body', '#/item', 'minLength'),
                          ('body', '#/lines/0/sku', 'pattern')})
        answer = self.moat.request('POST', '/orders', json={**ORDER, 'extra': 1})
        self.assertEqual(answer.json()['errors'][0]['keyword'], 'unevaluatedProperties')
        self.assertNotIn('extra', answer.text)
        answer = self.moat.request('POST', '/orders', body=b'{"item":\n  "a",}', headers={'Content-Type': 'application/json'})
        self.assertEqual((answer.status, answer.json()['code']), (400, 'schema_body_syntax'))
        self.assertIn('line 2, column 7', answer.json()['errors'][0]['detail'])
        answer = self.moat.request('PATCH', '/orders', json=ORDER)
        self.assertEqual((answer.status, answer.header('allow')), (405, 'GET, POST, HEAD'))
        answer = self.moat.request('GET', '/orders?limit=0')
        self.assertEqual((answer.status, answer.json()['errors']),
                         (400, [{'in': 'query', 'parameter': 'limit', 'pointer': '#', 'keyword': 'minimum',
                                 'detail': 'must be at least 1'}]))
        self.assertEqual(self.moat.request('GET', '/nothing').json()['code'], 'schema_no_operation')
        self.assertEqual(len(self.backend.requests), before)

    def test_they_speak_of_the_kind_that_the_body_names(self):
        before = len(self.backend.requests)
        for body, pointer, keyword in (({'by': 'card', 'number': '12'}, '#/number', 'pattern'),
                                       ({'by': 'invoice', 'number': '12'}, '#', 'required'),
                                       ({'by': 'cash'}, '#/by', 'enum'), ({'by': '__proto__'}, '#/by', 'enum'),
                                       ({'by': ['card'], 'number': '123456789012'}, '#/by', 'enum'),
                                       ({'number': '123456789012'}, '#', 'required')):
            answer = self.moat.request('POST', '/payments', json=body)
            self.assertEqual((answer.status, [(e['pointer'], e['keyword']) for e in answer.json()['errors']]),
                             (422, [(pointer, keyword)]), body)
        self.assertEqual(self.moat.request('POST', '/payments', json={'by': 'cash'}).json()['errors'][0]['detail'],
                         "must name what this is: one of 'card', 'Card', 'invoice', 'Invoice'")
        self.assertEqual(len(self.backend.requests), before)
        for body in ({'by': 'card', 'number': '123456789012'}, {'by': 'invoice', 'street': 'High Street 1'}):
            self.assertEqual(self.moat.request('POST', '/payments', json=body).status, 200)
        self.assertEqual(len(self.backend.requests), before + 2)

    def test_forms_with_brackets_are_read_as_their_members(self):
        def send(fields):
            return self.moat.request('POST', '/charges', body=fields, headers={'Content-Type': 'application/x-www-form-urlencoded'})
        before = len(self.backend.requests)
        for fields, pointer, keyword in ((b'amount=1&metadata[__proto__]=x', '#', 'unsafe_name'),
                                         (b'amount=1&metadata%5B%24gt%5D=x', '#', 'unsafe_name'),
                                         (b'amount=1&metadata[a][b]=x', '#/metadata', 'anyOf'),
                                         (b'amount=1&expand[1]=x', '#/expand', 'syntax'),
                                         (b'amount=1&expand=x', '#', 'type'),
                                         (b'amount=1&items[0][price]=p&items[0][codes][]=x', '#/items/0/codes/0', 'type'),
                                         (b'amount=1&items[][price]=p', '#/items', 'syntax'),
                                         (b'amount=1&items[0]' + b'[a]' * 16 + b'=x', '#/items', 'limit')):
            answer = send(fields)
            self.assertEqual((answer.status, [(e['pointer'], e['keyword']) for e in answer.json()['errors']]),
                             (422, [(pointer, keyword)]), fields)
        self.assertEqual(len(self.backend.requests), before)
        good = b'amount=1&expand[]=a&expand[]=b&metadata[order]=7&items[0][price]=p&items[0][codes][]=4&items%5B1%5D[price]=q'
        self.assertEqual(send(good).status, 200)
        self.assertEqual(self.backend.requests[-1].body, good)
        self.assertEqual(send(b'amount=1&metadata=').status, 200)

    def test_who_brings_no_credentials_is_told_so_before_the_body_is_read(self):
        before = len(self.backend.requests)
        answer = self.moat.request('GET', '/reports?year=x')
        self.assertEqual((answer.status, answer.header('content-type'), answer.json()['code']),
                         (401, 'application/problem+json', 'schema_credentials'))
        self.assertEqual(answer.header('www-authenticate'),
                         'ApiKey realm="api", in="header", name="X-Key", Bearer realm="api", ApiKey realm="api", in="query", name="key"')
        # Nothing else is told, such as what is wrong with the year.
        self.assertEqual({e['keyword'] for e in answer.json()['errors']}, {'missing'})
        for headers in ({'X-Key': ''}, {'Authorization': 'Basic YTpi'}, {'Authorization': 'Bearer a b'}, {'Cookie': 'X-Key=1'}):
            self.assertEqual(self.moat.request('GET', '/reports', headers=headers).status, 401, headers)
        with peer_of(self.moat) as peer:
            peer.send(b'POST /reports HTTP/1.1\r\nHost: localhost:%d\r\nContent-Type: application/json\r\nContent-Length: 12\r\n'
                      b'Expect: 100-continue\r\n\r\n' % self.moat.https_port)
            answer = peer.answer()
            self.assertEqual((answer.status, answer.header('www-authenticate')), (401, 'Bearer realm="api"'))
        self.assertEqual(len(self.backend.requests), before)
        for path, headers in (('/reports', {'X-Key': 'k'}), ('/reports', {'Authorization': 'bearer abc.def'}), ('/reports?key=k&year=2', {}),
                              ('/reports/public', {}), ('/reports/public', {'Authorization': 'Bearer abc'})):
            self.assertEqual(self.moat.request('GET', path, headers=headers).status, 200, (path, headers))
        self.assertEqual(len(self.backend.requests), before + 5)
        self.assertEqual(self.moat.request('GET', '/orders?key=k').status, 400)
        answer = self.moat.request('GET', '/reports', headers={'Accept': 'text/html', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document'})
        self.assertEqual((answer.status, answer.header('content-type')), (401, 'text/html; charset=utf-8'))
        self.assertIn('Bearer realm="api"', answer.header('www-authenticate'))

    def test_a_browser_gets_a_page(self):
        answer = self.moat.request('GET', '/orders?limit=0', headers={'Accept': 'text/html', 'Sec-Fetch-Mode': 'navigate',
                                                                      'Sec-Fetch-Dest': 'document'})
        self.assertEqual((answer.status, answer.header('content-type')), (400, 'text/html; charset=utf-8'))
        self.assertIn('query limit: must be at least 1', answer.text)

    def test_they_are_logged_and_counted_as_practice_2(self):
        self.moat.request('GET', '/orders?limit=0')
        line = line_with(self.moat, '"refused"', 'schema_parameters')
        self.assertEqual(json.loads(line)['reason'], 'query limit: must be at least 1')
        text = self.moat.request('GET', '/metrics', tls=False, port=self.moat.admin_port).text
        self.assertRegex(text, r'moat_refused_total\{route="/\*",practice="2",step="schema",code="schema_parameters"\} \d')

    def test_the_connection_goes_on(self):
        """Behind a refused request the next one is read where it begins."""
        with peer_of(self.moat) as peer:
            for body in (b'{"item":1}', b'{"item":"' + b'x' * 60_000 + b'"}'):
                peer.send(b'POST /orders HTTP/1.1\r\nHost: localhost:%d\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n'
                          % (self.moat.https_port, len(body)) + body)
                self.assertEqual(peer.answer().status, 422)
            peer.send(b'GET /orders/x HTTP/1.1\r\nHost: localhost:%d\r\n\r\n' % self.moat.https_port)
            self.assertEqual(peer.answer().status, 400)

    def test_bodies_in_chunks_are_read_whole_and_passed_on_whole(self):
        text = json.dumps({**ORDER, 'note': 'y' * 60_000}).encode()
        for cut in (1000, 50_000):
            with peer_of(self.moat) as peer:
                peer.send(b'POST /orders HTTP/1.1\r\nHost: localhost:%d\r\nContent-Type: application/json\r\n'
                          b'Transfer-Encoding: chunked\r\n\r\n' % self.moat.https_port)
                for part in (text[:cut], text[cut:]):
                    peer.send(b'%x\r\n%s\r\n' % (len(part), part))
                    time.sleep(0.05)
                peer.send(b'0\r\n\r\n')
                self.assertEqual(peer.answer().status, 200)
        for got in self.backend.requests[-2:]:
            self.assertEqual((got.field('content-length'), got.field('transfer-encoding'), got.body),
                             (str(len(text)), None, text))

    def test_who_waits_for_100_is_told_to_go_on(self):
        body = json.dumps(ORDER).encode()
        with peer_of(self.moat) as peer:
            peer.send(b'POST /orders HTTP/1.1\r\nHost: localhost:%d\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n'
                      b'Content-Length: %d\r\n\r\n' % (self.moat.https_port, len(body)))
            self.assertEqual(peer.until(b'\r\n\r\n'), b'HTTP/1.1 100 Continue')
            peer.send(body)
            self.assertEqual(peer.answer().status, 200)
        with peer_of(self.moat) as peer:  # and who would be refused anyway is not
            peer.send(b'POST /orders HTTP/1.1\r\nHost: localhost:%d\r\nContent-Type: text/plain\r\nExpect: 100-continue\r\n'
                      b'Content-Length: 5\r\n\r\n' % self.moat.https_port)
            self.assertEqual(peer.answer().status, 415)

    def test_over_http2(self):
        if not shutil.which('curl'):
            self.skipTest('no curl')
        def curl(*arguments):
            done = subprocess.run(['curl', '-sS', '--http2', '--cacert', str(self.moat.ca_file()), '-w', '\n%{http_code} %{http_version}',
                                   '-H', 'Content-Type: application/json', *arguments], capture_output=True, check=True)
            return done.stdout.decode().rpartition('\n')[2]
        origin = self.moat.origin
        self.assertEqual(curl(f'{origin}/orders', '-d', json.dumps(ORDER)), '200 2')
        self.assertEqual(curl(f'{origin}/orders', '-d', json.dumps({**ORDER, 'note': 'z' * 60_000})), '200 2')
        self.assertEqual(len(self.backend.requests[-1].body), len(json.dumps({**ORDER, 'note': 'z' * 60_000})))
        self.assertEqual(curl(f'{origin}/orders', '-d', '{"item":1}'), '422 2')
        self.assertEqual(curl(f'{origin}/orders/1', '-X', 'PATCH'), '405 2')


class Settings(Schema):
    def test_limits_are_kept_and_named(self):
        handlers = {}
        moat, backend = self.start('schema_max_string = "1KiB"\nschema_max_members = 5\n', handlers)
        def said(note, **more):
            answer = moat.request('POST', '/orders', json={**ORDER, 'note': note, **more})
            return answer.status if answer.status == 200 else answer.json()['errors'][0]['detail']
        self.assertEqual(said('x' * 1024), 200)
        self.assertIn('1024 bytes', said('x' * 1025))
        self.assertEqual(said('x', lines=[{'sku': 'ABC'}]), 'is no valid JSON: ' + said('x', lines=[{'sku': 'ABC'}])[18:])
        self.assertIn('5', said('x', lines=[{'sku': 'ABC'}]))
        with peer_of(moat) as peer:
            peer.send(b'POST /orders HTTP/1.1\r\nHost: localhost:%d\r\nContent-Type: application/json\r\nContent-Length: 1048577\r\n\r\n'
                      % moat.https_port)
            answer = peer.answer()
            self.assertEqual((answer.status, answer.json()['code']), (413, 'body_too_large'))
        padded = json.dumps(ORDER).encode()
        padded += b' ' * (1024 * 1024 - len(padded))
        self.assertEqual(moat.request('POST', '/orders', body=padded, headers={'Content-Type': 'application/json'}).status, 200)

    def test_what_is_held_of_all_bodies_is_bounded(self):
        moat, backend = self.start('server.max_held_bodies = "8MiB"\n', {'/orders': kept})
        body = json.dumps({**ORDER, 'note': 'x' * 60_000}).encode().ljust(600_000)
        head = b'POST /orders HTTP/1.1\r\nHost: localhost:%d\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n' % (
            moat.https_port, len(body))
        with peer_of(moat) as slow, peer_of(moat) as late:
            slow.send(head + body[:-1])
            harness.wait_until(lambda: self.held(moat) == len(body) - 1, what='the first body')
            late.send(head + body[:500_000])
            answer = late.answer()
            self.assertEqual((answer.status, answer.json()['code']), (503, 'busy'))
            slow.send(body[-1:])
            self.assertEqual(slow.answer().status, 200)
        self.assertEqual(backend.requests[-1].body, body)
        harness.wait_until(lambda: self.held(moat) == 0, what='the end of both')
        self.assertEqual(moat.request('POST', '/orders', body=body, headers={'Content-Type': 'application/json'}).status, 200)

    def test_who_reads_the_answer_slowly_holds_nothing(self):
        """What was held of the body is given back when the backend has it, not when the answer is over."""
        read, go_on = threading.Event(), threading.Event()
        def large(peer, got):
            got.body = peer.body(got.fields)
            read.set()
            go_on.wait(30)
            peer.send(b'HTTP/1.1 200 X\r\nContent-Type: text/plain\r\nContent-Length: 50000000\r\n\r\n')
            try:
                for _ in range(500):
                    peer.send(b'x' * 100_000)
            except OSError:
                pass
            return False
        moat, backend = self.start('server.max_held_bodies = "8MiB"\n', {'/orders': large, '/orders/7': large})
        self.addCleanup(go_on.set)
        body = json.dumps({**ORDER, 'note': 'x' * 60_000}).encode().ljust(900_000)
        def head(method, path):
            return (f'{method} {path} HTTP/1.1\r\nHost: localhost:{moat.https_port}\r\nContent-Type: application/json\r\n'
                    f'Content-Length: {len(body)}\r\n\r\n').encode()
        with peer_of(moat) as slow, peer_of(moat) as second:
            slow.send(head('POST', '/orders') + body[:-1])
            harness.wait_until(lambda: self.held(moat) == len(body) - 1, what='the body')
            slow.send(body[-1:])
            self.assertTrue(read.wait(30))
            # The backend has it, and has not answered yet.
            harness.wait_until(lambda: self.held(moat) == 0, what='nothing held before the answer')
            go_on.set()
            second.send(head('PUT', '/orders/7') + body)
            # Two of these bodies are more than one address may have held.
            for peer in (slow, second):
                self.assertIn(b' 200 ', peer.until(b'\r\n\r\n'))
            harness.wait_until(lambda: self.held(moat) == 0, what='nothing held during the answers')
        self.assertEqual([r.body for r in backend.requests], [body, body])

    def held(self, moat):
        return int(re.search(r'^moat_held_body_bytes (\d+)', self.metrics(moat), re.M)[1])

    def test_the_word_alone_lists_its_commands(self):
        for more, code in ((), 1), (('--help',), 0):
            done = subprocess.run([harness.os.environ['MOAT_BIN'], 'schema', *more], capture_output=True, text=True)
            self.assertEqual((done.returncode, re.findall(r'^  (moat schema \w+)', done.stdout, re.M)),
                             (code, ['moat schema learn', 'moat schema check']))

    def test_it_may_be_an_option(self):
        backend = wire.Backend({})
        self.addCleanup(backend.stop)
        moat = harness.Moat(backend.url, options=('--schema', str(HERE / 'orders.yaml')))
        self.addCleanup(lambda: self.assertEqual(moat.stop(), 0))
        self.assertEqual(moat.request('GET', '/orders').status, 200)
        self.assertEqual(moat.request('GET', '/other').status, 404)
        self.assertIn('oversized input refused, and what orders.yaml does not describe; security headers', moat.output)

    def test_a_base_stands_before_the_paths(self):
        moat, backend = self.start('schema_base = "/v2"\n')
        self.assertEqual(moat.request('GET', '/v2/orders').status, 200)
        self.assertEqual(moat.request('GET', '/orders').status, 404)

    def test_loosenings_have_their_names(self):
        moat, backend = self.start('allow_unknown_query = true\nallow_unknown_members = true\nallow_missing_credentials = true\n'
                                   'allow_dotted_keys = true\n')
        self.assertEqual(moat.request('GET', '/orders?other=1').status, 200)
        self.assertEqual(moat.request('GET', '/orders?limit=0').status, 400)
        self.assertEqual(moat.request('POST', '/orders', json={**ORDER, 'other': 1}).status, 200)
        self.assertEqual(moat.request('POST', '/orders', json={**ORDER, '$where': 1}).status, 422)
        self.assertEqual(moat.request('GET', '/reports').status, 200)
        said = self.check(moat)
        for word in ('allow_unknown_query', 'allow_unknown_members', 'allow_missing_credentials', 'allow_dotted_keys'):
            self.assertRegex(said, rf'weakened: practice 2: .*{word} = true')

    def check(self, moat, *arguments):
        done = subprocess.run([moat.process.args[0], *(arguments or ['check']), '--config', str(moat.data / 'moat.toml'), '--to', moat.to],
                              capture_output=True, text=True)
        return done.stdout + done.stderr

    def test_shadow_lets_pass_and_tells(self):
        moat, backend = self.start('schema_mode = "shadow"\nschema_responses = "shadow"\n',
                                   {'/orders': kept, '/orders/7': answering(200, b'{"id":"x"}'), '/orders/8': chunked(b'{"id"', b':1,"item":"a","count":1}')})
        bodies = [json.dumps({**ORDER, 'extra': 1}).encode(), b'{' + b'x' * 100_000]
        for body in bodies:
            self.assertEqual(moat.request('POST', '/orders', body=body, headers={'Content-Type': 'application/json'}).status, 200)
        self.assertEqual([r.body for r in backend.requests], bodies)
        self.assertEqual(moat.request('GET', '/nothing').status, 200)
        self.assertEqual(moat.request('GET', '/orders/7').json(), {'id': 'x'})
        self.assertEqual(moat.request('GET', '/orders/8').json(), {'id': 1, 'item': 'a', 'count': 1})
        def counted():
            return dict(re.findall(r'moat_schema_would_refuse_total\{route="/\*",code="(\w+)"\} (\d+)', self.metrics(moat)))
        # Each POST is answered with what the description does not have, too.
        harness.wait_until(lambda: counted().get('schema_response_body') == '1', what=str(counted()))
        self.assertEqual({k: v for k, v in counted().items() if 'response' not in k},
                         {'schema_body': '1', 'schema_body_syntax': '1', 'schema_no_operation': '1'})
        line = json.loads(line_with(moat, 'schema_would_refuse'))
        self.assertEqual((line['code'], line['operation']), ('schema_body', 'POST /orders (createOrder)'))
        self.assertIn('weakened: practice 2: route \'/*\' only reports what its schema does not describe', self.check(moat))

    def test_check_and_explain(self):
        moat, backend = self.start('')
        said = self.check(moat)
        self.assertIn(f"Schema of route '/*': {HERE}/orders.yaml, 11 operations; requests are refused where they are not "
                      'described, answers not looked at.', said)
        said = self.check(moat, 'explain', 'POST', '/orders')
        self.assertRegex(said, r'schema      .*orders.yaml: POST /orders \(createOrder\)\n +body: application/json, '
                               r'application/x-www-form-urlencoded, required\n')
        self.assertIn('REFUSED 405 schema_no_method; there are GET, POST, HEAD', self.check(moat, 'explain', 'PATCH', '/orders'))
        self.assertIn('REFUSED 404 schema_no_operation', self.check(moat, 'explain', 'GET', '/order'))

    def test_check_says_where_document_and_route_differ(self):
        moat, backend = self.start('')
        self.assertIn("remark: route '/*': 2 operations, such as GET /reports (report), ask for credentials ('security'): Moat looks "
                      'whether they came, and whether they are good is the backend\'s to check, or add login = "required".', self.check(moat))
        moat, backend = self.start('login = ["/*"]\n')
        self.assertRegex(self.check(moat), r"remark: route '/\*': \d+ operations, such as GET /orders \(listOrders\), let everybody in by the "
                                           'document, and the route does not')

    def test_moats_own_login_is_as_good_as_what_the_document_asks_for(self):
        moat, backend = self.start('')
        self.assertEqual(moat.request('GET', '/reports').status, 401)
        person = moat.client()
        self.assertEqual(person.get('/reports').status, 401)
        self.assertEqual(person.post('/auth/signup', json={'email': 'ann@example.com', 'password': 'a quiet heron by night'}).status, 201)
        self.assertEqual(person.get('/reports').status, 200)
        self.assertIn('x-moat-user', [name for name, _ in backend.requests[-1].fields])
        # What the document says of all else holds for them, too.
        self.assertEqual(person.get('/reports?year=x').status, 400)
        person.post('/auth/logout')
        self.assertEqual(person.get('/reports').status, 401)

    def test_a_type_that_nobody_reads_has_a_schema_by_an_ugly_name_only(self):
        with tempfile.TemporaryDirectory(prefix='moat-e2e-') as place:
            document = pathlib.Path(place) / 'api.yaml'
            document.write_text('openapi: 3.1.0\ninfo: {}\npaths:\n  /a:\n    post:\n      requestBody:\n        content:\n'
                                '          application/xml: {schema: {type: object}}\n          image/png: {}\n')
            with self.assertRaisesRegex(AssertionError, 'api.yaml:8: .*bodies of this type are not read here'):
                harness.Moat('http://127.0.0.1:9', f'schema = "{document}"\n')
            moat, backend = self.start('allow_unread_bodies = ["application/xml"]\n', document=document)
            for kind, status in (('application/xml', 200), ('image/png', 422), ('text/xml', 415)):
                self.assertEqual(moat.request('POST', '/a', body=b'<order/>', headers={'Content-Type': kind}).status, status)
            self.assertRegex(self.check(moat), r'weakened: practice 2: .* bodies of the type application/xml through that nobody has read')
            for more, code in ((), 1), (('--allow-unread-bodies', 'text/csv,application/xml'), 0), (('--allow-unread-bodies', 'text/csv'), 1):
                done = subprocess.run([harness.os.environ['MOAT_BIN'], 'schema', 'check', str(document), *more], capture_output=True, text=True)
                self.assertEqual(done.returncode, code, done.stdout + done.stderr)

    def test_a_wrong_document_refuses_the_start_with_its_line(self):
        with tempfile.TemporaryDirectory(prefix='moat-e2e-') as place:
            document = pathlib.Path(place) / 'api.yaml'
            for text, why in (('openapi: 3.1.0\ninfo: {}\npaths:\n  /a:\n    gte: {}\n',
                               "api.yaml:5: /paths/~1a/gte: a path item has no field 'gte'; did you mean 'get'?"),
                              ('openapi: 3.1.0\ninfo: {}\npaths:\n  /a: {get: {parameters: [{$ref: ../b.yaml}]}}\n', 'api.yaml:4: '),
                              ('a: [', 'api.yaml:')):
                document.write_text(text)
                with self.assertRaisesRegex(AssertionError, re.escape(why)):
                    harness.Moat('http://127.0.0.1:9', f'schema = "{document}"\n')
            with self.assertRaisesRegex(AssertionError, 'says how its schema is obeyed, but has none'):
                harness.Moat('http://127.0.0.1:9', 'schema_mode = "shadow"\n')
            big = f'schema = "{HERE}/orders.yaml"\nbackend = "http://127.0.0.1:9"\nmax_body = "SIZE"\n'
            for size, good in (('1MiB', True), ('1025KiB', False)):
                text = f'server.max_held_bodies = "8MiB"\n[[route]]\n{big.replace("SIZE", size)}'
                (pathlib.Path(place) / 'moat.toml').write_text(text)
                done = subprocess.run([harness.os.environ['MOAT_BIN'], 'check', '--config', f'{place}/moat.toml', '--data', place],
                                      capture_output=True, text=True)
                self.assertEqual('that no address could send' not in done.stderr, good, done.stderr)
                self.assertEqual(done.returncode == 0, good, done.stderr)
            with self.assertRaisesRegex(AssertionError, 'there is no such file'):
                harness.Moat('http://127.0.0.1:9', f'schema = "{place}/none.yaml"\n')

    def test_a_changed_document_is_obeyed_without_a_restart(self):
        with tempfile.TemporaryDirectory(prefix='moat-e2e-') as place:
            (pathlib.Path(place) / 'schemas').mkdir()
            for name in ('orders.yaml', 'schemas/order.yaml'):
                shutil.copy(HERE / name, pathlib.Path(place) / name)
            moat, backend = self.start('', document=f'{place}/orders.yaml')
            self.assertEqual(moat.request('POST', '/orders', json={**ORDER, 'colour': 'red'}).status, 422)
            part = pathlib.Path(place) / 'schemas/order.yaml'
            part.write_text(part.read_text() + '  colour: {type: string}\n')
            harness.wait_until(lambda: moat.request('POST', '/orders', json={**ORDER, 'colour': 'red'}).status == 200, 20,
                               'the new document')
            part.write_text('type: nothing\n')
            harness.wait_until(lambda: any('config_reload_refused' in line for line in moat.lines), 20, 'the refusal')
            self.assertEqual(moat.request('POST', '/orders', json={**ORDER, 'colour': 'red'}).status, 200)
            part.unlink()


class Answers(Schema):
    """schema_responses = "enforce": what the document does not describe leaves no backend."""
    good = b'{"id":1,"item":"tea","count":1}'

    def test_only_what_is_described_is_passed_on(self):
        handlers = {
            '/orders/1': answering(200, self.good),
            '/orders/2': answering(200, b'{"id":1,"item":"tea","count":1,"password_hash":"x"}'),
            '/orders/3': answering(200, b'{"id":1'),
            '/orders/4': answering(500, b'Traceback', 'text/plain'),
            '/orders/5': answering(200, b'<html>', 'text/html'),
            '/orders/6': answering(404, b'', 'text/plain'),
            '/orders/7': chunked(self.good[:5], self.good[5:]),
            '/orders/8': chunked(self.good, b' '),
            '/orders/9': until_close(self.good),
            '/orders/10': answering(200, self.good, Content_Encoding='gzip'),
            '/orders/11': chunked(b'{"id":1', b',"x":1}'),
        }
        moat, backend = self.start('schema_responses = "enforce"\n', handlers)
        for path in ('1', '7', '8', '9'):
            answer = moat.request('GET', f'/orders/{path}')
            self.assertEqual((answer.status, answer.body.strip()), (200, self.good), path)
        for path, code in (('2', 'schema_response_body'), ('3', 'schema_response_body'), ('4', 'schema_response_status'),
                           ('5', 'schema_response_type'), ('10', 'schema_response_encoded'), ('11', 'schema_response_body')):
            answer = moat.request('GET', f'/orders/{path}')
            self.assertEqual((answer.status, answer.json()), (502, {
                'type': 'about:blank', 'title': answer.json()['title'], 'status': 502, 'code': code}), path)
            self.assertNotIn('password', answer.text)
        self.assertEqual(moat.request('GET', '/orders/6').status, 404)
        line = json.loads(line_with(moat, 'schema_response_refused'))
        self.assertEqual((line['code'], line['operation']), ('schema_response_body', 'GET /orders/{id} (getOrder)'))
        self.assertTrue(all(r.field('accept-encoding') == 'identity' for r in backend.requests))

    def test_a_large_answer_is_held_and_one_too_large_refused(self):
        order = json.dumps({'id': 1, 'item': 'tea', 'count': 1, 'note': 'x' * 90_000}).encode()
        many = b'[' + b','.join([order] * 11) + b']'
        too_many = b'[' + b','.join([order] * 40) + b']'
        moat, backend = self.start('schema_responses = "enforce"\n', {'/orders': answering(200, many)})
        self.assertEqual(moat.request('GET', '/orders').body, many)
        backend.handlers['/orders'] = chunked(too_many[:1000], too_many[1000:])
        answer = moat.request('GET', '/orders')
        self.assertEqual((answer.status, answer.json()['code']), (502, 'schema_response_body'))
        self.assertEqual(moat.request('GET', '/orders/x').status, 400, 'and the gateway goes on')

    def test_who_reads_slowly_gets_all_of_a_held_answer(self):
        order = json.dumps({'id': 1, 'item': 'tea', 'count': 1, 'note': 'x' * 90_000}).encode()
        body = b'[' + b','.join([order] * 90) + b']'
        for handler in (answering(200, body), chunked(body)):
            # It takes longer than a client may take for a piece, but no piece does.
            moat, _ = self.start('schema_responses = "enforce"\nschema_max_answer = "16MiB"\n'
                                  'server.timeouts.send = "1s"\nserver.timeouts.body = "1s"\n', {'/orders': handler})
            with socket.socket() as raw:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
                raw.settimeout(15)
                raw.connect((harness.HOST, moat.https_port))
                with moat.tls_context().wrap_socket(raw, server_hostname='localhost') as peer:
                    peer.sendall(b'GET /orders HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\n\r\n' % moat.https_port)
                    got, pause = b'', 1_000_000
                    while piece := peer.recv(65536):
                        got += piece
                        if len(got) > pause:
                            pause += 1_000_000
                            time.sleep(0.6)
            head, got = got.split(b'\r\n\r\n', 1)
            if b'chunked' in head.lower():
                got = b''.join(pieces_of(got))
            self.assertEqual(len(got), len(body))
            self.assertEqual(got, body)

    def test_connections_are_kept_where_all_was_read(self):
        moat, backend = self.start('schema_responses = "enforce"\n', {'/orders/1': answering(200, self.good)})
        with peer_of(moat) as peer:
            for _ in range(5):
                peer.send(b'GET /orders/1 HTTP/1.1\r\nHost: localhost:%d\r\n\r\n' % moat.https_port)
                self.assertEqual(peer.answer().body, self.good)
        self.assertEqual(backend.connections, 1)


if __name__ == '__main__':
    harness.main()
