// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "moat/base/clock.h"
#include "moat/base/result.h"
#include "moat/certs/file_error.h"
#include "moat/https/certificate.h"

namespace moat::certs {

struct KeyFilePolicy {
  // For mounts that make every file readable by all, such as secrets of containers.
  bool allow_key_readable_by_all = false;
  https::CertificateUse use = https::CertificateUse::server;
};

// load_files reads a chain and its key in PEM, as the configuration names them. Symbolic links are
// followed (certificate managers swap them). The key may belong to this user or root, and be
// readable by a group at most.
[[nodiscard]] Result<https::Certificate, FileError> load_files(const std::filesystem::path& chain,
                                                               const std::filesystem::path& key,
                                                               Time now,
                                                               const KeyFilePolicy& policy = {});

// CertificateFiles follows a pair of such files, so that a renewed certificate is picked up.
class CertificateFiles final {
 public:
  CertificateFiles(std::filesystem::path chain, std::filesystem::path key,
                   KeyFilePolicy policy = {});

  // Reads both now, whatever has changed.
  [[nodiscard]] Result<https::Certificate, FileError> load(Time now);
  // True where a file is another one, or has been written, since the last successful load.
  [[nodiscard]] bool changed() const;
  // The new certificate where something has changed and is good; none where nothing has. After an
  // error (the chain is new and the key not yet, say) keep the old one and ask again later.
  [[nodiscard]] Result<std::optional<https::Certificate>, FileError> poll(Time now);

 private:
  struct Stamp {
    std::uint64_t device = 0, inode = 0, size = 0;
    std::int64_t modified_ns = 0;
    bool operator==(const Stamp&) const = default;
  };
  static Stamp stamp(const std::filesystem::path& file);

  std::filesystem::path chain_;
  std::filesystem::path key_;
  KeyFilePolicy policy_;
  Stamp chain_stamp_;
  Stamp key_stamp_;
};

}  // namespace moat::certs
