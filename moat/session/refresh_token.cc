// SPDX-License-Identifier: Apache-2.0
#include "moat/session/internal/refresh_token.h"

#include "moat/base/encoding.h"

namespace moat::session::internal {

namespace {

constexpr std::size_t family_bytes = 16;
constexpr std::size_t body_bytes = 56;
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t text_characters = (body_bytes + tag_bytes) / 3 * 4;

void append_u32(std::string& out, std::uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>((value >> shift) & 0xff);
}

std::uint32_t read_u32(std::string_view bytes) {
  std::uint32_t out = 0;
  for (const char c : bytes.substr(0, 4)) out = out << 8 | static_cast<unsigned char>(c);
  return out;
}

std::uint32_t mark_of(std::string_view key_id) { return read_u32(as_bytes(sha256(key_id))); }

}  // namespace

std::string RefreshToken::family() const {
  return base64url_encode(bytes_.reveal().substr(0, family_bytes));
}
std::uint32_t RefreshToken::generation() const { return read_u32(bytes_.reveal().substr(16)); }
std::uint32_t RefreshToken::key() const { return read_u32(bytes_.reveal().substr(20)); }

Secret RefreshToken::text() const {
  std::string text = base64url_encode(bytes_.reveal());
  return Secret::take(text);
}

Digest RefreshToken::hash() const { return sha256(text().reveal()); }

RefreshKeys::RefreshKeys(const jwt::KeyRing& ring) {
  for (const jwt::KeyRing::Entry& entry : ring.entries()) {
    // One secret, two purposes: two keys, derived.
    const Secret derive = entry.key.derive("moat session refresh successor v1");
    const Secret seal = entry.key.derive("moat session refresh tag v1");
    keys_.push_back({mark_of(entry.key.id()), HmacKey(derive.reveal()), HmacKey(seal.reveal())});
  }
}

const RefreshKeys::One* RefreshKeys::find(std::uint32_t mark) const {
  for (const One& key : keys_) {
    if (key.mark == mark) return &key;
  }
  return nullptr;
}

Secret RefreshKeys::sealed(std::string& body, const One& key) {
  const Digest tag = key.seal.tag(body);
  body += as_bytes(tag).substr(0, tag_bytes);
  return Secret::take(body);
}

RefreshToken RefreshKeys::begin(std::string_view key_id, Random& random) const {
  const One* key = find(mark_of(key_id));
  if (key == nullptr) key = &keys_.back();
  std::string body;
  body.reserve(body_bytes + tag_bytes);
  body += random.bytes(family_bytes);
  append_u32(body, 0);
  append_u32(body, key->mark);
  std::string secret = random.bytes(32);
  body += secret;
  wipe(secret);
  return RefreshToken(sealed(body, *key));
}

std::optional<RefreshToken> RefreshKeys::parse(std::string_view text) const {
  if (text.size() != text_characters) return std::nullopt;
  std::optional<std::string> bytes = base64url_decode(text);
  if (!bytes) return std::nullopt;
  RefreshToken token(Secret::take(*bytes));
  const One* key = find(token.key());
  if (key == nullptr) return std::nullopt;
  const std::string_view all = token.bytes_.reveal();
  const Digest tag = key->seal.tag(all.substr(0, body_bytes));
  if (!constant_time_equal(as_bytes(tag).substr(0, tag_bytes), all.substr(body_bytes))) {
    return std::nullopt;
  }
  return token;
}

RefreshToken RefreshKeys::successor(const RefreshToken& token) const {
  const One* key = find(token.key());
  if (key == nullptr) key = &keys_.back();  // parse() has seen to it
  std::string body;
  body.reserve(body_bytes + tag_bytes);
  body += token.bytes_.reveal().substr(0, family_bytes);
  append_u32(body, token.generation() + 1);
  append_u32(body, key->mark);
  // HMAC(server key, family, generation, old token).
  std::string message = body;
  message.reserve(body_bytes);
  message += token.secret();
  const Digest secret = key->derive.tag(message);
  wipe(message);
  body += as_bytes(secret);
  return RefreshToken(sealed(body, *key));
}

}  // namespace moat::session::internal
