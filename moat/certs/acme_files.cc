// SPDX-License-Identifier: Apache-2.0
#include "moat/certs/acme_files.h"

#include "moat/base/encoding.h"
#include "moat/base/hash.h"
#include "moat/certs/internal/files.h"

namespace moat::certs {

namespace {

const std::string certificate_name = "certificate.pem";

// URLs as names of files.
std::string file_of(std::string_view kind, std::string_view ca) {
  const Digest digest = sha256(ca);
  return std::string(kind) + "-" + hex_encode(as_bytes(digest).substr(0, 8));
}

Result<Secret, FileError> read_or_empty(const PrivateDirectory& directory,
                                        const std::string& name) {
  MOAT_TRY(std::optional<Secret> found, directory.read(name));
  return found ? std::move(*found) : Secret();
}

Result<void, FileError> write_lasting(const PrivateDirectory& directory, const std::string& name,
                                      std::string_view content) {
  if (auto done = directory.write(name, content); !done) return done;
  return directory.sync();
}

}  // namespace

struct AcmeFiles::Turn::State {
  std::filesystem::path directory;
  PrivateDirectory order;
};

AcmeFiles::Turn::Turn(std::unique_ptr<State> state) : state_(std::move(state)) {}
AcmeFiles::Turn::Turn(Turn&&) noexcept = default;
AcmeFiles::Turn& AcmeFiles::Turn::operator=(Turn&&) noexcept = default;
AcmeFiles::Turn::~Turn() = default;

Result<std::optional<https::Certificate>, FileError> AcmeFiles::load(Time now) const {
  MOAT_TRY(const PrivateDirectory directory, PrivateDirectory::open(directory_));
  MOAT_TRY(const std::optional<Secret> content, directory.read(certificate_name));
  if (!content) return std::optional<https::Certificate>();
  const std::string_view text = content->reveal();
  const std::size_t key = text.find("-----BEGIN PRIVATE KEY");
  const Secret key_pem = Secret::copy_of(key == text.npos ? std::string_view() : text.substr(key));
  auto read = https::Certificate::from_pem(text.substr(0, key), key_pem, now);
  if (read) return std::optional<https::Certificate>(std::move(*read));
  if (read.error() == https::CertificateError::expired) return std::optional<https::Certificate>();
  const std::string path = certificate().string();
  return Error{FileError{FileError::Kind::invalid, path,
                         path + ": " + std::string(https::to_string(read.error()))}};
}

Result<std::optional<AcmeFiles::Turn>, FileError> AcmeFiles::take_turn() const {
  // The directory above it is made, and checked, too.
  MOAT_TRY(const PrivateDirectory above, PrivateDirectory::open(directory_));
  MOAT_TRY(std::optional<PrivateDirectory> order, PrivateDirectory::try_open(directory_ / "order"));
  if (!order) return std::optional<Turn>();
  return std::optional<Turn>(
      Turn(std::unique_ptr<Turn::State>(new Turn::State{directory_, std::move(*order)})));
}

Result<Secret, FileError> AcmeFiles::Turn::account(std::string_view ca) const {
  return read_or_empty(state_->order, file_of("account", ca));
}

Result<void, FileError> AcmeFiles::Turn::keep_account(std::string_view ca,
                                                      const Secret& key) const {
  return write_lasting(state_->order, file_of("account", ca), key.reveal());
}

Result<Secret, FileError> AcmeFiles::Turn::order(std::string_view ca) const {
  return read_or_empty(state_->order, file_of("order", ca));
}

Result<void, FileError> AcmeFiles::Turn::keep_order(std::string_view ca,
                                                    const Secret& state) const {
  return write_lasting(state_->order, file_of("order", ca), state.reveal());
}

Result<Secret, FileError> AcmeFiles::Turn::retry(std::string_view ca) const {
  return read_or_empty(state_->order, file_of("retry", ca));
}

Result<void, FileError> AcmeFiles::Turn::keep_retry(std::string_view ca,
                                                    std::string_view note) const {
  return state_->order.write(file_of("retry", ca), note);
}

Result<void, FileError> AcmeFiles::Turn::keep(const std::string& chain, const Secret& key,
                                              std::string_view ca) const {
  {
    MOAT_TRY(const PrivateDirectory directory, PrivateDirectory::open(state_->directory));
    std::string both;
    both.reserve(chain.size() + key.size() + 1);  // grown no more: no copy of the key stays
    both.append(chain).append("\n").append(key.reveal());
    const Secret content = Secret::take(both);
    if (auto done = write_lasting(directory, certificate_name, content.reveal()); !done)
      return done;
  }
  return write_lasting(state_->order, file_of("order", ca), "");
}

}  // namespace moat::certs
