# SPDX-License-Identifier: Apache-2.0
"""The JSON contract of /auth, what the backend is told, and how sessions end: clients of other people
are written against this."""
import itertools
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import harness
from harness import header_of

PASSWORD = 'a lantern over the harbour'
OTHER_PASSWORD = 'seven herons in the reeds'
ACCESS, REFRESH = '__Host-Http-at', '__Host-Http-rt'
PRE_LOGIN, DEVICE = '__Host-Http-pre', '__Host-Http-dev'
RFC3339 = re.compile(r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$')
WIDE = {'MOAT_LIMITS_SIGNUP': '1000/hour/ip', 'MOAT_LIMITS_LOGIN': '1000/min/ip',
        'MOAT_LIMITS_DEFAULT': '100000/min/ip burst 10000'}
numbers = itertools.count(1)


class Accounts(harness.Case):
    """A base of others, here and in other files: it has no tests of its own."""

    backend_class = harness.Echo
    env = WIDE

    def credentials(self, password=PASSWORD):
        return {'email': f'person{next(numbers)}@example.com', 'password': password}

    def member(self):
        """A fresh account, as (client with its cookies, credentials, account)."""
        given = self.credentials()
        client = self.moat.client()
        answer = client.post('/auth/signup', json=given)
        self.assertEqual(answer.status, 201, answer)
        return client, given, answer.json()

    def log_in(self, given):
        client = self.moat.client()
        answer = client.post('/auth/login', json=given)
        self.assertEqual(answer.status, 200, answer)
        return client

    def assert_problem(self, answer, status, code):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.header('content-type'), 'application/problem+json', answer)
        self.assertEqual(answer.json()['code'], code, answer)
        self.assertEqual(answer.json()['status'], status, answer)
        for name in (ACCESS, REFRESH):
            value = cookies_set(answer).get(name, ('', ''))[0]
            self.assertEqual(value, '', 'a refusal hands out no session')


def cookies_set(answer):
    """name: (value, {attribute in lower case: value})"""
    found = {}
    for line in answer.all('set-cookie'):
        pair, *attributes = [part.strip() for part in line.split(';')]
        name, _, value = pair.partition('=')
        found[name] = (value, {a.partition('=')[0].lower(): a.partition('=')[2] for a in attributes})
    return found


