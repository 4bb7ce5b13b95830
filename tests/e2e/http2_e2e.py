#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 through the real binary: curl as a client that keeps the rules, frames made by hand for those
that do not. After each class the gateway still serves, with the descriptors it had before."""
import os
import pathlib
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import unittest

import harness
import wire
from wire import ok

MIB = 1024 * 1024
DATA, HEADERS, PRIORITY, RST, SETTINGS, _, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 1, 1, 4
PREFACE = b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
CALM = 11
QUICK = {**wire.LIMITS, 'MOAT_SERVER_TIMEOUTS_HEADER': '1s', 'MOAT_SERVER_TIMEOUTS_IDLE': '3s',
         'MOAT_SERVER_TIMEOUTS_SEND': '2s', 'MOAT_SERVER_TIMEOUTS_BODY': '2s', 'MOAT_SERVER_TIMEOUTS_DRAIN': '5s'}


def frame(kind, flags, stream, payload=b''):
    return struct.pack('>I', len(payload))[1:] + bytes((kind, flags)) + struct.pack('>I', stream) + payload


def text(value):
    """A literal of RFC 7541 section 5.2, without Huffman codes."""
    value = value.encode('latin-1')
    if len(value) < 127:
        return bytes((len(value),)) + value
    rest, out = len(value) - 127, bytearray((127,))
    while rest >= 128:
        out.append(rest % 128 + 128)
        rest //= 128
    out.append(rest)
    return bytes(out) + value


def block(fields):
    return b''.join(b'\0' + text(name) + text(value) for name, value in fields)


class Frames:
    """A client that sends what it likes."""

    def __init__(self, moat, hello=True):
        self.sock = wire.SharedTls(self.secure(moat))
        self.buffer = b''
        self.seen = []
        self.stream = -1
        if hello:
            self.send(PREFACE + frame(SETTINGS, 0, 0))

    @staticmethod
    def secure(moat):
        raw = socket.create_connection((harness.HOST, moat.https_port), 15)
        sock = moat.tls_context(alpn=('h2',)).wrap_socket(raw, server_hostname='localhost')
        assert sock.selected_alpn_protocol() == 'h2', sock.selected_alpn_protocol()
        return sock

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def head(self, method='GET', path='/', *more, **pseudo):
        values = {'method': method, 'scheme': 'https', 'path': path, 'authority': 'localhost', **pseudo}
        return block([(':' + name, value) for name, value in values.items() if value is not None] + list(more))

    def request(self, method='GET', path='/', *more, end=True, **pseudo):
        self.stream += 2
        self.send(frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), self.stream,
                        self.head(method, path, *more, **pseudo)))
        return self.stream

    def next(self, seconds=10):
        """The next frame as (type, flags, stream, payload); None at the end of the connection."""
        self.sock.settimeout(seconds)
        while True:
            if len(self.buffer) >= 9:
                size = int.from_bytes(self.buffer[:3], 'big')
                if len(self.buffer) >= 9 + size:
                    head, payload = self.buffer[:9], self.buffer[9:9 + size]
                    self.buffer = self.buffer[9 + size:]
                    found = (head[3], head[4], int.from_bytes(head[5:9], 'big'), payload)
                    self.seen.append(found)
                    return found
            try:
                got = self.sock.recv(65536)
            except (ConnectionError, ssl.SSLError):
                return None
            if not got:
                return None
            self.buffer += got

    def until(self, wanted, seconds=10):
        """The first frame for which wanted(type, flags, stream, payload)."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.next(max(0.1, end - time.monotonic()))
            if found is None:
                return None
            if wanted(*found):
                return found
        raise AssertionError(f'nothing of that kind in {seconds} s: {self.seen[-5:]}')

    def answer(self, stream):
        """(whether a head came, the body, the RST code or None)"""
        head, body = False, b''
        while True:
            found = self.next()
            if found is None:
                return head, body, 'closed'
            kind, flags, where, payload = found
            if kind == GOAWAY:
                return head, body, ('goaway', struct.unpack('>I', payload[4:8])[0])
            if where != stream:
                continue
            head = head or kind == HEADERS
            if kind == DATA:
                body += payload
            if kind == RST:
                return head, body, struct.unpack('>I', payload)[0]
            if flags & END_STREAM and kind in (DATA, HEADERS):
                return head, body, None

    def goaway(self, seconds=15):
        found = self.until(lambda kind, *_: kind == GOAWAY, seconds)
        return None if found is None else struct.unpack('>I', found[3][4:8])[0]


