# SPDX-License-Identifier: Apache-2.0
"""A network of its own with a name server and a site on the usual ports, for one command.

    unshare -rmn python3 doctor_network.py '{"zone": {…}, "https": ["127.0.0.1"], "http": [], "chain": "…", "command": […]}'

`zone` has for each name "A", "AAAA" (texts), "CAA" ([flags, tag, value]) and "CNAME" (a name), or a word in place of
a list: "fail" (SERVFAIL) or "drop" (no answer). Gives the command's output and exit code.
"""
import fcntl
import ipaddress
import json
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading

from doctor_sites import Site, head, says

TYPES = {'A': 1, 'CNAME': 5, 'AAAA': 28, 'CAA': 257}
NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME = 0, 2, 3


def encode(name):
    return b''.join(bytes([len(label)]) + label.encode() for label in name.split('.')) + b'\0'


def record(name, kind, value):
    if kind == 'CAA':
        data = bytes([value[0], len(value[1])]) + value[1].encode() + value[2].encode()
    elif kind == 'CNAME':
        data = encode(value)
    else:
        data = ipaddress.ip_address(value).packed
    return encode(name) + struct.pack('>HHIH', TYPES[kind], 1, 60, len(data)) + data


def answer(zone, query):
    """The answer to one question, or nothing."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    name, question = '.'.join(labels).lower(), query[12:at + 5]
    wanted = {number: kind for kind, number in TYPES.items()}.get(struct.unpack('>H', query[at + 1:at + 3])[0])
    records, code = [], NO_ERROR
    here = zone.get(name, {})
    if 'CNAME' in here:
        records.append(record(name, 'CNAME', here['CNAME']))
        name, here = here['CNAME'], zone.get(here['CNAME'], {})
    values = here.get(wanted, [])
    if values == 'drop':
        return None
    if values == 'fail':
        code = SERVER_FAILURE
    elif not any(known == name or known.endswith('.' + name) for known in zone):
        code = NO_SUCH_NAME
    else:
        records += [record(name, wanted, value) for value in values]
    return query[:2] + struct.pack('>HHHHH', 0x8180 | code, 1, len(records), 0, 0) + question + b''.join(records)


def serve_names(zone):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(('127.0.0.1', 53))

    def serve():
        while True:
            query, sender = server.recvfrom(2048)
            reply = answer(zone, query)
            if reply is not None:
                server.sendto(reply, sender)
    threading.Thread(target=serve, daemon=True).start()


def replace(path, text):
    file = pathlib.Path(tempfile.mkstemp()[1])
    file.write_text(text)
    subprocess.run(['mount', '--bind', file, path], check=True)
    file.unlink()


def main():
    scenario = json.loads(sys.argv[1])
    with socket.socket() as any_socket:  # SIOCSIFFLAGS: the loopback device goes up
        fcntl.ioctl(any_socket, 0x8914, struct.pack('16sh', b'lo', 0x49))
    replace('/etc/resolv.conf', 'nameserver 127.0.0.1\n')
    replace('/etc/nsswitch.conf', 'hosts: dns\n')
    serve_names(scenario['zone'])
    host = scenario['command'][3]
    for address in scenario['https']:
        Site(says(head('Date: {date}', 'Strict-Transport-Security: max-age=63072000; includeSubDomains; preload')),
             chain=scenario['chain'], place=(address, 443))
    for address in scenario['http']:
        Site(lambda connection, request: connection.sendall(
            head(status='403 Forbidden') if request.startswith(b'POST') else
            head(f'Location: https://{host}/', status='308 Permanent Redirect')), place=(address, 80))
    sys.exit(subprocess.run(scenario['command'], timeout=60, check=False).returncode)


if __name__ == '__main__':
    main()
