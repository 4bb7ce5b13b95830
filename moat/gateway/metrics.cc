// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/metrics.h"

#include <map>

namespace moat::gateway {

namespace {

void line(std::string& out, std::string_view name, std::string_view labels, std::uint64_t value) {
  out.append("moat_").append(name);
  if (!labels.empty()) out.append("{").append(labels).append("}");
  out.append(" ").append(std::to_string(value)).append("\n");
}
void head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  out.append("# HELP moat_").append(name).append(" ").append(help).append("\n");
  out.append("# TYPE moat_").append(name).append(" ").append(type).append("\n");
}

std::string label(std::string_view name, std::string_view value) {
  std::string out(name);
  out += "=\"";
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

std::string prometheus(const std::vector<BackendMetrics>& backends) {
  // Twice under one name would be no valid text.
  std::map<std::string, BackendMetrics> by_name;
  for (const BackendMetrics& backend : backends) {
    BackendMetrics& one = by_name[backend.server];
    one.up = one.up && backend.up;
    one.requests += backend.requests;
  }
  std::string out;
  if (by_name.empty()) return out;
  head(out, "backend_up", "gauge", "Whether requests are sent to a backend server.");
  for (const auto& [name, backend] : by_name)
    line(out, "backend_up", label("server", name), backend.up ? 1 : 0);
  head(out, "backend_requests", "gauge", "Requests that a backend server is working on.");
  for (const auto& [name, backend] : by_name)
    line(out, "backend_requests", label("server", name), backend.requests);
  return out;
}

std::string prometheus(const std::vector<const Metrics*>& workers, std::uint64_t open_connections) {
  std::string out;
  const auto sum = [&](auto pick) {
    std::uint64_t total = 0;
    for (const Metrics* metrics : workers) total += pick(*metrics).get();
    return total;
  };
  const auto counter = [&](std::string_view name, std::string_view help, Counter Metrics::*member) {
    head(out, name, "counter", help);
    line(out, name, "", sum([&](const Metrics& m) -> const Counter& { return m.*member; }));
  };
  counter("connections_total", "Connections accepted.", &Metrics::connections);
  counter("connections_refused_total", "Connections over a limit.", &Metrics::connections_refused);
  counter("connections_waiting_total", "Times that clients waited for want of file descriptors.",
          &Metrics::connections_waiting);
  counter("http2_connections_total", "Connections that spoke HTTP/2.", &Metrics::http2_connections);
  counter("tls_handshakes_failed_total", "TLS handshakes that failed.",
          &Metrics::handshakes_failed);
  counter("requests_total", "Requests read.", &Metrics::requests);
  head(out, "responses_total", "counter", "Answers by the class of their status.");
  for (std::size_t i = 1; i < 6; ++i) {
    line(out, "responses_total", "class=\"" + std::to_string(i) + "xx\"",
         sum([&](const Metrics& m) -> const Counter& { return m.status[i]; }));
  }
  head(out, "refused_total", "counter", "Requests refused, by the step that refused them.");
  const std::pair<std::string_view, Counter Metrics::*> steps[] = {
      {"canonical", &Metrics::refused_http}, {"host", &Metrics::refused_host},
      {"limit", &Metrics::refused_limit},    {"session", &Metrics::refused_session},
      {"csrf", &Metrics::refused_csrf},      {"login", &Metrics::refused_login}};
  for (const auto& [step, member] : steps) {
    line(out, "refused_total", "step=\"" + std::string(step) + "\"",
         sum([&, m = member](const Metrics& metrics) -> const Counter& { return metrics.*m; }));
  }
  counter("session_refreshes_total", "Sessions refreshed on the way.", &Metrics::refreshes);
  counter("backend_errors_total", "Backends unreachable, silent or not understood.",
          &Metrics::backend_errors);
  counter("backend_connections_total", "Connections made to backends.",
          &Metrics::backend_connections);
  counter("websockets_total", "WebSockets opened.", &Metrics::websockets);
  counter("received_bytes_total", "Bytes of request bodies.", &Metrics::bytes_in);
  counter("sent_bytes_total", "Bytes of answers.", &Metrics::bytes_out);
  head(out, "open_connections", "gauge", "Connections open now.");
  line(out, "open_connections", "", open_connections);
  return out;
}

}  // namespace moat::gateway
