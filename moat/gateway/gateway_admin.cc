// SPDX-License-Identifier: Apache-2.0
// What a gateway answers on its admin listener.
#include "moat/gateway/internal/gateway_parts.h"

namespace moat::gateway {

AdminAnswer Gateway::Parts::answer_admin(std::string_view method, std::string_view path,
                                         std::string_view body, bool local) {
  AdminAnswer answer;
  const bool get = method == "GET" || method == "HEAD";
  if (get && path == "/healthz") {
    answer.body = "{\"status\":\"ok\"}\n";
  } else if (get && path == "/readyz") {
    const bool ready =
        serving && !stopping.draining && store->accounts().count_admins().has_value();
    answer.status = ready ? 200 : 503;
    // No reason to send nobody here: the CA itself has to come before there is another.
    const bool trusted = serving && now_serving()->certificates().trusted();
    const std::string_view certificate = trusted ? "trusted" : "self-signed";
    answer.body = "{\"status\":\"" + std::string(ready ? "ready" : "not_ready") +
                  "\",\"certificate\":\"" + std::string(certificate) + "\"}\n";
  } else if (get && path == "/metrics") {
    answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
    answer.body = metrics();
  } else if (local && method == "POST" && path == "/unlock") {
    guard->unlock(body);
    log.info("unlocked", {{"email", body}});
    answer.body = "{\"status\":\"unlocked\"}\n";
  } else if (local && get && path == "/certificates") {
    answer.content_type = "text/plain; charset=utf-8";
    answer.body = now_serving()->certificates().status();
  } else if (local && get && path == "/reports") {
    answer.content_type = "text/plain; charset=utf-8";
    answer.body = reports.table();
  } else if (local && method == "POST" && path == "/schema/learn") {
    TrafficLearner::Answer proposal = learner.propose(body);
    answer.status = proposal.status;
    answer.content_type = proposal.status == 200 ? "application/yaml" : "text/plain; charset=utf-8";
    answer.body = std::move(proposal.text);
  } else if (local && method == "POST" && path == "/certificates/renew") {
    const bool asked = now_serving()->certificates().renew();
    answer.status = asked ? 202 : 409;
    answer.body = asked ? "{\"status\":\"asked\"}\n" : "{\"code\":\"no_ca\"}\n";
  } else if (local && method == "POST" && path == "/certificates/revoke") {
    const auto reason = acme::parse_revocation_reason(body);
    const bool asked = reason && now_serving()->certificates().revoke(*reason);
    answer.status = asked ? 202 : !reason ? 400 : 409;
    answer.body = asked     ? "{\"status\":\"asked\"}\n"
                  : !reason ? "{\"code\":\"unknown_reason\"}\n"
                            : "{\"code\":\"no_ca\"}\n";
  } else if (local && method == "POST" && path == "/reload") {
    const std::vector<ConfigProblem> problems = reload();
    answer.status = problems.empty() ? 200 : 422;
    answer.content_type = "text/plain; charset=utf-8";
    for (const ConfigProblem& problem : problems) answer.body += problem.to_string() + "\n";
  } else {
    answer.status = 404;
    answer.body = "{\"code\":\"not_found\"}\n";
  }
  return answer;
}

std::string Gateway::Parts::metrics() {
  std::vector<const Metrics*> all;
  for (const auto& worker : workers) all.push_back(&worker->metrics());
  std::string out = prometheus(
      all, labels, {connections->open_now(), connections->held().now(), access->dropped()});
  const auto add = [&](const std::string& name, const char* type, const char* help,
                       std::uint64_t value) {
    out += "# HELP moat_" + name + " " + help + "\n# TYPE moat_" + name + " " + type + "\nmoat_" +
           name + " " + std::to_string(value) + "\n";
  };
  add("config_reloads_total", "counter", "Reloads that took effect.", reloads);
  add("config_reload_failures_total", "counter", "Reloads that were refused as a whole.",
      reloads_refused);
  add("config_generations", "gauge",
      "Configurations in use: the present one, and those of requests that began before a reload.",
      live_generations());
  add("certificate_trusted", "gauge",
      "0 while a public name shows a self-signed certificate, which no browser trusts.",
      now_serving()->certificates().trusted() ? 1 : 0);
  add("config_last_reload_successful", "gauge", "0 while the last reload was refused.",
      last_reload_refused ? 0 : 1);
  std::vector<BackendMetrics> servers;
  const std::shared_ptr<Generation> generation = now_serving();
  for (const BackendServer& server : generation->shared().backends.servers()) {
    BackendMetrics& one = servers.emplace_back();
    one.server = server.upstream.to_string();
    one.up = server.state->healthy() && server.state->may_be_asked(clock.tick());
    one.requests = server.state->requests();
  }
  out += prometheus(servers);
  out += reports.prometheus();
  return out;
}

}  // namespace moat::gateway
