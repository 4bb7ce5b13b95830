// SPDX-License-Identifier: Apache-2.0
// /auth/sessions and the logouts.
#include <gtest/gtest.h>

#include "moat/shield/internal/auth_fixture.h"

namespace moat::shield {
namespace {

TEST_F(AuthApiTest, SessionsAreListedForTheirOwner) {
  start();
  Client laptop = signed_up();
  advance(seconds(10));
  Client phone = signed_in("198.51.100.9");
  signed_up("bob@example.com");
  const json::Value list = json::parse(laptop.get("/auth/sessions").body).value();
  ASSERT_EQ(list.as_array()->size(), 2U);
  int current = 0;
  for (const json::Value& item : *list.as_array()) {
    EXPECT_EQ(item.as_object()->size(), 9U);
    EXPECT_EQ(*item.find("kind")->as_string(), "browser");
    EXPECT_EQ(*item.find("device")->as_string(), "Browser/1.0");
    EXPECT_EQ(*item.find("name")->as_string(), "");
    EXPECT_EQ(*item.find("user_agent")->as_string(), "Browser/1.0");
    if (!*item.find("current")->as_bool()) continue;
    ++current;
    EXPECT_EQ(*item.find("address")->as_string(), "192.0.2.1");
    EXPECT_EQ(*item.find("created_at")->as_string(), format_rfc3339(test_start));
    EXPECT_EQ(*item.find("last_seen_at")->as_string(), format_rfc3339(test_start));
  }
  EXPECT_EQ(current, 1);
}

TEST_F(AuthApiTest, OneMayEndOnesOwnSessionsOnly) {
  start();
  Client laptop = signed_up();
  Client phone = signed_in();
  Client stranger = signed_up("bob@example.com");
  const std::string phones = phone.session_id();
  expect_problem(stranger.send("DELETE", "/auth/sessions/" + phones), 404, "not_found");
  EXPECT_TRUE(phone.logged_in());
  EXPECT_EQ(laptop.send("DELETE", "/auth/sessions/" + phones).status, 204);
  EXPECT_FALSE(phone.logged_in());
  EXPECT_TRUE(laptop.logged_in());
  expect_problem(laptop.send("DELETE", "/auth/sessions/" + phones), 404, "not_found");
  expect_problem(laptop.send("DELETE", "/auth/sessions/" + std::string(5000, 'x')), 404,
                 "not_found");
}

TEST_F(AuthApiTest, EndingThePresentSessionIsALogout) {
  start();
  Client client = signed_up();
  const Response answer = client.send("DELETE", "/auth/sessions/" + client.session_id());
  EXPECT_EQ(answer.status, 204);
  EXPECT_NE(header(answer, "Clear-Site-Data"), "");
  EXPECT_FALSE(client.jar.count(session::access_cookie));
}

TEST_F(AuthApiTest, LogoutEndsTheSessionAndClearsTheBrowser) {
  start();
  Client client = signed_up();
  const auto stolen = client.jar;
  const Response answer = client.json("/auth/logout", "");
  EXPECT_EQ(answer.status, 204);
  EXPECT_TRUE(answer.body.empty());
  EXPECT_EQ(header(answer, "Clear-Site-Data"), "\"cache\", \"storage\"");
  EXPECT_TRUE(internal::forgets(answer.set_cookies, session::access_cookie));
  EXPECT_TRUE(internal::forgets(answer.set_cookies, session::refresh_cookie));
  EXPECT_FALSE(client.logged_in());
  client.jar = stolen;
  EXPECT_FALSE(client.logged_in());
  advance(minutes(6));
  EXPECT_FALSE(client.logged_in());
  EXPECT_EQ(browser().json("/auth/logout", "").status, 204);  // nothing to end is no error
}

TEST_F(AuthApiTest, LogoutEndsASessionWhoseAccessTokenIsGone) {
  start();
  Client client = signed_up();
  Client other = browser();
  other.jar = client.jar;
  other.jar.erase(std::string(session::access_cookie));
  EXPECT_EQ(other.json("/auth/logout", "").status, 204);
  EXPECT_TRUE(other.jar.find(session::refresh_cookie) == other.jar.end());
  EXPECT_FALSE(client.logged_in());
}

TEST_F(AuthApiTest, LogoutBehindARefreshLeavesNoCookies) {
  start();
  Client client = signed_up();
  advance(minutes(6));
  EXPECT_EQ(client.json("/auth/logout", "").status, 204);
  EXPECT_FALSE(client.jar.count(session::access_cookie));
  EXPECT_FALSE(client.jar.count(session::refresh_cookie));
}

TEST_F(AuthApiTest, LogoutIsNotClaimedWhereTheStoreIsDown) {
  start();
  Client client = signed_up();
  session_store.down = true;
  expect_problem(client.json("/auth/logout", ""), 503, "unavailable");
  EXPECT_TRUE(client.jar.count(session::refresh_cookie));
}

TEST_F(AuthApiTest, LogoutEverywhereEndsAllSessionsOfOneUser) {
  start();
  Client laptop = signed_up();
  Client phone = signed_in();
  Client stranger = signed_up("bob@example.com");
  const Response answer = laptop.json("/auth/logout-all", "");
  EXPECT_EQ(answer.status, 204);
  EXPECT_NE(header(answer, "Clear-Site-Data"), "");
  EXPECT_FALSE(laptop.logged_in());
  EXPECT_FALSE(phone.logged_in());
  EXPECT_TRUE(stranger.logged_in());
}

}  // namespace
}  // namespace moat::shield
