// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "moat/base/encoding.h"
#include "moat/doctor/internal/judge.h"

namespace moat::doctor::internal {
namespace {

constexpr std::chrono::seconds skew_warned{30}, skew_wrong{300};

std::string status_of(const HttpFacts& answer) {
  std::string out = "status " + std::to_string(answer.status);
  const std::string_view location = answer.field("location");
  if (!location.empty()) out += ", Location: " + shown(location);
  return out;
}

// A cookie's value is a secret: only names are told.
std::string cookie_name(std::string_view line) {
  return shown(line.substr(0, std::min(line.find_first_of("=;"), line.size())), 60);
}

bool is_secure(std::string_view line) {
  for (std::size_t at = line.find(';'); at != std::string_view::npos;) {
    const std::size_t next = line.find(';', at + 1);
    std::string_view attribute = line.substr(at + 1, next == line.npos ? next : next - at - 1);
    attribute = attribute.substr(0, std::min(attribute.find('='), attribute.size()));
    while (!attribute.empty() && attribute.front() == ' ') attribute.remove_prefix(1);
    while (!attribute.empty() && attribute.back() == ' ') attribute.remove_suffix(1);
    if (ascii_iequals(attribute, "secure")) return true;
    at = next;
  }
  return false;
}

void judge_redirect(const TlsFacts& facts, Findings& out) {
  const HttpFacts& answer = facts.plain_get;
  const std::string seen = status_of(answer);
  if (answer.status >= 400) {
    out.push_back(finding("http.redirect_refused", seen));
    return;
  }
  switch (redirection_of(facts)) {
    case Redirection::none:
      out.push_back(finding("http.redirect_missing", seen));
      return;
    case Redirection::insecure:
      out.push_back(finding("http.redirect_insecure", seen));
      return;
    case Redirection::other_host:
      out.push_back(finding("http.redirect_other_host", seen));
      break;
    case Redirection::other_port:
      out.push_back(finding("http.redirect_other_port", seen));
      break;
    case Redirection::good:
      break;
  }
  const bool lasting = answer.status == 301 || answer.status == 308;
  if (!lasting) out.push_back(finding("http.redirect_temporary", seen));
  if (lasting && redirection_of(facts) == Redirection::good)
    out.push_back(finding("http.redirects", seen));
}

void judge_post(const HttpFacts& answer, Findings& out) {
  if (answer.state != HttpFacts::State::answered) return;
  const std::string seen = "POST /: " + status_of(answer);
  if (answer.status >= 400) {
    out.push_back(finding("http.post_refused", seen));
  } else if (answer.status >= 300) {
    out.push_back(finding("http.post_redirected", seen));
  } else {
    out.push_back(finding("http.post_accepted", seen));
  }
}

void judge_clock(const HttpFacts& answer, Findings& out) {
  const std::string_view field = answer.field("date");
  const auto date = parse_http_date(field);
  if (!date) {
    out.push_back(finding("http.clock_unknown", field.empty() ? "" : "Date: " + shown(field)));
    return;
  }
  // It was written between question and answer, and has whole seconds.
  const Time earliest = answer.asked - std::chrono::seconds{1};
  std::chrono::microseconds skew{};
  if (*date < earliest) skew = earliest - *date;
  if (*date > answer.answered) skew = *date - answer.answered;
  const std::string seen =
      "Date: " + format_rfc3339(*date) + ", here " + format_rfc3339(answer.answered);
  out.push_back(finding(skew > skew_wrong    ? "http.clock_wrong"
                        : skew > skew_warned ? "http.clock_skewed"
                                             : "http.clock",
                        seen));
}

void judge_cookies(const HttpFacts& answer, Findings& out) {
  const auto all = answer.all("set-cookie");
  if (all.empty()) return;
  std::vector<std::string_view> open;
  std::copy_if(all.begin(), all.end(), std::back_inserter(open),
               [](std::string_view line) { return !is_secure(line); });
  if (open.empty()) {
    out.push_back(finding("http.cookies_secure", list(all, cookie_name)));
  } else {
    out.push_back(finding("http.cookie_insecure", list(open, cookie_name)));
  }
}

// Hints only: what is right depends on the site.
void judge_headers(const HttpFacts& answer, Findings& out) {
  if (answer.status >= 300 && answer.status < 400) return;
  const std::size_t before = out.size();
  if (!ascii_iequals(answer.field("x-content-type-options"), "nosniff"))
    out.push_back(finding("http.no_nosniff", {}));
  const std::string type = ascii_lower(answer.field("content-type"));
  if (type.rfind("text/html", 0) == 0 || type.rfind("application/xhtml+xml", 0) == 0) {
    std::string policies;
    for (const std::string_view policy : answer.all("content-security-policy"))
      policies += ascii_lower(policy) + ";";
    if (answer.field("x-frame-options").empty() &&
        policies.find("frame-ancestors") == std::string::npos)
      out.push_back(finding("http.no_frame_rule", {}));
    if (answer.field("referrer-policy").empty())
      out.push_back(finding("http.no_referrer_policy", {}));
    const bool reported = !answer.field("content-security-policy-report-only").empty();
    if (policies.empty())
      out.push_back(finding("http.no_csp", reported ? "it is there in report-only mode" : ""));
  }
  if (out.size() == before) out.push_back(finding("http.headers", {}));
}

}  // namespace

Redirection redirection_of(const TlsFacts& facts) {
  const HttpFacts& answer = facts.plain_get;
  if (!is_redirect(answer.status)) return Redirection::none;
  const std::string_view location = answer.field("location");
  constexpr std::string_view https = "https://";
  if (!ascii_iequals(location.substr(0, https.size()), https)) return Redirection::insecure;
  std::string_view authority = location.substr(https.size());
  authority = authority.substr(0, std::min(authority.find_first_of("/?#"), authority.size()));
  const auto parsed = HostPort::parse(authority);  // none with a user before it
  if (!parsed) return Redirection::other_host;
  const auto address = IpAddress::parse(parsed->host);
  const std::string host = address ? address->to_string() : parsed->host;
  if (host != facts.target.host) return Redirection::other_host;
  return parsed->port.value_or(443) == facts.target.port ? Redirection::good
                                                         : Redirection::other_port;
}

void judge_plain_http(const TlsFacts& facts, Findings& out) {
  const HttpFacts& answer = facts.plain_get;
  if (answer.state == HttpFacts::State::untried) return;
  if (answer.state != HttpFacts::State::answered) {
    out.push_back(finding("http.plain_no_answer", shown(answer.trouble)));
    return;
  }
  judge_redirect(facts, out);
  judge_post(facts.plain_post, out);
  std::vector<std::string_view> cookies = answer.all("set-cookie");
  for (const std::string_view line : facts.plain_post.all("set-cookie")) cookies.push_back(line);
  if (!cookies.empty()) out.push_back(finding("http.plain_cookies", list(cookies, cookie_name)));
  const std::string_view hsts = answer.field("strict-transport-security");
  if (!hsts.empty()) out.push_back(finding("http.plain_hsts", shown(hsts)));
}

void judge_https(const TlsFacts& facts, Findings& out) {
  const HttpFacts& answer = facts.https;
  switch (answer.state) {
    case HttpFacts::State::untried:
      return;
    case HttpFacts::State::silent:
      out.push_back(finding(facts.handshake.asks_who ? "http.not_let_in" : "http.no_answer",
                            shown(answer.trouble)));
      return;
    case HttpFacts::State::malformed:
      out.push_back(finding("http.malformed", shown(answer.trouble)));
      return;
    case HttpFacts::State::too_large:
      out.push_back(finding("http.too_large", {}));
      return;
    case HttpFacts::State::answered:
      break;
  }
  out.push_back(
      finding(answer.status >= 500 ? "http.server_error" : "http.answers", status_of(answer)));
  judge_clock(answer, out);
  judge_hsts(facts, out);
  judge_cookies(answer, out);
  judge_headers(answer, out);
}

}  // namespace moat::doctor::internal
