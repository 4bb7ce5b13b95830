// SPDX-License-Identifier: Apache-2.0
// How many sign-ups a second are made durable, and how many of them share one sync, as the number
// of callers grows? The hash is left out: it costs a thousand times what is measured here.
//   store_bench DIRECTORY [SECONDS]   (a directory on the disk in question; /tmp may be memory)
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "moat/store/sqlite_store.h"

namespace {

using moat::store::SqliteStore;

void sign_up_until(SqliteStore& store, const std::string& prefix, const std::atomic<bool>& stop,
                   std::atomic<long>& done) {
  for (int i = 0; !stop; ++i) {
    moat::accounts::Account account;
    account.id = prefix + std::to_string(i);
    account.email = account.email_key = account.id + "@example.com";
    account.roles = {"user"};
    account.password_hash = std::string(97, 'h');
    if (store.accounts().create(account)) ++done;
  }
}

void measure(SqliteStore& store, int callers, double seconds) {
  std::atomic<bool> stop = false;
  std::atomic<long> done = 0;
  const auto before = store.counts();
  std::vector<std::thread> threads;
  for (int i = 0; i < callers; ++i) {
    const std::string prefix = std::to_string(callers) + "-" + std::to_string(i) + "-";
    threads.emplace_back([&, prefix] { sign_up_until(store, prefix, stop, done); });
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  stop = true;
  for (auto& thread : threads) thread.join();
  const auto after = store.counts();
  const auto syncs = static_cast<double>(after.transactions - before.transactions);
  std::printf("%3d callers: %8.0f sign-ups/s, %7.0f transactions/s, %5.1f a transaction\n", callers,
              static_cast<double>(done.load()) / seconds, syncs / seconds,
              static_cast<double>(done.load()) / syncs);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: store_bench DIRECTORY [SECONDS]\n", stderr);
    return 2;
  }
  const auto store = SqliteStore::open(argv[1]);
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().detail.c_str());
    return 1;
  }
  const double seconds = argc > 2 ? std::atof(argv[2]) : 3;
  for (const int callers : {1, 4, 16, 64, 256}) measure(**store, callers, seconds);
  return 0;
}
