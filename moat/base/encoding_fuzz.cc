// SPDX-License-Identifier: Apache-2.0
// Every decoder accepts one spelling: what it decodes encodes to the text it came from.
#include "moat/base/encoding.h"

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "moat/base/log.h"

namespace {
void require(bool condition) {
  if (!condition) std::abort();
}
}  // namespace

void fuzz(std::span<const std::uint8_t> input) {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  if (const auto bytes = moat::base64url_decode(text))
    require(moat::base64url_encode(*bytes) == text);
  if (const auto bytes = moat::base64_decode(text)) require(moat::base64_encode(*bytes) == text);
  if (const auto bytes = moat::base64_unpadded_decode(text))
    require(moat::base64_unpadded_encode(*bytes) == text);
  if (const auto bytes = moat::hex_decode(text))
    require(moat::hex_encode(*bytes) == moat::ascii_lower(text));
  require(moat::percent_decode(moat::percent_encode(text)) == text);
  require(moat::base64url_decode(moat::base64url_encode(text)) == text);
  const auto points = moat::count_code_points(text);
  require(points.has_value() == moat::is_valid_utf8(text));
  if (points) require(*points <= text.size() && text.size() <= *points * 4);
  // Redaction never fails and is stable.
  const std::string redacted = moat::redact_url(text);
  require(moat::redact_url(redacted) == redacted);
}