class Contract(Accounts):
    def test_sign_up_answers_201_with_the_account_and_the_cookies(self):
        given = self.credentials()
        answer = self.moat.request('POST', '/auth/signup', json=given)
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(answer.header('content-type'), 'application/json')
        account = answer.json()
        self.assertEqual(set(account), {'id', 'email', 'roles', 'created_at', 'notices'})
        self.assertEqual((account['email'], account['roles']), (given['email'], ['user']))
        self.assertRegex(account['created_at'], RFC3339)
        self.assert_session_cookies(answer)
        self.assertEqual(answer.header('cache-control'), 'no-store')

    def test_login_answers_200_with_the_account_and_the_cookies(self):
        _, given, account = self.member()
        answer = self.moat.request('POST', '/auth/login', json=given)
        self.assertEqual((answer.status, answer.json()), (200, account))
        self.assert_session_cookies(answer)

    def assert_session_cookies(self, answer):
        cookies = cookies_set(answer)
        self.assertEqual(set(cookies), {ACCESS, REFRESH, DEVICE})
        for name, (value, attributes) in cookies.items():
            with self.subTest(name):
                self.assertGreaterEqual(len(value), 43)
                self.assertEqual(set(attributes), {'path', 'max-age', 'secure', 'httponly', 'samesite'})
                self.assertEqual((attributes['path'], attributes['samesite']), ('/', 'Lax'))
                self.assertGreater(int(attributes['max-age']), 0)

    def test_the_address_is_compared_without_regard_to_case(self):
        _, given, account = self.member()
        loud = {**given, 'email': given['email'].upper()}
        self.assertEqual(self.moat.request('POST', '/auth/login', json=loud).json(), account)
        self.assert_problem(self.moat.request('POST', '/auth/signup', json=loud), 409, 'email_taken')

    def test_a_json_request_needs_its_content_type(self):
        given = self.credentials()
        body = json.dumps(given).encode()
        for kind in ('text/plain', 'application/jsonp', 'multipart/form-data; boundary=x', 'application'):
            with self.subTest(kind):
                answer = self.moat.request('POST', '/auth/signup', body=body, headers={'Content-Type': kind})
                self.assert_problem(answer, 415, 'unsupported_media_type')
        self.assert_problem(self.moat.request('POST', '/auth/signup', body=body), 415, 'unsupported_media_type')
        good = {'Content-Type': 'Application/JSON; charset=utf-8'}
        self.assertEqual(self.moat.request('POST', '/auth/signup', body=body, headers=good).status, 201)

    def test_bodies_are_read_strictly(self):
        cases = {
            'no JSON': b'{"email":',
            'an array': b'[]',
            'a text': b'"x"',
            'nothing': b'',
            'a missing key': b'{"email":"strict@example.com"}',
            'an unknown key': b'{"email":"strict@example.com","password":"a lantern over the harbour","admin":true}',
            'a key twice': b'{"email":"strict@example.com","email":"b@example.com","password":"a lantern over the harbour"}',
            'a number': b'{"email":"strict@example.com","password":123456789012345678}',
            'null': b'{"email":null,"password":"a lantern over the harbour"}',
            'an object as a value': b'{"email":{"$gt":""},"password":"a lantern over the harbour"}',
            'more behind it': b'{"email":"strict@example.com","password":"a lantern over the harbour"} {}',
            'bad UTF-8': b'{"email":"strict@example.com","password":"a lantern over \xff\xfe harbour"}',
            'half a surrogate': b'{"email":"strict@example.com","password":"a lantern over \\ud800 harbour"}',
            'great depth': b'{"email":' + b'[' * 5000 + b']' * 5000 + b'}',
        }
        for name, body in cases.items():
            with self.subTest(name):
                answer = self.moat.request('POST', '/auth/signup', body=body,
                                           headers={'Content-Type': 'application/json'})
                self.assert_problem(answer, 400, 'invalid_body')
        self.assert_problem(self.moat.request('POST', '/auth/login', json={
            'email': 'strict@example.com', 'password': PASSWORD}), 401, 'wrong_credentials')

    def test_a_body_above_16_kib_is_refused(self):
        big = {'email': 'big@example.com', 'password': 'x' * 17000}
        self.assert_problem(self.moat.request('POST', '/auth/signup', json=big), 413, 'body_too_large')

    def test_a_taken_address_is_409(self):
        _, given, _ = self.member()
        again = {**given, 'password': OTHER_PASSWORD}
        self.assert_problem(self.moat.request('POST', '/auth/signup', json=again), 409, 'email_taken')
        self.assertEqual(self.moat.request('POST', '/auth/login', json=given).status, 200)

    def test_the_policy_answers_422(self):
        for password in ('too short 1234', 'passwordpassword', '123456789012345', 'aaaaaaaaaaaaaaaaaaaa', ''):
            with self.subTest(password):
                answer = self.moat.request('POST', '/auth/signup', json=self.credentials(password))
                if password:
                    self.assert_problem(answer, 422, 'password_policy')
                else:
                    self.assertIn(answer.status, (400, 422))
        exactly_15 = self.credentials('9 otters by eve')
        self.assertEqual(self.moat.request('POST', '/auth/signup', json=exactly_15).status, 201)
        in_other_scripts = self.credentials('фонарь над гаванью 灯')
        self.assertEqual(self.moat.request('POST', '/auth/signup', json=in_other_scripts).status, 201)
        self.assertEqual(self.moat.request('POST', '/auth/login', json=in_other_scripts).status, 200)

    def test_what_is_no_address_answers_422(self):
        for email in ('nobody', 'a@b@c.example', 'a b@example.com', '@example.com', 'a@', 'a@example.com\r\nX: y',
                      '<script>@example.com'):
            with self.subTest(email):
                answer = self.moat.request('POST', '/auth/signup', json={'email': email, 'password': PASSWORD})
                self.assert_problem(answer, 422, 'invalid_email')

    def test_wrong_credentials_are_401_and_alike(self):
        _, given, _ = self.member()
        wrong = self.moat.request('POST', '/auth/login', json={**given, 'password': OTHER_PASSWORD})
        nobody = self.moat.request('POST', '/auth/login', json=self.credentials())
        for answer in (wrong, nobody):
            self.assert_problem(answer, 401, 'wrong_credentials')
        self.assertEqual(wrong.body, nobody.body)
        def shape(answer):
            return [(k, v) for k, v in answer.headers if k not in ('x-request-id', 'date')]
        self.assertEqual(shape(wrong), shape(nobody))

    def test_me(self):
        client, given, account = self.member()
        answer = client.get('/auth/me')
        self.assertEqual((answer.status, answer.json()), (200, account))
        self.assert_problem(self.moat.request('GET', '/auth/me'), 401, 'login_required')
        self.assertEqual(client.request('HEAD', '/auth/me').body, b'')

    def test_sessions_are_listed_and_one_is_ended(self):
        first, given, _ = self.member()
        second = self.moat.client(**{'User-Agent': 'Second/2.0 <b>'})
        second.post('/auth/login', json=given)
        listed = first.get('/auth/sessions')
        self.assertEqual(listed.status, 200)
        sessions = listed.json()
        self.assertEqual(len(sessions), 2)
        for session in sessions:
            self.assertEqual(set(session),
                             {'id', 'device', 'name', 'created_at', 'last_seen_at', 'address', 'user_agent',
                              'current', 'kind'})
            self.assertEqual(session['address'], '127.0.0.1')
            for name in ('created_at', 'last_seen_at'):
                self.assertRegex(session[name], RFC3339)
        other = next(s for s in sessions if not s['current'])
        self.assertEqual([s['current'] for s in sessions].count(True), 1)
        self.assertEqual(other['user_agent'], 'Second/2.0 <b>')
        self.assertEqual(second.get('/auth/me').status, 200)

        self.assertEqual(first.request('DELETE', '/auth/sessions/' + other['id']).status, 204)
        self.assert_problem(first.request('DELETE', '/auth/sessions/' + other['id']), 404, 'not_found')
        # Its access token has minutes to live and is refused at once, on the way to the backend too.
        self.assert_problem(self.moat.request('GET', '/auth/me', cookies=dict(second.cookies)), 401,
                            'login_required')
        told = self.moat.request('GET', '/ended', cookies={ACCESS: second.cookies.get(ACCESS, 'x')}).json()
        self.assertEqual(header_of(told, 'x-moat-user'), [])
        self.assertEqual(first.get('/auth/me').status, 200)
        self.assertEqual(len(first.get('/auth/sessions').json()), 1)
        self.assert_problem(self.moat.request('GET', '/auth/sessions'), 401, 'login_required')

    def test_a_device_is_named_by_its_owner(self):
        owner, _, _ = self.member()
        stranger, _, _ = self.member()
        path = '/auth/sessions/' + owner.get('/auth/sessions').json()[0]['id']
        self.assertEqual(owner.request('PATCH', path, json={'name': 'Küche <b>'}).status, 204)
        self.assert_problem(stranger.request('PATCH', path, json={'name': 'x'}), 404, 'not_found')
        self.assert_problem(owner.request('PATCH', path, json={'name': 'a\nb'}), 422, 'invalid_name')
        foreign = {'Origin': 'https://evil.example', 'Sec-Fetch-Site': 'cross-site'}
        self.assert_problem(owner.request('PATCH', path, json={'name': 'x'}, headers=foreign), 403, 'csrf')
        [session] = owner.get('/auth/sessions').json()
        self.assertEqual((session['device'], session['name']), ('Küche <b>', 'Küche <b>'))
        page = owner.get('/auth/account', headers={'Accept': 'text/html'}).text
        self.assertIn('Küche &lt;b&gt;', page)
        self.assertNotIn('<b>', page)

    def test_nobody_ends_the_sessions_of_another(self):
        owner, _, _ = self.member()
        stranger, _, _ = self.member()
        session = owner.get('/auth/sessions').json()[0]['id']
        self.assert_problem(stranger.request('DELETE', '/auth/sessions/' + session), 404, 'not_found')
        self.assert_problem(self.moat.request('DELETE', '/auth/sessions/' + session), 401, 'login_required')
        self.assertEqual(owner.get('/auth/me').status, 200)

    def test_ending_the_own_session_is_a_logout(self):
        client, _, _ = self.member()
        session = client.get('/auth/sessions').json()[0]['id']
        answer = client.request('DELETE', '/auth/sessions/' + session)
        self.assertEqual(answer.status, 204)
        self.assertNotIn(ACCESS, client.cookies)
        self.assertNotIn(REFRESH, client.cookies)

    def test_logout_ends_the_session_and_takes_the_cookies(self):
        client, given, _ = self.member()
        elsewhere = self.log_in(given)
        before = dict(client.cookies)
        answer = client.post('/auth/logout')
        self.assertEqual((answer.status, answer.body), (204, b''))
        taken = cookies_set(answer)
        for name in (ACCESS, REFRESH):
            value, attributes = taken[name]
            self.assertEqual((value, attributes['max-age']), ('', '0'))
        self.assertEqual(answer.header('clear-site-data'), '"cache", "storage"')
        self.assertIn(DEVICE, client.cookies, 'the device stays known')
        self.assert_problem(self.moat.request('GET', '/auth/me', cookies=before), 401, 'login_required')
        only_refresh = {REFRESH: before[REFRESH]}
        self.assert_problem(self.moat.request('GET', '/auth/me', cookies=only_refresh), 401, 'login_required')
        self.assertEqual(elsewhere.get('/auth/me').status, 200)
        self.assertEqual(client.post('/auth/logout').status, 204, 'twice is no error')

    def test_logout_all_ends_every_session(self):
        client, given, _ = self.member()
        others = [self.log_in(given) for _ in range(2)]
        stranger, _, _ = self.member()
        answer = client.post('/auth/logout-all', json={})
        self.assertEqual(answer.status, 204)
        for cookies in [dict(c.cookies) for c in others]:
            self.assert_problem(self.moat.request('GET', '/auth/me', cookies=cookies), 401, 'login_required')
        self.assertEqual(stranger.get('/auth/me').status, 200)
        self.assertEqual(self.log_in(given).get('/auth/me').status, 200)
        self.assert_problem(self.moat.request('POST', '/auth/logout-all'), 401, 'login_required')

    def test_a_new_password_ends_the_other_sessions(self):
        client, given, account = self.member()
        elsewhere = self.log_in(given)
        before = dict(client.cookies)
        change = {'current': PASSWORD, 'new': OTHER_PASSWORD}
        answer = client.post('/auth/password', json=change)
        self.assertEqual((answer.status, answer.body), (204, b''))
        self.assertEqual(client.get('/auth/me').json(), account)
        self.assertNotEqual(client.cookies[ACCESS], before[ACCESS])
        for old in (before, dict(elsewhere.cookies)):
            self.assert_problem(self.moat.request('GET', '/auth/me', cookies=old), 401, 'login_required')
        self.assert_problem(self.moat.request('POST', '/auth/login', json=given), 401, 'wrong_credentials')
        self.log_in({**given, 'password': OTHER_PASSWORD})

    def test_a_password_is_not_changed_without_the_old_one(self):
        client, given, _ = self.member()
        wrong = {'current': OTHER_PASSWORD, 'new': 'nine otters by the weir'}
        self.assert_problem(client.post('/auth/password', json=wrong), 401, 'wrong_credentials')
        weak = {'current': PASSWORD, 'new': 'short'}
        self.assert_problem(client.post('/auth/password', json=weak), 422, 'password_policy')
        self.assert_problem(client.post('/auth/password', json={'new': OTHER_PASSWORD}), 400, 'invalid_body')
        anonymous = self.moat.request('POST', '/auth/password', json={'current': PASSWORD, 'new': OTHER_PASSWORD})
        self.assert_problem(anonymous, 401, 'login_required')
        self.log_in(given)

    def test_a_second_login_ends_the_session_that_the_browser_had(self):
        client, given, _ = self.member()
        before = dict(client.cookies)
        self.assertEqual(client.post('/auth/login', json=given).status, 200)
        self.assert_problem(self.moat.request('GET', '/auth/me', cookies=before), 401, 'login_required')
        self.assertEqual(client.get('/auth/me').status, 200)

    def test_unknown_paths_and_methods(self):
        self.assert_problem(self.moat.request('GET', '/auth/nothing'), 404, 'not_found')
        self.assert_problem(self.moat.request('POST', '/auth/me'), 405, 'method_not_allowed')
        answer = self.moat.request('PUT', '/auth/login', json={})
        self.assert_problem(answer, 405, 'method_not_allowed')
        self.assertIn('POST', answer.header('allow'))
        self.assertEqual(self.backend.seen('/auth/nothing'), [], 'the backend never sees /auth')

    def test_a_session_cookie_twice_is_refused(self):
        client, _, _ = self.member()
        twice = f'{ACCESS}={client.cookies[ACCESS]}; {ACCESS}=other'
        self.assert_problem(self.moat.request('GET', '/auth/me', headers={'Cookie': twice}), 400,
                            'duplicate_cookie')

    def test_a_token_that_was_changed_is_nobody(self):
        client, _, _ = self.member()
        header, payload, tag = client.cookies[ACCESS].split('.')
        none = 'eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0'  # {"alg":"none","typ":"at+jwt"}
        for token in (f'{header}.{payload}.{tag[:-2]}AA', f'{header}.{payload}.', f'{none}.{payload}.',
                      f'{header}.{payload}', f'{header}.{payload}.{tag}.{tag}', 'x', tag):
            with self.subTest(token[-30:]):
                self.assert_problem(self.moat.request('GET', '/auth/me', cookies={ACCESS: token}), 401,
                                    'login_required')


