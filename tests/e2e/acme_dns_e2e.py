# SPDX-License-Identifier: Apache-2.0
"""Names proved by DNS (RFC 8555 section 8.4): a program of the operator's sets the records, and wildcards come by them."""
import json
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import textwrap
import time

import harness
from acme import DOMAIN, AcmeCase, command, is_trusted, shown
from harness import HOST, Program, free_port, wait_until

WILDCARD = '*.' + DOMAIN
SCRIPT = pathlib.Path(__file__).resolve().parents[2] / 'packaging' / 'dns-rfc2136'


class DnsCase(AcmeCase):
    def hook(self, body):
        """A program that writes down how it was called, and then does what `body` says."""
        path = self.data / 'hook'
        path.write_text(f'#!/bin/sh\necho "$@" >> {self.data}/calls\n' + textwrap.dedent(body))
        path.chmod(0o755)
        return f'dns_hook = ["{path}"]\n'

    def calls(self):
        path = self.data / 'calls'
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


class ByAStandIn(DnsCase):
    def records(self, ca):
        """Sets and clears records of pebble-challtestsrv."""
        url = f'http://{HOST}:{ca.dns_management}'
        return self.hook(f"""
            case $1 in
              present) curl -sf -d '{{"host":"'$2'","value":"'$3'"}}' {url}/set-txt ;;
              cleanup) curl -sf -d '{{"host":"'$2'"}}' {url}/clear-txt ;;
            esac""")

    def test_a_wildcard_is_proved_by_dns(self):
        ca = self.ca()
        moat = self.moat(ca, self.records(ca), names=(DOMAIN, WILDCARD))
        self.wait_for_certificate(moat, ca)
        self.assertEqual(shown(moat.https_port), shown(moat.https_port, 'anything.' + DOMAIN, ca.root()))
        self.assertTrue(is_trusted(moat.https_port, ca.root(), 'anything.' + DOMAIN))
        self.assertFalse(is_trusted(moat.https_port, ca.root(), 'two.labels.' + DOMAIN))
        self.assertEqual(ca.issued(), 1)
        # Both names have the same record: what is set is taken out before the next.
        self.assertEqual([call[:2] for call in self.calls()],
                         [[action, f'_acme-challenge.{DOMAIN}.'] for action in ('present', 'cleanup') * 2])
        # The site is the same behind each name, and no other one.
        for name, status in ((DOMAIN, 200), ('x.' + DOMAIN, 200), ('x.y.' + DOMAIN, 421), ('other.example.net', 421)):
            context = ssl._create_unverified_context()
            context.set_alpn_protocols(['http/1.1'])
            with socket.create_connection((HOST, moat.https_port), 10) as raw, \
                    context.wrap_socket(raw, server_hostname=DOMAIN) as peer:
                peer.sendall(f'GET /auth/login HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n'.encode())
                answer = peer.makefile('rb').read()
            self.assertEqual(answer.split()[1], str(status).encode(), name)

    def test_other_names_are_proved_as_the_list_says(self):
        ca = self.ca()
        config = self.records(ca) + 'challenges = ["tls-alpn-01", "dns-01"]\n'
        moat = self.moat(ca, config, names=('other.example.net', WILDCARD))
        wait_until(lambda: is_trusted(moat.https_port, ca.root(), 'other.example.net'), 60, 'a certificate')
        self.assertEqual({call[1] for call in self.calls()}, {f'_acme-challenge.{DOMAIN}.'})

    def test_a_program_that_fails_is_told_of_and_left_alone(self):
        ca = self.ca()
        moat = self.moat(ca, self.hook('echo "no such zone" >&2\nexit 3\n'))
        wait_until(lambda: moat.said('certificate_not_issued'), 60, 'a line about it')
        line = json.loads(moat.said('certificate_not_issued')[0])
        self.assertIn('it ended with status 3: no such zone', line['reason'])
        self.assertIn('for ' + DOMAIN, line['reason'])
        self.assertGreater(line['next'], line['time'])
        self.assertEqual([call[0] for call in self.calls()], ['present', 'cleanup'], 'half-way may be half there')
        self.assertEqual(ca.issued(), 0)

    def test_a_record_that_is_not_there_is_the_cas_refusal(self):
        ca = self.ca()
        moat = self.moat(ca, self.hook('exit 0\n'))
        wait_until(lambda: moat.said('certificate_not_issued'), 60, 'a line about it')
        self.assertIn('did not find the proof', moat.said('certificate_not_issued')[0])

    def test_the_end_comes_while_the_program_runs(self):
        ca = self.ca()
        moat = self.moat(ca, self.hook('[ $1 = cleanup ] && exit 0\nsleep 600\n'))
        wait_until(self.calls, 30, 'the program')
        began = time.monotonic()
        self.assertEqual(moat.stop(), 0)
        self.assertLess(time.monotonic() - began, 25)
        self.assertEqual([call[0] for call in self.calls()], ['present', 'cleanup'])
        self.assertEqual(moat.said('certificate_not_issued'), [], 'that is no failure')

    def test_whoever_is_killed_takes_the_program_along(self):
        ca = self.ca()
        moat = self.moat(ca, self.hook(f'echo $$ > {self.data}/pid; exec sleep 600\n'))
        wait_until(lambda: (self.data / 'pid').exists() and (self.data / 'pid').read_text().strip(), 30, 'the program')
        process = int((self.data / 'pid').read_text())
        moat.stop(how=signal.SIGKILL)
        wait_until(lambda: not pathlib.Path(f'/proc/{process}').exists(), 10, 'the end of the program')

    def test_what_cannot_be_run_refuses_the_start(self):
        ca = self.ca()
        hook = self.hook('exit 0\n')
        (self.data / 'hook').chmod(0o777)
        with self.assertRaisesRegex(AssertionError, 'may be changed by others: chmod go-w it'):
            self.moat(ca, hook)
        self.assertIn('warning: tls.acme.dns_hook: ', command('check', '--config', self.data / 'moat.toml', '--to', '3000')[1])
        (self.data / 'hook').chmod(0o755)
        self.assertNotIn('warning', command('check', '--config', self.data / 'moat.toml', '--to', '3000')[1])
        with self.assertRaisesRegex(AssertionError, 'the environment has no DNS_API_TOKEN'):
            self.moat(ca, hook + 'dns_environment = ["DNS_API_TOKEN"]\n')
        self.moat(ca, hook + 'dns_environment = ["DNS_API_TOKEN"]\n', env={'DNS_API_TOKEN': 'a'}).stop()


