// SPDX-License-Identifier: Apache-2.0
#include "moat/https/redirect.h"

#include <algorithm>

#include "moat/base/encoding.h"
#include "moat/base/ip.h"

namespace moat::https {
namespace {

constexpr std::size_t max_target_bytes = 8192;

bool matches(std::string_view pattern, std::string_view host) {
  if (pattern.substr(0, 2) != "*.") return pattern == host;
  const std::size_t dot = host.find('.');
  return dot != std::string_view::npos && dot > 0 && host.substr(dot) == pattern.substr(1);
}

bool is_known(const std::vector<std::string>& known, const std::string& host) {
  return std::any_of(known.begin(), known.end(),
                     [&](const std::string& pattern) { return matches(pattern, host); });
}

bool is_local(std::string_view host) {
  constexpr std::string_view below = ".localhost";
  if (const auto address = IpAddress::parse(host)) return address->is_loopback();
  return host == "localhost" ||
         (host.size() > below.size() && host.substr(host.size() - below.size()) == below);
}

// Origin form (RFC 9112 section 3.2.1) of visible ASCII. A backslash is a slash to browsers, and a
// fragment never comes from one.
bool is_plain_target(std::string_view target) {
  const auto fits = [](char c) {
    return c > ' ' && c < 0x7f && c != '\\' && c != '#' && c != '"' && c != '<' && c != '>';
  };
  return !target.empty() && target.size() <= max_target_bytes && target[0] == '/' &&
         std::all_of(target.begin(), target.end(), fits);
}

// True where Accept names text/html with a weight above zero (RFC 9110 section 12.5.1).
bool wants_html(std::string_view accept) {
  while (!accept.empty()) {
    const std::size_t comma = accept.find(',');
    const std::string_view range = accept.substr(0, comma);
    accept.remove_prefix(comma == std::string_view::npos ? accept.size() : comma + 1);
    const std::size_t semicolon = range.find(';');
    const std::string_view type = trim(range.substr(0, semicolon));
    if (!ascii_iequals(type, "text/html") && !ascii_iequals(type, "application/xhtml+xml"))
      continue;
    if (semicolon == std::string_view::npos) return true;
    std::string weight;
    for (const char c : ascii_lower(range.substr(semicolon)))
      if (c != ' ' && c != '\t') weight += c;
    const std::size_t q = weight.find(";q=");
    if (q == std::string::npos) return true;
    if (weight.find_first_of("123456789", q) != std::string::npos) return true;
  }
  return false;
}

RedirectRefusal refuse(std::string_view code) { return {403, code}; }

}  // namespace

Result<Redirect, RedirectRefusal> redirect(const PlainRequest& request,
                                           const RedirectPolicy& policy) {
  if (request.is_upgrade) return Error{refuse("websocket_requires_tls")};
  const auto host = HostPort::parse(request.host);
  if (!host || !is_known(policy.known_hosts, host->host)) return Error{refuse("unknown_host")};
  const bool navigation =
      (request.method == "GET" || request.method == "HEAD") && wants_html(request.accept);
  const bool credentials =
      request.has_authorization || (request.has_cookie && !is_local(host->host));
  if (!navigation || credentials) return Error{refuse("https_required")};
  if (!is_plain_target(request.target)) return Error{refuse("malformed_target")};
  const HostPort secure{
      host->host,
      policy.https_port == 443 ? std::nullopt : std::optional<std::uint16_t>(policy.https_port),
      host->is_ipv6};
  return Redirect{"https://" + secure.to_string() + std::string(request.target)};
}

}  // namespace moat::https
