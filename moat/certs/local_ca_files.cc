// SPDX-License-Identifier: Apache-2.0
#include "moat/certs/local_ca_files.h"

#include "moat/certs/internal/files.h"
#include "moat/https/local_ca.h"

namespace moat::certs {
namespace {

using Renewed = https::LocalCa::Renewed;

FileError invalid(const std::filesystem::path& path, std::string message) {
  return {FileError::Kind::invalid, path.string(), std::move(message)};
}

Result<https::Issued, FileError> read_issued(const PrivateDirectory& directory,
                                             const std::string& stem) {
  MOAT_TRY(auto certificate, directory.read(stem + ".crt"));
  MOAT_TRY(auto key, directory.read(stem + ".key"));
  https::Issued issued;
  if (certificate) issued.certificate = std::string(certificate->reveal());
  if (key) issued.key = std::move(*key);
  return issued;
}

// The key first: a certificate without its key is of no use, and both are made anew if we die
// between.
Result<void, FileError> write_issued(const PrivateDirectory& directory, const std::string& stem,
                                     const https::Issued& issued) {
  if (auto done = directory.write(stem + ".key", issued.key.reveal()); !done) return done;
  return directory.write(stem + ".crt", issued.certificate);
}

Result<void, FileError> write_renewed(const PrivateDirectory& directory,
                                      const https::LocalCaState& state, Renewed renewed) {
  if (renewed == Renewed::all)
    if (auto done = write_issued(directory, "root", state.root); !done) return done;
  if (renewed == Renewed::all || renewed == Renewed::intermediate_and_leaf)
    if (auto done = write_issued(directory, "intermediate", state.intermediate); !done) return done;
  if (auto done = write_issued(directory, "leaf", state.leaf); !done) return done;
  return directory.sync();
}

std::string name_error(const std::vector<std::string>& names, https::LocalCaError error) {
  for (const std::string& name : names)
    if (!https::LocalCa::create({name}))
      return "no local certificate for \"" + name + "\": " + std::string(to_string(error));
  return std::string(to_string(error));
}

}  // namespace

Result<https::Certificate, FileError> LocalCaFiles::load_or_create(
    const std::vector<std::string>& names, Time now, const Log& log) const {
  auto ca = https::LocalCa::create(names);
  if (!ca) return Error{invalid(directory_, name_error(names, ca.error()))};
  MOAT_TRY(const PrivateDirectory directory, PrivateDirectory::open(directory_));
  https::LocalCaState state;
  MOAT_TRY(state.root, read_issued(directory, "root"));
  MOAT_TRY(state.intermediate, read_issued(directory, "intermediate"));
  MOAT_TRY(state.leaf, read_issued(directory, "leaf"));
  const bool had_root = !state.root.certificate.empty();

  const auto renewed = ca->renew(state, now);
  if (!renewed) return Error{invalid(directory_, std::string(to_string(renewed.error())))};
  if (*renewed != Renewed::nothing)
    if (auto done = write_renewed(directory, state, *renewed); !done) return Error{done.error()};
  const std::string root = root_certificate().string();
  if (*renewed == Renewed::all && had_root)
    log.warn("local_ca_replaced", {{"root", root}, {"hint", "run `moat trust` again"}});
  else if (*renewed == Renewed::all)
    log.info("local_ca_made", {{"root", root}, {"hint", "run `moat trust` once"}});

  auto certificate = https::Certificate::from_pem(state.leaf.certificate, state.leaf.key, now);
  if (!certificate)
    return Error{invalid(directory_ / "leaf.crt", (directory_ / "leaf.crt").string() + ": " +
                                                      std::string(to_string(certificate.error())))};
  if (*renewed != Renewed::nothing)
    log.info("certificate_made", {{"issuer", "local"},
                                  {"fingerprint", certificate->fingerprint()},
                                  {"not_after", format_rfc3339(certificate->not_after())}});
  return std::move(*certificate);
}

}  // namespace moat::certs
