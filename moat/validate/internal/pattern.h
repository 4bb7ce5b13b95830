// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "moat/base/result.h"
#include "moat/validate/identifiers.h"
#include "moat/validate/internal/plain_pattern.h"

namespace re2 {
class RE2;
}

namespace moat::validate::schema {

// The RE2 spelling of an ECMA-262 pattern (flag u), or a sentence why there is none.
[[nodiscard]] Result<std::string, std::string> translate_pattern(std::string_view ecma);

// Pattern is a regular expression of ECMA-262, run in time linear to the text: by RE2, or by itself
// where it is plain.
class Pattern final {
 public:
  [[nodiscard]] static Result<Pattern, std::string> compile(std::string_view ecma,
                                                            std::size_t max_bytes,
                                                            std::size_t max_memory,
                                                            Case letters = Case::exact);
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  // Whether it matches somewhere in `text`.
  bool search(std::string_view text) const;
  // What a search costs in steps at most.
  std::size_t cost(std::string_view text) const { return 1 + text.size() * weight_ / 256; }

 private:
  explicit Pattern(std::unique_ptr<re2::RE2> expression);
  std::unique_ptr<re2::RE2> expression_;
  std::size_t weight_ = 0;
  std::optional<PlainPattern> plain_;
};

}  // namespace moat::validate::schema
