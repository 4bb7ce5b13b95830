// SPDX-License-Identifier: Apache-2.0
// POST /auth/password and /auth/setup.
#include <gtest/gtest.h>

#include "moat/shield/internal/auth_fixture.h"

namespace moat::shield {
namespace {

std::string setup_body(std::string_view token, std::string_view password = good) {
  return json::serialize(json::Object{{"email", std::string(ada)},
                                      {"password", std::string(password)},
                                      {"token", std::string(token)}});
}

TEST_F(AuthApiTest, AChangedPasswordEndsOtherSessionsAndKeepsThisOne) {
  start();
  Client laptop = signed_up();
  Client phone = signed_in();
  const std::string id = laptop.session_id();
  const auto before = laptop.jar;
  const Response answer = laptop.json("/auth/password", change(good, better));
  EXPECT_EQ(answer.status, 204);
  EXPECT_TRUE(answer.body.empty());
  EXPECT_TRUE(laptop.logged_in());
  EXPECT_NE(laptop.session_id(), id);
  EXPECT_FALSE(phone.logged_in());
  Client stolen = browser();
  stolen.jar = before;
  EXPECT_FALSE(stolen.logged_in());
  advance(minutes(6));
  EXPECT_FALSE(stolen.logged_in());
  EXPECT_FALSE(phone.logged_in());
  EXPECT_TRUE(laptop.logged_in());
  expect_problem(browser().log_in(ada, good), 401, "wrong_credentials");
  EXPECT_EQ(browser().log_in(ada, better).status, 200);
}

TEST_F(AuthApiTest, AChangedPasswordNeedsTheOldOneAndAGoodNewOne) {
  start();
  Client client = signed_up();
  expect_problem(client.json("/auth/password", change(better, better)), 401, "wrong_credentials");
  expect_problem(client.json("/auth/password", change(good, "short")), 422, "password_policy");
  expect_problem(client.json("/auth/password", R"({"current":"x"})"), 400, "invalid_body");
  EXPECT_TRUE(client.logged_in());
  EXPECT_EQ(browser().log_in(ada, good).status, 200);
}

TEST_F(AuthApiTest, AStolenSessionCannotGuessThePassword) {
  log_in_limits.free_failures = 2;
  start();
  Client client = signed_up();
  for (int i = 0; i < 2; ++i) {
    expect_problem(client.json("/auth/password", change(better, better)), 401, "wrong_credentials");
  }
  const Response answer = client.json("/auth/password", change(good, better));
  expect_problem(answer, 429, "rate_limited");
  EXPECT_NE(header(answer, "Retry-After"), "");
  // The owner elsewhere is not held up by it.
  EXPECT_EQ(browser().log_in().status, 200);
}

TEST_F(AuthApiTest, TheSetUpTokenMakesOneAdmin) {
  account_options.signup = accounts::Options::Signup::closed;
  start();
  const std::string token(service->create_setup_token(now).value().reveal());
  expect_problem(browser().json("/auth/setup", setup_body("nonsense")), 403, "invalid_token");
  expect_problem(browser().json("/auth/setup", setup_body(token, "short")), 422, "password_policy");
  Client client = browser();
  const Response made = client.json("/auth/setup", setup_body(token));
  EXPECT_EQ(made.status, 201);
  const json::Value account = json::parse(made.body).value();
  ASSERT_EQ(account.find("roles")->as_array()->size(), 2U);
  EXPECT_TRUE(client.logged_in());
  expect_problem(browser().json("/auth/setup", setup_body(token)), 403, "invalid_token");
  EXPECT_EQ(logged.find(token), std::string::npos);
}

TEST_F(AuthApiTest, TheSetUpTokenExpires) {
  start();
  const std::string token(service->create_setup_token(now).value().reveal());
  advance(minutes(30));
  expect_problem(browser().json("/auth/setup", setup_body(token)), 403, "invalid_token");
}

}  // namespace
}  // namespace moat::shield