class CrossSite(Accounts):
    """The rules for who may send what. The browser's side of it is tested with a browser."""

    def setUp(self):
        self.client, self.given, _ = self.member()
        self.cookies = dict(self.client.cookies)

    def attempt(self, path='/auth/logout', cookies=None, **headers):
        named = {name.replace('_', '-'): value for name, value in headers.items()}
        json_body = self.given if path == '/auth/login' else {}
        return self.moat.request('POST', path, json=json_body, headers=named, cookies=cookies)

    def alive(self):
        return self.moat.request('GET', '/auth/me', cookies=self.cookies).status == 200

    def foreign(self):
        own = self.moat.origin
        port = self.moat.https_port
        return {
            'another site': {'Origin': 'https://evil.example'},
            'another port': {'Origin': f'https://localhost:{port + 1}'},
            'plain HTTP': {'Origin': own.replace('https', 'http')},
            'another name of this host': {'Origin': f'https://127.0.0.1:{port}'},
            'a name that begins alike': {'Origin': f'https://localhost.evil.example:{port}'},
            'null': {'Origin': 'null'},
            'nothing': {'Origin': ''},
            'cross-site': {'Sec_Fetch_Site': 'cross-site'},
            'same-site': {'Sec_Fetch_Site': 'same-site'},
            'cross-site with our origin': {'Sec_Fetch_Site': 'cross-site', 'Origin': own},
            'same-origin with a foreign origin': {'Sec_Fetch_Site': 'same-origin', 'Origin': 'https://evil.example'},
            'a foreign referrer': {'Referer': 'https://evil.example/page'},
            'our name inside a foreign referrer': {'Referer': f'https://evil.example/{own}'},
        }

    def test_foreign_requests_to_auth_are_refused_with_cookies_and_without(self):
        for name, headers in self.foreign().items():
            for cookies in (self.cookies, None):
                for path in ('/auth/logout', '/auth/login'):
                    with self.subTest(name, cookies=bool(cookies), path=path):
                        self.assert_problem(self.attempt(path, cookies, **headers), 403, 'csrf')
        self.assertTrue(self.alive())

    def test_own_pages_are_let_in(self):
        for headers in ({'Origin': self.moat.origin}, {'Sec_Fetch_Site': 'same-origin'},
                        {'Origin': self.moat.origin, 'Sec_Fetch_Site': 'same-origin'},
                        {'Referer': self.moat.origin + '/page'}):
            with self.subTest(headers):
                self.assertEqual(self.attempt('/auth/login', self.cookies, **headers).status, 200)

    def test_cookies_with_none_of_the_headers_are_refused(self):
        self.assert_problem(self.attempt(cookies=self.cookies), 403, 'csrf')
        self.assert_problem(self.attempt(cookies={REFRESH: self.cookies[REFRESH]}), 403, 'csrf')
        session = self.client.get('/auth/sessions').json()[0]['id']
        answer = self.moat.request('DELETE', '/auth/sessions/' + session, cookies=self.cookies)
        self.assert_problem(answer, 403, 'csrf')
        self.assertTrue(self.alive())

    def test_a_client_that_is_no_browser_is_not_subject(self):
        self.assertEqual(self.attempt('/auth/login').status, 200)

    def test_the_backend_is_protected_where_cookies_come_along(self):
        path = '/transfer'
        def post(cookies=None, **headers):
            return self.moat.request('POST', path, json={'to': 'mallory'}, cookies=cookies,
                                     headers={k.replace('_', '-'): v for k, v in headers.items()})
        foreign = self.foreign()
        # Of a page with "Referrer-Policy: no-referrer" the browser says same-origin and null.
        del foreign['same-origin with a foreign origin']
        for name, headers in foreign.items():
            with self.subTest(name):
                self.assert_problem(post(self.cookies, **headers), 403, 'csrf')
        self.assert_problem(post(self.cookies), 403, 'csrf')
        self.assert_problem(self.moat.request('DELETE', path, cookies=self.cookies), 403, 'csrf')
        self.assertEqual(self.backend.seen(path), [])
        self.assertEqual(post(self.cookies, Origin=self.moat.origin).status, 200)
        # Without a session there is nothing to ride on.
        self.assertEqual(post(None, Origin='https://evil.example').status, 200)
        self.assertEqual(len(self.backend.seen(path)), 2)

    def test_websocket_upgrades_are_judged_though_they_are_get(self):
        upgrade = {'Connection': 'Upgrade', 'Upgrade': 'websocket', 'Sec-WebSocket-Version': '13',
                   'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ=='}
        for foreign in ({'Origin': 'https://evil.example'}, {'Origin': self.moat.origin, 'Sec-Fetch-Site': 'cross-site'},
                        {'Sec-Fetch-Site': 'none', 'Origin': self.moat.origin}, {}):
            answer = self.moat.request('GET', '/socket', headers={**upgrade, **foreign}, cookies=self.cookies)
            self.assert_problem(answer, 403, 'csrf')
        self.assertEqual(self.backend.seen('/socket'), [])
        own = {'Origin': self.moat.origin}
        self.moat.request('GET', '/socket', headers={**upgrade, **own}, cookies=self.cookies)
        self.assertEqual(len(self.backend.seen('/socket')), 1)

    def test_the_form_token(self):
        browser = self.moat.client()
        answer = browser.get('/auth/csrf')
        self.assertEqual(answer.status, 200)
        self.assertEqual(set(answer.json()), {'token'})
        token = answer.json()['token']
        self.assertEqual(list(browser.cookies), [PRE_LOGIN])
        attributes = cookies_set(answer)[PRE_LOGIN][1]
        self.assertTrue({'secure', 'httponly'} <= set(attributes))
        for name, field, header in (('none', {}, {}), ('wrong', {'_csrf': ('x' if token[0] != 'x' else 'y') + token[1:]}, {}),
                                    ('wrong in the header', {}, {'X-CSRF-Token': token[:-1]})):
            with self.subTest(name):
                refused = browser.post('/auth/login', form={**self.given, **field}, headers=header)
                self.assertEqual(refused.status, 403)
                self.assertNotIn(ACCESS, browser.cookies)
        other = self.moat.client()
        other.get('/auth/csrf')
        self.assertEqual(other.post('/auth/login', form={**self.given, '_csrf': token}).status, 403,
                         'a token of another browser')
        by_header = browser.post('/auth/login', form=self.given, headers={'X-CSRF-Token': token})
        self.assertEqual((by_header.status, by_header.header('location')), (303, '/'))
        self.assertIn(ACCESS, browser.cookies)

    def test_forms_of_a_session_need_its_token(self):
        token = self.client.get('/auth/csrf').json()['token']
        stranger, _, _ = self.member()
        foreign = stranger.get('/auth/csrf').json()['token']
        for wrong in ({}, {'_csrf': foreign}):
            self.assertEqual(self.client.post('/auth/logout', form=wrong).status, 403)
            self.assertEqual(self.client.post('/auth/logout-all', form=wrong).status, 403)
            self.assertEqual(self.client.post(
                '/auth/password', form={**wrong, 'current': PASSWORD, 'new': OTHER_PASSWORD}).status, 403)
        self.assertTrue(self.alive())
        answer = self.client.post('/auth/logout', form={'_csrf': token})
        self.assertEqual((answer.status, answer.header('location')), (303, '/auth/login'))
        self.assertFalse(self.alive())

    def test_a_form_leads_on_only_within_the_site(self):
        for index, (next_page, leads_to) in enumerate({
                '/notes?a=1': '/notes?a=1', '//evil.example': '/', 'https://evil.example': '/',
                '/\\evil.example': '/', 'javascript:alert(1)': '/', '/\r\nX-Evil: 1': '/', '/%2F/evil.example': None,
                '/\t/evil.example': '/'}.items()):
            with self.subTest(next_page):
                browser = self.moat.client()
                token = browser.get('/auth/csrf').json()['token']
                answer = browser.post('/auth/login', form={**self.given, '_csrf': token, 'next': next_page})
                self.assertEqual(answer.status, 303)
                location = answer.header('location')
                self.assertEqual(answer.all('x-evil'), [])
                if leads_to:
                    self.assertEqual(location, leads_to)
                self.assertRegex(location, r'^/(?![/\\])')


