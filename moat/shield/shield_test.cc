// SPDX-License-Identifier: Apache-2.0
// The walk: whom it answers to, and the cookies that it reads.
#include "moat/shield/shield.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "moat/shield/internal/shield_fixture.h"

namespace moat::shield {
namespace {

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

TEST_F(ShieldTest, ARouteMayNeedAClientCertificate) {
  EXPECT_EQ(begin(), Outcome::pass);  // it does not by itself
  rules_.needs_client_certificate = true;
  for (const bool websocket : {false, true}) {
    request_.websocket_upgrade = websocket;
    EXPECT_EQ(begin(), Outcome::refuse);
    EXPECT_EQ(refusal().status, 403);
    EXPECT_EQ(refusal().code, "client_certificate_required");
    EXPECT_EQ(refusal().step, Step::client_certificate);
    EXPECT_EQ(to_string(refusal().step), "client_certificate");
  }
  request_.websocket_upgrade = false;
  request_.client_certificate = true;
  EXPECT_EQ(begin(), Outcome::pass);
}

TEST_F(ShieldTest, AClientCertificateComesBehindTheLimitAndBeforeTheSession) {
  rules_.needs_client_certificate = true;
  rules_.login = Rules::Login::required;
  options_.general = policy("2/min/ip");
  const Shield guard = shield();
  come_as("ada");
  EXPECT_EQ(begin(guard), Outcome::refuse);
  EXPECT_EQ(refusal().step, Step::client_certificate);
  EXPECT_EQ(admission_.identity, nullptr);
  EXPECT_TRUE(admission_.set_cookies.empty());
  EXPECT_EQ(begin(guard), Outcome::refuse);
  EXPECT_EQ(begin(guard), Outcome::refuse);
  EXPECT_EQ(refusal().step, Step::address_limit);  // it costs whoever tries
  request_.peer = address("192.0.2.2");
  request_.client_certificate = true;
  EXPECT_EQ(begin(guard), Outcome::pass);  // the session counts as ever
  request_.cookie = "";
  EXPECT_EQ(begin(guard), Outcome::refuse);  // and a certificate is none
  EXPECT_EQ(refusal().step, Step::login);
}

}  // namespace
}  // namespace moat::shield
