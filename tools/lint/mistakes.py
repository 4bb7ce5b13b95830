#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Greps for mistakes a review would have to catch. A line that is right all the same says why:

    … // lint: allow(RULE) the reason
"""
import re
import sys

from _common import code_only, finish, line_of, read, self_test, tracked

_SECRET_NAME = r'(?:token|tag|mac|hmac|digest|signature|secret|password|csrf|cookie_value)'

# (rule, pattern over code without comments and literals, what to do)
RULES = [
    ('unbounded', r'\b(?:strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca)\s*\(',
     'a C function without bounds; use string, string_view or snprintf'),
    ('std-regex', r'\bstd::(?:basic_)?regex', 'std::regex backtracks without a limit'),
    ('weak-random', r'\b(?:rand|srand|random|drand48)\s*\(\s*\)|\bstd::(?:mt19937|minstd_rand|rand\b)',
     'predictable; use moat::Random'),
    ('atoi', r'\b(?:atoi|atol|atof|strtol|strtoul|std::stoi|std::stol|std::stoul|std::stod)\s*\(',
     'accepts spaces, signs and trailing text; use std::from_chars'),
    ('shell', r'\b(?:system|popen|execlp|execvp)\s*\(', 'starts a program by a shell or by PATH'),
    ('format', r'\b(?:printf|vprintf)\s*\((?!\s*")|\b(?:fprintf|dprintf|vfprintf|vdprintf|syslog)\s*\([^,()]*,(?!\s*")|'
     r'\bv?snprintf\s*\((?:[^,()]|\([^()]*\))*,(?:[^,()]|\([^()]*\))*,(?!\s*")',
     'a format that is no literal may come from a stranger'),
    ('mktemp', r'\b(?:mktemp|tmpnam|tempnam)\s*\(', 'a race; use mkstemp or O_TMPFILE'),
    ('locale', r'(?<![\w.])(?:std::)?(?:isalpha|isalnum|isdigit|isspace|isupper|islower|toupper|tolower)'
     r'\s*\(', 'depends on the locale and on the sign of char; use base\'s ASCII tables'),
    ('timing', r'\b(?:std::)?(?:memcmp|strcmp|strncmp)\s*\([^;]*\b\w*' + _SECRET_NAME + r'\w*\b',
     'compares a secret in a time that depends on it; use equals'),
    ('timing', r'\b\w*' + _SECRET_NAME + r'(?:_)?\s*(?:==|!=)\s*(?:\w*' + _SECRET_NAME + r'\w*|expected\w*)\b',
     'compares a secret in a time that depends on it; use equals'),
    ('using-namespace', r'^[ \t]*using\s+namespace\b', 'name what is used'),
    ('catch-all', r'catch\s*\(\s*\.\.\.\s*\)\s*\{\s*(?:return\s+false\s*;)?\s*\}', 'swallows every bug'),
    ('assert', r'(?<![\w_])assert\s*\(', 'is gone in release; return an error, or std::abort'),
]
# Over the raw text, comments too.
TEXT_RULES = [
    ('unfinished', r'\b(?:TO' + r'DO|FIX' + r'ME|XX' + r'X)\b', 'finish it, or file an issue'),
    ('pragma-once', None, 'a header begins with one SPDX line and has #pragma once'),
]
# Tests and benchmarks may compare and parse as they like; nothing hostile reaches them.
_TEST_ONLY_FREE = {'timing', 'atoi', 'shell', 'weak-random', 'using-namespace'}
_LONG, _ALLOW = 600, re.compile(r'lint: allow\(([\w-]+)\)')


def check(path, text):
    lines = text.split('\n')
    code = code_only(text)
    lenient = re.search(r'(_test|_fuzz|_bench)\.cc$|^tests/|^examples/', path)

    def excused(rule, line):
        near = '\n'.join(lines[max(0, line - 3):line])
        return rule in _ALLOW.findall(near)

    for rule, pattern, why in RULES:
        if lenient and rule in _TEST_ONLY_FREE:
            continue
        for match in re.finditer(pattern, code, re.M):
            line = line_of(code, match.start() + len(match.group(0)) - len(match.group(0).lstrip()))
            if not excused(rule, line):
                yield f'{path}:{line}: {rule}: {why}: {lines[line - 1].strip()[:80]}'
    for rule, pattern, why in TEXT_RULES:
        if pattern:
            for match in re.finditer(pattern, text):
                yield f'{path}:{line_of(text, match.start())}: {rule}: {why}'
    if path.endswith('.h') and not re.search(r'^#pragma once$', text, re.M):
        yield f'{path}:1: pragma-once: a header needs #pragma once'
    if path.endswith(('.h', '.cc')) and 'SPDX-License-Identifier: Apache-2.0' not in text[:200]:
        yield f'{path}:1: licence: begin with // SPDX-License-Identifier: Apache-2.0'
    if path.endswith('.h') and re.search(r'^(?:static )?(?:std::)?\w+ g_\w+', code, re.M):
        yield f'{path}:1: global: no global state in headers'


HEAD = '// SPDX-License-Identifier: Apache-2.0\n'
CASES = [
    ('strcpy(a, b);', True), ('my_strcpy(a, b);', False), ('// strcpy(a, b)', False),
    ('std::printf(text);', True), ('std::printf("%d", x);', False), ('fprintf(stderr, text, x);', True),
    ('fprintf(stderr,\n  "%s", text);', False), ('snprintf(a.data(), a.size(), f, x);', True),
    ('snprintf(a.data(), a.size(), "%d", x);', False), ('syslog(LOG_ERR, text);', True),
    ('std::regex r("a+");', True), ('int x = rand();', True), ('brand();', False),
    ('if (token == expected) {}', True), ('if (token_ != other_token) {}', True),
    ('if (token.kind == Kind::string) {}', False), ('if (tokens == 3) {}', False),
    ('if (memcmp(mac.data(), given.data(), 32) == 0) {}', True),
    ('if (memcmp(a, magic, 4) == 0) {}', False),
    ('using namespace std;', True), ('using namespace std;  // lint: allow(using-namespace) x', False),
    ('auto n = std::stoi(text);', True), ('if (isspace(c)) {}', True), ('if (is_space(c)) {}', False),
    ('try { f(); } catch (...) { return false; }', True),
    ('try { f(); } catch (...) { log(); throw; }', False),
    ('// TO' + 'DO(x): later', True),
]


def main():
    if '--self-test' in sys.argv:
        self_test(CASES, lambda text: list(check('moat/base/x.cc', HEAD + text)))
    out, long_files = [], []
    for path in tracked('*.cc', '*.h'):
        text = read(path)
        out += check(path, text)
        if text.count('\n') > _LONG:
            long_files.append(f'    note: {path} has {text.count(chr(10))} lines; would two files read better?')
    print(*long_files, sep='\n', end='\n' if long_files else '')
    finish(out, 'mistakes')


if __name__ == '__main__':
    main()