class Backend(Accounts):
    """What the backend is told, and what it is not."""

    def test_a_signed_in_user_is_named_and_strangers_cannot_pretend(self):
        client, given, account = self.member()
        spoofed = {'X-Moat-User': 'admin', 'x-moat-roles': 'admin', 'X_Moat_Email': 'admin@example.com',
                   'X-Moat_User': 'admin', 'x_moat_session': '1', 'X-MOAT-ASSERTION': 'a.b.c', 'X-Moat-Anything': '1'}
        told = client.get('/who', headers=spoofed).json()
        self.assertEqual(header_of(told, 'x-moat-user'), [account['id']])
        self.assertEqual(header_of(told, 'x-moat-email'), [given['email']])
        self.assertEqual(header_of(told, 'x-moat-roles'), ['user'])
        self.assertEqual(header_of(told, 'x-moat-session'), [client.get('/auth/sessions').json()[0]['id']])
        nobody = self.moat.request('GET', '/who', headers=spoofed).json()
        for said, own in ((told, 5), (nobody, 0)):
            names = [name for name, _ in said['headers'] if re.match('x[-_]moat', name)]
            self.assertEqual(len(names), own, names)
            self.assertFalse([name for name in names if '_' in name])
        for named in ('X-Moat-User', 'close, x-moat-assertion', 'Cookie'):
            hop = client.get('/who', headers={'Connection': named})
            self.assert_problem(hop, 400, 'bad_connection_option')

    def test_the_cookies_of_moat_stay_with_moat(self):
        client, _, _ = self.member()
        client.get('/auth/csrf')
        sent = {**client.cookies, PRE_LOGIN: 'x' * 43, 'theirs': '1', 'second': '2'}
        told = self.moat.request('GET', '/cookies', cookies=sent).json()
        self.assertEqual(header_of(told, 'cookie'), ['theirs=1; second=2'])
        alone = self.moat.request('GET', '/cookies', cookies=dict(client.cookies)).json()
        self.assertEqual(header_of(alone, 'cookie'), [])
        self.assertNotIn(client.cookies[ACCESS], json.dumps(told) + json.dumps(alone))

    def test_the_cookies_of_the_backend_are_hardened(self):
        answer = self.moat.request('GET', '/cookies?set=sid%3D1&set=csrftoken%3D2%3B+Path%3D/&set=XSRF-TOKEN%3D3'
                                          '&set=cross%3D4%3B+SameSite%3DNone&set=strict%3D5%3B+SameSite%3DStrict'
                                          f'&set={ACCESS}%3Dforged&set={DEVICE}%3Dforged')
        cookies = cookies_set(answer)
        self.assertEqual(set(cookies), {'sid', 'csrftoken', 'XSRF-TOKEN', 'cross', 'strict'})
        flags = {name: attributes for name, (_, attributes) in cookies.items()}
        self.assertTrue(all('secure' in attributes for attributes in flags.values()))
        self.assertEqual({name for name in flags if 'httponly' not in flags[name]}, {'csrftoken', 'XSRF-TOKEN'})
        self.assertEqual({name: a['samesite'] for name, a in flags.items()},
                         {'sid': 'Lax', 'csrftoken': 'Lax', 'XSRF-TOKEN': 'Lax', 'cross': 'None', 'strict': 'Strict'})

    def test_the_assertion_is_signed_by_the_published_key(self):
        client, given, account = self.member()
        told = client.get('/assertion').json()
        [assertion] = header_of(told, 'x-moat-assertion')
        head, payload, signature = assertion.split('.')
        header, claims = (json.loads(harness.base64url(part)) for part in (head, payload))
        self.assertIn(header['alg'], ('Ed25519', 'EdDSA'))
        self.assertEqual(claims['sub'], account['id'])
        self.assertEqual((claims['email'], claims['roles']), (given['email'], ['user']))
        self.assertEqual(claims['aud'], 'backend')
        self.assertTrue(claims['iss'])
        self.assertEqual(claims['exp'] - claims['iat'], 60)
        self.assertLess(abs(claims['iat'] - time.time()), 35)
        self.assertEqual(header_of(told, 'x-moat-session'), [claims['sid']])

        published = self.moat.request('GET', '/.well-known/moat/jwks.json')
        self.assertEqual(published.status, 200)
        keys = published.json()['keys']
        key = next(k for k in keys if k['kid'] == header['kid'])
        self.assertEqual((key['kty'], key['crv']), ('OKP', 'Ed25519'))
        for entry in keys:
            self.assertFalse({'d', 'k', 'p', 'q'} & set(entry), 'no private part is published')
        self.assertTrue(self.signed(key, f'{head}.{payload}', signature))
        self.assertFalse(self.signed(key, f'{head}.{payload}x', signature))

    def signed(self, key, text, signature):
        """What openssl says about it."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix='moat-assertion-'))
        self.addCleanup(shutil.rmtree, folder)
        prefix = bytes.fromhex('302a300506032b6570032100')  # RFC 8410 section 4, SubjectPublicKeyInfo
        (folder / 'key').write_bytes(prefix + harness.base64url(key['x']))
        (folder / 'text').write_text(text)
        (folder / 'signature').write_bytes(harness.base64url(signature))
        checked = subprocess.run(
            ['openssl', 'pkeyutl', '-verify', '-pubin', '-keyform', 'DER', '-inkey', folder / 'key', '-rawin',
             '-in', folder / 'text', '-sigfile', folder / 'signature'], capture_output=True, text=True, check=False)
        return checked.returncode == 0

    def test_the_way_is_described(self):
        told = self.moat.request('GET', '/way', headers={
            'X-Forwarded-For': '203.0.113.9', 'Forwarded': 'for=203.0.113.9', 'X-Real-IP': '203.0.113.9'}).json()
        self.assertEqual(header_of(told, 'x-forwarded-for'), ['127.0.0.1'])
        self.assertEqual(header_of(told, 'x-forwarded-proto'), ['https'])
        self.assertNotIn('203.0.113.9', json.dumps(told['headers']))
        self.assertEqual(len(header_of(told, 'via')), 1)


class Refresh(Accounts):
    env = {**WIDE, 'MOAT_SESSION_ACCESS': '2s', 'MOAT_SESSION_REFRESH_GRACE': '1s'}

    def refreshed(self, cookies):
        """The new cookies after a request that brings these, or None."""
        answer = self.moat.request('GET', '/auth/me', cookies=cookies)
        fresh = {name: value for name, (value, _) in cookies_set(answer).items() if value}
        return {**cookies, **fresh} if answer.status == 200 else None

    def test_an_expired_access_token_is_renewed_on_the_way(self):
        client, _, account = self.member()
        first = dict(client.cookies)
        time.sleep(3)
        told = client.get('/late').json()
        self.assertEqual(header_of(told, 'x-moat-user'), [account['id']])
        self.assertNotEqual(client.cookies[ACCESS], first[ACCESS])
        self.assertNotEqual(client.cookies[REFRESH], first[REFRESH])
        self.assertIsNone(self.refreshed({ACCESS: first[ACCESS]}), 'the old token is over')

    def test_requests_at_the_same_time_get_the_same_successor(self):
        client, _, _ = self.member()
        cookies = {REFRESH: client.cookies[REFRESH]}
        successors = {self.refreshed(cookies)[REFRESH] for _ in range(4)}
        self.assertEqual(len(successors), 1)
        self.assertNotIn(client.cookies[REFRESH], successors)

    def test_a_stolen_refresh_token_ends_the_whole_family(self):
        client, given, _ = self.member()
        elsewhere = self.log_in(given)
        stolen = {REFRESH: client.cookies[REFRESH]}
        second = self.refreshed(stolen)
        third = self.refreshed({REFRESH: second[REFRESH]})
        self.assertTrue(second and third)
        time.sleep(2.1)  # the grace of a second is over, and the successor has been used
        fourth = self.refreshed({REFRESH: third[REFRESH]})
        self.assertTrue(fourth)
        theft = self.moat.request('GET', '/auth/me', cookies=stolen)
        self.assert_problem(theft, 401, 'login_required')
        self.assertIsNone(self.refreshed({REFRESH: fourth[REFRESH]}), 'the newest of the family')
        self.assertIsNone(self.refreshed({ACCESS: fourth[ACCESS]}), 'its access token, at once')
        self.assertTrue(self.refreshed({REFRESH: elsewhere.cookies[REFRESH]}), 'another session goes on')
        # The log says so, and so does Moat to the owner, until it is dismissed; after a restart too.
        again = self.log_in(given)
        [notice] = again.get('/auth/me').json()['notices']
        reused = lambda: [json.loads(line) for line in list(self.moat.lines) if '"event":"refresh_token_reused"' in line]
        harness.wait_until(lambda: notice['id'] in [event['session'] for event in reused()], what='the line of the log')
        self.assertEqual((notice['code'], notice['address']), ('session_reused', '127.0.0.1'))
        self.assertRegex(notice['at'], RFC3339)
        page = again.get('/auth/account', headers={'Accept': 'text/html'}).text
        self.assertIn('Somebody else may have used your account', page)
        self.assertEqual(again.request('DELETE', '/auth/notices/' + notice['id']).status, 204)
        self.assertEqual(again.get('/auth/me').json()['notices'], [])

    def test_the_thief_who_is_first_is_found_out_by_the_owner(self):
        client, _, _ = self.member()
        owner = {REFRESH: client.cookies[REFRESH]}
        thief = self.refreshed({REFRESH: self.refreshed(owner)[REFRESH]})
        time.sleep(2.1)
        self.assertIsNone(self.refreshed(owner))
        self.assertIsNone(self.refreshed({REFRESH: thief[REFRESH]}))
        self.assertIsNone(self.refreshed({ACCESS: thief[ACCESS]}))

    def test_what_was_never_issued_ends_nothing(self):
        client, _, _ = self.member()
        good = client.cookies[REFRESH]
        for forged in (good[:-1] + ('A' if good[-1] != 'A' else 'B'), good[:40], 'x' * len(good), good + 'A'):
            self.assertIsNone(self.refreshed({REFRESH: forged}))
        self.assertTrue(self.refreshed({REFRESH: good}))

    def test_a_forged_request_gets_no_refresh(self):
        client, _, _ = self.member()
        answer = self.moat.request('POST', '/transfer', json={}, cookies={REFRESH: client.cookies[REFRESH]},
                                   headers={'Origin': 'https://evil.example'})
        self.assert_problem(answer, 403, 'csrf')
        self.assertEqual(answer.all('set-cookie'), [])


class Confirming(Accounts):
    env = {**WIDE, 'MOAT_SESSION_CONFIRM_AFTER': '0s'}

    def test_other_sessions_end_with_the_password_only(self):
        here, given, _ = self.member()
        there = self.log_in(given)
        other = next(s['id'] for s in here.get('/auth/sessions').json() if not s['current'])
        path = '/auth/sessions/' + other
        self.assert_problem(here.request('DELETE', path), 403, 'reauthentication_required')
        self.assert_problem(here.request('DELETE', path, json={'password': 'no'}), 403, 'wrong_credentials')
        self.assertEqual(there.get('/auth/me').status, 200)
        token = here.get('/auth/csrf').json()['token']
        page = here.post(path + '/revoke', form={'_csrf': token})
        self.assertEqual(page.status, 403)
        self.assertIn('Is it you?', page.text)
        self.assertEqual(here.request('DELETE', path, json={'password': given['password']}).status, 204)
        self.assertEqual(there.get('/auth/me').status, 401)

    def test_the_own_session_and_all_of_them_end_without(self):
        here, given, _ = self.member()
        there = self.log_in(given)
        self.assertEqual(there.post('/auth/logout-all').status, 204)
        self.assertEqual((here.get('/auth/me').status, there.get('/auth/me').status), (401, 401))
        again = self.log_in(given)
        own = again.get('/auth/sessions').json()[0]['id']
        self.assertEqual(again.request('DELETE', '/auth/sessions/' + own).status, 204)


class FirstAdmin(Accounts):
    def test_the_link_makes_one_admin_and_only_once(self):
        moat = harness.Moat(self.backend.url, env=WIDE)
        self.addCleanup(moat.stop)
        file = moat.data / 'data' / 'setup-link'
        harness.wait_until(file.exists, what='the set-up link')
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        url, _, token = file.read_text().strip().partition('#')
        self.assertEqual(url, moat.origin + '/auth/setup')
        self.assertGreaterEqual(len(token), 43)
        self.assertNotIn(token, moat.output, 'without a terminal it is not printed')

        given = {'email': 'admin@example.com', 'password': PASSWORD}
        wrong = moat.request('POST', '/auth/setup', json={**given, 'token': 'x' * len(token)})
        self.assert_problem(wrong, 403, 'invalid_token')
        weak = moat.request('POST', '/auth/setup', json={**given, 'token': token, 'password': 'short'})
        self.assert_problem(weak, 422, 'password_policy')
        made = moat.request('POST', '/auth/setup', json={**given, 'token': token})
        self.assertEqual(made.status, 201, made)
        self.assertEqual(sorted(made.json()['roles']), ['admin', 'user'])
        again = moat.request('POST', '/auth/setup',
                             json={'email': 'second@example.com', 'password': PASSWORD, 'token': token})
        self.assert_problem(again, 403, 'invalid_token')
        self.assert_problem(moat.request('POST', '/auth/login', json={**given, 'email': 'second@example.com'}),
                            401, 'wrong_credentials')
        client = moat.client()
        client.post('/auth/login', json=given)
        self.assertIn('admin', header_of(client.get('/who').json(), 'x-moat-roles')[0].split(','))

        # A new start offers no link any more.
        data = moat.data / 'data'
        kept = pathlib.Path(tempfile.mkdtemp(prefix='moat-e2e-'))
        self.addCleanup(shutil.rmtree, kept, True)
        moat.process.terminate()
        moat.process.wait(30)
        shutil.copytree(data, kept / 'data', ignore=shutil.ignore_patterns('*.sock'))
        second = harness.Moat(self.backend.url, data=kept, env=WIDE)
        self.addCleanup(second.stop)
        self.assertFalse((kept / 'data' / 'setup-link').exists())
        self.assertNotIn('/auth/setup', second.output)
        late = second.request('POST', '/auth/setup',
                              json={'email': 'late@example.com', 'password': PASSWORD, 'token': token})
        self.assert_problem(late, 403, 'invalid_token')
        self.assertEqual(second.request('POST', '/auth/login', json=given).status, 200)


class SignUpLimits(Accounts):
    env = {**WIDE, 'MOAT_LIMITS_SIGNUP': '2/hour/ip'}

    def test_accounts_are_counted_and_attempts_are_not(self):
        for _ in range(5):
            self.assert_problem(self.moat.request('POST', '/auth/signup', json=self.credentials('short')), 422,
                                'password_policy')
        self.member()
        self.member()
        answer = self.moat.request('POST', '/auth/signup', json=self.credentials())
        self.assert_problem(answer, 429, 'rate_limited')
        self.assertGreater(int(answer.header('retry-after')), 60)
        self.assertIsNone(answer.header('ratelimit'), 'the accounts say nothing of what is left')


class Closed(Accounts):
    config = '[accounts]\nsignup = "closed"\n'

    def test_closed_sign_up_is_403_and_makes_nothing(self):
        given = self.credentials()
        self.assert_problem(self.moat.request('POST', '/auth/signup', json=given), 403, 'signup_closed')
        self.assert_problem(self.moat.request('POST', '/auth/login', json=given), 401, 'wrong_credentials')


if __name__ == '__main__':
    harness.main()
