// SPDX-License-Identifier: Apache-2.0
#include "moat/base/log.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "moat/base/encoding.h"
#include "moat/base/json.h"

namespace moat {

namespace {

std::string_view name_of(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warn:
      return "warn";
    case Level::error:
      return "error";
  }
  return "unknown";
}

// A key that contains one of these names a credential.
bool names_credential(std::string_view key) {
  constexpr std::array<std::string_view, 15> words = {
      "cookie", "authorization", "password",    "passwd",    "passphrase",
      "pwd",    "token",         "secret",      "api_key",   "apikey",
      "jwt",    "credential",    "private_key", "assertion", "bearer"};
  std::string lower = ascii_lower(key);
  std::replace(lower.begin(), lower.end(), '-', '_');
  if (lower == "otp" || lower == "totp" || lower == "pin") return true;
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

bool names_email(std::string_view key) {
  constexpr std::string_view word = "email";
  return key.size() >= word.size() && ascii_iequals(key.substr(key.size() - word.size()), word);
}

// Bytes that are no UTF-8 would make the line unreadable for a JSON parser.
void append_text(std::string& out, std::string_view text) {
  if (is_valid_utf8(text)) {
    json::append_string(out, text);
    return;
  }
  std::string clean(text);
  std::replace_if(
      clean.begin(), clean.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; },
      '?');
  json::append_string(out, clean);
}

struct AppendField {
  std::string& out;
  std::string_view key;
  void operator()(std::string_view text) const {
    if (names_credential(key)) {
      out += "\"[redacted]\"";
    } else if (names_email(key)) {
      append_text(out, mask_email(text));
    } else if (key == "target" || key == "url" || key == "referer") {
      append_text(out, redact_url(text));
    } else {
      append_text(out, text);
    }
  }
  void operator()(std::int64_t value) const {
    // A one-time code may come as a number; a count of tokens is no secret.
    if (key == "otp" || key == "totp" || key == "pin") {
      out += "\"[redacted]\"";
    } else {
      out += std::to_string(value);
    }
  }
  void operator()(double value) const { out += json::serialize(json::Value(value)); }
  void operator()(bool value) const { out += value ? "true" : "false"; }
};

}  // namespace

Log::Log(Clock& clock, Sink sink, Level least)
    : clock_(&clock), sink_(std::move(sink)), least_(least) {}

// Whoever logs only appends to a text in memory; a thread writes it.
struct LineWriter::State {
  std::mutex mutex;
  std::condition_variable changed;
  std::string waiting;
  std::uint64_t dropped = 0;
  std::uint64_t told = 0;  // of those
  int fd = -1;
  int next_fd = -1;
  bool own = false;   // the descriptor is ours to close
  bool tell = false;  // says what was dropped
  bool torn = false;  // the last write ended within a line
  bool ending = false;
  bool ended = false;

  State() = default;
  State(const State&) = delete;  // owns a descriptor
  State& operator=(const State&) = delete;
  ~State() {
    if (own) ::close(fd);
    if (next_fd >= 0) ::close(next_fd);
  }

  void run() {
    std::string text;
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return !waiting.empty() || next_fd >= 0 || ending; });
      if (next_fd >= 0) {
        if (own) ::close(fd);
        fd = std::exchange(next_fd, -1);
        own = true;
        torn = false;
      }
      if (waiting.empty()) {
        if (ending) break;
        continue;
      }
      text.clear();
      text.swap(waiting);
      const std::uint64_t count = tell ? dropped - std::exchange(told, dropped) : 0;
      lock.unlock();
      if (count > 0) {
        text += "{\"level\":\"warn\",\"event\":\"log_lines_dropped\",\"count\":" +
                std::to_string(count) + "}\n";
      }
      const std::uint64_t lost = write_all(text);
      lock.lock();
      dropped += lost;
    }
    ended = true;
    changed.notify_all();
  }

  // How many lines it could not write whole.
  std::uint64_t write_all(std::string_view text) {
    if (torn && !put("\n")) return lines(text);
    torn = false;
    const std::string_view all = text;
    while (!text.empty()) {
      const ssize_t written = ::write(fd, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) {
        torn = text.size() < all.size() && all[all.size() - text.size() - 1] != '\n';
        return lines(text);
      }
      text.remove_prefix(static_cast<std::size_t>(written));
    }
    return 0;
  }
  bool put(std::string_view byte) const {
    ssize_t written = 0;
    do written = ::write(fd, byte.data(), byte.size());
    while (written < 0 && errno == EINTR);
    return written > 0;
  }
  static std::uint64_t lines(std::string_view text) {
    return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
  }
};

struct LineWriter::Thread {
  std::thread thread;
};

LineWriter::LineWriter(std::shared_ptr<State> state)
    : state_(std::move(state)), thread_(std::make_unique<Thread>()) {
  thread_->thread = std::thread([its = state_] { its->run(); });
}

