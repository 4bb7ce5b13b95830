// SPDX-License-Identifier: Apache-2.0
// The other words of strangers: DNS answers, HSTS, the site's name, certificates, and what is shown
// of them. The first byte chooses.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "moat/doctor/internal/caa.h"
#include "moat/doctor/internal/chain.h"
#include "moat/doctor/internal/hsts_value.h"
#include "moat/doctor/internal/test_site.h"

namespace {

namespace doctor = moat::doctor;

void check_printable(std::string_view text) {
  for (const char c : text)
    if (c < 0x20 || c > 0x7e) std::abort();
}

// The text everywhere at once.
void judge(const std::string& text) {
  doctor::TlsFacts facts = doctor::testing::good_site();
  for (const char* name : {"location", "date", "strict-transport-security", "set-cookie"}) {
    doctor::testing::set(facts.https, name, text);
    doctor::testing::set(facts.plain_get, name, text);
  }
  facts.chain.sent[0].subject = facts.chain.sent[0].issuer_organization = text;
  facts.caa.records = {{false, text, text}, {true, "issue", text}};
  for (const auto& finding : doctor::judge_tls(facts, doctor::testing::now))
    check_printable(finding.evidence);
}

void examine(const std::string& der) {
  static const auto roots = doctor::internal::Roots::create("");
  auto chain = doctor::internal::examine_chain({der, der}, *roots, "example.com");
  if (!chain) return;
  if (chain->trust == doctor::Trust::trusted) std::abort();  // none of the corpus is
  doctor::TlsFacts facts = doctor::testing::good_site();
  facts.chain = std::move(*chain);
  for (const auto& finding : doctor::judge_tls(facts, doctor::testing::now))
    check_printable(finding.evidence);
}

}  // namespace

void fuzz(std::span<const std::uint8_t> input) {
  if (input.empty() || input.size() > 8192) return;
  const std::string text(reinterpret_cast<const char*>(input.data()) + 1, input.size() - 1);
  switch (input[0] % 5) {
    case 0:
      for (const auto& record : doctor::internal::read_caa_answer(text))
        if (record.tag.empty() || record.tag.size() > 255) std::abort();
      break;
    case 1:
      if (const auto value = doctor::internal::parse_hsts(text))
        if (value->max_age.count() < 0) std::abort();
      break;
    case 2: {
      const auto target = doctor::parse_target(text);
      if (!target) {
        check_printable(target.error());
        break;
      }
      const auto again = doctor::parse_target(target->authority(target->port, 443));
      if (!again || again->host != target->host || again->port != target->port) std::abort();
      break;
    }
    case 3:
      judge(text);
      break;
    default:
      examine(text);
  }
}
