# SPDX-License-Identifier: Apache-2.0
"""Faults: of the backend, of the machine and of Moat itself, under load. Nothing may leak, nothing that was
acknowledged may be lost, and what still works goes on working."""
import concurrent.futures
import contextlib
import ctypes.util
import http.client
import os
import random
import resource
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from harness import HOST, Case, Client, Echo, Moat, Notes, Program, free_port, main, wait_until

LOOSE = '''
[limits]
default = "1000000/s/ip"
signup = "1000000/h/ip"
login = "1000000/h/ip"
[server]
max_connections_per_address = 100000
'''
PASSWORD = 'a rather long passphrase'


class Load:
    """Threads that each keep one connection and ask again and again. What came back is counted by status; 0: nothing;
    CUT: an answer that had begun was cut off, as it must be when its backend says no more: so it is seen not to be whole."""

    CUT = 'cut'

    def __init__(self, moat, path='/', threads=8):
        self.moat, self.path, self.counts = moat, path, {}
        self._lock, self._over = threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self):
        connection = None
        while not self._over.is_set():
            status = 0
            try:
                if connection is None:
                    connection = http.client.HTTPSConnection(HOST, self.moat.https_port, timeout=20)
                    connection.sock = self.moat.connect(timeout=20)
                connection.request('GET', self.path, headers={'Host': f'localhost:{self.moat.https_port}'})
                answer = connection.getresponse()
                status = self.CUT
                answer.read()
                status = answer.status
                if answer.will_close:
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException):
                if connection is not None:
                    connection.close()
                connection = None
                time.sleep(0.02)
            with self._lock:
                self.counts[status] = self.counts.get(status, 0) + 1
        if connection is not None:
            connection.close()

    def count(self, status):
        with self._lock:
            return self.counts.get(status, 0)

    def wait_for(self, status, more=20):
        wanted = self.count(status) + more
        wait_until(lambda: self.count(status) >= wanted, 30, f'{more} answers of {status}')


@contextlib.contextmanager
def nothing_leaks(moat, mib=24):
    """Descriptors and memory are afterwards what they were before."""
    time.sleep(0.5)
    descriptors, memory = moat.descriptors(), moat.resident_kib()
    yield
    # Connections to backends are kept for a few seconds.
    wait_until(lambda: moat.descriptors() <= descriptors, 30, f'descriptors falling back to {descriptors}')
    wait_until(lambda: moat.resident_kib() <= memory + mib * 1024, 30, f'memory falling back to {memory} KiB')


class FixedNotes(Notes):
    """The sample backend on a port that it gets again when it is started anew."""

    def __init__(self, port):
        Program.__init__(self, [os.environ['MOAT_NOTES'], '--port', str(port)])
        self.url = f'http://{HOST}:{port}'
        wait_until(lambda: any('listening on' in line for line in self.lines), what='the sample backend')


class BackendFaults(unittest.TestCase):
    def setUp(self):
        self.port = free_port()
        self.backend = FixedNotes(self.port)
        self.moat = Moat(self.backend.url, LOOSE + 'timeouts.backend = "1s"\ntimeouts.connect = "1s"\n')
        self.addCleanup(lambda: self.backend.stop(how=signal.SIGKILL))
        self.addCleanup(self.moat.stop)
        with Load(self.moat, threads=8) as load:  # warm
            load.wait_for(200)
        time.sleep(6)  # until the backend's connections are closed

    def test_killed_and_started_again(self):
        with nothing_leaks(self.moat), Load(self.moat) as load:
            for _ in range(3):
                load.wait_for(200)
                self.backend.stop(how=signal.SIGKILL)
                load.wait_for(502)
                self.backend = FixedNotes(self.port)
                load.wait_for(200)
        self.assertLessEqual(set(load.counts), {Load.CUT, 200, 502, 503, 504}, load.counts)

    def test_stalled_and_going_on(self):
        with nothing_leaks(self.moat), Load(self.moat) as load:
            load.wait_for(200)
            self.backend.process.send_signal(signal.SIGSTOP)
            load.wait_for(504, more=8)
            self.backend.process.send_signal(signal.SIGCONT)
            load.wait_for(200)
        # The backend may have been stopped between the head of an answer and its body.
        self.assertLessEqual(set(load.counts), {Load.CUT, 200, 502, 503, 504}, load.counts)


