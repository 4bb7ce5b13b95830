// SPDX-License-Identifier: Apache-2.0
#include "moat/shield/shield.h"

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>

#include "moat/base/random.h"
#include "moat/shield/internal/test_world.h"

namespace moat::shield {
namespace {

using internal::address;
using internal::cookie_in;
using internal::forgets;
using internal::pair;
using internal::test_start;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

limit::Policy policy(std::string_view text) { return limit::Policy::parse(text).value(); }

class ShieldTest : public ::testing::Test {
 protected:
  ShieldTest() {
    options_.hosts = {"localhost", "*.localhost", "[::1]", "App.Example.com"};
    options_.general = policy("1000/min/ip");
    request_.method = "GET";
    request_.path = "/notes";
    request_.host = "localhost:8443";
    request_.peer = address("192.0.2.1");
    rules_.login = Rules::Login::optional;
  }

  Shield shield() const { return Shield(services_, options_); }

  session::Issued log_in(std::string_view user = "ada") {
    return sessions_.start(users_.known.find(user)->second, {"192.0.2.1", "Browser/1.0"}, now_)
        .value();
  }
  static std::string cookies(const session::Issued& issued) {
    return pair(session::access_cookie, issued.access_token.reveal()) + "; " +
           pair(session::refresh_cookie, issued.refresh_token.reveal());
  }
  Outcome begin(const Shield& shield, Memory* memory = nullptr) {
    admission_ = Admission();
    return shield.begin(request_, rules_, now_, tick_, memory, admission_);
  }
  Outcome begin() { return begin(shield()); }
  void advance(seconds by) {
    now_ += by;
    tick_ += by;
  }
  const Refusal& refusal() const { return admission_.refusal; }

