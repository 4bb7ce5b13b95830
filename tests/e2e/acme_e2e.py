# SPDX-License-Identifier: Apache-2.0
"""Certificates by themselves: got, kept, renewed, and what happens while the CA fails."""
import json
import os
import random
import shutil
import signal
import socket
import ssl
import stat
import time

import harness
from acme import DOMAIN, AcmeCase, AcmeMoat, Authority, command, is_trusted, shown
from harness import HOST, Moat, free_port, wait_until


class Issuing(AcmeCase):
    def test_a_name_gets_its_certificate_by_itself(self):
        ca = self.ca()
        moat = self.moat(ca)
        self.wait_for_certificate(moat, ca)
        self.assertEqual(moat.ready(), {'status': 'ready', 'certificate': 'trusted'})
        self.assertEqual(ca.issued(), 1)
        self.assertNotIn('validate w/ HTTP', ca.program.output)
        # RFC 8737 section 3: spoken only while a challenge stands.
        with self.assertRaises(ssl.SSLError):
            shown(moat.https_port, alpn=('acme-tls/1',))
        for path in self.data.joinpath('data', 'acme').rglob('*'):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o700 if path.is_dir() else 0o600, path)
        self.assertNotIn('PRIVATE KEY', moat.output)

    def test_by_a_file_on_port_80_and_with_half_of_the_nonces_refused(self):
        ca = self.ca(env={'PEBBLE_WFE_NONCEREJECT': '50'})
        moat = self.moat(ca, 'challenges = ["http-01"]\n')
        self.wait_for_certificate(moat, ca)
        self.assertIn('validate w/ HTTP', ca.program.output)

    def test_an_account_that_the_ca_has_to_know(self):
        key = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W'
        ca = self.ca(externalAccountBindingRequired=True, externalAccountMACKeys={'kid-1': key})
        file = self.folder / 'eab'
        file.write_text(key + '\n')
        file.chmod(0o600)
        moat = self.moat(ca, f'account_id = "kid-1"\naccount_key_file = "{file}"\n')
        self.wait_for_certificate(moat, ca)

    def test_a_second_start_serves_what_was_kept_though_the_ca_is_gone(self):
        ca = self.ca()
        moat = self.moat(ca)
        self.wait_for_certificate(moat, ca)
        before = shown(moat.https_port)
        root = ca.root()
        moat.stop()
        ca.stop()
        again = self.moat(ca)
        self.assertTrue(is_trusted(again.https_port, root))
        self.assertEqual(shown(again.https_port), before)
        self.assertEqual(again.ready()['certificate'], 'trusted')

    def test_it_is_renewed_before_it_runs_out(self):
        ca = self.ca(certificateValidityPeriod=30)
        moat = self.moat(ca)
        self.wait_for_certificate(moat, ca)
        before = shown(moat.https_port)
        wait_until(lambda: shown(moat.https_port) != before, 40, 'another certificate')
        self.assertTrue(is_trusted(moat.https_port, ca.root()))
        self.assertEqual(moat.said('certificate_not_issued'), [])


