# SPDX-License-Identifier: Apache-2.0
"""What browsers report of a policy: the collector, its limits, and what an operator sees of it."""
import json
import os
import re
import subprocess

import harness

PATH = '/.well-known/moat/reports'
LIST = 'application/reports+json'
OLD = 'application/csp-report'
ROUTES = '''
[[route]]
match = "/shop/*"
csp = "enforce"
csp_policy = "default-src 'self'; img-src *"
[[route]]
match = "/off/*"
csp = "off"
[[route]]
match = "/*"
'''


class Pages(harness.Echo):
    """A backend of pages without headers; what it is asked for is kept in `requests`, as an Echo's."""

    def _handler(echo):
        class Handler(super()._handler()):
            def answer(self):
                with echo._lock:
                    echo.requests.append({'method': self.command, 'path': self.path})
                self.rfile.read(int(self.headers.get('Content-Length') or 0))
                text = b'<!doctype html><title>a page</title><script>document.title = "x"</script>'
                self.send_response(200)
                self.send_header('Content-Type', 'text/html; charset=utf-8')
                if self.path.startswith('/own'):
                    self.send_header('Content-Security-Policy', "default-src 'self'; report-uri /mine")
                if self.path.startswith('/endpoints'):
                    self.send_header('Reporting-Endpoints', 'default="/mine"')
                self.send_header('Content-Length', str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_HEAD = do_POST = do_OPTIONS = do_PUT = answer

        return Handler


def violation(page, blocked='https://cdn.example/lib.js?key=secret', directive='script-src-elem', **more):
    return {'type': 'csp-violation', 'age': 5, 'url': page, 'user_agent': 'a browser', 'body': {
        'documentURL': page, 'referrer': '', 'blockedURL': blocked, 'effectiveDirective': directive,
        'originalPolicy': "default-src 'self'", 'sourceFile': page, 'sample': '', 'disposition': 'report',
        'statusCode': 200, 'lineNumber': 3, 'columnNumber': 9, **more}}


class Case(harness.Case):
    backend_class = Pages
    config = ROUTES

    def send(self, body, kind=LIST, source=None, **headers):
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        body = body.encode() if isinstance(body, str) else body
        return self.moat.request('POST', PATH, body=body, source=source, headers={
            'Content-Type': kind, 'Content-Length': str(len(body)), **headers})

    def page(self, path='/'):
        return self.moat.origin + path

    def assert_problem(self, answer, status, code):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.header('content-type'), 'application/problem+json')
        self.assertEqual(answer.json()['code'], code)

    def operator(self):
        done = subprocess.run([os.environ['MOAT_BIN'], 'reports', '--data', self.moat.data / 'data'],
                              capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def metrics(self):
        answer = self.moat.request('GET', '/metrics', port=self.moat.admin_port, tls=False,
                                   headers={'Host': f'localhost:{self.moat.admin_port}'})
        return answer.text


class Collector(Case):
    def test_a_list_is_taken(self):
        answer = self.send([violation(self.page('/shop/a?token=hidden#x'), blocked='https://list.example/x?k=hidden'),
                            {'type': 'deprecation', 'url': self.page(), 'body': {'id': 'OldThing'}}], source='127.0.1.1')
        self.assertEqual((answer.status, answer.body), (204, b''))
        self.assertEqual(answer.all('set-cookie'), [])
        shown = self.operator()
        self.assertRegex(shown, r'(?m)^COUNT  LAST SEEN +ROUTE +WHAT +BLOCKED +MODE +PAGE +BY$')
        self.assertRegex(shown, r'(?m)^ +1  \S+Z  /shop/\* +script-src-elem +https://list\.example +report +/shop/a +'
                                r'https://localhost:\d+/shop/a:3:9$')
        self.assertRegex(shown, r'(?m)/\* +deprecation +oldthing')
        self.assertNotIn('hidden', shown)
        self.assertNotIn('hidden', self.moat.output)
        self.assertIn('moat_browser_reports_total{type="deprecation"} 1', self.metrics())
        mine = harness.wait_until(
            lambda: [json.loads(line) for line in self.moat.lines
                     if '"browser_report"' in line and 'https://list.example' in line], what='a line in the log')
        self.assertEqual([(line['route'], line['directive'], line['disposition']) for line in mine],
                         [('/shop/*', 'script-src-elem', 'report')])

    def test_one_of_report_uri_is_taken(self):
        report = {'csp-report': {'document-uri': self.page('/x'), 'violated-directive': 'style-src',
                                 'effective-directive': 'style-src', 'disposition': 'enforce',
                                 'blocked-uri': 'inline', 'original-policy': 'x'}}
        self.assertEqual(self.send(report, OLD, source='127.0.1.2').status, 204)
        self.assertIn('moat_browser_reports_total{type="csp-violation",directive="style-src",disposition="enforce"} 1',
                      self.metrics())
        self.assertRegex(self.operator(), r'(?m)/\* +style-src +inline +enforce +/x')

    def test_over_http2_too(self):
        done = subprocess.run(['curl', '-sS', '--http2', '--max-time', '60', '--cacert', str(self.moat.ca_file()),
                               '-w', '%{http_code} %{http_version}', '-H', f'Content-Type: {LIST}', '--data-binary',
                               json.dumps([violation(self.page(), 'https://second.example')]), self.page(PATH)],
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, '204 2'), done.stderr)
        self.assertIn('https://second.example', self.operator())

    def test_whoever_sends_it_and_with_what_cookies(self):
        for headers in ({'Sec-Fetch-Site': 'cross-site', 'Origin': 'https://evil.example'}, {'Origin': 'null'},
                        {'Cookie': '__Host-Http-at=x; __Host-Http-rt=y'}, {'Authorization': 'Bearer moat_at_x'}):
            answer = self.send([], source='127.0.1.3', **headers)
            self.assertEqual((answer.status, answer.all('set-cookie')), (204, []), headers)

    def test_what_is_no_report_is_refused(self):
        for body in ('', '{', '{}', '[1]', '[{}]', 'null', '[{"type":"crash","type":"crash"}]', b'[{"type":"\xff"}]'):
            self.assert_problem(self.send(body, source='127.0.1.4'), 400, 'bad_report')
        for body in ('[]', '{}', '{"csp-report":[]}'):
            self.assert_problem(self.send(body, OLD, source='127.0.1.4'), 400, 'bad_report')
        for kind in ('application/json', 'text/plain', 'multipart/form-data', ''):
            self.assert_problem(self.send('[]', kind, source='127.0.1.4'), 415, 'unsupported_media_type')

    def test_methods_other_than_post(self):
        for method in ('GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'):
            answer = self.moat.request(method, PATH, source='127.0.1.5', headers={
                'Origin': 'https://other.example', 'Access-Control-Request-Method': 'POST'})
            self.assertEqual((answer.status, answer.header('allow')), (405, 'POST'), method)
            self.assertIsNone(answer.header('access-control-allow-origin'))

    def test_limits_are_inclusive(self):
        source = '127.0.1.6'
        report = {'type': 'crash', 'url': self.page()}
        self.assertEqual(self.send([report] * 100, source=source).status, 204)
        self.assert_problem(self.send([report] * 101, source=source), 400, 'bad_report')
        whole = '[]' + ' ' * (256 * 1024 - 2)
        self.assertEqual(self.send(whole, source=source).status, 204)
        self.assert_problem(self.send(whole + ' ', source=source), 413, 'body_too_large')
        deep = [{'type': 'x', 'body': {'a': [[[[[]]]]]}}]
        self.assertEqual(self.send(deep, source=source).status, 204)
        self.assert_problem(self.send([{'type': 'x', 'body': {'a': [[[[[[]]]]]]}}], source=source), 400, 'bad_report')
        chunked = (f'POST {PATH} HTTP/1.1\r\nHost: localhost:{self.moat.https_port}\r\nContent-Type: {LIST}\r\n'
                   'Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n').encode()
        self.assertIn(b'HTTP/1.1 204', self.moat.raw(chunked + b'2\r\n[]\r\n0\r\n\r\n'))
        self.assertIn(b'HTTP/1.1 413', self.moat.raw(chunked + b'40001\r\n' + b' ' * 0x40001 + b'\r\n0\r\n\r\n'))

    def test_the_backend_sees_none_of_it(self):
        self.send([], source='127.0.1.7')
        self.moat.request('GET', PATH, source='127.0.1.7')
        self.assertEqual(self.backend.seen(PATH), [])

    def test_nothing_is_taken_in_the_clear(self):
        answer = self.moat.request('POST', PATH, tls=False, body=b'[]', headers={'Content-Type': LIST})
        self.assertEqual(answer.status, 403)

    def test_another_host_is_421(self):
        self.assert_problem(self.send([], Host='other.example', source='127.0.1.8'), 421, 'unknown_host')

    def test_documents_of_others_are_counted_alone(self):
        before = int(re.search(r'reports_foreign_total (\d+)', self.metrics())[1])
        pages = ['https://elsewhere.example/', 'not an address', '', self.page().replace('localhost', 'localhost.evil')]
        answer = self.send([violation(page, 'https://foreign.example') for page in pages], source='127.0.1.9')
        self.assertEqual(answer.status, 204)
        self.assertEqual(int(re.search(r'reports_foreign_total (\d+)', self.metrics())[1]), before + len(pages))
        self.assertNotIn('foreign.example', self.operator())

    def test_what_a_stranger_writes_cannot_play_with_the_terminal(self):
        self.send([violation(self.page('/\x1b[2J\n/%0d'), 'https://bad\x1b]0;x\x07.example', 'no such\ndirective')],
                  source='127.0.1.10')
        shown = self.operator()
        self.assertNotIn('\x1b', shown)
        self.assertIn('https://bad%1B]0;x%07.example', shown)
        self.assertIn('/%1B[2J%0A/%0d', shown)


