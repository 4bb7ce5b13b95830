# SPDX-License-Identifier: Apache-2.0
"""What testssl.sh and sslscan find at Moat's port, under both TLS policies: nothing above LOW.

Both programs mostly wait, so all scans run at once. A server that is weak on purpose shows that the
scans would find something.
"""
import concurrent.futures
import json
import shutil
import signal
import subprocess
import sys
import unittest
import xml.etree.ElementTree

import harness
import pki
from clients_e2e import temporary

NAME = 'app.example.com'
TESTSSL = shutil.which('testssl') or shutil.which('testssl.sh')
SSLSCAN = shutil.which('sslscan')
# Protocols, cipher categories, forward secrecy, preferences, certificate, headers, vulnerabilities.
# The simulations of clients are left out: they take as long as all of these.
EVERYTHING = ('-p', '-s', '-f', '-P', '-S', '-h', '-U')
HARMLESS = ('OK', 'INFO', 'LOW', 'DEBUG')
# What is true of the test and not of Moat.
ALLOWED = {
    ('cert_revocation', 'HIGH'): 'the throw-away CA has no CRL and answers no OCSP',
    ('engine_problem', 'WARN'): 'the openssl program of Debian 13 has no engines, which GOST would need',
    ('NPN', 'WARN'): 'TLS 1.2 is off under the modern policy, and so is what came before ALPN',
    ('sessionresumption_ticket', 'WARN'): 'its client may leave before the ticket of TLS 1.3 is there',
}
# What must have been looked at: a scan that got nowhere finds nothing either.
LOOKED_AT = ('heartbleed', 'CCS', 'ticketbleed', 'secure_client_renego', 'CRIME_TLS', 'BREACH', 'POODLE_SSL',
             'SWEET32', 'FREAK', 'DROWN', 'LOGJAM', 'BEAST', 'LUCKY13', 'RC4', 'cert_chain_of_trust', 'HSTS_time',
             'SSLv2', 'SSLv3', 'TLS1', 'TLS1_1', 'TLS1_2', 'TLS1_3')

SUITES_13 = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256']
SUITES_12 = ['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-ECDSA-AES128-GCM-SHA256']
# secp256r1, secp384r1, x25519; X25519MLKEM768 where OpenSSL has it.
GROUPS, MAY_HAVE = {'0x0017', '0x0018', '0x001d'}, {'0x11ec'}


# ------------------------------------------------------------------------------- what is bad in it

def judge_testssl(findings, looked_at=()):
    """What testssl has found, as sentences; empty: nothing that matters."""
    bad = [f"{one['id']}: {one['finding']} ({one['severity']})" for one in findings
           if one['severity'] not in HARMLESS and (one['id'], one['severity']) not in ALLOWED]
    seen = {one['id'] for one in findings}
    return bad + [f'{name} was not looked at' for name in looked_at if name not in seen]


def judge_sslscan(document, versions):
    """The same of sslscan's XML. `versions`: 'TLSv1.2' and 'TLSv1.3', those that should be spoken."""
    bad = []
    spoken = {('TLSv' if one.get('type') == 'tls' else 'SSLv') + one.get('version')
              for one in document.iter('protocol') if one.get('enabled') == '1'}
    if spoken != set(versions):
        bad.append(f'speaks {sorted(spoken)}')
    for version, suites in (('TLSv1.2', SUITES_12), ('TLSv1.3', SUITES_13)):
        there = [one.get('cipher') for one in document.iter('cipher') if one.get('sslversion') == version]
        if there != (suites if version in versions else []):
            bad.append(f'{version} has {there}')
    groups = {one.get('id').lower() for one in document.iter('group') if one.get('sslversion') == 'TLSv1.3'}
    if not GROUPS <= groups <= GROUPS | MAY_HAVE:
        bad.append(f'TLSv1.3 has the groups {sorted(groups)}')
    # Of TLS 1.2 the group is the certificate's too.
    older = {one.get('id').lower() for one in document.iter('group') if one.get('sslversion') != 'TLSv1.3'}
    if not older <= GROUPS:
        bad.append(f'TLSv1.2 has the groups {sorted(older)}')
    for one in document.iter('renegotiation'):
        if one.get('supported') != '0':
            bad.append('renegotiates')
    for one in document.iter('compression'):
        if one.get('supported') != '0':
            bad.append('compresses')
    hearts = list(document.iter('heartbleed'))
    if len(hearts) < len(versions) or any(one.get('vulnerable') != '0' for one in hearts):
        bad.append('heartbleed')
    if not any(one.text == 'false' for one in document.iter('expired')):
        bad.append('the certificate has expired')
    return bad


