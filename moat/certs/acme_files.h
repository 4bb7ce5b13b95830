// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/result.h"
#include "moat/base/secret.h"
#include "moat/certs/file_error.h"
#include "moat/https/certificate.h"

namespace moat::certs {

// AcmeFiles keeps in a directory what was got from a CA: the certificate with its key in one file,
// so that neither is ever there without the other, and below it, in "order", the accounts' keys and
// the order that is under way. Directories are 0700, files 0600, of the user who runs this;
// anything looser or foreign is refused by name. A file is replaced whole or not at all.
class AcmeFiles final {
 public:
  explicit AcmeFiles(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // The certificate; none where none was kept, or it has expired. Waits for nobody's order.
  [[nodiscard]] Result<std::optional<https::Certificate>, FileError> load(Time now) const;

  // Turn is held by the one process that orders; it ends with this object, or the process.
  class Turn final {
   public:
    Turn(Turn&&) noexcept;
    Turn& operator=(Turn&&) noexcept;
    ~Turn();

    // The key of the account at the CA with that directory URL; empty: there is none.
    [[nodiscard]] Result<Secret, FileError> account(std::string_view ca) const;
    [[nodiscard]] Result<void, FileError> keep_account(std::string_view ca,
                                                       const Secret& key) const;
    // The order under way, of the CA with that URL; empty: there is none.
    [[nodiscard]] Result<Secret, FileError> order(std::string_view ca) const;
    [[nodiscard]] Result<void, FileError> keep_order(std::string_view ca,
                                                     const Secret& state) const;
    // When the next try is due, and what was tried before: a note of the caller's; empty: none.
    [[nodiscard]] Result<Secret, FileError> retry(std::string_view ca) const;
    [[nodiscard]] Result<void, FileError> keep_retry(std::string_view ca,
                                                     std::string_view note) const;
    // Replaces the certificate, and ends the order: in this order, so that whoever is killed
    // between them only fetches the same certificate again.
    [[nodiscard]] Result<void, FileError> keep(const std::string& chain, const Secret& key,
                                               std::string_view ca) const;

   private:
    friend class AcmeFiles;
    struct State;
    explicit Turn(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
  };
  // Nullopt: another process has it.
  [[nodiscard]] Result<std::optional<Turn>, FileError> take_turn() const;

  std::filesystem::path certificate() const { return directory_ / "certificate.pem"; }

 private:
  std::filesystem::path directory_;
};

}  // namespace moat::certs
