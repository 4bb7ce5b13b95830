// SPDX-License-Identifier: Apache-2.0
#include "moat/certs/internal/command.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "moat/certs/internal/files.h"

namespace moat::certs {
namespace {

constexpr std::size_t max_output = 4096;

struct Actions {
  posix_spawn_file_actions_t value;
  Actions() { ::posix_spawn_file_actions_init(&value); }
  Actions(const Actions&) = delete;  // owns the list
  Actions& operator=(const Actions&) = delete;
  ~Actions() { ::posix_spawn_file_actions_destroy(&value); }
};

// Reads until the command closes its end, and keeps the beginning.
std::string drain(int fd) {
  std::string kept;
  char buffer[1024];
  while (true) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return kept;
    kept.append(buffer, std::min(static_cast<std::size_t>(got), max_output - kept.size()));
  }
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

CommandResult run_command(const std::vector<std::string>& words) {
  if (words.empty() || words[0].empty() || words[0][0] != '/') return {};
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {};
  const Descriptor near(ends[0]);
  pid_t child = -1;
  int error = 0;
  {
    const Descriptor far(ends[1]);
    Actions actions;
    ::posix_spawn_file_actions_addopen(&actions.value, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions.value, far.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions.value, far.get(), STDERR_FILENO);
    std::vector<std::string> copies = words;
    std::vector<char*> arguments;
    for (std::string& word : copies) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    char language[] = "LC_ALL=C";
    char* const environment[] = {path, language, nullptr};
    error = ::posix_spawn(&child, copies[0].c_str(), &actions.value, nullptr, arguments.data(),
                          environment);
  }
  if (error != 0) return {};
  CommandResult result;
  result.output = drain(near.get());
  result.status = wait_for(child);
  return result;
}

std::string shell_word(const std::string& text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '.' || c == '_' || c == '-' || c == ':' || c == '=';
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace moat::certs
