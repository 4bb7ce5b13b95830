// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/fetch_target.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "moat/base/encoding.h"
#include "moat/validate/strings.h"

namespace moat::validate {
namespace {

constexpr std::size_t max_bytes = 2084;  // as UrlOptions has it
constexpr std::uint16_t usual_ports[] = {80, 443};

// Names of one machine, one wire or one network, each with what is below it: RFC 6761 (localhost,
// test, invalid), RFC 6762 with its appendix G (local, …), ICANN's resolution 2024.07.29.06
// (internal), RFC 7686, RFC 8375 (home.arpa, below arpa), RFC 9476, and what clusters use (svc).
constexpr std::string_view network_names[] = {"alt",      "arpa",    "corp", "home",  "internal",
                                              "intranet", "invalid", "lan",  "local", "localdomain",
                                              "onion",    "private", "svc",  "test"};
constexpr std::string_view metadata_names[] = {"metadata.google.internal", "metadata.goog",
                                               "instance-data", "metadata.azure.internal",
                                               "instance-data.ec2.internal"};

bool is_below(std::string_view host, std::string_view name) {
  if (host.size() == name.size()) return host == name;
  return host.size() > name.size() && host.substr(host.size() - name.size()) == name &&
         host[host.size() - name.size() - 1] == '.';
}

template <std::size_t N>
bool is_below_any(std::string_view host, const std::string_view (&names)[N]) {
  return std::any_of(std::begin(names), std::end(names),
                     [host](std::string_view name) { return is_below(host, name); });
}

bool is_local_name(std::string_view host, const FetchRules& rules) {
  if (is_below_any(host, metadata_names)) return true;
  if (is_below(host, "localhost")) return !rules.allow_loopback;
  const bool local = is_below_any(host, network_names) || host.find('.') == std::string_view::npos;
  return local && !rules.allow_private_networks;
}

// "https://host:port…" cut where a program that knows nothing of repairs would cut it.
struct Written {
  std::string_view scheme, authority;
};
std::optional<Written> cut(std::string_view text) {
  const auto colon = text.find("://");
  if (colon == std::string_view::npos || text.find_first_of("/?#") < colon) return std::nullopt;
  const auto rest = text.substr(colon + 3);
  return Written{text.substr(0, colon), rest.substr(0, rest.find_first_of("/?#"))};
}

std::optional<FetchRefusal> refuse_characters(std::string_view text) {
  if (text.empty() || text.size() > max_bytes) return FetchRefusal::malformed;
  const bool bad = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f ||
           c == '\\';
  });
  if (bad) return FetchRefusal::forbidden_character;
  return std::nullopt;
}

// The host as it was written and as a browser reads it must be one text, and the strict reader of
// hosts must read the same: then no program that gets this URL can find another host in it.
std::optional<FetchRefusal> refuse_spelling(std::string_view authority, const Url& url) {
  if (authority.find('@') != std::string_view::npos || url.has_userinfo())
    return FetchRefusal::userinfo;
  const auto close = authority.find(']');
  const auto colon = authority.find(':', close == std::string_view::npos ? 0 : close);
  const auto host = authority.substr(0, colon);
  if (!ascii_iequals(host, url.host())) return FetchRefusal::odd_host;
  if (colon != std::string_view::npos) {
    const auto port = authority.substr(colon + 1);
    if (!is_int(port, 1, 65535) || port != std::to_string(*url.effective_port()))
      return FetchRefusal::odd_host;
  }
  return std::nullopt;
}

bool is_right_port(std::uint16_t port, std::span<const std::uint16_t> ports) {
  if (ports.empty()) ports = usual_ports;
  return std::find(ports.begin(), ports.end(), port) != ports.end();
}

std::optional<FetchRefusal> refuse_host(const Host& host, const FetchRules& rules) {
  if (!host.address() && is_local_name(host.text(), rules)) return FetchRefusal::local_name;
  if ((!rules.only_hosts.empty() && !is_host_in(host.text(), rules.only_hosts)) ||
      is_host_in(host.text(), rules.except_hosts))
    return FetchRefusal::forbidden_host;
  return std::nullopt;
}

}  // namespace

FetchTarget::FetchTarget(Url url, Host host, std::uint16_t port, const FetchRules& rules)
    : url_(std::move(url)),
      host_(std::move(host)),
      port_(port),
      allow_private_networks_(rules.allow_private_networks),
      allow_loopback_(rules.allow_loopback) {
  for (const auto one : rules.except_hosts) {
    const auto excepted = Host::parse(one);
    if (excepted && excepted->address()) except_addresses_.push_back(*excepted->address());
  }
}

