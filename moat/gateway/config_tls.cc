// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/internal/config_tls.h"

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

}  // namespace

void check_tls(const Config& config, std::vector<ConfigProblem>& problems) {
  check_client_certificates(config, problems);
}

}  // namespace moat::gateway