class Renewals(AcmeCase):
    def test_it_is_renewed_when_the_ca_says(self):
        """RFC 9773: pebble has no renewal information, so the directory and that come from a stand-in before it."""
        ca = self.ca()
        window = {'start': '2090-01-01T00:00:00Z', 'end': '2090-01-02T00:00:00Z'}
        fronted = self.front(ca, {'/renewal-info': lambda: {'suggestedWindow': window, 'explanationURL': 'https://ca.test/incident'}},
                             lambda directory, url: {**directory, 'renewalInfo': f'{url}/renewal-info'})
        asked = fronted.asked
        moat = self.moat(fronted)
        self.wait_for_certificate(moat, ca)
        wait_until(lambda: asked, 30, 'the question for the window')
        # Section 4.1: the key identifier of the authority and the serial number, in base64url.
        self.assertRegex(asked[0], r'^/renewal-info/[\w-]+\.[\w-]+$')
        before = shown(moat.https_port)
        moat.stop()
        self.assertEqual(ca.issued(), 1, 'not before the window')
        # The CA has to take it back: now.
        window.update(start='2020-01-01T00:00:00Z', end='2020-01-02T00:00:00Z')
        moat = self.moat(fronted)
        wait_until(lambda: shown(moat.https_port) != before, 60, 'another certificate')
        self.assertTrue(is_trusted(moat.https_port, ca.root()))
        self.assertIn('https://ca.test/incident', '\n'.join(moat.said('certificate_renewal_planned')))
        # It says so of the new one too: that is not replaced again and again.
        wait_until(lambda: len(moat.said('certificate_renewal_planned')) == 2 or ca.issued() > 2, 30, 'the next window')
        self.assertEqual(ca.issued(), 2)
        self.assertGreater(json.loads(moat.said('certificate_renewal_planned')[1])['at'], '2020-01-03', 'not in the window, which is over')

    def test_the_order_names_the_certificate_that_it_renews(self):
        """RFC 9773 section 5; the id is the one that its window was asked for by."""
        ca = self.ca()
        window = {'start': '2090-01-01T00:00:00Z', 'end': '2090-01-02T00:00:00Z'}
        diverted = {}
        fronted = self.front(ca, {'/renewal-info': lambda: {'suggestedWindow': window}},
                             lambda directory, url: {**directory, 'renewalInfo': f'{url}/renewal-info', **diverted})
        moat = self.moat(fronted)
        self.wait_for_certificate(moat, ca)
        wait_until(lambda: fronted.asked, 30, 'the question for the window')
        diverted['newOrder'] = fronted.url + '/new-order'
        command('cert', 'renew', '--data', self.data / 'data')
        wait_until(lambda: moat.said('certificate_not_issued'), 60, 'a line about it')
        self.assertEqual([order['replaces'] for order in fronted.posted], [fronted.asked[0].rsplit('/', 1)[1]])

    def test_an_operator_looks_and_asks_for_another(self):
        ca = self.ca()
        moat = self.moat(ca)
        self.wait_for_certificate(moat, ca)
        code, said = command('cert', 'list', '--data', self.data / 'data')
        self.assertEqual(code, 0, said)
        self.assertRegex(said, rf'^{DOMAIN}\n  from +https://localhost:\d+/dir\n  until +20\S+Z\n  renewal +20\S+Z\n')
        before = shown(moat.https_port)
        code, said = command('cert', 'renew', '--data', self.data / 'data')
        self.assertEqual((code, said), (0, 'Asked. `moat cert list` says what came of it.\n'))
        wait_until(lambda: shown(moat.https_port) != before, 60, 'another certificate')
        ca.stop()
        command('cert', 'renew', '--data', self.data / 'data')
        wait_until(lambda: moat.said('certificate_not_issued'), 60, 'a line about it')
        said = command('cert', 'list', '--data', self.data / 'data')[1]
        self.assertIn('failed     the CA could not be reached', said)
        self.assertIn('next try   20', said)


