// SPDX-License-Identifier: Apache-2.0
#include "moat/csrf/token.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <utility>

#include "moat/base/encoding.h"

namespace moat::csrf {
namespace {

constexpr std::string_view token_label = "moat csrf token v1";
constexpr std::string_view cookie_label = "moat csrf cookie v1";
constexpr std::size_t nonce_size = 16;
constexpr std::size_t minute_size = 4;
constexpr std::size_t tag_size = std::tuple_size_v<Digest>;
constexpr std::size_t token_length = ((nonce_size + minute_size + tag_size) * 4 + 2) / 3;
constexpr std::size_t value_length = 43;  // 32 bytes in base64url, and so is a tag
constexpr std::size_t least_key = 32;
constexpr std::int64_t skew_minutes = 5;  // between the clocks of several nodes

template <class Integer>
void append_big_endian(std::string& out, Integer value) {
  for (std::size_t i = sizeof value; i-- > 0;) out += static_cast<char>((value >> (8 * i)) & 0xff);
}

std::int64_t minute_of(Time now) {
  return std::clamp<std::int64_t>(unix_seconds(now) / 60, 0,
                                  std::numeric_limits<std::uint32_t>::max());
}

std::int64_t read_minute(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char c : bytes) value = (value << 8) | static_cast<unsigned char>(c);
  return value;
}

// `head` is the nonce and the minute. All parts but the binding have fixed lengths, and its length
// goes first.
std::string message(char kind, std::string_view binding, std::string_view head) {
  std::string out(token_label);
  out += kind;
  append_big_endian(out, std::uint64_t{binding.size()});
  out += binding;
  out += head;
  return out;
}

bool is_base64url(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '_';
  });
}

std::string cookie_message(std::string_view value) {
  std::string out(cookie_label);
  out += value;
  return out;
}

std::string_view long_enough(const Secret& key) {
  if (key.size() < least_key)
    throw std::invalid_argument("a form guard's key has 32 bytes or more");
  return key.reveal();
}

}  // namespace

std::string_view to_string(TokenRefusal refusal) {
  switch (refusal) {
    case TokenRefusal::missing:
      return "missing";
    case TokenRefusal::malformed:
      return "malformed";
    case TokenRefusal::wrong:
      return "wrong";
    case TokenRefusal::expired:
      return "expired";
  }
  return "?";
}

std::string make_pre_login_value(Random& random) { return random.token(32); }

bool is_pre_login_value(std::string_view text) {
  return text.size() == value_length && is_base64url(text);
}

Tokens::Tokens(HmacKey current, std::optional<HmacKey> previous, std::chrono::minutes life)
    : current_(std::move(current)), previous_(std::move(previous)), life_(life) {}

std::string Tokens::issue(const Binding& binding, Random& random, Time now) const {
  std::string token = random.bytes(nonce_size);
  append_big_endian(token, static_cast<std::uint32_t>(minute_of(now)));
  const Digest tag = current_.tag(message(binding.kind_, binding.value_, token));
  token += as_bytes(tag);
  return base64url_encode(token);
}

Result<void, TokenRefusal> Tokens::verify(const Binding& binding, std::string_view token,
                                          Time now) const {
  if (token.empty() || binding.value_.empty()) return Error{TokenRefusal::missing};
  if (token.size() != token_length) return Error{TokenRefusal::malformed};
  const auto bytes = base64url_decode(token);
  if (!bytes) return Error{TokenRefusal::malformed};

  const std::string_view head = std::string_view(*bytes).substr(0, nonce_size + minute_size);
  const std::string_view tag = std::string_view(*bytes).substr(head.size());
  const std::string text = message(binding.kind_, binding.value_, head);
  if (!current_.verify(text, tag) && !(previous_ && previous_->verify(text, tag))) {
    return Error{TokenRefusal::wrong};
  }
  const std::int64_t age = minute_of(now) - read_minute(head.substr(nonce_size));
  if (age < -skew_minutes || age >= life_.count()) return Error{TokenRefusal::expired};
  return {};
}

FormGuard::FormGuard(const Secret& key)
    : cookies_(long_enough(key)), tokens_(HmacKey(key.reveal())) {}

bool FormGuard::is_own(std::string_view cookie) const {
  if (cookie.size() != 2 * value_length + 1 || cookie[value_length] != '.') return false;
  const std::string_view value = cookie.substr(0, value_length);
  const auto tag = base64url_decode(cookie.substr(value_length + 1));
  return is_pre_login_value(value) && tag && cookies_.verify(cookie_message(value), *tag);
}

FormGuard::Issued FormGuard::issue(std::string_view cookie, Random& random, Time now) const {
  Issued out;
  if (is_own(cookie)) {
    out.cookie = cookie;
  } else {
    out.cookie = make_pre_login_value(random);
    const Digest tag = cookies_.tag(cookie_message(out.cookie));
    out.cookie += "." + base64url_encode(as_bytes(tag));
  }
  out.token = tokens_.issue(Binding::pre_login(out.cookie), random, now);
  return out;
}

Result<void, TokenRefusal> FormGuard::check(std::string_view cookie, std::string_view token,
                                            Time now) const {
  if (cookie.empty()) return Error{TokenRefusal::missing};
  if (!is_own(cookie)) return Error{TokenRefusal::wrong};
  return tokens_.verify(Binding::pre_login(cookie), token, now);
}

}  // namespace moat::csrf
