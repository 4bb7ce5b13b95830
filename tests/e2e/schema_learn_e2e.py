# SPDX-License-Identifier: Apache-2.0
"""A schema that is learned from traffic: what is in it and what is not, and that it can be enforced."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import uuid

import harness

MANY = '\n[limits]\ndefault = "100000/min/ip burst 100000"\n'
LEARN = '''
[[route]]
match = "/api/*"
schema_learn = true
[[route]]
match = "/*"
''' + MANY


class Shop(harness.Echo):
    """A backend with an API: it refuses what is no order, and looks at nothing else."""

    def _handler(shop):
        class Handler(super()._handler()):
            def answer(self):
                path, _, query = self.path.partition('?')
                body = self.read_body()
                with shop._lock:
                    shop.requests.append({'method': self.command, 'path': self.path, 'size': len(body)})
                if self.command == 'POST' and path == '/api/orders':
                    try:
                        order = json.loads(body)
                        good = isinstance(order['sku'], str) and isinstance(order['count'], int)
                    except (ValueError, KeyError, TypeError):
                        good = False
                    return self.say(201, {'id': 7, **order}) if good else self.say(422, {'error': 'no order'})
                if self.command == 'POST' and path == '/api/contact':
                    return self.say(204)
                if self.command == 'PUT' and path == '/api/upload':
                    return self.say(200, {'size': len(body)})
                if self.command == 'GET' and re.fullmatch(r'/api/orders', path):
                    return self.say(200, [{'id': 1, 'status': 'open'}, {'id': 2, 'status': 'done'}])
                if self.command in ('GET', 'DELETE') and re.fullmatch(r'/api/orders/\d+', path):
                    return self.say(200, {'id': int(path.rsplit('/', 1)[1]), 'sku': 'A'})
                if self.command == 'GET' and re.fullmatch(r'/api/users/[0-9a-f-]{36}/avatar', path):
                    return self.say(200, {'url': 'https://example.com/a.png'})
                if path == '/api/list':
                    return self.say(200, [{'title': 'a b' * 10, 'size': i} for i in range(int(query.split('=')[1]))])
                if path == '/plain':
                    return self.say(200, {'ok': True})
                return self.say(404, {'error': 'nothing here'})

            def read_body(self):
                if self.headers.get('Transfer-Encoding') != 'chunked':
                    return self.rfile.read(int(self.headers.get('Content-Length') or 0))
                body = b''
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def say(self, status, value=None):
                text = b'' if value is None else json.dumps(value).encode()
                self.send_response(status)
                if text:
                    self.send_header('Content-Type', 'application/json')
                if status != 204:
                    self.send_header('Content-Length', str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        return Handler


def moat_command(*arguments):
    return subprocess.run([os.environ['MOAT_BIN'], *[str(a) for a in arguments]], capture_output=True, text=True,
                          timeout=30, check=False)


def proposal(moat, *options, requests=None):
    """What `moat schema learn` prints, once so many requests were learned from."""
    def printed():
        done = moat_command('schema', 'learn', '--data', moat.data / 'data', *options)
        if requests is not None and f'learned from {requests} requests' not in done.stdout:
            return None
        return done
    done = harness.wait_until(printed, what=f'{requests} requests being learned from')
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout


def traffic(moat):
    """What the application does, with the answers' statuses."""
    statuses = []
    for i in range(4):
        order = {'sku': f'A-{i}', 'count': i, 'gift': i % 2 == 0, 'lines': [{'n': 1, 'text': 'x y'}], 'note': None}
        if i == 3:
            del order['note']
        statuses += [moat.request('POST', '/api/orders', json=order).status,
                     moat.request('GET', f'/api/orders?limit={10 + i}&tag=a&tag=b').status,
                     moat.request('GET', f'/api/orders/{100 + i}').status,
                     moat.request('DELETE', f'/api/orders/{100 + i}').status,
                     moat.request('GET', f'/api/users/{uuid.UUID(int=i + 1)}/avatar').status,
                     moat.request('POST', '/api/contact', form={'mail': f'ann{i}@example.com', 'text': 'Hello'}).status]
    return statuses


