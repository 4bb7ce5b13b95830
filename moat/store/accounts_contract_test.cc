// SPDX-License-Identifier: Apache-2.0
// What every accounts::Store does, run against each of them.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "moat/accounts/memory_store.h"
#include "moat/store/internal/temporary_directory.h"
#include "moat/store/sqlite_store.h"

namespace moat::store {
namespace {

using accounts::Account;
using accounts::StoreError;
using std::chrono::microseconds;
using std::chrono::seconds;

const Time start = from_unix_seconds(1'800'000'000) + microseconds{123456};

class InMemory {
 public:
  accounts::Store& store() { return store_; }

 private:
  accounts::MemoryStore store_;
};

class InSqlite {
 public:
  InSqlite() : opened_(SqliteStore::open(directory_.path())) {}
  accounts::Store& store() { return (*opened_)->accounts(); }

 private:
  TemporaryDirectory directory_;
  Result<std::unique_ptr<SqliteStore>, OpenError> opened_;
};

Account account_of(const std::string& name, std::vector<std::string> roles = {"user"}) {
  Account account;
  account.id = "id-" + name;
  account.email = name + "@Example.com";
  account.email_key = name + "@example.com";
  account.roles = std::move(roles);
  account.created_at = start;
  account.password_hash = "hash of " + name;
  account.password_changed_at = start + seconds{1};
  return account;
}

Digest digest_of(int number) { return sha256(std::to_string(number)); }

// What a call without a value was refused with; empty where it was not.
std::string refusal(const Result<void, StoreError>& result) {
  return result ? std::string() : std::string(to_string(result.error()));
}

template <class Kind>
class AccountsContract : public ::testing::Test {
 protected:
  void add(const Account& account) { ASSERT_EQ(refusal(store_.create(account)), ""); }
  Kind kind;
  accounts::Store& store_ = kind.store();
};
using Kinds = ::testing::Types<InMemory, InSqlite>;
TYPED_TEST_SUITE(AccountsContract, Kinds);

TYPED_TEST(AccountsContract, WhatIsCreatedIsFoundUnchanged) {
  Account account = account_of("ada", {"user", "zebra", "admin"});
  account.disabled = true;
  account.email = "'; DROP TABLE accounts; --\n\xC3\xA4";
  this->add(account);
  const auto by_key = this->store_.find_by_email_key("ada@example.com");
  ASSERT_TRUE(by_key);
  EXPECT_EQ(*by_key, account);
  const auto by_id = this->store_.find_by_id("id-ada");
  ASSERT_TRUE(by_id);
  EXPECT_EQ(*by_id, account);
}

TYPED_TEST(AccountsContract, TextIsKeptByteByByte) {
  Account account = account_of("ada");
  account.password_hash = std::string("a\0b", 3);
  account.roles = {};
  account.email = "";
  this->add(account);
  EXPECT_EQ(*this->store_.find_by_id("id-ada"), account);
  Account hostile = account_of("x'); DROP TABLE accounts;--");
  hostile.roles = {"admin\"', ?1 --"};
  this->add(hostile);
  EXPECT_EQ(*this->store_.find_by_id(hostile.id), hostile);
  EXPECT_EQ(*this->store_.find_by_email_key(hostile.email_key), hostile);
  EXPECT_EQ(this->store_.find_by_id("' OR 1=1 --").error(), StoreError::not_found);
  EXPECT_EQ(*this->store_.find_by_id("id-ada"), account);
}

TYPED_TEST(AccountsContract, NobodyIsFoundWhereNobodyIs) {
  this->add(account_of("ada"));
  EXPECT_EQ(this->store_.find_by_email_key("eve@example.com").error(), StoreError::not_found);
  EXPECT_EQ(this->store_.find_by_email_key("ADA@example.com").error(), StoreError::not_found);
  EXPECT_EQ(this->store_.find_by_email_key("%").error(), StoreError::not_found);
  EXPECT_EQ(this->store_.find_by_id("").error(), StoreError::not_found);
  EXPECT_EQ(this->store_.find_by_id("id-ad").error(), StoreError::not_found);
}

TYPED_TEST(AccountsContract, AnEmailKeyIsTakenOnce) {
  this->add(account_of("ada"));
  Account other = account_of("eve");
  other.email_key = "ada@example.com";
  EXPECT_EQ(refusal(this->store_.create(other)), "email_taken");
  EXPECT_EQ(this->store_.find_by_id("id-eve").error(), StoreError::not_found);
}

TYPED_TEST(AccountsContract, AnIdIsTakenOnce) {
  this->add(account_of("ada"));
  Account other = account_of("eve");
  other.id = "id-ada";
  EXPECT_EQ(refusal(this->store_.create(other)), "conflict");
  EXPECT_EQ(this->store_.find_by_email_key("eve@example.com").error(), StoreError::not_found);
  EXPECT_EQ(*this->store_.find_by_id("id-ada"), account_of("ada"));
}

TYPED_TEST(AccountsContract, TheListComesInPages) {
  for (const char* name : {"c", "a", "d", "b"}) this->add(account_of(name, {"user", "ops"}));
  const auto first = this->store_.list("", 3);
  ASSERT_TRUE(first);
  ASSERT_EQ(first->size(), 3u);
  EXPECT_EQ((*first)[0], account_of("a", {"user", "ops"}));
  EXPECT_EQ((*first)[2].id, "id-c");
  const auto second = this->store_.list("id-c", 3);
  ASSERT_TRUE(second);
  ASSERT_EQ(second->size(), 1u);
  EXPECT_EQ(second->front().id, "id-d");
  EXPECT_TRUE(this->store_.list("id-d", 3)->empty());
  EXPECT_TRUE(this->store_.list("", 0)->empty());
}

TYPED_TEST(AccountsContract, APasswordIsChangedWhereTheExpectedHashStands) {
  this->add(account_of("ada"));
  this->add(account_of("eve"));
  auto& store = this->store_;
  EXPECT_EQ(refusal(store.change_password("id-ada", "stale", "next", start)), "conflict");
  EXPECT_EQ(*store.find_by_id("id-ada"), account_of("ada"));
  EXPECT_EQ(refusal(store.change_password("id-bob", "stale", "next", start)), "not_found");
  EXPECT_EQ(refusal(store.change_password("id-ada", "hash of ada", "next", start + seconds{9})),
            "");
  EXPECT_EQ(store.find_by_id("id-ada")->password_hash, "next");
  EXPECT_EQ(store.find_by_id("id-ada")->password_changed_at, start + seconds{9});
  EXPECT_EQ(*store.find_by_id("id-eve"), account_of("eve"));
}

TYPED_TEST(AccountsContract, AnUpgradedHashChangesNothingElse) {
  this->add(account_of("ada"));
  auto& store = this->store_;
  EXPECT_EQ(refusal(store.remember_device("id-ada", digest_of(1), start, 5)), "");
  EXPECT_EQ(refusal(store.upgrade_hash("id-ada", "stale", "next")), "conflict");
  EXPECT_EQ(refusal(store.upgrade_hash("id-bob", "stale", "next")), "not_found");
  EXPECT_EQ(refusal(store.upgrade_hash("id-ada", "hash of ada", "next")), "");
  Account expected = account_of("ada");
  expected.password_hash = "next";
  EXPECT_EQ(*store.find_by_id("id-ada"), expected);
  EXPECT_TRUE(*store.knows_device("id-ada", digest_of(1), start - seconds{1}));
}

TYPED_TEST(AccountsContract, RolesAreReplaced) {
  this->add(account_of("ada", {"user", "ops"}));
  EXPECT_EQ(refusal(this->store_.set_roles("id-ada", {"writer", "user"})), "");
  EXPECT_EQ(this->store_.find_by_id("id-ada")->roles, (std::vector<std::string>{"writer", "user"}));
  EXPECT_EQ(refusal(this->store_.set_roles("id-ada", {})), "");
  EXPECT_TRUE(this->store_.find_by_id("id-ada")->roles.empty());
  EXPECT_EQ(refusal(this->store_.set_roles("id-eve", {"user"})), "not_found");
}

TYPED_TEST(AccountsContract, AdminsAreCounted) {
  EXPECT_EQ(*this->store_.count_admins(), 0u);
  this->add(account_of("ada", {"user", "admin"}));
  this->add(account_of("eve", {"user", "administrator"}));
  Account asleep = account_of("bob", {"admin"});
  asleep.disabled = true;
  this->add(asleep);
  EXPECT_EQ(*this->store_.count_admins(), 2u);
}

TYPED_TEST(AccountsContract, TheLastEnabledAdminStays) {
  auto& store = this->store_;
  this->add(account_of("ada", {"user", "admin"}));
  this->add(account_of("eve", {"admin"}));
  EXPECT_EQ(refusal(store.disable("id-eve")), "") << "ada is there";
  EXPECT_EQ(refusal(store.disable("id-ada")), "last_admin");
  EXPECT_EQ(refusal(store.set_roles("id-ada", {"user"})), "last_admin");
  EXPECT_EQ(refusal(store.set_roles("id-ada", {"admin", "ops"})), "");
  EXPECT_EQ(refusal(store.set_roles("id-eve", {"user"})), "") << "a disabled one may lose it";
  EXPECT_EQ(refusal(store.set_roles("id-eve", {"admin"})), "");
  EXPECT_EQ(refusal(store.enable("id-eve")), "");
  EXPECT_EQ(refusal(store.set_roles("id-ada", {"user"})), "");
  EXPECT_EQ(refusal(store.disable("id-ada")), "") << "no admin any more";
}

TYPED_TEST(AccountsContract, DisablingIsUndoneByEnabling) {
  this->add(account_of("ada"));
  EXPECT_EQ(refusal(this->store_.disable("id-ada")), "");
  EXPECT_EQ(refusal(this->store_.disable("id-ada")), "");
  EXPECT_TRUE(this->store_.find_by_id("id-ada")->disabled);
  EXPECT_EQ(refusal(this->store_.enable("id-ada")), "");
  EXPECT_FALSE(this->store_.find_by_id("id-ada")->disabled);
  EXPECT_EQ(refusal(this->store_.disable("id-eve")), "not_found");
  EXPECT_EQ(refusal(this->store_.enable("id-eve")), "not_found");
}

TYPED_TEST(AccountsContract, TheSetUpTokenIsGoodOnceAndInTime) {
  auto& store = this->store_;
  EXPECT_EQ(refusal(store.check_setup_token(digest_of(1), start)), "not_found");
  EXPECT_EQ(refusal(store.put_setup_token(digest_of(1), start + seconds{10})), "");
  EXPECT_EQ(refusal(store.check_setup_token(digest_of(2), start)), "not_found");
  EXPECT_EQ(refusal(store.check_setup_token(digest_of(1), start + seconds{10})), "not_found");
  EXPECT_EQ(refusal(store.check_setup_token(digest_of(1), start + seconds{9})), "");
  const Account admin = account_of("ada", {"user", "admin"});
  EXPECT_EQ(refusal(store.create_first_admin(digest_of(2), start, admin)), "not_found");
  EXPECT_EQ(refusal(store.create_first_admin(digest_of(1), start + seconds{10}, admin)),
            "not_found");
  EXPECT_FALSE(store.find_by_id("id-ada"));
  EXPECT_EQ(refusal(store.create_first_admin(digest_of(1), start, admin)), "");
  EXPECT_EQ(*store.find_by_id("id-ada"), admin);
  EXPECT_EQ(refusal(store.create_first_admin(digest_of(1), start, account_of("eve"))),
            "admin_exists");
  EXPECT_EQ(refusal(store.check_setup_token(digest_of(1), start)), "admin_exists");
  EXPECT_EQ(refusal(store.put_setup_token(digest_of(3), start + seconds{10})), "admin_exists");
}

TYPED_TEST(AccountsContract, ASecondSetUpTokenReplacesTheFirst) {
  auto& store = this->store_;
  EXPECT_EQ(refusal(store.put_setup_token(digest_of(1), start + seconds{10})), "");
  EXPECT_EQ(refusal(store.put_setup_token(digest_of(2), start + seconds{10})), "");
  EXPECT_EQ(refusal(store.check_setup_token(digest_of(1), start)), "not_found");
  EXPECT_EQ(refusal(store.check_setup_token(digest_of(2), start)), "");
}

TYPED_TEST(AccountsContract, ARefusedAdminLeavesTheSetUpTokenAlone) {
  auto& store = this->store_;
  this->add(account_of("ada"));
  EXPECT_EQ(refusal(store.put_setup_token(digest_of(1), start + seconds{10})), "");
  EXPECT_EQ(refusal(store.create_first_admin(digest_of(1), start, account_of("ada"))),
            "email_taken");
  EXPECT_EQ(refusal(store.create_first_admin(digest_of(1), start, account_of("eve", {"admin"}))),
            "");
}

TYPED_TEST(AccountsContract, ADeviceIsKnownToOneAccountUntilItExpires) {
  auto& store = this->store_;
  this->add(account_of("ada"));
  this->add(account_of("eve"));
  EXPECT_EQ(refusal(store.remember_device("id-ada", digest_of(1), start + seconds{5}, 3)), "");
  EXPECT_TRUE(*store.knows_device("id-ada", digest_of(1), start + seconds{4}));
  EXPECT_FALSE(*store.knows_device("id-ada", digest_of(1), start + seconds{5}));
  EXPECT_FALSE(*store.knows_device("id-ada", digest_of(2), start));
  EXPECT_FALSE(*store.knows_device("id-eve", digest_of(1), start));
  EXPECT_FALSE(*store.knows_device("", digest_of(1), start));
  EXPECT_EQ(refusal(store.remember_device("id-bob", digest_of(1), start, 3)), "not_found");
  EXPECT_EQ(refusal(store.remember_device("id-ada", digest_of(1), start + seconds{9}, 3)), "");
  EXPECT_TRUE(*store.knows_device("id-ada", digest_of(1), start + seconds{5})) << "prolonged";
}

TYPED_TEST(AccountsContract, TheDevicesThatExpireFirstGiveWay) {
  auto& store = this->store_;
  this->add(account_of("ada"));
  this->add(account_of("eve"));
  EXPECT_EQ(refusal(store.remember_device("id-eve", digest_of(9), start + seconds{1}, 2)), "");
  for (int i : {2, 1, 3}) {
    EXPECT_EQ(refusal(store.remember_device("id-ada", digest_of(i), start + seconds{i}, 2)), "");
  }
  EXPECT_FALSE(*store.knows_device("id-ada", digest_of(1), start));
  EXPECT_TRUE(*store.knows_device("id-ada", digest_of(2), start));
  EXPECT_TRUE(*store.knows_device("id-ada", digest_of(3), start));
  EXPECT_TRUE(*store.knows_device("id-eve", digest_of(9), start)) << "another account's";
}

TYPED_TEST(AccountsContract, ANewPasswordForgetsThatAccountsDevices) {
  auto& store = this->store_;
  this->add(account_of("ada"));
  this->add(account_of("eve"));
  for (const char* id : {"id-ada", "id-eve"}) {
    EXPECT_EQ(refusal(store.remember_device(id, digest_of(1), start + seconds{5}, 3)), "");
  }
  EXPECT_EQ(refusal(store.change_password("id-ada", "stale", "next", start)), "conflict");
  EXPECT_TRUE(*store.knows_device("id-ada", digest_of(1), start));
  EXPECT_EQ(refusal(store.change_password("id-ada", "hash of ada", "next", start)), "");
  EXPECT_FALSE(*store.knows_device("id-ada", digest_of(1), start));
  EXPECT_TRUE(*store.knows_device("id-eve", digest_of(1), start));
}

TYPED_TEST(AccountsContract, WhatExpiredIsRemovedAndCounted) {
  auto& store = this->store_;
  this->add(account_of("ada"));
  EXPECT_EQ(refusal(store.put_setup_token(digest_of(1), start + seconds{2})), "");
  for (int i : {1, 2, 3}) {
    EXPECT_EQ(refusal(store.remember_device("id-ada", digest_of(i), start + seconds{i}, 9)), "");
  }
  EXPECT_EQ(*store.remove_expired(start), 0u);
  EXPECT_EQ(*store.remove_expired(start + seconds{2}), 3u);
  EXPECT_EQ(*store.remove_expired(start + seconds{2}), 0u);
  EXPECT_EQ(refusal(store.check_setup_token(digest_of(1), start)), "not_found");
  EXPECT_FALSE(*store.knows_device("id-ada", digest_of(2), start));
  EXPECT_TRUE(*store.knows_device("id-ada", digest_of(3), start));
}

}  // namespace
}  // namespace moat::store
