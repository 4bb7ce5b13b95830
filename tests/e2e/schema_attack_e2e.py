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
  /orders/{name}:
    get:
      parameters: [{name: name, in: path, required: true, schema: {type: string}}]
      responses: {'200': {description: it}}
"""


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
        out = []
        with self.moat.connect() as peer:
            peer.sendall(data)
            for _ in range(count):
                response = http.client.HTTPResponse(peer)
                response.begin()
                response.read()
                out.append(response.status)
        return out


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


if __name__ == '__main__':
    harness.main()
