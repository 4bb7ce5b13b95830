#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Name it first: a statement with co_await has no braced temporary, no capturing lambda and no ?:.

g++ 12 destroys such temporaries twice (a double free without a warning), so they are given a name
in a statement of their own before the one that awaits.
"""
import re
import sys

from _common import code_only, finish, line_of, read, self_test, tracked

# What may stand before the brace of a block, as against that of a value.
_BLOCK_HEAD = re.compile(r'(?:\)|\belse|\bdo|\btry|\bconst|\bnoexcept|\bmutable|\boverride|:)$')
_TYPE_HEAD = re.compile(r'\b(?:namespace|struct|class|enum|union|extern)\b[^;(){}=]*$')
_RETURN_TYPE = re.compile(r'\)\s*(?:const\s*|noexcept\s*)*->[^;{}()]*(?:\([^;{}]*\))?[^;{}]*$')
_CAPTURE = re.compile(r'\[\s*[\w&=*][^\]\[]*\]\s*[({]')
# [name] after a value is a subscript, and [[…]] an attribute.
_SUBSCRIPT = re.compile(r'(?<=[\w)\]])(?<!\bco_await)(?<!\breturn)(?<!\bco_return)\[[^\]\[]*\]')
# A duration has a constructor and nothing to destroy, so it may stay where it is read.
_DURATION = re.compile(r'\b(?:nano|micro|milli)?(?:seconds|minutes|hours)\{[^{}]*\}')


def _opens_block(head):
    head = head.rstrip()
    if not head:
        return True
    if _TYPE_HEAD.search(head) or _RETURN_TYPE.search(head):
        return True
    # "x = co_await f()" then a brace cannot be a block; "if (co_await f())" then a brace is one.
    return bool(_BLOCK_HEAD.search(head))


def statements(code):
    """Yields (offset, text) of each statement; a value's braces belong to its statement."""
    start, depth, blocks = 0, 0, []
    for i, c in enumerate(code):
        if c == '(':
            depth += 1
        elif c == ')':
            depth -= 1
        elif c == '{':
            block = _opens_block(code[start:i])
            blocks.append((block, depth))
            if block:
                yield start, code[start:i]
                start, depth = i + 1, 0
        elif c == '}' and blocks:
            block, outer = blocks.pop()
            if block:
                yield start, code[start:i]
                # After a lambda's body the statement around it goes on; its head was judged above.
                start, depth = i + 1, outer
        elif c == ';' and depth <= 0:
            yield start, code[start:i]
            start, depth = i + 1, 0


def fault(statement):
    if 'co_await' not in statement:
        return None
    statement = _DURATION.sub('', statement)
    flat = _SUBSCRIPT.sub('', statement)
    if '{' in statement:
        return 'a braced temporary'
    if _CAPTURE.search(flat):
        return 'a capturing lambda'
    if re.search(r'\?[^?]*:(?!:)', re.sub(r'::', '', flat)):
        return 'a conditional expression'
    return None


def findings(text):
    code = code_only(text)
    return [(line_of(code, start + len(s) - len(s.lstrip())), why, ' '.join(s.split())[:90])
            for start, s in statements(code) if (why := fault(s))]


CASES = [
    ('Task<void> f() { co_await g(Agg{1}); }', True),
    ('Task<void> f() { co_await g({}); }', True),
    ('Task<void> f() { auto r = co_await g(Opts{.x = 1}); }', True),
    ('Task<void> f() { auto r = co_await s.read({buffer, 10}); use(r); }', True),
    ('Task<void> f() { Pair p{co_await a(), co_await b()}; }', True),
    ('Task<void> f() { co_await g([k] { return k; }); }', True),
    ('Task<void> f() { co_await g([&](int x) { return x; }); }', True),
    ('Task<void> f() { co_await [k]() -> Task<void> { co_return; }(); }', True),
    ('Task<int> f() { co_return c ? co_await a() : co_await b(); }', True),
    ('Task<int> f() { int x = co_await g(c ? A(1) : A(2)); co_return x; }', True),
    ('Task<void> f() { if (co_await g({1, 2})) { h(); } }', True),
    ('Task<void> f() { const Opts o{.x = 1}; auto r = co_await g(o); }', False),
    ('Task<void> f() { if (auto r = co_await g(o); !r) { co_return; } }', False),
    ('Task<void> f() { while (co_await g()) { h({1}); } }', False),
    ('Task<void> f() { auto r = co_await g(table[k]); int x = c ? 1 : 2; }', False),
    ('Task<void> f() { for (auto& [k, v] : map) { co_await g(k); } }', False),
    ('auto f = []() -> Task<void> { co_await g(); };', False),
    ('Task<void> f() { co_await std::move(t); // g({})\n co_await h("{[k] {"); }', False),
    ('Task<void> f() { co_await moat::net::sleep(x); switch (y) { case A::b: { co_await g(); } } }', False),
    ('Task<void> f() { co_await loop.sleep_for(std::chrono::milliseconds{10}); }', False),
    ('Task<void> f() { co_await g(Agg{std::chrono::seconds{10}}); }', True),
    ('template <class T> struct S { Task<T> f() const noexcept { co_return co_await g(); } };', False),
]


def main():
    if '--self-test' in sys.argv:
        self_test(CASES, findings)
    out = [f'{path}:{line}: {why} in a co_await statement (name it first): {text}'
           for path in tracked('*.cc', '*.h') for line, why, text in findings(read(path))]
    finish(out, 'coroutine rule')


if __name__ == '__main__':
    main()
