// SPDX-License-Identifier: Apache-2.0
// One test for each fault that other CSRF libraries had, by the name under which it is known. Each
// shows the request that must be refused beside its twin that must pass. Those that need a body are
// in shield/csrf_faults_test.cc.
#include <gtest/gtest.h>

#include <ostream>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "moat/csrf/csrf.h"
#include "moat/csrf/form_injector.h"
#include "moat/csrf/token.h"

namespace moat::csrf {

static void PrintTo(Reason reason, std::ostream* out) { *out << to_string(reason); }

namespace {

constexpr std::string_view own = "https://example.com";
constexpr std::string_view evil = "https://evil.example";
const Time now = from_unix_seconds(1'800'000'000);

Request from(std::string_view origin, std::string_view method = "POST") {
  Request out;
  out.method = method;
  out.host = "example.com";
  out.origin = origin;
  out.scope = Scope::backend;
  return out;
}

Reason judge(const Request& request, const std::vector<std::string>& trusted = {}) {
  return verdict(request, *Policy::create(trusted)).reason;
}

HmacKey key() { return HmacKey(std::string(32, 'k')); }

// csurf's cookie mode: the secret is a plain cookie, so a neighbour who can set cookies for the
// domain plants one whose token he knows.
TEST(Fault, SNYK_JS_CSURF_3021144_CookieTossing) {
  InsecureSeededRandom random{1};
  const Tokens tokens{key()};
  const std::string attackers = make_pre_login_value(random);
  const std::string planted = tokens.issue(Binding::pre_login(attackers), random, now);
  EXPECT_TRUE(tokens.verify(Binding::pre_login(attackers), planted, now));
  EXPECT_FALSE(tokens.verify(Binding::session("victim"), planted, now)) << "of a session";
  const std::string victims = tokens.issue(Binding::session("victim"), random, now);
  EXPECT_TRUE(tokens.verify(Binding::session("victim"), victims, now));

  const FormGuard guard{Secret::copy_of(std::string(32, 'k'))};
  const std::string made_up = "x";  // what csurf would have taken as its secret
  EXPECT_FALSE(guard.check(made_up, tokens.issue(Binding::pre_login(made_up), random, now), now));
  EXPECT_EQ(cookie_name.substr(0, 7), "__Host-") << "which no neighbour can set";
  const auto issued = guard.issue(made_up, random, now);
  EXPECT_NE(issued.cookie, made_up);
  EXPECT_TRUE(guard.check(issued.cookie, issued.token, now));
}

// Double submit as it is often written: cookie and field are equal, so they are right.
TEST(Fault, NaiveDoubleSubmit) {
  InsecureSeededRandom random{2};
  const FormGuard guard{Secret::copy_of(std::string(32, 'k'))};
  const auto issued = guard.issue("", random, now);
  EXPECT_TRUE(guard.check(issued.cookie, issued.token, now));
  EXPECT_FALSE(guard.check(issued.cookie, issued.cookie, now));
  EXPECT_FALSE(guard.check(issued.token, issued.token, now));
}

// lusca's allowlist compared the beginning of a path; so did others with origins.
TEST(Fault, LuscaAllowlistByPrefix) {
  const std::vector<std::string> trusted{"https://app.example.com"};
  EXPECT_EQ(judge(from("https://app.example.com"), trusted), Reason::none);
  for (const std::string_view alike :
       {"https://app.example.com.evil.example", "https://app.example.community",
        "https://app.example.co", "https://app.example.com:4443", "http://app.example.com",
        "https://evil-app.example.com", "https://x.app.example.com"}) {
    EXPECT_EQ(judge(from(alike), trusted), Reason::foreign_origin) << alike;
  }
  EXPECT_EQ(judge(from("https://app.example.com@evil.example"), trusted), Reason::malformed_origin);
}

// No peer looks at WebSockets, which are opened with GET.
TEST(Fault, WebSocketUpgradesAreNotCovered) {
  for (const std::string_view method : {"GET", "CONNECT"}) {  // RFC 6455, RFC 8441
    Request request = from(evil, method);
    request.is_websocket_upgrade = true;
    EXPECT_EQ(judge(request), Reason::foreign_origin) << method;
    request.origin = own;
    EXPECT_EQ(judge(request), Reason::none) << method;
  }
}

// A GET with a body stays a GET: no page can send one, and what it asks for decides.
TEST(Fault, GetWithABody) {
  EXPECT_EQ(judge(from(evil, "GET")), Reason::none);
  EXPECT_EQ(judge(from(evil, "get")), Reason::foreign_origin) << "no method that is known as safe";
  EXPECT_EQ(judge(from(evil, "QUERY")), Reason::foreign_origin) << "the GET that has a body";
  EXPECT_EQ(judge(from(own, "QUERY")), Reason::none);
}

// csurf ignores GET, and Express's method-override made a DELETE of it afterwards.
TEST(Fault, MethodOverride) {
  Request request = from(evil, "GET");
  EXPECT_EQ(judge(request), Reason::none);
  request.overrides_method = true;
  for (const std::string_view method : {"GET", "HEAD", "OPTIONS", "POST"}) {
    request.method = method;
    request.origin = evil;
    EXPECT_EQ(judge(request), Reason::foreign_origin) << method;
    request.origin = own;
    EXPECT_EQ(judge(request), Reason::none) << method;
  }
}

// csrf-csrf compares with ===, which tells by its time how much of a guess was right. Here a right
// beginning is worth nothing: each wrong tag is refused in the same way, after the whole HMAC.
TEST(Fault, CsrfCsrfComparesWithTripleEquals) {
  InsecureSeededRandom random{3};
  const Tokens tokens{key()};
  const Binding session = Binding::session("s");
  const std::string token = tokens.issue(session, random, now);
  EXPECT_TRUE(tokens.verify(session, token, now));
  for (std::size_t i = 0; i + 1 < token.size(); ++i) {
    std::string guess = token;
    guess[i] = guess[i] == 'A' ? 'B' : 'A';
    const auto got = tokens.verify(session, guess, now);
    ASSERT_FALSE(got) << i;
    EXPECT_EQ(got.error(), TokenRefusal::wrong) << i;
  }
}

// Lax strips cookies from exactly the forged login, so "no cookie, no danger" is wrong there.
TEST(Fault, LoginBeforeThereIsASession) {
  Request request = from(evil);
  request.carries_moat_cookie = false;
  EXPECT_EQ(judge(request), Reason::none);
  request.scope = Scope::auth_endpoint;
  EXPECT_EQ(judge(request), Reason::foreign_origin);
  request.origin = own;
  EXPECT_EQ(judge(request), Reason::none);
}

// csrf-csrf takes an empty secret and an empty session's id, so that all tokens are one another's.
TEST(Fault, CsrfCsrfTakesAnEmptySecretAndAnEmptySession) {
  EXPECT_THROW(FormGuard{Secret()}, std::invalid_argument);
  InsecureSeededRandom random{4};
  const Tokens tokens{key()};
  const std::string of_nobody = tokens.issue(Binding::session(""), random, now);
  const auto got = tokens.verify(Binding::session(""), of_nobody, now);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error(), TokenRefusal::missing);
  EXPECT_FALSE(tokens.verify(Binding::pre_login(""), of_nobody, now));
  EXPECT_TRUE(
      tokens.verify(Binding::session("s"), tokens.issue(Binding::session("s"), random, now), now));
}

// csurf's core and lusca salt with Math.random, eight characters of it, and SHA-1: a page's next
// salts can be told from those before. Here a nonce has 128 bits of the caller's Random, and no
// token says anything of the next.
TEST(Fault, LuscaAndCsurfSaltWithMathRandom) {
  InsecureSeededRandom random{5};
  const Tokens tokens{key()};
  std::set<std::string> nonces;
  for (int i = 0; i < 1000; ++i)
    nonces.insert(tokens.issue(Binding::session("s"), random, now).substr(0, 21));
  EXPECT_EQ(nonces.size(), 1000U);
}

// csrf-csrf#34: with a new secret in front of the old one, what was issued before failed.
TEST(Fault, CsrfCsrf34_RotationLosesOpenForms) {
  InsecureSeededRandom random{6};
  const Binding session = Binding::session("s");
  const std::string before = Tokens(key()).issue(session, random, now);
  const Tokens rotated{HmacKey(std::string(32, 'n')), key()};
  EXPECT_TRUE(rotated.verify(session, before, now));
  EXPECT_FALSE(Tokens(HmacKey(std::string(32, 'n'))).verify(session, before, now)) << "and an end";
}

// csrf-csrf#72, before it bound tokens to sessions: one of before the login was good behind it.
TEST(Fault, CsrfCsrf72_ATokenOutlivesTheLogin) {
  InsecureSeededRandom random{7};
  const Tokens tokens{key()};
  const std::string cookie = make_pre_login_value(random);
  const std::string before = tokens.issue(Binding::pre_login(cookie), random, now);
  EXPECT_TRUE(tokens.verify(Binding::pre_login(cookie), before, now));
  EXPECT_FALSE(tokens.verify(Binding::session("after"), before, now));
  const std::string first = tokens.issue(Binding::session("first"), random, now);
  EXPECT_FALSE(tokens.verify(Binding::session("second"), first, now)) << "a new session, too";
}

// csurf#117: "invalid csrf token", since the second tab had got another secret.
TEST(Fault, Csurf117_TabsRace) {
  InsecureSeededRandom random{8};
  const FormGuard guard{Secret::copy_of(std::string(32, 'k'))};
  const auto first = guard.issue("", random, now);
  const auto second = guard.issue(first.cookie, random, now);
  EXPECT_EQ(first.cookie, second.cookie);
  EXPECT_NE(first.token, second.token);
  EXPECT_TRUE(guard.check(second.cookie, first.token, now));
  EXPECT_TRUE(guard.check(second.cookie, second.token, now));
  EXPECT_FALSE(guard.check(guard.issue("", random, now).cookie, first.token, now));
}

// No peer reads the page: a form that leads elsewhere takes the token along, wherever the template
// put it.
TEST(Fault, TokensLeakToForeignActions) {
  const auto injected = [](std::string_view html) {
    FormInjector injector("https", "example.com", "t");
    std::string out;
    injector.feed(html, out);
    return injector.injected();
  };
  EXPECT_EQ(injected("<form method=post action=/pay>"), 1U);
  EXPECT_EQ(injected("<form method=post action=https://evil.example/>"), 0U);
  EXPECT_EQ(injected("<base href=https://evil.example/><form method=post action=pay>"), 0U);
}

}  // namespace
}  // namespace moat::csrf
