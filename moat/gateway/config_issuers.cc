// SPDX-License-Identifier: Apache-2.0
// The [[issuer]] tables of a configuration.
#include <algorithm>

#include "moat/gateway/internal/config_issuers.h"
#include "moat/gateway/internal/config_table.h"

namespace moat::gateway {

namespace {

using std::chrono::milliseconds;

bool is_pkcs1(jwt::Algorithm algorithm) {
  return algorithm == jwt::Algorithm::rs256 || algorithm == jwt::Algorithm::rs384 ||
         algorithm == jwt::Algorithm::rs512;
}

bool is_hmac(jwt::Algorithm algorithm) {
  return algorithm == jwt::Algorithm::hs256 || algorithm == jwt::Algorithm::hs384 ||
         algorithm == jwt::Algorithm::hs512;
}

void read_algorithms(ConfigTable& table, std::vector<jwt::Algorithm>& out) {
  std::vector<std::string> names;
  Origin where;
  if (!table.list("algorithms", names, &where)) return;
  if (names.empty()) table.report(where, "'algorithms' names none: leave it out for the defaults");
  for (const std::string& name : names) {
    const auto algorithm = jwt::parse_algorithm(name);
    if (algorithm && !is_hmac(*algorithm)) {
      out.push_back(*algorithm);
    } else {
      table.report(where, "'" + name +
                              "' is no public-key algorithm of Moat: ES256, ES384, ES512, Ed25519, "
                              "EdDSA, PS256, PS384, PS512, RS256, RS384, RS512");
    }
  }
}

void read_issuer(ConfigTable table, TrustedIssuer& issuer) {
  table.text("url", issuer.url);
  table.list("audience", issuer.audiences);
  table.text("jwks", issuer.jwks);
  read_algorithms(table, issuer.algorithms);
  table.text("user_claim", issuer.user_claim);
  table.text("email_claim", issuer.email_claim);
  table.text("roles_claim", issuer.roles_claim);
  table.text("ca_file", issuer.ca_file);
  table.boolean("pass_token", issuer.pass_token);
  table.boolean("insecure_http", issuer.insecure_http);
  constexpr milliseconds second{1'000};
  constexpr milliseconds day{86'400'000};
  table.duration("max_age", issuer.max_age, 2 * second, day);
  table.duration("max_stale", issuer.max_stale, milliseconds{0}, 7 * day);
  table.duration("cooldown", issuer.cooldown, second, day);
  table.duration("retry", issuer.retry, second, milliseconds{3'600'000});
  table.duration("timeout", issuer.timeout, milliseconds{100}, milliseconds{30'000});
  table.finish();
  if (issuer.jwks.empty() && !issuer.url.empty()) {
    issuer.jwks = issuer.url;
    if (issuer.jwks.back() == '/') issuer.jwks.pop_back();
    issuer.jwks += "/.well-known/jwks.json";
  }
}

bool has_fraction(milliseconds value) { return value.count() % 1000 != 0; }

}  // namespace

void read_issuers(ConfigTable& top, Config& config) {
  const toml::array* tables = top.tables("issuer");
  if (tables == nullptr) return;
  for (const toml::node& node : *tables) {
    TrustedIssuer issuer;
    issuer.origin = top.origin_of(node);
    read_issuer(top.element("issuer", node), issuer);
    config.issuers.push_back(std::move(issuer));
  }
}

void check_issuers(const Config& config, std::vector<ConfigProblem>& problems) {
  for (std::size_t i = 0; i < config.issuers.size(); ++i) {
    const TrustedIssuer& issuer = config.issuers[i];
    const auto report = [&](const std::string& what) {
      problems.push_back({issuer.origin, "issuer '" + issuer.url + "' " + what});
    };
    if (i == most_issuers) report("is one too many: at most " + std::to_string(most_issuers));
    if (issuer.url.empty()) report("needs 'url', which is what its tokens say in \"iss\"");
    // external_user_id() relies on it.
    if (!std::all_of(issuer.url.begin(), issuer.url.end(),
                     [](char c) { return c > 0x20 && c < 0x7f; }))
      report("has a 'url' that is no plain ASCII");
    // RFC 8725 section 3.9: a token for somebody else must not be taken for one for us.
    if (issuer.audiences.empty() || std::any_of(issuer.audiences.begin(), issuer.audiences.end(),
                                                [](const std::string& one) { return one.empty(); }))
      report("needs 'audience': whom its tokens are for, which is us");
    if (issuer.user_claim.empty()) report("has an empty 'user_claim'");
    if (issuer.cooldown > issuer.max_age / 2) report("'cooldown' is more than half of 'max_age'");
    if (has_fraction(issuer.max_age) || has_fraction(issuer.max_stale) ||
        has_fraction(issuer.cooldown) || has_fraction(issuer.retry))
      report("counts the ages of keys in whole seconds");
    for (std::size_t j = 0; j < i; ++j) {
      if (config.issuers[j].url == issuer.url) report("is there twice");
    }
  }
}

void add_weakenings(const TrustedIssuer& issuer, std::vector<Weakening>& out) {
  const std::string name = "issuer '" + issuer.url + "' ";
  if (issuer.insecure_http)
    out.push_back(
        {1, issuer.origin, name + "may publish its keys over http (insecure_http = true)"});
  if (std::any_of(issuer.algorithms.begin(), issuer.algorithms.end(), is_pkcs1))
    out.push_back({4, issuer.origin,
                   name + "signs with RSA PKCS #1 v1.5 (RS256 and the like), an old scheme"});
}

}  // namespace moat::gateway
