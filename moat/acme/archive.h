// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/acme/messages.h"
#include "moat/acme/storage.h"
#include "moat/base/clock.h"
#include "moat/base/result.h"
#include "moat/base/secret.h"
#include "moat/https/certificate.h"

namespace moat::acme {

// Archive says under which names, and how, a storage holds what was got from a CA: the certificate
// with its key in one piece, so that neither is ever there without the other, the accounts' keys,
// the order that is under way, the proofs that are shown. Errors are sentences.
class Archive final {
 public:
  explicit Archive(std::shared_ptr<Storage> storage) : storage_(std::move(storage)) {}

  struct Kept {
    https::Certificate certificate;
    std::string ca;        // the URL of the directory of the CA that issued it
    bool revoked = false;  // taken back: another is wanted
  };
  // None where none was kept, or it has expired. Waits for nobody's order.
  [[nodiscard]] Result<std::optional<Kept>, std::string> load(Time now) const;
  // What whoever orders shows just now, so that each node can show it.
  [[nodiscard]] Result<std::vector<Challenge>, std::string> challenges() const;
  // Notes that the certificate with that fingerprint was taken back.
  [[nodiscard]] Result<void, std::string> note_revoked(std::string_view fingerprint) const;

  // Turn is held by the one who orders.
  class Turn final {
   public:
    // The key of the account at the CA with that directory URL; empty: there is none.
    [[nodiscard]] Result<Secret, std::string> account(std::string_view ca) const;
    [[nodiscard]] Result<void, std::string> keep_account(std::string_view ca,
                                                         const Secret& key) const;
    // The order under way, of the CA with that URL; empty: there is none.
    [[nodiscard]] Result<Secret, std::string> order(std::string_view ca) const;
    [[nodiscard]] Result<void, std::string> keep_order(std::string_view ca,
                                                       const Secret& state) const;
    // When the next try is due, and what was tried before: a note of the caller's; empty: none.
    [[nodiscard]] Result<Secret, std::string> retry(std::string_view ca) const;
    [[nodiscard]] Result<void, std::string> keep_retry(std::string_view ca,
                                                       std::string_view note) const;
    [[nodiscard]] Result<void, std::string> show(const std::vector<Challenge>& challenges) const;
    // Replaces the certificate, and ends the order: in this order, so that whoever is killed
    // between them only fetches the same certificate again.
    [[nodiscard]] Result<void, std::string> keep(std::string_view chain, const Secret& key,
                                                 std::string_view ca) const;

   private:
    friend class Archive;
    Turn(std::shared_ptr<Storage> storage, std::unique_ptr<Storage::Lock> lock)
        : storage_(std::move(storage)), lock_(std::move(lock)) {}
    std::shared_ptr<Storage> storage_;
    std::unique_ptr<Storage::Lock> lock_;
  };
  // Nullopt: another has it.
  [[nodiscard]] Result<std::optional<Turn>, std::string> take_turn() const;

 private:
  std::shared_ptr<Storage> storage_;
};

}  // namespace moat::acme
