# SPDX-License-Identifier: Apache-2.0
"""Running Moat as an operator: reload, upgrade, the sandbox and the user it runs as."""
import http.client
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock

import harness
import http2_e2e
import wire

OPEN = '[log]\naccess = "json"\n'
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
        before = len(self.backend.seen('/slow'))
        slow.get('/slow?seconds=2', wait=False)
        harness.wait_until(lambda: len(self.backend.seen('/slow')) > before, what='the request')
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

    def test_a_stream_of_a_kept_http2_connection_follows_the_new_rules(self):
        before = len(self.backend.seen('/slow'))
        url = f'https://localhost:{self.moat.https_port}'
        # One connection: what curl asks second waits for the reload behind what it asks first.
        curl = subprocess.Popen(
            ['curl', '--silent', '--http2', '--cacert', self.moat.ca_file(), '--write-out',
             '%{http_version} %{http_code} %{num_connects}\\n', '-o', '/dev/null', url + '/slow?seconds=2',
             '-o', '/dev/null', url + '/private/x'], stdout=subprocess.PIPE, text=True)
        harness.wait_until(lambda: len(self.backend.seen('/slow')) > before, what='the first stream')
        self.reload('login = ["/*"]\n' + OPEN)
        said, _ = curl.communicate(timeout=30)
        self.assertEqual(said.splitlines(), ['2 200 1', '2 401 0'])

    def generations(self):
        return metric(self.moat, 'moat_config_generations')

    def test_connections_that_wait_keep_no_configuration(self):
        kept = Kept(self.moat)
        self.addCleanup(kept.close)
        self.assertEqual(kept.get('/').status, 200)
        half = self.moat.connect()
        self.addCleanup(half.close)
        half.sendall(b'GET / HTTP/1.1\r\nHost: ')
        several = http2_e2e.Frames(self.moat)
        self.addCleanup(several.sock.close)
        self.assertTrue(several.answer(several.request(authority=f'localhost:{self.moat.https_port}'))[0])
        silent = [self.moat.connect(), socket.create_connection((harness.HOST, self.moat.https_port), 15),
                  socket.create_connection((harness.HOST, self.moat.http_port), 15)]
        for one in silent:
            self.addCleanup(one.close)
        for turn in range(4):
            self.reload(CLOSED if turn % 2 else OPEN)
        harness.wait_until(lambda: self.generations() == 1, 5, 'the end of the configurations before')
        # All of them still serve, under the last.
        self.assertEqual(kept.get('/private/x').status, 401)
        half.sendall(f'localhost:{self.moat.https_port}\r\n\r\n'.encode())
        self.assertTrue(half.recv(100).startswith(b'HTTP/1.1 200 '))
        stream = several.request(path='/private/x', authority=f'localhost:{self.moat.https_port}')
        self.assertIn(b'"status":401', several.answer(stream)[1])
        late = self.moat.tls_context().wrap_socket(silent[1], server_hostname='localhost')
        self.addCleanup(late.close)
        late.sendall(f'GET /private/x HTTP/1.1\r\nHost: localhost:{self.moat.https_port}\r\n\r\n'.encode())
        self.assertTrue(late.recv(100).startswith(b'HTTP/1.1 401 '))

    def test_a_request_keeps_its_configuration_and_no_longer(self):
        slow = Kept(self.moat)
        self.addCleanup(slow.close)
        before = len(self.backend.seen('/slow'))
        slow.get('/slow?seconds=2', wait=False)
        harness.wait_until(lambda: len(self.backend.seen('/slow')) > before, what='the request')
        for _ in range(3):
            self.reload(OPEN)
        self.assertEqual(self.generations(), 2)
        self.assertEqual(slow.answer().status, 200)
        harness.wait_until(lambda: self.generations() == 1, 5, 'its end')

    def test_a_dead_backend_stays_known_as_dead(self):
        dead = f'http://{harness.HOST}:{harness.free_port()}'
        config = OPEN + f'[[route]]\nmatch = "/*"\nbackend = ["{dead}", "{self.backend.url}"]\n'
        moat = wire.Toml(config, ('--workers', '2'))
        self.addCleanup(moat.stop)
        up = f'moat_backend_up{{server="{dead}"}}'
        while metric(moat, up) == 1:
            self.assertEqual(moat.request('GET', '/').status, 200)
        code, said = moat_command('reload', '--data', moat.data / 'data')
        self.assertEqual(code, 0, said)
        harness.wait_until(lambda: len(events(moat, 'backend_down')) == 1, what='the line of the log')
        for _ in range(8):
            self.assertEqual(moat.request('GET', '/').status, 200)
        # As before the reload: not three failures until it is found out anew.
        self.assertEqual(len(events(moat, 'backend_down')), 1)

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