class Case(wire.Case):
    env = QUICK
    memory_margin_kib = 24 * 1024

    def frames(self):
        return Frames(self.moat)

    def curl(self, path, *arguments, data=None):
        done = subprocess.run(['curl', '-sS', '--http2', '--max-time', '60', '--cacert', str(self.moat.ca_file()),
                               '-w', '\n%{http_code} %{http_version}', *arguments, self.moat.origin + path],
                              input=data, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        body, _, said = done.stdout.rpartition(b'\n')
        status, version = said.decode().split()
        self.assertEqual(version, '2')
        return int(status), body


def count_bytes(peer, got):
    if got.field('content-length'):
        size = int(got.field('content-length'))
        peer.discard(size)
    else:
        size = 0
        while piece := peer.chunk():
            size += len(piece)
    peer.send(ok(str(size).encode()))


def many(peer, got):
    size = int(got.path.rpartition('/')[2])
    peer.send(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % size)
    piece = bytes(65536)
    while size > 0:
        peer.send(piece[:size])
        size -= len(piece)


def events(peer, _):
    peer.send(b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n')
    for number in range(3):
        data = b'data: %d\n\n' % number
        peer.send(b'%x\r\n%s\r\n' % (len(data), data))
        time.sleep(0.3)
    peer.send(b'0\r\n\r\n')


class Passing(Case):
    handlers = {'/count': count_bytes, '/many/5000000': many, '/many/200000000': many, '/events': events,
                '/empty': lambda peer, _: peer.send(b'HTTP/1.1 204 No Content\r\n\r\n'),
                '/close': lambda peer, _: (peer.send(b'HTTP/1.1 200 OK\r\n\r\nuntil the end'), False)[1]}

    def test_requests_of_every_kind(self):
        self.assertEqual(self.curl('/hello?x=1', data=b'')[0], 200)
        self.assertEqual(self.backend.requests[-1].target, '/hello?x=1')
        self.assertEqual(self.backend.requests[-1].field('host'), f'localhost:{self.moat.https_port}')
        self.assertEqual(self.curl('/empty'), (204, b''))
        self.assertEqual(self.curl('/close'), (200, b'until the end'))
        status, body = self.curl('/x', '-I')
        self.assertEqual(status, 200)
        self.assertNotIn(b'\nconnection:', body.lower())
        self.assertEqual(self.curl('/count', '-d', 'x' * 100_000), (200, b'100000'))
        self.assertEqual(self.curl('/count', '-H', 'Expect: 100-continue', '-d', 'x' * 100_000), (200, b'100000'))
        self.assertEqual(self.curl('/auth/me')[0], 401)
        self.assertEqual(self.curl('/a/%2e%2e/b', '--path-as-is')[0], 400)
        self.assertEqual(self.curl('/', '-X', 'TRACE')[0], 405)

    def test_large_bodies_both_ways(self):
        """Memory is looked at by the class's end."""
        self.assertEqual(len(self.curl('/many/5000000')[1]), 5_000_000)
        with tempfile.NamedTemporaryFile() as file:
            file.truncate(200 * MIB)
            self.assertEqual(self.curl('/count', '-T', file.name, '-X', 'POST')[0], 413)
        self.assertEqual(self.curl('/many/200000000', '-o', '/dev/null')[0], 200)

    def test_events_arrive_without_delay(self):
        with self.frames() as peer:
            stream = peer.request('GET', '/events')
            at = []
            while len(at) < 3:
                found = peer.until(lambda kind, flags, where, payload: kind == DATA and where == stream and payload)
                self.assertIn(b'data: ', found[3])
                at.append(time.monotonic())
            self.assertGreater(at[2] - at[0], 0.4)

    def test_many_streams_at_once(self):
        with self.frames() as peer:
            peer.send(frame(WINDOW, 0, 0, struct.pack('>I', 10 * MIB)))
            for _ in range(80):
                peer.request('GET', '/many/5000000' if peer.stream == 9 else '/small')
            done = set()
            while len(done) < 79:
                kind, flags, stream, _ = peer.until(lambda *_: True)
                if flags & END_STREAM and kind in (DATA, HEADERS):
                    done.add(stream)
            self.assertNotIn(11, done, 'its window is full, which stops nobody else')

    def test_a_body_in_many_frames_and_trailers(self):
        with self.frames() as peer:
            stream = peer.request('POST', '/count', end=False)
            for _ in range(50):
                peer.send(frame(DATA, 0, stream, b'x' * 1000))
            peer.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, block([('x-trailer', '1')])))
            self.assertEqual(peer.answer(stream), (True, b'50000', None))
            self.assertIsNone(self.backend.requests[-1].field('x-trailer'))

    def test_uploads_go_on_as_windows_are_given_back(self):
        with self.frames() as peer:
            kind, _, _, settings = peer.until(lambda kind, *_: kind == SETTINGS)
            values = dict(struct.unpack('>HI', settings[i:i + 6]) for i in range(0, len(settings), 6))
            peer.send(frame(SETTINGS, ACK, 0))
            stream = peer.request('POST', '/count', end=False)
            windows = {0: 65535, stream: values[4]}
            sent = 0
            while sent < 900_000:
                if min(windows.values()) < 16384:
                    found = peer.until(lambda kind, *_: kind == WINDOW)
                    self.assertIsNotNone(found, (sent, windows, peer.seen[-6:]))
                    _, _, where, payload = found
                    windows[where] += int.from_bytes(payload, 'big')
                    continue
                peer.send(frame(DATA, 0, stream, b'x' * 16384))
                sent += 16384
                for where in windows:
                    windows[where] -= 16384
            peer.send(frame(DATA, END_STREAM, stream))
            self.assertEqual(peer.answer(stream), (True, str(sent).encode(), None))