class Choosing(AcmeCase):
    def test_another_ca_where_the_first_is_down(self):
        ca = self.ca()

        class Down:
            directory, authority = f'https://localhost:{free_port()}/dir', self.authority

        moat = self.moat(Down, f'fallback = "{ca.directory}"\n')
        self.wait_for_certificate(moat, ca)
        self.assertEqual([json.loads(line)['ca'] for line in moat.said('certificate_ordered')], [Down.directory, ca.directory])
        self.assertIn('from       ' + ca.directory, command('cert', 'list', '--data', self.data / 'data')[1])
        # Nor is the first one asked to take back what it has not given.
        self.assertEqual(command('cert', 'revoke', '--data', self.data / 'data')[0], 0)
        wait_until(lambda: moat.said('certificate_revoked'), 30, 'the end of it')

    def test_a_profile_that_the_ca_has_and_one_that_it_has_not(self):
        ca = self.ca()
        fronted = self.front(ca, {}, lambda directory, _: {**directory, 'meta': {**directory['meta'], 'profiles': {'tlsserver': 'x'}}})
        moat = self.moat(fronted, 'profile = "tlsserver"\n')
        self.wait_for_certificate(moat, ca)
        moat.stop()
        shutil.rmtree(self.data / 'data' / 'acme')
        moat = self.moat(fronted, 'profile = "shortlived"\n')
        wait_until(lambda: moat.said('certificate_not_issued'), 60, 'a line about it')
        self.assertIn('the CA has no such profile: shortlived', moat.said('certificate_not_issued')[0])
        self.assertEqual(ca.issued(), 1)

    def test_an_ip_address_is_a_name_too(self):
        address = '192.0.2.1'  # RFC 5737: nobody's, so that the CA takes the proof on trust
        ca = self.ca(env={'PEBBLE_VA_ALWAYS_VALID': '1'})
        moat = self.moat(ca, names=(address,))
        wait_until(lambda: is_trusted(moat.https_port, ca.root(), address), 60, 'a certificate')
        # RFC 6797 section 8.1.1: no HSTS for addresses.
        with socket.create_connection((HOST, moat.https_port), 10) as raw, \
                ssl.create_default_context(cadata=ca.root()).wrap_socket(raw, server_hostname=address) as peer:
            peer.sendall(f'GET /auth/login HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n'.encode())
            head = peer.makefile('rb').read().split(b'\r\n\r\n')[0].lower()
        self.assertIn(b' 200 ', head)
        self.assertNotIn(b'strict-transport-security', head)

    def test_behind_the_handshake_of_a_challenge_nothing_is_served(self):
        """RFC 8737 section 4: acme-tls/1 carries no data; whoever speaks it was asked for no certificate."""
        # The CA looks where it gets no answer, so that the challenge stands.
        silent = socket.create_server((HOST, 0))
        self.addCleanup(silent.close)
        self.ports = silent.getsockname()[1], free_port()
        ca = self.ca()
        self.ports = free_port(), free_port()
        moat = self.moat(ca)
        context = ssl._create_unverified_context()
        context.set_alpn_protocols(['acme-tls/1'])

        def handshake():
            raw = socket.create_connection((HOST, moat.https_port), 10)
            try:
                return context.wrap_socket(raw, server_hostname=DOMAIN)
            except (ssl.SSLError, OSError):
                raw.close()
                return None
        with wait_until(handshake, 30, 'a challenge that stands') as peer:
            self.assertEqual(peer.selected_alpn_protocol(), 'acme-tls/1')
            self.assertIn(b'\x2b\x06\x01\x05\x05\x07\x01\x1f', peer.getpeercert(binary_form=True), 'acmeIdentifier')
            try:
                peer.sendall(f'GET /auth/login HTTP/1.1\r\nHost: {DOMAIN}\r\nConnection: close\r\n\r\n'.encode())
                got = peer.recv(1000)
            except OSError:
                got = b''
            self.assertEqual(got, b'')
        silent.close()
        wait_until(lambda: moat.said('certificate_not_issued'), 60, 'the end of it')
        self.assertIsNone(handshake(), 'it stands no more')

    def test_a_slow_ca_is_waited_for(self):
        ca = self.ca(env={'PEBBLE_VA_NOSLEEP': '0', 'PEBBLE_VA_SLEEPTIME': '6'})
        moat = self.moat(ca)
        self.wait_for_certificate(moat, ca)
        self.assertEqual(moat.said('certificate_not_issued'), [])


