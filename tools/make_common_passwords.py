#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the list of common passwords that moat/password compiles in.

usage: make_common_passwords.py OUTPUT

Reads what Debian packages install on the machine that builds:
  john-data         /usr/share/john/password.lst   passwords seen most often (public domain)
  libdata-password-zxcvbn-perl  RankedDictionaries/   30000 passwords; names and frequent words (MIT, Perl's)
  cracklib-runtime  /usr/share/dict/cracklib-small words that password crackers try first

OUTPUT is the sorted, unique list of the first five bytes of SHA-256 of each entry, ASCII
lower-cased. Entries of fewer than 4 or more than 64 bytes are left out: the policy refuses the
former by length, and nobody guesses the latter.
"""
import hashlib
import os
import re
import sys

JOHN = "/usr/share/john/password.lst"
CRACKLIB = "/usr/share/dict/cracklib-small"
ZXCVBN = "/usr/share/perl5/Data/Password/zxcvbn/RankedDictionaries"
PACKAGES = {JOHN: "john-data", CRACKLIB: "cracklib-runtime", ZXCVBN: "libdata-password-zxcvbn-perl"}
LEAST = 80000  # fewer means that a source has changed its form


def lines(path):
    with open(path, "rb") as file:
        for line in file:
            line = line.rstrip(b"\r\n")
            if not line.startswith(b"#!comment"):
                yield line


def zxcvbn():
    """The tables of the module, read as data: nothing of it is run. A line is  'word' => 123,"""
    for name in ("Common.pm", "English.pm"):
        with open(f"{ZXCVBN}/{name}", "rb") as file:
            for line in file:
                if entry := re.match(rb"\s*'((?:[^'\\]|\\.)*)' => \d+,$", line):
                    yield re.sub(rb"\\(.)", rb"\1", entry[1])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    missing = [package for path, package in PACKAGES.items() if not os.path.exists(path)]
    if missing:
        sys.exit("the list of common passwords needs: apt-get install " + " ".join(missing))
    entries = set()
    for source in (lines(JOHN), lines(CRACKLIB), zxcvbn()):
        entries.update(word.lower() for word in source if 4 <= len(word) <= 64)
    if len(entries) < LEAST:
        sys.exit(f"only {len(entries)} common passwords were found, {LEAST} are expected")
    records = sorted({hashlib.sha256(word).digest()[:5] for word in entries})
    with open(sys.argv[1], "wb") as file:
        file.write(b"".join(records))


if __name__ == "__main__":
    main()
