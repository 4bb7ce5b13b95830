#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""is_mobile_phone beside the metadata of libphonenumber (python3-phonenumbers): mobile numbers of each region are made at random by the
plan's own pattern, and Moat must take each that the library calls a mobile one, but for the blocks that are named below. Fixed lines
are made, too, and must be refused but for those that are named; so must numbers that are too short or too long, or of no country.

    phone_interop.py MOAT-CONFORM [SEED]
"""
import json
import random
import re
import subprocess
import sys

try:
    from re import _parser as parser  # Python 3.11 and later
except ImportError:
    import sre_parse as parser

TURNS = 200

LOCALES = '''
am-AM ar-AE ar-BH ar-DZ ar-EG ar-EH ar-IQ ar-JO ar-KW ar-LB ar-LY ar-MA ar-OM ar-PS ar-QA ar-SA ar-SD ar-SY ar-TN ar-YE az-AZ be-BY bg-BG
bn-BD bs-BA ca-AD cs-CZ da-DK de-AT de-CH de-DE de-LU dv-MV dz-BT el-CY el-GR en-AG en-AI en-AU en-BM en-BS en-BW en-CA en-CM en-GB en-GG
en-GH en-GY en-HK en-IE en-IN en-JM en-KE en-KI en-KN en-LS en-MO en-MT en-MU en-MW en-NA en-NG en-NZ en-PG en-PH en-PK en-RW en-SG en-SL
en-SS en-TZ en-UG en-US en-ZA en-ZM en-ZW es-AR es-BO es-CL es-CO es-CR es-CU es-DO es-EC es-ES es-GT es-HN es-MX es-NI es-PA es-PE es-PY
es-SV es-UY es-VE et-EE fa-AF fa-IR fi-FI fj-FJ fo-FO fr-BE fr-BF fr-BJ fr-CA fr-CD fr-CF fr-CH fr-CM fr-DJ fr-FR fr-GF fr-GP fr-MQ fr-PF
fr-RE fr-WF ga-IE he-IL hu-HU id-ID ir-IR it-CH it-IT it-SM ja-JP ka-GE kk-KZ kl-GL ko-KR ky-KG lt-LT lv-LV mg-MG mk-MK mn-MN ms-MY my-MM
mz-MZ nb-NO ne-NP nl-AW nl-BE nl-NL nn-NO pl-PL pt-AO pt-BR pt-PT ro-MD ro-RO ru-RU si-LK sk-SK sl-SI so-SO sq-AL sr-RS sv-SE tg-TJ th-TH
tk-TM tr-TR uk-UA uz-UZ vi-VN zh-CN zh-HK zh-MO zh-TW'''.split()

MACHINES = 'of machines, which sign up nowhere'
NOT_GIVEN_OUT = 'the plan has a general rule here, nothing of it is given out'
# Blocks of a plan that Moat leaves out: what the national number begins with, and why.
LEFT_OUT = {
    'ar-OM': ('1505', MACHINES),
    'bn-BD': ('3[78]|44|64|66', 'fixed telephones by radio'),
    'dv-MV': ('7[01]', NOT_GIVEN_OUT),
    'el-GR': ('69[26]', NOT_GIVEN_OUT),
    'en-GH': ('29', 'the network of the state itself'),
    'en-IN': ('160', 'from which banks and offices call'),
    'en-MW': ('89', NOT_GIVEN_OUT),
    'en-ZA': (r'[1-5]|8\d{4,7}$', MACHINES),
    'es-AR': ('675', 'trunked radio'),
    'es-ES': ('590|9', MACHINES),
    'fr-CD': (r'88\d{5}$', 'seven digits, before there were nine'),
    'fr-DJ': ('77[0-59]', NOT_GIVEN_OUT),
    'ky-KG': ('5[12467]', 'networks that have closed'),
    'my-MM': ('17[01]', 'fixed telephones by radio'),
    'pl-PL': ('21', MACHINES),
    'pt-BR': (r'\d\d90', NOT_GIVEN_OUT),
    'pt-PT': ('16|6', MACHINES),
    'ro-MD': ('6[345]', NOT_GIVEN_OUT),
    'vi-VN': ('1', MACHINES),
    'zh-TW': ('4', MACHINES),
}

# Where Moat takes fixed lines, too.
FIXED_LINES = {
    'no digit tells': 'cs-CZ da-DK de-AT de-CH en-CA en-US es-CL es-MX fr-CA fj-FJ fo-FO fr-CH it-CH kl-GL sk-SK',
    'more digits tell than the form has': 'ar-BH ar-TN en-AI en-BS en-HK en-IN en-JM en-KI en-KN en-NA en-NZ es-CR ir-IR kk-KZ pl-PL zh-HK',
    'cases of validator.js are fixed lines': 'ar-EH ar-LY ar-MA en-GG en-LS en-MW en-SG en-ZW es-EC es-GT es-HN es-NI es-PA es-VE fa-AF fr-BJ '
                                             'fr-CF lt-LT mg-MG mk-MK tk-TM uz-UZ',
}


def draws(choose, pattern):
    """A text that the pattern matches; patterns of the metadata have characters, sets, groups, choices and counts."""
    out = []
    for kind, what in pattern:
        name = str(kind)
        if name == 'LITERAL':
            out.append(chr(what))
        elif name == 'IN':
            out.append(choose.choice(members(what)))
        elif name == 'BRANCH':
            out.append(draws(choose, choose.choice(what[1])))
        elif name == 'SUBPATTERN':
            out.append(draws(choose, what[-1]))
        elif name == 'MAX_REPEAT':
            least, most, inner = what
            out.extend(draws(choose, inner) for _ in range(choose.randint(least, most)))
        else:
            raise ValueError(f'{name} in a pattern of the metadata')
    return ''.join(out)


def members(wanted):
    out = []
    for kind, what in wanted:
        if str(kind) == 'LITERAL':
            out.append(chr(what))
        elif str(kind) == 'RANGE':
            out.extend(chr(c) for c in range(what[0], what[1] + 1))
        else:  # \d
            out.extend('0123456789')
    return out


class Plans:
    """What the metadata say of a locale's region."""

    def __init__(self, library, seed):
        self.library = library
        self.random = random.Random(seed)
        self.kinds = library.PhoneNumberType

    def code(self, locale):
        return f'+{self.library.country_code_for_region(locale[3:])}'

    def numbers(self, locale, which):
        metadata = self.library.PhoneMetadata.metadata_for_region(locale[3:])
        described = getattr(metadata, which)
        if described is None or not described.national_number_pattern:
            return set()
        pattern = parser.parse(described.national_number_pattern)
        made = {draws(self.random, pattern) for _ in range(TURNS)}
        return made | ({described.example_number} if described.example_number else set())

    def kind(self, locale, text):
        number = self.library.parse(text, None)
        if not self.library.is_valid_number_for_region(number, locale[3:]):
            return None
        return self.library.number_type(number)

    def mobiles(self, locale):
        code = self.code(locale)
        both = (self.kinds.MOBILE, self.kinds.FIXED_LINE_OR_MOBILE)
        return [text for text in sorted(self.numbers(locale, 'mobile')) if self.kind(locale, code + text) in both]

    def fixed_lines(self, locale):
        code = self.code(locale)
        return [text for text in sorted(self.numbers(locale, 'fixed_line'))
                if self.kind(locale, code + text) == self.kinds.FIXED_LINE]


