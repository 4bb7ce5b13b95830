#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./dev bench gateway: Moat with everything on against its peers, in front of the same backend.

Each has one worker on one core; the backend and the clients have the other. Runs go through all peers in turn, forwards and
backwards, and a ratio is taken within a turn: on a shared machine an absolute time proves nothing. CPU is the time a request
(or handshake) costs the server, by the kernel's own accounting of all threads of all its processes.

nginx, haproxy and caddy are bare TLS proxies, auth_request is nginx that asks a service about each request, express has the
seven practices as npm packages. What a case must reach is printed beside it; the exit code is 1 where one falls short.
"""
import argparse, json, math, os, select, statistics, subprocess, sys, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import common
from common import Load
from _peers import Peers, missing

CLIENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '_tls_client.py')
LOGIN_RATE, BESIDE_RATE, PEOPLE = 20, 200, 4


class Suite:
    def __init__(self, bench, peers, options):
        self.bench, self.peers, self.options, self.scripts = bench, peers, options, {}

    def script(self, name):
        """What wrk sends: one request for each session. All but express get those of Moat, so that sizes are the same."""
        name = name if name == 'express' else 'moat'
        if name not in self.scripts:
            path = os.path.join(self.bench.folder, f'{name}.lua')
            with open(path, 'w') as f:
                f.write('local cookies = {\n' + ''.join(f'"{c}",\n' for c in self.peers[name].cookies) + '}\nlocal i = 0\nlocal ready = {}\n'
                        'function init() for k, c in ipairs(cookies) do ready[k] = wrk.format("GET", nil, {["Cookie"] = c, '
                        '["Host"] = "localhost", ["User-Agent"] = "bench", ["Accept"] = "application/json"}) end end\n'
                        'function request() i = i % #ready + 1; return ready[i] end\n')
            self.scripts[name] = path
        return self.scripts[name]

    def cookie(self, name):
        return self.peers[name if name == 'express' else 'moat'].cookies[0]

    # One run each; they return a Load.

    def keepalive(self, name, connections=64, path='/api/items'):
        return common.wrk(self.peers[name].port, self.options.seconds, connections, self.script(name), path)

    def single(self, name):
        return self.keepalive(name, 1)

    def body64k(self, name):
        return self.keepalive(name, 16, '/body/64k')

    def body1m(self, name):
        return self.keepalive(name, 16, '/body/1m')

    def half(self, name):
        if not hasattr(self, 'half_rate'):
            self.half_rate = self.keepalive('nginx').rate / 2
            print(f'half of what nginx takes: {self.half_rate:.0f} requests a second')
        return common.h2load(self.bench.folder, self.peers[name].port, self.options.seconds, 32, rate=self.half_rate,
                             cookie=self.cookie(name), http1=True)

    def http2(self, name):
        return common.h2load(self.bench.folder, self.peers[name].port, self.options.seconds, 10, 10, cookie=self.cookie(name))

    def schema(self, name):
        """An order of 1 to 2 KiB is posted; 'schema' is Moat with an OpenAPI document for it."""
        path = os.path.join(self.bench.folder, 'orders.lua')
        if not os.path.exists(path):
            orders = common.orders()[1]
            with open(path, 'w') as f:
                f.write('local bodies = {' + ', '.join(f'[==[{order}]==]' for order in orders) + '}\nlocal i = 0\nlocal ready = {}\n'
                        'function init() for k, b in ipairs(bodies) do ready[k] = wrk.format("POST", nil, {["Host"] = "localhost", '
                        '["User-Agent"] = "bench", ["Content-Type"] = "application/json"}, b) end end\n'
                        'function request() i = i % #ready + 1; return ready[i] end\n')
        return common.wrk(self.peers[name].port, self.options.seconds, 64, path, '/api/items')

    def handshake(self, name, kind='full'):
        out = common.on_client_core([sys.executable, CLIENT, 'handshake', str(self.peers[name].port), str(self.options.seconds), kind],
                                    self.options.seconds)
        return Load(int(out), int(out) / self.options.seconds, math.nan, math.nan)

    def resumed(self, name):
        return self.handshake(name, 'resumed')

    def logins(self, name):
        """Other requests beside logins."""
        port = str(self.peers[name].port)
        command = [sys.executable, CLIENT, 'logins', port, str(self.options.seconds + 1), str(LOGIN_RATE), str(PEOPLE)]
        beside = common.pin(common.CLIENT_CPU, command, stdout=subprocess.PIPE, text=True)
        self.bench.started.append(beside)
        time.sleep(0.5)
        load = common.h2load(self.bench.folder, self.peers[name].port, self.options.seconds, 8, rate=BESIDE_RATE,
                             cookie=self.cookie(name), http1=True)
        good, bad = (int(n) for n in beside.communicate(timeout=60 + 3 * self.options.seconds)[0].split())
        if bad > good / 10:
            sys.exit(f'{name}: {bad} of {good + bad} logins failed')
        return load

    def idle(self, name, count):
        """KiB that the server holds with `count` idle connections."""
        if name == 'moat':
            time.sleep(11)  # the memory of the sign-ups' hashes goes back to the system after ten quiet seconds
        client = common.pin(common.CLIENT_CPU, [sys.executable, CLIENT, 'idle', str(self.peers[name].port), str(count)],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.bench.started.append(client)
        if not select.select([client.stdout], [], [], 300)[0] or client.stdout.readline() != 'ready\n':
            sys.exit(f'{name} did not keep {count} connections')
        time.sleep(3)  # buffers of idle connections are freed
        kib = common.pss_kib(self.peers[name].pid)
        client.communicate(timeout=60)
        time.sleep(1)
        return kib


# Case: who takes part; the figure, the peer it is held against, and the most that the ratio may be.
CASES = {
    'keepalive': (('nginx', 'haproxy', 'caddy', 'auth_request', 'express'),
                  (('cpu', 'nginx', {'io_uring': 0.75, 'epoll': 1.1}), ('cpu', 'caddy', 0.3), ('cpu', 'express', 0.05))),
    'single': (('nginx', 'haproxy', 'caddy'), (('cpu', 'nginx', 1.1),)),
    'half': (('nginx', 'haproxy'), (('p99', 'nginx', 1.0),)),
    'http2': (('nginx', 'haproxy', 'caddy'), (('cpu', 'haproxy', 0.9),)),
    'handshake': (('nginx', 'haproxy', 'caddy'), (('cpu', 'nginx', 1.05),)),
    'resumed': (('nginx', 'haproxy', 'caddy'), (('cpu', 'nginx', 1.05),)),
    'body64k': (('nginx', 'haproxy', 'caddy'), (('cpu', 'nginx', 1.05),)),
    'body1m': (('nginx', 'haproxy', 'caddy'), (('cpu', 'nginx', 1.05),)),
    'schema': (('schema',), (('share', 'schema', 1 / 3),)),
    'logins': (('express',), (('p99', 'express', 1.0),)),
    'idle1000': (('nginx', 'haproxy', 'caddy'), (('memory', 'nginx', 1.05),)),
    'idle10000': (('nginx',), (('memory', 'nginx', 1.05),)),
}


def run_case(suite, name):
    """Figures of each server, by round: {'moat': [{'cpu': …, 'p99': …}, …], …}."""
    everybody = ('moat', *CASES[name][0])
    figures = {server: [] for server in everybody}
    for server in everybody:
        suite.peers[server]
    if name.startswith('idle'):
        for server in everybody:
            figures[server].append({'memory': suite.idle(server, int(name[4:]))})
        return figures
    if name == 'logins':
        for server in everybody:
            for person in range(PEOPLE):
                try:
                    common.credentials(suite.peers[server].port, '/auth/signup', f'person{person}@example.com')
                except RuntimeError:
                    pass  # made with the sessions
    action = getattr(suite, name)
    for server in everybody:
        common.wrk(suite.peers[server].port, 1, 16, suite.script(server))  # warm
    for turn in range(suite.options.pairs):
        for server in everybody if turn % 2 == 0 else everybody[::-1]:
            pid = suite.peers[server].pid
            before = common.cpu_ns(pid)
            load = action(server)
            cpu = (common.cpu_ns(pid) - before) / load.requests / 1000
            figures[server].append({'cpu': cpu, 'rate': load.rate, 'p50': load.p50, 'p99': load.p99})
        print(f'  {name} {turn + 1}: ' + ', '.join(f'{s} {f[-1]["cpu"]:.1f} us' for s, f in figures.items()), flush=True)
    return figures


def ratios(figures, figure, peer):
    if figure == 'share':  # of the peer's CPU, which does more than we do
        return [1 - ours['cpu'] / theirs['cpu'] for ours, theirs in zip(figures['moat'], figures[peer])]
    return [ours[figure] / theirs[figure] for ours, theirs in zip(figures['moat'], figures[peer])]


def report(name, figures, engine):
    """Prints a case; returns its verdicts."""
    columns = ('memory',) if name.startswith('idle') else ('cpu', 'rate', 'p50', 'p99')
    titles = {'memory': 'MiB', 'cpu': 'CPU us each', 'rate': 'each second', 'p50': 'p50 ms', 'p99': 'p99 ms'}
    print(f'\n{name:14}' + ''.join(f'{titles[c]:>28}' for c in columns) + f'{"moat over it":>24}')
    for server, rounds in figures.items():
        cells = []
        for column in columns:
            values = [r[column] / (1024 if column == 'memory' else 1) for r in rounds]
            cells.append('' if math.isnan(values[0]) else common.spread(values, 0 if column == 'rate' else 2 if column[0] == 'p' else 1))
        over = common.spread(ratios(figures, columns[0], server)) if server != 'moat' else ''
        print(f'{server:14}' + ''.join(f'{c:>28}' for c in cells) + f'{over:>24}')
    verdicts = []
    for figure, peer, most in CASES[name][1]:
        most = most[engine or 'io_uring'] if isinstance(most, dict) else most
        found = ratios(figures, figure, peer)
        good = statistics.median(found) <= most
        verdicts.append({'case': name, 'figure': figure, 'peer': peer, 'wanted': most, 'median': statistics.median(found),
                         'least': min(found), 'most': max(found), 'pass': good})
        print(f'{"PASS " if good else "short"}  {name}: {figure} over {peer} {common.spread(found)}, wanted {most:.4g} or less')
    return verdicts


def main():
    parser = argparse.ArgumentParser(prog='./dev bench gateway', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--only', action='append', help='cases, separated by commas: ' + ', '.join(CASES))
    parser.add_argument('--pairs', type=int, default=9, help='turns through all servers (default 9)')
    parser.add_argument('--seconds', type=int, default=4, help='of each run (default 4)')
    parser.add_argument('--sessions', type=int, default=1000, help='distinct session cookies (default 1000)')
    parser.add_argument('--engine', choices=('epoll', 'io_uring'), help='of Moat (MOAT_SERVER_ENGINE); what must be reached depends on it')
    parser.add_argument('--json', metavar='FILE', help='writes all figures there')
    o = parser.parse_args()
    wanted = [name for given in o.only or [','.join(CASES)] for name in given.split(',')]
    unknown = [name for name in wanted if name not in CASES]
    if unknown or min(o.pairs, o.seconds, o.sessions) < 1:
        parser.error(f'there is no case {", ".join(unknown)}' if unknown else 'numbers begin at 1')
    lacking = missing({peer for name in wanted for peer in CASES[name][0]})
    if lacking:
        sys.exit(f'not installed: {", ".join(lacking)}')
    limit = common.raise_descriptor_limit()
    if 'idle10000' in wanted and limit < 10_500:
        sys.exit(f'idle10000 needs 10500 descriptors a process; the hard limit is {limit} (ulimit -Hn)')
    verdicts, everything = [], {}
    with common.Bench() as bench:
        suite = Suite(bench, Peers(bench, o.sessions, o.engine), o)
        for name in wanted:
            everything[name] = run_case(suite, name)
            verdicts += report(name, everything[name], o.engine)
    print('\n' + '\n'.join(f'{"PASS " if v["pass"] else "short"}  {v["case"]:10} {v["figure"]:6} over {v["peer"]:8} {v["median"]:.2f} '
                           f'[{v["least"]:.2f}..{v["most"]:.2f}], wanted {v["wanted"]:.4g} or less' for v in verdicts))
    if o.json:
        with open(o.json, 'w') as f:
            json.dump({'options': vars(o), 'verdicts': verdicts, 'figures': everything}, f, indent=1)
    return 0 if all(v['pass'] for v in verdicts) else 1


if __name__ == '__main__':
    sys.exit(main())
