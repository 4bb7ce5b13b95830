// SPDX-License-Identifier: Apache-2.0
// The exchange of refresh tokens: who gets the successor, who is a thief, and what a crash leaves
// behind.
#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <thread>

#include "moat/base/encoding.h"
#include "moat/session/internal/exchanges.h"
#include "moat/session/internal/test_world.h"
#include "moat/session/session.h"

namespace moat::session {
namespace {

using internal::test_client;
using internal::test_start;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class RefreshTest : public ::testing::Test {
 protected:
  std::string start() {
    Issued issued = node_.manager.start(users_.known["u1"], test_client, test_start).value();
    access_ = std::string(issued.access_token.reveal());
    id_ = issued.session.id;
    return std::string(issued.refresh_token.reveal());
  }
  // The successor, or the refusal's name.
  std::string refresh(const std::string& token, Time now, Manager* manager = nullptr) {
    if (manager == nullptr) manager = &node_.manager;
    auto result = manager->refresh(token, test_client, users_, now);
    if (!result) return std::string(to_string(result.error()));
    access_ = std::string(result->access_token.reveal());
    return std::string(result->refresh_token.reveal());
  }
  bool access_is_good(Time now) { return node_.manager.verify_access(access_, now).has_value(); }

  internal::ScriptedStore store_;
  internal::Users users_;
  jwt::KeyRing ring_ = internal::make_ring();
  internal::Node node_{store_, ring_};
  std::string access_;
  std::string id_;
};

TEST_F(RefreshTest, EveryExchangeGivesANewToken) {
  std::set<std::string> seen{start()};
  std::string token = *seen.begin();
  for (int i = 1; i <= 50; ++i) {
    token = refresh(token, test_start + minutes(i));
    EXPECT_EQ(token.size(), 96u);
    EXPECT_TRUE(seen.insert(token).second);
    EXPECT_TRUE(access_is_good(test_start + minutes(i)));
  }
  EXPECT_EQ(store_.find(id_)->value().generation, 50u);
}

TEST_F(RefreshTest, AResponseThatWasLostIsGivenAgain) {
  const std::string first = start();
  const std::string second = refresh(first, test_start + minutes(1));
  // However late: the successor is unused, so nobody else holds it.
  EXPECT_EQ(refresh(first, test_start + minutes(1)), second);
  EXPECT_EQ(refresh(first, test_start + minutes(25)), second);
  EXPECT_TRUE(access_is_good(test_start + minutes(25)));
  EXPECT_EQ(store_.find(id_)->value().generation, 1u);
  EXPECT_EQ(refresh(second, test_start + minutes(26)).size(), 96u);
}

TEST_F(RefreshTest, AReplayDoesNotProlongTheSession) {
  const std::string first = start();
  refresh(first, test_start + minutes(1));
  refresh(first, test_start + minutes(20));
  EXPECT_EQ(refresh(first, test_start + minutes(31)), "expired");
}

TEST_F(RefreshTest, TheSameSuccessorAfterACrash) {
  const std::string first = start();
  const std::string second = refresh(first, test_start + minutes(1));
  const std::string third = refresh(second, test_start + minutes(2));
  // Another process, from the same store and the stored keys.
  const jwt::KeyRing stored = jwt::KeyRing::from_json(ring_.to_json(), {}).value();
  internal::Node restarted(store_, stored);
  EXPECT_EQ(refresh(second, test_start + minutes(3), &restarted.manager), third);
  // One that died between the exchange and its answer.
  const std::string fourth = refresh(third, test_start + minutes(4), &restarted.manager);
  internal::Node again(store_, stored);
  EXPECT_EQ(refresh(third, test_start + minutes(4), &again.manager), fourth);
}

TEST_F(RefreshTest, WithinTheGraceAnOldTokenGetsTheLiveOne) {
  const std::string first = start();
  const Time exchanged = test_start + minutes(1);
  const std::string second = refresh(first, exchanged);
  const std::string third = refresh(second, exchanged + seconds(1));
  const std::string fourth = refresh(third, exchanged + seconds(2));
  EXPECT_EQ(refresh(first, exchanged + seconds(30) - microseconds(1)), fourth);
  EXPECT_EQ(refresh(second, exchanged + seconds(30)), fourth);
  EXPECT_EQ(store_.find(id_)->value().generation, 3u);
}

TEST_F(RefreshTest, WhenTheGraceIsOverAnOldTokenEndsTheSession) {
  const std::string first = start();
  const Time exchanged = test_start + minutes(1);
  const std::string second = refresh(first, exchanged);
  const std::string third = refresh(second, exchanged + seconds(1));
  ASSERT_TRUE(access_is_good(exchanged + seconds(30)));
  EXPECT_EQ(refresh(first, exchanged + seconds(30)), "reused");  // to the microsecond
  EXPECT_FALSE(access_is_good(exchanged + seconds(30)));
  EXPECT_EQ(refresh(third, exchanged + seconds(31)), "revoked");
  EXPECT_EQ(refresh(first, exchanged + seconds(31)), "revoked");
  EXPECT_TRUE(store_.find(id_)->value().revoked_at.has_value());
  const auto notices = node_.manager.notices("u1").value();
  ASSERT_EQ(notices.size(), 1U) << "the owner is told, once";
  EXPECT_EQ(notices[0].session_id, id_);
  EXPECT_EQ(notices[0].at, exchanged + seconds(30));
  EXPECT_TRUE(node_.manager.dismiss_notice(id_, "u1").value());
  EXPECT_TRUE(node_.manager.notices("u1").value().empty());
}

TEST_F(RefreshTest, AnHonestEndLeavesNoNotice) {
  const std::string first = start();
  const std::string second = refresh(first, test_start + minutes(1));
  ASSERT_TRUE(node_.manager.revoke(id_, "u1", test_start + minutes(2)).value());
  EXPECT_EQ(refresh(second, test_start + minutes(3)), "revoked");
  EXPECT_TRUE(node_.manager.notices("u1").value().empty());
}

TEST_F(RefreshTest, LaterExchangesDoNotReopenTheGrace) {
  const std::string first = start();
  const std::string second = refresh(first, test_start + minutes(1));
  const std::string third = refresh(second, test_start + minutes(6));
  static_cast<void>(third);
  // The session was refreshed a moment ago, but this token five minutes ago.
  EXPECT_EQ(refresh(first, test_start + minutes(6) + seconds(1)), "reused");
}

TEST_F(RefreshTest, AGraceOfNothingIsPossible) {
  Options options;
  options.grace = seconds(0);
  internal::Node strict(store_, ring_, options);
  const std::string first = start();
  const std::string second = refresh(first, test_start, &strict.manager);
  EXPECT_EQ(refresh(first, test_start, &strict.manager), second);  // unused
  refresh(second, test_start, &strict.manager);
  EXPECT_EQ(refresh(first, test_start, &strict.manager), "reused");
}

TEST_F(RefreshTest, TheChainOfReplaysIsBounded) {
  std::vector<std::string> tokens{start()};
  for (int i = 0; i < 40; ++i) tokens.push_back(refresh(tokens.back(), test_start + seconds(1)));
  EXPECT_LE(store_.find(id_)->value().exchanges.size(), 512u);
  EXPECT_EQ(refresh(tokens[40 - 16], test_start + seconds(2)), tokens.back());
  EXPECT_EQ(refresh(tokens[40 - 17], test_start + seconds(2)), "reused");
}

TEST_F(RefreshTest, AnotherNodeThatWasFasterGaveTheSameSuccessor) {
  const std::string first = start();
  internal::Node other(store_, ring_);
  std::string theirs;
  store_.before_rotate = [&] { theirs = refresh(first, test_start, &other.manager); };
  const std::string ours = refresh(first, test_start);
  EXPECT_EQ(ours.size(), 96u);
  EXPECT_EQ(ours, theirs);
  EXPECT_EQ(store_.find(id_)->value().generation, 1u);
}

TEST_F(RefreshTest, ASessionRevokedInBetweenIsNotRefreshed) {
  const std::string first = start();
  store_.before_rotate = [&] { ASSERT_TRUE(store_.revoke(id_, "u1", test_start).value()); };
  EXPECT_EQ(refresh(first, test_start), "revoked");
}

TEST_F(RefreshTest, AStoreThatFailsInBetweenCostsNothing) {
  const std::string first = start();
  store_.before_rotate = [&] { store_.down = true; };
  EXPECT_EQ(refresh(first, test_start), "store_unavailable");
  store_.down = false;
  EXPECT_EQ(refresh(first, test_start).size(), 96u);
}

TEST_F(RefreshTest, IdleAndAbsoluteEndsAreKept) {
  const std::string idle = start();
  EXPECT_EQ(refresh(idle, test_start + minutes(30) - microseconds(1)).size(), 96u);
  const std::string other = start();
  EXPECT_EQ(refresh(other, test_start + minutes(30)), "expired");
  std::string token = start();
  Time now = test_start;
  for (; now + minutes(20) < test_start + std::chrono::hours(8); now += minutes(20)) {
    token = refresh(token, now);
    ASSERT_EQ(token.size(), 96u);
  }
  EXPECT_EQ(refresh(token, test_start + std::chrono::hours(8)), "expired");
}

TEST_F(RefreshTest, AClockThatIsSetBackALittleEndsNothing) {
  const std::string first = start();
  const std::string second = refresh(first, test_start - minutes(29));
  EXPECT_EQ(second.size(), 96u);
  EXPECT_TRUE(access_is_good(test_start - minutes(29)));
  EXPECT_EQ(refresh(second, test_start + minutes(1)).size(), 96u);
}

// Whoever logs in while the clock is years ahead has no session of years when it is right again.
TEST_F(RefreshTest, ASessionOfATimeYetToComeIsOver) {
  EXPECT_EQ(refresh(start(), test_start - minutes(31)), "expired");
  EXPECT_EQ(refresh(start(), test_start - std::chrono::hours(24 * 401)), "expired");
}

TEST_F(RefreshTest, NoCookieLivesLongerThanBrowsersKeepIt) {
  const Lifetimes year{minutes(5), std::chrono::hours(24 * 400), std::chrono::hours(24 * 400)};
  const Issued issued =
      node_.manager.start(users_.known["u1"], test_client, year, test_start).value();
  const Time before = test_start - std::chrono::hours(24 * 300);
  const Issued next =
      node_.manager.refresh(issued.refresh_token.reveal(), test_client, users_, before).value();
  EXPECT_EQ(next.refresh_max_age, std::chrono::hours(24 * 400));
  EXPECT_GE(next.access_max_age, seconds(0));
}

TEST_F(RefreshTest, MadeUpTokensNeverReachTheStore) {
  const std::string token = start();
  store_.down = true;  // would answer store_unavailable
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(refresh(changed, test_start), "unknown") << i;
  }
  for (const std::string& bad : {std::string(), token + "A", token.substr(1), token + "=",
                                 std::string(96, 'A'), std::string(96, '=')}) {
    EXPECT_EQ(refresh(bad, test_start), "unknown");
  }
  EXPECT_EQ(refresh(token, test_start), "store_unavailable");
}

TEST_F(RefreshTest, ATokenOfASessionThatIsGoneIsUnknown) {
  const std::string token = start();
  ASSERT_TRUE(store_.delete_expired(Time::max()));
  EXPECT_EQ(refresh(token, test_start), "unknown");
}

TEST_F(RefreshTest, ATokenNewerThanTheStoreKnowsIsUnknown) {
  const std::string first = start();
  internal::ScriptedStore backup;
  ASSERT_TRUE(backup.create(store_.find(id_)->value()));
  const std::string second = refresh(first, test_start);
  internal::Node restored(backup, ring_);
  EXPECT_EQ(refresh(second, test_start, &restored.manager), "unknown");
}

TEST_F(RefreshTest, FreshRolesAreTaken) {
  const std::string token = start();
  users_.known["u1"].roles = {"reader"};
  users_.known["u1"].email = "new@example.com";
  refresh(token, test_start + minutes(1));
  const auto identity = node_.manager.verify_access(access_, test_start + minutes(1));
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->roles, std::vector<std::string>{"reader"});
  EXPECT_EQ(identity->email, "new@example.com");
  EXPECT_EQ(identity->started_at, test_start);
}

