// SPDX-License-Identifier: Apache-2.0
#include "moat/http/proxy_protocol.h"

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

namespace {

using namespace moat::http;

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

// The verdict does not depend on how the bytes are split, and whoever reads no more than is needed
// takes nothing of what comes behind the header.
void fuzz(std::span<const std::uint8_t> data) {
  if (data.size() > 1024) return;
  const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  ProxyHeader whole;
  const ProxyParse verdict = parse_proxy_header(text, whole);
  require(verdict.kind == ProxyParse::complete || !whole.client);
  require((verdict.kind == ProxyParse::incomplete) == (verdict.needed > 0));
  require((verdict.kind == ProxyParse::refused) == !verdict.code.empty());
  if (verdict.kind == ProxyParse::complete) {
    require(verdict.consumed <= text.size() && verdict.consumed <= longest_proxy_header);
  }
  if (verdict.kind == ProxyParse::incomplete)
    require(text.size() + verdict.needed <= longest_proxy_header);

  ProxyHeader pieced;
  std::size_t size = 0;
  for (;;) {
    const ProxyParse step = parse_proxy_header(text.substr(0, size), pieced);
    if (step.kind == ProxyParse::incomplete) {
      // Nothing shorter that begins so is a header.
      if (verdict.kind == ProxyParse::complete) require(size + step.needed <= verdict.consumed);
      if (size + step.needed > text.size()) return;
      size += step.needed;
      continue;
    }
    require(step.kind == verdict.kind);
    require(step.kind == ProxyParse::refused || size == verdict.consumed);
    require(pieced.client == whole.client && pieced.client_port == whole.client_port);
    return;
  }
}
