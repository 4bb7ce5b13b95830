// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests only.

#include <atomic>
#include <map>
#include <mutex>

#include "moat/acme/storage.h"

namespace moat::acme::testing {

class MemoryStorage final : public Storage {
 public:
  Result<std::optional<Secret>, std::string> read(const std::string& name) const override {
    const std::lock_guard lock(mutex_);
    const auto found = content_.find(name);
    if (found == content_.end()) return std::optional<Secret>();
    return std::optional<Secret>(found->second.clone());
  }
  Result<void, std::string> write(const std::string& name, const Secret& content) override {
    const std::lock_guard lock(mutex_);
    content_.insert_or_assign(name, content.clone());
    return {};
  }
  Result<std::unique_ptr<Lock>, std::string> try_lock() override {
    if (held_.exchange(true)) return std::unique_ptr<Lock>();
    return std::unique_ptr<Lock>(new Held(held_));
  }

 private:
  class Held final : public Lock {
   public:
    explicit Held(std::atomic<bool>& held) : held_(held) {}
    ~Held() override { held_ = false; }

   private:
    std::atomic<bool>& held_;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Secret> content_;
  std::atomic<bool> held_{false};
};

}  // namespace moat::acme::testing
