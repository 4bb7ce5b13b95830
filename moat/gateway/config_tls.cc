// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/internal/config_tls.h"

#include <algorithm>

namespace moat::gateway {

namespace {

void check_client_certificates(const Config& config, std::vector<ConfigProblem>& problems) {
  for (const Route& route : config.routes) {
    if (route.client_certificate == ClientCertificates::none || !config.client_ca_file.empty())
      continue;
    problems.push_back({route.origin, "route '" + route.match +
                                          "' asks for client certificates, so it needs "
                                          "'tls.client_ca_file': who may issue them"});
  }
  if (!config.client_ca_file.empty() && !config.asks_clients()) {
    problems.push_back({Origin{"tls.client_ca_file", 0},
                        "'tls.client_ca_file' names who may issue client certificates, but no "
                        "route asks for one: add client_certificate = \"required\" to it"});
  }
  if (!config.client_crl_file.empty() && config.client_ca_file.empty()) {
    problems.push_back(
        {Origin{"tls.client_crl_file", 0}, "'tls.client_crl_file' needs 'tls.client_ca_file'"});
  }
}

void check_own_certificate(const Route& route, std::vector<ConfigProblem>& problems) {
  const BackendSettings& settings = route.backend;
  if (settings.certificate_file.empty() && settings.key_file.empty()) return;
  const auto report = [&](const std::string& what) {
    problems.push_back({route.origin, "route '" + route.match + "' " + what});
  };
  if (settings.certificate_file.empty() || settings.key_file.empty())
    report("has one of backend_certificate and backend_key: they go together");
  const bool tls = std::any_of(route.backends.begin(), route.backends.end(),
                               [](const auto& one) { return one.kind == Upstream::Kind::tls; });
  if (!tls && !route.backends.empty())
    report("has a backend_certificate, but no https:// backend that it could be shown to");
}

void check_pairs(const Config& config, std::vector<ConfigProblem>& problems) {
  if (config.certificate_file.empty() != config.key_file.empty()) {
    problems.push_back(
        {Origin{"tls", 0}, config.more_certificates.empty()
                               ? "'tls.certificate' and 'tls.key' go together"
                               : "'tls.key' belongs to a 'tls.certificate' that is a file; in "
                                 "[[tls.certificate]] tables it is 'key_file'"});
  }
  for (const CertificatePair& pair : config.more_certificates) {
    if (pair.certificate_file.empty() || pair.key_file.empty())
      problems.push_back(
          {pair.origin, "a [[tls.certificate]] needs both 'certificate_file' and 'key_file'"});
  }
  if (config.more_certificates.size() > most_certificates) {
    problems.push_back({config.more_certificates.back().origin,
                        "more than " + std::to_string(most_certificates) + " certificates"});
  }
}

}  // namespace

void check_tls(const Config& config, std::vector<ConfigProblem>& problems) {
  for (const Route& route : config.routes) check_own_certificate(route, problems);
  check_client_certificates(config, problems);
  check_pairs(config, problems);
}

}  // namespace moat::gateway
