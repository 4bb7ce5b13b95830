// SPDX-License-Identifier: Apache-2.0
#include "moat/accounts/service.h"

namespace moat::accounts {

std::string_view to_string(StoreError error) {
  switch (error) {
    case StoreError::email_taken:
      return "email_taken";
    case StoreError::not_found:
      return "not_found";
    case StoreError::conflict:
      return "conflict";
    case StoreError::admin_exists:
      return "admin_exists";
    case StoreError::last_admin:
      return "last_admin";
    case StoreError::unavailable:
      return "unavailable";
  }
  return "unknown";
}

std::string_view to_string(SignupRefusal::Reason reason) {
  using Reason = SignupRefusal::Reason;
  switch (reason) {
    case Reason::closed:
      return "closed";
    case Reason::invalid_email:
      return "invalid_email";
    case Reason::invalid_role:
      return "invalid_role";
    case Reason::policy:
      return "policy";
    case Reason::email_taken:
      return "email_taken";
    case Reason::invalid_token:
      return "invalid_token";
    case Reason::busy:
      return "busy";
    case Reason::unavailable:
      return "unavailable";
  }
  return "unknown";
}

std::string_view to_string(LoginRefusal reason) {
  switch (reason) {
    case LoginRefusal::wrong_credentials:
      return "wrong_credentials";
    case LoginRefusal::disabled:
      return "disabled";
    case LoginRefusal::unreadable_hash:
      return "unreadable_hash";
    case LoginRefusal::busy:
      return "busy";
    case LoginRefusal::unavailable:
      return "unavailable";
  }
  return "unknown";
}

std::string_view to_string(ChangeRefusal::Reason reason) {
  using Reason = ChangeRefusal::Reason;
  switch (reason) {
    case Reason::wrong_credentials:
      return "wrong_credentials";
    case Reason::policy:
      return "policy";
    case Reason::busy:
      return "busy";
    case Reason::unavailable:
      return "unavailable";
  }
  return "unknown";
}

std::string_view to_string(RolesRefusal refusal) {
  switch (refusal) {
    case RolesRefusal::invalid_role:
      return "invalid_role";
    case RolesRefusal::not_found:
      return "not_found";
    case RolesRefusal::last_admin:
      return "last_admin";
    case RolesRefusal::unavailable:
      return "unavailable";
  }
  return "unknown";
}

}  // namespace moat::accounts
