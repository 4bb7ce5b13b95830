// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/hsts_ramp_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>

#include "moat/gateway/key_files.h"

namespace moat::gateway {

Result<std::optional<https::HstsRamp>, std::string> HstsRampFile::look(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 && errno == ENOENT)
    return std::optional<https::HstsRamp>();
  std::ifstream file(path, std::ios::binary);
  char text[64];
  file.read(text, sizeof text);
  if (!file.eof() || file.bad() || file.gcount() == 0)
    return Error{path + " cannot be read or holds something else"};
  const auto ramp =
      https::HstsRamp::parse(std::string_view(text, static_cast<std::size_t>(file.gcount())));
  if (!ramp) return Error{path + " holds something else than a step and a time"};
  return ramp;
}

void HstsRampFile::keep(const Log& log) {
  step_ = static_cast<unsigned>(ramp_->step());
  auto written = write_private_file(path_, Secret::copy_of(ramp_->to_text()));
  // It goes on all the same; a restart would be a step behind.
  if (!written) log.warn("hsts_ramp_not_kept", {{"reason", written.error()}});
}

void HstsRampFile::start(Time now, const Log& log) {
  if (ramp_) return;
  auto found = look(path_);
  if (!found) log.warn("hsts_ramp_begins_anew", {{"reason", found.error()}});
  if (found && *found) {
    ramp_ = **found;
    step_ = static_cast<unsigned>(ramp_->step());
    return maintain(now, log);
  }
  ramp_.emplace(now);
  keep(log);
  log.info("hsts_ramp_begun");
}

void HstsRampFile::maintain(Time now, const Log& log) {
  if (!ramp_) return;
  const std::size_t before = ramp_->step();
  if (!ramp_->advance(now)) return;
  keep(log);
  if (ramp_->step() == before) {
    log.warn("hsts_ramp_step_begins_anew", {{"reason", "the clock was set back"}});
  } else {
    log.info("hsts_ramp_step", {{"step", static_cast<std::int64_t>(ramp_->step() + 1)}});
  }
}

}  // namespace moat::gateway