def pids_of(moat):
    return [event['pid'] for event in events(moat, 'upgrade_begun')]


def end(pid, seconds=30):
    """Ends a process that an upgrade has started."""
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    def gone():
        try:
            return pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[0] == 'Z'
        except FileNotFoundError:
            return True
    try:
        harness.wait_until(gone, seconds, 'its end')
    except AssertionError:
        os.kill(pid, signal.SIGKILL)
        raise


class Clients:
    """Some with connections of their own for each request, some that keep theirs; no request may fail."""

    def __init__(self, moat, threads=3):
        self.moat, self.over, self.failed, self.count = moat, threading.Event(), [], 0
        moat.ca_file()
        self.threads = [threading.Thread(target=self._run, args=(kept,)) for kept in (True, False) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def _run(self, kept):
        connection = None
        while not self.over.is_set():
            try:
                connection = connection or Kept(self.moat)
                answer = connection.get('/')
                if answer.status != 200:
                    self.failed.append(answer.status)
                self.count += 1
                if not kept or answer.getheader('connection') == 'close':
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))
                connection = None
            time.sleep(0.01)
        if connection:
            connection.close()

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


class Stopping(unittest.TestCase):
    """SIGTERM: first the doors close, then what is in flight ends, then the process does, with 0."""

    def refuses(self, port):
        try:
            socket.create_connection((harness.HOST, port), 1).close()
        except ConnectionRefusedError:
            return True
        return False

    def stop(self, config=OPEN, seconds=5):
        """A gateway that has been told to stop, while a request is in flight; that, and another that is idle."""
        backend = harness.Echo()
        self.addCleanup(backend.stop)
        moat = harness.Moat(backend.url, config, options=('--workers', '2'))
        self.addCleanup(lambda: moat.running() and moat.stop())
        busy, idle = Kept(moat), Kept(moat)
        self.addCleanup(busy.close)
        self.addCleanup(idle.close)
        self.assertEqual(idle.get('/').status, 200)
        busy.get(f'/slow?seconds={seconds}', wait=False)
        harness.wait_until(lambda: backend.seen('/slow'), what='the request')
        moat.process.send_signal(signal.SIGTERM)
        return moat, busy, idle

    def test_doors_first_then_requests_then_the_process(self):
        moat, busy, idle = self.stop()
        for port in (moat.https_port, moat.http_port):
            harness.wait_until(lambda: self.refuses(port), 10, 'the closing of the door')
        self.assertEqual(idle.connection.sock.recv(1), b'')
        ready = moat.request('GET', '/readyz', port=moat.admin_port, tls=False,
                             headers={'Host': f'localhost:{moat.admin_port}'})
        self.assertEqual(ready.status, 503)
        self.assertTrue(moat.running())
        self.assertEqual((len(events(moat, 'stopping')), events(moat, 'stopped')), (1, []))
        answer = busy.answer()
        self.assertEqual((answer.status, answer.getheader('connection')), (200, 'close'))
        self.assertEqual(moat.stop(5), 0)
        self.assertEqual(len(events(moat, 'stopped')), 1)

    def test_what_does_not_end_in_time_is_cut_off_and_it_ends_well(self):
        moat, busy, _ = self.stop(OPEN + '[server.timeouts]\ndrain = "1s"\n', seconds=20)
        with self.assertRaises((OSError, http.client.HTTPException)):
            busy.answer()
        self.assertEqual(moat.stop(8), 0)
        self.assertEqual(len(events(moat, 'stopped')), 1)


