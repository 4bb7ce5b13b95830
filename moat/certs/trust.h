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
  std::filesystem::path anchors;         // a directory that takes .crt files; empty: none
  std::filesystem::path update_command;  // run after a change there, without arguments
  bool anchors_writable = false;
  std::filesystem::path certutil;                    // NSS's tool; empty: not installed
  std::vector<std::filesystem::path> nss_databases;  // of Chromium and Firefox: have a cert9.db

  // `home` is the home directory of the user whose browsers are meant.
  static TrustTargets of_system(const std::filesystem::path& home);
};

struct TrustStep {
  enum class Outcome { done, already, failed, by_hand };
  Outcome outcome;
  std::string what;    // "system trust store", "Firefox or Chromium (/home/…)"
  std::string detail;  // the reason of a failure, or the command to type
};

// trust_root adds the root certificate in `root` to the system's store and to the browsers'. A root
// without critical name constraints is refused. What cannot be done from here (no rights, no tool,
// another platform) comes as a step `by_hand` with the command to type. Idempotent.
[[nodiscard]] Result<std::vector<TrustStep>, FileError> trust_root(
    const std::filesystem::path& root, const TrustTargets& targets);
// untrust_root takes it out again.
[[nodiscard]] Result<std::vector<TrustStep>, FileError> untrust_root(
    const std::filesystem::path& root, const TrustTargets& targets);

}  // namespace moat::certs