EXPECTED = [201, 200, 200, 200, 200, 204] * 4


class Learned(harness.Case):
    backend_class = Shop
    config = LEARN

    def test_a_proposal_is_enforced(self):
        self.assertEqual(traffic(self.moat), EXPECTED)
        # What the backend refuses teaches nothing, nor does another route.
        for _ in range(5):
            self.assertEqual(self.moat.request('POST', '/api/orders', json={'sku': 1, 'evil': True}).status, 422)
            self.assertEqual(self.moat.request('GET', '/api/nothing').status, 404)
            self.assertEqual(self.moat.request('GET', '/plain').status, 200)
        folder = pathlib.Path(tempfile.mkdtemp(prefix='moat-e2e-'))
        self.addCleanup(shutil.rmtree, folder, True)
        text = proposal(self.moat, requests=24)
        self.assertTrue(text.startswith("# Route '/api/*'.\n# A proposal, learned from 24 requests"), text)
        self.assertIn('A person must read it', text)
        paths = re.findall(r'(?m)^  (/\S*):$', text)
        self.assertEqual(paths, ['/api/contact', '/api/orders', '/api/orders/{orderId}',
                                 '/api/users/{userId}/avatar'])
        for value in ('A-1', 'ann1', 'example.com', 'Hello', 'x y', 'done', 'evil', str(uuid.UUID(int=1))):
            self.assertNotIn(value, text)
        file = folder / 'openapi.yaml'
        done = moat_command('schema', 'learn', '--data', self.moat.data / 'data', '--out', file)
        self.assertEqual((done.returncode, file.read_text()), (0, text), done.stderr)
        again = moat_command('schema', 'learn', '--data', self.moat.data / 'data', '--out', file)
        self.assertEqual(again.returncode, 1)
        self.assertIn('is there already', again.stderr)
        checked = moat_command('schema', 'check', file)
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertIn('is good: 6 operations.', checked.stdout)
        self.assertIn('POST /api/orders\n    body: application/json, required\n', checked.stdout)
        enforced = harness.Moat(self.backend.url, f'[[route]]\nmatch = "/api/*"\nschema = "{file}"\n'
                                f'schema_responses = "enforce"\n[[route]]\nmatch = "/*"\n' + MANY)
        self.addCleanup(enforced.stop)
        self.assertEqual(traffic(enforced), EXPECTED)
        good = {'sku': 'B', 'count': 2, 'gift': True, 'lines': []}
        self.assertEqual(enforced.request('POST', '/api/orders', json=good).status, 201)
        attacks = [('POST', '/api/orders', {**good, 'admin': True}, 422),
                   ('POST', '/api/orders', {**good, 'count': '2'}, 422),
                   ('POST', '/api/orders', {**good, 'lines': [{'n': 1, 'text': 'x', 'price': 0}]}, 422),
                   ('POST', '/api/orders', {**good, 'sku': {'$gt': ''}}, 422),
                   ('POST', '/api/orders', {'sku': 'B'}, 422),
                   ('GET', '/api/orders?limit=10&tag=a&debug=1', None, 400),
                   ('GET', '/api/orders?limit=ten&tag=a', None, 400),
                   ('GET', '/api/orders/1%27%20or%201=1', None, 400),
                   ('GET', '/api/users/me/avatar', None, 400),
                   ('GET', '/api/admin', None, 404),
                   ('PUT', '/api/orders/1', None, 405)]
        seen = len(self.backend.requests)
        for method, path, body, status in attacks:
            answer = enforced.request(method, path, json=body)
            self.assertEqual(answer.status, status, (method, path, body, answer))
        self.assertEqual(len(self.backend.requests), seen)