# ----------------------------------------------------------------------------------- the programs

def testssl(folder, port, checks, ca):
    out = folder / f'{port}.json'
    done = subprocess.run([TESTSSL, '--quiet', '--color', '0', '--warnings', 'off', '--nodns', 'none', '--ip',
                           harness.HOST, '--add-ca', ca, '--jsonfile', out, *checks, f'{NAME}:{port}'],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=500, check=False)
    if not out.exists():
        raise AssertionError(f'testssl wrote nothing:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}')
    return json.loads(out.read_text())


def sslscan(folder, port):
    out = folder / f'{port}.xml'
    subprocess.run([SSLSCAN, '--no-colour', f'--xml={out}', f'--sni-name={NAME}', f'{harness.HOST}:{port}'],
                   stdin=subprocess.DEVNULL, capture_output=True, timeout=200, check=True)
    return xml.etree.ElementTree.fromstring(out.read_text())


class Page(harness.Echo):
    """A backend with one small page, which it does not compress."""

    def _handler(echo):
        class Handler(super()._handler()):
            def answer(self):
                text = b'<!doctype html><title>x</title>'
                self.send_response(200)
                self.send_header('Content-Type', 'text/html; charset=utf-8')
                self.send_header('Content-Length', str(len(text)))
                self.send_header('Set-Cookie', 'sessionid=x; Path=/')
                self.end_headers()
                if self.command != 'HEAD':
                    self.wfile.write(text)

            do_GET = do_HEAD = do_POST = do_OPTIONS = answer

        return Handler


class Weak(harness.Program):
    """TLS 1.0 to 1.2 with CBC, RSA key exchange and no encryption at all, and a certificate of yesterday."""

    def __init__(self, chain, key):
        self.port = harness.free_port()
        super().__init__(['openssl', 's_server', '-accept', f'{harness.HOST}:{self.port}', '-cert', chain, '-key', key,
                          '-www', '-quiet', '-no_tls1_3', '-min_protocol', 'TLSv1', '-cipher',
                          'AES128-SHA:ECDHE-RSA-AES128-SHA:NULL-SHA256:@SECLEVEL=0', '-client_renegotiation'])

        def listens():
            with harness.socket.socket() as probe:
                return probe.connect_ex((harness.HOST, self.port)) == 0
        harness.wait_until(listens, what='the weak server')


class Scans(unittest.TestCase):
    """All scans at once, of which the tests read what came out."""

    @classmethod
    def setUpClass(cls):
        folder = temporary(cls)
        authority = pki.Authority(cls)
        issue = lambda name, **more: authority.issue(name, f'DNS:{NAME}', usage='serverAuth', subject=f'/CN={NAME}',
                                                     key_usage='digitalSignature,keyEncipherment', **more)
        chain, key = issue('site', days='90')
        cls.backend = Page()
        cls.addClassCleanup(cls.backend.stop)
        files = f'[tls]\ncertificate = "{chain}"\nkey = "{key}"\n'
        ports = {}
        for policy, more in (('default', ''), ('modern', 'min = "1.3"\n')):
            # A scan makes some hundred handshakes and breaks most of them off.
            moat = harness.Moat(cls.backend.url, files + more, domain=NAME, trusted=authority.ca, env={
                'MOAT_LIMITS_DEFAULT': '1000000/min/ip burst 100000', 'MOAT_SERVER_MAX_CONNECTIONS_PER_ADDRESS': '10000'})
            cls.addClassCleanup(cls._end, moat)
            ports[policy] = moat.https_port
        weak = Weak(*issue('weak', expired=True, key=('-newkey', 'rsa:2048')))
        cls.addClassCleanup(weak.stop, how=signal.SIGKILL)
        ports['weak'] = weak.port
        with concurrent.futures.ThreadPoolExecutor() as pool:
            found = {what: pool.submit(testssl, folder, port, ('-p', '-s', '-S') if what == 'weak' else EVERYTHING,
                                       authority.ca) for what, port in ports.items()}
            cls.testssl = {what: one.result() for what, one in found.items()}
        cls.sslscan = {what: sslscan(folder, port) for what, port in ports.items()}

    @staticmethod
    def _end(moat):
        code = moat.stop()
        if code != 0:
            raise AssertionError(f'moat ended with {code}:\n{moat.output[-4000:]}')

    def said(self, what, name):
        return [one['finding'] for one in self.testssl[what] if one['id'] == name]

    def test_testssl_finds_nothing_under_the_default_policy(self):
        self.assertEqual(judge_testssl(self.testssl['default'], LOOKED_AT), [])
        self.assertEqual(self.said('default', 'TLS1_2'), ['offered'])

    def test_testssl_finds_nothing_under_the_modern_policy(self):
        # Of TLS 1.3 alone, which has no 64-bit ciphers, it says so under the name of the test before.
        looked_at = [name for name in LOOKED_AT if name != 'SWEET32']
        self.assertEqual(judge_testssl(self.testssl['modern'], looked_at), [])
        self.assertNotEqual(self.said('modern', 'TLS1_2'), ['offered'])

    def test_sslscan_sees_what_was_set(self):
        self.assertEqual(judge_sslscan(self.sslscan['default'], ('TLSv1.2', 'TLSv1.3')), [])
        self.assertEqual(judge_sslscan(self.sslscan['modern'], ('TLSv1.3',)), [])
        # Each policy is not the other.
        self.assertNotEqual(judge_sslscan(self.sslscan['default'], ('TLSv1.3',)), [])
        self.assertNotEqual(judge_sslscan(self.sslscan['modern'], ('TLSv1.2', 'TLSv1.3')), [])

    def test_a_weak_server_is_found_out(self):
        bad = '\n'.join(judge_testssl(self.testssl['weak']))
        for name in ('cert_expirationStatus', 'cipherlist_NULL'):
            self.assertIn(name, bad)
        bad = '\n'.join(judge_sslscan(self.sslscan['weak'], ('TLSv1.2', 'TLSv1.3')))
        for what in ("speaks ['TLSv1.0', 'TLSv1.1', 'TLSv1.2']", 'AES128-SHA', 'expired'):
            self.assertIn(what, bad)


