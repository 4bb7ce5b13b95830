# SPDX-License-Identifier: Apache-2.0
"""Running Moat as an operator: reload, upgrade, the sandbox and the user it runs as."""
import http.client
import json
import os
import signal
import subprocess
import threading
import time

import harness

OPEN = '[log]\naccess = true\n'
CLOSED = 'login = ["/private/*"]\n' + OPEN
PASSWORD = 'correct horse battery staple'


def events(moat, name):
    """The log's lines of one event."""
    found = []
    for line in moat.lines:
        if line.startswith('{') and f'"event":"{name}"' in line:
            found.append(json.loads(line))
    return found


def metric(moat, name):
    text = moat.request('GET', '/metrics', port=moat.admin_port, tls=False,
                        headers={'Host': f'localhost:{moat.admin_port}'}).text
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(name + ' '))


def moat_command(*arguments):
    done = subprocess.run([os.environ['MOAT_BIN'], *map(str, arguments)], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


class Kept:
    """A connection that is kept between requests."""

    def __init__(self, moat):
        self.moat = moat
        self.connection = http.client.HTTPSConnection(harness.HOST, moat.https_port, timeout=30)
        self.connection.sock = moat.connect()

    def get(self, path, wait=True):
        self.connection.putrequest('GET', path, skip_host=True)
        self.connection.putheader('Host', f'{self.moat.domain}:{self.moat.https_port}')
        self.connection.endheaders()
        return self.answer() if wait else None

    def answer(self):
        response = self.connection.getresponse()
        response.read()
        return response

    def close(self):
        self.connection.close()


class Reload(harness.Case):
    backend_class = harness.Echo
    config = OPEN

    @classmethod
    def write(cls, text):
        path = cls.moat.data / 'moat.toml'
        new = path.with_suffix('.new')
        new.write_text(text)
        os.replace(new, path)

    def reload(self, text, expect=0):
        self.write(text)
        code, said = moat_command('reload', '--data', self.moat.data / 'data')
        self.assertEqual(code, expect, said)
        return said

    def setUp(self):
        self.reload(OPEN)

    def test_new_requests_follow_the_new_rules_on_kept_connections_too(self):
        kept = Kept(self.moat)
        self.addCleanup(kept.close)
        self.assertEqual(kept.get('/private/x').status, 200)
        self.reload(CLOSED)
        self.assertEqual(kept.get('/private/x').status, 401)
        self.assertEqual(self.moat.request('GET', '/private/x').status, 401)
        self.reload(OPEN)
        self.assertEqual(kept.get('/private/x').status, 200)

    def test_a_request_in_flight_ends_under_the_rules_it_began_with(self):
        slow = Kept(self.moat)
        self.addCleanup(slow.close)
        slow.get('/slow?seconds=2', wait=False)
        time.sleep(0.3)
        self.reload('login = ["/*"]\n' + OPEN)
        self.assertEqual(self.moat.request('GET', '/').status, 401)
        self.assertEqual(slow.answer().status, 200)
        self.assertEqual(slow.get('/').status, 401)

    def test_what_is_wrong_changes_nothing_and_is_said_as_at_the_start(self):
        refused = metric(self.moat, 'moat_config_reload_failures_total')
        kept = Kept(self.moat)
        self.addCleanup(kept.close)
        self.assertEqual(kept.get('/private/x').status, 200)
        said = self.reload('login = ["/private/*"]\n[server]\nmax_conections = 5\n', expect=1)
        wanted = "moat.toml:3: unknown key 'server.max_conections'; did you mean 'server.max_connections'?"
        self.assertIn(wanted, said)
        code, at_start = moat_command('check', '--to', self.backend.url, '--config', self.moat.data / 'moat.toml')
        self.assertNotEqual(code, 0)
        self.assertIn(wanted, at_start)
        self.assertEqual(kept.get('/private/x').status, 200)
        self.assertEqual(self.moat.request('GET', '/private/x').status, 200)
        self.assertEqual(metric(self.moat, 'moat_config_last_reload_successful'), 0)
        self.assertGreater(metric(self.moat, 'moat_config_reload_failures_total'), refused)
        harness.wait_until(lambda: events(self.moat, 'config_reload_refused'), what='the line')
        self.assertIn(wanted, events(self.moat, 'config_reload_refused')[-1]['problem'])
        self.reload(OPEN)
        self.assertEqual(metric(self.moat, 'moat_config_last_reload_successful'), 1)

    def test_what_needs_a_restart_is_named_and_refuses_all_of_it(self):
        said = self.reload(CLOSED + '[server]\nworkers = 7\n[password.hash]\niterations = 3\n', expect=1)
        self.assertIn("'server.workers' cannot change while Moat runs: it needs a restart", said)
        self.assertIn("'password.hash' cannot change while Moat runs: it needs a restart", said)
        self.assertEqual(self.moat.request('GET', '/private/x').status, 200)

    def test_a_certificate_that_is_not_there_refuses_it(self):
        said = self.reload(OPEN + '[tls]\ncertificate = "/nowhere/chain.pem"\nkey = "/nowhere/key.pem"\n', expect=1)
        self.assertIn('/nowhere/', said)
        self.assertEqual(self.moat.request('GET', '/private/x').status, 200)

    def test_the_counts_of_limits_go_on(self):
        tight = OPEN + '[limits]\ndefault = "3/hour/ip"\n'
        moat = harness.Moat(self.backend.url, tight)
        self.addCleanup(moat.stop)
        for _ in range(3):
            self.assertEqual(moat.request('GET', '/').status, 200)
        self.assertEqual(moat.request('GET', '/').status, 429)
        (moat.data / 'moat.toml').write_text(tight + '[accounts]\nsignup = "closed"\n')
        code, said = moat_command('reload', '--data', moat.data / 'data')
        self.assertEqual(code, 0, said)
        self.assertEqual(moat.request('GET', '/').status, 429)

    def test_sessions_and_keys_go_on(self):
        client = self.moat.client()
        signed = client.post('/auth/signup', json={'email': 'stays@example.com', 'password': PASSWORD})
        self.assertEqual(signed.status, 201)
        self.reload(CLOSED)
        self.assertEqual(client.get('/private/x').status, 200)
        self.assertEqual(client.get('/auth/me').status, 200)
        self.assertEqual(client.post('/auth/logout').status, 204)
        self.assertEqual(client.get('/private/x').status, 401)
        self.reload(CLOSED + '[session]\naccess = "1m"\n')
        self.assertEqual(client.get('/private/x').status, 401)

    def test_a_signal_and_a_changed_file_do_the_same(self):
        self.write(CLOSED)
        harness.wait_until(lambda: self.moat.request('GET', '/private/x').status == 401, 8, 'the change')
        done = metric(self.moat, 'moat_config_reloads_total')
        self.moat.process.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: metric(self.moat, 'moat_config_reloads_total') > done, 8, 'the reload')

    def test_many_reloads_under_load_lose_no_request(self):
        over = threading.Event()
        bad = []

        def ask():
            kept = Kept(self.moat)
            while not over.is_set():
                try:
                    status = kept.get('/').status
                except (OSError, http.client.HTTPException) as error:
                    status = repr(error)
                if status != 200:
                    bad.append(status)
                    return
            kept.close()

        roomy = OPEN + '[limits]\ndefault = "100000/min/ip burst 100000"\n'
        self.reload(roomy)
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for turn in range(20):
            self.reload(roomy + ('[accounts]\nenabled = false\n' if turn % 2 else ''))
        over.set()
        for thread in threads:
            thread.join()
        self.assertEqual(bad, [])
        self.assertLess(self.moat.descriptors(), 200)


if __name__ == '__main__':
    harness.main()
