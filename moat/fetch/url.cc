// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "moat/base/ip.h"
#include "moat/fetch/internal/url.h"

namespace moat::fetch::internal {

namespace {

constexpr std::size_t longest = 2048;

bool strip(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

bool Url::is_loopback() const {
  constexpr std::string_view suffix = ".localhost";
  if (host == "localhost") return true;
  if (host.size() > suffix.size() &&
      std::string_view(host).substr(host.size() - suffix.size()) == suffix)
    return true;
  const auto address = IpAddress::parse(host);
  return address && address->is_loopback();
}

Result<Url, std::string> parse_url(std::string_view text) {
  const auto error = [&text](const char* why) {
    return Error{"'" + std::string(text.substr(0, longest)) + "' " + why};
  };
  const bool visible =
      std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (text.size() > longest || !visible) return Error{std::string("the URL is no plain ASCII")};
  std::string_view rest = text;
  Url url;
  url.secure = strip(rest, "https://");
  if (!url.secure && !strip(rest, "http://")) return error("is no https:// URL");
  if (rest.find('#') != std::string_view::npos) return error("has a fragment");
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, end);
  if (authority.find('@') != std::string_view::npos) return error("names a user");
  const auto parsed = HostPort::parse(authority);
  if (!parsed || (parsed->port && *parsed->port == 0)) return error("names no host");
  url.host = parsed->host;
  const std::uint16_t usual = url.secure ? 443 : 80;
  url.port = parsed->port.value_or(usual);
  url.authority = parsed->is_ipv6 ? "[" + url.host + "]" : url.host;
  if (url.port != usual) url.authority += ":" + std::to_string(url.port);
  url.target = rest.substr(end);
  if (url.target.empty() || url.target.front() != '/') url.target.insert(0, 1, '/');
  return url;
}

}  // namespace moat::fetch::internal
