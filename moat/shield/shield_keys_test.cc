// SPDX-License-Identifier: Apache-2.0
// API keys in the walk, and what tokens and keys are for.
#include "moat/session/memory_key_store.h"
#include "moat/shield/internal/shield_fixture.h"

namespace moat::shield {
namespace {

class KeysTest : public ShieldTest {
 protected:
  KeysTest() { services_.keys = &keys_; }

  session::MadeKey make(std::string_view user = "ada", const session::Scopes& scopes = {"read"}) {
    return keys_.make(user, "backup", scopes, std::nullopt, now_).value();
  }
  void bring(std::string_view token) {
    authorization_ = "Bearer " + std::string(token);
    request_.authorization = authorization_;
  }
  void bring(const session::MadeKey& made) { bring(made.key.reveal()); }
  // The whole walk of a server with a loop; how it ended.
  Outcome walk(const Shield& guard, Memory* memory) {
    Outcome outcome = begin(guard, memory);
    looked_up_ = outcome == Outcome::refresh;
    if (!looked_up_) return outcome;
    guard.refresh(request_, now_, tick_, admission_);
    return guard.finish(request_, rules_, tick_, memory, admission_);
  }

  session::MemoryKeyStore key_store_;
  session::ApiKeys keys_{key_store_, revocations_, {}, system_random()};
  bool looked_up_ = false;

