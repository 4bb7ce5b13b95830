// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/keys.h"

#include <unistd.h>

#include <cstdlib>
#include <functional>

#include "moat/gateway/key_files.h"
#include "moat/sources/files.h"

namespace moat::gateway {

namespace {

const SecretReference* reference_to(const Config& config, std::string_view name) {
  for (const SecretReference& secret : config.secrets) {
    if (secret.name == name) return &secret;
  }
  return nullptr;
}

// A secret that the configuration names must be there: nothing takes its place.
Result<Secret, std::string> resolve(const SecretReference& secret, sources::Readers readers) {
  const std::string where = secret.origin.to_string() + ": secret '" + secret.name + "': ";
  if (secret.reference.rfind("file:", 0) == 0) {
    auto read = sources::read_secret_file(secret.reference.substr(5), readers);
    if (!read) return Error{where + read.error().to_string()};
    return std::move(*read);
  }
  const std::string name = secret.reference.substr(4);
  const char* found = std::getenv(name.c_str());
  if (found == nullptr || *found == 0)
    return Error{where + "the environment variable " + name + " is not set"};
  std::string value = found;
  ::unsetenv(name.c_str());
  return Secret::take(value);
}

Result<Secret, std::string> key_text(const Config& config, const std::string& directory,
                                     const std::string& name, const std::string& file,
                                     const std::function<Secret()>& make) {
  if (const SecretReference* secret = reference_to(config, name)) {
    return resolve(*secret, config.allow_secrets_readable_by_all ? sources::Readers::allow_all
                                                                 : sources::Readers::owner_only);
  }
  return load_or_make(directory + "/" + file, make);
}

Result<jwt::KeyRing, std::string> key_ring(const Config& config, const std::string& directory,
                                           const std::string& name, jwt::Algorithm algorithm,
                                           const jwt::KeyRing::Options& options, Rotation rotation,
                                           Time now) {
  const std::string file = name + ".json";
  auto text = key_text(config, directory, name, file, [&] {
    auto made = jwt::KeyRing::create(algorithm, system_random(), now, options);
    return made ? made->to_json() : Secret();
  });
  if (!text) return Error{text.error()};
  auto ring = jwt::KeyRing::from_json(*text, options);
  if (!ring) return Error{"the keys in " + file + " cannot be read"};
  if (ring->algorithm() != algorithm) return Error{"the keys in " + file + " are of another kind"};
  // A ring that is kept elsewhere is rotated there: a key made here would be another one on every
  // node and after every start. Ours is rotated at a start: what the old key signed stays valid for
  // the overlap.
  if (reference_to(config, name) != nullptr || rotation == Rotation::not_now)
    return std::move(*ring);
  if (ring->maintain(system_random(), now)) {
    auto written = write_private_file(directory + "/" + file, ring->to_json());
    if (!written) return Error{written.error()};
  }
  return std::move(*ring);
}

}  // namespace

Result<Keys, std::string> load_keys(const Config& config, const std::string& directory, Time now,
                                    Rotation rotation) {
  jwt::KeyRing::Options session_ring;
  session_ring.overlap = std::chrono::duration_cast<std::chrono::seconds>(config.session_absolute) +
                         std::chrono::hours{1};
  auto sessions_ring = key_ring(config, directory, "session_keys", jwt::Algorithm::hs256,
                                session_ring, rotation, now);
  if (!sessions_ring) return Error{sessions_ring.error()};
  auto assertions =
      key_ring(config, directory, "assertion_keys", jwt::Algorithm::ed25519, {}, rotation, now);
  if (!assertions) return Error{assertions.error()};
  auto csrf_key = key_text(config, directory, "csrf_key", "csrf.key", [] {
    std::string token = system_random().token();
    return Secret::take(token);
  });
  if (!csrf_key) return Error{csrf_key.error()};
  if (csrf_key->size() < 32) return Error{std::string("the CSRF key is shorter than 32 bytes")};
  return Keys{std::move(*sessions_ring), std::move(*assertions),
              csrf::Tokens(HmacKey(csrf_key->reveal()))};
}

}  // namespace moat::gateway
