# SPDX-License-Identifier: Apache-2.0
"""`moat doctor tls` against Moat, OpenSSL's s_server, and sites that are bad on purpose."""
import json
import os
import pathlib
import pty
import re
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import harness
from doctor_sites import NAME, OK, Pki, Report, Site, SServer, drips, head, run, says

GOOD = ('Date: {date}', 'Strict-Transport-Security: max-age=63072000; includeSubDomains', 'X-Content-Type-Options: nosniff')


class Sites(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pki = Pki()
        cls.addClassCleanup(cls.pki.stop)

    def look(self, port, *options, name=NAME, roots=None, timeout='5s', http=None):
        options = (*options, *(('--http-port', http) if http else ()))
        said = run('tls', name, '--port', port, '--address', harness.HOST, '--ca-file', roots or self.pki.root, '--json',
                   '--timeout', timeout, *options)
        self.assertIn(said.code, (0, 1, 3), said)
        self.assertEqual(said.err, '')
        self.assertEqual(said.code == 1, said.json['reached'] and said.json['counts']['failure'] > 0, said)
        self.assertTrue(said.out.isascii() and said.out.rstrip('\n').isprintable(), said)
        return said

    def site(self, behave, **keywords):
        site = Site(behave, **keywords)
        self.addCleanup(site.stop)
        return site

    def s_server(self, chain, *options):
        server = SServer(chain, *options)
        self.addCleanup(server.stop)
        return server.port

    def tls(self, behave, chain=None, **keywords):
        return self.site(behave, chain=chain or self.pki.good.with_suffix('.chain'), **keywords).port


class Moat(Sites):
    """Moat itself has no fault."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.notes = harness.Notes()
        cls.addClassCleanup(cls.notes.stop)

    def test_localhost_has_no_fault_and_no_hsts(self):
        moat = harness.Moat(self.notes.url)
        self.addCleanup(moat.stop)
        said = self.look(moat.https_port, name='localhost', roots=moat.ca_file(), http=moat.http_port)
        self.assertEqual((said.code, said.ids('warning', 'failure')), (0, set()), said)
        self.assertLessEqual({'certificate.trusted', 'certificate.name', 'certificate.in_date', 'protocol.tls13', 'protocol.tls12',
                              'protocol.old_refused', 'protocol.suites_good', 'protocol.sound_hello', 'protocol.http2',
                              'http.redirects', 'http.post_refused', 'http.hsts_not_here', 'http.clock'}, said.ids('ok'), said)
        self.assertLessEqual(said.ids('note'), {'protocol.not_quantum_safe', 'http.no_csp'}, said)
        untrusted = run('tls', f'https://localhost:{moat.https_port}/path', '--json')
        self.assertEqual(untrusted.code, 1)
        self.assertEqual(untrusted.ids('failure'), {'certificate.unknown_issuer'}, untrusted)

    def test_a_public_name_has_no_fault_and_hsts(self):
        chain = self.pki.good.with_suffix('.chain')
        moat = harness.Moat(self.notes.url, f'[tls]\ncertificate = "{chain}"\nkey = "{chain.with_suffix(".key")}"\n',
                            domain=NAME, trusted=self.pki.root)
        self.addCleanup(moat.stop)
        said = self.look(moat.https_port, http=moat.http_port)
        self.assertEqual((said.code, said.ids('warning', 'failure')), (0, set()), said)
        self.assertLessEqual({'http.hsts', 'http.redirects', 'http.post_refused', 'protocol.unknown_name_refused'},
                             said.ids('ok'), said)
        self.assertIn('max-age=63072000; includeSubDomains', said.evidence('http.hsts'))


class Certificates(Sites):
    def judged(self, chain, *options, **keywords):
        return self.look(self.s_server(chain, *options), **keywords).ids('warning', 'failure') & {
            i for i in CERTIFICATE_IDS}

    def test_a_good_one_is_good(self):
        self.assertEqual(self.judged(self.pki.good.with_suffix('.chain')), set())

    def test_expired_and_not_yet_valid_are_not_called_untrusted(self):
        expired = self.pki.make('expired', self.pki.middle, begins=-90, ends=-1)
        self.assertEqual(self.judged(expired.with_suffix('.chain')), {'certificate.expired'})
        early = self.pki.make('early', self.pki.middle, begins=1)
        self.assertEqual(self.judged(early.with_suffix('.chain')), {'certificate.not_yet_valid'})

    def test_a_renewal_that_does_not_come(self):
        for begins, ends, due in ((-61, 29, True), (-59, 31, False), (-4, 3, True), (-3, 4, False)):
            with self.subTest(begins=begins, ends=ends):
                made = self.pki.make('due', self.pki.middle, begins=begins, ends=ends)
                self.assertEqual(self.judged(made.with_suffix('.chain')), {'certificate.renewal_due'} if due else set())

    def test_another_name(self):
        other = self.pki.make('other', self.pki.middle, names='DNS:other.test')
        self.assertEqual(self.judged(other.with_suffix('.chain')), {'certificate.name_mismatch'})
        wide = self.pki.make('wide', self.pki.middle, names=f'DNS:*.{NAME}').with_suffix('.chain')
        self.assertEqual(self.judged(wide, name=f'a.{NAME}'), set())
        self.assertEqual(self.judged(wide), {'certificate.name_mismatch'})

    def test_without_the_intermediate(self):
        self.assertEqual(self.judged(self.pki.chain(self.pki.good)), {'certificate.incomplete'})
        chain = self.pki.good.with_suffix('.chain')
        self.assertEqual(self.judged(chain, roots=self.pki.make('other')), {'certificate.unknown_issuer'})

    def test_out_of_order(self):
        chain = self.pki.chain(self.pki.good, self.pki.root, self.pki.middle)
        self.assertEqual(self.judged(chain), {'certificate.disordered'})

    def test_self_signed_and_of_another_root(self):
        alone = self.pki.make('alone')
        self.assertEqual(self.judged(alone.with_suffix('.chain')), {'certificate.self_signed'})
        self.assertEqual(self.judged(alone.with_suffix('.chain'), roots=alone), set())
        chain = self.pki.chain(self.pki.good, self.pki.middle, self.pki.root)
        self.assertEqual(self.judged(chain, roots=alone), {'certificate.unknown_root'})

    def test_weak_keys_and_signatures(self):
        weak = self.pki.make('weak', self.pki.middle, key=('rsa', 'rsa_keygen_bits:1024'))
        self.assertEqual(self.judged(weak.with_suffix('.chain'), '-cipher', 'ALL:@SECLEVEL=0'), {'certificate.weak_key'})
        old = self.pki.make('old', self.pki.middle, digest='sha1')
        self.assertEqual(self.judged(old.with_suffix('.chain'), '-cipher', 'ALL:@SECLEVEL=0'), {'certificate.weak_signature'})

    def test_must_staple_without_a_staple(self):
        made = self.pki.make('staple', self.pki.middle, extra='tlsfeature=status_request')
        self.assertEqual(self.judged(made.with_suffix('.chain')), {'certificate.not_stapled'})

    def test_a_subject_that_would_move_the_cursor_is_escaped(self):
        made = self.pki.make('\x1b[2J\u202eevil', self.pki.middle)
        said = self.look(self.s_server(made.with_suffix('.chain')))
        self.assertIn('evil', said.evidence('certificate.trusted'))
        self.assertNotIn('\x1b', said.evidence('certificate.trusted'))

    def test_a_chain_without_end(self):
        said = self.look(self.s_server(self.pki.chain(self.pki.good, self.pki.middle, *[self.pki.root] * 10)))
        self.assertIn('certificate.chain_long', said.ids('warning'))
        said = self.look(self.s_server(self.pki.chain(self.pki.good, *[self.pki.middle] * 200)))
        self.assertIn('protocol.handshake_failed', said.ids('failure'), said)


CERTIFICATE_IDS = {'certificate.expired', 'certificate.not_yet_valid', 'certificate.renewal_due', 'certificate.name_mismatch',
                   'certificate.incomplete', 'certificate.unknown_issuer', 'certificate.disordered', 'certificate.self_signed', 'certificate.unknown_root',
                   'certificate.weak_key', 'certificate.weak_signature', 'certificate.not_stapled', 'certificate.refused',
                   'certificate.wrong_purpose', 'certificate.issuer_expired', 'certificate.chain_long'}


class Protocols(Sites):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rsa = cls.pki.make('rsa', cls.pki.middle, key=('rsa', 'rsa_keygen_bits:2048')).with_suffix('.chain')

    def test_old_versions_alone(self):
        for option, name in (('-tls1', 'TLS 1.0'), ('-tls1_1', 'TLS 1.1')):
            with self.subTest(name):
                said = self.look(self.s_server(self.rsa, option, '-cipher', 'ALL:@SECLEVEL=0'))
                self.assertLessEqual({'protocol.outdated', 'protocol.old_accepted'}, said.ids('failure'), said)
                self.assertEqual(said.evidence('protocol.old_accepted'), name)
                self.assertIn('protocol.suites_no_forward_secrecy', said.ids('warning'), said)
                self.assertIn('certificate.trusted', said.ids('ok'), 'it is looked at all the same')

    def test_tls_1_2_alone_and_1_3_alone(self):
        said = self.look(self.s_server(self.rsa, '-tls1_2'))
        self.assertLessEqual({'protocol.tls12', 'protocol.old_refused'}, said.ids('ok'), said)
        self.assertIn('protocol.no_tls13', said.ids('warning'))
        said = self.look(self.s_server(self.rsa, '-tls1_3'))
        self.assertLessEqual({'protocol.tls13', 'protocol.old_refused'}, said.ids('ok'), said)
        self.assertIn('protocol.no_tls12', said.ids('note'))

    def suites(self, cipher):
        said = self.look(self.s_server(self.rsa, '-tls1_2', '-cipher', cipher))
        return {i.removeprefix('protocol.suites_') for i in said.ids() if i.startswith('protocol.suites_')}, said

    def test_suites_are_told_by_kind(self):
        self.assertEqual(self.suites('ECDHE+AESGCM')[0], {'good'})
        self.assertEqual(self.suites('ECDHE-RSA-AES128-SHA')[0], {'cbc'})
        self.assertEqual(self.suites('AES128-GCM-SHA256')[0], {'no_forward_secrecy'})
        self.assertEqual(self.suites('NULL-SHA256:@SECLEVEL=0')[0], {'broken'})
        kinds, said = self.suites('ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-SHA:AES256-SHA')
        self.assertEqual(kinds, {'cbc', 'no_forward_secrecy'})
        self.assertEqual(said.evidence('protocol.suites_cbc'), 'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA')
        self.assertEqual(said.evidence('protocol.suites_no_forward_secrecy'), 'TLS_RSA_WITH_AES_256_CBC_SHA')

    def test_groups_are_told(self):
        said = self.look(self.s_server(self.rsa, '-groups', 'P-384:X25519'))
        self.assertEqual(set(re.split(', ', said.evidence('protocol.not_quantum_safe'))), {'P-384', 'X25519'})

    def test_application_protocols(self):
        said = self.look(self.s_server(self.rsa, '-alpn', 'h2,http/1.1'))
        self.assertIn('protocol.http2', said.ids('ok'))
        self.assertIn('protocol.no_http2', self.look(self.s_server(self.rsa)).ids('note'))

    def test_a_default_certificate_for_any_name(self):
        said = self.look(self.s_server(self.rsa))
        self.assertEqual(said.evidence('protocol.unknown_name_served'), 'CN = rsa')

    def test_a_server_that_wants_a_client_certificate(self):
        for version in ('-tls1_2', '-tls1_3'):
            with self.subTest(version):
                said = self.look(self.s_server(self.rsa, version, '-Verify', '1'))
                self.assertLessEqual({'certificate.trusted', f'protocol.{version[1:].replace("1_", "1")}'}, said.ids('ok'), said)
                self.assertIn('protocol.client_certificate', said.ids('note'), said)
        self.assertIn('http.not_let_in', said.ids('note'), said)
        self.assertNotIn('protocol.client_certificate', self.look(self.s_server(self.rsa)).ids())

    def test_what_speaks_no_tls(self):
        for answer, seen in ((OK, 'HTTP/1.1 200 OK'), (b'SSH-2.0-x\x1b[2J\r\n', r'SSH-2.0-x\x1b[2J'), (bytes(range(256)), r'\x00')):
            with self.subTest(seen):
                said = self.look(self.site(says(answer), reads=False).port)
                self.assertEqual((said.code, said.ids('failure')), (1, {'protocol.not_tls'}), said)
                self.assertIn(seen, said.evidence('protocol.not_tls'))

    def test_what_closes_at_once(self):
        said = self.look(self.site(lambda connection, request: None, reads=False).port)
        self.assertEqual((said.code, said.ids('failure')), (1, {'protocol.handshake_failed'}), said)


class Http(Sites):
    def judged(self, *fields, status='200 OK'):
        said = self.look(self.tls(says(head(*fields, status=status))))
        return {i.removeprefix('http.') for i in said.ids('warning', 'failure') if i.startswith('http.')}, said

    def test_a_good_answer_is_good(self):
        self.assertEqual(self.judged(*GOOD)[0], set())

    def test_hsts(self):
        for value, ids in (('max-age=31536000; includeSubDomains', set()), ('max-age=31535999; includeSubDomains', {'hsts_short'}),
                           ('max-age=31536000', {'hsts_no_subdomains'}), ('max-age=0', {'hsts_off'}), ('soon', {'hsts_malformed'}),
                           ('max-age=31536000; includeSubDomains; preload', set()),
                           ('max-age=31536000; preload', {'hsts_no_subdomains', 'hsts_preload_unready'})):
            with self.subTest(value):
                self.assertEqual(self.judged(GOOD[0], f'Strict-Transport-Security: {value}')[0], ids)
        self.assertEqual(self.judged(GOOD[0])[0], {'hsts_missing'})
        self.assertEqual(self.judged(*GOOD, GOOD[1])[0], {'hsts_twice'})

    def test_the_clock(self):
        for offset, ids in ((0, set()), (20, set()), (60, {'clock_skewed'}), (-60, {'clock_skewed'}), (3600, {'clock_wrong'})):
            with self.subTest(offset):
                date = time.strftime('%a, %d %b %Y %H:%M:%S GMT', time.gmtime(time.time() + offset))
                self.assertEqual(self.judged(f'Date: {date}', *GOOD[1:])[0], ids)

    def test_cookies(self):
        self.assertEqual(self.judged(*GOOD, 'Set-Cookie: a=b; Secure')[0], set())
        ids, said = self.judged(*GOOD, 'Set-Cookie: a=b; Secure', 'Set-Cookie: sid=very-secret; HttpOnly')
        self.assertEqual(ids, {'cookie_insecure'})
        self.assertEqual(said.evidence('http.cookie_insecure'), 'sid')
        self.assertNotIn('very-secret', said.out)

    def test_answers_of_no_use(self):
        for answer, failure in ((b'HTTP/1.1 200 OK\nDate: x\n\n', 'malformed'), (b'\x00\xff' * 50 + b'\r\n\r\n', 'malformed'),
                                (b'', 'no_answer'), (b'HTTP/1.1 200 OK\r\nX', 'no_answer')):
            with self.subTest(answer[:20]):
                said = self.look(self.tls(says(answer)))
                self.assertIn(f'http.{failure}', said.ids('failure'), said)
        said = self.look(self.tls(says(head(*GOOD, status='503 Down'))))
        self.assertIn('http.server_error', said.ids('warning'), said)

    def test_escape_sequences_reach_nobody(self):
        said = self.look(self.tls(says(head(*GOOD, 'Set-Cookie: \x9b31mred=1', 'Location: https://x/\x9b2J', status='301 Moved'))))
        self.assertEqual(said.evidence('http.cookie_insecure'), r'\x9b31mred')
        self.assertIn(r'\x9b2J', said.evidence('http.answers'))
        said = self.look(self.tls(says(head(*GOOD, 'X: \x1b[2J'))))
        self.assertIn('http.malformed', said.ids('failure'))

    def plain(self, get, post=head(status='403 Forbidden')):
        site = self.site(lambda connection, request: connection.sendall(post if request.startswith(b'POST') else get))
        port = self.tls(says(head(*GOOD)))
        said = self.look(port, http=site.port)
        return {i.removeprefix('http.') for i in said.ids() - {'http.headers'} if i.startswith('http.')} - {
            'answers', 'clock', 'hsts'}, said, site

    def test_redirects(self):
        port = self.tls(says(head(*GOOD)))

        def judged(location, status='301 Moved'):
            site = self.site(lambda connection, request: connection.sendall(
                head(status='403 No') if request.startswith(b'POST') else head(f'Location: {location}', status=status)))
            return {i.removeprefix('http.') for i in self.look(port, http=site.port).ids() if 'redirect' in i}
        good = f'https://{NAME}:{port}/'
        self.assertEqual(judged(good), {'redirects'})
        self.assertEqual(judged(good, '308 Moved'), {'redirects'})
        self.assertEqual(judged(good.upper().replace('HTTPS', 'https')), {'redirects'})
        self.assertEqual(judged(good, '302 Found'), {'redirect_temporary'})
        self.assertEqual(judged(f'https://{NAME}/'), {'redirect_other_port'})
        self.assertEqual(judged('https://other.test/'), {'redirect_other_host'})
        self.assertEqual(judged(f'http://{NAME}/'), {'redirect_insecure'})
        self.assertEqual(judged('/elsewhere'), {'redirect_insecure'})

    def test_plain_http_that_does_not_redirect(self):
        ids, said, _ = self.plain(OK, OK)
        self.assertEqual((said.code, ids), (1, {'redirect_missing', 'post_accepted'}), said)
        self.assertEqual(self.plain(head(status='403 No'))[0], {'redirect_refused', 'post_refused'})

    def test_what_plain_http_must_not_do(self):
        moved = head('Location: /x', 'Set-Cookie: a=b; Secure', 'Strict-Transport-Security: max-age=1', status='301 Moved')
        ids, _, _ = self.plain(moved, head(f'Location: https://{NAME}/', status='308 Moved'))
        self.assertEqual(ids, {'redirect_insecure', 'plain_cookies', 'plain_hsts', 'post_redirected'})

    def test_redirects_are_not_followed(self):
        _, said, site = self.plain(head('Location: /again', status='301 Moved'))
        self.assertEqual([r.split(b' ')[0] for r in site.requests], [b'GET', b'POST'], said)
        self.assertIn(f'\r\nHost: {NAME}:{site.port}\r\n'.encode(), site.requests[0])


class Hostile(Sites):
    """Whatever the server does, it ends in time, and says what came of it."""

    def ends(self, port, timeout='400ms', **keywords):
        said = self.look(port, timeout=timeout, **keywords)
        self.assertLess(said.took, 25, said)  # six times that on a machine that has nothing else to do
        return said

    def test_it_says_nothing(self):
        said = self.ends(self.site(lambda connection, request: time.sleep(3), reads=False).port, timeout='1s')
        self.assertIn('protocol.handshake_failed', said.ids('failure'))
        self.assertEqual(said.evidence('protocol.handshake_failed'), 'no answer in time')
        self.assertIn('protocol.versions_untested', said.ids('note'))
        self.assertNotIn('protocol.old_refused', said.ids(), 'silence is no refusal')

    def test_it_drips_records_without_end(self):
        for piece in (b'\x16\x03\x03\x00\x01\x02', b'\x16', b'\x15\x03\x03\x00\x02\x01\x5a'):
            with self.subTest(piece):
                said = self.ends(self.site(drips(piece), reads=False).port)
                self.assertEqual(said.code, 1)

    def test_it_pours(self):
        said = self.ends(self.site(drips(b'\x16\x03\x03\x40\x00' + b'\x02' * 16384, 0), reads=False).port)
        self.assertEqual(said.code, 1)

    def test_it_has_had_enough(self):
        """From some connection on it closes each one: that is no refusal of what was asked."""
        for connections in range(3, 24, 2):
            said = self.look(self.tls(says(head(*GOOD)), closes_after=connections))
            if said.ids('note') & {'protocol.versions_untested', 'protocol.groups_untested', 'protocol.suites_untested'}:
                continue
            self.assertGreater(connections, 12, said)
            self.assertLessEqual({'protocol.old_refused', 'protocol.suites_good'}, said.ids('ok'), said)
        said = self.look(self.tls(says(head(*GOOD)), closes_after=4))
        self.assertIn('SSL 3.0, TLS 1.0, TLS 1.1', said.evidence('protocol.versions_untested'))
        self.assertNotIn('protocol.old_refused', said.ids())

    def test_a_close_is_how_some_refuse(self):
        """As long as the server goes on with what it took before."""
        def relay(connection, request):
            hello = connection.recv(4096)
            # Behind record, message, version, random and session: whether TLS 1.2 at least is asked for.
            if hello[9:11] < b'\x03\x03':
                return
            with socket.create_connection((harness.HOST, port)) as inner:
                inner.sendall(hello)
                for source, sink in ((inner, connection), (connection, inner)):
                    threading.Thread(target=pump, args=(source, sink), daemon=True).start()
                done.wait(5)

        def pump(source, sink):
            try:
                while piece := source.recv(65536):
                    sink.sendall(piece)
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        done, port = threading.Event(), self.tls(says(head(*GOOD)))
        self.addCleanup(done.set)
        said = self.look(self.site(relay, reads=False).port)
        self.assertLessEqual({'protocol.old_refused', 'protocol.suites_good', 'http.hsts'}, said.ids('ok'), said)

    def test_it_drips_its_head(self):
        said = self.ends(self.tls(drips(b'H')), timeout='2s')
        self.assertTrue(said.ids('failure') & {'http.no_answer', 'http.malformed'}, said)

    def test_its_head_has_no_end(self):
        def behave(connection, request):
            connection.sendall(b'HTTP/1.1 200 OK\r\n')
            drips(b'X: ' + b'x' * 4000 + b'\r\n', 0)(connection, request)
        said = self.look(self.tls(behave))
        self.assertIn('http.too_large', said.ids('failure'), said)

    def test_its_interim_answers_have_no_end(self):
        said = self.look(self.tls(drips(b'HTTP/1.1 103 Early Hints\r\n\r\n', 0)))
        self.assertIn('http.no_answer', said.ids('failure'), said)

    def test_the_plain_port_drips(self):
        slow = self.site(drips(b'HTTP/1.1 200 OK\r\nX: y', 0.05))
        said = self.ends(self.tls(says(head(*GOOD))), http=slow.port, timeout='2s')
        self.assertIn('http.plain_no_answer', said.ids('note'), said)


class Places(Sites):
    def hosts(self, *addresses):
        """Runs a program with these addresses for the name, in a name space of its own."""
        file = pathlib.Path(tempfile.mkdtemp(prefix='moat-hosts-', dir=self.pki.folder)) / 'hosts'
        file.write_text(''.join(f'{address} {NAME}\n' for address in addresses))
        prefix = ('unshare', '-rm', 'sh', '-c', f'mount --bind {file} /etc/hosts && exec "$@"', 'sh')
        if subprocess.run([*prefix, 'true'], capture_output=True, check=False).returncode != 0:
            self.skipTest('no mount name space here')
        return prefix

    def test_nothing_listens(self):
        said = self.look(harness.free_port())
        self.assertEqual((said.code, said.ids('failure')), (3, {'ports.https_closed'}), said)
        self.assertFalse(said.json['reached'])

    def test_a_name_that_leads_to_a_dead_address_too(self):
        port = self.tls(says(head(*GOOD)))
        said = run('tls', f'{NAME}:{port}', '--ca-file', self.pki.root, '--json', prefix=self.hosts('::1', '127.0.0.1'))
        self.assertEqual(said.code, 0, said)
        # Where this machine has no IPv6 at all, it cannot tell.
        self.assertEqual(len(said.ids() & {'ports.address_dead', 'ports.address_untested'}), 1, said)
        self.assertIn('dns.resolved', said.ids('ok'))
        self.assertIn('dns.private_address', said.ids('note'))
        self.assertIn('certificate.trusted', said.ids('ok'))

    def test_a_name_that_leads_to_one_good_address(self):
        port = self.tls(says(head(*GOOD)))
        said = run('tls', f'{NAME}:{port}', '--ca-file', self.pki.root, '--json', prefix=self.hosts('127.0.0.1'))
        self.assertEqual((said.code, said.ids('warning')), (0, set()), said)
        self.assertIn('dns.no_ipv6', said.ids('note'))

    def test_a_closed_plain_port_is_no_fault(self):
        said = self.look(self.tls(says(head(*GOOD))), http=harness.free_port())
        self.assertEqual((said.code, said.ids('warning')), (0, set()), said)
        self.assertIn('ports.http_closed', said.ids('note'))


class Names(Sites):
    """By the name alone, on the usual ports, with a name server that answers as it is told."""

    HOST = 'www.doctor.example'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if subprocess.run(['unshare', '-rmn', 'true'], capture_output=True, check=False).returncode != 0:
            raise unittest.SkipTest('no network name space here')
        ca = cls.pki.make('E0', cls.pki.root, organization="Let's Encrypt", authority=True)
        cls.chain = cls.pki.make('www', ca, names=f'DNS:{cls.HOST}').with_suffix('.chain')

    def look_up(self, zone, https=('127.0.0.1', '::1'), http=('127.0.0.1', '::1'), host=HOST, timeout='5s'):
        command = [os.environ['MOAT_BIN'], 'doctor', 'tls', host, '--ca-file', str(self.pki.root), '--json', '--timeout', timeout]
        scenario = {'zone': zone, 'https': https, 'http': http, 'chain': str(self.chain), 'command': command}
        begin = time.monotonic()
        done = subprocess.run(['unshare', '-rmn', sys.executable, 'doctor_network.py', json.dumps(scenario)], capture_output=True,
                              text=True, timeout=90, check=False, cwd=pathlib.Path(__file__).parent)
        said = Report(done, time.monotonic() - begin)
        self.assertTrue(said.out, said)
        return said

    def zone(self, **more):
        return {self.HOST: {'A': ['127.0.0.1'], 'AAAA': ['::1'], **more}}

    def test_a_site_without_a_fault(self):
        said = self.look_up(self.zone(CAA=[[0, 'issue', 'letsencrypt.org']]))
        self.assertEqual((said.code, said.ids('warning')), (0, set()), said)
        self.assertLessEqual({'dns.resolved', 'dns.caa_permits', 'ports.https_open', 'ports.http_open', 'http.redirects',
                              'http.post_refused', 'http.hsts', 'http.hsts_preload_ready'}, said.ids('ok'), said)
        self.assertNotIn('dns.no_ipv6', said.ids())

    def test_ipv6_is_dead(self):
        said = self.look_up(self.zone(), https=['127.0.0.1'])
        self.assertEqual((said.code, said.ids('warning')), (0, {'ports.address_dead'}), said)
        self.assertEqual(said.evidence('ports.address_dead'), '::1 port 443 refused')

    def test_caa_of_the_nearest_name_holds(self):
        above = {'doctor.example': {'CAA': [[0, 'issue', 'digicert.com'], [0, 'iodef', 'mailto:\x1b[2J']]},
                 'example': {'CAA': [[0, 'issue', 'letsencrypt.org']]}}
        said = self.look_up({**self.zone(), **above})
        self.assertIn('dns.caa_forbids', said.ids('warning'), said)
        self.assertTrue(said.evidence('dns.caa_forbids').startswith(
            'doctor.example: issue "digicert.com", iodef "mailto:\\x1b[2J"; issued by'), said)
        own = {**self.zone(CAA=[[0, 'issue', 'letsencrypt.org']]), **above}
        self.assertIn('dns.caa_permits', self.look_up(own).ids('ok'))

    def test_caa_is_followed_through_an_alias(self):
        zone = {self.HOST: {'CNAME': 'host.other.example'},
                'host.other.example': {'A': ['127.0.0.1'], 'AAAA': ['::1'], 'CAA': [[0, 'issue', ';']]}}
        said = self.look_up(zone)
        self.assertIn('dns.caa_forbids', said.ids('warning'), said)

    def test_no_caa_and_a_name_server_that_fails_are_not_the_same(self):
        self.assertIn('dns.caa_missing', self.look_up(self.zone()).ids('note'))
        for word in ('fail', 'drop'):
            with self.subTest(word):
                self.assertIn('dns.caa_failed', self.look_up(self.zone(CAA=word), timeout='2s').ids('warning'))

    def test_an_address_in_place_of_a_name(self):
        for host, family in (('[::1]', '::1'), ('127.0.0.1', '127.0.0.1')):
            with self.subTest(host):
                said = self.look_up({}, https=[family], http=[family], host=host)
                self.assertEqual((said.code, said.ids('failure')), (1, {'certificate.name_mismatch'}), said)
                self.assertEqual(said.ids('warning'), {'http.hsts_here'}, said)
                self.assertLessEqual({'certificate.trusted', 'http.redirects', 'protocol.tls13'}, said.ids('ok'), said)
                self.assertFalse([i for i in said.ids() if i.startswith('dns.')], said)

    def test_a_name_that_nobody_has(self):
        said = self.look_up(self.zone(), host='nobody.doctor.example')
        self.assertEqual((said.code, said.ids()), (3, {'dns.unresolved'}), said)

    def test_a_name_server_that_says_nothing(self):
        said = self.look_up(self.zone(A='drop', AAAA='drop'), timeout='1s')
        self.assertEqual((said.code, said.ids()), (3, {'dns.unresolved'}), said)
        self.assertEqual(said.evidence('dns.unresolved'), 'the resolver did not answer in time')
        self.assertLess(said.took, 15)


class CommandLine(Sites):
    def test_how_to_use_it(self):
        for words, code, stream in (((), 2, 'err'), (('--help',), 0, 'out'), (('help',), 0, 'out'), (('tls', '--help'), 0, 'out'),
                                    (('tsl', 'x'), 2, 'err'), (('tls',), 2, 'err')):
            with self.subTest(words):
                said = run(*words)
                self.assertEqual(said.code, code)
                self.assertIn('moat doctor tls', getattr(said, stream))
                self.assertEqual(said.err if stream == 'out' else said.out, '')

    def test_the_list_of_commands_has_it(self):
        done = subprocess.run([os.environ['MOAT_BIN'], 'help'], capture_output=True, text=True, check=True, timeout=30)
        self.assertIn('  moat doctor tls NAME  ', done.stdout)

    def test_wrong_usage_is_2_and_says_what(self):
        junk = self.pki.folder / 'junk.pem'
        junk.write_text('junk')
        for words, message in ((('a', 'b'), 'doctor tls NAME'), (('http://a',), 'https'), (('a b',), 'no name of a site'),
                               (('a', '--port', '0'), '--port'), (('a', '--port', '65536'), '--port'), (('a:1', '--port', '2'), 'two different'),
                               (('a', '--http-port', 'x'), '--http-port'), (('a', '--address', 'b'), '--address'),
                               (('a', '--timeout', '10'), '--timeout'), (('a', '--timeout', '99ms'), '--timeout'),
                               (('a', '--timeout', '61s'), '--timeout'), (('a', '--ca-file', '/nowhere'), '/nowhere'),
                               (('127.0.0.1', '--ca-file', junk), 'ca-file'), (('127.0.0.1', '--ca-file', '/dev/null'), 'empty'),
                               (('a', '--ca-fiel', 'x'), "did you mean '--ca-file'"), (('a', '--json=1'), '--json')):
            with self.subTest(words):
                said = run('tls', *words)
                self.assertEqual((said.code, said.out), (2, ''), said)
                self.assertIn(message, said.err)

    def test_the_text_is_grouped_and_counted(self):
        port = self.tls(says(head(GOOD[0], 'Strict-Transport-Security: max-age=0')))
        said = run('tls', NAME, '--port', port, '--address', harness.HOST, '--ca-file', self.pki.root)
        self.assertEqual(said.code, 1)
        self.assertEqual([line for line in said.out.splitlines() if re.fullmatch(r'[A-Z]\w+', line)],
                         ['DNS', 'Ports', 'Certificate', 'Protocol', 'HTTP'])
        self.assertIn('\n  FAIL     HSTS is turned off: "max-age=0"\n           max-age=0 makes browsers forget it', said.out)
        self.assertRegex(said.out, r'\n\d+ ok, \d+ notes?, 0 warnings, 1 failure: practice 1 is not kept\.\n$')
        self.assertNotIn('\x1b', said.out)

    def on_a_terminal(self, port, **env):
        main, other = pty.openpty()
        clean = {k: v for k, v in os.environ.items() if k != 'NO_COLOR'}
        process = subprocess.Popen([os.environ['MOAT_BIN'], 'doctor', 'tls', NAME, '--port', str(port), '--address', harness.HOST],
                                   stdout=other, env={**clean, **env})
        os.close(other)
        out = b''
        while select.select([main], [], [], 30)[0]:
            try:
                piece = os.read(main, 65536)
            except OSError:  # how a terminal ends
                break
            if not piece:
                break
            out += piece
        os.close(main)
        process.wait(30)
        return out

    def test_colours_come_on_a_terminal_only_and_not_with_no_color(self):
        port = self.tls(says(head(*GOOD)))
        self.assertIn(b'\x1b[1;31mFAIL\x1b[0m', self.on_a_terminal(port))
        self.assertIn(b'\x1b[', self.on_a_terminal(port, NO_COLOR=''))
        self.assertNotIn(b'\x1b', self.on_a_terminal(port, NO_COLOR='1'))


if __name__ == '__main__':
    harness.main()
