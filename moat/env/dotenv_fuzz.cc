// SPDX-License-Identifier: Apache-2.0
// Parsing never fails in another way than its refusals; what it reads can be printed and read back;
// expanding stays within its bounds; a weak-key check of anything ends.
#include "moat/env/dotenv.h"

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "moat/env/expand.h"
#include "moat/env/settings.h"
#include "moat/env/strength.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check_round_trip(const moat::env::Entry& entry) {
  const auto printed = moat::env::print_assignment(entry.key, entry.value.reveal());
  if (!printed) return;
  const auto again = moat::env::parse_dotenv(*printed);
  require(again && again->entries.size() == 1 && again->notes.empty());
  require(again->entries[0].key == entry.key);
  require(again->entries[0].value.equals(entry.value.reveal()));
}

}  // namespace

void fuzz(std::span<const std::uint8_t> input) {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  auto file = moat::env::parse_dotenv(text);
  if (!file) {
    require(file.error().line >= 1);
    return;
  }
  std::uint32_t line = 0;
  for (const auto& entry : file->entries) {
    require(moat::env::is_dotenv_key(entry.key));
    require(entry.line > line);  // one assignment a line, in order
    line = entry.line;
    require(entry.value.size() <= text.size());
    check_round_trip(entry);
    (void)moat::env::check_secret_strength(entry.value.reveal());
  }
  moat::env::Environment process;
  process.emplace("HOME", moat::Secret::copy_of("/root/$A"));
  moat::env::ExpandOptions options;
  options.value_bytes = 4096;
  if (moat::env::expand(*file, process, ".env", options)) {
    for (const auto& entry : file->entries) require(entry.value.size() <= 4096 + text.size());
  }
  const auto reader =
      [&](const std::string&) -> moat::Result<moat::env::File, moat::env::ReadRefusal> {
    return moat::env::File{moat::Secret::copy_of(text), 0600, true};
  };
  const auto settings = moat::env::load({}, std::move(process), reader);
  if (!settings) {
    require(!settings.error().to_string().empty());
    return;
  }
  for (const auto& key : settings->keys()) {
    (void)settings->text(key);
    (void)settings->integer(key, 0, 10);
    (void)settings->secret(key);
  }
}
