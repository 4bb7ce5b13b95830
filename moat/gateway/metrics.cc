// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/metrics.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

namespace moat::gateway {

namespace {

// A label's value: backslash, quote and line end are escaped, which the format asks for.
std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
  return out;
}

void line(std::string& out, std::string_view name, std::string_view labels,
          std::string_view value) {
  out.append("moat_").append(name);
  if (!labels.empty()) out.append("{").append(labels).append("}");
  out.append(" ").append(value).append("\n");
}
void line(std::string& out, std::string_view name, std::string_view labels, std::uint64_t value) {
  line(out, name, labels, std::to_string(value));
}
void head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  out.append("# HELP moat_").append(name).append(" ").append(help).append("\n");
  out.append("# TYPE moat_").append(name).append(" ").append(type).append("\n");
}

// Nanoseconds or milliseconds as seconds, without the trailing zeros.
std::string seconds(std::uint64_t count, std::uint64_t unit) {
  std::string out = std::to_string(count / unit);
  std::string rest = std::to_string(unit + count % unit).substr(1);
  rest.erase(rest.find_last_not_of('0') + 1);
  return rest.empty() ? out : out + "." + rest;
}

// Which of the seven practices a step belongs to; empty for what is none's.
std::string_view practice_of(std::string_view step) {
  if (step == "certificate") return "1";
  if (step == "canonical" || step == "host" || step == "schema") return "2";
  if (step == "session" || step == "login") return "4";
  if (step == "limit") return "5";
  if (step == "csrf") return "6";
  return {};
}

template <std::size_t N>
std::string_view text_of(const std::array<char, N>& text) {
  return {text.data(), ::strnlen(text.data(), N)};
}

// One route, all workers.
struct Summed {
  std::array<std::uint64_t, 6> status{};
  std::array<std::uint64_t, RouteMetrics::bounds.size() + 1> took{};
  std::uint64_t took_ns = 0;
  std::map<std::pair<std::string, std::string>, std::uint64_t> refusals;
  std::array<std::uint64_t, csrf::reason_count> csrf_would_refuse{};
  std::map<std::string, std::uint64_t> schema_would_refuse;

  void add(const RouteMetrics& route) {
    for (std::size_t i = 0; i < status.size(); ++i) status[i] += route.status[i].get();
    for (std::size_t i = 0; i < took.size(); ++i) took[i] += route.took[i].get();
    took_ns += route.took_ns.get();
    for (const Refusals::Count& one : route.refusals.all())
      refusals[{one.step, one.code}] += one.count;
    for (std::size_t i = 0; i < csrf_would_refuse.size(); ++i)
      csrf_would_refuse[i] += route.csrf_would_refuse[i].get();
    for (const Refusals::Count& one : route.schema_would_refuse.all())
      schema_would_refuse[one.code] += one.count;
  }
};

void write_routes(const std::vector<std::pair<std::string, Summed>>& routes, std::string& out) {
  head(out, "requests_total", "counter",
       "Requests that are over, by route and the class of their status.");
  for (const auto& [label, route] : routes) {
    for (std::size_t i = 1; i < route.status.size(); ++i)
      line(out, "requests_total", label + ",code=\"" + std::to_string(i) + "xx\"", route.status[i]);
  }
  head(out, "refused_total", "counter",
       "Requests refused, by route, practice, the step that refused them and the code of the "
       "refusal.");
  for (const auto& [label, route] : routes) {
    for (const auto& [what, count] : route.refusals) {
      const std::string_view practice = practice_of(what.first);
      std::string labels = label;
      if (!practice.empty()) labels += ",practice=" + in_quotes(practice);
      labels += ",step=" + in_quotes(what.first) + ",code=" + in_quotes(what.second);
      line(out, "refused_total", labels, count);
    }
  }
  head(out, "csrf_would_refuse_total", "counter",
       "Requests that passed only because their route reports forged ones, by route and reason.");
  for (const auto& [label, route] : routes) {
    for (std::size_t i = 0; i < route.csrf_would_refuse.size(); ++i) {
      const std::string reason(csrf::to_string(static_cast<csrf::Reason>(i)));
      if (route.csrf_would_refuse[i] > 0) {
        line(out, "csrf_would_refuse_total", label + ",reason=" + in_quotes(reason),
             route.csrf_would_refuse[i]);
      }
    }
  }
  head(out, "schema_would_refuse_total", "counter",
       "Requests and answers that passed only because their route's schema is in shadow mode.");
  for (const auto& [label, route] : routes) {
    for (const auto& [code, count] : route.schema_would_refuse)
      line(out, "schema_would_refuse_total", label + ",code=" + in_quotes(code), count);
  }
  head(out, "request_duration_seconds", "histogram",
       "From a request's head to the end of its answer; WebSockets are left out.");
  for (const auto& [label, route] : routes) {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < route.took.size(); ++i) {
      total += route.took[i];
      const bool last = i == RouteMetrics::bounds.size();
      const std::string bound = last ? "+Inf" : seconds(RouteMetrics::bounds[i], 1000);
      line(out, "request_duration_seconds_bucket", label + ",le=\"" + bound + "\"", total);
    }
    line(out, "request_duration_seconds_sum", label, seconds(route.took_ns, 1'000'000'000));
    line(out, "request_duration_seconds_count", label, total);
  }
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
    line(out, "backend_up", "server=" + in_quotes(name), backend.up ? 1 : 0);
  head(out, "backend_requests", "gauge", "Requests that a backend server is working on.");
  for (const auto& [name, backend] : by_name)
    line(out, "backend_requests", "server=" + in_quotes(name), backend.requests);
  return out;
}

// ---------------------------------------------------------------------------------------- routes

RouteLabels::RouteLabels() : labels_{"(none)", "(moat)", "(redirect)", "(other)"} {}

std::size_t RouteLabels::number_of(std::string_view label) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find(labels_.begin(), labels_.end(), label);
  if (found != labels_.end()) return static_cast<std::size_t>(found - labels_.begin());
  if (labels_.size() == most) return other;
  labels_.emplace_back(label);
  return labels_.size() - 1;
}

