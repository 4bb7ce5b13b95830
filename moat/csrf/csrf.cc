// SPDX-License-Identifier: Apache-2.0
#include "moat/csrf/csrf.h"

#include <algorithm>

#include "moat/base/encoding.h"

namespace moat::csrf {
namespace {

// Sec-Fetch-Site (W3C Fetch Metadata Request Headers section 2.3). Values are case-sensitive.
enum class Site { absent, same_origin, same_site, cross_site, none, unknown };

Site site_of(const std::optional<std::string_view>& value) {
  if (!value) return Site::absent;
  if (*value == "same-origin") return Site::same_origin;
  if (*value == "same-site") return Site::same_site;
  if (*value == "cross-site") return Site::cross_site;
  if (*value == "none") return Site::none;
  return Site::unknown;
}

// Whose page sent the request, by Origin or Referer.
enum class Source { absent, ours, trusted, null, foreign, malformed };

Source judge(const std::optional<Origin>& origin, const Origin& own, const Policy& policy) {
  if (!origin) return Source::malformed;
  if (origin->same_as(own)) return Source::ours;
  return policy.trusts(*origin) ? Source::trusted : Source::foreign;
}

Source source_of_origin(const Request& request, const Origin& own, const Policy& policy) {
  if (!request.origin) return Source::absent;
  if (*request.origin == "null") return Source::null;
  return judge(Origin::parse(*request.origin), own, policy);
}

Verdict pass() { return Verdict{Reason::none}; }

// The verdict when the source alone decides.
Verdict by_source(Source source) {
  switch (source) {
    case Source::ours:
    case Source::trusted:
      return pass();
    case Source::absent:
      return Verdict{Reason::no_evidence};
    case Source::null:
      return Verdict{Reason::null_origin};
    case Source::foreign:
      return Verdict{Reason::foreign_origin};
    case Source::malformed:
      return Verdict{Reason::malformed_origin};
  }
  return Verdict{};
}

Verdict by_referer(const Request& request, const Origin& own, const Policy& policy) {
  if (!request.referer) return Verdict{Reason::no_evidence};
  const Source source = judge(Origin::of_url(*request.referer), own, policy);
  if (source == Source::foreign) return Verdict{Reason::foreign_referer};
  return by_source(source);
}

Verdict judge_websocket(Site site, Source source) {
  if (site == Site::cross_site) return Verdict{Reason::cross_site};
  if (site == Site::none) return Verdict{Reason::not_from_a_page};
  if (site == Site::same_site && source != Source::trusted) return Verdict{Reason::same_site};
  return by_source(source);
}

Verdict judge_request(const Request& request, Site site, Source source, const Origin& own,
                      const Policy& policy) {
  switch (site) {
    case Site::cross_site:
      return Verdict{Reason::cross_site};
    case Site::same_site:
      return source == Source::trusted ? pass() : Verdict{Reason::same_site};
    case Site::same_origin:
      // A backend's page with "Referrer-Policy: no-referrer" posts forms with "Origin: null"
      // (Fetch, "append a request Origin header"), and same-origin is the browser's own word.
      if (request.scope == Scope::backend) return pass();
      return source == Source::absent ? pass() : by_source(source);
    case Site::none:
      return source == Source::absent ? pass() : by_source(source);
    case Site::absent:
      return source == Source::absent ? by_referer(request, own, policy) : by_source(source);
    case Site::unknown:
      return by_source(source);
  }
  return Verdict{};
}

bool is_subject(const Request& request) {
  const bool safe = is_safe(request.method) && !request.overrides_method;
  if (safe && !request.is_websocket_upgrade) return false;
  if (request.carries_moat_cookie) return true;
  if (request.scope == Scope::backend) return false;
  return request.origin || request.referer || request.sec_fetch_site;
}

Reason reason_of(const Request& request, const Policy& policy) {
  const auto own = Origin::of_request(request.scheme, request.host);
  if (!own || !policy.allows_host(own->host)) return Reason::unknown_host;
  const Site site = site_of(request.sec_fetch_site);
  const Source source = source_of_origin(request, *own, policy);
  const Verdict verdict = request.is_websocket_upgrade
                              ? judge_websocket(site, source)
                              : judge_request(request, site, source, *own, policy);
  return verdict.reason;
}

}  // namespace

bool is_safe(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

bool is_bearer(std::string_view authorization) {
  constexpr std::string_view scheme = "bearer ";
  return authorization.size() > scheme.size() &&
         ascii_iequals(authorization.substr(0, scheme.size()), scheme);
}

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::none:
      return "none";
    case Reason::cross_site:
      return "cross_site";
    case Reason::same_site:
      return "same_site";
    case Reason::not_from_a_page:
      return "not_from_a_page";
    case Reason::foreign_origin:
      return "foreign_origin";
    case Reason::null_origin:
      return "null_origin";
    case Reason::foreign_referer:
      return "foreign_referer";
    case Reason::malformed_origin:
      return "malformed_origin";
    case Reason::no_evidence:
      return "no_evidence";
    case Reason::unknown_host:
      return "unknown_host";
  }
  return "?";
}

