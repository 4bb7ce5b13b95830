// SPDX-License-Identifier: Apache-2.0
// `moat run`: the gateway, its banner and the signals.
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include "moat/cli/commands.h"
#include "moat/cli/hook_runner.h"
#include "moat/cli/launcher.h"
#include "moat/cli/log_directory.h"
#include "moat/cli/notify.h"
#include "moat/cli/privileges.h"
#include "moat/cli/sandbox.h"
#include "moat/gateway/file_watch.h"
#include "moat/gateway/gateway.h"
#include "moat/gateway/key_files.h"

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

// ", and what openapi.yaml does not describe", where a route has such a document that is enforced.
std::string undescribed(const Config& config) {
  std::string files;
  for (const gateway::Route& route : config.routes) {
    const gateway::RouteSchema& schema = route.schema;
    if (schema.file.empty() || schema.requests != gateway::SchemaMode::enforce) continue;
    const std::string name = schema.file.substr(schema.file.rfind('/') + 1);
    if (files.find(name) == std::string::npos) files += (files.empty() ? "" : " and ") + name;
  }
  return files.empty() ? "" : ", and what " + files + " does not describe";
}

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
  const bool trusted = started.trusted;
  const std::string tls = config.tls_modern ? "TLS 1.3, " : "TLS 1.2 and 1.3, ";
  struct Line {
    const char* name;
    std::string state;
    bool on = true;
  };
  const Line practices[] = {
      {"1 HTTPS      ",
       (trusted ? "on: " : "not yet: ") + tls + started.certificate +
           (config.is_localhost() ? "; no HSTS on localhost"
            : config.hsts_ramp    ? "; HSTS, by a ramp"
                                  : "; HSTS"),
       trusted},
      {"2 Input      ", "on: ambiguous requests, bad encodings and oversized input refused" +
                            undescribed(config) + "; security headers"},
      {"3 Passwords  ", config.accounts ? "on: " + argon : accounts_off, config.accounts},
      {"4 Sessions   ",
       config.accounts ? "on: access " + minutes(config.access_ttl) + ", rotating refresh, idle " +
                             minutes(config.session_idle) + "; HttpOnly cookies"
                       : accounts_off,
       config.accounts},
      {"5 Limits     ", "on: " + config.limit_default + "; growing delays after failed logins"},
      {"6 CSRF       ",
       config.csrf == gateway::CsrfMode::enforce
           ? "on: Fetch-Metadata and Origin, tokens in forms, SameSite cookies"
           : "reported only: forged requests reach the backend",
       config.csrf == gateway::CsrfMode::enforce},
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

void print_banner(const Config& config, const gateway::Started& started,
                  const std::string& sandbox) {
  const Terminal terminal;
  std::cout << "\n" << terminal.paint("Moat", "1") << " stands in front of ";
  std::vector<std::string> backends;
  for (const auto& route : config.routes) {
    for (const auto& upstream : route.backends) {
      if (std::find(backends.begin(), backends.end(), upstream.to_string()) == backends.end()) {
        backends.push_back(upstream.to_string());
      }
    }
  }
  for (std::size_t i = 0; i < backends.size(); ++i) std::cout << (i > 0 ? ", " : "") << backends[i];
  std::cout << "\n\n";
  for (const std::string& url : started.urls)
    std::cout << "  " << terminal.paint(url, "1;36") << "\n";
  for (const std::string& url : started.redirects) std::cout << "  " << url << " (redirects)\n";
  std::cout << "\n";
  print_practices(config, started, terminal);
  std::cout << "    Sandbox      " << sandbox << "\n";
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

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// How the sandbox stands, in the log and in the banner.
void report_sandbox(const Log& log, const SandboxSupport& support, bool wanted) {
  if (!wanted) {
    log.warn("sandbox_off", {{"reason", "server.allow_unsandboxed"}});
  } else if (support.sanitizer) {
    log.warn("sandbox_off", {{"reason", "this build has a sanitizer"}});
  } else if (support.landlock == 0 || !support.seccomp) {
    log.warn("sandbox_incomplete", {{"state", describe(support)}});
  }
}

// Before the sandbox closes, which may leave less to see.
void report_log_directory(const Log& log, const Config& config) {
  const std::string holds = beside_the_log(config);
  if (holds.empty()) return;
  log.warn("access_log_directory_shared",
           {{"directory", log_directory(config)},
            {"holds", holds},
            {"reason", "the sandbox lets Moat write whatever is in it"},
            {"hint", "give log.access_path a directory that holds logs alone"}});
}

SandboxFiles files_of(const Arguments& arguments, const Config& config) {
  std::vector<std::string> named = config_files(arguments);
  for (std::string& file : gateway::files_named_by(config)) named.push_back(std::move(file));
  SandboxFiles files;
  files.read_write.push_back(config.data);
  if (!config.storage.empty()) files.read_write.push_back(config.storage);
  // The access log is made when it is not there, and anew after a rotation.
  if (!config.access_path.empty()) files.read_write.push_back(log_directory(config));
  files.read_only = system_files();
  for (std::string& directory : directories_of(named)) files.read_only.push_back(directory);
  return files;
}

class Operation final {
 public:
  Operation(const Arguments& arguments, Takeover& takeover)
      : arguments_(arguments), takeover_(takeover) {}
  // Serves until it is told to stop. The error refuses the start.
  Result<void, std::string> run(Config config);

 private:
  void block_signals();
  Result<gateway::Listeners, std::string> listen(const Config& config);
  Result<void, std::string> give_up_rights(const Config& config);
  void reload();
  void begin_upgrade();
  // True: another process serves.
  bool is_handed_over();
  std::vector<std::string> watched() const;
  gateway::Gateway::Stop serve();

  const Arguments& arguments_;
  Takeover& takeover_;
  Notifier notifier_;
  sigset_t signals_{};
  std::shared_ptr<HookRunner> dns_;
  std::optional<Launcher> launcher_;
  std::string no_launcher_;  // why there is none
  std::optional<Log> log_;
  std::unique_ptr<gateway::Gateway> moat_;
  std::optional<Upgrade> upgrade_;
};

// All threads inherit it; the first one waits for them.
void Operation::block_signals() {
  ::sigemptyset(&signals_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR2}) ::sigaddset(&signals_, signal);
  ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

Result<gateway::Listeners, std::string> Operation::listen(const Config& config) {
  auto passed = gateway::sockets_of_service_manager();
  if (!passed) return Error{passed.error()};
  std::vector<gateway::InheritedSocket> sockets = std::move(*passed);
  for (const auto& socket : takeover_.heritage().sockets) sockets.push_back(socket);
  takeover_.heritage().sockets.clear();
  return gateway::Listeners::open(config, gateway::worker_count(config), std::move(sockets));
}

// Behind it this process is nobody but its user, and the launcher is there, with the same rights.
Result<void, std::string> Operation::give_up_rights(const Config& config) {
  if (!config.user.empty()) {
    auto made = make_directory_for(config.data, config.user, config.group);
    if (!made) return made;
    auto became = become(config.user, config.group);
    if (!became) return became;
  }
  auto made = gateway::make_private_directory(config.data);
  if (!made) return made;
  if (!config.storage.empty()) made = gateway::make_private_directory(config.storage);
  if (!made) return made;
  if (!config.acme.dns_hook.empty() && config.uses_acme()) {
    auto hook = HookRunner::fork_off(config.acme, config.domains);
    if (!hook) return Error{"tls.acme.dns_hook: " + hook.error()};
    dns_ = std::move(*hook);
  }
  auto launcher = Launcher::fork_off();
  if (launcher) launcher_.emplace(std::move(*launcher));
  if (!launcher) no_launcher_ = launcher.error();
  return drop_capabilities();
}

Result<void, std::string> Operation::run(Config config) {
  forbid_new_privileges();
  raise_descriptor_limit();
  block_signals();
  auto listeners = listen(config);
  if (!listeners) return Error{listeners.error()};
  auto given_up = give_up_rights(config);
  if (!given_up) return given_up;

  const SandboxSupport support = sandbox_support();
  const bool close = !config.allow_unsandboxed && !support.sanitizer;
  const Log& log = log_.emplace(Log::to_stderr(system_clock(), gateway::log_level(config)));
  if (close) report_log_directory(log, config);
  if (close && support.landlock > 0) {
    auto restricted = restrict_files(files_of(arguments_, config));
    if (!restricted) return restricted;
  }
  report_sandbox(log, support, !config.allow_unsandboxed);
  if (::geteuid() == 0) log.warn("running_as_root", {{"advice", "set server.user"}});

  gateway::Startup startup;
  startup.listeners.emplace(std::move(*listeners));
  startup.directory_lock = std::exchange(takeover_.heritage().directory_lock, -1);
  startup.dns = dns_;
  startup.load = [this] { return read_config(arguments_); };
  if (close && support.seccomp) startup.before_serving = restrict_calls;
  auto started = gateway::Gateway::start(config, system_clock(), log, std::move(startup));
  if (!started) return Error{started.error()};
  moat_ = std::move(*started);
  print_banner(config, moat_->started(),
               config.allow_unsandboxed ? "off (server.allow_unsandboxed)" : describe(support));
  log.info("started", {{"workers", static_cast<std::int64_t>(moat_->started().workers)},
                       {"engine", moat_->started().engine},
                       {"io_uring_missing", moat_->started().why_engine},
                       {"address", moat_->started().urls.front()}});
  notifier_.say("READY=1");
  takeover_.ready();
  const gateway::Gateway::Stop how = serve();
  // Told to stop in the middle of an upgrade: the whole is to stop.
  if (how == gateway::Gateway::Stop::at_once && upgrade_) launcher_->kill();
  notifier_.say("STOPPING=1");
  log.info("stopping", {{"drain_ms", static_cast<std::int64_t>(config.timeouts.drain.count())}});
  moat_->stop(how);
  log.info("stopped");
  return {};
}

gateway::Gateway::Stop Operation::serve() {
  gateway::FileWatch watch(watched());
  for (;;) {
    const timespec second{1, 0};
    const int signal = ::sigtimedwait(&signals_, nullptr, &second);
    if (signal == SIGINT || signal == SIGTERM) return gateway::Gateway::Stop::at_once;
    if (signal == SIGUSR2) begin_upgrade();
    if (signal == SIGHUP) moat_->reopen_logs();
    if (signal == SIGHUP || watch.changed()) reload();
    watch.follow(watched());
    moat_->housekeeping();
    if (is_handed_over()) return gateway::Gateway::Stop::patiently;
  }
}

std::vector<std::string> Operation::watched() const {
  std::vector<std::string> all = config_files(arguments_);
  for (std::string& file : moat_->watched_files()) all.push_back(std::move(file));
  return all;
}

void Operation::reload() {
  notifier_.say("RELOADING=1");
  moat_->reload();
  notifier_.say("READY=1");
}

void Operation::begin_upgrade() {
  if (upgrade_) {
    log_->warn("upgrade_under_way", {{"pid", upgrade_->process()}});
    return;
  }
  if (!launcher_) {
    log_->error("upgrade_failed", {{"reason", no_launcher_}, {"serving", "this process goes on"}});
    return;
  }
  Heritage heritage;
  heritage.directory_lock = moat_->directory_lock();
  for (const auto& socket : moat_->sockets()) {
    using Use = gateway::InheritedSocket::Use;
    heritage.sockets.push_back({socket.fd, socket.secure ? Use::https : Use::http});
  }
  constexpr std::chrono::seconds most(60);
  auto begun = Upgrade::begin(*launcher_, std::move(heritage), system_clock().tick() + most);
  if (!begun) {
    log_->error("upgrade_failed", {{"reason", begun.error()}, {"serving", "this process goes on"}});
    return;
  }
  upgrade_.emplace(std::move(*begun));
  log_->info("upgrade_begun", {{"pid", upgrade_->process()}});
}

bool Operation::is_handed_over() {
  if (!upgrade_) return false;
  switch (upgrade_->look(system_clock().tick())) {
    case Upgrade::State::waiting:
      return false;
    case Upgrade::State::ready:
      notifier_.say("MAINPID=" + std::to_string(upgrade_->process()));
      log_->info("handed_over", {{"pid", upgrade_->process()}});
      return true;
    case Upgrade::State::failed:
      break;
  }
  log_->error("upgrade_failed",
              {{"reason", upgrade_->reason()}, {"serving", "this process goes on"}});
  upgrade_.reset();
  return false;
}

}  // namespace

int run(const Arguments& arguments) {
  keep_memory_private();
  auto takeover = Takeover::from_environment();
  if (!takeover) return fail(takeover.error());
  auto config = read_config(arguments);
  std::vector<gateway::ConfigProblem> problems;
  if (!config) {
    problems = config.error();
  } else {
    for (const std::string& note : config->notes) std::cerr << "moat: " << note << "\n";
    problems = gateway::check_config(*config);
    if (problems.empty()) problems = gateway::resolve_backends(*config);
  }
  if (!problems.empty()) {
    takeover->failed(problems.front().to_string());
    return report(problems);
  }
  Operation operation(arguments, *takeover);
  auto ended = operation.run(std::move(*config));
  if (ended) return 0;
  takeover->failed(ended.error());
  return fail(ended.error());
}

}  // namespace moat::cli
