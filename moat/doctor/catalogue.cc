// SPDX-License-Identifier: Apache-2.0
// Everything that can be found, with its words. The ids are stable: programs read them.
#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "moat/doctor/finding.h"

namespace moat::doctor {
namespace {

struct Entry {
  std::string_view id;
  Severity severity;
  std::string_view title;
  std::string_view explanation;
  std::string_view remedy;
};

constexpr Severity ok = Severity::ok, note = Severity::note, warning = Severity::warning,
                   failure = Severity::failure;

constexpr Entry dns_entries[] = {
    {"dns.resolved", ok, "The name resolves", {}, {}},
    {"dns.unresolved", failure, "The name does not resolve",
     "Nobody can reach the site by this name.",
     "Add A and AAAA records at the operator of the domain's DNS, and check the spelling."},
    {"dns.no_ipv6", note, "No IPv6 address",
     "Clients in networks that have IPv6 only reach the site through translation, or not at all.",
     "Add an AAAA record once the server has an IPv6 address."},
    {"dns.no_ipv4", note, "No IPv4 address",
     "Clients in networks without IPv6 cannot reach the site.",
     "Add an A record, unless this is meant."},
    {"dns.private_address", note, "An address that the internet cannot reach",
     "Private, link-local and loopback addresses work inside one network or machine only, and no "
     "public CA can check them.",
     "Nothing, if only this network is to reach the site; otherwise publish its public address."},
    {"dns.caa_permits", ok, "CAA permits the CA of the certificate", {}, {}},
    {"dns.caa_missing", note, "No CAA record",
     "Any public CA may issue for the name (RFC 8659), so the weakest of them is the one that "
     "counts.",
     "Add a record such as: example.com. CAA 0 issue \"letsencrypt.org\""},
    {"dns.caa_forbids", warning, "CAA does not name the CA of the certificate",
     "The CA must refuse the next certificate (RFC 8659), so the renewal is going to fail.",
     "Add the CA to the CAA records, or get the certificate from one that is named there."},
    {"dns.caa_unclear", note, "CAA is there; whether it permits this CA is not known",
     "The names by which this CA looks for itself in CAA records are not known to Moat.",
     "Compare the records with the CA's own documentation."},
    {"dns.caa_failed", warning, "The CAA records could not be looked up",
     "A CA that gets no answer must not issue (RFC 8659 section 3). Perhaps it is only the "
     "resolver of this machine that does not answer.",
     "Ask another resolver: dig CAA NAME. A name server that drops the question has to be "
     "mended."},
};

constexpr Entry ports_entries[] = {
    {"ports.https_open", ok, "HTTPS port open", {}, {}},
    {"ports.https_closed", failure, "HTTPS port closed",
     "No address of the site takes connections there.",
     "Start the server, and open the port in the firewall of the machine and of its provider."},
    {"ports.address_dead", warning, "One of the addresses does not answer",
     "Clients that try it first wait or fail, and a CA may be among them: Let's Encrypt prefers "
     "IPv6.",
     "Let the server listen there too, open the firewall for that address family, or take the "
     "record out of DNS."},
    {"ports.address_untested", note, "An address that could not be tried from here",
     "This machine has no way to that address, which says nothing about the site.",
     "Run the doctor from a machine that has IPv6 and IPv4."},
    {"ports.http_open", ok, "HTTP port open, to send people on", {}, {}},
    {"ports.http_closed", note, "HTTP port closed",
     "Nothing travels in the clear, which is safe. People whose browser tries http:// first see "
     "an error, and a CA cannot use HTTP-01.",
     "Nothing, if that is meant; otherwise let the port redirect to https."},
    {"ports.http_skipped", note, "Plain HTTP was not looked at",
     "HTTPS is not on its usual port, so that of plain HTTP is not known.",
     "Name it: --http-port PORT"},
};

constexpr Entry certificate_entries[] = {
    {"certificate.trusted", ok, "The chain leads to a trusted root", {}, {}},
    {"certificate.self_signed", failure, "The certificate is signed by itself",
     "Clients cannot tell the site from anybody who is on the way; browsers warn.",
     "Get a certificate from a CA (Moat does it: tls.acme). If it is your own on purpose, name it: "
     "--ca-file FILE"},
    {"certificate.unknown_root", failure, "The chain ends in a root that is not trusted",
     "Browsers warn, unless their machine was told to trust that root.",
     "Get a certificate from a public CA. For a CA of your own, such as Moat's local one, name its "
     "root: --ca-file FILE (and `moat trust` for this machine)."},
    {"certificate.incomplete", failure, "The chain is incomplete",
     "A certificate between the server's own and the root was not sent. Some browsers mend that by "
     "guessing; other clients fail.",
     "Serve the whole chain: the certificate first, then each intermediate (the CA's file is often "
     "called fullchain.pem)."},
    {"certificate.unknown_issuer", failure, "The chain ends below an issuer that is not trusted",
     "The issuer of the last certificate was not sent and is not trusted here: it is the root of a "
     "CA that this machine does not know, or one more intermediate is missing.",
     "For a CA of your own, such as Moat's local one, name its root: --ca-file FILE (and `moat "
     "trust` for this machine). Of a public CA serve the whole chain (often called "
     "fullchain.pem)."},
    {"certificate.wrong_purpose", failure, "The certificate may not serve TLS",
     "Its extensions are for another purpose, so clients refuse it.",
     "Get a certificate for TLS servers (extended key usage serverAuth)."},
    {"certificate.refused", failure, "The chain does not verify", "Clients refuse it.",
     "Serve the chain as the CA gave it; if that does not help, get another certificate."},
    {"certificate.ordered", ok, "The chain is in order", {}, {}},
    {"certificate.disordered", warning, "The chain is out of order",
     "Each certificate should be followed by the one that signed it (RFC 8446 section 4.4.2). Some "
     "clients do not sort.",
     "Serve the certificate first, then its issuer, then the issuer's, and nothing else."},
    {"certificate.root_sent", note, "The root is sent too",
     "Who trusts it has it already; it only makes handshakes longer.",
     "Leave the last certificate out of the chain file."},
    {"certificate.chain_long", warning, "The chain is very long",
     "More certificates are sent than any path needs; only the first ten were looked at.",
     "Serve the certificate and its intermediates only."},
    {"certificate.name", ok, "The certificate is for this name", {}, {}},
    {"certificate.name_mismatch", failure, "The certificate is for another name",
     "Clients refuse it: it proves who another site is.",
     "Get a certificate that has this name, or configure the server to show the right one."},
    {"certificate.in_date", ok, "In date", {}, {}},
    {"certificate.expired", failure, "The certificate has expired", "Clients refuse it.",
     "Renew it now, and let that happen by itself from then on (ACME)."},
    {"certificate.not_yet_valid", failure, "The certificate is not valid yet",
     "Clients refuse it. The clock of its issuer, of the server or of this machine is wrong.",
     "Check the clocks (`timedatectl`), then get another certificate."},
    {"certificate.renewal_due", warning, "The certificate should have been renewed",
     "Less than a third of its life is left (of one below ten days: half), which is when renewal "
     "begins. Unless it began just now, it does not work.",
     "Look why: `moat cert list` and the log's certificate_not_issued, or your ACME client's log."},
    {"certificate.issuer_expired", failure, "An intermediate certificate has expired",
     "Clients refuse the chain.", "Serve the CA's current intermediate."},
    {"certificate.strong", ok, "Keys and signatures are strong", {}, {}},
    {"certificate.weak_key", failure, "A key is too weak",
     "RSA below 2048 bits and curves below 256 can be broken (RFC 9325 section 4.5).",
     "Make a new key, ECDSA P-256 or RSA with 3072 bits, and a certificate for it."},
    {"certificate.weak_signature", failure, "A signature uses a broken hash",
     "SHA-1 and MD5 can be made to collide, so such a certificate can be forged.",
     "Get a certificate that is signed with SHA-256 or better."},
    {"certificate.stapled", ok, "The answer about revocation that must come is stapled", {}, {}},
    {"certificate.not_stapled", failure, "The certificate demands a staple, and none came",
     "Clients that know \"must-staple\" (RFC 7633) refuse the connection.",
     "Turn on OCSP stapling in the server, or get a certificate without must-staple."},
};

constexpr Entry protocol_entries[] = {
    {"protocol.handshake", ok, "A TLS handshake succeeds", {}, {}},
    {"protocol.handshake_failed", failure, "No TLS handshake succeeded",
     "Something listens there, but no secure connection comes about, so the certificate could not "
     "be looked at.",
     "Look into the server's log for the reason."},
    {"protocol.not_tls", failure, "The port does not speak TLS",
     "What is sent there travels in the clear, or is no HTTPS at all.",
     "Turn TLS on for that port, or name the right one: --port PORT"},
    {"protocol.client_certificate", note, "The server asks for a client certificate",
     "Browsers of strangers may show a question that nobody understands.",
     "Nothing, if only clients with one are meant."},
    {"protocol.tls13", ok, "TLS 1.3 is offered", {}, {}},
    {"protocol.no_tls13", warning, "TLS 1.3 is not offered",
     "It is faster, hides the certificate and has no weak options (RFC 9325 section 3.1.1).",
     "Turn it on; a server without it needs a newer TLS library."},
    {"protocol.tls12", ok, "TLS 1.2 is offered to older clients", {}, {}},
    {"protocol.no_tls12", note, "TLS 1.3 only",
     "That is the safest choice; clients from before about 2018 cannot connect.",
     "Nothing, if that is meant."},
    {"protocol.outdated", failure, "Neither TLS 1.2 nor TLS 1.3 is offered",
     "Browsers refuse what is older (RFC 8996).", "Update the server's TLS library."},
    {"protocol.old_refused", ok, "Old versions are refused", {}, {}},
    {"protocol.old_accepted", failure, "Old versions are accepted",
     "SSL 3.0, TLS 1.0 and 1.1 must not be used (RFC 7568, RFC 8996): their suites and hashes are "
     "broken.",
     "Set the least version to TLS 1.2."},
    {"protocol.versions_untested", note, "Whether some versions are accepted could not be tested",
     "The server answered neither yes nor no.", "Try again, perhaps with a longer --timeout."},
    {"protocol.quantum_safe", ok, "A key exchange that withstands quantum computers", {}, {}},
    {"protocol.not_quantum_safe", note, "No key exchange that withstands quantum computers",
     "Who records the traffic today may read it once there are such computers. Browsers offer "
     "X25519MLKEM768.",
     "Use a TLS library that has it (OpenSSL 3.5 and later)."},
    {"protocol.groups_untested", note, "Which key exchanges are offered could not be tested",
     "The server answered neither yes nor no.", "Try again, perhaps with a longer --timeout."},
    {"protocol.suites_good", ok, "Only good cipher suites", {}, {}},
    {"protocol.suites_broken", failure, "Broken cipher suites are accepted",
     "NULL, anonymous, export, RC4, DES and 3DES suites protect little or nothing (RFC 9325 "
     "section 4.1).",
     "Allow ECDHE with AES-GCM or ChaCha20-Poly1305 only."},
    {"protocol.suites_no_forward_secrecy", warning, "Suites without forward secrecy are accepted",
     "Who gets the server's key one day can read what was recorded before (RFC 9325 section 4.1).",
     "Allow suites that begin with ECDHE only."},
    {"protocol.suites_cbc", warning, "CBC suites are accepted",
     "They encrypt what has its MAC already, which has led to attacks again and again (Lucky 13).",
     "Allow ECDHE with AES-GCM or ChaCha20-Poly1305 only."},
    {"protocol.suites_finite_field", note, "DHE suites are accepted",
     "They are slow, and clients cannot refuse weak parameters (RFC 9325 section 4.1).",
     "Allow suites that begin with ECDHE only."},
    {"protocol.suites_untested", note, "Which cipher suites are accepted could not be tested",
     "The server did not answer the question.", "Try again, perhaps with a longer --timeout."},
    {"protocol.sound_hello",
     ok,
     "No compression; renegotiation is bound to its connection",
     {},
     {}},
    {"protocol.compression", failure, "TLS compression is on",
     "The length of what is encrypted gives secrets away (CRIME; RFC 9325 section 3.3).",
     "Turn it off."},
    {"protocol.renegotiation", failure, "No secure renegotiation",
     "Without RFC 5746 an attacker can put words of his own before a client's.",
     "Update the server's TLS library."},
    {"protocol.no_extended_master_secret", warning, "No extended master secret",
     "Two connections may share their secrets (triple handshake; RFC 7627).",
     "Update the server's TLS library."},
    {"protocol.http2", ok, "HTTP/2 is offered", {}, {}},
    {"protocol.no_http2", note, "HTTP/2 is not offered",
     "Pages with many parts load more slowly. It is no matter of security.",
     "Turn it on where the server has it."},
    {"protocol.unknown_name_refused",
     ok,
     "A handshake for a name that is not served is refused",
     {},
     {}},
    {"protocol.unknown_name_served", note, "A handshake for a name that is not served succeeds",
     "The server shows a default certificate, which tells strangers who scan addresses what is "
     "hosted there, and helps cross-protocol attacks (RFC 9325 section 3.7).",
     "Refuse names that are not served (unrecognized_name), as Moat does for public names."},
    {"protocol.unknown_name_local",
     ok,
     "A handshake for another name succeeds: on this machine it "
     "does not matter",
     {},
     {}},
};

constexpr Entry http_entries[] = {
    {"http.redirects", ok, "Plain HTTP redirects to https on the same host", {}, {}},
    {"http.redirect_missing", failure, "Plain HTTP is answered with content",
     "The page can be read and changed by everybody on the way, links and forms too.",
     "Redirect every page with 301 or 308 to https on the same host."},
    {"http.redirect_insecure", failure, "Plain HTTP redirects, but not to https",
     "The client goes on in the clear.", "Redirect to https on the same host at once."},
    {"http.redirect_temporary", warning, "The redirect is not for good",
     "302, 303 and 307 are not kept by browsers, so each visit begins in the clear again.",
     "Redirect with 301 or 308."},
    {"http.redirect_other_host", warning, "The redirect leads to another host",
     "The first redirect should stay on the host, so that its HSTS is learned.",
     "Redirect to https on the same host first, and from there to the other."},
    {"http.redirect_other_port", note, "The redirect leads to another port",
     "It is not the one that was looked at.", "Check that it is the right one."},
    {"http.redirect_refused", note, "Plain HTTP is refused instead of redirected",
     "That is right for an API; people who type the name see an error.",
     "Redirect GET requests of browsers to https, unless this is meant."},
    {"http.plain_no_answer", note, "Plain HTTP gives no answer",
     "The port is open, but what came in time was no HTTP answer that could be judged.",
     "Close the port, or let it redirect to https."},
    {"http.plain_cookies", failure, "Cookies are set over plain HTTP",
     "Everybody on the way can read them, and set their own.",
     "Set no cookie before the redirect, and mark all of them Secure."},
    {"http.plain_hsts", warning, "HSTS is sent over plain HTTP",
     "Browsers ignore it there, and it must not be sent (RFC 6797 section 7.2).",
     "Send it over HTTPS only."},
    {"http.post_refused", ok, "A form or API call over plain HTTP is not sent on", {}, {}},
    {"http.post_redirected", warning, "A form or API call over plain HTTP is redirected",
     "Its content was readable on the way, and the redirect hides that from its author (OWASP "
     "ASVS 4.1.2).",
     "Answer everything but GET and HEAD on plain HTTP with 403."},
    {"http.post_accepted", failure, "A form or API call over plain HTTP is accepted",
     "Its content was readable on the way, and so is the answer.",
     "Answer everything but GET and HEAD on plain HTTP with 403."},
    {"http.answers", ok, "HTTPS answers", {}, {}},
    {"http.no_answer", failure, "HTTPS gives no answer",
     "The headers, HSTS and cookies could not be looked at.",
     "Look into the server's log; try a longer --timeout if the site is slow."},
    {"http.not_let_in", note, "HTTPS answers only who has a client certificate",
     "The headers, HSTS and cookies could not be looked at.",
     "Nothing, if only such clients are meant."},
    {"http.malformed", failure, "The answer is no well-formed HTTP",
     "It could be read in two ways, so it was not read at all; proxies disagree about such "
     "answers, and attackers use that (RFC 9112).",
     "Mend what makes the answer; the evidence names the rule."},
    {"http.too_large", failure, "The head of the answer does not end",
     "More than 64 KiB of header came, or more than 100 fields; many clients give up before.",
     "Find out which header grows."},
    {"http.server_error", warning, "HTTPS answers with an error",
     "What was looked at is the error's page; the site itself may send other headers.",
     "Look into the server's log, and run the doctor again."},
    {"http.clock", ok, "The server's clock agrees with this machine's", {}, {}},
    {"http.clock_skewed", warning, "The clocks differ by more than 30 s",
     "Tokens and one-time passwords fail at their edges. Either clock may be the wrong one.",
     "Let both be set by NTP (`timedatectl`)."},
    {"http.clock_wrong", failure, "The clocks differ by more than 5 min",
     "Certificates, tokens and renewal depend on the time. Either clock may be the wrong one.",
     "Let both be set by NTP (`timedatectl`)."},
    {"http.clock_unknown", note, "The server's clock is not known",
     "The answer has no Date header that can be read (RFC 9110 section 6.6.1).",
     "Send one: caches and clients count on it."},
    {"http.hsts", ok, "HSTS", {}, {}},
    {"http.hsts_not_here", ok, "No HSTS, as it should be for localhost and addresses", {}, {}},
    {"http.hsts_here", warning, "HSTS is sent for localhost or an address",
     "Browsers ignore it for addresses (RFC 6797 section 8.1.1); for localhost it holds for every "
     "other program on every port of that machine.",
     "Send it for public names only."},
    {"http.hsts_missing", failure, "No HSTS",
     "A browser that is led to http:// once can be held there, and robbed of its cookies.",
     "Send over HTTPS: Strict-Transport-Security: max-age=63072000; includeSubDomains"},
    {"http.hsts_twice", failure, "HSTS is sent more than once",
     "Browsers take the first and ignore the others (RFC 6797 section 8.1); which is first may "
     "change.",
     "Let one place alone send it: the server or what is before it."},
    {"http.hsts_malformed", failure, "The HSTS header cannot be read",
     "Browsers ignore it whole (RFC 6797 section 6.1).",
     "Send: Strict-Transport-Security: max-age=63072000; includeSubDomains"},
    {"http.hsts_off", failure, "HSTS is turned off",
     "max-age=0 makes browsers forget it (RFC 6797 section 6.1.1).",
     "Send: Strict-Transport-Security: max-age=63072000; includeSubDomains"},
    {"http.hsts_short", warning, "HSTS lasts for less than a year",
     "Who comes back later than that is unprotected on the first visit. (On the way up from a "
     "careful start it is right.)",
     "Raise max-age to 31536000 (a year) or more once all works over HTTPS."},
    {"http.hsts_no_subdomains", warning, "HSTS leaves subdomains out",
     "Somebody on the way can invent one, and set cookies for the whole domain from there.",
     "Add includeSubDomains once every subdomain has HTTPS."},
    {"http.hsts_preload_ready", ok, "HSTS fulfils the rules of the preload list", {}, {}},
    {"http.hsts_preload_unready", warning, "HSTS says preload, but breaks the list's rules",
     "hstspreload.org wants a trusted certificate, max-age of a year or more, includeSubDomains, "
     "and a redirect to https on the same host where port 80 is open.",
     "Fulfil them, or leave preload out: it is hard to take back."},
    {"http.cookies_secure", ok, "Cookies are Secure", {}, {}},
    {"http.cookie_insecure", failure, "A cookie is not Secure",
     "The browser sends it over plain HTTP too, where everybody on the way can read it.",
     "Mark every cookie Secure, and HttpOnly where no script needs it."},
    {"http.headers", ok, "Security headers", {}, {}},
    {"http.no_nosniff", note, "No X-Content-Type-Options: nosniff",
     "Browsers may take an upload for a script.", "Send: X-Content-Type-Options: nosniff"},
    {"http.no_frame_rule", note, "Other sites may put the page into a frame",
     "Their visitors can be made to click on what they do not see.",
     "Send: Content-Security-Policy: frame-ancestors 'self' (or X-Frame-Options: SAMEORIGIN)"},
    {"http.no_referrer_policy", note, "No Referrer-Policy",
     "Older browsers tell other sites the whole address that a visitor comes from.",
     "Send: Referrer-Policy: strict-origin-when-cross-origin"},
    {"http.no_csp", note, "No Content-Security-Policy",
     "A script that somebody manages to inject may run.",
     "Send one, first in Content-Security-Policy-Report-Only to see what it would stop."},
};

struct Section {
  Area area;
  const Entry* begin;
  const Entry* end;
};

constexpr Section sections[] = {
    {Area::dns, std::begin(dns_entries), std::end(dns_entries)},
    {Area::ports, std::begin(ports_entries), std::end(ports_entries)},
    {Area::certificate, std::begin(certificate_entries), std::end(certificate_entries)},
    {Area::protocol, std::begin(protocol_entries), std::end(protocol_entries)},
    {Area::http, std::begin(http_entries), std::end(http_entries)},
};

}  // namespace

Finding finding(std::string_view id, std::string evidence) {
  for (const Section& section : sections) {
    const Entry* const entry = std::find_if(section.begin, section.end,
                                            [id](const Entry& known) { return known.id == id; });
    if (entry != section.end) {
      return {entry->severity,     section.area,       entry->id,    entry->title,
              std::move(evidence), entry->explanation, entry->remedy};
    }
  }
  std::abort();
}

std::vector<std::string_view> finding_ids() {
  std::vector<std::string_view> out;
  for (const Section& section : sections)
    for (const Entry* entry = section.begin; entry != section.end; ++entry)
      out.push_back(entry->id);
  return out;
}

}  // namespace moat::doctor
