#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""National numbers beside python-stdnum: two hands that wrote down the same rules of the same authorities. Each row makes
numbers at random, all values of their check places among them, and both must give the same answer, but for the
differences that the row explains.

    stdnum_interop.py MOAT-CONFORM [SEED]
"""
import importlib
import itertools
import json
import random
import subprocess
import sys

TURNS = 40
DIGITS = '0123456789'
LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'


class Maker:
    """Texts by a template: # a digit, @ a letter, ? all digits, ! all letters, [..] one of those, {ymd} a day; else itself."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def day(self, form):
        year, month, day = self.random.randrange(1900, 2020), self.random.randrange(1, 13), self.random.randrange(1, 29)
        parts = {'y': f'{year % 100:02}', 'Y': f'{year}', 'm': f'{month:02}', 'd': f'{day:02}'}
        return ''.join(parts[c] for c in form)

    def texts(self, template):
        choices, rest = [], template
        while rest:
            first = rest[0]
            if first in '[{':
                inside, rest = rest[1:].split(']' if first == '[' else '}', 1)
                choices.append([self.random.choice(inside) if first == '[' else self.day(inside)])
                continue
            choices.append({'#': [self.random.choice(DIGITS)], '@': [self.random.choice(LETTERS)],
                            '?': DIGITS, '!': LETTERS}.get(first, [first]))
            rest = rest[1:]
        return [''.join(parts) for parts in itertools.product(*choices)]


def never(_):
    return False


def year_of(text, at):
    return int(text[at:at + 2])


def of_nobody_alive(text):
    """Nine digits with a year after 53 are of somebody born before 1900; 000 is no serial."""
    return len(text.replace('/', '')) == 9 and (year_of(text, 0) > 53 or text.endswith('000'))


def danish_without_check(text):
    """stdnum looks at no check; Moat does, but on the days for which there are numbers without one."""
    return not (text[:4] == '0101' and year_of(text, 4) >= 60 and text.replace('-', '')[6] not in '5678')


