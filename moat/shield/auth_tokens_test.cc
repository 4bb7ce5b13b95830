// SPDX-License-Identifier: Apache-2.0
// /auth/token: bearer tokens of programs.
#include <gtest/gtest.h>

#include "moat/shield/internal/auth_fixture.h"

namespace moat::shield {
namespace {

class TokensTest : public AuthApiTest {
 protected:
  TokensTest() { api_options.scopes = {"read", "write"}; }

  Client program(std::string_view from = "192.0.2.1") {
    Client client(*this, from);
    client.no_browser = true;
    return client;
  }
  static std::string text(const json::Value& value, std::string_view name) {
    const json::Value* found = value.find(name);
    return found == nullptr || found->as_string() == nullptr ? "(none)" : *found->as_string();
  }
  static Response ask(Client& client, std::string_view email, std::string_view password,
                      std::string_view scope = {}) {
    json::Object body{{"email", email}, {"password", password}};
    if (!scope.empty()) body.emplace_back("scope", scope);
    return client.json("/auth/token", json::serialize(std::move(body)));
  }
  json::Value tokens(Client& client, std::string_view scope = {}) {
    const Response answer = ask(client, ada, good, scope);
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_TRUE(answer.set_cookies.empty());
    return json::parse(answer.body).value();
  }
  static Response refresh(Client& client, std::string_view token) {
    return client.json("/auth/token/refresh",
                       json::serialize(json::Object{{"refresh_token", token}}));
  }
  static Response revoke(Client& client, std::string_view token) {
    return client.form("/auth/token/revoke", encoded({{"token", token}}));
  }
  Response me(const std::string& access) {
    Client client = program();
    client.authorization = "Bearer " + access;
    return client.get("/auth/me");
  }
};

TEST_F(TokensTest, APasswordGivesTokensAndNoCookie) {
  start();
  signed_up();
  Client client = program();
  const json::Value given = tokens(client, "read");
  EXPECT_TRUE(client.jar.empty());
  EXPECT_EQ(text(given, "token_type"), "Bearer");
  EXPECT_EQ(text(given, "scope"), "read");
  EXPECT_EQ(*given.find("expires_in")->as_integer(), 300);
  EXPECT_EQ(*given.find("refresh_expires_in")->as_integer(), 7 * 86'400);
  const Response answer = me(text(given, "access_token"));
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(text(json::parse(answer.body).value(), "email"), ada);
  EXPECT_EQ(me(text(given, "refresh_token")).status, 401);
  EXPECT_NE(logged.find("token_issued"), std::string::npos);
  EXPECT_EQ(logged.find(text(given, "access_token")), std::string::npos);
}

TEST_F(TokensTest, WrongPasswordsAreJudgedAsThoseOfALogin) {
  log_in_limits.free_failures = 2;
  start();
  signed_up();
  Client client = program();
  expect_problem(ask(client, ada, "wrong"), 401, "wrong_credentials");
  expect_problem(ask(client, "nobody@example.com", "wrong"), 401, "wrong_credentials");
  Client browser_too = browser();
  expect_problem(browser_too.log_in(ada, "wrong"), 401, "wrong_credentials");
  // One count for both doors.
  const Response delayed = ask(client, ada, good);
  EXPECT_EQ(delayed.status, 429);
  EXPECT_FALSE(header(delayed, "Retry-After").empty());
  EXPECT_NE(logged.find("login_failed"), std::string::npos);
}

TEST_F(TokensTest, ADisabledUserGetsNone) {
  start();
  signed_up();
  Client client = program();
  const json::Value given = tokens(client);
  const std::string id = text(json::parse(me(text(given, "access_token")).body).value(), "id");
  ASSERT_TRUE(accounts.disable(id));
  expect_problem(ask(client, ada, good), 401, "wrong_credentials");
  expect_problem(refresh(client, text(given, "refresh_token")), 400, "invalid_grant");
  EXPECT_EQ(me(text(given, "access_token")).status, 401) << "the refresh has ended the session";
}

TEST_F(TokensTest, ScopesAreThoseThatThereAre) {
  start();
  signed_up();
  Client client = program();
  EXPECT_EQ(text(tokens(client), "scope"), "") << "none asked for, none given";
  EXPECT_EQ(text(tokens(client, "write read"), "scope"), "write read");
  for (const char* scope : {"admin", "read admin", "read  write", "read read", "READ"}) {
    expect_problem(ask(client, ada, good, scope), 400, "invalid_scope");
  }
}

TEST_F(TokensTest, PagesOfOtherSitesCannotAsk) {
  start();
  signed_up();
  Client victim = browser();
  victim.origin = "https://evil.example";
  EXPECT_EQ(ask(victim, ada, good).code, "csrf");
  EXPECT_EQ(refresh(victim, "x").code, "csrf");
  EXPECT_EQ(revoke(victim, "x").code, "csrf");
  // What a form can send is not taken, wherever it is from.
  Client client = program();
  const std::string body = json::serialize(json::Object{{"email", ada}, {"password", good}});
  for (const char* type :
       {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""}) {
    EXPECT_EQ(client.send("POST", "/auth/token", type, body).status, 415) << type;
  }
  const std::string form = encoded({{"email", ada}, {"password", good}});
  expect_problem(client.form("/auth/token", form), 415, "unsupported_media_type");
  expect_problem(client.form("/auth/token/refresh", "refresh_token=x"), 415,
                 "unsupported_media_type");
  EXPECT_EQ(client.get("/auth/token").status, 405);
}

TEST_F(TokensTest, CookiesAreNeitherReadNorSet) {
  start();
  Client person = signed_up();
  person.no_browser = false;
  advance(minutes(6));  // the walk would refresh the browser's session in passing
  const auto before = person.jar;
  const Response answer = ask(person, ada, good);
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(person.jar, before);
  EXPECT_TRUE(person.logged_in());
}

TEST_F(TokensTest, ARefreshRotatesAndAnOldOneEndsTheFamily) {
  start();
  signed_up();
  Client client = program();
  const json::Value first = tokens(client, "read");
  advance(minutes(4));
  const Response answer = refresh(client, text(first, "refresh_token"));
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_TRUE(answer.set_cookies.empty());
  const json::Value second = json::parse(answer.body).value();
  EXPECT_EQ(text(second, "scope"), "read");
  EXPECT_NE(text(second, "refresh_token"), text(first, "refresh_token"));
  const Response same = refresh(client, text(first, "refresh_token"));
  EXPECT_EQ(text(json::parse(same.body).value(), "refresh_token"), text(second, "refresh_token"));
  const json::Value third =
      json::parse(refresh(client, text(second, "refresh_token")).body).value();
  EXPECT_EQ(me(text(third, "access_token")).status, 200);
  advance(seconds(30));
  const auto live = sessions.verify_bearer(text(third, "access_token"), now);
  ASSERT_TRUE(live);
  logged.clear();
  expect_problem(refresh(client, text(first, "refresh_token")), 400, "invalid_grant");
  // The same event as of a browser's session, and which: its owner has a notice of it.
  EXPECT_NE(logged.find(R"("level":"warn","event":"refresh_token_reused","session":")" +
                        live->session_id + '"'),
            std::string::npos)
      << logged;
  expect_problem(refresh(client, text(third, "refresh_token")), 400, "invalid_grant");
  EXPECT_EQ(me(text(third, "access_token")).status, 401);
  // The notice is for the person at a browser, and not for whatever holds a token.
  const json::Value another = tokens(client, "read");
  const Response seen = me(text(another, "access_token"));
  ASSERT_EQ(seen.status, 200);
  EXPECT_NE(seen.body.find("\"notices\":[]"), std::string::npos) << seen.body;
}

TEST_F(TokensTest, ABrowsersRefreshTokenIsNotTakenAndTheReverse) {
  start();
  Client person = signed_up();
  Client client = program();
  const std::string cookie = person.jar.find("__Host-Http-rt")->second;
  expect_problem(refresh(client, cookie), 400, "invalid_grant");
  expect_problem(refresh(client, "moat_rt_" + cookie), 400, "invalid_grant");
  EXPECT_TRUE(person.logged_in());
  const json::Value given = tokens(client);
  Client thief = browser();
  thief.jar["__Host-Http-rt"] = text(given, "refresh_token").substr(8);
  EXPECT_FALSE(thief.logged_in());
  EXPECT_EQ(refresh(client, text(given, "refresh_token")).status, 200);
}

TEST_F(TokensTest, RefreshTokensAreReadStrictly) {
  start();
  Client client = program();
  expect_problem(refresh(client, ""), 400, "invalid_grant");
  expect_problem(refresh(client, std::string(4200, 'x')), 400, "invalid_grant");
  expect_problem(refresh(client, std::string(4201, 'x')), 400, "invalid_body");
  expect_problem(client.json("/auth/token/refresh", "{}"), 400, "invalid_body");
  // A made-up one is known for what it is without the store.
  session_store.down = true;
  expect_problem(refresh(client, "moat_rt_" + std::string(96, 'A')), 400, "invalid_grant");
}

TEST_F(TokensTest, WhoeverHoldsATokenMayRevokeIt) {
  start();
  signed_up();
  Client client = program();
  for (const char* which : {"access_token", "refresh_token"}) {
    const json::Value given = tokens(client);
    const Response answer = revoke(client, text(given, which));
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.body.empty());
    EXPECT_EQ(me(text(given, "access_token")).status, 401) << which;
    expect_problem(refresh(client, text(given, "refresh_token")), 400, "invalid_grant");
    EXPECT_EQ(revoke(client, text(given, which)).status, 200) << "RFC 7009 section 2.2";
  }
  EXPECT_NE(logged.find("token_revoked"), std::string::npos);
}

TEST_F(TokensTest, ARevocationIsAForm) {
  start();
  Client person = signed_up();
  Client client = program();
  EXPECT_EQ(revoke(client, "unknown").status, 200);
  EXPECT_EQ(client.form("/auth/token/revoke", "token=x&token_type_hint=whatever").status, 200);
  expect_problem(client.form("/auth/token/revoke", ""), 400, "invalid_request");
  expect_problem(client.form("/auth/token/revoke", "token=x&token=y"), 400, "invalid_request");
  expect_problem(client.json("/auth/token/revoke", "{\"token\":\"x\"}"), 415,
                 "unsupported_media_type");
  const std::string cookie = person.jar.find("__Host-Http-rt")->second;
  EXPECT_EQ(revoke(client, cookie).status, 200);
  EXPECT_EQ(revoke(client, person.jar.find("__Host-Http-at")->second).status, 200);
  EXPECT_TRUE(person.logged_in()) << "not a program's to end";
}

TEST_F(TokensTest, ATokenDoesNotManageTheAccount) {
  start();
  signed_up();
  Client client = program();
  client.authorization = "Bearer " + text(tokens(client, "read write"), "access_token");
  for (const char* path : {"/auth/sessions", "/auth/account", "/auth/csrf", "/auth/login"}) {
    expect_problem(client.get(path), 403, "browser_required");
  }
  expect_problem(client.json("/auth/password", change(good, better)), 403, "browser_required");
  expect_problem(client.json("/auth/logout-all", "{}"), 403, "browser_required");
  expect_problem(client.json("/auth/logout", "{}"), 403, "browser_required");
  expect_problem(client.log_in(), 403, "browser_required");
  expect_problem(client.send("DELETE", "/auth/sessions/x"), 403, "browser_required");
  EXPECT_TRUE(client.jar.empty());
  EXPECT_EQ(client.get("/auth/me").status, 200);
  EXPECT_EQ(client.get("/.well-known/moat/jwks.json").status, 200);
}

TEST_F(TokensTest, ThePersonSeesAndEndsProgramsSessions) {
  start();
  Client person = signed_up();
  Client client = program();
  const json::Value given = tokens(client);
  const json::Value list = json::parse(person.get("/auth/sessions").body).value();
  std::string id;
  for (const json::Value& one : *list.as_array()) {
    if (text(one, "kind") == "api") id = text(one, "id");
  }
  ASSERT_FALSE(id.empty());
  EXPECT_EQ(person.send("DELETE", "/auth/sessions/" + id).status, 204);
  EXPECT_EQ(me(text(given, "access_token")).status, 401);
}

TEST_F(TokensTest, ANewPasswordEndsProgramsSessions) {
  start();
  Client person = signed_up();
  Client client = program();
  const json::Value given = tokens(client);
  ASSERT_EQ(person.json("/auth/password", change(good, better)).status, 204);
  EXPECT_EQ(me(text(given, "access_token")).status, 401);
  expect_problem(refresh(client, text(given, "refresh_token")), 400, "invalid_grant");
}

TEST_F(TokensTest, TheyCanBeSwitchedOff) {
  api_options.tokens = false;
  start();
  signed_up();
  Client client = program();
  expect_problem(ask(client, ada, good), 404, "not_found");
  expect_problem(refresh(client, "x"), 404, "not_found");
  expect_problem(revoke(client, "x"), 404, "not_found");
}

}  // namespace
}  // namespace moat::shield
