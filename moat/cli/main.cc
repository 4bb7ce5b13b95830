// SPDX-License-Identifier: Apache-2.0
// `moat`: wires everything to the terminal, the environment and the signals.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>

#include "moat/accounts/service.h"
#include "moat/base/encoding.h"
#include "moat/certs/local_ca_files.h"
#include "moat/certs/trust.h"
#include "moat/cli/options.h"
#include "moat/gateway/admin.h"
#include "moat/gateway/config.h"
#include "moat/gateway/gateway.h"
#include "moat/gateway/key_files.h"
#include "moat/http/request.h"
#include "moat/limit/policy.h"
#include "moat/password/hasher.h"
#include "moat/shield/auth_api.h"
#include "moat/sources/files.h"
#include "moat/store/sqlite_store.h"
#include "moat/validate/email.h"

namespace moat::cli {
namespace {

using gateway::Config;

const std::vector<Option> config_options = {
    {"config", "FILE", "the configuration (default: moat.toml, if there is one)"},
    {"to", "URL", "the backend, such as http://127.0.0.1:3000"},
    {"domain", "NAME", "the name it is reached by (default: localhost)"},
    {"https", "ADDR", "where HTTPS is served, such as 127.0.0.1:8443 or :443"},
    {"http", "ADDR", "where plain HTTP is redirected; \"off\" for nowhere"},
    {"admin", "ADDR",
     "health and metrics over TCP (default: only the socket in the data directory)"},
    {"data", "DIR", "accounts, keys and certificates"},
    {"workers", "N", "threads that serve requests (default: one a core)"},
    {"help", "", "this text"}};

const std::vector<Command>& commands() {
  static const std::vector<Option> just_data = {
      {"data", "DIR", "the data directory"},
      {"config", "FILE", "the configuration that names it"},
      {"help", "", "this text"}};
  static const std::vector<Command> list = {
      {"run", "", "Serves: HTTPS in front of the backend, all seven practices on.", config_options},
      {"check", "", "Reads the configuration and says what is wrong and what is weakened.",
       config_options},
      {"explain", "METHOD PATH", "Says what happens to a request: route, limits, verdicts.",
       config_options},
      {"init", "", "Prints a commented moat.toml.", {{"help", "", "this text"}}},
      {"hash",
       "",
       "Reads a password from the terminal or standard input and prints its hash (Argon2id).",
       {{"bcrypt", "COST",
         "a bcrypt hash of that cost (10 to 14) for systems that read nothing else"},
        {"help", "", "this text"}}},
      {"user add",
       "EMAIL",
       "Makes an account; the password is read from the terminal or standard input.",
       {{"role", "NAME", "a role beside \"user\", such as admin"},
        {"data", "DIR", "the data directory"},
        {"config", "FILE", "the configuration that names it"},
        {"help", "", "this text"}}},
      {"user unlock", "EMAIL", "Ends the delays after failed logins, in the running Moat.",
       just_data},
      {"trust",
       "",
       "Makes this machine and its browsers trust the local CA.",
       {{"undo", "", "takes the trust back"},
        {"data", "DIR", "the data directory"},
        {"config", "FILE", "the configuration that names it"},
        {"help", "", "this text"}}}};
  return list;
}

int fail(const std::string& message) {
  std::cerr << "moat: " << message << "\n";
  return 1;
}

int report(const std::vector<gateway::ConfigProblem>& problems) {
  for (const auto& problem : problems)
    std::cerr << problem.origin.to_string() << ": " << problem.message << "\n";
  return 1;
}

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// MOAT_… variables, and the files that MOAT_…_FILE name.
Result<gateway::Environment, std::string> moat_environment() {
  gateway::Environment out;
  for (char** item = environ; *item != nullptr; ++item) {
    const std::string_view text(*item);
    const std::size_t equals = text.find('=');
    const std::string name(text.substr(0, equals));
    if (name.rfind("MOAT_", 0) != 0 || equals == std::string_view::npos) continue;
    if (name.size() > 5 && name.substr(name.size() - 5) == "_FILE") {
      const std::string plain = name.substr(0, name.size() - 5);
      if (std::getenv(plain.c_str()) != nullptr)
        return Error{name + " and " + plain + " are both set; give one"};
      if (plain.rfind("MOAT_SECRETS_", 0) == 0) {
        out.emplace_back(plain, "file:" + std::string(text.substr(equals + 1)));
        continue;
      }
      const auto content = read_file(std::string(text.substr(equals + 1)));
      if (!content)
        return Error{name + ": " + std::string(text.substr(equals + 1)) + " cannot be read"};
      out.emplace_back(plain, content->substr(0, content->find_last_not_of("\r\n") + 1));
    } else {
      out.emplace_back(name, std::string(text.substr(equals + 1)));
    }
  }
  return out;
}

// Defaults, file, environment, command line: each overrides the one before.
std::optional<Config> load_config(const Arguments& arguments, int& exit_code) {
  const std::string file = arguments.value("config").value_or("moat.toml");
  std::optional<std::string> text = read_file(file);
  if (!text && arguments.has("config")) {
    exit_code = fail(file + " cannot be read");
    return std::nullopt;
  }
  auto environment = moat_environment();
  if (!environment) {
    exit_code = fail(environment.error());
    return std::nullopt;
  }
  if (const auto domain = arguments.value("domain")) {
    std::erase_if(*environment, [](const auto& item) { return item.first == "MOAT_DOMAIN"; });
    environment->emplace_back("MOAT_DOMAIN", *domain);
  }
  auto parsed = gateway::parse_config(text.value_or(""), file, *environment);
  if (!parsed) {
    exit_code = report(parsed.error());
    return std::nullopt;
  }
  Config config = std::move(*parsed);
  if (const auto to = arguments.value("to")) {
    auto upstream = gateway::parse_upstream(*to);
    if (!upstream) {
      exit_code = fail("--to: " + upstream.error());
      return std::nullopt;
    }
    if (config.routes.empty()) config.routes.emplace_back();
    for (auto& route : config.routes) route.backends = {*upstream};
  }
  if (const auto value = arguments.value("https")) config.https = {*value};
  if (const auto value = arguments.value("http")) config.http = {*value};
  if (arguments.value("http") == "off") config.http.clear();
  if (const auto value = arguments.value("admin")) config.admin_listen = *value;
  if (const auto value = arguments.value("data")) config.data = *value;
  if (const auto value = arguments.value("workers")) {
    const bool number = !value->empty() && value->size() < 4 &&
                        value->find_first_not_of("0123456789") == std::string::npos;
    if (!number) {
      exit_code = fail("--workers: a whole number");
      return std::nullopt;
    }
    config.workers = static_cast<unsigned>(std::stoul(*value));
  }
  if (config.data.empty()) config.data = gateway::default_data_directory();
  return config;
}

std::string read_password() {
  std::string password;
  const bool terminal = ::isatty(STDIN_FILENO) == 1;
  termios before{};
  if (terminal) {
    std::cerr << "Password: " << std::flush;
    ::tcgetattr(STDIN_FILENO, &before);
    termios quiet = before;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
  }
  std::getline(std::cin, password);
  if (terminal) {
    ::tcsetattr(STDIN_FILENO, TCSANOW, &before);
    std::cerr << "\n";
  }
  return password;
}

// --------------------------------------------------------------------------------------------- run

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
  const std::pair<const char*, std::string> practices[] = {
      {"1 HTTPS      ", "on: TLS 1.2 and 1.3, " + started.certificate +
                            (config.is_localhost() ? "; no HSTS on localhost" : "; HSTS")},
      {"2 Input      ",
       "on: ambiguous requests, bad encodings and oversized input refused; security headers"},
      {"3 Passwords  ", config.accounts ? "on: " + argon : accounts_off},
      {"4 Sessions   ", config.accounts ? "on: access " + minutes(config.access_ttl) +
                                              ", rotating refresh, idle " +
                                              minutes(config.session_idle) + "; HttpOnly cookies"
                                        : accounts_off},
      {"5 Limits     ", "on: " + config.limit_default + "; growing delays after failed logins"},
      {"6 CSRF       ", "on: Fetch-Metadata and Origin, tokens in forms, SameSite cookies"},
      {"7 Secrets    ", "on: keys made here, 0600, in " + config.data + "/keys"}};
  for (const auto& [name, state] : practices) {
    std::cout << "  " << terminal.paint("✓", "32") << " " << name << state << "\n";
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
              << "  Browsers trust it after `moat trust`"
              << (config.data == gateway::default_data_directory() ? std::string()
                                                                   : " --data " + config.data)
              << "; curl with --cacert and that file.\n";
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
    moat.housekeeping();
  }
  log.info("stopping", {{"drain_ms", static_cast<std::int64_t>(config->timeouts.drain.count())}});
  moat.stop();
  log.info("stopped");
  return 0;
}

// ------------------------------------------------------------------------------- check and explain

int check(const Arguments& arguments) {
  int exit_code = 0;
  auto config = load_config(arguments, exit_code);
  if (!config) return exit_code;
  auto problems = gateway::check_config(*config);
  if (problems.empty()) problems = gateway::resolve_backends(*config);
  if (!problems.empty()) return report(problems);
  std::cout << "The configuration is good.\n";
  const auto weak = gateway::weakenings(*config);
  for (const auto& item : weak) {
    std::cout << "weakened: practice " << item.practice << ": " << item.message << " ("
              << item.origin.to_string() << ")\n";
  }
  if (weak.empty()) std::cout << "No practice is weakened.\n";
  return 0;
}

std::string_view name_of(gateway::Login login) {
  switch (login) {
    case gateway::Login::none:
      return "none: the backend learns nothing of who asks";
    case gateway::Login::optional:
      return "optional: the backend learns who asks, if anybody is logged in";
    case gateway::Login::required:
      return "required";
  }
  return "";
}

int explain(const Arguments& arguments) {
  if (arguments.positional().size() != 2)
    return fail("explain METHOD PATH, such as: moat explain POST /api/orders");
  int exit_code = 0;
  auto config = load_config(arguments, exit_code);
  if (!config) return exit_code;
  auto problems = gateway::check_config(*config);
  if (!problems.empty()) return report(problems);
  const std::string& method = arguments.positional()[0];
  const std::string& target = arguments.positional()[1];
  const std::string head =
      method + " " + target + " HTTP/1.1\r\nHost: " + config->domains.front() + "\r\n\r\n";
  http::HeadLimits limits;
  limits.target = config->max_target;
  limits.allow_encoded_slash = true;
  http::RequestHead parsed;
  const http::ParseStatus status = http::parse_request_head(head, limits, parsed);
  if (!status.complete()) {
    std::cout << "refused     " << status.status << " " << status.code
              << ": not a canonical request (practice 2)\n";
    return 0;
  }
  if (config->accounts && shield::AuthApi::handles(parsed.path)) {
    std::cout << "answered by Moat itself (accounts)\n"
                 "CSRF        a foreign Origin or Sec-Fetch-Site is refused with or without "
                 "cookies; forms need a token\n";
    return 0;
  }
  const gateway::Route* route = gateway::find_route(*config, parsed.path);
  if (route == nullptr) {
    std::cout << "refused     404 no_route: no route matches\n";
    return 0;
  }
  if (parsed.encoded_slash && !route->allow_encoded_slash) {
    std::cout << "refused     400 ambiguous_path: %2F in the path (practice 2; allow_encoded_slash "
                 "of the route)\n";
    return 0;
  }
  std::cout << "route       " << route->match << " (" << route->origin.to_string() << ")\n";
  for (const auto& backend : route->backends)
    std::cout << "backend     http://" << backend.authority() << "\n";
  std::cout << "login       " << name_of(route->login);
  for (const std::string& role : route->roles)
    std::cout << (role == route->roles.front() ? "; roles: " : ", ") << role;
  std::cout << "\nlimits      " << config->limit_default;
  if (config->limit_user) std::cout << "; " << *config->limit_user;
  if (route->limit) std::cout << "; this route: " << *route->limit;
  std::cout << "\nbody        at most " << route->max_body << " bytes\n";
  std::cout << "CSRF        "
            << (http::is_safe(parsed.method) ? "a safe method: not checked, but for WebSockets"
                : route->csrf
                    ? "with Moat's cookies: Sec-Fetch-Site, else Origin, else Referer must be ours"
                    : "OFF for this route")
            << "\n";
  std::cout << "told        X-Forwarded-For, -Host, -Proto, Forwarded, X-Real-IP, X-Request-Id"
            << (route->login == gateway::Login::none
                    ? ""
                    : "; of a signed-in user X-Moat-User, -Email, -Roles, -Session, -Assertion")
            << "\n";
  return 0;
}

// -------------------------------------------------------------------------------------- the others

int hash(const Arguments& arguments) {
  std::string text = read_password();
  const Secret password = Secret::take(text);
  if (password.empty()) return fail("no password was given");
  if (const auto cost = arguments.value("bcrypt")) {
    if (*cost != "10" && *cost != "11" && *cost != "12" && *cost != "13" && *cost != "14") {
      return fail("--bcrypt: a cost from 10 to 14");
    }
    auto hashed = password::bcrypt_hash(password.reveal(), static_cast<unsigned>(std::stoul(*cost)),
                                        system_random());
    if (!hashed) return fail(std::string(password::to_string(hashed.error())));
    std::cout << *hashed << "\n";
    return 0;
  }
  password::Hasher hasher = password::Hasher::standard(system_random());
  auto hashed = hasher.hash(password);
  if (!hashed) return fail(std::string(password::to_string(hashed.error())));
  std::cout << *hashed << "\n";
  return 0;
}

int user_add(const Arguments& arguments) {
  if (arguments.positional().size() != 1) return fail("user add EMAIL");
  int exit_code = 0;
  auto config = load_config(arguments, exit_code);
  if (!config) return exit_code;
  const gateway::DataPaths paths(config->data);
  if (auto made = gateway::make_private_directory(paths.root); !made) return fail(made.error());
  auto store = store::SqliteStore::open(paths.store);
  if (!store) return fail(store.error().detail);
  password::Hasher hasher = password::Hasher::standard(system_random());
  const password::Policy policy;
  accounts::Options options;
  options.site_words = config->domains;
  accounts::Service accounts((*store)->accounts(), hasher, policy, system_random(), options);
  std::vector<std::string> roles{std::string(accounts::user_role)};
  if (const auto role = arguments.value("role")) roles.push_back(*role);
  std::string text = read_password();
  const Secret password = Secret::take(text);
  auto account =
      accounts.add_user(arguments.positional()[0], password, roles, system_clock().now());
  if (!account) {
    const std::string& detail = account.error().detail;
    return fail(std::string(accounts::to_string(account.error().reason)) +
                (detail.empty() ? "" : ": " + detail));
  }
  std::cout << "Made the account " << account->id << " for " << account->email << ".\n";
  return 0;
}

int user_unlock(const Arguments& arguments) {
  if (arguments.positional().size() != 1) return fail("user unlock EMAIL");
  int exit_code = 0;
  auto config = load_config(arguments, exit_code);
  if (!config) return exit_code;
  const auto email = validate::Email::parse(arguments.positional()[0]);
  if (!email) return fail("'" + arguments.positional()[0] + "' is no e-mail address");
  auto reply = gateway::ask_admin(gateway::DataPaths(config->data).admin_socket, "POST", "/unlock",
                                  email->lookup_key());
  if (!reply) return fail(reply.error());
  if (reply->status != 200)
    return fail("the running Moat answered " + std::to_string(reply->status));
  std::cout << "Unlocked " << email->lookup_key() << ".\n";
  return 0;
}

int trust(const Arguments& arguments) {
  int exit_code = 0;
  auto config = load_config(arguments, exit_code);
  if (!config) return exit_code;
  const certs::LocalCaFiles files(gateway::DataPaths(config->data).ca);
  const char* home = std::getenv("HOME");
  const certs::TrustTargets targets =
      certs::TrustTargets::of_system(home == nullptr ? "/root" : home);
  auto steps = arguments.has("undo") ? certs::untrust_root(files.root_certificate(), targets)
                                     : certs::trust_root(files.root_certificate(), targets);
  if (!steps) return fail(steps.error().message);
  for (const certs::TrustStep& step : *steps) {
    switch (step.outcome) {
      case certs::TrustStep::Outcome::done:
        std::cout << "done      " << step.what << "\n";
        break;
      case certs::TrustStep::Outcome::already:
        std::cout << "already   " << step.what << "\n";
        break;
      case certs::TrustStep::Outcome::failed:
        std::cout << "failed    " << step.what << ": " << step.detail << "\n";
        break;
      case certs::TrustStep::Outcome::by_hand:
        std::cout << "by hand   " << step.what << ": " << step.detail << "\n";
        break;
    }
  }
  return 0;
}

int help() {
  std::cout << "Moat: the first line of defence for a backend.\n\n";
  for (const Command& command : commands()) {
    std::string left = "  moat " + std::string(command.name);
    if (!command.arguments.empty()) left += " " + std::string(command.arguments);
    left.resize(std::max<std::size_t>(left.size() + 2, 30), ' ');
    std::cout << left << command.help << "\n";
  }
  std::cout << "\n`moat COMMAND --help` lists the options of one. The shortest start: moat run "
               "--to http://127.0.0.1:3000\n";
  return 0;
}

int dispatch(std::vector<std::string> words) {
  if (words.empty() || words[0] == "help" || words[0] == "--help" || words[0] == "-h")
    return help();
  if (words[0] == "--version" || words[0] == "version") {
    std::cout << "moat " << MOAT_VERSION << "\n";
    return 0;
  }
  std::string name = words[0];
  words.erase(words.begin());
  if (name == "user" && !words.empty() && words[0][0] != '-') {
    name += " " + words[0];
    words.erase(words.begin());
  }
  const auto command = std::find_if(commands().begin(), commands().end(),
                                    [&](const auto& c) { return c.name == name; });
  if (command == commands().end()) return fail("there is no command '" + name + "'; see moat help");
  auto arguments = Arguments::parse(*command, words);
  if (!arguments) return fail(arguments.error());
  if (arguments->has("help")) {
    std::cout << usage(*command);
    return 0;
  }
  if (name == "run") return run(*arguments);
  if (name == "check") return check(*arguments);
  if (name == "explain") return explain(*arguments);
  if (name == "hash") return hash(*arguments);
  if (name == "user add") return user_add(*arguments);
  if (name == "user unlock") return user_unlock(*arguments);
  if (name == "trust") return trust(*arguments);
  std::cout << gateway::sample_config();
  return 0;
}

}  // namespace
}  // namespace moat::cli

int main(int argc, char** argv) {
  try {
    return moat::cli::dispatch(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& error) {
    std::cerr << "moat: " << error.what() << "\n";
    return 1;
  }
}
