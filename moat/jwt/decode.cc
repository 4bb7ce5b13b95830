// SPDX-License-Identifier: Apache-2.0
#include "moat/jwt/decode.h"

#include "moat/base/encoding.h"
#include "moat/jwt/internal/parts.h"

namespace moat::jwt {

namespace {

std::optional<std::string_view> text_in(const json::Value& object, std::string_view name) {
  const json::Value* member = object.find(name);
  const std::string* text = member == nullptr ? nullptr : member->as_string();
  if (text == nullptr) return std::nullopt;
  return *text;
}

}  // namespace

std::string_view Decoded::unverified_text(std::string_view claim) const {
  return text_in(claims_, claim).value_or(std::string_view());
}

std::optional<std::string_view> Decoded::unverified_key_id() const {
  return text_in(header_, "kid");
}

std::string_view Decoded::unverified_algorithm() const {
  return text_in(header_, "alg").value_or(std::string_view());
}

Result<Decoded, Refusal> decode(Unverified token, std::size_t max_bytes) {
  if (token.text.size() > max_bytes) return Error{Refusal::too_large};
  const std::optional<internal::Parts> parts = internal::split(token.text);
  if (!parts) return Error{Refusal::malformed};
  MOAT_TRY(internal::Header header, internal::read_header(parts->header));
  const std::optional<std::string> payload = base64url_decode(parts->payload);
  if (!payload || !base64url_decode(parts->signature)) return Error{Refusal::malformed};
  auto claims = json::parse(*payload);
  if (!claims || claims->as_object() == nullptr) return Error{Refusal::malformed};
  Decoded out;
  out.header_ = std::move(header.members);
  out.claims_ = *std::move(claims);
  return out;
}

}  // namespace moat::jwt
