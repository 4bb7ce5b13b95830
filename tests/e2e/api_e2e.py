# SPDX-License-Identifier: Apache-2.0
"""Programs as clients: bearer tokens by /auth/token, personal API keys, scopes, and those who attack them."""
import json
import os
import re
import subprocess

import harness
from harness import header_of, wait_until
from accounts_e2e import ACCESS, PASSWORD, REFRESH, WIDE, Accounts

CONFIG = '''
[token]
scopes = ["extra"]
[[route]]
match = "/orders/*"
backend = "{to}"
login = "required"
scopes = ["orders:read"]
[[route]]
match = "/private/*"
backend = "{to}"
login = "required"
[[route]]
match = "/open/*"
backend = "{to}"
login = "none"
[[route]]
match = "/*"
backend = "{to}"
'''
INVALID = 'Bearer error="invalid_token"'


class Api(Accounts):
    @classmethod
    def setUpClass(cls):
        cls.backend = cls.notes = harness.Echo()
        cls.addClassCleanup(cls.backend.stop)
        cls.moat = harness.Moat(cls.backend.url, CONFIG.format(to=cls.backend.url), env=cls.env)
        cls.addClassCleanup(cls._end)

    def tokens(self, given, scope=None):
        asked = {**given, **({'scope': scope} if scope is not None else {})}
        answer = self.moat.request('POST', '/auth/token', json=asked)
        self.assertEqual(answer.status, 200, answer)
        return answer.json()

    def key(self, client, password=PASSWORD, **more):
        answer = client.post('/auth/keys', json={'name': 'backup', 'password': password, **more})
        self.assertEqual(answer.status, 201, answer)
        return answer.json()

    def refresh(self, token):
        return self.moat.request('POST', '/auth/token/refresh', json={'refresh_token': token})

    def bring(self, token, path='/private/x', method='GET', scheme='Bearer', **keywords):
        headers = {'Authorization': f'{scheme} {token}', **keywords.pop('headers', {})}
        return self.moat.request(method, path, headers=headers, **keywords)

    def assert_invalid(self, answer):
        self.assert_problem(answer, 401, 'invalid_token')
        self.assertEqual(answer.header('www-authenticate'), INVALID)
        self.assertEqual(answer.all('set-cookie'), [])

    def reached(self, path):
        return len(self.backend.seen(path))


