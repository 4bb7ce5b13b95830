// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "moat/session/key_store.h"

namespace moat::session {

// MemoryKeyStore keeps API keys as long as the process lives: for tests. It is not durable, which
// KeyStore asks for. Thread-safe by one mutex.
class MemoryKeyStore final : public KeyStore {
 public:
  Result<bool, StoreError> create(const KeyRecord& record, std::size_t most, Time now) override;
  Result<std::optional<KeyRecord>, StoreError> find(std::string_view id) override;
  Result<std::vector<KeyRecord>, StoreError> list(std::string_view user_id, Time now) override;
  Result<bool, StoreError> revoke(std::string_view id, std::string_view user_id, Time now) override;
  Result<std::vector<std::string>, StoreError> revoke_all(std::string_view user_id,
                                                          Time now) override;
  Result<std::vector<Revocation>, StoreError> revocations_since(Time since) override;
  Result<void, StoreError> note_uses(std::span<const KeyUse> uses) override;
  Result<std::size_t, StoreError> delete_expired(Time before) override;

 private:
  std::mutex mutex_;
  std::map<std::string, KeyRecord, std::less<>> records_;
};

}  // namespace moat::session
