// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal: reading and writing files that hold keys.

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "moat/base/result.h"
#include "moat/base/secret.h"
#include "moat/certs/file_error.h"

namespace moat::certs {

inline constexpr std::size_t max_bytes = 65536;  // of a file

// A file descriptor, closed at the end.
class Descriptor final {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Descriptor& operator=(Descriptor&&) = delete;
  Descriptor(const Descriptor&) = delete;  // one owner closes
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

FileError io_error(const std::filesystem::path& path, std::string_view doing, int error_number);

// A directory of this user that nobody else may enter, held open and locked against other
// processes.
class PrivateDirectory final {
 public:
  // Makes it, 0700, where it is not there; refuses one that is looser or another user's, and one
  // whose lock another process keeps for longer than `patience`: it may have been halted.
  static Result<PrivateDirectory, FileError> open(
      const std::filesystem::path& path,
      std::chrono::milliseconds patience = std::chrono::milliseconds{30'000});
  // The same, but none where another process has the lock.
  static Result<std::optional<PrivateDirectory>, FileError> try_open(
      const std::filesystem::path& path);

  // The content of a regular file of this user with mode 0600 or tighter; none where it is not
  // there.
  Result<std::optional<Secret>, FileError> read(const std::string& name) const;
  // Replaces the file whole: a temporary file, written and synced, takes its name.
  Result<void, FileError> write(const std::string& name, std::string_view content) const;
  // Makes the changes of names last.
  Result<void, FileError> sync() const;

 private:
  static Result<std::optional<PrivateDirectory>, FileError> open_within(
      const std::filesystem::path& path, std::chrono::milliseconds patience);
  PrivateDirectory(std::filesystem::path path, Descriptor directory, Descriptor lock)
      : path_(std::move(path)), directory_(std::move(directory)), lock_(std::move(lock)) {}
  std::filesystem::path path_;
  Descriptor directory_;
  Descriptor lock_;
};

// Who may do what with a file, as bits of the mode that must not be set.
struct Permitted {
  mode_t forbidden;
  bool allow_root_owner;
};

// Reads an open regular file of at most 64 KiB, after its owner and mode have been checked.
Result<Secret, FileError> read_checked(const Descriptor& file, const std::filesystem::path& path,
                                       const Permitted& permitted);

}  // namespace moat::certs
