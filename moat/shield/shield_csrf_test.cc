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

TEST_F(ShieldTest, ARouteMayReportForgedRequestsOnly) {
  const Shield guard = shield();
  come_as("ada");
  request_.method = "POST";
  request_.origin = "https://evil.example";
  rules_.allow_forged_requests_and_report = true;
  EXPECT_EQ(begin(guard), Outcome::pass);
  EXPECT_EQ(admission_.would_refuse, csrf::Reason::foreign_origin);
  EXPECT_NE(admission_.identity, nullptr) << "nothing else changes";
  request_.authorization = "Bearer x";  // which would have cost the cookies
  EXPECT_EQ(begin(guard), Outcome::pass);
  EXPECT_EQ(admission_.would_refuse, csrf::Reason::foreign_origin);
  EXPECT_FALSE(admission_.without_cookies);
  request_.origin = internal::own_origin;
  EXPECT_EQ(begin(guard), Outcome::pass);
  EXPECT_EQ(admission_.would_refuse, csrf::Reason::none);
  rules_.allow_forged_requests_and_report = false;
  request_.authorization = {};
  request_.origin = "https://evil.example";
  EXPECT_EQ(begin(guard), Outcome::refuse);
  EXPECT_EQ(admission_.would_refuse, csrf::Reason::none);
  EXPECT_EQ(refusal().reason, csrf::explain(csrf::Reason::foreign_origin));
}

TEST_F(ShieldTest, ABearerTokenPassesAndTheCookiesBesideItDoNotCount) {
  const Shield guard = shield();
  come_as("ada");
  request_.method = "POST";
  request_.authorization = "Bearer of-somebody";
  for (const char* origin : {"https://evil.example", "null", ""}) {
    request_.origin = origin;
    EXPECT_EQ(begin(guard), Outcome::pass) << origin;
    EXPECT_TRUE(admission_.without_cookies);
    EXPECT_EQ(admission_.identity, nullptr);
    EXPECT_EQ(admission_.holder, nullptr);
    EXPECT_TRUE(admission_.cookies.access.empty());
    EXPECT_TRUE(admission_.cookies.refresh.empty());
  }
  rules_.login = Rules::Login::required;
  EXPECT_EQ(begin(guard), Outcome::refuse);
  EXPECT_EQ(refusal().status, 401);
  // With the check behind them they count.
  request_.origin = internal::own_origin;
  EXPECT_EQ(begin(guard), Outcome::pass);
  EXPECT_FALSE(admission_.without_cookies);
  ASSERT_NE(admission_.identity, nullptr);
  EXPECT_EQ(admission_.identity->user_id, "ada");
  // Any other scheme is what a browser may send by itself.
  request_.origin = "https://evil.example";
  request_.authorization = "Basic YTpi";
  EXPECT_EQ(begin(guard), Outcome::refuse);
  EXPECT_EQ(refusal().step, Step::csrf);
}

TEST_F(ShieldTest, BesideABearerTokenNoSessionIsRefreshedAndNoneForgotten) {
  const Shield guard = shield();
  const std::string header = cookies(log_in());
  request_.cookie = header;
  request_.method = "POST";
  request_.authorization = "Bearer x";
  request_.origin = "https://evil.example";
  advance(minutes(6));
  EXPECT_EQ(begin(guard), Outcome::pass);
  EXPECT_EQ(admission_.identity, nullptr);
  EXPECT_TRUE(admission_.set_cookies.empty());
  const std::string stale = pair(session::access_cookie, "stale");
  request_.cookie = stale;
  EXPECT_EQ(begin(guard), Outcome::pass);
  EXPECT_TRUE(admission_.set_cookies.empty());
  request_.cookie = header;
  request_.origin = internal::own_origin;
  EXPECT_EQ(begin(guard), Outcome::refresh);
}

TEST_F(ShieldTest, Fault_MethodOverrideHeaders) {
  const Shield guard = shield();
  come_as("ada");
  request_.origin = "https://evil.example";
  EXPECT_EQ(begin(guard), Outcome::pass);  // a GET
  request_.method_override = true;
  EXPECT_EQ(begin(guard), Outcome::refuse);
  EXPECT_EQ(refusal().step, Step::csrf);
  request_.origin = internal::own_origin;
  EXPECT_EQ(begin(guard), Outcome::pass);
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
