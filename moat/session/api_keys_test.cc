// SPDX-License-Identifier: Apache-2.0
#include "moat/session/api_keys.h"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

#include "moat/base/encoding.h"
#include "moat/base/hash.h"
#include "moat/session/credentials.h"
#include "moat/session/internal/test_world.h"
#include "moat/session/memory_key_store.h"

namespace moat::session {
namespace {

using internal::test_client;
using internal::test_start;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class ApiKeysTest : public ::testing::Test {
 protected:
  MadeKey make(std::string_view user = "u1", const Scopes& scopes = {"read"}) {
    return keys_.make(user, "backup", scopes, std::nullopt, test_start).value();
  }
  std::optional<KeyRefusal> refusal(std::string_view text, Time now = test_start) {
    const auto result = keys_.verify(text, users_, now);
    if (result) return std::nullopt;
    return result.error();
  }

  MemoryKeyStore store_;
  internal::Users users_;
  internal::ScriptedStore sessions_;
  jwt::KeyRing ring_ = internal::make_ring();
  internal::Node node_{sessions_, ring_};
  ApiKeys keys_{store_, node_.revocations, {}, system_random()};
};

TEST_F(ApiKeysTest, AKeySaysWhoItIsAndWhatItIsFor) {
  const MadeKey made = make();
  const auto identity = keys_.verify(made.key.reveal(), users_, test_start + minutes(5));
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->kind, Kind::key);
  EXPECT_EQ(identity->user_id, "u1");
  EXPECT_EQ(identity->email, "ada@example.com");
  EXPECT_EQ(identity->roles, (std::vector<std::string>{"admin", "user"}));
  EXPECT_EQ(identity->session_id, made.about.id);
  EXPECT_TRUE(identity->has_scope("read"));
  EXPECT_FALSE(identity->has_scope("write"));
  EXPECT_EQ(identity->expires, test_start + minutes(6)) << "then the store is asked again";
  EXPECT_EQ(identity->ends_at, test_start + hours(24 * 90));
  EXPECT_TRUE(node_.manager.still_good(*identity, test_start + minutes(5)));
}

TEST_F(ApiKeysTest, ASearchForSecretsCanTellAKey) {
  const MadeKey made = make();
  const std::string text(made.key.reveal());
  ASSERT_EQ(text.size(), 73U);
  EXPECT_EQ(text.substr(0, 9), api_key_prefix);
  EXPECT_EQ(text.substr(9, 16), made.about.id);
  const std::string bytes = *base64url_decode(text.substr(9));
  const Digest digest = sha256("moat_key_" + bytes.substr(0, 44));
  EXPECT_EQ(bytes.substr(44), as_bytes(digest).substr(0, 4));
  EXPECT_TRUE(ApiKeys::is_genuine(text));
  EXPECT_TRUE(node_.manager.is_own(text));
}

TEST_F(ApiKeysTest, NoOtherSpellingIsAKey) {
  const std::string text(make().key.reveal());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(ApiKeys::is_genuine(changed)) << i;
    EXPECT_EQ(refusal(changed), KeyRefusal::unknown) << i;
  }
  for (const std::string& other :
       {std::string(), std::string(api_key_prefix), text + "A", text.substr(0, 72), " " + text,
        text + " ", std::string(10000, 'A'), std::string(73, '=')}) {
    EXPECT_EQ(refusal(other), KeyRefusal::unknown);
  }
}

TEST_F(ApiKeysTest, AnIdWithAnotherSecretOpensNothing) {
  const std::string text(make().key.reveal());
  std::string bytes = base64url_decode(text.substr(9))->substr(0, 44);
  bytes[20] = static_cast<char>(bytes[20] ^ 1);
  const Digest digest = sha256("moat_key_" + bytes);
  bytes += as_bytes(digest).substr(0, 4);
  const std::string forged = "moat_key_" + base64url_encode(bytes);
  ASSERT_TRUE(ApiKeys::is_genuine(forged));
  EXPECT_EQ(refusal(forged), KeyRefusal::unknown);
  EXPECT_FALSE(keys_.revoke_by_key(forged, test_start).value());
  EXPECT_EQ(refusal(text), std::nullopt);
}

TEST_F(ApiKeysTest, TheStoreHoldsNothingThatOpens) {
  const MadeKey made = make();
  const auto record = store_.find(made.about.id).value();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->key_hash, sha256(made.key.reveal()));
  std::set<std::string> keys;
  for (int i = 0; i < 10; ++i) keys.emplace(make("u2").key.reveal());
  EXPECT_EQ(keys.size(), 10U);
}

TEST_F(ApiKeysTest, ItLivesForNinetyDaysOrAsLongAsWasAskedFor) {
  const MadeKey standard = make();
  const Time end = test_start + hours(24 * 90);
  EXPECT_EQ(standard.about.expires_at, end);
  EXPECT_EQ(refusal(standard.key.reveal(), end - seconds(1)), std::nullopt);
  EXPECT_EQ(refusal(standard.key.reveal(), end), KeyRefusal::expired);
  const auto identity = keys_.verify(standard.key.reveal(), users_, end - seconds(1)).value();
  EXPECT_EQ(identity.expires, end) << "and no longer";

  const auto year = keys_.make("u1", "x", {}, hours(24 * 365), test_start);
  EXPECT_TRUE(year);
  for (const seconds life : {seconds(0), seconds(-1), seconds(hours(24 * 365)) + seconds(1)}) {
    EXPECT_EQ(keys_.make("u1", "x", {}, life, test_start).error(), MakeKeyRefusal::invalid_life);
  }
}

