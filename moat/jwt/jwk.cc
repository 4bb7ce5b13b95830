// SPDX-License-Identifier: Apache-2.0
#include "moat/jwt/internal/jwk.h"

#include <openssl/core_names.h>
#include <openssl/err.h>

#include <array>
#include <vector>

#include "moat/base/encoding.h"
#include "moat/base/hash.h"

namespace moat::jwt::internal {

namespace {

const unsigned char* raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* raw(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

struct RsaMember {
  const char* jwk;
  const char* openssl;
};
constexpr std::array<RsaMember, 6> rsa_private{{{"d", OSSL_PKEY_PARAM_RSA_D},
                                                {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
                                                {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},
                                                {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
                                                {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2},
                                                {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}}};

// A base64url member of exactly `size` bytes (any size when 0).
std::optional<std::string> bytes_of(const json::Value& jwk, std::string_view name,
                                    std::size_t size) {
  const json::Value* member = jwk.find(name);
  const std::string* text = member == nullptr ? nullptr : member->as_string();
  if (text == nullptr || text->empty() || text->size() > 4096) return std::nullopt;
  std::optional<std::string> bytes = base64url_decode(*text);
  if (!bytes || (size != 0 && bytes->size() != size)) return std::nullopt;
  return bytes;
}

BigNumber number_of(const json::Value& jwk, std::string_view name, std::size_t size) {
  std::optional<std::string> bytes = bytes_of(jwk, name, size);
  // RFC 7518 section 2: a Base64urlUInt has no leading zero octets.
  if (!bytes || (size == 0 && bytes->front() == '\0')) return nullptr;
  BigNumber out(BN_bin2bn(raw(*bytes), static_cast<int>(bytes->size()), nullptr));
  wipe(*bytes);
  return out;
}

std::string encode_number(EVP_PKEY* pkey, const char* name, std::size_t size) {
  BIGNUM* value = nullptr;
  if (EVP_PKEY_get_bn_param(pkey, name, &value) != 1) return {};
  const BigNumber number(value);
  const std::size_t length = size != 0 ? size : static_cast<std::size_t>(BN_num_bytes(value));
  std::string bytes(length, '\0');
  if (BN_bn2binpad(value, raw(bytes), static_cast<int>(length)) < 0) return {};
  std::string out = base64url_encode(bytes);
  wipe(bytes);
  return out;
}

EvpKey from_data(const char* type, const ParamBuilder& builder, bool with_private) {
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  const EvpKeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, with_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                        params.get()) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  return EvpKey(key);
}

EvpKey build_ec(const json::Value& jwk, const Facts& fact, bool with_private) {
  const std::optional<std::string> x = bytes_of(jwk, "x", fact.bytes);
  const std::optional<std::string> y = bytes_of(jwk, "y", fact.bytes);
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (!x || !y || !builder) return nullptr;
  const std::string point = "\x04" + *x + *y;  // SEC 1 section 2.3.3, uncompressed
  BigNumber d;
  if (OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, fact.group, 0) !=
          1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return nullptr;
  }
  if (with_private) {
    d = number_of(jwk, "d", fact.bytes);
    if (!d || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, d.get()) != 1) {
      return nullptr;
    }
  }
  return from_data("EC", builder, with_private);
}

EvpKey build_rsa(const json::Value& jwk, bool with_private) {
  const BigNumber n = number_of(jwk, "n", 0);
  const BigNumber e = number_of(jwk, "e", 0);
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return nullptr;
  }
  std::vector<BigNumber> numbers;
  if (with_private) {
    // RFC 7518 section 6.3.2: "d" alone, or all of them. More than two primes ("oth") is not
    // supported.
    const bool factors = jwk.find("p") != nullptr;
    if (jwk.find("oth") != nullptr) return nullptr;
    for (const RsaMember& member : rsa_private) {
      if (!factors && std::string_view(member.jwk) != "d") continue;
      numbers.push_back(number_of(jwk, member.jwk, 0));
      if (!numbers.back() ||
          OSSL_PARAM_BLD_push_BN(builder.get(), member.openssl, numbers.back().get()) != 1) {
        return nullptr;
      }
    }
  }
  return from_data("RSA", builder, with_private);
}

EvpKey build_ed25519(const json::Value& jwk, const Facts& fact, bool with_private) {
  const std::optional<std::string> x = bytes_of(jwk, "x", fact.bytes);
  if (!x) return nullptr;
  if (!with_private) {
    return EvpKey(EVP_PKEY_new_raw_public_key_ex(nullptr, fact.group, nullptr, raw(*x), x->size()));
  }
  std::optional<std::string> d = bytes_of(jwk, "d", fact.bytes);
  if (!d) return nullptr;
  EvpKey key(EVP_PKEY_new_raw_private_key_ex(nullptr, fact.group, nullptr, raw(*d), d->size()));
  wipe(*d);
  std::string own(fact.bytes, '\0');
  std::size_t length = own.size();
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), raw(own), &length) != 1 || own != *x) {
    return nullptr;
  }
  return key;
}

}  // namespace

