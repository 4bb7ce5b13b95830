# SPDX-License-Identifier: Apache-2.0
"""What the MDN HTTP Observatory would say of a site, as its documentation describes the scoring.

https://developer.mozilla.org/en-US/observatory/docs/tests_and_scoring

Ten tests each have one outcome, which has a modifier; `grade(Site(...))` adds them up. Penalties are
taken from 100; only what is left with 90 or more gets the bonuses as well. Run as a program it tests
itself.
"""
import dataclasses
import html.parser
import unittest
import urllib.parse

EXTRA_CREDIT_FROM = 90

# The modifiers as documented, by test.
MODIFIERS = {
    # Content-Security-Policy
    'csp-implemented-with-no-unsafe-default-src-none': 10,
    'csp-implemented-with-no-unsafe': 5,
    'csp-implemented-with-unsafe-inline-in-style-src-only': 0,
    'csp-implemented-with-insecure-scheme-in-passive-content-only': -10,
    'csp-implemented-with-unsafe-eval': -10,
    'csp-implemented-with-unsafe-inline': -20,
    'csp-implemented-with-insecure-scheme': -20,
    'csp-header-invalid': -25,
    'csp-not-implemented': -25,
    'csp-not-implemented-but-reporting-enabled': -25,
    # Cookies
    'cookies-secure-with-httponly-sessions-and-samesite': 5,
    'cookies-secure-with-httponly-sessions': 0,
    'cookies-not-found': 0,
    'cookies-without-secure-flag-but-protected-by-hsts': -5,
    'cookies-session-without-secure-flag-but-protected-by-hsts': -10,
    'cookies-without-secure-flag': -20,
    'cookies-samesite-flag-invalid': -20,
    'cookies-anticsrf-without-samesite-flag': -20,
    'cookies-session-without-httponly-flag': -30,
    'cookies-session-without-secure-flag': -40,
    # Cross-origin resource sharing
    'cors-not-implemented': 0,
    'cors-implemented-with-public-access': 0,
    'cors-implemented-with-restricted-access': 0,
    'cors-implemented-with-universal-access': -50,
    # Redirection
    'redirection-to-https': 0,
    'redirection-not-needed-no-http': 0,
    'redirection-off-host-from-http': -5,
    'redirection-not-to-https-on-initial-redirection': -10,
    'redirection-not-to-https': -20,
    'redirection-missing': -20,
    # Referrer-Policy
    'referrer-policy-private': 5,
    'referrer-policy-not-implemented': 0,
    'referrer-policy-unsafe': -5,
    'referrer-policy-header-invalid': -5,
    # Strict-Transport-Security
    'hsts-preloaded': 5,
    'hsts-implemented-max-age-at-least-six-months': 0,
    'hsts-implemented-max-age-less-than-six-months': -10,
    'hsts-not-implemented': -20,
    'hsts-header-invalid': -20,
    # Subresource integrity
    'sri-implemented-and-all-scripts-loaded-securely': 5,
    'sri-implemented-and-external-scripts-loaded-securely': 5,
    'sri-not-implemented-response-not-html': 0,
    'sri-not-implemented-but-no-scripts-loaded': 0,
    'sri-not-implemented-but-all-scripts-loaded-from-secure-origin': 0,
    'sri-not-implemented-but-external-scripts-loaded-securely': -5,
    'sri-implemented-but-external-scripts-not-loaded-securely': -20,
    'sri-not-implemented-and-external-scripts-not-loaded-securely': -50,
    # X-Content-Type-Options
    'x-content-type-options-nosniff': 0,
    'x-content-type-options-not-implemented': -5,
    'x-content-type-options-header-invalid': -5,
    # X-Frame-Options
    'x-frame-options-implemented-via-csp': 5,
    'x-frame-options-sameorigin-or-deny': 0,
    'x-frame-options-allow-from-origin': 0,
    'x-frame-options-not-implemented': -20,
    'x-frame-options-header-invalid': -20,
    # Cross-Origin-Resource-Policy
    'corp-implemented-with-same-origin': 10,
    'corp-implemented-with-same-site': 10,
    'corp-implemented-with-cross-origin': 0,
    'corp-not-implemented': 0,
    'corp-header-invalid': -5,
}


