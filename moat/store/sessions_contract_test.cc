// SPDX-License-Identifier: Apache-2.0
// What every session::Store does, run against each of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "moat/session/memory_store.h"
#include "moat/store/internal/temporary_directory.h"
#include "moat/store/sqlite_store.h"

namespace moat::store {
namespace {

using session::Record;
using session::RotateOutcome;
using session::Rotation;
using std::chrono::microseconds;
using std::chrono::seconds;

const Time start = from_unix_seconds(1'800'000'000) + microseconds{123456};

class InMemory {
 public:
  session::Store& store() { return store_; }

 private:
  session::MemoryStore store_;
};

class InSqlite {
 public:
  InSqlite() : opened_(SqliteStore::open(directory_.path())) {}
  session::Store& store() { return (*opened_)->sessions(); }

 private:
  TemporaryDirectory directory_;
  Result<std::unique_ptr<SqliteStore>, OpenError> opened_;
};

Record record_of(const std::string& id, const std::string& user = "ada") {
  Record record;
  record.id = id;
  record.user_id = user;
  record.token_hash = sha256(id);
  record.generation = 0;
  record.started_at = start;
  record.rotated_at = start + microseconds{1};
  record.expires_at = start + seconds{100};
  record.ends_at = start + seconds{1000};
  record.idle = seconds{1800};
  record.address = "2001:db8::1";
  record.user_agent = "Mozilla/5.0 ('\"; --)";
  record.exchanges = "1:2,3:4";
  return record;
}

Rotation rotation_of(std::uint32_t expected) {
  Rotation rotation;
  rotation.expected_generation = expected;
  rotation.token_hash = sha256("successor " + std::to_string(expected));
  rotation.rotated_at = start + seconds{50};
  rotation.expires_at = start + seconds{150};
  rotation.address = "192.0.2.7";
  rotation.user_agent = "curl";
  rotation.exchanges = "";
  return rotation;
}

void expect_same(const Record& a, const Record& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.user_id, b.user_id);
  EXPECT_EQ(a.token_hash, b.token_hash);
  EXPECT_EQ(a.generation, b.generation);
  EXPECT_EQ(a.started_at, b.started_at);
  EXPECT_EQ(a.rotated_at, b.rotated_at);
  EXPECT_EQ(a.expires_at, b.expires_at);
  EXPECT_EQ(a.ends_at, b.ends_at);
  EXPECT_EQ(a.idle, b.idle);
  EXPECT_EQ(a.address, b.address);
  EXPECT_EQ(a.user_agent, b.user_agent);
  EXPECT_EQ(a.exchanges, b.exchanges);
  EXPECT_EQ(a.revoked_at, b.revoked_at);
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.scopes, b.scopes);
}

template <class Kind>
class SessionsContract : public ::testing::Test {
 protected:
  void add(const Record& record) { ASSERT_TRUE(store.create(record)); }
  Record get(const std::string& id) {
    const auto found = store.find(id);
    return found && *found ? **found : Record{};
  }
  Kind kind;
  session::Store& store = kind.store();
};
using Kinds = ::testing::Types<InMemory, InSqlite>;
TYPED_TEST_SUITE(SessionsContract, Kinds);

TYPED_TEST(SessionsContract, WhatIsCreatedIsFoundUnchanged) {
  Record record = record_of("a");
  record.generation = 4294967295u;
  this->add(record);
  expect_same(this->get("a"), record);
  Record revoked = record_of("b");
  revoked.revoked_at = start;
  this->add(revoked);
  expect_same(this->get("b"), revoked);
  Record program = record_of("c");
  program.kind = session::Kind::api;
  program.scopes = "read orders:write";
  this->add(program);
  expect_same(this->get("c"), program);
}

TYPED_TEST(SessionsContract, WhatIsNotThereIsNotFound) {
  this->add(record_of("a"));
  const auto found = this->store.find("b");
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->has_value());
}

TYPED_TEST(SessionsContract, RotationReplacesTheTokenAndCountsOn) {
  this->add(record_of("a"));
  this->add(record_of("b"));
  const Rotation rotation = rotation_of(0);
  EXPECT_EQ(*this->store.rotate("a", rotation), RotateOutcome::rotated);
  Record expected = record_of("a");
  expected.token_hash = rotation.token_hash;
  expected.generation = 1;
  expected.rotated_at = rotation.rotated_at;
  expected.expires_at = rotation.expires_at;
  expected.address = rotation.address;
  expected.user_agent = rotation.user_agent;
  expected.exchanges = rotation.exchanges;
  expect_same(this->get("a"), expected);
  expect_same(this->get("b"), record_of("b"));
}

TYPED_TEST(SessionsContract, OneGenerationIsRotatedOnce) {
  this->add(record_of("a"));
  EXPECT_EQ(*this->store.rotate("a", rotation_of(1)), RotateOutcome::conflict);
  EXPECT_EQ(*this->store.rotate("a", rotation_of(0)), RotateOutcome::rotated);
  const Record rotated = this->get("a");
  EXPECT_EQ(*this->store.rotate("a", rotation_of(0)), RotateOutcome::conflict);
  expect_same(this->get("a"), rotated);
  EXPECT_EQ(*this->store.rotate("a", rotation_of(1)), RotateOutcome::rotated);
}

