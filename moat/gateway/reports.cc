// SPDX-License-Identifier: Apache-2.0
// What browsers report, at a path of Moat's own.
#include <algorithm>

#include "moat/gateway/connection.h"
#include "moat/http/answer.h"
#include "moat/limit/fields.h"

namespace moat::gateway {

namespace {

// The pattern of the route that a path falls under as it is written. For a label only: a stranger
// may write a hundred paths into one body, so the other readings of each are not looked at.
std::string_view label_of(const std::vector<Route>& routes, std::string_view path) {
  const auto found = std::find_if(routes.begin(), routes.end(), [&](const Route& route) {
    return pattern_matches(route.match, path);
  });
  return found == routes.end() ? std::string_view("(none)") : std::string_view(found->match);
}

}  // namespace

// None of the walk's other steps applies: browsers send reports without credentials, from whatever
// site the document was of, and often without Origin. A report changes nothing that belongs to
// anybody, so there is nothing to forge; cookies and tokens that came along are not looked at, nor
// passed on. A preflight (OPTIONS) is refused like any other method: reports go to the document's
// own origin, and others are not asked to send theirs here.
net::Task<void> Connection::collect_reports() {
  Exchange& x = *x_;
  x.label = RouteLabels::own;
  x.route = "(moat)";
  const bool counted =
      shared().shield.count_report(x.request, loop_.now(), &serving_->memory, x.admission);
  if (!counted) {
    co_await refuse_reports();
    co_return;
  }
  if (x.request.method != "POST") {
    shield::Response answer;
    answer.status = 405;
    answer.code = "method_not_allowed";
    answer.kind = shield::Body::problem;
    answer.headers.emplace_back("Allow", "POST");  // RFC 9110 section 15.5.6
    http::append_problem_json(405, answer.code, "Reports are sent by POST.", "", answer.body);
    co_await respond(std::move(answer));
    co_return;
  }
  if (!http::is_report_type(x.request.content_type)) {
    co_await refuse(415, "unsupported_media_type",
                    "This is neither application/reports+json nor application/csp-report.");
    co_return;
  }
  std::string body;
  const bool read = co_await read_whole(http::most_report_bytes, body);
  if (!read) co_return;
  const auto reports = http::parse_reports(x.request.content_type, body);
  if (!reports) {
    co_await refuse(400, "bad_report", "These are no reports that can be read.");
    co_return;
  }
  collect(*reports);
  shield::Response none;
  none.status = 204;
  co_await respond(std::move(none));
}

void Connection::collect(const std::vector<http::BrowserReport>& reports) const {
  const Shared& shared = this->shared();
  const ReportCollector::Moment now{shared.clock.now(), loop_.now()};
  for (const http::BrowserReport& report : reports) {
    const std::string_view origin = report.origin;
    const std::size_t host = std::min(origin.find("://"), origin.size());
    if (host == origin.size() || !shared.shield.knows_host(origin.substr(host + 3))) {
      shared.reports.add_foreign();
      continue;
    }
    const std::string_view path = report.path.empty() ? "/" : std::string_view(report.path);
    const bool own = shared.auth != nullptr && shield::AuthApi::handles(path);
    const std::string_view route = own ? "(moat)" : label_of(shared.config.routes, path);
    shared.reports.add(report, route, now, shared.log);
  }
}

// Above the limit: an answer that costs nothing, and no line in the log.
net::Task<void> Connection::refuse_reports() {
  Exchange& x = *x_;
  const shield::Refusal& refusal = x.admission.refusal;
  if (refusal.status != 429) {
    co_await refuse_admission();
    co_return;
  }
  x.step = "limit";
  shield::Response answer;
  answer.status = 429;
  answer.code = refusal.code;
  answer.kind = shield::Body::problem;
  answer.headers.emplace_back("Retry-After", std::to_string(limit::retry_after_seconds(
                                                 refusal.retry_after, system_random())));
  http::append_problem_json(429, refusal.code, refusal.title, "", answer.body);
  co_await respond(std::move(answer));
}

}  // namespace moat::gateway
