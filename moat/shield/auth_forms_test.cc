// SPDX-License-Identifier: Apache-2.0
// The pages and forms of /auth: what needs no script.
#include <gtest/gtest.h>

#include "moat/shield/internal/auth_fixture.h"

namespace moat::shield {
namespace {

TEST_F(AuthApiTest, AFormNeedsItsToken) {
  start();
  signed_up();
  Client client = browser();
  const Response refused =
      client.form("/auth/login", encoded({{"email", ada}, {"password", good}}));
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.code, "csrf");
  EXPECT_EQ(refused.kind, Body::page);
  EXPECT_EQ(shown(refused, "email"), ada);
  EXPECT_NE(shown(refused, "error"), "");
  EXPECT_EQ(refused.body.find(good), std::string::npos);
  EXPECT_FALSE(client.logged_in());
  // The page came with a new token, bound to the cookie that came with it.
  const std::string token = shown(refused, "csrf");
  const std::string body = encoded({{"email", ada}, {"password", good}, {"_csrf", token}});
  Client other = browser();
  EXPECT_EQ(other.form("/auth/login", body).status, 403);  // without the cookie
  const Response done = client.form("/auth/login", body);
  EXPECT_EQ(done.status, 303);
  EXPECT_EQ(done.location, "/");
  EXPECT_TRUE(client.logged_in());
}

TEST_F(AuthApiTest, ATokenBelongsToOneSession) {
  start();
  Client ada_browser = signed_up();
  Client bob_browser = signed_up("bob@example.com");
  const std::string token = bob_browser.form_token();
  EXPECT_EQ(ada_browser.form("/auth/logout", encoded({{"_csrf", token}})).status, 403);
  EXPECT_TRUE(ada_browser.logged_in());
  EXPECT_EQ(bob_browser.form("/auth/logout", encoded({{"_csrf", token}})).location, "/auth/login");
  EXPECT_FALSE(bob_browser.logged_in());
}

TEST_F(AuthApiTest, EveryFormThatChangesSomethingNeedsAToken) {
  start();
  Client client = signed_up();
  const std::string id = client.session_id();
  EXPECT_EQ(client.form("/auth/logout", "").status, 403);
  EXPECT_EQ(client.form("/auth/logout-all", "").status, 403);
  EXPECT_EQ(client.form("/auth/sessions/" + id + "/revoke", "").status, 403);
  EXPECT_EQ(client.form("/auth/password", encoded({{"current", good}, {"new", better}})).status,
            403);
  EXPECT_EQ(
      client.form("/auth/signup", encoded({{"email", "b@example.com"}, {"password", good}})).status,
      403);
  EXPECT_EQ(client
                .form("/auth/setup",
                      encoded({{"email", "b@example.com"}, {"password", good}, {"token", "x"}}))
                .status,
            403);
  EXPECT_TRUE(client.logged_in());
}

TEST_F(AuthApiTest, FormsAnswerWithPagesAndRedirects) {
  start();
  Client client = browser();
  const Response page = client.get("/auth/signup?next=%2Fnotes");
  EXPECT_EQ(page.kind, Body::page);
  EXPECT_EQ(shown(page, "next"), "/notes");
  EXPECT_GE(page.nonce.size(), 16U);
  const auto body = [&](std::string_view email, std::string_view password) {
    return encoded({{"email", email},
                    {"password", password},
                    {"next", "/notes"},
                    {"_csrf", client.form_token()}});
  };
  const Response weak = client.form("/auth/signup", body(ada, "short"));
  EXPECT_EQ(weak.status, 422);
  EXPECT_NE(shown(weak, "password_error"), "");
  EXPECT_EQ(shown(weak, "email_error"), "");
  EXPECT_EQ(shown(weak, "next"), "/notes");
  const Response odd = client.form("/auth/signup", body("ada", good));
  EXPECT_EQ(odd.status, 422);
  EXPECT_NE(shown(odd, "email_error"), "");
  const Response made = client.form("/auth/signup", body(ada, good));
  EXPECT_EQ(made.status, 303);
  EXPECT_EQ(made.location, "/notes");
  const Response account = client.get("/auth/account");
  EXPECT_EQ(shown(account, "email"), ada);
  EXPECT_EQ(shown(account, "roles"), "user");
  EXPECT_EQ(shown(account, "sessions"), "1");
}

TEST_F(AuthApiTest, ThePasswordFormShowsItsErrors) {
  start();
  Client client = signed_up();
  const auto body = [&](std::string_view current, std::string_view next) {
    return encoded(
        {{"current", current}, {"new", next}, {"username", ada}, {"_csrf", client.form_token()}});
  };
  const Response wrong = client.form("/auth/password", body(better, better));
  EXPECT_EQ(wrong.status, 401);
  EXPECT_NE(shown(wrong, "current_error"), "");
  const Response weak = client.form("/auth/password", body(good, "short"));
  EXPECT_EQ(weak.status, 422);
  EXPECT_NE(shown(weak, "new_error"), "");
  const Response done = client.form("/auth/password", body(good, better));
  EXPECT_EQ(done.status, 303);
  EXPECT_EQ(done.location, "/auth/account");
  EXPECT_TRUE(client.logged_in());
}

TEST_F(AuthApiTest, AFormEndsAnotherSession) {
  start();
  Client laptop = signed_up();
  Client phone = signed_in();
  const std::string path = "/auth/sessions/" + phone.session_id() + "/revoke";
  const Response done = laptop.form(path, encoded({{"_csrf", laptop.form_token()}}));
  EXPECT_EQ(done.status, 303);
  EXPECT_EQ(done.location, "/auth/account");
  EXPECT_FALSE(phone.logged_in());
  EXPECT_TRUE(laptop.logged_in());
}

TEST_F(AuthApiTest, ADelayedFormKeepsItsRetryAfter) {
  log_in_limits.free_failures = 1;
  start();
  Client client = browser();
  for (int i = 0; i < 2; ++i) {
    const Response answer = client.form(
        "/auth/login",
        encoded({{"email", ada}, {"password", better}, {"_csrf", client.form_token()}}));
    EXPECT_EQ(answer.kind, Body::page);
    EXPECT_EQ(answer.status, i == 0 ? 401 : 429);
    EXPECT_EQ(header(answer, "Retry-After").empty(), i == 0);
  }
}

TEST_F(AuthApiTest, NobodyIsSentToAnotherSite) {
  for (const char* next :
       {"", "notes", "//evil.example", "/\\evil.example", "\\\\evil.example",
        "https://evil.example", "javascript:alert(1)", "/\t/evil.example", "/ /evil.example",
        " /notes", "/a\r\nSet-Cookie: b", "/caf\xc3\xa9", "/a\\b"}) {
    EXPECT_EQ(safe_next(next), "/") << next;
  }
  EXPECT_EQ(safe_next("/" + std::string(2048, 'a')), "/");
  for (const char* next : {"/", "/notes", "/notes?a=b&c=%2F%2Fx", "/a//b", "/@evil.example"}) {
    EXPECT_EQ(safe_next(next), next);
  }
  start();
  signed_up();
  Client client = browser();
  for (const char* next : {"//evil.example", "/\\evil.example", "https://evil.example/"}) {
    client.jar.clear();
    EXPECT_EQ(shown(client.get("/auth/login?next=" + percent_encode(next)), "next"), "/");
    const Response done = client.form(
        "/auth/login",
        encoded(
            {{"email", ada}, {"password", good}, {"next", next}, {"_csrf", client.form_token()}}));
    EXPECT_EQ(done.location, "/") << next;
    EXPECT_EQ(client.get("/auth/login?next=" + percent_encode(next)).location, "/");
  }
}

TEST_F(AuthApiTest, PagesLeadWhereTheyShould) {
  start();
  Client client = browser();
  EXPECT_EQ(client.get("/auth").location, "/auth/account");
  EXPECT_EQ(client.get("/auth/account").location, "/auth/login?next=%2Fauth%2Faccount");
  EXPECT_EQ(client.get("/auth/setup").kind, Body::page);
  const Response asset = client.get("/auth/moat.css");
  EXPECT_EQ(asset.body, "body{}");
  EXPECT_EQ(header(asset, "Content-Type"), "text/css");
}

TEST_F(AuthApiTest, WithoutPagesThereIsOnlyJson) {
  with_pages = false;
  start();
  Client client = browser();
  expect_problem(client.get("/auth/login"), 404, "not_found");
  expect_problem(client.get("/auth/moat.css"), 404, "not_found");
  EXPECT_EQ(client.sign_up().status, 201);
  expect_problem(client.form("/auth/login", encoded({{"email", ada}, {"password", good}})), 403,
                 "csrf");
}

TEST_F(AuthApiTest, EachPageHasItsOwnNonceAndToken) {
  start();
  Client client = browser();
  const Response first = client.get("/auth/login");
  const Response second = client.get("/auth/login");
  EXPECT_NE(first.nonce, second.nonce);
  EXPECT_NE(shown(first, "csrf"), shown(second, "csrf"));
}

}  // namespace
}  // namespace moat::shield