  Time now_ = test_start;
  Tick tick_{hours{1}};
  internal::FlakySessions store_;
  internal::Users users_;
  session::RevocationList revocations_{seconds(330)};
  jwt::KeyRing ring_ =
      jwt::KeyRing::create(jwt::Algorithm::hs256, system_random(), test_start, {}).value();
  session::Manager sessions_{store_, revocations_, ring_, {}, system_random()};
  limit::Table requests_{1024};
  Shield::Services services_{sessions_, revocations_, users_, requests_};
  Shield::Options options_;
  Request request_;
  Rules rules_;
  Admission admission_;
};

// -------------------------------------------------------------------------------------------- host

TEST_F(ShieldTest, AnswersToItsOwnNamesOnly) {
  const Shield guard = shield();
  for (const char* host :
       {"localhost", "localhost:8443", "LOCALHOST:1", "app.localhost", "App.LocalHost:80", "[::1]",
        "[::1]:8443", "app.example.com", "APP.EXAMPLE.COM:443"}) {
    request_.host = host;
    EXPECT_EQ(begin(guard), Outcome::pass) << host;
  }
  for (const char* host :
       {"", "evil.example", "localhost.evil.example", "evil-localhost", ".localhost",
        "a.b.localhost", "example.com", "x.app.example.com", "[::2]", "127.0.0.1", "localhost."}) {
    request_.host = host;
    EXPECT_EQ(begin(guard), Outcome::refuse) << host;
    EXPECT_EQ(refusal().status, 421) << host;
    EXPECT_EQ(refusal().code, "unknown_host");
    EXPECT_EQ(refusal().step, Step::host);
  }
}

TEST_F(ShieldTest, WhoKnowsOneHostDoesNotKnowAnother) {
  const Shield guard = shield();
  Memory memory;
  EXPECT_EQ(begin(guard, &memory), Outcome::pass);
  EXPECT_EQ(begin(guard, &memory), Outcome::pass);
  request_.host = "evil.example";
  EXPECT_EQ(begin(guard, &memory), Outcome::refuse);
  EXPECT_EQ(begin(guard, &memory), Outcome::refuse);
}

TEST_F(ShieldTest, ATrustedOriginMustBeOne) {
  options_.trusted_origins = {"https://app.example.com"};
  EXPECT_NO_THROW(shield());
  options_.trusted_origins = {"app.example.com/path"};
  EXPECT_THROW(shield(), std::invalid_argument);
}

// ------------------------------------------------------------------------------------ address
// limit

TEST_F(ShieldTest, AnAddressHasItsLimit) {
  options_.general = policy("3/min/ip");
  const Shield guard = shield();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(begin(guard), Outcome::pass);
    EXPECT_EQ(admission_.rate.remaining, 2U - static_cast<unsigned>(i));
  }
  EXPECT_EQ(begin(guard), Outcome::refuse);
  EXPECT_EQ(refusal().status, 429);
  EXPECT_EQ(refusal().code, "rate_limited");
  EXPECT_EQ(refusal().step, Step::address_limit);
  EXPECT_GT(refusal().retry_after, seconds(0));
  EXPECT_LE(refusal().retry_after, seconds(20));
  // Another one is not touched, and time heals.
  request_.peer = address("192.0.2.2");
  EXPECT_EQ(begin(guard), Outcome::pass);
  request_.peer = address("192.0.2.1");
  advance(seconds(20));
  EXPECT_EQ(begin(guard), Outcome::pass);
}

TEST_F(ShieldTest, ARequestThatEndsEarlyIsCountedToo) {
  options_.general = policy("3/min/ip");
  const Shield guard = shield();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(guard.count_client(request_, tick_, nullptr, admission_));
  EXPECT_FALSE(guard.count_client(request_, tick_, nullptr, admission_));
  EXPECT_EQ(refusal().status, 429);
  request_.host = "other.example";
  EXPECT_FALSE(guard.count_client(request_, tick_, nullptr, admission_));
  EXPECT_EQ(refusal().status, 421);
}

TEST_F(ShieldTest, AnIpv6NetworkIsOneAddress) {
  options_.general = policy("2/min/ip");
  const Shield guard = shield();
  request_.peer = address("2001:db8:1:2::1");
  EXPECT_EQ(begin(guard), Outcome::pass);
  request_.peer = address("2001:db8:1:2:ffff::2");
  EXPECT_EQ(begin(guard), Outcome::pass);
  request_.peer = address("2001:db8:1:2::3");
  EXPECT_EQ(begin(guard), Outcome::refuse);
  request_.peer = address("2001:db8:1:3::1");
  EXPECT_EQ(begin(guard), Outcome::pass);
}

TEST_F(ShieldTest, AClientCannotNameItsAddress) {
  options_.general = policy("1/min/ip");
  const std::array<std::string_view, 1> lie = {"198.51.100.7"};
  request_.forwarded_for = lie;
  EXPECT_EQ(begin(), Outcome::pass);
  EXPECT_EQ(admission_.client, address("192.0.2.1"));
}

TEST_F(ShieldTest, ATrustedProxyMayNameIt) {
  options_.trusted_proxies = {Cidr::parse("192.0.2.0/24").value()};
  const std::array<std::string_view, 1> line = {"203.0.113.9, 198.51.100.7"};
  request_.forwarded_for = line;
  EXPECT_EQ(begin(), Outcome::pass);
  EXPECT_EQ(admission_.client, address("198.51.100.7"));
  request_.peer = address("203.0.113.1");  // not one of them
  EXPECT_EQ(begin(), Outcome::pass);
  EXPECT_EQ(admission_.client, address("203.0.113.1"));
}

// ----------------------------------------------------------------------------------------- session

TEST_F(ShieldTest, KnowsWhoIsLoggedIn) {
  const std::string header = cookies(log_in());
  request_.cookie = header;
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
  const std::string header = cookies(log_in());
  request_.cookie = header;
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
  guard.refresh(request_, now_, admission_);
  EXPECT_EQ(guard.finish(request_, rules_, tick_, admission_), Outcome::pass);
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
  const std::string header = cookies(log_in());
  request_.cookie = header;
  users_.known["ada"].roles = {"user"};
  advance(minutes(6));
  EXPECT_TRUE(guard.admit(request_, rules_, now_, tick_, admission_));
  ASSERT_NE(admission_.identity, nullptr);
  EXPECT_EQ(admission_.identity->roles, std::vector<std::string>{"user"});
}

TEST_F(ShieldTest, ADisabledUserGetsNoRefresh) {
  const Shield guard = shield();
  const std::string header = cookies(log_in());
  request_.cookie = header;
  rules_.login = Rules::Login::required;
  users_.known.erase("ada");
  advance(minutes(6));
  EXPECT_FALSE(guard.admit(request_, rules_, now_, tick_, admission_));
  EXPECT_EQ(refusal().status, 401);
  EXPECT_TRUE(forgets(admission_.set_cookies, session::refresh_cookie));
}

TEST_F(ShieldTest, AStoreThatIsDownCostsNobodyTheirCookies) {
  const Shield guard = shield();
  const std::string header = cookies(log_in());
  request_.cookie = header;
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

// ------------------------------------------------------------------------------------------ limits

TEST_F(ShieldTest, AUserHasOneLimitWhereverTheyAre) {
  options_.user = policy("2/min/user");
  const Shield guard = shield();
  const std::string header = cookies(log_in());
  request_.cookie = header;
  EXPECT_EQ(begin(guard), Outcome::pass);
  request_.peer = address("198.51.100.1");
  EXPECT_EQ(begin(guard), Outcome::pass);
  EXPECT_EQ(admission_.rate.remaining, 0U);  // the tighter of the two is shown
  EXPECT_EQ(begin(guard), Outcome::refuse);
  EXPECT_EQ(refusal().step, Step::user_limit);
  EXPECT_EQ(refusal().status, 429);
  EXPECT_GT(refusal().retry_after, seconds(0));
  const std::string other = cookies(log_in("bob"));
  request_.cookie = other;
  EXPECT_EQ(begin(guard), Outcome::pass);
  request_.cookie = "";
  EXPECT_EQ(begin(guard), Outcome::pass);
}

TEST_F(ShieldTest, ARouteHasALimitOfItsOwn) {
  const Shield guard = shield();
  const limit::Policy tight = policy("1/min/ip");
  rules_.limit = &tight;
  rules_.route = 1;
  EXPECT_EQ(begin(guard), Outcome::pass);
  EXPECT_EQ(begin(guard), Outcome::refuse);
  EXPECT_EQ(refusal().step, Step::user_limit);
  rules_.route = 2;
  EXPECT_EQ(begin(guard), Outcome::pass);
  rules_.limit = nullptr;
  rules_.route = 1;
  EXPECT_EQ(begin(guard), Outcome::pass);
}

TEST_F(ShieldTest, ARoutesLimitByUserCountsStrangersByAddress) {
  const Shield guard = shield();
  const limit::Policy tight = policy("1/min/user");
  rules_.limit = &tight;
  rules_.route = 1;
  const std::string ada = cookies(log_in());
  const std::string bob = cookies(log_in("bob"));
  request_.cookie = ada;
  EXPECT_EQ(begin(guard), Outcome::pass);
  EXPECT_EQ(begin(guard), Outcome::refuse);
  request_.cookie = bob;  // same address, another user
  EXPECT_EQ(begin(guard), Outcome::pass);
  request_.cookie = "";
  EXPECT_EQ(begin(guard), Outcome::pass);
  EXPECT_EQ(begin(guard), Outcome::refuse);
  request_.peer = address("198.51.100.1");
  EXPECT_EQ(begin(guard), Outcome::pass);
}

// -------------------------------------------------------------------------------------------- CSRF

TEST_F(ShieldTest, AForgedRequestIsRefused) {
  const Shield guard = shield();
  const std::string header = cookies(log_in());
  request_.cookie = header;
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
  const std::string header = cookies(log_in());
  request_.cookie = header;
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
  const std::string header = cookies(log_in());
  request_.cookie = header;
  request_.method = "POST";
  request_.origin = "https://evil.example";
  EXPECT_EQ(begin(), Outcome::refuse);
  rules_.allow_forged_requests = true;
  EXPECT_EQ(begin(), Outcome::pass);
}

TEST_F(ShieldTest, ATrustedNeighbourMayAct) {
  const std::string header = cookies(log_in());
  request_.cookie = header;
  request_.method = "POST";
  request_.origin = "https://app.example.com";
  EXPECT_EQ(begin(), Outcome::refuse);
  options_.trusted_origins = {"https://app.example.com"};
  EXPECT_EQ(begin(), Outcome::pass);
}

// ------------------------------------------------------------------------------------------- login

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
  const std::string header = cookies(log_in());
  request_.cookie = header;
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

// ----------------------------------------------------------------------------------------- cookies

TEST(Cookies, AreReadByTheirExactNames) {
  const Cookies cookies = Cookies::read(
      "__host-http-at=lower; __Host-Http-at=a; X__Host-Http-rt=no; __Host-Http-rt=r; "
      "__Host-Http-dev=d; __Host-Http-pre=p; __Host-Http-at2=z");
  EXPECT_EQ(cookies.access, "a");
  EXPECT_EQ(cookies.refresh, "r");
  EXPECT_EQ(cookies.device, "d");
  EXPECT_EQ(cookies.pre_login, "p");
  EXPECT_FALSE(cookies.twice);
  EXPECT_TRUE(Cookies::read("__Host-Http-dev=1;__Host-Http-dev=1").twice);
}

TEST(Cookies, AreForgottenByTheirOwnNames) {
  const auto lines = forget_session_cookies();
  EXPECT_TRUE(forgets(lines, session::access_cookie));
  EXPECT_TRUE(forgets(lines, session::refresh_cookie));
}

TEST(Cookies, AValueThatWouldSplitTheHeaderIsNoCookie) {
  EXPECT_NO_THROW((void)moat_cookie(session::device_cookie, "abc", seconds(1)));
  EXPECT_THROW((void)moat_cookie(session::device_cookie, "a\r\nSet-Cookie: b", seconds(1)),
               std::logic_error);
}

}  // namespace
}  // namespace moat::shield
