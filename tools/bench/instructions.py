#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./dev bench instructions: how many instructions of its own Moat spends on a proxied request.

Counts do not depend on what else the machine does, so a small regression shows and may fail a build. Moat runs with one
worker and the epoll engine under callgrind; a client asks over TLS, HTTP/1.1, keep-alive, with session cookies, strictly
one request after the other. What is counted is the difference between two runs of the load, so that start-up, handshakes
and sign-ups drop out. Fails above the budget, and above the figure in tools/bench/instructions.txt and its tolerance.
"""
import argparse, os, re, shutil, socket, ssl, subprocess, sys, threading, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import common

RECORD = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'instructions.txt')
BUDGET, TOLERANCE = 60_000, 0.03
WARM, COUNTED, CONNECTIONS, SKIPPED = 500, 2000, 4, 77


class Backend:
    """Answers each request with the same 1 KiB of JSON; small, since it needs no second program."""

    def __init__(self):
        text = common.items().encode()
        self.answer = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n' % len(text) + text
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            threading.Thread(target=self._serve, args=(self.listener.accept()[0],), daemon=True).start()

    def _serve(self, peer):
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = b''
        while chunk := peer.recv(65536):
            data += chunk
            while b'\r\n\r\n' in data:
                data = data.split(b'\r\n\r\n', 1)[1]
                peer.sendall(self.answer)


def connect(port):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    raw = socket.create_connection(('127.0.0.1', port), 60)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return tls.wrap_socket(raw, server_hostname='localhost')


def load(peers, cookies, count):
    """Each connection keeps its cookie, as a browser's does. The requests take turns."""
    for i in range(count):
        peer = peers[i % len(peers)]
        peer.sendall((f'GET /api/items HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: application/json\r\n'
                      f'Cookie: {cookies[i % len(peers)]}\r\n\r\n').encode())
        data = b''
        while not data.endswith(b'"}'):
            chunk = peer.recv(65536)
            if not chunk:
                sys.exit('moat closed the connection')
            data += chunk
        if not data.startswith(b'HTTP/1.1 200 '):
            sys.exit(f'an answer was {data[:60]!r}')


def environment(moat):
    """What changes the count beside Moat's code: the compiler, and most of all OpenSSL."""
    comment = subprocess.run(['readelf', '-p', '.comment', moat], capture_output=True, text=True).stdout
    compiler = re.search(r'(clang) version (\d+)', comment) or re.search(r'(GCC): \(.*?\) (\d+)', comment)
    library = re.search(r'OpenSSL (\d+\.\d+)', subprocess.run(['openssl', 'version'], capture_output=True, text=True).stdout)
    return (f'{compiler.group(1).lower()} {compiler.group(2)}' if compiler else 'another compiler') + \
        (f', openssl {library.group(1)}' if library else ', another openssl')


def control(pid, *arguments):
    done = subprocess.run(['callgrind_control', *arguments, str(pid)], capture_output=True, text=True, timeout=60)
    if done.returncode != 0 or 'Error' in done.stdout + done.stderr:
        sys.exit(f'callgrind_control {" ".join(arguments)} failed:\n{done.stdout}{done.stderr}')


def measure(bench, moat):
    backend, port = Backend(), common.free_port()
    out = os.path.join(bench.folder, 'callgrind.out')
    # valgrind gives up on debug information newer than it is; the names of functions stay.
    plain = os.path.join(bench.folder, 'moat')
    subprocess.run(['objcopy', '--strip-debug', moat, plain], check=True)
    # One thread at a time anyway; fair scheduling keeps the admin thread from waiting forever.
    command = ['valgrind', '--tool=callgrind', '--fair-sched=yes', '--instr-atstart=no', f'--callgrind-out-file={out}', '--quiet',
               plain, 'run', '--to', f'127.0.0.1:{backend.port}', '--workers', '1', '--https', f'127.0.0.1:{port}', '--http', 'off',
               '--data', os.path.join(bench.folder, 'data')]
    # Parts that callgrind's kernel knows: no io_uring, no filter of system calls.
    settings = {**os.environ, **common.LOOSE, 'MOAT_SERVER_ENGINE': 'epoll', 'MOAT_SERVER_ALLOW_UNSANDBOXED': 'true'}
    process = subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL, stderr=open(os.path.join(bench.folder, 'said'), 'w'))
    bench.started.append(process)
    common.wait_for(port, 60)
    cookies = [common.credentials(port, '/auth/signup', f'person{i}@example.com') for i in range(CONNECTIONS)]
    peers = [connect(port) for _ in range(CONNECTIONS)]
    load(peers, cookies, WARM)
    control(process.pid, '--instr=on')
    load(peers, cookies, WARM)  # what has been translated anew is in place
    control(process.pid, '--zero')
    load(peers, cookies, COUNTED)
    control(process.pid, '--dump')
    total = 0
    end = time.monotonic() + 20
    while total == 0 and time.monotonic() < end:
        for name in sorted(os.listdir(bench.folder)):
            if name.startswith('callgrind.out.'):
                found = re.search(r'^(?:totals|summary): (\d+)', open(os.path.join(bench.folder, name)).read(), re.M)
                total = int(found.group(1)) if found else total
        time.sleep(0.2)
    if total == 0:
        sys.exit('callgrind wrote no count')
    return total / COUNTED


def main():
    parser = argparse.ArgumentParser(prog='./dev bench instructions', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--record', action='store_true', help='writes the figure to tools/bench/instructions.txt')
    parser.add_argument('--moat', default=os.path.join(common.BUILD, 'moat'), help='the program (default: that of build/release)')
    o = parser.parse_args()
    for tool in ('valgrind', 'callgrind_control', 'objcopy'):
        if shutil.which(tool) is None:
            print(f'skipped: {tool} is not installed')
            return SKIPPED
    with common.Bench() as bench:
        found = measure(bench, o.moat)
    where, figures = environment(o.moat), {}
    if os.path.exists(RECORD):
        figures = {where: int(count) for count, where in re.findall(r'^(\d+) (.+)$', open(RECORD).read(), re.M)}
    if o.record:
        figures[where] = round(found)
        with open(RECORD, 'w') as f:
            f.write('# Instructions of Moat a proxied request and what it was built with, by ./dev bench instructions --record.\n')
            f.writelines(f'{count} {place}\n' for place, count in sorted(figures.items()))
    recorded = figures.get(where)
    print(f'{found:.0f} instructions a request; recorded: {recorded or "nothing"} ({where}); budget: {BUDGET}')
    how = './dev bench instructions --record'
    if found > BUDGET:
        print(f'more than the budget of {BUDGET}')
        return 1
    if recorded is None:
        print(f'another library or compiler counts otherwise, so only the budget holds here; to record it: {how}')
    elif found > recorded * (1 + TOLERANCE):
        print(f'{(found / recorded - 1) * 100:.1f} % more than recorded. If that is meant to be, record it: {how}')
        return 1
    elif found < recorded * (1 - TOLERANCE):
        print(f'{(1 - found / recorded) * 100:.1f} % fewer than recorded. Record it, so that it stays so: {how}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
