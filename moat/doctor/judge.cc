// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "moat/doctor/internal/judge.h"
#include "moat/doctor/tls.h"

namespace moat::doctor {

std::vector<std::string_view> HttpFacts::all(std::string_view name) const {
  std::vector<std::string_view> out;
  for (const auto& [key, value] : fields)
    if (key == name) out.push_back(value);
  return out;
}

std::string_view HttpFacts::field(std::string_view name) const {
  const auto values = all(name);
  return values.empty() ? std::string_view() : values.front();
}

bool TlsFacts::reached() const {
  return std::any_of(contacts.begin(), contacts.end(),
                     [](const Contact& contact) { return contact.https == Reach::open; });
}

std::vector<Finding> judge_tls(const TlsFacts& facts, Time now) {
  std::vector<Finding> out;
  internal::judge_dns(facts, out);
  internal::judge_ports(facts, out);
  internal::judge_certificate(facts, now, out);
  internal::judge_protocol(facts, out);
  internal::judge_plain_http(facts, out);
  internal::judge_https(facts, out);
  return out;
}

}  // namespace moat::doctor
