// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "moat/base/encoding.h"
#include "moat/doctor/internal/hsts_value.h"
#include "moat/doctor/internal/judge.h"
#include "moat/http/headers.h"

namespace moat::doctor::internal {
namespace {

constexpr std::chrono::seconds year = std::chrono::hours{365 * 24};
constexpr std::string_view field = "strict-transport-security";

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// delta-seconds, as a token or a quoted string.
std::optional<std::chrono::seconds> read_age(std::string_view text) {
  constexpr std::int64_t most = 1'000'000'000'000;
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    text = text.substr(1, text.size() - 2);
  if (text.empty()) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = std::min(most, value * 10 + (c - '0'));
  }
  return std::chrono::seconds{value};
}

void judge_value(const HstsValue& value, const TlsFacts& facts, const std::string& text,
                 Findings& out) {
  if (value.max_age.count() == 0) {
    out.push_back(finding("http.hsts_off", text));
    return;
  }
  const bool short_lived = value.max_age < year;
  if (short_lived) out.push_back(finding("http.hsts_short", text));
  if (!value.include_subdomains) out.push_back(finding("http.hsts_no_subdomains", text));
  if (!short_lived && value.include_subdomains) out.push_back(finding("http.hsts", text));
  if (!value.preload) return;
  std::string broken;
  const auto add = [&broken](const char* rule) {
    if (!broken.empty()) broken += ", ";
    broken += rule;
  };
  if (facts.chain.trust != Trust::trusted || !facts.chain.name_matches) add("trusted certificate");
  if (short_lived) add("max-age");
  if (!value.include_subdomains) add("includeSubDomains");
  // What could not be looked at is not held against it.
  if (facts.plain_get.state == HttpFacts::State::answered) {
    const Redirection to = redirection_of(facts);
    if (to != Redirection::good && to != Redirection::other_port) add("redirect");
  }
  if (broken.empty()) {
    out.push_back(finding("http.hsts_preload_ready", {}));
  } else {
    out.push_back(finding("http.hsts_preload_unready", "not fulfilled: " + broken));
  }
}

}  // namespace

std::optional<HstsValue> parse_hsts(std::string_view text) {
  HstsValue out;
  bool has_age = false;
  std::set<std::string> seen;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    const std::string_view directive = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (directive.empty()) continue;
    const std::size_t equals = std::min(directive.find('='), directive.size());
    const std::string name = ascii_lower(trim(directive.substr(0, equals)));
    if (!http::is_token(name) || !seen.insert(name).second) return std::nullopt;
    const bool valued = equals < directive.size();
    if (name == "max-age") {
      const auto age = read_age(valued ? trim(directive.substr(equals + 1)) : std::string_view());
      if (!age) return std::nullopt;
      out.max_age = *age;
      has_age = true;
    }
    // Both are without a value; with one they are other directives, and those are ignored.
    if (name == "includesubdomains" && !valued) out.include_subdomains = true;
    if (name == "preload" && !valued) out.preload = true;
  }
  if (!has_age) return std::nullopt;
  return out;
}

void judge_hsts(const TlsFacts& facts, Findings& out) {
  const auto values = facts.https.all(field);
  const std::string all =
      list(values, [](std::string_view value) { return "\"" + shown(value) + "\""; });
  if (facts.target.has_no_hsts()) {
    out.push_back(finding(values.empty() ? "http.hsts_not_here" : "http.hsts_here", all));
    return;
  }
  if (values.empty()) {
    out.push_back(finding("http.hsts_missing", {}));
    return;
  }
  if (values.size() > 1) out.push_back(finding("http.hsts_twice", all));
  const auto value = parse_hsts(values.front());
  if (!value) {
    out.push_back(finding("http.hsts_malformed", all));
    return;
  }
  judge_value(*value, facts, all, out);
}

}  // namespace moat::doctor::internal
