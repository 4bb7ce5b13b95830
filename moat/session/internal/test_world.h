// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>

#include "moat/session/memory_store.h"
#include "moat/session/session.h"

// What the tests of this room share.
namespace moat::session::internal {

inline constexpr Time test_start{std::chrono::seconds(1'800'000'000)};

// A store that can be made to fail, and into which another node can step between two calls.
class ScriptedStore final : public Store {
 public:
  bool down = false;
  std::function<void()> before_rotate;  // called once

  Result<void, StoreError> create(const Record& record) override {
    if (down) return Error{StoreError::unavailable};
    return store_.create(record);
  }
  Result<std::optional<Record>, StoreError> find(std::string_view id) override {
    if (down) return Error{StoreError::unavailable};
    return store_.find(id);
  }
  Result<RotateOutcome, StoreError> rotate(std::string_view id, const Rotation& rotation) override {
    if (before_rotate) std::exchange(before_rotate, nullptr)();
    if (down) return Error{StoreError::unavailable};
    return store_.rotate(id, rotation);
  }
  Result<bool, StoreError> revoke(std::string_view id, std::string_view user_id,
                                  Time now) override {
    if (down) return Error{StoreError::unavailable};
    return store_.revoke(id, user_id, now);
  }
  Result<bool, StoreError> revoke_reused(std::string_view id, std::string_view user_id,
                                         Time now) override {
    if (down) return Error{StoreError::unavailable};
    return store_.revoke_reused(id, user_id, now);
  }
  Result<std::vector<ReuseNotice>, StoreError> notices(std::string_view user_id) override {
    if (down) return Error{StoreError::unavailable};
    return store_.notices(user_id);
  }
  Result<bool, StoreError> dismiss_notice(std::string_view session_id,
                                          std::string_view user_id) override {
    if (down) return Error{StoreError::unavailable};
    return store_.dismiss_notice(session_id, user_id);
  }
  Result<bool, StoreError> rename(std::string_view id, std::string_view user_id,
                                  std::string_view name) override {
    if (down) return Error{StoreError::unavailable};
    return store_.rename(id, user_id, name);
  }
  Result<std::vector<std::string>, StoreError> revoke_all(std::string_view user_id,
                                                          std::string_view keep,
                                                          Time now) override {
    if (down) return Error{StoreError::unavailable};
    return store_.revoke_all(user_id, keep, now);
  }
  Result<std::vector<Record>, StoreError> list(std::string_view user_id, Time now) override {
    if (down) return Error{StoreError::unavailable};
    return store_.list(user_id, now);
  }
  Result<std::vector<Revocation>, StoreError> revocations_since(Time since) override {
    if (down) return Error{StoreError::unavailable};
    return store_.revocations_since(since);
  }
  Result<std::size_t, StoreError> delete_expired(Time before) override {
    if (down) return Error{StoreError::unavailable};
    return store_.delete_expired(before);
  }

 private:
  MemoryStore store_;
};

class Users final : public UserSource {
 public:
  bool down = false;
  std::map<std::string, User, std::less<>> known{
      {"u1", {"u1", "ada@example.com", {"admin", "user"}}}, {"u2", {"u2", "bob@example.com", {}}}};

  Result<std::optional<User>, StoreError> find_active(std::string_view user_id) override {
    if (down) return Error{StoreError::unavailable};
    const auto found = known.find(user_id);
    if (found == known.end()) return std::optional<User>();
    return std::optional<User>(found->second);
  }
};

inline jwt::KeyRing make_ring() {
  return jwt::KeyRing::create(jwt::Algorithm::hs256, system_random(), test_start, {}).value();
}

// One node: a manager with a revocation list of its own over a store that others may share.
struct Node {
  Node(Store& store, const jwt::KeyRing& ring, const Options& options = {})
      : revocations(std::chrono::seconds(330)),
        manager(store, revocations, ring, options, system_random()) {}
  RevocationList revocations;
  Manager manager;
};

inline const Client test_client{"192.0.2.1", "Browser/1.0"};

}  // namespace moat::session::internal
