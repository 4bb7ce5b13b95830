# SPDX-License-Identifier: Apache-2.0
"""Several nodes with one certificate: they share a directory, order once, show each other's proofs and resume each other's
sessions. And a certificate that is taken back."""
import collections
import fcntl
import hashlib
import json
import os
import pathlib
import select
import signal
import socket
import ssl
import stat
import subprocess
import tempfile
import threading

import harness
from acme import DOMAIN, AcmeCase, AcmeMoat, command, is_trusted, lasting_port, shown
from harness import HOST, wait_until


class Balancer:
    """Gives each connection to one of the nodes, in turn: whoever the CA asks is not the one who ordered."""

    def __init__(self, port, nodes):
        self.nodes = collections.deque(nodes)
        self.server = socket.create_server((HOST, port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            self.nodes.rotate()
            threading.Thread(target=self.carry, args=(client, self.nodes[0]), daemon=True).start()

    @staticmethod
    def carry(client, port):
        with client:
            try:
                with socket.create_connection((HOST, port), 5) as node:
                    sockets = [client, node]
                    while sockets:
                        for one in select.select(sockets, [], [], 30)[0] or sockets:
                            other = node if one is client else client
                            data = one.recv(65536)
                            if data:
                                other.sendall(data)
                            else:
                                other.shutdown(socket.SHUT_WR)
                                sockets.remove(one)
            except OSError:
                pass

    def stop(self):
        self.server.close()


class Nodes(AcmeCase):
    def setUp(self):
        super().setUp()
        self.shared = self.data / 'shared'

    def node(self, ca, number, **keywords):
        data = self.data / f'node{number}'
        data.mkdir(exist_ok=True)
        made = AcmeMoat(self.backend.url, ca, keywords.pop('config', ''), tls=f'storage = "{self.shared}"', data=data,
                        ports=keywords.pop('ports', None) or (lasting_port(), lasting_port()), **keywords)
        self.addCleanup(made.stop, how=signal.SIGKILL)
        return made

    def balance(self, nodes):
        for balanced, port in ((self.ports[0], 'https_port'), (self.ports[1], 'http_port')):
            self.addCleanup(Balancer(balanced, [getattr(node, port) for node in nodes]).stop)

    def wait_for_all(self, nodes, ca):
        root = ca.root()
        for node in nodes:
            wait_until(lambda: is_trusted(node.https_port, root), 90, f'a certificate at each node\n{node.output[-2000:]}')

    def check_files(self):
        for path in self.shared.rglob('*'):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o700 if path.is_dir() else 0o600, path)

    def test_nodes_that_race_order_once_whomever_the_ca_asks(self):
        for challenge in ('tls-alpn-01', 'http-01'):
            with self.subTest(challenge=challenge):
                self.setUp()
                ca = self.ca()
                nodes = [self.node(ca, number, config=f'challenges = ["{challenge}"]\n') for number in range(3)]
                self.balance(nodes)
                self.wait_for_all(nodes, ca)
                self.assertEqual(ca.issued(), 1)
                self.assertEqual(len({shown(node.https_port) for node in nodes}), 1)
                self.assertEqual(sum(len(node.said('certificate_issued')) for node in nodes), 1)
                self.check_files()
                # A proof is shown by nobody once it is over.
                for node in nodes:
                    wait_until(lambda: not self.speaks_acme(node), 15, 'the end of the proof')

    @staticmethod
    def speaks_acme(node):
        try:
            return shown(node.https_port, alpn=('acme-tls/1',)) is not None
        except ssl.SSLError:
            return False

    def test_whoever_orders_may_die_and_another_goes_on(self):
        ca = self.ca()
        first = self.node(ca, 1)
        wait_until(lambda: first.said('certificate_ordered') and any(self.shared.glob('order-*')), 30, 'an order')
        first.stop(how=signal.SIGKILL)
        second = self.node(ca, 2)
        self.balance([second])
        self.wait_for_all([second], ca)
        self.assertEqual(ca.issued(), 1)
        self.check_files()

    def test_what_one_renews_all_serve(self):
        ca = self.ca()
        nodes = [self.node(ca, number) for number in range(2)]
        self.balance(nodes)
        self.wait_for_all(nodes, ca)
        before = shown(nodes[0].https_port)
        code, said = command('cert', 'renew', '--data', nodes[1].data / 'data')
        self.assertEqual(code, 0, said)
        for node in nodes:
            wait_until(lambda: shown(node.https_port) != before, 90, 'another certificate')
        self.assertEqual(shown(nodes[0].https_port), shown(nodes[1].https_port))
        self.assertEqual(ca.issued(), 2)

    def test_sessions_of_one_are_resumed_by_the_other(self):
        ca = self.ca()
        nodes = [self.node(ca, number) for number in range(2)]
        self.balance(nodes)
        self.wait_for_all(nodes, ca)

        def resumed(first, second, version):
            with tempfile.TemporaryDirectory() as folder:
                session = pathlib.Path(folder) / 'session'
                words = ['openssl', 's_client', '-servername', DOMAIN, version]
                request = f'GET /auth/login HTTP/1.1\r\nHost: {DOMAIN}\r\nConnection: close\r\n\r\n'
                for port, more in ((first.https_port, ['-sess_out', session]), (second.https_port, ['-sess_in', session])):
                    done = subprocess.run([*words, '-connect', f'{HOST}:{port}', '-ign_eof', *map(str, more)], input=request,
                                          capture_output=True, text=True, timeout=30)
                return 'Reused, TLS' in done.stdout

        for version in ('-tls1_2', '-tls1_3'):
            wait_until(lambda: resumed(*nodes, version), 60, 'a resumed session')
            self.assertTrue(resumed(*reversed(nodes), version))
        # A third one that comes later has the keys from its first handshake on.
        third = self.node(ca, 3)
        self.assertTrue(resumed(nodes[0], third, '-tls1_3'))
        self.check_files()

    def test_a_node_that_is_halted_while_it_writes_holds_up_no_other(self):
        self.shared.mkdir(mode=0o700)
        ca = self.ca()
        lock = os.open(self.shared / '.lock', os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            node = self.node(ca, 1, ports=self.ports)
            self.assertIn('is locked by another process', node.said('certificate_not_loaded')[0])
            node.stop(20)
            node = self.node(ca, 1, ports=self.ports)
        finally:
            os.close(lock)
        self.wait_for_all([node], ca)

    def test_a_directory_that_others_may_enter_refuses_the_start(self):
        self.shared.mkdir(mode=0o755)
        with self.assertRaisesRegex(AssertionError, 'shared is open to others; run: chmod 700'):
            self.node(self.ca(), 1)


class Revoked(AcmeCase):
    def test_a_certificate_is_taken_back_and_replaced(self):
        ca = self.ca()
        moat = self.moat(ca)
        self.wait_for_certificate(moat, ca)
        before = shown(moat.https_port)
        code, said = command('cert', 'revoke', '--data', self.data / 'data', '--reason', 'key-compromise')
        self.assertEqual((code, said), (0, 'Asked, and for another certificate. `moat cert list` says what came of it.\n'))
        wait_until(lambda: shown(moat.https_port) != before, 60, 'another certificate')
        self.assertEqual(len(moat.said('certificate_revoked')), 1)
        self.assertIn('"reason":"key-compromise"', moat.said('certificate_revoked')[0])
        self.assertRegex(ca.program.output, r'(?i)revok')
        self.assertTrue(is_trusted(moat.https_port, ca.root()))
        self.assertEqual(ca.issued(), 2)
        self.assertNotIn('revoked', command('cert', 'list', '--data', self.data / 'data')[1])

    def test_the_one_that_was_served_when_people_asked_is_taken_back(self):
        """Where a renewal is under way, its new certificate is not what had to go."""
        ca = self.ca()
        moat = self.moat(ca)
        self.wait_for_certificate(moat, ca)
        before = hashlib.sha256(shown(moat.https_port)).hexdigest()
        os.kill(ca.program.pid, signal.SIGSTOP)
        try:
            command('cert', 'renew', '--data', self.data / 'data')
            wait_until(lambda: len(moat.said('certificate_ordered')) == 2, 30, 'the order')
            self.assertEqual(command('cert', 'revoke', '--data', self.data / 'data', '--reason', 'key-compromise')[0], 0)
        finally:
            os.kill(ca.program.pid, signal.SIGCONT)
        wait_until(lambda: moat.said('certificate_revoked'), 60, 'the end of it')
        self.assertEqual([json.loads(line)['fingerprint'] for line in moat.said('certificate_revoked')], [before])
        self.assertNotEqual(hashlib.sha256(shown(moat.https_port)).hexdigest(), before)
        self.assertTrue(is_trusted(moat.https_port, ca.root()))
        self.assertEqual(ca.issued(), 2, 'the renewal has brought another key already')

    def test_a_ca_that_is_down_takes_nothing_back_and_that_is_said(self):
        ca = self.ca()
        moat = self.moat(ca)
        self.wait_for_certificate(moat, ca)
        ca.stop()
        self.assertEqual(command('cert', 'revoke', '--data', self.data / 'data')[0], 0)
        wait_until(lambda: moat.said('certificate_not_revoked'), 90, 'a line about it')
        self.assertIn('failed     to revoke it: the CA could not be reached', command('cert', 'list', '--data', self.data / 'data')[1])

    def test_what_is_no_reason_is_refused(self):
        ca = self.ca()
        moat = self.moat(ca)
        self.wait_for_certificate(moat, ca)
        code, said = command('cert', 'revoke', '--data', self.data / 'data', '--reason', 'boredom')
        self.assertEqual(code, 1)
        self.assertIn('--reason: one of unspecified, key-compromise, superseded', said)
        self.assertEqual(moat.said('certificate_revoked'), [])

    def test_a_revoked_one_is_replaced_though_the_process_ended_before(self):
        ca = self.ca()
        moat = self.moat(ca)
        self.wait_for_certificate(moat, ca)
        before = shown(moat.https_port)
        place = self.data / 'data' / 'acme'
        # As if it had ended between the CA's word and the next order.
        fingerprint = hashlib.sha256(before).hexdigest()
        moat.stop()
        (place / 'revoked').write_text(fingerprint)
        (place / 'revoked').chmod(0o600)
        again = self.moat(ca)
        wait_until(lambda: shown(again.https_port) != before, 60, 'another certificate')
        self.assertEqual(ca.issued(), 2)


if __name__ == '__main__':
    harness.main()
