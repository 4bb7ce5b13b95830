# SPDX-License-Identifier: Apache-2.0
"""The command line, what refuses a start, and what an end keeps."""
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import termios
import threading
import time
import unittest

import harness

PASSWORD = 'a lantern over the harbour'
WIDE = {'MOAT_LIMITS_SIGNUP': '10000/hour/ip', 'MOAT_LIMITS_LOGIN': '10000/min/ip',
        'MOAT_LIMITS_DEFAULT': '100000/min/ip burst 10000'}
BACKEND = 'backend = "http://127.0.0.1:9"\n'


class Said:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def __repr__(self):
        return f'<{self.code}\n{self.out}\n{self.err}>'


class Folder(unittest.TestCase):
    """A test in an empty directory of its own."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='moat-cli-'))
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.data = self.folder / 'data'

    def moat(self, *arguments, config=None, env=None, text=''):
        if config is not None:
            (self.folder / 'moat.toml').write_text(config)
        clean = {k: v for k, v in os.environ.items() if not k.startswith('MOAT_')}
        done = subprocess.run([os.environ['MOAT_BIN'], *[str(a) for a in arguments]], cwd=self.folder, input=text,
                              env={**clean, 'HOME': str(self.folder), **(env or {})}, capture_output=True, text=True,
                              timeout=20, check=False)
        self.assertGreaterEqual(done.returncode, 0, f'ended by a signal: {done}')
        return Said(done)


class Help(Folder):
    def test_help_and_version(self):
        self.assertRegex(self.moat('--version').out, r'^moat \d+\.\d+\.\d+\n$')
        for words in ((), ('help',), ('--help',)):
            said = self.moat(*words)
            self.assertEqual((said.code, said.err), (0, ''))
            for command in ('run', 'check', 'explain', 'hash', 'user add', 'user unlock', 'cert list', 'cert renew', 'schema learn',
                            'schema check', 'trust', 'init'):
                self.assertIn(f'moat {command}', said.out)
        for command in ('run', 'check', 'explain', 'hash', 'trust', 'init'):
            said = self.moat(command, '--help')
            self.assertEqual((said.code, said.err), (0, ''))
            self.assertIn(f'moat {command}', said.out)
        for option in ('--to', '--domain', '--https', '--http', '--admin', '--data', '--workers', '--config'):
            self.assertIn(option, self.moat('run', '--help').out)
        said = self.moat('trust', '--help')
        self.assertIn('--undo', said.out)

    def test_what_is_wrong_is_said(self):
        cases = {
            ('rnu',): "no command 'rnu'",
            ('run', '--dtaa', 'x'): "unknown option '--dtaa'; did you mean '--data'?",
            ('run', '--to'): "'--to' needs a value",
            ('run', '--to', '1', '--to', '2'): "'--to' is given twice",
            ('run', '--help=yes'): "takes no value",
            ('run', '--to', 'unix:run/app.sock'): 'a whole path',
            ('run', '--to', 'ftp://127.0.0.1'): 'http://HOST:PORT',
            ('run', '--to', '127.0.0.1:99999'): 'no backend',
            ('run', '--to', '127.0.0.1:9', '--https', 'nowhere'): 'no address to listen on',
            ('run', '--to', '127.0.0.1:9', '--workers', 'many'): '--workers: a whole number',
            ('run', '127.0.0.1:9'): "'127.0.0.1:9' is not expected",
            ('run', '--config', 'missing.toml'): 'there is no file missing.toml',
            ('user', 'remove', 'x'): "no command 'user remove'",
            ('explain', 'GET'): 'explain METHOD PATH',
            ('hash', '--bcrypt', '4'): 'a cost from 10 to 14',
        }
        for words, message in cases.items():
            with self.subTest(words):
                said = self.moat(*words, text='x\n', env={'MOAT_DATA': str(self.data)})
                self.assertEqual((said.code, said.out), (1, ''), said)
                self.assertIn(message, said.err)

    def test_without_a_backend_it_says_how_to_name_one(self):
        said = self.moat('run', '--data', self.data)
        self.assertEqual(said.code, 1)
        self.assertIn('--to', said.err)


class Linked(unittest.TestCase):
    """ASVS 1.3.2 and 1.5.1: nothing is in the program that could run a stranger's text, or read XML."""
    UNWANTED = re.compile(r'lib\w*(?:lua|python|perl|ruby|php|tcl|guile|v8|node|mozjs|quickjs|duktape|jvm|javascript|wasm'
                          r'|xml2|xslt|expat|xerces|pugixml)[\w.+-]*\.so', re.I)

    def libraries(self, program):
        return subprocess.run(['ldd', program], capture_output=True, text=True, check=True).stdout

    def test_no_interpreter_and_no_reader_of_xml(self):
        there = self.libraries(os.environ['MOAT_BIN'])
        self.assertIn('libssl', there)
        self.assertEqual(self.UNWANTED.findall(there), [])

    def test_they_would_be_found(self):
        for name in ('libexpat.so.1', 'libpython3.11.so.1.0', 'libxml2.so.2', 'liblua5.4.so.0', 'libmozjs-102.so.0', 'libxerces-c-3.2.so'):
            self.assertTrue(self.UNWANTED.search(f'\t{name} => /usr/lib/{name} (0x0)'), name)
        for name in ('libssl.so.3', 'libyaml-0.so.2', 'libsqlite3.so.0', 'libstdc++.so.6'):
            self.assertFalse(self.UNWANTED.search(f'\t{name} => /usr/lib/{name} (0x0)'), name)


