# SPDX-License-Identifier: Apache-2.0
"""Runs one of the seven programs and checks what it says: seven_test.py PATH/OF/PROGRAM."""
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile

STRONG = 'c1Fh0kR4VnZB2yqYv9T3mJx7LwPd8sGe5oUaQbN6'


def run(program, code=0, **keywords):
    done = subprocess.run([program], capture_output=True, text=True, timeout=60, **keywords)
    if done.returncode != code:
        raise AssertionError(f'ended with {done.returncode}, not {code}:\n{done.stdout}{done.stderr}')
    return done.stdout if code == 0 else done.stderr


def expect(output, *patterns):
    """The output consists of lines that match the patterns, in this order."""
    lines = output.splitlines()
    if len(lines) != len(patterns):
        raise AssertionError(f'{len(lines)} lines, not {len(patterns)}:\n{output}')
    for line, pattern in zip(lines, patterns):
        if not re.fullmatch(pattern, line):
            raise AssertionError(f'"{line}" is not {pattern}')


def https_server(program):
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen([program, '0'], cwd=folder, text=True, stdout=subprocess.PIPE)
        try:
            said = server.stdout.readline()
            port = int(re.fullmatch(r'listening on https://localhost:(\d+)\n', said).group(1))
            root = pathlib.Path(folder) / 'ca' / 'root.crt'
            assert (pathlib.Path(folder) / 'ca' / 'leaf.key').stat().st_mode & 0o77 == 0

            def ask(sent, context):
                with socket.create_connection(('127.0.0.1', port), 20) as raw:
                    with context.wrap_socket(raw, server_hostname='localhost') as peer:
                        peer.sendall(sent)
                        received = b''
                        while chunk := peer.recv(4096):
                            received += chunk
                        return peer.version(), received

            trusting = ssl.create_default_context(cafile=str(root))
            version, answer = ask(b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', trusting)
            assert version == 'TLSv1.3', version
            assert answer.startswith(b'HTTP/1.1 200 OK\r\n') and answer.endswith(b'\r\n\r\nHello, secure!\n'), answer
            assert b'\r\nX-Content-Type-Options: nosniff\r\n' in answer, answer
            _, answer = ask(b'GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n'
                            b'Transfer-Encoding: chunked\r\n\r\n', trusting)
            assert answer == b'', answer
            try:
                ask(b'', ssl.create_default_context())
                raise AssertionError('a client that does not know the CA was content')
            except ssl.SSLCertVerificationError:
                pass
            old = ssl.create_default_context(cafile=str(root))
            old.set_ciphers('ALL:@SECLEVEL=0')
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
            try:
                ask(b'', old)
                raise AssertionError('TLS 1.1 was spoken')
            except ssl.SSLError:
                pass
        finally:
            server.send_signal(signal.SIGKILL)
            server.wait()
            server.stdout.close()


def validate_email(program):
    expect(run(program), r'200 Welcome, ada@example\.com', r'200 Welcome, tom&amp;jerry@example\.com',
           *4 * [r'400 Invalid Email'])


def typed_body(program):
    expect(run(program), '201 2 of tea', '422 /item must be at least 1 character long', '422 /count must be an integer',
           '422 /count is required', '422  .*', '422 /item must be a string', '422 .*')


def hash_password(program):
    expect(run(program), r'argon2id: \$argon2id\$v=19\$m=19456,t=2,p.*…', r'bcrypt: \$2b\$10\$…',
           'right password: yes', 'wrong password: no', r'bcrypt, wrong: no, still \$2b\$',
           r'bcrypt, right: yes, now \$argon2id')


def jwt(program):
    expect(run(program), 'the token: user 123', 'altered: refused, (bad_signature|malformed)',
           'unsigned: refused, unsigned_token', 'another secret: refused, bad_signature',
           'signed with "secret": refused')


def rate_limit(program):
    expect(run(program), 'request 100: 200', r'request 101: 429, Retry-After: [1-9]', 'another address: 200')


def csrf_form(program):
    expect(run(program), r'cookie: __Host-csrf=\S+; .*Secure.*HttpOnly.*SameSite=Lax.*',
           r'form: <form method=post><input type=hidden name=_csrf value="[\w-]+"></form>', 'my form: 200',
           'no token: 403', "an attacker's own token: 403", 'a cookie the site never set: 403')


def dotenv(program):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / '.env'
        env = {k: v for k, v in os.environ.items() if k not in ('PORT', 'JWT_SECRET', 'JWT_SECRET_FILE')}

        def with_file(text, mode=0o600, code=0):
            path.write_text(text)
            path.chmod(mode)
            return run(program, code, cwd=folder, env=env)

        good = f'# a comment\nPORT=3000\nJWT_SECRET={STRONG}\n'
        expect(with_file(good), r'JWT_SECRET: 40 bytes from .*\.env:3', 'PORT: 3000')
        expect(with_file(f'JWT_SECRET={STRONG}\n'), r'JWT_SECRET: 40 bytes from .*\.env:1', 'PORT: 8443')
        for text, mode, where in ((good, 0o644, r'\.env.*JWT_SECRET'), ('PORT=3000\n', 0o600, r'JWT_SECRET'),
                                  ('JWT_SECRET=secret\n', 0o600, r'\.env:1: JWT_SECRET'),
                                  (good.replace('3000', '70000'), 0o600, r'\.env:2: PORT')):
            said = with_file(text, mode, 1)
            assert re.search(where, said) and STRONG not in said, said


if __name__ == '__main__':
    globals()[pathlib.Path(sys.argv[1]).name](sys.argv[1])
