// SPDX-License-Identifier: Apache-2.0
#include "moat/certs/certificate_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "moat/certs/internal/files.h"

namespace moat::certs {
namespace {

Result<Secret, FileError> read(const std::filesystem::path& path, const Permitted& permitted) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return Error{io_error(path, "cannot open", errno)};
  return read_checked(file, path, permitted);
}

}  // namespace

Result<https::Certificate, FileError> load_files(const std::filesystem::path& chain,
                                                 const std::filesystem::path& key, Time now,
                                                 const KeyFilePolicy& policy) {
  // A chain is public; nobody but its owner and group may write it. A key is read by a group at
  // most.
  MOAT_TRY(const Secret certificates, read(chain, {0002, true}));
  MOAT_TRY(const Secret secret,
           read(key, {policy.allow_key_readable_by_all ? mode_t{0033} : mode_t{0037}, true}));
  auto certificate = https::Certificate::from_pem(certificates.reveal(), secret, now, policy.use);
  if (certificate) return std::move(*certificate);
  using E = https::CertificateError;
  const E error = certificate.error();
  const bool of_key =
      error == E::malformed_key || error == E::encrypted_key || error == E::key_mismatch;
  const std::string path = of_key ? key.string() : chain.string();
  return Error{
      FileError{FileError::Kind::invalid, path, path + ": " + std::string(to_string(error))}};
}

CertificateFiles::CertificateFiles(std::filesystem::path chain, std::filesystem::path key,
                                   KeyFilePolicy policy)
    : chain_(std::move(chain)), key_(std::move(key)), policy_(policy) {}

CertificateFiles::Stamp CertificateFiles::stamp(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
          std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

Result<https::Certificate, FileError> CertificateFiles::load(Time now) {
  // Taken before reading, so that a write in between is seen the next time.
  const Stamp chain = stamp(chain_);
  const Stamp key = stamp(key_);
  auto certificate = load_files(chain_, key_, now, policy_);
  if (certificate) {
    chain_stamp_ = chain;
    key_stamp_ = key;
  }
  return certificate;
}

bool CertificateFiles::changed() const {
  return stamp(chain_) != chain_stamp_ || stamp(key_) != key_stamp_;
}

Result<std::optional<https::Certificate>, FileError> CertificateFiles::poll(Time now) {
  if (!changed()) return std::optional<https::Certificate>();
  MOAT_TRY(https::Certificate certificate, load(now));
  return std::optional<https::Certificate>(std::move(certificate));
}

}  // namespace moat::certs
