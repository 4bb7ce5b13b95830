// SPDX-License-Identifier: Apache-2.0
#include "moat/session/session.h"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

#include "moat/base/encoding.h"
#include "moat/jwt/jwt.h"
#include "moat/session/cookies.h"
#include "moat/session/internal/test_world.h"

namespace moat::session {
namespace {

using internal::test_client;
using internal::test_start;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class SessionTest : public ::testing::Test {
 protected:
  Issued start(std::string_view user = "u1", Time now = test_start) {
    return node_.manager.start(users_.known.find(user)->second, test_client, now).value();
  }
  std::optional<AccessRefusal> refusal(const Issued& issued, Time now) {
    const auto result = node_.manager.verify_access(issued.access_token.reveal(), now);
    if (result) return std::nullopt;
    return result.error();
  }
  std::optional<RefreshRefusal> refresh_refusal(const Issued& issued, Time now) {
    const auto result =
        node_.manager.refresh(issued.refresh_token.reveal(), test_client, users_, now);
    if (result) return std::nullopt;
    return result.error();
  }

  internal::ScriptedStore store_;
  internal::Users users_;
  jwt::KeyRing ring_ = internal::make_ring();
  internal::Node node_{store_, ring_};
};

TEST_F(SessionTest, AnAccessTokenSaysWhoItIs) {
  const Issued issued = start();
  const auto identity = node_.manager.verify_access(issued.access_token.reveal(), test_start);
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->user_id, "u1");
  EXPECT_EQ(identity->session_id, issued.session.id);
  EXPECT_EQ(identity->email, "ada@example.com");
  EXPECT_EQ(identity->roles, (std::vector<std::string>{"admin", "user"}));
  EXPECT_EQ(identity->started_at, test_start);
  EXPECT_EQ(identity->expires, test_start + minutes(5));
  EXPECT_EQ(issued.access_max_age, minutes(5));
  EXPECT_EQ(issued.refresh_max_age, minutes(30));
  EXPECT_EQ(issued.session.address, "192.0.2.1");
  EXPECT_EQ(issued.session.user_agent, "Browser/1.0");
}

TEST_F(SessionTest, NamesThatJsonEscapesComeBackAsTheyWere) {
  for (const User& user :
       {User{"u\"1", "a\\b@example.com", {"<admin>", "line\nbreak", ""}}, User{"u1", "", {}},
        User{"\xc3\xa9", "x\",\"roles\":[\"admin\"]", {"a"}}}) {
    const Issued issued = node_.manager.start(user, test_client, test_start).value();
    const auto identity = node_.manager.verify_access(issued.access_token.reveal(), test_start);
    ASSERT_TRUE(identity);
    EXPECT_EQ(identity->user_id, user.id);
    EXPECT_EQ(identity->email, user.email);
    EXPECT_EQ(identity->roles, user.roles);
    EXPECT_EQ(identity->session_id, issued.session.id);
  }
}

TEST_F(SessionTest, TheAccessTokenIsAStandardJwtUnderADerivedKey) {
  const Issued issued = start();
  jwt::KeySet keys;
  ASSERT_TRUE(keys.add(
      jwt::Key::from_secret(ring_.current(test_start).derive("moat session access token v1"))
          .value()));
  jwt::Options options;
  options.audiences = {"moat"};
  options.type = "at+jwt";
  const auto verified = jwt::Verifier(keys, options)
                            .verify(jwt::Unverified{issued.access_token.reveal()}, test_start);
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->subject(), "u1");
}

TEST_F(SessionTest, AnAccessTokenIsExpiredAtItsVeryEnd) {
  const Issued issued = start();
  EXPECT_EQ(refusal(issued, test_start + minutes(5) - microseconds(1)), std::nullopt);
  EXPECT_EQ(refusal(issued, test_start + minutes(5)), AccessRefusal::expired);
}