TEST_F(RefreshTest, ADisabledUserIsOut) {
  const std::string first = start();
  users_.known.erase("u1");
  EXPECT_EQ(refresh(first, test_start), "user_refused");
  EXPECT_FALSE(access_is_good(test_start));
  EXPECT_EQ(refresh(first, test_start), "revoked");
}

TEST_F(RefreshTest, UsersThatCannotBeAskedForCostNothing) {
  const std::string first = start();
  users_.down = true;
  EXPECT_EQ(refresh(first, test_start), "store_unavailable");
  users_.down = false;
  EXPECT_EQ(refresh(first, test_start).size(), 96u);
}

TEST_F(RefreshTest, TheClientAsLastSeenIsStored) {
  const std::string first = start();
  ASSERT_TRUE(node_.manager.refresh(first, {"2001:db8::1", "Other/2"}, users_, test_start));
  const Session session = node_.manager.list("u1", test_start)->at(0);
  EXPECT_EQ(session.address, "2001:db8::1");
  EXPECT_EQ(session.user_agent, "Other/2");
}

TEST_F(RefreshTest, ThreadsOnTwoNodesGetOneSuccessor) {
  internal::Node other(store_, ring_);
  std::string token = start();
  for (int round = 0; round < 20; ++round) {
    std::mutex mutex;
    std::set<std::string> successors;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      Manager& manager = i % 2 == 0 ? node_.manager : other.manager;
      threads.emplace_back([&, token] {
        internal::Users users;
        const auto result = manager.refresh(token, test_client, users, test_start);
        const std::lock_guard lock(mutex);
        successors.insert(result ? std::string(result->refresh_token.reveal())
                                 : std::string(to_string(result.error())));
      });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(successors.size(), 1u) << *successors.begin();
    ASSERT_EQ(successors.begin()->size(), 96u) << *successors.begin();
    token = *successors.begin();
  }
  EXPECT_EQ(store_.find(id_)->value().generation, 20u);
}

TEST(Exchanges, AreKeptNewestFirstWithinTheGrace) {
  std::string text;
  for (std::uint32_t i = 0; i < 20; ++i) {
    text = internal::add_exchange(text, i, test_start + seconds(i), seconds(30));
  }
  EXPECT_EQ(internal::exchanged_at(text, 19), test_start + seconds(19));
  EXPECT_EQ(internal::exchanged_at(text, 4), test_start + seconds(4));
  EXPECT_EQ(internal::exchanged_at(text, 3), std::nullopt);
  text = internal::add_exchange(text, 20, test_start + seconds(40), seconds(30));
  EXPECT_EQ(internal::exchanged_at(text, 11), test_start + seconds(11));
  EXPECT_EQ(internal::exchanged_at(text, 10), std::nullopt);
}

TEST(Exchanges, ATextThatCannotBeReadHoldsNone) {
  for (const char* text : {"", ":", "1", "1:", "x:1", "1:2;", "99999999999:1", "1:2x", ",1:2"}) {
    EXPECT_EQ(internal::exchanged_at(text, 1), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace moat::session
