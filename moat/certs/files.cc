// SPDX-License-Identifier: Apache-2.0
#include "moat/certs/internal/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <thread>

namespace moat::certs {
namespace {

FileError unsafe(const std::filesystem::path& path, std::string_view why) {
  return {FileError::Kind::unsafe, path.string(), path.string() + " " + std::string(why)};
}

std::string octal(mode_t mode) {
  std::string text;
  for (int shift = 6; shift >= 0; shift -= 3)
    text += static_cast<char>('0' + ((mode >> shift) & 7u));
  return "0" + text;
}

std::optional<FileError> check_owner(const std::filesystem::path& path, const struct stat& status,
                                     bool allow_root) {
  if (status.st_uid == ::geteuid() || (allow_root && status.st_uid == 0)) return std::nullopt;
  return unsafe(path, "belongs to user " + std::to_string(status.st_uid) + ", not to user " +
                          std::to_string(::geteuid()) + " who runs this: change its owner");
}

std::optional<FileError> check_mode(const std::filesystem::path& path, const struct stat& status,
                                    mode_t forbidden) {
  const mode_t mode = status.st_mode & 07777u;
  if ((mode & forbidden) == 0) return std::nullopt;
  return unsafe(path, "has mode " + octal(mode) + ", which lets others in: chmod " +
                          octal(mode & ~forbidden & 0777u) + " it");
}

// Reads to the end, in case the file is longer than it was.
std::optional<Secret> read_all(int fd) {
  std::string buffer(max_bytes + 1, '\0');
  std::size_t size = 0;
  while (size < buffer.size()) {
    const ssize_t got = ::read(fd, buffer.data() + size, buffer.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      wipe(buffer);
      return std::nullopt;
    }
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  Secret content = Secret::copy_of(std::string_view(buffer).substr(0, size));
  wipe(buffer);
  return content;
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t put = ::write(fd, content.data(), content.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

FileError io_error(const std::filesystem::path& path, std::string_view doing, int error_number) {
  return {error_number == ENOENT ? FileError::Kind::missing : FileError::Kind::io, path.string(),
          std::string(doing) + " " + path.string() + ": " +
              std::generic_category().message(error_number)};
}

Result<Secret, FileError> read_checked(const Descriptor& file, const std::filesystem::path& path,
                                       const Permitted& permitted) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return Error{io_error(path, "cannot look at", errno)};
  if (!S_ISREG(status.st_mode)) return Error{unsafe(path, "is not a regular file")};
  if (auto error = check_owner(path, status, permitted.allow_root_owner)) return Error{*error};
  if (auto error = check_mode(path, status, permitted.forbidden)) return Error{*error};
  auto content = read_all(file.get());
  if (!content) return Error{io_error(path, "cannot read", errno)};
  if (content->size() > max_bytes)
    return Error{FileError{FileError::Kind::invalid, path.string(),
                           path.string() + " is too large for certificates or a key"}};
  return std::move(*content);
}

Result<PrivateDirectory, FileError> PrivateDirectory::open(const std::filesystem::path& path,
                                                           std::chrono::milliseconds patience) {
  MOAT_TRY(std::optional<PrivateDirectory> opened, open_within(path, patience));
  if (!opened)
    return Error{FileError{FileError::Kind::io, path.string(),
                           path.string() + " is locked by another process, which does not end"}};
  return std::move(*opened);
}

Result<std::optional<PrivateDirectory>, FileError> PrivateDirectory::try_open(
    const std::filesystem::path& path) {
  return open_within(path, std::chrono::milliseconds{0});
}

Result<std::optional<PrivateDirectory>, FileError> PrivateDirectory::open_within(
    const std::filesystem::path& path, std::chrono::milliseconds patience) {
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  if (error) return Error{io_error(path.parent_path(), "cannot make", error.value())};
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return Error{io_error(path, "cannot make", errno)};
  Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory && (errno == ENOTDIR || errno == ELOOP))
    return Error{unsafe(path, "is not a directory of its own")};
  if (!directory) return Error{io_error(path, "cannot open", errno)};
  struct stat status {};
  if (::fstat(directory.get(), &status) != 0) return Error{io_error(path, "cannot look at", errno)};
  if (auto wrong = check_owner(path, status, false)) return Error{*wrong};
  if (auto wrong = check_mode(path, status, 0077)) return Error{*wrong};
  Descriptor lock(
      ::openat(directory.get(), ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!lock) return Error{io_error(path / ".lock", "cannot open", errno)};
  constexpr std::chrono::milliseconds pause{5};
  while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return Error{io_error(path / ".lock", "cannot lock", errno)};
    if (patience <= std::chrono::milliseconds{0}) return std::optional<PrivateDirectory>();
    patience -= pause;
    std::this_thread::sleep_for(pause);
  }
  return std::optional<PrivateDirectory>(
      PrivateDirectory(path, std::move(directory), std::move(lock)));
}

Result<std::optional<Secret>, FileError> PrivateDirectory::read(const std::string& name) const {
  const std::filesystem::path path = path_ / name;
  // Without O_NONBLOCK a pipe in the file's place would hold us here.
  const Descriptor file(
      ::openat(directory_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file && errno == ENOENT) return std::optional<Secret>();
  if (!file && errno == ELOOP) return Error{unsafe(path, "is a symbolic link")};
  if (!file) return Error{io_error(path, "cannot open", errno)};
  auto content = read_checked(file, path, {0077, false});
  if (!content) return Error{content.error()};
  return std::optional<Secret>(std::move(*content));
}

Result<void, FileError> PrivateDirectory::write(const std::string& name,
                                                std::string_view content) const {
  const std::string temporary = "." + name + ".new";
  const std::filesystem::path path = path_ / temporary;
  ::unlinkat(directory_.get(), temporary.c_str(), 0);  // of a process that died; the lock is ours
  const Descriptor file(::openat(directory_.get(), temporary.c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return Error{io_error(path, "cannot make", errno)};
  if (!write_all(file.get(), content) || ::fsync(file.get()) != 0)
    return Error{io_error(path, "cannot write", errno)};
  if (::renameat(directory_.get(), temporary.c_str(), directory_.get(), name.c_str()) != 0)
    return Error{io_error(path_ / name, "cannot replace", errno)};
  return {};
}

Result<void, FileError> PrivateDirectory::sync() const {
  if (::fsync(directory_.get()) != 0) return Error{io_error(path_, "cannot sync", errno)};
  return {};
}

}  // namespace moat::certs
