// SPDX-License-Identifier: Apache-2.0
// What was acknowledged before a kill is there after it.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "moat/store/internal/temporary_directory.h"
#include "moat/store/sqlite_store.h"

namespace moat::store {
namespace {

constexpr int callers = 4;

// One line a write: "signed-up ID" or "revoked ID", written only after the store has said yes.
// Short lines into a pipe are atomic.
void acknowledge(int pipe, const std::string& what, const std::string& id) {
  const std::string line = what + " " + id + "\n";
  if (::write(pipe, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(3);
}

void keep_writing(SqliteStore& store, const std::string& prefix, int pipe) {
  for (int i = 0;; ++i) {
    const std::string id = prefix + "-" + std::to_string(i);
    accounts::Account account;
    account.id = id;
    account.email = account.email_key = id + "@example.com";
    account.roles = {"user"};
    account.password_hash = "hash of " + id;
    if (!store.accounts().create(account)) ::_exit(4);
    acknowledge(pipe, "signed-up", id);
    session::Record record;
    record.id = id;
    record.user_id = id;
    record.token_hash = sha256(id);
    if (!store.sessions().create(record)) ::_exit(5);
    const auto revoked = store.sessions().revoke(id, id, from_unix_seconds(i + 1));
    if (!revoked || !*revoked) ::_exit(6);
    acknowledge(pipe, "revoked", id);
  }
}

[[noreturn]] void run_child(const std::string& directory, int round, int pipe) {
  auto store = SqliteStore::open(directory);
  if (!store) ::_exit(2);
  std::vector<std::thread> threads;
  for (int caller = 0; caller < callers; ++caller) {
    const std::string prefix = std::to_string(round) + "-" + std::to_string(caller);
    threads.emplace_back([&store, prefix, pipe] { keep_writing(**store, prefix, pipe); });
  }
  for (auto& thread : threads) thread.join();
  ::_exit(7);
}

// Reads until at least one line came and `patience` is over, kills, and reads what is left.
std::string watch_and_kill(pid_t child, int pipe, std::chrono::milliseconds patience) {
  std::string lines;
  std::array<char, 4096> buffer;
  std::thread killer;
  while (true) {
    const ssize_t count = ::read(pipe, buffer.data(), buffer.size());
    if (count <= 0) break;
    lines.append(buffer.data(), static_cast<std::size_t>(count));
    if (!killer.joinable()) {
      killer = std::thread([child, patience] {
        std::this_thread::sleep_for(patience);
        ::kill(child, SIGKILL);
      });
    }
  }
  if (killer.joinable()) killer.join();
  return lines;
}

TEST(Crash, WhatWasAcknowledgedSurvivesAKill) {
  const TemporaryDirectory directory;
  std::mt19937 dice(20261124);
  std::set<std::string> signed_up;
  std::set<std::string> revoked;
  for (int round = 0; round < 6; ++round) {
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipe[0]);
      run_child(directory.path(), round, pipe[1]);
    }
    ::close(pipe[1]);
    const std::chrono::milliseconds patience{5 + static_cast<int>(dice() % 150)};
    std::istringstream lines(watch_and_kill(child, pipe[0], patience));
    ::close(pipe[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "left by itself: " << WEXITSTATUS(status);
    for (std::string what, id; lines >> what >> id;) {
      (what == "revoked" ? revoked : signed_up).insert(id);
    }
    auto store = SqliteStore::open(directory.path());
    ASSERT_TRUE(store) << store.error().detail;
    for (const auto& id : signed_up) {
      const auto account = (*store)->accounts().find_by_id(id);
      ASSERT_TRUE(account) << "round " << round << " lost the account " << id;
      EXPECT_EQ(account->password_hash, "hash of " + id);
      EXPECT_EQ(account->roles, std::vector<std::string>{"user"});
    }
    for (const auto& id : revoked) {
      const auto record = (*store)->sessions().find(id);
      ASSERT_TRUE(record && *record) << "round " << round << " lost the session " << id;
      EXPECT_TRUE((*record)->revoked_at) << "round " << round << " forgot the revocation of " << id;
    }
    EXPECT_EQ((*store)->sessions().revocations_since(Time{})->size() >= revoked.size(), true);
  }
  EXPECT_GT(signed_up.size(), 6u);
  EXPECT_GT(revoked.size(), 0u);
}

}  // namespace
}  // namespace moat::store
