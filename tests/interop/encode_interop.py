#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the encoders write, read back by other people's readers of each language: Python's libraries, expat, SQLite and the
shell. All must read the very text, as one piece, whatever stands behind it.

    encode_interop.py PROGRAM [HOW MANY]
"""
import csv
import email.header
import html.parser
import io
import json
import random
import re
import shlex
import sqlite3
import subprocess
import sys
import urllib.parse
import xml.etree.ElementTree

PIECES = [*map(chr, range(128)), *'\x80\x85\xa0\xad\xe9\u2028\u2029\u202e\u20ac\ufeff\ufffd\ufffe\uffff\uff1d\uff0f',
          '\U0001f600', '\U0010ffff', '</p>', '<script>', '-->', ']]>', '<![CDATA[', '&lt;', '&#60;', '&amp', '\\n', '\\x41', '%41', '%2f',
          '${x}', '$(x)', '`x`', '"; x "', "'; x '", '..', '=?UTF-8?Q?x?=', '\r\n', ' a', 'a ', '  ', '(?i)', '[a-z]', '.*', '|', '^', '$',
          '=1+1', ';=1', 'word', 'COM1', 'a.txt', '"', '""']


def texts(count):
    chosen = random.Random(20261128)
    return [''.join(chosen.choice(PIECES) for _ in range(chosen.randrange(9))) for _ in range(count)]


class Page(html.parser.HTMLParser):
    """The attribute and the text of the only element, and how many tags there are."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.value, self.text, self.tags = None, '', 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags += 1
        self.value = dict(attributes).get('title')

    def handle_data(self, data):
        self.text += data


def read_html(written, text):
    page = Page(f'<p title="{written}">{written}</p>')
    return page.tags == 1 and page.value == text and page.text == text


def read_xml(written, text):
    trees = [xml.etree.ElementTree.fromstring(f'<p a={q}{written}{q} b="x">{written}</p>') for q in '"\'']
    return all(tree.get('a') == text and tree.get('b') == 'x' and (tree.text or '') == text for tree in trees)


def read_mail(written, text):
    if '=?' not in written:
        return written == text
    return str(email.header.make_header(email.header.decode_header(written))) == text


def read_sql(written, text):
    base = sqlite3.connect(':memory:')
    base.execute(f'CREATE TABLE t ({written} TEXT)')
    return base.execute('SELECT * FROM t').description[0][0] == text


def read_csv(written, text):
    rows = list(csv.reader(io.StringIO(f'a,{written},b\r\n', newline=''), strict=True))
    return rows == [['a', text, 'b']]


def read_regex(written, text):
    pattern = re.compile(f'(x)(?:{written})|[{written}\\x00]y')
    found = pattern.fullmatch('x' + text)
    return bool(found) and not pattern.fullmatch('x' + text + 'z') and all(pattern.fullmatch(c + 'y') for c in text)


# By encoder; each answers whether `written` is read as `text`.
READERS = {
    'html': read_html,
    'xml': read_xml,
    'js': lambda written, text: json.loads(f'["{written}", 1]') == [text, 1],
    'url': lambda written, text: urllib.parse.parse_qs(f'a={written}&b=1', keep_blank_values=True) == {'a': [text], 'b': ['1']},
    'segment': lambda written, text: urllib.parse.unquote(
        urllib.parse.urljoin('https://h/a/', f'{written}/end')) == f'https://h/a/{text}/end',
    'header': lambda written, text: written == text and written.isprintable() or '\t' in written,
    'mail': read_mail,
    'display_name': read_mail,
    'shell': lambda written, text: shlex.split(f'a {written} b') == ['a', text, 'b'],
    'sql': read_sql,
    'csv': read_csv,
    'regex': read_regex,
}


def shells(words, known):
    """All of them as the arguments of one command of the system's shell."""
    script = 'printf "%s\\0" ' + ' '.join(words)
    out = subprocess.run(['sh'], input=script.encode(), stdout=subprocess.PIPE, check=True).stdout
    return out.decode().split('\0')[:-1] == known


def main(program, count='20000'):
    cases = texts(int(count))
    lines = ''.join(text.encode().hex() + '\n' for text in cases)
    answers = subprocess.run([program], input=lines.encode(), stdout=subprocess.PIPE, check=True).stdout.decode().split('\n')[:-1]
    assert len(answers) == len(cases)
    wrong, read, words = [], {}, []
    for text, answer in zip(cases, map(json.loads, answers)):
        for name, reader in READERS.items():
            if name not in answer:
                continue
            read[name] = read.get(name, 0) + 1
            try:
                good = reader(answer[name], text)
            except (ValueError, sqlite3.Error, csv.Error, re.error, xml.etree.ElementTree.ParseError) as error:
                good = error
            if good is not True:
                wrong.append((name, text, answer[name], good))
        if 'shell' in answer and len(words) < 2000:
            words.append((answer['shell'], text))
    if not shells([word for word, _ in words], [text for _, text in words]):
        wrong.append(('shell', 'of all', '', False))
    print(', '.join(f'{name} {number}' for name, number in sorted(read.items())))
    for row in wrong[:20]:
        print('read otherwise:', *map(ascii, row))
    missing = [name for name in READERS if read.get(name, 0) < int(count) // 20]
    if missing:
        print('too few of:', *missing)
    return 1 if wrong or missing else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
