// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "moat/csrf/csrf.h"

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

// RouteLabels numbers what metrics are told apart by: the patterns of the routes and a few names of
// ours, never a stranger's words. A number stays, whatever routes come and go, and there are at
// most `most`; what comes later shares "(other)". Thread-safe.
class RouteLabels final {
 public:
  static constexpr std::size_t most = 1024;
  // Their labels have parentheses, which no pattern begins with.
  enum Fixed : std::size_t {
    none,      // refused before it had a route
    own,       // Moat's own answers
    redirect,  // port 80
    other
  };
  RouteLabels();
  std::size_t number_of(std::string_view label);
  std::vector<std::string> all() const;  // in the order of their numbers

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> labels_;
};

// Refusals counts by step and code. Both are literals of the program, so they are few; what does
// not fit is counted under "other".
class Refusals final {
 public:
  struct Count {
    std::string step;
    std::string code;
    std::uint64_t count = 0;
  };
  // One thread's.
  void add(std::string_view step, std::string_view code);
  // Any thread's.
  std::vector<Count> all() const;

 private:
  struct Slot {
    std::array<char, 16> step{};
    std::array<char, 40> code{};
    Counter count;
  };
  static constexpr std::size_t slots = 64;
  std::array<Slot, slots> slots_;
  std::atomic<std::size_t> used_{0};
};

// What one worker has counted of one route.
struct RouteMetrics {
  // Upper bounds in milliseconds; the last bucket has none.
  static constexpr std::array<std::uint32_t, 13> bounds = {1,   2,   5,    10,   25,   50,   100,
                                                           250, 500, 1000, 2500, 5000, 10000};
  std::array<Counter, 6> status;  // by class: [2] is 2xx
  std::array<Counter, bounds.size() + 1> took;
  Counter took_ns;
  Refusals refusals;
  std::array<Counter, csrf::reason_count> csrf_would_refuse;  // by csrf::Reason
  Refusals schema_would_refuse;

  void count_duration(std::chrono::nanoseconds duration);
};

// RouteTable is one worker's counters by route number; made at the first request of a route.
class RouteTable final {
 public:
  RouteTable() = default;
  RouteTable(const RouteTable&) = delete;  // others read it where it is
  RouteTable& operator=(const RouteTable&) = delete;
  ~RouteTable();
  RouteMetrics& of(std::size_t number);                // the worker's own thread
  const RouteMetrics* find(std::size_t number) const;  // any thread; null: nothing counted

 private:
  std::array<std::atomic<RouteMetrics*>, RouteLabels::most> places_{};
};

// What one worker has counted since its start.
struct Metrics {
  Counter connections;          // accepted
  Counter connections_refused;  // over a limit
  Counter connections_waiting;  // looks at the queue with no descriptor left
  Counter handshakes_failed;
  Counter http2_connections;
  Counter refreshes;
  Counter backend_errors;
  Counter backend_connections;  // made
  Counter websockets;
  Counter bytes_in;
  Counter bytes_out;
  RouteTable routes;
};

// One backend server now, by its name in the configuration.
struct BackendMetrics {
  std::string server;
  bool up = true;
  std::uint64_t requests = 0;  // in flight
};
// Its lines in the text format of Prometheus; servers of one name are added up.
std::string prometheus(const std::vector<BackendMetrics>& backends);

// What is not a worker's.
struct Gauges {
  std::uint64_t open_connections = 0;
  std::uint64_t held_body_bytes = 0;
  std::uint64_t access_lines_dropped = 0;
};

// The text format of Prometheus, all workers added up.
std::string prometheus(const std::vector<const Metrics*>& workers, const RouteLabels& labels,
                       const Gauges& gauges);

}  // namespace moat::gateway
