// SPDX-License-Identifier: Apache-2.0
#include "moat/cli/hook_runner.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "moat/base/clock.h"
#include "moat/base/encoding.h"

namespace moat::cli {

namespace {

using gateway::DnsRequest;
using std::chrono::milliseconds;

constexpr std::size_t longest_message = 4096;
constexpr std::size_t most_output = 64 * 1024;  // that is kept to tell of
constexpr std::size_t longest_told = 300;
constexpr milliseconds until_killed{2'000};  // behind SIGTERM
constexpr milliseconds until_lost{3'000};    // behind all that: the runner does not answer

std::string because(const std::string& what) { return what + ": " + std::strerror(errno); }

// ---------------------------------------------------------------- what is fixed before the sandbox

struct Hook {
  std::vector<std::string> words;
  std::vector<std::string> environment;
  std::vector<std::string> records;  // that may be set
};

Result<Hook, std::string> hook_of(const gateway::AcmeSettings& settings,
                                  const std::vector<std::string>& names) {
  Hook out;
  out.words = settings.dns_hook;
  if (out.words.empty()) return Error{std::string("no program is named")};
  if (auto checked = HookRunner::check_program(out.words.front()); !checked)
    return Error{checked.error()};
  // Moat's own environment may hold secrets that are none of the program's business.
  out.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                     "LANG=C.UTF-8"};
  for (const std::string& name : settings.dns_environment) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return Error{"the environment has no " + name};
    out.environment.push_back(name + "=" + value);
  }
  for (const std::string& name : names) {
    const std::string plain = name.rfind("*.", 0) == 0 ? name.substr(2) : name;
    out.records.push_back("_acme-challenge." + ascii_lower(plain));
  }
  return out;
}

// --------------------------------------------------------------------- messages between the two
// To the runner: "present" or "cleanup", the record, the text, milliseconds, a line each; or "k",
// which ends what runs. From it: "0", or a sentence.

bool send_text(int socket, std::string_view text) {
  return ::send(socket, text.data(), text.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(text.size());
}

// Empty: the other side is gone.
std::string receive_text(int socket) {
  std::array<char, longest_message> text{};
  ssize_t got = 0;
  do {
    got = ::recv(socket, text.data(), text.size(), 0);
  } while (got < 0 && errno == EINTR);
  return got <= 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(got));
}

// The same, but empty too where nothing has come at the deadline, or soon behind a stop.
std::string receive_until(int socket, Tick deadline, const std::stop_token& stop) {
  for (;;) {
    const Tick now = system_clock().tick();
    if (stop.stop_requested()) deadline = std::min(deadline, now + until_killed + until_lost);
    if (now >= deadline) return {};
    pollfd watched{socket, POLLIN, 0};
    const auto left = std::chrono::ceil<milliseconds>(deadline - now);
    const milliseconds turn = std::min(left, milliseconds{1'000});
    if (::poll(&watched, 1, static_cast<int>(turn.count())) > 0) return receive_text(socket);
  }
}

struct Job {
  std::string action, record, text;
  milliseconds timeout{0};
};

std::optional<Job> parse_job(const std::string& message, const Hook& hook) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin <= message.size();) {
    const std::size_t end = std::min(message.find('\n', begin), message.size());
    lines.push_back(message.substr(begin, end - begin));
    begin = end + 1;
  }
  if (lines.size() != 4) return std::nullopt;
  Job out{lines[0], lines[1], lines[2], {}};
  std::int64_t span = 0;
  const char* end = lines[3].data() + lines[3].size();
  const auto parsed = std::from_chars(lines[3].data(), end, span);
  out.timeout = milliseconds{span};
  // RFC 8555 section 8.4: the digest of the key authorization, 32 bytes in base64url.
  const bool good =
      (out.action == "present" || out.action == "cleanup") &&
      std::find(hook.records.begin(), hook.records.end(), out.record) != hook.records.end() &&
      out.text.size() == 43 && base64url_decode(out.text) && parsed.ec == std::errc() &&
      parsed.ptr == end && span > 0 && span <= 3'600'000;
  return good ? std::optional<Job>(std::move(out)) : std::nullopt;
}

// ------------------------------------------------------------------------------------- the runner

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

[[noreturn]] void execute(const Hook& hook, const Job& job, int output) {
  ::setsid();  // a group of its own, which can be ended as a whole
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0U);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGCHLD})
    ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // What a service manager has given Moat for its ports is none of the program's business.
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  ::umask(0077);
  if (::chdir("/") != 0) ::_exit(126);
  std::vector<std::string> words = hook.words;
  words.insert(words.end(), {job.action, job.record + ".", job.text});
  ::execve(words.front().c_str(), pointers_to(words).data(), pointers_to(hook.environment).data());
  const std::string why = because("cannot run " + words.front());
  if (::write(STDERR_FILENO, why.data(), why.size()) < 0) ::_exit(126);
  ::_exit(127);
}

