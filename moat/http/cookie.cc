// SPDX-License-Identifier: Apache-2.0
#include "moat/http/cookie.h"

#include "moat/base/encoding.h"
#include "moat/http/internal/chars.h"

namespace moat::http {

std::optional<Cookie> CookieReader::next() {
  while (!rest_.empty()) {
    const std::size_t end = rest_.find(';');
    const std::string_view pair = internal::trim_blanks(rest_.substr(0, end));
    rest_ = end == rest_.npos ? std::string_view() : rest_.substr(end + 1);
    if (pair.empty()) continue;
    Cookie cookie;
    cookie.pair = pair;
    const std::size_t equals = pair.find('=');
    if (equals == pair.npos) {
      cookie.value = pair;
    } else {
      cookie.name = internal::trim_blanks(pair.substr(0, equals));
      cookie.value = internal::trim_blanks(pair.substr(equals + 1));
    }
    return cookie;
  }
  return std::nullopt;
}

CookieLookup find_cookie(std::string_view field_value, std::string_view name) {
  CookieLookup found;
  CookieReader reader(field_value);
  while (const std::optional<Cookie> cookie = reader.next()) {
    if (cookie->name != name || cookie->name.empty()) continue;
    if (found.value) {
      found.twice = true;
      break;
    }
    found.value = cookie->value;
  }
  return found;
}

std::string_view cookie_field(const Headers& headers, std::string& scratch) {
  if (headers.count(Known::cookie) <= 1) return headers.value(Known::cookie);
  scratch.clear();
  for (const Header& field : headers) {
    if (field.known != Known::cookie) continue;
    if (!scratch.empty()) scratch += "; ";
    scratch += field.value;
  }
  return scratch;
}

bool is_reserved_cookie(std::string_view name, std::span<const std::string_view> names) {
  for (const std::string_view reserved : names) {
    if (reserved.empty() || name.size() < reserved.size()) continue;
    if (!ascii_iequals(name.substr(0, reserved.size()), reserved)) continue;
    if (name.size() == reserved.size()) return true;
    if (!internal::is_alnum(static_cast<unsigned char>(name[reserved.size()]))) return true;
  }
  return false;
}

std::size_t strip_cookies(std::string_view field_value, std::span<const std::string_view> reserved,
                          std::string& out) {
  const auto remove = [reserved](const Cookie& cookie) {
    return is_reserved_cookie(cookie.name.empty() ? cookie.value : cookie.name, reserved);
  };
  return strip_cookies(field_value, remove, out);
}

}  // namespace moat::http
