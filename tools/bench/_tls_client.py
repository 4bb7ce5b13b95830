#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients of ./dev bench gateway that run as processes of their own, on the clients' core.

    _tls_client.py handshake PORT SECONDS full|resumed   connects, asks once, closes, again and again; says how often
    _tls_client.py idle PORT COUNT                       asks once on each of COUNT connections and keeps them until stdin closes
    _tls_client.py logins PORT SECONDS RATE PEOPLE       logs in at that rate; says how many succeeded and failed
"""
import http.client, json, resource, socket, ssl, sys, threading, time

ASK = b'GET /api/items HTTP/1.1\r\nHost: localhost\r\n%s\r\n'
PASSWORD = 'a rather long passphrase'


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE  # a throw-away certificate
    made.set_alpn_protocols(['http/1.1'])
    return made


def connect(port, tls, session=None):
    raw = socket.create_connection(('127.0.0.1', port), 30)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return tls.wrap_socket(raw, server_hostname='localhost', session=session)


def read_answer(connection):
    """One answer with a Content-Length or in chunks, as a client that goes on would read it."""
    data = b''
    while b'\r\n\r\n' not in data:
        data += connection.recv(65536) or sys.exit('the server closed')
    head, _, body = data.partition(b'\r\n\r\n')
    status, fields = head.split(b' ', 2)[1], head.lower()
    if b'transfer-encoding: chunked' in fields:
        while not body.endswith(b'0\r\n\r\n'):
            body += connection.recv(65536) or sys.exit('the server closed')
    else:
        size = int(fields.split(b'content-length:')[1].split(b'\r\n')[0])
        while len(body) < size:
            body += connection.recv(65536) or sys.exit('the server closed')
    return status


def handshake(port, seconds, kind):
    tls, session, count = context(), None, 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with connect(port, tls, session if kind == 'resumed' else None) as connection:
            connection.sendall(ASK % b'Connection: close\r\n')
            read_answer(connection)
            if kind == 'resumed':
                if session is not None and not connection.session_reused:
                    sys.exit('the server did not resume')
                session = connection.session
        count += 1
    print(count)


def idle(port, count):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    tls, there = context(), []
    for _ in range(count):
        connection = connect(port, tls)
        connection.sendall(ASK % b'')
        read_answer(connection)
        there.append(connection)
    print('ready', flush=True)
    sys.stdin.read()


def logins(port, seconds, rate, people):
    done, lock = {'good': 0, 'bad': 0}, threading.Lock()
    start, each = time.monotonic(), 4

    def run(number):
        connection = http.client.HTTPSConnection('localhost', port, context=context(), timeout=60)
        for i in range(number, int(seconds * rate), each):
            pause = start + i / rate - time.monotonic()
            if pause > 0:
                time.sleep(pause)
            body = json.dumps({'email': f'person{i % people}@example.com', 'password': PASSWORD})
            connection.request('POST', '/auth/login', body, {'Content-Type': 'application/json'})
            answer = connection.getresponse()
            answer.read()
            with lock:
                done['good' if answer.status == 200 else 'bad'] += 1

    threads = [threading.Thread(target=run, args=(n,)) for n in range(each)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(done['good'], done['bad'])


if __name__ == '__main__':
    what, port, rest = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    if what == 'handshake':
        handshake(port, float(rest[0]), rest[1])
    elif what == 'idle':
        idle(port, int(rest[0]))
    else:
        logins(port, float(rest[0]), float(rest[1]), int(rest[2]))