class Tokens(Api):
    def test_the_whole_life_of_a_programs_session(self):
        _, given, account = self.member()
        answer = self.moat.request('POST', '/auth/token', json={**given, 'scope': 'orders:read'})
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.header('content-type'), 'application/json')
        self.assertEqual(answer.header('cache-control'), 'no-store')
        self.assertEqual(answer.all('set-cookie'), [])
        tokens = answer.json()
        self.assertEqual(set(tokens), {'access_token', 'token_type', 'expires_in', 'refresh_token',
                                       'refresh_expires_in', 'scope'})
        self.assertEqual((tokens['token_type'], tokens['expires_in'], tokens['scope']), ('Bearer', 300, 'orders:read'))
        self.assertEqual(tokens['refresh_expires_in'], 7 * 86400)

        said = self.bring(tokens['access_token']).json()
        self.assertEqual(header_of(said, 'x-moat-user'), [account['id']])
        self.assertEqual(header_of(said, 'x-moat-scopes'), ['orders:read'])
        self.assertEqual(header_of(said, 'authorization'), [], 'it was for Moat')
        claims = json.loads(harness.base64url(header_of(said, 'x-moat-assertion')[0].split('.')[1]))
        self.assertEqual((claims['scope'], claims['sub']), ('orders:read', account['id']))
        self.assertEqual(self.bring(tokens['access_token'], '/auth/me').json(), account)

        answer = self.refresh(tokens['refresh_token'])
        self.assertEqual((answer.status, answer.header('cache-control')), (200, 'no-store'), answer)
        self.assertEqual(answer.all('set-cookie'), [])
        fresh = answer.json()
        self.assertEqual(self.refresh(tokens['refresh_token']).json()['refresh_token'], fresh['refresh_token'],
                         'a program that asks twice at once gets the same')
        self.assertEqual(self.bring(fresh['access_token']).status, 200)

        answer = self.moat.request('POST', '/auth/token/revoke',
                                   form={'token': fresh['refresh_token'], 'token_type_hint': 'refresh_token'})
        self.assertEqual((answer.status, answer.body), (200, b''))
        for token in (tokens['access_token'], fresh['access_token']):
            self.assert_invalid(self.bring(token))
        self.assert_problem(self.refresh(fresh['refresh_token']), 400, 'invalid_grant')
        for token in (fresh['refresh_token'], 'unknown', 'moat_at_x'):
            answer = self.moat.request('POST', '/auth/token/revoke', form={'token': token})
            self.assertEqual(answer.status, 200, 'RFC 7009 section 2.2')

    def test_the_person_sees_and_ends_it(self):
        client, given, _ = self.member()
        tokens = self.tokens(given)
        listed = {one['kind']: one for one in client.get('/auth/sessions').json()}
        self.assertEqual(set(listed), {'browser', 'api'})
        self.assertEqual(client.request('DELETE', f'/auth/sessions/{listed["api"]["id"]}').status, 204)
        self.assert_invalid(self.bring(tokens['access_token']))
        self.assertEqual(client.get('/auth/me').status, 200)

    def test_a_browsers_session_is_not_limited_by_scopes(self):
        client, given, _ = self.member()
        said = client.get('/orders/1')
        self.assertEqual(said.status, 200)
        self.assertEqual(header_of(said.json(), 'x-moat-scopes'), [])
        answer = self.bring(self.tokens(given)['access_token'], '/orders/1')
        self.assert_problem(answer, 403, 'insufficient_scope')
        self.assertEqual(answer.header('www-authenticate'), 'Bearer error="insufficient_scope", scope="orders:read"')
        self.assertEqual(self.bring(self.tokens(given, 'extra orders:read')['access_token'], '/orders/1').status, 200)
        for scope in ('admin', 'orders:read admin', '*'):
            answer = self.moat.request('POST', '/auth/token', json={**given, 'scope': scope})
            self.assert_problem(answer, 400, 'invalid_scope')

    def test_what_is_no_good_is_refused_wherever_it_goes(self):
        _, given, _ = self.member()
        tokens = self.tokens(given)
        broken = [tokens['access_token'][:-1], tokens['access_token'] + 'A', tokens['refresh_token'],
                  tokens['access_token'] + '.x', tokens['access_token'][len('moat_at_'):], 'moat_', 'moat_at_',
                  'moat_at_' + 'A' * 9000, 'moat_key_' + 'A' * 64, 'moat_x', tokens['access_token'] + ', Bearer x']
        for path in ('/open/x', '/x', '/private/x', '/auth/me', '/auth/token', '/'):
            for token in broken:
                with self.subTest(path=path, token=token[:30]):
                    before = self.reached(path)
                    self.assert_invalid(self.bring(token, path, headers={'Accept': 'application/json'}))
                    self.assertEqual(self.reached(path), before)
        # Not to the login page either.
        answer = self.bring('moat_at_x', headers={'Accept': 'text/html', 'Sec-Fetch-Mode': 'navigate'})
        self.assertEqual((answer.status, answer.header('www-authenticate')), (401, INVALID))

    def test_other_services_tokens_pass_on(self):
        client, _, account = self.member()
        for token in ('abc', 'ghp_x', 'eyJhbGciOiJub25lIn0.e30.', 'MOAT_AT_x'):
            said = self.bring(token, '/x').json()
            self.assertEqual(header_of(said, 'authorization'), [f'Bearer {token}'])
            self.assertEqual(header_of(said, 'x-moat-user'), [])
            self.assert_problem(self.bring(token), 401, 'login_required')
        said = client.get('/x', headers={'Authorization': 'Bearer abc'}).json()
        self.assertEqual(header_of(said, 'x-moat-user'), [account['id']], 'cookies count beside a stranger\'s')

    def test_the_scheme_is_read_as_backends_read_it(self):
        _, given, account = self.member()
        token = self.tokens(given)['access_token']
        for scheme in ('Bearer', 'bearer', 'BEARER', 'Bearer ', 'bEaReR\t'):
            said = self.bring(token, '/x', scheme=scheme).json()
            self.assertEqual(header_of(said, 'x-moat-user'), [account['id']], scheme)
            self.assertEqual(header_of(said, 'authorization'), [], scheme)

    def test_two_authorization_headers_are_refused(self):
        _, given, _ = self.member()
        token = self.tokens(given)['access_token']
        before = self.reached('/two')
        for pair in ((f'Bearer {token}', 'Bearer abc'), ('Bearer abc', f'Bearer {token}'), (f'Bearer {token}',) * 2):
            lines = ''.join(f'Authorization: {value}\r\n' for value in pair)
            said = self.moat.raw(f'GET /two HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n'.encode())
            self.assertTrue(said.startswith(b'HTTP/1.1 400 '), said[:200])
        self.assertEqual(self.reached('/two'), before)

    def test_a_huge_one_ends_at_the_head(self):
        said = self.bring('moat_at_' + 'A' * 30000)
        self.assertEqual(said.status, 431, said)


