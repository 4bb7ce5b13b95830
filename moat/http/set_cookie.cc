// SPDX-License-Identifier: Apache-2.0
#include "moat/http/set_cookie.h"

#include <array>

#include "moat/http/cookie.h"
#include "moat/http/headers.h"
#include "moat/http/internal/chars.h"

namespace moat::http {
namespace {

using internal::iequals;
using internal::istarts_with;

constexpr std::size_t max_pair = 4096;
constexpr std::chrono::seconds max_age_limit = std::chrono::hours(24 * 400);

// cookie-octet of RFC 6265bis section 4.1.1.
bool is_cookie_value(std::string_view text) {
  for (const char c : text)
    if (c <= ' ' || c >= 0x7f || c == '"' || c == ',' || c == ';' || c == '\\') return false;
  return true;
}

bool is_attribute_value(std::string_view text) {
  for (const char c : text)
    if (c < ' ' || c >= 0x7f || c == ';') return false;
  return true;
}

std::string_view to_text(SameSite same_site) {
  switch (same_site) {
    case SameSite::lax:
      return "Lax";
    case SameSite::strict:
      return "Strict";
    case SameSite::none:
      return "None";
  }
  return "Lax";
}

// RFC 6265bis section 4.1.3, with the newer __Http- and __Host-Http-, which ask for HttpOnly.
bool keeps_prefix_rules(const SetCookie& cookie) {
  const bool host = istarts_with(cookie.name, "__Host-");
  const bool http =
      istarts_with(cookie.name, "__Host-Http-") || istarts_with(cookie.name, "__Http-");
  const bool secure =
      host || http || istarts_with(cookie.name, "__Secure-") || cookie.same_site == SameSite::none;
  if (secure && cookie.insecure_plain) return false;
  if (host && (cookie.path != "/" || !cookie.domain.empty())) return false;
  return !http || !cookie.allow_script;
}

std::optional<CookieRefusal> check(const SetCookie& cookie) {
  if (!is_token(cookie.name)) return CookieRefusal::bad_name;
  if (!is_cookie_value(cookie.value)) return CookieRefusal::bad_value;
  if (cookie.name.size() + cookie.value.size() > max_pair) return CookieRefusal::too_long;
  if (cookie.path.empty() || cookie.path[0] != '/' || !is_attribute_value(cookie.path) ||
      !is_attribute_value(cookie.domain))
    return CookieRefusal::bad_attribute;
  if (cookie.max_age &&
      (*cookie.max_age < std::chrono::seconds(0) || *cookie.max_age > max_age_limit))
    return CookieRefusal::bad_max_age;
  if (!keeps_prefix_rules(cookie)) return CookieRefusal::prefix_rule;
  return std::nullopt;
}

// What a backend's Set-Cookie says, attribute by attribute.
struct Said {
  bool secure = false;
  bool http_only = false;
  bool same_site = false;
  bool same_site_none = false;
};

struct Attribute {
  std::string_view text;  // as it came, trimmed
  std::string_view name;
  std::string_view value;
};

// Cuts the next attribute off; false at the end.
bool next_attribute(std::string_view& rest, Attribute& out) {
  while (!rest.empty()) {
    const std::size_t end = rest.find(';');
    out.text = internal::trim_blanks(rest.substr(0, end));
    rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
    if (out.text.empty()) continue;
    const std::size_t equals = out.text.find('=');
    out.name = internal::trim_blanks(out.text.substr(0, equals));
    out.value = equals == out.text.npos ? std::string_view()
                                        : internal::trim_blanks(out.text.substr(equals + 1));
    return true;
  }
  return false;
}

bool is_same_site_value(std::string_view value) {
  return iequals(value, "Lax") || iequals(value, "Strict") || iequals(value, "None");
}

// Browsers obey the last SameSite; one they do not know counts as forgotten.
Said read_attributes(std::string_view rest) {
  Said said;
  Attribute attribute;
  while (next_attribute(rest, attribute)) {
    if (iequals(attribute.name, "Secure")) said.secure = true;
    if (iequals(attribute.name, "HttpOnly")) said.http_only = true;
    if (iequals(attribute.name, "SameSite")) {
      said.same_site = is_same_site_value(attribute.value);
      said.same_site_none = iequals(attribute.value, "None");
    }
  }
  return said;
}

bool script_must_read(std::string_view name, std::span<const std::string_view> names) {
  if (name == "csrftoken" || name == "XSRF-TOKEN") return true;
  for (const std::string_view allowed : names)
    if (name == allowed) return true;
  return false;
}

void copy_attributes(std::string_view rest, bool drop_same_site, std::string& out) {
  Attribute attribute;
  while (next_attribute(rest, attribute)) {
    if (drop_same_site && iequals(attribute.name, "SameSite")) continue;
    out.append("; ").append(attribute.text);
  }
}

}  // namespace

std::string_view to_string(CookieRefusal refusal) {
  switch (refusal) {
    case CookieRefusal::bad_name:
      return "bad_name";
    case CookieRefusal::bad_value:
      return "bad_value";
    case CookieRefusal::bad_attribute:
      return "bad_attribute";
    case CookieRefusal::bad_max_age:
      return "bad_max_age";
    case CookieRefusal::too_long:
      return "too_long";
    case CookieRefusal::prefix_rule:
      return "prefix_rule";
  }
  return "bad_name";
}

Result<std::string, CookieRefusal> build_set_cookie(const SetCookie& cookie) {
  if (const std::optional<CookieRefusal> refusal = check(cookie)) return Error{*refusal};
  std::string out;
  out.reserve(cookie.name.size() + cookie.value.size() + cookie.path.size() + 96);
  out.append(cookie.name).append("=").append(cookie.value).append("; Path=").append(cookie.path);
  if (!cookie.domain.empty()) out.append("; Domain=").append(cookie.domain);
  if (cookie.max_age) out.append("; Max-Age=").append(std::to_string(cookie.max_age->count()));
  if (!cookie.insecure_plain) out += "; Secure";
  if (!cookie.allow_script) out += "; HttpOnly";
  out.append("; SameSite=").append(to_text(cookie.same_site));
  return out;
}

Hardened harden_set_cookie(std::string_view value, const HardenOptions& options, std::string& out) {
  const std::size_t end = value.find(';');
  const std::string_view rest = end == value.npos ? std::string_view() : value.substr(end + 1);
  CookieReader reader(value.substr(0, end));
  const std::optional<Cookie> cookie = reader.next();
  if (!cookie || !is_field_value(internal::trim_blanks(value))) return Hardened::dropped_malformed;
  // A cookie without a name is sent back as its bare value, which may look like any cookie.
  const std::string_view claimed = cookie->name.empty() ? cookie->value : cookie->name;
  if (is_reserved_cookie(claimed, options.reserved)) return Hardened::dropped_reserved;

  const Said said = read_attributes(rest);
  const bool add_secure = options.over_tls && !said.secure;
  const bool add_http_only =
      !said.http_only && !script_must_read(cookie->name, options.allow_script);
  if (!add_secure && !add_http_only && said.same_site) {
    out.append(value);
    return Hardened::unchanged;
  }
  out.append(cookie->pair);
  copy_attributes(rest, !said.same_site, out);
  if (add_secure) out += "; Secure";
  if (add_http_only) out += "; HttpOnly";
  if (!said.same_site) out += "; SameSite=Lax";
  return Hardened::changed;
}

}  // namespace moat::http
