// SPDX-License-Identifier: Apache-2.0
// The database as a file: who may read it, whose it is, which schema it has.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <latch>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "moat/store/internal/database.h"
#include "moat/store/internal/temporary_directory.h"
#include "moat/store/sqlite_store.h"

namespace moat::store {
namespace {

namespace fs = std::filesystem;

constexpr Sql create_foreign_table("CREATE TABLE notes (text TEXT)");
constexpr Sql claim_newer_schema(
    "INSERT INTO schema_version (version, applied_at) VALUES (999, 0)");
constexpr Sql journal_mode("PRAGMA journal_mode");
constexpr Sql synchronous("PRAGMA synchronous");
constexpr Sql foreign_keys("PRAGMA foreign_keys");
constexpr Sql secure_delete("PRAGMA secure_delete");
constexpr Sql trusted_schema("PRAGMA trusted_schema");
constexpr Sql schema_rows("SELECT count(*) FROM schema_version");
constexpr Sql no_such_table("SELECT 1 FROM no_such_table");
constexpr Sql double_quoted("SELECT \"no such column\"");
constexpr Sql wrong_type(
    "INSERT INTO account_roles (account_id, position, role)"
    " VALUES ('nobody', 'text', 'x')");
constexpr Sql orphan(
    "INSERT INTO account_roles (account_id, position, role)"
    " VALUES ('nobody', 0, 'x')");
constexpr Sql one("SELECT 1 UNION ALL SELECT 2");

std::optional<OpenRefusal> refusal(const std::string& directory) {
  const auto opened = SqliteStore::open(directory);
  if (opened) return std::nullopt;
  EXPECT_NE(opened.error().detail.find(directory), std::string::npos) << "names the path";
  return opened.error().reason;
}

unsigned mode_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

accounts::Account account_of(const std::string& name) {
  accounts::Account account;
  account.id = "id-" + name;
  account.email = account.email_key = name + "@example.com";
  account.roles = {"user"};
  account.password_hash = "$argon2id$hash-of-" + name;
  return account;
}

// Lets a test look at the file beside a store.
std::unique_ptr<Connection> beside(const std::string& directory) {
  auto connection = std::make_unique<Connection>();
  EXPECT_TRUE(connection->open(directory + "/moat.db", 1000)) << connection->failure();
  return connection;
}

TEST(SqliteFiles, AreMadeForThisUserOnlyWhateverTheUmask) {
  const TemporaryDirectory parent;
  const std::string directory = parent.path() + "/deep/data";
  const mode_t before = ::umask(0);
  const auto store = SqliteStore::open(directory);
  ::umask(before);
  ASSERT_TRUE(store) << store.error().detail;
  ASSERT_TRUE((*store)->accounts().create(account_of("ada")));
  EXPECT_EQ(mode_of(directory), 0700u);
  for (const char* name : {"/moat.db", "/moat.db-wal", "/moat.db-shm"}) {
    EXPECT_EQ(mode_of(directory + name), 0600u) << name;
  }
}

TEST(SqliteFiles, AnOpenDirectoryIsRefused) {
  const TemporaryDirectory directory;
  for (const mode_t mode : {0755u, 0750u, 0701u, 0720u}) {
    ASSERT_EQ(::chmod(directory.path().c_str(), mode), 0);
    EXPECT_EQ(refusal(directory.path()), OpenRefusal::insecure_directory) << mode;
  }
  EXPECT_FALSE(fs::exists(directory.path() + "/moat.db")) << "nothing was written";
  ASSERT_EQ(::chmod(directory.path().c_str(), 0700), 0);
  EXPECT_EQ(refusal(directory.path()), std::nullopt);
}

TEST(SqliteFiles, AnOpenFileIsRefused) {
  const TemporaryDirectory directory;
  ASSERT_EQ(refusal(directory.path()), std::nullopt);
  const std::string file = directory.path() + "/moat.db";
  for (const mode_t mode : {0644u, 0640u, 0620u}) {
    ASSERT_EQ(::chmod(file.c_str(), mode), 0);
    EXPECT_EQ(refusal(directory.path()), OpenRefusal::insecure_file) << mode;
  }
  ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  EXPECT_EQ(refusal(directory.path()), std::nullopt);
}

TEST(SqliteFiles, AnOpenWriteAheadLogIsRefused) {
  const TemporaryDirectory directory;
  const auto store = SqliteStore::open(directory.path());
  ASSERT_TRUE((*store)->accounts().create(account_of("ada")));
  ASSERT_EQ(::chmod((directory.path() + "/moat.db-wal").c_str(), 0644), 0);
  EXPECT_EQ(refusal(directory.path()), OpenRefusal::insecure_file);
}

TEST(SqliteFiles, ALinkInPlaceOfTheFileIsRefused) {
  const TemporaryDirectory directory;
  const TemporaryDirectory elsewhere;
  fs::create_symlink(elsewhere.path() + "/target", directory.path() + "/moat.db");
  EXPECT_EQ(refusal(directory.path()), OpenRefusal::insecure_file);
  EXPECT_FALSE(fs::exists(elsewhere.path() + "/target"));
}

TEST(SqliteFiles, AFileInPlaceOfTheDirectoryIsRefused) {
  const TemporaryDirectory directory;
  const std::string file = directory.path() + "/file";
  std::ofstream(file) << "x";
  EXPECT_EQ(refusal(file), OpenRefusal::insecure_directory);
}

TEST(SqliteFiles, WhatIsNoDatabaseIsDamaged) {
  const TemporaryDirectory directory;
  const std::string file = directory.path() + "/moat.db";
  std::ofstream(file) << std::string(8192, 'x');
  ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  EXPECT_EQ(refusal(directory.path()), OpenRefusal::damaged);
}

TEST(SqliteFiles, AnotherProgramsDatabaseIsLeftAlone) {
  const TemporaryDirectory directory;
  const std::string file = directory.path() + "/moat.db";
  std::ofstream(file).close();
  ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  beside(directory.path())->run(create_foreign_table);
  std::ostringstream before;
  before << std::ifstream(file).rdbuf();
  EXPECT_EQ(refusal(directory.path()), OpenRefusal::foreign_file);
  std::ostringstream after;
  after << std::ifstream(file).rdbuf();
  EXPECT_EQ(before.str(), after.str());
}

TEST(SqliteSchema, ANewerOneIsRefused) {
  const TemporaryDirectory directory;
  ASSERT_EQ(refusal(directory.path()), std::nullopt);
  beside(directory.path())->run(claim_newer_schema);
  EXPECT_EQ(refusal(directory.path()), OpenRefusal::newer_schema);
}

TEST(SqliteSchema, IsMadeOnceAlsoWhenManyStartTogether) {
  const TemporaryDirectory directory;
  std::vector<std::thread> threads;
  std::atomic<int> opened = 0;
  std::latch together(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      together.arrive_and_wait();
      const auto store = SqliteStore::open(directory.path());
      EXPECT_TRUE(store) << store.error().detail;
      if (store) ++opened;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(opened, 8);
  EXPECT_EQ(beside(directory.path())->number(schema_rows),
            static_cast<std::int64_t>(sql::migrations.size()));
}

// A writer keeps the file from changing its journal, and SQLite does not wait for it by itself.
TEST(SqliteSchema, WaitsForAProgramThatWritesToTheNewFile) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(prepare_files(directory.path()));
  const auto other = beside(directory.path());
  other->run(sql::begin_write);
  ASSERT_FALSE(other->failed());
  SqliteOptions options;
  options.busy = std::chrono::milliseconds{10};
  const auto refused = SqliteStore::open(directory.path(), options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, OpenRefusal::unavailable) << "but not for ever";

  std::thread releasing([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    other->run(sql::rollback);
  });
  const auto opened = SqliteStore::open(directory.path());
  releasing.join();
  EXPECT_TRUE(opened) << opened.error().detail;
}

TEST(SqliteSchema, IsMigratedWhollyOrNotAtAll) {
  constexpr std::array first = {Sql("CREATE TABLE a (x INTEGER) STRICT;")};
  constexpr std::array broken = {Sql("CREATE TABLE a (x INTEGER) STRICT;"),
                                 Sql("CREATE TABLE b (x INTEGER) STRICT;"),
                                 Sql("CREATE TABLE c (x INTEGER) STRICT; CREATE TABLE a (x);")};
  constexpr std::array repaired = {Sql("CREATE TABLE a (x INTEGER) STRICT;"),
                                   Sql("CREATE TABLE b (x INTEGER) STRICT;")};
  const TemporaryDirectory directory;
  const auto path = prepare_files(directory.path());
  ASSERT_TRUE(path);
  const auto connection = beside(directory.path());
  ASSERT_TRUE(migrate(*connection, *path, first));
  EXPECT_EQ(connection->number(schema_rows), 1);
  EXPECT_FALSE(migrate(*connection, *path, broken));
  EXPECT_FALSE(connection->in_transaction());
  EXPECT_EQ(connection->number(schema_rows), 1) << "version 2 went with version 3";
  ASSERT_TRUE(migrate(*connection, *path, repaired)) << "no table b was left behind";
  EXPECT_EQ(connection->number(schema_rows), 2);
  ASSERT_TRUE(migrate(*connection, *path, repaired)) << "nothing to do";
  EXPECT_EQ(connection->number(schema_rows), 2);
  EXPECT_EQ(migrate(*connection, *path, first).error().reason, OpenRefusal::newer_schema);
}

TEST(SqliteSchema, SessionsOfTheFirstVersionAreBrowsers) {
  constexpr Sql old_session(
      "INSERT INTO sessions (id, user_id, token_hash, generation, started_at, rotated_at,"
      " expires_at, ends_at, idle_seconds, address, user_agent, exchanges)"
      " VALUES ('old', 'ada', zeroblob(32), 3, 1, 2, 9000000, 9000000, 4, '', '', '')");
  const TemporaryDirectory directory;
  const auto path = prepare_files(directory.path());
  ASSERT_TRUE(path);
  {
    const auto connection = beside(directory.path());
    ASSERT_TRUE(migrate(*connection, *path, std::span(sql::migrations).first(1)));
    EXPECT_EQ(connection->run(old_session), 1);
  }
  const auto opened = SqliteStore::open(directory.path());
  ASSERT_TRUE(opened);
  const auto found = (*opened)->sessions().find("old");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->kind, session::Kind::browser);
  EXPECT_EQ((*found)->scopes, "");
  EXPECT_EQ((*found)->generation, 3U);
}

TEST(SqliteSchema, SessionsOfTheFirstVersionMayBeNamedAndTold) {
  constexpr Sql old_session(
      "INSERT INTO sessions (id, user_id, token_hash, generation, started_at, rotated_at,"
      " expires_at, ends_at, idle_seconds, address, user_agent, exchanges)"
      " VALUES ('old', 'ada', zeroblob(32), 3, 1, 2, 9000000, 9000000, 4, '', 'curl', '')");
  const TemporaryDirectory directory;
  const auto path = prepare_files(directory.path());
  ASSERT_TRUE(path);
  {
    const auto connection = beside(directory.path());
    ASSERT_TRUE(migrate(*connection, *path, std::span(sql::migrations).first(1)));
    ASSERT_EQ(connection->run(old_session), 1);
  }
  const auto opened = SqliteStore::open(directory.path());
  ASSERT_TRUE(opened);
  session::Store& sessions = (*opened)->sessions();
  const Time now = from_unix_seconds(5);
  EXPECT_TRUE(sessions.rename("old", "ada", "Old").value());
  const auto listed = sessions.list("ada", now).value();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].name, "Old");
  EXPECT_TRUE(sessions.revoke_reused("old", "ada", now).value());
  const auto notices = sessions.notices("ada").value();
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(notices[0].user_agent, "curl");
}

