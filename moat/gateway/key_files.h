// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "moat/base/result.h"
#include "moat/base/secret.h"

namespace moat::gateway {

// Makes `path` a directory of mode 0700 if it is not there; refuses one that others may enter or
// that belongs to somebody else. The error is a sentence.
[[nodiscard]] Result<void, std::string> make_private_directory(const std::string& path);

// The content of a file of mode 0600 below such a directory; made from `make` on the first run,
// written whole or not at all. A looser mode or a foreign owner is refused with the file's name.
[[nodiscard]] Result<Secret, std::string> load_or_make(const std::string& path,
                                                       const std::function<Secret()>& make);
// Replaces the file, atomically and durably.
[[nodiscard]] Result<void, std::string> write_private_file(const std::string& path,
                                                           const Secret& content);

// A directory that one process works in at a time: a second one would take over the admin socket
// and the set-up link, and learn of revocations late. Held as long as the object lives.
class DirectoryLock final {
 public:
  [[nodiscard]] static Result<DirectoryLock, std::string> take(const std::string& directory);
  // The lock that the process before holds by `descriptor`, which is taken over: both hold it until
  // both have let go. Refused where it is no lock of this directory.
  [[nodiscard]] static Result<DirectoryLock, std::string> inherit(const std::string& directory,
                                                                  int descriptor);
  int descriptor() const { return fd_; }
  DirectoryLock(DirectoryLock&& other) noexcept;
  DirectoryLock(const DirectoryLock&) = delete;  // one holder
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace moat::gateway