class Check(Folder):
    def test_a_good_configuration(self):
        said = self.moat('check', config=BACKEND)
        self.assertRegex(said.out, r'Key exchange: (X25519MLKEM768, )?X25519, P-256, P-384(; X25519MLKEM768 .* needs OpenSSL 3.5.*)?\.\n')
        self.assertEqual((said.code, said.err), (0, ''))
        self.assertIn('The configuration is good.\nNo practice is weakened.', said.out)

    def test_the_sample_of_init_is_good(self):
        sample = self.moat('init').out
        self.assertIn('backend', sample)
        self.assertEqual(self.moat('check', config=sample).code, 0)

    def test_problems_are_named_with_file_line_and_the_nearest_name(self):
        said = self.moat('check', config=BACKEND + '\n[session]\nidel = "30m"\naccess = "soon"\n\n[limits]\n'
                                                   'default = "lots"\n\n[serve]\nhttps = ":1"\n')
        self.assertEqual((said.code, said.out), (1, ''))
        self.assertIn("moat.toml:4: unknown key 'session.idel'; did you mean 'session.idle'?", said.err)
        self.assertRegex(said.err, r"moat.toml:5: 'session.access' must be a duration")
        self.assertRegex(said.err, r"moat.toml:8: 'limits.default' must be a limit")
        self.assertRegex(said.err, r"moat.toml:10: unknown key 'serve'; did you mean 'server'\?")
        self.assertEqual(len(said.err.strip().splitlines()), 4, 'all of them, and nothing else')

    def test_what_is_not_toml_is_named_with_its_line(self):
        said = self.moat('check', config=BACKEND + 'login = [\n"/a"\n')
        self.assertEqual(said.code, 1)
        self.assertRegex(said.err, r'^moat.toml:\d: ')

    def test_what_is_out_of_range_is_refused(self):
        for line in ('[session]\naccess = "1h"', '[password]\nmin_length = 8', '[password.hash]\nmemory = "1MiB"',
                     '[server]\nmax_header = "1MiB"', '[tls]\nmin = "1.1"', '[tls]\nissuer = "files"',
                     '[session]\nidle = "2h"\nabsolute = "1h"', '[limits.lockout]\nafter = 1000', 'version = 2',
                     '[tls]\ncertificate = "x.crt"', 'domain = "http://example.com"', '[server]\nhttps = 8443'):
            with self.subTest(line):
                top, _, rest = line.partition('[')
                config = top + BACKEND + ('[' + rest if rest else '')
                self.assertEqual(self.moat('check', config=config).code, 1)

    def test_weakened_practices_are_listed(self):
        said = self.moat('check', config='''
[[route]]
match = "/hooks/*"
backend = "http://127.0.0.1:9"
csrf = "off"
allow_encoded_slash = true
csp = "off"
[[route]]
backend = "http://127.0.0.1:9"
[csrf]
trusted_origins = ["https://partner.example"]
[server]
trusted_proxies = ["0.0.0.0/0"]
''')
        self.assertEqual((said.code, said.err), (0, ''))
        weakened = re.findall(r'^weakened: practice (\d): (.*)$', said.out, re.M)
        self.assertEqual(sorted(number for number, _ in weakened), ['2', '2', '5', '6', '6'], said.out)
        self.assertIn("route '/hooks/*' accepts forged cross-site requests (csrf = \"off\") (moat.toml:2)", said.out)

    def test_form_tokens_are_explained(self):
        config = '[[route]]\nbackend = "http://127.0.0.1:9"\ncsrf_forms = "inject"\n'
        said = self.moat('check', config=config)
        self.assertEqual(said.code, 1)
        self.assertIn('moat.toml:1: ', said.err)
        self.assertIn('csrf = "token"', said.err)
        config += 'csrf = "token"\n'
        self.assertIn('No practice is weakened', self.moat('check', config=config).out)
        said = self.moat('explain', 'POST', '/pay', config=config).out
        self.assertRegex(said, 'CSRF .* needs the token, as X-CSRF-Token or as the field _csrf')
        self.assertRegex(said, 'forms .* gets the field _csrf')

    def test_the_environment_overrides_the_file_and_is_named(self):
        said = self.moat('check', config=BACKEND + '[session]\nidle = "30m"\n', env={'MOAT_SESSION_IDLE': 'never'})
        self.assertEqual(said.code, 1)
        self.assertIn("MOAT_SESSION_IDLE: 'session.idle' must be", said.err)
        said = self.moat('explain', 'GET', '/', config=BACKEND, env={'MOAT_LIMITS_DEFAULT': '7/min/ip'})
        self.assertIn('7/min/ip', said.out)


    def test_a_variable_that_means_nothing_is_named(self):
        said = self.moat('check', config=BACKEND, env={'MOAT_SESION_IDLE': '5m'})
        self.assertEqual(said.code, 0)
        self.assertIn('MOAT_SESION_IDLE is no setting of Moat and is passed over; did you mean MOAT_SESSION_IDLE?',
                      said.err)

    def test_a_dotenv_file_gives_settings_below_the_environment_for_localhost_only(self):
        (self.folder / '.env').write_text('MOAT_LIMITS_DEFAULT=9/min/ip\nAPP_NAME=x\n')
        (self.folder / '.env').chmod(0o600)
        self.assertIn('9/min/ip', self.moat('explain', 'GET', '/', config=BACKEND).out)
        said = self.moat('explain', 'GET', '/', config=BACKEND, env={'MOAT_LIMITS_DEFAULT': '7/min/ip'})
        self.assertIn('7/min/ip', said.out)
        said = self.moat('check', config='domain = "app.example"\n' + BACKEND)
        self.assertEqual(said.code, 1)
        self.assertIn('.env gives settings of Moat, which is for development only', said.err)
        (self.folder / '.env').write_text('MOAT_SECRETS_CSRF_KEY=Zk3vQ8pLw1Xr7TnYc5Bd9Hs2Jf6Mg4Ua\n')
        said = self.moat('check', config=BACKEND)
        self.assertEqual(said.code, 1)
        self.assertIn('MOAT_SECRETS_CSRF_KEY is a secret', said.err)

    def test_a_configuration_that_cannot_be_read_is_not_an_absent_one(self):
        (self.folder / 'moat.toml').mkdir()
        for arguments in (('check', '--to', 'http://127.0.0.1:9'), ('explain', 'GET', '/', '--to', 'http://127.0.0.1:9')):
            said = self.moat(*arguments)
            self.assertEqual(said.code, 1)
            self.assertIn('moat.toml cannot be read: ', said.err)

    def test_one_backend_does_not_take_the_place_of_several(self):
        config = '[[route]]\nmatch = "/hooks/*"\nbackend = "http://127.0.0.1:9"\n[[route]]\nbackend = "http://127.0.0.1:10"\n'
        said = self.moat('check', '--to', 'http://127.0.0.1:11', config=config)
        self.assertEqual(said.code, 1)
        self.assertIn('--to names one backend, but moat.toml names several', said.err)
        self.assertEqual(self.moat('check', '--to', 'http://127.0.0.1:11', config=config.replace(':10', ':9')).code, 0)

    def test_a_public_name_without_a_certificate_is_weak(self):
        said = self.moat('check', config='domain = "app.example"\n' + BACKEND)
        self.assertIn('weakened: practice 1: no certificate for app.example', said.out)