TEST_F(SessionTest, AnAccessTokenFromTheFutureIsRefused) {
  const Issued issued = start();
  EXPECT_EQ(refusal(issued, test_start - seconds(30)), std::nullopt);
  EXPECT_EQ(refusal(issued, test_start - seconds(31)), AccessRefusal::malformed);
}

TEST_F(SessionTest, AnyChangedCharacterOfAnAccessTokenIsRefused) {
  const Issued issued = start();
  const std::string token(issued.access_token.reveal());
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(node_.manager.verify_access(changed, test_start)) << i;
  }
  for (const std::string& bad :
       {std::string(), token + "=", token + "A", token.substr(1), token.substr(0, token.size() - 1),
        token + "." + token, std::string(5000, 'A'), std::string(43, 'A'),
        "." + std::string(43, 'A')}) {
    EXPECT_FALSE(node_.manager.verify_access(bad, test_start));
  }
}

TEST_F(SessionTest, TokensOfAnotherKeyOrPurposeAreNoAccessTokens) {
  const jwt::KeyRing other = internal::make_ring();
  internal::Node stranger(store_, other);
  const Issued issued = start();
  EXPECT_EQ(stranger.manager.verify_access(issued.access_token.reveal(), test_start).error(),
            AccessRefusal::malformed);
  EXPECT_EQ(node_.manager.verify_access(issued.refresh_token.reveal(), test_start).error(),
            AccessRefusal::malformed);
  // The key of the ring itself, and the right derived key with another type or audience.
  const jwt::Key& key = ring_.current(test_start);
  const jwt::Key derived = jwt::Key::from_secret(key.derive("moat session access token v1"),
                                                 jwt::Algorithm::hs256, key.id())
                               .value();
  const std::string claims =
      R"({"aud":"moat","sub":"u1","sid":"s","email":"","roles":[],"sst":0,"iat":1800000000,"exp":1800000300})";
  const auto accepts = [&](const jwt::Key& by, const std::string& text, const char* type) {
    return node_.manager.verify_access(jwt::sign_jws(text, by, {{"typ", type}}).value(), test_start)
        .has_value();
  };
  EXPECT_TRUE(accepts(derived, claims, "at+jwt"));
  EXPECT_FALSE(accepts(key, claims, "at+jwt"));
  EXPECT_FALSE(accepts(derived, claims, "JWT"));
  std::string foreign = claims;
  foreign.replace(foreign.find("moat"), 4, "them");
  EXPECT_FALSE(accepts(derived, foreign, "at+jwt"));
  EXPECT_FALSE(accepts(derived, "{}", "at+jwt"));
  EXPECT_FALSE(accepts(derived, "[]", "at+jwt"));
}

TEST_F(SessionTest, EachLoginIsANewSession) {
  std::set<std::string> seen;
  for (int i = 0; i < 5; ++i) {
    const Issued issued = start();
    EXPECT_EQ(issued.session.id.size(), 22u);
    EXPECT_TRUE(seen.insert(issued.session.id).second);
    EXPECT_TRUE(seen.insert(std::string(issued.refresh_token.reveal())).second);
  }
}

TEST_F(SessionTest, TheStoreHoldsNoToken) {
  const Issued issued = start();
  const Record record = store_.find(issued.session.id).value().value();
  EXPECT_EQ(record.token_hash, sha256(issued.refresh_token.reveal()));
  EXPECT_EQ(issued.refresh_token.size(), 96u);
  EXPECT_EQ(record.exchanges, "");
}

TEST_F(SessionTest, WhatAClientSaysOfItselfIsCutAndPrintable) {
  const std::string long_text = "Agent\r\nX: \xc3\xa9" + std::string(400, 'x');
  const Client client{std::string_view(long_text).substr(0, 100), long_text};
  const Session session = node_.manager.start(users_.known["u1"], client, test_start)->session;
  EXPECT_EQ(session.user_agent.size(), 256u);
  EXPECT_EQ(session.user_agent.substr(0, 12), "Agent??X: ??");
  EXPECT_EQ(session.address.size(), 64u);
}