Result<FetchTarget, FetchRefusal> FetchTarget::parse(std::string_view text,
                                                     const FetchRules& rules) {
  if (const auto refused = refuse_characters(text)) return Error{*refused};
  const auto written = cut(text);
  if (!written) return Error{FetchRefusal::malformed};
  const bool https = ascii_iequals(written->scheme, "https");
  if (!https && !(rules.allow_http && ascii_iequals(written->scheme, "http")))
    return Error{FetchRefusal::forbidden_scheme};
  auto url = Url::parse(text);
  if (!url)
    return Error{url.error() == UrlRefusal::bad_host ? FetchRefusal::odd_host
                                                     : FetchRefusal::malformed};
  if (const auto refused = refuse_spelling(written->authority, *url)) return Error{*refused};
  HostOptions dotless;
  dotless.allow_dotless = true;  // refused as a local name, below
  auto host = Host::parse(url->host(), dotless);
  if (!host) return Error{FetchRefusal::odd_host};
  const auto port = *url->effective_port();
  if (!is_right_port(port, rules.ports)) return Error{FetchRefusal::forbidden_port};
  if (const auto refused = refuse_host(*host, rules)) return Error{*refused};
  FetchTarget target(*std::move(url), *std::move(host), port, rules);
  if (target.host_.address() && !target.allows(*target.host_.address()))
    return Error{FetchRefusal::forbidden_address};
  return target;
}

Result<FetchTarget, FetchRefusal> FetchTarget::redirect(std::string_view location,
                                                        const FetchRules& rules) const {
  if (const auto refused = refuse_characters(location)) return Error{*refused};
  // What has a host of its own is judged as it is written, not as it is repaired.
  if (cut(location)) return parse(location, rules);
  if (location.substr(0, 2) == "//")
    return parse(std::string(url_.scheme()) + ":" + std::string(location), rules);
  const auto url = Url::parse(location, url_);
  if (!url || url->host() != url_.host() || url->scheme() != url_.scheme())
    return Error{FetchRefusal::malformed};
  return parse(url->text(), rules);
}

bool FetchTarget::allows(const IpAddress& address) const {
  if (std::find(except_addresses_.begin(), except_addresses_.end(), address) !=
      except_addresses_.end())
    return false;
  switch (address_kind(address)) {
    case AddressKind::global:
      return true;
    case AddressKind::private_use:
      return allow_private_networks_;
    case AddressKind::loopback:
      return allow_loopback_;
    case AddressKind::unspecified:
    case AddressKind::link_local:
    case AddressKind::cloud_metadata:
    case AddressKind::multicast:
    case AddressKind::documentation:
    case AddressKind::benchmarking:
    case AddressKind::embedded_ipv4:
    case AddressKind::reserved:
      return false;
  }
  return false;
}

Result<IpAddress, FetchRefusal> FetchTarget::judge(std::span<const IpAddress> addresses) const {
  if (addresses.size() > max_addresses) return Error{FetchRefusal::too_many_addresses};
  // An address needs no resolver; what one says instead is of no interest.
  if (host_.address()) addresses = {&*host_.address(), 1};
  if (addresses.empty()) return Error{FetchRefusal::no_address};
  for (const auto& address : addresses)
    if (!allows(address)) return Error{FetchRefusal::forbidden_address};
  return addresses.front();
}

std::string_view to_string(FetchRefusal refusal) {
  switch (refusal) {
    case FetchRefusal::malformed:
      return "malformed";
    case FetchRefusal::forbidden_character:
      return "forbidden_character";
    case FetchRefusal::forbidden_scheme:
      return "forbidden_scheme";
    case FetchRefusal::userinfo:
      return "userinfo";
    case FetchRefusal::odd_host:
      return "odd_host";
    case FetchRefusal::forbidden_port:
      return "forbidden_port";
    case FetchRefusal::local_name:
      return "local_name";
    case FetchRefusal::forbidden_host:
      return "forbidden_host";
    case FetchRefusal::forbidden_address:
      return "forbidden_address";
    case FetchRefusal::no_address:
      return "no_address";
    case FetchRefusal::too_many_addresses:
      return "too_many_addresses";
  }
  return "unknown";
}

}  // namespace moat::validate