class Explain(Folder):
    CONFIG = '''
[[route]]
match = "/admin/*"
backend = "http://127.0.0.1:9"
login = "required"
roles = ["admin"]
scopes = ["users:read", "users:write"]
limit = "10/min/user"
[[route]]
backend = "http://127.0.0.1:10"
'''

    def explain(self, method, path):
        said = self.moat('explain', method, path, config=self.CONFIG)
        self.assertEqual((said.code, said.err), (0, ''))
        return said.out

    def test_it_says_what_happens(self):
        said = self.explain('POST', '/admin/users?x=1')
        for part in ('/admin/* (moat.toml:2)', 'http://127.0.0.1:9', 'required; roles: admin', '10/min/user',
                     'Sec-Fetch-Site', 'of tokens and API keys: users:read users:write', '-Scopes'):
            self.assertIn(part, said)
        self.assertNotIn('API keys:', self.explain('GET', '/'))
        self.assertIn('http://127.0.0.1:10', self.explain('GET', '/'))
        self.assertIn('a safe method', self.explain('GET', '/'))
        self.assertIn("only reported: default-src 'self'", self.explain('GET', '/'))
        self.assertIn('reports of browsers', self.explain('POST', '/.well-known/moat/reports'))
        self.assertIn('answered by Moat itself', self.explain('POST', '/auth/login'))
        self.assertIn('refused     400', self.explain('GET', '/a/../admin/users'))
        self.assertIn('refused     400', self.explain('GET', '/a%2Fb'))

    def test_the_same_path_in_another_spelling_is_the_same_route(self):
        for path in ('/ADMIN/users', '/%61dmin/users', '/admin;x=1/users', '/admin'):
            with self.subTest(path):
                said = self.explain('GET', path)
                self.assertTrue('roles: admin' in said or 'refused' in said, said)


