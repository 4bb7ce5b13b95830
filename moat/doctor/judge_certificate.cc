// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>

#include "moat/doctor/internal/judge.h"
#include "moat/https/certificate.h"

namespace moat::doctor::internal {
namespace {

std::string names(const CertificateFacts& certificate) {
  if (certificate.names.empty()) return "no names";
  return list(certificate.names, [](const std::string& name) { return shown(name, 80); });
}

void judge_trust(const ChainFacts& chain, Findings& out) {
  const CertificateFacts& leaf = chain.sent.front();
  const CertificateFacts& last = chain.sent.back();
  const std::string whole = shown(leaf.subject) + ", issued by " + shown(leaf.issuer) + ", " +
                            std::to_string(chain.sent_count) +
                            (chain.sent_count == 1 ? " certificate" : " certificates");
  switch (chain.trust) {
    case Trust::trusted:
      out.push_back(finding("certificate.trusted", whole));
      break;
    case Trust::self_signed:
      out.push_back(finding("certificate.self_signed", shown(leaf.subject)));
      break;
    case Trust::unknown_root:
      out.push_back(finding("certificate.unknown_root", shown(last.subject)));
      break;
    case Trust::incomplete:
      // One alone lacks what is between it and the root; behind several most likely the root is not
      // known.
      out.push_back(finding(chain.sent_count > 1 && chain.in_order ? "certificate.unknown_issuer"
                                                                   : "certificate.incomplete",
                            whole + " sent; the last one's issuer: " + shown(last.issuer)));
      break;
    case Trust::wrong_purpose:
      out.push_back(finding("certificate.wrong_purpose", whole));
      break;
    case Trust::refused:
      out.push_back(finding("certificate.refused", whole + ": " + shown(chain.trust_detail)));
      break;
  }
}

void judge_order(const ChainFacts& chain, Findings& out) {
  const auto print = [](const CertificateFacts& certificate) {
    return shown(certificate.subject, 80);
  };
  const std::string all = list(chain.sent, print);
  if (chain.sent_count > chain.sent.size()) {
    out.push_back(
        finding("certificate.chain_long", std::to_string(chain.sent_count) + " certificates"));
  }
  if (!chain.in_order) {
    out.push_back(finding("certificate.disordered", all));
  } else if (chain.root_sent && chain.sent_count > 1) {
    out.push_back(finding("certificate.root_sent", print(chain.sent.back())));
  } else if (chain.sent_count == chain.sent.size()) {
    out.push_back(finding("certificate.ordered", {}));
  }
}

std::string span(std::chrono::microseconds time) {
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(time).count();
  const auto whole = [](auto number, const char* unit) {
    return std::to_string(number) + " " + unit + (number == 1 ? "" : "s");
  };
  return hours < 48 ? whole(hours, "hour") : whole(hours / 24, "day");
}

void judge_dates(const ChainFacts& chain, Time now, Findings& out) {
  const CertificateFacts& leaf = chain.sent.front();
  const std::string life =
      "from " + format_rfc3339(leaf.not_before) + " to " + format_rfc3339(leaf.not_after);
  // RFC 5280 section 4.1.2.5: both ends are inclusive.
  if (now > leaf.not_after) {
    out.push_back(finding("certificate.expired", life));
  } else if (now < leaf.not_before) {
    out.push_back(finding("certificate.not_yet_valid", life));
  } else {
    const bool due = https::needs_renewal(leaf.not_before, leaf.not_after, now);
    out.push_back(finding(due ? "certificate.renewal_due" : "certificate.in_date",
                          life + "; " + span(leaf.not_after - now) + " left"));
  }
  for (std::size_t i = 1; i < chain.path.size(); ++i) {
    if (now <= chain.path[i].not_after) continue;
    out.push_back(
        finding("certificate.issuer_expired",
                shown(chain.path[i].subject) + ", " + format_rfc3339(chain.path[i].not_after)));
  }
}

// Of those whose signatures count: what a root says of itself does not.
void judge_strength(const ChainFacts& chain, Findings& out) {
  const bool trusted = chain.trust == Trust::trusted && !chain.path.empty();
  const auto& judged = trusted ? chain.path : chain.sent;
  bool good = true;
  for (std::size_t i = 0; i < judged.size(); ++i) {
    const CertificateFacts& certificate = judged[i];
    const std::string whose = shown(certificate.subject) + ": ";
    if (certificate.weak_key) {
      out.push_back(finding("certificate.weak_key", whose + shown(certificate.key)));
      good = false;
    }
    if (certificate.weak_signature && (i == 0 || !certificate.self_signed)) {
      out.push_back(finding("certificate.weak_signature", whose + shown(certificate.signature)));
      good = false;
    }
  }
  if (good)
    out.push_back(finding("certificate.strong",
                          shown(judged.front().key) + ", " + shown(judged.front().signature)));
}

}  // namespace

void judge_certificate(const TlsFacts& facts, Time now, Findings& out) {
  const ChainFacts& chain = facts.chain;
  if (chain.sent.empty()) return;
  judge_trust(chain, out);
  judge_order(chain, out);
  out.push_back(finding(chain.name_matches ? "certificate.name" : "certificate.name_mismatch",
                        names(chain.sent.front())));
  judge_dates(chain, now, out);
  judge_strength(chain, out);
  if (chain.must_staple && facts.handshake.state == HandshakeFacts::State::done)
    out.push_back(
        finding(facts.handshake.stapled ? "certificate.stapled" : "certificate.not_stapled", {}));
}

}  // namespace moat::doctor::internal
