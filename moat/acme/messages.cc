// SPDX-License-Identifier: Apache-2.0
#include "moat/acme/messages.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "moat/base/encoding.h"

namespace moat::acme {

namespace {

constexpr std::array<std::string_view, 3> types = {"tls-alpn-01", "http-01", "dns-01"};

}  // namespace

std::string_view to_string(ChallengeType type) { return types[static_cast<std::size_t>(type)]; }

std::optional<ChallengeType> parse_challenge_type(std::string_view text) {
  const auto* const found = std::find(types.begin(), types.end(), text);
  if (found == types.end()) return std::nullopt;
  return static_cast<ChallengeType>(found - types.begin());
}

std::string Challenge::path() const { return "/.well-known/acme-challenge/" + token; }
Digest Challenge::digest() const { return sha256(key_authorization); }
std::string Challenge::record() const { return "_acme-challenge." + name; }
std::string Challenge::record_text() const { return base64url_encode(as_bytes(digest())); }

std::optional<Time> parse_retry_after(std::string_view text, Time now, std::chrono::seconds least,
                                      std::chrono::seconds most) {
  std::optional<Time> when;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (!text.empty() && end == text.data() + text.size() && seconds >= 0) {
    const bool overflow = error == std::errc::result_out_of_range;
    when = now +
           (overflow ? most : std::chrono::seconds{std::min<std::int64_t>(seconds, most.count())});
  } else {
    when = parse_http_date(text);
  }
  if (!when) return std::nullopt;
  return std::clamp<Time>(*when, now + least, now + most);
}

}  // namespace moat::acme
