// SPDX-License-Identifier: Apache-2.0
// However a page is cut into pieces, the output is the same, and without the fields it is the page.
#include "moat/csrf/form_injector.h"

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

namespace {

constexpr std::string_view token = "tttt";
constexpr std::string_view field = "<input type=hidden name=_csrf value=tttt >";

std::string without_fields(std::string text) {
  for (std::size_t at = text.find(field); at != text.npos; at = text.find(field, at))
    text.erase(at, field.size());
  return text;
}

}  // namespace

void fuzz(std::span<const std::uint8_t> input) {
  using moat::csrf::FormInjector;
  if (input.size() > 8192 || input.empty()) return;
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  if (text.find("tttt") != text.npos) return;

  std::string whole;
  FormInjector at_once("https", "example.com", token);
  at_once.feed(text, whole);
  if (whole.size() != text.size() + at_once.injected() * field.size()) std::abort();
  if (without_fields(whole) != text) std::abort();

  std::string pieces;
  FormInjector by_pieces("https", "example.com", token);
  std::size_t size = input[0] % 7 + 1;
  for (std::size_t at = 0; at < text.size(); at += size, size = size % 11 + 1)
    by_pieces.feed(text.substr(at, size), pieces);
  if (pieces != whole) std::abort();

  std::string bytes;
  FormInjector by_bytes("https", "example.com", token);
  for (const char c : text) by_bytes.feed(std::string_view(&c, 1), bytes);
  if (bytes != whole) std::abort();
}
