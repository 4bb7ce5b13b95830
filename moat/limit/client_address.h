// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "moat/base/ip.h"

namespace moat::limit {

// client_address says who the client is, for limits, log and bans alike. `forwarded_for` are the
// X-Forwarded-For lines in their order. A peer outside `trusted` is the client, whatever it claims;
// so is every peer when `trusted` is empty. Else the list is walked from the right as long as the
// addresses are trusted proxies: the first other one is the client. What is no address ends the
// walk at the proxy that reported it. Ports and brackets are dropped. No allocation; linear in the
// lines' length.
[[nodiscard]] IpAddress client_address(const IpAddress& peer,
                                       std::span<const std::string_view> forwarded_for,
                                       std::span<const Cidr> trusted);

// One element of X-Forwarded-For: 192.0.2.1, 192.0.2.1:4711, 2001:db8::1, [2001:db8::1],
// [2001:db8::1]:4711, with spaces around it.
[[nodiscard]] std::optional<IpAddress> parse_forwarded_for_element(std::string_view text);

// A network that shares one allowance, `allowance` times the plain one.
struct LimitKey {
  IpAddress network;
  unsigned bits = 0;
  unsigned allowance = 1;
  bool operator==(const LimitKey&) const = default;
};

// The one or two networks an address is counted under.
class LimitKeys final {
 public:
  explicit LimitKeys(const LimitKey& only) : items_{only, LimitKey{}}, count_(1) {}
  LimitKeys(const LimitKey& first, const LimitKey& second) : items_{first, second}, count_(2) {}
  const LimitKey* begin() const { return items_.data(); }
  const LimitKey* end() const { return items_.data() + count_; }
  std::size_t size() const { return count_; }

 private:
  std::array<LimitKey, 2> items_;
  std::size_t count_;
};

// IPv4 /32. IPv6 /64 (what one customer can use freely), and /48 at four times the allowance (what
// one can often get). An IPv4 client behind the well-known NAT64 prefix 64:ff9b::/96 (RFC 6052)
// counts as that IPv4 address.
[[nodiscard]] LimitKeys limit_keys(const IpAddress& address);

}  // namespace moat::limit
