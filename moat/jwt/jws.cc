// SPDX-License-Identifier: Apache-2.0
#include "moat/jwt/jws.h"

#include <algorithm>
#include <array>

#include "moat/base/encoding.h"
#include "moat/jwt/internal/material.h"
#include "moat/jwt/internal/parts.h"

namespace moat::jwt {

namespace internal {

namespace {

// A token without "kid" is tried against this many keys at most: each try may be an RSA operation
// that a stranger asked for.
constexpr int max_tries = 8;

// Those of RSA are the longest, and no key has more than 8192 bits.
constexpr std::size_t max_signature_bytes = 1024;

constexpr json::Limits header_limits{
    .depth = 8, .members = 64, .string_bytes = 8192, .total_bytes = 65536};

}  // namespace

std::optional<Parts> split(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  if (token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
  return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
               token.substr(second + 1), token.substr(0, second)};
}

Result<Header, Refusal> read_header(std::string_view encoded) {
  const std::optional<std::string> text = base64url_decode(encoded);
  if (!text) return Error{Refusal::malformed};
  // RFC 7515 section 4: "The Header Parameter names within the JOSE Header MUST be unique", which
  // the parser sees to.
  auto header = json::parse(*text, header_limits);
  if (!header || header->as_object() == nullptr) return Error{Refusal::malformed};
  const json::Value* algorithm = header->find("alg");
  if (algorithm == nullptr || algorithm->as_string() == nullptr) return Error{Refusal::malformed};
  if (ascii_iequals(*algorithm->as_string(), "none")) return Error{Refusal::unsigned_token};
  if (header->find("crit") != nullptr) return Error{Refusal::critical_extension};
  const json::Value* id = header->find("kid");
  if (id != nullptr && id->as_string() == nullptr) return Error{Refusal::malformed};
  Header out;
  out.algorithm = parse_algorithm(*algorithm->as_string());
  if (id != nullptr) out.key_id = *id->as_string();
  out.members = *std::move(header);
  return out;
}

KnownHeaders::KnownHeaders(const KeySet& keys, const std::string& type) {
  for (const Key& key : keys.keys()) {
    std::optional<std::string> text = encode_header(key, {{"typ", type}});
    if (!text) continue;
    if (auto header = read_header(*text)) by_text.emplace(*std::move(text), *std::move(header));
  }
}

const Header* KnownHeaders::find(std::string_view encoded) const {
  const auto found = by_text.find(encoded);
  return found == by_text.end() ? nullptr : &found->second;
}

Result<const Key*, Refusal> find_key(const Header& header, const Parts& parts, const KeySet& keys,
                                     bool allow_rsa_pkcs1) {
  std::array<char, max_signature_bytes> room;
  const std::optional<std::string_view> signature = base64url_decode(parts.signature, room);
  if (!signature) return Error{Refusal::malformed};
  Refusal refusal = Refusal::unknown_key;
  int tries = 0;
  for (const Key& key : keys.keys()) {
    if (header.key_id && !key.id().empty() && key.id() != *header.key_id) continue;
    const bool pkcs1 = facts(key.algorithm()).kind == Kind::pkcs1;
    // RFC 8725 section 3.1: the algorithm is the key's; the header may only agree.
    if (!header.algorithm || !same_algorithm(key.algorithm(), *header.algorithm) ||
        (pkcs1 && !allow_rsa_pkcs1)) {
      if (refusal == Refusal::unknown_key) refusal = Refusal::wrong_algorithm;
      continue;
    }
    refusal = Refusal::bad_signature;
    if (++tries > max_tries) break;
    if (key.verify(parts.signing_input, *signature)) return &key;
  }
  return Error{refusal};
}

std::optional<std::string> encode_header(const Key& key, const json::Object& members) {
  json::Object header{{"alg", to_string(key.algorithm())}};
  bool names_key = false;
  for (const json::Member& member : members) {
    if (member.first == "alg" || member.first == "crit") return std::nullopt;
    names_key = names_key || member.first == "kid" || member.first == "jwk";
    header.push_back(member);
  }
  if (!names_key && !key.id().empty()) header.emplace_back("kid", key.id());
  return base64url_encode(json::serialize(json::Value(std::move(header))));
}

}  // namespace internal

namespace {

Result<SignedPayload, Refusal> check(const internal::Parts& parts, const KeySet& keys,
                                     const JwsOptions& options) {
  MOAT_TRY(internal::Header header, internal::read_header(parts.header));
  MOAT_TRY(const Key* key, internal::find_key(header, parts, keys, options.allow_rsa_pkcs1));
  std::optional<std::string> payload = base64url_decode(parts.payload);
  if (!payload) return Error{Refusal::malformed};
  return SignedPayload{*std::move(payload), std::move(header.members), *key};
}

const std::string* text_member(const json::Value& object, std::string_view name) {
  const json::Value* member = object.find(name);
  return member == nullptr ? nullptr : member->as_string();
}

// RFC 7515 section 7.2.1: the names of the two headers "MUST be disjoint"; "crit" must be
// protected.
bool is_harmless(const json::Value* unprotected, const json::Value& header) {
  if (unprotected == nullptr) return true;
  const json::Object* members = unprotected->as_object();
  return members != nullptr &&
         std::all_of(members->begin(), members->end(), [&](const json::Member& member) {
           return member.first != "crit" && header.find(member.first) == nullptr;
         });
}

}  // namespace

std::string_view to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::too_large:
      return "too_large";
    case Refusal::malformed:
      return "malformed";
    case Refusal::unsigned_token:
      return "unsigned_token";
    case Refusal::critical_extension:
      return "critical_extension";
    case Refusal::wrong_algorithm:
      return "wrong_algorithm";
    case Refusal::unknown_key:
      return "unknown_key";
    case Refusal::bad_signature:
      return "bad_signature";
    case Refusal::wrong_type:
      return "wrong_type";
    case Refusal::malformed_claim:
      return "malformed_claim";
    case Refusal::missing_expiration:
      return "missing_expiration";
    case Refusal::expired:
      return "expired";
    case Refusal::not_yet_valid:
      return "not_yet_valid";
    case Refusal::issued_in_future:
      return "issued_in_future";
    case Refusal::too_old:
      return "too_old";
    case Refusal::lifetime_too_long:
      return "lifetime_too_long";
    case Refusal::missing_audience:
      return "missing_audience";
    case Refusal::wrong_audience:
      return "wrong_audience";
    case Refusal::wrong_issuer:
      return "wrong_issuer";
    case Refusal::wrong_subject:
      return "wrong_subject";
    case Refusal::wrong_claim:
      return "wrong_claim";
    case Refusal::weak_key:
      return "weak_key";
  }
  return {};
}

