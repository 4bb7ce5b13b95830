// SPDX-License-Identifier: Apache-2.0
// `moat run`: the gateway, its banner and the signals.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "moat/cli/commands.h"
#include "moat/gateway/gateway.h"

namespace moat::cli {

using gateway::Config;

namespace {

// A person at a terminal reads marks and colours; a file or a pipe gets neither.
struct Terminal {
  bool colours = ::isatty(STDOUT_FILENO) == 1;
  std::string paint(std::string_view text, const char* code) const {
    return colours ? "\033[" + std::string(code) + "m" + std::string(text) + "\033[0m"
                   : std::string(text);
  }
};

void print_practices(const Config& config, const gateway::Started& started,
                     const Terminal& terminal) {
  const std::string argon = "Argon2id " + std::to_string(config.argon2_memory_kib / 1024) +
                            " MiB, t=" + std::to_string(config.argon2_iterations) + "; at least " +
                            std::to_string(config.min_password) +
                            " characters, common ones refused";
  const auto minutes = [](std::chrono::milliseconds span) {
    const auto seconds = span.count() / 1000;
    return seconds % 60 == 0 ? std::to_string(seconds / 60) + " min"
                             : std::to_string(seconds) + " s";
  };
  const std::string accounts_off = "off (accounts.enabled = false)";
  const bool trusted = !config.lacks_certificate();
  const std::string tls = config.tls_modern ? "TLS 1.3, " : "TLS 1.2 and 1.3, ";
  struct Line {
    const char* name;
    std::string state;
    bool on = true;
  };
  const Line practices[] = {
      {"1 HTTPS      ",
       (trusted ? "on: " : "not yet: ") + tls + started.certificate +
           (config.is_localhost() ? "; no HSTS on localhost" : "; HSTS"),
       trusted},
      {"2 Input      ",
       "on: ambiguous requests, bad encodings and oversized input refused; security headers"},
      {"3 Passwords  ", config.accounts ? "on: " + argon : accounts_off, config.accounts},
      {"4 Sessions   ",
       config.accounts ? "on: access " + minutes(config.access_ttl) + ", rotating refresh, idle " +
                             minutes(config.session_idle) + "; HttpOnly cookies"
                       : accounts_off,
       config.accounts},
      {"5 Limits     ", "on: " + config.limit_default + "; growing delays after failed logins"},
      {"6 CSRF       ", "on: Fetch-Metadata and Origin, tokens in forms, SameSite cookies"},
      {"7 Secrets    ", "on: keys made here, 0600, in " + config.data + "/keys"}};
  for (const Line& line : practices) {
    std::cout << "  " << (line.on ? terminal.paint("✓", "32") : terminal.paint("!", "33")) << " "
              << line.name << line.state << "\n";
  }
  for (const auto& weak : gateway::weakenings(config)) {
    std::cout << "  " << terminal.paint("!", "33") << " practice " << weak.practice << ": "
              << weak.message << " (" << weak.origin.to_string() << ")\n";
  }
}

void print_banner(const Config& config, const gateway::Started& started) {
  const Terminal terminal;
  std::cout << "\n" << terminal.paint("Moat", "1") << " stands in front of ";
  std::vector<std::string> backends;
  for (const auto& route : config.routes) {
    for (const auto& upstream : route.backends) {
      if (std::find(backends.begin(), backends.end(), upstream.authority()) == backends.end()) {
        backends.push_back(upstream.authority());
      }
    }
  }
  for (std::size_t i = 0; i < backends.size(); ++i)
    std::cout << (i > 0 ? ", " : "") << "http://" << backends[i];
  std::cout << "\n\n";
  for (const std::string& url : started.urls)
    std::cout << "  " << terminal.paint(url, "1;36") << "\n";
  for (const std::string& url : started.redirects) std::cout << "  " << url << " (redirects)\n";
  std::cout << "\n";
  print_practices(config, started, terminal);
  const bool login = std::any_of(config.routes.begin(), config.routes.end(), [](const auto& route) {
    return route.login == gateway::Login::required;
  });
  if (!login && config.accounts) {
    std::cout << "  " << terminal.paint("!", "33")
              << " no path requires a login yet: login = [\"/account/*\"] in moat.toml\n";
  }
  std::cout << "\n";
  if (!started.root_certificate.empty()) {
    std::cout << "  The certificate is of a CA on this machine: " << started.root_certificate
              << "\n"
              << "  Browsers trust it after `moat trust"
              << (config.data == gateway::default_data_directory() ? std::string()
                                                                   : " --data " + config.data)
              << "`; curl with --cacert and that file.\n";
  }
  if (started.setup_link) {
    if (::isatty(STDOUT_FILENO) == 1) {
      std::cout << "  The first admin sets up here, within 30 minutes:\n  "
                << terminal.paint(*started.setup_link, "36") << "\n";
    } else {
      std::cout << "  The first admin's set-up link, good for 30 minutes, is in " << config.data
                << "/setup-link\n";
    }
  }
  std::cout << std::endl;
}

// Secrets must not end up in a core file, nor be read by a debugger of the same user.
void keep_memory_private() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Level level_of(const std::string& name) {
  if (name == "debug") return Level::debug;
  if (name == "warn") return Level::warn;
  if (name == "error") return Level::error;
  return Level::info;
}

}  // namespace

int run(const Arguments& arguments) {
  int exit_code = 0;
  auto config = load_config(arguments, exit_code);
  if (!config) return exit_code;
  auto problems = gateway::check_config(*config);
  if (problems.empty()) problems = gateway::resolve_backends(*config);
  if (!problems.empty()) return report(problems);
  keep_memory_private();
  raise_descriptor_limit();

  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&signals, signal);
  ::pthread_sigmask(SIG_BLOCK, &signals,
                    nullptr);  // all threads inherit it; this one waits for them
  ::signal(SIGPIPE, SIG_IGN);

  const Log log = Log::to_stderr(system_clock(), level_of(config->log_level));
  auto started = gateway::Gateway::start(*config, system_clock(), log);
  if (!started) return fail(started.error());
  gateway::Gateway& moat = **started;
  print_banner(*config, moat.started());
  log.info("started", {{"workers", static_cast<std::int64_t>(moat.started().workers)},
                       {"address", moat.started().urls.front()}});
  for (;;) {
    const timespec second{1, 0};
    const int signal = ::sigtimedwait(&signals, nullptr, &second);
    if (signal == SIGINT || signal == SIGTERM) break;
    if (signal == SIGHUP) {
      moat.reload_certificates();
      moat.reopen_logs();
    } else {
      moat.housekeeping();
    }
  }
  log.info("stopping", {{"drain_ms", static_cast<std::int64_t>(config->timeouts.drain.count())}});
  moat.stop();
  log.info("stopped");
  return 0;
}

}  // namespace moat::cli
