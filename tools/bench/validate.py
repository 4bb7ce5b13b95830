#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./dev bench validate: what checks, escaping and schemas cost, beside npm's validator and ajv and beside valijson.

The inputs are tools/bench/validate/inputs.json for all: twelve texts a check, half of them good, three pages of 1 KiB to escape, an
order of 1.3 KiB that fits its schema and one that does not. Parsing the order is part of checking it. Everything is in turns on
one core, forwards and backwards, after a warm-up; CPU time of all threads. A ratio is taken within a turn.
"""
import argparse, json, os, statistics, subprocess, sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import common

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'validate')
INPUTS = os.path.join(FOLDER, 'inputs.json')
CHECKS = ('email', 'url', 'ip', 'uuid', 'credit_card', 'fqdn', 'iban', 'iso8601', 'base64', 'int', 'mac_address', 'jwt')
PAGE = 1024  # bytes of each text to escape
# How many times as fast as each peer Moat must be, at least.
WANTED = {**{check: {'validator': 5} for check in CHECKS}, 'escape': {'validator': 4}, 'schema': {'ajv': 3, 'valijson': 10}}


class Worker:
    """A program that answers "WHO WHAT MILLISECONDS" with nanoseconds and what it took."""

    def __init__(self, bench, *command):
        self.process = common.pin(common.SERVER_CPU, [*command, INPUTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        bench.started.append(self.process)
        if self.process.stdout.readline() != 'ready\n':
            sys.exit(f'{command[0]} did not start')

    def ask(self, who, what, milliseconds):
        """Nanoseconds an operation, and how many inputs were taken."""
        self.process.stdin.write(f'{who} {what} {milliseconds}\n')
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if len(answer) != 2:
            sys.exit(f'{who} {what} failed')
        return float(answer[0]), int(answer[1])


def valijson(bench):
    """valijson is headers only, but its package wants Qt and more: so its headers are taken out of the package."""
    folder = os.path.join(common.ROOT, 'build', 'valijson')
    headers = os.path.join(folder, 'usr', 'include')
    if not os.path.isdir(os.path.join(headers, 'rapidjson')) and not os.path.exists('/usr/include/valijson'):
        os.makedirs(folder, exist_ok=True)
        done = subprocess.run(['apt-get', 'download', 'libvalijson-dev', 'rapidjson-dev'], cwd=folder, capture_output=True, text=True)
        for package in os.listdir(folder) if done.returncode == 0 else []:
            if package.endswith('.deb'):
                subprocess.run(['dpkg-deb', '-x', package, '.'], cwd=folder, check=True)
    program = os.path.join(bench.folder, 'valijson_bench')
    built = subprocess.run(['c++', '-std=c++17', '-O2', '-DNDEBUG', '-w', '-isystem', headers, '-o', program,
                            os.path.join(common.ROOT, 'moat', 'validate', 'valijson_bench.cc')], capture_output=True, text=True)
    if built.returncode == 0:
        return Worker(bench, program)
    print('valijson is left out: libvalijson-dev could not be fetched by apt-get, or does not compile')
    return None


def workers(bench):
    """By name of library."""
    subprocess.run(['cmake', '--build', common.BUILD, '--target', 'validate_bench'], check=True, stdout=subprocess.DEVNULL)
    found = {'moat': Worker(bench, os.path.join(common.BUILD, 'rooms', 'validate', 'validate_bench'))}
    installed = os.path.join(FOLDER, 'node_modules', '.package-lock.json')
    if not os.path.exists(installed) or os.path.getmtime(installed) < os.path.getmtime(os.path.join(FOLDER, 'package-lock.json')):
        print('installing the packages of tools/bench/validate …', flush=True)
        done = subprocess.run(['npm', 'ci', '--no-audit', '--no-fund'], cwd=FOLDER, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit('npm ci failed in tools/bench/validate:\n' + done.stderr[-2000:])
    found.update(dict.fromkeys(('validator', 'ajv'), Worker(bench, 'node', os.path.join(FOLDER, 'peers.mjs'))))
    other = valijson(bench)
    return {**found, 'valijson': other} if other else found


def rate(what, nanoseconds):
    per_second = 1e9 / nanoseconds
    if what == 'escape':
        return f'{per_second * PAGE / 1e6:.0f} MB/s'
    return f'{per_second / 1e6:.2f} M/s' if per_second >= 1e6 else f'{per_second / 1e3:.1f} k/s'


def measure(found, what, o):
    """Nanoseconds of each turn by library; and what each took of the inputs."""
    who = [name for name in ('moat', *WANTED[what]) if name in found]
    taken = {name: found[name].ask(name, what, 400)[1] for name in who}
    times = {name: [] for name in who}
    for turn in range(o.turns):
        for name in (who if turn % 2 == 0 else reversed(who)):
            times[name].append(found[name].ask(name, what, o.milliseconds)[0])
    return times, taken


def report(what, times, taken):
    """Prints a line a peer; whether all that must be reached is reached."""
    good = True
    for peer, least in WANTED[what].items():
        if peer not in times:
            continue
        ratios = [other / ours for ours, other in zip(times['moat'], times[peer])]
        reached = statistics.median(ratios) >= least
        differs = '' if what == 'escape' or taken[peer] == taken['moat'] else f'   (takes {taken[peer]} of its inputs, Moat {taken["moat"]})'
        print(f'{what:12} {statistics.median(times["moat"]):8.1f} ns {rate(what, statistics.median(times["moat"])):>12}   '
              f'{peer:10} {statistics.median(times[peer]):9.1f} ns {rate(what, statistics.median(times[peer])):>11}   '
              f'{common.spread(ratios, 1):>20} times, wanted {least}: {"PASS" if reached else "short"}{differs}', flush=True)
        good = good and reached
    return good


def main():
    parser = argparse.ArgumentParser(prog='./dev bench validate', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--turns', type=int, default=9, help='default 9')
    parser.add_argument('--milliseconds', type=int, default=60, help='of CPU for each figure of a turn (default 60)')
    parser.add_argument('--only', nargs='+', choices=WANTED, default=WANTED)
    parser.add_argument('--json', metavar='FILE', help='keeps the figures')
    o = parser.parse_args()
    figures, good = {}, True
    with common.Bench() as bench:
        found = workers(bench)
        print(f'CPU time and operations a second, median of {o.turns} turns; how many times as fast Moat is, median [least..most]', flush=True)
        for what in o.only:
            times, taken = measure(found, what, o)
            good = report(what, times, taken) and good
            figures[what] = times
    if o.json:
        with open(o.json, 'w') as f:
            json.dump(figures, f, indent=1)
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
