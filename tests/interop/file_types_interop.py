#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Types of files beside file(1): what libmagic calls a file, Moat agrees with, and with no other type. The files are made here
by other hands (Python's own writers of archives, sounds and databases, and the least that a format's specification asks for), and
those of this machine are looked at, too.

    file_types_interop.py FILE-TYPES-INTEROP
"""
import bz2
import gzip
import io
import lzma
import pathlib
import shutil
import sqlite3
import struct
import subprocess
import sys
import tarfile
import tempfile
import wave
import zipfile
import zlib

# What libmagic calls it, what Moat has to agree with, and what else it may agree with. libmagic says the first of several names.
TYPES = {
    'image/png': (), 'image/jpeg': (), 'image/gif': (), 'image/webp': (), 'image/bmp': (), 'image/tiff': (), 'image/avif': ('image/heif',),
    'image/heic': ('image/heif',), 'image/jxl': (), 'image/jp2': (), 'image/svg+xml': (),
    'image/vnd.adobe.photoshop': (), 'application/pdf': (), 'application/postscript': (), 'text/rtf': (), 'application/zip': ('ZIP',),
    'application/java-archive': ('ZIP',), 'application/epub+zip': ('ZIP',), 'application/gzip': (), 'application/x-bzip2': (),
    'application/x-xz': (), 'application/zstd': (), 'application/x-7z-compressed': (), 'application/x-tar': (),
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document': ('ZIP',),
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': ('ZIP',),
    'application/vnd.openxmlformats-officedocument.presentationml.presentation': ('ZIP',),
    'application/vnd.oasis.opendocument.text': ('ZIP',), 'application/vnd.oasis.opendocument.spreadsheet': ('ZIP',),
    'application/vnd.oasis.opendocument.presentation': ('ZIP',), 'audio/mpeg': ('audio/aac',), 'video/mp4': ('audio/mp4', 'video/3gpp'),
    'video/quicktime': (), 'video/webm': (), 'video/x-matroska': (), 'audio/ogg': (), 'video/ogg': ('audio/ogg',), 'application/ogg': ('audio/ogg',),
    'audio/flac': (), 'audio/midi': (), 'video/x-msvideo': (), 'font/woff': (),
    'application/font-woff': ('font/woff',), 'font/woff2': (), 'application/font-woff2': (), 'font/sfnt': ('font/ttf', 'font/otf'), 'application/vnd.ms-opentype': (),
    'application/wasm': (), 'application/vnd.sqlite3': (), 'text/xml': (),
}
# Names that file(1) has for a type and Moat has not, or has for several.
CALLED = {'text/rtf': 'application/rtf', 'font/sfnt': 'font/ttf', 'application/x-sqlite3': 'application/vnd.sqlite3',
          'image/vnd.microsoft.icon': 'image/x-icon', 'audio/x-wav': 'audio/wav', 'audio/x-aiff': 'audio/aiff',
          'application/x-rar': 'application/vnd.rar', 'application/x-zip': 'application/zip', 'application/x-gzip': 'application/gzip'}
BINARY = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/bmp', 'image/tiff', 'image/avif', 'image/x-icon', 'image/heic',
          'image/jxl', 'application/pdf', 'application/rtf', 'application/zip', 'application/epub+zip', 'application/gzip', 'application/x-bzip2',
          'application/x-xz', 'application/zstd', 'application/x-7z-compressed', 'application/vnd.rar', 'application/x-tar',
          'application/vnd.oasis.opendocument.text', 'audio/mpeg', 'audio/mp4', 'video/mp4', 'video/quicktime', 'video/webm',
          'video/x-matroska', 'audio/ogg', 'audio/wav', 'audio/aiff', 'audio/flac', 'audio/midi', 'video/x-msvideo', 'font/woff',
          'font/woff2', 'font/ttf', 'font/otf', 'application/wasm', 'application/vnd.sqlite3']
FAMILIES = [{'application/zip', 'application/epub+zip', 'application/java-archive'}, {'video/mp4', 'audio/mp4', 'video/3gpp'},
            {'font/ttf', 'font/otf'}, {'image/heic', 'image/heif', 'image/avif'}]


def png():
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 1, 1, 8, 0, 0, 0, 0)) +
            chunk(b'IDAT', zlib.compress(b'\0\0')) + chunk(b'IEND', b''))


def bmp(header=40):
    rest = struct.pack('<iiHHIIiiII', 1, 1, 1, 24, 0, 4, 2835, 2835, 0, 0) + bytes(header - 40)
    return struct.pack('<2sIHHII', b'BM', 14 + header + 4, 0, 0, 14 + header, header) + rest + bytes(4)


def zipped(*entries, stored=None):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as archive:
        if stored:
            archive.writestr(zipfile.ZipInfo('mimetype'), stored)
        for name, content in entries:
            archive.writestr(name, content)
    return out.getvalue()


def office(folder, first):
    types = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    return zipped(('[Content_Types].xml', types), ('_rels/.rels', '<Relationships/>'), (f'{folder}/{first}', '<a/>'))


def tarred():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as archive:
        info = tarfile.TarInfo('a.txt')
        info.size = 1
        archive.addfile(info, io.BytesIO(b'a'))
    return out.getvalue()


def sound():
    out = io.BytesIO()
    with wave.open(out, 'wb') as file:
        file.setparams((1, 1, 8000, 0, 'NONE', ''))
        file.writeframes(bytes(100))
    return out.getvalue()


def database(folder):
    path = pathlib.Path(folder) / 'made'
    with sqlite3.connect(path) as connection:
        connection.execute('create table a (b)')
    connection.close()
    return path.read_bytes()


def media(*brands):
    return struct.pack('>I', 8 + 4 * len(brands)) + b'ftyp' + b''.join(brands) + struct.pack('>I', 8) + b'mdat'


def made(folder):
    """A name, and its bytes."""
    odf = 'application/vnd.oasis.opendocument.'
    gif = b'GIF89a\1\0\1\0\x80\0\0' + bytes(6) + b',\0\0\0\0\1\0\1\0\0\2\2D\1\0;'
    jpeg = b'\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xdb\0C\0' + bytes(64) + b'\xff\xd9'
    ebml = lambda kind: b'\x1a\x45\xdf\xa3\x9fB\x86\x81\1B\xf7\x81\1B\xf2\x81\4B\xf3\x81\x08B\x82' + bytes((0x80 + len(kind),)) + kind + b'B\x87\x81\4B\x85\x81\2'
    yield from {
        'a.png': png(), 'a.gif': gif, 'a.jpg': jpeg, 'a.bmp': bmp(), 'b.bmp': bmp(124), 'a.webp': b'RIFF\x1a\0\0\0WEBPVP8L\r\0\0\0/\0\0\0\x10\7\x10\x11\x11\x88\x88\xfe\7\0',
        'a.tif': b'II*\0\x08\0\0\0\0\0\0\0\0\0', 'b.tiff': b'MM\0*\0\0\0\x08' + bytes(6), 'a.ico': b'\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0h\4\0\0\x16\0\0\0' + bytes(40),
        'a.avif': media(b'avif', bytes(4), b'avif', b'mif1', b'miaf'), 'a.heic': media(b'heic', bytes(4), b'mif1', b'heic'),
        'a.mp4': media(b'isom', b'\0\0\2\0', b'isom', b'iso2', b'avc1', b'mp41'), 'b.mp4': media(b'mp42', bytes(4), b'isom', b'mp42'),
        'a.mov': media(b'qt  ', b'\0\0\2\0', b'qt  '), 'a.webm': ebml(b'webm'), 'a.mkv': ebml(b'matroska'),
        'a.pdf': b'%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n', 'a.rtf': b'{\\rtf1\\ansi a}', 'a.zip': zipped(('a.txt', 'a')),
        'a.docx': office('word', 'document.xml'), 'a.xlsx': office('xl', 'workbook.xml'), 'a.pptx': office('ppt', 'presentation.xml'),
        'a.odt': zipped(('content.xml', '<a/>'), stored=odf + 'text'), 'a.ods': zipped(('content.xml', '<a/>'), stored=odf + 'spreadsheet'),
        'a.odp': zipped(('content.xml', '<a/>'), stored=odf + 'presentation'), 'a.epub': zipped(('a.xml', '<a/>'), stored='application/epub+zip'),
        'a.gz': gzip.compress(b'a'), 'a.bz2': bz2.compress(b'a'), 'b.bz2': bz2.compress(b''), 'a.xz': lzma.compress(b'a'), 'a.tar': tarred(),
        'a.wav': sound(), 'a.sqlite': database(folder), 'a.wasm': b'\0asm\1\0\0\0', 'a.ogg': b'OggS\0\2' + bytes(20) + b'\1\x1e\1vorbis' + bytes(30),
        'a.flac': b'fLaC\0\0\0\x22' + bytes(34), 'a.mid': b'MThd\0\0\0\6\0\1\0\1\0\x60MTrk', 'a.avi': b'RIFF\x24\0\0\0AVI LIST\xc0\0\0\0hdrlavih',
        'a.aiff': b'FORM\0\0\0\x2eAIFFCOMM\0\0\0\x12' + bytes(18), 'a.mp3': b'ID3\4\0\0\0\0\0\0\xff\xfb\x90\x64' + bytes(413),
        'b.mp3': (b'\xff\xfb\x90\x64' + bytes(413)) * 4, 'a.7z': b'7z\xbc\xaf\x27\x1c\0\4' + bytes(24), 'a.rar': b'Rar!\x1a\7\1\0' + bytes(16),
        'a.zst': b'\x28\xb5\x2f\xfd\x24\1\t\0\0a', 'a.svg': b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>\n',
        'a.xml': b'<?xml version="1.0"?>\n<a/>\n', 'a.woff': b'wOFF\0\1\0\0' + bytes(36), 'a.woff2': b'wOF2\0\1\0\0' + bytes(40),
        'a.html': b'<!DOCTYPE html><html><script>1</script></html>', 'a.exe': b'MZ' + bytes(200), 'a.php': b'<?php phpinfo(); ?>',
    }.items()


def of_this_machine():
    """Files that others have made: some hundred of each ending."""
    endings, count = '.png .jpg .jpeg .gif .webp .svg .pdf .ps .gz .bz2 .xz .zst .zip .jar .ttf .otf .woff .woff2 .wav .ogg .mp3 .ico .wasm .xml .tar'.split(), {}
    for root in ('/usr/share', '/usr/lib'):
        for path in pathlib.Path(root).rglob('*.*'):
            ending = path.suffix.lower()
            if ending not in endings or count.get(ending, 0) >= 100 or '\t' in str(path) or '\n' in str(path):
                continue
            if path.is_file() and not path.is_symlink() and 0 < path.stat().st_size < 2_000_000:
                count[ending] = count.get(ending, 0) + 1
                yield path


def asked(program, questions):
    text = ''.join(f'{kind}\t{path}\n' for kind, path in questions)
    done = subprocess.run([program], input=text, capture_output=True, text=True, check=True)
    return [line.split(' ') for line in done.stdout.splitlines()]


def called(paths):
    """What file(1) calls them."""
    done = subprocess.run(['file', '--mime-type', '--brief', '--no-pad', '--files-from', '-'], input=''.join(f'{p}\n' for p in paths),
                          capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def is_one_kind(kind, other):
    return kind == other or any(kind in family and other in family for family in FAMILIES)


def main():
    if not shutil.which('file'):
        print('skipped: there is no file(1)')
        return 77
    program, wrong, seen = sys.argv[1], [], {}
    with tempfile.TemporaryDirectory(prefix='moat-interop-') as folder:
        own = []
        for name, content in made(folder):
            path = pathlib.Path(folder) / name
            path.write_bytes(content)
            own.append(path)
        paths = own + list(of_this_machine())
        kinds = [CALLED.get(kind, kind) for kind in called(paths)]
        known = [(kind, path) for kind, path in zip(kinds, paths) if kind in TYPES or kind in CALLED.values()]
        for (kind, path), (content, name) in zip(known, asked(program, known)):
            seen[kind] = seen.get(kind, 0) + 1
            if content != 'yes':
                wrong.append(f'{path}: file(1) says {kind}, Moat {content}')
            if path in own and name == 'no':
                wrong.append(f'{path}: {kind} may not be called so')
        # And nothing but that: where file(1) knows it for something else, a claim is refused.
        others = [(other, path, kind) for kind, path in known for other in BINARY
                  if not is_one_kind(kind, other) and other not in TYPES.get(kind, ()) and not
                  ('ZIP' in TYPES.get(kind, ()) and other == 'application/zip')]
        others += [(other, path, 'else') for kind, path in zip(kinds, paths) for other in BINARY
                   if path.suffix in ('.html', '.exe', '.php') and path in own]
        for (other, path, kind), (content, _) in zip(others, asked(program, [(other, path) for other, path, _ in others])):
            if content != 'no':
                wrong.append(f'{path}: file(1) says {kind}, Moat agrees with {other}')
        unknown = sorted({(kind, path.suffix) for kind, path in zip(kinds, paths) if path in own and kind not in TYPES and kind not in CALLED.values()})
    print('\n'.join(wrong[:50]))
    print(f'{len(known)} files of {len(seen)} types, {len(others)} claims of others, {len(wrong)} differences')
    print('not known by this file(1):', unknown)
    if len(seen) < 30:
        print('too few types to say anything')
        return 1
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
