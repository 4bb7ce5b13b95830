// SPDX-License-Identifier: Apache-2.0
#include "moat/cli/launcher.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace moat::cli {

namespace {

using Use = gateway::InheritedSocket::Use;

constexpr const char* variable = "MOAT_HANDOVER";
// The kernel takes 253 in one message (SCM_MAX_FD).
constexpr std::size_t most_descriptors = 200;

std::string because(const std::string& what) { return what + ": " + std::strerror(errno); }

// A message: 'm' (more follow), 'g' (go) or 'k' (kill), then a letter for each descriptor with it.
bool send_message(int socket, const std::string& text, const int* fds, std::size_t count) {
  iovec data{const_cast<char*>(text.data()), text.size()};
  std::vector<char> control(CMSG_SPACE(count * sizeof(int)));
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (count > 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    std::memcpy(CMSG_DATA(header), fds, count * sizeof(int));
  }
  return ::sendmsg(socket, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

struct Message {
  std::string text;
  std::vector<int> fds;
};

// Empty: the other side is gone.
Message receive_message(int socket) {
  Message out;
  std::array<char, most_descriptors + 8> text{};
  iovec data{text.data(), text.size()};
  std::vector<char> control(CMSG_SPACE(most_descriptors * sizeof(int)));
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return out;
  out.text.assign(text.data(), static_cast<std::size_t>(got));
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    out.fds.resize(count);
    std::memcpy(out.fds.data(), CMSG_DATA(header), count * sizeof(int));
  }
  return out;
}

// The program and its words as they were at the start.
struct Program {
  std::string path;
  std::vector<std::string> words;
};

Result<Program, std::string> this_program() {
  Program program;
  const int fd = ::open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Error{because("cannot read /proc/self/cmdline")};
  std::string all;
  char piece[4096];
  for (ssize_t n = 0; (n = ::read(fd, piece, sizeof piece)) > 0;)
    all.append(piece, static_cast<std::size_t>(n));
  ::close(fd);
  for (std::size_t begin = 0; begin < all.size();) {
    const std::size_t end = std::min(all.find('\0', begin), all.size());
    program.words.push_back(all.substr(begin, end - begin));
    begin = end + 1;
  }
  if (program.words.empty()) return Error{std::string("/proc/self/cmdline is empty")};
  // As it was called, so that a symbolic link that names another version by now is followed.
  program.path = program.words.front();
  if (program.path.find('/') == std::string::npos) {
    char link[PATH_MAX];
    const ssize_t size = ::readlink("/proc/self/exe", link, sizeof link);
    if (size <= 0) return Error{because("cannot read /proc/self/exe")};
    program.path.assign(link, static_cast<std::size_t>(size));
  }
  return program;
}

// In the child of the launcher; returns only if there is nothing to execute.
[[noreturn]] void execute(const Program& program, const std::string& letters,
                          const std::vector<int>& fds) {
  std::string value;
  int ready = -1;
  for (std::size_t i = 0; i < fds.size(); ++i) {
    ::fcntl(fds[i], F_SETFD, 0);
    value += (value.empty() ? "" : ",") + std::string(1, letters[i]) + std::to_string(fds[i]);
    if (letters[i] == 'r') ready = fds[i];
  }
  ::setenv(variable, value.c_str(), 1);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE})
    ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  std::vector<char*> words;
  for (const std::string& word : program.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execv(program.path.c_str(), words.data());
  const std::string why = "F" + because("cannot run " + program.path);
  if (::write(ready, why.data(), why.size()) < 0) ::_exit(126);
  ::_exit(127);
}

[[noreturn]] void serve_launches(int socket, const Program& program) {
  // A terminal's Ctrl-C and a service manager's SIGTERM reach the whole group: the one that serves
  // drains, and this ends with it.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE})
    ::signal(signal, SIG_IGN);
  pid_t started = -1;
  std::string letters;
  std::vector<int> fds;
  for (;;) {
    const Message message = receive_message(socket);
    if (message.text.empty()) ::_exit(0);
    if (started > 0 && ::waitpid(started, nullptr, WNOHANG) == started) started = -1;
    if (message.text[0] == 'k') {
      if (started > 0 && ::kill(started, SIGKILL) == 0) ::waitpid(started, nullptr, 0);
      started = -1;
      continue;
    }
    if (message.text.size() - 1 != message.fds.size()) ::_exit(1);
    letters += message.text.substr(1);
    fds.insert(fds.end(), message.fds.begin(), message.fds.end());
    if (message.text[0] == 'm') continue;
    const pid_t child = ::fork();
    if (child == 0) execute(program, letters, fds);
    if (child > 0) started = child;
    for (const int fd : fds) ::close(fd);
    letters.clear();
    fds.clear();
    const std::string answer = std::to_string(child);
    if (!send_message(socket, answer, nullptr, 0)) ::_exit(1);
  }
}

}  // namespace

// ---------------------------------------------------------------------------------------- launcher