@dataclasses.dataclass
class Site:
    """What a visitor saw: of https:// the headers and the page, and where http:// led to."""
    url: str = 'https://site.example/'
    headers: list = dataclasses.field(default_factory=list)  # (name, value), all of them
    body: str = ''
    # The addresses from http:// on, to where it ended; None: nobody listens there.
    http_route: list | None = None
    # The answer to a request with this Origin.
    cors_origin: str = 'https://http-observatory.security.mozilla.org'
    cors_headers: list = dataclasses.field(default_factory=list)

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name]


@dataclasses.dataclass
class Grade:
    score: int
    results: dict  # test -> outcome

    @property
    def letter(self):
        for least, letter in ((100, 'A+'), (90, 'A'), (85, 'A-'), (80, 'B+'), (70, 'B'), (65, 'B-'), (60, 'C+'),
                              (50, 'C'), (45, 'C-'), (40, 'D+'), (30, 'D'), (25, 'D-')):
            if self.score >= least:
                return letter
        return 'F'

    def __str__(self):
        lines = [f'{self.score} ({self.letter})']
        lines += [f'  {MODIFIERS[outcome]:+4} {outcome}' for outcome in self.results.values()]
        return '\n'.join(lines)


def grade(site):
    results = {name: test(site) for name, test in TESTS.items()}
    modifiers = [MODIFIERS[outcome] for outcome in results.values()]
    score = 100 + sum(m for m in modifiers if m < 0)
    if score >= EXTRA_CREDIT_FROM:
        score += sum(m for m in modifiers if m > 0)
    return Grade(max(score, 0), results)


# ------------------------------------------------------------------------------------------ policy

ANYWHERE = {'*', 'http:', 'https:', 'ftp:', 'http://*', 'https://*', 'http://*.*', 'https://*.*'}
INLINE = {"'unsafe-inline'", 'data:'}
PASSIVE = ('img-src', 'media-src')


class BadPolicy(Exception):
    pass


def parse_policies(texts):
    """Directive -> set of sources, of all policies together; a directive that comes twice in one is bad."""
    found = {}
    for text in texts:
        seen = set()
        for part in text.split(';'):
            words = part.split()
            if not words:
                continue
            name, values = words[0].lower(), {w if w.lower().startswith(("'nonce-", "'sha")) else w.lower()
                                              for w in words[1:]} or {"'none'"}
            if name in seen:
                raise BadPolicy(name)
            seen.add(name)
            # Where several policies speak of it, a source must be in each of them.
            found[name] = found[name] & values if name in found else values
    return found


def policy_of(site):
    # RFC 9110 section 5.3: lines of one name are a list with commas.
    texts = [text for line in site.all('content-security-policy') for text in line.split(',') if text.strip()]
    return parse_policies(texts)


def is_fixed(source):
    return source.startswith(("'nonce-", "'sha256-", "'sha384-", "'sha512-"))


def sources_for(policy, name):
    found = policy.get(name, policy.get('default-src'))
    return {'*'} if found is None else set(found)


def test_csp(site):
    try:
        policy = policy_of(site)
    except BadPolicy:
        return 'csp-header-invalid'
    if not policy:
        reports = site.all('content-security-policy-report-only')
        return 'csp-not-implemented-but-reporting-enabled' if reports else 'csp-not-implemented'
    scripts, styles = sources_for(policy, 'script-src'), sources_for(policy, 'style-src')
    objects = sources_for(policy, 'object-src')
    for sources in (scripts, styles):
        if any(map(is_fixed, sources)):
            sources.discard("'unsafe-inline'")  # browsers that know the one pass over the other
    if "'strict-dynamic'" in scripts:
        if not any(map(is_fixed, scripts)):
            return 'csp-header-invalid'
        scripts = {s for s in scripts if s not in ("'self'", "'unsafe-inline'")
                   and not any(s.startswith(wide) for wide in ANYWHERE)}
    active = scripts.union(*(sources for name, sources in policy.items()
                             if name not in PASSIVE and name != 'script-src'))
    passive = set().union(*(sources_for(policy, name) for name in PASSIVE
                            if name in policy or 'default-src' in policy))
    insecure = ('http:', 'ftp:')
    if scripts & (ANYWHERE | INLINE) or objects & ANYWHERE:
        return 'csp-implemented-with-unsafe-inline'
    if any(s.startswith(insecure) for s in active):
        return 'csp-implemented-with-insecure-scheme'
    if "'unsafe-eval'" in scripts | styles:
        return 'csp-implemented-with-unsafe-eval'
    if any(s.startswith(insecure) for s in passive):
        return 'csp-implemented-with-insecure-scheme-in-passive-content-only'
    if styles & (ANYWHERE | INLINE):
        return 'csp-implemented-with-unsafe-inline-in-style-src-only'
    if policy.get('default-src') == {"'none'"}:
        return 'csp-implemented-with-no-unsafe-default-src-none'
    return 'csp-implemented-with-no-unsafe'