class WebSocket(Case):
    @staticmethod
    def echo(peer, got):
        peer.send(b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
                  b'Sec-WebSocket-Accept: x\r\n\r\nwelcome')
        while True:
            try:
                peer.fill()
            except wire.Closed:
                return False
            peer.send(peer.buffer)
            peer.buffer = b''

    handlers = {'/ws': lambda peer, got: WebSocket.echo(peer, got)}

    def open(self, peer, *more):
        return peer.request('CONNECT', '/ws', ('sec-websocket-version', '13'), *more, protocol='websocket', end=False)

    def test_both_ways(self):
        with self.frames() as peer:
            stream = self.open(peer, ('origin', self.moat.origin))
            text = b''
            peer.send(frame(DATA, 0, stream, b'hello'))
            while text != b'welcomehello':
                found = peer.until(lambda kind, flags, where, payload: kind == DATA and where == stream)
                text += found[3]
                self.assertTrue(b'welcomehello'.startswith(text), text)
            peer.send(frame(DATA, END_STREAM, stream))
            peer.until(lambda kind, flags, where, payload: where == stream and (kind == RST or flags & END_STREAM))

    def test_foreign_origins(self):
        with self.frames() as peer:
            before = len(self.backend.seen('/ws'))
            stream = self.open(peer, ('origin', 'https://evil.example'), ('cookie', '__Host-Http-at=x'))
            self.assertTrue(peer.answer(stream)[0])
            self.assertEqual(len(self.backend.seen('/ws')), before)