EvpKey build_key(const json::Value& jwk, const Facts& fact, bool with_private) {
  switch (fact.kind) {
    case Kind::ecdsa:
      return build_ec(jwk, fact, with_private);
    case Kind::ed25519:
      return build_ed25519(jwk, fact, with_private);
    case Kind::pss:
    case Kind::pkcs1:
      return build_rsa(jwk, with_private);
    case Kind::hmac:
      break;
  }
  return nullptr;
}

EvpKey generate_key(const Facts& fact, Random& random) {
  if (fact.kind == Kind::ed25519) {
    // RFC 8032 section 5.1.5: the private key is 32 random bytes.
    std::string seed = random.bytes(fact.bytes);
    EvpKey key(
        EVP_PKEY_new_raw_private_key_ex(nullptr, fact.group, nullptr, raw(seed), seed.size()));
    wipe(seed);
    return key;
  }
  if (fact.kind == Kind::ecdsa) return EvpKey(EVP_EC_gen(fact.group));
  return nullptr;
}

json::Object public_members(EVP_PKEY* pkey, const Facts& fact) {
  switch (fact.kind) {
    case Kind::ecdsa:
      return {{"crv", fact.curve},
              {"kty", "EC"},
              {"x", encode_number(pkey, OSSL_PKEY_PARAM_EC_PUB_X, fact.bytes)},
              {"y", encode_number(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, fact.bytes)}};
    case Kind::ed25519: {
      std::string bytes(fact.bytes, '\0');
      std::size_t length = bytes.size();
      EVP_PKEY_get_raw_public_key(pkey, raw(bytes), &length);
      return {{"crv", fact.curve}, {"kty", "OKP"}, {"x", base64url_encode(bytes)}};
    }
    case Kind::pss:
    case Kind::pkcs1:
      return {{"e", encode_number(pkey, OSSL_PKEY_PARAM_RSA_E, 0)},
              {"kty", "RSA"},
              {"n", encode_number(pkey, OSSL_PKEY_PARAM_RSA_N, 0)}};
    case Kind::hmac:
      break;
  }
  return {};
}

json::Object private_members(EVP_PKEY* pkey, const Facts& fact) {
  if (fact.kind == Kind::ecdsa) {
    return {{"d", encode_number(pkey, OSSL_PKEY_PARAM_PRIV_KEY, fact.bytes)}};
  }
  if (fact.kind == Kind::ed25519) {
    std::string bytes(fact.bytes, '\0');
    std::size_t length = bytes.size();
    EVP_PKEY_get_raw_private_key(pkey, raw(bytes), &length);
    json::Object out{{"d", base64url_encode(bytes)}};
    wipe(bytes);
    return out;
  }
  json::Object out;
  for (const RsaMember& member : rsa_private) {
    std::string text = encode_number(pkey, member.openssl, 0);
    if (text.empty()) break;  // a key that was given by "d" alone
    out.emplace_back(member.jwk, std::move(text));
  }
  return out;
}

std::string thumbprint_of(EVP_PKEY* pkey, const Facts& fact) {
  const json::Value members(public_members(pkey, fact));
  return base64url_encode(as_bytes(sha256(json::serialize(members))));
}

}  // namespace moat::jwt::internal
