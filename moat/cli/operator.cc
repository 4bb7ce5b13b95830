// SPDX-License-Identifier: Apache-2.0
// What an operator does by hand: hashes, reloads, trust.
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>

#include "moat/certs/local_ca_files.h"
#include "moat/certs/trust.h"
#include "moat/cli/commands.h"
#include "moat/cli/running.h"
#include "moat/gateway/admin.h"
#include "moat/gateway/gateway.h"
#include "moat/gateway/key_files.h"
#include "moat/password/hasher.h"

namespace moat::cli {

namespace {

double cpu_milliseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1000 + static_cast<double>(now.tv_nsec) / 1e6;
}

// What a login costs here: CPU time, so that what else the machine does shows as little as may be.
int hash_benchmark(const std::string& seconds) {
  if (seconds.size() != 1 || seconds[0] < '1' || seconds[0] > '9')
    return fail("--benchmark: 1 to 9 seconds");
  password::Hasher hasher = password::Hasher::standard(system_random());
  const Tick end = system_clock().tick() + std::chrono::seconds(seconds[0] - '0');
  const double before = cpu_milliseconds();
  int count = 0;
  while (system_clock().tick() < end) {
    if (!hasher.hash(std::string_view("a password to hash"))) return fail("out of memory");
    ++count;
  }
  std::printf("%.2f ms of CPU a hash, %d hashes\n", (cpu_milliseconds() - before) / count, count);
  return 0;
}

// A text of the running Moat's, as it is.
int show_running(const Arguments& arguments, std::string_view path) {
  int exit_code = 0;
  const auto reply = ask_running(arguments, "GET", path, exit_code);
  if (!reply) return exit_code;
  if (reply->status != 200) return fail("the running Moat says " + std::to_string(reply->status));
  std::cout << reply->body;
  return 0;
}

}  // namespace

std::optional<gateway::AdminReply> ask_running(const Arguments& arguments, std::string_view method,
                                               std::string_view path, int& exit_code,
                                               const std::string& body) {
  std::string data;
  if (const auto given = arguments.value("data")) {
    data = *given;
  } else {
    const auto config = load_config(arguments, exit_code);
    if (!config) return std::nullopt;
    data = config->data;
  }
  auto reply = gateway::ask_admin(gateway::DataPaths(data).admin_socket, method, path, body);
  if (reply) return std::move(*reply);
  exit_code = fail(reply.error());
  return std::nullopt;
}

int hash(const Arguments& arguments) {
  if (const auto seconds = arguments.value("benchmark")) return hash_benchmark(*seconds);
  const Secret password = read_password();
  if (password.empty()) return fail("no password was given");
  if (const auto cost = arguments.value("bcrypt")) {
    unsigned rounds = 0;
    const char* end = cost->data() + cost->size();
    const auto parsed = std::from_chars(cost->data(), end, rounds);
    if (parsed.ec != std::errc() || parsed.ptr != end || rounds < 10 || rounds > 14) {
      return fail("--bcrypt: a cost from 10 to 14");
    }
    auto hashed = password::bcrypt_hash(password.reveal(), rounds, system_random());
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

int reload(const Arguments& arguments) {
  int exit_code = 0;
  const auto reply = ask_running(arguments, "POST", "/reload", exit_code);
  if (!reply) return exit_code;
  if (reply->status == 200) {
    std::cout << "Reloaded.\n";
    return 0;
  }
  std::cerr << reply->body;
  return fail("the running Moat keeps its configuration (" + std::to_string(reply->status) + ")");
}

int cert_list(const Arguments& arguments) { return show_running(arguments, "/certificates"); }

int reports(const Arguments& arguments) { return show_running(arguments, "/reports"); }

int cert_renew(const Arguments& arguments) {
  int exit_code = 0;
  const auto reply = ask_running(arguments, "POST", "/certificates/renew", exit_code);
  if (!reply) return exit_code;
  if (reply->status == 409)
    return fail("the running Moat gets its certificate from no CA (tls.acme.agree_to_terms)");
  if (reply->status != 202) return fail("the running Moat says " + std::to_string(reply->status));
  std::cout << "Asked. `moat cert list` says what came of it.\n";
  return 0;
}

int cert_revoke(const Arguments& arguments) {
  int exit_code = 0;
  const std::string reason = arguments.value("reason").value_or("unspecified");
  const auto reply = ask_running(arguments, "POST", "/certificates/revoke", exit_code, reason);
  if (!reply) return exit_code;
  if (reply->status == 400) return fail("--reason: one of unspecified, key-compromise, superseded");
  if (reply->status == 409)
    return fail("the running Moat gets its certificate from no CA (tls.acme.agree_to_terms)");
  if (reply->status != 202) return fail("the running Moat says " + std::to_string(reply->status));
  std::cout << "Asked, and for another certificate. `moat cert list` says what came of it.\n";
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

}  // namespace moat::cli
