// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/file_watch.h"

#include <sys/stat.h>

#include <utility>

namespace moat::gateway {

FileWatch::FileWatch(std::vector<std::string> files)
    : files_(std::move(files)), known_(look()), last_(known_) {}

void FileWatch::follow(std::vector<std::string> files) {
  if (files == files_) return;  // what changed a moment ago is still news
  files_ = std::move(files);
  known_ = last_ = look();
}

std::vector<FileWatch::Stamp> FileWatch::look() const {
  std::vector<Stamp> stamps;
  for (const std::string& file : files_) {
    struct stat info {};
    Stamp stamp{};
    if (::stat(file.c_str(), &info) == 0) {
      stamp = {static_cast<std::int64_t>(info.st_dev), static_cast<std::int64_t>(info.st_ino),
               info.st_size, info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec,
               // A mode or owner that was put right is a change too.
               info.st_ctim.tv_sec * 1'000'000'000 + info.st_ctim.tv_nsec, 1};
    }
    stamps.push_back(stamp);
  }
  return stamps;
}

bool FileWatch::changed() {
  std::vector<Stamp> now = look();
  const bool settled = now == last_;
  last_ = std::move(now);
  if (!settled || last_ == known_) return false;
  known_ = last_;
  return true;
}

}  // namespace moat::gateway
