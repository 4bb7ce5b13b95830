// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/text_pattern.h"

#include <utility>

#include "moat/base/encoding.h"
#include "moat/validate/internal/pattern.h"

namespace moat::validate {

TextPattern::TextPattern(std::unique_ptr<schema::Pattern> pattern) : pattern_(std::move(pattern)) {}
TextPattern::TextPattern(TextPattern&&) noexcept = default;
TextPattern& TextPattern::operator=(TextPattern&&) noexcept = default;
TextPattern::~TextPattern() = default;

Result<TextPattern, std::string> TextPattern::compile(std::string_view ecma,
                                                      const TextPatternOptions& options) {
  auto pattern =
      schema::Pattern::compile(ecma, options.max_bytes, options.max_memory, options.letters);
  if (!pattern) return Error{pattern.error()};
  return TextPattern(std::make_unique<schema::Pattern>(std::move(*pattern)));
}

bool TextPattern::is_found_in(std::string_view text) const {
  return is_valid_utf8(text) && pattern_->search(text);
}

}  // namespace moat::validate