TEST_F(SessionTest, ARevokedSessionIsOutAtOnce) {
  const Issued issued = start();
  const Issued other = start();
  EXPECT_TRUE(node_.manager.revoke(issued.session.id, "u1", test_start).value());
  EXPECT_EQ(refusal(issued, test_start), AccessRefusal::revoked);
  EXPECT_EQ(refresh_refusal(issued, test_start), RefreshRefusal::revoked);
  EXPECT_EQ(refusal(other, test_start), std::nullopt);
  EXPECT_FALSE(node_.manager.revoke(issued.session.id, "u1", test_start).value());
}

TEST_F(SessionTest, NobodyEndsTheSessionOfAnother) {
  const Issued issued = start();
  EXPECT_FALSE(node_.manager.revoke(issued.session.id, "u2", test_start).value());
  EXPECT_EQ(refusal(issued, test_start), std::nullopt);
}

TEST_F(SessionTest, ALogoutWithAnExpiredAccessTokenGoesByTheRefreshToken) {
  const Issued issued = start();
  EXPECT_EQ(node_.manager.session_of(issued.refresh_token.reveal()), issued.session.id);
  EXPECT_EQ(node_.manager.session_of("x"), std::nullopt);
  EXPECT_TRUE(node_.manager.revoke_by_token(issued.refresh_token.reveal(), test_start).value());
  EXPECT_FALSE(node_.manager.revoke_by_token(issued.refresh_token.reveal(), test_start).value());
  EXPECT_FALSE(node_.manager.revoke_by_token("x", test_start).value());
  EXPECT_EQ(refusal(issued, test_start), AccessRefusal::revoked);
}

TEST_F(SessionTest, LogoutEverywhereEndsAllSessionsOfThatUserOnly) {
  const Issued first = start();
  const Issued second = start();
  const Issued bob = start("u2");
  EXPECT_EQ(node_.manager.revoke_all("u1", test_start + seconds(1)).value(), 2u);
  EXPECT_EQ(refusal(first, test_start + seconds(1)), AccessRefusal::revoked);
  EXPECT_EQ(refusal(second, test_start + seconds(1)), AccessRefusal::revoked);
  EXPECT_EQ(refusal(bob, test_start + seconds(1)), std::nullopt);
  // A login right behind it, at the same time even, is good.
  EXPECT_EQ(refusal(start("u1", test_start + seconds(1)), test_start + seconds(1)), std::nullopt);
}

TEST_F(SessionTest, TheOthersEndAndTheOneKeptStays) {
  const Issued kept = start();
  const Issued other = start();
  EXPECT_EQ(node_.manager.revoke_others("u1", kept.session.id, test_start).value(), 1u);
  EXPECT_EQ(refusal(kept, test_start), std::nullopt);
  EXPECT_EQ(refresh_refusal(kept, test_start), std::nullopt);
  EXPECT_EQ(refusal(other, test_start), AccessRefusal::revoked);
}

TEST_F(SessionTest, OneLoginTooManyEndsTheSessionIdleLongest) {
  std::vector<Issued> issued;
  for (int i = 0; i < 10; ++i) issued.push_back(start("u1", test_start + seconds(i)));
  // The oldest is used again, so the second is the one idle longest.
  ASSERT_EQ(refresh_refusal(issued[0], test_start + seconds(20)), std::nullopt);
  start("u1", test_start + seconds(21));
  EXPECT_EQ(refusal(issued[0], test_start + seconds(21)), std::nullopt);
  EXPECT_EQ(refusal(issued[1], test_start + seconds(21)), AccessRefusal::revoked);
  EXPECT_EQ(refusal(issued[2], test_start + seconds(21)), std::nullopt);
  EXPECT_EQ(node_.manager.list("u1", test_start + seconds(21))->size(), 10u);
}

