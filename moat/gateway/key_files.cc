// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/key_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "moat/sources/files.h"

namespace moat::gateway {

namespace {

std::string reason(const std::string& what, const std::string& path) {
  return "cannot " + what + " " + path + ": " + std::strerror(errno);
}

// Closes the descriptor at the end of the scope.
struct Closing {
  int fd;
  ~Closing() {
    if (fd >= 0) ::close(fd);
  }
};

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

Result<void, std::string> make_private_directory(const std::string& path) {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return Error{reason("make the directory", path)};
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return Error{reason("look at", path)};
  if (!S_ISDIR(info.st_mode)) return Error{path + " is no directory"};
  if (info.st_uid != ::geteuid())
    return Error{path + " belongs to somebody else; Moat keeps keys there"};
  if ((info.st_mode & 077) != 0) return Error{path + " is open to others; run: chmod 700 " + path};
  return {};
}

Result<void, std::string> write_private_file(const std::string& path, const Secret& content) {
  const std::string temporary = path + ".new";
  ::unlink(temporary.c_str());
  const Closing file{
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (file.fd < 0) return Error{reason("write", temporary)};
  if (!write_all(file.fd, content.reveal()) || ::fsync(file.fd) != 0)
    return Error{reason("write", temporary)};
  if (::rename(temporary.c_str(), path.c_str()) != 0) return Error{reason("write", path)};
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const Closing directory{::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (directory.fd < 0 || ::fsync(directory.fd) != 0) return Error{reason("sync", parent)};
  return {};
}

Result<Secret, std::string> load_or_make(const std::string& path,
                                         const std::function<Secret()>& make) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno != ENOENT) return Error{reason("look at", path)};
    Secret made = make();
    const auto written = write_private_file(path, made);
    if (!written) return Error{written.error()};
    return made;
  }
  auto secret = sources::read_secret_file(path);
  if (!secret) return Error{secret.error().to_string()};
  return std::move(*secret);
}

Result<DirectoryLock, std::string> DirectoryLock::take(const std::string& directory) {
  DirectoryLock lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock.fd_ < 0) return Error{reason("open", directory)};
  if (::flock(lock.fd_, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK) return Error{"another Moat is running on " + directory};
  return Error{reason("lock", directory)};
}

Result<DirectoryLock, std::string> DirectoryLock::inherit(const std::string& directory,
                                                          int descriptor) {
  DirectoryLock lock(descriptor);
  struct stat held {};
  struct stat named {};
  if (::fstat(descriptor, &held) != 0 || ::stat(directory.c_str(), &named) != 0)
    return Error{reason("look at", directory)};
  if (held.st_dev != named.st_dev || held.st_ino != named.st_ino)
    return Error{"the lock that was passed on is not of " + directory};
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  // Held already, by the same open file: this asks nobody else to wait.
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK) return Error{"another Moat is running on " + directory};
  return Error{reason("lock", directory)};
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
DirectoryLock::~DirectoryLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace moat::gateway
