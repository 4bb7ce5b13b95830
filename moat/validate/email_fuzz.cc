// SPDX-License-Identifier: Apache-2.0
// Addresses: whatever is taken reads the same again and carries nothing that leaves its place.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "moat/base/encoding.h"
#include "moat/validate/email.h"
#include "moat/validate/strings.h"

void fuzz(std::span<const std::uint8_t> input) {
  using namespace moat::validate;
  if (input.empty()) return;
  EmailOptions options;
  options.allow_dotless_domain = (input[0] & 1) != 0;
  options.allow_utf8_local_part = (input[0] & 2) != 0;
  options.allow_idn_domain = (input[0] & 4) != 0;
  const std::string_view text(reinterpret_cast<const char*>(input.data()) + 1, input.size() - 1);
  (void)is_url(text);
  (void)is_safe_link(text);
  (void)is_plain_line(text);
  const auto email = Email::parse(text, options);
  if (!email) return;
  const auto again = Email::parse(email->canonical(), options);
  if (!again || again->canonical() != email->canonical() || !(*again == *email)) std::abort();
  const auto& out = email->canonical();
  if (out.size() > 254 || out.find_first_of("\r\n\"<>`\\ ") != std::string::npos) std::abort();
  if (out.find('\0') != std::string::npos || !moat::is_valid_utf8(out)) std::abort();
  if (!is_email(text, options) || (is_email(text) && !(*Email::parse(text) == *email)))
    std::abort();
  if (!is_fqdn(email->domain(), {.allow_dotless = true})) std::abort();
  if (email->local_part().empty() || email->domain().empty()) std::abort();
}
