// SPDX-License-Identifier: Apache-2.0
#include "moat/base/replace.h"

#include <cstring>

namespace moat {

std::size_t Replacements::extra(std::string_view text) const {
  std::size_t size = 0;
  for (const char c : text) size += entries_[static_cast<unsigned char>(c)].size;
  return size - text.size();
}

void Replacements::append(std::string_view text, std::string& out) const {
  const std::size_t more = extra(text);
  if (more == 0) {
    out.append(text);
    return;
  }
  // Each byte writes a whole entry and moves on by what of it counts: no branch to guess wrongly.
  const std::size_t before = out.size();
  out.resize(before + text.size() + more + sizeof(Entry));
  char* to = out.data() + before;
  for (const char c : text) {
    const Entry& entry = entries_[static_cast<unsigned char>(c)];
    std::memcpy(to, &entry, sizeof entry);
    to += entry.size;
  }
  out.resize(before + text.size() + more);
}

}  // namespace moat
