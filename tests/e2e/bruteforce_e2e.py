# SPDX-License-Identifier: Apache-2.0
"""Guessing passwords: delays that grow, an owner who still gets in, and an end by `moat user unlock`."""
import os
import subprocess
import threading
import time

import harness

PASSWORD = 'a lantern over the harbour'
DEVICE = '__Host-Http-dev'
STRANGER = '127.66.0.1'  # who guesses; the owner comes from 127.0.0.1
WIDE = {'MOAT_LIMITS_SIGNUP': '1000/hour/ip', 'MOAT_LIMITS_DEFAULT': '100000/min/ip burst 10000'}


class Guessing(harness.Case):
    backend_class = harness.Echo
    # Long enough for a slow machine under a sanitizer to come back within the first delay.
    env = {**WIDE, 'MOAT_LIMITS_LOGIN': '10000/min/ip', 'MOAT_LIMITS_LOCKOUT_FIRST': '5s'}
    made = 0

    def setUp(self):
        Guessing.made += 1
        self.owner = {'email': f'owner{Guessing.made}@example.com', 'password': PASSWORD}
        self.laptop = self.moat.client()
        self.assertEqual(self.laptop.post('/auth/signup', json=self.owner).status, 201)

    def attempt(self, given, cookies=None, source=None):
        headers = {'Origin': self.moat.origin} if cookies else {}
        return self.moat.request('POST', '/auth/login', json=given, cookies=cookies, headers=headers, source=source)

    def guess(self, number, email=None):
        given = {'email': email or self.owner['email'], 'password': f'a wrong guess, number {number}'}
        return self.attempt(given, source=STRANGER)

    def guess_until_delayed(self, email=None):
        """(how many guesses were looked at, the answer that made the guesser wait)"""
        for number in range(20):
            answer = self.guess(number, email)
            if answer.status == 429:
                return number, answer
            self.assertEqual(answer.status, 401, answer)
        self.fail('nobody was made to wait')

    def wait_of(self, answer):
        self.assertEqual(answer.status, 429, answer)
        self.assertEqual(answer.json()['code'], 'rate_limited')
        self.assertIsNone(answer.header('ratelimit'), 'the guesser learns nothing more')
        return int(answer.header('retry-after'))

    def test_delays_grow(self):
        looked_at, answer = self.guess_until_delayed()
        self.assertEqual(looked_at, 5, 'five are free')
        waited = [self.wait_of(answer)]
        while len(waited) < 3:
            # What comes too early is not looked at and does not make it worse.
            self.assertLessEqual(self.wait_of(self.guess('early')), waited[-1] + 2)
            time.sleep(waited[-1] + 0.1)
            number = len(waited)
            self.assertEqual(self.guess(f'after {number}').status, 401)
            waited.append(self.wait_of(self.guess(f'again {number}')))
        # 5, 10 and 20 seconds, to each of which up to a quarter is added so that clients do not come back at once.
        self.assertLess(waited[0], waited[1])
        self.assertLess(waited[1], waited[2])
        # The right password does not help the stranger either while the delay lasts, nor another address.
        for source in (STRANGER, '127.66.0.2'):
            self.wait_of(self.attempt(self.owner, source=source))

    def test_the_owner_on_a_known_device_still_gets_in(self):
        _, answer = self.guess_until_delayed()
        self.wait_of(answer)
        known = {DEVICE: self.laptop.cookies[DEVICE]}
        for _ in range(2):
            self.assertEqual(self.attempt(self.owner, known).status, 200)
        # That forgave the stranger nothing.
        self.wait_of(self.attempt(self.owner, source=STRANGER))
        self.wait_of(self.attempt(self.owner, source='127.66.0.2'))
        self.assertEqual(self.laptop.get('/auth/me').status, 200, 'the session goes on')

    def test_a_device_is_good_for_its_own_account_only(self):
        _, answer = self.guess_until_delayed()
        mallory = self.moat.client()
        mallory.post('/auth/signup', json={'email': f'mallory{Guessing.made}@example.com', 'password': PASSWORD})
        for device in (mallory.cookies[DEVICE], 'x' * 43, ''):
            with self.subTest(device):
                self.wait_of(self.attempt(self.owner, {DEVICE: device}))

    def test_a_stolen_device_cookie_does_not_make_guessing_free(self):
        known = {DEVICE: self.laptop.cookies[DEVICE]}
        statuses = []
        for number in range(8):
            answer = self.attempt({**self.owner, 'password': f'a wrong guess, number {number}'}, known)
            statuses.append(answer.status)
        self.assertEqual(statuses[:5], [401] * 5)
        self.assertEqual(statuses[5], 429)

    def test_guesses_at_the_same_time_do_not_share_the_last_free_one(self):
        answers = []
        def run(number):
            answers.append(self.guess(number).status)
        threads = [threading.Thread(target=run, args=(n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLessEqual(answers.count(401), 5, answers)
        self.assertGreaterEqual(answers.count(429), 8, answers)

    def test_unknown_accounts_are_delayed_alike(self):
        looked_at, answer = self.guess_until_delayed(f'nobody{Guessing.made}@example.com')
        self.assertEqual(looked_at, 5)
        self.assertLessEqual(self.wait_of(answer), 7)

    def test_the_spelling_of_the_address_makes_no_second_account(self):
        for number in range(5):
            email = self.owner['email'].upper() if number % 2 else self.owner['email']
            self.assertEqual(self.guess(number, email).status, 401)
        self.wait_of(self.guess('last', self.owner['email'].title()))

    def test_another_account_is_not_touched(self):
        self.guess_until_delayed()
        other = {'email': f'other{Guessing.made}@example.com', 'password': PASSWORD}
        self.assertEqual(self.moat.request('POST', '/auth/signup', json=other).status, 201)
        self.assertEqual(self.attempt(other).status, 200)

    def test_the_password_form_is_no_way_to_guess(self):
        statuses = [self.laptop.post('/auth/password', json={
            'current': f'a wrong guess, number {n}', 'new': 'seven herons in the reeds'}).status for n in range(7)]
        self.assertEqual(statuses[:5], [401] * 5)
        self.assertEqual(statuses[5], 429)

    def test_unlock_ends_the_delay(self):
        _, answer = self.guess_until_delayed()
        self.wait_of(answer)
        told = subprocess.run([os.environ['MOAT_BIN'], 'user', 'unlock', self.owner['email'].upper(),
                               '--data', self.moat.data / 'data'], capture_output=True, text=True, check=False)
        self.assertEqual((told.returncode, told.stderr), (0, ''))
        self.assertIn(self.owner['email'], told.stdout)
        self.assertEqual(self.attempt(self.owner).status, 200)
        self.assertIn('"unlocked"', self.moat.output)

    def test_unlock_is_not_for_strangers_on_the_network(self):
        answer = self.moat.request('POST', '/unlock', body=self.owner['email'].encode(),
                                   port=self.moat.admin_port, tls=False)
        self.assertEqual(answer.status, 404)

    def test_guesses_and_delays_are_in_the_log_and_passwords_are_not(self):
        self.guess_until_delayed()
        log = harness.wait_until(lambda: 'login_delayed' in self.moat.output and self.moat.output,
                                 what='the delay in the log')
        self.assertIn('login_failed', log)
        self.assertNotIn('a wrong guess', log)
        self.assertNotIn(PASSWORD, log)
        self.assertNotIn(self.owner['email'], log, 'addresses are masked')


class ByAddress(harness.Case):
    """Many accounts from one address: what spraying one password looks like."""
    backend_class = harness.Echo
    env = {**WIDE, 'MOAT_LIMITS_LOGIN': '8/h/ip'}  # nothing comes back while this runs

    def test_one_address_may_try_only_so_often(self):
        statuses = []
        for number in range(12):
            answer = self.moat.request('POST', '/auth/login', json={
                'email': f'person{number}@example.com', 'password': PASSWORD})
            statuses.append(answer.status)
        self.assertEqual(statuses[:8], [401] * 8)
        self.assertEqual(statuses[8:], [429] * 4)
        self.assertGreater(int(answer.header('retry-after')), 0)
        # X-Forwarded-For from outside makes no other address of it.
        answer = self.moat.request('POST', '/auth/login', headers={'X-Forwarded-For': '203.0.113.7'}, json={
            'email': 'one@example.com', 'password': PASSWORD})
        self.assertEqual(answer.status, 429)
        # Everything else goes on.
        self.assertEqual(self.moat.request('GET', '/').status, 200)


class Requests(harness.Case):
    """The general limit, with its headers on API answers."""
    backend_class = harness.Echo
    config = '[limits]\ndefault = "20/min/ip burst 10"\n'  # one more in three seconds

    def test_requests_are_limited_and_the_answer_says_so(self):
        answers = [self.moat.request('GET', '/api') for _ in range(14)]
        self.assertEqual(answers[0].status, 200)
        self.assertIn('"default"', answers[0].header('ratelimit'))
        self.assertIn('"default"', answers[0].header('ratelimit-policy'))
        refused = [a for a in answers if a.status == 429]
        self.assertGreaterEqual(len(refused), 2)
        self.assertEqual(refused[0].json()['code'], 'rate_limited')
        self.assertGreaterEqual(int(refused[0].header('retry-after')), 1)
        self.assertEqual(len(self.backend.seen('/api')), 14 - len(refused))
        # A navigation gets a page.
        page = self.moat.request('GET', '/api', headers={'Accept': 'text/html', 'Sec-Fetch-Mode': 'navigate'})
        self.assertEqual(page.status, 429)
        self.assertIn('text/html', page.header('content-type'))
        harness.wait_until(lambda: self.moat.request('GET', '/api').status == 200, 20, 'the next one')

    def test_what_has_no_route_is_counted_too(self):
        """Refusals cost the client's allowance, or they would be free to flood the log with."""
        for send in (lambda: self.moat.request('GET', '/a//b'), lambda: self.moat.request('OPTIONS', '*')):
            harness.wait_until(lambda: send().status != 429, 20, 'the next one')
            self.assertIn(429, [send().status for _ in range(14)])


if __name__ == '__main__':
    harness.main()
