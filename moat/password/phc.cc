// SPDX-License-Identifier: Apache-2.0
#include "moat/password/phc.h"

#include <optional>

#include "moat/base/encoding.h"

namespace moat::password {
namespace {

constexpr std::size_t max_text = 512;

// A decimal number without sign and leading zeros, as the PHC string format wants it.
std::optional<std::uint32_t> decimal(std::string_view text) {
  if (text.empty() || text.size() > 10 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (value > 0xffffffffU) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

// Takes the text up to the next `separator` off the front; the separator goes too.
std::string_view next(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const auto piece = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return piece;
}

std::string_view name_of(Argon2Type type) {
  switch (type) {
    case Argon2Type::d:
      return "argon2d";
    case Argon2Type::i:
      return "argon2i";
    case Argon2Type::id:
      return "argon2id";
  }
  return "argon2id";
}

std::optional<Argon2Type> type_of(std::string_view name) {
  for (const auto type : {Argon2Type::d, Argon2Type::i, Argon2Type::id})
    if (name == name_of(type)) return type;
  return std::nullopt;
}

bool set_once(std::uint32_t& slot, std::string_view text) {
  const auto value = decimal(text);
  if (!value || *value == 0 || slot != 0) return false;
  slot = *value;
  return true;
}

// One "name=value" into the hash; names come once each, in any order.
std::optional<Refusal> read_parameter(std::string_view parameter, Argon2Hash& hash) {
  const auto name = next(parameter, '=');
  if (name == "data") return Refusal::unsupported;  // data belongs to a protocol that is not ours
  bool read = false;
  if (name == "m") read = set_once(hash.memory_kib, parameter);
  if (name == "t") read = set_once(hash.iterations, parameter);
  if (name == "p") read = set_once(hash.lanes, parameter);
  if (name == "keyid" && hash.key_id.empty()) {
    auto id = base64_unpadded_decode(parameter);
    read = id && !id->empty() && id->size() <= 16;
    if (read) hash.key_id = std::move(*id);
  }
  if (read) return std::nullopt;
  return Refusal::malformed;
}

std::optional<std::string> decode(std::string_view text, std::size_t least, std::size_t most) {
  auto bytes = base64_unpadded_decode(text);
  if (!bytes || bytes->size() < least || bytes->size() > most) return std::nullopt;
  return bytes;
}

}  // namespace

Result<Argon2Hash, Refusal> Argon2Hash::parse(std::string_view text) {
  const Error malformed{Refusal::malformed};
  if (text.size() > max_text || text.empty() || text[0] != '$') return malformed;
  std::string_view rest = text.substr(1);
  const auto type = type_of(next(rest, '$'));
  if (!type) return malformed;
  Argon2Hash hash;
  hash.type = *type;

  auto parameters = next(rest, '$');
  if (parameters.substr(0, 2) == "v=") {
    const auto version = decimal(parameters.substr(2));
    if (!version) return malformed;
    if (*version != 16 && *version != 19) return Error{Refusal::unsupported};
    hash.version = *version;
    parameters = next(rest, '$');
  } else {
    hash.version = 16;  // strings from before 1.3 name no version
  }

  while (!parameters.empty()) {
    const bool last = parameters.find(',') == std::string_view::npos;
    if (const auto refusal = read_parameter(next(parameters, ','), hash)) return Error{*refusal};
    if (!last && parameters.empty()) return malformed;  // a comma at the end
  }
  if (hash.iterations == 0 || hash.lanes == 0 || hash.lanes > 0xffffff) return malformed;
  // RFC 9106 section 3.1: the memory is at least 8*p KiB.
  if (hash.memory_kib / 8 < hash.lanes) return malformed;

  auto salt = decode(next(rest, '$'), 8, 64);
  if (!salt) return malformed;
  auto tag = decode(rest, 12, 128);
  if (!tag) return malformed;
  hash.salt = std::move(*salt);
  hash.tag = std::move(*tag);
  return hash;
}

std::string Argon2Hash::to_string() const {
  std::string out = "$";
  out += name_of(type);
  if (version != 16) out += "$v=" + std::to_string(version);
  out += "$m=" + std::to_string(memory_kib);
  out += ",t=" + std::to_string(iterations);
  out += ",p=" + std::to_string(lanes);
  if (!key_id.empty()) out += ",keyid=" + base64_unpadded_encode(key_id);
  out += "$" + base64_unpadded_encode(salt);
  out += "$" + base64_unpadded_encode(tag);
  return out;
}

}  // namespace moat::password
