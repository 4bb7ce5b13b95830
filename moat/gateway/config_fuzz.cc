// SPDX-License-Identifier: Apache-2.0
// The configuration: the TOML text, then behind a NUL one environment variable a line. Whatever is
// accepted keeps its floors; whatever is not says where.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "moat/base/encoding.h"
#include "moat/gateway/config.h"
#include "moat/gateway/routes.h"
#include "moat/limit/policy.h"

namespace {

using namespace moat;
using namespace moat::gateway;

void require(bool holds) {
  if (!holds) std::abort();
}

Environment variables(std::string_view text) {
  Environment out;
  while (!text.empty() && out.size() < 32) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t equals = line.find('=');
    if (equals != line.npos) out.emplace_back(line.substr(0, equals), line.substr(equals + 1));
  }
  return out;
}

void check_floors(const Config& config) {
  require(config.min_password >= 15);
  require(config.argon2_memory_kib >= 12'288 && config.argon2_iterations >= 1);
  require(config.access_ttl <= std::chrono::minutes{15});
  require(config.max_header <= 20 * 1024 && config.max_target <= 8 * 1024);
  require(config.max_connections > 0 && config.max_connections_per_address > 0);
  require(limit::Policy::parse(config.limit_default).has_value());
  for (const SecretReference& secret : config.secrets) {
    require(secret.reference.rfind("file:", 0) == 0 || secret.reference.rfind("env:", 0) == 0);
  }
  for (const TrustedIssuer& issuer : config.issuers) {
    require(issuer.max_age > issuer.cooldown || !check_config(config).empty());
    for (const jwt::Algorithm algorithm : issuer.algorithms)
      require(jwt::to_string(algorithm).substr(0, 2) != "HS");
  }
  for (const Route& route : config.routes) {
    require(!route.limit || limit::Policy::parse(*route.limit).has_value());
    for (const Upstream& upstream : route.backends) {
      const auto again = parse_upstream(upstream.to_string());
      require(again && again->kind == upstream.kind && again->host == upstream.host &&
              again->port == upstream.port && again->path == upstream.path);
    }
  }
}

}  // namespace

void fuzz(std::span<const std::uint8_t> input) {
  if (input.size() > 16 * 1024) return;
  const std::string_view all(reinterpret_cast<const char*>(input.data()), input.size());
  const std::string_view text = all.substr(0, all.find('\0'));
  const Environment environment =
      variables(text.size() < all.size() ? all.substr(text.size() + 1) : std::string_view());
  const auto config = parse_config(text, "moat.toml", environment);
  const auto lines = std::count(text.begin(), text.end(), '\n') + 1;
  if (!config) {
    require(!config.error().empty());
    for (const ConfigProblem& problem : config.error()) {
      require(!problem.message.empty() && !problem.origin.source.empty());
      require(problem.origin.line >= 0 && problem.origin.line <= lines + 1);
    }
    return;
  }
  check_floors(*config);
  (void)weakenings(*config);
  if (!check_config(*config).empty()) return;
  // What passed the check has a backend, and no spelling of a path loosens what it means.
  require(!config->routes.empty());
  const Routes routes(config->routes);
  for (const Route& route : config->routes) {
    require(!route.backends.empty());
    std::string path = route.match;
    if (path.back() == '*') path.pop_back();
    const auto plain =
        std::find_if(config->routes.begin(), config->routes.end(),
                     [&](const Route& other) { return pattern_matches(other.match, path); });
    require(plain != config->routes.end());
    std::string upper = path;
    for (char& c : upper)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    for (const std::string& spelling : {path, percent_encode(path), percent_encode(upper),
                                        upper + ";a=b", "/" + percent_encode(path)}) {
      const Routes::Match match = routes.find(spelling);
      require(match.route == nullptr || match.ambiguous ||
              is_at_least_as_strict(*match.route, *plain));
    }
  }
}