Result<SignedPayload, Refusal> verify_jws(Unverified jws, const KeySet& keys,
                                          const JwsOptions& options) {
  if (jws.text.size() > options.max_bytes) return Error{Refusal::too_large};
  const std::optional<internal::Parts> parts = internal::split(jws.text);
  if (!parts) return Error{Refusal::malformed};
  return check(*parts, keys, options);
}

Result<SignedPayload, Refusal> verify_flattened_jws(Unverified jws, const KeySet& keys,
                                                    const JwsOptions& options) {
  if (jws.text.size() > options.max_bytes) return Error{Refusal::too_large};
  const auto parsed = json::parse(jws.text, {.depth = 8, .members = 64});
  if (!parsed || parsed->find("signatures") != nullptr) return Error{Refusal::malformed};
  const std::string* header = text_member(*parsed, "protected");
  const std::string* payload = text_member(*parsed, "payload");
  const std::string* signature = text_member(*parsed, "signature");
  if (header == nullptr || payload == nullptr || signature == nullptr) {
    return Error{Refusal::malformed};
  }
  const std::string signing_input = *header + "." + *payload;
  const internal::Parts parts{*header, *payload, *signature, signing_input};
  MOAT_TRY(SignedPayload out, check(parts, keys, options));
  if (!is_harmless(parsed->find("header"), out.header)) return Error{Refusal::malformed};
  return out;
}

std::optional<std::string> sign_jws(std::string_view payload, const Key& key,
                                    const json::Object& header) {
  std::optional<std::string> out = internal::encode_header(key, header);
  if (!out) return std::nullopt;
  *out += '.';
  *out += base64url_encode(payload);
  const std::optional<std::string> signature = key.sign(*out);
  if (!signature) return std::nullopt;
  *out += '.';
  *out += base64url_encode(*signature);
  return out;
}

std::optional<std::string> sign_flattened_jws(std::string_view payload, const Key& key,
                                              const json::Object& header) {
  const std::optional<std::string> compact = sign_jws(payload, key, header);
  if (!compact) return std::nullopt;
  const std::optional<internal::Parts> parts = internal::split(*compact);
  return json::serialize(json::Value(json::Object{
      {"protected", parts->header}, {"payload", parts->payload}, {"signature", parts->signature}}));
}

}  // namespace moat::jwt