class Flood(Case):
    def test_a_flood_is_429_and_no_line_in_the_log(self):
        for _ in range(60):
            self.assertEqual(self.send([], source='127.0.2.1').status, 204)
        refused = [self.send([], source='127.0.2.1') for _ in range(20)]
        # One a second comes back meanwhile.
        answers = [answer for answer in refused if answer.status == 429]
        self.assertGreater(len(answers), 10)
        self.assert_problem(answers[0], 429, 'rate_limited')
        self.assertRegex(answers[0].header('retry-after'), r'^\d+$')
        # Another refusal is logged, and of all those before it nothing was.
        self.assertEqual(self.send('[]', 'text/plain', source='127.0.2.4').status, 415)
        harness.wait_until(lambda: 'unsupported_media_type' in self.moat.output, what='a line in the log')
        self.assertNotIn('rate_limited', self.moat.output)
        self.assertRegex(self.metrics(), r'moat_refused_total\{route="\(moat\)",practice="5",step="limit",'
                                         r'code="rate_limited"\} \d+')
        # Neither another address nor what else this one asks for is touched.
        self.assertEqual(self.send([], source='127.0.2.2').status, 204)
        self.assertEqual(self.moat.request('GET', '/', source='127.0.2.1').status, 200)

    def test_many_different_ones_are_few_lines_and_a_bounded_table(self):
        page = self.page()
        for i in range(3):
            reports = [violation(page, f'https://n{i}-{j}.example') for j in range(100)]
            self.assertEqual(self.send(reports, source='127.0.2.3').status, 204)
        lines = [line for line in self.moat.lines if '"browser_report"' in line]
        self.assertLessEqual(len(lines), 40)  # twenty a minute, and this took less than two
        shown = self.operator()
        self.assertEqual(shown.count('https://n'), 64)
        self.assertIn('https://n2-99.example', shown)
        self.assertNotIn('https://n0-0.example', shown)