TEST(SqliteSchema, KeepsWhatIsStoredWhenOpenedAgain) {
  const TemporaryDirectory directory;
  {
    const auto store = SqliteStore::open(directory.path());
    ASSERT_TRUE((*store)->accounts().create(account_of("ada")));
  }
  const auto store = SqliteStore::open(directory.path());
  ASSERT_TRUE(store);
  EXPECT_EQ(*(*store)->accounts().find_by_id("id-ada"), account_of("ada"));
}

TEST(SqliteSettings, AreTheSafeOnes) {
  const TemporaryDirectory directory;
  ASSERT_EQ(refusal(directory.path()), std::nullopt);
  const auto connection = beside(directory.path());
  {
    Query mode = connection->query(journal_mode);
    ASSERT_TRUE(mode.next());
    EXPECT_EQ(mode.text(0), "wal");
  }
  EXPECT_EQ(connection->number(synchronous), 2) << "FULL";
  EXPECT_EQ(connection->number(foreign_keys), 1);
  EXPECT_EQ(connection->number(secure_delete), 1);
  EXPECT_EQ(connection->number(trusted_schema), 0);
}

TEST(SqliteSettings, TablesAreStrictAndKeysForeign) {
  const TemporaryDirectory directory;
  ASSERT_EQ(refusal(directory.path()), std::nullopt);
  const auto connection = beside(directory.path());
  connection->run(wrong_type);
  EXPECT_EQ(connection->failure_code(), SQLITE_CONSTRAINT_DATATYPE);
  connection->clear_failure();
  connection->run(orphan);
  EXPECT_EQ(connection->failure_code(), SQLITE_CONSTRAINT_FOREIGNKEY);
  connection->clear_failure();
  EXPECT_FALSE(connection->exists(double_quoted));
  EXPECT_TRUE(connection->failed()) << "a misspelled column is no text";
}

