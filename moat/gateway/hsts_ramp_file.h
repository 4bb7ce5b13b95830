// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "moat/base/clock.h"
#include "moat/base/log.h"
#include "moat/base/result.h"
#include "moat/https/hsts.h"

namespace moat::gateway {

// HstsRampFile keeps how far the ramp of HSTS has come (tls.hsts.ramp) over restarts. One thread
// changes it; any may read the step.
class HstsRampFile final {
 public:
  explicit HstsRampFile(std::string path) : path_(std::move(path)) {}

  // Goes on where the file says, or begins where there is none. A file that cannot be read begins
  // anew: too short a time is no harm.
  void start(Time now, const Log& log);
  // The next step, where it is time; each second. Before start() nothing.
  void maintain(Time now, const Log& log);
  const std::atomic<unsigned>& step() const { return step_; }  // as https::HstsRamp::step

  // For `moat check`: what the file says now. The error is a sentence.
  static Result<std::optional<https::HstsRamp>, std::string> look(const std::string& path);

 private:
  void keep(const Log& log);

  std::string path_;
  std::optional<https::HstsRamp> ramp_;
  std::atomic<unsigned> step_{0};
};

}  // namespace moat::gateway