class Kinds(Api):
    def test_cookies_beside_a_token_are_nobodys(self):
        ada, _, account = self.member()
        _, given, other = self.member()
        tokens = self.tokens(given)
        said = self.bring(tokens['access_token'], '/x', cookies={**ada.cookies, 'app': '1'}).json()
        self.assertEqual(header_of(said, 'x-moat-user'), [other['id']])
        self.assertEqual(header_of(said, 'cookie'), [], 'none at all, the backend\'s neither')
        self.moat.request('POST', '/auth/token/revoke', form={'token': tokens['access_token']})
        answer = self.bring(tokens['access_token'], '/x', cookies=ada.cookies)
        self.assert_invalid(answer)
        self.assertEqual(ada.get('/auth/me').json(), account, 'and they were not touched')

    def test_no_kind_passes_for_another(self):
        client, given, _ = self.member()
        tokens = self.tokens(given)
        access, renewal = client.cookies[ACCESS], client.cookies[REFRESH]
        for token in (access, renewal, 'moat_at_' + access, 'moat_rt_' + renewal):
            self.assert_invalid(self.bring(token, '/open/x'))
            self.assert_problem(self.refresh(token), 400, 'invalid_grant')
        bare = {name: value.split('_', 2)[2] for name, value in tokens.items() if name.endswith('_token')}
        for cookies in ({ACCESS: tokens['access_token']}, {ACCESS: bare['access_token']},
                        {REFRESH: tokens['refresh_token']}, {REFRESH: bare['refresh_token']},
                        {ACCESS: tokens['access_token'], REFRESH: bare['refresh_token']}):
            answer = self.moat.request('GET', '/auth/me', cookies=cookies)
            self.assert_problem(answer, 401, 'login_required')
        self.assertEqual(self.refresh(tokens['refresh_token']).status, 200)
        self.assertEqual(client.get('/auth/me').status, 200)

    def test_a_token_does_not_manage_the_account(self):
        client, given, _ = self.member()
        key = self.key(client)
        for token in (self.tokens(given)['access_token'], key['key']):
            for method, path in (('GET', '/auth/sessions'), ('GET', '/auth/keys'), ('POST', '/auth/keys'),
                                 ('POST', '/auth/logout-all'), ('POST', '/auth/password'), ('GET', '/auth/account'),
                                 ('DELETE', f'/auth/keys/{key["id"]}')):
                with self.subTest(method=method, path=path):
                    self.assert_problem(self.bring(token, path, method, json={}), 403, 'browser_required')

    def test_pages_of_other_sites_get_no_token(self):
        _, given, _ = self.member()
        for headers in ({'Origin': 'https://evil.example'}, {'Sec-Fetch-Site': 'cross-site'}, {'Origin': 'null'},
                        {'Sec-Fetch-Site': 'same-site'}):
            for path in ('/auth/token', '/auth/token/refresh', '/auth/token/revoke', '/auth/keys'):
                answer = self.moat.request('POST', path, json=given, headers=headers)
                self.assert_problem(answer, 403, 'csrf')
        # A form with JSON in a name, sent as plain text: old, and still tried.
        for kind in ('text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'):
            body = json.dumps({**given, 'scope': ''}).encode()
            answer = self.moat.request('POST', '/auth/token', body=body, headers={'Content-Type': kind})
            self.assert_problem(answer, 415, 'unsupported_media_type')
        answer = self.moat.request('POST', '/auth/token', form=given)
        self.assert_problem(answer, 415, 'unsupported_media_type')
        self.assertEqual(self.moat.request('GET', '/auth/token?' + 'email=a&password=b').status, 405)


