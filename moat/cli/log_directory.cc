// SPDX-License-Identifier: Apache-2.0
#include "moat/cli/log_directory.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

namespace moat::cli {

namespace fs = std::filesystem;

namespace {

// "access.log", "access.log.2.gz" and "access-20260101" are of the log "access.log"; "access" alone
// may be anything.
bool is_log(const fs::directory_entry& entry, const std::string& log) {
  std::error_code error;
  if (!entry.is_regular_file(error)) return false;
  const std::string name = entry.path().filename().string();
  const std::string stem = fs::path(log).stem().string();
  const bool rotated = name.size() > stem.size() && name.compare(0, stem.size(), stem) == 0 &&
                       (name[stem.size()] == '.' || name[stem.size()] == '-');
  return name == log || rotated || name.find(".log") != name.npos;
}

}  // namespace

std::string log_directory(const gateway::Config& config) {
  if (config.access_path.empty()) return {};
  std::error_code error;
  return fs::absolute(config.access_path, error).parent_path().string();
}

std::string beside_the_log(const gateway::Config& config) {
  constexpr std::size_t shown = 3;
  constexpr std::size_t most = 10'000;  // entries that are looked at
  if (config.access_path.empty()) return {};
  const std::string log = fs::path(config.access_path).filename().string();
  std::vector<std::string> others;
  std::error_code error;
  fs::directory_iterator entry(log_directory(config), error);
  for (std::size_t seen = 0; !error && entry != fs::directory_iterator() && seen < most; ++seen) {
    if (!is_log(*entry, log)) others.push_back(entry->path().filename().string());
    entry.increment(error);
  }
  std::sort(others.begin(), others.end());
  std::string text;
  for (std::size_t i = 0; i < others.size() && i < shown; ++i)
    text += (i == 0 ? "" : ", ") + others[i];
  return others.size() > shown ? text + ", …" : text;
}

}  // namespace moat::cli
