// SPDX-License-Identifier: Apache-2.0
// Of any body no more is read than fields of a bounded size; the first line is the Content-Type.
#include "moat/csrf/form_tokens.h"

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

void fuzz(std::span<const std::uint8_t> input) {
  using namespace moat::csrf;
  if (input.size() > 32768) return;
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  const std::size_t line = text.find('\n');
  const std::string_view type = text.substr(0, line);
  const std::string_view body = line == text.npos ? std::string_view() : text.substr(line + 1);
  const auto found = form_tokens(type, body);
  if (found.size() > 4) std::abort();
  const BodyKind kind = body_kind(type);
  if (!found.empty() && kind != BodyKind::urlencoded && kind != BodyKind::multipart) std::abort();
  for (const auto& one : found) {
    if (one.empty() || one.size() > 256) std::abort();
  }
}
