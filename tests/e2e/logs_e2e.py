# SPDX-License-Identifier: Apache-2.0
"""What an operator sees of the requests: access log, request ids, traces, and metrics by route."""
import json
import pathlib
import re
import signal
import subprocess
import time

import harness
import wire
from wire import ok, request

TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
PARENT = '00f067aa0ba902b7'
MIB = 1 << 20
ROUTES = '''
[[route]]
match = "/api/*"
backend = "{backend}"
login = "required"
[[route]]
match = "/*"
backend = "{backend}"
'''


def big(peer, got):
    """More than the sockets on the way hold, so that who does not read holds it up."""
    peer.body(got.fields)
    peer.send(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % (64 * MIB))
    for _ in range(1024):
        peer.send(b'x' * 65536)
    return True


def chunked(peer, got):
    peer.body(got.fields)
    peer.send(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' + wire.chunked(b'abc' * 1000))
    return True


def late(peer, got):
    peer.body(got.fields)
    time.sleep(0.2)
    peer.send(ok(b'late', 'X-Request-Id: theirs'))
    return True


def hold(peer, got):
    peer.body(got.fields)
    time.sleep(3)
    return False


class Logs(wire.Case):
    handlers = {'/big': big, '/chunked': chunked, '/late': late, '/hold': hold}

    def entries(self, moat=None, **wanted):
        found = []
        for line in list((moat or self.moat).lines):
            if '"event":"request"' in line:
                entry = json.loads(line)
                if all(entry.get(k) == v for k, v in wanted.items()):
                    found.append(entry)
        return found

    def entry(self, moat=None, seconds=10, **wanted):
        found = harness.wait_until(lambda: self.entries(moat, **wanted), seconds, f'a line with {wanted}')
        self.assertEqual(len(found), 1, found)
        return found[0]

    def metrics(self, moat=None):
        moat = moat or self.moat
        return moat.request('GET', '/metrics', port=moat.admin_port, tls=False,
                            headers={'Host': f'localhost:{moat.admin_port}'}).text


class Json(Logs):
    memory_margin_kib = 40 * 1024  # a sign-up's hash is among it
    env = {**wire.LIMITS, 'MOAT_LOG_ACCESS': 'json', 'MOAT_LOG_LEVEL': 'warn'}

    def test_a_request_is_one_line_with_all_there_is_to_know(self):
        with self.peer() as peer:
            peer.send(request('POST', '/plain?x=1', 'Content-Length: 5', 'User-Agent: a') + b'hello')
            answer = peer.answer()
        entry = self.entry(target='/plain?x=1')
        self.assertEqual({k: entry[k] for k in ('status', 'method', 'client', 'user', 'route', 'backend', 'bytes_in',
                                                'bytes_out', 'complete', 'protocol', 'tls', 'code', 'level')},
                         {'status': 200, 'method': 'POST', 'client': '127.0.0.1', 'user': '', 'route': '/*',
                          'backend': self.backend.url.split('//')[1], 'bytes_in': 5, 'bytes_out': len(answer.body),
                          'complete': True, 'protocol': 'HTTP/1.1', 'tls': 'TLSv1.3', 'code': '', 'level': 'info'})
        self.assertEqual(entry['request_id'], answer.header('x-request-id'))
        self.assertRegex(entry['trace_id'], r'^[0-9a-f]{32}$')
        self.assertRegex(entry['time'], r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$')

    def test_times_are_those_of_the_backend_and_of_all(self):
        with self.peer() as peer:
            peer.get('/late')
        entry = self.entry(target='/late')
        self.assertGreaterEqual(entry['backend_ms'], 190)
        self.assertGreaterEqual(entry['ms'], entry['backend_ms'])

    def test_bodies_are_counted_without_their_framing(self):
        with self.peer() as peer:
            peer.send(request('POST', '/chunked', 'Transfer-Encoding: chunked') + wire.chunked(b'12345' * 100))
            self.assertEqual(len(peer.answer().body), 3000)
        entry = self.entry(target='/chunked')
        self.assertEqual((entry['bytes_in'], entry['bytes_out']), (500, 3000))

    def test_an_answer_that_is_cut_off_says_how_far_it_came(self):
        peer = self.peer()
        peer.send(request('GET', '/big'))
        peer.until(b'\r\n\r\n')
        peer.discard(MIB)
        self.assertEqual(self.entries(target='/big'), [], 'it is written when the answer is over')
        peer.reset()
        entry = self.entry(target='/big')
        self.assertEqual((entry['status'], entry['complete']), (200, False))
        self.assertTrue(MIB <= entry['bytes_out'] < 64 * MIB, entry)

    def test_who_leaves_before_an_answer_is_499(self):
        peer = self.peer()
        peer.send(request('POST', '/hold', 'Content-Length: 10') + b'12345')
        harness.wait_until(lambda: self.backend.seen('/hold'), 10, 'the request at the backend')
        peer.reset()
        entry = self.entry(target='/hold')
        self.assertEqual((entry['status'], entry['complete'], entry['bytes_in'], entry['backend_ms']), (499, False, 5, None))

    def test_http2_has_the_same_line(self):
        done = subprocess.run(['curl', '-sS', '--http2', '--max-time', '30', '--cacert', str(self.moat.ca_file()),
                               '-d', 'x' * 1000, f'{self.moat.origin}/chunked?h2'], capture_output=True, timeout=60)
        self.assertEqual(len(done.stdout), 3000, done.stderr)
        entry = self.entry(target='/chunked?h2')
        self.assertEqual((entry['protocol'], entry['tls'], entry['bytes_in'], entry['bytes_out'], entry['complete']),
                         ('HTTP/2', 'TLSv1.3', 1000, 3000, True))

    def test_http2_that_is_cut_off(self):
        done = subprocess.run(['curl', '-sS', '--http2', '--max-time', '1', '--limit-rate', '1M', '-o', '/dev/null',
                               '--cacert', str(self.moat.ca_file()), f'{self.moat.origin}/big?h2'],
                              capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 28, done.stderr)
        entry = self.entry(target='/big?h2')
        self.assertEqual((entry['status'], entry['complete']), (200, False))
        self.assertLess(entry['bytes_out'], 64 * MIB)

    def test_refusals_say_why_and_where(self):
        with self.peer() as peer:
            peer.send(request('POST', '/refused', 'Origin: https://evil.example', 'Sec-Fetch-Site: cross-site',
                              'Cookie: __Host-Http-rt=x', 'Content-Length: 0'))
            peer.answer()
        entry = self.entry(target='/refused')
        self.assertGreaterEqual(entry['status'], 400)
        self.assertEqual((entry['route'], entry['backend'], entry['backend_ms']), ('/*', '', None))
        self.assertRegex(entry['code'], r'^[a-z_]+$')
        with self.peer() as peer:
            peer.send(b'GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n')
            self.assertEqual(peer.answer().status, 400)
        entry = self.entry(status=400, method='')
        self.assertEqual((entry['route'], entry['target'], entry['client']), ('(none)', '', '127.0.0.1'))
        self.assertNotEqual(entry['code'], '')

    def test_secrets_stay_out(self):
        with self.peer() as peer:
            peer.get('/reset?token=hunter2&y=1')
            peer.get('/auth/login?next=hunter2')
        self.entry(target='/reset?token=[redacted]&y=1')
        entry = self.entry(target='/auth/login?[redacted]')
        self.assertEqual(entry['route'], '(moat)')
        self.assertNotIn('hunter2', self.moat.output)

    def test_plain_http_is_there_too(self):
        self.moat.request('GET', '/redirected', tls=False, headers={'Accept': 'text/html'})
        entry = self.entry(target='/redirected')
        self.assertEqual((entry['status'], entry['route'], entry['tls']), (308, '(redirect)', ''))

    def test_the_user_is_an_id(self):
        client = self.moat.client()
        answer = client.post('/auth/signup', json={'email': 'alice@example.com', 'password': 'correct horse battery 9 staple'})
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(client.get('/who').status, 200)
        entry = self.entry(target='/who')
        self.assertRegex(entry['user'], r'^[A-Za-z0-9_-]{8,}$')
        self.assertNotIn('alice', '\n'.join(json.dumps(e) for e in self.entries()))


class Ids(Logs):
    env = {**wire.LIMITS, 'MOAT_LOG_ACCESS': 'json', 'MOAT_SERVER_TRUSTED_PROXIES': '127.0.0.0/8'}

    def test_a_proxys_id_is_kept_everywhere(self):
        for given in ('a', 'Root-1.2_3', 'z' * 128):
            with self.peer() as peer:
                answer = peer.get('/' + given[:9], f'X-Request-Id: {given}')
            self.assertEqual(answer.all('x-request-id'), [given])
            self.assertEqual(self.backend.seen('/' + given[:9])[-1].all('x-request-id'), [given])
            self.assertEqual(self.entry(target='/' + given[:9])['request_id'], given)

    def test_what_is_malformed_or_twice_is_made_anew(self):
        for number, fields in enumerate((['X-Request-Id: ' + 'z' * 129], ['X-Request-Id: a b'], ['X-Request-Id: a"b'],
                                         ['X-Request-Id:'], ['X-Request-Id: a', 'X-Request-Id: b'],
                                         ['X_Request_Id: forged'], [])):
            with self.peer() as peer:
                answer = peer.get(f'/bad{number}', *fields)
            got = self.backend.seen(f'/bad{number}')[-1].all('x-request-id')
            self.assertEqual(len(got), 1)
            self.assertRegex(got[0], r'^[0-9a-f]+-[0-9]+$')
            self.assertEqual(answer.all('x-request-id'), got)

    def test_answers_have_the_id_whoever_makes_them(self):
        with self.peer() as peer:
            answer = peer.get('/late', 'X-Request-Id: mine')
            self.assertEqual(answer.all('x-request-id'), ['mine'], 'the backend says another')
            self.assertEqual(peer.get('/auth/session', 'X-Request-Id: mine').all('x-request-id'), ['mine'])


class Strangers(Logs):
    env = {**wire.LIMITS, 'MOAT_LOG_ACCESS': 'json', 'MOAT_SERVER_TRUSTED_PROXIES': '192.0.2.0/24'}

    def test_the_id_of_who_is_no_trusted_proxy_is_dropped(self):
        with self.peer() as peer:
            answer = peer.get('/stranger', 'X-Request-Id: forged')
        self.assertNotEqual(answer.header('x-request-id'), 'forged')
        self.assertNotIn('forged', str(self.backend.seen('/stranger')[-1].fields))


class Traces(Logs):
    env = {**wire.LIMITS, 'MOAT_LOG_ACCESS': 'json'}
    made = r'^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$'

    def told(self, path, *fields):
        with self.peer() as peer:
            self.assertEqual(peer.get(path, *fields).status, 200)
        got = self.backend.seen(path)[-1]
        self.assertEqual(len(got.all('traceparent')), 1, got.fields)
        return re.match(self.made, got.field('traceparent')), got.all('tracestate')

    def test_a_valid_one_goes_on_with_a_new_parent(self):
        parents = set()
        for flags in ('00', '01'):
            match, state = self.told(f'/valid{flags}', f'traceparent: 00-{TRACE}-{PARENT}-{flags}', 'tracestate: a=1',
                                     'Tracestate: b@c=2')
            self.assertEqual((match[1], match[3], state), (TRACE, flags, ['a=1,b@c=2']))
            self.assertNotIn(match[2], {PARENT, '0' * 16} | parents)
            parents.add(match[2])
            self.assertEqual(self.entry(target=f'/valid{flags}')['trace_id'], TRACE)

    def test_a_malformed_one_is_replaced_and_its_state_dropped(self):
        for number, fields in enumerate(([f'traceparent: 00-{TRACE}-{PARENT}-1'], [f'traceparent: 00-{"0" * 32}-{PARENT}-01'],
                                         [f'traceparent: ff-{TRACE}-{PARENT}-01'], [f'traceparent: 00-{TRACE.upper()}-{PARENT}-01'],
                                         [f'traceparent: 00-{TRACE}-{PARENT}-01'] * 2, [])):
            match, state = self.told(f'/bad{number}', *fields, 'tracestate: a=1')
            self.assertNotEqual(match[1], TRACE)
            self.assertEqual((match[3], state), ('01', []))
            self.assertEqual(self.entry(target=f'/bad{number}')['trace_id'], match[1])

    def test_a_state_that_is_too_long_is_dropped_alone(self):
        for number, state in enumerate((','.join(f'a{i}=1' for i in range(33)), 'a=' + 'x' * 200 + ',b=' + 'x' * 200 + ',c=' + 'x' * 200,
                                        'A=1', 'a')):
            match, got = self.told(f'/state{number}', f'traceparent: 00-{TRACE}-{PARENT}-01', f'tracestate: {state}')
            self.assertEqual((match[1], got), (TRACE, []))


class Passing(Traces):
    env = {**wire.LIMITS, 'MOAT_LOG_ACCESS': 'json', 'MOAT_LOG_TRACE': 'pass'}

    def test_a_malformed_one_is_replaced_and_its_state_dropped(self):
        with self.peer() as peer:
            peer.get('/none', f'traceparent: 00-{TRACE}-{PARENT}-1', 'tracestate: a=1')
        got = self.backend.seen('/none')[-1]
        self.assertEqual(got.all('traceparent') + got.all('tracestate'), [])
        self.assertEqual(self.entry(target='/none')['trace_id'], '')


class Combined(Logs):
    env = dict(wire.LIMITS)

    @classmethod
    def setUpClass(cls):
        cls.file = pathlib.Path(wire.tempfile.mkdtemp(prefix='moat-logs-')) / 'access.log'
        cls.env = {**cls.env, 'MOAT_LOG_ACCESS': 'combined', 'MOAT_LOG_ACCESS_PATH': str(cls.file)}
        cls.addClassCleanup(lambda: harness.shutil.rmtree(cls.file.parent, ignore_errors=True))
        super().setUpClass()

    def lines(self, part, path=None):
        return [line for line in (path or self.file).read_text().splitlines() if part in line]

    def test_a_line_has_the_format_and_nothing_breaks_out_of_it(self):
        with self.peer() as peer:
            peer.get('/combined', 'User-Agent: a"b\\c\xff\t', 'Referer: https://localhost/x?token=hunter2')
        line = harness.wait_until(lambda: self.lines('/combined'))[0]
        self.assertRegex(line, r'^127\.0\.0\.1 - - \[\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d \+0000\] '
                               r'"GET /combined HTTP/1\.1" 200 \d+ "https://localhost/x\?token=\[redacted\]" ".*"$')
        self.assertTrue(line.endswith(r'"a\x22b\x5Cc\xC3\xBF"') or line.endswith(r'"a\x22b\x5Cc\xFF"'), line)
        self.assertNotIn('/combined', self.moat.output)

    def test_rotation(self):
        with self.peer() as peer:
            peer.get('/before')
            harness.wait_until(lambda: self.lines('/before'))
            moved = self.file.with_suffix('.1')
            self.file.rename(moved)
            self.moat.process.send_signal(signal.SIGHUP)
            harness.wait_until(self.file.exists)
            peer.get('/after')
            harness.wait_until(lambda: self.lines('/after'))
        self.assertEqual(len(self.lines('/before', moved)), 1)
        self.assertEqual(self.lines('/after', moved) + self.lines('/before'), [])


class FullDisk(Logs):
    env = {**wire.LIMITS, 'MOAT_LOG_ACCESS': 'json', 'MOAT_LOG_ACCESS_PATH': '/dev/full'}

    def test_serving_goes_on_and_what_is_lost_is_counted(self):
        with self.peer() as peer:
            for i in range(50):
                self.assertEqual(peer.get(f'/{i}').status, 200)
        # The requests of setUpClass are among them.
        harness.wait_until(lambda: int(re.search(r'moat_access_log_dropped_total (\d+)', self.metrics())[1]) >= 90)
        harness.wait_until(lambda: 'access_lines_dropped' in self.moat.output)


class Metrics(Logs):
    env = dict(wire.LIMITS)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.routed = wire.Toml(ROUTES.format(backend=cls.backend.url), env=cls.env)
        cls.addClassCleanup(lambda: cls.routed.stop())

    def value(self, sample, moat=None):
        found = re.search('^' + re.escape(sample) + r' (\S+)$', self.metrics(moat or self.routed), re.M)
        return float(found[1]) if found else 0

    def test_requests_and_refusals_by_route(self):
        moat = self.routed
        for path, status in (('/a', 200), ('/b', 200), ('/api/x', 401), ('/none/..%2f', 400)):
            self.assertEqual(moat.request('GET', path).status, status, path)
        self.assertEqual(moat.request('GET', '/c', headers={'Host': 'evil.example'}).status, 421)
        harness.wait_until(lambda: self.value('moat_requests_total{route="/*",code="2xx"}') == 2)
        self.assertEqual(self.value('moat_requests_total{route="/*",code="4xx"}'), 1)
        self.assertEqual(self.value('moat_requests_total{route="/api/*",code="4xx"}'), 1)
        text = self.metrics(moat)
        self.assertRegex(text, r'moat_refused_total\{route="/api/\*",practice="4",step="login",code="[a-z_]+"\} 1\n')
        self.assertRegex(text, r'moat_refused_total\{route="/\*",practice="2",step="host",code="unknown_host"\} 1\n')
        self.assertRegex(text, r'moat_refused_total\{route="\(none\)",practice="2",step="canonical",code="[a-z_]+"\} 1\n')
        self.assertEqual(self.value('moat_request_duration_seconds_count{route="/*"}'), 3)
        self.assertEqual(self.value('moat_request_duration_seconds_bucket{route="/*",le="+Inf"}'), 3)
        self.assertNotIn('evil', text)

    def test_durations_fall_into_buckets(self):
        def buckets():
            return [self.value(f'moat_request_duration_seconds_bucket{{route="/*",le="{bound}"}}', self.moat)
                    for bound in ('0.1', '10', '+Inf')]
        before = buckets()
        with self.peer() as peer:
            peer.get('/late')
        after = harness.wait_until(lambda: buckets() if buckets() != before else None)
        self.assertEqual([b - a for a, b in zip(before, after)], [0, 1, 1])


if __name__ == '__main__':
    harness.main()
