# SPDX-License-Identifier: Apache-2.0
"""An order that is killed at each of its steps. strace ends the process as its nth call of a kind begins, and a second process
goes on from there: with one certificate in the end, no key lost, and nothing that others could read, ever."""
import hashlib
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import unittest

import harness
from acme import AcmeCase, AcmeMoat, is_trusted
from harness import wait_until

LONG = bool(os.environ.get('MOAT_LONG'))
# What changes files, and (each of them with MOAT_LONG) what speaks to the CA: of one thread, so that each has a number.
FILES = ('fsync', 'renameat')
STEPS = {'fsync': 1, 'renameat': 1, 'sendto': 1 if LONG else 13, 'recvfrom': 1 if LONG else 17}

# Not fewer than an order has for certain: of a program that is not seen, nothing was tested.
LEAST = {'fsync': 12, 'renameat': 6, 'sendto': 3, 'recvfrom': 2}


def may_trace():
    return shutil.which('strace') and subprocess.run(['strace', '-o', '/dev/null', 'true'], capture_output=True).returncode == 0


@unittest.skipUnless(may_trace(), 'strace is not installed, or may not trace here')
class Kills(AcmeCase):
    def attempt(self, ca, name, call, number):
        """True: the process was killed there. False: there is no such step."""
        prefix = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', f'trace={call}',
                  '-e', f'inject={call}:signal=KILL:when={number}']
        if call in FILES:
            # Other threads write other files: counted is what is done in this directory, and to what becomes one of its files.
            place = (self.data / 'data' / 'acme').resolve()
            digest = hashlib.sha256(ca.directory.encode()).hexdigest()[:16]
            kept = ['certificate.pem', 'issuer', *(f'{kind}-{digest}' for kind in ('account', 'order', 'retry'))]
            for path in (place, *(place / f'.{one}.new' for one in kept)):
                prefix += ['-P', path]
        try:
            moat = AcmeMoat(self.backend.url, ca, names=(name,), ports=self.ports, data=self.data, prefix=prefix)
        except AssertionError as error:
            if 'moat ended with' in str(error):  # before it was ready
                return True
            raise
        root = ca.root()
        wait_until(lambda: not moat.running() or is_trusted(moat.https_port, root, name), 60, 'a certificate or the end')
        killed = not moat.running()
        # strace does not end what it has begun.
        for traced in pathlib.Path(f'/proc/{moat.pid}/task/{moat.pid}/children').read_text().split() if not killed else ():
            os.kill(int(traced), signal.SIGKILL)
        moat.stop(how=signal.SIGKILL)
        return killed

    def check(self, ca, name, call, number):
        for path in (self.data / 'data').rglob('*'):
            self.assertEqual(stat.S_IMODE(path.lstat().st_mode) & 0o077, 0, path)
        place = self.data / 'data' / 'acme'
        # pebble says so only when it has made it.
        was_issued = ca.issued()
        had_order = any(path.stat().st_size > 0 for path in place.glob('order-*'))
        kept = (place / 'certificate.pem').exists()
        orders = ca.program.output.count('Added order')
        again = AcmeMoat(self.backend.url, ca, names=(name,), ports=self.ports, data=self.data)
        self.addCleanup(again.stop)
        if kept:
            self.assertTrue(is_trusted(again.https_port, ca.root(), name), 'kept whole, and served at once')
            self.assertEqual(was_issued, 1)
        wait_until(lambda: is_trusted(again.https_port, ca.root(), name), 90, f'a certificate after {call} {number}\n{again.output}')
        self.assertEqual(ca.issued(), 1, f'{call} {number}')
        if had_order or kept:
            self.assertEqual(ca.program.output.count('Added order'), orders, f'an order was under way at {call} {number}')
        self.assertEqual(len(list(place.glob('account-*'))), 1)
        self.assertEqual(len(re.findall(r'There are now 1 accounts', ca.program.output)), 1)
        self.assertNotIn('There are now 2 accounts', ca.program.output)
        again.stop()

    def test_each_step(self):
        for call, stride in STEPS.items():
            number, steps = 1, 0
            while True:
                with self.subTest(call=call, number=number):
                    self.setUp()
                    ca = self.ca()
                    name = f'{call}-{number}.example.net'
                    killed = self.attempt(ca, name, call, number)
                    if killed:
                        steps += 1
                        self.check(ca, name, call, number)
                    ca.stop()
                if not killed or number > 400:
                    break
                number += stride
            self.assertGreaterEqual(steps, LEAST[call], call)


if __name__ == '__main__':
    harness.main()
