// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/uuid.h"

#include "moat/base/encoding.h"

namespace moat::validate {
namespace {

constexpr std::size_t hyphens[] = {8, 13, 18, 23};

}  // namespace

std::string_view to_string(UuidRefusal refusal) {
  switch (refusal) {
    case UuidRefusal::malformed:
      return "malformed";
    case UuidRefusal::wrong_variant:
      return "wrong_variant";
    case UuidRefusal::wrong_version:
      return "wrong_version";
  }
  return "unknown";
}

Result<Uuid, UuidRefusal> Uuid::parse(std::string_view text, std::optional<unsigned> version) {
  if (text.size() != 36) return Error{UuidRefusal::malformed};
  std::string digits;
  std::size_t from = 0;
  for (const auto hyphen : hyphens) {
    if (text[hyphen] != '-') return Error{UuidRefusal::malformed};
    digits += text.substr(from, hyphen - from);
    from = hyphen + 1;
  }
  digits += text.substr(from);
  const auto bytes = hex_decode(digits);
  if (!bytes) return Error{UuidRefusal::malformed};
  Uuid uuid;
  for (std::size_t i = 0; i < uuid.bytes_.size(); ++i)
    uuid.bytes_[i] = static_cast<std::uint8_t>((*bytes)[i]);
  // RFC 9562 section 4.1: the first two bits are 10.
  if (uuid.bytes_[8] >> 6 != 2) return Error{UuidRefusal::wrong_variant};
  if (uuid.version() < 1 || uuid.version() > 8 || (version && uuid.version() != *version))
    return Error{UuidRefusal::wrong_version};
  return uuid;
}

std::string Uuid::text() const {
  std::string out = hex_encode({reinterpret_cast<const char*>(bytes_.data()), bytes_.size()});
  for (const auto hyphen : hyphens) out.insert(hyphen, 1, '-');
  return out;
}

}  // namespace moat::validate
