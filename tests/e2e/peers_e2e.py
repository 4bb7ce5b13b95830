# SPDX-License-Identifier: Apache-2.0
"""Clients that misbehave, by mistake or by intent. After each class the gateway still serves, with the
descriptors and the memory it had before."""
import json
import os
import pathlib
import re
import socket
import ssl
import threading
import time
import unittest

import harness
import wire
from wire import request

GET = request('GET', '/')
SHORT = {**wire.LIMITS, 'MOAT_SERVER_TIMEOUTS_HEADER': '1s', 'MOAT_SERVER_TIMEOUTS_BODY': '1s',
         'MOAT_SERVER_TIMEOUTS_HANDSHAKE': '1s', 'MOAT_SERVER_TIMEOUTS_IDLE': '2s',
         'MOAT_SERVER_TIMEOUTS_SEND': '2s'}


class Framing(wire.Case):
    """One message, one meaning."""

    def arrived(self):
        """What reached the backend. The heads before bodies that broke may reach it, and at any time after the refusal."""
        return [r for r in list(self.backend.requests) if r.path != '/broken']

    def refused(self, data, *statuses, closes=True):
        """Sends bytes that must be answered once, by a refusal, and end the connection."""
        with self.peer() as peer:
            before = len(self.arrived())
            peer.send(data)
            answer = peer.answer()
            self.assertIn(answer.status, statuses or (400,), data[:200])
            self.assertEqual(answer.header('content-type'), 'application/problem+json')
            self.assertTrue(answer.json()['code'])
            if closes:
                self.assertEqual(answer.header('connection'), 'close')
                self.assertTrue(peer.closed(), data[:200])
                self.assertEqual(peer.buffer, b'', data[:200])
            self.assertEqual(len(self.arrived()), before, f'reached the backend: {data[:200]!r}')

    def test_split_byte_by_byte(self):
        body = b'some words'
        for data, want in ((request('POST', '/', 'X-A: b', body=body), body),
                           (request('POST', '/', 'Transfer-Encoding: chunked') + wire.chunked(body, 3), body)):
            with self.peer() as peer:
                for i in range(len(data)):
                    peer.send(data[i:i + 1])
                answer = peer.answer()
                self.assertEqual((answer.status, answer.body), (200, want))

    def test_split_anywhere(self):
        data = request('POST', '/', 'Transfer-Encoding: chunked') + wire.chunked(b'abcdefgh', 5)
        with self.peer() as peer:
            for at in range(1, len(data)):
                peer.send(data[:at])
                time.sleep(0.001)
                peer.send(data[at:])
                self.assertEqual(peer.answer().body, b'abcdefgh', f'split at {at}')

    def test_pipelined_with_bodies_are_answered_in_order(self):
        with self.peer() as peer:
            sent = b''
            for i in range(50):
                kind = i % 3
                body = (b'%d-' % i) * (i * 40 + 1)
                if kind == 0:
                    sent += request('GET', f'/{i}')
                elif kind == 1:
                    sent += request('POST', f'/{i}', body=body)
                else:
                    sent += request('POST', f'/{i}', 'Transfer-Encoding: chunked') + wire.chunked(body, 777)
            peer.send(sent)
            for i in range(50):
                want = b'OK' if i % 3 == 0 else (b'%d-' % i) * (i * 40 + 1)
                self.assertEqual(peer.answer().body, want, i)

    def test_pipelined_in_records_of_their_own(self):
        """OpenSSL reads ahead: what it holds already, the kernel does not tell of."""
        for _ in range(20):
            with self.peer(5) as peer:
                peer.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
                for i in range(6):
                    peer.send(request('POST', f'/{i}', body=b'x%d' % i))
                peer.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
                for i in range(6):
                    self.assertEqual(peer.answer().body, b'x%d' % i)

    def test_pipelined_own_answers_and_refusals(self):
        with self.peer() as peer:
            peer.send(request('GET', '/auth/csrf') + request('GET', '/auth/me') + GET +
                      request('POST', '/auth/login', 'Content-Type: application/json', body=b'{"email":1}') + GET)
            self.assertEqual([peer.answer().status for _ in range(5)], [200, 401, 200, 400, 200])

    def test_a_body_that_reaches_into_the_next_request(self):
        """The rest of a body and a whole request in one packet: each byte is read once."""
        with self.peer() as peer:
            for _ in range(5):
                peer.send(request('POST', '/first', 'Content-Length: 10') + b'01234')
                time.sleep(0.05)
                peer.send(b'56789' + request('POST', '/second', body=b'y' * 50) + GET)
                self.assertEqual(peer.answer().body, b'0123456789')
                self.assertEqual(peer.answer().body, b'y' * 50)
                self.assertEqual(peer.answer().body, b'OK')

    def test_length_and_encoding_pairs(self):
        """Every way to say the length twice, or in a way that two readers take differently."""
        chunks = b'5\r\nhello\r\n0\r\n\r\n'
        for fields in (
                'Content-Length: 5\r\nTransfer-Encoding: chunked', 'Transfer-Encoding: chunked\r\nContent-Length: 5',
                'Content-Length: 15\r\nTransfer-Encoding: chunked', 'Content-Length: 0\r\nTransfer-Encoding: chunked',
                'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
                'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
                'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked',
                'Transfer-Encoding: chunked, chunked', 'Transfer-Encoding: chunked, identity',
                'Transfer-Encoding: identity, chunked', 'Transfer-Encoding: gzip, chunked',
                'Transfer-Encoding: chunked, gzip', 'Transfer-Encoding: gzip', 'Transfer-Encoding: identity',
                'Transfer-Encoding: xchunked', 'Transfer-Encoding: chunkedx', 'Transfer-Encoding: "chunked"',
                "Transfer-Encoding: 'chunked'", 'Transfer-Encoding: chunked;q=1', 'Transfer-Encoding: chunked,',
                'Transfer-Encoding: ,chunked', 'Transfer-Encoding:', 'Transfer-Encoding: \x0bchunked',
                'Transfer-Encoding: chunked\x0b', 'Transfer-Encoding: chunked\x0c', 'Transfer-Encoding: \x00chunked',
                'Transfer-Encoding: ch\x00unked', 'Transfer-Encoding:\r\n chunked', 'Transfer-Encoding: chu\r\n nked',
                'Transfer-Encoding : chunked', ' Transfer-Encoding: chunked', 'Transfer-Encoding\t: chunked',
                'X: y\rTransfer-Encoding: chunked', 'X: y\nTransfer-Encoding: chunked', 'Transfer_Encoding: chunked',
                'Transfer-Encoding\x00: chunked', 'Transfer-\xc9ncoding: chunked',
                'Content-Length: 5\r\nContent-Length: 5', 'Content-Length: 5\r\nContent-Length: 6',
                'Content-Length: 5, 5', 'Content-Length: 5,6', 'Content-Length: +5', 'Content-Length: -5',
                'Content-Length: 5 5', 'Content-Length: 0x5', 'Content-Length: 5.0', 'Content-Length: 5e0',
                'Content-Length:', 'Content-Length: ', 'Content-Length: five', 'Content-Length: 5;', 'Content-Length: "5"',
                'Content-Length: 18446744073709551621', 'Content-Length: 99999999999999999999999999',
                'Content-Length: 05', 'Content-Length: \x0b5', 'Content-Length : 5', 'Content_Length: 5',
                'Content-Length\x00: 5', 'Content-Length:\r\n 5', '\tContent-Length: 5'):
            data = f'POST / HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n\r\n'.encode('latin-1') + chunks + GET
            with self.subTest(fields=fields):
                if '_' in fields:  # no framing: dropped by what follows, never read as one
                    self.smuggled_nothing(data)
                else:
                    self.refused(data, 400, 501, 413)

    def smuggled_nothing(self, data):
        with self.peer() as peer:
            peer.send(data)
            first = peer.answer()
            if first.status == 200:
                self.assertEqual(first.body, b'OK')
                self.assertEqual(peer.answer().status, 400)  # the "body" is no request
            else:
                self.assertEqual(first.status, 400)
            self.assertTrue(peer.closed())

    def test_encoding_in_http_1_0(self):
        self.refused(b'POST / HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')

    def test_chunks_that_two_readers_take_differently(self):
        head = request('POST', '/broken', 'Transfer-Encoding: chunked')
        for chunks in (b'+5\r\nhello\r\n0\r\n\r\n', b'-1\r\n', b'0x5\r\nhello\r\n0\r\n\r\n', b' 5\r\nhello\r\n0\r\n\r\n',
                       b'5 \r\nhello\r\n0\r\n\r\n', b'5_0\r\n', b'\r\nhello', b'g\r\n', b'5\nhello\r\n0\r\n\r\n',
                       b'5\r\nhello\n0\r\n\r\n', b'5\r\nhelloX0\r\n\r\n', b'5\r\nhello0\r\n\r\n',
                       b'fffffffffffffffff\r\n', b'ffffffffffffffff\r\nhello', b'5;a\nb\r\nhello\r\n0\r\n\r\n',
                       b'5;a\x00\r\nhello\r\n0\r\n\r\n', b'5;' + b'x' * 300 + b'\r\nhello\r\n0\r\n\r\n',
                       b'0\r\nContent-Length: 5\r\n\r\n', b'0\r\nHost: evil\r\n\r\n', b'0\r\nX-Moat-User: root\r\n\r\n',
                       b'0\r\nX: ' + b'y' * 5000 + b'\r\n\r\n', b'0\r\nX\r\n\r\n', b'0\n\n'):
            with self.subTest(chunks=chunks[:40]), self.peer() as peer:
                peer.send(head + chunks + GET)
                answer = peer.answer()
                self.assertIn(answer.status, (400, 413))
                self.assertTrue(peer.closed())
                self.assertEqual(peer.buffer, b'')

    def test_lines_that_end_wrongly(self):
        for data in (b'GET / HTTP/1.1\nHost: localhost\n\n', b'GET / HTTP/1.1\r\nHost: localhost\n\r\n',
                     b'GET / HTTP/1.1\nHost: localhost\r\n\r\n', b'GET / HTTP/1.1\rHost: localhost\r\n\r\n',
                     b'GET / HTTP/1.1\r\nHost: localhost\r\nA: b\rc\r\n\r\n',
                     b'GET / HTTP/1.1\r\nHost: localhost\r\nA: b\r\n c\r\n\r\n',
                     b'GET / HTTP/1.1\r\nHost: localhost\r\nA: b\r\n\tc\r\n\r\n',
                     b'GET / HTTP/1.1\r\n Host: localhost\r\n\r\n', b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\r\n\r\n',
                     b'\x00' + GET, b'\r' + GET, b'\n\n' + GET, b' ' + GET, b'\r\n\r\n\r\n' + GET):
            with self.subTest(data=data):
                self.refused(data)

    def test_bytes_that_do_not_belong_there(self):
        for byte in list(range(0, 32)) + [127]:
            char = chr(byte)
            if char != '\t':
                self.refused(f'GET / HTTP/1.1\r\nHost: localhost\r\nA: b{char}c\r\n\r\n'.encode('latin-1'))
            self.refused(f'GET / HTTP/1.1\r\nHost: localhost\r\nA{char}: c\r\n\r\n'.encode('latin-1'))
            self.refused(f'GET /a{char}b HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode('latin-1'))
            self.refused(f'GET /?a{char}b HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode('latin-1'))
            self.refused(f'GE{char}T / HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode('latin-1'))
        for char in ' ()<>@,;:\\"/[]?={}\x80\xff':
            name = f'A{char}B: c'.encode('latin-1')
            self.refused(b'GET / HTTP/1.1\r\nHost: localhost\r\n: x' + name + b'\r\n\r\n')
            if char != ':':
                self.refused(b'GET / HTTP/1.1\r\nHost: localhost\r\n' + name + b'\r\n\r\n')

    def test_request_lines(self):
        for line, status in (('GET  / HTTP/1.1', 400), ('GET /  HTTP/1.1', 400), ('GET\t/ HTTP/1.1', 400),
                             ('GET / HTTP/1.1 ', 400), ('GET / http/1.1', 400), ('GET / HTTP/1.10', 400),
                             ('GET / HTTP/2.0', 505), ('GET / HTTP/0.9', 505), ('GET /', 400), ('GET', 400), ('GET / ', 400),
                             ('/ HTTP/1.1', 400), ('G@T / HTTP/1.1', 400), ('CONNECT a:1 HTTP/1.1', 501),
                             ('TRACE / HTTP/1.1', 405), ('GET x HTTP/1.1', 400), ('GET * HTTP/1.1', 400),
                             ('GET http://evil/ HTTP/1.1', 400), ('GET http://u@localhost/ HTTP/1.1', 400),
                             ('GET //localhost/ HTTP/1.1', 400), ('GET /#f HTTP/1.1', 400), ('GET /\xe4 HTTP/1.1', 400)):
            with self.subTest(line=line):
                self.refused(f'{line}\r\nHost: localhost\r\n\r\n'.encode('latin-1'), status)

    def test_hosts(self):
        for fields, status in (('', 400), ('Host: localhost\r\nHost: localhost\r\n', 400), ('Host: a b\r\n', 400),
                               ('Host: localhost, evil\r\n', 400), ('Host: u@localhost\r\n', 400), ('Host:\r\n', 400),
                               ('Host: localhost:99999\r\n', 400), ('Host: localhost:\r\n', 400), ('Host: [::1\r\n', 400),
                               ('Host: localhost/x\r\n', 400)):
            with self.subTest(fields=fields):
                self.refused(f'GET / HTTP/1.1\r\n{fields}\r\n'.encode(), status)
        self.refused(b'GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n', 421, closes=False)

    def test_too_long(self):
        long = 'a' * 9000
        self.refused(f'GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode(), 414)
        self.refused(f'{long} / HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode(), 414, 501, 400)
        self.refused(b'GET /' + b'a' * 100_000, 414)
        self.refused(request('GET', '/', f'A: {"b" * 17_000}'), 431)
        self.refused(request('GET', '/', *[f'A{i}: {"b" * 500}' for i in range(60)]), 431)
        self.refused(request('GET', '/', *[f'A{i}: b' for i in range(100)]), 431)  # with Host: 101
        self.refused(b'GET / HTTP/1.1\r\nHost: localhost\r\nA: ' + b'b' * 200_000, 431)
        self.refused(b'a' * 200_000, 414, 400, 431)
        with self.peer() as peer:  # the twin
            self.assertEqual(peer.get('/', *[f'A{i}: b' for i in range(99)]).status, 200)
            self.assertEqual(peer.get('/' + 'a' * 8000).status, 200)
            self.assertEqual(peer.get('/', f'A: {"b" * 15_000}').status, 200)

    def test_a_body_over_the_limit(self):
        self.refused(request('POST', '/', 'Content-Length: 1048577'), 413)
        with self.peer() as peer:
            peer.send(request('POST', '/over', 'Transfer-Encoding: chunked'))
            try:
                for _ in range(40):
                    peer.send(b'8000\r\n' + b'x' * 0x8000 + b'\r\n')
            except OSError:
                pass
            answer = peer.answer()
            self.assertEqual((answer.status, answer.json()['code']), (413, 'body_too_large'))
            self.assertTrue(peer.closed())
        with self.peer() as peer:  # the twin: exactly the limit
            peer.send(request('POST', '/', body=b'x' * 1048576))
            self.assertEqual(len(peer.answer().body), 1048576)

    def test_own_routes_read_bodies_as_strictly(self):
        head = request('POST', '/auth/login', 'Content-Type: application/json')
        for body, status in ((b'Content-Length: 99999\r\n\r\n', 413), (b'Transfer-Encoding: chunked\r\n\r\nzz\r\n', 400),
                             (b'Transfer-Encoding: chunked\r\n\r\n' + b'8000\r\n' + b'x' * 0x8000 + b'\r\n', 413)):
            with self.subTest(body=body[:40]), self.peer() as peer:
                peer.send(head[:-2] + body)
                self.assertEqual(peer.answer().status, status)
                self.assertTrue(peer.closed())


class Slow(wire.Case):
    env = SHORT

    def test_head_that_never_ends(self):
        peers = [self.peer() for _ in range(50)]
        begun = time.monotonic()
        for peer in peers:
            peer.send(b'GET / HTTP/1.1\r\nHost: loc')
        time.sleep(0.6)
        for peer in peers:
            peer.send(b'a')  # one byte more does not buy time
        for peer in peers:
            self.assertEqual(peer.answer().status, 408)
            self.assertTrue(peer.closed())
            peer.close()
        self.assertLess(time.monotonic() - begun, 8)

    def test_body_that_stalls(self):
        for fields in ('Content-Length: 100', 'Transfer-Encoding: chunked'):
            for path in ('/', '/auth/login'):
                with self.subTest(fields=fields, path=path), self.peer() as peer:
                    peer.send(request('POST', path, 'Content-Type: application/json', fields) + b'5\r\nhe')
                    begun = time.monotonic()
                    self.assertEqual(peer.answer().status, 408)
                    self.assertTrue(peer.closed())
                    self.assertLess(time.monotonic() - begun, 8)

    def test_body_that_trickles(self):
        """Never silent for a second, but below 240 bytes a second once five have gone by."""
        with self.peer(20) as peer:
            peer.send(request('POST', '/', 'Content-Length: 100000'))
            begun = time.monotonic()
            status = None
            while time.monotonic() - begun < 12 and status is None:
                try:
                    peer.send(b'x')
                    if peer.closed(0.4):
                        break
                except OSError:
                    break
            self.assertEqual(peer.answer().status, 408)
            self.assertGreater(time.monotonic() - begun, 4)
            self.assertLess(time.monotonic() - begun, 12)

    def test_connections_that_say_nothing(self):
        with self.peer() as silent, self.peer() as served:
            served.get('/')
            begun = time.monotonic()
            self.assertTrue(silent.closed(5))
            self.assertTrue(served.closed(5))
            self.assertGreater(time.monotonic() - begun, 1.5)

    def test_handshake_that_never_ends(self):
        for begin in (b'', b'\x16', b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'):
            with wire.Wire(socket.create_connection((harness.HOST, self.moat.https_port))) as peer:
                peer.send(begin)
                begun = time.monotonic()
                self.assertTrue(peer.closed(5), begin)
                self.assertGreater(time.monotonic() - begun, 0.7)

    def test_client_that_does_not_read_its_answer(self):
        """Requests pipelined without end, no answer read: cut after the time to send."""
        peer = self.peer(1)
        peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        data = request('POST', '/', body=b'x' * 60000)
        begun = time.monotonic()
        try:
            while time.monotonic() - begun < 15:
                try:
                    peer.send(data)
                except TimeoutError:
                    peer = wire.Wire(peer.sock, 1)
                    break
            self.assertTrue(peer.closed(10) or True)
        except OSError:
            pass
        peer.close()
        self.assertLess(time.monotonic() - begun, 15)


class Ends(wire.Case):
    """Connections that end at any moment, and what is no HTTP at all."""

    env = SHORT

    def test_close_at_each_stage(self):
        for data in (b'', b'G', GET[:20], GET[:-1], GET, GET * 20, request('POST', '/', 'Content-Length: 100'),
                     request('POST', '/', 'Content-Length: 100') + b'x' * 99,
                     request('POST', '/', 'Transfer-Encoding: chunked') + b'5\r\nhel',
                     request('POST', '/auth/login', 'Content-Length: 100') + b'{'):
            for how in ('close', 'shutdown', 'reset', 'tls_end'):
                peer = self.peer(2)
                peer.send(data)
                if how == 'shutdown':
                    # Half open: nothing more comes, but the answers are still read.
                    peer.sock.shutdown(socket.SHUT_WR)
                    peer.rest()
                    peer.close()
                elif how == 'tls_end':
                    try:
                        peer.sock.unwrap()
                    except (OSError, ssl.SSLError):
                        pass
                    peer.close()
                elif how == 'reset':
                    peer.reset()
                else:
                    peer.close()

    def test_close_in_the_middle_of_the_handshake(self):
        context = self.moat.tls_context()
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = context.wrap_bio(incoming, outgoing, server_hostname='localhost')
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            pass
        hello = outgoing.read()
        for size in (1, 5, 6, 50, len(hello) - 1, len(hello)):
            with socket.create_connection((harness.HOST, self.moat.https_port)) as plain:
                plain.sendall(hello[:size])
                time.sleep(0.02)

    def test_half_a_body_never_looks_like_a_whole_one(self):
        whole = len(self.backend.seen('/half'))
        for fields, body in (('Content-Length: 100', b'x' * 50), ('Transfer-Encoding: chunked', b'5\r\nhello\r\n')):
            with self.peer() as peer:
                peer.send(request('POST', '/half', fields) + body)
                time.sleep(0.1)
        harness.wait_until(lambda: len(self.backend.seen('/half')) >= whole + 2, 10, 'the heads')
        # The backend saw the heads, and an end where the body should go on: no answer was made.
        self.assertEqual(len(self.backend.seen('/half')), whole + 2)

    def test_garbage_in_place_of_tls(self):
        for data in (b'\x00' * 100, b'\xff' * 5000, os.urandom(3000), b'SSH-2.0-x\r\n', b'\x80\x2e\x01\x03\x01',
                     b'\x16\x03\x01\xff\xff' + os.urandom(2000), b'\x16\x03\x01\x00\x00', b'\x15\x03\x03\x00\x02\x02\x28',
                     b'\x17\x03\x03\x00\x10' + os.urandom(16), b'\x16\x05\x01\x00\x05hello'):
            with wire.Wire(socket.create_connection((harness.HOST, self.moat.https_port))) as peer:
                try:
                    peer.send(data)
                except OSError:
                    pass
                self.assertTrue(peer.closed(5), data[:20])

    def test_garbage_after_the_handshake(self):
        """Bytes below TLS on an established connection: the record does not verify."""
        for data in (os.urandom(500), b'\x17\x03\x03\x00\x20' + os.urandom(32), b'\x16\x03\x03\x00\x01\x00'):
            peer = self.peer()
            peer.get('/')
            with socket.socket(fileno=os.dup(peer.sock.fileno())) as below:
                below.sendall(data)
            self.assertTrue(peer.closed(5), data[:20])
            peer.close()

    def test_plain_http_to_the_tls_port(self):
        for data in (GET, request('POST', '/', body=b'x' * 30000)):
            with wire.Wire(socket.create_connection((harness.HOST, self.moat.https_port))) as peer:
                peer.send(data)
                answer = peer.answer()
                self.assertEqual(answer.status, 400)
                self.assertIn('HTTPS', answer.text)
                self.assertTrue(peer.closed())

    def test_tls_to_the_plain_port(self):
        with socket.create_connection((harness.HOST, self.moat.http_port)) as plain:
            with self.assertRaises((ssl.SSLError, OSError)):
                self.moat.tls_context().wrap_socket(plain, server_hostname='localhost')

    def test_misbehaving_on_the_plain_port(self):
        def plain():
            return wire.Wire(socket.create_connection((harness.HOST, self.moat.http_port)), 5)
        for data, status in ((GET, None), (b'GET / HTTP/1.1\nHost: localhost\n\n', 400), (b'\x00\x01\x02', 400),
                             (b'GET / HTTP/1.1\r\nHost: loc', 408), (b'GET /' + b'a' * 50000, 414),
                             (b'GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n', 400)):
            with plain() as peer:
                peer.send(data)
                answer = peer.answer()
                if status is not None:
                    self.assertEqual(answer.status, status, data[:40])
                self.assertGreaterEqual(answer.status, 300)
                self.assertTrue(peer.closed())

    def test_expect_without_a_body_behind_it(self):
        with self.peer() as peer:
            peer.send(request('POST', '/', 'Content-Length: 5', 'Expect: 100-continue'))
            line, _ = peer.head()
            self.assertEqual(line.split()[1], '100')
        self.peer().close()


class Flood(wire.Case):
    env = {**wire.LIMITS, 'MOAT_SERVER_MAX_CONNECTIONS_PER_ADDRESS': '30', 'MOAT_SERVER_TIMEOUTS_HANDSHAKE': '2s'}

    @classmethod
    def setUpClass(cls):
        # The warm-up of the base class opens forty.
        original = cls.env
        cls.env = {**original, 'MOAT_SERVER_MAX_CONNECTIONS_PER_ADDRESS': '50'}
        super().setUpClass()

    def test_no_more_than_the_limit_an_address(self):
        for _ in range(3):
            plain = []
            for _ in range(120):
                plain.append(socket.create_connection((harness.HOST, self.moat.https_port)))
            time.sleep(0.3)
            shut = 0
            for sock in plain:
                sock.settimeout(0.01)
                try:
                    shut += sock.recv(1) == b''
                except TimeoutError:
                    pass
                except ConnectionError:
                    shut += 1
            self.assertEqual(shut, 70)
            for sock in plain:
                sock.close()
            # Their places are free again at once.
            harness.wait_until(self.serves, 5, 'serving after the flood')

    def serves(self):
        try:
            with self.peer(2) as peer:
                return peer.get('/').status == 200
        except (OSError, wire.Closed):
            return False

    def test_opened_and_closed_by_the_thousand(self):
        for _ in range(1500):
            socket.create_connection((harness.HOST, self.moat.https_port)).close()
        harness.wait_until(self.serves, 10, 'serving after the flood')

    def test_tls_connections_opened_and_cut(self):
        def cut():
            for _ in range(40):
                try:
                    self.peer().reset()
                except (OSError, ssl.SSLError):
                    pass
        threads = [threading.Thread(target=cut) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        harness.wait_until(self.serves, 10, 'serving after the flood')


# What Moat does on purpose where the probe's table has it otherwise: case -> (what Moat does, why).
DEVIATIONS = {}

# Cases that look at more than status and state; the table cannot say it.
CONTENT = {
    'COMP-HEAD-NO-BODY': lambda raw: raw.endswith(b'\r\n\r\n') and raw.count(b'\r\n\r\n') == 1,
    'COMP-DATE-HEADER': lambda raw: re.search(rb'\r\nDate: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT\r\n', raw),
    'COOK-ECHO': lambda raw: b'foo=bar' in raw,
    'COOK-PARSED-MULTI': lambda raw: all(x in raw for x in (b'a=1', b'b=2', b'c=3')),
}


def probe_cases():
    folder = os.environ.get('MOAT_CORPORA')
    path = pathlib.Path(folder or '.') / 'http1' / 'http11probe.jsonl'
    if not folder or not path.exists():
        return None
    return [json.loads(line) for line in path.read_text().splitlines()]


def cookies(peer, got):
    peer.body(got.fields)
    pairs = [part.strip() for value in got.all('cookie') for part in value.split(';')]
    peer.send(wire.ok('\n'.join(pairs).encode('latin-1')))


def headers(peer, got):
    peer.body(got.fields)
    peer.send(wire.ok('\n'.join(f'{k}: {v}' for k, v in got.fields).encode('latin-1')))


class Probe(wire.Case):
    """The cases of Http11Probe, through TLS. Each of level MUST passes, or is in DEVIATIONS."""

    handlers = {'/cookie': cookies, '/echo': headers}

    @classmethod
    def setUpClass(cls):
        cls.cases = probe_cases()
        if cls.cases is None:
            raise unittest.SkipTest('http1/http11probe: MOAT_CORPORA is unset')
        super().setUpClass()

    def bytes_of(self, payload):
        """A long payload is given by its begin and its length: it repeats itself up to its end."""
        hostport = f'localhost:{self.moat.https_port}'
        if 'latin1' in payload:
            return payload['latin1'].replace('{HOSTPORT}', hostport).encode('latin-1')
        head, length = payload['head'].encode('latin-1'), payload['base64_len']
        filler = head[-1:] * (length - len(head) - 4)
        return (head + filler).replace(b'{HOSTPORT}', hostport.encode()) + b'\r\n\r\n'

    def exchange(self, peer, payload):
        """Status and state, in the probe's words: how the connection is a moment after the answer."""
        try:
            peer.send(self.bytes_of(payload))
        except OSError:
            pass
        closed = peer.closed(0.4)
        raw, peer.buffer = peer.buffer, b''
        if not raw.startswith(b'HTTP/1.1 '):
            return ('none/ClosedByServer' if closed else 'none/TimedOut'), raw
        return raw[9:12].decode() + ('/ClosedByServer' if closed else '/Open'), raw

    def verdict(self, case, outcome):
        for name, outcomes in case['verdicts'].items():
            if outcome in outcomes:
                return name
        return 'unknown'

    def test_single_requests(self):
        counts, failed = {}, []
        for case in self.cases:
            if case['kind'] != 'TestCase':
                continue
            with self.peer() as peer:
                outcome, raw = self.exchange(peer, case['payload'])
            verdict = self.verdict(case, outcome)
            if case['id'] in CONTENT:
                verdict = 'Pass' if outcome.startswith('2') and CONTENT[case['id']](raw) else 'Fail'
            counts[verdict] = counts.get(verdict, 0) + 1
            if verdict == 'Pass' or (verdict == 'Warn' and case['level'] != 'Must'):
                continue
            expected = DEVIATIONS.get(case['id'])
            if expected is None or expected[0] != outcome:
                failed.append(f"{case['id']} ({case['level']}): {outcome} is {verdict}; expected {case['expected']}")
        print('Http11Probe:', counts)
        self.assertEqual(failed, [])

    def test_sequences(self):
        """A request that is ambiguous, and one behind it: refused, or the connection closes; never two
        answers to one request."""
        for case in self.cases:
            if case['kind'] != 'SequenceTestCase' or case['suite'] != 'SmugglingSuite':
                continue
            with self.subTest(case=case['id']), self.peer() as peer:
                outcome, raw = self.exchange(peer, case['steps'][0]['payload'])
                if case['id'] == 'SMUG-EXPECT-100-CL-DESYNC':
                    # The body is there and read: both are answered, each once.
                    self.assertEqual((outcome, raw.count(b'HTTP/1.1 ')), ('200/Open', 1))
                    outcome, raw = self.exchange(peer, case['steps'][1]['payload'])
                    self.assertEqual((outcome, raw.count(b'HTTP/1.1 ')), ('200/Open', 1))
                elif case['id'] == 'SMUG-CL0-BODY-POISON':
                    # "X" begins the next request, whose method nobody knows.
                    self.assertEqual((outcome, raw.count(b'HTTP/1.1 ')), ('200/Open', 1))
                else:
                    self.assertEqual((outcome, raw.count(b'HTTP/1.1 ')), ('400/ClosedByServer', 1))


if __name__ == '__main__':
    harness.main()
