// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests only: what a piece of work costs this thread. In instructions, where the kernel lets us
// count them, otherwise in nanoseconds of CPU, which a neighbour disturbs for some milliseconds at
// a time: so growth() takes the least of many attempts, and goes on until one is good.

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <ctime>

namespace moat::validate::testing {

class CostMeter final {
 public:
  CostMeter() {
    perf_event_attr wanted;
    std::memset(&wanted, 0, sizeof wanted);
    wanted.size = sizeof wanted;
    wanted.type = PERF_TYPE_HARDWARE;
    wanted.config = PERF_COUNT_HW_INSTRUCTIONS;
    wanted.exclude_kernel = wanted.exclude_hv = 1;
    counter_ = static_cast<int>(syscall(SYS_perf_event_open, &wanted, 0, -1, -1, 0));
  }
  ~CostMeter() {
    if (counts()) close(counter_);
  }
  CostMeter(const CostMeter&) = delete;  // it owns a descriptor
  CostMeter& operator=(const CostMeter&) = delete;

  bool counts() const { return counter_ >= 0; }

  template <class Work>
  double of(Work work) {
    const std::uint64_t before = now();
    work();
    return static_cast<double>(now() - before);
  }

  // How many times more one piece of work costs than another; `good` ends the attempts.
  template <class Small, class Large>
  double growth(Small small, Large large, double good) {
    constexpr double floor = 4000;  // what costs less is as good as nothing
    double least = floor;
    double most = 0;
    for (int attempt = 0; attempt < 400; ++attempt) {
      const double a = std::max(of(small), floor);
      const double b = of(large);
      least = attempt == 0 ? a : std::min(least, a);
      most = attempt == 0 ? b : std::min(most, b);
      if (most <= least * good) break;
    }
    return most / least;
  }

 private:
  std::uint64_t now() const {
    std::uint64_t value = 0;
    if (counts() && read(counter_, &value, sizeof value) == sizeof value) return value;
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(time.tv_nsec);
  }
  int counter_ = -1;
};

}  // namespace moat::validate::testing