# (function, argument, stdnum's module, templates, what only stdnum may take, what only Moat may take)
ROWS = [
    ('isTaxID', 'bg-BG', 'bg.egn', ['{ymd}###?'], never, never),
    ('isTaxID', 'cs-CZ', 'cz.rc', ['{ymd}###?', '{ymd}/###?', '##[56]#[01]####?', '{ymd}###'], of_nobody_alive,
     lambda text: text[:2] == '85'),  # whether 1985 was the last year without a check of ten, or the first with it
    # To be born in a year to come is a no of stdnum's alone: Moat has no clock.
    ('isTaxID', 'da-DK', 'dk.cpr', ['{dmy}-###?', '{dmy}###?', '0101[678]####?'], danish_without_check,
     lambda text: text.replace('-', '')[6] in '456789'),
    # stdnum knows the tax offices.
    ('isTaxID', 'de-AT', 'at.tin', ['########?'], never, lambda _: True),
    ('isTaxID', 'de-DE', 'de.idnr', ['6592997048?', '3524987016?', '8609574271?'], never, never),
    # Companies, and numbers since 2023, whose check stdnum takes for the old one.
    ('isTaxID', 'el-CY', 'cy.vat', ['0#######!', '9#######!', '1#######!', '6#######!'], lambda text: text[0] == '1',
     lambda text: text[0] == '6'),
    ('isTaxID', 'el-GR', 'gr.vat', ['########?'], lambda text: text[0] in '56', never),
    ('isTaxID', 'en-CA', 'ca.sin', ['########?'], never, lambda text: text[0] in '08'),
    ('isTaxID', 'en-IE', 'ie.pps', ['#######!', '#######![AHW]'], never, never),
    ('isTaxID', 'en-US', 'us.ein', ['##-#######', '##-#######', '##-#######'], never, never),
    ('isTaxID', 'es-AR', 'ar.cuit', ['20########?', '2[347]########?', '3[034]########?'], never, never),
    ('isTaxID', 'es-ES', 'es.nif', ['########!', '[XYZ]#######!', '[KLM]#######!'], never, never),
    ('isTaxID', 'et-EE', 'ee.ik', ['[3456]{ymd}###?', '[12]##[01]#[0123]####?'], never, never),
    # 900 and up are given out for a while only.
    ('isTaxID', 'fi-FI', 'fi.hetu', ['{dmy}-###!', '{dmy}-###?', '{dmy}A###?'], never, lambda text: text[7] == '9'),
    ('isTaxID', 'fr-BE', 'be.nn', ['{ymd}###??'], never, lambda text: year_of(text, 0) > 20),
    ('isTaxID', 'hr-HR', 'hr.oib', ['##########?'], never, never),
    ('isTaxID', 'it-IT', 'it.codicefiscale', ['BCD[B]FG##[ABCDEHLMPRST][0145]#[ABCD]###!'], never, never),
    ('isTaxID', 'lt-LT', 'lt.asmens', ['[3456]{ymd}###?'], never, never),
    # Which digit stands for ten is nowhere to be read, nor whether it is given out; codes since 2017 begin with 3.
    ('isTaxID', 'lv-LV', 'lv.pvn', ['{dmy}[12]###?', '{dmy}-[12]###?', '3[23456789]########?'], lambda text: text[-1] == '0',
     lambda text: text[0] == '3' and text[1] > '1'),
    ('isTaxID', 'nl-NL', 'nl.bsn', ['########?'], never, never),
    ('isTaxID', 'pl-PL', 'pl.pesel', ['{ymd}####?', '##[89]#[012]#####?'], never, never),
    ('isTaxID', 'pl-PL', 'pl.nip', ['#########?'], never, never),
    ('isTaxID', 'pt-BR', 'br.cpf', ['#########??'], never, never),
    ('isTaxID', 'pt-BR', 'br.cnpj', ['########0001??'], never, never),
    ('isTaxID', 'pt-PT', 'pt.nif', ['########?'], never, never),
    # Later releases of stdnum know the counties.
    ('isTaxID', 'ro-RO', 'ro.cnp', ['[12]{ymd}[01234]####?'], never, lambda text: not '01' <= text[7:9] <= '46'),
    ('isTaxID', 'sk-SK', 'sk.rc', ['{ymd}###'], of_nobody_alive, never),
    ('isTaxID', 'sl-SI', 'si.ddv', ['[123456789]######?'], never, never),
    ('isTaxID', 'sv-SE', 'se.personnummer', ['{ymd}-###?', '{ymd}###?', '{Ymd}-###?'], never, never),
    ('isTaxID', 'uk-UA', 'ua.rntrc', ['#########?'], never, never),
    # stdnum knows the counties, Moat the provinces.
    ('isIdentityCard', 'zh-CN', 'cn.ric', ['110101{Ymd}###?', '310115{Ymd}###X', '######{Ymd}###?'], never,
     lambda text: not text.startswith(('110101', '310115'))),
    ('isIdentityCard', 'ES', 'es.dni', ['########!'], never, never),
    ('isIdentityCard', 'ES', 'es.nie', ['[XYZ]#######!'], never, never),
    ('isIdentityCard', 'FI', 'fi.hetu', ['{dmy}-###!', '{dmy}A###?'], never, lambda text: text[7] == '9'),
    ('isIdentityCard', 'he-IL', 'il.idnr', ['########?'], never, never),
    ('isIdentityCard', 'IN', 'in_.aadhaar', ['###########?'], never, never),
    # Years to come, as above.
    ('isIdentityCard', 'NO', 'no.fodselsnummer', ['{dmy}###??', '[4567]#[01]#####??'], never,
     lambda text: 20 < year_of(text, 4) < 40 and text[6] >= '5'),
    ('isIdentityCard', 'PK', 'pk.cnic', ['[1234567]####-#######-[123456789]'], never, never),
    ('isIdentityCard', 'TH', 'th.pin', ['############?'], never, never),
    ('isVAT', 'AU', 'au.abn', ['??#########'], never, never),
    ('isVAT', 'CH', 'ch.vat', ['CHE-###.###.##? MWST', 'CHE########?TVA', 'CHE-###.###.##? IVA'], never, never),
    # stdnum knows the countries.
    ('isISIN', None, 'isin', ['US#########?', 'DE######[ABC]##?'], never, never),
    ('isISSN', None, 'issn', ['####-###?', '####-###X'], never, never),
    ('isISBN', 10, 'isbn', ['#########?', '#########X'], never, never),
    ('isISBN', 13, 'isbn', ['978#########?', '979#########?'], never, never),
    ('isEAN', None, 'ean', ['############?', '#######?', '#############?'], never, never),
    ('isIMEI', None, 'imei', ['##############?'], never, never),
    ('isISO6346', None, 'iso6346', ['@@@[UJZ]######?'], never, never),
    # Moat knows which Federal Reserve Banks there are.
    ('isAbaRouting', None, 'us.rtn', ['########?'], lambda _: True, never),
]

