// SPDX-License-Identifier: Apache-2.0
#include "moat/https/redirect.h"

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "moat/base/ip.h"
#include "moat/https/hsts.h"

// Three lines: the host, the target, what is accepted. Whatever they are, a location begins with
// https://, one of our hosts and the port, has a path behind it, and no byte that ends a header.
void fuzz(std::span<const std::uint8_t> input) {
  using namespace moat::https;
  if (input.size() > 20000) return;
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  const std::size_t first = text.find('\n');
  const std::size_t second = first == text.npos ? text.npos : text.find('\n', first + 1);
  PlainRequest request;
  request.method = "GET";
  request.host = text.substr(0, first);
  if (first != text.npos) request.target = text.substr(first + 1, second - first - 1);
  request.accept = second == text.npos ? "text/html" : text.substr(second + 1);
  static const RedirectPolicy policy{8443, {"example.com", "*.example.org", "::1"}};
  const auto result = redirect(request, policy);
  if (const auto header = hsts_header(request.host))
    if (*header != "max-age=63072000; includeSubDomains") std::abort();
  if (!result) return;
  const std::string& location = result->location;
  for (const char c : location)
    if (c <= ' ' || c >= 0x7f || c == '\\') std::abort();
  if (location.substr(0, 8) != "https://") std::abort();
  const std::size_t slash = location.find('/', 8);
  if (slash == std::string::npos || location.substr(slash) != request.target) std::abort();
  const auto authority = moat::HostPort::parse(location.substr(8, slash - 8));
  if (!authority || authority->port != 8443) std::abort();
  const std::string& host = authority->host;
  const bool below = host.size() > 12 && host.substr(host.find('.')) == ".example.org";
  if (host != "example.com" && host != "::1" && !below) std::abort();
}
