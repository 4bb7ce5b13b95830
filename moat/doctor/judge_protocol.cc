// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "moat/doctor/hello.h"
#include "moat/doctor/internal/judge.h"

namespace moat::doctor::internal {
namespace {

struct Version {
  Offer offer;
  const char* name;
};

std::vector<const char*> with(const std::vector<Version>& versions, Offer offer) {
  std::vector<const char*> out;
  for (const Version& version : versions)
    if (version.offer == offer) out.push_back(version.name);
  return out;
}

std::string join(const std::vector<const char*>& names) {
  return list(names, [](const char* name) { return std::string(name); });
}

void judge_versions(const VersionFacts& versions, Findings& out) {
  const std::vector<Version> old = {
      {versions.ssl30, "SSL 3.0"}, {versions.tls10, "TLS 1.0"}, {versions.tls11, "TLS 1.1"}};
  std::vector<Version> all = old;
  all.push_back({versions.tls12, "TLS 1.2"});
  all.push_back({versions.tls13, "TLS 1.3"});
  const auto old_accepted = with(old, Offer::accepted);
  if (versions.tls13 == Offer::accepted) out.push_back(finding("protocol.tls13", {}));
  if (versions.tls12 == Offer::accepted) out.push_back(finding("protocol.tls12", {}));
  if (versions.tls12 == Offer::refused && versions.tls13 == Offer::accepted)
    out.push_back(finding("protocol.no_tls12", {}));
  if (versions.tls13 == Offer::refused && versions.tls12 == Offer::accepted)
    out.push_back(finding("protocol.no_tls13", {}));
  if (versions.tls13 == Offer::refused && versions.tls12 == Offer::refused && !old_accepted.empty())
    out.push_back(finding("protocol.outdated", join(old_accepted)));
  if (!old_accepted.empty()) {
    out.push_back(finding("protocol.old_accepted", join(old_accepted)));
  } else if (const auto refused = with(old, Offer::refused); refused.size() == old.size()) {
    out.push_back(finding("protocol.old_refused", join(refused)));
  }
  if (const auto untested = with(all, Offer::untested); !untested.empty())
    out.push_back(finding("protocol.versions_untested", join(untested)));
}

bool is_quantum_safe(std::uint16_t group) {
  return group == x25519mlkem768 || group == 0x11eb || group == 0x11ed;
}

void judge_groups(const TlsFacts& facts, Findings& out) {
  if (facts.versions.tls13 == Offer::refused && facts.versions.tls12 == Offer::accepted) {
    out.push_back(finding("protocol.not_quantum_safe", "there is none below TLS 1.3"));
    return;
  }
  if (facts.versions.tls13 != Offer::accepted) return;
  if (!facts.groups_tested) {
    out.push_back(finding("protocol.groups_untested", {}));
    return;
  }
  const bool safe = std::any_of(facts.groups.begin(), facts.groups.end(), is_quantum_safe);
  out.push_back(finding(safe ? "protocol.quantum_safe" : "protocol.not_quantum_safe",
                        list(facts.groups, group_name)));
}

void judge_suites(const TlsFacts& facts, Findings& out) {
  const VersionFacts& versions = facts.versions;
  if (facts.suites_version == 0) {
    const bool any = versions.tls12 == Offer::accepted || versions.tls11 == Offer::accepted ||
                     versions.tls10 == Offer::accepted || versions.ssl30 == Offer::accepted;
    if (any) out.push_back(finding("protocol.suites_untested", {}));
    return;
  }
  struct Kind {
    SuiteKind kind;
    std::string_view id;
  };
  static constexpr Kind kinds[] = {
      {SuiteKind::broken, "protocol.suites_broken"},
      {SuiteKind::no_forward_secrecy, "protocol.suites_no_forward_secrecy"},
      {SuiteKind::cbc, "protocol.suites_cbc"},
      {SuiteKind::finite_field, "protocol.suites_finite_field"}};
  bool good = true;
  for (const Kind& kind : kinds) {
    std::vector<std::uint16_t> those;
    for (const std::uint16_t suite : facts.suites)
      if (suite_kind(suite) == kind.kind) those.push_back(suite);
    if (those.empty()) continue;
    good = false;
    out.push_back(finding(kind.id, list(those, suite_name)));
  }
  if (!facts.suites_complete) {
    out.push_back(finding("protocol.suites_untested",
                          "not all of them; so far: " + list(facts.suites, suite_name)));
  } else if (good) {
    out.push_back(finding("protocol.suites_good", list(facts.suites, suite_name)));
  }
}

void judge_hello(const HelloFacts& hello, Findings& out) {
  if (hello.compression) out.push_back(finding("protocol.compression", {}));
  if (!hello.secure_renegotiation) out.push_back(finding("protocol.renegotiation", {}));
  if (!hello.extended_master_secret)
    out.push_back(finding("protocol.no_extended_master_secret", {}));
  if (!hello.compression && hello.secure_renegotiation && hello.extended_master_secret)
    out.push_back(finding("protocol.sound_hello", {}));
}

}  // namespace

void judge_protocol(const TlsFacts& facts, Findings& out) {
  switch (facts.handshake.state) {
    case HandshakeFacts::State::untried:
      return;
    case HandshakeFacts::State::not_tls:
      out.push_back(finding("protocol.not_tls", shown(facts.handshake.trouble)));
      return;
    case HandshakeFacts::State::failed:
      out.push_back(finding("protocol.handshake_failed", shown(facts.handshake.trouble)));
      break;
    case HandshakeFacts::State::done:
      out.push_back(finding("protocol.handshake", {}));
      break;
  }
  if (facts.handshake.asks_who) out.push_back(finding("protocol.client_certificate", {}));
  judge_versions(facts.versions, out);
  judge_groups(facts, out);
  judge_suites(facts, out);
  if (facts.hello) judge_hello(*facts.hello, out);
  if (facts.handshake.state == HandshakeFacts::State::done) {
    const bool http2 = facts.handshake.protocol == "h2";
    const std::string chosen = facts.handshake.protocol.empty()
                                   ? "of h2 and http/1.1 none was chosen"
                                   : "chosen: " + shown(facts.handshake.protocol, 20);
    out.push_back(finding(http2 ? "protocol.http2" : "protocol.no_http2", chosen));
  }
  // Of an address alone there is no name that is served.
  const bool named = facts.target.is_local() || !facts.target.literal();
  if (facts.unknown_name == Offer::accepted && named) {
    out.push_back(finding(
        facts.target.is_local() ? "protocol.unknown_name_local" : "protocol.unknown_name_served",
        shown(facts.unknown_name_subject)));
  }
  if (facts.unknown_name == Offer::refused && named)
    out.push_back(finding("protocol.unknown_name_refused", {}));
}

}  // namespace moat::doctor::internal
