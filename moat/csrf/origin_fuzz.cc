// SPDX-License-Identifier: Apache-2.0
// Whatever Origin or Referer says, only our own origin passes, and printing what was read gives the
// same again.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "moat/base/encoding.h"
#include "moat/csrf/csrf.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

bool starts_with_own(std::string_view url) {
  for (const std::string_view own : {"https://example.com", "https://example.com:443"}) {
    if (!moat::ascii_iequals(url.substr(0, own.size()), own)) continue;
    const std::string_view rest = url.substr(own.size());
    if (rest.empty() || rest[0] == '/' || rest[0] == '?' || rest[0] == '#') return true;
  }
  return false;
}

void check_round_trip(const std::optional<moat::csrf::Origin>& origin) {
  if (!origin) return;
  const std::string text = origin->to_string();
  const auto again = moat::csrf::Origin::parse(text);
  require(again && again->same_as(*origin) && again->to_string() == text);
}

}  // namespace

void fuzz(std::span<const std::uint8_t> input) {
  using namespace moat::csrf;
  if (input.size() > 4096) return;
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  check_round_trip(Origin::parse(text));
  check_round_trip(Origin::of_url(text));
  check_round_trip(Origin::of_request("https", text));

  const Policy policy;
  Request request;
  request.method = "POST";
  request.host = "example.com";
  request.origin = text;
  const bool is_own = moat::ascii_iequals(text, "https://example.com") ||
                      moat::ascii_iequals(text, "https://example.com:443");
  require(verdict(request, policy).pass() == is_own);
  request.sec_fetch_site = text;
  require(verdict(request, policy).pass() == is_own);

  request.sec_fetch_site.reset();
  request.origin.reset();
  request.referer = text;
  require(verdict(request, policy).pass() == starts_with_own(text));

  request.referer.reset();
  request.origin = "https://example.com";
  request.host = text;
  const bool is_host =
      moat::ascii_iequals(text, "example.com") || moat::ascii_iequals(text, "example.com:443");
  require(verdict(request, policy).pass() == is_host);
}
