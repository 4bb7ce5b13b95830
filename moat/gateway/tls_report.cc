// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/tls_report.h"

#include "moat/https/client_certificate.h"

namespace moat::gateway {

namespace {

std::string routes_that(const Config& config, ClientCertificates wish) {
  std::string out;
  for (const Route& route : config.routes) {
    if (route.client_certificate == wish) out.append(out.empty() ? "" : ", ").append(route.match);
  }
  return out;
}

std::string client_certificates(const Config& config) {
  const std::string required = routes_that(config, ClientCertificates::required);
  const std::string optional = routes_that(config, ClientCertificates::optional);
  std::string line = "Client certificates: ";
  if (!required.empty()) line += "required for " + required + "; ";
  if (!optional.empty()) line += "asked for, but not required, for " + optional + "; ";
  const std::size_t count = config.clients->size();
  line += "of " + std::to_string(count) + (count == 1 ? " authority" : " authorities");
  return line +
         (config.clients->has_lists() ? "." : "; no list of revoked ones (tls.client_crl_file).");
}

std::string own_certificate(const Route& route) {
  const https::Certificate& own = *route.backend.certificate.read;
  return "To the backends of " + route.match + " Moat shows " + route.backend.certificate_file +
         ", until " + format_rfc3339(own.not_after()) + ".";
}

}  // namespace

std::vector<std::string> tls_report(const Config& config) {
  std::vector<std::string> lines;
  if (config.clients != nullptr) lines.push_back(client_certificates(config));
  for (const Route& route : config.routes) {
    if (route.backend.certificate.read) lines.push_back(own_certificate(route));
  }
  return lines;
}

}  // namespace moat::gateway
