// SPDX-License-Identifier: Apache-2.0
// The input is X-Forwarded-For, a line break between its lines. What is read has one spelling, an
// untrusted peer is the client whatever it says, and a client found behind trusted proxies is in
// the list or is one of them.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "moat/limit/client_address.h"

namespace {

using moat::Cidr;
using moat::IpAddress;

void require(bool condition) {
  if (!condition) std::abort();
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> out;
  for (std::size_t end; (end = text.find(at)) != std::string_view::npos;) {
    out.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  out.push_back(text);
  return out;
}

}  // namespace

void fuzz(std::span<const std::uint8_t> input) {
  using namespace moat::limit;
  if (input.size() > 4096) return;
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  const std::vector<std::string_view> lines = split(text, '\n');
  const IpAddress peer = IpAddress::from_v4(0x0a000001);
  const std::vector<Cidr> trusted{*Cidr::parse("10.0.0.0/8"), *Cidr::parse("fd00::/8")};

  require(client_address(peer, lines, {}) == peer);
  require(client_address(IpAddress::from_v4(0xc0000201), lines, trusted) ==
          IpAddress::from_v4(0xc0000201));

  // The walk once more, the slow way.
  IpAddress expected = peer;
  std::vector<std::string_view> elements;
  for (const std::string_view line : lines) {
    for (const std::string_view element : split(line, ',')) elements.push_back(element);
  }
  while (!elements.empty() && (trusted[0].contains(expected) || trusted[1].contains(expected))) {
    const auto address = parse_forwarded_for_element(elements.back());
    if (!address) break;
    const auto again = parse_forwarded_for_element(address->to_string());
    require(again && *again == *address);
    expected = *address;
    elements.pop_back();
  }
  require(client_address(peer, lines, trusted) == expected);

  for (const LimitKey& key : limit_keys(expected)) {
    require(key.network == key.network.prefix(key.bits));
    require(key.network.is_v4() == (key.bits == 32));
  }
}