std::string_view explain(Reason reason) {
  switch (reason) {
    case Reason::none:
      return "it came from our own pages, or needs not to";
    case Reason::cross_site:
      return "a page of another site sent it (Sec-Fetch-Site: cross-site)";
    case Reason::same_site:
      return "a page of a neighbouring host sent it that trusted_origins does not list "
             "(Sec-Fetch-Site: same-site)";
    case Reason::not_from_a_page:
      return "a WebSocket that no page of ours opened (Sec-Fetch-Site: none)";
    case Reason::foreign_origin:
      return "its Origin is neither this site nor one of trusted_origins";
    case Reason::null_origin:
      return "its Origin is null: a sandboxed frame, a file, or a page that hides where it is from";
    case Reason::foreign_referer:
      return "its Referer is neither a page of this site nor one of trusted_origins";
    case Reason::malformed_origin:
      return "its Origin or Referer cannot be read";
    case Reason::no_evidence:
      return "it carries a cookie, but no header that tells which page sent it: Sec-Fetch-Site, "
             "Origin or Referer (of a WebSocket, Origin)";
    case Reason::unknown_host:
      return "it was sent to a host name that is not ours";
  }
  return "?";
}

Result<Policy, std::string> Policy::create(std::span<const std::string> trusted_origins,
                                           std::span<const std::string> allowed_hosts) {
  Policy out;
  for (const std::string& text : trusted_origins) {
    const auto origin = Origin::parse(text);
    if (!origin) return Error{std::string(text)};
    out.trusted_.push_back(origin->to_string());
  }
  for (const std::string& text : allowed_hosts) {
    const auto origin = Origin::of_request("https", text);
    if (!origin || origin->host.size() != text.size()) return Error{std::string(text)};
    out.hosts_.push_back(ascii_lower(text));
  }
  return out;
}

bool Policy::trusts(const Origin& origin) const {
  return std::any_of(trusted_.begin(), trusted_.end(), [&](const std::string& text) {
    const auto trusted = Origin::parse(text);
    return trusted && trusted->same_as(origin);
  });
}

bool Policy::allows_host(std::string_view host) const {
  return hosts_.empty() || std::any_of(hosts_.begin(), hosts_.end(), [&](const std::string& own) {
           return ascii_iequals(own, host);
         });
}

Verdict verdict(const Request& request, const Policy& policy) {
  if (!is_subject(request)) return pass();
  Verdict out{reason_of(request, policy)};
  // Where people log in, it is the answer's cookies that a forged request is after.
  const bool may_go_without = request.carries_bearer && request.scope == Scope::backend;
  const bool is_forged = out.reason != Reason::none && out.reason != Reason::unknown_host;
  out.without_cookies = may_go_without && is_forged;
  return out;
}

}  // namespace moat::csrf