class Judges(unittest.TestCase):
    """The judges, on findings that are made up."""

    def test_severities(self):
        def finding(severity, name='x'):
            return [{'id': name, 'severity': severity, 'finding': 'what'}]
        for severity in ('OK', 'INFO', 'LOW'):
            self.assertEqual(judge_testssl(finding(severity)), [])
        for severity in ('MEDIUM', 'HIGH', 'CRITICAL', 'WARN', 'FATAL', 'new'):
            self.assertEqual(judge_testssl(finding(severity)), [f'x: what ({severity})'])
        self.assertEqual(judge_testssl(finding('HIGH', 'cert_revocation')), [])
        self.assertEqual(len(judge_testssl(finding('HIGH', 'sessionresumption_ticket'))), 1)
        self.assertEqual(judge_testssl([], ['heartbleed']), ['heartbleed was not looked at'])
        self.assertEqual(judge_testssl(finding('OK', 'heartbleed'), ['heartbleed']), [])

    GOOD = ('<ssltest>' + ''.join(f'<cipher sslversion="TLSv1.3" cipher="{suite}"/>' for suite in SUITES_13) +
            '<protocol type="tls" version="1.2" enabled="0"/><protocol type="tls" version="1.3" enabled="1"/>'
            '<renegotiation supported="0" secure="0"/><compression supported="0"/>'
            '<heartbleed sslversion="TLSv1.3" vulnerable="0"/>' +
            ''.join(f'<group sslversion="TLSv1.3" id="{group}"/>' for group in sorted(GROUPS)) +
            '<expired>false</expired></ssltest>')

    def test_one_change_is_enough(self):
        def judge(text):
            return judge_sslscan(xml.etree.ElementTree.fromstring(text), ('TLSv1.3',))
        self.assertEqual(judge(self.GOOD), [])
        for old, new in (('version="1.2" enabled="0"', 'version="1.2" enabled="1"'),
                         ('<renegotiation supported="0"', '<renegotiation supported="1"'),
                         ('<compression supported="0"', '<compression supported="1"'),
                         ('vulnerable="0"', 'vulnerable="1"'), ('false', 'true'), ('0x0018', '0x0019'),
                         ('TLS_AES_128_GCM_SHA256', 'TLS_AES_128_CCM_8_SHA256'),
                         ('<expired>', '<cipher sslversion="TLSv1.2" cipher="AES128-SHA"/><expired>'),
                         ('<expired>', '<group sslversion="TLSv1.2" id="0x0013"/><expired>')):
            self.assertIn(old, self.GOOD)
            self.assertEqual(len(judge(self.GOOD.replace(old, new, 1))), 1, new)


if __name__ == '__main__':
    if not TESTSSL or not SSLSCAN:
        print('skipped: needs testssl.sh and sslscan')
        sys.exit(harness.SKIPPED)
    harness.main()