TEST(SqliteConnection, FailureStaysUntilItIsLookedAt) {
  const TemporaryDirectory directory;
  ASSERT_EQ(refusal(directory.path()), std::nullopt);
  const auto connection = beside(directory.path());
  EXPECT_FALSE(connection->exists(no_such_table));
  EXPECT_TRUE(connection->failed());
  EXPECT_FALSE(connection->exists(one)) << "nothing runs after a failure";
  connection->clear_failure();
  EXPECT_TRUE(connection->exists(one));
}

TEST(SqliteConnection, AStatementInsideItselfFails) {
  const TemporaryDirectory directory;
  ASSERT_EQ(refusal(directory.path()), std::nullopt);
  const auto connection = beside(directory.path());
  Query outer = connection->query(one);
  ASSERT_TRUE(outer.next());
  EXPECT_FALSE(connection->exists(one));
  EXPECT_EQ(connection->failure_code(), SQLITE_MISUSE);
}

TEST(SqliteDatabase, AReaderCannotWrite) {
  const TemporaryDirectory directory;
  const auto database = Database::open(directory.path(), {});
  ASSERT_TRUE(database);
  const auto outcome =
      (*database)->read([](Connection& connection) -> Result<int, accounts::StoreError> {
        connection.run(sql::delete_setup_token);
        return 1;
      });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error(), accounts::StoreError::unavailable);
}