# ------------------------------------------------------------------------------------- the others

def hsts_seconds(site):
    """max-age of the header; None: there is none; -1: it cannot be read."""
    lines = site.all('strict-transport-security')
    if not lines:
        return None
    if len(lines) > 1 or ',' in lines[0]:
        return -1
    for part in lines[0].lower().split(';'):
        name, _, value = part.strip().partition('=')
        if name == 'max-age':
            return int(value) if value.isdigit() else -1
    return -1


def test_hsts(site):
    seconds = hsts_seconds(site)
    if seconds is None:
        return 'hsts-not-implemented'
    if seconds < 0:
        return 'hsts-header-invalid'
    half_a_year = 15_552_000  # 180 days: what is accepted as the six months
    return ('hsts-implemented-max-age-at-least-six-months' if seconds >= half_a_year else
            'hsts-implemented-max-age-less-than-six-months')


def test_cookies(site):
    lines = site.all('set-cookie')
    if not lines:
        return 'cookies-not-found'
    protected = test_hsts(site) == 'hsts-implemented-max-age-at-least-six-months'
    outcomes, all_same_site = set(), True
    for line in lines:
        pair, *attributes = (part.strip() for part in line.split(';'))
        name = pair.partition('=')[0].lower()
        has = {}
        for attribute in attributes:
            key, _, value = attribute.partition('=')
            has[key.strip().lower()] = value.strip().lower()
        session = 'login' in name or 'sess' in name
        secure, same_site = 'secure' in has, has.get('samesite')
        if same_site is not None and same_site not in ('strict', 'lax', 'none'):
            outcomes.add('cookies-samesite-flag-invalid')
        if same_site == 'none' and not secure:
            outcomes.add('cookies-samesite-flag-invalid')
        if not secure:
            outcomes.add('cookies-' + ('session-' if session else '') + 'without-secure-flag' +
                         ('-but-protected-by-hsts' if protected else ''))
        if 'csrf' in name and not same_site:
            outcomes.add('cookies-anticsrf-without-samesite-flag')
        if session and 'httponly' not in has:
            outcomes.add('cookies-session-without-httponly-flag')
        all_same_site = all_same_site and bool(same_site)
    if outcomes:
        return min(outcomes, key=MODIFIERS.get)
    return 'cookies-secure-with-httponly-sessions' + ('-and-samesite' if all_same_site else '')


def test_cors(site):
    answer = {name.lower(): value.strip() for name, value in site.cors_headers}
    allowed = answer.get('access-control-allow-origin')
    if not allowed:
        return 'cors-not-implemented'
    if allowed == '*':
        return 'cors-implemented-with-public-access'
    if allowed == site.cors_origin and answer.get('access-control-allow-credentials', '').lower() == 'true':
        return 'cors-implemented-with-universal-access'
    return 'cors-implemented-with-restricted-access'


def test_redirection(site):
    if site.http_route is None:
        return 'redirection-not-needed-no-http'
    route = [urllib.parse.urlsplit(url) for url in site.http_route]
    if len(route) < 2:
        return 'redirection-missing'
    if route[-1].scheme != 'https':
        return 'redirection-not-to-https'
    if route[1].scheme != 'https':
        return 'redirection-not-to-https-on-initial-redirection'
    return 'redirection-to-https' if route[0].hostname == route[1].hostname else 'redirection-off-host-from-http'


PRIVATE = ('no-referrer', 'same-origin', 'strict-origin', 'strict-origin-when-cross-origin')
UNSAFE = ('origin', 'origin-when-cross-origin', 'unsafe-url', 'no-referrer-when-downgrade')


def test_referrer(site):
    values = [word.strip().lower() for line in site.all('referrer-policy') for word in line.split(',')]
    if not values:
        return 'referrer-policy-not-implemented'
    known = [value for value in values if value in PRIVATE + UNSAFE]
    if not known:
        return 'referrer-policy-header-invalid'
    return 'referrer-policy-private' if known[-1] in PRIVATE else 'referrer-policy-unsafe'


