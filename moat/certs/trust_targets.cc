// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>

#include "moat/certs/trust.h"

namespace moat::certs {
namespace {

namespace fs = std::filesystem;

struct Platform {
  const char* anchors;
  std::vector<std::string> update, refresh;
};

const std::vector<Platform>& platforms() {
  static const std::vector<Platform> all = {
      {"/usr/local/share/ca-certificates",  // Debian, Ubuntu, Alpine
       {"/usr/sbin/update-ca-certificates"},
       {"/usr/sbin/update-ca-certificates", "--fresh"}},
      {"/etc/pki/ca-trust/source/anchors",  // Fedora and its family
       {"/usr/bin/update-ca-trust", "extract"},
       {"/usr/bin/update-ca-trust", "extract"}},
      {"/etc/ca-certificates/trust-source/anchors",  // Arch
       {"/usr/bin/trust", "extract-compat"},
       {"/usr/bin/trust", "extract-compat"}},
  };
  return all;
}

bool is_database(const fs::path& directory) {
  std::error_code error;
  return fs::is_regular_file(directory / "cert9.db", error);
}

std::vector<fs::path> databases_of(const fs::path& home) {
  std::vector<fs::path> found;
  for (const char* const chromium : {".pki/nssdb", "snap/chromium/current/.pki/nssdb"})
    if (is_database(home / chromium)) found.push_back(home / chromium);
  for (const char* const firefox :
       {".mozilla/firefox", ".config/mozilla/firefox", "snap/firefox/common/.mozilla/firefox",
        ".var/app/org.mozilla.firefox/.mozilla/firefox"}) {
    std::error_code error;
    for (fs::directory_iterator at(home / firefox, error), end; !error && at != end;
         at.increment(error))
      if (is_database(at->path())) found.push_back(at->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

bool under_windows() {
  std::ifstream file("/proc/version");
  std::string text;
  std::getline(file, text);
  return text.find("microsoft") != std::string::npos || text.find("Microsoft") != std::string::npos;
}

}  // namespace

TrustTargets TrustTargets::of_system(const fs::path& home) {
  TrustTargets targets;
  std::error_code error;
  for (const Platform& platform : platforms()) {
    if (!fs::is_directory(platform.anchors, error) || !fs::exists(platform.update[0], error))
      continue;
    targets.anchors = platform.anchors;
    targets.update_command = platform.update;
    targets.refresh_command = platform.refresh;
    break;
  }
  for (const char* const tool : {"/usr/bin/certutil", "/usr/local/bin/certutil"})
    if (targets.certutil.empty() && fs::exists(tool, error)) targets.certutil = tool;
  if (!home.empty()) targets.nss_databases = databases_of(home);
  targets.windows_beside = under_windows();
  return targets;
}

}  // namespace moat::certs
