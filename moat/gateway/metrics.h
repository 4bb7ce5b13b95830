// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace moat::gateway {

// A number that one thread writes and others read; costs no locked instruction.
class Counter final {
 public:
  void add(std::uint64_t by = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// What one worker has counted since its start.
struct Metrics {
  Counter connections;          // accepted
  Counter connections_refused;  // over a limit
  Counter connections_waiting;  // looks at the queue with no descriptor left
  Counter handshakes_failed;
  Counter http2_connections;
  Counter requests;
  std::array<Counter, 6> status;  // by class: [2] is 2xx
  Counter refused_http;           // heads that are not canonical
  Counter refused_host;
  Counter refused_limit;
  Counter refused_csrf;
  Counter refused_login;
  Counter refused_session;
  Counter refreshes;
  Counter backend_errors;
  Counter backend_connections;  // made
  Counter websockets;
  Counter bytes_in;
  Counter bytes_out;
};

// One backend server now, by its name in the configuration.
struct BackendMetrics {
  std::string server;
  bool up = true;
  std::uint64_t requests = 0;  // in flight
};
// Its lines in the text format of Prometheus; servers of one name are added up.
std::string prometheus(const std::vector<BackendMetrics>& backends);

// The text format of Prometheus, all workers added up; `open_connections` now.
std::string prometheus(const std::vector<const Metrics*>& workers, std::uint64_t open_connections);

}  // namespace moat::gateway
