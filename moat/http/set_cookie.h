// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "moat/base/result.h"

namespace moat::http {

enum class SameSite { lax, strict, none };

// SetCookie is a cookie to be set. By default it is Secure; HttpOnly; SameSite=Lax; Path=/ and ends
// with the browser's session.
struct SetCookie {
  std::string_view name = {};
  std::string_view value = {};
  std::optional<std::chrono::seconds> max_age = {};  // 0 deletes; at most 400 days
  SameSite same_site = SameSite::lax;
  std::string_view path = "/";
  std::string_view domain = {};  // empty: this host only
  bool allow_script = false;     // leaves out HttpOnly
  bool insecure_plain = false;   // leaves out Secure
};

enum class CookieRefusal {
  bad_name,       // no token
  bad_value,      // white space, quote, comma, semicolon, backslash, control or non-ASCII byte
  bad_attribute,  // such a byte in path or domain, or a path without '/'
  bad_max_age,    // negative or above 400 days
  too_long,       // name and value above 4096 bytes (RFC 6265bis section 5.6)
  prefix_rule     // __Host-, __Secure-, __Http-, __Host-Http- or SameSite=None ask for more
};
std::string_view to_string(CookieRefusal refusal);

// build_set_cookie gives the value of a Set-Cookie field.
[[nodiscard]] Result<std::string, CookieRefusal> build_set_cookie(const SetCookie& cookie);

// HardenOptions says how the cookies of a backend are treated.
struct HardenOptions {
  bool over_tls = true;  // the browser is reached over TLS: Secure can be asked for
  // Names that scripts must read, beside csrftoken and XSRF-TOKEN: they get no HttpOnly.
  std::span<const std::string_view> allow_script = {};
  std::span<const std::string_view> reserved = {};  // Moat's own: a backend may not set them
};

enum class Hardened { unchanged, changed, dropped_reserved, dropped_malformed };

// harden_set_cookie appends to `out` a backend's Set-Cookie value with Secure, HttpOnly and
// SameSite=Lax where the backend forgot them. What the backend chose stays: SameSite=None is kept
// and gets Secure. For dropped_* nothing is appended and the field must not be sent.
[[nodiscard]] Hardened harden_set_cookie(std::string_view value, const HardenOptions& options,
                                         std::string& out);

}  // namespace moat::http
