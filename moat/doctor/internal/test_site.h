// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests only: the facts of a site without a fault.

#include <algorithm>
#include <string>
#include <vector>

#include "moat/doctor/hello.h"
#include "moat/doctor/tls.h"

namespace moat::doctor::testing {

inline const Time now = from_unix_seconds(1'800'000'000);

inline CertificateFacts certificate(std::string subject, std::string issuer) {
  CertificateFacts out;
  out.subject = std::move(subject);
  out.issuer = std::move(issuer);
  out.issuer_organization = "Let's Encrypt";
  out.not_before = now - std::chrono::hours{24 * 10};
  out.not_after = now + std::chrono::hours{24 * 80};
  out.key = "EC 256";
  out.signature = "ecdsa-with-SHA384";
  return out;
}

inline HttpFacts answer(int status, std::vector<std::pair<std::string, std::string>> fields) {
  HttpFacts out;
  out.state = HttpFacts::State::answered;
  out.status = status;
  out.fields = std::move(fields);
  out.asked = out.answered = now;
  return out;
}

inline void set(HttpFacts& facts, const std::string& name, const std::string& value) {
  for (auto& field : facts.fields)
    if (field.first == name) field.second = value;
}
inline void drop(HttpFacts& facts, const std::string& name) {
  std::erase_if(facts.fields, [&](const auto& field) { return field.first == name; });
}

inline TlsFacts good_site() {
  TlsFacts out;
  out.target.host = "example.com";
  for (const char* text : {"192.0.2.1", "2001:db8::1"}) {
    Contact& contact = out.contacts.emplace_back();
    contact.address = *IpAddress::parse(text);
    contact.https = contact.http = Reach::open;
  }
  out.caa = {Caa::State::found, "example.com", {{false, "issue", "letsencrypt.org"}}};
  out.handshake.state = HandshakeFacts::State::done;
  out.handshake.protocol = "h2";
  out.chain.sent = {certificate("CN = example.com", "O = Let's Encrypt, CN = E7"),
                    certificate("O = Let's Encrypt, CN = E7", "O = ISRG, CN = ISRG Root X1")};
  out.chain.sent.front().names = {"example.com"};
  out.chain.path = out.chain.sent;
  out.chain.sent_count = 2;
  out.chain.trust = Trust::trusted;
  out.chain.in_order = out.chain.name_matches = true;
  out.versions = {Offer::refused, Offer::refused, Offer::refused, Offer::accepted, Offer::accepted};
  out.hello = HelloFacts{false, true, true};
  out.suites_version = tls12;
  out.suites = {0xc02b, 0xc02c};
  out.suites_complete = true;
  out.groups_tested = true;
  out.groups = {x25519mlkem768, 29};
  out.unknown_name = Offer::refused;
  out.https =
      answer(200, {{"date", format_http_date(now)},
                   {"strict-transport-security", "max-age=63072000; includeSubDomains; preload"},
                   {"content-type", "text/html; charset=utf-8"},
                   {"x-content-type-options", "nosniff"},
                   {"content-security-policy", "default-src 'self'; frame-ancestors 'none'"},
                   {"referrer-policy", "same-origin"},
                   {"set-cookie", "id=secret-value; Path=/; Secure; HttpOnly"}});
  out.plain_get = answer(308, {{"location", "https://example.com/"}});
  out.plain_post = answer(403, {});
  return out;
}

inline std::vector<std::string> ids(const TlsFacts& facts, Time at = now) {
  std::vector<std::string> out;
  for (const Finding& finding : judge_tls(facts, at)) out.emplace_back(finding.id);
  return out;
}
inline bool has(const TlsFacts& facts, std::string_view id, Time at = now) {
  const auto all = ids(facts, at);
  return std::find(all.begin(), all.end(), id) != all.end();
}
inline std::string evidence(const TlsFacts& facts, std::string_view id) {
  for (const Finding& finding : judge_tls(facts, now))
    if (finding.id == id) return finding.evidence;
  return "(no such finding)";
}

}  // namespace moat::doctor::testing
