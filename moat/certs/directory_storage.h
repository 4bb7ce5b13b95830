// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "moat/acme/storage.h"

namespace moat::certs {

// DirectoryStorage keeps each secret in a file of a directory: of one node, or of several by a file
// system that they share and whose locks work (a local one, NFS from version 4 on, CephFS). The
// directory is 0700, files are 0600, both of the user who runs this, which is the same on each
// node; anything looser or foreign is refused by name.
class DirectoryStorage final : public acme::Storage {
 public:
  explicit DirectoryStorage(std::filesystem::path directory) : directory_(std::move(directory)) {}

  Result<std::optional<Secret>, std::string> read(const std::string& name) const override;
  Result<void, std::string> write(const std::string& name, const Secret& content) override;
  Result<std::unique_ptr<Lock>, std::string> try_lock() override;

 private:
  const std::filesystem::path directory_;
};

}  // namespace moat::certs