// The last line that says something, without what a terminal would obey.
std::string last_words(std::string_view output) {
  std::string out;
  while (!output.empty() && out.empty()) {
    const std::size_t start = output.rfind('\n');
    std::string_view line = start == output.npos ? output : output.substr(start + 1);
    output = start == output.npos ? std::string_view() : output.substr(0, start);
    if (line.size() > longest_told) line = line.substr(0, longest_told);
    for (const char c : line) out.push_back(c >= ' ' && c <= '~' ? c : ' ');
    while (!out.empty() && out.back() == ' ') out.pop_back();
  }
  return out;
}

enum class Ended { by_itself, timeout, stopped };

// What runs, seen from the runner.
class Child final {
 public:
  Child(pid_t process, int output) : process_(process), output_(output) {}
  Child(const Child&) = delete;  // owns a process
  Child& operator=(const Child&) = delete;
  ~Child() {
    ::kill(-process_, SIGKILL);  // whatever it has left behind
    if (!reaped_) ::waitpid(process_, &status_, 0);
    ::close(output_);
  }
  // Until it has ended and closed its output, or the time is over, or the socket says something.
  Ended wait(int socket, Tick deadline) {
    while (!is_over()) {
      const auto left = std::chrono::duration_cast<milliseconds>(deadline - system_clock().tick());
      if (left <= milliseconds::zero()) return Ended::timeout;
      pollfd watched[] = {{output_, POLLIN, 0}, {socket, POLLIN, 0}};
      // A program that has closed its output and goes on is looked after by time alone.
      if (closed_) watched[0].fd = -1;
      const milliseconds turn = std::min(left, milliseconds{closed_ ? 20 : 1'000});
      if (::poll(watched, 2, static_cast<int>(turn.count())) < 0 && errno != EINTR)
        return Ended::stopped;
      if (watched[0].revents != 0) read_output();
      if (socket >= 0 && watched[1].revents != 0) return Ended::stopped;
    }
    return Ended::by_itself;
  }
  void terminate() const { ::kill(-process_, SIGTERM); }
  int status() const { return status_; }
  const std::string& output() const { return text_; }

 private:
  bool is_over() {
    if (!reaped_) reaped_ = ::waitpid(process_, &status_, WNOHANG) == process_;
    // Children that live on may hold the pipe for ever; what the program itself said is in it.
    if (reaped_ && !closed_) read_output();
    return reaped_;
  }
  // So much at most: one that writes without end must not keep us from the clock.
  void read_output() {
    std::array<char, 4096> piece{};
    for (std::size_t read = 0; read < most_output;) {
      const ssize_t got = ::read(output_, piece.data(), piece.size());
      closed_ = got == 0;
      if (got <= 0) return;
      read += static_cast<std::size_t>(got);
      text_.append(piece.data(), static_cast<std::size_t>(got));
      if (text_.size() > most_output) text_.erase(0, text_.size() - most_output / 2);
    }
  }
  const pid_t process_;
  const int output_;
  bool reaped_ = false, closed_ = false;
  int status_ = 0;
  std::string text_;
};

std::string verdict(Ended how, const Child& child, milliseconds timeout) {
  std::string out;
  if (how == Ended::timeout) {
    out = "it took longer than " + std::to_string(timeout.count()) + " ms";
  } else if (how == Ended::stopped) {
    out = "it was ended: Moat stops";
  } else if (WIFSIGNALED(child.status())) {
    out = "it was ended by signal " + std::to_string(WTERMSIG(child.status()));
  } else if (WEXITSTATUS(child.status()) != 0) {
    out = "it ended with status " + std::to_string(WEXITSTATUS(child.status()));
  } else {
    return "0";
  }
  const std::string said = last_words(child.output());
  return said.empty() ? out : out + ": " + said;
}

std::string carry_out(int socket, const Hook& hook, const Job& job) {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) return because("pipe");
  ::fcntl(pipe[0], F_SETFL, O_NONBLOCK);
  const pid_t process = ::fork();
  if (process == 0) execute(hook, job, pipe[1]);
  ::close(pipe[1]);
  if (process < 0) {
    ::close(pipe[0]);
    return because("fork");
  }
  Child child(process, pipe[0]);
  const Ended how = child.wait(socket, system_clock().tick() + job.timeout);
  if (how != Ended::by_itself) {
    child.terminate();
    static_cast<void>(child.wait(-1, system_clock().tick() + until_killed));
  }
  return verdict(how, child, job.timeout);
}

[[noreturn]] void serve_jobs(int socket, const Hook& hook) {
  // A terminal's Ctrl-C and a service manager's SIGTERM reach the whole group: the one that serves
  // cleans up, for which this has to be there, and this ends with it.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE})
    ::signal(signal, SIG_IGN);
  for (;;) {
    const std::string message = receive_text(socket);
    if (message.empty()) ::_exit(0);
    if (message == "k") continue;  // what it was for has ended by itself
    const auto job = parse_job(message, hook);
    const std::string answer =
        job ? carry_out(socket, hook, *job)
            : std::string("that record is not below the names that Moat was started with");
    if (!send_text(socket, answer)) ::_exit(0);
  }
}

}  // namespace

