// SPDX-License-Identifier: Apache-2.0
// Where the configuration comes from.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "moat/cli/commands.h"
#include "moat/gateway/gateway.h"
#include "moat/sources/files.h"

namespace moat::cli {

using gateway::Config;

int fail(const std::string& message) {
  std::cerr << "moat: " << message << "\n";
  return 1;
}

int report(const std::vector<gateway::ConfigProblem>& problems) {
  for (const auto& problem : problems) {
    std::cerr << (problem.origin.source.empty() ? "moat: " : "") << problem.to_string() << "\n";
  }
  return 1;
}

namespace {

// A file's text; none where there is no such file. One that is there and cannot be read is an
// error: its rules would be missing.
Result<std::optional<std::string>, std::string> read_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return std::optional<std::string>();
  std::string text;
  char piece[16384];
  ssize_t got = fd < 0 ? -1 : 1;
  while (got > 0) {
    got = ::read(fd, piece, sizeof piece);
    if (got > 0) text.append(piece, static_cast<std::size_t>(got));
  }
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (got < 0) return Error{path + " cannot be read: " + std::strerror(error)};
  return std::optional<std::string>(std::move(text));
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
      const std::string path(text.substr(equals + 1));
      const auto content = read_file(path);
      if (!content) return Error{name + ": " + content.error()};
      if (!*content) return Error{name + ": there is no file " + path};
      out.emplace_back(plain, (*content)->substr(0, (*content)->find_last_not_of("\r\n") + 1));
    } else {
      out.emplace_back(name, std::string(text.substr(equals + 1)));
    }
  }
  return out;
}

// MOAT_… settings of .env and .env.local in the working folder, below the process environment: for
// development. The file is usually the backend's, so one that cannot be read strictly is passed
// over with a word. True: it gave some.
Result<bool, std::string> add_dotenv(gateway::Environment& environment) {
  env::LoadOptions options;
  options.files = env::layers(".env");
  const auto settings = sources::load_dotenv(options);
  if (!settings) {
    std::cerr << "moat: .env is not read: " << settings.error().to_string() << "\n";
    return false;
  }
  bool used = false;
  for (const std::string& key : settings->keys()) {
    if (key.rfind("MOAT_", 0) != 0) continue;
    const bool file = key.size() > 5 && key.substr(key.size() - 5) == "_FILE";
    const std::string plain = file ? key.substr(0, key.size() - 5) : key;
    const bool known = std::any_of(environment.begin(), environment.end(),
                                   [&](const auto& item) { return item.first == plain; });
    if (known) continue;
    const bool secret = plain.rfind("MOAT_SECRETS_", 0) == 0;
    if (secret && !file) {
      return Error{settings->place(key)->to_string() + ": " + key +
                   " is a secret; put it into a file of mode 0600 and name that: " + key + "_FILE"};
    }
    const auto value = settings->text(secret ? key : plain);
    if (!value) return Error{value.error().to_string()};
    environment.emplace_back(plain, secret ? "file:" + *value : *value);
    used = true;
  }
  return used;
}

}  // namespace

// Defaults, file, environment, command line: each overrides the one before.
Result<Config, std::vector<gateway::ConfigProblem>> read_config(const Arguments& arguments) {
  const auto refuse = [](std::string why) {
    std::vector<gateway::ConfigProblem> problems;
    problems.push_back({gateway::Origin{}, std::move(why)});
    return Error{std::move(problems)};
  };
  const std::string file = arguments.value("config").value_or("moat.toml");
  const auto read = read_file(file);
  if (!read) {
    return refuse(read.error());
  }
  const std::optional<std::string>& text = *read;
  if (!text && arguments.has("config")) {
    return refuse("there is no file " + file);
  }
  auto environment = moat_environment();
  if (!environment) {
    return refuse(environment.error());
  }
  const auto dotenv = add_dotenv(*environment);
  if (!dotenv) {
    return refuse(dotenv.error());
  }
  if (const auto domain = arguments.value("domain")) {
    std::erase_if(*environment, [](const auto& item) { return item.first == "MOAT_DOMAIN"; });
    environment->emplace_back("MOAT_DOMAIN", *domain);
  }
  auto parsed = gateway::parse_config(text.value_or(""), file, *environment);
  if (!parsed) {
    return Error{parsed.error()};
  }
  Config config = std::move(*parsed);
  if (*dotenv && !config.is_localhost()) {
    return refuse(
        ".env gives settings of Moat, which is for development only; a public name takes them "
        "from " +
        file + " or the environment");
  }
  if (const auto to = arguments.value("to")) {
    auto upstream = gateway::parse_upstream(*to);
    if (!upstream) {
      return refuse("--to: " + upstream.error());
    }
    if (config.routes.empty()) config.routes.emplace_back().csrf = config.csrf;
    // One address in place of several would send requests to an application they are not for.
    const auto differs = [&](const gateway::Route& route) {
      return route.backends.size() > 1 ||
             (!route.backends.empty() && !config.routes.front().backends.empty() &&
              route.backends.front().to_string() !=
                  config.routes.front().backends.front().to_string());
    };
    if (std::any_of(config.routes.begin(), config.routes.end(), differs)) {
      return refuse("--to names one backend, but " + file + " names several; change it there");
    }
    for (auto& route : config.routes) route.backends = {*upstream};
  }
  if (const auto value = arguments.value("schema")) {
    if (config.routes.empty()) config.routes.emplace_back().csrf = config.csrf;
    for (auto& route : config.routes) {
      if (!route.schema.file.empty() && route.schema.file != *value)
        return refuse("--schema names one document, but " + file +
                      " names another; change it there");
      route.schema.file = *value;
    }
  }
  if (const auto value = arguments.value("https")) config.https = {*value};
  if (const auto value = arguments.value("http")) config.http = {*value};
  if (arguments.value("http") == "off") config.http.clear();
  if (const auto value = arguments.value("admin")) config.admin_listen = *value;
  if (const auto value = arguments.value("data")) config.data = *value;
  if (const auto value = arguments.value("workers")) {
    const char* end = value->data() + value->size();
    const auto parsed_number = std::from_chars(value->data(), end, config.workers);
    if (parsed_number.ec != std::errc() || parsed_number.ptr != end || config.workers > 1024) {
      return refuse("--workers: a whole number up to 1024");
    }
  }
  // With server.user the place is root's choice, whoever runs it now.
  if (config.data.empty())
    config.data = config.user.empty() ? gateway::default_data_directory() : "/var/lib/moat";
  return config;
}

std::optional<Config> load_config(const Arguments& arguments, int& exit_code) {
  auto config = read_config(arguments);
  if (!config) {
    exit_code = report(config.error());
    return std::nullopt;
  }
  for (const std::string& note : config->notes) std::cerr << "moat: " << note << "\n";
  return std::move(*config);
}

std::vector<std::string> config_files(const Arguments& arguments) {
  std::vector<std::string> files{arguments.value("config").value_or("moat.toml"), ".env",
                                 ".env.local"};
  for (char** item = environ; *item != nullptr; ++item) {
    const std::string_view text(*item);
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    if (name.rfind("MOAT_", 0) != 0 || name.size() <= 10 || equals == std::string_view::npos ||
        name.substr(name.size() - 5) != "_FILE")
      continue;
    files.emplace_back(text.substr(equals + 1));
  }
  return files;
}

}  // namespace moat::cli