class Rules(Case):
    def test_what_smuggles_reaches_nobody(self):
        before = len(self.backend.requests)
        for more, pseudo in (([('x', 'a\r\nevil: 1')], {}), ([('x', 'a\nb')], {}), ([('x\r\ny', 'a')], {}), ([('X', 'a')], {}),
                             ([('transfer-encoding', 'chunked')], {}), ([('connection', 'close')], {}),
                             ([('te', 'gzip')], {}), ([('upgrade', 'websocket')], {}), ([('content-length', '7')], {}),
                             ([], {'path': '/ HTTP/1.1\r\nx: y'}), ([], {'path': '/a b'}), ([], {'path': 'x'}),
                             ([], {'scheme': 'http'}), ([], {'authority': 'evil.example'}), ([], {'authority': 'a@localhost'}),
                             ([('host', 'evil.example')], {}), ([], {'method': 'GET / HTTP/1.1\r\nA: b'}),
                             ([], {'method': 'TRACE'}), ([], {'method': 'CONNECT'}), ([], {'authority': None}),
                             ([('x-forwarded-host', 'a'), ('content-length', '+0')], {}), ([], {'path': '/%00'})):
            with self.subTest(more=more, pseudo=pseudo), self.frames() as peer:
                stream = peer.request('GET', *more and ('/', *more) or ('/',)) if not pseudo else None
                if pseudo:
                    values = {'method': 'GET', 'scheme': 'https', 'path': '/', 'authority': 'localhost', **pseudo}
                    stream = peer.stream = 1
                    peer.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, block(
                        [(':' + k, v) for k, v in values.items() if v is not None] + more)))
                peer.answer(stream)
                self.assertEqual(len(self.backend.requests), before)

    def test_a_head_that_is_too_long_is_431(self):
        with self.frames() as peer:
            stream = peer.request('GET', '/', *[(f'x-{i}', 'a' * 100) for i in range(110)])
            head, body, code = peer.answer(stream)
            self.assertTrue(head)
            self.assertIn(b'"status":431', body)

    def test_cookies_in_pieces_are_one_session(self):
        client = self.moat.client()
        self.assertEqual(client.post('/auth/signup', json={'email': 'h2@b.example', 'password': 'a quite long passphrase 17'}).status, 201)
        with self.frames() as peer:
            stream = peer.request('GET', '/auth/me', *[('cookie', f'{k}={v}') for k, v in client.cookies.items()])
            self.assertIn(b'h2@b.example', peer.answer(stream)[1])
            # Its neighbour on the same connection is somebody else.
            stream = peer.request('GET', '/auth/me')
            self.assertIn(b'login_required', peer.answer(stream)[1])

    memory_margin_kib = 64 * 1024  # of the hash at the sign-up

    def test_garbage(self):
        for data in (b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', os.urandom(5000), PREFACE + os.urandom(5000),
                     PREFACE + frame(DATA, 0, 1, b'x'), PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, 5, 2, b'\x82')):
            with self.subTest(data=data[:40]):
                peer = Frames(self.moat, hello=False)
                peer.send(data)
                end = time.monotonic() + 10
                while peer.next(10) is not None:
                    self.assertLess(time.monotonic(), end)
                peer.sock.close()

    def test_http_1_1_is_still_spoken(self):
        with self.peer() as peer:
            self.assertEqual(peer.get('/').status, 200)