TEST_F(SessionTest, AUserSeesTheOwnLivingSessions) {
  const Issued first = start();
  start("u2");
  const Issued second = start("u1", test_start + seconds(1));
  const auto sessions = node_.manager.list("u1", test_start + seconds(2)).value();
  ASSERT_EQ(sessions.size(), 2u);
  EXPECT_EQ(sessions[0].id, second.session.id);
  EXPECT_EQ(sessions[1].id, first.session.id);
  EXPECT_TRUE(node_.manager.list("u1", test_start + minutes(31))->empty());
}

TEST_F(SessionTest, ARevocationOfAnotherNodeComesWithTheSync) {
  const Issued issued = start();
  internal::Node other(store_, ring_);
  ASSERT_TRUE(other.manager.sync_revocations(test_start));
  ASSERT_TRUE(node_.manager.revoke(issued.session.id, "u1", test_start + seconds(1)).value());
  EXPECT_TRUE(other.manager.verify_access(issued.access_token.reveal(), test_start + seconds(1)));
  ASSERT_TRUE(other.manager.sync_revocations(test_start + seconds(2)));
  EXPECT_EQ(
      other.manager.verify_access(issued.access_token.reveal(), test_start + seconds(2)).error(),
      AccessRefusal::revoked);
}

TEST_F(SessionTest, ARestartedNodeKnowsWhatWasRevoked) {
  const Issued issued = start();
  ASSERT_TRUE(node_.manager.revoke(issued.session.id, "u1", test_start + seconds(1)).value());
  internal::Node restarted(store_, ring_);
  ASSERT_TRUE(restarted.manager.sync_revocations(test_start + minutes(5) - seconds(1)));
  EXPECT_EQ(restarted.manager
                .verify_access(issued.access_token.reveal(), test_start + minutes(5) - seconds(1))
                .error(),
            AccessRefusal::revoked);
}

TEST_F(SessionTest, AStoreThatIsDownEndsNothingAndStartsNothing) {
  const Issued issued = start();
  store_.down = true;
  EXPECT_FALSE(node_.manager.start(users_.known["u1"], test_client, test_start));
  EXPECT_EQ(refresh_refusal(issued, test_start), RefreshRefusal::store_unavailable);
  EXPECT_FALSE(node_.manager.revoke(issued.session.id, "u1", test_start));
  EXPECT_FALSE(node_.manager.revoke_all("u2", test_start));
  EXPECT_FALSE(node_.manager.list("u1", test_start));
  EXPECT_FALSE(node_.manager.sync_revocations(test_start));
  EXPECT_FALSE(node_.manager.sweep(test_start));
  EXPECT_EQ(refusal(issued, test_start), std::nullopt);  // memory only
  store_.down = false;
  EXPECT_EQ(refresh_refusal(issued, test_start), std::nullopt);
}

TEST_F(SessionTest, SweepingDeletesWhatEndedMoreThanADayAgo) {
  start();
  EXPECT_EQ(node_.manager.sweep(test_start + minutes(30) + hours(24)).value(), 0u);
  EXPECT_EQ(node_.manager.sweep(test_start + minutes(30) + hours(24) + seconds(1)).value(), 1u);
}

TEST_F(SessionTest, AccessNeverOutlivesTheSession) {
  Lifetimes lifetimes;
  lifetimes.absolute = minutes(30);
  Issued issued =
      node_.manager.start(users_.known["u1"], test_client, lifetimes, test_start).value();
  Time now = test_start;
  for (int i = 0; i < 7; ++i) {
    now += minutes(4);
    issued = node_.manager.refresh(issued.refresh_token.reveal(), test_client, users_, now).value();
    EXPECT_LE(now + issued.refresh_max_age, test_start + minutes(30));
    EXPECT_LE(now + issued.access_max_age, test_start + minutes(30));
  }
  EXPECT_EQ(issued.access_max_age, minutes(2));
  EXPECT_EQ(refresh_refusal(issued, test_start + minutes(30)), RefreshRefusal::expired);
  EXPECT_EQ(refusal(issued, test_start + minutes(30)), AccessRefusal::expired);
}

