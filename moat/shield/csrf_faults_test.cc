// SPDX-License-Identifier: Apache-2.0
// Faults that other CSRF libraries had, where it takes a form or a session to show them; each
// beside its twin that must pass. The others are in csrf/faults_test.cc.
#include <gtest/gtest.h>

#include "moat/shield/internal/auth_fixture.h"

namespace moat::shield {
namespace {

std::string login_form(std::string_view token) {
  return encoded({{"email", ada}, {"password", good}, {"_csrf", token}});
}

// Somebody who can set cookies for this host plants a cookie together with the token that he was
// given for it.
TEST_F(AuthApiTest, Fault_SNYK_JS_CSURF_3021144_CookieTossing) {
  start();
  Client victim = signed_up();
  Client attacker = browser();
  const std::string planted = attacker.form_token();
  const std::string_view pre = session::pre_session_cookie;
  victim.jar[std::string(pre)] = attacker.jar.find(pre)->second;
  EXPECT_EQ(victim.form("/auth/logout", encoded({{"_csrf", planted}})).status, 403);
  EXPECT_EQ(victim.form("/auth/logout-all", encoded({{"_csrf", planted}})).status, 403);
  EXPECT_EQ(
      victim
          .form("/auth/password", encoded({{"current", good}, {"new", better}, {"_csrf", planted}}))
          .status,
      403);
  EXPECT_TRUE(victim.logged_in());
  const std::string own = victim.form_token();
  EXPECT_EQ(victim.form("/auth/logout", encoded({{"_csrf", own}})).status, 303);
  EXPECT_FALSE(victim.logged_in());
}

TEST_F(AuthApiTest, ALoginFormOfBeforeAnotherTabLoggedInStillWorks) {
  start();
  signed_up();
  Client client = browser();
  const std::string token = client.form_token();
  EXPECT_EQ(client.log_in().status, 200);
  EXPECT_EQ(client.form("/auth/login", login_form(token)).status, 303);
}

// csurf reads query._csrf, and what stands in an address ends in logs and in Referer.
TEST_F(AuthApiTest, Fault_TokensInQueryStrings) {
  start();
  signed_up();
  Client client = browser();
  const std::string token = client.form_token();
  const std::string body = encoded({{"email", ada}, {"password", good}});
  for (const char* name : {"_csrf", "csrf-token", "x-csrf-token"})
    EXPECT_EQ(client.form("/auth/login?" + encoded({{name, token}}), body).status, 403) << name;
  EXPECT_EQ(client.form("/auth/login", login_form(token)).status, 303);
}

// A page sends these without asking first, so JSON behind them is no JSON, and none passes for it.
TEST_F(AuthApiTest, Fault_JsonAsTextPlain) {
  start();
  signed_up();
  const std::string json =
      R"({"email":")" + std::string(ada) + R"(","password":")" + std::string(good) + R"("})";
  for (const char* type :
       {"text/plain", "text/plain; application/json", "multipart/form-data; boundary=x",
        "multipart/form-data", "", "application/json, text/plain", "text/json",
        "application/x-www-form-urlencoded, application/json", "application/jsonx"}) {
    Client client = browser();
    EXPECT_EQ(client.send("POST", "/auth/login", type, json).status, 415) << type;
    EXPECT_FALSE(client.logged_in()) << type;
  }
  Client client = browser();
  EXPECT_EQ(client
                .send("POST", "/auth/login", "Application/X-WWW-Form-Urlencoded ; a=b",
                      encoded({{"email", ada}, {"password", good}}))
                .status,
            403)
      << "a form, however it is spelled, needs its token";
  EXPECT_EQ(client.send("POST", "/auth/login", "application/json; charset=utf-8", json).status,
            200);
}

// A beacon or fetch() without a body has no content type: the verdict alone stands before it.
TEST_F(AuthApiTest, Fault_NoContentTypeAtAll) {
  start();
  Client client = signed_up();
  for (const char* origin : {"https://evil.example", "null"}) {
    client.origin = origin;
    EXPECT_EQ(client.send("POST", "/auth/logout").status, 403) << origin;
  }
  client.no_browser = true;  // cookies, and nothing that says where they come from
  EXPECT_EQ(client.send("POST", "/auth/logout").status, 403);
  EXPECT_TRUE(client.logged_in());
  client.no_browser = false;
  client.origin = internal::own_origin;
  EXPECT_EQ(client.send("POST", "/auth/logout").status, 204);
  EXPECT_FALSE(client.logged_in());
}

TEST_F(AuthApiTest, Fault_GetWithABody) {
  start();
  Client client = signed_up();
  const std::string form = encoded({{"_csrf", client.form_token()}});
  for (const char* method : {"GET", "HEAD"}) {
    EXPECT_EQ(client.send(method, "/auth/logout", "application/x-www-form-urlencoded", form).status,
              405)
        << method;
  }
  EXPECT_TRUE(client.logged_in());
  EXPECT_EQ(client.form("/auth/logout", form).status, 303);
}

TEST_F(AuthApiTest, Fault_MethodOverrideFields) {
  start();
  Client client = signed_up();
  const std::string token = client.form_token();
  const std::string id = client.session_id();
  // As method-override and its kin take it: a POST that says that it is a DELETE stays a POST.
  EXPECT_EQ(client.form("/auth/sessions/" + id, encoded({{"_method", "DELETE"}, {"_csrf", token}}))
                .status,
            405);
  EXPECT_EQ(client.get("/auth/sessions/" + id + "?_method=DELETE").status, 405);
  EXPECT_TRUE(client.logged_in());
  EXPECT_EQ(client.send("DELETE", "/auth/sessions/" + id).status, 204);
}

TEST_F(AuthApiTest, ATokenInAHeaderIsAsGoodAsInTheField) {
  start();
  signed_up();
  Client client = browser();
  const std::string body = encoded({{"email", ada}, {"password", good}});
  client.token_header = "x" + client.form_token().substr(1);
  EXPECT_EQ(client.form("/auth/login", body).status, 403);
  client.token_header = client.form_token();
  EXPECT_EQ(client.form("/auth/login", body).status, 303);
}

TEST_F(AuthApiTest, FormsOutliveTheRotationOfTheKeyOnce) {
  start();
  Client client = signed_up();
  const std::string token = client.form_token();
  const std::string id = client.session_id();
  const auto revokes_another = [&](std::string_view with) {
    return client.form("/auth/sessions/none/revoke", encoded({{"_csrf", with}})).status == 303;
  };
  EXPECT_TRUE(revokes_another(token));
  tokens = csrf::Tokens(HmacKey(std::string(32, 'n')), HmacKey(std::string(32, 'k')));
  EXPECT_TRUE(revokes_another(token)) << "the form that was open";
  const std::string fresh = client.form_token();
  EXPECT_TRUE(revokes_another(fresh));
  tokens = csrf::Tokens(HmacKey(std::string(32, 'm')), HmacKey(std::string(32, 'n')));
  EXPECT_FALSE(revokes_another(token)) << "two rotations later";
  EXPECT_TRUE(revokes_another(fresh));
  EXPECT_EQ(client.session_id(), id);
}

// Where people log in a bearer token changes nothing: it is the answer's cookies that are wanted.
TEST_F(AuthApiTest, ABearerTokenMakesNoForgedLogin) {
  start();
  signed_up();
  Client client = browser();
  client.authorization = "Bearer x";
  client.origin = "https://evil.example";
  EXPECT_EQ(client.log_in().status, 403);
  client.origin = internal::own_origin;
  EXPECT_EQ(client.log_in().status, 200);
}

}  // namespace
}  // namespace moat::shield
