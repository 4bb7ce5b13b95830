#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks for secrets in tracked files: private keys, provider tokens, passwords given as literals.

What must stay (published test vectors) is listed in secrets_allow.txt as
    PATH-PATTERN  RULE  REASON
"""
import fnmatch
import math
import pathlib
import re
import sys

from _common import finish, line_of, read, self_test, tracked

RULES = [
    ('private-key', r'-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----'),
    ('aws-key', r'\b(?:AKIA|ASIA)[0-9A-Z]{16}\b'),
    ('github-token', r'\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{60,}\b'),
    ('gitlab-token', r'\bglpat-[A-Za-z0-9_-]{20,}\b'),
    ('slack-token', r'\bxox[abeoprs]-[A-Za-z0-9-]{10,}\b'),
    ('stripe-key', r'\b[sr]k_live_[A-Za-z0-9]{20,}\b'),
    ('google-key', r'\bAIza[A-Za-z0-9_-]{35}\b'),
    ('npm-token', r'\bnpm_[A-Za-z0-9]{36}\b'),
    ('openai-key', r'\bsk-(?:proj-)?[A-Za-z0-9_-]{32,}\b'),
    ('moat-token', r'\bmoat_(?:key|at|rt)_[A-Za-z0-9_.-]{64,}'),
    ('jwt', r'\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}'),
    ('url-password', r'\b[a-z][a-z0-9+]{2,}://[^\s/:@"\'<>{}$]+:(?!\*|<|\$|\{|x+@|pass(?:word)?@)[^\s/:@"\'<>{}$]{6,}@'),
    ('assigned', r'(?i)\b\w*(?:password|passwd|secret|api_?key|auth_?token)\s*[=:]\s*'
                 r'["\']?(?P<value>[A-Za-z0-9+/_-]{20,})["\']?'),
]
_ALLOW_FILE = pathlib.Path(__file__).with_name('secrets_allow.txt')


def entropy(text):
    return -sum(n / len(text) * math.log2(n / len(text))
                for n in (text.count(c) for c in set(text)))


def check(path, text, allowed):
    for rule, pattern in RULES:
        if any(fnmatch.fnmatch(path, p) and r in (rule, '*') for p, r in allowed):
            continue
        for match in re.finditer(pattern, text):
            # A name or a sentence has little entropy; a key has much, and digits among its letters.
            value = match.groupdict().get('value')
            if value and (entropy(value) < 3.8 or not re.search(r'\d', value)):
                continue
            yield f'{path}:{line_of(text, match.start())}: {rule}: {match.group(0)[:12]}…'


def allow_list():
    rows = [line.split(None, 2) for line in _ALLOW_FILE.read_text().splitlines()
            if line.strip() and not line.startswith('#')]
    for row in rows:
        if len(row) != 3:
            sys.exit(f'secrets_allow.txt: a row needs a path, a rule and a reason: {" ".join(row)}')
    return [(path, rule) for path, rule, _ in rows]


# Put together here, so that this file holds none of what it looks for.
CASES = [
    ('-----BEGIN ' + 'PRIVATE KEY-----', True), ('-----BEGIN EC ' + 'PRIVATE KEY-----', True),
    ('-----BEGIN PUBLIC KEY-----', False), ('AKIA' + 'ABCDEFGHIJ234567', True),
    ('gh' + 'p_' + 'a1B2' * 9, True), ('sk_live' + '_' + 'a1B2' * 6, True), ('sk_test_abcdef', False),
    ('postgres://app:' + 'hunter22x@db/app', True), ('postgres://app:$PASSWORD@db/app', False),
    ('JWT_SECRET=' + 'q7Zk2vXw9LmN4pRt8sYb3cDf6gHj1kMn', True), ('JWT_SECRET=change-me', False),
    ('password: this-is-a-sentence-of-words', False),
    ('eyJhbGciOiJIUzI1' + 'NiJ9.eyJzdWIiOiIxMjM0' + 'NTY3.c2lnbmF0dXJlLXNpZ25hdHVyZQ', True),
]


def main():
    if '--self-test' in sys.argv:
        self_test(CASES, lambda text: list(check('x', text, [])))
    allowed, out = allow_list(), []
    for path in tracked():
        if re.search(r'(^|/)\.env(\.\w+)?$', path) and not path.endswith('.example'):
            if not any(fnmatch.fnmatch(path, p) for p, _ in allowed):
                out.append(f'{path}:1: env-file: a .env file does not belong in git')
        out += check(path, read(path), allowed)
    finish(out, 'secrets')


if __name__ == '__main__':
    main()