TEST_F(SessionTest, AccessIsShorterThanIdle) {
  const Issued issued =
      node_.manager.start(users_.known["u1"], test_client, Lifetimes::high(), test_start).value();
  EXPECT_EQ(issued.access_max_age, minutes(1));
  EXPECT_EQ(issued.refresh_max_age, minutes(5));
}

TEST_F(SessionTest, OptionsThatContradictEachOtherAreAMistakeInTheProgram) {
  const auto throws = [&](const Options& options) {
    try {
      internal::Node node(store_, ring_, options);
      return false;
    } catch (const std::invalid_argument&) {
      return true;
    }
  };
  EXPECT_FALSE(throws({}));
  Options options;
  options.lifetimes.access = options.lifetimes.idle;
  EXPECT_TRUE(throws(options));
  options = {};
  options.lifetimes.idle = options.lifetimes.absolute + seconds(1);
  EXPECT_TRUE(throws(options));
  options = {};
  options.skew = seconds(61);
  EXPECT_TRUE(throws(options));
  options = {};
  options.grace = seconds(-1);
  EXPECT_TRUE(throws(options));
  options = {};
  options.max_sessions_per_user = 0;
  EXPECT_TRUE(throws(options));
  options = {};
  options.lifetimes.access = minutes(10);  // longer than revocations are kept
  EXPECT_TRUE(throws(options));
  ring_ = jwt::KeyRing::create(jwt::Algorithm::es256, system_random(), test_start, {}).value();
  EXPECT_TRUE(throws({}));
}

TEST_F(SessionTest, TheLargestUserFitsACookie) {
  User user{std::string(128, 'u'), std::string(320, 'e'), {}};
  for (int i = 0; i < 8; ++i) user.roles.push_back(std::string(125, 'r'));
  const Issued issued = node_.manager.start(user, test_client, test_start).value();
  EXPECT_LE(access_cookie.size() + issued.access_token.size(), 4096u);
  EXPECT_TRUE(node_.manager.verify_access(issued.access_token.reveal(), test_start));
  user.roles.push_back("r");
  EXPECT_THROW(static_cast<void>(node_.manager.start(user, test_client, test_start)),
               std::invalid_argument);
}

TEST_F(SessionTest, ANewKeyOfTheRingLeavesOldSessionsAlone) {
  const Issued issued = start();
  ring_.rotate(system_random(), test_start + seconds(10));
  internal::Node after(store_, ring_);
  EXPECT_TRUE(after.manager.verify_access(issued.access_token.reveal(), test_start + seconds(20)));
  const auto refreshed = after.manager.refresh(issued.refresh_token.reveal(), test_client, users_,
                                               test_start + seconds(20));
  ASSERT_TRUE(refreshed);
  EXPECT_TRUE(
      after.manager.verify_access(refreshed->access_token.reveal(), test_start + seconds(20)));
  // A node that has not taken the new ring over yet derives the same successor.
  const auto same = node_.manager.refresh(issued.refresh_token.reveal(), test_client, users_,
                                          test_start + seconds(21));
  ASSERT_TRUE(same);
  EXPECT_TRUE(same->refresh_token.equals(refreshed->refresh_token.reveal()));
  // Once the old key is gone, so are the sessions begun under it.
  ring_.drop_before(test_start + seconds(10));
  internal::Node later(store_, ring_);
  EXPECT_EQ(
      later.manager
          .refresh(refreshed->refresh_token.reveal(), test_client, users_, test_start + seconds(30))
          .error(),
      RefreshRefusal::unknown);
}

}  // namespace
}  // namespace moat::session
