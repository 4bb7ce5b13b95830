// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "moat/base/result.h"
#include "moat/certs/file_error.h"

namespace moat::certs {

// Where roots are trusted on this machine. `of_system` finds what is there; tests name their own.
struct TrustTargets {
  std::filesystem::path anchors;             // a directory that takes .crt files; empty: none
  std::vector<std::string> update_command;   // run after a file was added there
  std::vector<std::string> refresh_command;  // run after one was taken away
  std::filesystem::path certutil;            // NSS's tool; empty: not installed
  std::vector<std::filesystem::path> nss_databases;  // Chromium's and Firefox's, with a cert9.db
  bool windows_beside = false;  // this is Linux under Windows, whose browsers look elsewhere

  // `home` is the home directory of the user whose browsers are meant.
  static TrustTargets of_system(const std::filesystem::path& home);
};

struct TrustStep {
  enum class Outcome {
    done,
    already,  // nothing had to be done
    failed,
    by_hand  // cannot be done from here; `detail` is what to type
  };
  Outcome outcome;
  std::string what;    // "system trust store", "browser database /home/…"
  std::string detail;  // the reason of a failure, or the command to type
};

// trust_root adds the root certificate in `root` to the system's store and to the browsers'. A root
// without narrow critical name constraints is refused. What cannot be done from here (no rights, no
// tool, another platform) comes as a step `by_hand`. Idempotent. Commands are run without a shell
// and with an environment of their own.
[[nodiscard]] Result<std::vector<TrustStep>, FileError> trust_root(
    const std::filesystem::path& root, const TrustTargets& targets);
// untrust_root takes it out again.
[[nodiscard]] Result<std::vector<TrustStep>, FileError> untrust_root(
    const std::filesystem::path& root, const TrustTargets& targets);

}  // namespace moat::certs
