// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "moat/base/result.h"
#include "moat/validate/identifiers.h"

namespace moat::validate {

namespace schema {
class Pattern;
}

struct TextPatternOptions {
  Case letters = Case::exact;  // ignore: letters of all languages, by Unicode's simple folding
  std::size_t max_bytes = 1024;
  std::size_t max_memory = 256 * 1024;  // bytes of the compiled pattern
};

// TextPattern is a regular expression of ECMA-262 (flag u) that costs time linear to the text,
// whatever the pattern: it runs on RE2. Look-around and back-references are refused. It is made
// once, from the program's own text, not from a stranger's.
class TextPattern final {
 public:
  // The error is a sentence that says what is wrong with the pattern.
  [[nodiscard]] static Result<TextPattern, std::string> compile(
      std::string_view ecma, const TextPatternOptions& options = {});
  TextPattern(TextPattern&&) noexcept;
  TextPattern& operator=(TextPattern&&) noexcept;
  ~TextPattern();

  // Whether it matches somewhere in `text`; write ^ and $ for all of it. False for what is no
  // UTF-8.
  [[nodiscard]] bool is_found_in(std::string_view text) const;

 private:
  explicit TextPattern(std::unique_ptr<schema::Pattern> pattern);
  std::unique_ptr<schema::Pattern> pattern_;
};

}  // namespace moat::validate