def ask_moat(program, calls):
    lines = [json.dumps({'id': i, 'op': 'validate', 'fn': 'isMobilePhone', 'args': [locale, {'strictMode': True}], 'input': text})
             for i, (locale, text) in enumerate(calls)]
    done = subprocess.run([program], input='\n'.join(lines) + '\n', capture_output=True, text=True, check=True)
    return [json.loads(line)['ok'] for line in done.stdout.splitlines()]


def compare(program, plans):
    """The faults, and how many numbers were compared."""
    calls, wanted = [], []
    for locale in LOCALES:
        code = plans.code(locale)
        mobiles = plans.mobiles(locale)
        left_out = LEFT_OUT.get(locale)
        for text in mobiles:
            calls.append((locale, code + text))
            wanted.append(not (left_out and re.match(left_out[0], text)))
        if not any(locale in locales for locales in FIXED_LINES.values()):
            fixed = plans.fixed_lines(locale)
            calls += [(locale, code + text) for text in fixed]
            wanted += [False] * len(fixed)
        for text in mobiles[:20]:
            calls += [(locale, '+999' + text), (locale, code + text + '0' * 12), (locale, code + text[:3])]
            wanted += [False] * 3
    faults = []
    for (locale, text), right, ours in zip(calls, wanted, ask_moat(program, calls), strict=True):
        if ours != right:
            faults.append(f'{locale} {text}: Moat says {ours}')
    # A locale without numbers compares nothing.
    for locale in LOCALES:
        mine = [right for (of, _), right in zip(calls, wanted, strict=True) if of == locale]
        if True not in mine:
            faults.append(f'{locale}: nothing was compared')
    return faults, len(calls)


def main():
    program, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    # Debian's package is of Debian's Python, which may be another than the one that runs here.
    sys.path.append('/usr/lib/python3/dist-packages')
    try:
        import phonenumbers
    except ImportError:
        print('skipped: python3-phonenumbers is not installed')
        return 77
    faults, count = compare(program, Plans(phonenumbers, seed))
    print('\n'.join(faults))
    print(f'{count} numbers compared, {len(faults)} faults')
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