// Whoever could change the program would run as Moat's user.
Result<void, std::string> HookRunner::check_program(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return Error{because(path)};
  if (!S_ISREG(status.st_mode)) return Error{path + " is no file"};
  if (status.st_uid != 0 && status.st_uid != ::geteuid())
    return Error{path + " belongs to another user than root or the one who runs this"};
  if ((status.st_mode & 0022U) != 0)
    return Error{path + " may be changed by others: chmod go-w it"};
  if (::access(path.c_str(), X_OK) != 0) return Error{because(path + " cannot be run")};
  return {};
}

Result<std::shared_ptr<HookRunner>, std::string> HookRunner::fork_off(
    const gateway::AcmeSettings& settings, const std::vector<std::string>& names) {
  MOAT_TRY(const Hook hook, hook_of(settings, names));
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
    return Error{because("socketpair")};
  const pid_t child = ::fork();
  if (child == 0) {
    // A listening socket that it held would go on taking clients whom nobody serves.
    ::dup2(pair[1], STDERR_FILENO + 1);
    ::fcntl(STDERR_FILENO + 1, F_SETFD, FD_CLOEXEC);
    ::syscall(SYS_close_range, STDERR_FILENO + 2, ~0U, 0U);
    serve_jobs(STDERR_FILENO + 1, hook);
  }
  ::close(pair[1]);
  if (child < 0) {
    ::close(pair[0]);
    return Error{because("fork")};
  }
  return std::shared_ptr<HookRunner>(new HookRunner(pair[0]));
}

HookRunner::~HookRunner() { ::close(socket_); }

Result<void, std::string> HookRunner::run(const DnsRequest& request, milliseconds timeout,
                                          std::stop_token stop) {
  const std::lock_guard one(mutex_);
  if (stop.stop_requested()) return Error{std::string("Moat stops")};
  const bool present = request.action == DnsRequest::Action::present;
  const std::string message = std::string(present ? "present" : "cleanup") + "\n" + request.record +
                              "\n" + request.text + "\n" + std::to_string(timeout.count());
  if (message.size() > longest_message || !send_text(socket_, message))
    return Error{std::string("the process that runs tls.acme.dns_hook is gone: restart Moat")};
  std::string answer;
  {
    const std::stop_callback at_stop(stop, [this] { send_text(socket_, "k"); });
    answer =
        receive_until(socket_, system_clock().tick() + timeout + until_killed + until_lost, stop);
  }
  if (answer.empty()) {
    // Nor may an answer that comes after all be taken for that to the next question.
    ::shutdown(socket_, SHUT_RDWR);
    return Error{std::string("the process that runs tls.acme.dns_hook is gone: restart Moat")};
  }
  if (answer != "0") return Error{"tls.acme.dns_hook: " + answer};
  return {};
}

}  // namespace moat::cli
