# SPDX-License-Identifier: Apache-2.0
"""What the checks share: the tracked files, C++ without comments and strings, and how they report."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

_CPP = re.compile(
    r'//[^\n]*|/\*.*?\*/'                          # comments
    r'|R"([^()\\ ]{0,16})\(.*?\)\1"'               # raw strings
    r'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'',  # strings and characters
    re.S)
_DIGIT_SEPARATOR = re.compile(r"(?<=[0-9A-Fa-f])'(?=[0-9A-Fa-f])")


def code_only(text):
    """The text with comments and literals emptied; line numbers stay."""
    text = _DIGIT_SEPARATOR.sub('', text)

    def blank(match):
        token = match.group(0)
        lines = '\n' * token.count('\n')
        return ' ' + lines if token.startswith('/') else token[0] + lines + token[-1]
    return _CPP.sub(blank, text)


def tracked(*patterns):
    """Tracked files and new ones that are not ignored, relative to the root."""
    out = subprocess.run(['git', 'ls-files', '-z', '-co', '--exclude-standard', '--', *patterns],
                         cwd=ROOT, check=True, capture_output=True).stdout.decode()
    return sorted(p for p in out.split('\0') if p and (ROOT / p).is_file())


def read(path):
    return (ROOT / path).read_text(encoding='utf-8', errors='replace')


def line_of(text, offset):
    return text.count('\n', 0, offset) + 1


def finish(findings, what):
    for finding in findings:
        print(finding)
    print(f'    {what}: {len(findings)} finding{"" if len(findings) == 1 else "s"}')
    sys.exit(1 if findings else 0)


def self_test(cases, judge):
    """Each case is (text, expected); judge(text) says what it found. Ends the program on a miss."""
    for text, expected in cases:
        got = judge(text)
        if bool(got) != bool(expected):
            sys.exit(f'self-test: expected {"a finding" if expected else "none"} for {text!r}, got {got}')
    sys.exit(0)
