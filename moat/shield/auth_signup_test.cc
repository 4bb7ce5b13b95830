// SPDX-License-Identifier: Apache-2.0
// POST /auth/signup.
#include <gtest/gtest.h>

#include "moat/shield/internal/auth_fixture.h"

namespace moat::shield {
namespace {

TEST_F(AuthApiTest, SignUpMakesAnAccountAndLogsIn) {
  start();
  Client client = browser();
  const Response answer = client.sign_up();
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.kind, Body::json);
  const json::Value account = json::parse(answer.body).value();
  EXPECT_EQ(account.as_object()->size(), 5U);
  EXPECT_TRUE(account.find("notices")->as_array()->empty());
  EXPECT_EQ(account.find("id")->as_string()->size(), 22U);
  EXPECT_EQ(*account.find("email")->as_string(), ada);
  EXPECT_EQ(account.find("roles")->as_array()->size(), 1U);
  EXPECT_EQ(*account.find("created_at")->as_string(), format_rfc3339(test_start));
  for (const std::string_view name :
       {session::access_cookie, session::refresh_cookie, session::device_cookie}) {
    EXPECT_TRUE(client.jar.count(name)) << name;
  }
  const Response me = client.get("/auth/me");
  EXPECT_EQ(me.status, 200);
  EXPECT_EQ(json::parse(me.body).value(), account);
}

TEST_F(AuthApiTest, ATakenAddressIsAConflictHoweverItIsSpelled) {
  start();
  signed_up();
  expect_problem(browser().sign_up(ada, better), 409, "email_taken");
  expect_problem(browser().sign_up("ADA@EXAMPLE.COM", better), 409, "email_taken");
  expect_problem(browser().log_in(ada, better), 401, "wrong_credentials");
}

TEST_F(AuthApiTest, WeakPasswordsAndOddAddressesAreRefused) {
  start();
  expect_problem(browser().sign_up(ada, "short"), 422, "password_policy");
  expect_problem(browser().sign_up(ada, "passwordpassword"), 422, "password_policy");
  for (const char* email : {"ada", "@example.com", "ada@", "ada@example.com\r\nX: y", "a b@c.de"}) {
    expect_problem(browser().sign_up(email), 422, "invalid_email");
  }
  expect_problem(browser().log_in(ada, good), 401, "wrong_credentials");
}

TEST_F(AuthApiTest, BodiesAreReadStrictly) {
  start();
  const char* bad[] = {
      "",
      "[]",
      "{",
      R"({"email":"ada@example.com"})",
      R"({"email":"ada@example.com","password":5})",
      R"({"email":["ada@example.com"],"password":"x"})",
      R"({"email":"a@b.de","email":"ada@example.com","password":"violet kettle under nine moons"})",
      R"({"email":"ada@example.com","password":"violet kettle under nine moons","role":"admin"})",
      R"({"email":"ada@example.com","password":"violet kettle under nine moons","roles":["admin"]})",
      R"({"email":"ada@example.com","password":"violet kettle under nine moons","__proto__":{}})"};
  for (const char* body : bad)
    expect_problem(browser().json("/auth/signup", body), 400, "invalid_body");
  const std::string deep = std::string(40, '[') + std::string(40, ']');
  expect_problem(browser().json("/auth/signup", deep), 400, "invalid_body");
  expect_problem(browser().sign_up(std::string(300, 'a') + "@example.com"), 400, "invalid_body");
  expect_problem(browser().sign_up(ada, std::string(1025, 'p')), 400, "invalid_body");
}

TEST_F(AuthApiTest, OnlyJsonAndFormsAreRead) {
  start();
  Client client = browser();
  const std::string body =
      R"({"email":"ada@example.com","password":"violet kettle under nine moons"})";
  for (const char* type : {"text/plain", "multipart/form-data; boundary=x", "application/jsonx",
                           "text/plain; application/json", "application/json, text/plain", ""}) {
    expect_problem(client.send("POST", "/auth/signup", type, body), 415, "unsupported_media_type");
  }
  EXPECT_EQ(client.send("POST", "/auth/signup", "Application/JSON; charset=utf-8", body).status,
            201);
}

TEST_F(AuthApiTest, SignUpMayBeClosed) {
  account_options.signup = accounts::Options::Signup::closed;
  api_options.signup_open = false;
  start();
  expect_problem(browser().sign_up(), 403, "signup_closed");
  EXPECT_EQ(browser().get("/auth/signup").location, "/auth/login");
}

TEST_F(AuthApiTest, SignUpsAreCountedByAccountsMade) {
  start();
  for (int i = 0; i < 10; ++i) {
    expect_problem(browser().sign_up(ada, "short"), 422, "password_policy");
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(browser().sign_up("user" + std::to_string(i) + "@example.com").status, 201);
  }
  const Response answer = browser().sign_up("user9@example.com");
  expect_problem(answer, 429, "rate_limited");
  EXPECT_GT(std::stoi(header(answer, "Retry-After")), 0);
  EXPECT_EQ(browser("198.51.100.1").sign_up("user9@example.com").status, 201);
}

TEST_F(AuthApiTest, SignUpsThatMakeNothingAreLimitedToo) {
  api_options.signup_tries = policy("3/hour/ip");
  start();
  signed_up();
  for (int i = 0; i < 3; ++i) expect_problem(browser().sign_up(), 409, "email_taken");
  expect_problem(browser().sign_up(), 429, "rate_limited");
  expect_problem(browser().sign_up("bob@example.com"), 429, "rate_limited");
}

}  // namespace
}  // namespace moat::shield
