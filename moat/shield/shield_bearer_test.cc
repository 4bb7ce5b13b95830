// SPDX-License-Identifier: Apache-2.0
// Moat's own bearer tokens in the walk, beside those of other services.
#include "moat/session/credentials.h"
#include "moat/shield/internal/shield_fixture.h"

namespace moat::shield {
namespace {

class BearerTest : public ShieldTest {
 protected:
  session::Issued program(std::string_view user = "ada", const session::Scopes& scopes = {"read"}) {
    return sessions_
        .start_api(users_.known.find(user)->second, {"192.0.2.1", "Program/1.0"}, scopes, now_)
        .value();
  }
  // The next request brings that as its Authorization.
  void bring(std::string_view scheme, std::string_view token) {
    authorization_ = std::string(scheme) + std::string(token);
    request_.authorization = authorization_;
  }
  void bring(const session::Issued& issued) { bring("Bearer ", issued.access_token.reveal()); }
  void expect_known(std::string_view user) {
    EXPECT_TRUE(admission_.own_bearer);
    EXPECT_TRUE(admission_.without_cookies);
    ASSERT_NE(admission_.identity, nullptr);
    EXPECT_EQ(admission_.identity->user_id, user);
    EXPECT_EQ(admission_.identity->kind, session::Kind::api);
    EXPECT_TRUE(admission_.set_cookies.empty());
  }
  void expect_refused() {
    EXPECT_EQ(refusal().status, 401);
    EXPECT_EQ(refusal().code, "invalid_token");
    EXPECT_EQ(refusal().challenge, "Bearer error=\"invalid_token\"");
    EXPECT_TRUE(refusal().location.empty());
    EXPECT_TRUE(admission_.own_bearer);
    EXPECT_EQ(admission_.identity, nullptr);
    EXPECT_TRUE(admission_.set_cookies.empty());
  }

