// SPDX-License-Identifier: Apache-2.0
// The walk: logins and roles that a route requires.
#include <gtest/gtest.h>

#include <vector>

#include "moat/shield/internal/shield_fixture.h"

namespace moat::shield {
namespace {

TEST_F(ShieldTest, TheRulesAsMadeAreTheStrictest) {
  const Rules strict;
  EXPECT_EQ(strict.login, Rules::Login::required);
  EXPECT_FALSE(strict.allow_forged_requests);
}

TEST_F(ShieldTest, AStrangerIsSentToLogInOrRefused) {
  rules_.login = Rules::Login::required;
  request_.path = "/notes/a b\"<";
  request_.query = "q=1&next=//evil.example";
  EXPECT_EQ(begin(), Outcome::refuse);
  EXPECT_EQ(refusal().status, 401);
  EXPECT_EQ(refusal().code, "login_required");
  EXPECT_TRUE(refusal().location.empty());
  request_.navigation = true;
  EXPECT_EQ(begin(), Outcome::refuse);
  EXPECT_EQ(refusal().status, 303);
  EXPECT_EQ(refusal().location,
            "/auth/login?next=%2Fnotes%2Fa%20b%22%3C%3Fq%3D1%26next%3D%2F%2Fevil.example");
  request_.websocket_upgrade = true;  // nobody reads a page there
  request_.origin = internal::own_origin;
  EXPECT_EQ(begin(), Outcome::refuse);
  EXPECT_EQ(refusal().status, 401);
}

TEST_F(ShieldTest, ARouteSaysHowStrangersAreAnswered) {
  rules_.login = Rules::Login::required;
  rules_.on_anonymous = Rules::OnAnonymous::redirect;
  EXPECT_EQ(begin(), Outcome::refuse);
  EXPECT_EQ(refusal().status, 303);
  EXPECT_EQ(refusal().location, "/auth/login?next=%2Fnotes");
  rules_.on_anonymous = Rules::OnAnonymous::unauthorized;
  request_.navigation = true;
  EXPECT_EQ(begin(), Outcome::refuse);
  EXPECT_EQ(refusal().status, 401);
}

TEST_F(ShieldTest, ALoginIsRequiredOfAllMethods) {
  rules_.login = Rules::Login::required;
  for (const char* method : {"GET", "HEAD", "OPTIONS", "POST", "DELETE", "PURGE"}) {
    request_.method = method;
    EXPECT_EQ(begin(), Outcome::refuse) << method;
    EXPECT_EQ(refusal().status, 401) << method;
  }
  come_as("ada");
  request_.sec_fetch_site = "same-origin";
  for (const char* method : {"GET", "HEAD", "OPTIONS", "POST", "DELETE", "PURGE"}) {
    request_.method = method;
    EXPECT_EQ(begin(), Outcome::pass) << method;
  }
}

TEST_F(ShieldTest, ARoleIsRequired) {
  rules_.login = Rules::Login::required;
  const std::vector<std::string> admins = {"auditor", "admin"};
  rules_.roles = admins;
  const std::string ada = cookies(log_in());
  const std::string bob = cookies(log_in("bob"));
  request_.cookie = ada;
  EXPECT_EQ(begin(), Outcome::pass);
  request_.cookie = bob;
  EXPECT_EQ(begin(), Outcome::refuse);
  EXPECT_EQ(refusal().status, 403);
  EXPECT_EQ(refusal().code, "role_required");
  EXPECT_EQ(refusal().step, Step::login);
  request_.cookie = "";
  EXPECT_EQ(begin(), Outcome::refuse);
  EXPECT_EQ(refusal().status, 401);
}

}  // namespace
}  // namespace moat::shield
