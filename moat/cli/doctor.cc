// SPDX-License-Identifier: Apache-2.0
// `moat doctor`: looks at a running site from outside.
#include "moat/cli/doctor.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <iostream>

#include "moat/base/clock.h"
#include "moat/doctor/report.h"
#include "moat/doctor/tls.h"

namespace moat::cli {
namespace {

enum Exit { kept = 0, not_kept = 1, bad_usage = 2, not_reached = 3 };

constexpr std::size_t most_roots = 1024 * 1024;

int refuse(const std::string& message) {
  std::cerr << "moat: " << message << "\n";
  return bad_usage;
}

std::optional<std::uint16_t> read_port(const std::string& text) {
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || port == 0)
    return std::nullopt;
  return port;
}

Result<std::string, std::string> read_roots(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::string text;
  char piece[16384];
  ssize_t got = fd < 0 ? -1 : 1;
  while (got > 0 && text.size() <= most_roots) {
    got = ::read(fd, piece, sizeof piece);
    if (got > 0) text.append(piece, static_cast<std::size_t>(got));
  }
  if (fd >= 0) ::close(fd);
  if (got < 0) return Error{"--ca-file: " + path + " cannot be read"};
  // Empty would mean the system's.
  if (text.empty()) return Error{"--ca-file: " + path + " is empty"};
  return text;
}

struct Wanted {
  doctor::Target target;
  doctor::ProbeOptions options;
};

Result<Wanted, std::string> read_arguments(const Arguments& arguments) {
  if (arguments.positional().size() != 1)
    return Error{std::string("doctor tls NAME, such as: moat doctor tls example.com")};
  Wanted out;
  MOAT_TRY(out.target, doctor::parse_target(arguments.positional().front()));
  const auto port = [&arguments](const char* name) -> Result<std::uint16_t, std::string> {
    const auto read = read_port(*arguments.value(name));
    if (!read) return Error{"--" + std::string(name) + ": a number from 1 to 65535"};
    return *read;
  };
  if (arguments.has("port")) {
    MOAT_TRY(const std::uint16_t given, port("port"));
    if (out.target.port != 443 && out.target.port != given)
      return Error{std::string("two different ports are given")};
    out.target.port = given;
    if (given != 443) out.target.http_port = std::nullopt;
  }
  if (arguments.has("http-port")) {
    MOAT_TRY(const std::uint16_t given, port("http-port"));
    out.target.http_port = given;
  }
  if (const auto address = arguments.value("address")) {
    out.target.address = IpAddress::parse(*address);
    if (!out.target.address)
      return Error{std::string("--address: an IPv4 or IPv6 address, such as 192.0.2.1")};
  }
  if (const auto path = arguments.value("ca-file")) {
    MOAT_TRY(out.options.roots, read_roots(*path));
  }
  if (const auto text = arguments.value("timeout")) {
    const auto timeout = parse_duration(*text);
    if (!timeout || *timeout < std::chrono::milliseconds{100} || *timeout > std::chrono::minutes{1})
      return Error{std::string("--timeout: from 100ms to 60s, such as 10s")};
    out.options.timeout = *timeout;
  }
  return out;
}

int doctor_tls(const Arguments& arguments) {
  const auto wanted = read_arguments(arguments);
  if (!wanted) return refuse(wanted.error());
  Clock& clock = system_clock();
  const auto facts = doctor::probe_tls(wanted->target, wanted->options, clock, system_random());
  if (!facts) return refuse("--ca-file: " + facts.error());
  const Time now = clock.now();
  const auto findings = doctor::judge_tls(*facts, now);
  if (arguments.has("json")) {
    std::cout << doctor::to_json(wanted->target, findings, facts->reached(), now);
  } else {
    const char* const plain = std::getenv("NO_COLOR");  // no-color.org: any text but none
    const bool colours = ::isatty(STDOUT_FILENO) == 1 && (plain == nullptr || *plain == '\0');
    std::cout << doctor::to_text(wanted->target, findings,
                                 colours ? doctor::Colour::on : doctor::Colour::off);
  }
  if (!facts->reached()) return not_reached;
  return doctor::count(findings).failures == 0 ? kept : not_kept;
}

}  // namespace

const Command& doctor_tls_command() {
  static const Command command = {
      "doctor tls",
      "NAME",
      "Looks at a running site from outside, Moat's or any other, and says whether practice 1 is "
      "kept: DNS, ports, certificate, protocol, redirect, HSTS.",
      {{"port", "PORT", "of HTTPS (default: 443, or that of NAME)"},
       {"http-port", "PORT", "of plain HTTP (default: 80 where HTTPS has 443, else none)"},
       {"address", "IP", "asks that address, whatever DNS says of the name"},
       {"ca-file", "FILE", "who may have issued the certificate, in PEM (default: the system's)"},
       {"timeout", "TIME", "of each connection (default: 10s); all together take six times that"},
       {"json", "", "for programs"},
       {"help", "", "this text"}}};
  return command;
}

int doctor(std::vector<std::string> words) {
  const std::string use = usage(doctor_tls_command()) +
                          "\nExit code: 0 no failure, 1 at least one, 2 wrong usage, 3 the site "
                          "cannot be reached.\nSuch as: moat doctor tls example.com\n";
  if (words.empty()) {
    std::cerr << use;
    return bad_usage;
  }
  const std::string what = words.front();
  words.erase(words.begin());
  if (what == "help" || what == "--help" || what == "-h") {
    std::cout << use;
    return kept;
  }
  if (what != "tls") {
    std::cerr << use;
    return refuse("the doctor does not know '" + what + "'; there is: moat doctor tls NAME");
  }
  const auto arguments = Arguments::parse(doctor_tls_command(), words);
  if (!arguments) return refuse(arguments.error() + "; see moat doctor --help");
  if (arguments->has("help")) {
    std::cout << use;
    return kept;
  }
  return doctor_tls(*arguments);
}

}  // namespace moat::cli