TYPED_TEST(SessionsContract, WhatIsGoneIsNotRotated) {
  this->add(record_of("a"));
  EXPECT_EQ(*this->store.rotate("b", rotation_of(0)), RotateOutcome::gone);
  ASSERT_TRUE(*this->store.revoke("a", "ada", start));
  EXPECT_EQ(*this->store.rotate("a", rotation_of(0)), RotateOutcome::gone);
  EXPECT_EQ(this->get("a").generation, 0u);
}

TYPED_TEST(SessionsContract, ASessionIsRevokedByItsUserOnce) {
  this->add(record_of("a"));
  EXPECT_FALSE(*this->store.revoke("b", "ada", start));
  EXPECT_FALSE(*this->store.revoke("a", "eve", start));
  EXPECT_EQ(this->get("a").revoked_at, std::nullopt);
  EXPECT_TRUE(*this->store.revoke("a", "ada", start + seconds{1}));
  EXPECT_FALSE(*this->store.revoke("a", "ada", start + seconds{2}));
  EXPECT_EQ(this->get("a").revoked_at, start + seconds{1});
}

TYPED_TEST(SessionsContract, AllSessionsOfAUserAreRevokedButTheKeptOne) {
  for (const char* id : {"a", "b", "c", "d"}) this->add(record_of(id));
  this->add(record_of("e", "eve"));
  ASSERT_TRUE(*this->store.revoke("a", "ada", start));
  auto revoked = *this->store.revoke_all("ada", "b", start + seconds{1});
  std::sort(revoked.begin(), revoked.end());
  EXPECT_EQ(revoked, (std::vector<std::string>{"c", "d"}));
  EXPECT_EQ(this->get("a").revoked_at, start) << "the first time stays";
  EXPECT_EQ(this->get("b").revoked_at, std::nullopt);
  EXPECT_EQ(this->get("c").revoked_at, start + seconds{1});
  EXPECT_EQ(this->get("e").revoked_at, std::nullopt);
  EXPECT_EQ(*this->store.revoke_all("ada", "", start + seconds{2}),
            (std::vector<std::string>{"b"}));
  EXPECT_TRUE(this->store.revoke_all("ada", "", start + seconds{3})->empty());
}

TYPED_TEST(SessionsContract, TheListShowsWhatLivesLatestFirst) {
  for (int i : {1, 3, 2}) {
    Record record = record_of(std::to_string(i));
    record.rotated_at = start + seconds{i};
    this->add(record);
  }
  Record over = record_of("over");
  over.expires_at = start + seconds{10};
  this->add(over);
  this->add(record_of("e", "eve"));
  ASSERT_TRUE(*this->store.revoke("3", "ada", start));
  const auto listed = *this->store.list("ada", start + seconds{10});
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].id, "2");
  EXPECT_EQ(listed[1].id, "1");
  EXPECT_EQ(this->store.list("ada", start + seconds{9})->size(), 3u);
  EXPECT_TRUE(this->store.list("bob", start)->empty());
}

TYPED_TEST(SessionsContract, RevocationsAreToldSinceATime) {
  for (const char* id : {"a", "b", "c"}) this->add(record_of(id));
  ASSERT_TRUE(*this->store.revoke("a", "ada", start + seconds{1}));
  ASSERT_TRUE(*this->store.revoke("b", "ada", start + seconds{2}));
  const auto since = *this->store.revocations_since(start + seconds{2});
  ASSERT_EQ(since.size(), 1u);
  EXPECT_EQ(since[0].session_id, "b");
  EXPECT_EQ(since[0].at, start + seconds{2});
  EXPECT_EQ(this->store.revocations_since(start)->size(), 2u);
  EXPECT_TRUE(this->store.revocations_since(start + seconds{3})->empty());
}

TYPED_TEST(SessionsContract, WhatIsOverIsDeleted) {
  this->add(record_of("lives"));
  Record over = record_of("over");
  over.expires_at = start + seconds{10};
  this->add(over);
  this->add(record_of("revoked"));
  ASSERT_TRUE(*this->store.revoke("revoked", "ada", start + seconds{10}));
  EXPECT_EQ(*this->store.delete_expired(start + seconds{10}), 0u) << "before, not at";
  EXPECT_EQ(*this->store.delete_expired(start + seconds{11}), 2u);
  EXPECT_EQ(*this->store.delete_expired(start + seconds{11}), 0u);
  EXPECT_FALSE(this->store.find("over")->has_value());
  EXPECT_FALSE(this->store.find("revoked")->has_value());
  EXPECT_TRUE(this->store.find("lives")->has_value());
}

TYPED_TEST(SessionsContract, ManyAreDeletedInOneCall) {
  std::vector<std::thread> threads;  // together, so that they share syncs
  for (int part = 0; part < 16; ++part) {
    threads.emplace_back([this, part] {
      for (int i = part; i < 1203; i += 16) {
        Record record = record_of(std::to_string(i));
        record.expires_at = start;
        this->add(record);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(*this->store.delete_expired(start + seconds{1}), 1203u);
}

}  // namespace
}  // namespace moat::store
