// SPDX-License-Identifier: Apache-2.0
// The walk: who stands behind a request.
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "moat/shield/internal/shield_fixture.h"

namespace moat::shield {
namespace {

TEST_F(ShieldTest, KnowsWhoIsLoggedIn) {
  come_as("ada");
  EXPECT_EQ(begin(), Outcome::pass);
  ASSERT_NE(admission_.identity, nullptr);
  EXPECT_EQ(admission_.identity->user_id, "ada");
  EXPECT_TRUE(admission_.set_cookies.empty());
}

TEST_F(ShieldTest, ForeignCookiesSayNothing) {
  request_.cookie = "a=b; __Host-Http-at=; x; __Host-Http-other=1; theme=dark";
  EXPECT_EQ(begin(), Outcome::pass);
  EXPECT_EQ(admission_.identity, nullptr);
  EXPECT_TRUE(admission_.set_cookies.empty());
}

TEST_F(ShieldTest, ACookieThatCameTwiceIsRefused) {
  const session::Issued mine = log_in();
  const session::Issued other = log_in("bob");
  for (const std::string_view name : {session::access_cookie, session::refresh_cookie}) {
    const auto value = [&](const session::Issued& issued) {
      return name == session::access_cookie ? issued.access_token.reveal()
                                            : issued.refresh_token.reveal();
    };
    const std::string header = pair(name, value(mine)) + "; a=b; " + pair(name, value(other));
    request_.cookie = header;
    EXPECT_EQ(begin(), Outcome::refuse);
    EXPECT_EQ(refusal().status, 400);
    EXPECT_EQ(refusal().code, "duplicate_cookie");
    EXPECT_EQ(refusal().step, Step::session);
    EXPECT_EQ(admission_.identity, nullptr);
  }
  request_.cookie = "__Host-Http-pre=; __Host-Http-pre=";  // empty ones count too
  EXPECT_EQ(begin(), Outcome::refuse);
  request_.cookie = "theme=a; theme=b";  // the backend's affair
  EXPECT_EQ(begin(), Outcome::pass);
}

TEST_F(ShieldTest, AnExpiredAccessTokenAsksForARefresh) {
  come_as("ada");
  advance(minutes(5));
  EXPECT_EQ(begin(), Outcome::refresh);
  EXPECT_EQ(admission_.identity, nullptr);
}

TEST_F(ShieldTest, AnExpiredAccessTokenAloneIsForgotten) {
  const session::Issued issued = log_in();
  const std::string header = pair(session::access_cookie, issued.access_token.reveal());
  request_.cookie = header;
  advance(minutes(5));
  EXPECT_EQ(begin(), Outcome::pass);
  EXPECT_EQ(admission_.identity, nullptr);
  EXPECT_TRUE(forgets(admission_.set_cookies, session::access_cookie));
}

TEST_F(ShieldTest, ARefreshGivesNewCookiesAndGoesOn) {
  const Shield guard = shield();
  const session::Issued issued = log_in();
  const std::string header = cookies(issued);
  request_.cookie = header;
  rules_.login = Rules::Login::required;
  advance(minutes(6));
  ASSERT_EQ(begin(guard), Outcome::refresh);
  guard.refresh(request_, now_, tick_, admission_);
  EXPECT_EQ(guard.finish(request_, rules_, tick_, nullptr, admission_), Outcome::pass);
  ASSERT_NE(admission_.identity, nullptr);
  EXPECT_EQ(admission_.identity->user_id, "ada");
  const auto access = cookie_in(admission_.set_cookies, session::access_cookie);
  const auto refresh = cookie_in(admission_.set_cookies, session::refresh_cookie);
  ASSERT_TRUE(access && refresh);
  EXPECT_NE(*refresh, issued.refresh_token.reveal());
  for (const std::string& line : admission_.set_cookies) {
    EXPECT_NE(line.find("; Secure; HttpOnly; SameSite=Lax"), std::string::npos) << line;
    EXPECT_NE(line.find("; Path=/"), std::string::npos) << line;
    EXPECT_EQ(line.find("Domain"), std::string::npos) << line;
  }
  const std::string next = pair(session::access_cookie, *access);
  request_.cookie = next;
  EXPECT_EQ(begin(guard), Outcome::pass);
  EXPECT_NE(admission_.identity, nullptr);
}

TEST_F(ShieldTest, ARefreshTakesFreshRoles) {
  const Shield guard = shield();
  come_as("ada");
  users_.known["ada"].roles = {"user"};
  advance(minutes(6));
  EXPECT_TRUE(guard.admit(request_, rules_, now_, tick_, admission_));
  ASSERT_NE(admission_.identity, nullptr);
  EXPECT_EQ(admission_.identity->roles, std::vector<std::string>{"user"});
}

TEST_F(ShieldTest, ADisabledUserGetsNoRefresh) {
  const Shield guard = shield();
  come_as("ada");
  rules_.login = Rules::Login::required;
  users_.known.erase("ada");
  advance(minutes(6));
  EXPECT_FALSE(guard.admit(request_, rules_, now_, tick_, admission_));
  EXPECT_EQ(refusal().status, 401);
  EXPECT_TRUE(forgets(admission_.set_cookies, session::refresh_cookie));
}

TEST_F(ShieldTest, AStoreThatIsDownCostsNobodyTheirCookies) {
  const Shield guard = shield();
  come_as("ada");
  rules_.login = Rules::Login::required;
  advance(minutes(6));
  store_.down = true;
  EXPECT_FALSE(guard.admit(request_, rules_, now_, tick_, admission_));
  EXPECT_EQ(refusal().status, 503) << "nobody knows whether they are logged in";
  EXPECT_EQ(refusal().code, "store_unavailable");
  EXPECT_EQ(admission_.identity, nullptr);
  EXPECT_TRUE(admission_.set_cookies.empty());
  admission_ = Admission();
  rules_.login = Rules::Login::optional;  // goes on as a stranger
  EXPECT_TRUE(guard.admit(request_, rules_, now_, tick_, admission_));
  EXPECT_TRUE(admission_.set_cookies.empty());
  rules_.login = Rules::Login::required;
  store_.down = false;
  admission_ = Admission();
  EXPECT_TRUE(guard.admit(request_, rules_, now_, tick_, admission_));
  EXPECT_NE(admission_.identity, nullptr);
}

TEST_F(ShieldTest, AReusedRefreshTokenEndsTheSession) {
  const Shield guard = shield();
  const std::string stolen = cookies(log_in());
  request_.cookie = stolen;
  advance(minutes(6));
  ASSERT_TRUE(guard.admit(request_, rules_, now_, tick_, admission_));
  // The owner goes on with the successor, so the old token is proof of a theft once the grace is
  // over.
  const std::string owner =
      pair(session::refresh_cookie, *cookie_in(admission_.set_cookies, session::refresh_cookie));
  advance(minutes(6));
  request_.cookie = owner;
  admission_ = Admission();
  ASSERT_TRUE(guard.admit(request_, rules_, now_, tick_, admission_));
  const std::string live =
      pair(session::access_cookie, *cookie_in(admission_.set_cookies, session::access_cookie));
  advance(minutes(1));
  request_.cookie = stolen;
  admission_ = Admission();
  EXPECT_TRUE(guard.admit(request_, rules_, now_, tick_, admission_));  // as a stranger
  EXPECT_EQ(admission_.identity, nullptr);
  EXPECT_EQ(refusal().reason, "reused");
  EXPECT_TRUE(forgets(admission_.set_cookies, session::access_cookie));
  EXPECT_TRUE(forgets(admission_.set_cookies, session::refresh_cookie));
  request_.cookie = live;
  EXPECT_EQ(begin(guard), Outcome::pass);
  EXPECT_EQ(admission_.identity, nullptr);
}

TEST_F(ShieldTest, ARevokedSessionIsOverAtOnce) {
  const Shield guard = shield();
  const session::Issued issued = log_in();
  const std::string header = pair(session::access_cookie, issued.access_token.reveal());
  request_.cookie = header;
  ASSERT_EQ(begin(guard), Outcome::pass);
  ASSERT_NE(admission_.identity, nullptr);
  ASSERT_TRUE(sessions_.revoke(issued.session.id, "ada", now_).value());
  EXPECT_EQ(begin(guard), Outcome::pass);
  EXPECT_EQ(admission_.identity, nullptr);
}

TEST_F(ShieldTest, WhatIsRememberedEndsWithTheToken) {
  const Shield guard = shield();
  Memory memory;
  const session::Issued issued = log_in();
  const std::string header = cookies(issued);
  request_.cookie = header;
  ASSERT_EQ(begin(guard, &memory), Outcome::pass);
  ASSERT_EQ(begin(guard, &memory), Outcome::pass);
  ASSERT_NE(admission_.identity, nullptr);
  advance(minutes(5) - seconds(1));
  ASSERT_EQ(begin(guard, &memory), Outcome::pass);
  ASSERT_NE(admission_.identity, nullptr);
  advance(seconds(1));
  EXPECT_EQ(begin(guard, &memory), Outcome::refresh);
  EXPECT_EQ(admission_.identity, nullptr);
}

TEST_F(ShieldTest, WhatIsRememberedEndsWithTheSession) {
  const Shield guard = shield();
  Memory memory;
  const session::Issued issued = log_in();
  const std::string header = pair(session::access_cookie, issued.access_token.reveal());
  request_.cookie = header;
  ASSERT_EQ(begin(guard, &memory), Outcome::pass);
  ASSERT_NE(admission_.identity, nullptr);
  ASSERT_TRUE(sessions_.revoke(issued.session.id, "ada", now_).value());
  EXPECT_EQ(begin(guard, &memory), Outcome::pass);
  EXPECT_EQ(admission_.identity, nullptr);
  EXPECT_EQ(begin(guard, &memory), Outcome::pass);
  EXPECT_EQ(admission_.identity, nullptr);
}

// A clock that was years ahead must not have let anybody in for years.
TEST_F(ShieldTest, WhatIsRememberedIsNotOfATimeYetToCome) {
  const Shield guard = shield();
  Memory memory;
  const session::Issued issued = log_in();
  const std::string header = pair(session::access_cookie, issued.access_token.reveal());
  request_.cookie = header;
  ASSERT_EQ(begin(guard, &memory), Outcome::pass);
  ASSERT_NE(admission_.identity, nullptr);
  now_ -= seconds(30);  // clocks differ by so much
  ASSERT_EQ(begin(guard, &memory), Outcome::pass);
  ASSERT_NE(admission_.identity, nullptr);
  now_ -= seconds(60);
  EXPECT_EQ(begin(guard, &memory), Outcome::pass);
  EXPECT_EQ(admission_.identity, nullptr);
}

TEST_F(ShieldTest, WhatIsRememberedBelongsToOneToken) {
  const Shield guard = shield();
  Memory memory;
  const std::string ada = cookies(log_in("ada"));
  const std::string bob = cookies(log_in("bob"));
  const std::string none = "theme=dark";
  const std::string forged = pair(session::access_cookie, std::string(400, 'A'));
  const std::vector<std::pair<std::string, std::string>> walk = {
      {ada, "ada"}, {bob, "bob"}, {none, ""}, {ada, "ada"},
      {forged, ""}, {ada, "ada"}, {"", ""},   {bob, "bob"}};
  for (const auto& [header, user] : walk) {
    request_.cookie = header;
    ASSERT_EQ(begin(guard, &memory), Outcome::pass);
    if (user.empty()) {
      EXPECT_EQ(admission_.identity, nullptr) << header;
    } else {
      ASSERT_NE(admission_.identity, nullptr);
      EXPECT_EQ(admission_.identity->user_id, user);
    }
  }
}

}  // namespace
}  // namespace moat::shield