 private:
  std::string authorization_;
};

TEST_F(BearerTest, OursSaysWhoItIs) {
  rules_.login = Rules::Login::required;
  const session::Issued issued = program();
  for (const char* scheme : {"Bearer ", "bearer ", "BEARER ", "Bearer  ", "Bearer\t"}) {
    bring(scheme, issued.access_token.reveal());
    EXPECT_EQ(begin(), Outcome::pass) << scheme;
    expect_known("ada");
  }
  EXPECT_EQ(admission_.identity->scopes, session::Scopes{"read"});
}

TEST_F(BearerTest, AnotherServicesPassesOn) {
  for (const char* text :
       {"Bearer abc", "Bearer eyJhbGciOiJub25lIn0.e30.", "Bearer Moat_at_x", "Bearer", "Bearer ",
        "Basic bW9hdF9hdF94", "moat_at_x", "Bearermoat_at_x", "Bearer x moat_at_x"}) {
    bring(text, "");
    EXPECT_EQ(begin(), Outcome::pass) << text;
    EXPECT_FALSE(admission_.own_bearer) << text;
    EXPECT_EQ(admission_.identity, nullptr);
  }
  rules_.login = Rules::Login::required;
  bring("Bearer abc", "");
  EXPECT_EQ(begin(), Outcome::refuse);
  EXPECT_EQ(refusal().code, "login_required");
}

TEST_F(BearerTest, WhatIsNotGoodAnyMoreIsRefusedOnAnyRoute) {
  const session::Issued issued = program();
  const session::Issued ended = program();
  ASSERT_TRUE(sessions_.revoke(ended.session.id, "ada", now_).value());
  Memory memory;
  for (const auto login : {Rules::Login::none, Rules::Login::optional, Rules::Login::required}) {
    rules_.login = login;
    request_.navigation = login == Rules::Login::required;  // not to the login page either
    bring(ended);
    EXPECT_EQ(begin(shield(), &memory), Outcome::refuse);
    expect_refused();
    for (const char* broken : {"moat_at_", "moat_at_x", "moat_key_x", "moat_", "moat_at_x, y"}) {
      bring("Bearer ", broken);
      EXPECT_EQ(begin(shield(), &memory), Outcome::refuse) << broken;
      expect_refused();
    }
    bring("Bearer ", issued.refresh_token.reveal());
    EXPECT_EQ(begin(shield(), &memory), Outcome::refuse);
    expect_refused();
  }
  bring(issued);
  EXPECT_EQ(begin(shield(), &memory), Outcome::pass);
  advance(minutes(5) - seconds(1));
  EXPECT_EQ(begin(shield(), &memory), Outcome::pass);
  advance(seconds(1));
  EXPECT_EQ(begin(shield(), &memory), Outcome::refuse);
  expect_refused();
}

TEST_F(BearerTest, ARevocationTakesEffectThoughTheTokenIsRemembered) {
  const Shield guard = shield();
  const session::Issued issued = program();
  Memory memory;
  bring(issued);
  EXPECT_EQ(begin(guard, &memory), Outcome::pass);
  EXPECT_EQ(begin(guard, &memory), Outcome::pass);
  ASSERT_TRUE(sessions_.revoke(issued.session.id, "ada", now_).value());
  EXPECT_EQ(begin(guard, &memory), Outcome::refuse);
  expect_refused();
}

TEST_F(BearerTest, CookiesBesideItAreNobodys) {
  come_as("bob");
  const session::Issued issued = program();
  bring(issued);
  EXPECT_EQ(begin(), Outcome::pass);
  expect_known("ada");
  EXPECT_TRUE(admission_.cookies.access.empty());
  // Neither do they help a token that is over.
  ASSERT_TRUE(sessions_.revoke(issued.session.id, "ada", now_).value());
  EXPECT_EQ(begin(), Outcome::refuse);
  expect_refused();
  // An old session is not refreshed in passing, and a cookie that came twice does no harm.
  bring(program());
  advance(minutes(4));
  request_.cookie = "__Host-Http-at=a; __Host-Http-at=b; __Host-Http-rt=c";
  EXPECT_EQ(begin(), Outcome::pass);
  expect_known("ada");
}

TEST_F(BearerTest, AFormOfAProgramNeedsNoFormsToken) {
  // csrf = "token" of a route: what no browser sends by itself is no forged form.
  const csrf::Tokens tokens{HmacKey(std::string(32, 'k'))};
  services_.form_tokens = &tokens;
  rules_.needs_form_token = true;
  rules_.login = Rules::Login::required;
  request_.method = "POST";
  for (const char* type : {"application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                           "text/plain", "application/json", ""}) {
    request_.content_type = type;
    come_as("bob");
    bring(program());
    EXPECT_EQ(begin(), Outcome::pass) << type;
    expect_known("ada");
  }
  // By cookies, and with others' tokens beside them, as ever.
  bring("Bearer ", "others");
  request_.content_type = "";
  request_.origin = internal::own_origin;
  EXPECT_EQ(begin(), Outcome::form);
}

TEST_F(BearerTest, ARequestWithItCannotBeForged) {
  // No page of another site can send the header; its Origin says nothing then.
  come_as("bob");
  bring(program());
  request_.method = "POST";
  request_.origin = "https://evil.example";
  request_.sec_fetch_site = "cross-site";
  EXPECT_EQ(begin(), Outcome::pass);
  expect_known("ada");
  // Where people log in nobody comes from elsewhere.
  rules_.scope = csrf::Scope::auth_endpoint;
  EXPECT_EQ(begin(), Outcome::refuse);
  EXPECT_EQ(refusal().step, Step::csrf);
}

TEST_F(BearerTest, NoKindPassesForAnotherNotEvenByMemory) {
  const Shield guard = shield();
  Memory memory;
  const session::Issued browser = log_in("bob");
  const session::Issued api = program();
  const std::string as_cookie = pair(session::access_cookie, api.access_token.reveal());
  for (int round = 0; round < 2; ++round) {
    bring("Bearer ", browser.access_token.reveal());
    EXPECT_EQ(begin(guard, &memory), Outcome::refuse);
    expect_refused();
    bring("Bearer ", browser.refresh_token.reveal());
    EXPECT_EQ(begin(guard, &memory), Outcome::refuse);
    expect_refused();
    bring("", "");
    request_.cookie = as_cookie;
    EXPECT_EQ(begin(guard, &memory), Outcome::pass);
    EXPECT_EQ(admission_.identity, nullptr);
    // In the second round both are remembered.
    const std::string good = cookies(browser);
    request_.cookie = good;
    EXPECT_EQ(begin(guard, &memory), Outcome::pass);
    EXPECT_EQ(admission_.identity->user_id, "bob");
    request_.cookie = "";
    bring(api);
    EXPECT_EQ(begin(guard, &memory), Outcome::pass);
    expect_known("ada");
  }
}

TEST_F(BearerTest, AProgramsRefreshTokenIsNoCookie) {
  const Shield guard = shield();
  const session::Issued api = program();
  const std::string prefixed(api.refresh_token.reveal());
  const std::string bare = prefixed.substr(session::bearer_refresh_prefix.size());
  for (const std::string& token : {prefixed, bare}) {
    const std::string header = pair(session::refresh_cookie, token);
    request_.cookie = header;
    ASSERT_EQ(begin(guard), Outcome::refresh);
    guard.refresh(request_, now_, tick_, admission_);
    EXPECT_EQ(admission_.identity, nullptr);
  }
  EXPECT_TRUE(sessions_.refresh_api(prefixed, {}, users_, now_)) << "and no harm was done";
}

TEST_F(BearerTest, ItsUserIsLimited) {
  options_.user = policy("2/min/user burst 2");
  const Shield guard = shield();
  bring(program());
  EXPECT_EQ(begin(guard), Outcome::pass);
  bring(program());
  EXPECT_EQ(begin(guard), Outcome::pass);
  bring("", "");
  come_as("ada");
  EXPECT_EQ(begin(guard), Outcome::refuse);
  EXPECT_EQ(refusal().status, 429);
}

TEST_F(BearerTest, ItsRolesCount) {
  const std::vector<std::string> admins = {"admin"};
  rules_.login = Rules::Login::required;
  rules_.roles = admins;
  bring(program("ada"));
  EXPECT_EQ(begin(), Outcome::pass);
  bring(program("bob"));
  EXPECT_EQ(begin(), Outcome::refuse);
  EXPECT_EQ(refusal().code, "role_required");
}

}  // namespace
}  // namespace moat::shield