class Shadow(harness.Case):
    backend_class = Shop
    config = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix='moat-e2e-')
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        file = pathlib.Path(cls.folder) / 'old.yaml'
        file.write_text("openapi: 3.1.0\ninfo: {title: Old, version: '1'}\npaths:\n  /api/orders:\n    post:\n"
                        '      requestBody: {content: {application/json: {schema: {type: object}}}}\n'
                        "      responses: {'201': {description: made, content: {application/json: {}}}}\n")
        cls.config = (f'[[route]]\nmatch = "/*"\nschema = "{file}"\nschema_mode = "shadow"\n'
                      'schema_responses = "shadow"\n' + MANY)
        super().setUpClass()

    def test_what_is_not_described_is_learned(self):
        self.assertEqual(traffic(self.moat), EXPECTED)
        text = proposal(self.moat, requests=24)
        self.assertEqual(re.findall(r'(?m)^  (/\S*):$', text),
                         ['/api/contact', '/api/orders', '/api/orders/{orderId}', '/api/users/{userId}/avatar'])
        # Its answers are still judged, and learned from.
        self.assertRegex(text, r'"201":\n +description: .*\n +content:\n +application/json:\n +schema:')


class Bodies(harness.Case):
    backend_class = Shop
    config = LEARN

    def upload(self, body, chunked, piece):
        head = f'PUT /api/upload HTTP/1.1\r\nHost: localhost:{self.moat.https_port}\r\n' \
               'Content-Type: application/json\r\nConnection: close\r\n'
        with self.moat.connect() as peer:
            if chunked:
                peer.sendall((head + 'Transfer-Encoding: chunked\r\n\r\n').encode())
                for i in range(0, len(body), piece):
                    part = body[i:i + piece]
                    peer.sendall(b'%x\r\n%s\r\n' % (len(part), part))
                peer.sendall(b'0\r\n\r\n')
            else:
                peer.sendall((head + f'Content-Length: {len(body)}\r\n\r\n').encode())
                for i in range(0, len(body), piece):
                    peer.sendall(body[i:i + piece])
            answer = b''
            while more := peer.recv(65536):
                answer += more
        self.assertIn(b'"size": %d' % len(body), answer)

    def test_bodies_that_come_in_pieces(self):
        body = b'{"title": "a b", "size": 12, "parts": [1.5]}'
        total = 0
        for chunked in (False, True):
            for piece in (1, 7, 1000):
                self.upload(body, chunked, piece)
                total += 1
        # 64 KiB and one byte more; and far more than is kept. All of it reaches the backend.
        for size in (65536, 65537, 400_000):
            filler = b'{"title": "", "size": 1, "parts": [], "large_%d": 1}' % (size % 10)
            self.upload(filler.replace(b'""', b'"' + b'x' * (size - len(filler)) + b'"'), False, 16384)
            total += 1
        text = proposal(self.moat, requests=total)
        schema = text[text.index('  /api/upload:'):]
        self.assertIn('            schema:\n              type: object\n              properties:\n'
                      '                parts:\n                  type: array\n                  items:\n'
                      '                    type: number\n                size:\n                  type: integer\n'
                      '                title:\n                  type: string\n', schema)
        self.assertIn(f'Seen in {total} requests.', schema)

    def test_http2_is_learned_from(self):
        for _ in range(3):
            done = subprocess.run(['curl', '-sS', '--http2', '--max-time', '30', '--cacert', str(self.moat.ca_file()),
                                   f'{self.moat.origin}/api/orders/5'], capture_output=True, text=True, check=False)
            self.assertEqual(done.stdout, '{"id": 5, "sku": "A"}', done.stderr)
        harness.wait_until(lambda: '/api/orders/{orderId}:' in moat_command(
            'schema', 'learn', '--data', self.moat.data / 'data').stdout, what='the operation')


class Answers(harness.Case):
    backend_class = Shop
    config = LEARN

    def test_answers_that_do_not_fit_a_buffer(self):
        """Of 1 KiB, of some 40 KiB, which are read in several pieces, and of more than is kept."""
        for count in (20, 700, 5000):
            answer = self.moat.request('GET', f'/api/list?count={count}')
            self.assertEqual((answer.status, len(answer.json())), (200, count))
        def learned():
            text = moat_command('schema', 'learn', '--data', self.moat.data / 'data').stdout
            return '  /api/list:' in text and text[text.index('  /api/list:'):]
        text = harness.wait_until(learned, what='the operation')
        self.assertEqual(re.findall(r'"200":\n +description: "Seen in (\d) requests."\n +content:\n +(\S+)',
                                    text.split('\n  /')[0]), [('3', 'application/json:')])
        # Two of three could be read, which is too seldom; the third is.
        self.assertNotIn('title', text.split('\n  /')[0])
        self.moat.request('GET', '/api/list?count=700')
        harness.wait_until(lambda: 'title' in learned().split('\n  /')[0], what='the members')


