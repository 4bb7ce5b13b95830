#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/standards.md names tests; each must exist, and what is met must name one."""
import re
import sys

from _common import finish, read, self_test, tracked

_NAME = re.compile(r'`(\w+_browser: [^`]+|\w+_e2e \w+\.\w+|[A-Z]\w+\.[A-Z]\w+)`')


def known_tests():
    names = set()
    for path in tracked('moat/*_test.cc', 'tests/*_test.cc'):
        for suite, test in re.findall(r'\b(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)', read(path)):
            names.add(f'{suite}.{test}')
    for path in tracked('tests/e2e/*_e2e.py'):
        suite = ''
        for kind, name in re.findall(r'^(class|    def) (\w+)', read(path), re.M):
            if kind == 'class':
                suite = name
            elif name.startswith('test_'):
                names.add(f'{path.rsplit("/", 1)[1][:-3]} {suite}.{name}')
    for path in tracked('tests/e2e/*_browser.js'):
        for title in re.findall(r"\btest\('([^']+)'", read(path)):
            names.add(f'{path.rsplit("/", 1)[1][:-3]}: {title}')
    return names


def check(text, known):
    for line in text.split('\n'):
        cells = [cell.strip() for cell in line.strip().strip('|').split('|')]
        if not line.startswith('| ') or cells[0] == 'id':
            continue
        if len(cells) != 4:
            yield f'{cells[0]}: has {len(cells)} cells in place of 4'
            continue
        identifier, _, state, shown = cells
        named = _NAME.findall(shown)
        for name in named:
            if name not in known:
                yield f'{identifier}: there is no test {name}'
        if state not in ('yes', 'partly', 'no', 'not needed'):
            yield f'{identifier}: {state!r} is none of yes, partly, no, not needed'
        if state == 'yes' and not named:
            yield f'{identifier}: is met and names no test'


if __name__ == '__main__':
    if '--self-test' in sys.argv:
        tests = {'A.B', 'x_e2e C.test_d', 'x_browser: does it, well'}
        self_test([('| 1 | r | yes | `A.B`, `x_e2e C.test_d`, `x_browser: does it, well` |', False),
                   ('| 1 | r | yes | `A.C` |', True), ('| 1 | r | yes | `x_e2e C.test_e` |', True),
                   ('| 1 | r | yes | `x_browser: does it` |', True), ('| 1 | r | yes | it is so |', True),
                   ('| 1 | r | yes | `A.B` | more |', True), ('| 1 | r | no | there is none |', False), ('| 1 | r | maybe | `A.B` |', True)],
                  lambda text: list(check(text, tests)))
    finish([f'docs/standards.md: {finding}' for finding in check(read('docs/standards.md'), known_tests())], 'standards')
