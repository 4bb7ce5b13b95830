// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "moat/http/headers.h"

namespace moat::http {

// One pair of a Cookie field; views into it. The name is empty for a pair without '='.
struct Cookie {
  std::string_view name;
  std::string_view value;  // as it came, quotes included
  std::string_view pair;   // both, without white space around
};

// CookieReader walks the pairs of a Cookie field (RFC 6265bis section 4.2); empty pairs are passed
// over. No allocation.
class CookieReader final {
 public:
  explicit CookieReader(std::string_view field_value) : rest_(field_value) {}
  std::optional<Cookie> next();

 private:
  std::string_view rest_;
};

// What find_cookie found. Two cookies of one name mean that somebody else set one of them: which is
// whose cannot be told, so a caller that relies on the cookie refuses `twice`.
struct CookieLookup {
  std::optional<std::string_view> value;  // of the first
  bool twice = false;
};
// Names are compared byte by byte, as browsers do.
[[nodiscard]] CookieLookup find_cookie(std::string_view field_value, std::string_view name);

// The Cookie field of a request; several (HTTP/2, RFC 9113 section 8.2.3) are joined in `scratch`.
[[nodiscard]] std::string_view cookie_field(const Headers& headers, std::string& scratch);

// is_reserved_cookie tells whether `name` is one of `names` or could be taken for one: the same in
// another case, or one followed by anything but a letter or digit.
[[nodiscard]] bool is_reserved_cookie(std::string_view name,
                                      std::span<const std::string_view> names);

// strip_cookies appends to `out` the pairs whose cookie `remove(const Cookie&)` does not want gone,
// joined by "; ", and gives the number of pairs it left out.
template <std::predicate<const Cookie&> Predicate>
std::size_t strip_cookies(std::string_view field_value, Predicate remove, std::string& out) {
  std::size_t removed = 0;
  bool first = true;
  CookieReader reader(field_value);
  while (const std::optional<Cookie> cookie = reader.next()) {
    if (remove(*cookie)) {
      ++removed;
      continue;
    }
    if (!first) out += "; ";
    out += cookie->pair;
    first = false;
  }
  return removed;
}
// The same for reserved names; a pair without '=' goes when its text is reserved.
std::size_t strip_cookies(std::string_view field_value, std::span<const std::string_view> reserved,
                          std::string& out);

}  // namespace moat::http