class Upgrade(unittest.TestCase):
    config = OPEN + '[limits]\ndefault = "100000/min/ip burst 100000"\n[server.timeouts]\ndrain = "3s"\n'

    def setUp(self):
        self.backend = harness.Echo()
        self.addCleanup(self.backend.stop)
        self.programs = pathlib.Path(tempfile.mkdtemp(prefix='moat-program-'))
        self.addCleanup(shutil.rmtree, self.programs, ignore_errors=True)
        self.data = pathlib.Path(tempfile.mkdtemp(prefix='moat-e2e-'))
        self.addCleanup(shutil.rmtree, self.data, ignore_errors=True)

    def start(self):
        """A gateway whose program can be replaced."""
        program = self.programs / 'moat'
        shutil.copy(os.environ['MOAT_BIN'], program)
        with unittest.mock.patch.dict(os.environ, MOAT_BIN=str(program)):
            moat = harness.Moat(self.backend.url, self.config, data=self.data)
        self.addCleanup(moat.stop)
        self.addCleanup(lambda: [end(pid) for pid in pids_of(moat)])
        return moat

    def replace(self, text):
        new = self.programs / 'new'
        new.write_text(text)
        new.chmod(0o755)
        os.replace(new, self.programs / 'moat')

    def upgrade(self, moat):
        moat.process.send_signal(signal.SIGUSR2)
        harness.wait_until(lambda: events(moat, 'handed_over') or events(moat, 'upgrade_failed'), 30, 'the upgrade')
        self.assertEqual(events(moat, 'upgrade_failed'), [])
        return events(moat, 'handed_over')[-1]['pid']

    def test_no_request_fails(self):
        moat = self.start()
        clients = Clients(moat)
        self.addCleanup(clients.stop)
        time.sleep(0.5)
        slow = Kept(moat)
        slow.get('/slow?seconds=3', wait=False)
        idle = Kept(moat)
        self.assertEqual(idle.get('/').status, 200)
        first = moat.pid
        pid = self.upgrade(moat)
        self.assertNotEqual(pid, first)
        self.assertEqual(slow.answer().status, 200)
        answer = idle.get('/')
        self.assertEqual((answer.status, answer.getheader('connection')), (200, 'close'))
        self.assertEqual(moat.process.wait(20), 0)
        before = clients.count
        harness.wait_until(lambda: clients.count > before + 20, what='answers of the new process')
        clients.stop()
        self.assertEqual(clients.failed, [])
        self.assertGreater(clients.count, 50)
        code, said = moat_command('reload', '--data', moat.data / 'data')
        self.assertEqual(code, 0, said)

    def test_it_can_be_done_again(self):
        moat = self.start()
        self.upgrade(moat)
        self.assertEqual(moat.process.wait(20), 0)
        second = events(moat, 'handed_over')[0]['pid']
        os.kill(second, signal.SIGUSR2)
        harness.wait_until(lambda: len(events(moat, 'handed_over')) == 2, 30, 'the second upgrade')
        self.assertEqual(moat.request('GET', '/').status, 200)

    def test_sessions_survive(self):
        moat = self.start()
        client = moat.client()
        self.assertEqual(client.post('/auth/signup', json={'email': 'on@example.com', 'password': PASSWORD}).status, 201)
        self.upgrade(moat)
        self.assertEqual(moat.process.wait(20), 0)
        self.assertEqual(client.get('/auth/me').status, 200)
        self.assertEqual(client.post('/auth/logout').status, 204)
        self.assertEqual(client.get('/auth/me').status, 401)

    def test_a_program_that_ends_leaves_the_old_one_serving(self):
        moat = self.start()
        clients = Clients(moat)
        self.addCleanup(clients.stop)
        self.replace('#!/bin/sh\nexit 3\n')
        moat.process.send_signal(signal.SIGUSR2)
        harness.wait_until(lambda: events(moat, 'upgrade_failed'), 20, 'the failure')
        self.assertIn('ended before it was ready', events(moat, 'upgrade_failed')[-1]['reason'])
        self.assertTrue(moat.running())
        self.assertEqual(moat.request('GET', '/').status, 200)
        clients.stop()
        self.assertEqual(clients.failed, [])

    def test_a_program_that_is_none_leaves_the_old_one_serving(self):
        moat = self.start()
        self.replace('nothing')
        moat.process.send_signal(signal.SIGUSR2)
        harness.wait_until(lambda: events(moat, 'upgrade_failed'), 20, 'the failure')
        self.assertIn('cannot run', events(moat, 'upgrade_failed')[-1]['reason'])
        self.assertEqual(moat.request('GET', '/').status, 200)

    def test_a_configuration_that_is_wrong_leaves_the_old_one_serving_and_is_named(self):
        moat = self.start()
        (moat.data / 'moat.toml').write_text('nonsense = 1\n')
        moat.process.send_signal(signal.SIGUSR2)
        harness.wait_until(lambda: events(moat, 'upgrade_failed'), 20, 'the failure')
        self.assertIn("unknown key 'nonsense'", events(moat, 'upgrade_failed')[-1]['reason'])
        self.assertEqual(moat.request('GET', '/').status, 200)
        (moat.data / 'moat.toml').write_text(self.config)
        moat.process.send_signal(signal.SIGUSR2)
        harness.wait_until(lambda: events(moat, 'handed_over'), 20, 'the second try')
        self.assertEqual(moat.request('GET', '/').status, 200)

    def test_only_one_process_may_have_the_data_directory_otherwise(self):
        moat = self.start()
        code, said = moat_command('run', '--to', self.backend.url, '--data', moat.data / 'data', '--https',
                                  f'{harness.HOST}:{harness.free_port()}', '--http', 'off')
        self.assertEqual(code, 1)
        self.assertIn('another Moat is running', said)


