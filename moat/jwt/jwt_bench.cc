// SPDX-License-Identifier: Apache-2.0
// What does a token of 300 bytes cost beside the signature or MAC itself? The C++ half of
// `./dev bench jwt`: `jwt_bench FOLDER` reads hs256.key (32 bytes) and es256.pem, ed25519.pem,
// rs256.pem (private) there, writes a token of each as ALG.token, and answers each line
// "WHO OP ALG MILLISECONDS" with the nanoseconds of CPU that one operation took; "?" for what
// there is not. WHO is moat or openssl, OP sign or verify.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <cstdio>
#include <ctime>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>

#include "moat/base/clock.h"
#include "moat/base/encoding.h"
#include "moat/jwt/internal/openssl.h"
#include "moat/jwt/jwt.h"

namespace {

using moat::jwt::Algorithm;
using Operation = std::function<bool()>;

const std::string issuer = "https://issuer.example";
const std::string audience = "https://api.example";
constexpr std::string_view key_id = "key-of-2026-11";

void require(bool good, const std::string& what) {
  if (!good) throw std::runtime_error(what);
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  require(file.good(), path + " cannot be read");
  return {std::istreambuf_iterator<char>(file), {}};
}

const unsigned char* raw(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::int64_t cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// The MAC alone, its two inner states prepared: the least that OpenSSL can do it with.
class PreparedHmac {
 public:
  explicit PreparedHmac(const std::string& key) {
    std::string block(64, '\0');
    for (std::size_t i = 0; i < block.size(); ++i) {
      block[i] = static_cast<char>((i < key.size() ? key[i] : 0) ^ 0x36);
    }
    SHA256_Init(&inner_);
    SHA256_Update(&inner_, block.data(), block.size());
    for (char& c : block) c = static_cast<char>(c ^ 0x36 ^ 0x5c);
    SHA256_Init(&outer_);
    SHA256_Update(&outer_, block.data(), block.size());
  }
  std::string tag(const std::string& message) const {
    unsigned char digest[32];
    SHA256_CTX state = inner_;
    SHA256_Update(&state, message.data(), message.size());
    SHA256_Final(digest, &state);
    state = outer_;
    SHA256_Update(&state, digest, sizeof digest);
    SHA256_Final(digest, &state);
    return {reinterpret_cast<const char*>(digest), sizeof digest};
  }

 private:
  SHA256_CTX inner_{};
  SHA256_CTX outer_{};
};

// One algorithm: its key in both forms, a token, and what is done with them.
class Case {
 public:
  Case(const std::string& folder, const std::string& file, Algorithm algorithm)
      : algorithm_(algorithm) {
    const std::string text = read(folder + "/" + file);
    const bool secret = algorithm == Algorithm::hs256;
    std::string copy = text;
    auto key = secret ? moat::jwt::Key::from_secret(moat::Secret::take(copy), algorithm, key_id)
                      : moat::jwt::Key::from_pem(text, algorithm, key_id);
    require(key.has_value(), file + " is no key for it");
    key_ = *std::move(key);
    moat::jwt::KeySet keys;
    require(keys.add(*key_).has_value(), "the key set refuses the key");
    moat::jwt::Options options;
    options.audiences = {audience};
    options.issuers = {issuer};
    options.allow_rsa_pkcs1 = algorithm == Algorithm::rs256;
    verifier_.emplace(std::move(keys), std::move(options));
    require(sign(), "Moat cannot sign");
    require(verify(), "Moat refuses its own token");
    const std::size_t dot = token_.rfind('.');
    signing_input_ = token_.substr(0, dot);
    signature_ = moat::base64url_decode(token_.substr(dot + 1)).value();
    if (secret) {
      hmac_.emplace(text);
    } else {
      const moat::jwt::internal::Bio bio(
          BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
      pkey_.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
      require(bare_sign(), "OpenSSL cannot sign");
      signature_ = bare_;
    }
    std::ofstream(folder + "/" + file.substr(0, file.find('.')) + ".token") << token_;
  }

  bool sign() {
    moat::jwt::SignOptions options;
    options.issuer = issuer;
    options.subject = "8c1f0e52a7";
    options.audience = audience;
    options.id = "pQ3xT7vKz1YdM0aB";
    auto token = moat::jwt::sign({{"roles", moat::json::Array{"user"}}}, *key_, options,
                                 moat::system_clock().now());
    if (!token) return false;
    token_ = *std::move(token);
    return true;
  }
  bool verify() const {
    const auto verified =
        verifier_->verify(moat::jwt::Unverified{token_}, moat::system_clock().now());
    return verified.has_value() && !verified->subject().empty();
  }

  bool bare_sign() {
    if (hmac_) return !hmac_->tag(signing_input_).empty();
    std::string out(1024, '\0');
    std::size_t length = out.size();
    const moat::jwt::internal::EvpDigestContext context(EVP_MD_CTX_new());
    const bool good = EVP_DigestSignInit_ex(context.get(), nullptr, digest(), nullptr, nullptr,
                                            pkey_.get(), nullptr) == 1 &&
                      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()),
                                     &length, raw(signing_input_), signing_input_.size()) == 1;
    out.resize(length);
    bare_ = std::move(out);
    return good;
  }
  bool bare_verify() const {
    if (hmac_) {
      const std::string tag = hmac_->tag(signing_input_);
      return CRYPTO_memcmp(tag.data(), signature_.data(), tag.size()) == 0;
    }
    const moat::jwt::internal::EvpDigestContext context(EVP_MD_CTX_new());
    return EVP_DigestVerifyInit_ex(context.get(), nullptr, digest(), nullptr, nullptr, pkey_.get(),
                                   nullptr) == 1 &&
           EVP_DigestVerify(context.get(), raw(signature_), signature_.size(), raw(signing_input_),
                            signing_input_.size()) == 1;
  }

 private:
  const char* digest() const { return algorithm_ == Algorithm::ed25519 ? nullptr : "SHA256"; }

  Algorithm algorithm_;
  std::optional<moat::jwt::Key> key_;
  std::optional<moat::jwt::Verifier> verifier_;
  std::string token_;
  std::string signing_input_;
  std::string signature_;  // in the form that OpenSSL takes
  std::string bare_;
  std::optional<PreparedHmac> hmac_;
  moat::jwt::internal::EvpKey pkey_;
};

double nanoseconds_each(const Operation& operation, std::int64_t milliseconds) {
  const std::int64_t begin = cpu_ns();
  std::int64_t spent = 0;
  std::int64_t count = 0;
  for (std::int64_t batch = 1; spent < milliseconds * 1'000'000;
       batch = batch < 256 ? 2 * batch : 256) {
    for (std::int64_t i = 0; i < batch; ++i) require(operation(), "an operation failed");
    count += batch;
    spent = cpu_ns() - begin;
  }
  return static_cast<double>(spent) / static_cast<double>(count);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: jwt_bench FOLDER\n", stderr);
    return 2;
  }
  const std::string folder = argv[1];
  std::map<std::string, Case> cases;
  cases.try_emplace("HS256", folder, "hs256.key", Algorithm::hs256);
  cases.try_emplace("ES256", folder, "es256.pem", Algorithm::es256);
  cases.try_emplace("Ed25519", folder, "ed25519.pem", Algorithm::ed25519);
  cases.try_emplace("RS256", folder, "rs256.pem", Algorithm::rs256);
  std::puts("ready");
  std::fflush(stdout);
  std::string who;
  std::string what;
  std::string algorithm;
  std::int64_t milliseconds = 0;
  while (std::cin >> who >> what >> algorithm >> milliseconds) {
    const auto found = cases.find(algorithm);
    const bool known = found != cases.end() && (who == "moat" || who == "openssl") &&
                       (what == "sign" || what == "verify");
    if (!known) {
      std::puts("?");
    } else {
      Case& one = found->second;
      const bool ours = who == "moat";
      const Operation operation =
          what == "sign" ? Operation([&] { return ours ? one.sign() : one.bare_sign(); })
                         : Operation([&] { return ours ? one.verify() : one.bare_verify(); });
      std::printf("%.1f\n", nanoseconds_each(operation, milliseconds));
    }
    std::fflush(stdout);
  }
  return 0;
}
