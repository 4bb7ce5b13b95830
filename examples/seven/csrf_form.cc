// SPDX-License-Identifier: Apache-2.0
// 6. CSRF. In Node: app.use(csurf({cookie: true})), and req.csrfToken() in the form.
#include <cstdio>
#include <string>

#include "moat/csrf/token.h"
#include "moat/http/set_cookie.h"

using namespace moat;

struct Page {
  std::string set_cookie;
  std::string html;
  std::string cookie, token;  // what a browser then holds
};

Page show_form(const csrf::FormGuard& guard, std::string_view cookie) {
  // [readme 2]
  const auto issued = guard.issue(cookie, system_random(), system_clock().now());
  http::SetCookie set{.name = csrf::cookie_name, .value = issued.cookie};  // HttpOnly, Secure, Lax
  std::string field = "<input type=hidden name=_csrf value=\"" + issued.token + "\">";
  // [/readme]
  return {http::build_set_cookie(set).value_or(""), "<form method=post>" + field + "</form>",
          issued.cookie, issued.token};
}

int submit(const csrf::FormGuard& guard, std::string_view cookie, std::string_view token) {
  // [readme 3]
  if (!guard.check(cookie, token, system_clock().now())) return 403;
  return 200;
  // [/readme]
}

int main() {
  std::string random = system_random().token();
  // [readme]
  const csrf::FormGuard guard(Secret::take(random));  // a key of at least 32 random bytes
  // [/readme]
  const Page mine = show_form(guard, "");
  const Page theirs = show_form(guard, "");
  std::printf("cookie: %s\n", mine.set_cookie.c_str());
  std::printf("form: %s\n", mine.html.c_str());
  std::printf("my form: %d\n", submit(guard, mine.cookie, mine.token));
  std::printf("no token: %d\n", submit(guard, mine.cookie, ""));
  std::printf("an attacker's own token: %d\n", submit(guard, mine.cookie, theirs.token));
  std::printf("a cookie the site never set: %d\n", submit(guard, "tossed", theirs.token));
}
