#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./dev bench jwt: what it costs to sign and to verify a token, beside other libraries and beside OpenSSL alone.

A token of about 300 bytes, its exp, aud and iss checked, HS256, ES256, Ed25519 and RS256. npm's jsonwebtoken, jose and
fast-jwt hold prepared keys and have no cache; libjwt and cpp-jwt cannot hold a prepared key. OpenSSL alone is the floor: the
MAC over the same bytes with its inner states prepared, or EVP_DigestSign and EVP_DigestVerify with the key read beforehand.
All in turns on one core, forwards and backwards; CPU time of all threads. A ratio is taken within a turn.
"""
import argparse, json, os, statistics, subprocess, sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import common

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'jwt')
ALGORITHMS, OPERATIONS = ('HS256', 'ES256', 'Ed25519', 'RS256'), ('verify', 'sign')
NODE, NATIVE = ('jsonwebtoken', 'jose', 'fast-jwt'), ('libjwt', 'cpp-jwt')
# Moat's verification over OpenSSL alone, at most. The goal for HS256 is 1 us where the MAC takes 0.22 us.
FLOOR = {'HS256': 1.0 / 0.22, 'ES256': 1.1, 'Ed25519': 1.1, 'RS256': 1.1}
PEER = {'HS256': 1 / 5}  # over the best of Node, at most


class Worker:
    """A program that answers "WHO OP ALG MILLISECONDS" with nanoseconds."""

    def __init__(self, bench, *command):
        self.process = common.pin(common.SERVER_CPU, [*command, bench.folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        bench.started.append(self.process)
        if self.process.stdout.readline() != 'ready\n':
            sys.exit(f'{command[0]} did not start')

    def ask(self, who, operation, algorithm, milliseconds):
        """Microseconds, or None where there is no such thing."""
        self.process.stdin.write(f'{who} {operation} {algorithm} {milliseconds}\n')
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f'{who} {operation} {algorithm} failed')
        return None if line == '?\n' else float(line) / 1000


def keys(folder):
    for name, options in (('es256', ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256']), ('ed25519', ['ED25519']),
                          ('rs256', ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048'])):
        path = os.path.join(folder, name)
        subprocess.run(['openssl', 'genpkey', '-algorithm', *options, '-out', path + '.pem'], check=True, capture_output=True)
        subprocess.run(['openssl', 'pkey', '-in', path + '.pem', '-pubout', '-out', path + '.pub'], check=True, capture_output=True)
    with open(os.path.join(folder, 'hs256.key'), 'w') as f:  # text without a zero byte: some peers take no other
        f.write(os.urandom(24).hex())


def workers(bench):
    """By name of library. The first one writes the tokens that the others verify."""
    subprocess.run(['cmake', '--build', common.BUILD, '--target', 'jwt_bench'], check=True, stdout=subprocess.DEVNULL)
    room = os.path.join(common.BUILD, 'rooms', 'jwt')
    found = dict.fromkeys(('moat', 'openssl'), Worker(bench, os.path.join(room, 'jwt_bench')))
    installed = os.path.join(FOLDER, 'node_modules', '.package-lock.json')
    if not os.path.exists(installed) or os.path.getmtime(installed) < os.path.getmtime(os.path.join(FOLDER, 'package-lock.json')):
        print('installing the packages of tools/bench/jwt …', flush=True)
        done = subprocess.run(['npm', 'ci', '--no-audit', '--no-fund'], cwd=FOLDER, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit('npm ci failed in tools/bench/jwt:\n' + done.stderr[-2000:])
    found.update(dict.fromkeys(NODE, Worker(bench, 'node', os.path.join(FOLDER, 'peers.mjs'))))
    built = subprocess.run(['cmake', '--build', common.BUILD, '--target', 'jwt_peers_bench'], capture_output=True, text=True)
    if built.returncode == 0:
        found.update(dict.fromkeys(NATIVE, Worker(bench, os.path.join(room, 'jwt_peers_bench'))))
    else:
        print('libjwt and cpp-jwt are left out: libjwt-dev or libcpp-jwt-dev is not installed, or does not compile')
    return found


def ratios(ours, other):
    return [a / b for a, b in zip(ours, other)]


def judge(what, values, most):
    good = statistics.median(values) <= most
    print(f'    {what}: {common.spread(values)}, wanted at most {most:.2f}: {"PASS" if good else "short"}')
    return good


def report(algorithm, operation, times):
    """Prints one table; whether all that it must reach is reached."""
    ours = times['moat']
    print(f'\n{algorithm} {operation}')
    for who, values in times.items():
        beside = '' if who == 'moat' else f'   moat over it {common.spread(ratios(ours, values))}'
        print(f'    {who:13} {common.spread(values):>28} us{beside}')
    good = True
    if operation == 'verify':
        good = judge('over OpenSSL alone', ratios(ours, times['openssl']), FLOOR[algorithm])
        if algorithm in PEER:
            best = min((n for n in NODE if n in times), key=lambda n: statistics.median(times[n]))
            good = judge(f'over {best}, the best of Node', ratios(ours, times[best]), PEER[algorithm]) and good
    return good


def main():
    parser = argparse.ArgumentParser(prog='./dev bench jwt', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--turns', type=int, default=9, help='default 9')
    parser.add_argument('--milliseconds', type=int, default=60, help='of CPU for each figure of a turn (default 60)')
    parser.add_argument('--algorithms', nargs='+', choices=ALGORITHMS, default=ALGORITHMS)
    parser.add_argument('--json', metavar='FILE', help='keeps the figures')
    o = parser.parse_args()
    figures = {}
    with common.Bench() as bench:
        keys(bench.folder)
        found = workers(bench)
        token = open(os.path.join(bench.folder, 'hs256.token')).read()
        print(f'a token of HS256 has {len(token)} bytes; microseconds of CPU, median [least..most] of {o.turns} turns', flush=True)
        good = True
        for algorithm in o.algorithms:
            for operation in OPERATIONS:
                times = {who: [] for who, worker in found.items() if worker.ask(who, operation, algorithm, 400) is not None}
                for turn in range(o.turns):
                    for who in (list(times) if turn % 2 == 0 else reversed(list(times))):
                        times[who].append(found[who].ask(who, operation, algorithm, o.milliseconds))
                good = report(algorithm, operation, times) and good
                figures[f'{algorithm} {operation}'] = times
                sys.stdout.flush()
    if o.json:
        with open(o.json, 'w') as f:
            json.dump(figures, f, indent=1)
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
