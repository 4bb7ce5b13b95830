#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts the marked regions of the examples into README.md, or with --check says whether they are there.

In README.md stands `<!-- examples/seven/jwt.cc -->` and a ```cpp block behind it; in the example the
lines between `// [readme]` and `// [/readme]`. Several regions of one file make one block, those of
`// [readme 2]` behind the others.
"""
import pathlib
import re
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = ROOT / 'README.md'
_REGION = re.compile(r'^[ \t]*// \[readme( \d)?\]\n(.*?)^[ \t]*// \[/readme\]\n', re.M | re.S)
_BLOCK = re.compile(r'^<!-- (\S+\.(?:cc|h)) -->\n```cpp\n(.*?)^```\n', re.M | re.S)


def snippet(path):
    found = sorted(_REGION.findall((ROOT / path).read_text()), key=lambda region: region[0])
    regions = [textwrap.dedent(text) for _, text in found]
    if not regions:
        raise SystemExit(f'{path} has no region between // [readme] and // [/readme]')
    return '\n'.join(regions)


def main():
    before = README.read_text()
    blocks = _BLOCK.findall(before)
    if not blocks:
        raise SystemExit('README.md has no block behind a <!-- path --> line')
    shown = {path for path, _ in blocks}
    forgotten = [str(path.relative_to(ROOT)) for path in sorted((ROOT / 'examples').rglob('*.cc'))
                 if _REGION.search(path.read_text()) and str(path.relative_to(ROOT)) not in shown]
    if forgotten:
        raise SystemExit(f'README.md does not show {", ".join(forgotten)}')
    after = _BLOCK.sub(lambda m: f'<!-- {m[1]} -->\n```cpp\n{snippet(m[1])}```\n', before)
    if '--check' not in sys.argv:
        README.write_text(after)
    elif after != before:
        stale = [path for path, text in blocks if text != snippet(path)]
        raise SystemExit(f'README.md shows an old {", ".join(stale)}: run tools/readme_snippets.py')


if __name__ == '__main__':
    main()
