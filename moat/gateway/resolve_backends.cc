// SPDX-License-Identifier: Apache-2.0
#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <fstream>

#include "moat/gateway/backends.h"
#include "moat/gateway/gateway.h"

namespace moat::gateway {

namespace {

Result<std::string, std::string> read_roots(const std::string& path) {
  constexpr std::size_t most = 1024 * 1024;
  std::ifstream file(path, std::ios::binary);
  std::string text(most + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || !file.eof()) return Error{"backend_ca '" + path + "' cannot be read"};
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace

std::vector<ConfigProblem> resolve_backends(Config& config) {
  std::vector<ConfigProblem> problems;
  for (Route& route : config.routes) {
    if (!route.backend.ca_file.empty()) {
      auto roots = read_roots(route.backend.ca_file);
      if (!roots) {
        problems.push_back({route.origin, roots.error()});
        continue;
      }
      route.backend.ca = std::move(*roots);
      if (route.backend.ca.empty()) {
        // No roots would mean the system's.
        problems.push_back(
            {route.origin, "backend_ca '" + route.backend.ca_file + "' holds no certificate"});
        continue;
      }
    }
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
  if (problems.empty()) {
    const auto servers = BackendServers::create(config, nullptr);
    if (!servers) problems.push_back({Origin{"backend", 0}, servers.error()});
  }
  return problems;
}

}  // namespace moat::gateway
