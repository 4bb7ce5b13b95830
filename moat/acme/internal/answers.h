// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal: what a CA's answers say, and the saved state. A CA is believed no more than any peer:
// strict JSON, bounded, and only URLs of https.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/acme/messages.h"
#include "moat/base/secret.h"

namespace moat::acme {

// RFC 8555 section 7.1.1.
struct Directory {
  std::string new_nonce, new_account, new_order, revoke_certificate, renewal_info;
  std::string terms;
  std::vector<std::string> profiles;
  bool needs_external_account = false;
};

// Of orders and authorizations (section 7.1.6). An authorization that was deactivated, expired or
// revoked is as good as an invalid one.
enum class Status { pending, ready, processing, valid, invalid };

struct OrderAnswer {
  Status status = Status::invalid;
  std::vector<std::string> authorizations;
  std::string finalize;
  std::string certificate;
  Problem problem;
};

struct OfferedChallenge {
  ChallengeType type = ChallengeType::http_01;
  std::string url;
  std::string token;
  Problem problem;
};

struct AuthorizationAnswer {
  Status status = Status::invalid;
  std::string name;
  std::vector<OfferedChallenge> challenges;  // of the types that are known here
  Problem problem_of(ChallengeType type) const;
  Problem any_problem() const;
};

std::optional<Directory> read_directory(std::string_view body);
std::optional<OrderAnswer> read_order(std::string_view body);
std::optional<AuthorizationAnswer> read_authorization(std::string_view body);
bool is_account_usable(std::string_view body);
Problem read_problem(const HttpResponse& response);

// https, a host, printable ASCII, at most 2048 bytes.
bool is_usable_url(std::string_view url);
bool is_base64url(std::string_view text);  // 1 to 256 characters

// An order that is under way.
struct Saved {
  std::string order_url;
  Secret key;  // PEM
  std::vector<std::string> names;
  std::string directory;
};
// One line of JSON, and the key behind it.
Secret write_saved(const Saved& saved);
std::optional<Saved> read_saved(std::string_view text);

}  // namespace moat::acme
