// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/tls_report.h"

#include "moat/certs/certificate_files.h"
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

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out.append(out.empty() ? "" : ", ").append(text);
  return out;
}

std::string_view name_of(https::KeyKind kind) {
  switch (kind) {
    case https::KeyKind::rsa:
      return "RSA";
    case https::KeyKind::p256:
      return "ECDSA P-256";
    case https::KeyKind::p384:
      return "ECDSA P-384";
    case https::KeyKind::ed25519:
      break;
  }
  return "Ed25519";
}

void server_certificates(const Config& config, Time now, std::vector<std::string>& lines) {
  for (const CertificatePair& pair : config.certificate_pairs()) {
    const auto one = certs::load_files(pair.certificate_file, pair.key_file, now,
                                       certs::KeyFilePolicy{config.allow_key_readable_by_all});
    if (!one) continue;
    std::string line = "Certificate: " + pair.certificate_file + " for " + joined(one->names()) +
                       " (" + std::string(name_of(one->key_kind())) + "), until " +
                       format_rfc3339(one->not_after());
    for (const https::CertificateWarning warning : one->warnings())
      line.append("; ").append(https::to_string(warning));
    lines.push_back(line + ".");
  }
  if (config.has_certificate_files()) return;
  lines.push_back("Certificate: for " + joined(config.domains) +
                  (config.uses_acme()           ? " from the CA, by ACME."
                   : config.lacks_certificate() ? " self-signed, which no browser trusts."
                                                : " from the local CA."));
}

std::string own_certificate(const Route& route) {
  const https::Certificate& own = *route.backend.certificate.read;
  return "To the backends of " + route.match + " Moat shows " + route.backend.certificate_file +
         ", until " + format_rfc3339(own.not_after()) + ".";
}

}  // namespace

std::vector<std::string> tls_report(const Config& config, Time now) {
  std::vector<std::string> lines;
  server_certificates(config, now, lines);
  if (config.clients != nullptr) lines.push_back(client_certificates(config));
  for (const Route& route : config.routes) {
    if (route.backend.certificate.read) lines.push_back(own_certificate(route));
  }
  return lines;
}

}  // namespace moat::gateway
