#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The arrows of the house run downwards: checked from each room's CMakeLists.txt and its includes.

Also: the public headers of floors 0 to 2 include the standard library and Moat, nobody else.
"""
import re
import sys

from _common import finish, line_of, read, self_test, tracked

FLOORS = [
    {'base'},
    {'env', 'validate', 'password', 'jwt', 'limit', 'csrf', 'http', 'http2', 'https'},
    {'session', 'accounts', 'acme', 'phone', 'shield', 'openapi'},
    {'net', 'store', 'sources', 'certs', 'fetch'},
    {'gateway', 'app', 'doctor', 'cli'},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
# Named and few: shield is where all seven practices meet, cli where main() wires everything.
BESIDE = {'shield': FLOORS[2], 'cli': FLOORS[4]}

# C++20's headers, the only ones besides moat/… that a public header of floors 0 to 2 may name.
STANDARD = set('''algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat
charconv chrono cinttypes climits clocale cmath codecvt compare complex concepts condition_variable
coroutine csetjmp csignal cstdarg cstddef cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype
deque exception execution filesystem forward_list fstream functional future initializer_list iomanip
ios iosfwd iostream istream iterator latch limits list locale map memory memory_resource mutex new
numbers numeric optional ostream queue random ranges ratio regex scoped_allocator semaphore set
shared_mutex span sstream stack stdexcept stop_token streambuf string string_view syncstream
system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility
valarray variant vector version'''.split())

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(<[^>]+>|"[^"]+")', re.M)
_MODULE = re.compile(r'moat_module\s*\(([^)]*)\)', re.S)
_KEYWORDS = {'NAME', 'HEADERS', 'SOURCES', 'DEPS', 'PRIVATE_DEPS', 'TESTS', 'TEST_DEPS', 'FUZZ'}


def allowed(room, other):
    if room == other or room not in FLOOR or other not in FLOOR:
        return room == other
    return FLOOR[other] < FLOOR[room] or other in BESIDE.get(room, ())


def module(text):
    """The arguments of moat_module(…) by keyword."""
    found = _MODULE.search(re.sub(r'#[^\n]*', '', text))
    arguments, keyword = {}, None
    for word in found.group(1).split() if found else []:
        if word in _KEYWORDS:
            keyword = word
            arguments[keyword] = []
        elif keyword:
            arguments[keyword].append(word)
    return arguments


def check_targets(room, text):
    arguments = module(text)
    for keyword in ('DEPS', 'PRIVATE_DEPS'):
        for name in arguments.get(keyword, []):
            other = re.sub(r'^(moat::|moat_)', '', name)
            if other in FLOOR and not allowed(room, other):
                yield f'moat/{room}/CMakeLists.txt: {room} must not need {other} ({keyword})'


def check_includes(room, path, text, public):
    test = re.search(r'_(test|fuzz|bench)\.cc$', path) or '/testing/' in path
    for include in _INCLUDE.finditer(text):
        name, where = include.group(1), f'{path}:{line_of(text, include.start(1))}'
        inner = name[1:-1]
        if inner.startswith('moat/'):
            other = inner.split('/')[1]
            if other not in FLOOR:
                yield f'{where}: there is no room moat/{other}'
            elif not allowed(room, other) and not test:
                yield f'{where}: {room} must not include {other}'
        elif public and FLOOR[room] <= 2 and (name[0] != '<' or inner not in STANDARD):
            yield f'{where}: a public header of floor {FLOOR[room]} names a third party: {name}'
        elif name[0] == '"' and not test:
            yield f'{where}: includes are spelled "moat/room/file.h"'


def check_all():
    for path in tracked('moat/*'):
        parts = path.split('/')
        if len(parts) < 3:
            continue
        room = parts[1]
        if room not in FLOOR:
            yield f'{path}: moat/{room} has no floor; tools/lint/layers.py must name it'
            continue
        if path.endswith('CMakeLists.txt'):
            yield from check_targets(room, read(path))
        elif path.endswith(('.h', '.cc')):
            listing = tracked(f'moat/{room}/CMakeLists.txt')
            headers = module(read(listing[0])).get('HEADERS', []) if listing else []
            yield from check_includes(room, path, read(path), '/'.join(parts[2:]) in headers)


def judge(case):
    kind, room, text = case
    if kind == 'cmake':
        return list(check_targets(room, text))
    return list(check_includes(room, f'moat/{room}/x.{kind}', text, kind == 'h'))


CASES = [
    (('cmake', 'jwt', 'moat_module(NAME jwt DEPS base PRIVATE_DEPS OpenSSL::Crypto)'), False),
    (('cmake', 'jwt', 'moat_module(NAME jwt DEPS base csrf)'), True),
    (('cmake', 'session', 'moat_module(NAME session DEPS base PRIVATE_DEPS moat::accounts)'), True),
    (('cmake', 'shield', 'moat_module(NAME shield DEPS base session accounts csrf)'), False),
    (('cmake', 'shield', 'moat_module(NAME shield DEPS net)'), True),
    (('cmake', 'store', 'moat_module(NAME store DEPS session PRIVATE_DEPS net)'), True),
    (('cmake', 'cli', 'moat_module(NAME cli DEPS gateway net)'), False),
    (('cmake', 'gateway', 'moat_module(NAME gateway DEPS cli)'), True),
    (('cc', 'jwt', '#include "moat/jwt/jwt.h"\n#include <openssl/evp.h>\n'), False),
    (('cc', 'jwt', '#include "moat/http/cookie.h"\n'), True),
    (('cc', 'jwt', '#include "jwt.h"\n'), True),
    (('h', 'jwt', '#include <openssl/evp.h>\n'), True),
    (('h', 'jwt', '#include <string>\n#include "moat/base/secret.h"\n'), False),
    (('h', 'net', '#include <sys/epoll.h>\n'), False),
    (('cc', 'base', '#include "moat/jwt/jwt.h"\n'), True),
]


def main():
    if '--self-test' in sys.argv:
        self_test(CASES, judge)
    finish(list(check_all()), 'layers')


if __name__ == '__main__':
    main()