class Failing(AcmeCase):
    def test_a_start_does_not_wait_for_a_ca_that_is_down(self):
        ca = self.ca()
        ca.stop()
        moat = self.moat(ca)
        self.assertEqual(moat.ready(), {'status': 'ready', 'certificate': 'self-signed'})
        shown(moat.https_port)  # a handshake, though nobody trusts it
        wait_until(lambda: moat.said('certificate_not_issued'), 60, 'a line about it')
        self.assertIn('could not be reached', moat.said('certificate_not_issued')[0])

    def test_a_ca_that_cannot_reach_us_says_so_and_is_left_alone(self):
        ca = self.ca()
        self.ports = free_port(), free_port()  # not those that the CA looks at
        moat = self.moat(ca)
        wait_until(lambda: moat.said('certificate_not_issued'), 60, 'a line about it')
        line = json.loads(moat.said('certificate_not_issued')[0])
        self.assertIn('did not find the proof for ' + DOMAIN, line['reason'])
        self.assertGreater(line['next'], line['time'])
        time.sleep(3)
        self.assertEqual(len(moat.said('certificate_ordered')), 1, 'tried again at once')
        # Nor does a start ask at once again, unless a person wants it.
        moat.stop()
        again = self.moat(ca)
        wait_until(lambda: again.said('certificate_not_ordered_yet'), 30, 'a line about it')
        self.assertEqual(again.said('certificate_ordered'), [])
        command('cert', 'renew', '--data', self.data / 'data')
        wait_until(lambda: again.said('certificate_ordered'), 30, 'an order')

    def test_a_ca_that_hangs_holds_up_neither_a_reload_nor_the_end(self):
        silent = socket.create_server((HOST, 0))
        self.addCleanup(silent.close)

        class Hanging:
            directory, authority = f'https://localhost:{silent.getsockname()[1]}/dir', self.authority

        moat = self.moat(Hanging)
        wait_until(lambda: moat.said('certificate_ordered'), 30, 'an order')
        config = self.data / 'moat.toml'
        config.write_text(config.read_text() + 'profile = "other"\n')
        began = time.monotonic()
        self.assertEqual(command('reload', '--data', self.data / 'data'), (0, 'Reloaded.\n'))
        wait_until(lambda: len(moat.said('certificate_ordered')) == 2, 60, 'an order of the new configuration')
        for _ in range(20):
            shown(moat.https_port)  # the loops are not held up
        self.assertEqual(moat.stop(), 0)
        self.assertLess(time.monotonic() - began, 25, 'within one timeout of what hangs')

    def test_a_ca_with_a_strangers_certificate_is_not_believed(self):
        ca = self.ca()
        other = self.folder / 'other'
        other.mkdir(exist_ok=True)
        ca.authority = Authority(other)
        moat = self.moat(ca)
        wait_until(lambda: moat.said('certificate_not_issued'), 60, 'a line about it')
        self.assertEqual(ca.issued(), 0)

    def test_without_consent_no_ca_is_asked(self):
        ca = self.ca()
        asked = ca.program.output
        moat = Moat(self.backend.url, f'[tls.acme]\ndirectory = "{ca.directory}"\n', domain=DOMAIN, ports=self.ports, data=self.data)
        self.addCleanup(moat.stop)
        shown(moat.https_port)
        self.assertIn('agree_to_terms', moat.output)
        self.assertNotIn('GET /dir', ca.program.output[len(asked):])
        code, said = command('cert', 'renew', '--data', self.data / 'data')
        self.assertEqual(code, 1)
        self.assertIn('tls.acme.agree_to_terms', said)

    def test_port_80_shows_nothing_but_what_stands(self):
        ca = self.ca()
        moat = self.moat(ca)
        self.wait_for_certificate(moat, ca)
        for token in ('', 'unknown', '<script>', '..%2f..%2fetc%2fpasswd', 'a' * 500):
            answer = moat.request('GET', '/.well-known/acme-challenge/' + token, tls=False)
            self.assertIn(answer.status, (400, 404), token)
            self.assertNotIn('<script>', answer.text)


class Killed(AcmeCase):
    ROUNDS = 30 if os.environ.get('MOAT_LONG') else 3

    def test_whoever_is_killed_orders_no_second_certificate(self):
        """At any moment of an order, several times, until it has its certificate."""
        rng = random.Random(17)
        for number in range(self.ROUNDS):
            with self.subTest(round=number):
                self.setUp()
                self.kill_until_it_is_there(self.ca(), rng)

    def kill_until_it_is_there(self, ca, rng):
        place = self.data / 'data' / 'acme'
        kills = 0
        while not (place / 'certificate.pem').exists():
            moat = AcmeMoat(self.backend.url, ca, ports=self.ports, data=self.data)
            time.sleep(rng.uniform(0.0, 2.0))
            moat.stop(how=signal.SIGKILL)
            kills += 1
            for path in place.rglob('*'):
                self.assertEqual(stat.S_IMODE(path.stat().st_mode) & 0o077, 0, path)
            self.assertLess(kills, 30, moat.output)
        moat = self.moat(ca)
        self.assertTrue(is_trusted(moat.https_port, ca.root()), 'kept whole, and served at once')
        self.assertEqual(ca.issued(), 1, ca.program.output[-3000:])


if __name__ == '__main__':
    harness.main()
