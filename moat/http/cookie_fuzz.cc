// SPDX-License-Identifier: Apache-2.0
#include "moat/http/cookie.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "moat/http/set_cookie.h"

namespace {

using namespace moat::http;

constexpr std::array<std::string_view, 2> own = {"__Host-Http-at", "__Host-Http-rt"};

void require(bool condition) {
  if (!condition) std::abort();
}

void check_set_cookie(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == text.npos) return;
  SetCookie cookie;
  cookie.name = text.substr(0, equals);
  cookie.value = text.substr(equals + 1);
  const auto made = build_set_cookie(cookie);
  if (!made) return;
  // What we set, a browser sends back as this one pair.
  require(is_field_value(*made));
  const std::string pair = made->substr(0, made->find(';'));
  const CookieLookup found = find_cookie(pair, cookie.name);
  require(found.value && *found.value == cookie.value && !found.twice);
}

}  // namespace

// After stripping, none of our cookies is left, stripping again changes nothing, and all others
// are there in their order.
void fuzz(std::span<const std::uint8_t> data) {
  const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  if (text.size() > 8192) return;
  std::string stripped;
  const std::size_t removed = strip_cookies(text, own, stripped);
  for (const std::string_view name : own) require(!find_cookie(stripped, name).value);
  std::string again;
  require(strip_cookies(stripped, own, again) == 0 && again == stripped);

  std::size_t pairs = 0;
  CookieReader reader(text);
  while (const auto cookie = reader.next()) {
    require(!cookie->pair.empty());
    ++pairs;
  }
  std::size_t left = 0;
  CookieReader rest(stripped);
  while (rest.next()) ++left;
  require(pairs == left + removed);

  HardenOptions options;
  options.reserved = own;
  std::string hard;
  const Hardened hardened = harden_set_cookie(text, options, hard);
  require((hardened == Hardened::changed || hardened == Hardened::unchanged) || hard.empty());
  check_set_cookie(text);
}
