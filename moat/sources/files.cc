// SPDX-License-Identifier: Apache-2.0
#include "moat/sources/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "moat/env/strength.h"

namespace moat::sources {

namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;  // closes the file
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool good() const { return fd_ >= 0; }

 private:
  int fd_;
};

bool is_own(uid_t owner) { return owner == 0 || owner == ::geteuid(); }

// A link may be followed when nobody but root and this user can have made it: it is theirs, and so
// is its folder, into which no one else may write.
bool is_trusted_link(const std::string& path) {
  struct stat link {};
  if (::lstat(path.c_str(), &link) != 0 || !S_ISLNK(link.st_mode) || !is_own(link.st_uid))
    return false;
  const std::size_t slash = path.rfind('/');
  std::string folder = slash == std::string::npos ? "." : path.substr(0, slash);
  if (folder.empty()) folder = "/";
  struct stat parent {};
  return ::stat(folder.c_str(), &parent) == 0 && is_own(parent.st_uid) &&
         (parent.st_mode & 022) == 0;
}

env::ReadRefusal refusal_of(int error) {
  if (error == ENOENT || error == ENOTDIR) return env::ReadRefusal::absent;
  if (error == ELOOP || error == ENXIO) return env::ReadRefusal::not_a_file;
  return env::ReadRefusal::unreadable;
}

Result<env::File, env::ReadRefusal> read_file(const std::string& path, std::size_t max_bytes) {
  if (path.empty() || path.find('\0') != std::string::npos)
    return Error{env::ReadRefusal::not_a_file};
  // O_NONBLOCK: opening a pipe would wait for its writer otherwise.
  constexpr int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  int fd = ::open(path.c_str(), flags | O_NOFOLLOW);
  if (fd < 0 && errno == ELOOP && is_trusted_link(path)) fd = ::open(path.c_str(), flags);
  if (fd < 0) return Error{refusal_of(errno)};
  const Descriptor file(fd);
  // Asked of the open file, so that nobody can exchange it in between.
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return Error{env::ReadRefusal::unreadable};
  if (!S_ISREG(status.st_mode)) return Error{env::ReadRefusal::not_a_file};
  if (static_cast<std::uintmax_t>(status.st_size) > max_bytes)
    return Error{env::ReadRefusal::too_large};
  std::string text(static_cast<std::size_t>(status.st_size) + 1, '\0');
  std::size_t length = 0;
  while (length < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + length, text.size() - length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      wipe(text);
      return Error{env::ReadRefusal::unreadable};
    }
    if (got == 0) break;
    length += static_cast<std::size_t>(got);
  }
  if (length == text.size()) {  // it grew while it was read
    wipe(text);
    return Error{env::ReadRefusal::too_large};
  }
  env::File out;
  out.text = Secret::copy_of(std::string_view(text).substr(0, length));
  wipe(text);
  out.mode = status.st_mode & 0777;
  out.own = is_own(status.st_uid);
  return out;
}

}  // namespace

env::Reader file_reader(std::size_t max_bytes) {
  return [max_bytes](const std::string& path) { return read_file(path, max_bytes); };
}

Result<Secret, env::Problem> read_secret_file(const std::string& path, Readers readers) {
  const auto refuse = [&](env::Refusal refusal, std::string message) {
    return Error{env::Problem{refusal, {path, 0}, {}, std::move(message)}};
  };
  auto file = read_file(path, 1048576);
  if (!file) {
    return refuse(env::Refusal::unreadable,
                  "the file is " + std::string(env::to_string(file.error())));
  }
  const auto mode = readers == Readers::allow_all ? file->mode & ~044U : file->mode;
  std::string why = env::exposure(mode, file->own);
  if (!why.empty()) return refuse(env::Refusal::exposed, std::move(why));
  const std::string_view secret = env::without_line_end(file->text.reveal());
  if (secret.empty()) return refuse(env::Refusal::weak, "the file is empty");
  return Secret::copy_of(secret);
}

env::Environment process_environment() {
  env::Environment out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string_view::npos) continue;
    // The first of two counts, as it does for getenv.
    out.emplace(std::string(text.substr(0, equals)), Secret::copy_of(text.substr(equals + 1)));
  }
  return out;
}

void scrub_environment(std::span<const std::string_view> names) {
  for (const std::string_view name : names) {
    if (name.empty() || name.find('=') != std::string_view::npos) continue;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
      const std::size_t length = std::strlen(*entry);
      const std::string_view text(*entry, length);
      if (length <= name.size() || text.substr(0, name.size()) != name || text[name.size()] != '=')
        continue;
      // /proc/PID/environ shows the memory that the program was started with.
      ::explicit_bzero(*entry + name.size() + 1, length - name.size() - 1);
    }
    ::unsetenv(std::string(name).c_str());
  }
}

std::size_t scrub_secrets() {
  const env::Environment copy = process_environment();
  std::vector<std::string_view> names;
  for (const auto& [name, value] : copy) {
    if (env::names_secret(name)) names.push_back(name);
  }
  scrub_environment(names);
  return names.size();
}

Result<env::Settings, env::Problem> load_dotenv(const std::string& path, std::string_view profile) {
  env::LoadOptions options;
  options.files = env::layers(path, profile);
  return load_dotenv(options);
}

Result<env::Settings, env::Problem> load_dotenv(const env::LoadOptions& options) {
  return env::load(options, process_environment(), file_reader());
}

}  // namespace moat::sources
