// SPDX-License-Identifier: Apache-2.0
// What every session::KeyStore does, run against each of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "moat/session/memory_key_store.h"
#include "moat/store/internal/temporary_directory.h"
#include "moat/store/sqlite_store.h"

namespace moat::store {
namespace {

using session::KeyRecord;
using session::KeyUse;
using std::chrono::microseconds;
using std::chrono::seconds;

const Time start = from_unix_seconds(1'800'000'000) + microseconds{123456};

class InMemory {
 public:
  session::KeyStore& store() { return store_; }

 private:
  session::MemoryKeyStore store_;
};

class InSqlite {
 public:
  InSqlite() : opened_(SqliteStore::open(directory_.path())) {}
  session::KeyStore& store() { return (*opened_)->keys(); }

 private:
  TemporaryDirectory directory_;
  Result<std::unique_ptr<SqliteStore>, OpenError> opened_;
};

KeyRecord record_of(const std::string& id, const std::string& user = "ada") {
  KeyRecord record;
  record.id = id;
  record.user_id = user;
  record.key_hash = sha256(id);
  record.name = "backup'); DROP TABLE api_keys; -- \xc3\xa4";
  record.scopes = "read orders:write";
  record.created_at = start;
  record.expires_at = start + seconds{100};
  return record;
}

void expect_same(const KeyRecord& a, const KeyRecord& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.user_id, b.user_id);
  EXPECT_EQ(a.key_hash, b.key_hash);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.scopes, b.scopes);
  EXPECT_EQ(a.created_at, b.created_at);
  EXPECT_EQ(a.expires_at, b.expires_at);
  EXPECT_EQ(a.last_used_at, b.last_used_at);
  EXPECT_EQ(a.revoked_at, b.revoked_at);
}

template <class Kind>
class KeysContract : public ::testing::Test {
 protected:
  void add(const KeyRecord& record) { ASSERT_TRUE(store.create(record, 100, start).value()); }
  KeyRecord get(const std::string& id) {
    const auto found = store.find(id);
    return found && *found ? **found : KeyRecord{};
  }
  std::vector<std::string> listed(const std::string& user, Time now) {
    std::vector<std::string> ids;
    const std::vector<KeyRecord> records = store.list(user, now).value();
    for (const KeyRecord& record : records) ids.push_back(record.id);
    return ids;
  }
  Kind kind;
  session::KeyStore& store = kind.store();
};
using Kinds = ::testing::Types<InMemory, InSqlite>;
TYPED_TEST_SUITE(KeysContract, Kinds);

TYPED_TEST(KeysContract, WhatIsCreatedIsFoundUnchanged) {
  KeyRecord record = record_of("a");
  this->add(record);
  expect_same(this->get("a"), record);
  record = record_of("b");
  record.last_used_at = start + seconds{1};
  record.revoked_at = start + seconds{2};
  this->add(record);
  expect_same(this->get("b"), record);
  EXPECT_FALSE(this->store.find("c").value());
}

TYPED_TEST(KeysContract, AUserHasSoManyLiveKeysAtMost) {
  ASSERT_TRUE(this->store.create(record_of("a"), 2, start).value());
  ASSERT_TRUE(this->store.create(record_of("b"), 2, start).value());
  EXPECT_FALSE(this->store.create(record_of("c"), 2, start).value());
  EXPECT_FALSE(this->store.find("c").value());
  EXPECT_TRUE(this->store.create(record_of("d", "bob"), 2, start).value()) << "another's";
  ASSERT_TRUE(this->store.revoke("a", "ada", start).value());
  EXPECT_TRUE(this->store.create(record_of("c"), 2, start).value()) << "one was revoked";
  EXPECT_FALSE(this->store.create(record_of("e"), 2, start + seconds{99}).value());
  EXPECT_TRUE(this->store.create(record_of("e"), 2, start + seconds{100}).value()) << "expired";
}

TYPED_TEST(KeysContract, ParallelCreationsDoNotPassTheMost) {
  std::atomic<int> made = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const auto created = this->store.create(record_of("k" + std::to_string(i)), 3, start);
      if (created && *created) ++made;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, 3);
}

