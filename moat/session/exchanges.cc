// SPDX-License-Identifier: Apache-2.0
#include "moat/session/internal/exchanges.h"

#include <charconv>

namespace moat::session::internal {

namespace {

constexpr int max_exchanges = 16;
constexpr std::int64_t last_microsecond = 253'402'300'799'999'999;  // of the year 9999

struct Exchange {
  std::uint32_t generation = 0;
  Time at{};
};

// Takes the first exchange off `text`; nullopt at its end, or where it cannot be read.
std::optional<Exchange> next(std::string_view& text) {
  Exchange out;
  std::int64_t micros = 0;
  const char* end = text.data() + text.size();
  const auto generation = std::from_chars(text.data(), end, out.generation);
  if (generation.ec != std::errc() || generation.ptr == end || *generation.ptr != ':') {
    return std::nullopt;
  }
  const auto time = std::from_chars(generation.ptr + 1, end, micros);
  if (time.ec != std::errc() || (time.ptr != end && *time.ptr != ',')) return std::nullopt;
  if (micros < 0 || micros > last_microsecond) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(time.ptr - text.data()));
  if (!text.empty()) text.remove_prefix(1);
  out.at = Time(std::chrono::microseconds(micros));
  return out;
}

void append(std::string& out, const Exchange& exchange) {
  if (!out.empty()) out += ',';
  out += std::to_string(exchange.generation);
  out += ':';
  out += std::to_string(exchange.at.time_since_epoch().count());
}

}  // namespace

std::string add_exchange(std::string_view exchanges, std::uint32_t generation, Time at,
                         std::chrono::seconds grace) {
  std::string out;
  append(out, {generation, at});
  for (int count = 1; count < max_exchanges; ++count) {
    const std::optional<Exchange> exchange = next(exchanges);
    if (!exchange) break;
    if (exchange->at + grace > at) append(out, *exchange);
  }
  return out;
}

std::optional<Time> exchanged_at(std::string_view exchanges, std::uint32_t generation) {
  while (const std::optional<Exchange> exchange = next(exchanges)) {
    if (exchange->generation == generation) return exchange->at;
  }
  return std::nullopt;
}

}  // namespace moat::session::internal
