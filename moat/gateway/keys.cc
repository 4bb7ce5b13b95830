// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/keys.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <optional>

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

constexpr std::chrono::hours csrf_key_life{24 * 90};

Secret fresh_csrf_key() {
  std::string token = system_random().token();
  return Secret::take(token);
}

// When a file was written; nothing where there is none.
std::optional<Time> written_at(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  return from_unix_seconds(found.st_mtime);
}

// The key before goes first: after a crash between the two it is the current one twice.
Result<void, std::string> rotate_csrf_key(const std::string& directory, const Secret& current) {
  auto kept = write_private_file(directory + "/csrf.previous.key", current);
  if (!kept) return kept;
  return write_private_file(directory + "/csrf.key", fresh_csrf_key());
}

Result<HmacKey, std::string> hmac_key(const Result<Secret, std::string>& text) {
  if (!text) return Error{text.error()};
  if (text->size() < 32) return Error{std::string("the CSRF key is shorter than 32 bytes")};
  return HmacKey(text->reveal());
}

// Tokens live a day, so what the key before issued is over long before the next rotation.
Result<csrf::Tokens, std::string> form_tokens(const Config& config, const std::string& directory,
                                              Rotation rotation, Time now) {
  const std::string file = directory + "/csrf.key";
  const bool ours = reference_to(config, "csrf_key") == nullptr;
  auto text = key_text(config, directory, "csrf_key", "csrf.key", fresh_csrf_key);
  const std::optional<Time> made = ours ? written_at(file) : std::nullopt;
  if (text && made && rotation == Rotation::when_due && now - *made >= csrf_key_life) {
    auto rotated = rotate_csrf_key(directory, *text);
    if (!rotated) return Error{rotated.error()};
    text = key_text(config, directory, "csrf_key", "csrf.key", fresh_csrf_key);
  }
  auto current = hmac_key(text);
  if (!current) return Error{current.error()};
  const bool named = reference_to(config, "csrf_key_previous") != nullptr;
  if (!named && (!ours || !written_at(directory + "/csrf.previous.key")))
    return csrf::Tokens(std::move(*current));
  auto previous = hmac_key(
      key_text(config, directory, "csrf_key_previous", "csrf.previous.key", fresh_csrf_key));
  if (!previous) return Error{previous.error()};
  return csrf::Tokens(std::move(*current), std::move(*previous));
}

}  // namespace

Result<Keys, std::string> load_keys(const Config& config, const std::string& directory, Time now,
                                    Rotation rotation) {
  jwt::KeyRing::Options session_ring;
  const auto longest = std::max(config.session_absolute, config.token_refresh);
  session_ring.overlap =
      std::chrono::duration_cast<std::chrono::seconds>(longest) + std::chrono::hours{1};
  auto sessions_ring = key_ring(config, directory, "session_keys", jwt::Algorithm::hs256,
                                session_ring, rotation, now);
  if (!sessions_ring) return Error{sessions_ring.error()};
  auto assertions =
      key_ring(config, directory, "assertion_keys", jwt::Algorithm::ed25519, {}, rotation, now);
  if (!assertions) return Error{assertions.error()};
  auto tokens = form_tokens(config, directory, rotation, now);
  if (!tokens) return Error{tokens.error()};
  return Keys{std::move(*sessions_ring), std::move(*assertions), std::move(*tokens)};
}

}  // namespace moat::gateway
