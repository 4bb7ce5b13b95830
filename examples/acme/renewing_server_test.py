# SPDX-License-Identifier: Apache-2.0
"""renewing_server_test.py PROGRAM: against pebble, it gets a certificate, renews it, and keeps it over a kill."""
import os
import pathlib
import shutil
import signal
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'tests' / 'e2e'))
from acme import DOMAIN, Authority, Pebble, is_trusted, lasting_port, shown  # noqa: E402
from harness import Program, free_port, wait_until  # noqa: E402


def main():
    if shutil.which('pebble') is None:
        print('skipped: pebble is not installed')
        return 77
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        place = pathlib.Path(folder)
        port = lasting_port()
        ca = Pebble(place, Authority(place), port, free_port(), certificateValidityPeriod=40)
        start = [sys.argv[1], DOMAIN, port, ca.directory, ca.authority.root]
        server = Program(start)
        try:
            wait_until(lambda: is_trusted(port, ca.root()), 60, 'a certificate\n' + server.output)
            before = shown(port)
            server.stop(how=signal.SIGKILL)
            server = Program(start)
            wait_until(lambda: 'serving' in server.output, 20, 'what was kept')
            wait_until(lambda: is_trusted(port, ca.root()), 20, 'what was kept')
            wait_until(lambda: shown(port) != before, 60, 'a renewal')
            assert is_trusted(port, ca.root())
            assert ca.issued() == 2, ca.issued()
        finally:
            server.stop(how=signal.SIGKILL)
            ca.stop()
    print('ok')
    return 0


if __name__ == '__main__':
    sys.exit(main())
