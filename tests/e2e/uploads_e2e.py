# SPDX-License-Identifier: Apache-2.0
"""Routes with an OpenAPI document: what is uploaded is what it says it is, or reaches no backend."""
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import harness
import wire

LIMITS = '[limits]\ndefault = "1000000/min/ip burst 100000"\n'
DOCUMENT = """
openapi: 3.1.0
info: {title: Uploads, version: '1'}
paths:
  /photo:
    put: &put
      requestBody: {required: true, content: {image/png: {}, video/*: {}, text/csv: {}, application/octet-stream: {}}}
      responses: {default: {description: it}}
  /form:
    post:
      requestBody:
        required: true
        content:
          multipart/form-data:
            schema:
              type: object
              properties:
                title: {type: string}
                photo: {type: string, format: binary}
                more: {type: string, format: binary}
            encoding:
              photo: {contentType: image/png}
              more: {contentType: 'application/pdf, image/*'}
      responses: {default: {description: it}}
"""
PNG = b'\x89PNG\r\n\x1a\n\0\0\0\rIHDR' + bytes(40)
HTML = b'<!DOCTYPE html><script>alert(1)</script>'
PDF = b'%PDF-1.7\n%\xe2\xe3\xcf\xd3\n'


def part(name, file_name, kind, content):
    return b'--b\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\nContent-Type: %s\r\n\r\n%s\r\n' % (
        name.encode(), file_name.encode(), kind.encode(), content)


def form(*parts):
    return b''.join(parts) + b'--b--\r\n'


