// SPDX-License-Identifier: Apache-2.0
#include "moat/acme/archive.h"

#include "moat/acme/internal/answers.h"
#include "moat/base/encoding.h"
#include "moat/base/hash.h"
#include "moat/base/json.h"
#include "moat/https/certificate_request.h"

namespace moat::acme {

namespace {

const std::string certificate_name = "certificate.pem";
const std::string challenges_name = "challenges";
const std::string revoked_name = "revoked";
const std::string issuer_name = "issuer";

// URLs as names.
std::string name_of(std::string_view kind, std::string_view ca) {
  const Digest digest = sha256(ca);
  return std::string(kind) + "-" + hex_encode(as_bytes(digest).substr(0, 8));
}

Result<Secret, std::string> read_or_empty(const Storage& storage, const std::string& name) {
  MOAT_TRY(std::optional<Secret> found, storage.read(name));
  return found ? std::move(*found) : Secret();
}

std::string text_of(const json::Value& value, std::string_view name) {
  const json::Value* member = value.find(name);
  const std::string* text = member == nullptr ? nullptr : member->as_string();
  return text == nullptr ? std::string() : *text;
}

// Whoever can write to the storage is trusted with the key; what is damaged is shown to nobody.
std::optional<Challenge> read_challenge(const json::Value& value) {
  const auto type = parse_challenge_type(text_of(value, "type"));
  Challenge out;
  out.name = text_of(value, "name");
  out.token = text_of(value, "token");
  out.key_authorization = text_of(value, "authorization");
  const std::string_view print = std::string_view(out.key_authorization);
  const bool matches = print.substr(0, out.token.size()) == out.token &&
                       print.substr(std::min(out.token.size(), print.size()), 1) == "." &&
                       is_base64url(print.substr(std::min(out.token.size() + 1, print.size())));
  if (!type || !is_base64url(out.token) || !matches || !https::certificate_name(out.name))
    return std::nullopt;
  out.type = *type;
  return out;
}

}  // namespace

Result<std::optional<Archive::Kept>, std::string> Archive::load(Time now) const {
  MOAT_TRY(const std::optional<Secret> content, storage_->read(certificate_name));
  if (!content) return std::optional<Kept>();
  const std::string_view text = content->reveal();
  const std::size_t key = text.find("-----BEGIN PRIVATE KEY");
  const Secret key_pem = Secret::copy_of(key == text.npos ? std::string_view() : text.substr(key));
  auto read = https::Certificate::from_pem(text.substr(0, key), key_pem, now);
  if (!read && read.error() == https::CertificateError::expired) return std::optional<Kept>();
  if (!read) return Error{certificate_name + ": " + std::string(https::to_string(read.error()))};
  MOAT_TRY(const Secret revoked, read_or_empty(*storage_, revoked_name));
  MOAT_TRY(const Secret issuer, read_or_empty(*storage_, issuer_name));
  const bool taken_back = revoked.equals(read->fingerprint());
  return std::optional<Kept>(Kept{std::move(*read), std::string(issuer.reveal()), taken_back});
}

Result<std::vector<Challenge>, std::string> Archive::challenges() const {
  std::vector<Challenge> out;
  MOAT_TRY(const Secret text, read_or_empty(*storage_, challenges_name));
  if (text.empty()) return out;
  const auto parsed = json::parse(text.reveal());
  const json::Array* list = parsed ? parsed->as_array() : nullptr;
  if (list == nullptr) return Error{challenges_name + ": it is damaged"};
  for (const json::Value& value : *list) {
    auto challenge = read_challenge(value);
    if (!challenge) return Error{challenges_name + ": it is damaged"};
    out.push_back(std::move(*challenge));
  }
  return out;
}

Result<void, std::string> Archive::note_revoked(std::string_view fingerprint) const {
  return storage_->write(revoked_name, Secret::copy_of(fingerprint));
}

Result<std::optional<Archive::Turn>, std::string> Archive::take_turn() const {
  MOAT_TRY(std::unique_ptr<Storage::Lock> lock, storage_->try_lock());
  if (lock == nullptr) return std::optional<Turn>();
  return std::optional<Turn>(Turn(storage_, std::move(lock)));
}

Result<Secret, std::string> Archive::Turn::account(std::string_view ca) const {
  return read_or_empty(*storage_, name_of("account", ca));
}

Result<void, std::string> Archive::Turn::keep_account(std::string_view ca,
                                                      const Secret& key) const {
  return storage_->write(name_of("account", ca), key);
}

Result<Secret, std::string> Archive::Turn::order(std::string_view ca) const {
  return read_or_empty(*storage_, name_of("order", ca));
}

Result<void, std::string> Archive::Turn::keep_order(std::string_view ca,
                                                    const Secret& state) const {
  return storage_->write(name_of("order", ca), state);
}

Result<Secret, std::string> Archive::Turn::retry(std::string_view ca) const {
  return read_or_empty(*storage_, name_of("retry", ca));
}

Result<void, std::string> Archive::Turn::keep_retry(std::string_view ca,
                                                    std::string_view note) const {
  return storage_->write(name_of("retry", ca), Secret::copy_of(note));
}

Result<void, std::string> Archive::Turn::show(const std::vector<Challenge>& challenges) const {
  json::Array list;
  for (const Challenge& challenge : challenges) {
    list.emplace_back(json::Object{{"type", to_string(challenge.type)},
                                   {"name", challenge.name},
                                   {"token", challenge.token},
                                   {"authorization", challenge.key_authorization}});
  }
  return storage_->write(challenges_name, Secret::copy_of(json::serialize(std::move(list))));
}

Result<void, std::string> Archive::Turn::keep(std::string_view chain, const Secret& key,
                                              std::string_view ca) const {
  std::string both;
  both.reserve(chain.size() + key.size() + 1);  // grown no more: no copy of the key stays
  both.append(chain).append("\n").append(key.reveal());
  if (auto done = storage_->write(issuer_name, Secret::copy_of(ca)); !done) return done;
  if (auto done = storage_->write(certificate_name, Secret::take(both)); !done) return done;
  return keep_order(ca, Secret());
}

}  // namespace moat::acme
