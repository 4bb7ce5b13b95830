// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests only.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "moat/base/clock.h"

namespace moat::certs::testing {

inline const Time now = from_unix_seconds(1'800'000'000);

// A directory of its own, gone at the end.
class Folder : public ::testing::Test {
 protected:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "moat-certs-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~Folder() override {
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
  }
  std::filesystem::path folder_;
};

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
inline void write_file(const std::filesystem::path& path, std::string_view content, mode_t mode) {
  {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << content;
  }
  ::chmod(path.c_str(), mode);
}
inline mode_t mode_of(const std::filesystem::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777u : 0;
}

}  // namespace moat::certs::testing