class Reuse(Api):
    env = {**WIDE, 'MOAT_SESSION_REFRESH_GRACE': '0s'}

    def test_a_stolen_refresh_token_ends_the_family(self):
        _, given, _ = self.member()
        first = self.tokens(given)
        second = self.refresh(first['refresh_token']).json()
        third = self.refresh(second['refresh_token']).json()
        self.assertEqual(self.bring(third['access_token']).status, 200)
        self.assert_problem(self.refresh(first['refresh_token']), 400, 'invalid_grant')
        self.assert_invalid(self.bring(third['access_token']))
        self.assert_problem(self.refresh(third['refresh_token']), 400, 'invalid_grant')
        wait_until(lambda: 'refresh_token_reused' in self.moat.output, what='the audit event')
        for secret in (*first.values(), *third.values()):
            if isinstance(secret, str) and secret.startswith('moat_'):
                self.assertNotIn(secret, self.moat.output)


class Guessing(Api):
    env = {**WIDE, 'MOAT_LIMITS_LOCKOUT_AFTER': '2', 'MOAT_LIMITS_LOCKOUT_FIRST': '1h', 'MOAT_LIMITS_LOCKOUT_MOST': '2h'}

    def test_both_doors_count_together(self):
        _, given, _ = self.member()
        wrong = {**given, 'password': 'not the password at all'}
        self.assert_problem(self.moat.request('POST', '/auth/token', json=wrong), 401, 'wrong_credentials')
        self.assert_problem(self.moat.request('POST', '/auth/login', json=wrong), 401, 'wrong_credentials')
        self.moat.request('POST', '/auth/token', json=wrong)
        answer = self.moat.request('POST', '/auth/token', json=given)
        self.assert_problem(answer, 429, 'rate_limited')
        self.assertGreater(int(answer.header('retry-after')), 0)