Result<Launcher, std::string> Launcher::fork_off() {
  const auto program = this_program();
  if (!program) return Error{program.error()};
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return Error{because("socketpair")};
  const pid_t child = ::fork();
  if (child < 0) {
    ::close(pair[0]);
    ::close(pair[1]);
    return Error{because("fork")};
  }
  if (child == 0) {
    // A listening socket that it held would go on taking clients whom nobody serves.
    ::dup2(pair[1], STDERR_FILENO + 1);
    ::fcntl(STDERR_FILENO + 1, F_SETFD, FD_CLOEXEC);
    ::syscall(SYS_close_range, STDERR_FILENO + 2, ~0U, 0U);
    serve_launches(STDERR_FILENO + 1, *program);
  }
  ::close(pair[1]);
  return Launcher(pair[0]);
}

Launcher::Launcher(Launcher&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
Launcher::~Launcher() {
  if (socket_ >= 0) ::close(socket_);
}

Result<pid_t, std::string> Launcher::start(const Heritage& heritage) const {
  std::string letters = "rl";
  std::vector<int> fds{heritage.ready, heritage.directory_lock};
  for (const gateway::InheritedSocket& socket : heritage.sockets) {
    letters.push_back(socket.use == Use::https ? 's' : 'p');
    fds.push_back(socket.fd);
  }
  for (std::size_t begin = 0; begin < fds.size(); begin += most_descriptors) {
    const std::size_t count = std::min(most_descriptors, fds.size() - begin);
    const std::string kind = begin + count == fds.size() ? "g" : "m";
    if (!send_message(socket_, kind + letters.substr(begin, count), fds.data() + begin, count))
      return Error{because("the launcher does not listen")};
  }
  const Message answer = receive_message(socket_);
  pid_t process = -1;
  const char* end = answer.text.data() + answer.text.size();
  const auto parsed = std::from_chars(answer.text.data(), end, process);
  if (parsed.ec != std::errc() || parsed.ptr != end || process <= 0)
    return Error{std::string("the launcher could not start a process")};
  return process;
}

void Launcher::kill() const { send_message(socket_, "k", nullptr, 0); }

// ----------------------------------------------------------------------------------------- upgrade

Result<Upgrade, std::string> Upgrade::begin(const Launcher& launcher, Heritage heritage,
                                            Tick deadline) {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC | O_NONBLOCK) != 0) return Error{because("pipe")};
  heritage.ready = pipe[1];
  auto started = launcher.start(heritage);
  ::close(pipe[1]);
  if (!started) {
    ::close(pipe[0]);
    return Error{started.error()};
  }
  return Upgrade(launcher, pipe[0], *started, deadline);
}

Upgrade::Upgrade(Upgrade&& other) noexcept
    : launcher_(other.launcher_),
      pipe_(std::exchange(other.pipe_, -1)),
      process_(other.process_),
      deadline_(other.deadline_),
      said_(std::move(other.said_)) {}

Upgrade::~Upgrade() {
  if (pipe_ >= 0) ::close(pipe_);
}

// 'R': ready. 'F' and a sentence: failed.
Upgrade::State Upgrade::look(Tick now) {
  char piece[512];
  ssize_t got = 0;
  while ((got = ::read(pipe_, piece, sizeof piece)) > 0 && said_.size() < sizeof piece)
    said_.append(piece, static_cast<std::size_t>(got));
  if (!said_.empty() && said_[0] == 'R') return State::ready;
  if (got < 0 && errno == EAGAIN) {
    if (now < deadline_) return State::waiting;
    launcher_.kill();
    said_ = "it was not ready in time";
    return State::failed;
  }
  said_ = said_.empty() || said_[0] != 'F' ? "it ended before it was ready" : said_.substr(1);
  launcher_.kill();
  return State::failed;
}

// ---------------------------------------------------------------------------------------- takeover

Result<Takeover, std::string> Takeover::from_environment() {
  Takeover made;
  const char* found = std::getenv(variable);
  if (found == nullptr) return made;
  std::string text = found;
  ::unsetenv(variable);
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view item = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    int fd = -1;
    const char* end = item.data() + item.size();
    const auto parsed =
        std::from_chars(item.data() + std::min<std::size_t>(item.size(), 1), end, fd);
    const bool good = parsed.ec == std::errc() && parsed.ptr == end && fd > STDERR_FILENO &&
                      ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
    const char letter = item.empty() ? ' ' : item[0];
    if (!good || std::string_view("rlsp").find(letter) == std::string_view::npos)
      return Error{std::string(variable) + " is for Moat alone, and is not understood"};
    if (letter == 'r') made.heritage_.ready = fd;
    if (letter == 'l') made.heritage_.directory_lock = fd;
    if (letter == 's') made.heritage_.sockets.push_back({fd, Use::https});
    if (letter == 'p') made.heritage_.sockets.push_back({fd, Use::http});
  }
  return made;
}

Takeover::Takeover(Takeover&& other) noexcept : heritage_(std::move(other.heritage_)) {
  other.heritage_ = Heritage();
}

Takeover::~Takeover() {
  if (heritage_.ready >= 0) ::close(heritage_.ready);
}

void Takeover::say(const std::string& text) {
  if (heritage_.ready < 0) return;
  ssize_t written = 0;
  do {
    written = ::write(heritage_.ready, text.data(), text.size());
  } while (written < 0 && errno == EINTR);
  ::close(std::exchange(heritage_.ready, -1));
}

void Takeover::ready() { say("R"); }
void Takeover::failed(const std::string& why) { say("F" + why.substr(0, 400)); }

}  // namespace moat::cli
