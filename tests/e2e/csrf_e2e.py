# SPDX-License-Identifier: Apache-2.0
"""Requests that another site forges, seen from outside: bearer tokens beside cookies, shadow mode, faults of
other libraries, and csurf's own tests replayed with live tokens."""
import itertools
import json
import os
import pathlib
import re
import tempfile
import time
import unittest
import urllib.parse

import harness
from accounts_e2e import ACCESS, PASSWORD, PRE_LOGIN, REFRESH, WIDE
from harness import header_of

EVIL = {'Origin': 'https://evil.example', 'Sec-Fetch-Site': 'cross-site'}
TOKEN_HEADERS = ('csrf-token', 'xsrf-token', 'x-csrf-token', 'x-xsrf-token')


numbers = itertools.count(1)


class Csrf(harness.Case):
    backend_class = harness.Echo
    env = WIDE

    def member(self):
        """A fresh account, as (client with its cookies, credentials, account)."""
        given = {'email': f'person{next(numbers)}@example.com', 'password': PASSWORD}
        client = self.moat.client()
        answer = client.post('/auth/signup', json=given)
        self.assertEqual(answer.status, 201, answer)
        return client, given, answer.json()

    def assert_problem(self, answer, status, code):
        self.assertEqual((answer.status, answer.header('content-type')), (status, 'application/problem+json'), answer)
        self.assertEqual(answer.json()['code'], code, answer)

    def lines(self, event, **wanted):
        found = [json.loads(line) for line in list(self.moat.lines) if f'"event":"{event}"' in line]
        return [entry for entry in found if all(entry.get(k) == v for k, v in wanted.items())]

    def line(self, event, **wanted):
        found = harness.wait_until(lambda: self.lines(event, **wanted), what=f'a line {event} with {wanted}')
        self.assertEqual(len(found), 1, found)
        return found[0]

    def metrics(self):
        return self.moat.request('GET', '/metrics', port=self.moat.admin_port, tls=False,
                                 headers={'Host': f'localhost:{self.moat.admin_port}'}).text

    def post(self, path, headers, cookies, **keywords):
        return self.moat.request('POST', path, headers=headers, cookies=cookies, **keywords)


class Bearer(Csrf):
    def told(self, headers, **keywords):
        client, _, account = self.member()
        cookies = {**client.cookies, 'theirs': '1'}
        answer = self.post('/api', headers, cookies, json={'a': 1}, **keywords)
        return answer, account, cookies

    def test_with_a_bearer_token_a_forged_request_passes_without_any_cookie(self):
        bearer = {'Authorization': 'Bearer of-the-backend'}
        for name, headers in (('foreign', EVIL), ('no browser', {}), ('null', {'Origin': 'null'})):
            with self.subTest(name):
                answer, account, cookies = self.told({**headers, **bearer})
                self.assertEqual(answer.status, 200, answer)
                self.assertEqual(answer.all('set-cookie'), [])
                said = answer.json()
                self.assertEqual(header_of(said, 'authorization'), ['Bearer of-the-backend'])
                self.assertEqual(header_of(said, 'cookie'), [], 'nor the cookies of the backend')
                self.assertEqual([k for k, _ in said['headers'] if k.startswith('x-moat')], [])
                self.assertNotIn(account['id'], answer.text)
        for headers in (EVIL, {}, {**EVIL, 'Authorization': 'Basic YTpi'}, {**EVIL, 'Authorization': 'Bearer '}):
            with self.subTest(headers):
                answer, _, _ = self.told(headers)
                self.assert_problem(answer, 403, 'csrf')

    def test_from_our_own_page_the_cookie_counts_beside_it(self):
        answer, account, _ = self.told({'Origin': self.moat.origin, 'Authorization': 'Bearer of-the-backend'})
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(header_of(answer.json(), 'x-moat-user'), [account['id']])
        self.assertEqual(header_of(answer.json(), 'cookie'), ['theirs=1'])
        self.assertEqual(header_of(answer.json(), 'authorization'), ['Bearer of-the-backend'])

    def test_it_opens_nothing_of_the_session(self):
        client, _, _ = self.member()
        for path in ('/auth/logout', '/auth/logout-all'):
            answer = self.post(path, {**EVIL, 'Authorization': 'Bearer x'}, client.cookies)
            self.assert_problem(answer, 403, 'csrf')
        self.assertEqual(client.get('/auth/me').status, 200)

    def test_a_stale_session_is_neither_refreshed_nor_ended_by_it(self):
        client, _, _ = self.member()
        only_refresh = {REFRESH: client.cookies[REFRESH]}
        answer = self.post('/api', {**EVIL, 'Authorization': 'Bearer x'}, only_refresh, json={})
        self.assertEqual((answer.status, answer.all('set-cookie')), (200, []))
        self.assertEqual(header_of(answer.json(), 'x-moat-user'), [])
        self.assertEqual(client.get('/auth/me').status, 200)