TYPED_TEST(KeysContract, TheListIsTheUsersLiveKeysNewestFirst) {
  this->add(record_of("a"));
  KeyRecord later = record_of("b");
  later.created_at = start + seconds{1};
  this->add(later);
  this->add(record_of("c", "bob"));
  KeyRecord revoked = record_of("d");
  revoked.revoked_at = start;
  this->add(revoked);
  EXPECT_EQ(this->listed("ada", start), (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(this->listed("ada", start + seconds{100}), std::vector<std::string>{});
  EXPECT_EQ(this->listed("eve", start), std::vector<std::string>{});
}

TYPED_TEST(KeysContract, AKeyIsRevokedByItsUserOnce) {
  this->add(record_of("a"));
  EXPECT_FALSE(this->store.revoke("a", "bob", start).value());
  EXPECT_FALSE(this->get("a").revoked_at);
  EXPECT_TRUE(this->store.revoke("a", "ada", start + seconds{1}).value());
  EXPECT_FALSE(this->store.revoke("a", "ada", start + seconds{2}).value());
  EXPECT_EQ(this->get("a").revoked_at, start + seconds{1}) << "the first time stays";
  EXPECT_FALSE(this->store.revoke("b", "ada", start).value());
}

TYPED_TEST(KeysContract, AllOfAUsersKeysAreRevoked) {
  this->add(record_of("a"));
  this->add(record_of("b"));
  this->add(record_of("c", "bob"));
  ASSERT_TRUE(this->store.revoke("b", "ada", start).value());
  EXPECT_EQ(this->store.revoke_all("ada", start + seconds{1}).value(),
            std::vector<std::string>{"a"});
  EXPECT_FALSE(this->get("c").revoked_at);
  EXPECT_EQ(this->store.revoke_all("ada", start + seconds{1}).value().size(), 0U);
}

TYPED_TEST(KeysContract, RevocationsAreToldFromTheirTimeOn) {
  this->add(record_of("a"));
  this->add(record_of("b"));
  ASSERT_TRUE(this->store.revoke("a", "ada", start + seconds{1}).value());
  ASSERT_TRUE(this->store.revoke("b", "ada", start + seconds{2}).value());
  EXPECT_EQ(this->store.revocations_since(start).value().size(), 2U);
  const auto found = this->store.revocations_since(start + seconds{2}).value();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].session_id, "b");
  EXPECT_EQ(found[0].at, start + seconds{2});
  EXPECT_EQ(this->store.revocations_since(start + seconds{3}).value().size(), 0U);
}

TYPED_TEST(KeysContract, UsesOnlyGoForward) {
  this->add(record_of("a"));
  this->add(record_of("b"));
  const std::vector<KeyUse> uses = {{"a", start + seconds{5}}, {"gone", start}};
  ASSERT_TRUE(this->store.note_uses(uses));
  EXPECT_EQ(this->get("a").last_used_at, start + seconds{5});
  EXPECT_FALSE(this->get("b").last_used_at);
  const std::vector<KeyUse> earlier = {{"a", start + seconds{4}}};
  ASSERT_TRUE(this->store.note_uses(earlier));
  EXPECT_EQ(this->get("a").last_used_at, start + seconds{5});
  EXPECT_TRUE(this->store.note_uses({}));
}

TYPED_TEST(KeysContract, ManyUsesAreNotedAtOnce) {
  std::vector<KeyUse> uses;
  for (int i = 0; i < 60; ++i) this->add(record_of("k" + std::to_string(i)));
  for (int i = 0; i < 1200; ++i) uses.push_back({"k" + std::to_string(i), start});
  ASSERT_TRUE(this->store.note_uses(uses));
  for (int i = 0; i < 60; ++i) {
    EXPECT_EQ(this->get("k" + std::to_string(i)).last_used_at, start) << i;
  }
}

TYPED_TEST(KeysContract, WhatIsOverIsDeleted) {
  this->add(record_of("a"));
  KeyRecord revoked = record_of("b");
  revoked.expires_at = start + seconds{1000};
  revoked.revoked_at = start + seconds{1};
  this->add(revoked);
  KeyRecord live = record_of("c");
  live.expires_at = start + seconds{1000};
  this->add(live);
  EXPECT_EQ(this->store.delete_expired(start + seconds{1}).value(), 0U);
  EXPECT_EQ(this->store.delete_expired(start + seconds{2}).value(), 1U);
  EXPECT_EQ(this->store.delete_expired(start + seconds{101}).value(), 1U);
  EXPECT_TRUE(this->store.find("c").value());
}

}  // namespace
}  // namespace moat::store
