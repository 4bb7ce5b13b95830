// SPDX-License-Identifier: Apache-2.0
// Many callers, one sync; one caller's failure is its own.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "moat/store/internal/database.h"
#include "moat/store/internal/temporary_directory.h"
#include "moat/store/sqlite_store.h"

namespace moat::store {
namespace {

constexpr Sql make_table("CREATE TABLE items (name TEXT PRIMARY KEY, filler BLOB) STRICT");
constexpr Sql insert("INSERT INTO items (name) VALUES (?1)");
constexpr Sql insert_large("INSERT INTO items (name, filler) VALUES (?1, zeroblob(?2))");
constexpr Sql count("SELECT count(*) FROM items");
constexpr Sql page_limit("PRAGMA max_page_count = 20");
constexpr Sql no_page_limit("PRAGMA max_page_count = 1000000");
constexpr Sql end_transaction("ROLLBACK");

// Lets one thread hold up another.
class Gate {
 public:
  void open() {
    {
      const std::lock_guard lock(mutex_);
      open_ = true;
    }
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

class WriterTest : public ::testing::Test {
 protected:
  void start(const Writer::Limits& limits = {}) {
    const auto path = prepare_files(directory.path());
    ASSERT_TRUE(path);
    auto writing = std::make_unique<Connection>();
    ASSERT_TRUE(writing->open(*path, 1000));
    ASSERT_TRUE(migrate(*writing, *path));
    writing->run(make_table);
    ASSERT_FALSE(writing->failed());
    ASSERT_TRUE(reading.open(*path, 1000));
    writer = std::make_unique<Writer>(std::move(writing), limits);
  }
  std::int64_t stored() { return reading.number(count); }

  // Runs each step from a thread of its own, all of them in the transaction behind the one that
  // blocks; their outcomes in the order they were queued.
  template <class... Steps>
  std::vector<Writer::Outcome> run_together(Steps... steps) {
    Gate entered;
    Gate leave;
    std::thread blocker([&] {
      const auto outcome = writer->run([&](Connection&) {
        entered.open();
        leave.wait();
        return true;
      });
      EXPECT_EQ(outcome, Writer::Outcome::committed);
    });
    entered.wait();
    const auto before = writer->counts().transactions;
    std::vector<Writer::Outcome> outcomes(sizeof...(steps));
    std::vector<std::thread> threads;
    std::size_t position = 0;
    const auto enqueue = [&](auto step) {
      const std::size_t index = position++;
      threads.emplace_back([&outcomes, index, step, this] { outcomes[index] = writer->run(step); });
      while (writer->waiting() < position) std::this_thread::yield();
    };
    (enqueue(steps), ...);
    leave.open();
    blocker.join();
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(writer->counts().transactions, before + 1) << "they share one";
    return outcomes;
  }

  TemporaryDirectory directory;
  Connection reading;
  std::unique_ptr<Writer> writer;
};

auto insert_named(std::string name) {
  return [name](Connection& connection) {
    connection.run(insert, name);
    return true;
  };
}

using Outcomes = std::vector<Writer::Outcome>;
constexpr auto committed = Writer::Outcome::committed;
constexpr auto refused = Writer::Outcome::refused;
constexpr auto failed = Writer::Outcome::failed;

TEST_F(WriterTest, StepsThatWaitShareATransaction) {
  start();
  EXPECT_EQ(run_together(insert_named("a"), insert_named("b"), insert_named("c")),
            (Outcomes{committed, committed, committed}));
  EXPECT_EQ(stored(), 3);
}

TEST_F(WriterTest, AStatementThatFailsIsItsOwnCallersFailure) {
  start();
  const auto half = [](Connection& connection) {
    connection.run(insert, std::string_view("half"));
    connection.run(insert, std::string_view("a"));  // taken
    return true;
  };
  EXPECT_EQ(run_together(insert_named("a"), half, insert_named("c")),
            (Outcomes{committed, failed, committed}));
  EXPECT_EQ(stored(), 2) << "half a step is no step";
}

TEST_F(WriterTest, AStepThatRefusesTakesItsOwnChangesBack) {
  start();
  const auto change_of_mind = [](Connection& connection) {
    connection.run(insert, std::string_view("b"));
    return false;
  };
  EXPECT_EQ(run_together(insert_named("a"), change_of_mind, insert_named("b")),
            (Outcomes{committed, refused, committed}));
  EXPECT_EQ(stored(), 2);
}

TEST_F(WriterTest, ALostTransactionFailsEveryStepInIt) {
  start();
  const auto lose_it = [](Connection& connection) {
    connection.run(insert, std::string_view("b"));
    connection.run(end_transaction);  // as SQLite does by itself when it must
    return true;
  };
  const auto refuse = [](Connection&) { return false; };
  EXPECT_EQ(run_together(insert_named("a"), refuse, lose_it, insert_named("c")),
            (Outcomes{failed, failed, failed, failed}));
  EXPECT_EQ(stored(), 0);
  EXPECT_EQ(writer->run(insert_named("d")), committed) << "the next one works";
  EXPECT_EQ(stored(), 1);
}

TEST_F(WriterTest, AFullDiskIsAFailureAndNotTheEnd) {
  start();
  EXPECT_EQ(writer->run([](Connection& connection) {
    connection.run(page_limit);
    return true;
  }),
            committed);
  EXPECT_EQ(writer->run(insert_named("a")), committed);
  EXPECT_EQ(writer->run([](Connection& connection) {
    connection.run(insert_large, std::string_view("b"), 10'000'000);
    return true;
  }),
            failed);
  EXPECT_EQ(stored(), 1);
  EXPECT_EQ(writer->run([](Connection& connection) {
    connection.run(no_page_limit);
    connection.run(insert_large, std::string_view("b"), 100'000);
    return true;
  }),
            committed);
  EXPECT_EQ(stored(), 2);
}

TEST_F(WriterTest, AFullQueueFailsAtOnce) {
  start({1, 256});
  Gate entered;
  Gate leave;
  std::thread blocker([&] {
    EXPECT_EQ(writer->run([&](Connection&) {
      entered.open();
      leave.wait();
      return true;
    }),
              committed);
  });
  entered.wait();
  std::thread waiter([&] { EXPECT_EQ(writer->run(insert_named("a")), committed); });
  while (writer->waiting() < 1) std::this_thread::yield();
  EXPECT_EQ(writer->run(insert_named("b")), failed);
  leave.open();
  blocker.join();
  waiter.join();
  EXPECT_EQ(stored(), 1);
  EXPECT_EQ(writer->run(insert_named("b")), committed) << "there is room again";
}

TEST_F(WriterTest, ABatchIsBounded) {
  start({1024, 2});
  std::vector<std::thread> threads;
  for (int i = 0; i < 10; ++i) {
    threads.emplace_back(
        [&, i] { EXPECT_EQ(writer->run(insert_named(std::to_string(i))), committed); });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(stored(), 10);
  EXPECT_EQ(writer->counts().steps, 10u);
  EXPECT_GE(writer->counts().transactions, 5u);
}

TEST_F(WriterTest, WhatIsQueuedIsDoneBeforeTheEnd) {
  start();
  Gate entered;
  Gate leave;
  std::thread blocker([&] {
    EXPECT_EQ(writer->run([&](Connection&) {
      entered.open();
      leave.wait();
      return true;
    }),
              committed);
  });
  entered.wait();
  std::thread waiter([&] { EXPECT_EQ(writer->run(insert_named("a")), committed); });
  while (writer->waiting() < 1) std::this_thread::yield();
  leave.open();
  writer.reset();
  blocker.join();
  waiter.join();
  EXPECT_EQ(stored(), 1);
}

accounts::Account account_of(const std::string& name) {
  accounts::Account account;
  account.id = "id-" + name;
  account.email = account.email_key = name + "@example.com";
  account.roles = {"user"};
  account.password_hash = "hash";
  return account;
}

class ConcurrentStore : public ::testing::Test {
 protected:
  static constexpr int callers = 8;
  // Runs `each(caller)` on threads of their own and waits.
  template <class Each>
  void together(Each each) {
    std::vector<std::thread> threads;
    for (int caller = 0; caller < callers; ++caller) {
      threads.emplace_back([&each, caller] { each(caller); });
    }
    for (auto& thread : threads) thread.join();
  }
  TemporaryDirectory directory;
  Result<std::unique_ptr<SqliteStore>, OpenError> opened = SqliteStore::open(directory.path());
  SqliteStore& store = **opened;
};

TEST_F(ConcurrentStore, OneAddressGoesToOneCaller) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> won = 0;
    std::atomic<int> taken = 0;
    together([&](int caller) {
      auto account = account_of("ada" + std::to_string(round));
      account.id += "-" + std::to_string(caller);
      const auto created = store.accounts().create(account);
      if (created) {
        ++won;
      } else if (created.error() == accounts::StoreError::email_taken) {
        ++taken;
      }
    });
    EXPECT_EQ(won, 1);
    EXPECT_EQ(taken, callers - 1);
  }
}

TEST_F(ConcurrentStore, OneGenerationIsRotatedByOneCaller) {
  session::Record record;
  record.id = "s";
  record.user_id = "u";
  ASSERT_TRUE(store.sessions().create(record));
  for (std::uint32_t generation = 0; generation < 20; ++generation) {
    std::atomic<int> rotated = 0;
    together([&](int caller) {
      session::Rotation rotation;
      rotation.expected_generation = generation;
      rotation.token_hash = sha256(std::to_string(caller));
      const auto outcome = store.sessions().rotate("s", rotation);
      if (outcome && *outcome == session::RotateOutcome::rotated) ++rotated;
    });
    EXPECT_EQ(rotated, 1);
  }
  EXPECT_EQ((*store.sessions().find("s"))->generation, 20u);
}

TEST_F(ConcurrentStore, OneCallerBecomesTheFirstAdmin) {
  ASSERT_TRUE(store.accounts().put_setup_token(sha256("t"), from_unix_seconds(10)));
  std::atomic<int> won = 0;
  together([&](int caller) {
    auto account = account_of(std::to_string(caller));
    account.roles = {"user", "admin"};
    if (store.accounts().create_first_admin(sha256("t"), from_unix_seconds(1), account)) ++won;
  });
  EXPECT_EQ(won, 1);
  EXPECT_EQ(*store.accounts().count_admins(), 1u);
}

TEST_F(ConcurrentStore, TheLastAdminSurvivesARace) {
  for (const char* name : {"a", "b"}) {
    auto account = account_of(name);
    account.roles = {"admin"};
    ASSERT_TRUE(store.accounts().create(account));
  }
  together([&](int caller) {
    const char* id = caller % 2 == 0 ? "id-a" : "id-b";
    [[maybe_unused]] const auto ignored = store.accounts().set_roles(id, {"user"});
  });
  EXPECT_EQ(*store.accounts().count_admins(), 1u);
}

TEST_F(ConcurrentStore, ReadersAndWritersMix) {
  together([&](int caller) {
    for (int i = 0; i < 25; ++i) {
      const auto account = account_of(std::to_string(caller) + "-" + std::to_string(i));
      ASSERT_TRUE(store.accounts().create(account));
      const auto back = store.accounts().find_by_email_key(account.email_key);
      ASSERT_TRUE(back) << "a caller reads what it wrote";
      EXPECT_EQ(*back, account);
    }
  });
  EXPECT_EQ(store.accounts().list("", 1000)->size(), 200u);
  EXPECT_EQ(store.counts().writes, 200u);
}

}  // namespace
}  // namespace moat::store
