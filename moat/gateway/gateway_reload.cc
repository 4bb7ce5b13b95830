// SPDX-License-Identifier: Apache-2.0
// From one configuration to the next.
#include <condition_variable>

#include "moat/gateway/internal/gateway_parts.h"

namespace moat::gateway {

std::vector<ConfigProblem> Gateway::Parts::reload() {
  const std::lock_guard one(reload_mutex);
  const std::vector<ConfigProblem> problems = prepare_and_switch();
  last_reload_refused = !problems.empty();
  if (problems.empty()) {
    reloads += 1;
    log.info("config_reloaded", {{"certificate", now_serving()->certificates().description()}});
    return problems;
  }
  reloads_refused += 1;
  std::string all;
  for (const ConfigProblem& problem : problems)
    all += (all.empty() ? "" : "; ") + problem.to_string();
  log.error("config_reload_refused", {{"problem", all}, {"serving", "the configuration before"}});
  return problems;
}

// Everything is made before anything changes.
std::vector<ConfigProblem> Gateway::Parts::prepare_and_switch() {
  const auto refuse = [](std::string why) {
    return std::vector<ConfigProblem>{ConfigProblem{Origin{}, std::move(why)}};
  };
  if (!startup.load) return refuse("there is no configuration to read again");
  if (stopping.draining) return refuse("Moat is stopping");
  auto loaded = startup.load();
  if (!loaded) return loaded.error();
  Config next = std::move(*loaded);
  auto problems = check_config(next);
  const std::shared_ptr<Generation> before = now_serving();
  if (problems.empty()) problems = needs_restart(before->config(), next);
  if (problems.empty()) problems = resolve_backends(next);
  if (!problems.empty()) return problems;
  auto made = Generation::make(*lasting, std::move(next), before.get());
  if (!made) return refuse(made.error());
  auto switched = switch_to(std::move(*made));
  if (!switched) return refuse(switched.error());
  return {};
}

Result<void, std::string> Gateway::Parts::switch_to(std::shared_ptr<Generation> next) {
  std::vector<https::ServerContext> contexts;
  for (std::size_t i = 0; i < workers.size(); ++i) {
    auto context = next->tls_context();
    if (!context) return Error{context.error()};
    contexts.push_back(std::move(*context));
  }
  struct Taken {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t count = 0;
  };
  const auto taken = std::make_shared<Taken>();
  connections->held().set_most(next->config().max_held_bodies);
  connections->set(affordable_connections(next->config().max_connections, log),
                   next->config().max_connections_per_address);
  for (std::size_t i = 0; i < workers.size(); ++i) {
    const std::shared_ptr<const Shared> shared(next, &next->shared());
    workers[i]->serve_by(shared, std::move(contexts[i]), next->keys().assertion, [taken] {
      const std::lock_guard lock(taken->mutex);
      ++taken->count;
      taken->changed.notify_all();
    });
  }
  const std::shared_ptr<Certificates> before = now_serving()->shared_certificates();
  if (before != next->shared_certificates()) {
    before->end();
    // Whoever lets go last waits for what it asks; that must be no worker.
    retired.push_back(before);
    next_certificates = Tick{};  // the new ones are looked after at once
  }
  serve_by_now_on(std::move(next));
  // So that whoever asked for the reload sees it in the next request. A worker that is stopping
  // answers no more.
  std::unique_lock lock(taken->mutex);
  taken->changed.wait_for(lock, std::chrono::seconds{2},
                          [&] { return taken->count == workers.size(); });
  return {};
}

}  // namespace moat::gateway
