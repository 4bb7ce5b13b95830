// SPDX-License-Identifier: Apache-2.0
#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <fstream>

#include "moat/certs/certificate_files.h"
#include "moat/gateway/backends.h"
#include "moat/gateway/gateway.h"
#include "moat/gateway/issuers.h"
#include "moat/https/client_certificate.h"

namespace moat::gateway {

namespace {

Result<std::string, std::string> read_roots(const char* key, const std::string& path,
                                            std::size_t most = 1024 * 1024) {
  std::ifstream file(path, std::ios::binary);
  std::string text(most + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || !file.eof()) return Error{key + (" '" + path) + "' cannot be read"};
  text.resize(static_cast<std::size_t>(file.gcount()));
  // No roots would mean the system's.
  if (text.empty()) return Error{key + (" '" + path) + "' holds no certificate"};
  return text;
}

// The key fits, is nobody else's to read, and the certificate is valid and one of a client.
Result<void, std::string> read_own_certificate(const Config& config, BackendSettings& settings) {
  if (settings.certificate_file.empty() || settings.key_file.empty()) return {};
  certs::KeyFilePolicy policy;
  policy.allow_key_readable_by_all = config.allow_key_readable_by_all;
  policy.use = https::CertificateUse::client;
  auto loaded =
      certs::load_files(settings.certificate_file, settings.key_file, system_clock().now(), policy);
  if (!loaded) return Error{"backend_certificate, backend_key: " + loaded.error().message};
  settings.certificate.read = std::move(*loaded);
  return {};
}

void resolve_clients(Config& config, std::vector<ConfigProblem>& problems) {
  if (config.client_ca_file.empty() || !config.asks_clients()) return;
  const auto report = [&](const char* key, std::string why) {
    problems.push_back({Origin{key, 0}, std::move(why)});
  };
  auto authorities = read_roots("client_ca_file", config.client_ca_file);
  if (!authorities) return report("tls.client_ca_file", authorities.error());
  std::string lists;
  if (!config.client_crl_file.empty()) {
    constexpr std::size_t most = 16 * 1024 * 1024;
    auto read = read_roots("client_crl_file", config.client_crl_file, most);
    if (!read) return report("tls.client_crl_file", read.error());
    lists = std::move(*read);
  }
  auto made = https::ClientAuthorities::create(*authorities, lists);
  if (made) {
    config.clients = std::move(*made);
  } else if (made.error() == https::ClientCaError::bad_crl) {
    report("tls.client_crl_file",
           config.client_crl_file + ": " + std::string(https::to_string(made.error())));
  } else {
    report("tls.client_ca_file",
           config.client_ca_file + ": " + std::string(https::to_string(made.error())));
  }
}

void resolve_issuers(Config& config, std::vector<ConfigProblem>& problems) {
  for (TrustedIssuer& issuer : config.issuers) {
    if (!issuer.ca_file.empty()) {
      auto roots = read_roots("ca_file", issuer.ca_file);
      if (!roots) {
        problems.push_back({issuer.origin, roots.error()});
        continue;
      }
      issuer.ca = std::move(*roots);
    }
    const auto document = fetch::Document::create(fetch_options(issuer));
    if (!document) problems.push_back({issuer.origin, "issuer: " + document.error()});
  }
}

}  // namespace

std::vector<ConfigProblem> read_schemas(Config& config) {
  std::vector<ConfigProblem> problems;
  for (Route& route : config.routes) {
    if (route.schema.file.empty()) continue;
    const auto read = read_schema(route.schema, route.max_body, route.csrf == CsrfMode::token);
    if (read) continue;
    for (const openapi::DocumentProblem& problem : read.error()) {
      const std::string place = problem.pointer.empty() ? "" : problem.pointer + ": ";
      problems.push_back({Origin{problem.file, problem.line}, place + problem.sentence});
    }
  }
  return problems;
}

std::vector<ConfigProblem> resolve_backends(Config& config) {
  std::vector<ConfigProblem> problems = read_schemas(config);
  if (!config.acme.ca_file.empty()) {
    auto roots = read_roots("ca_file", config.acme.ca_file);
    if (!roots) problems.push_back({Origin{"tls.acme.ca_file", 0}, roots.error()});
    if (roots) config.acme.ca = std::move(*roots);
  }
  for (Route& route : config.routes) {
    if (!route.backend.ca_file.empty()) {
      auto roots = read_roots("backend_ca", route.backend.ca_file);
      if (!roots) {
        problems.push_back({route.origin, roots.error()});
        continue;
      }
      route.backend.ca = std::move(*roots);
    }
    auto own = read_own_certificate(config, route.backend);
    if (!own) problems.push_back({route.origin, own.error()});
    for (Upstream& upstream : route.backends) {
      if (upstream.kind == Upstream::Kind::unix_socket) continue;
      if (const auto literal = IpAddress::parse(upstream.host)) {
        upstream.addresses = {*literal};
        continue;
      }
      if (upstream.host == "localhost") {
        upstream.addresses = {IpAddress::from_v4(0x7f000001), *IpAddress::parse("::1")};
        continue;
      }
      addrinfo hints{};
      hints.ai_socktype = SOCK_STREAM;
      addrinfo* list = nullptr;
      const int error = ::getaddrinfo(upstream.host.c_str(), nullptr, &hints, &list);
      if (error != 0) {
        problems.push_back({route.origin, "backend '" + upstream.host +
                                              "' cannot be resolved: " + ::gai_strerror(error)});
        continue;
      }
      for (const addrinfo* item = list; item != nullptr; item = item->ai_next) {
        if (item->ai_family == AF_INET) {
          sockaddr_in v4;
          std::memcpy(&v4, item->ai_addr, sizeof v4);
          upstream.addresses.push_back(IpAddress::from_v4(ntohl(v4.sin_addr.s_addr)));
        } else if (item->ai_family == AF_INET6) {
          sockaddr_in6 v6;
          std::memcpy(&v6, item->ai_addr, sizeof v6);
          std::array<std::uint8_t, 16> bytes;
          std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
          upstream.addresses.push_back(IpAddress::from_v6(bytes));
        }
      }
      ::freeaddrinfo(list);
    }
  }
  resolve_issuers(config, problems);
  resolve_clients(config, problems);
  if (problems.empty()) {
    const auto servers = BackendServers::create(config, nullptr);
    if (!servers) problems.push_back({Origin{"backend", 0}, servers.error()});
  }
  return problems;
}

}  // namespace moat::gateway
