# SPDX-License-Identifier: Apache-2.0
"""Raw HTTP/1.1 on both sides of the gateway: peers that misbehave, backends that do as they are told.

    backend = wire.Backend({'/slow': handler})       # handler(peer, request): answers on the raw socket
    peer = wire.Wire(moat.connect())                  # a client
    peer.send(b'GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n')
    peer.answer().status
"""
import os
import pathlib
import select
import socket
import ssl
import tempfile
import threading
import time

import harness

LIMITS = {'MOAT_LIMITS_DEFAULT': '1000000/min/ip burst 100000'}


class Closed(Exception):
    """The other side is gone before it said all."""


class SharedTls:
    """A TLS socket that one thread reads and another writes. OpenSSL allows one of them at a time, so
    no call waits inside of it: what would block is tried again once the socket is ready."""

    def __init__(self, sock):
        self.sock, self.lock, self.timeout = sock, threading.Lock(), sock.gettimeout()
        sock.setblocking(False)

    def __getattr__(self, name):
        return getattr(self.sock, name)

    def gettimeout(self):
        return self.timeout

    def settimeout(self, seconds):
        self.timeout = seconds

    def _try(self, call):
        end = None if self.timeout is None else time.monotonic() + self.timeout
        while True:
            try:
                with self.lock:
                    return call()
            except (ssl.SSLWantReadError, BlockingIOError):  # the latter behind a shutdown, when TLS is over
                wait = ([self.sock], [])
            except ssl.SSLWantWriteError:
                wait = ([], [self.sock])
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError('timed out')
            select.select(*wait, [], left)

    def recv(self, size):
        return self._try(lambda: self.sock.recv(size))

    def recv_into(self, room, size):
        return self._try(lambda: self.sock.recv_into(room, size))

    def sendall(self, data):
        view = memoryview(data)
        while view:
            view = view[self._try(lambda: self.sock.send(view)):]

    def unwrap(self):
        self.sock.settimeout(self.timeout)
        return self.sock.unwrap()


class Wire:
    """A socket with a buffer, and the reading that HTTP/1.1 needs."""

    def __init__(self, sock, timeout=15):
        self.sock = SharedTls(sock) if isinstance(sock, ssl.SSLSocket) else sock
        self.sock.settimeout(timeout)
        self.buffer = b''

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.sock.sendall(data)

    def close(self):
        self.sock.close()

    def reset(self):
        """Closes so that the other side gets a reset, not an end."""
        plain = self.sock.sock if isinstance(self.sock, SharedTls) else self.sock
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
        if isinstance(plain, ssl.SSLSocket):
            plain._sslobj = None
        plain.close()

    def fill(self):
        try:
            data = self.sock.recv(65536)
        except (ConnectionError, ssl.SSLError) as error:
            raise Closed(str(error)) from error
        if not data:
            raise Closed('end')
        self.buffer += data

    def until(self, mark):
        while mark not in self.buffer:
            self.fill()
        text, self.buffer = self.buffer.split(mark, 1)
        return text

    def exactly(self, count):
        while len(self.buffer) < count:
            self.fill()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def discard(self, count):
        """Reads away `count` bytes without keeping them."""
        done = min(count, len(self.buffer))
        self.buffer = self.buffer[done:]
        room = memoryview(bytearray(65536))
        while done < count:
            got = self.sock.recv_into(room, min(len(room), count - done))
            if got == 0:
                raise Closed('end')
            done += got

    def rest(self):
        """All until the other side closes."""
        try:
            while True:
                self.fill()
        except Closed:
            pass
        data, self.buffer = self.buffer, b''
        return data

    def closed(self, seconds=5):
        """Whether the other side closes within that time; what it still sends is kept."""
        before = self.sock.gettimeout()
        end = time.monotonic() + seconds
        try:
            while (left := end - time.monotonic()) > 0:
                self.sock.settimeout(left)
                self.fill()
        except Closed:
            return True
        except TimeoutError:
            pass
        finally:
            self.sock.settimeout(before)
        return False

    def head(self):
        lines = self.until(b'\r\n\r\n').decode('latin-1').split('\r\n')
        fields = [(name.lower(), value.strip()) for name, _, value in (line.partition(':') for line in lines[1:])]
        return lines[0], fields

    def chunk(self):
        size = int(self.until(b'\r\n').split(b';')[0], 16)
        data = self.exactly(size)
        assert self.exactly(2) == b'\r\n'
        return data

    def chunks(self):
        data = b''
        while piece := self.chunk():
            data += piece
        return data

    def body(self, fields):
        values = dict(fields)
        if values.get('transfer-encoding', '').lower() == 'chunked':
            return self.chunks()
        return self.exactly(int(values.get('content-length', 0)))

    def answer(self, method='GET'):
        """The next answer; interim ones are kept in `interim`."""
        interim = []
        while True:
            line, fields = self.head()
            status = int(line.split(' ')[1])
            if status >= 200 or status == 101:
                break
            interim.append(status)
        answer = harness.Answer(status, fields, b'')
        answer.interim = interim
        if method != 'HEAD' and status not in (101, 204, 304):
            if answer.header('transfer-encoding') or answer.header('content-length') is not None:
                answer.body = self.body(fields)
            else:
                answer.body = self.rest()
        return answer

    def get(self, path, *fields):
        self.send(request('GET', path, *fields))
        return self.answer()


def request(method, path, *fields, body=None):
    """A request's bytes; Content-Length is added where there is a body."""
    lines = [f'{method} {path} HTTP/1.1', 'Host: localhost', *fields]
    if body is not None:
        lines.append(f'Content-Length: {len(body)}')
    return '\r\n'.join(lines).encode('latin-1') + b'\r\n\r\n' + (body or b'')


