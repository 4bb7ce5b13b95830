// SPDX-License-Identifier: Apache-2.0
// Telephone numbers: whatever is taken is spelled by E.164 and reads the same again.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "moat/phone/phone.h"

void fuzz(std::span<const std::uint8_t> input) {
  using namespace moat::phone;
  if (input.empty()) return;
  PhoneNumberOptions options;
  options.allow_separators = (input[0] & 1) != 0;
  if ((input[0] & 2) != 0) options.allow_national_in = "DE";
  const std::string_view text(reinterpret_cast<const char*>(input.data()) + 1, input.size() - 1);
  const auto number = PhoneNumber::parse(text, options);
  if (!number) return;
  const auto& e164 = number->e164();
  // libphonenumber knows plans with more digits than the 15 of E.164, toll-free ones for example.
  if (e164.size() < 5 || e164.size() > 18 || e164[0] != '+') std::abort();
  if (e164.find_first_not_of("0123456789", 1) != std::string::npos) std::abort();
  const auto again = PhoneNumber::parse(e164);
  if (!again || !(*again == *number) || again->kind() != number->kind()) std::abort();
}