 private:
  std::string authorization_;
};

TEST_F(KeysTest, AKeyIsLookedUpOnceAMinute) {
  rules_.login = Rules::Login::required;
  const Shield guard = shield();
  Memory memory;
  bring(make());
  EXPECT_EQ(walk(guard, &memory), Outcome::pass);
  EXPECT_TRUE(looked_up_);
  ASSERT_NE(admission_.identity, nullptr);
  EXPECT_EQ(admission_.identity->user_id, "ada");
  EXPECT_EQ(admission_.identity->kind, session::Kind::key);
  EXPECT_TRUE(admission_.own_bearer);
  EXPECT_TRUE(admission_.without_cookies);
  EXPECT_TRUE(refusal().challenge.empty());
  advance(seconds(59));
  EXPECT_EQ(walk(guard, &memory), Outcome::pass);
  EXPECT_FALSE(looked_up_);
  ASSERT_NE(admission_.identity, nullptr);
  advance(seconds(1));
  EXPECT_EQ(walk(guard, &memory), Outcome::pass);
  EXPECT_TRUE(looked_up_);
  Memory another_threads;
  EXPECT_EQ(walk(guard, &another_threads), Outcome::pass);
  EXPECT_TRUE(looked_up_);
}

TEST_F(KeysTest, ARevocationTakesEffectThoughTheKeyIsRemembered) {
  const Shield guard = shield();
  Memory memory;
  const session::MadeKey made = make();
  bring(made);
  ASSERT_EQ(walk(guard, &memory), Outcome::pass);
  ASSERT_TRUE(keys_.revoke(made.about.id, "ada", now_).value());
  EXPECT_EQ(walk(guard, &memory), Outcome::refuse);
  EXPECT_EQ(refusal().status, 401);
  EXPECT_EQ(refusal().challenge, "Bearer error=\"invalid_token\"");
  EXPECT_EQ(admission_.identity, nullptr);
}

TEST_F(KeysTest, AUserWhoIsGoneIsNoticedWithinAMinute) {
  const Shield guard = shield();
  Memory memory;
  bring(make());
  ASSERT_EQ(walk(guard, &memory), Outcome::pass);
  users_.known.erase("ada");
  advance(seconds(60));
  EXPECT_EQ(walk(guard, &memory), Outcome::refuse);
  EXPECT_EQ(refusal().code, "invalid_token");
}

TEST_F(KeysTest, AnExpiredKeyIsRefusedOnAnyRoute) {
  rules_.login = Rules::Login::none;
  const Shield guard = shield();
  Memory memory;
  bring(make());
  advance(hours(24 * 90) - seconds(1));
  EXPECT_EQ(walk(guard, &memory), Outcome::pass);
  advance(seconds(1));
  EXPECT_EQ(walk(guard, &memory), Outcome::refuse);
  EXPECT_EQ(refusal().status, 401);
}

TEST_F(KeysTest, WhatIsSpelledWrongNeedsNoLookUp) {
  bring("moat_key_" + std::string(64, 'A'));
  EXPECT_EQ(begin(), Outcome::refuse);
  EXPECT_EQ(refusal().code, "invalid_token");
}

TEST_F(KeysTest, WhereThereAreNoKeysNoneIsGood) {
  const session::MadeKey made = make();
  services_.keys = nullptr;
  bring(made);
  EXPECT_EQ(begin(), Outcome::refuse);
  EXPECT_EQ(refusal().code, "invalid_token");
}

TEST_F(KeysTest, UnknownKeysCostTheAddresssBudget) {
  options_.unknown_keys = policy("2/min/ip burst 2");
  const Shield guard = shield();
  Memory memory;
  const session::MadeKey revoked = make();
  ASSERT_TRUE(keys_.revoke(revoked.about.id, "ada", now_).value());
  const session::MadeKey good = make();
  bring(good);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(walk(guard, nullptr), Outcome::pass) << "no cost";
  ASSERT_EQ(walk(guard, &memory), Outcome::pass);
  bring(revoked);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(walk(guard, nullptr), Outcome::refuse);
    EXPECT_EQ(refusal().status, 401);
  }
  EXPECT_EQ(walk(guard, nullptr), Outcome::refuse);
  EXPECT_EQ(refusal().status, 429);
  EXPECT_GT(refusal().retry_after.count(), 0);
  bring(good);
  EXPECT_EQ(walk(guard, nullptr), Outcome::refuse) << "it could be a guess";
  EXPECT_EQ(walk(guard, &memory), Outcome::pass) << "it is known to be none";
  request_.peer = address("192.0.2.2");
  EXPECT_EQ(walk(guard, nullptr), Outcome::pass);
}

TEST_F(KeysTest, AKeyIsNoCookieAndNotReadFromTheQuery) {
  rules_.login = Rules::Login::required;
  const session::MadeKey made = make();
  const std::string cookie = pair(session::access_cookie, made.key.reveal());
  const std::string query = "access_token=" + std::string(made.key.reveal());
  request_.cookie = cookie;
  request_.query = query;
  EXPECT_EQ(begin(), Outcome::refuse);
  EXPECT_EQ(refusal().code, "login_required");
}

TEST_F(KeysTest, CookiesBesideAKeyAreNobodys) {
  const Shield guard = shield();
  come_as("bob");
  const session::MadeKey made = make("ada");
  bring(made);
  EXPECT_EQ(walk(guard, nullptr), Outcome::pass);
  EXPECT_EQ(admission_.identity->user_id, "ada");
  EXPECT_TRUE(admission_.cookies.access.empty());
  ASSERT_TRUE(keys_.revoke(made.about.id, "ada", now_).value());
  EXPECT_EQ(walk(guard, nullptr), Outcome::refuse);
  EXPECT_EQ(admission_.identity, nullptr);
}

TEST_F(KeysTest, AKeyCountsForItsUser) {
  options_.user = policy("2/min/user burst 2");
  const Shield guard = shield();
  bring(make());
  EXPECT_EQ(walk(guard, nullptr), Outcome::pass);
  bring(make());
  EXPECT_EQ(walk(guard, nullptr), Outcome::pass);
  bring(make());
  EXPECT_EQ(walk(guard, nullptr), Outcome::refuse);
  EXPECT_EQ(refusal().status, 429);
  bring(make("bob"));
  EXPECT_EQ(walk(guard, nullptr), Outcome::pass);
}

TEST_F(KeysTest, ARouteMayAskForScopes) {
  const std::vector<std::string> wanted = {"read", "orders:write"};
  rules_.login = Rules::Login::required;
  rules_.scopes = wanted;
  const Shield guard = shield();
  for (const session::Scopes& scopes :
       {session::Scopes{}, session::Scopes{"read"}, session::Scopes{"orders:write", "other"}}) {
    bring(make("ada", scopes));
    EXPECT_EQ(walk(guard, nullptr), Outcome::refuse);
    EXPECT_EQ(refusal().status, 403);
    EXPECT_EQ(refusal().code, "insufficient_scope");
    EXPECT_EQ(refusal().challenge,
              "Bearer error=\"insufficient_scope\", scope=\"read orders:write\"");
  }
  bring(make("ada", {"orders:write", "read", "other"}));
  EXPECT_EQ(walk(guard, nullptr), Outcome::pass);
  const auto token =
      sessions_.start_api(users_.known["ada"], {}, {"read"}, now_).value().access_token.clone();
  bring(token.reveal());
  EXPECT_EQ(walk(guard, nullptr), Outcome::refuse);
  EXPECT_EQ(refusal().code, "insufficient_scope");
  // A person at a browser has them all; nobody has none.
  request_.authorization = "";
  EXPECT_EQ(walk(guard, nullptr), Outcome::refuse);
  EXPECT_EQ(refusal().code, "login_required");
  come_as("bob");
  EXPECT_EQ(walk(guard, nullptr), Outcome::pass);
}

TEST_F(KeysTest, ScopesNeedSomebodyWhateverTheLoginSays) {
  const std::vector<std::string> wanted = {"read"};
  rules_.login = Rules::Login::optional;
  rules_.scopes = wanted;
  EXPECT_EQ(begin(), Outcome::refuse);
  EXPECT_EQ(refusal().code, "login_required");
}

TEST_F(KeysTest, TheWholeWalkInOneCallLooksUpToo) {
  bring(make());
  admission_ = Admission();
  EXPECT_TRUE(shield().admit(request_, rules_, now_, tick_, admission_));
  ASSERT_NE(admission_.identity, nullptr);
  EXPECT_EQ(admission_.identity->user_id, "ada");
}

}  // namespace
}  // namespace moat::shield