def chunked(data, size=1000):
    pieces = [data[i:i + size] for i in range(0, len(data), size)]
    return b''.join(b'%x\r\n%s\r\n' % (len(p), p) for p in pieces) + b'0\r\n\r\n'


class Request:
    def __init__(self, line, fields):
        self.method, self.target, self.version = line.split(' ')
        self.path = self.target.partition('?')[0]
        self.fields = fields

    def all(self, name):
        return [value for key, value in self.fields if key == name.lower()]

    def field(self, name):
        values = self.all(name)
        return values[0] if values else None

    @property
    def names(self):
        return [name for name, _ in self.fields]


def ok(body=b'ok', *fields, status='200 OK'):
    """An answer's bytes."""
    head = [f'HTTP/1.1 {status}', 'Content-Type: text/plain', f'Content-Length: {len(body)}', *fields]
    return '\r\n'.join(head).encode('latin-1') + b'\r\n\r\n' + body


class Backend:
    """Answers by path: `handler(peer, request)` sends what it likes and returns False to close. The
    default reads the body and says it back. `connections` counts, `requests` keeps what came."""

    def __init__(self, handlers=None, port=0, path=None, tls=None):
        """On a port, or on a Unix socket at `path`; over TLS where there is a context for it."""
        self.handlers = dict(handlers or {})
        self.tls = tls
        self.connections = 0
        self.requests = []
        self.open = set()
        self.lock = threading.Lock()
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(path))
            self.listener.listen(512)
            self.url = f'unix:{path}'
        else:
            self.listener = socket.create_server((harness.HOST, port), backlog=512)
            self.port = self.listener.getsockname()[1]
            self.url = f'{"https" if tls else "http"}://{harness.HOST}:{self.port}'
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        with self.lock:
            peers = list(self.open)
        for peer in peers:
            try:
                peer.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def seen(self, path):
        with self.lock:
            return [r for r in self.requests if r.path == path]

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        if self.tls:
            try:
                sock.settimeout(10)
                sock = self.tls.wrap_socket(sock, server_side=True)
            except OSError:
                sock.close()
                return
        peer = Wire(sock, 120)
        with self.lock:
            self.open.add(peer)
        try:
            while True:
                line, fields = peer.head()
                got = Request(line, fields)
                with self.lock:
                    self.requests.append(got)
                handler = self.handlers.get(got.path, echo)
                if handler(peer, got) is False:
                    return
        except (Closed, OSError, ValueError):
            pass
        finally:
            with self.lock:
                self.open.discard(peer)
            peer.close()


def echo(peer, got):
    body = peer.body(got.fields)
    peer.send(ok(b'' if got.method == 'HEAD' else body or b'OK'))


class Toml(harness.Moat):
    """A gateway whose backends stand in its configuration."""

    def __init__(self, config, options=(), env=None):
        self.domain, self.trusted, self._own_data = 'localhost', None, True
        self.data = pathlib.Path(tempfile.mkdtemp(prefix='moat-e2e-'))
        self.https_port, self.http_port, self.admin_port = (harness.free_port() for _ in range(3))
        path = self.data / 'moat.toml'
        path.write_text(config)
        harness.Program.__init__(
            self, [os.environ['MOAT_BIN'], 'run', '--config', path, '--data', self.data / 'data',
                   '--https', f'{harness.HOST}:{self.https_port}', '--http', f'{harness.HOST}:{self.http_port}',
                   '--admin', f'{harness.HOST}:{self.admin_port}', *options], env)
        self._wait_ready()


def sanitized():
    """Whether the gateway was built with AddressSanitizer, whose own memory says nothing of Moat's."""
    with open(os.environ['MOAT_BIN'], 'rb') as program:
        return b'__asan_init' in program.read()


class Case(harness.Case):
    """The gateway, one worker and wide limits, in front of a Backend; after the tests of a class it
    must still serve, with the descriptors and about the memory it had before."""

    handlers = {}
    memory_margin_kib = 12 * 1024
    env = LIMITS
    options = ('--workers', '1')

    @classmethod
    def setUpClass(cls):
        cls.backend = Backend(cls.handlers)
        cls.addClassCleanup(cls.backend.stop)
        cls.moat = harness.Moat(cls.backend.url, cls.config, cls.options, env=cls.env)
        cls.addClassCleanup(cls._end)
        warm = [cls.peer() for _ in range(40)]
        for peer in warm:
            peer.send(request('POST', '/warm', body=b'x' * 20000))
        for peer in warm:
            peer.answer()
            peer.close()
        cls.addClassCleanup(cls._still_well, cls._settled_descriptors(), cls.moat.resident_kib())

    @classmethod
    def peer(cls, timeout=15):
        return Wire(cls.moat.connect(), timeout)

    @classmethod
    def _settled_descriptors(cls):
        """Idle backend connections are closed after some seconds."""
        harness.wait_until(lambda: not cls.backend.open, 15, 'the end of idle backend connections')
        time.sleep(0.1)
        return cls.moat.descriptors()

    @classmethod
    def _still_well(cls, descriptors, resident):
        with cls.peer() as peer:
            assert peer.get('/well').status == 200
        harness.wait_until(lambda: cls.moat.descriptors() <= descriptors, 30, 'the end of all connections')
        grown = cls.moat.resident_kib() - resident
        print(f'{cls.__name__}: resident memory grew by {grown} KiB to {resident + grown}')
        if not sanitized():
            assert grown < cls.memory_margin_kib, f'resident memory grew by {grown} KiB'
