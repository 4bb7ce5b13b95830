// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/log.h"
#include "moat/base/result.h"
#include "moat/certs/file_error.h"
#include "moat/https/certificate.h"

namespace moat::certs {

// LocalCaFiles keeps the local CA in a directory: root, intermediate and leaf, a .crt and a .key
// each. The directory is 0700, the files 0600, all of the user who runs this; anything looser or
// foreign is refused by name. A file is replaced whole or not at all, and processes take turns by a
// lock.
class LocalCaFiles final {
 public:
  explicit LocalCaFiles(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // load_or_create gives the certificate to serve for localhost, 127.0.0.1, ::1 and `names`, making
  // and renewing what is missing or due at `now`. Call it at the start, and hourly; most calls only
  // read. `log` hears of every certificate made, and of a root that has to be trusted again.
  [[nodiscard]] Result<https::Certificate, FileError> load_or_create(
      const std::vector<std::string>& names, Time now, const Log& log) const;

  // Where the root certificate is, for `trust_root`.
  std::filesystem::path root_certificate() const { return directory_ / "root.crt"; }
  const std::filesystem::path& directory() const { return directory_; }

 private:
  std::filesystem::path directory_;
};

}  // namespace moat::certs
