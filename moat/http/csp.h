// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "moat/base/result.h"

namespace moat::http {

// ContentSecurityPolicy is one policy that parse has checked (CSP Level 3, section 2.2).
class ContentSecurityPolicy final {
 public:
  static constexpr std::size_t longest = 4096;  // bytes, inclusive

  // parse reads "default-src 'self'; img-src 'self' data:". Stricter than a browser, which passes
  // over what it does not know: directives must be known and come once, keywords be spelled as they
  // are, and nothing but printable ASCII is in it. Where to report to is not the policy's to say
  // (report-to, report-uri), and a nonce would have to be new with each answer: both are refused.
  // The error is a sentence.
  static Result<ContentSecurityPolicy, std::string> parse(std::string_view text);

  const std::string& text() const { return text_; }
  // What lets scripts of others run, as phrases: "'unsafe-inline' in script-src". Empty: nothing.
  std::vector<std::string> weaknesses() const;

 private:
  struct Directive {
    std::string_view name;  // a literal
    std::vector<std::string> values;
  };
  ContentSecurityPolicy() = default;
  const Directive* find(std::string_view name) const;

  std::string text_;
  std::vector<Directive> directives_;
};

// The name of a directive as a literal of the program, whatever the case of `name`; empty where it
// is none of CSP Level 3 and the specifications that add to it.
[[nodiscard]] std::string_view known_directive(std::string_view name);

}  // namespace moat::http
