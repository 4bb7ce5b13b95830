// SPDX-License-Identifier: Apache-2.0
// A media type, a line end, a file name, a line end, a content. Nothing is read behind it, a copy
// is judged alike, what comes behind the head changes no verdict of a signature, and what begins as
// a page is of no type that has none.
#include "moat/validate/file_types.h"

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "moat/base/encoding.h"

namespace {

using namespace moat::validate;

void require(bool condition) {
  if (!condition) std::abort();
}

// In memory of its very size, so that the sanitizers see each byte beyond.
Agreement judged_alone(std::string_view type, std::string_view content, Extent extent) {
  const std::vector<char> copy(content.begin(), content.end());
  return content_agrees(type, std::string_view(copy.data(), copy.size()), extent);
}

void check_content(std::string_view type, std::string_view content) {
  const Agreement whole = content_agrees(type, content);
  require(whole == judged_alone(type, content, Extent::whole));
  require((whole != Agreement::unknown) == is_known_file_type(type));
  const Agreement beginning = judged_alone(type, content, Extent::beginning);
  require(whole != Agreement::yes || beginning == Agreement::yes);
  const std::string upper = "  " + moat::ascii_lower(type.substr(0, type.find(';'))) + " ; a=b";
  require(content_agrees(upper, content) == whole);
  if (whole == Agreement::yes && is_text_file_type(type))
    require(moat::is_valid_utf8(content) && content.find('\0') == std::string_view::npos);
  for (const std::string_view binary : {"image/png", "image/gif", "application/pdf", "video/mp4"}) {
    const Agreement head = content_agrees(binary, content.substr(0, file_head_bytes));
    require(content_agrees(binary, content) == head);
    if (is_html_like(content)) require(head == Agreement::no);
  }
}

void check_name(std::string_view type, std::string_view name) {
  const std::vector<char> copy(name.begin(), name.end());
  const Agreement agreement = name_agrees(type, name);
  require(agreement == name_agrees(type, std::string_view(copy.data(), copy.size())));
  require(agreement == name_agrees(type, moat::ascii_lower(name)));
  require(agreement == name_agrees(type, std::string(name) + ". ."));
  if (is_known_file_type(type))
    require(name_agrees(type, std::string(name) + ".php") == Agreement::no);
}

}  // namespace

void fuzz(std::span<const std::uint8_t> input) {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  const std::size_t first = text.find('\n');
  if (first == std::string_view::npos) return;
  const std::size_t second = text.find('\n', first + 1);
  if (second == std::string_view::npos) return;
  const std::string_view type = text.substr(0, first);
  check_name(type, text.substr(first + 1, second - first - 1));
  check_content(type, text.substr(second + 1));
}
