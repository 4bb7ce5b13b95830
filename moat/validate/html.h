// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace moat::validate {

// HtmlLiteral is a string literal of the program: the compiler refuses anything that is made at run
// time.
class HtmlLiteral final {
 public:
  consteval HtmlLiteral(const char* text) : text_(text) {}  // implicit: it can only be a literal
  constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

// Html is markup that may be written into a page as it is. Text becomes Html by being escaped, or
// it does not become Html at all.
class Html final {
 public:
  Html() = default;
  // For element content.
  static Html text(std::string_view text);
  // For the value of an attribute, to be put between quotes; not for a link, a style or a script.
  static Html attribute(std::string_view text);
  // For the value of href, src or action: the link when is_safe_link() lets it through, otherwise
  // "about:blank".
  static Html link(std::string_view url);
  // Markup that stands in the program's own source.
  static Html unsafe_raw(HtmlLiteral markup);

  const std::string& str() const { return markup_; }
  Html& operator+=(const Html& other);
  friend Html operator+(Html a, const Html& b) { return std::move(a += b); }
  bool operator==(const Html&) const = default;

 private:
  friend class Template;  // its output is escaped piece by piece
  explicit Html(std::string markup) : markup_(std::move(markup)) {}
  std::string markup_;
};

}  // namespace moat::validate