class Scripts(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.all = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == 'script':
            self.all.append(dict(attributes))


def registrable(host):
    return '.'.join((host or '').rsplit('.', 2)[-2:])  # near enough for a test's names


def test_sri(site):
    kind = (site.all('content-type') or [''])[0].split(';')[0].strip().lower()
    if kind and kind not in ('text/html', 'application/xhtml+xml'):
        return 'sri-not-implemented-response-not-html'
    scripts = Scripts(site.body).all
    if not scripts:
        return 'sri-not-implemented-but-no-scripts-loaded'
    here = urllib.parse.urlsplit(site.url)
    outcomes, foreign, own_with_integrity = set(), False, False
    for script in scripts:
        source = script.get('src')
        if not source:
            continue
        at = urllib.parse.urlsplit(source)
        near = not at.netloc or (bool(at.scheme) and registrable(at.hostname) == registrable(here.hostname))
        secure = (at.scheme or ('' if at.netloc else here.scheme)) == 'https'
        integrity = bool(script.get('integrity'))
        if near:
            own_with_integrity = own_with_integrity or (integrity and secure)
            continue
        foreign = True
        if not secure:
            outcomes.add('sri-implemented-but-external-scripts-not-loaded-securely' if integrity else
                         'sri-not-implemented-and-external-scripts-not-loaded-securely')
        elif not integrity:
            outcomes.add('sri-not-implemented-but-external-scripts-loaded-securely')
    if outcomes:
        return min(outcomes, key=MODIFIERS.get)
    if own_with_integrity:
        return 'sri-implemented-and-all-scripts-loaded-securely'
    return ('sri-implemented-and-external-scripts-loaded-securely' if foreign else
            'sri-not-implemented-but-all-scripts-loaded-from-secure-origin')


def test_content_type_options(site):
    lines = site.all('x-content-type-options')
    if not lines:
        return 'x-content-type-options-not-implemented'
    return 'x-content-type-options-' + ('nosniff' if lines[0].strip().lower() == 'nosniff' else 'header-invalid')


def test_frame_options(site):
    try:
        if policy_of(site).get('frame-ancestors'):
            return 'x-frame-options-implemented-via-csp'
    except BadPolicy:
        pass
    lines = site.all('x-frame-options')
    if not lines:
        return 'x-frame-options-not-implemented'
    value = lines[0].strip().lower()
    if value in ('deny', 'sameorigin'):
        return 'x-frame-options-sameorigin-or-deny'
    return 'x-frame-options-' + ('allow-from-origin' if value.startswith('allow-from') else 'header-invalid')


def test_resource_policy(site):
    lines = site.all('cross-origin-resource-policy')
    if not lines:
        return 'corp-not-implemented'
    value = lines[0].strip().lower()
    known = value in ('same-origin', 'same-site', 'cross-origin')
    return f'corp-implemented-with-{value}' if known else 'corp-header-invalid'


TESTS = {
    'content-security-policy': test_csp, 'cookies': test_cookies, 'cross-origin-resource-sharing': test_cors,
    'redirection': test_redirection, 'referrer-policy': test_referrer, 'strict-transport-security': test_hsts,
    'subresource-integrity': test_sri, 'x-content-type-options': test_content_type_options,
    'x-frame-options': test_frame_options, 'cross-origin-resource-policy': test_resource_policy,
}


# --------------------------------------------------------------------------------------- self-test

BEST = [
    ('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'"),
    ('Set-Cookie', '__Host-session=x; Path=/; Secure; HttpOnly; SameSite=Lax'),
    ('Referrer-Policy', 'same-origin'),
    ('Strict-Transport-Security', 'max-age=63072000; includeSubDomains'),
    ('X-Content-Type-Options', 'nosniff'),
    ('X-Frame-Options', 'DENY'),
    ('Cross-Origin-Resource-Policy', 'same-origin'),
    ('Content-Type', 'text/html; charset=utf-8'),
]
ROUTE = ['http://site.example/', 'https://site.example/']


def with_field(name, *values):
    return [field for field in BEST if field[0] != name] + [(name, value) for value in values]


class SelfTest(unittest.TestCase):
    def score(self, headers, **more):
        return grade(Site(headers=headers, http_route=more.pop('http_route', ROUTE), **more)).score

    def test_the_best_headers_get_135(self):
        self.assertEqual(self.score(BEST), 135)
        own = '<script src="/a.js" integrity="sha256-x"></script>'
        self.assertEqual(self.score(BEST, body=own), 140)
        self.assertEqual(grade(Site(headers=BEST, http_route=ROUTE)).letter, 'A+')

    def test_no_headers_at_all(self):
        # 25 for the policy, 20 for HSTS, 5 for sniffing, 20 for framing, 20 for no redirection.
        self.assertEqual(self.score([], http_route=['http://site.example/']), 10)
        self.assertEqual(grade(Site(http_route=['http://site.example/'])).letter, 'F')

    def test_without_a_policy_there_is_no_bonus(self):
        self.assertEqual(self.score(with_field('Content-Security-Policy')), 75)
        only = with_field('Content-Security-Policy') + [('Content-Security-Policy-Report-Only', "default-src 'none'")]
        self.assertEqual(self.score(only), 75)

    def test_bonuses_count_from_90_on(self):
        self.assertEqual(self.score(with_field('X-Content-Type-Options')), 95 + 35)
        short = [(k, 'max-age=86400' if k == 'Strict-Transport-Security' else v) for k, v in BEST]
        self.assertEqual(self.score(short), 90 + 35)
        self.assertEqual(self.score([f for f in short if f[0] != 'X-Content-Type-Options']), 85)

    def assert_outcomes(self, test, cases):
        for headers, outcome in cases:
            self.assertEqual(TESTS[test](Site(headers=headers)), outcome, headers)

    def test_policies(self):
        cases = {
            "default-src 'none'": 'csp-implemented-with-no-unsafe-default-src-none',
            "default-src 'self'": 'csp-implemented-with-no-unsafe',
            "default-src 'self'; style-src 'unsafe-inline'": 'csp-implemented-with-unsafe-inline-in-style-src-only',
            "default-src 'self'; img-src http://a.example": ('csp-implemented-with-insecure-scheme-in-passive-content'
                                                             '-only'),
            "default-src 'self' 'unsafe-eval'": 'csp-implemented-with-unsafe-eval',
            "default-src 'self' 'unsafe-inline'": 'csp-implemented-with-unsafe-inline',
            "script-src 'self'": 'csp-implemented-with-unsafe-inline',  # object-src is open
            "default-src https:": 'csp-implemented-with-unsafe-inline',
            "default-src 'self' http://a.example": 'csp-implemented-with-insecure-scheme',
            "default-src 'none'; default-src *": 'csp-header-invalid',
            "default-src 'none'; script-src 'strict-dynamic'": 'csp-header-invalid',
            "default-src 'none'; script-src 'nonce-abc' 'unsafe-inline' 'strict-dynamic' https:":
                'csp-implemented-with-no-unsafe-default-src-none',
            "default-src 'none', img-src *": 'csp-implemented-with-no-unsafe-default-src-none',
        }
        self.assert_outcomes('content-security-policy',
                             [([('Content-Security-Policy', text)], outcome) for text, outcome in cases.items()])

    def test_cookies(self):
        hsts = ('Strict-Transport-Security', 'max-age=63072000')
        self.assert_outcomes('cookies', [
            ([], 'cookies-not-found'),
            ([('Set-Cookie', 'a=1; Secure')], 'cookies-secure-with-httponly-sessions'),
            ([('Set-Cookie', 'a=1; Secure; SameSite=Lax')], 'cookies-secure-with-httponly-sessions-and-samesite'),
            ([('Set-Cookie', 'a=1')], 'cookies-without-secure-flag'),
            ([hsts, ('Set-Cookie', 'a=1')], 'cookies-without-secure-flag-but-protected-by-hsts'),
            ([('Set-Cookie', 'sessid=1; HttpOnly')], 'cookies-session-without-secure-flag'),
            ([hsts, ('Set-Cookie', 'sessid=1; HttpOnly')],
             'cookies-session-without-secure-flag-but-protected-by-hsts'),
            ([('Set-Cookie', 'login=1; Secure; SameSite=Lax')], 'cookies-session-without-httponly-flag'),
            ([('Set-Cookie', 'csrf=1; Secure')], 'cookies-anticsrf-without-samesite-flag'),
            ([('Set-Cookie', 'a=1; Secure; SameSite=Maybe')], 'cookies-samesite-flag-invalid'),
            ([('Set-Cookie', 'a=1; Secure; SameSite=Lax'), ('Set-Cookie', 'sess=1; Secure')],
             'cookies-session-without-httponly-flag'),
        ])

    def test_single_fields(self):
        for test, name, cases in (
                ('referrer-policy', 'Referrer-Policy', {
                    'no-referrer': 'referrer-policy-private', 'unsafe-url': 'referrer-policy-unsafe',
                    'x': 'referrer-policy-header-invalid', 'unsafe-url, same-origin': 'referrer-policy-private'}),
                ('strict-transport-security', 'Strict-Transport-Security', {
                    'max-age=15552000': 'hsts-implemented-max-age-at-least-six-months',
                    'max-age=15551999': 'hsts-implemented-max-age-less-than-six-months',
                    'includeSubDomains': 'hsts-header-invalid', 'max-age=x': 'hsts-header-invalid'}),
                ('x-content-type-options', 'X-Content-Type-Options', {
                    'NoSniff': 'x-content-type-options-nosniff', 'no': 'x-content-type-options-header-invalid'}),
                ('x-frame-options', 'X-Frame-Options', {
                    'DENY': 'x-frame-options-sameorigin-or-deny', 'ALLOWALL': 'x-frame-options-header-invalid',
                    'allow-from x': 'x-frame-options-allow-from-origin'}),
                ('cross-origin-resource-policy', 'Cross-Origin-Resource-Policy', {
                    'same-site': 'corp-implemented-with-same-site', 'x': 'corp-header-invalid',
                    'cross-origin': 'corp-implemented-with-cross-origin'})):
            self.assert_outcomes(test, [([(name, value)], outcome) for value, outcome in cases.items()])
        self.assert_outcomes('x-frame-options', [
            ([('Content-Security-Policy', "frame-ancestors 'self'")], 'x-frame-options-implemented-via-csp')])
        for test, outcome in (('referrer-policy', 'referrer-policy-not-implemented'),
                              ('strict-transport-security', 'hsts-not-implemented'),
                              ('x-content-type-options', 'x-content-type-options-not-implemented'),
                              ('x-frame-options', 'x-frame-options-not-implemented'),
                              ('cross-origin-resource-policy', 'corp-not-implemented')):
            self.assert_outcomes(test, [([], outcome)])

    def test_redirections(self):
        http, https, other = 'http://site.example/', 'https://site.example/', 'https://other.example/'
        for route, outcome in ((None, 'redirection-not-needed-no-http'), ([http, https], 'redirection-to-https'),
                               ([http], 'redirection-missing'), ([http, http], 'redirection-not-to-https'),
                               ([http, other], 'redirection-off-host-from-http'),
                               ([http, http, https], 'redirection-not-to-https-on-initial-redirection')):
            self.assertEqual(test_redirection(Site(http_route=route)), outcome)

    def test_cors(self):
        origin = ('Access-Control-Allow-Origin', Site.cors_origin)
        for headers, outcome in (([], 'cors-not-implemented'),
                                 ([('Access-Control-Allow-Origin', '*')], 'cors-implemented-with-public-access'),
                                 ([origin], 'cors-implemented-with-restricted-access'),
                                 ([origin, ('Access-Control-Allow-Credentials', 'true')],
                                  'cors-implemented-with-universal-access')):
            self.assertEqual(test_cors(Site(cors_headers=headers)), outcome)

    def test_integrity(self):
        for body, outcome in (
                ('<p>', 'sri-not-implemented-but-no-scripts-loaded'),
                ('<script src="/a.js"></script>', 'sri-not-implemented-but-all-scripts-loaded-from-secure-origin'),
                ('<script src="https://www.site.example/a.js"></script>',
                 'sri-not-implemented-but-all-scripts-loaded-from-secure-origin'),
                ('<script src="https://cdn.test/a.js"></script>',
                 'sri-not-implemented-but-external-scripts-loaded-securely'),
                ('<script src="https://cdn.test/a.js" integrity="x"></script>',
                 'sri-implemented-and-external-scripts-loaded-securely'),
                ('<script src="http://cdn.test/a.js"></script>',
                 'sri-not-implemented-and-external-scripts-not-loaded-securely'),
                ('<script src="//cdn.test/a.js" integrity="x"></script>',
                 'sri-implemented-but-external-scripts-not-loaded-securely')):
            self.assertEqual(test_sri(Site(body=body)), outcome, body)
        self.assertEqual(test_sri(Site(headers=[('Content-Type', 'application/json')])),
                         'sri-not-implemented-response-not-html')


if __name__ == '__main__':
    unittest.main()