class Keys(Api):
    def test_the_whole_life_of_a_key(self):
        client, _, account = self.member()
        key = self.key(client, scope='orders:read', expires_in=86400)
        self.assertRegex(key['key'], r'^moat_key_[A-Za-z0-9_-]{64}$')
        self.assertEqual((key['name'], key['scope'], key['last_used_at']), ('backup', 'orders:read', None))
        said = self.bring(key['key'], '/orders/7').json()
        self.assertEqual(header_of(said, 'x-moat-user'), [account['id']])
        self.assertEqual(header_of(said, 'x-moat-scopes'), ['orders:read'])
        self.assertEqual(header_of(said, 'x-moat-session'), [key['id']])
        self.assertEqual(header_of(said, 'authorization'), [])

        def used():
            listed = client.get('/auth/keys').json()
            self.assertEqual([one['id'] for one in listed], [key['id']])
            self.assertNotIn('key', listed[0])
            return listed[0]['last_used_at']
        wait_until(used, what='the last use being written')
        self.assertEqual(self.bring(key['key'], '/auth/me').json(), account)

        self.assertEqual(client.request('DELETE', f'/auth/keys/{key["id"]}').status, 204)
        self.assert_invalid(self.bring(key['key'], '/orders/7'))
        self.assertEqual(client.get('/auth/keys').json(), [])
        self.assertNotIn(key['key'], self.moat.output)

    def test_it_expires(self):
        client, _, _ = self.member()
        key = self.key(client, expires_in=1)
        self.bring(key['key'], '/open/x')  # good or not any more, as slow as this machine is
        wait_until(lambda: self.bring(key['key'], '/open/x').status == 401, what='its end')
        self.assert_invalid(self.bring(key['key'], '/open/x'))
        for life in (0, -1, 365 * 86400 + 1, '60'):
            answer = client.post('/auth/keys', json={'name': 'x', 'password': PASSWORD, 'expires_in': life})
            self.assert_problem(answer, 400, 'invalid_body')

    def test_a_key_without_scopes_opens_no_route_that_asks_for_one(self):
        client, _, _ = self.member()
        key = self.key(client)
        self.assertEqual(self.bring(key['key']).status, 200)
        self.assert_problem(self.bring(key['key'], '/orders/7'), 403, 'insufficient_scope')

    def test_it_is_read_from_the_header_only(self):
        client, _, _ = self.member()
        key = self.key(client)['key']
        for name in ('access_token', 'key', 'api_key', 'token'):
            self.assert_problem(self.moat.request('GET', f'/private/x?{name}={key}'), 401, 'login_required')
            answer = self.moat.request('POST', '/private/x', form={name: key})
            self.assert_problem(answer, 401, 'login_required')
        for name in (ACCESS, REFRESH, 'key', '__Host-Http-key'):
            answer = self.moat.request('GET', '/private/x', cookies={name: key})
            self.assert_problem(answer, 401, 'login_required')
        for headers in ({'X-Api-Key': key}, {'Authorization': f'Basic {key}'}, {'Authorization': key},
                        {'Proxy-Authorization': f'Bearer {key}'}):
            self.assert_problem(self.moat.request('GET', '/private/x', headers=headers), 401, 'login_required')

    def test_a_stolen_session_makes_none(self):
        client, given, _ = self.member()
        answer = client.post('/auth/keys', json={'name': 'x', 'password': 'another password'})
        self.assert_problem(answer, 401, 'wrong_credentials')
        self.assert_problem(client.post('/auth/keys', json={'name': 'x'}), 400, 'invalid_body')
        self.assertEqual(client.post('/auth/keys', form={'name': 'x', 'password': PASSWORD}).status, 403)
        self.assertEqual(client.get('/auth/keys').json(), [])

    def test_the_page_makes_and_revokes_them_without_script(self):
        client, given, _ = self.member()
        page = client.get('/auth/account')
        self.assertIn('action="/auth/keys"', page.text)
        token = re.search(r'name="_csrf" value="([^"]+)"', page.text).group(1)
        fields = {'_csrf': token, 'username': given['email'], 'name': 'from <a> page', 'scope': 'orders:read',
                  'expires_in': '604800', 'password': PASSWORD}
        for wrong, status in (({'_csrf': 'x'}, 403), ({'password': 'another password'}, 401), ({'scope': 'admin'}, 400)):
            answer = client.post('/auth/keys', form={**fields, **wrong})
            self.assertEqual(answer.status, status)
            self.assertNotIn('moat_key_', answer.text)
            self.assertIn('from &lt;a&gt; page', answer.text, 'what was typed is there again')
        answer = client.post('/auth/keys', form=fields)
        self.assertEqual((answer.status, answer.header('cache-control')), (200, 'no-store'))
        key = re.search(r'moat_key_[A-Za-z0-9_-]{64}', answer.text).group(0)
        self.assertEqual(self.bring(key, '/orders/1').status, 200)
        page = client.get('/auth/account').text
        self.assertNotIn(key, page)
        self.assertIn('from &lt;a&gt; page', page)
        action = re.search(r'action="(/auth/keys/[^"]+/revoke)"', page).group(1)
        token = re.search(r'name="_csrf" value="([^"]+)"', page).group(1)
        self.assertEqual(client.post(action, form={'_csrf': 'x'}).status, 403)
        self.assertEqual(client.post(action, form={'_csrf': token}).status, 303)
        self.assert_invalid(self.bring(key, '/orders/1'))

    def test_whoever_finds_it_may_revoke_it(self):
        client, _, _ = self.member()
        key = self.key(client)
        self.assertEqual(self.bring(key['key']).status, 200)
        answer = self.moat.request('POST', '/auth/token/revoke', form={'token': key['key']})
        self.assertEqual(answer.status, 200)
        self.assert_invalid(self.bring(key['key']))

    def test_a_user_has_so_many_at_most(self):
        client, _, _ = self.member()
        for _ in range(20):
            self.key(client)
        answer = client.post('/auth/keys', json={'name': 'x', 'password': PASSWORD})
        self.assert_problem(answer, 409, 'too_many_keys')

    def test_the_operator_stops_them(self):
        def moat(*words):
            said = subprocess.run([os.environ['MOAT_BIN'], 'user', *words, '--data', self.moat.data / 'data'],
                                  capture_output=True, text=True, timeout=30)
            self.assertEqual(said.returncode, 0, said)
            return said.stdout

        client, given, _ = self.member()
        first, second = self.key(client), self.key(client)
        shown = moat('keys', given['email'])
        for key in (first, second):
            self.assertIn(key['id'], shown)
            self.assertNotIn(key['key'], shown)
            self.assertEqual(self.bring(key['key']).status, 200)
        moat('keys', given['email'], '--revoke', first['id'])
        wait_until(lambda: self.bring(first['key']).status == 401, what='the revocation')
        self.assertEqual(self.bring(second['key']).status, 200)
        moat('disable', given['email'])
        # The worker that looks the key up sees it at once, the one that remembers it within a second.
        for path in ('/private/x', '/open/x'):
            wait_until(lambda: all(self.bring(second['key'], path).status == 401 for _ in range(8)),
                       what='the end of the disabled user\'s key')
        self.assert_invalid(self.bring(second['key'], '/open/x'))
        self.assertIn('has no API keys', moat('keys', given['email']))


