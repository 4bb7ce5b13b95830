// SPDX-License-Identifier: Apache-2.0
// No text but an issued one is a token or a cookie.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "moat/csrf/token.h"

void fuzz(std::span<const std::uint8_t> input) {
  using namespace moat::csrf;
  static const FormGuard guard{moat::Secret::copy_of("a key for this program, 32 bytes")};
  static const moat::Time now = moat::from_unix_seconds(1'800'000'000);
  if (input.size() > 4096) return;
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  moat::InsecureSeededRandom random(input.size());
  const auto own = guard.issue(text, random, now);
  if (own.cookie == text) std::abort();  // it would have to be signed
  if (!guard.check(own.cookie, own.token, now)) std::abort();
  if (text != own.token && guard.check(own.cookie, text, now)) std::abort();
  if (guard.check(text, own.token, now) || guard.check(text, text, now)) std::abort();
}
