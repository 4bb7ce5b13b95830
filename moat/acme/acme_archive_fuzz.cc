// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "moat/acme/archive.h"
#include "moat/acme/internal/memory_storage.h"
#include "moat/https/certificate_request.h"
#include "moat/https/local_ca.h"
#include "moat/https/tls.h"

namespace {

using namespace moat;

const Time now = from_unix_seconds(1'800'000'000);
const std::string ca = "https://ca.test/directory";

void require(bool condition) {
  if (!condition) std::abort();
}

const https::Issued& good() {
  static const https::Issued made = https::self_signed("a.example", now).value();
  return made;
}

std::shared_ptr<acme::testing::MemoryStorage> holding(const std::string& name,
                                                      std::string_view content) {
  auto storage = std::make_shared<acme::testing::MemoryStorage>();
  require(storage->write(name, Secret::copy_of(content)).has_value());
  return storage;
}

void check_certificate(std::string_view content) {
  const auto storage = holding("certificate.pem", content);
  const acme::Archive archive(storage);
  const auto loaded = archive.load(now);
  if (!loaded || !*loaded) return;
  // What is read is a certificate with its key, and is so again when it is taken back.
  require((*loaded)->certificate.not_after() > now && !(*loaded)->revoked);
  require(archive.note_revoked((*loaded)->certificate.fingerprint()).has_value());
  require((*archive.load(now))->revoked);
}

void check_challenges(std::string_view content) {
  const auto storage = holding("challenges", content);
  const acme::Archive archive(storage);
  const auto read = archive.challenges();
  if (!read) return;
  for (const acme::Challenge& one : *read) {
    require(https::certificate_name(one.name).has_value());
    require(one.key_authorization.find_first_of("\r\n<>/") == std::string::npos);
    require(one.key_authorization.rfind(one.token + ".", 0) == 0);
  }
  require((*archive.take_turn())->show(*read).has_value());
  const auto again = archive.challenges();
  require(again && again->size() == read->size());
  for (std::size_t i = 0; i < read->size(); ++i) {
    require(again->at(i).type == read->at(i).type && again->at(i).name == read->at(i).name &&
            again->at(i).key_authorization == read->at(i).key_authorization);
  }
}

void check_ticket_keys(std::string_view content) {
  ManualClock clock(now);
  InsecureSeededRandom random(1);
  https::TicketKeys keys(clock, random), again(clock, random);
  const bool taken = keys.merge(Secret::copy_of(content));
  require(taken || keys.size() == 0);
  require(keys.size() <= 16);
  require(again.merge(keys.save()) && again.save().equals(keys.save().reveal()));
}

}  // namespace

// The first byte chooses which of a storage's contents the rest is.
void fuzz(std::span<const std::uint8_t> input) {
  if (input.empty() || input.size() > 20000) return;
  const std::string_view rest(reinterpret_cast<const char*>(input.data()) + 1, input.size() - 1);
  switch (input[0] % 4) {
    case 0:
      return check_certificate(rest);
    case 1:  // behind a good chain
      return check_certificate(good().certificate + std::string(rest));
    case 2:
      return check_challenges(rest);
    default:
      return check_ticket_keys(rest);
  }
}
