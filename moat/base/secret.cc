// SPDX-License-Identifier: Apache-2.0
#include "moat/base/secret.h"

#include <openssl/crypto.h>

namespace moat {

void wipe(std::string& text) {
  text.resize(text.capacity());  // the bytes behind the end may have been used before
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Secret Secret::take(std::string& source) {
  Secret out = copy_of(source);
  wipe(source);
  return out;
}

Secret Secret::copy_of(std::string_view bytes) {
  Secret out;
  out.bytes_.assign(bytes);
  return out;
}

// A short string lives inside the object, so moving it copies: the source is wiped, not only
// emptied.
Secret::Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { wipe(other.bytes_); }

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  wipe(bytes_);
  bytes_ = std::move(other.bytes_);
  wipe(other.bytes_);
  return *this;
}

Secret::~Secret() { wipe(bytes_); }

bool Secret::equals(std::string_view other) const { return constant_time_equal(bytes_, other); }

}  // namespace moat