class SocketActivation(unittest.TestCase):
    def start(self, backend, listening, https):
        data = pathlib.Path(tempfile.mkdtemp(prefix='moat-e2e-'))
        self.addCleanup(shutil.rmtree, data, ignore_errors=True)
        program = ('import os,sys; fd=int(sys.argv[1]); os.dup2(fd,3); os.set_inheritable(3,True); '
                   'os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1"); os.execv(sys.argv[2], sys.argv[2:])')
        process = subprocess.Popen(
            [sys.executable, '-c', program, str(listening.fileno()), os.environ['MOAT_BIN'], 'run', '--to', backend.url,
             '--data', str(data / 'data'), '--https', https, '--http', 'off'],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, pass_fds=[listening.fileno()])
        self.addCleanup(process.stdout.close)
        self.addCleanup(lambda: process.poll() is None and (process.terminate(), process.wait(30)))
        return process, data

    def test_a_passed_socket_serves_and_its_queue_is_not_lost(self):
        backend = harness.Echo()
        self.addCleanup(backend.stop)
        with socket.create_server((harness.HOST, 0)) as listening:
            port = listening.getsockname()[1]
            early = socket.create_connection((harness.HOST, port), 30)  # before anybody accepts
            process, data = self.start(backend, listening, f'{harness.HOST}:{port}')
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with context.wrap_socket(early, server_hostname='localhost') as secure:
                secure.sendall(f'GET / HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n'.encode())
                self.assertIn(b'HTTP/1.1 200', secure.recv(65536))

    def test_a_socket_that_nothing_names_refuses_the_start(self):
        backend = harness.Echo()
        self.addCleanup(backend.stop)
        with socket.create_server((harness.HOST, 0)) as listening:
            process, _ = self.start(backend, listening, f'{harness.HOST}:{harness.free_port()}')
            self.assertEqual(process.wait(30), 1)
            self.assertIn('neither server.https nor server.http names', process.stdout.read())


