# SPDX-License-Identifier: Apache-2.0
"""Clients that are no test library: curl and openssl. What they are given, and what they are refused:
TLS versions and suites, certificates, the plain port, HSTS, and the modes of the files behind it."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import subprocess
import unittest
import tempfile

import harness

PASSWORD = 'a lantern over the harbour'
PAGE = {'Accept': 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8'}


def temporary(case):
    folder = pathlib.Path(tempfile.mkdtemp(prefix='moat-clients-'))
    case.addClassCleanup(shutil.rmtree, folder, True)
    return folder


def openssl(*arguments, send=b''):
    """(exit code, everything that was printed)"""
    done = subprocess.run(['openssl', *[str(a) for a in arguments]], input=send, capture_output=True, timeout=30,
                          check=False)
    return done.returncode, (done.stdout + done.stderr).decode('utf-8', 'replace')


def self_signed(folder, domain, name='site'):
    """A certificate with its key, as files."""
    chain, key = folder / f'{name}.crt', folder / f'{name}.key'
    code, said = openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
                         '-subj', f'/CN={domain}', '-addext', f'subjectAltName=DNS:{domain}',
                         '-keyout', key, '-out', chain)
    if code != 0:
        raise AssertionError(said)
    key.chmod(0o600)
    return chain, key


class Clients(harness.Case):
    backend_class = harness.Echo
    env = {'MOAT_LIMITS_SIGNUP': '1000/hour/ip', 'MOAT_LIMITS_DEFAULT': '100000/min/ip burst 10000'}

    def s_client(self, *arguments, send=b''):
        return openssl('s_client', '-connect', f'127.0.0.1:{self.moat.https_port}', '-servername', 'localhost',
                       '-CAfile', self.moat.ca_file(), *arguments, send=send)


class Curl(Clients):
    option, version = '--http2', '2'

    def curl(self, path, *arguments):
        done = subprocess.run(
            ['curl', self.option, '--silent', '--show-error', '--max-time', '20', '--cacert', self.moat.ca_file(), '--resolve',
             f'localhost:{self.moat.https_port}:127.0.0.1', '--write-out', '\n%{http_code} %{http_version}',
             *arguments, self.moat.origin + path], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        body, _, last = done.stdout.rpartition('\n')
        code, version = last.split()
        self.assertEqual(version, self.version)
        return int(code), body

    def test_curl_signs_up_logs_in_and_out(self):
        jar = temporary(type(self)) / 'jar'
        given = json.dumps({'email': 'curl@example.com', 'password': PASSWORD})
        as_json = ('--header', 'Content-Type: application/json', '--data', given)
        code, body = self.curl('/auth/signup', *as_json)
        self.assertEqual((code, json.loads(body)['email']), (201, 'curl@example.com'))
        code, _ = self.curl('/auth/login', '--cookie-jar', jar, *as_json)
        self.assertEqual(code, 200)
        self.assertEqual(len(re.findall('#HttpOnly_localhost\tFALSE\t/\tTRUE\t', jar.read_text())), 3)
        code, body = self.curl('/auth/me', '--cookie', jar)
        self.assertEqual((code, json.loads(body)['email']), (200, 'curl@example.com'))
        # From here on it carries cookies as a browser does, and has to say where it comes from.
        code, _ = self.curl('/auth/logout', '--cookie', jar, '--request', 'POST')
        self.assertEqual(code, 403)
        code, _ = self.curl('/auth/logout', '--cookie', jar, '--cookie-jar', jar, '--request', 'POST',
                            '--header', f'Origin: {self.moat.origin}')
        self.assertEqual(code, 204)
        self.assertEqual(self.curl('/auth/me', '--cookie', jar)[0], 401)

    def test_curl_does_not_trust_another_ca(self):
        done = subprocess.run(['curl', '--silent', '--max-time', '20', '--resolve',
                               f'localhost:{self.moat.https_port}:127.0.0.1', self.moat.origin + '/'],
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 60, 'peer certificate cannot be authenticated')

    def test_a_body_that_waits_for_100_continue(self):
        file = temporary(type(self)) / 'file'
        file.write_bytes(b'x' * 200_000)
        code, body = self.curl('/upload', '--header', 'Expect: 100-continue', '--data-binary', f'@{file}')
        self.assertEqual(code, 200)
        self.assertEqual(len(json.loads(body)['body']), 200_000)


class CurlWithHttp11(Curl):
    option, version = '--http1.1', '1.1'


@unittest.skipUnless(shutil.which('h2load') and shutil.which('nghttp'), 'no nghttp2 tools')
class Nghttp2(Clients):
    """The tools of the library that most HTTP/2 servers are tested with."""
    backend_class = harness.Notes
    env = {'MOAT_LIMITS_DEFAULT': '100000/min/ip burst 10000', 'MOAT_SERVER_MAX_CONNECTIONS_PER_ADDRESS': '1000'}

    def test_nghttp_shows_a_whole_exchange(self):
        done = subprocess.run(['nghttp', '--verbose', '--no-verify-peer', '--timeout=20', f'{self.moat.origin}/'],
                              capture_output=True, timeout=60)
        text = done.stdout.decode('latin-1')
        self.assertEqual(done.returncode, 0, text)
        self.assertIn('The negotiated protocol: h2', text)
        self.assertRegex(text, r':status: 200')
        self.assertNotIn('RST_STREAM', text)
        self.assertNotIn('error', text.lower().replace('error_code=no_error', ''))

    def test_h2load_loses_no_request(self):
        for connections, streams in ((10, 10), (4, 100), (20, 1)):
            done = subprocess.run(['h2load', '-n', '2000', '-c', str(connections), '-m', str(streams), '-t', '1', '-T', '30s',
                                   f'{self.moat.origin}/'], capture_output=True, text=True, timeout=120)
            self.assertIn('2000 succeeded, 0 failed, 0 errored, 0 timeout', done.stdout)
            self.assertIn('2000 2xx', done.stdout)


class Tls(Clients):
    def test_tls_1_2_and_1_3_are_spoken(self):
        for option, version in (('-tls1_2', 'TLSv1.2'), ('-tls1_3', 'TLSv1.3')):
            with self.subTest(version):
                code, said = self.s_client(option, '-verify_return_error')
                self.assertEqual(code, 0, said)
                self.assertIn('Verify return code: 0 (ok)', said)
                self.assertRegex(said, rf'(Protocol *: {version}|New, {version})')
        _, said = self.s_client()
        self.assertIn('New, TLSv1.3', said, '1.3 is preferred')

    def test_older_versions_are_refused(self):
        for option in ('-tls1', '-tls1_1'):
            with self.subTest(option):
                code, said = self.s_client(option, '-cipher', 'ALL:@SECLEVEL=0')
                self.assertNotEqual(code, 0)
                self.assertRegex(said, 'alert protocol version|alert version')
                self.assertIn('Cipher is (NONE)', said)

    def test_only_strong_suites_are_spoken(self):
        for suite in ('ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-ECDSA-AES128-GCM-SHA256'):
            code, said = self.s_client('-tls1_2', '-cipher', suite)
            self.assertEqual(code, 0, said)
            self.assertIn(f'Cipher is {suite}', said)
        for suite in ('ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384', 'ECDHE-ECDSA-AES128-SHA256',
                      'AES128-GCM-SHA256', 'AES256-SHA', 'DHE-RSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-AES128-CCM'):
            with self.subTest(suite):
                code, said = self.s_client('-tls1_2', '-cipher', f'{suite}:@SECLEVEL=0')
                self.assertNotEqual(code, 0)
                self.assertRegex(said, 'handshake failure')

    def test_alpn(self):
        for asked, chosen in (('h2,http/1.1', 'h2'), ('http/1.1,h2', 'h2'), ('http/1.1', 'http/1.1')):
            _, said = self.s_client('-alpn', asked)
            self.assertIn(f'ALPN protocol: {chosen}\n', said)
        code, said = self.s_client('-alpn', 'smtp')
        self.assertNotEqual(code, 0)
        self.assertRegex(said, 'no application protocol')
        code, said = self.s_client()
        self.assertEqual(code, 0, 'a client without ALPN is served')

    def test_no_compression_and_no_renegotiation(self):
        _, said = self.s_client('-tls1_2')
        self.assertIn('Compression: NONE', said)
        self.assertIn('Secure Renegotiation IS supported', said)  # RFC 5746: announced, and then not done
        code, said = openssl('s_client', '-connect', f'127.0.0.1:{self.moat.https_port}', '-tls1_2', send=b'R\n')
        self.assertNotIn('HTTP/', said)
        self.assertRegex(said, 'no renegotiation|RENEGOTIATING')

    def test_sessions_are_resumed(self):
        kept = temporary(type(self)) / 'session'
        ask = f'GET / HTTP/1.1\r\nHost: localhost:{self.moat.https_port}\r\nConnection: close\r\n\r\n'.encode()
        self.s_client('-sess_out', kept, '-ign_eof', send=ask)
        _, said = self.s_client('-sess_in', kept, '-ign_eof', send=ask)
        self.assertIn('Reused, TLSv1.3', said)
        self.assertIn('HTTP/1.1 200', said)

    def test_the_certificate_is_short_and_its_ca_is_bound_to_local_names(self):
        _, chain = self.s_client('-showcerts')
        leaf, *others = re.findall('-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----', chain, re.S)
        self.assertGreaterEqual(len(others), 1, 'the intermediate comes along')
        _, text = openssl('x509', '-noout', '-text', send=leaf.encode())
        self.assertIn('prime256v1', text)
        self.assertIn('DNS:localhost', text)
        self.assertRegex(text, 'CA:FALSE|TLS Web Server Authentication')
        ends_in_10_days, _ = openssl('x509', '-noout', '-checkend', 10 * 86400, send=leaf.encode())
        self.assertEqual(ends_in_10_days, 1)
        ends_in_a_day, _ = openssl('x509', '-noout', '-checkend', 86400, send=leaf.encode())
        self.assertEqual(ends_in_a_day, 0)
        _, root = openssl('x509', '-noout', '-text', '-in', self.moat.ca_file())
        self.assertRegex(root, r'Name Constraints: critical\s+Permitted:\s+DNS:localhost')
        # What the local CA's key could sign for another name is worth nothing to a client that trusts the root.
        self.assertNotIn('DNS:example.com', root)

    def test_plain_http_to_the_tls_port(self):
        said = self.moat.raw(b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', tls=False, port=self.moat.https_port)
        self.assertNotIn(b'200', said)
        self.assert_still_serves()

    def test_garbage_to_the_tls_port(self):
        for garbage in (b'\x00' * 64, b'\xff' * 4096, b'SSH-2.0-OpenSSH_9.2\r\n', b'\x16\x03\x01\xff\xff' + b'A' * 70000,
                        b'\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03', b'\x80\x2e\x01\x00\x02\x00\x15' + b'\x00' * 40):
            with self.subTest(garbage[:8]):
                self.moat.raw(garbage, tls=False, port=self.moat.https_port)
        with socket.create_connection((harness.HOST, self.moat.https_port)) as silent:
            self.assert_still_serves()
            silent.close()

    def assert_still_serves(self):
        self.assertEqual(self.moat.request('GET', '/').status, 200)

    def test_an_unknown_host_is_misdirected(self):
        for host in ('evil.example', 'localhost.evil.example', '10.0.0.1', f'evil.example:{self.moat.https_port}'):
            answer = self.moat.request('GET', '/', headers={'Host': host})
            self.assertEqual((answer.status, answer.json()['code']), (421, 'unknown_host'))
        for host in ('localhost', 'LOCALHOST', 'app.localhost', '127.0.0.1'):
            self.assertEqual(self.moat.request('GET', '/', headers={'Host': host}).status, 200)


class Plain(Clients):
    """The port without TLS redirects people and refuses the rest."""

    def plain(self, method, path, **headers):
        return self.moat.request(method, path, tls=False, headers={k.replace('_', '-'): v for k, v in headers.items()})

    def test_navigations_are_redirected_to_the_same_place(self):
        for method in ('GET', 'HEAD'):
            answer = self.plain(method, '/notes?a=1&b=%20', **PAGE)
            self.assertEqual((answer.status, answer.header('location')),
                             (308, self.moat.origin + '/notes?a=1&b=%20'))
            self.assertEqual(answer.header('connection'), 'close')
            self.assertEqual(answer.all('set-cookie'), [])
            self.assertIsNone(answer.header('strict-transport-security'), 'RFC 6797 section 7.2')

    def test_everything_else_is_refused(self):
        cases = {
            'a form': ('POST', PAGE, 'https_required'),
            'an API call': ('GET', {'Accept': 'application/json'}, 'https_required'),
            'a client that takes anything': ('GET', {}, 'https_required'),
            'credentials': ('GET', {**PAGE, 'Authorization': 'Bearer abc'}, 'https_required'),
            'DELETE': ('DELETE', PAGE, 'https_required'),
            'an unknown host': ('GET', {**PAGE, 'Host': 'evil.example'}, 'unknown_host'),
            'our name in a foreign one': ('GET', {**PAGE, 'Host': 'localhost.evil.example'}, 'unknown_host'),
            'a WebSocket': ('GET', {**PAGE, 'Connection': 'Upgrade', 'Upgrade': 'websocket', 'Sec-WebSocket-Version': '13',
                                    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ=='}, 'websocket_requires_tls'),
        }
        for name, (method, headers, code) in cases.items():
            with self.subTest(name):
                answer = self.plain(method, '/', **headers)
                self.assertEqual(answer.status, 403, answer)
                self.assertIsNone(answer.header('location'))
                self.assertEqual(answer.header('connection'), 'close')
                if 'json' in answer.header('content-type'):
                    self.assertEqual(answer.json()['code'], code)
                self.assertNotIn('evil.example', answer.text)
        self.assertEqual(self.backend.requests, [], 'the backend is never reached')

    def test_login_over_plain_http_is_refused_with_the_right_password_too(self):
        given = {'email': 'plain@example.com', 'password': PASSWORD}
        self.moat.request('POST', '/auth/signup', json=given)
        answer = self.moat.request('POST', '/auth/login', json=given, tls=False)
        self.assertEqual((answer.status, answer.all('set-cookie')), (403, []))

    def test_a_target_cannot_split_the_answer(self):
        for target in ('//evil.example/', '/\\evil.example', 'https://evil.example/', '/%0d%0aX-Evil:%201'):
            answer = self.plain('GET', target, **PAGE)
            self.assertEqual(answer.all('x-evil'), [])
            location = answer.header('location')
            if location:
                self.assertTrue(location.startswith(self.moat.origin + '/'), location)

    def test_garbage(self):
        for bytes_ in (b'\x16\x03\x01\x00\x05hello', b'GET / HTTP/9.9\r\n\r\n', b'\r\n\r\n', b'GET /\r\n'):
            said = self.moat.raw(bytes_, tls=False)
            self.assertTrue(said == b'' or re.match(rb'HTTP/1.1 (4\d\d|505)', said), said)
        self.assertEqual(self.plain('GET', '/', **PAGE).status, 308)


class Headers(Clients):
    def test_every_answer_carries_the_security_headers(self):
        answers = {
            'the backend': self.moat.request('GET', '/'),
            'the backend says 404': self.moat.request('GET', '/status?code=404'),
            'the backend says 500': self.moat.request('GET', '/status?code=500'),
            '204': self.moat.request('GET', '/status?code=204'),
            'a page of Moat': self.moat.request('GET', '/auth/login'),
            'a style sheet': self.moat.request('GET', '/auth/moat.css'),
            'an API answer': self.moat.request('GET', '/auth/me'),
            'an unknown host': self.moat.request('GET', '/', headers={'Host': 'evil.example'}),
            'a bad path': self.moat.request('GET', '/a/../b'),
            'a bad head': self.moat.request('GET', '/', headers={'Content-Length': 'x'}),
            'too long': self.moat.request('GET', '/' + 'a' * 9000),
            'a redirect': self.moat.request('GET', '/', tls=False, headers=PAGE),
            'the plain port': self.moat.request('GET', '/', tls=False),
        }
        for name, answer in answers.items():
            with self.subTest(name):
                self.assertEqual(answer.all('x-content-type-options'), ['nosniff'])
                self.assertEqual(len(answer.all('x-frame-options')), 1)
                self.assertEqual(len(answer.all('referrer-policy')), 1)
                self.assertIsNone(answer.header('strict-transport-security'), 'never for localhost')
                for said in ('server', 'x-powered-by', 'via'):
                    self.assertIsNone(answer.header(said))
        page = answers['a page of Moat'].header('content-security-policy')
        self.assertIn("default-src 'none'", page)
        self.assertIn("frame-ancestors 'none'", page)
        self.assertRegex(page, "script-src 'nonce-[A-Za-z0-9_-]{20,}'")
        self.assertNotIn('unsafe', page)
        again = self.moat.request('GET', '/auth/login').header('content-security-policy')
        self.assertNotEqual(page, again, 'a nonce is used once')


class OwnName(Clients):
    """A name with a certificate from files, as in production."""
    domain = 'app.example.test'

    @classmethod
    def setUpClass(cls):
        cls.backend = harness.Echo()
        cls.addClassCleanup(cls.backend.stop)
        cls.files = temporary(cls)
        cls.chain, cls.key = self_signed(cls.files, cls.domain)
        cls.moat = cls.start()
        cls.addClassCleanup(cls._end)

    @classmethod
    def start(cls, chain=None, key=None):
        config = f'[tls]\ncertificate = "{chain or cls.chain}"\nkey = "{key or cls.key}"\n'
        return harness.Moat(cls.backend.url, config, env=cls.env, domain=cls.domain, trusted=chain or cls.chain)

    def test_hsts_is_sent_for_two_years(self):
        for path in ('/', '/auth/login', '/auth/me', '/a/../b'):
            answer = self.moat.request('GET', path)
            self.assertEqual(answer.all('strict-transport-security'), ['max-age=63072000; includeSubDomains'])
        plain = self.moat.request('GET', '/', tls=False, headers=PAGE)
        self.assertEqual((plain.status, plain.header('location')), (308, self.moat.origin + '/'))
        self.assertIsNone(plain.header('strict-transport-security'))

    def test_accounts_work_under_the_name(self):
        client = self.moat.client()
        self.assertEqual(client.post('/auth/signup', json={'email': 'a@example.com', 'password': PASSWORD}).status, 201)
        self.assertEqual(client.get('/auth/me').status, 200)

    def test_other_names_are_not_served(self):
        for host in ('localhost', '127.0.0.1', 'example.test', 'sub.app.example.test'):
            answer = self.moat.request('GET', '/', headers={'Host': host})
            self.assertEqual(answer.status, 421)
        code, said = openssl('s_client', '-connect', f'127.0.0.1:{self.moat.https_port}', '-servername', 'other.test')
        self.assertNotEqual(code, 0, said)
        self.assertRegex(said, 'unrecognized name')
        code, _ = openssl('s_client', '-connect', f'127.0.0.1:{self.moat.https_port}', '-servername', self.domain)
        self.assertEqual(code, 0)

    def test_a_new_certificate_is_taken_without_a_restart(self):
        chain, key = self_signed(self.files, self.domain, 'first')
        moat = self.start(chain, key)
        self.addCleanup(moat.stop)
        with moat.connect() as held:
            old = held.getpeercert(binary_form=True)
            next_chain, next_key = self_signed(self.files, self.domain, 'next')
            os.replace(next_key, key)
            moat.process.send_signal(signal.SIGHUP)  # half of a renewal: the old one goes on
            harness.wait_until(lambda: 'config_reload_refused' in moat.output, what='the refusal')
            self.assertEqual(moat.request('GET', '/').status, 200)
            os.replace(next_chain, chain)
            moat.process.send_signal(signal.SIGHUP)
            harness.wait_until(lambda: 'config_reloaded' in moat.output, what='the new certificate')
            held.sendall(f'GET / HTTP/1.1\r\nHost: {self.domain}\r\n\r\n'.encode())
            self.assertIn(b'HTTP/1.1 200', held.recv(65536), 'connections go on')
        with moat.connect() as fresh:
            self.assertNotEqual(fresh.getpeercert(binary_form=True), old)

    def refused(self, chain, key):
        with self.assertRaises(AssertionError) as refusal:
            self.start(chain, key).stop()
        self.assertIn('moat ended with 1', str(refusal.exception))
        return str(refusal.exception)

    def test_a_key_that_others_may_read_refuses_the_start(self):
        chain, key = self_signed(self.files, self.domain, 'open')
        key.chmod(0o644)
        self.assertIn(str(key), self.refused(chain, key))
        key.chmod(0o640)
        self.start(chain, key).stop()

    def test_a_certificate_for_another_name_refuses_the_start(self):
        chain, key = self_signed(self.files, 'other.test', 'other')
        self.assertIn("no certificate for 'app.example.test'", self.refused(chain, key))

    def test_a_second_one_does_not_share_the_port(self):
        done = subprocess.run([os.environ['MOAT_BIN'], 'run', '--to', self.backend.url, '--data', self.files / 'second',
                               '--https', f'127.0.0.1:{self.moat.https_port}', '--http', 'off'],
                              capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn('another program listens there', done.stderr)

    def test_container_mounts_are_taken_when_asked_for(self):
        chain, key = self_signed(self.files, self.domain, 'mounted')
        key.chmod(0o444)
        secret = self.files / 'csrf'
        secret.write_text('Zk3vQ8pLw1Xr7TnYc5Bd9Hs2Jf6Mg4Ua\n')
        secret.chmod(0o444)
        config = f'[tls]\ncertificate = "{chain}"\nkey = "{key}"\n%s[secrets]\ncsrf_key = "file:{secret}"\n%s'
        start = lambda tls, secrets: harness.Moat(self.backend.url, config % (tls, secrets), env=self.env,
                                                  domain=self.domain, trusted=chain)
        tls, secrets = 'allow_key_readable_by_all = true\n', 'allow_readable_by_all = true\n'
        start(tls, secrets).stop()
        for pair in (('', secrets), (tls, '')):
            with self.assertRaises(AssertionError) as refusal:
                start(*pair)
            self.assertIn('mode', str(refusal.exception))

    def test_a_key_of_another_certificate_refuses_the_start(self):
        chain, _ = self_signed(self.files, self.domain, 'one')
        _, key = self_signed(self.files, self.domain, 'two')
        self.assertIn(str(key), self.refused(chain, key))
        self.assertIn('missing.crt', self.refused(self.files / 'missing.crt', key))


class Files(Clients):
    def test_what_is_kept_is_private(self):
        self.moat.request('POST', '/auth/signup', json={'email': 'a@example.com', 'password': PASSWORD})
        data = self.moat.data / 'data'
        seen = set()
        for path in [data, *data.rglob('*')]:
            status = path.lstat()
            name = str(path.relative_to(data))
            seen.add(name)
            with self.subTest(name):
                self.assertEqual(status.st_uid, os.geteuid())
                mode = stat.S_IMODE(status.st_mode)
                if stat.S_ISDIR(status.st_mode):
                    self.assertEqual(mode, 0o700)
                elif name.endswith('.crt'):
                    self.assertEqual(mode & 0o022, 0, 'certificates are public; nobody else writes them')
                else:
                    self.assertEqual(mode & 0o077, 0, oct(mode))
        self.assertTrue({'keys', 'store', 'ca', 'admin.sock', 'ca/root.crt'} <= seen, seen)
        self.assertEqual(len([n for n in seen if n.startswith('keys/')]), 3)
        store = b''.join(p.read_bytes() for p in (data / 'store').rglob('*') if p.is_file())
        self.assertIn(b'a@example.com', store)
        self.assertIn(b'$argon2id$v=19$m=19456,t=2,p=1$', store)
        self.assertNotIn(PASSWORD.encode(), store)

    def test_tokens_are_stored_hashed_only(self):
        client = self.moat.client()
        client.post('/auth/signup', json={'email': 'b@example.com', 'password': PASSWORD})
        data = self.moat.data / 'data'
        store = b''.join(p.read_bytes() for p in (data / 'store').rglob('*') if p.is_file())
        for name, value in client.cookies.items():
            with self.subTest(name):
                raw = harness.base64url(value.split('.')[-1])
                self.assertNotIn(value.encode(), store)
                self.assertNotIn(raw, store)


del Clients  # a base of the others: it has no tests of its own

if __name__ == '__main__':
    harness.main()
