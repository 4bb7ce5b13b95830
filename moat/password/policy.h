// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "moat/base/result.h"

namespace moat::password {

// Whether the account cannot be entered without a second factor.
enum class SecondFactor { none, enforced };

// Why a new password was not taken. sentence() says it to the user.
enum class PolicyRefusal {
  too_short,
  too_long,
  invalid_utf8,
  common,      // on the list of common passwords, also when repeated, respelled or padded
  context,     // made of the user's own e-mail address or of the site's words
  repetitive,  // little but one text repeated
  sequence     // little but runs such as 12345 or qwerty
};
// The stable code, such as "too_short".
std::string_view to_string(PolicyRefusal refusal);

struct PolicyOptions {
  std::size_t min_code_points = 15;        // NIST SP 800-63B-4 section 3.1.1.2; floor 8
  std::size_t min_with_second_factor = 8;  // where the account enforces one; floor 8
  std::size_t max_bytes = 1024;            // floor 256: 64 characters of four bytes
};
// Why options were refused at start-up.
enum class OptionsRefusal { min_below_floor, max_below_floor };
std::string_view to_string(OptionsRefusal refusal);

// What an attacker knows of this very account. Compared without regard to ASCII case.
struct Context {
  std::string_view email;                   // empty when there is none
  std::span<const std::string_view> words;  // user name, site name, host, product
};

// Policy says whether a new password may be taken. There are no composition rules; length is
// counted in code points; the bytes are judged and kept exactly as received. Never applied to a
// login.
class Policy final {
 public:
  Policy() = default;
  static Result<Policy, OptionsRefusal> create(const PolicyOptions& options);

  [[nodiscard]] Result<void, PolicyRefusal> check(std::string_view password,
                                                  const Context& context = {},
                                                  SecondFactor factor = SecondFactor::none) const;
  // A plain English sentence with advice, without the password in it.
  std::string sentence(PolicyRefusal refusal, SecondFactor factor = SecondFactor::none) const;
  const PolicyOptions& options() const { return options_; }

 private:
  explicit Policy(const PolicyOptions& options) : options_(options) {}
  PolicyOptions options_;
};

// is_common_password looks `text` up whole, ASCII case ignored, in the list compiled in. A text
// that is not on the list is taken for one once in some millions (the list keeps 40 bits of a hash
// for each entry).
[[nodiscard]] bool is_common_password(std::string_view text);
// How many entries the list has.
std::size_t common_password_count();

}  // namespace moat::password