class Uploads(unittest.TestCase):
    def start(self, settings=''):
        place = tempfile.TemporaryDirectory(prefix='moat-e2e-')
        self.addCleanup(place.cleanup)
        document = pathlib.Path(place.name) / 'uploads.yaml'
        document.write_text(DOCUMENT)
        self.backend = wire.Backend({'/photo': self.keep, '/form': self.keep})
        self.addCleanup(self.backend.stop)
        self.moat = harness.Moat(self.backend.url, f'schema = "{document}"\n{settings}\n{LIMITS}')
        self.addCleanup(lambda: self.assertEqual(self.moat.stop(), 0, self.moat.output[-3000:]))

    @staticmethod
    def keep(peer, got):
        got.body = peer.body(got.fields)
        peer.send(wire.ok())

    def put(self, kind, body):
        return self.moat.request('PUT', '/photo', body=body, headers={'Content-Type': kind})

    def post(self, *parts):
        return self.moat.request('POST', '/form', body=form(*parts), headers={'Content-Type': 'multipart/form-data; boundary=b'})

    def check(self):
        done = subprocess.run([self.moat.process.args[0], 'check', '--config', str(self.moat.data / 'moat.toml'), '--to', self.moat.to],
                              capture_output=True, text=True)
        return done.stdout + done.stderr

    def test_a_file_that_is_no_picture_reaches_no_backend(self):
        self.start()
        answer = self.post(part('photo', 'a.png', 'image/png', HTML))
        self.assertEqual((answer.status, answer.header('content-type')), (422, 'application/problem+json'))
        said = answer.json()
        self.assertEqual((said['code'], said['errors']),
                         ('schema_body', [{'in': 'body', 'pointer': '#/photo', 'keyword': 'file',
                                           'detail': 'is no PNG image: it begins as a page in HTML'}]))
        for name, kind, content in (('a.png', 'image/png', b'GIF89a'), ('a.png', 'image/png', b''), ('a.png', 'image/png', PNG[:7]),
                                    ('a.html', 'image/png', PNG), ('a.php', 'image/png', PNG), ('a.php.png', 'image/png', PNG),
                                    ('a.png.HTML. ', 'image/png', PNG), ('a.svg', 'image/png', PNG)):
            with self.subTest(name, content=content[:8]):
                answer = self.post(part('photo', name, kind, content))
                self.assertEqual((answer.status, answer.json()['errors'][0]['pointer']), (422, '#/photo'))
        answer = self.post(part('more', 'a.pdf', 'application/pdf', b'\n' + PDF))
        self.assertEqual(answer.json()['errors'][0]['detail'], 'is no PDF document: its first bytes are something else')
        text = b'--b\r\nContent-Disposition: form-data; name="photo"\r\n\r\n%s\r\n' % HTML
        self.assertEqual(self.post(text).json()['errors'][0]['detail'], 'must be a file of another type')
        self.assertEqual(self.backend.requests, [])
        # The twins, and the field that nobody has filled in.
        good = (part('photo', 'A.PNG', 'image/png', PNG), part('more', 'a.pdf', 'application/pdf', PDF))
        for parts in (good, good[:1], good[1:], (part('photo', '', 'application/octet-stream', b''), good[1]),
                      (part('photo', 'photo', 'image/png', PNG), part('more', 'a.gif', 'image/gif', b'GIF89a'))):
            self.assertEqual(self.post(*parts).status, 200)
            self.assertEqual(self.backend.requests[-1].body, form(*parts))
        self.assertTrue(any('"refused"' in line and 'body /photo: is no PNG image' in line for line in self.moat.lines), self.moat.output)

    def test_a_body_that_is_no_picture_reaches_no_backend(self):
        self.start()
        answer = self.put('image/png', HTML)
        self.assertEqual((answer.status, answer.json()['errors']),
                         (422, [{'in': 'body', 'pointer': '#', 'keyword': 'file',
                                 'detail': 'is no PNG image: it begins as a page in HTML'}]))
        for kind, content in (('image/png', b'GIF89a'), ('image/png', PNG[:7]), ('IMAGE/PNG; charset=x', HTML),
                              ('image/png', b'\xff' * 200_000), ('video/mp4', b'\0\0\0\x10ftypqt  \0\0\0\0'),
                              ('text/csv', b'a\0b'), ('text/csv', b'<script >'), ('text/csv', PNG)):
            with self.subTest(kind, content=content[:8]):
                self.assertEqual(self.put(kind, content).status, 422)
        answer = self.moat.request('PUT', '/photo', body=PNG, headers={'Content-Type': 'image/png', 'Content-Encoding': 'gzip'})
        self.assertEqual(answer.status, 415)
        self.assertEqual(self.backend.requests, [])
        for kind, content in (('image/png', PNG), ('image/png; charset=x', PNG + bytes(1_000_000)), ('application/octet-stream', HTML),
                              ('video/mp4', b'\0\0\0\x10ftypisom\0\0\0\0'), ('video/x-unknown', HTML),
                              ('text/csv', b'\xef\xbb\xbfa;b\r\n' + 'ä;1\r\n'.encode() * 50_000)):
            with self.subTest(kind, content=content[:8]):
                self.assertEqual(self.put(kind, content).status, 200)
                self.assertEqual(self.backend.requests[-1].body, content)

    def head(self, *more):
        return wire.request('PUT', '/photo', *more).replace(b'Host: localhost', b'Host: localhost:%d' % self.moat.https_port)

    def test_it_does_not_matter_how_it_comes(self):
        self.start()
        # One byte a chunk, and the first chunk ends at each place.
        sizes = (1, *range(2, 17), 1444, 1445, 1446)
        long = PNG + bytes(3000)
        for content, status in ((long, 200), (HTML + bytes(3000), 422)):
            for size in sizes:
                with wire.Wire(self.moat.connect()) as peer:
                    peer.send(self.head('Content-Type: image/png', 'Transfer-Encoding: chunked') + wire.chunked(content, size))
                    self.assertEqual(peer.answer().status, status, size)
                if status == 200:
                    got = self.backend.requests[-1]
                    self.assertEqual((got.body, got.field('transfer-encoding')), (content, 'chunked'))
        # One write a byte of what decides.
        for content, status in ((PNG, 200), (b'\x89PNG\r\n\x1a\x0b' + PNG, 422)):
            with wire.Wire(self.moat.connect()) as peer:
                peer.send(self.head('Content-Type: image/png', f'Content-Length: {len(content)}'))
                for byte in content:
                    peer.send(bytes((byte,)))
                self.assertEqual(peer.answer().status, status)
        self.assertEqual(self.backend.requests[-1].body, PNG)
        # A chunked one of nothing.
        before = len(self.backend.requests)
        with wire.Wire(self.moat.connect()) as peer:
            peer.send(self.head('Content-Type: image/png', 'Transfer-Encoding: chunked') + b'0\r\n\r\n')
            self.assertEqual(peer.answer().status, 422)
        self.assertEqual(len(self.backend.requests), before)

    def test_a_large_head_beside_tiny_chunks_hides_nothing(self):
        self.start()
        filler = [f'X-Filler-{i}: {"x" * 1000}' for i in range(14)]
        before = len(self.backend.requests)
        for content, passes in ((PNG + bytes(3000), (200, 422)), (HTML + bytes(3000), (422,))):
            with wire.Wire(self.moat.connect()) as peer:
                peer.send(self.head('Content-Type: image/png', 'Transfer-Encoding: chunked', *filler) + wire.chunked(content, 1))
                self.assertIn(peer.answer().status, passes)
        self.assertLessEqual(len(self.backend.requests), before + 1)

    def test_a_body_streams_as_soon_as_its_beginning_is_there(self):
        self.start()
        content = PNG + bytes(1500)
        with wire.Wire(self.moat.connect()) as peer:
            peer.send(self.head('Content-Type: image/png', f'Content-Length: {len(content) + 5}') + content)
            harness.wait_until(lambda: self.backend.requests, 10, 'the backend to see what began')
            peer.send(b'later')
            self.assertEqual(peer.answer().status, 200)
        self.assertEqual(self.backend.requests[-1].body, content + b'later')

    def test_who_waits_for_100_is_told_to_go_on_and_judged_then(self):
        self.start()
        for content, status in ((PNG, 200), (HTML, 422)):
            with wire.Wire(self.moat.connect()) as peer:
                peer.send(self.head('Content-Type: image/png', f'Content-Length: {len(content)}', 'Expect: 100-continue'))
                self.assertEqual(peer.until(b'\r\n\r\n'), b'HTTP/1.1 100 Continue')
                peer.send(content)
                self.assertEqual(peer.answer().status, status)

    def test_the_connection_goes_on(self):
        self.start()
        with wire.Wire(self.moat.connect()) as peer:
            for content, status in ((HTML, 422), (PNG, 200), (b'', 400), (PNG, 200)):
                peer.send(self.head('Content-Type: image/png', f'Content-Length: {len(content)}') + content)
                self.assertEqual(peer.answer().status, status)
        self.assertEqual([r.body for r in self.backend.requests], [PNG, PNG])

    def test_over_http2(self):
        if not shutil.which('curl'):
            self.skipTest('no curl')
        self.start()
        def curl(*arguments, data=None):
            done = subprocess.run(['curl', '-sS', '--http2', '--cacert', str(self.moat.ca_file()), '-o', '/dev/null',
                                   '-w', '%{http_code} %{http_version}', *arguments], capture_output=True, check=True, input=data)
            return done.stdout.decode()
        place, kind = f'{self.moat.origin}/photo', ('-X', 'PUT', '-H', 'Content-Type: image/png', '--data-binary', '@-')
        self.assertEqual(curl(place, *kind, data=PNG + bytes(100_000)), '200 2')
        self.assertEqual(curl(place, *kind, data=HTML + bytes(100_000)), '422 2')
        with tempfile.TemporaryDirectory(prefix='moat-e2e-') as folder:
            for name, content, status in (('a.png', PNG, 200), ('b.png', HTML, 422), ('c.html', PNG, 422)):
                (pathlib.Path(folder) / name).write_bytes(content)
                self.assertEqual(curl(f'{self.moat.origin}/form', '-F', f'photo=@{folder}/{name};type=image/png'), f'{status} 2')
        self.assertEqual(len(self.backend.requests), 2)

    def test_a_route_may_let_them_through_by_an_ugly_name(self):
        self.start('allow_mismatched_uploads = true\n')
        self.assertEqual(self.put('image/png', HTML).status, 200)
        self.assertEqual(self.post(part('photo', 'a.html', 'image/png', HTML)).status, 200)
        self.assertEqual(self.post(part('photo', 'a.html', 'text/html', HTML)).status, 422)  # of another type than is expected
        self.assertRegex(self.check(), r'weakened: practice 2: .* are not what their media type says \(allow_mismatched_uploads = true\)')

    def test_shadow_lets_them_pass_and_tells(self):
        self.start('schema_mode = "shadow"\n')
        self.assertNotIn('allow_mismatched_uploads', self.check())
        self.assertEqual(self.put('image/png', HTML + bytes(100_000)).status, 200)
        self.assertEqual(self.backend.requests[-1].body, HTML + bytes(100_000))
        self.assertEqual(self.post(part('photo', 'a.png', 'image/png', HTML)).status, 200)
        self.assertEqual(self.put('image/png', PNG).status, 200)
        metrics = self.moat.request('GET', '/metrics', tls=False, port=self.moat.admin_port).text
        self.assertEqual(re.findall(r'moat_schema_would_refuse_total\{route="/\*",code="(\w+)"\} (\d+)', metrics), [('schema_body', '2')])
        said = [json.loads(line) for line in self.moat.lines if 'schema_would_refuse' in line]
        self.assertEqual(said[0]['reason'], 'body: is no PNG image: it begins as a page in HTML')


if __name__ == '__main__':
    harness.main()