std::shared_ptr<LineWriter> LineWriter::to_stderr() {
  auto state = std::make_shared<State>();
  state->fd = STDERR_FILENO;
  state->tell = true;
  return std::shared_ptr<LineWriter>(new LineWriter(std::move(state)));
}

std::shared_ptr<LineWriter> LineWriter::to_descriptor(int fd) {
  auto state = std::make_shared<State>();
  state->fd = fd;
  state->own = true;
  return std::shared_ptr<LineWriter>(new LineWriter(std::move(state)));
}

LineWriter::~LineWriter() {
  std::unique_lock lock(state_->mutex);
  state_->ending = true;
  state_->changed.notify_all();
  const bool ended =
      state_->changed.wait_for(lock, std::chrono::seconds{1}, [this] { return state_->ended; });
  lock.unlock();
  if (ended) {
    thread_->thread.join();
  } else {
    thread_->thread.detach();  // its reader is stuck; what it uses is its own too
  }
}

void LineWriter::add(std::string_view line) {
  constexpr std::size_t most = 1024 * 1024;
  const std::lock_guard lock(state_->mutex);
  if (state_->waiting.size() + line.size() > most) {
    ++state_->dropped;
    return;
  }
  const bool first = state_->waiting.empty();
  state_->waiting.append(line);
  if (first) state_->changed.notify_all();
}

void LineWriter::replace(int fd) {
  const std::lock_guard lock(state_->mutex);
  if (state_->next_fd >= 0) ::close(state_->next_fd);
  state_->next_fd = fd;
  state_->changed.notify_all();
}

std::uint64_t LineWriter::dropped() const {
  const std::lock_guard lock(state_->mutex);
  return state_->dropped;
}

Log Log::to_stderr(Clock& clock, Level least) {
  auto writer = LineWriter::to_stderr();
  return Log(
      clock, [writer](std::string_view line) { writer->add(line); }, least);
}

Log Log::discard() {
  return Log(
      system_clock(), [](std::string_view) {}, Level::error);
}

void Log::write(Level level, std::string_view event, std::initializer_list<Field> fields) const {
  if (!enabled(level)) return;
  std::string line = "{\"time\":\"" + format_rfc3339_millis(clock_->now()) + "\",\"level\":\"";
  line += name_of(level);
  line += "\",\"event\":";
  append_text(line, event);
  for (const Field& field : fields) {
    line.push_back(',');
    append_text(line, field.key);
    line.push_back(':');
    std::visit(AppendField{line, field.key}, field.value);
  }
  line += "}\n";
  sink_(line);
}

namespace {
// https://user:password@host/ without what stands before the '@'.
std::string without_user(std::string_view url) {
  const std::size_t scheme = url.find("//");
  if (scheme == std::string_view::npos) return std::string(url);
  const std::size_t start = scheme + 2;
  const std::string_view authority = url.substr(start, url.find('/', start) - start);
  const std::size_t at = authority.rfind('@');
  if (at == std::string_view::npos) return std::string(url);
  std::string out(url.substr(0, start));
  return out.append("[redacted]").append(url.substr(start + at));
}
}  // namespace

std::string redact_url(std::string_view target) {
  constexpr std::array<std::string_view, 14> keys = {
      "token", "code", "pass", "pwd", "state",  "key",       "secret",
      "sig",   "sess", "otp",  "jwt", "ticket", "assertion", "email"};
  const std::size_t mark = std::min(target.find_first_of("?#"), target.size());
  std::string out = without_user(target.substr(0, mark));
  std::string_view rest = target.substr(mark);
  while (!rest.empty()) {  // one parameter with the separator in front of it
    out.push_back(rest.front());
    rest.remove_prefix(1);
    const std::size_t end = std::min(rest.find_first_of("&#;?"), rest.size());
    const std::string_view parameter = rest.substr(0, end);
    const std::size_t equals = parameter.find('=');
    const std::string_view written = parameter.substr(0, equals);
    const std::string name = ascii_lower(percent_decode(written).value_or(std::string(written)));
    const bool hide = equals != std::string_view::npos &&
                      std::any_of(keys.begin(), keys.end(), [&](std::string_view key) {
                        return name.find(key) != std::string::npos;
                      });
    if (hide) {
      out.append(parameter.substr(0, equals + 1)).append("[redacted]");
    } else {
      out.append(parameter);
    }
    rest.remove_prefix(end);
  }
  return out;
}

std::string mask_email(std::string_view email) {
  const std::size_t at = email.rfind('@');
  if (at == std::string_view::npos || at == 0) return "***";
  // What is no domain may be a part of a password in the wrong field.
  const std::string_view domain = email.substr(at + 1);
  const bool plain = std::all_of(domain.begin(), domain.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || static_cast<unsigned char>(c) >= 0x80;
  });
  if (!plain || domain.find('.') == domain.npos) return "***";
  return std::string(email.substr(0, 1)) + "***" + std::string(email.substr(at));
}

}  // namespace moat
