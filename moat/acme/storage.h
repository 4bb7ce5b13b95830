// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "moat/base/result.h"
#include "moat/base/secret.h"

namespace moat::acme {

// Storage keeps named secrets for all who share one certificate: the processes of a machine, or
// several nodes. Errors are sentences for the log and hold nothing of the content. Thread-safe.
class Storage {
 public:
  // Held by one at a time, among all nodes. It ends with this object, and with the process.
  class Lock {
   public:
    Lock() = default;
    Lock(const Lock&) = delete;  // one holder
    Lock& operator=(const Lock&) = delete;
    virtual ~Lock() = default;
  };

  Storage() = default;
  Storage(const Storage&) = delete;  // stands for what is elsewhere
  Storage& operator=(const Storage&) = delete;
  virtual ~Storage() = default;

  // Names are of [a-z0-9.-], at most 64, and do not begin with a dot. None: nothing was kept.
  [[nodiscard]] virtual Result<std::optional<Secret>, std::string> read(
      const std::string& name) const = 0;
  // Replaces what was there, whole or not at all, and lasts. At most 64 KiB.
  [[nodiscard]] virtual Result<void, std::string> write(const std::string& name,
                                                        const Secret& content) = 0;
  // Null: another has it. Readers and writers do not wait for whoever holds it.
  [[nodiscard]] virtual Result<std::unique_ptr<Lock>, std::string> try_lock() = 0;
};

}  // namespace moat::acme
