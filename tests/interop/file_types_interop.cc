// SPDX-License-Identifier: Apache-2.0
// For file_types_interop.py: a media type, a tab and a path on each line; what Moat says of the
// file's content and of its name, "yes", "no" or "unknown".
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "moat/validate/file_types.h"

namespace {

const char* name_of(moat::validate::Agreement agreement) {
  switch (agreement) {
    case moat::validate::Agreement::yes:
      return "yes";
    case moat::validate::Agreement::no:
      return "no";
    case moat::validate::Agreement::unknown:
      break;
  }
  return "unknown";
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const std::size_t tab = line.find('\t');
    if (tab == std::string::npos) return 1;
    const std::string type = line.substr(0, tab), path = line.substr(tab + 1);
    std::ifstream file(path, std::ios::binary);
    if (!file) return 1;
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    std::cout << name_of(moat::validate::content_agrees(type, content)) << ' '
              << name_of(moat::validate::name_agrees(type, path.substr(path.rfind('/') + 1)))
              << '\n';
  }
  return 0;
}
