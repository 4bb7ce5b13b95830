// SPDX-License-Identifier: Apache-2.0
#include "moat/session/revocation_list.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace moat::session {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

constexpr Time start{seconds(1'800'000'000)};

TEST(RevocationList, ARevokedSessionIsFoundAndAnotherIsNot) {
  RevocationList list(seconds(330));
  EXPECT_FALSE(list.is_revoked("s1", "u1", start));
  list.revoke_session("s1", start);
  EXPECT_TRUE(list.is_revoked("s1", "u1", start));
  EXPECT_FALSE(list.is_revoked("s2", "u1", start));
}

TEST(RevocationList, AUserIsOutWithSessionsBegunBefore) {
  RevocationList list(seconds(330));
  list.revoke_user("u1", start);
  EXPECT_TRUE(list.is_revoked("s1", "u1", start - microseconds(1)));
  EXPECT_FALSE(list.is_revoked("s1", "u1", start));
  EXPECT_FALSE(list.is_revoked("s1", "u2", start - microseconds(1)));
  list.revoke_user("u1", start - seconds(1));  // an older word does not undo a newer one
  EXPECT_TRUE(list.is_revoked("s1", "u1", start - microseconds(1)));
}

TEST(RevocationList, EntriesDieWhenNoAccessTokenCanLive) {
  RevocationList list(seconds(330));
  list.revoke_session("s1", start);
  list.revoke_user("u1", start);
  list.expire(start + seconds(330));
  EXPECT_EQ(list.size(), 2u);
  EXPECT_TRUE(list.is_revoked("s1", "u2", start));
  list.expire(start + seconds(330) + microseconds(1));
  EXPECT_EQ(list.size(), 0u);
  EXPECT_FALSE(list.is_revoked("s1", "u2", start));
}

TEST(RevocationList, MemoryIsBoundedByTheRate) {
  RevocationList list(seconds(10));
  // A thousand a second for a minute and a half, and nobody calls expire().
  for (int i = 0; i < 90'000; ++i) {
    list.revoke_session("s" + std::to_string(i), start + std::chrono::milliseconds(i));
  }
  EXPECT_LT(list.size(), 25'000u);
  EXPECT_TRUE(list.is_revoked("s89999", "u", start));
  EXPECT_TRUE(list.is_revoked("s80500", "u", start));
}

TEST(RevocationList, ReadersAndWritersDoNotDisturbEachOther) {
  RevocationList list(seconds(330));
  list.revoke_session("always", start);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&list, t] {
      for (int i = 0; i < 2000; ++i) {
        if (t % 2 == 0) {
          list.revoke_session(std::to_string(t) + "-" + std::to_string(i), start);
          if (i % 500 == 0) list.expire(start + seconds(1));
        } else {
          EXPECT_TRUE(list.is_revoked("always", "u", start));
          EXPECT_FALSE(list.is_revoked("never", "u", start));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(list.size(), 4001u);
}

}  // namespace
}  // namespace moat::session
