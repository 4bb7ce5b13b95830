// SPDX-License-Identifier: Apache-2.0
// The walk: requests that another site has made a browser send.
#include <gtest/gtest.h>

#include "moat/shield/internal/shield_fixture.h"

namespace moat::shield {
namespace {

TEST_F(ShieldTest, AForgedRequestIsRefused) {
  const Shield guard = shield();
  come_as("ada");
  request_.method = "POST";
  request_.origin = internal::own_origin;
  EXPECT_EQ(begin(guard), Outcome::pass);
  for (const char* origin :
       {"https://evil.example", "null", "http://localhost:8443", "https://localhost:3000"}) {
    request_.origin = origin;
    EXPECT_EQ(begin(guard), Outcome::refuse) << origin;
    EXPECT_EQ(refusal().status, 403);
    EXPECT_EQ(refusal().code, "csrf");
    EXPECT_EQ(refusal().step, Step::csrf);
  }
  request_.origin.reset();  // a cookie without any evidence
  EXPECT_EQ(begin(guard), Outcome::refuse);
  request_.sec_fetch_site = "same-origin";
  EXPECT_EQ(begin(guard), Outcome::pass);
  request_.sec_fetch_site = "cross-site";
  EXPECT_EQ(begin(guard), Outcome::refuse);
  request_.method = "GET";
  EXPECT_EQ(begin(guard), Outcome::pass);
}

TEST_F(ShieldTest, WithoutOurCookiesABackendsRequestIsNotForged) {
  request_.method = "POST";
  request_.origin = "https://partner.example";
  request_.cookie = "theme=dark";
  EXPECT_EQ(begin(), Outcome::pass);
  rules_.scope = csrf::Scope::auth_endpoint;  // a login is forged without any cookie
  EXPECT_EQ(begin(), Outcome::refuse);
  request_.origin.reset();
  request_.cookie = "";
  EXPECT_EQ(begin(), Outcome::pass);  // no browser
}

TEST_F(ShieldTest, AWebSocketNeedsItsOwnOrigin) {
  const Shield guard = shield();
  come_as("ada");
  request_.websocket_upgrade = true;
  request_.origin = internal::own_origin;
  EXPECT_EQ(begin(guard), Outcome::pass);
  request_.origin = "https://evil.example";
  EXPECT_EQ(begin(guard), Outcome::refuse);
  request_.origin.reset();
  EXPECT_EQ(begin(guard), Outcome::refuse);
}

TEST_F(ShieldTest, AForgedRequestGetsNoRefresh) {
  const Shield guard = shield();
  const session::Issued issued = log_in();
  const std::string header = cookies(issued);
  request_.cookie = header;
  request_.method = "POST";
  request_.origin = "https://evil.example";
  advance(minutes(6));
  EXPECT_EQ(begin(guard), Outcome::refuse);
  EXPECT_EQ(refusal().step, Step::csrf);
  EXPECT_TRUE(admission_.set_cookies.empty());
  admission_ = Admission();
  EXPECT_FALSE(guard.admit(request_, rules_, now_, tick_, admission_));
  EXPECT_TRUE(admission_.set_cookies.empty());
  // Nothing was exchanged: the token still is the live one.
  request_.origin = internal::own_origin;
  EXPECT_EQ(begin(guard), Outcome::refresh);
  const auto list = sessions_.list("ada", now_).value();
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].last_seen_at, test_start);
}

TEST_F(ShieldTest, ARouteMayAllowForgedRequests) {
  come_as("ada");
  request_.method = "POST";
  request_.origin = "https://evil.example";
  EXPECT_EQ(begin(), Outcome::refuse);
  rules_.allow_forged_requests = true;
  EXPECT_EQ(begin(), Outcome::pass);
}

TEST_F(ShieldTest, ATrustedNeighbourMayAct) {
  come_as("ada");
  request_.method = "POST";
  request_.origin = "https://app.example.com";
  EXPECT_EQ(begin(), Outcome::refuse);
  options_.trusted_origins = {"https://app.example.com"};
  EXPECT_EQ(begin(), Outcome::pass);
}

}  // namespace
}  // namespace moat::shield
