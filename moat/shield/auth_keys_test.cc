// SPDX-License-Identifier: Apache-2.0
// /auth/keys: personal API keys.
#include <gtest/gtest.h>

#include "moat/session/memory_key_store.h"
#include "moat/shield/internal/auth_fixture.h"

namespace moat::shield {
namespace {

class AuthKeysTest : public AuthApiTest {
 protected:
  AuthKeysTest() {
    api_options.scopes = {"read", "write"};
    keys = &api_keys_;
  }
  static std::string text(const json::Value& value, std::string_view name) {
    const json::Value* found = value.find(name);
    return found == nullptr || found->as_string() == nullptr ? "(none)" : *found->as_string();
  }
  static Response make(Client& client, json::Object more = {}, std::string_view password = good) {
    json::Object body{{"name", "backup"}, {"password", password}};
    for (json::Member& member : more) body.push_back(std::move(member));
    return client.json("/auth/keys", json::serialize(std::move(body)));
  }
  json::Value made(Client& client, json::Object more = {}) {
    const Response answer = make(client, std::move(more));
    EXPECT_EQ(answer.status, 201) << answer.body;
    return json::parse(answer.body).value();
  }
  Client with(const std::string& key) {
    Client client(*this);
    client.no_browser = true;
    client.authorization = "Bearer " + key;
    return client;
  }