class Login(Csrf):
    config = '[[route]]\nmatch = "/*"\nlogin = "required"\n'

    def test_where_a_login_is_required_a_bearer_token_is_none(self):
        client, _, _ = self.member()
        answer = self.post('/api', {**EVIL, 'Authorization': 'Bearer x'}, client.cookies, json={})
        self.assert_problem(answer, 401, 'login_required')
        self.assertEqual(self.backend.seen('/api'), [])
        self.assertEqual(client.post('/api', json={}, headers={'Authorization': 'Bearer x'}).status, 200)
        self.assertEqual(len(self.backend.seen('/api')), 1)


class Shadow(Csrf):
    config = '''
[[route]]
match = "/enforced/*"
csrf = "enforce"
[[route]]
match = "/*"
[csrf]
mode = "report"
'''

    def test_nothing_is_refused_and_each_that_would_be_is_told(self):
        client, _, account = self.member()
        before = self.counted('cross_site')
        answer = self.post('/shadow/one', EVIL, client.cookies, json={'a': 1})
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(header_of(answer.json(), 'x-moat-user'), [account['id']], 'nothing else changes')
        line = self.line('csrf_would_refuse', target='/shadow/one')
        self.assertEqual((line['method'], line['route'], line['code'], line['origin']),
                         ('POST', '/*', 'cross_site', 'https://evil.example'))
        self.assertEqual(line['reason'], 'a page of another site sent it (Sec-Fetch-Site: cross-site)')
        self.assertEqual(line['request_id'], answer.header('x-request-id'))
        self.assertEqual(self.counted('cross_site'), before + 1)
        own = client.post('/shadow/two', json={'a': 1})
        self.assertEqual(own.status, 200)
        self.assertEqual(self.lines('csrf_would_refuse', target='/shadow/two'), [])
        self.assertEqual(self.counted('cross_site'), before + 1)

    def counted(self, reason):
        found = re.search(r'moat_csrf_would_refuse_total\{route="/\*",reason="' + reason + r'"\} (\d+)', self.metrics())
        return int(found.group(1)) if found else 0

    def test_a_line_says_what_a_refusal_says(self):
        client, _, _ = self.member()
        headers = {'Origin': 'https://evil.example'}
        self.assertEqual(self.post('/shadow/three', headers, client.cookies).status, 200)
        self.assert_problem(self.post('/enforced/three', headers, client.cookies), 403, 'csrf')
        would, did = (self.line('csrf_would_refuse', target='/shadow/three'),
                      self.line('refused', target='/enforced/three'))
        self.assertEqual(would['reason'], did['reason'])
        self.assertIn('Origin', did['reason'])
        self.assertEqual(self.backend.seen('/enforced/three'), [])

    def test_a_websocket_is_reported_too(self):
        client, _, _ = self.member()
        upgrade = {'Connection': 'Upgrade', 'Upgrade': 'websocket', 'Sec-WebSocket-Version': '13',
                   'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ=='}
        self.moat.request('GET', '/shadow/socket', headers={**upgrade, 'Origin': 'https://evil.example'},
                          cookies=client.cookies)
        self.assertEqual(len(self.backend.seen('/shadow/socket')), 1)
        self.assertEqual(self.line('csrf_would_refuse', target='/shadow/socket')['code'], 'foreign_origin')

    def test_moats_own_part_stays_strict(self):
        client, given, _ = self.member()
        self.assert_problem(self.post('/auth/logout', EVIL, client.cookies), 403, 'csrf')
        self.assert_problem(self.post('/auth/login', EVIL, None, json=given), 403, 'csrf')
        self.assertEqual(client.get('/auth/me').status, 200)

    def test_the_start_says_that_it_is_weak(self):
        self.assertIn("route '/*' only reports forged cross-site requests (csrf = \"report\")", self.moat.output)
        self.assertNotIn("route '/enforced/*'", self.moat.output)
        self.assertRegex(self.moat.output, '! 6 CSRF +reported only')

    def test_a_strangers_origin_stays_short_and_on_its_line(self):
        client, _, _ = self.member()
        self.post('/shadow/long', {'Origin': 'https://' + 'a' * 5000 + '"\\.example'}, client.cookies)
        line = self.line('csrf_would_refuse', target='/shadow/long')
        self.assertLessEqual(len(line['origin']), 256)


