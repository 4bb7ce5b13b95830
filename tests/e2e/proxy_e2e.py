# SPDX-License-Identifier: Apache-2.0
"""What real applications need of a proxy, and what a backend, broken or hostile, must not be able to do."""
import base64
import hashlib
import os
import signal
import socket
import struct
import threading
import time

import harness
import wire
from wire import ok, request

MIB = 1 << 20


def respond(data, keep=True):
    """A handler that reads the request and answers these bytes."""
    def handler(peer, got):
        peer.body(got.fields)
        peer.send(data)
        return keep
    return handler


def say_fields(peer, got):
    peer.body(got.fields)
    text = got.target + '\n' + '\n'.join(f'{k}: {v}' for k, v in got.fields)
    peer.send(ok(text.encode('latin-1')))


class Passing(wire.Case):
    """Messages go through whole, and only what is meant to."""

    handlers = {
        '/fields': say_fields,
        '/none': respond(b'HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n'),
        '/none-with-length': respond(b'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n'),
        '/not-modified': respond(b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 1234\r\n\r\n'),
        '/head': respond(b'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n'),
        '/head-chunked': respond(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'),
        '/empty': respond(b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
        '/chunked': respond(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Chunked: yes\r\n\r\n'
                            b'3;ext="a"\r\nabc\r\n0a\r\n0123456789\r\n0\r\nX-Trailer: t\r\n\r\n'),
        '/until-close': respond(b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end', keep=False),
        '/http10': respond(b'HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold', keep=False),
        '/interim': respond(b'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n'
                            b'HTTP/1.1 100 Continue\r\n\r\n' + ok(b'final')),
        '/reason': respond(ok(b'', status='299 Quite special')),
        '/no-reason': respond(b'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok'),
        '/range': respond(b'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2-4/10\r\nContent-Length: 3\r\n\r\n234'),
        '/hop': respond(ok(b'x', 'Connection: keep-alive, X-Hop', 'X-Hop: 1', 'Keep-Alive: timeout=5', 'Upgrade: h2c',
                           'Proxy-Authenticate: Basic', 'Trailer: X-T', 'X-End: 2', 'TE: trailers')),
        '/server': respond(ok(b'x', 'Server: Secret/1.2.3', 'X-Powered-By: PHP/5.3', 'Via: 1.1 inner')),
        '/big-head': respond(ok(b'x', *[f'X-{i}: {"y" * 1000}' for i in range(25)])),
    }

    def test_connections_are_kept_on_both_sides(self):
        before = self.backend.connections
        with self.peer() as peer:
            for i in range(50):
                self.assertEqual(peer.get(f'/{i}').body, b'OK')
            for i in range(20):
                peer.send(request('POST', f'/{i}', 'Transfer-Encoding: chunked') + wire.chunked(b'abc' * i))
                self.assertEqual(peer.answer().body, b'abc' * i or b'OK')
        with self.peer() as peer:
            for i in range(10):
                peer.send(request('POST', '/slow-body', 'Content-Length: 6') + b'abc')
                time.sleep(0.02)
                peer.send(b'def')
                self.assertEqual(peer.answer().body, b'abcdef')
        self.assertLessEqual(self.backend.connections - before, 1)

    def test_close_on_request(self):
        with self.peer() as peer:
            answer = peer.get('/', 'Connection: close')
            self.assertEqual(answer.header('connection'), 'close')
            self.assertTrue(peer.closed())

    def test_answers_without_body(self):
        with self.peer() as peer:
            for path in ('/none', '/none-with-length'):
                answer = peer.get(path)
                self.assertEqual((answer.status, answer.header('content-length'), answer.header('transfer-encoding')),
                                 (204, None, None))
            answer = peer.get('/not-modified', 'If-None-Match: "x"')
            self.assertEqual((answer.status, answer.header('etag')), (304, '"x"'))
            self.assertEqual(self.backend.seen('/not-modified')[-1].field('if-none-match'), '"x"')
            answer = peer.get('/empty')
            self.assertEqual((answer.status, answer.header('content-length'), answer.body), (200, '0', b''))
            for path, length in (('/head', '1234'), ('/head-chunked', None)):
                peer.send(request('HEAD', path))
                answer = peer.answer('HEAD')
                self.assertEqual((answer.status, answer.header('content-length')), (200, length))
            self.assertEqual(peer.get('/').body, b'OK')  # nothing was left over

    def test_framing_of_answers(self):
        with self.peer() as peer:
            answer = peer.get('/chunked')
            self.assertEqual((answer.body, answer.header('x-trailer'), answer.header('transfer-encoding')),
                             (b'abc0123456789', None, 'chunked'))
            answer = peer.get('/until-close')
            self.assertEqual((answer.body, answer.header('transfer-encoding')), (b'until the end', 'chunked'))
            self.assertEqual(peer.get('/http10').body, b'old')
            self.assertEqual(peer.get('/no-reason').body, b'ok')
            answer = peer.get('/interim')
            self.assertEqual((answer.status, answer.body, answer.interim), (200, b'final', [103]))
            self.assertEqual(peer.get('/reason').status, 299)
            self.assertEqual(len(peer.get('/big-head').all('x-24')[0]), 1000)
            self.assertEqual(peer.get('/').body, b'OK')

    def test_http_1_0_clients(self):
        for path, want in (('/chunked', b'abc0123456789'), ('/until-close', b'until the end'), ('/', b'OK')):
            for fields in ('', 'Connection: keep-alive\r\n'):
                with self.subTest(path=path), self.peer() as peer:
                    peer.send(f'GET {path} HTTP/1.0\r\nHost: localhost\r\n{fields}\r\n'.encode())
                    answer = peer.answer()
                    self.assertEqual((answer.body, answer.header('transfer-encoding')), (want, None))
                    self.assertEqual(answer.header('connection'), 'close')
                    self.assertTrue(peer.closed())
        self.assertEqual(self.backend.seen('/chunked')[-1].version, 'HTTP/1.1')

    def test_expect_continue(self):
        with self.peer() as peer:
            peer.send(request('POST', '/', 'Expect: 100-continue', 'Content-Length: 5'))
            self.assertEqual(peer.head()[0].split()[1], '100')
            peer.send(b'hello')
            self.assertEqual(peer.answer().body, b'hello')
            peer.send(request('POST', '/', 'Expect: 100-continue', 'Transfer-Encoding: chunked'))
            self.assertEqual(peer.head()[0].split()[1], '100')
            peer.send(wire.chunked(b'hello'))
            self.assertEqual(peer.answer().body, b'hello')
            # Sent at once: no need to ask for it.
            peer.send(request('POST', '/', 'Expect: 100-continue', body=b'hello'))
            answer = peer.answer()
            self.assertEqual((answer.body, answer.interim), (b'hello', []))
            # Refused before the body was sent: no 100, and the connection ends.
            peer.send(request('POST', '/', 'Expect: 100-continue', 'Content-Length: 99999999'))
            answer = peer.answer()
            self.assertEqual((answer.status, answer.interim, answer.header('connection')), (413, [], 'close'))
        self.assertEqual([r.field('expect') for r in self.backend.requests if r.field('expect')], [])

    def test_ranges_pass_untouched(self):
        with self.peer() as peer:
            answer = peer.get('/range', 'Range: bytes=2-4')
        self.assertEqual((answer.status, answer.header('content-range'), answer.body), (206, 'bytes 2-4/10', b'234'))
        self.assertEqual(self.backend.seen('/range')[-1].field('range'), 'bytes=2-4')

    def test_what_the_backend_is_told(self):
        with self.peer() as peer:
            peer.get('/told?a=%20b&c', 'Accept-Language: de', 'Cookie: theirs=1; __Host-Http-at=x; other=2')
        got = self.backend.seen('/told')[-1]
        self.assertEqual(got.target, '/told?a=%20b&c')
        for name, value in (('host', 'localhost'), ('x-forwarded-for', '127.0.0.1'), ('x-forwarded-host', 'localhost'),
                            ('x-forwarded-proto', 'https'), ('x-real-ip', '127.0.0.1'), ('accept-language', 'de'),
                            ('forwarded', 'for=127.0.0.1;host="localhost";proto=https'), ('via', '1.1 moat'),
                            ('cookie', 'theirs=1; other=2')):
            self.assertEqual(got.all(name), [value], name)
        self.assertRegex(got.field('x-request-id'), r'^[0-9a-f]+-[0-9]+$')
        self.assertEqual([n for n in got.names if n.startswith('x-moat')], [])

    def test_what_a_client_claims_is_dropped(self):
        lies = ['X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Forwarded-Port', 'X-Forwarded-Server',
                'X-Forwarded-Prefix', 'X-Forwarded-User', 'Forwarded', 'X-Real-IP', 'X-Client-IP', 'True-Client-IP',
                'CF-Connecting-IP', 'X-Original-URL', 'X-Rewrite-URL', 'X-Request-Id', 'X-Moat-User', 'X-Moat-Email',
                'X-Moat-Roles', 'X-Moat-Session', 'X-Moat-Assertion', 'X-Moat-Anything', 'X_Moat_User', 'x-moat_user',
                'X_Forwarded_For', 'X.Moat.User', 'Content_Type', 'X_Request_Id']
        with self.peer() as peer:
            for name in lies:
                answer = peer.get('/lies', f'{name}: evil-{name}')
                if answer.status == 200:
                    got = self.backend.seen('/lies')[-1]
                    self.assertEqual([v for _, v in got.fields if v.startswith('evil')], [], name)
                else:
                    peer = self.peer()

    def test_hop_by_hop_fields_end_here(self):
        with self.peer() as peer:
            peer.get('/hop-in', 'Connection: keep-alive, X-Mine', 'X-Mine: 1', 'Keep-Alive: timeout=1', 'TE: trailers',
                     'Proxy-Connection: keep-alive', 'Proxy-Authorization: Basic x', 'Upgrade: h2c', 'HTTP2-Settings: x',
                     'X-Theirs: 2')
            got = self.backend.seen('/hop-in')[-1]
            for name in ('x-mine', 'keep-alive', 'te', 'proxy-connection', 'proxy-authorization', 'upgrade', 'connection',
                         'http2-settings', 'trailer'):
                self.assertEqual(got.all(name), [], name)
            self.assertEqual(got.field('x-theirs'), '2')
            answer = peer.get('/hop')
            for name in ('x-hop', 'keep-alive', 'upgrade', 'connection', 'proxy-authenticate', 'trailer', 'te'):
                self.assertEqual(answer.all(name), [], name)
            self.assertEqual(answer.header('x-end'), '2')

    def test_connection_cannot_take_a_field_away(self):
        for name in ('Cookie', 'Authorization', 'Host', 'Content-Length', 'X-Moat-User', 'X-Forwarded-For', 'Origin'):
            with self.peer() as peer:
                peer.send(request('POST', '/', f'Connection: {name}', body=b'abc'))
                self.assertEqual(peer.answer().status, 400, name)

    def test_answers_say_little_of_the_backend_and_get_their_headers(self):
        with self.peer() as peer:
            answer = peer.get('/server')
        for name in ('server', 'x-powered-by', 'via'):
            self.assertEqual(answer.all(name), [], name)
        self.assertEqual(answer.all('x-content-type-options'), ['nosniff'])
        self.assertEqual(answer.all('strict-transport-security'), [])  # localhost

    def test_events_arrive_without_delay(self):
        go = threading.Semaphore(0)

        def events(peer, got):
            peer.send(b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n')
            for i in range(5):
                go.acquire()
                peer.send(b'%x\r\ndata: %d\n\n\r\n' % (9, i))
            go.acquire()
            peer.send(b'0\r\n\r\n')
        self.backend.handlers['/events'] = events
        with self.peer(5) as peer:
            peer.send(request('GET', '/events', 'Accept: text/event-stream'))
            self.assertEqual(peer.head()[0], 'HTTP/1.1 200 OK')  # the head alone, before any event
            for i in range(5):
                go.release()
                self.assertEqual(peer.chunk(), b'data: %d\n\n' % i)  # before the backend has sent the next
            go.release()
            self.assertEqual(peer.chunk(), b'')

    def test_both_ways_at_once(self):
        """The backend answers while the body is still coming."""
        def shout(peer, got):
            peer.send(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
            while data := peer.chunk():
                peer.send(b'%x\r\n%s\r\n' % (len(data), data.upper()))
            peer.send(b'0\r\n\r\n')
        self.backend.handlers['/shout'] = shout
        with self.peer(5) as peer:
            peer.send(request('POST', '/shout', 'Transfer-Encoding: chunked'))
            for word in (b'one', b'two', b'three'):
                peer.send(b'%x\r\n%s\r\n' % (len(word), word))
                if word == b'one':
                    self.assertEqual(peer.head()[0], 'HTTP/1.1 200 OK')
                self.assertEqual(peer.chunk(), word.upper())
            peer.send(b'0\r\n\r\n')
            self.assertEqual(peer.chunk(), b'')
            self.assertEqual(peer.get('/').body, b'OK')


def flow(mib):
    """A class that moves so many MiB each way and looks at the memory meanwhile."""

    class Flow(wire.Case):
        config = '[[route]]\nmatch = "/*"\nmax_body = "8GiB"\n'
        size = mib * MIB
        most_kib = 6 * 1024  # the buffers of two workers' rings, 2 MiB each, are touched here first

        def measured(self, work):
            stop, seen = threading.Event(), []

            def watch():
                while not stop.wait(0.05):
                    seen.append(self.moat.resident_kib())
            before = self.moat.resident_kib()
            watcher = threading.Thread(target=watch)
            watcher.start()
            begun = time.monotonic()
            try:
                work()
            finally:
                stop.set()
                watcher.join()
            grown = max(seen + [before]) - before
            print(f'{self.id().rsplit(".", 1)[1]}: {mib} MiB in {time.monotonic() - begun:.1f} s, memory +{grown} KiB')
            if not wire.sanitized():
                self.assertLess(grown, self.most_kib)

        def test_upload(self):
            got = {}

            def sink(peer, request):
                peer.discard(int(request.field('content-length')))
                got['all'] = True
                peer.send(ok())
            self.backend.handlers['/sink'] = sink

            def work():
                with self.peer(120) as peer:
                    peer.send(request('POST', '/sink', f'Content-Length: {self.size}'))
                    block = bytes(MIB)
                    for _ in range(mib):
                        peer.send(block)
                    self.assertEqual(peer.answer().status, 200)
            self.measured(work)
            self.assertTrue(got['all'])

        def test_upload_chunked(self):
            seen = []

            def sink(peer, request):
                total = 0
                while size := int(peer.until(b'\r\n').split(b';')[0], 16):
                    peer.discard(size)
                    total += size
                    peer.exactly(2)
                peer.exactly(2)
                seen.append(total)
                peer.send(ok())
            self.backend.handlers['/sink-chunked'] = sink

            def work():
                with self.peer(120) as peer:
                    peer.send(request('POST', '/sink-chunked', 'Transfer-Encoding: chunked'))
                    block = b'%x\r\n' % MIB + bytes(MIB) + b'\r\n'
                    for _ in range(mib):
                        peer.send(block)
                    peer.send(b'0\r\n\r\n')
                    self.assertEqual(peer.answer().status, 200)
            self.measured(work)
            self.assertEqual(seen, [self.size])

        def test_download(self):
            def source(peer, request):
                chunked = request.target.endswith('chunked')
                peer.send(b'HTTP/1.1 200 OK\r\n' + (b'Transfer-Encoding: chunked\r\n\r\n' if chunked else
                                                    b'Content-Length: %d\r\n\r\n' % self.size))
                block = bytes(MIB)
                for _ in range(mib):
                    peer.send(b'%x\r\n%s\r\n' % (MIB, block) if chunked else block)
                if chunked:
                    peer.send(b'0\r\n\r\n')
            self.backend.handlers['/source'] = source

            def work():
                with self.peer(120) as peer:
                    peer.send(request('GET', '/source'))
                    _, fields = peer.head()
                    self.assertEqual(dict(fields)['content-length'], str(self.size))
                    peer.discard(self.size)
                    peer.send(request('GET', '/source?chunked'))
                    peer.head()
                    total = 0
                    while size := int(peer.until(b'\r\n'), 16):
                        peer.discard(size)
                        peer.exactly(2)
                        total += size
                    peer.exactly(2)
                    self.assertEqual(total, self.size)
                    self.assertEqual(peer.get('/').body, b'OK')
            self.measured(work)

        def test_others_are_served_meanwhile(self):
            """One worker, one client that takes all it can get: nobody waits for him to be done."""
            done = threading.Event()

            def source(peer, request):
                peer.send(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % (2 * self.size))
                block = bytes(MIB)
                for _ in range(2 * mib):
                    peer.send(block)

            def work():
                with self.peer(120) as peer:
                    peer.send(request('GET', '/flood'))
                    peer.head()
                    peer.discard(2 * self.size)
                done.set()
            self.backend.handlers['/flood'] = source
            thread = threading.Thread(target=work)
            worst = count = 0
            with self.peer(60) as peer:
                peer.get('/')
                thread.start()
                while not done.is_set():
                    begun = time.monotonic()
                    self.assertEqual(peer.get('/').status, 200)
                    worst = max(worst, time.monotonic() - begun)
                    count += 1
                thread.join()
            print(f'others: {count} requests, the slowest {worst * 1000:.0f} ms')
            self.assertGreater(count, 50)
            self.assertLess(worst, 2)

        def test_slow_reader(self):
            """A client that reads slowly holds its backend back, not Moat's memory."""
            sent = []

            def source(peer, request):
                peer.send(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % (64 * MIB))
                for _ in range(64):
                    peer.send(bytes(MIB))
                    sent.append(1)
            self.backend.handlers['/to-slow'] = source

            def work():
                with self.peer(60) as peer:
                    peer.send(request('GET', '/to-slow'))
                    peer.head()
                    time.sleep(2)
                    self.assertLess(len(sent), 40, 'the backend was not held back')
                    peer.discard(64 * MIB - len(peer.buffer))
            self.measured(work)

        def test_slow_backend(self):
            go = threading.Event()
            sent = []

            def sink(peer, request):
                go.wait(30)
                peer.discard(64 * MIB)
                peer.send(ok())
            self.backend.handlers['/slow-sink'] = sink

            def work():
                with self.peer(60) as peer:
                    peer.send(request('POST', '/slow-sink', f'Content-Length: {64 * MIB}'))

                    def push():
                        for _ in range(64):
                            peer.send(bytes(MIB))
                            sent.append(1)
                    pusher = threading.Thread(target=push)
                    pusher.start()
                    time.sleep(2)
                    self.assertLess(len(sent), 40, 'the client was not held back')
                    go.set()
                    pusher.join()
                    self.assertEqual(peer.answer().status, 200)
            self.measured(work)

    return Flow


class Flow(flow(256)):
    pass


QUICK = {**wire.LIMITS, 'MOAT_SERVER_TIMEOUTS_BACKEND': '1s', 'MOAT_SERVER_TIMEOUTS_CONNECT': '1s',
         'MOAT_SERVER_TIMEOUTS_BODY': '2s', 'MOAT_SERVER_TIMEOUTS_DRAIN': '5s'}


class Broken(wire.Case):
    """Backends that fail, and answers that two readers take differently."""

    env = QUICK
    handlers = {
        '/closes': lambda peer, got: False,
        '/half-head': respond(b'HTTP/1.1 200 OK\r\nContent-', keep=False),
        '/garbage': respond(b'\x00\x01\x02 not http at all\r\n\r\n', keep=False),
        '/text': respond(b'hello\r\n\r\n', keep=False),
        '/http2': respond(b'HTTP/2 200 OK\r\n\r\n', keep=False),
        '/status': respond(b'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n', keep=False),
        '/lengths': respond(b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello', keep=False),
        '/lengths-same': respond(b'HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello', keep=False),
        '/length-sign': respond(b'HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello', keep=False),
        '/both': respond(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n', keep=False),
        '/coding': respond(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello', keep=False),
        '/twice': respond(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n', keep=False),
        '/lf': respond(b'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello', keep=False),
        '/fold': respond(b'HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n', keep=False),
        '/cr': respond(b'HTTP/1.1 200 OK\r\nA: b\rSet-Cookie: c=d\r\nContent-Length: 0\r\n\r\n', keep=False),
        '/nul': respond(b'HTTP/1.1 200 OK\r\nA: b\x00\r\nContent-Length: 0\r\n\r\n', keep=False),
        '/switching': respond(b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'),
        '/head-too-large': respond(b'HTTP/1.1 200 OK\r\nA: ' + b'b' * 200_000 + b'\r\n\r\n', keep=False),
        '/none-with-body': respond(b'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello', keep=False),
        '/none-chunked': respond(b'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', keep=False),
        '/short': respond(b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello', keep=False),
        '/short-chunk': respond(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel', keep=False),
        '/bad-chunk': respond(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhel', keep=False),
        '/more': respond(ok(b'hello') + b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'),
        '/more-chunked': respond(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'
                                 b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'),
        '/none-and-more': respond(b'HTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'),
        '/interim': respond(b'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n' * 1000 + ok(), keep=False),
        '/hints': respond(b'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n' * 3 + ok(b'hinted')),
        '/silent': lambda peer, got: time.sleep(3),
        '/silent-half': lambda peer, got: (peer.send(b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello'), time.sleep(3)),
    }

    def test_what_is_no_answer_is_502(self):
        with self.peer() as peer:
            for path in ('/closes', '/half-head', '/garbage', '/text', '/http2', '/status', '/lengths', '/length-sign',
                         '/both', '/coding', '/twice', '/lf', '/fold', '/cr', '/nul', '/switching', '/head-too-large',
                         '/none-with-body', '/none-chunked', '/interim'):
                with self.subTest(path=path):
                    answer = peer.get(path)
                    self.assertEqual((answer.status, answer.header('content-type'), answer.json()['code']),
                                     (502, 'application/problem+json', 'backend_failed'))
                    page = peer.get(path, 'Accept: text/html', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document')
                    self.assertEqual(page.status, 502)
                    self.assertIn('text/html', page.header('content-type'))
                    self.assertNotIn('127.0.0.1', page.text)
            self.assertEqual(peer.get('/').body, b'OK')
            self.assertEqual(peer.get('/hints').body, b'hinted')

    def test_an_answer_that_breaks_off_is_not_whole(self):
        """The client can tell: the connection ends before the message does."""
        for path in ('/short', '/short-chunk', '/bad-chunk', '/silent-half'):
            with self.subTest(path=path), self.peer() as peer:
                with self.assertRaises((wire.Closed, ValueError)):
                    peer.get(path)
                self.assertTrue(peer.closed())

    def test_a_second_answer_reaches_nobody(self):
        for path in ('/more', '/more-chunked', '/none-and-more'):
            with self.subTest(path=path), self.peer() as peer:
                for _ in range(10):
                    answer = peer.get(path)
                    self.assertIn(answer.body, (b'hello', b''))
                    self.assertEqual(peer.get('/').body, b'OK')

    def test_silence_is_504(self):
        with self.peer() as peer:
            begun = time.monotonic()
            answer = peer.get('/silent')
            self.assertEqual((answer.status, answer.json()['code']), (504, 'backend_timeout'))
            self.assertLess(time.monotonic() - begun, 10)  # 1 s is set, 30 s the default
            self.assertEqual(peer.get('/').body, b'OK')
            self.assertEqual(len(self.backend.seen('/silent')), 1)  # not tried again

    def test_a_refusal_before_the_upload_is_over(self):
        def early(peer, got):
            peer.send(ok(b'too much', 'Connection: close', status='413 Content Too Large'))
            time.sleep(0.2)
            return False
        self.backend.handlers['/early'] = early
        for fields, block in (('Content-Length: 1000000', b'x' * 5000), ('Transfer-Encoding: chunked', b'1000\r\n' + b'x' * 4096 + b'\r\n')):
            with self.subTest(fields=fields), self.peer() as peer:
                peer.send(request('POST', '/early', fields))
                try:
                    for _ in range(30):
                        peer.send(block)
                        time.sleep(0.01)
                except OSError:
                    pass
                answer = peer.answer()
                self.assertEqual((answer.status, answer.body), (413, b'too much'))
                self.assertTrue(peer.closed(8))

    def test_an_early_answer_leaves_no_half_body_behind(self):
        """A backend that answers early and keeps the connection would take the next request, of
        somebody else, for the rest of the body: that connection must not be used again."""
        def early_kept(peer, got):
            peer.send(ok(b'early'))
        self.backend.handlers['/early-kept'] = early_kept
        for i in range(10):
            with self.peer() as peer:
                peer.send(request('POST', '/early-kept', 'Content-Length: 60000') + b'x' * 100)
                self.assertEqual(peer.answer().body, b'early')
                if i % 2:
                    peer.send(b'y' * 59900)
            with self.peer() as peer:
                self.assertEqual(peer.get(f'/after-{i}').body, b'OK')
                self.assertEqual(len(self.backend.seen(f'/after-{i}')), 1)

    def test_a_backend_that_stalls_the_body_and_then_answers(self):
        """Time to send is over, the rest of the body is dropped; the answer comes, and the connection
        with half a body is not used again."""
        def stalls(peer, got):
            time.sleep(1.5)
            peer.send(ok(b'late'))
        self.backend.handlers['/stalls'] = stalls
        with self.peer(20) as peer:
            peer.send(request('POST', '/stalls', 'Content-Length: 1000000'))
            try:
                for _ in range(200):
                    peer.send(b'x' * 5000)
            except OSError:
                pass
            try:
                self.assertIn(peer.answer().status, (200, 502, 504))
            except (wire.Closed, OSError):
                pass
        for i in range(5):
            with self.peer() as peer:
                self.assertEqual(peer.get(f'/behind-{i}').body, b'OK')

    def test_idle_connections_that_the_backend_closed(self):
        """A safe request is sent again on a new connection; a POST is not lost silently."""
        def close_after(peer, got):
            peer.body(got.fields)
            peer.send(ok(b'one'))
            peer.head()  # takes the next request, and closes without an answer
            return False
        self.backend.handlers['/one'] = close_after
        with self.peer() as peer:
            for method in ('GET', 'PUT', 'DELETE'):
                peer.get('/one')
                before = self.backend.connections
                peer.send(request(method, '/', body=b''))
                self.assertEqual(peer.answer().status, 200, method)
                self.assertEqual(self.backend.connections, before + 1)
            peer.get('/one')
            peer.send(request('POST', '/', body=b'once'))
            self.assertEqual(peer.answer().status, 502)
            self.assertEqual(peer.get('/').body, b'OK')

    def test_cookies_and_headers_of_a_backend_cannot_pose_as_moats(self):
        self.backend.handlers['/pose'] = respond(ok(b'x', 'Set-Cookie: __Host-Http-at=evil; Path=/; Secure',
                                                    'Set-Cookie: __host-http-rt=evil', 'Set-Cookie: mine=1'))
        with self.peer() as peer:
            cookies = peer.get('/pose').all('set-cookie')
        self.assertEqual(len(cookies), 1)
        self.assertTrue(cookies[0].startswith('mine=1;'))
        self.assertIn('HttpOnly', cookies[0])


class Down(wire.Case):
    env = QUICK

    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(lambda: cls.backend.stop())  # whichever it is by then
        super().setUpClass()

    def test_a_backend_that_is_down_and_comes_back(self):
        port = self.backend.port
        self.backend.stop()
        harness.wait_until(lambda: not self.backend.open, 5)
        with self.peer() as peer:
            for _ in range(3):
                answer = peer.get('/')
                self.assertEqual((answer.status, answer.json()['code']), (502, 'backend_failed'))
                self.assertIsNotNone(answer.header('x-content-type-options'))
            self.assertEqual(peer.get('/auth/csrf').status, 200)  # Moat's own part does not depend on it
            type(self).backend = wire.Backend(port=port)
            self.assertEqual(peer.get('/').body, b'OK')


class Several(wire.Case):
    """Several servers behind one route."""

    @classmethod
    def setUpClass(cls):
        cls.others = [wire.Backend({'/': respond(ok(b'%d' % i))}) for i in range(3)]
        for other in cls.others:
            cls.addClassCleanup(other.stop)
        cls.backend = cls.others[0]
        listed = ', '.join(f'"{other.url}"' for other in cls.others)
        cls.moat = wire.Toml(f'backend = [{listed}]\n', env=QUICK, options=('--workers', '1'))
        cls.addClassCleanup(cls._end)

    def test_in_turn_and_around_one_that_is_down(self):
        with self.peer() as peer:
            said = [peer.get('/').body for _ in range(30)]
            self.assertEqual({x: said.count(x) for x in set(said)}, {b'0': 10, b'1': 10, b'2': 10})
            self.others[1].stop()
            harness.wait_until(lambda: not self.others[1].open, 5)
            said = [peer.get('/') for _ in range(30)]
            self.assertEqual({a.status for a in said}, {200})
            self.assertEqual({a.body for a in said}, {b'0', b'2'})
        # Many at once: each finds one that is up.
        peers = [self.peer() for _ in range(30)]
        for peer in peers:
            peer.send(request('GET', '/'))
        self.assertEqual([peer.answer().status for peer in peers], [200] * 30)
        for peer in peers:
            peer.close()


class Stopping(wire.Case):
    """SIGTERM: what is in flight is finished, nothing new is begun."""

    def fresh(self, **env):
        moat = harness.Moat(self.backend.url, options=('--workers', '1'), env={**QUICK, **env})
        self.addCleanup(lambda: moat.running() and moat.stop())
        return moat

    def test_in_flight_is_finished(self):
        go = threading.Event()

        def slow(peer, got):
            body = peer.body(got.fields)
            go.wait(10)
            peer.send(ok(b'done ' + body))
        self.backend.handlers['/slow'] = slow
        moat = self.fresh(MOAT_SERVER_TIMEOUTS_BACKEND='20s', MOAT_SERVER_TIMEOUTS_BODY='20s',
                          MOAT_SERVER_TIMEOUTS_DRAIN='20s')
        with wire.Wire(moat.connect()) as busy, wire.Wire(moat.connect()) as idle, wire.Wire(moat.connect()) as sending:
            idle.get('/')
            busy.send(request('POST', '/slow', body=b'it'))
            sending.send(request('POST', '/slow', 'Content-Length: 6') + b'abc')
            harness.wait_until(lambda: len(self.backend.seen('/slow')) == 2, 5)
            moat.process.send_signal(signal.SIGTERM)
            self.assertTrue(idle.closed(3))
            with self.assertRaises(OSError):
                wire.Wire(moat.connect(timeout=2)).get('/')
            sending.send(b'def')
            time.sleep(0.2)
            self.assertTrue(moat.running())
            go.set()
            self.assertEqual(busy.answer().body, b'done it')
            self.assertEqual(sending.answer().body, b'done abcdef')
            self.assertTrue(busy.closed(3))
        self.assertEqual(moat.stop(5), 0)

    def test_who_does_not_finish_is_cut(self):
        self.backend.handlers['/never'] = lambda peer, got: time.sleep(20)
        moat = self.fresh(MOAT_SERVER_TIMEOUTS_BACKEND='60s', MOAT_SERVER_TIMEOUTS_DRAIN='1s')
        with wire.Wire(moat.connect()) as peer:
            peer.send(request('GET', '/never'))
            harness.wait_until(lambda: self.backend.seen('/never'), 5)
            begun = time.monotonic()
            self.assertEqual(moat.stop(10), 0, moat.output[-5000:])
            self.assertLess(time.monotonic() - begun, 6)


def accept_of(key):
    magic = key.encode() + b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
    return base64.b64encode(hashlib.sha1(magic).digest()).decode()


def frame(opcode, data, mask=None, final=True):
    """One WebSocket frame (RFC 6455 section 5.2)."""
    bit = 0x80 if mask else 0
    head = bytes([(0x80 if final else 0) | opcode])
    if len(data) < 126:
        head += bytes([bit | len(data)])
    elif len(data) < 65536:
        head += bytes([bit | 126]) + struct.pack('>H', len(data))
    else:
        head += bytes([bit | 127]) + struct.pack('>Q', len(data))
    if mask:
        key = int.from_bytes((mask * (len(data) // 4 + 1))[:len(data)], 'big')
        data = (int.from_bytes(data, 'big') ^ key).to_bytes(len(data), 'big')
        head += mask
    return head + data


def read_frame(peer):
    first, second = peer.exactly(2)
    size = second & 127
    if size == 126:
        size = struct.unpack('>H', peer.exactly(2))[0]
    elif size == 127:
        size = struct.unpack('>Q', peer.exactly(8))[0]
    mask = peer.exactly(4) if second & 128 else None
    data = peer.exactly(size)
    if mask:
        key = int.from_bytes((mask * (size // 4 + 1))[:size], 'big')
        data = (int.from_bytes(data, 'big') ^ key).to_bytes(size, 'big')
    return first & 15, data


def web_socket(peer, got):
    """Echoes frames; "bye" makes it close first, "push" makes it talk for a while by itself."""
    peer.send(f'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
              f'Sec-WebSocket-Accept: {accept_of(got.field("sec-websocket-key"))}\r\n\r\n'.encode() + frame(1, b'welcome'))
    while True:
        opcode, data = read_frame(peer)
        if opcode == 8 or data == b'bye':
            peer.send(frame(8, data[:2] if opcode == 8 else b'\x03\xe8'))
            return False
        if data == b'push':
            for i in range(24):
                time.sleep(0.25)
                peer.send(frame(1, b'%d' % i))
        elif data == b'drop':
            return False
        else:
            peer.send(frame(opcode, data))


class WebSocket(wire.Case):
    env = {**QUICK, 'MOAT_SERVER_TIMEOUTS_WEBSOCKET': '5s'}
    memory_margin_kib = 40 * 1024  # of the hash at the sign-up
    handlers = {'/ws': web_socket, '/refuses': respond(ok(b'no', status='403 Forbidden'))}

    def handshake(self, *fields, path='/ws', key='dGhlIHNhbXBsZSBub25jZQ==', peer=None, version='13'):
        peer = peer or self.peer()
        peer.send(request('GET', path, 'Connection: Upgrade', 'Upgrade: websocket', f'Sec-WebSocket-Key: {key}',
                          f'Sec-WebSocket-Version: {version}', *fields))
        return peer, peer.answer()

    def opened(self, *fields):
        peer, answer = self.handshake(*(fields or (f'Origin: {self.moat.origin}',)))
        self.assertEqual(answer.status, 101)
        self.assertEqual(answer.header('sec-websocket-accept'), accept_of('dGhlIHNhbXBsZSBub25jZQ=='))
        self.assertEqual((answer.header('connection').lower(), answer.header('upgrade').lower()), ('upgrade', 'websocket'))
        self.assertEqual(read_frame(peer), (1, b'welcome'))  # came with the backend's head
        return peer

    def test_echo(self):
        with self.opened() as peer:
            for data in (b'hello', b'', b'x' * 125, b'y' * 126, b'z' * 70_000, os.urandom(3 * MIB)):
                sender = threading.Thread(target=peer.send, args=(frame(2, data, os.urandom(4)),))
                sender.start()
                self.assertEqual(read_frame(peer), (2, data))
                sender.join()
            peer.send(frame(9, b'ping', b'abcd'))
            self.assertEqual(read_frame(peer), (9, b'ping'))

    def test_frames_right_behind_the_handshake(self):
        peer = self.peer()
        peer.send(request('GET', '/ws', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13',
                          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==') + frame(1, b'early', b'abcd'))
        self.assertEqual(peer.answer().status, 101)
        self.assertEqual([read_frame(peer)[1] for _ in range(2)], [b'welcome', b'early'])
        peer.close()

    def test_close_from_both_sides(self):
        with self.opened() as peer:
            peer.send(frame(8, b'\x03\xe8', b'abcd'))
            self.assertEqual(read_frame(peer), (8, b'\x03\xe8'))
            self.assertTrue(peer.closed())
        with self.opened() as peer:
            peer.send(frame(1, b'bye', b'abcd'))
            self.assertEqual(read_frame(peer), (8, b'\x03\xe8'))
            self.assertTrue(peer.closed())
        with self.opened() as peer:
            peer.send(frame(1, b'drop', b'abcd'))
            self.assertTrue(peer.closed())
        open_before = len(self.backend.open)
        peer = self.opened()
        peer.reset()
        harness.wait_until(lambda: len(self.backend.open) <= open_before, 5, 'the backend hearing of the end')

    def test_idle_ends(self):
        with self.opened() as peer:
            begun = time.monotonic()
            self.assertTrue(peer.closed(15))
            self.assertGreater(time.monotonic() - begun, 4.5)

    def test_one_that_is_busy_in_one_direction_is_not_idle(self):
        with self.opened() as peer:
            peer.send(frame(1, b'push', b'abcd'))
            self.assertEqual([read_frame(peer)[1] for _ in range(24)], [b'%d' % i for i in range(24)])
            peer.send(frame(1, b'still', b'abcd'))
            self.assertEqual(read_frame(peer), (1, b'still'))

    def test_foreign_origins_and_bad_handshakes(self):
        seen = len(self.backend.seen('/ws'))
        cookie = 'Cookie: __Host-Http-at=x'
        for fields in (('Origin: https://evil.example',), ('Origin: null',), ('Origin: http://localhost.evil.example',), (),
                       ('Sec-Fetch-Site: cross-site', 'Origin: https://localhost')):
            peer, answer = self.handshake(cookie, *fields)
            self.assertEqual(answer.status, 403, fields)
            peer.close()
        for keywords in ({'key': 'short'}, {'version': '8'}):
            peer, answer = self.handshake(**keywords)
            self.assertIn(answer.status, (400, 426), keywords)
            peer.close()
        self.assertEqual(len(self.backend.seen('/ws')), seen)

    def test_a_session_that_ends_takes_a_busy_one_along(self):
        client = self.moat.client()
        answer = client.post('/auth/signup', json={'email': 'ws@b.example', 'password': 'a quite long passphrase 17'})
        self.assertEqual(answer.status, 201)
        cookie = 'Cookie: ' + '; '.join(f'{k}={v}' for k, v in client.cookies.items())
        with self.opened(cookie, 'Origin: https://localhost') as peer:
            self.assertTrue(self.backend.seen('/ws')[-1].field('x-moat-user'))
            self.assertEqual(client.post('/auth/logout').status, 204)
            begun = time.monotonic()
            with self.assertRaises((wire.Closed, OSError)):
                while time.monotonic() - begun < 10:
                    peer.send(frame(1, b'x', b'abcd'))
                    self.assertEqual(read_frame(peer), (1, b'x'))
                    time.sleep(0.2)

    def test_a_backend_that_does_not_want_it(self):
        peer, answer = self.handshake(path='/refuses')
        self.assertEqual((answer.status, answer.body), (403, b'no'))
        # What follows is a request, not a tunnel (a backend that was fooled would see it raw).
        self.assertEqual(peer.get('/').body, b'OK')
        peer.close()


class OldSession(wire.Case):
    """A session has an end, and its WebSockets end with it."""

    env = {**QUICK, 'MOAT_SESSION_ABSOLUTE': '4s', 'MOAT_SESSION_IDLE': '4s', 'MOAT_SESSION_ACCESS': '2s'}
    memory_margin_kib = WebSocket.memory_margin_kib
    handlers = {'/ws': web_socket}

    def test_a_busy_socket_is_closed_when_the_session_is_over(self):
        client = self.moat.client()
        answer = client.post('/auth/signup', json={'email': 'old@b.example', 'password': 'a quite long passphrase 17'})
        self.assertEqual(answer.status, 201)
        cookie = 'Cookie: ' + '; '.join(f'{k}={v}' for k, v in client.cookies.items())
        with self.peer() as peer:
            peer.send(request('GET', '/ws', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13',
                              'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', cookie, 'Origin: https://localhost'))
            self.assertEqual(peer.answer().status, 101)
            self.assertEqual(read_frame(peer)[1], b'welcome')
            begun = time.monotonic()
            with self.assertRaises((wire.Closed, OSError)):
                while time.monotonic() - begun < 15:
                    peer.send(frame(1, b'x', b'abcd'))
                    self.assertEqual(read_frame(peer), (1, b'x'))
                    time.sleep(0.2)
            self.assertGreater(time.monotonic() - begun, 2)


class LoginRules(wire.Case):
    """login = ["/account/*"]: no spelling of the path walks around it."""

    config = ('[[route]]\nmatch = "/account/*"\nlogin = "required"\n'
              '[[route]]\nmatch = "/Exact"\nlogin = "required"\n'
              '[[route]]\nmatch = "/files/*"\nallow_encoded_slash = true\n'
              '[[route]]\nmatch = "/*"\n')

    def test_tricks(self):
        for path in ('/account', '/account/', '/account/x', '/ACCOUNT', '/Account/x', '/%61ccount', '/%61%63count/x',
                     '/account%2fx', '/account%2Fx', '/account%5cx', '//account', '//account/x', '/x//account', '/account//x',
                     '/account;x', '/account;x=1/y', '/;/account', '/;x/account/y', '/./account', '/a/../account',
                     '/a/%2e%2e/account', '/a/.%2E/account', '/a/..;/account', '/a/..;x=y/account', '/account/..', '/account/.',
                     '/account/x/../../account', '/%2faccount', '/%5caccount', '/\\account', '/a\\..\\account',
                     '/%252e%252e/account', '/%2561ccount', '/account%00', '/account%00x', '/account%0a', '/account%0d%0aX: y',
                     '/%c0%afaccount', '/%e0%80%afaccount', '/account%c2', '/account?', '/account?x', '/account/?a=/public',
                     '/account%3Bx', '/account%3bx/y', '/acc%6fun%74/', '/exact', '/EXACT/', '/exact;x', '/%65xact',
                     '/files/%2e%2e%2faccount/x', '/files/..%2faccount/x', '/files/%2e%2e/account', '/files%2f..%2faccount',
                     '/files/x%2f..%2f..%2faccount', '/files/..%5caccount', '/files/%252e%252e%252faccount',
                     'http://localhost/account/x', 'HTTPS://LOCALHOST/account/x', 'https://localhost/%61ccount',
                     'http://localhost//account', 'http://localhost'):
            with self.subTest(path=path), self.peer() as peer:
                before = len(self.backend.requests)
                peer.send(request('GET', path))
                answer = peer.answer()
                if answer.status == 200:
                    # Only what no backend takes for the account: the site itself.
                    self.assertIn(self.backend.requests[-1].target, ('/',), path)
                else:
                    self.assertIn(answer.status, (400, 401, 303, 421), path)
                    self.assertEqual(len(self.backend.requests), before)

    def test_public_paths_are_public(self):
        with self.peer() as peer:
            for path in ('/', '/accounting', '/accoun', '/public/account', '/files/a%2Fb', '/x;account', '/?/account'):
                self.assertEqual(peer.get(path).status, 200, path)
                self.assertEqual(self.backend.requests[-1].target, path)


class Methods(wire.Case):
    config = ('[[route]]\nmatch = "/dav/*"\nallow_unknown_methods = true\n[[route]]\nmatch = "/*"\n')

    def test_unknown_ones_need_a_route_that_names_them(self):
        with self.peer() as peer:
            for method in ('PROPFIND', 'PURGE', 'get', 'DEBUG'):
                before = len(self.backend.requests)
                peer.send(request(method, '/x'))
                answer = peer.answer()
                self.assertEqual((answer.status, answer.json()['code']), (501, 'method_not_implemented'))
                self.assertEqual(len(self.backend.requests), before)
                peer.send(request(method, '/dav/x'))
                self.assertEqual(peer.answer().status, 200)
                self.assertEqual(self.backend.requests[-1].method, method)


class Injection(wire.Case):
    """What a user calls himself never becomes a header line."""

    memory_margin_kib = 40 * 1024  # Argon2id keeps its 19 MiB for a while

    def test_names_with_line_ends(self):
        client = self.moat.client()
        for email in ('a@b.example\r\nX-Evil: 1', 'a@b.example\nX-Evil: 1', 'a\r\n\r\nGET /evil HTTP/1.1\r\n\r\n@b.example',
                      '"a\r\n"@b.example', 'a@b.example\u2028x', 'a@b.example\x00', 'a@b\u560d\u560aX.example', 'a@b.exa\rmple'):
            answer = client.post('/auth/signup', json={'email': email, 'password': 'a quite long passphrase 17'})
            self.assertIn(answer.status, (400, 422), email)
        email = 'o\'neil+tag=1@example.com'
        answer = client.post('/auth/signup', json={'email': email, 'password': 'a quite long passphrase 17'})
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(client.get('/as-user').status, 200)
        got = self.backend.seen('/as-user')[-1]
        self.assertEqual(got.all('x-moat-email'), [email])
        self.assertEqual(len(got.all('x-moat-user')), 1)
        self.assertEqual([n for n in got.names if 'evil' in n], [])
        # A signed-in user's own words under these names are dropped all the same.
        client.get('/as-user', headers={'X-Moat-User': 'admin', 'X-Moat-Roles': 'admin', 'x_moat_email': 'e@x.example'})
        got = self.backend.seen('/as-user')[-1]
        self.assertEqual((got.all('x-moat-email'), 'admin' in got.all('x-moat-user') + got.all('x-moat-roles')), ([email], False))

    def test_redirects_and_targets(self):
        for target in ('/auth/login?next=%0d%0aX-Evil:1', '/auth/login?next=//evil.example', '/x%0d%0aSet-Cookie:a=b'):
            with self.peer() as peer:
                answer = peer.get(target, 'Accept: text/html', 'Sec-Fetch-Mode: navigate')
                self.assertIsNone(answer.header('x-evil'))
                self.assertNotIn('evil', ' '.join(v for _, v in answer.headers))
        with wire.Wire(socket.create_connection((harness.HOST, self.moat.http_port))) as peer:
            peer.send(request('GET', '/a?next=%0d%0aX-Evil:1', 'Accept: text/html'))
            answer = peer.answer()
            self.assertIsNone(answer.header('x-evil'))


if __name__ == '__main__':
    harness.main()
