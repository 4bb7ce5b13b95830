// SPDX-License-Identifier: Apache-2.0
// POST /auth/login.
#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "moat/shield/internal/auth_fixture.h"

namespace moat::shield {
namespace {

// While a password is checked, something else happens.
class Meanwhile final : public password::Engine {
 public:
  Meanwhile(password::Engine& engine, std::function<void()> happens)
      : engine_(engine), happens_(std::move(happens)) {}
  Result<std::string, password::Refusal> hash(std::string_view text) override {
    return engine_.hash(text);
  }
  Result<password::Match, password::Refusal> verify(std::string_view stored,
                                                    std::string_view text) override {
    auto match = engine_.verify(stored, text);
    if (happens_) std::exchange(happens_, nullptr)();
    return match;
  }
  Result<void, password::Refusal> verify_unknown(std::string_view text) override {
    return engine_.verify_unknown(text);
  }

 private:
  password::Engine& engine_;
  std::function<void()> happens_;
};

TEST_F(AuthApiTest, LoginNeedsTheRightPassword) {
  start();
  signed_up();
  Client client = browser();
  expect_problem(client.log_in(ada, "violet kettle under nine suns"), 401, "wrong_credentials");
  EXPECT_TRUE(client.jar.empty());
  const Response stranger = client.log_in("bob@example.com", good);
  expect_problem(stranger, 401, "wrong_credentials");
  EXPECT_EQ(stranger.body, client.log_in(ada, "wrong as well, wrong again").body);
  EXPECT_EQ(client.log_in().status, 200);
  EXPECT_TRUE(client.logged_in());
}

TEST_F(AuthApiTest, ALoginBesideAPasswordChangeIsNoSession) {
  start();
  Client owner = signed_up();
  now += seconds(1);
  Meanwhile engine(*hasher, [&] {
    const std::string body =
        json::serialize(json::Object{{"current", std::string(good)}, {"new", std::string(better)}});
    EXPECT_EQ(owner.json("/auth/password", body).status, 204);
  });
  service.emplace(accounts, engine, password_policy, system_random(), account_options);
  Client thief = browser();
  expect_problem(thief.log_in(), 401, "wrong_credentials");
  EXPECT_TRUE(thief.jar.empty());
  EXPECT_FALSE(thief.logged_in());
  EXPECT_TRUE(owner.logged_in());
  EXPECT_EQ(json::parse(owner.get("/auth/sessions").body).value().as_array()->size(), 1U);
}

TEST_F(AuthApiTest, WhatWasTypedAsAnAddressIsMasked) {
  start();
  browser().log_in("MyS3cretPassw0rd typed here", good);
  browser().log_in("P@ss. w0rd", good);
  EXPECT_NE(logged.find("login_failed"), std::string::npos);
  EXPECT_EQ(logged.find("S3cret"), std::string::npos) << logged;
  EXPECT_EQ(logged.find("w0rd"), std::string::npos) << logged;
}

TEST_F(AuthApiTest, AForeignPageCannotLogAnybodyIn) {
  start();
  signed_up();
  Client victim = browser();
  victim.origin = "https://evil.example";
  EXPECT_EQ(victim.log_in().status, 403);
  EXPECT_TRUE(victim.jar.empty());
  Client curl = browser();
  curl.no_browser = true;
  EXPECT_EQ(curl.log_in().status, 200);
  // With cookies it has to say where it comes from.
  EXPECT_EQ(curl.json("/auth/logout", "").status, 403);
  curl.no_browser = false;
  EXPECT_EQ(curl.json("/auth/logout", "").status, 204);
}

TEST_F(AuthApiTest, ALoginChangesTheSession) {
  start();
  Client client = signed_up();
  const auto before = client.jar;
  const std::string id = client.session_id();
  client.log_in();
  EXPECT_NE(client.session_id(), id);
  Client old = browser();
  old.jar = before;
  EXPECT_FALSE(old.logged_in());
}

TEST_F(AuthApiTest, GuessingIsDelayed) {
  log_in_limits.free_failures = 3;
  start();
  signed_up();
  Client attacker = browser("198.51.100.66");
  for (int i = 0; i < 3; ++i)
    expect_problem(attacker.log_in(ada, better), 401, "wrong_credentials");
  // Now even the right password has to wait, from a new address too, however the name is spelled.
  const Response answer = attacker.log_in();
  expect_problem(answer, 429, "rate_limited");
  EXPECT_GT(std::stoi(header(answer, "Retry-After")), 0);
  expect_problem(browser("198.51.100.67").log_in("Ada@Example.com"), 429, "rate_limited");
  expect_problem(browser().log_in("bob@example.com", good), 401, "wrong_credentials");
  advance(seconds(30));
  EXPECT_EQ(attacker.log_in().status, 200);
}

TEST_F(AuthApiTest, AKnownDeviceIsNotLockedOut) {
  log_in_limits.free_failures = 3;
  start();
  Client owner = signed_up();
  owner.json("/auth/logout", "");
  ASSERT_TRUE(owner.jar.count(session::device_cookie));  // outlives the logout
  Client attacker = browser("198.51.100.66");
  for (int i = 0; i < 3; ++i) attacker.log_in(ada, better);
  expect_problem(attacker.log_in(), 429, "rate_limited");
  EXPECT_EQ(owner.log_in().status, 200);
  // A device known for another account is none for this one.
  attacker.jar.clear();
  Client other = browser("198.51.100.67");
  EXPECT_EQ(other.sign_up("bob@example.com").status, 201);
  expect_problem(other.log_in(), 429, "rate_limited");
}

TEST_F(AuthApiTest, AnAddressMayNotTryManyAccounts) {
  log_in_limits.per_address = {policy("3/min/ip")};
  start();
  Client attacker = browser();
  for (int i = 0; i < 3; ++i) {
    expect_problem(attacker.log_in("u" + std::to_string(i) + "@example.com"), 401,
                   "wrong_credentials");
  }
  expect_problem(attacker.log_in("u9@example.com"), 429, "rate_limited");
  expect_problem(browser("198.51.100.1").log_in("u9@example.com"), 401, "wrong_credentials");
}

TEST_F(AuthApiTest, NothingSecretIsLogged) {
  start();
  Client client = signed_up();
  client.log_in(ada, better);
  EXPECT_NE(logged.find("signed_up"), std::string::npos);
  EXPECT_NE(logged.find("login_failed"), std::string::npos);
  EXPECT_EQ(logged.find("violet"), std::string::npos);
  EXPECT_EQ(logged.find("ferries"), std::string::npos);
  EXPECT_EQ(logged.find("ada@example.com"), std::string::npos);
  for (const auto& [name, value] : client.jar) EXPECT_EQ(logged.find(value), std::string::npos);
}

}  // namespace
}  // namespace moat::shield