class ByDynamicUpdates(DnsCase):
    """RFC 2136: a real name server, with the program that comes with Moat."""

    def setUp(self):
        super().setUp()
        for tool in ('named', 'nsupdate', 'dig'):
            if shutil.which(tool) is None:
                self.skipTest(f'{tool} is not installed')
        # A clone may be its group's, too, which Moat refuses.
        self.script = pathlib.Path(shutil.copy(SCRIPT, self.data))
        self.script.chmod(0o755)
        self.port = free_port()
        key = subprocess.run(['tsig-keygen', '-a', 'hmac-sha256', 'moat'], capture_output=True, text=True, check=True).stdout
        self.key = self.data / 'ddns.key'
        self.key.write_text(key)
        self.key.chmod(0o600)
        (self.data / 'zone').write_text(textwrap.dedent(f"""\
            $TTL 60
            @ IN SOA ns.example.net. hostmaster.example.net. 1 60 60 60 60
            @ IN NS ns.example.net.
            ns IN A {HOST}
            app IN A {HOST}
            """))
        (self.data / 'named.conf').write_text(key + textwrap.dedent(f"""
            options {{
              directory "{self.data}"; pid-file none; session-keyfile none; listen-on port {self.port} {{ {HOST}; }};
              listen-on-v6 {{ none; }}; recursion no; dnssec-validation no;
            }};
            controls {{ }};
            zone "example.net" {{
              type primary; file "zone"; update-policy {{ grant moat name _acme-challenge.{DOMAIN}. TXT; }};
            }};
            """))
        self.named = Program(['named', '-g', '-c', self.data / 'named.conf'])
        self.addCleanup(self.named.stop, how=signal.SIGKILL)
        wait_until(lambda: 'running' in self.named.output or not self.named.running(), 30, 'the name server')

    def texts(self):
        return subprocess.run(['dig', '+short', '-p', str(self.port), f'@{HOST}', 'TXT', f'_acme-challenge.{DOMAIN}'],
                              capture_output=True, text=True, check=True).stdout

    def test_a_wildcard_by_a_name_server(self):
        ca = self.ca(dns=self.port)
        server = f'{HOST}#{self.port}'
        moat = self.moat(ca, f'dns_hook = ["{self.script}", "{server}", "{self.key}", "{server}"]\n', names=(DOMAIN, WILDCARD))
        self.wait_for_certificate(moat, ca)
        self.assertTrue(is_trusted(moat.https_port, ca.root(), 'x.' + DOMAIN))
        self.assertEqual(self.texts(), '', 'taken out again')
        self.assertIn('adding an RR', self.named.output)

    def test_a_key_that_the_server_does_not_know(self):
        ca = self.ca(dns=self.port)
        other = self.data / 'other.key'
        other.write_text(subprocess.run(['tsig-keygen', '-a', 'hmac-sha256', 'moat'], capture_output=True, text=True, check=True).stdout)
        moat = self.moat(ca, f'dns_hook = ["{self.script}", "{HOST}#{self.port}", "{other}"]\n')
        wait_until(lambda: moat.said('certificate_not_issued'), 60, 'a line about it')
        self.assertRegex(moat.said('certificate_not_issued')[0], 'did not take the update: .*BADSIG')
        self.assertEqual(ca.issued(), 0)


if __name__ == '__main__':
    harness.main()