class Operator(harness.Case):
    backend_class = Shop
    config = LEARN

    def learn(self, *options):
        return moat_command('schema', 'learn', '--data', self.moat.data / 'data', *options)

    def test_1_says_what_is_missing(self):
        early = self.learn()
        self.assertEqual(early.returncode, 1)
        self.assertIn('nothing has been seen often enough yet', early.stderr)
        other = self.learn('--route', '/*')
        self.assertEqual(other.returncode, 1)
        self.assertIn("these are: '/api/*'", other.stderr)
        over_tcp = self.moat.request('POST', '/schema/learn', port=self.moat.admin_port, tls=False,
                                     headers={'Host': f'localhost:{self.moat.admin_port}'})
        self.assertEqual(over_tcp.status, 404)

    def test_2_a_reload_keeps_what_was_learned(self):
        for i in range(3):
            self.assertEqual(self.moat.request('GET', f'/api/orders/{i}').status, 200)
        proposal(self.moat, requests=3)
        path = self.moat.data / 'moat.toml'
        path.write_text(LEARN + '[log]\nlevel = "debug"\n')
        self.assertEqual(moat_command('reload', '--data', self.moat.data / 'data').returncode, 0)
        self.assertIn('learned from 3 requests', proposal(self.moat, '--route', '/api/*'))
        # A route that learns no more forgets.
        path.write_text(LEARN.replace('schema_learn = true', ''))
        self.assertEqual(moat_command('reload', '--data', self.moat.data / 'data').returncode, 0)
        harness.wait_until(lambda: 'no route is learned from' in self.learn().stderr, what='the learner being gone')

    def test_check_says_which_route_is_learned_from(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix='moat-e2e-'))
        self.addCleanup(shutil.rmtree, folder, True)
        config = folder / 'moat.toml'

        def check(text):
            config.write_text(text)
            return moat_command('check', '--config', config, '--data', folder / 'data')
        good = check('backend = "http://127.0.0.1:1"\nschema_learn = true\n')
        self.assertEqual(good.returncode, 0, good.stderr)
        self.assertIn("Route '/*' is learned from: `moat schema learn`", good.stdout)
        self.assertIn('No practice is weakened.', good.stdout)
        self.assertNotIn('is learned from', check('backend = "http://127.0.0.1:1"\n').stdout)
        document = folder / 'openapi.yaml'
        document.write_text("openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {/a: {get: {responses: {}}}}\n")
        bad = check(f'backend = "http://127.0.0.1:1"\nschema = "{document}"\nschema_learn = true\n')
        self.assertEqual(bad.returncode, 1)
        self.assertIn('has nothing to learn', bad.stderr)
        shadow = check(f'backend = "http://127.0.0.1:1"\nschema = "{document}"\nschema_mode = "shadow"\n')
        self.assertIn("Route '/*' is learned from", shadow.stdout)

    def test_schema_check_names_the_line(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix='moat-e2e-'))
        self.addCleanup(shutil.rmtree, folder, True)
        document = folder / 'openapi.yaml'
        document.write_text("openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths:\n  /a/{id}:\n    get:\n"
                            '      responses: {}\n')
        done = moat_command('schema', 'check', document)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, re.escape(str(document)) + r':[56]: .*id')
        missing = moat_command('schema', 'check', folder / 'none.yaml')
        self.assertEqual(missing.returncode, 1)
        self.assertIn('there is no such file', missing.stderr)
        self.assertEqual(moat_command('schema', 'check').returncode, 1)
        for words in (('schema',), ('schema', 'lern'), ('schema', 'learn', 'x')):
            self.assertEqual(moat_command(*words).returncode, 1)
        self.assertIn('--route PATTERN', moat_command('schema', 'learn', '--help').stdout)


if __name__ == '__main__':
    harness.main()