  session::MemoryKeyStore key_store_;
  session::ApiKeys api_keys_{key_store_, revocations, {}, system_random()};
};

TEST_F(AuthKeysTest, AKeyIsShownOnce) {
  start();
  Client person = signed_up();
  const json::Value key = made(person, {{"scope", "read"}, {"expires_in", std::int64_t{86'400}}});
  EXPECT_EQ(text(key, "name"), "backup");
  EXPECT_EQ(text(key, "scope"), "read");
  EXPECT_EQ(text(key, "expires_at"), format_rfc3339(now + std::chrono::hours(24)));
  EXPECT_TRUE(key.find("last_used_at")->is_null());
  EXPECT_EQ(with(text(key, "key")).get("/auth/me").status, 200);
  const Response list = person.get("/auth/keys");
  EXPECT_EQ(list.body.find(text(key, "key")), std::string::npos);
  const json::Value listed = json::parse(list.body).value();
  ASSERT_EQ(listed.as_array()->size(), 1U);
  EXPECT_EQ(listed.as_array()->front().as_object()->size(), 6U);
  EXPECT_EQ(text(listed.as_array()->front(), "id"), text(key, "id"));
  EXPECT_EQ(logged.find(text(key, "key")), std::string::npos);
  EXPECT_NE(logged.find("api_key_made"), std::string::npos);
}

TEST_F(AuthKeysTest, MakingOneTakesThePasswordOnceMore) {
  log_in_limits.free_failures = 2;
  start();
  Client person = signed_up();
  expect_problem(make(person, {}, "wrong"), 401, "wrong_credentials");
  expect_problem(person.json("/auth/keys", "{\"name\":\"x\"}"), 400, "invalid_body");
  EXPECT_EQ(make(person, {}, "wrong").status, 401);
  EXPECT_EQ(make(person).status, 429) << "a stolen session is no way to guess it";
  EXPECT_EQ(*json::parse(person.get("/auth/keys").body).value().as_array(), json::Array());
}

TEST_F(AuthKeysTest, NeitherKeysNorTokensMakeKeys) {
  start();
  Client person = signed_up();
  Client program = with(text(made(person), "key"));
  expect_problem(make(program), 403, "browser_required");
  expect_problem(program.get("/auth/keys"), 403, "browser_required");
  expect_problem(program.send("DELETE", "/auth/keys/x"), 403, "browser_required");
  Client nobody = browser();
  expect_problem(make(nobody), 401, "login_required");
  expect_problem(nobody.get("/auth/keys"), 401, "login_required");
  expect_problem(nobody.send("DELETE", "/auth/keys/x"), 401, "login_required");
}

TEST_F(AuthKeysTest, OtherSitesMakeNoneAndFormsNeedTheirToken) {
  start();
  Client person = signed_up();
  const std::string fields = encoded({{"name", "x"}, {"password", good}});
  const Response refused = person.form("/auth/keys", fields);
  EXPECT_EQ(refused.status, 403);
  EXPECT_FALSE(shown(refused, "key_error").empty());
  EXPECT_EQ(person.send("POST", "/auth/keys", "text/plain", fields).status, 415);
  person.origin = "https://evil.example";
  EXPECT_EQ(make(person).code, "csrf");
  EXPECT_EQ(person.form("/auth/keys", fields).code, "csrf");
}

TEST_F(AuthKeysTest, TheAccountsPageMakesAndRevokesThem) {
  start();
  Client person = signed_up();
  const std::string token = person.form_token();
  const Response wrong =
      person.form("/auth/keys", encoded({{"_csrf", token}, {"name", "x"}, {"password", "wrong"}}));
  EXPECT_EQ(wrong.status, 401);
  EXPECT_FALSE(shown(wrong, "key_password_error").empty());
  EXPECT_EQ(shown(wrong, "new_key"), "");
  const Response answer = person.form("/auth/keys", encoded({{"_csrf", token},
                                                             {"name", "x"},
                                                             {"password", good},
                                                             {"scope", "read"},
                                                             {"expires_in", "86400"},
                                                             {"username", ada}}));
  EXPECT_EQ(answer.status, 200);
  const std::string key = shown(answer, "new_key");
  EXPECT_EQ(with(key).get("/auth/me").status, 200);
  EXPECT_EQ(shown(answer, "keys"), "1");
  EXPECT_EQ(shown(person.get("/auth/account"), "new_key"), "") << "once";
  const json::Value list = json::parse(person.get("/auth/keys").body).value();
  const std::string revoke = "/auth/keys/" + text(list.as_array()->front(), "id") + "/revoke";
  EXPECT_EQ(person.form(revoke, "").status, 403);
  EXPECT_EQ(with(key).get("/auth/me").status, 200);
  const Response done = person.form(revoke, encoded({{"_csrf", token}}));
  EXPECT_EQ(done.status, 303);
  EXPECT_EQ(done.location, "/auth/account");
  EXPECT_EQ(with(key).get("/auth/me").status, 401);
}

TEST_F(AuthKeysTest, WhatIsAskedForIsChecked) {
  start();
  Client person = signed_up();
  expect_problem(make(person, {{"scope", "admin"}}), 400, "invalid_scope");
  expect_problem(make(person, {{"expires_in", std::int64_t{0}}}), 400, "invalid_body");
  expect_problem(make(person, {{"expires_in", std::int64_t{365 * 86'400 + 1}}}), 400,
                 "invalid_body");
  EXPECT_EQ(make(person, {{"expires_in", std::int64_t{365 * 86'400}}}).status, 201);
  const std::string named = json::serialize(json::Object{{"name", "a\nb"}, {"password", good}});
  expect_problem(person.json("/auth/keys", named), 422, "invalid_name");
  const std::string turned =
      json::serialize(json::Object{{"name", "a\xe2\x80\xae b"}, {"password", good}});
  expect_problem(person.json("/auth/keys", turned), 422, "invalid_name");
}

TEST_F(AuthKeysTest, OneRevokesOnesOwnKeysOnly) {
  start();
  Client person = signed_up();
  Client stranger = signed_up("bob@example.com");
  const json::Value key = made(person);
  const std::string path = "/auth/keys/" + text(key, "id");
  expect_problem(stranger.send("DELETE", path), 404, "not_found");
  EXPECT_EQ(with(text(key, "key")).get("/auth/me").status, 200);
  EXPECT_EQ(person.send("DELETE", path).status, 204);
  EXPECT_EQ(with(text(key, "key")).get("/auth/me").status, 401);
  expect_problem(person.send("DELETE", path), 404, "not_found");
  expect_problem(person.send("DELETE", path + "/x"), 404, "not_found");
}

TEST_F(AuthKeysTest, WhoeverFindsAKeyMayRevokeIt) {
  start();
  Client person = signed_up();
  const json::Value key = made(person);
  Client finder = browser("198.51.100.9");
  EXPECT_EQ(finder.form("/auth/token/revoke", encoded({{"token", text(key, "id")}})).status, 200);
  EXPECT_EQ(with(text(key, "key")).get("/auth/me").status, 200);
  EXPECT_EQ(finder.form("/auth/token/revoke", encoded({{"token", text(key, "key")}})).status, 200);
  EXPECT_EQ(with(text(key, "key")).get("/auth/me").status, 401);
}

TEST_F(AuthKeysTest, KeysSurviveALogoutAndStopWithTheirUser) {
  start();
  Client person = signed_up();
  const json::Value key = made(person);
  const std::string id = text(json::parse(person.get("/auth/me").body).value(), "id");
  ASSERT_EQ(person.json("/auth/logout-all", "{}").status, 204);
  EXPECT_EQ(with(text(key, "key")).get("/auth/me").status, 200);
  ASSERT_TRUE(accounts.disable(id));
  EXPECT_EQ(with(text(key, "key")).get("/auth/me").status, 401);
}

TEST_F(AuthKeysTest, WithoutKeysThereIsNothingThere) {
  keys = nullptr;
  start();
  Client person = signed_up();
  expect_problem(person.get("/auth/keys"), 404, "not_found");
  expect_problem(make(person), 404, "not_found");
  expect_problem(person.send("DELETE", "/auth/keys/x"), 404, "not_found");
}

}  // namespace
}  // namespace moat::shield