TEST(SqliteDatabase, AReaderSeesWhatIsCommittedWhileAWriteIsOpen) {
  const TemporaryDirectory directory;
  const auto store = SqliteStore::open(directory.path());
  ASSERT_TRUE((*store)->accounts().create(account_of("ada")));
  const auto other = beside(directory.path());
  other->run(sql::begin_write);
  other->run(sql::set_disabled, std::string_view("id-ada"), true);
  const auto seen = (*store)->accounts().find_by_id("id-ada");
  ASSERT_TRUE(seen) << "does not wait";
  EXPECT_FALSE(seen->disabled);
  other->run(sql::commit);
  EXPECT_FALSE(other->failed());
  EXPECT_TRUE((*store)->accounts().find_by_id("id-ada")->disabled);
}

TEST(SqliteDatabase, AnotherProcessThatHoldsTheLockMakesWritesUnavailable) {
  const TemporaryDirectory directory;
  SqliteOptions options;
  options.busy = std::chrono::milliseconds{10};
  const auto store = SqliteStore::open(directory.path(), options);
  const auto other = beside(directory.path());
  other->run(sql::begin_write);
  EXPECT_EQ((*store)->accounts().create(account_of("ada")).error(),
            accounts::StoreError::unavailable);
  other->run(sql::rollback);
  EXPECT_TRUE((*store)->accounts().create(account_of("ada"))) << "and not for ever";
}

TEST(SqliteStoreSweep, DeletesWhatIsOver) {
  const TemporaryDirectory directory;
  const auto store = SqliteStore::open(directory.path());
  const Time now = from_unix_seconds(1'800'000'000);
  ASSERT_TRUE((*store)->accounts().create(account_of("ada")));
  ASSERT_TRUE((*store)->accounts().remember_device("id-ada", sha256("1"), now, 3));
  session::Record record;
  record.id = "s";
  record.user_id = "id-ada";
  record.expires_at = now - std::chrono::hours{24};
  ASSERT_TRUE((*store)->sessions().create(record));
  EXPECT_EQ(*(*store)->sweep(now - std::chrono::seconds{1}), 0u);
  EXPECT_EQ(*(*store)->sweep(now + std::chrono::seconds{1}), 2u);
  EXPECT_TRUE((*store)->accounts().find_by_id("id-ada")) << "accounts are for good";
}

// What was deleted is overwritten, not merely unlinked.
TEST(SqliteStoreSecrets, ADeletedSessionIsGoneFromTheFileAfterACheckpoint) {
  const TemporaryDirectory directory;
  const auto content = [&directory] {
    std::ostringstream bytes;
    bytes << std::ifstream(directory.path() + "/moat.db").rdbuf();
    return bytes.str();
  };
  {
    const auto store = SqliteStore::open(directory.path());
    for (int i = 0; i < 40; ++i) {
      session::Record record;
      record.id = std::to_string(i);
      record.user_agent = "Telltale/" + record.id + std::string(200, 'x');
      ASSERT_TRUE((*store)->sessions().create(record));
    }
  }  // the last connection that closes checkpoints
  ASSERT_NE(content().find("Telltale"), std::string::npos);
  {
    const auto store = SqliteStore::open(directory.path());
    ASSERT_EQ(*(*store)->sessions().delete_expired(from_unix_seconds(1)), 40u);
  }
  EXPECT_EQ(content().find("Telltale"), std::string::npos);
}

}  // namespace
}  // namespace moat::store
