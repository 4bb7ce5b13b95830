// SPDX-License-Identifier: Apache-2.0
// Whatever a server answers to a ClientHello is read the same however it is cut.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "moat/doctor/hello.h"

using moat::doctor::ServerReply;

void fuzz(std::span<const std::uint8_t> input) {
  const std::string_view bytes(reinterpret_cast<const char*>(input.data()), input.size());
  const ServerReply whole = moat::doctor::parse_server_reply(bytes);
  bool decided = false;
  for (std::size_t size = 0; size <= bytes.size() && size < 300; ++size) {
    const ServerReply part = moat::doctor::parse_server_reply(bytes.substr(0, size));
    if (part.kind == ServerReply::Kind::incomplete) {
      if (decided) std::abort();  // more bytes never make it less clear
      continue;
    }
    decided = true;
    if (part.kind != whole.kind || part.version != whole.version || part.suite != whole.suite ||
        part.group != whole.group || part.alert != whole.alert)
      std::abort();
  }
  if (moat::doctor::suite_name(whole.suite).empty()) std::abort();
}
