// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <span>

#include "moat/session/internal/exchanges.h"
#include "moat/session/internal/test_world.h"

namespace {

using namespace moat;
using namespace moat::session;

void require(bool condition) {
  if (!condition) std::abort();
}

struct World {
  internal::ScriptedStore store;
  internal::Users users;
  internal::Node node{store, internal::make_ring()};
  Issued issued =
      node.manager.start(users.known["u1"], internal::test_client, internal::test_start).value();
};

}  // namespace

// Nobody without the keys makes a token that passes, whole or by changing one of ours.
void fuzz(std::span<const std::uint8_t> data) {
  static World world;
  const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  const Time now = internal::test_start;
  require(!world.node.manager.verify_access(text, now));
  require(!world.node.manager.session_of(text));
  require(!world.node.manager.refresh(text, internal::test_client, world.users, now));
  require(!world.node.manager.verify_bearer(text, now));
  require(!world.node.manager.refresh_api(text, internal::test_client, world.users, now));
  if (const auto scopes = parse_scopes(text)) require(to_text(*scopes) == text);

  // The bytes as changes to genuine tokens: position, then what is added there.
  std::string access(world.issued.access_token.reveal());
  std::string refresh(world.issued.refresh_token.reveal());
  for (std::size_t i = 0; i + 1 < data.size(); i += 2) {
    access[data[i] % access.size()] =
        static_cast<char>(access[data[i] % access.size()] + data[i + 1]);
    refresh[data[i] % refresh.size()] =
        static_cast<char>(refresh[data[i] % refresh.size()] + data[i + 1]);
  }
  require(access == world.issued.access_token.reveal() ||
          !world.node.manager.verify_access(access, now));
  require(refresh == world.issued.refresh_token.reveal() ||
          !world.node.manager.session_of(refresh));

  // The text as what a store might give back.
  const std::string added = internal::add_exchange(text, 7, now, std::chrono::seconds(30));
  require(added.size() <= 512);
  require(internal::exchanged_at(added, 7) == now);
}
