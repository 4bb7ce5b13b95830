// SPDX-License-Identifier: Apache-2.0
// Moat's own cookies, read and written, and the form tokens that are bound to them.
#include <stdexcept>
#include <utility>

#include "moat/http/cookie.h"
#include "moat/http/set_cookie.h"
#include "moat/session/cookies.h"
#include "moat/shield/shield.h"

namespace moat::shield {

Cookies Cookies::read(std::string_view header) {
  Cookies out;
  http::CookieReader reader(header);
  while (const auto cookie = reader.next()) {
    if (cookie->name.substr(0, 12) != "__Host-Http-") continue;
    std::string_view* target = cookie->name == session::access_cookie        ? &out.access
                               : cookie->name == session::refresh_cookie     ? &out.refresh
                               : cookie->name == session::pre_session_cookie ? &out.pre_login
                               : cookie->name == session::device_cookie      ? &out.device
                                                                             : nullptr;
    if (target == nullptr) continue;
    if (target->data() != nullptr) out.twice = true;
    *target = cookie->value;
  }
  return out;
}

std::string moat_cookie(std::string_view name, std::string_view value,
                        std::chrono::seconds max_age) {
  http::SetCookie cookie;
  cookie.name = name;
  cookie.value = value;
  cookie.max_age = max_age;
  auto built = http::build_set_cookie(cookie);
  if (!built)
    throw std::logic_error(
        "a cookie of Moat's own cannot be written");  // all values are base64url or JWTs
  return std::move(*built);
}

std::vector<std::string> session_cookies(const session::Issued& issued) {
  return {
      moat_cookie(session::access_cookie, issued.access_token.reveal(), issued.access_max_age),
      moat_cookie(session::refresh_cookie, issued.refresh_token.reveal(), issued.refresh_max_age)};
}

std::vector<std::string> forget_session_cookies() {
  return {moat_cookie(session::access_cookie, "", std::chrono::seconds{0}),
          moat_cookie(session::refresh_cookie, "", std::chrono::seconds{0})};
}

// ------------------------------------------------------------------------------------- form tokens

std::string issue_form_token(const csrf::Tokens& tokens, const Admission& admission, Random& random,
                             Time now, std::vector<std::string>& set_cookies) {
  if (admission.identity != nullptr) {
    const csrf::Binding binding = csrf::Binding::session(admission.identity->session_id);
    return tokens.issue(binding, random, now);
  }
  std::string pre(admission.cookies.pre_login);
  if (!csrf::is_pre_login_value(pre)) pre = csrf::make_pre_login_value(random);
  set_cookies.push_back(moat_cookie(session::pre_session_cookie, pre, std::chrono::hours{24}));
  return tokens.issue(csrf::Binding::pre_login(pre), random, now);
}

bool form_token_is_good(const csrf::Tokens& tokens, const Admission& admission,
                        std::string_view token, Time now) {
  if (admission.identity != nullptr)
    return tokens.verify(csrf::Binding::session(admission.identity->session_id), token, now)
        .has_value();
  const std::string_view pre = admission.cookies.pre_login;
  return csrf::is_pre_login_value(pre) &&
         tokens.verify(csrf::Binding::pre_login(pre), token, now).has_value();
}

}  // namespace moat::shield
