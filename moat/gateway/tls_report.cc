// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/tls_report.h"

#include <algorithm>

#include "moat/certs/certificate_files.h"
#include "moat/gateway/gateway.h"
#include "moat/gateway/hsts_ramp_file.h"
#include "moat/https/client_certificate.h"

namespace moat::gateway {

namespace {

using HstsLook = Result<std::optional<https::HstsRamp>, std::string>;

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

https::HstsOptions full_hsts(const Config& config) {
  https::HstsOptions options;
  options.max_age = config.hsts_max_age;
  options.include_subdomains = config.hsts_subdomains;
  options.preload = config.hsts_preload;
  return options;
}

std::string field_of(const Config& config, std::size_t step) {
  const auto options = https::HstsRamp::options(full_hsts(config), step);
  return https::hsts_header(config.domains.front(), options).value_or("none");
}

std::string ramp_line(const Config& config, const HstsLook& look) {
  if (!look) return "HSTS ramp: it would begin anew: " + look.error() + ".";
  if (!*look)
    return "HSTS ramp: not begun; the next start begins it with " + field_of(config, 0) + ".";
  const https::HstsRamp& ramp = **look;
  if (ramp.finished())
    return "HSTS ramp: finished; " + field_of(config, ramp.step()) + ". tls.hsts.ramp can go.";
  return "HSTS ramp: step " + std::to_string(ramp.step() + 1) + " of " +
         std::to_string(https::HstsRamp::steps) + ", " + field_of(config, ramp.step()) +
         ", since " + format_rfc3339(ramp.since()) + "; from " + format_rfc3339(*ramp.next()) +
         " on " + field_of(config, ramp.step() + 1) + ".";
}

bool listens_on_80(const Config& config) {
  return std::any_of(config.http.begin(), config.http.end(), [](const std::string& text) {
    const auto listen = parse_listen(text);
    return listen && listen->port == 80;
  });
}

// A registrable domain is one label below a public suffix, and "co.uk" is one: two labels are the
// least, and more say nothing without the list.
std::string registrable(const Config& config) {
  std::string several;
  for (const std::string& name : config.domains) {
    if (std::count(name.begin(), name.end(), '.') > 1)
      several.append(several.empty() ? "" : ", ").append(name);
  }
  if (several.empty())
    return "  not visible here: the name is a registrable one, not a public suffix like co.uk";
  return "  not visible here: " + several + (several.find(',') == several.npos ? " is" : " are") +
         " perhaps below the registrable name, and only that one is listed: it has to answer over "
         "HTTPS with the same field (only the public suffix list tells example.co.uk from "
         "www.example.com)";
}

// The submission requirements of hstspreload.org.
void preload_lines(const Config& config, const HstsLook& look, std::vector<std::string>& lines) {
  const auto rule = [&](bool met, const std::string& text) {
    lines.push_back((met ? "  met: " : "  NOT MET: ") + text);
  };
  lines.push_back("HSTS preload, by the rules of hstspreload.org:");
  rule(!config.lacks_certificate() && config.issuer != Issuer::local_ca,
       "a certificate that browsers trust");
  rule(config.hsts_max_age >= std::chrono::hours{24 * 365}, "max-age of a year or more");
  rule(config.hsts_subdomains, "includeSubDomains");
  const bool running = config.hsts_ramp && !(look && *look && (*look)->finished());
  rule(!running, "the preload directive is sent" +
                     std::string(running ? ": not before the ramp has ended" : ""));
  rule(
      listens_on_80(config),
      "port 80 redirects to HTTPS on the same host" +
          std::string(listens_on_80(config)
                          ? ""
                          : ": server.http has no port 80 (unless something before Moat maps it)"));
  lines.push_back(registrable(config));
  lines.push_back("  not visible here: every name below it, inside ones too, speaks HTTPS");
  lines.push_back(
      "  warning: the list is built into browsers. To get off it takes months until the last user "
      "has a newer one, and until then no name below is reached by plain HTTP: ramp up first, and "
      "submit by hand when a whole max-age has passed without complaints");
}

void hsts_lines(const Config& config, std::vector<std::string>& lines) {
  if (config.is_localhost()) return;
  const HstsLook look = HstsRampFile::look(DataPaths(config.data).hsts_ramp);
  lines.push_back(config.hsts_ramp ? ramp_line(config, look)
                                   : "HSTS: " + field_of(config, https::HstsRamp::steps - 1) + ".");
  if (config.hsts_preload) preload_lines(config, look, lines);
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
  hsts_lines(config, lines);
  if (config.clients != nullptr) lines.push_back(client_certificates(config));
  for (const Route& route : config.routes) {
    if (route.backend.certificate.read) lines.push_back(own_certificate(route));
  }
  return lines;
}

}  // namespace moat::gateway
