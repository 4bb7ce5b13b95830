# SPDX-License-Identifier: Apache-2.0
"""An authority and what it issues, made by the openssl program."""
import pathlib
import subprocess
import tempfile


def openssl(*arguments, place=None):
    done = subprocess.run(['openssl', *map(str, arguments)], cwd=place, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f'openssl {arguments}: {done.stderr}')
    return done.stdout


def fingerprint(certificate):
    """SHA-256 in lower-case hexadecimal."""
    said = openssl('x509', '-in', certificate, '-noout', '-fingerprint', '-sha256')
    return said.strip().split('=')[1].replace(':', '').lower()


class Authority:
    """Files below a directory of its own: ca.pem, NAME.pem with its NAME.key, crl.pem."""

    EC = ('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256')

    def __init__(self, case, name='clients'):
        """`case` is a test or a test class; the files go with it."""
        made = tempfile.TemporaryDirectory(prefix='moat-e2e-')
        (case.addClassCleanup if isinstance(case, type) else case.addCleanup)(made.cleanup)
        self.place = pathlib.Path(made.name)
        self.ca = self.place / 'ca.pem'
        # The rest of what makes it an authority is in the openssl.cnf of every system.
        self._run('req', '-x509', *self.EC, '-nodes', '-days', '9', '-subj', f'/CN={name}', '-keyout', 'ca.key',
                  '-out', 'ca.pem', '-addext', 'keyUsage=critical,keyCertSign,cRLSign')
        (self.place / 'index.txt').write_text('')
        (self.place / 'ca.cnf').write_text('[ca]\ndefault_ca = d\n[d]\ndatabase = index.txt\ndefault_md = sha256\n'
                                           'default_crl_days = 2\ncertificate = ca.pem\nprivate_key = ca.key\n'
                                           'new_certs_dir = .\nrand_serial = yes\nunique_subject = no\n'
                                           'policy = any\n[any]\ncommonName = optional\n')

    def _run(self, *arguments):
        return openssl(*arguments, place=self.place)

    def issue(self, name, names='', usage='clientAuth', subject=None, expired=False, days='2', key=EC,
              key_usage=None):
        """A certificate and its key: two paths."""
        self._run('req', *key, '-nodes', '-utf8', '-subj', subject or f'/CN={name}', '-keyout', f'{name}.key',
                  '-out', f'{name}.csr')
        lines = ['basicConstraints = CA:FALSE', 'subjectKeyIdentifier = hash', 'authorityKeyIdentifier = keyid']
        lines += [f'subjectAltName = {names}'] if names else []
        lines += [f'extendedKeyUsage = {usage}'] if usage else []
        lines += [f'keyUsage = critical,{key_usage}'] if key_usage else []
        (self.place / f'{name}.ext').write_text('\n'.join([*lines, '']))
        if expired:  # `x509 -req` takes no dates before OpenSSL 3.4, and no negative days since
            self._run('ca', '-batch', '-config', 'ca.cnf', '-preserveDN', '-notext', '-in', f'{name}.csr', '-extfile',
                      f'{name}.ext', '-startdate', '20240101000000Z', '-enddate', '20240201000000Z', '-out', f'{name}.pem')
        else:
            self._run('x509', '-req', '-in', f'{name}.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial',
                      '-extfile', f'{name}.ext', '-days', days, '-out', f'{name}.pem')
        return self.place / f'{name}.pem', self.place / f'{name}.key'

    def revocations(self, *names):
        """Takes these back, and gives the list of all that were."""
        for name in names:
            self._run('ca', '-config', 'ca.cnf', '-revoke', f'{name}.pem')
        self._run('ca', '-config', 'ca.cnf', '-gencrl', '-out', 'crl.pem')
        return self.place / 'crl.pem'