class WebSockets(Api):
    def shake(self, token):
        peer = self.moat.connect()
        peer.sendall((f'GET /private/socket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
                      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'
                      f'Authorization: Bearer {token}\r\n\r\n').encode())
        return peer

    def test_a_programs_handshake_needs_no_origin_and_a_good_token(self):
        client, given, _ = self.member()
        for token, status in (('moat_at_x', b'401'), (self.tokens(given)['access_token'], b'200'),
                              (self.key(client)['key'], b'200')):
            with self.shake(token) as peer:  # the backend speaks none and answers 200
                said = peer.recv(4096)
                self.assertEqual(said.split(b' ')[1], status, said[:200])


class SwitchedOff(Accounts):
    env = {**WIDE, 'MOAT_ACCOUNTS_API_KEYS': 'false', 'MOAT_ACCOUNTS_API_TOKENS': 'false'}

    def test_there_is_nothing_there(self):
        client, given, _ = self.member()
        self.assert_problem(self.moat.request('POST', '/auth/token', json=given), 404, 'not_found')
        self.assert_problem(client.get('/auth/keys'), 404, 'not_found')
        answer = self.moat.request('GET', '/x', headers={'Authorization': 'Bearer moat_key_' + 'A' * 64})
        self.assert_problem(answer, 401, 'invalid_token')


if __name__ == '__main__':
    harness.main()
