#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./dev bench gateway: Moat with everything on against nginx as a bare TLS proxy, in front of the same backend.

Both have one worker on one core; the backend and wrk have the other. The rounds alternate, and the figure of merit is the
CPU time a request costs the server, by the kernel's own accounting of all its threads: on a shared machine an absolute
time proves nothing, the ratio within a pair does.
"""
import argparse, os, socket, ssl, statistics, sys, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import common


def idle_memory(pid, port, count):
    """Resident memory with `count` idle TLS connections that have each made one request."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    open_now = []
    for _ in range(count):
        connection = context.wrap_socket(socket.create_connection(('127.0.0.1', port)), server_hostname='localhost')
        connection.sendall(b'GET /api/items HTTP/1.1\r\nHost: localhost\r\n\r\n')
        data = b''
        while not data.endswith(b'"}'):
            data += connection.recv(65536)
        open_now.append(connection)
    time.sleep(3)  # idle buffers are freed
    kib = common.rss_kib(pid)
    for connection in open_now:
        connection.close()
    return kib


def main():
    parser = argparse.ArgumentParser(prog='./dev bench gateway', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--pairs', type=int, default=9, help='alternating pairs (default 9)')
    parser.add_argument('--seconds', type=int, default=4, help='of each run (default 4)')
    parser.add_argument('--sessions', type=int, default=1000, help='distinct session cookies (default 1000)')
    parser.add_argument('--connections', type=int, default=64)
    parser.add_argument('--most', type=float, default=1.25, help='fail above this median ratio (default 1.25)')
    o = parser.parse_args()
    with common.Bench() as bench:
        chain, key = bench.certificate()
        backend = bench.backend()
        nginx, nginx_port = bench.proxy(backend, chain, key)
        moat, moat_port = bench.moat(backend, chain, key)
        print(f'making {o.sessions} sessions (each costs an Argon2id hash) …', flush=True)
        cookies = common.sessions(moat_port, o.sessions)
        script = os.path.join(bench.folder, 'cookies.lua')
        with open(script, 'w') as f:
            f.write('local cookies = {\n' + ''.join(f'"{c}",\n' for c in cookies) + '}\nlocal i = 0\nlocal ready = {}\n'
                    'function init() for k, c in ipairs(cookies) do ready[k] = wrk.format("GET", nil, {["Cookie"] = c, '
                    '["Host"] = "localhost", ["User-Agent"] = "bench", ["Accept"] = "application/json"}) end end\n'
                    'function request() i = i % #ready + 1; return ready[i] end\n')
        names = {'nginx': (nginx.pid, nginx_port), 'moat': (moat.pid, moat_port)}
        for pid, port in names.values():  # warm
            common.wrk(port, 1, o.connections, script)
        cost = {n: [] for n in names}
        rate = {n: [] for n in names}
        p99 = {n: [] for n in names}
        ratios = []
        for pair in range(o.pairs):
            for name in (list(names) if pair % 2 == 0 else list(names)[::-1]):
                pid, port = names[name]
                before = common.cpu_ns(pid)
                requests, r, p = common.wrk(port, o.seconds, o.connections, script)
                cost[name].append((common.cpu_ns(pid) - before) / requests / 1000)
                rate[name].append(r)
                p99[name].append(p)
            ratios.append(cost['moat'][-1] / cost['nginx'][-1])
            print(f'pair {pair + 1}: nginx {cost["nginx"][-1]:.1f} us, moat {cost["moat"][-1]:.1f} us, ratio {ratios[-1]:.2f}', flush=True)
        print('\n                CPU us a request          requests/s              p99 ms')
        for name in names:
            print(f'{name:10} {common.spread(cost[name], 1):>24} {common.spread(rate[name], 0):>24} {common.spread(p99[name], 1):>18}')
        ratio = statistics.median(ratios)
        print(f'\nCPU ratio moat/nginx: median {common.spread(ratios)} (wanted: {o.most} or less)')
        memory = {name: idle_memory(pid, port, 1000) for name, (pid, port) in names.items()}
        print(f'resident with 1000 idle TLS connections: nginx {memory["nginx"] / 1024:.1f} MiB, moat {memory["moat"] / 1024:.1f} MiB, '
              f'ratio {memory["moat"] / memory["nginx"]:.2f} (wanted: 1.5 or less)')
        return 0 if ratio <= o.most and memory['moat'] <= 1.5 * memory['nginx'] else 1


if __name__ == '__main__':
    sys.exit(main())
