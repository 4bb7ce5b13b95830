// SPDX-License-Identifier: Apache-2.0
// What does one request cost in the limit table: a key that is there, a stream of new ones, two
// buckets at once, and an attempt to log in? Run it without arguments from a release build.
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>

#include "moat/limit/limit.h"

namespace {

using moat::IpAddress;
using moat::Tick;

constexpr int rounds = 2'000'000;

template <class Body>
void measure(const char* what, const Body& body) {
  const std::clock_t begin = std::clock();  // of this process only: the machine may be busy
  std::uint64_t passed = 0;
  for (int i = 0; i < rounds; ++i) passed += body(static_cast<std::uint32_t>(i)) ? 1 : 0;
  const double spent = 1e9 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  std::printf("%-44s %7.1f ns  (%.1f %% passed)\n", what, spent / rounds,
              100.0 * static_cast<double>(passed) / rounds);
}

IpAddress v6(std::uint32_t number) {
  std::array<std::uint8_t, 16> bytes{0x20, 0x01, 0x0d, 0xb8};
  for (std::size_t i = 0; i < 4; ++i) bytes[4 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  return IpAddress::from_v6(bytes);
}

}  // namespace

int main() {
  using namespace moat::limit;
  const Policy policy;
  std::int64_t turn = 0;  // a request a microsecond, all through
  const auto tick = [&] { return Tick{std::chrono::microseconds{++turn}}; };

  Table table(262144);
  const auto by_address = [&](const IpAddress& address) {
    Charges charges;
    charges.add(table, 1, policy, address);
    return table.consume(charges, tick()).allowed;
  };
  measure("one IPv4 address", [&](std::uint32_t) { return by_address(IpAddress::from_v4(1)); });
  measure("100000 IPv4 addresses", [&](std::uint32_t i) {
    return by_address(IpAddress::from_v4(i * 2654435761U % 100'000));
  });
  measure("every time a new IPv4 address",
          [&](std::uint32_t i) { return by_address(IpAddress::from_v4(0x40000000U + i)); });
  measure("100000 IPv6 networks, two buckets each",
          [&](std::uint32_t i) { return by_address(v6(i * 2654435761U % 100'000)); });

  Table full(65536);
  const Policy slow = Policy::parse("3/day/ip").value();
  measure("a flood of new keys until and after full", [&](std::uint32_t i) {
    return full.consume(full.key(1, IpAddress::from_v4(i), 32), slow, tick()).allowed;
  });

  LoginGuard guard;
  measure("a login: begin and succeed", [&](std::uint32_t i) {
    const auto permit = guard.begin("alice" + std::to_string(i % 1000),
                                    IpAddress::from_v4(i * 2654435761U % 100'000), "",
                                    Tick{std::chrono::milliseconds{i}});
    if (permit) guard.succeed(*permit, Tick{std::chrono::milliseconds{i}});
    return permit.has_value();
  });
  return 0;
}
