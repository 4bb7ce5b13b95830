// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/clock.h"

namespace moat::accounts {

inline constexpr std::string_view user_role = "user";
inline constexpr std::string_view admin_role = "admin";

// A role is spelled with a-z, 0-9, '-' and '_', 1 to 32 of them, so that a list of roles can stand
// in a header.
[[nodiscard]] bool is_valid_role(std::string_view role);

// Account is what is stored about one person. It carries the password's hash: never serialise it
// whole.
struct Account {
  std::string id;     // 128 random bits in base64url (22 characters); says nothing about the person
  std::string email;  // as the person spelled it, validated
  std::string email_key;  // what makes it unique: validate::Email's lookup key
  std::vector<std::string> roles;
  Time created_at{};
  std::string password_hash;  // a PHC string
  Time password_changed_at{};
  bool disabled = false;

  bool has_role(std::string_view role) const {
    return std::find(roles.begin(), roles.end(), role) != roles.end();
  }
  bool operator==(const Account&) const = default;
};

}  // namespace moat::accounts