# Check digits of VAT numbers are stdnum's alone (but for AU, CH and PT): what it takes, Moat must take.
VAT = {
    'AL': ('al.nipt', ['[JKL]########!']), 'AR': ('ar.cuit', ['30########?']), 'AT': ('at.uid', ['U#######?']),
    'BE': ('be.vat', ['[01]#######??']), 'BG': ('bg.vat', ['########?', '#########?']), 'BR': ('br.cnpj', ['########0001??']),
    'BY': ('by.unp', ['[1234567]#######?']), 'CA': ('ca.bn', ['########?', '########?RT0001']),
    'CL': ('cl.rut', ['########-?', '########-K']), 'CO': ('co.nit', ['#########?']), 'CR': ('cr.cpj', ['3101######']),
    'CY': ('cy.vat', ['########!']), 'CZ': ('cz.dic', ['#######?', '########?', '#########?']), 'DE': ('de.vat', ['########?']),
    'DK': ('dk.cvr', ['#######?']), 'DO': ('do.rnc', ['########?']), 'EC': ('ec.ruc', ['17[012345]######?001']),
    'EE': ('ee.kmkr', ['########?']), 'EL': ('gr.vat', ['########?']),
    'ES': ('es.nif', ['########!', '[XYZKLM]#######!', '[ABCDEFGHJNPQRSUVW]#######?', '[ABCDEFGHJNPQRSUVW]#######!']),
    'FI': ('fi.alv', ['#######?']), 'FR': ('fr.tva', ['??#########', '![ABCDEFGHJK0123456789]#########']),
    'GB': ('gb.vat', ['#######??', '#######??###', 'GD###', 'HA###']), 'GT': ('gt.nit', ['#######?', '#######K']),
    'HR': ('hr.oib', ['##########?']), 'HU': ('hu.anum', ['#######?']), 'ID': ('id.npwp', ['########?###000']),
    'IE': ('ie.vat', ['#######!', '#######![AW]', '#[ABC+*]#####!']), 'IL': ('il.hp', ['5#######?']),
    'IN': ('in_.gstin', ['27@@@P@####@1Z?', '27@@@P@####@1Z!']), 'IS': ('is_.vsk', ['#####', '######']),
    'IT': ('it.iva', ['#######0[123456789]#?']), 'LT': ('lt.pvm', ['#######1?', '##########1?']), 'LU': ('lu.tva', ['######??']),
    'LV': ('lv.pvn', ['##########?']), 'MK': ('mk.edb', ['############?']), 'MT': ('mt.vat', ['######??']),
    'MX': ('mx.rfc', ['@@@{ymd}[ABC]#?', '@@@@{ymd}@#?']), 'NL': ('nl.btw', ['########?B01', '#########B??']),
    'NO': ('no.mva', ['########?MVA']), 'NZ': ('nz.ird', ['#######?', '########?']), 'PE': ('pe.ruc', ['20########?', '10########?']),
    'PL': ('pl.nip', ['#########?']), 'PT': ('pt.nif', ['########?']), 'PY': ('py.ruc', ['#######-?']),
    'RO': ('ro.cf', ['#?', '###?', '#####?', '########?', '#########?']), 'RS': ('rs.pib', ['########?']),
    'RU': ('ru.inn', ['#########?', '##########??']), 'SE': ('se.vat', ['#########?01']), 'SI': ('si.ddv', ['#######?']),
    'SK': ('sk.dph', ['##########', '########??']), 'SM': ('sm.coe', ['#####']), 'SV': ('sv.nit', ['0############?']),
    'TR': ('tr.vkn', ['#########?']), 'UY': ('uy.rut', ['[01][123456789]######001?']), 'VE': ('ve.rif', ['[VEJPG]########?']),
}
PREFIXES = {'BY': 'УНП '}
PLAIN = ('BR', 'CL', 'GB', 'GT', 'PY', 'SV')  # Moat takes these without separators where it is asked to