class Hash(Folder):
    def test_a_password_becomes_an_argon2id_hash_that_logs_in(self):
        said = self.moat('hash', text=PASSWORD + '\n')
        self.assertEqual((said.code, said.err), (0, ''))
        self.assertRegex(said.out, r'^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}\n$')
        self.assertNotEqual(said.out, self.moat('hash', text=PASSWORD + '\n').out, 'each with a salt of its own')

    def test_bcrypt_verifies_elsewhere(self):
        said = self.moat('hash', '--bcrypt', '10', text=PASSWORD + '\n')
        self.assertRegex(said.out, r'^\$2[aby]\$10\$[./A-Za-z0-9]{53}\n$')
        perl = subprocess.run(['perl', '-e', 'print crypt($ARGV[0], $ARGV[1])', PASSWORD, said.out.strip()],
                              capture_output=True, text=True, check=False)
        self.assertEqual(perl.stdout, said.out.strip())

    def test_nothing_is_no_password(self):
        self.assertEqual(self.moat('hash', text='').code, 1)
        self.assertEqual(self.moat('hash', text='\n').code, 1)
        too_long = self.moat('hash', '--bcrypt', '10', text='x' * 73 + '\n')
        self.assertEqual((too_long.code, too_long.out), (1, ''), 'bcrypt would cut it off')

    def test_a_terminal_shows_no_password(self):
        master, slave = pty.openpty()
        process = subprocess.Popen([os.environ['MOAT_BIN'], 'hash'], stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        seen = b''
        while b'Password: ' not in seen:
            seen += os.read(master, 4096)
        harness.wait_until(lambda: not termios.tcgetattr(master)[3] & termios.ECHO, 10, 'the echo being off')
        os.write(master, PASSWORD.encode() + b'\n')
        while b'$argon2id$' not in seen and select.select([master], [], [], 20)[0]:
            seen += os.read(master, 4096)
        self.assertEqual(process.wait(20), 0)
        os.close(master)
        self.assertIn(b'$argon2id$', seen)
        self.assertNotIn(PASSWORD.encode(), seen)


class Users(Folder):
    def add(self, email, *options, text=PASSWORD + '\n'):
        return self.moat('user', 'add', email, '--data', self.data, *options, text=text)

    def test_an_account_from_the_command_line_logs_in(self):
        said = self.add('ops@example.com', '--role', 'admin')
        self.assertEqual((said.code, said.err), (0, ''))
        self.assertIn('ops@example.com', said.out)
        self.assertNotIn(PASSWORD, said.out)
        backend = harness.Echo()
        self.addCleanup(backend.stop)
        moat = harness.Moat(backend.url, data=self.folder)
        self.addCleanup(moat.stop)
        client = moat.client()
        answer = client.post('/auth/login', json={'email': 'ops@example.com', 'password': PASSWORD})
        self.assertEqual(answer.status, 200)
        self.assertEqual(sorted(answer.json()['roles']), ['admin', 'user'])
        self.assertFalse((self.data / 'setup-link').exists(), 'there is an admin')

    def test_the_same_rules_hold(self):
        self.assertEqual(self.add('ops@example.com').code, 0)
        for email, text, why in (('ops@example.com', PASSWORD, 'taken'), ('OPS@example.com', PASSWORD, 'taken'),
                                 ('nobody', PASSWORD, ''), ('b@example.com', 'short', '15'), ('c@example.com', '', '')):
            with self.subTest(email):
                said = self.add(email, text=text + '\n')
                self.assertEqual((said.code, said.out), (1, ''))
                self.assertIn(why, said.err)
        self.assertEqual(self.add('d@example.com', '--role', 'Bad Role').code, 1)

    def serving(self, *emails):
        """Moat with these accounts; what it gives logs one of them in and answers (client, status)."""
        for email in emails:
            self.assertEqual(self.add(email).code, 0)
        backend = harness.Echo()
        self.addCleanup(backend.stop)
        moat = harness.Moat(backend.url, data=self.folder)
        self.addCleanup(moat.stop)

        def log_in(email):
            client = moat.client()
            return client, client.post('/auth/login', json={'email': email, 'password': PASSWORD}).status
        return log_in

    def assert_over(self, client):
        harness.wait_until(lambda: client.get('/auth/me').status == 401, 5, 'the session being over')

    def test_a_disabled_account_is_out_at_once_and_may_come_back(self):
        log_in = self.serving('ops@example.com', 'ada@example.com')
        (ops, _), (ada, _) = log_in('ops@example.com'), log_in('ada@example.com')
        said = self.moat('user', 'disable', 'OPS@example.com', '--data', self.data)
        self.assertEqual((said.code, said.err), (0, ''))
        self.assertIn('Ended 1 session of ops@example.com', said.out)
        self.assert_over(ops)
        self.assertEqual(log_in('ops@example.com')[1], 401, 'as with a wrong password')
        self.assertEqual(ada.get('/auth/me').status, 200, 'another account goes on')
        self.assertEqual(self.moat('user', 'enable', 'ops@example.com', '--data', self.data).code, 0)
        self.assertEqual(log_in('ops@example.com')[1], 200)
        self.assertEqual(ops.get('/auth/me').status, 401, 'what was ended stays so')

    def test_an_operator_logs_out_one_or_all(self):
        log_in = self.serving('ops@example.com', 'ada@example.com')
        (ops, _), (ada, _) = log_in('ops@example.com'), log_in('ada@example.com')
        said = self.moat('user', 'logout', 'ops@example.com', '--data', self.data)
        self.assertEqual((said.code, said.err), (0, ''))
        self.assert_over(ops)
        self.assertEqual(ada.get('/auth/me').status, 200)
        ops, _ = log_in('ops@example.com')
        said = self.moat('user', 'logout', '--all', '--data', self.data)
        self.assertIn('Ended 2 sessions of everybody', said.out)
        for client in (ops, ada):
            self.assert_over(client)
        self.assertEqual(log_in('ada@example.com')[1], 200)

    def test_what_an_operator_mistypes_changes_nothing(self):
        self.assertEqual(self.add('ops@example.com', '--role', 'admin').code, 0)
        for words, why in ((('disable', 'nobody@example.com'), 'there is no account'), (('disable', 'nobody'), 'no e-mail address'),
                           (('disable',), 'user disable EMAIL'), (('logout',), 'user logout EMAIL, or --all'),
                           (('logout', 'ops@example.com', '--all'), 'user logout EMAIL, or --all'),
                           (('disable', 'ops@example.com'), 'admin')):
            with self.subTest(words):
                said = self.moat('user', *words, '--data', self.data)
                self.assertEqual((said.code, said.out), (1, ''))
                self.assertIn(why, said.err)

    def test_unlock_needs_a_running_moat(self):
        said = self.moat('user', 'unlock', 'ops@example.com', '--data', self.data)
        self.assertEqual(said.code, 1)
        self.assertNotEqual(said.err, '')
        self.assertEqual(self.moat('user', 'unlock', 'nobody', '--data', self.data).code, 1)


class RefusedStart(Folder):
    """Nothing of this may serve: each message names the place."""

    def start(self, config='', env=None, prepare=None):
        if prepare:
            prepare()
        options = ('--data', self.data, '--https', '127.0.0.1:0', '--http', 'off')
        said = self.moat('run', *options, config=config if 'backend' in config else BACKEND + config, env=env)
        self.assertEqual(said.code, 1, said)
        self.assertNotIn('"started"', said.err)
        return said.err

    def started_once(self):
        moat = harness.Moat('http://127.0.0.1:9', data=self.folder)
        self.assertEqual(moat.stop(), 0)

    def test_a_key_that_others_may_read(self):
        self.started_once()
        for name in ('session_keys.json', 'assertion_keys.json', 'csrf.key'):
            for mode in (0o640, 0o604, 0o660, 0o644):
                with self.subTest(name, mode=oct(mode)):
                    (self.data / 'keys' / name).chmod(mode)
                    self.assertIn(str(self.data / 'keys' / name), self.start())
                    (self.data / 'keys' / name).chmod(0o600)
        root = next(p for p in (self.data / 'ca').iterdir() if p.name.endswith('.key'))
        root.chmod(0o644)
        self.assertIn(root.name, self.start())

    def test_a_data_directory_that_others_may_enter(self):
        self.started_once()
        for folder in (self.data, self.data / 'keys', self.data / 'store', self.data / 'ca'):
            with self.subTest(folder.name):
                folder.chmod(0o755)
                self.assertIn(str(folder), self.start())
                folder.chmod(0o700)

    def test_a_key_that_was_cut_or_changed(self):
        self.started_once()
        for name in ('session_keys.json', 'assertion_keys.json', 'csrf.key'):
            path = self.data / 'keys' / name
            kept = path.read_bytes()
            for content in (b'', kept[:10], b'x' * 31):
                with self.subTest(name, content=content[:12]):
                    path.write_bytes(content)
                    self.start()
            path.write_bytes(kept)
        moat = harness.Moat('http://127.0.0.1:9', data=self.folder)
        self.assertEqual(moat.stop(), 0)

    def test_a_secret_that_is_not_there(self):
        self.assertIn("moat.toml:3: secret 'csrf_key'", self.start('[secrets]\ncsrf_key = "env:NOT_SET_ANYWHERE"\n'))
        missing = self.folder / 'missing'
        said = self.start(f'[secrets]\ncsrf_key = "file:{missing}"\n')
        self.assertIn("moat.toml:3: secret 'csrf_key'", said)
        self.assertIn(str(missing), said)
        self.assertIn('MOAT_SECRETS_CSRF_KEY', self.start(env={'MOAT_SECRETS_CSRF_KEY_FILE': str(missing)}))

    def test_a_secret_that_is_given_twice(self):
        said = self.start('[secrets]\ncsrf_key = "env:KEY"\n', env={'KEY': 'k' * 43, 'MOAT_SECRETS_CSRF_KEY': 'm' * 43})
        self.assertIn("secret 'csrf_key' is given twice", said)
        file = self.folder / 'key'
        file.write_text('0' * 43)
        file.chmod(0o600)
        said = self.start(env={'MOAT_SECRETS_CSRF_KEY': 'k' * 43, 'MOAT_SECRETS_CSRF_KEY_FILE': str(file)})
        self.assertIn('are both set', said)

    def test_a_secret_in_the_file_itself(self):
        said = self.start('[secrets]\ncsrf_key = "Zm9ydHktdHdvIGlzIHRoZSBhbnN3ZXIgdG8gYWxsIG9mIGl0"\n')
        self.assertIn("moat.toml:3: secret 'csrf_key' stands in the file itself", said)
        self.assertNotIn('Zm9ydHktdHdv', said, 'and it is not repeated')

    def test_a_secret_file_that_others_may_read_or_that_is_weak(self):
        file = self.folder / 'key'
        good = 'wJ7pQ2vX9kLm4RtY8sHn3BcDf6GzAeUoKi1VxNqTyWs'
        for content, mode in ((good, 0o644), ('short', 0o600), ('', 0o600)):
            with self.subTest(content, mode=oct(mode)):
                file.write_text(content)
                file.chmod(mode)
                self.start(f'[secrets]\ncsrf_key = "file:{file}"\n')
        file.write_text(good + '\n')
        file.chmod(0o600)
        config = f'[secrets]\ncsrf_key = "file:{file}"\n'
        moat = harness.Moat('http://127.0.0.1:9', config, data=self.folder)
        self.assertEqual(moat.stop(), 0)
        self.assertFalse((self.data / 'keys' / 'csrf.key').exists(), 'none is made where one is named')
        self.assertNotIn(good, moat.output)

    def test_a_wrong_configuration(self):
        self.assertIn("moat.toml:3: unknown key 'session.idel'", self.start('[session]\nidel = "30m"\n'))
        self.assertIn('Address already in use', self.port_taken())

    def port_taken(self):
        with socket.socket() as other:
            other.bind(('127.0.0.1', 0))
            other.listen()
            said = self.moat('run', '--data', self.data, '--http', 'off', '--https',
                             f'127.0.0.1:{other.getsockname()[1]}', config=BACKEND)
            self.assertEqual(said.code, 1)
            return said.err

    def test_a_second_moat_on_the_same_data(self):
        moat = harness.Moat('http://127.0.0.1:9', data=self.folder)
        self.addCleanup(moat.stop)
        said = self.start()
        self.assertIn(f'another Moat is running on {self.data}', said)
        self.assertEqual(moat.request('GET', '/auth/login').status, 200, 'the first goes on')


class Ends(Folder):
    """What was acknowledged survives; what is in flight is finished."""

    def setUp(self):
        super().setUp()
        self.backend = harness.Echo()
        self.addCleanup(self.backend.stop)

    def start(self):
        moat = harness.Moat(self.backend.url, data=self.folder, env=WIDE)
        self.addCleanup(lambda: moat.running() and moat.stop())
        return moat

    def test_acknowledged_sign_ups_and_logouts_survive_kill_9(self):
        moat = self.start()
        acknowledged, ended, stop = [], [], threading.Event()

        def sign_up(who):
            number = 0
            while not stop.is_set():
                number += 1
                given = {'email': f'person{who}.{number}@example.com', 'password': PASSWORD}
                try:
                    client = moat.client()
                    if client.post('/auth/signup', json=given).status != 201:
                        continue
                    acknowledged.append(given)
                    cookies = dict(client.cookies)
                    if number % 2 and client.post('/auth/logout').status == 204:
                        ended.append(cookies)
                except (OSError, ValueError, harness.http.client.HTTPException):
                    return

        threads = [threading.Thread(target=sign_up, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        harness.wait_until(lambda: len(acknowledged) >= 12 and len(ended) >= 4, 60, 'enough sign-ups')
        moat.process.send_signal(signal.SIGKILL)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(moat.process.wait(10), -signal.SIGKILL)

        again = self.start()
        for given in acknowledged:
            answer = again.request('POST', '/auth/login', json=given)
            self.assertEqual(answer.status, 200, f'{given["email"]} was acknowledged and is lost')
        for cookies in ended:
            self.assertEqual(again.request('GET', '/auth/me', cookies=cookies).status, 401, 'a logout was forgotten')
        self.assertEqual(again.stop(), 0)

    def test_a_session_goes_on_over_a_restart(self):
        moat = self.start()
        client = moat.client()
        client.post('/auth/signup', json={'email': 'a@example.com', 'password': PASSWORD})
        self.assertEqual(moat.stop(), 0)
        again = self.start()
        answer = again.request('GET', '/auth/me', cookies=client.cookies)
        self.assertEqual((answer.status, answer.json()['email']), (200, 'a@example.com'))
        self.assertEqual(again.stop(), 0)

    def test_a_request_in_flight_is_finished_at_sigterm(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(how.name):
                moat = self.start()
                answers = []
                thread = threading.Thread(target=lambda: answers.append(moat.request('GET', '/slow?seconds=2')))
                before = len(self.backend.seen('/slow'))
                thread.start()
                harness.wait_until(lambda: len(self.backend.seen('/slow')) > before, what='the request at the backend')
                began = time.monotonic()
                moat.process.send_signal(how)
                harness.wait_until(lambda: not self.accepts(moat), 1.5, 'the door closing')
                self.assertEqual(moat.stop(), 0)
                thread.join()
                self.assertEqual([a.status for a in answers], [200])
                self.assertEqual(answers[0].header('connection'), 'close')
                self.assertGreater(time.monotonic() - began, 1)

    def accepts(self, moat):
        try:
            with socket.create_connection((harness.HOST, moat.https_port), 1):
                return True
        except OSError:
            return False

    def test_the_drain_has_an_end(self):
        moat = harness.Moat(self.backend.url, '[server.timeouts]\ndrain = "1s"\n', data=self.folder, env=WIDE)
        def ask():
            try:
                moat.request('GET', '/slow?seconds=20')
            except (OSError, harness.http.client.HTTPException):
                pass
        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        harness.wait_until(lambda: self.backend.seen('/slow'), what='the request at the backend')
        began = time.monotonic()
        self.assertEqual(moat.stop(), 0)
        self.assertLess(time.monotonic() - began, 6)

    def test_the_log_is_json_and_keeps_no_secret(self):
        moat = self.start()
        client = moat.client(**{'User-Agent': 'x\n"}{'.replace('\n', ' ')})
        client.post('/auth/signup', json={'email': 'someone@example.com', 'password': PASSWORD})
        client.get('/page?token=verysecret')
        client.post('/auth/login', json={'email': 'someone@example.com', 'password': 'not the right one'})
        cookies = dict(client.cookies)
        self.assertEqual(moat.stop(), 0)
        lines = [line for line in moat.lines if line.startswith('{')]
        self.assertGreater(len(lines), 4)
        for line in lines:
            entry = harness.json_module.loads(line)
            self.assertTrue({'time', 'level', 'event'} <= set(entry))
        for secret in (PASSWORD, 'not the right one', 'someone@example.com', *cookies.values(),
                       *(v.split('.')[-1] for v in cookies.values())):
            self.assertNotIn(secret, moat.output)


class Trust(Folder):
    def test_trust_without_a_ca_says_so(self):
        said = self.moat('trust', '--data', self.data)
        self.assertEqual(said.code, 1)
        self.assertIn(str(self.data), said.err)
        self.assertEqual(self.moat('trust', '--udno').code, 1)


if __name__ == '__main__':
    harness.main()
