// SPDX-License-Identifier: Apache-2.0
#include "moat/limit/fields.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace moat::limit {
namespace {

constexpr std::int64_t second = 1'000'000'000;

std::int64_t round_up(std::chrono::nanoseconds time) {
  const std::int64_t count = std::max<std::int64_t>(time.count(), 0);
  return count / second + (count % second != 0 ? 1 : 0);
}

// A structured field's string (RFC 9651 section 3.3.3).
std::string quoted(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c < 0x20 || c > 0x7e) continue;
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

void append_number(std::string& out, std::int64_t number) {
  std::array<char, 20> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  out.append(text.data(), static_cast<std::size_t>(end - text.data()));
}

}  // namespace

std::string rate_limit_policy_field(std::string_view name, const Policy& policy) {
  return quoted(name) + ";q=" + std::to_string(policy.count()) +
         ";w=" + std::to_string(round_up(policy.window()));
}

std::string rate_limit_field(std::string_view name, const Decision& decision) {
  const auto wait = decision.allowed ? decision.reset_after : decision.retry_after;
  std::string out = quoted(name);
  out.reserve(out.size() + 32);
  append_number(out.append(";r="), decision.allowed ? std::int64_t{decision.remaining} : 0);
  append_number(out.append(";t="), round_up(wait));
  return out;
}

std::int64_t retry_after_seconds(std::chrono::nanoseconds wait) {
  return std::max<std::int64_t>(round_up(wait), 1);
}

std::int64_t retry_after_seconds(std::chrono::nanoseconds wait, Random& random) {
  const std::int64_t plain = retry_after_seconds(wait);
  const std::int64_t most = std::clamp<std::int64_t>(plain / 4, 1, 60);
  std::array<std::uint8_t, 2> bytes{};
  random.fill(bytes);
  const std::int64_t drawn = bytes[0] * 256 + bytes[1];
  return plain + drawn % (most + 1);
}

}  // namespace moat::limit