def threads_of(pid):
    """What the kernel says of each thread of a process."""
    found = []
    for task in pathlib.Path(f'/proc/{pid}/task').iterdir():
        found.append(dict(line.split(':', 1) for line in (task / 'status').read_text().splitlines()))
    return found


def certificate(folder, name):
    chain, key = folder / 'chain.pem', folder / 'key.pem'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
                    '-subj', f'/CN={name}', '-addext', f'subjectAltName=DNS:{name}', '-keyout', key, '-out', chain],
                   check=True, capture_output=True)
    key.chmod(0o600)
    return f'[tls]\ncertificate = "{chain}"\nkey = "{key}"\n'


class Sandbox(unittest.TestCase):
    def setUp(self):
        self.backend = harness.Echo()
        self.addCleanup(self.backend.stop)
        self.outside = pathlib.Path(tempfile.mkdtemp(prefix='moat-outside-'))
        self.addCleanup(shutil.rmtree, self.outside, ignore_errors=True)
        said = moat_command('check', '--to', self.backend.url)[1]
        if 'files by Landlock' not in said or 'system calls by seccomp' not in said:
            self.skipTest(said)

    def start(self, config):
        moat = harness.Moat(self.backend.url, config)
        self.addCleanup(moat.stop)
        return moat

    def reload(self, moat, config):
        (moat.data / 'moat.toml').write_text(config)
        return moat_command('reload', '--data', moat.data / 'data')

    def test_every_thread_is_in_it(self):
        moat = self.start(OPEN)
        harness.wait_until(lambda: 'Sandbox      files by Landlock' in moat.output, what='the banner')
        for thread in threads_of(moat.pid):
            self.assertEqual((thread['Seccomp'].strip(), thread['NoNewPrivs'].strip()), ('2', '1'), thread['Name'])

    def test_files_outside_are_not_read(self):
        tls = certificate(self.outside, 'localhost')
        moat = self.start(OPEN)
        code, said = self.reload(moat, OPEN + tls)
        self.assertEqual(code, 1)
        self.assertIn('Permission denied', said)
        self.assertEqual(moat.request('GET', '/').status, 200)

    def test_it_is_opened_by_name_only_and_that_is_a_weakening(self):
        tls = certificate(self.outside, 'localhost')
        config = OPEN + '[server]\nallow_unsandboxed = true\n'
        moat = self.start(config)
        self.assertEqual(len(events(moat, 'sandbox_off')), 1)
        self.assertEqual({thread['Seccomp'].strip() for thread in threads_of(moat.pid)}, {'0'})
        self.assertEqual({thread['NoNewPrivs'].strip() for thread in threads_of(moat.pid)}, {'1'})
        code, said = self.reload(moat, config + tls)
        self.assertEqual(code, 0, said)
        said = moat_command('check', '--to', self.backend.url, '--config', moat.data / 'moat.toml')[1]
        self.assertIn('weakened: practice 7: whoever breaks into Moat', said)

    def test_a_log_among_other_files_is_warned_of(self):
        logs = self.outside / 'logs'
        logs.mkdir()
        for directory, holds in ((logs, None), (self.outside, 'logs')):
            with self.subTest(directory.name):
                config = OPEN + f'access_path = "{directory}/access.log"\n'
                moat = self.start(config)
                said = moat_command('check', '--to', self.backend.url, '--config', moat.data / 'moat.toml')
                warned = [(event['directory'], event['holds']) for event in events(moat, 'access_log_directory_shared')]
                self.assertEqual(warned, [(str(directory), holds)] if holds else [])
                self.assertEqual(said[0], 0)
                self.assertEqual(f'{directory}, the directory of log.access_path, holds more than logs (logs)' in said[1],
                                 holds is not None, said[1])

    def test_a_certificate_named_at_the_start_can_be_renewed_in_its_directory(self):
        tls = certificate(self.outside, 'localhost')
        moat = self.start(OPEN + tls)
        with moat_trusting_nobody(moat) as first:
            old = first.getpeercert(binary_form=True)
        renewed = self.outside / 'renewed'
        renewed.mkdir()
        certificate(renewed, 'localhost')
        for name in ('key.pem', 'chain.pem'):
            os.replace(renewed / name, self.outside / name)

        def is_new():
            with moat_trusting_nobody(moat) as peer:
                return peer.getpeercert(binary_form=True) != old
        harness.wait_until(is_new, 10, 'the renewed certificate')
        self.assertEqual(metric(moat, 'moat_config_last_reload_successful'), 1)


