// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/access_log.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "moat/base/encoding.h"
#include "moat/shield/auth_api.h"

namespace moat::gateway {

namespace {

// Bytes of one text that a stranger wrote.
constexpr std::size_t most_text = 1024;
constexpr std::size_t most_method = 32;

std::string without_query(std::string_view target) {
  const std::size_t mark = target.find_first_of("?#");
  if (mark == target.npos) return std::string(target);
  return std::string(target.substr(0, mark)) + "?[redacted]";
}

std::string shown_target(const Access& access) {
  const std::string_view target = access.target.substr(0, most_text);
  return access.hide_query ? without_query(target) : redact_url(target);
}

// A page of Moat's own sends its address along; what stood in it is as secret there.
std::string shown_referer(std::string_view referer) {
  referer = referer.substr(0, most_text);
  const std::size_t scheme = referer.find("//");
  const std::size_t path = referer.find('/', scheme == referer.npos ? 0 : scheme + 2);
  if (path == referer.npos) return redact_url(referer);
  const std::string_view rest = referer.substr(path);
  const bool own = shield::AuthApi::handles(rest.substr(0, rest.find_first_of("?#")));
  return redact_url(own ? without_query(referer) : std::string(referer));
}

std::string shown_user(std::string_view user) {
  return user.find('@') == user.npos ? std::string(user) : mask_email(user);
}

// What stands between quotes, or as a word of its own; "-" for nothing.
enum class Place { quoted, word };
void append_escaped(std::string_view text, Place place, std::string& out) {
  if (text.empty()) {
    out.push_back('-');
    return;
  }
  for (const char c : text) {
    const bool plain = c > 0x20 && c < 0x7f && c != '"' && c != '\\';
    if (plain || (c == ' ' && place == Place::quoted)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append("\\x");
    out.push_back("0123456789ABCDEF"[byte >> 4]);
    out.push_back("0123456789ABCDEF"[byte & 15]);
  }
}

// [24/Nov/2026:15:31:26 +0000]
void append_time(Time time, std::string& out) {
  constexpr std::string_view months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const auto in_day = std::chrono::floor<std::chrono::seconds>(time - day).count();
  const auto two = [&](std::int64_t value) {
    out.push_back(static_cast<char>('0' + value / 10));
    out.push_back(static_cast<char>('0' + value % 10));
  };
  out.push_back('[');
  two(static_cast<unsigned>(date.day()));
  out.append("/").append(months[static_cast<unsigned>(date.month()) - 1]).append("/");
  out.append(std::to_string(static_cast<int>(date.year()))).append(":");
  two(in_day / 3600);
  out.push_back(':');
  two(in_day / 60 % 60);
  out.push_back(':');
  two(in_day % 60);
  out.append(" +0000]");
}

double milliseconds(std::chrono::nanoseconds span) {
  return static_cast<double>(span.count() / 1000) / 1000;
}

Result<int, std::string> open_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
  if (fd >= 0) return fd;
  return Error{"cannot write log.access_path " + path + ": " + std::strerror(errno)};
}

}  // namespace

void append_combined(const Access& access, std::string& out) {
  append_escaped(access.client, Place::word, out);
  out += " - ";
  append_escaped(shown_user(access.user), Place::word, out);
  out.push_back(' ');
  append_time(access.begun, out);
  out += " \"";
  append_escaped(access.method.substr(0, most_method), Place::quoted, out);
  out.push_back(' ');
  append_escaped(shown_target(access), Place::quoted, out);
  out.push_back(' ');
  append_escaped(access.protocol, Place::quoted, out);
  out += "\" " + std::to_string(access.status) + " ";
  out += access.bytes_out == 0 ? "-" : std::to_string(access.bytes_out);
  out += " \"";
  append_escaped(shown_referer(access.referer), Place::quoted, out);
  out += "\" \"";
  append_escaped(access.user_agent.substr(0, most_text), Place::quoted, out);
  out += "\"\n";
}

void log_json(const Access& access, const Log& log) {
  // Which JSON writes as null.
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  const double backend = access.backend_took.count() < 0 ? none : milliseconds(access.backend_took);
  log.info("request", {{"status", access.status},
                       {"method", access.method.substr(0, most_method)},
                       {"target", shown_target(access)},
                       {"client", access.client},
                       {"user", shown_user(access.user)},
                       {"route", access.route},
                       {"backend", access.backend},
                       {"bytes_in", access.bytes_in},
                       {"bytes_out", access.bytes_out},
                       {"complete", access.complete},
                       {"ms", milliseconds(access.took)},
                       {"backend_ms", backend},
                       {"protocol", access.protocol},
                       {"tls", access.tls},
                       {"request_id", access.request_id},
                       {"trace_id", access.trace_id},
                       {"code", access.code}});
}

Result<std::unique_ptr<AccessLog>, std::string> AccessLog::open(const Config& config, Clock& clock,
                                                                const Log& log) {
  std::shared_ptr<LineWriter> writer;
  Log::Sink sink = [&log](std::string_view line) { log.write_line(line); };
  if (config.access_log != AccessFormat::off && !config.access_path.empty()) {
    auto fd = open_file(config.access_path);
    if (!fd) return Error{fd.error()};
    writer = LineWriter::to_descriptor(*fd);
    sink = [writer](std::string_view line) { writer->add(line); };
  }
  // Whoever asks for an access log gets it, whatever the level of the rest.
  Log lines(clock, std::move(sink), Level::info);
  return std::unique_ptr<AccessLog>(
      new AccessLog(config.access_log, config.access_path, std::move(writer), std::move(lines)));
}

void AccessLog::write(const Access& access) const {
  switch (format_) {
    case AccessFormat::off:
      return;
    case AccessFormat::json:
      return log_json(access, log_);
    case AccessFormat::combined: {
      std::string line;
      append_combined(access, line);
      log_.write_line(line);
    }
  }
}

Result<void, std::string> AccessLog::reopen() {
  if (writer_ == nullptr) return {};
  auto fd = open_file(path_);
  if (!fd) return Error{fd.error()};
  writer_->replace(*fd);
  return {};
}

}  // namespace moat::gateway
