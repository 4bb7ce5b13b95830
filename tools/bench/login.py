#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./dev bench login: are logins as many as the Argon2 parameters allow, and do other requests stay quick meanwhile?

Moat has one core and one hashing thread there; the clients have the other core. What the parameters allow is one core
divided by the CPU time of one hash, measured in the same run on the same core by a program that only hashes. The p99 of
small requests is measured without logins and while logins saturate the pool, in alternation.
"""
import argparse, http.client, json, os, statistics, subprocess, sys, threading, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import common


def latencies(port, cookie, seconds, rate):
    """Milliseconds of requests at a fixed rate over one connection; what is late counts from when it was due."""
    connection = common.client(port)
    out = []
    start = time.perf_counter()
    for i in range(int(seconds * rate)):
        due = start + i / rate
        pause = due - time.perf_counter()
        if pause > 0:
            time.sleep(pause)
        connection.request('GET', '/api/items', headers={'Cookie': cookie})
        connection.getresponse().read()
        out.append((time.perf_counter() - due) * 1000)
    connection.close()
    return out


class Logins:
    """Clients that log in again and again, as many at once as keep the pool busy."""

    def __init__(self, port, people, clients):
        self.port, self.people, self.stop, self.done, self.busy = port, people, False, 0, 0
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(clients)]
        self.lock = threading.Lock()

    def run(self, number):
        connection = common.client(self.port)
        body = json.dumps({'email': f'person{number % self.people}@example.com', 'password': common.PASSWORD})
        while not self.stop:
            connection.request('POST', '/auth/login', body, {'Content-Type': 'application/json'})
            answer = connection.getresponse()
            answer.read()
            with self.lock:
                self.done += answer.status == 200
                self.busy += answer.status == 503
            if answer.status not in (200, 503):
                print(f'a login was answered with {answer.status}', file=sys.stderr)
                self.stop = True

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop = True
        for thread in self.threads:
            thread.join()


def hashes_a_second(seconds):
    """What one core can hash, by `moat hash --benchmark`."""
    out = subprocess.run(['taskset', '-c', common.SERVER_CPU, os.path.join(common.BUILD, 'moat'), 'hash', '--benchmark', str(seconds)],
                         capture_output=True, text=True, check=True).stdout
    return 1000 / float(out.split()[0])


def p99(values):
    return sorted(values)[int(len(values) * 0.99)]


def main():
    parser = argparse.ArgumentParser(prog='./dev bench login', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=5, help='alternating rounds (default 5)')
    parser.add_argument('--seconds', type=int, default=5, help='of each half of a round (default 5)')
    parser.add_argument('--clients', type=int, default=4, help='logging in at once (default 4)')
    o = parser.parse_args()
    with common.Bench() as bench:
        chain, key = bench.certificate()
        backend = bench.backend()
        moat, port = bench.moat(backend, chain, key, {'MOAT_PASSWORD_WORKERS': '1'})
        cookie = common.sessions(port, 40)[0]
        shares, quiet, loud = [], [], []
        print('round   allowed/s   logins/s   share    p99 ms quiet   p99 ms with logins')
        for number in range(o.rounds):
            allowed = hashes_a_second(2)
            calm = latencies(port, cookie, o.seconds, 100)
            with Logins(port, 4, o.clients) as logins:
                time.sleep(0.5)
                before, cpu, begin = logins.done, common.cpu_ns(moat.pid), time.perf_counter()
                busy = latencies(port, cookie, o.seconds, 100)
                rate = (logins.done - before) / (time.perf_counter() - begin)
            share = rate / allowed
            shares.append(share)
            quiet.append(p99(calm))
            loud.append(p99(busy))
            print(f'{number + 1:5} {allowed:11.1f} {rate:10.1f} {share:7.2f} {quiet[-1]:15.1f} {loud[-1]:20.1f}', flush=True)
        ratio = statistics.median(b / a for a, b in zip(quiet, loud))
        print(f'\nlogins of what Argon2 allows: median {common.spread(shares)} (the rest is TLS, HTTP, the store and its syncs)')
        print(f'p99 of other requests with logins over without: median {ratio:.2f} (wanted: 3 or less)')
        return 0 if ratio <= 3 and statistics.median(shares) >= 0.85 else 1


if __name__ == '__main__':
    sys.exit(main())
