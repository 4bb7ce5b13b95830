// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <cstring>

#include "moat/base/encoding.h"
#include "moat/base/hash.h"
#include "moat/password/policy.h"

// The file that tools/make_common_passwords.py writes: sorted records of five bytes. The assembler
// takes it as it is, which costs no compile time, unlike an array in C++.
__asm__(
    ".pushsection .rodata\n"
    ".hidden moat_common_passwords_begin\n"
    ".hidden moat_common_passwords_end\n"
    ".global moat_common_passwords_begin\n"
    ".global moat_common_passwords_end\n"
    "moat_common_passwords_begin:\n"
    ".incbin \"" MOAT_COMMON_PASSWORDS
    "\"\n"
    "moat_common_passwords_end:\n"
    ".popsection\n");

extern "C" {
extern const char moat_common_passwords_begin[] __attribute__((visibility("hidden")));
extern const char moat_common_passwords_end[] __attribute__((visibility("hidden")));
}

namespace moat::password {
namespace {
constexpr std::size_t record = 5;
constexpr std::size_t longest = 64;  // the script keeps no longer entry
}  // namespace

std::size_t common_password_count() {
  return static_cast<std::size_t>(moat_common_passwords_end - moat_common_passwords_begin) / record;
}

bool is_common_password(std::string_view text) {
  if (text.size() < 4 || text.size() > longest) return false;
  const Digest digest = sha256(ascii_lower(text));
  std::size_t low = 0;
  std::size_t high = common_password_count();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    // The time tells about the list, which is public, and about a hash, not the password's text.
    // lint: allow(timing)
    const int order =
        std::memcmp(moat_common_passwords_begin + middle * record, digest.data(), record);
    if (order == 0) return true;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return false;
}

}  // namespace moat::password
