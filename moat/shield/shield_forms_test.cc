// SPDX-License-Identifier: Apache-2.0
// The walk of a backend's own forms: csrf = "token".
#include <gtest/gtest.h>

#include "moat/shield/internal/shield_fixture.h"

namespace moat::shield {
namespace {

constexpr const char* urlencoded = "application/x-www-form-urlencoded";

class ShieldFormsTest : public ShieldTest {
 protected:
  ShieldFormsTest() {
    services_.form_tokens = &tokens_;
    rules_.needs_form_token = true;
    request_.method = "POST";
    request_.content_type = urlencoded;
    request_.origin = internal::own_origin;
  }
  // The walk to its end; the body is `_csrf=token`.
  Outcome send(std::string_view token) {
    const Shield guard = shield();
    const Outcome outcome = begin(guard);
    if (outcome != Outcome::form) return outcome;
    const Outcome first = guard.check_form(request_, rules_, std::nullopt, now_, admission_);
    if (first != Outcome::form) return first;
    const std::string body = "amount=1&_csrf=" + std::string(token);
    return guard.check_form(request_, rules_, body, now_, admission_);
  }
  std::string token() {
    begin();
    return shield().form_token(admission_, system_random(), now_);
  }

  csrf::Tokens tokens_{HmacKey(std::string(32, 'k'))};
};

TEST_F(ShieldFormsTest, AFormOfASessionBringsItsToken) {
  come_as("ada");
  const std::string own = token();
  EXPECT_TRUE(admission_.set_cookies.empty());
  EXPECT_EQ(send(own), Outcome::pass);
  EXPECT_EQ(send(own), Outcome::pass) << "the back button";
  EXPECT_EQ(send(""), Outcome::refuse);
  EXPECT_EQ(refusal().status, 403);
  EXPECT_EQ(refusal().code, "csrf");
  EXPECT_EQ(refusal().step, Step::csrf);
  EXPECT_EQ(send(own.substr(1)), Outcome::refuse);
  come_as("ada");
  EXPECT_EQ(send(own), Outcome::refuse) << "another session, though the same person";
  EXPECT_EQ(send(token()), Outcome::pass);
  advance(hours{24});
  come_as("ada");
  EXPECT_EQ(send(own), Outcome::refuse);
}

TEST_F(ShieldFormsTest, BeforeTheLoginItIsBoundToACookie) {
  const std::string own = token();
  ASSERT_EQ(admission_.set_cookies.size(), 1U);
  const std::string cookie =
      admission_.set_cookies[0].substr(0, admission_.set_cookies[0].find(';'));
  EXPECT_EQ(send(own), Outcome::refuse) << "without the cookie";
  request_.cookie = cookie;
  EXPECT_EQ(send(own), Outcome::pass);
  const std::string planted = pair(session::pre_session_cookie, std::string(43, 'A'));
  request_.cookie = planted;
  EXPECT_EQ(send(own), Outcome::refuse);
}

TEST_F(ShieldFormsTest, APlantedPairDoesNotActForASession) {
  const std::string planted = token();
  const std::string cookie =
      admission_.set_cookies[0].substr(0, admission_.set_cookies[0].find(';'));
  const std::string both = cookies(log_in()) + "; " + cookie;
  request_.cookie = both;
  EXPECT_EQ(send(planted), Outcome::refuse);
}

TEST_F(ShieldFormsTest, AHeaderIsAsGoodAndNothingIsReadThen) {
  come_as("ada");
  const std::string own = token();
  const Shield guard = shield();
  request_.csrf_token = own;
  ASSERT_EQ(begin(guard), Outcome::form);
  EXPECT_EQ(guard.check_form(request_, rules_, std::nullopt, now_, admission_), Outcome::pass);
  request_.csrf_token = "of-the-backend";  // a client library sends one by itself
  EXPECT_EQ(send(own), Outcome::pass);
  EXPECT_EQ(send(""), Outcome::refuse);
}

TEST_F(ShieldFormsTest, WhatNoFormSendsNeedsNone) {
  come_as("ada");
  for (const char* type : {"application/json", "application/merge-patch+json", "text/xml"}) {
    request_.content_type = type;
    EXPECT_EQ(begin(), Outcome::pass) << type;
  }
  for (const char* type : {"text/plain", "", "multipart/form-data; boundary=x", "TEXT/PLAIN;a=b",
                           "text/plain; charset=application/json", "nonsense"}) {
    request_.content_type = type;
    EXPECT_EQ(begin(), Outcome::form) << type;
    EXPECT_EQ(send(token()), Outcome::refuse) << type << ": no such field there";
  }
  for (const char* method : {"GET", "HEAD", "OPTIONS"}) {
    request_.method = method;
    EXPECT_EQ(begin(), Outcome::pass) << method;
  }
  request_.method_override = true;
  EXPECT_EQ(begin(), Outcome::form);
  request_.method_override = false;
  request_.method = "DELETE";
  EXPECT_EQ(begin(), Outcome::form);
}

TEST_F(ShieldFormsTest, ABodyThatIsNoFormIsNotReadForOne) {
  come_as("ada");
  const Shield guard = shield();
  for (const char* type : {"text/plain", ""}) {
    request_.content_type = type;
    ASSERT_EQ(begin(guard), Outcome::form);
    EXPECT_EQ(guard.check_form(request_, rules_, std::nullopt, now_, admission_), Outcome::refuse);
  }
}

TEST_F(ShieldFormsTest, TheVerdictOnWhoSentItStays) {
  come_as("ada");
  const std::string own = token();
  request_.origin = "https://evil.example";
  EXPECT_EQ(send(own), Outcome::refuse);
  request_.origin = internal::own_origin;
  request_.sec_fetch_site = "cross-site";
  EXPECT_EQ(send(own), Outcome::refuse);
}

TEST_F(ShieldFormsTest, ABearerTokenPassesWithoutCookies) {
  come_as("ada");
  request_.authorization = "Bearer x";
  EXPECT_EQ(send(""), Outcome::pass);
  EXPECT_TRUE(admission_.without_cookies);
  EXPECT_EQ(admission_.identity, nullptr);
  EXPECT_EQ(send(token()), Outcome::pass);
  EXPECT_FALSE(admission_.without_cookies) << "a form of ours that sends one too";
  EXPECT_NE(admission_.identity, nullptr);
  rules_.login = Rules::Login::required;
  EXPECT_EQ(send(""), Outcome::refuse);
  EXPECT_EQ(refusal().code, "login_required") << "nobody is known any more";
  request_.authorization = "Basic x";
  rules_.login = Rules::Login::optional;
  EXPECT_EQ(send(""), Outcome::refuse);
}

TEST_F(ShieldFormsTest, WithoutKeysNoTokenIsGood) {
  come_as("ada");
  const std::string own = token();
  services_.form_tokens = nullptr;
  EXPECT_EQ(token(), "");
  EXPECT_EQ(send(own), Outcome::refuse);
}

TEST_F(ShieldFormsTest, TheWalkInOneCallTakesAHeader) {
  come_as("ada");
  const std::string own = token();
  const Shield guard = shield();
  admission_ = Admission();
  EXPECT_FALSE(guard.admit(request_, rules_, now_, tick_, admission_));
  EXPECT_EQ(refusal().code, "csrf");
  request_.csrf_token = own;
  admission_ = Admission();
  EXPECT_TRUE(guard.admit(request_, rules_, now_, tick_, admission_));
}

TEST_F(ShieldFormsTest, ALoginIsAskedForFirst) {
  rules_.login = Rules::Login::required;
  EXPECT_EQ(begin(), Outcome::refuse);
  EXPECT_EQ(refusal().code, "login_required");
}

}  // namespace
}  // namespace moat::shield