class Faults(Csrf):
    config = '''
[[route]]
match = "/hooks/*"
csrf = "off"
[[route]]
match = "/*"
'''

    def setUp(self):
        self.client, self.given, _ = self.member()

    def test_lusca_allowlist_by_prefix(self):
        self.assertEqual(self.post('/hooks/a', EVIL, self.client.cookies).status, 200)
        for path in ('/hooksy', '/hooks-evil/a', '/hook', '/transfer?/hooks/a', '/transfer/hooks/a'):
            with self.subTest(path):
                self.assert_problem(self.post(path, EVIL, self.client.cookies), 403, 'csrf')
        for path in ('/hooks/../transfer', '/hooks/%2e%2e/transfer', '/hooks/..;/transfer', '/hooks/..%2ftransfer'):
            with self.subTest(path):
                self.assertEqual(self.post(path, EVIL, self.client.cookies).status, 400)
        reached = {r['path'] for r in self.backend.requests if re.match('/(hook|transfer)', r['path'])}
        self.assertEqual(reached, {'/hooks/a'})

    def test_content_types_that_a_form_can_send(self):
        own = {'Origin': self.moat.origin}
        for kind in ('text/plain', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded',
                     'application/json', None):
            with self.subTest(kind):
                typed = {'Content-Type': kind} if kind else {}
                refused = self.post('/typed', {**EVIL, **typed}, self.client.cookies, body=b'{"a":1}')
                self.assert_problem(refused, 403, 'csrf')
                self.assertEqual(self.post('/typed', {**own, **typed}, self.client.cookies, body=b'{"a":1}').status, 200)
        self.assertEqual(len(self.backend.seen('/typed')), 5)

    def test_method_override_headers(self):
        for name in ('X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'):
            with self.subTest(name):
                def get(headers, cookies):
                    return self.moat.request('GET', '/override', headers={**headers, name: 'DELETE'}, cookies=cookies)
                self.assert_problem(get(EVIL, self.client.cookies), 403, 'csrf')
                self.assert_problem(get({}, self.client.cookies), 403, 'csrf')
                self.assertEqual(get({'Origin': self.moat.origin}, self.client.cookies).status, 200)
                self.assertEqual(get({}, None).status, 200, 'nobody is signed in')

    def test_get_with_a_body(self):
        own = {'Origin': self.moat.origin}
        answer = self.moat.request('GET', '/auth/logout', form={'_csrf': 'x'}, cookies=self.client.cookies, headers=own)
        self.assert_problem(answer, 405, 'method_not_allowed')
        self.assertEqual(self.client.get('/auth/me').status, 200)
        self.assertEqual(self.client.post('/auth/logout').status, 204)

    def test_cookie_tossing(self):
        attacker = self.moat.client()
        token = attacker.get('/auth/csrf').json()['token']
        planted = {**self.client.cookies, PRE_LOGIN: attacker.cookies[PRE_LOGIN]}
        own = {'Origin': self.moat.origin}
        self.assert_problem(self.post('/auth/logout', own, planted, form={'_csrf': token}), 403, 'csrf')
        self.assertEqual(self.client.get('/auth/me').status, 200)
        good = self.client.get('/auth/csrf').json()['token']
        self.assertEqual(self.post('/auth/logout', own, planted, form={'_csrf': good}).status, 303)

    def test_tokens_are_read_from_the_field_and_the_headers_and_never_from_the_query(self):
        for place in ('_csrf', *TOKEN_HEADERS):
            browser = self.moat.client()
            token = browser.get('/auth/csrf').json()['token']
            with self.subTest(place):
                in_query = browser.post(f'/auth/login?{place}={token}', form=self.given)
                self.assertEqual((in_query.status, ACCESS in browser.cookies), (403, False))
                if place == '_csrf':
                    answer = browser.post('/auth/login', form={**self.given, '_csrf': token})
                else:
                    answer = browser.post('/auth/login', form=self.given, headers={place: token})
                self.assertEqual((answer.status, ACCESS in browser.cookies), (303, True), answer)
        browser = self.moat.client()
        token = browser.get('/auth/csrf').json()['token']
        both = browser.post('/auth/login', form=self.given, headers={'X-XSRF-TOKEN': 'theirs', 'X-CSRF-Token': token})
        self.assertEqual(both.status, 303, 'a client library adds the cookie of the backend by itself')


