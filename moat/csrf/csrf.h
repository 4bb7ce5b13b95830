// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/result.h"

namespace moat::csrf {

// Origin is scheme, host and port of an origin (RFC 6454 section 4; HTML's serialisation), pointing
// into the text it was read from. The host is as written, an IPv6 address in its brackets; the port
// of http, https, ws and wss is filled in.
struct Origin {
  std::string_view scheme;
  std::string_view host;
  std::uint16_t port = 0;

  // Reads "https://example.com", "http://[::1]:3000". Nothing for "null", a path, a user name,
  // white space, several origins, a port with a leading zero, or a scheme with no known port and
  // none given.
  static std::optional<Origin> parse(std::string_view text);
  // The origin of a URL such as a Referer: what stands in front of its path.
  static std::optional<Origin> of_url(std::string_view url);
  // The origin that a request was sent to, by its scheme and Host.
  static std::optional<Origin> of_request(std::string_view scheme, std::string_view host);

  // The same scheme and port exactly; scheme and host without regard to ASCII case.
  bool same_as(const Origin& other) const;
  // As browsers write it: lower case, without the scheme's own port.
  std::string to_string() const;
};

// Where the request goes: to a backend behind the shield, or to an endpoint of Moat's own that logs
// people in.
enum class Scope { backend, auth_endpoint };

// Request is what the verdict looks at. The texts belong to the caller. Of each header one value: a
// request that has one twice is the caller's to refuse.
struct Request {
  std::string_view method;
  std::string_view scheme = "https";
  std::string_view host;  // Host or :authority, with its port, validated by the caller or by Policy
  std::optional<std::string_view> sec_fetch_site;
  std::optional<std::string_view> origin;
  std::optional<std::string_view> referer;
  bool is_websocket_upgrade = false;
  // X-HTTP-Method-Override or one of its kin came along: the backend may take another method for
  // it.
  bool overrides_method = false;
  bool carries_moat_cookie = true;  // any cookie that logs the sender in
  // Authorization is_bearer(). Whoever says so has to look at Verdict::without_cookies.
  bool carries_bearer = false;
  Scope scope = Scope::auth_endpoint;
};

// GET, HEAD and OPTIONS, which change nothing (RFC 9110 section 9.2.1). TRACE is left out: no page
// may send it. Methods are case-sensitive.
[[nodiscard]] bool is_safe(std::string_view method);

// Whether an Authorization field's value is a bearer token (RFC 6750 section 2.1), good or not. No
// page can make a browser send one by itself, as it does with cookies.
[[nodiscard]] bool is_bearer(std::string_view authorization);

// Why a request was refused. For the log; the client is told only 403.
enum class Reason {
  none,             // it was not
  cross_site,       // Sec-Fetch-Site says so
  same_site,        // from a neighbour that is not trusted
  not_from_a_page,  // a WebSocket whose Sec-Fetch-Site is none
  foreign_origin,   // Origin is neither ours nor trusted
  null_origin,      // Origin: null, a sandbox or a hidden source
  foreign_referer,
  malformed_origin,  // Origin or Referer cannot be read
  no_evidence,       // none of the three headers, yet a cookie; or no Origin where it must be
  unknown_host       // the request's own host is not one of the allowed, or cannot be read
};
inline constexpr std::size_t reason_count = static_cast<std::size_t>(Reason::unknown_host) + 1;
// A stable name, such as "cross_site".
std::string_view to_string(Reason reason);
// The same for somebody who reads it for the first time: half a sentence about the request.
std::string_view explain(Reason reason);

struct Verdict {
  Reason reason = Reason::no_evidence;
  // It passes by its bearer token alone: none of its cookies may count, whoever they belong to.
  bool without_cookies = false;
  bool pass() const { return reason == Reason::none || without_cookies; }
};

// Policy says whom to trust beside oneself. The default trusts nobody.
class Policy final {
 public:
  Policy() = default;
  // `trusted_origins` are neighbours whose pages may act for the user ("https://app.example.com"),
  // compared exactly: no wildcards. `allowed_hosts` are the names this server answers to, any port
  // ("example.com", "[::1]"); empty: the caller validates Request::host. The error is the text that
  // could not be read.
  static Result<Policy, std::string> create(std::span<const std::string> trusted_origins,
                                            std::span<const std::string> allowed_hosts = {});

  bool trusts(const Origin& origin) const;
  bool allows_host(std::string_view host) const;  // without its port

 private:
  std::vector<std::string> trusted_;  // as browsers write them
  std::vector<std::string> hosts_;    // lower case
};

// verdict says whether a request may act for the user whose cookies it carries. In order:
// - GET, HEAD and OPTIONS pass, unless they ask for a WebSocket or override their method;
// - to a backend, a request without Moat's cookies is not subject; to an auth endpoint, only one
// without cookies and
//   without Origin, Referer and Sec-Fetch-Site is not (a client that is no browser), since SameSite
//   strips cookies from exactly the forged login;
// - Sec-Fetch-Site: cross-site is refused, same-site too unless Origin is trusted; none passes
// where Origin, if any,
//   is ours; same-origin passes, at an auth endpoint where Origin, if any, is ours;
// - without Sec-Fetch-Site, Origin has to be ours or trusted, or in its absence the Referer's
// origin; a value that is
//   not known counts as absent, and then a Referer is not enough;
// - a WebSocket needs an Origin that is ours or trusted, always;
// - what would be refused at a backend and carries a bearer token passes without its cookies.
// What the body is said to be does not matter: a page can send any content type.
// "Ours" is the scheme and host of the request itself. A pass allocates nothing.
[[nodiscard]] Verdict verdict(const Request& request, const Policy& policy);

// What a response depends on whose request was judged: for its Vary field.
inline constexpr std::string_view vary = "Sec-Fetch-Site, Origin";

}  // namespace moat::csrf