TEST_F(ApiKeysTest, ItsNameIsWordsOfItsOwner) {
  for (const std::string& name : {std::string("a"), std::string(64, 'x'), std::string("für alles")})
    EXPECT_TRUE(keys_.make("u1", name, {}, std::nullopt, test_start)) << name;
  for (const std::string& name : {std::string(), std::string(65, 'x'), std::string("a\nb"),
                                  std::string("a\0b", 3), std::string("\xff"), std::string("\x7f")})
    EXPECT_EQ(keys_.make("u1", name, {}, std::nullopt, test_start).error(),
              MakeKeyRefusal::invalid_name);
}

TEST_F(ApiKeysTest, AUserHasTwentyAtMost) {
  for (int i = 0; i < 20; ++i) make();
  EXPECT_EQ(keys_.make("u1", "x", {}, std::nullopt, test_start).error(), MakeKeyRefusal::too_many);
  EXPECT_EQ(keys_.list("u1", test_start).value().size(), 20U);
  EXPECT_TRUE(keys_.make("u2", "x", {}, std::nullopt, test_start));
}

TEST_F(ApiKeysTest, ARevocationTakesEffectAtOnce) {
  const MadeKey made = make();
  const auto before = keys_.verify(made.key.reveal(), users_, test_start).value();
  EXPECT_FALSE(keys_.revoke(made.about.id, "u2", test_start).value()) << "another's";
  EXPECT_TRUE(node_.manager.still_good(before, test_start));
  EXPECT_TRUE(keys_.revoke(made.about.id, "u1", test_start).value());
  EXPECT_EQ(node_.manager.still_good(before, test_start).error(), AccessRefusal::revoked);
  EXPECT_TRUE(node_.manager.is_revoked(before));
  EXPECT_EQ(refusal(made.key.reveal()), KeyRefusal::revoked);
  EXPECT_TRUE(keys_.list("u1", test_start).value().empty());
}

TEST_F(ApiKeysTest, WhoeverHoldsAKeyMayRevokeIt) {
  const MadeKey made = make();
  EXPECT_TRUE(keys_.revoke_by_key(made.key.reveal(), test_start).value());
  EXPECT_FALSE(keys_.revoke_by_key(made.key.reveal(), test_start).value());
  EXPECT_FALSE(keys_.revoke_by_key("moat_key_x", test_start).value());
  EXPECT_EQ(refusal(made.key.reveal()), KeyRefusal::revoked);
}

TEST_F(ApiKeysTest, ALogoutEverywhereLeavesKeysAlone) {
  const MadeKey made = make();
  const auto identity = keys_.verify(made.key.reveal(), users_, test_start).value();
  ASSERT_TRUE(node_.manager.revoke_all("u1", test_start + seconds(1)));
  EXPECT_TRUE(node_.manager.still_good(identity, test_start + seconds(2)));
}

TEST_F(ApiKeysTest, AnotherProcesssRevocationsAreLearned) {
  const MadeKey made = make();
  const auto identity = keys_.verify(made.key.reveal(), users_, test_start).value();
  ASSERT_EQ(store_.revoke_all("u1", test_start + seconds(1)).value().size(), 1U);
  EXPECT_TRUE(node_.manager.still_good(identity, test_start + seconds(1)));
  ASSERT_TRUE(keys_.sync(test_start + seconds(2)));
  EXPECT_FALSE(node_.manager.still_good(identity, test_start + seconds(2)));
}

TEST_F(ApiKeysTest, AUserWhoMayNotLogInHasNoKeys) {
  const MadeKey made = make();
  users_.known.erase("u1");
  EXPECT_EQ(refusal(made.key.reveal()), KeyRefusal::user_refused);
  users_.down = true;
  EXPECT_EQ(refusal(made.key.reveal()), KeyRefusal::store_unavailable);
}

TEST_F(ApiKeysTest, UsesAreWrittenDownLater) {
  const MadeKey made = make();
  EXPECT_FALSE(keys_.list("u1", test_start).value()[0].last_used_at);
  ASSERT_EQ(refusal(made.key.reveal(), test_start + seconds(5)), std::nullopt);
  ASSERT_EQ(refusal(made.key.reveal(), test_start + seconds(3)), std::nullopt);
  EXPECT_FALSE(keys_.list("u1", test_start).value()[0].last_used_at) << "not by a request";
  ASSERT_TRUE(keys_.sync(test_start + seconds(6)));
  EXPECT_EQ(keys_.list("u1", test_start).value()[0].last_used_at, test_start + seconds(5));
  // What was refused was no use.
  ASSERT_TRUE(keys_.revoke(made.about.id, "u1", test_start + seconds(7)).value());
  ASSERT_EQ(refusal(made.key.reveal(), test_start + seconds(8)), KeyRefusal::revoked);
  ASSERT_TRUE(keys_.sync(test_start + seconds(9)));
  EXPECT_EQ(store_.find(made.about.id).value()->last_used_at, test_start + seconds(5));
}

TEST_F(ApiKeysTest, OptionsThatContradictEachOtherAreAMistakeInTheProgram) {
  ApiKeys::Options options;
  options.recheck = seconds(271);  // of revocations kept for 330 s
  EXPECT_THROW(ApiKeys(store_, node_.revocations, options, system_random()), std::invalid_argument);
  options.recheck = seconds(270);
  EXPECT_NO_THROW(ApiKeys(store_, node_.revocations, options, system_random()));
  options.life = hours(24 * 366);
  EXPECT_THROW(ApiKeys(store_, node_.revocations, options, system_random()), std::invalid_argument);
}

}  // namespace
}  // namespace moat::session