class NoAccounts(Case):
    config = '[accounts]\nenabled = false\n' + ROUTES

    def test_the_collector_is_there_without_accounts(self):
        self.assertEqual(self.send([violation(self.page('/shop/b'))]).status, 204)
        self.assertEqual(self.backend.seen(PATH), [])
        self.assertIn('/shop/*', self.operator())

    def test_what_else_is_below_that_folder_is_the_backends(self):
        self.moat.request('GET', '/.well-known/moat/jwks.json')
        self.assertEqual(len(self.backend.seen('/.well-known/moat/jwks.json')), 1)


class Policies(Case):
    END = f'; report-to moat; report-uri {PATH}'
    STANDARD = ("default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
    ENDPOINT = f'moat="{PATH}"'

    def fields(self, path):
        answer = self.moat.request('GET', path)
        return [answer.all(name) for name in ('content-security-policy', 'content-security-policy-report-only',
                                              'reporting-endpoints')]

    def test_a_page_without_a_policy_gets_the_standard_one_reported(self):
        self.assertEqual(self.fields('/'), [[], [self.STANDARD + self.END], [self.ENDPOINT]])

    def test_a_route_has_its_own(self):
        self.assertEqual(self.fields('/shop/'), [["default-src 'self'; img-src *" + self.END], [], [self.ENDPOINT]])

    def test_off_adds_nothing(self):
        self.assertEqual(self.fields('/off/'), [[], [], []])

    def test_the_backends_own_stays_as_it_is(self):
        self.assertEqual(self.fields('/own'), [["default-src 'self'; report-uri /mine"], [], []])

    def test_endpoints_of_the_backend_stay(self):
        self.assertEqual(self.fields('/endpoints'),
                         [[], [self.STANDARD + self.END], ['default="/mine"', self.ENDPOINT]])

    def test_pages_of_moat_report_too(self):
        policy, only, endpoints = self.fields('/auth/login')
        self.assertTrue(policy[0].endswith(self.END), policy)
        self.assertEqual((only, endpoints), ([], [self.ENDPOINT]))
        self.send([violation(self.page('/auth/login'), 'inline', 'script-src-attr')])
        self.assertRegex(self.operator(), r'(?m)\(moat\) +script-src-attr +inline')


if __name__ == '__main__':
    harness.main()
