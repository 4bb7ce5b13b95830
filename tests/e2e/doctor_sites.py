# SPDX-License-Identifier: Apache-2.0
"""Sites for the doctor to look at: certificates of any kind, and servers that do as they are told."""
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time

import harness

NAME = 'site.test'
# Nothing of the system's configuration: it may forbid what a bad site does.
ENV = {**os.environ, 'OPENSSL_CONF': '/dev/null'}
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'


def openssl(*arguments, env=ENV, cwd=None):
    done = subprocess.run(['openssl', *map(str, arguments)], capture_output=True, env=env, cwd=cwd, timeout=60, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode('utf-8', 'replace'))
    return done.stdout


def stamp(days):
    return time.strftime('%Y%m%d%H%M%SZ', time.gmtime(time.time() + days * 86400))


class Pki:
    """A root, an intermediate, and what they sign. Files in a folder that `stop` removes."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='moat-doctor-'))
        self.count = 0
        self.root = self.make('Test root', authority=True)
        self.middle = self.make('Test intermediate', issuer=self.root, authority=True)
        self.good = self.make('good', issuer=self.middle)

    def stop(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def make(self, common_name, issuer=None, organization='', authority=False, names=f'DNS:{NAME}', begins=-1, ends=89,
             key=('ec', 'ec_paramgen_curve:P-256'), digest='sha256', extra=''):
        """The path of a certificate (x.crt; its key is x.key, itself with its issuers x.chain)."""
        self.count += 1
        base = self.folder / f'{self.count}'
        extensions = ('basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n' if authority else
                      f'basicConstraints=critical,CA:FALSE\nsubjectAltName={names}\nextendedKeyUsage=serverAuth\n{extra}\n')
        config = self.folder / f'{self.count}.cnf'
        config.write_text(
            f'[ca]\ndefault_ca=d\n[d]\ndatabase={base}.db\nserial={base}.srl\nnew_certs_dir={self.folder}\n'
            f'policy=p\nrand_serial=yes\nunique_subject=no\nstring_mask=utf8only\n[p]\ncommonName=supplied\norganizationName=optional\n'
            f'[x]\nsubjectKeyIdentifier=hash\n{extensions}\n'
            f'[req]\ndistinguished_name=n\nutf8=yes\nstring_mask=utf8only\nprompt=no\n[n]\nCN=unused\n')
        pathlib.Path(f'{base}.db').write_text('')
        subject = (f'/O={organization}' if organization else '') + f'/CN={common_name}'
        openssl('req', '-new', '-newkey', key[0], '-pkeyopt', key[1], '-nodes', '-keyout', f'{base}.key',
                '-out', f'{base}.csr', '-subj', subject, '-utf8', '-config', config)
        by = ['-selfsign', '-keyfile', f'{base}.key'] if issuer is None else [
            '-cert', issuer, '-keyfile', issuer.with_suffix('.key')]
        openssl('ca', '-batch', '-config', config, *by, '-in', f'{base}.csr', '-out', f'{base}.crt', '-notext',
                '-md', digest, '-startdate', stamp(begins), '-enddate', stamp(ends), '-extensions', 'x', '-utf8', '-preserveDN')
        crt = pathlib.Path(f'{base}.crt')
        chain = crt.read_text()
        if issuer is not None and issuer != getattr(self, 'root', None):
            chain += issuer.with_suffix('.chain').read_text()
        crt.with_suffix('.chain').write_text(chain)
        return crt

    def chain(self, *certificates):
        """A file of its own with these, in this order; beside it the key of the first."""
        self.count += 1
        path = self.folder / f'{self.count}.chain'
        path.write_text(''.join(c.read_text() for c in certificates))
        shutil.copyfile(certificates[0].with_suffix('.key'), path.with_suffix('.key'))
        return path


class SServer(harness.Program):
    """`openssl s_server` with a chain file; answers HTTP with a page of its own."""

    def __init__(self, chain, *options):
        self.port = harness.free_port()
        chain = pathlib.Path(chain)
        # The first of the file is its own; it would be sent twice.
        begin = '-----BEGIN'
        rest = chain.read_text().split(begin)[2:]
        issuers = chain.with_suffix('.issuers')
        issuers.write_text(''.join(begin + text for text in rest))
        super().__init__(['openssl', 's_server', '-accept', f'{harness.HOST}:{self.port}', '-cert', chain,
                          *(('-cert_chain', issuers) if rest else ()), '-key', chain.with_suffix('.key'), '-www', *options],
                         env={'OPENSSL_CONF': '/dev/null'})
        harness.wait_until(lambda: any('ACCEPT' in line for line in self.lines) or not self.running(), 30, 's_server')
        if not self.running():
            raise AssertionError(self.output)


class Site:
    """A server in a thread, of TLS where it has a chain. `behave(connection, request)` does the rest:
    it gets what was read of the request (nothing where `reads` is false)."""

    def __init__(self, behave, chain=None, reads=True, alpn=('http/1.1',), place=(harness.HOST, 0),
                 closes_after=None):
        self.behave, self.reads, self.requests = behave, reads, []
        self.context, self.left = None, closes_after  # connections until it has had enough
        if chain is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(chain, pathlib.Path(chain).with_suffix('.key'))
            self.context.set_alpn_protocols(list(alpn))
            self.context.set_ciphers('ECDHE+AESGCM')
        family = socket.AF_INET6 if ':' in place[0] else socket.AF_INET
        self.listener = socket.create_server(place, family=family, backlog=64)
        self.port = self.listener.getsockname()[1]
        self.over = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self.over.set()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()

    def _accept(self):
        while not self.over.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            if self.left is not None:
                self.left -= 1
                if self.left < 0:
                    connection.close()
                    continue
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.settimeout(20)
        try:
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            request = b''
            while self.reads and b'\r\n\r\n' not in request:
                piece = connection.recv(4096)
                if not piece:
                    return
                request += piece
            if request:
                self.requests.append(request)
            self.behave(connection, request)
        except OSError:  # of TLS too: questions that are no handshakes, and a doctor that has seen enough
            pass
        finally:
            connection.close()


def says(answer):
    """Always that answer; `{date}` becomes the time."""
    def behave(connection, request):
        now = time.strftime('%a, %d %b %Y %H:%M:%S GMT', time.gmtime()).encode()
        connection.sendall(answer.replace(b'{date}', now))
    return behave


def head(*fields, status='200 OK'):
    lines = [f'HTTP/1.1 {status}', 'Content-Length: 0', *fields]
    return '\r\n'.join(lines).encode('latin-1') + b'\r\n\r\n'


def drips(piece, seconds=0.05):
    """That piece again and again, until the other side has enough."""
    def behave(connection, request):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            connection.sendall(piece)
            if seconds:
                time.sleep(seconds)
    return behave


class Report:
    def __init__(self, done, took):
        self.code, self.out, self.err, self.took = done.returncode, done.stdout, done.stderr, took

    @property
    def json(self):
        return json.loads(self.out)

    def ids(self, *severities):
        return {f['id'] for f in self.json['findings'] if not severities or f['severity'] in severities}

    def evidence(self, name):
        return next(f['evidence'] for f in self.json['findings'] if f['id'] == name)

    def __repr__(self):
        return f'<{self.code} in {self.took:.1f} s\n{self.out}\n{self.err}>'


def run(*words, env=None, prefix=()):
    begin = time.monotonic()
    clean = {k: v for k, v in os.environ.items() if k != 'NO_COLOR'}
    done = subprocess.run([*prefix, os.environ['MOAT_BIN'], 'doctor', *map(str, words)], capture_output=True, text=True,
                          timeout=90, check=False, env={**clean, **(env or {})})
    return Report(done, time.monotonic() - begin)
