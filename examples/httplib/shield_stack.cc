// SPDX-License-Identifier: Apache-2.0
#include "shield_stack.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <thread>

#include "moat/sources/files.h"

using namespace moat;

namespace {

// The secret in a file of mode 0600, made on the first run.
Result<Secret, std::string> load_or_make(const std::string& path,
                                         const std::function<Secret()>& make) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd >= 0) {
    const Secret made = make();
    const auto size = static_cast<ssize_t>(made.size());
    const bool written = ::write(fd, made.reveal().data(), made.size()) == size && ::fsync(fd) == 0;
    if (::close(fd) != 0 || !written) {
      ::unlink(path.c_str());
      return Error{path + " cannot be written"};
    }
  }
  auto read = sources::read_secret_file(path);
  if (!read) return Error{read.error().to_string()};
  return std::move(*read);
}

session::Options session_options() { return {}; }

std::chrono::seconds access_life() {
  return session_options().lifetimes.access + session_options().skew;
}

net::WorkerPool::Options hash_threads() {
  net::WorkerPool::Options options;
  options.threads = std::max(1U, std::thread::hardware_concurrency());
  options.queue = 4 * options.threads;
  options.nice = 10;  // hashing takes what the requests leave
  options.name = "hash";
  return options;
}

accounts::Options account_options() {
  accounts::Options options;
  options.signup = accounts::Options::Signup::open;
  options.site_words = {"guestbook"};
  return options;
}

}  // namespace

Result<std::unique_ptr<ShieldStack>, std::string> ShieldStack::open(const Options& options,
                                                                    const Log& log) {
  ::mkdir(options.directory.c_str(), 0700);
  auto store = store::SqliteStore::open(options.directory + "/store");
  if (!store) return Error{store.error().detail};
  const Time now = system_clock().now();
  jwt::KeyRing::Options ring;
  ring.overlap = session_options().lifetimes.absolute + std::chrono::hours{1};
  auto text = load_or_make(options.directory + "/session_keys.json", [&] {
    auto made = jwt::KeyRing::create(jwt::Algorithm::hs256, system_random(), now, ring);
    return made ? made->to_json() : Secret();
  });
  if (!text) return Error{text.error()};
  auto keys = jwt::KeyRing::from_json(*text, ring);
  if (!keys) return Error{std::string("session_keys.json cannot be read")};
  auto csrf_key = load_or_make(options.directory + "/csrf.key", [] {
    std::string token = system_random().token();
    return Secret::take(token);
  });
  if (!csrf_key) return Error{csrf_key.error()};
  Opened opened{std::move(*store), std::move(*keys), std::move(*csrf_key)};
  std::unique_ptr<ShieldStack> stack(new ShieldStack(std::move(opened), options, log));
  if (!stack->sessions_.sync_revocations(now)) return Error{std::string("the store is silent")};
  return stack;
}

ShieldStack::ShieldStack(Opened opened, const Options& options, const Log& log)
    : opened_(std::move(opened)),
      hasher_(password::Hasher::standard(system_random())),
      hash_threads_(hash_threads()),
      hashes_(hasher_, hash_threads_),
      accounts_(opened_.store->accounts(), hashes_, password_policy_, system_random(),
                account_options()),
      revocations_(access_life()),
      sessions_(opened_.store->sessions(), revocations_, opened_.session_keys, session_options(),
                system_random()),
      users_(opened_.store->accounts()),
      tokens_(HmacKey(opened_.csrf_key.reveal())) {
  shield::Shield::Options walk;  // answers to localhost; name your hosts here
  walk.general = options.limit;
  shield_ = std::make_unique<shield::Shield>(
      shield::Shield::Services{sessions_, revocations_, users_, requests_}, walk);
  shield::AuthApi::Options auth;
  auth.signup_limit = limit::Policy::parse("30/hour/ip").value_or(limit::Policy());
  auth_ = std::make_unique<shield::AuthApi>(
      shield::AuthApi::Services{*shield_, sessions_, accounts_, opened_.store->accounts(), guard_,
                                signups_, tokens_, system_random(), log},
      auth);
}