def moat_trusting_nobody(moat):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection((harness.HOST, moat.https_port), 10), server_hostname='localhost')


@unittest.skipIf(os.geteuid() != 0, 'needs root, to give it up')
class User(unittest.TestCase):
    config = OPEN + '[server]\nuser = "nobody"\n[server.timeouts]\ndrain = "1s"\n'

    def setUp(self):
        self.backend = harness.Echo()
        self.addCleanup(self.backend.stop)
        self.data = pathlib.Path(tempfile.mkdtemp(prefix='moat-e2e-'))
        self.data.chmod(0o711)
        self.addCleanup(shutil.rmtree, self.data, ignore_errors=True)

    def start(self):
        moat = harness.Moat(self.backend.url, self.config, data=self.data)
        self.addCleanup(moat.stop)
        self.addCleanup(lambda: [end(pid) for pid in pids_of(moat)])
        return moat

    def test_root_is_given_up_and_what_it_made_is_the_users(self):
        moat = self.start()
        nobody = pwd.getpwnam('nobody')
        for thread in threads_of(moat.pid):
            self.assertEqual(thread['Uid'].split(), [str(nobody.pw_uid)] * 4)
            self.assertEqual(thread['Gid'].split(), [str(nobody.pw_gid)] * 4)
            self.assertEqual(thread['Groups'].split(), [str(nobody.pw_gid)])
            self.assertEqual(int(thread['CapPrm'], 16) | int(thread['CapEff'], 16), 0)
        for path in [self.data / 'data', *(self.data / 'data').rglob('*')]:
            self.assertEqual(path.stat().st_uid, nobody.pw_uid, path)
        (self.data / 'moat.toml').write_text(self.config + '[accounts]\nsignup = "closed"\n')
        code, said = moat_command('reload', '--data', self.data / 'data')
        self.assertEqual(code, 0, said)

    def test_an_upgrade_stays_that_user(self):
        moat = self.start()
        moat.process.send_signal(signal.SIGUSR2)
        harness.wait_until(lambda: events(moat, 'handed_over') or events(moat, 'upgrade_failed'), 30, 'the upgrade')
        self.assertEqual(events(moat, 'upgrade_failed'), [])
        pid = events(moat, 'handed_over')[-1]['pid']
        self.assertEqual(moat.process.wait(20), 0)
        self.assertEqual(threads_of(pid)[0]['Uid'].split(), [str(pwd.getpwnam('nobody').pw_uid)] * 4)
        self.assertEqual(moat.request('GET', '/').status, 200)

    def test_a_data_directory_of_root_refuses_the_start(self):
        (self.data / 'data').mkdir(mode=0o700)
        with self.assertRaises(AssertionError) as refused:
            self.start()
        self.assertIn('belongs to somebody else', str(refused.exception))

    def test_a_user_that_is_not_there_refuses_the_start(self):
        self.config = self.config.replace('nobody', 'no-such-user')
        with self.assertRaises(AssertionError) as refused:
            self.start()
        self.assertIn("server.user: there is no user 'no-such-user'", str(refused.exception))


if __name__ == '__main__':
    harness.main()