def module_of(name):
    return importlib.import_module('stdnum.' + name)


def ask_moat(program, calls):
    lines = [json.dumps({'id': i, 'op': 'validate', 'fn': fn, 'args': args, 'input': text})
             for i, (fn, args, text) in enumerate(calls)]
    done = subprocess.run([program], input='\n'.join(lines) + '\n', capture_output=True, text=True, check=True)
    return [json.loads(line)['ok'] for line in done.stdout.splitlines()]


def stdnum_takes(module, text):
    try:
        return bool(module.is_valid(text))
    except Exception:  # it throws now and then where it should say no
        return False


def compare(program, maker):
    """The faults, and how many numbers were compared."""
    faults, calls, expected = [], [], []
    for row, (fn, argument, name, templates, *_) in enumerate(ROWS):
        for template in templates * TURNS:
            for text in maker.texts(template):
                calls.append((fn, [] if argument is None else [argument], text))
                expected.append((row, stdnum_takes(module_of(name), text)))
    agreed = [0] * len(ROWS)
    for (fn, args, text), (row, theirs), ours in zip(calls, expected, ask_moat(program, calls), strict=True):
        only_stdnum, only_moat = ROWS[row][4:]
        if ours and theirs:
            agreed[row] += 1
        if ours != theirs and not (only_stdnum if theirs else only_moat)(text):
            faults.append(f'{fn} {args} {text}: stdnum says {theirs}, Moat {ours}')
    # Two that agree on nothing but noes compare nothing.
    faults += [f'{ROWS[row][:3]}: no number is right for both' for row, count in enumerate(agreed) if count == 0]
    return faults, len(calls)


def compare_vat(program, maker):
    faults, calls = [], []
    for country, (name, templates) in VAT.items():
        for template in templates * (TURNS // 2):
            taken = [text for text in maker.texts(template) if stdnum_takes(module_of(name), text)]
            options = ['allow_missing_separators'] if country in PLAIN else []
            calls += [('isVAT', [country, *options], PREFIXES.get(country, country) + text) for text in taken]
    for (_, args, text), ours in zip(calls, ask_moat(program, calls), strict=True):
        # HMRC: the check of a GB number is 00 to 96.
        if not ours and not (args[0] == 'GB' and text[9:11] > '96'):
            faults.append(f'isVAT {args} {text}: stdnum takes it')
    faults += [f'isVAT {country}: nothing was compared' for country in VAT
               if not any(args[0] == country for _, args, _ in calls)]
    return faults, len(calls)


def main():
    program, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    # Debian's package is of Debian's Python, which may be another than the one that runs here.
    sys.path.append('/usr/lib/python3/dist-packages')
    try:
        importlib.import_module('stdnum')
    except ImportError:
        print('skipped: python3-stdnum is not installed')
        return 77
    maker = Maker(seed)
    faults, count = compare(program, maker)
    vat_faults, vat_count = compare_vat(program, maker)
    print('\n'.join((faults + vat_faults)[:40]))
    print(f'{count + vat_count} numbers compared, {len(faults + vat_faults)} faults')
    return 1 if faults or vat_faults else 0


if __name__ == '__main__':
    sys.exit(main())