std::vector<std::string> RouteLabels::all() const {
  const std::lock_guard lock(mutex_);
  return labels_;
}

void Refusals::add(std::string_view step, std::string_view code) {
  const std::size_t used = used_.load(std::memory_order_relaxed);
  step = step.substr(0, std::tuple_size_v<decltype(Slot::step)>);
  code = code.substr(0, std::tuple_size_v<decltype(Slot::code)>);
  for (std::size_t i = 0; i < used; ++i) {
    if (text_of(slots_[i].code) == code && text_of(slots_[i].step) == step)
      return slots_[i].count.add();
  }
  if (used == slots) return slots_.back().count.add();
  if (used == slots - 1) step = code = "other";
  Slot& slot = slots_[used];
  std::copy(step.begin(), step.end(), slot.step.begin());
  std::copy(code.begin(), code.end(), slot.code.begin());
  slot.count.add();
  used_.store(used + 1, std::memory_order_release);
}

std::vector<Refusals::Count> Refusals::all() const {
  std::vector<Count> out;
  const std::size_t used = used_.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < used; ++i) {
    out.push_back({std::string(text_of(slots_[i].step)), std::string(text_of(slots_[i].code)),
                   slots_[i].count.get()});
  }
  return out;
}

void RouteMetrics::count_duration(std::chrono::nanoseconds duration) {
  const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
  std::size_t i = 0;
  while (i < bounds.size() && ns > std::uint64_t{bounds[i]} * 1'000'000) ++i;
  took[i].add();
  took_ns.add(ns);
}

RouteTable::~RouteTable() {
  for (const auto& place : places_) delete place.load(std::memory_order_relaxed);
}

RouteMetrics& RouteTable::of(std::size_t number) {
  auto& place = places_[number < RouteLabels::most ? number : std::size_t{RouteLabels::other}];
  RouteMetrics* there = place.load(std::memory_order_relaxed);
  if (there == nullptr) {
    there = std::make_unique<RouteMetrics>().release();
    place.store(there, std::memory_order_release);
  }
  return *there;
}

const RouteMetrics* RouteTable::find(std::size_t number) const {
  return number < RouteLabels::most ? places_[number].load(std::memory_order_acquire) : nullptr;
}

// ------------------------------------------------------------------------------------------ text

std::string prometheus(const std::vector<const Metrics*>& workers, const RouteLabels& labels,
                       const Gauges& gauges) {
  std::string out;
  const auto counter = [&](std::string_view name, std::string_view help, Counter Metrics::*member) {
    std::uint64_t total = 0;
    for (const Metrics* metrics : workers) total += (metrics->*member).get();
    head(out, name, "counter", help);
    line(out, name, "", total);
  };
  counter("connections_total", "Connections accepted.", &Metrics::connections);
  counter("connections_refused_total", "Connections over a limit.", &Metrics::connections_refused);
  counter("connections_waiting_total", "Times that clients waited for want of file descriptors.",
          &Metrics::connections_waiting);
  counter("http2_connections_total", "Connections that spoke HTTP/2.", &Metrics::http2_connections);
  counter("tls_handshakes_failed_total", "TLS handshakes that failed.",
          &Metrics::handshakes_failed);
  std::vector<std::pair<std::string, Summed>> routes;
  const std::vector<std::string> names = labels.all();
  for (std::size_t number = 0; number < names.size(); ++number) {
    Summed sum;
    bool any = false;
    for (const Metrics* metrics : workers) {
      const RouteMetrics* route = metrics->routes.find(number);
      if (route == nullptr) continue;
      sum.add(*route);
      any = true;
    }
    if (any) routes.emplace_back("route=" + in_quotes(names[number]), std::move(sum));
  }
  write_routes(routes, out);
  counter("session_refreshes_total", "Sessions refreshed on the way.", &Metrics::refreshes);
  counter("backend_errors_total", "Backends unreachable, silent or not understood.",
          &Metrics::backend_errors);
  counter("backend_connections_total", "Connections made to backends.",
          &Metrics::backend_connections);
  counter("websockets_total", "WebSockets opened.", &Metrics::websockets);
  counter("received_bytes_total", "Bytes of request bodies.", &Metrics::bytes_in);
  counter("sent_bytes_total", "Bytes of answers.", &Metrics::bytes_out);
  head(out, "access_log_dropped_total", "counter", "Lines of the access log that were lost.");
  line(out, "access_log_dropped_total", "", gauges.access_lines_dropped);
  head(out, "open_connections", "gauge", "Connections open now.");
  line(out, "open_connections", "", gauges.open_connections);
  head(out, "held_body_bytes", "gauge", "Held of bodies that are checked as a whole.");
  line(out, "held_body_bytes", "", gauges.held_body_bytes);
  return out;
}

}  // namespace moat::gateway
