// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/encodings.h"

#include "moat/validate/colors.h"
#include "tests/conform/validate_call.h"

namespace moat::conform {
namespace {

using namespace validate;

Answer base64(const Call& call) {
  Base64Options options;
  options.allow_empty = options.allow_non_canonical = true;
  const bool url_safe = call.flag("urlSafe", false);
  if (url_safe) options.alphabet = Base64Alphabet::url_safe;
  if (!call.flag("padding", !url_safe)) options.padding = Base64Padding::absent;
  return from(is_base64(call.text(), options));
}

Answer base32(const Call& call) {
  if (call.flag("crockford", false)) return from(is_base32_crockford(call.text()));
  Base32Options options;
  options.allow_non_canonical = true;
  return from(is_base32(call.text(), options));
}

Answer hexadecimal(const Call& call) {
  HexadecimalOptions options;
  options.allow_prefix = true;
  return from(is_hexadecimal(call.text(), options));
}

Answer hex_color(const Call& call) {
  HexColorOptions options;
  options.allow_missing_hash = !call.flag("require_hashtag", false);
  return from(is_hex_color(call.text(), options));
}

Answer hash(const Call& call) {
  struct Name {
    std::string_view name;
    HashName hash;
  };
  constexpr Name names[] = {{"crc32", HashName::crc32},
                            {"crc32b", HashName::crc32b},
                            {"md4", HashName::md4},
                            {"md5", HashName::md5},
                            {"ripemd128", HashName::ripemd128},
                            {"ripemd160", HashName::ripemd160},
                            {"sha1", HashName::sha1},
                            {"sha256", HashName::sha256},
                            {"sha384", HashName::sha384},
                            {"sha512", HashName::sha512},
                            {"tiger128", HashName::tiger128},
                            {"tiger160", HashName::tiger160},
                            {"tiger192", HashName::tiger192}};
  const std::string word = call.word(0);
  for (const Name& name : names)
    if (name.name == word) return from(is_hash(call.text(), name.hash));
  return Answer::no;
}

Answer length(const Call& call) {
  LengthOptions options;
  options.min = call.bound("min", 0, 0);
  options.max = call.bound("max", 1, options.max);
  options.ignore_variation_selectors = true;
  std::vector<std::size_t> discrete;
  const json::Value* lengths = call.option("discreteLengths");
  if (lengths != nullptr && lengths->as_array() != nullptr)
    for (const json::Value& value : *lengths->as_array())
      if (value.as_integer() != nullptr)
        discrete.push_back(static_cast<std::size_t>(*value.as_integer()));
  options.discrete = discrete;
  return from(is_length(call.text(), options));
}

Answer byte_length(const Call& call) {
  return from(is_byte_length(call.text(), call.bound("min", 0, 0),
                             call.bound("max", 1, std::numeric_limits<std::size_t>::max())));
}

// The peer's second form has a boolean for its argument, and spaces are refused there by default.
Answer rgb_color(const Call& call) {
  RgbColorOptions options;
  const json::Value* argument = call.at(0);
  const bool plain = argument != nullptr && argument->as_bool() != nullptr;
  options.forbid_percent = plain ? !*argument->as_bool() : !call.flag("includePercentValues", true);
  options.allow_spaces = !plain && call.flag("allowSpaces", false);
  return from(is_rgb_color(call.text(), options));
}

constexpr Validator table[] = {
    {"isHSL", [](const Call& c) { return from(is_hsl(c.text())); }},
    {"isRgbColor", rgb_color},
    {"isAscii", [](const Call& c) { return from(is_ascii(c.text())); }},
    {"isBase32", base32},
    {"isBase58", [](const Call& c) { return from(is_base58(c.text())); }},
    {"isBase64", base64},
    {"isByteLength", byte_length},
    {"isDataURI", [](const Call& c) { return from(is_data_uri(c.text())); }},
    {"isFullWidth", [](const Call& c) { return from(is_full_width(c.text())); }},
    {"isHalfWidth", [](const Call& c) { return from(is_half_width(c.text())); }},
    {"isHash", hash},
    {"isHexColor", hex_color},
    {"isHexadecimal", hexadecimal},
    {"isJWT", [](const Call& c) { return from(is_jwt(c.text())); }},
    {"isLength", length},
    {"isMD5", [](const Call& c) { return from(is_md5(c.text())); }},
    {"isMagnetURI", [](const Call& c) { return from(is_magnet_uri(c.text())); }},
    {"isMimeType", [](const Call& c) { return from(is_mime_type(c.text())); }},
    {"isMultibyte", [](const Call& c) { return from(is_multibyte(c.text())); }},
    {"isSurrogatePair", [](const Call& c) { return from(is_surrogate_pair(c.text())); }},
    {"isVariableWidth", [](const Call& c) { return from(is_variable_width(c.text())); }},
};

}  // namespace

std::span<const Validator> encoding_validators() { return table; }

}  // namespace moat::conform