class Rotation(Csrf):
    def test_a_form_outlives_one_rotation_of_the_key_and_not_two(self):
        _, given, _ = self.member()
        with tempfile.TemporaryDirectory(prefix='moat-e2e-') as place:
            key = pathlib.Path(place, 'data', 'keys', 'csrf.key')
            cookies, token, seen = {}, None, set()
            for statuses in ((403, 401), (403, 401), (403, 403)):  # there is no such account here: 401 is past the check
                moat = harness.Moat(self.backend.url, data=place, env=WIDE)
                try:
                    client = moat.client()
                    if token is None:
                        token = client.get('/auth/csrf').json()['token']
                        cookies = dict(client.cookies)
                    client.cookies = dict(cookies)
                    got = tuple(client.post('/auth/login', form={**given, '_csrf': sent}).status for sent in ('x', token))
                    self.assertEqual(got, statuses)
                    seen.add(key.read_text())
                finally:
                    self.assertEqual(moat.stop(), 0)
                long_ago = time.time() - 90 * 86400
                os.utime(key, (long_ago, long_ago))
        self.assertEqual(len(seen), 3)


class Transcripts(Csrf):
    """csurf's own tests. Its `GET /` that shows a token is ours of /auth/csrf; its `POST /` a login form."""

    @classmethod
    def setUpClass(cls):
        folder = os.environ.get('MOAT_CORPORA')
        path = pathlib.Path(folder or '', 'http', 'csurf_transcripts.jsonl')
        if not folder or not path.exists():
            raise unittest.SkipTest('MOAT_CORPORA is not set: http/csurf_transcripts.jsonl')
        super().setUpClass()
        cls.cases = [json.loads(line) for line in path.read_text().splitlines()]

    def deviations(self):
        page = pathlib.Path(__file__).parents[2] / 'docs' / 'deviations.md'
        rows = [line.split(' | ') for line in page.read_text().splitlines() if line.startswith('| csurf | ')]
        return {row[1].strip() for row in rows}

    def replay(self, case, given):
        """What Moat answers to each step, as csurf's status of the same meaning."""
        browser, issued, outcomes = self.moat.client(), {}, []
        for step in case['steps']:
            def live(text):
                for theirs, ours in issued.items():
                    text = text.replace(theirs, ours)
                return text
            if step['method'] == 'GET':
                answer = browser.get('/auth/csrf')
                if step['status'] == 200:
                    issued[step['response_body']] = answer.json()['token']
                outcomes.append(answer.status)
                continue
            sent = {k: live(v) for k, v in step['headers'].items() if k in TOKEN_HEADERS}
            fields = dict(urllib.parse.parse_qsl(live(step['body'])))
            answer = browser.request(step['method'], '/auth/login', form={**given, **fields}, headers=sent)
            signed_in = ACCESS in browser.cookies
            self.assertEqual(signed_in, answer.status == 303, answer)
            outcomes.append(200 if answer.status == 303 else answer.status)
        return outcomes

    def test_they_end_alike_but_for_what_is_written_down(self):
        _, given, _ = self.member()
        differing = set()
        for case in self.cases:
            outcomes = self.replay(case, given)
            theirs = [step['status'] for step in case['steps']]
            if outcomes != theirs:
                differing.add(case['test'])
        self.assertEqual(len(self.cases), 13)
        self.assertEqual(differing, self.deviations())


if __name__ == '__main__':
    harness.main()
