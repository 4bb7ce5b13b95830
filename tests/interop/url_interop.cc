// SPDX-License-Identifier: Apache-2.0
// Moat's half of tests/e2e/url_interop.mjs: each line of standard input is a reference and a base,
// in hexadecimal, the base "-" for none; with "+" behind it hosts beyond ASCII are taken. Answers
// with the URL's text, or "!" and why it is refused.
#include <iostream>
#include <string>

#include "moat/base/encoding.h"
#include "moat/validate/web_url.h"

namespace {

using moat::validate::Url;

moat::Result<Url, moat::validate::UrlRefusal> read(const std::string& text, std::string base) {
  moat::validate::WebUrlOptions options;
  options.allow_idn = base.back() == '+';
  if (options.allow_idn) base.pop_back();
  if (base == "-") return Url::parse(text, options);
  const auto on = Url::parse(moat::hex_decode(base).value());
  return Url::parse(text, on.value(), options);
}

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto space = line.find(' ');
    const auto url = read(moat::hex_decode(line.substr(0, space)).value(), line.substr(space + 1));
    if (url) {
      const auto again = Url::parse(url->text());
      std::cout << (again && *again == *url ? url->text() : "!not the same when read again")
                << "\n";
    } else {
      std::cout << "!" << to_string(url.error()) << "\n";
    }
  }
}
