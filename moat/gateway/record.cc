// SPDX-License-Identifier: Apache-2.0
// What is logged and counted of a request.
#include "moat/gateway/connection.h"

namespace moat::gateway {

namespace {

// Of what is refused outside the walk.
std::string_view step_of(int status) {
  if (status == 502 || status == 504) return "backend";
  return status == 503 ? "busy" : "canonical";
}

}  // namespace

void Connection::log_refusal(int status, std::string_view code, std::string_view reason) const {
  const std::string client = x_->admission.client == IpAddress() ? peer_.address.to_string()
                                                                 : x_->admission.client.to_string();
  // A flood of refusals must not become a flood of lines.
  std::uint64_t passed_over = 0;
  if (!worker_.may_log_refusal(passed_over)) return;
  constexpr std::size_t shown = 256;  // bytes of what a stranger wrote
  shared().log.info("refused", {{"status", status},
                                {"code", code},
                                {"reason", reason},
                                {"client", client},
                                {"method", x_->request.method.substr(0, 32)},
                                {"host", x_->request.host.substr(0, shown)},
                                {"target", x_->request.path.substr(0, shown)},
                                {"request_id", x_->request_id},
                                {"not_logged_before", passed_over}});
}

// It passes all the same: its route reports only.
void Connection::report_forged() const {
  const Exchange& x = *x_;
  const csrf::Reason reason = x.admission.would_refuse;
  worker_.metrics_.routes.of(x.label).csrf_would_refuse[static_cast<std::size_t>(reason)].add();
  std::uint64_t passed_over = 0;
  if (!worker_.may_log_refusal(passed_over)) return;
  constexpr std::size_t shown = 256;
  const std::string client = x.admission.client.to_string();
  shared().log.warn("csrf_would_refuse",
                    {{"code", csrf::to_string(reason)},
                     {"reason", csrf::explain(reason)},
                     {"route", x.route},
                     {"client", client},
                     {"method", x.request.method.substr(0, 32)},
                     {"host", x.request.host.substr(0, shown)},
                     {"target", x.request.path.substr(0, shown)},
                     {"origin", x.request.origin.value_or("").substr(0, shown)},
                     {"request_id", x.request_id},
                     {"not_logged_before", passed_over}});
}

// An audit event: one of two holders of the token stole it. The owner is told by a notice.
void Connection::report_reuse() const {
  const Exchange& x = *x_;
  const auto session = shared().shield.services().sessions.session_of(x.admission.cookies.refresh);
  const std::string client = x.admission.client.to_string();
  shared().log.warn("refresh_token_reused", {{"session", session.value_or("")},
                                             {"client", client},
                                             {"user_agent", x.request.user_agent.substr(0, 200)},
                                             {"request_id", x.request_id}});
}

// The request is over, whatever became of it.
void Connection::settle() {
  Exchange& x = *x_;
  if (x.request_id.empty()) return;  // none has come
  if (x.status == 0) x.status = 499;
  const std::chrono::nanoseconds took = loop_.now() - x.started;
  RouteMetrics& route = worker_.metrics_.routes.of(x.label);
  route.status[static_cast<std::size_t>(x.status / 100) % route.status.size()].add();
  if (x.status != 101) route.count_duration(took);
  if (!x.code.empty()) route.refusals.add(x.step.empty() ? step_of(x.status) : x.step, x.code);
  if (shared().access != nullptr) log_access(took);
}

void Connection::log_access(std::chrono::nanoseconds took) const {
  const Exchange& x = *x_;
  const shield::Admission& admission = x.admission;
  Access access;
  access.begun = shared().clock.now() - std::chrono::duration_cast<Time::duration>(took);
  access.took = took;
  if (x.backend_began != Tick{}) access.backend_took = x.backend_began - x.backend_asked;
  access.status = x.status;
  access.complete = x.complete;
  if (x.parsed) {
    access.method = x.head.method_text;
    access.target = x.head.target;
    access.hide_query = shield::AuthApi::handles(x.head.path);
    access.protocol = !protocol_.empty()          ? protocol_
                      : x.head.minor_version == 0 ? std::string_view("HTTP/1.0")
                                                  : std::string_view("HTTP/1.1");
  }
  access.tls = !tls_ ? "" : tls_version_ == 0x0304 ? "TLSv1.3" : "TLSv1.2";
  const bool known = admission.client != IpAddress();
  access.client = (known ? admission.client : peer_.address).to_string();
  if (admission.identity != nullptr) access.user = admission.identity->user_id;
  access.route = x.route;
  access.backend = x.backend;
  access.bytes_in = x.bytes_in;
  access.bytes_out = x.bytes_out;
  access.request_id = x.request_id;
  access.trace_id = x.traceparent_text().substr(x.traced ? 3 : 0, 32);
  access.code = x.code;
  access.referer = x.request.referer.value_or("");
  access.user_agent = x.request.user_agent;
  shared().access->write(access);
}

}  // namespace moat::gateway
