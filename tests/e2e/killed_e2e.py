# SPDX-License-Identifier: Apache-2.0
"""kill -9 between the exchange of a refresh token and its answer: the honest client stays logged in, and there is one successor."""
import http.client
import os
import random
import tempfile
import threading
import time
import unittest

from harness import Client, Moat, Notes, main

PASSWORD = 'a lantern over the harbour'
ACCESS, REFRESH = '__Host-Http-at', '__Host-Http-rt'
RUNS = 200 if os.environ.get('MOAT_LONG') else 20
LOOSE = '[limits]\nsignup = "1000/min/ip"\ndefault = "100000/min/ip burst 10000"\n'


def refreshed(moat, token):
    """The successor that a request with this refresh token alone brings; None where it is refused."""
    client = Client(moat)
    client.cookies = {REFRESH: token}
    answer = client.get('/auth/me')
    return client.cookies[REFRESH] if answer.status == 200 else None


class KilledInTheMiddle(unittest.TestCase):
    def test_nobody_is_logged_out_and_no_token_has_two_successors(self):
        seed = int(os.environ.get('MOAT_SEED', random.SystemRandom().randrange(1 << 32)))
        print(f'MOAT_SEED={seed}')
        draw = random.Random(seed)
        backend = Notes()
        self.addCleanup(backend.stop)
        with tempfile.TemporaryDirectory(prefix='moat-killed-') as folder:
            moat = Moat(backend.url, LOOSE, data=folder)
            self.addCleanup(lambda: moat.stop())
            person = Client(moat)
            self.assertEqual(person.post('/auth/signup', json={'email': 'a@example.com', 'password': PASSWORD}).status, 201)
            live = person.cookies[REFRESH]
            begun = time.monotonic()
            live = refreshed(moat, live)
            usual = time.monotonic() - begun
            answered = 0
            for run in range(RUNS):
                got = []

                def ask(moat=moat, token=live, got=got):
                    try:
                        got.append(refreshed(moat, token))
                    except (OSError, http.client.HTTPException):
                        pass  # it was killed first

                asking = threading.Thread(target=ask)
                asking.start()
                time.sleep(draw.uniform(0, 1.5 * usual))
                moat.process.kill()
                moat.process.wait()
                asking.join(60)
                moat.stop()
                moat = Moat(backend.url, LOOSE, data=folder)
                answered += len(got)
                # Whatever the client has, the answer or only the token that it asked with, opens the session.
                successor = refreshed(moat, live)
                self.assertIsNotNone(successor, f'run {run}: logged out')
                if got:
                    self.assertEqual(got[0], successor, f'run {run}: two successors')
                self.assertEqual(refreshed(moat, live), successor, f'run {run}: two successors')
                live = refreshed(moat, successor)
                self.assertIsNotNone(live, f'run {run}: the successor is dead')
            print(f'{RUNS} kills, {answered} of them behind the answer')
            sessions = Client(moat)
            sessions.cookies = {REFRESH: live}
            self.assertEqual(len(sessions.get('/auth/sessions').json()), 1)


if __name__ == '__main__':
    main()
