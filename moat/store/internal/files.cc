// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "moat/store/internal/database.h"

namespace moat::store {
namespace {

// A file descriptor that is closed with its scope.
class Descriptor final {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;  // closes once
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

Error<OpenError> refuse(OpenRefusal reason, const std::string& path, const std::string& what) {
  return Error{OpenError{reason, path + ": " + what}};
}

bool is_private(const struct stat& status) {
  return status.st_uid == ::geteuid() && (status.st_mode & 0077) == 0;
}

// Makes the name of a new file or directory outlast a power cut. A failure is not ours to judge
// here: the writes that follow report theirs.
void sync_directory(const std::filesystem::path& directory) {
  const char* path = directory.empty() ? "." : directory.c_str();
  const Descriptor opened(::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.valid()) ::fsync(opened.get());
}

Result<void, OpenError> prepare_directory(const std::string& directory) {
  std::error_code ignored;  // mkdir says what is wrong
  const auto parent = std::filesystem::path(directory).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, ignored);
  if (::mkdir(directory.c_str(), 0700) == 0) {
    sync_directory(parent);
  } else if (errno != EEXIST) {
    return refuse(OpenRefusal::unavailable, directory, std::strerror(errno));
  }
  const Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (!opened.valid() || ::fstat(opened.get(), &status) != 0) {
    const bool no_directory = errno == ENOTDIR;
    return refuse(no_directory ? OpenRefusal::insecure_directory : OpenRefusal::unavailable,
                  directory, std::strerror(errno));
  }
  if (!is_private(status)) {
    return refuse(OpenRefusal::insecure_directory, directory,
                  "must belong to this user and be closed to all others (chmod 0700)");
  }
  return {};
}

// By name and never by opening: whoever closes a descriptor of a file loses the locks that this
// process holds on it through any other one (POSIX), SQLite's too. The directory is ours alone by
// now, so nobody can exchange a file between this look and SQLite's opening it.
Result<void, OpenError> check_file(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return refuse(OpenRefusal::unavailable, path, std::strerror(errno));
  }
  if (!S_ISREG(status.st_mode) || !is_private(status)) {
    return refuse(OpenRefusal::insecure_file, path,
                  "must be a file of this user, closed to all others (chmod 0600)");
  }
  return {};
}

}  // namespace

Result<std::string, OpenError> prepare_files(const std::string& directory) {
  if (auto done = prepare_directory(directory); !done) return Error{std::move(done).error()};
  const std::string path = directory + "/moat.db";
  // Made here and not by SQLite, whose mode would depend on the umask. It gives -wal and -shm the
  // mode of the file.
  if (::mknod(path.c_str(), S_IFREG | 0600, 0) != 0 && errno != EEXIST) {
    return refuse(OpenRefusal::unavailable, path, std::strerror(errno));
  }
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    if (auto sound = check_file(path + suffix); !sound) return Error{std::move(sound).error()};
  }
  return path;
}

}  // namespace moat::store
