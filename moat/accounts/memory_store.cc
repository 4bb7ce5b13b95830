// SPDX-License-Identifier: Apache-2.0
#include "moat/accounts/memory_store.h"

#include <algorithm>

namespace moat::accounts {

Result<void, StoreError> MemoryStore::create(const Account& account) {
  if (ids_.contains(account.email_key)) return Error{StoreError::email_taken};
  if (!accounts_.emplace(account.id, account).second) return Error{StoreError::conflict};
  ids_.emplace(account.email_key, account.id);
  return {};
}

Result<Account, StoreError> MemoryStore::find_by_email_key(std::string_view email_key) {
  const auto it = ids_.find(email_key);
  if (it == ids_.end()) return Error{StoreError::not_found};
  return find_by_id(it->second);
}

Result<Account, StoreError> MemoryStore::find_by_id(std::string_view id) {
  const auto it = accounts_.find(id);
  if (it == accounts_.end()) return Error{StoreError::not_found};
  return it->second;
}

Result<std::vector<Account>, StoreError> MemoryStore::list(std::string_view after_id,
                                                           std::size_t limit) {
  std::vector<Account> page;
  for (auto it = accounts_.upper_bound(after_id); it != accounts_.end() && page.size() < limit;
       ++it) {
    page.push_back(it->second);
  }
  return page;
}

Result<void, StoreError> MemoryStore::change_password(std::string_view id,
                                                      std::string_view expected,
                                                      std::string_view next, Time changed_at) {
  if (auto done = upgrade_hash(id, expected, next); !done) return done;
  accounts_.find(id)->second.password_changed_at = changed_at;
  if (const auto it = devices_.find(id); it != devices_.end()) devices_.erase(it);
  return {};
}

Result<void, StoreError> MemoryStore::upgrade_hash(std::string_view id, std::string_view expected,
                                                   std::string_view next) {
  const auto it = accounts_.find(id);
  if (it == accounts_.end()) return Error{StoreError::not_found};
  if (it->second.password_hash != expected) return Error{StoreError::conflict};
  it->second.password_hash = next;
  return {};
}

bool MemoryStore::has_other_admin(std::string_view id) const {
  return std::any_of(accounts_.begin(), accounts_.end(), [id](const auto& entry) {
    return entry.first != id && !entry.second.disabled && entry.second.has_role(admin_role);
  });
}

Result<void, StoreError> MemoryStore::set_roles(std::string_view id,
                                                const std::vector<std::string>& roles) {
  const auto it = accounts_.find(id);
  if (it == accounts_.end()) return Error{StoreError::not_found};
  Account& account = it->second;
  const bool stays_admin = std::find(roles.begin(), roles.end(), admin_role) != roles.end();
  if (account.has_role(admin_role) && !account.disabled && !stays_admin && !has_other_admin(id)) {
    return Error{StoreError::last_admin};
  }
  account.roles = roles;
  return {};
}

Result<void, StoreError> MemoryStore::disable(std::string_view id) {
  const auto it = accounts_.find(id);
  if (it == accounts_.end()) return Error{StoreError::not_found};
  Account& account = it->second;
  if (account.has_role(admin_role) && !account.disabled && !has_other_admin(id)) {
    return Error{StoreError::last_admin};
  }
  account.disabled = true;
  return {};
}

Result<void, StoreError> MemoryStore::enable(std::string_view id) {
  const auto it = accounts_.find(id);
  if (it == accounts_.end()) return Error{StoreError::not_found};
  it->second.disabled = false;
  return {};
}

Result<std::size_t, StoreError> MemoryStore::count_admins() {
  const auto count = std::count_if(accounts_.begin(), accounts_.end(), [](const auto& entry) {
    return entry.second.has_role(admin_role);
  });
  return static_cast<std::size_t>(count);
}

Result<void, StoreError> MemoryStore::put_setup_token(const Digest& token, Time expires_at) {
  if (*count_admins() > 0) return Error{StoreError::admin_exists};
  setup_token_ = {token, expires_at};
  return {};
}

Result<void, StoreError> MemoryStore::check_setup_token(const Digest& token, Time now) {
  if (*count_admins() > 0) return Error{StoreError::admin_exists};
  if (!setup_token_ || setup_token_->first != token || setup_token_->second <= now) {
    return Error{StoreError::not_found};
  }
  return {};
}

Result<void, StoreError> MemoryStore::create_first_admin(const Digest& token, Time now,
                                                         const Account& account) {
  if (auto live = check_setup_token(token, now); !live) return live;
  if (auto done = create(account); !done) return done;
  setup_token_.reset();
  return {};
}

Result<void, StoreError> MemoryStore::remember_device(std::string_view account_id,
                                                      const Digest& device, Time expires_at,
                                                      std::size_t most) {
  if (!accounts_.contains(account_id)) return Error{StoreError::not_found};
  auto& known = devices_[std::string(account_id)];
  known[device] = expires_at;
  while (known.size() > most) {
    known.erase(std::min_element(known.begin(), known.end(),
                                 [](const auto& a, const auto& b) { return a.second < b.second; }));
  }
  return {};
}

Result<bool, StoreError> MemoryStore::knows_device(std::string_view account_id,
                                                   const Digest& device, Time now) {
  const auto known = devices_.find(account_id);
  if (known == devices_.end()) return false;
  const auto it = known->second.find(device);
  return it != known->second.end() && it->second > now;
}

Result<std::size_t, StoreError> MemoryStore::remove_expired(Time now) {
  std::size_t removed = 0;
  if (setup_token_ && setup_token_->second <= now) {
    setup_token_.reset();
    ++removed;
  }
  for (auto& [id, known] : devices_) {
    removed += std::erase_if(known, [now](const auto& entry) { return entry.second <= now; });
  }
  return removed;
}

}  // namespace moat::accounts