class Gibberish:
    """A backend that answers each connection with something else that is wrong, and now and then with what is right."""

    def __init__(self, seed=1):
        self.random = random.Random(seed)
        self._server = socket.create_server((HOST, 0), backlog=256)
        self.url = f'http://{HOST}:{self._server.getsockname()[1]}'
        threading.Thread(target=self._serve, daemon=True).start()

    def stop(self):
        self._server.close()

    def _serve(self):
        while True:
            try:
                peer, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(peer, self.random.randrange(8)), daemon=True).start()

    def _answer(self, peer, kind):
        noise = self.random.randbytes(2000)
        with peer, contextlib.suppress(OSError):
            peer.settimeout(10)
            peer.recv(65536)
            if kind == 0:
                peer.sendall(noise)
            elif kind == 1:
                peer.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n' + noise)  # and closes
            elif kind == 2:
                peer.sendall(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n' + noise)
            elif kind == 3:
                peer.sendall(b'HTTP/1.1 200 OK\r\nContent-Le')
            elif kind == 4:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')  # a reset
            elif kind == 5:
                peer.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' + noise)  # more than announced
                time.sleep(0.05)
            elif kind == 6:
                peer.sendall(b'HTTP/1.1 200 OK\r\nX: ' + b'a' * 200_000)
            else:
                peer.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok')


class GarbageUnderLoad(unittest.TestCase):
    def test_it_reaches_nobody_and_leaves_nothing_behind(self):
        backend = Gibberish()
        self.addCleanup(backend.stop)
        moat = Moat(backend.url, LOOSE + 'timeouts.backend = "2s"\n')
        self.addCleanup(moat.stop)
        with Load(moat) as load:
            load.wait_for(200, more=5)
        time.sleep(1)
        with nothing_leaks(moat), Load(moat) as load:
            wait_until(lambda: sum(load.counts.values()) >= 600, 60, '600 answers')
        self.assertLessEqual(set(load.counts), {Load.CUT, 200, 502, 503, 504}, load.counts)
        self.assertGreater(load.count(502), 0)
        self.assertGreater(load.count(200), 0)


class Killed(unittest.TestCase):
    def test_what_was_acknowledged_is_there_after_kill_9(self):
        backend = Notes()
        self.addCleanup(backend.stop)
        with tempfile.TemporaryDirectory(prefix='moat-faults-') as folder:
            acknowledged = []
            for round_ in range(3):
                moat = Moat(backend.url, LOOSE, data=folder)
                over = threading.Event()

                def sign_up(worker):
                    for i in range(1000):
                        if over.is_set():
                            return
                        email = f'person-{round_}-{worker}-{i}@example.com'
                        try:
                            answer = Client(moat).post('/auth/signup', json={'email': email, 'password': PASSWORD})
                        except (OSError, http.client.HTTPException):
                            return
                        if answer.status == 201:
                            acknowledged.append(email)

                with Load(moat, threads=4), concurrent.futures.ThreadPoolExecutor(4) as pool:
                    for worker in range(4):
                        pool.submit(sign_up, worker)
                    before = len(acknowledged)
                    wait_until(lambda: len(acknowledged) >= before + 8, 60, 'sign-ups')
                    moat.process.kill()
                    moat.process.wait()
                    over.set()
                moat.stop()
            moat = Moat(backend.url, LOOSE, data=folder)
            self.addCleanup(moat.stop)
            for email in acknowledged[-12:] + acknowledged[:4]:
                answer = Client(moat).post('/auth/login', json={'email': email, 'password': PASSWORD})
                self.assertEqual(answer.status, 200, (email, answer))


class DiskFull(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='moat-faults-')
        mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=4m,mode=0700', 'tmpfs', self.folder], capture_output=True)
        if mounted.returncode != 0:
            os.rmdir(self.folder)
            self.skipTest('no right to mount a small file system')
        self.addCleanup(lambda: (subprocess.run(['umount', '-l', self.folder], check=True), os.rmdir(self.folder)))
        backend = Notes()
        self.addCleanup(backend.stop)
        self.moat = Moat(backend.url, LOOSE, data=self.folder)
        self.addCleanup(self.moat.stop)

    def test_sessions_and_the_backend_go_on_and_sign_ups_come_back(self):
        person = Client(self.moat)
        self.assertEqual(person.post('/auth/signup', json={'email': 'a@example.com', 'password': PASSWORD}).status, 201)
        filler = os.path.join(self.folder, 'filler')
        with open(filler, 'wb', buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b'x' * 4096)
        refused = None
        for i in range(40):  # what is in the journal already may still fit
            answer = Client(self.moat).post('/auth/signup', json={'email': f'b{i}@example.com', 'password': PASSWORD})
            if answer.status != 201:
                refused = answer
                break
        self.assertIsNotNone(refused, 'sign-ups went on with a full disk')
        self.assertEqual(refused.status, 503, refused)
        self.assertEqual(self.moat.request('GET', '/').status, 200)
        self.assertEqual(person.get('/auth/me').status, 200)
        os.unlink(filler)
        self.assertEqual(Client(self.moat).post('/auth/signup', json={'email': 'c@example.com', 'password': PASSWORD}).status, 201)
        self.assertTrue(self.moat.running())


def faketime_library():
    for folder in ('/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib'):
        path = f'{folder}/faketime/libfaketimeMT.so.1'
        if os.path.exists(path):
            return path
    return None


class ClockSteps(unittest.TestCase):
    """The wall clock is set by minutes and by years; the monotonic one goes on."""

    def test_it_goes_on_and_nobody_is_locked_out(self):
        library = faketime_library()
        if library is None:
            self.skipTest('no libfaketime')
        with tempfile.TemporaryDirectory(prefix='moat-faults-') as folder:
            offset = os.path.join(folder, 'offset')

            def step(text):
                with open(offset + '.new', 'w', encoding='ascii') as file:
                    file.write(text)
                os.rename(offset + '.new', offset)
                time.sleep(2.2)  # the library looks at the file once in two seconds

            step('+0')
            backend = Notes()
            self.addCleanup(backend.stop)
            # The file with the offset is none that the sandbox would let it read.
            moat = Moat(backend.url, LOOSE + 'allow_unsandboxed = true\n',
                        env={'LD_PRELOAD': library, 'FAKETIME_TIMESTAMP_FILE': offset, 'FAKETIME_CACHE_DURATION': '1',
                             'FAKETIME_DONT_FAKE_MONOTONIC': '1', 'DONT_FAKE_MONOTONIC': '1'})
            self.addCleanup(moat.stop)
            person = Client(moat)
            self.assertEqual(person.post('/auth/signup', json={'email': 'a@example.com', 'password': PASSWORD}).status, 201)
            self.assertEqual(person.get('/auth/me').status, 200)
            with Load(moat, threads=2) as load:
                for offset_now in ('+20m', '+0', '-20m', '+0'):
                    step(offset_now)
                    load.wait_for(200)
                    # The session is younger than it may be in each of these: at worst it is refreshed.
                    again = Client(moat)
                    answer = again.post('/auth/login', json={'email': 'a@example.com', 'password': PASSWORD})
                    self.assertEqual(answer.status, 200, (offset_now, answer))
                    self.assertEqual(again.get('/auth/me').status, 200, offset_now)
                # Years ahead: every session is over, a login makes a new one, and back again nothing is broken.
                step('+400d')
                wait_until(lambda: person.get('/auth/me').status != 200, 15, 'the session being over')
                ahead = Client(moat)
                self.assertEqual(ahead.post('/auth/login', json={'email': 'a@example.com', 'password': PASSWORD}).status, 200)
                step('+0')
                self.assertEqual(ahead.get('/auth/me').status, 401)
                again = Client(moat)
                self.assertEqual(again.post('/auth/login', json={'email': 'a@example.com', 'password': PASSWORD}).status, 200)
                self.assertEqual(again.get('/auth/me').status, 200)
            self.assertEqual(set(load.counts), {200}, load.counts)


class DescriptorsRunOut(unittest.TestCase):
    def test_what_is_there_is_served_and_the_log_says_why_there_is_no_more(self):
        backend = Echo()
        self.addCleanup(backend.stop)
        moat = Moat(backend.url, LOOSE)
        self.addCleanup(moat.stop)
        kept = http.client.HTTPSConnection(HOST, moat.https_port, timeout=20)
        kept.sock = moat.connect()
        self.addCleanup(kept.close)

        def ask():
            kept.request('GET', '/x', headers={'Host': f'localhost:{moat.https_port}'})
            answer = kept.getresponse()
            answer.read()
            return answer.status

        self.assertEqual(ask(), 200)
        with nothing_leaks(moat):
            limit = moat.descriptors() + 8
            resource.prlimit(moat.pid, resource.RLIMIT_NOFILE, (limit, limit))
            with contextlib.ExitStack() as others:
                for _ in range(60):
                    others.enter_context(socket.create_connection((HOST, moat.https_port), 5))
                wait_until(lambda: 'out of file descriptors' in moat.output, 10, 'the reason in the log')
                for _ in range(5):
                    self.assertEqual(ask(), 200)
                self.assertLessEqual(moat.descriptors(), limit)
            # They go, and there is room again.
            wait_until(lambda: moat.descriptors() < limit - 4, 20, 'free descriptors')
            self.assertEqual(moat.request('GET', '/x').status, 200)
            self.assertEqual(ask(), 200)


class FewDescriptors(unittest.TestCase):
    """A container with a low limit: clients cannot take what the backend's connections need."""

    def test_the_number_of_clients_is_lowered_and_requests_still_reach_the_backend(self):
        backend = Echo()
        self.addCleanup(backend.stop)
        moat = Moat(backend.url, LOOSE, prefix=['sh', '-c', 'ulimit -n 256; exec "$0" "$@"'])
        self.addCleanup(moat.stop)
        self.assertIn('max_connections_lowered', moat.output)
        with contextlib.ExitStack() as others:
            for _ in range(300):
                peer = others.enter_context(socket.create_connection((HOST, moat.https_port), 5))
                peer.setblocking(False)
            wait_until(lambda: 'too_many_connections' in moat.output, 10, 'the reason in the log')
            self.assertLess(moat.descriptors(), 256)
        wait_until(lambda: moat.descriptors() < 100, 20, 'free descriptors')
        self.assertEqual(moat.request('GET', '/x').status, 200)


if __name__ == '__main__':
    main()