class Floods(Case):
    """Each costs the attacker the connection, and nobody else anything."""

    @staticmethod
    def slow(peer, got):
        time.sleep(1)
        peer.send(ok())

    handlers = {'/slow': lambda peer, got: Floods.slow(peer, got), '/many/5000000': many}

    def tearDown(self):
        with self.peer() as peer:
            self.assertEqual(peer.get('/').status, 200)

    def flood(self, make, most):
        with self.frames() as peer:
            sent = 0
            try:
                for sent in range(most):
                    peer.send(make(peer))
            except (ConnectionError, ssl.SSLError):
                pass
            code = peer.goaway() if not any(f[0] == GOAWAY for f in peer.seen) else CALM
            self.assertIn(code, (CALM, None))
            return sent

    def test_rapid_reset(self):
        def make(peer):
            peer.stream += 2
            return frame(HEADERS, END_HEADERS | END_STREAM, peer.stream, peer.head('GET', '/slow')) + \
                frame(RST, 0, peer.stream, struct.pack('>I', 8))
        before = len(self.backend.seen('/slow'))
        self.flood(make, 20_000)
        self.assertLess(len(self.backend.seen('/slow')) - before, 150)

    def test_settings_pings_and_priorities(self):
        for useless in (frame(SETTINGS, 0, 0), frame(PING, 0, 0, b'x' * 8), frame(PRIORITY, 0, 1, b'\0\0\0\0\x10')):
            self.flood(lambda _, data=useless: data, 200_000)

    def test_continuation(self):
        with self.frames() as peer:
            peer.send(frame(HEADERS, END_STREAM, 1, peer.head()))
            try:
                for _ in range(200_000):
                    peer.send(frame(CONTINUATION, 0, 1, block([('x', 'y')])))
            except (ConnectionError, ssl.SSLError):
                return
            self.assertIsNotNone(peer.goaway())

    def test_a_head_that_trickles(self):
        with self.frames() as peer:
            peer.send(frame(HEADERS, END_STREAM, 1, peer.head()))
            begun = time.monotonic()
            while peer.next(8) is not None:
                pass
            self.assertLess(time.monotonic() - begun, 6)

    def test_idle(self):
        with self.frames() as peer:
            begun = time.monotonic()
            self.assertEqual(peer.goaway(), 0)
            self.assertGreater(time.monotonic() - begun, 2)

    def test_what_is_no_request_keeps_no_connection(self):
        """Pings, and a preface that comes a byte at a time."""
        for hello, pieces in ((True, [frame(PING, 0, 0, b'x' * 8)] * 30), (False, [PREFACE[i:i + 1] for i in range(24)])):
            with self.subTest(hello=hello):
                peer = Frames(self.moat, hello=hello)
                begun = time.monotonic()
                try:
                    for piece in pieces:
                        peer.send(piece)
                        time.sleep(0.5)
                except (ConnectionError, ssl.SSLError):
                    pass
                self.assertLess(time.monotonic() - begun, 8, 'idle is 3 s')
                peer.sock.close()

    def test_a_window_that_never_opens(self):
        """The answer waits for `send`, then the stream is given up, with its backend's connection."""
        with self.frames() as peer:
            peer.send(frame(SETTINGS, 0, 0, struct.pack('>HI', 4, 0)))
            for _ in range(20):
                peer.request('GET', '/many/5000000')
            peer.until(lambda kind, *_: kind == RST, 15)
            harness.wait_until(lambda: not self.backend.open, 15, 'the end of the backend connections')

    def test_streams_count_as_connections(self):
        peers = [self.frames() for _ in range(4)]
        for peer in peers:
            for _ in range(90):
                peer.request('GET', '/slow')
        refused = 0
        for peer in peers:
            for stream in range(1, 181, 2):
                peer.sock.settimeout(10)
            done = 0
            while done < 90:
                kind, flags, _, payload = peer.until(lambda *_: True, 20)
                if kind == RST and struct.unpack('>I', payload)[0] == 7:
                    refused += 1
                    done += 1
                elif kind in (DATA, HEADERS) and flags & END_STREAM:
                    done += 1
            peer.sock.close()
        self.assertGreater(refused, 100, 'of 360 streams an address may have 200 at a time')


class Stopping(Case):
    handlers = {'/slow': lambda peer, got: Floods.slow(peer, got)}

    @classmethod
    def _still_well(cls, descriptors, resident):
        pass  # it has been stopped

    def test_open_streams_are_finished(self):
        with self.frames() as peer, self.frames() as idle:
            stream = peer.request('GET', '/slow')
            harness.wait_until(lambda: self.backend.seen('/slow'), 10, 'the request at the backend')
            stopper = threading.Thread(target=self.moat.stop)
            stopper.start()
            self.assertEqual(idle.goaway(), 0)
            head, body, code = peer.answer(stream)
            if code is not None:  # the GOAWAY came first
                head, body, code = peer.answer(stream)
            self.assertEqual((head, body, code), (True, b'ok', None))
            stopper.join()


if __name__ == '__main__':
    harness.main()
