// SPDX-License-Identifier: Apache-2.0
#include "moat/doctor/internal/chain.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

namespace moat::doctor::internal {
namespace {

using Key = std::shared_ptr<EVP_PKEY>;
using Cert = std::shared_ptr<X509>;

Key own(EVP_PKEY* key) { return Key(key, EVP_PKEY_free); }
Key new_key() { return own(EVP_EC_gen("P-256")); }

struct Made {
  Cert certificate;
  Key key;
  std::string der() const {
    unsigned char* data = nullptr;
    const int size = i2d_X509(certificate.get(), &data);
    std::string out(reinterpret_cast<char*>(data), static_cast<std::size_t>(size));
    OPENSSL_free(data);
    return out;
  }
  std::string pem() const {
    BIO* const bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate.get());
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string out(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    return out;
  }
};

struct Order {
  std::string name;
  const Made* issuer = nullptr;  // null: itself
  bool authority = false;
  std::string names = "DNS:example.com";
  std::string usage = "serverAuth";
  Key key{};
  const EVP_MD* digest = EVP_sha256();
  std::string feature{};
};

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  if (value.empty()) return;
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Made make(const Order& order) {
  static long serial = 0;
  Made out;
  out.key = order.key ? order.key : new_key();
  out.certificate = Cert(X509_new(), X509_free);
  X509* const x = out.certificate.get();
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(order.name.data()),
                             static_cast<int>(order.name.size()), -1, 0);
  const Made& issuer = order.issuer != nullptr ? *order.issuer : out;
  X509_set_issuer_name(x, X509_get_subject_name(issuer.certificate.get()));
  ASN1_TIME_set_string_X509(X509_getm_notBefore(x), "20200101000000Z");
  ASN1_TIME_set_string_X509(X509_getm_notAfter(x), "20200201000000Z");
  X509_set_pubkey(x, out.key.get());
  X509* const by = issuer.certificate.get();
  extend(x, by, NID_basic_constraints, order.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  extend(x, by, NID_subject_key_identifier, "hash");
  if (order.authority) {
    extend(x, by, NID_key_usage, "critical,keyCertSign");
  } else {
    extend(x, by, NID_subject_alt_name, order.names);
    extend(x, by, NID_ext_key_usage, order.usage);
    extend(x, by, NID_tlsfeature, order.feature);
  }
  X509_sign(x, issuer.key.get(), order.digest);
  return out;
}

struct Pki {
  Made root = make({"root", nullptr, true});
  Made middle = make({"middle", &root, true});
  Made leaf = make({"leaf", &middle});
};
const Pki& pki() {
  static const Pki made;
  return made;
}

ChainFacts examine(const std::vector<std::string>& sent, const std::string& trusted,
                   const std::string& host = "example.com") {
  const auto roots = Roots::create(trusted);
  EXPECT_TRUE(roots);
  auto facts = examine_chain(sent, *roots, host);
  EXPECT_TRUE(facts);
  return std::move(*facts);
}

TEST(Chain, AWholeOneIsTrustedWhateverTheTime) {
  const ChainFacts facts = examine({pki().leaf.der(), pki().middle.der()}, pki().root.pem());
  EXPECT_EQ(facts.trust, Trust::trusted) << facts.trust_detail;
  EXPECT_TRUE(facts.in_order);
  EXPECT_TRUE(facts.name_matches);
  EXPECT_FALSE(facts.root_sent);
  EXPECT_FALSE(facts.must_staple);
  ASSERT_EQ(facts.sent.size(), 2u);
  ASSERT_EQ(facts.path.size(), 2u) << "without the root";
  const CertificateFacts& leaf = facts.sent[0];
  EXPECT_EQ(leaf.subject, "CN = leaf");
  EXPECT_EQ(leaf.issuer, "CN = middle");
  EXPECT_EQ(leaf.names, std::vector<std::string>{"example.com"});
  EXPECT_EQ(format_rfc3339(leaf.not_before), "2020-01-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339(leaf.not_after), "2020-02-01T00:00:00Z");
  EXPECT_EQ(leaf.key, "EC 256");
  EXPECT_EQ(leaf.signature, "ecdsa-with-SHA256");
  EXPECT_FALSE(leaf.weak_key || leaf.weak_signature || leaf.self_signed);
}

TEST(Chain, WithoutItsIntermediateItIsIncomplete) {
  EXPECT_EQ(examine({pki().leaf.der()}, pki().root.pem()).trust, Trust::incomplete);
  // Whose intermediate is trusted needs none.
  EXPECT_EQ(examine({pki().leaf.der()}, pki().middle.pem()).trust, Trust::trusted);
}

TEST(Chain, OfAnotherRootIsNotTrusted) {
  const Made other = make({"other", nullptr, true});
  const std::vector<std::string> whole = {pki().leaf.der(), pki().middle.der(), pki().root.der()};
  const ChainFacts facts = examine(whole, other.pem());
  EXPECT_EQ(facts.trust, Trust::unknown_root);
  EXPECT_TRUE(facts.root_sent);
  EXPECT_TRUE(facts.path.empty());
  EXPECT_EQ(examine(whole, pki().root.pem()).trust, Trust::trusted);
}

TEST(Chain, ARootOfTheSameNameSignedNothing) {
  const Made impostor = make({"root", nullptr, true});
  EXPECT_NE(examine({pki().leaf.der(), pki().middle.der()}, impostor.pem()).trust, Trust::trusted);
}

TEST(Chain, ACertificateThatSignedItselfIsTrustedOnlyByName) {
  const Made alone = make({"alone"});
  const ChainFacts facts = examine({alone.der()}, pki().root.pem());
  EXPECT_EQ(facts.trust, Trust::self_signed);
  EXPECT_TRUE(facts.sent[0].self_signed);
  EXPECT_FALSE(facts.root_sent) << "one certificate is no chain";
  EXPECT_EQ(examine({alone.der()}, alone.pem()).trust, Trust::trusted);
}

TEST(Chain, OrderIsWhoSignedWhom) {
  const Made unrelated = make({"unrelated", &pki().root, true});
  const std::string leaf = pki().leaf.der(), middle = pki().middle.der(), root = pki().root.der();
  EXPECT_TRUE(examine({leaf, middle, root}, pki().root.pem()).in_order);
  EXPECT_FALSE(examine({leaf, root, middle}, pki().root.pem()).in_order);
  EXPECT_FALSE(examine({leaf, unrelated.der(), middle}, pki().root.pem()).in_order);
  EXPECT_EQ(examine({leaf, root, middle}, pki().root.pem()).trust, Trust::trusted);
}

TEST(Chain, TheNameIsOneOfTheAlternativeNames) {
  const auto matches = [](const std::string& names, const std::string& host) {
    const Made made = make({"common.example", nullptr, false, names});
    return examine({made.der()}, made.pem(), host).name_matches;
  };
  EXPECT_TRUE(matches("DNS:a.example,DNS:b.example", "b.example"));
  EXPECT_FALSE(matches("DNS:a.example", "b.example"));
  EXPECT_FALSE(matches("DNS:a.example", "common.example")) << "the common name is none";
  EXPECT_FALSE(matches("", "common.example"));
  EXPECT_TRUE(matches("DNS:*.example.com", "a.example.com"));
  EXPECT_FALSE(matches("DNS:*.example.com", "a.b.example.com"));
  EXPECT_FALSE(matches("DNS:*.example.com", "example.com"));
  EXPECT_FALSE(matches("DNS:a*.example.com", "ab.example.com"));
  EXPECT_TRUE(matches("IP:127.0.0.1", "127.0.0.1"));
  EXPECT_TRUE(matches("IP:::1", "::1"));
  EXPECT_FALSE(matches("DNS:127.0.0.1", "127.0.0.1"));
  EXPECT_FALSE(matches("IP:127.0.0.1", "127.0.0.2"));
}

TEST(Chain, NamesAreListedWithAddresses) {
  const Made made = make({"x", nullptr, false, "DNS:a.example,IP:192.0.2.1,IP:2001:db8::1"});
  EXPECT_EQ(examine({made.der()}, made.pem()).sent[0].names,
            (std::vector<std::string>{"a.example", "192.0.2.1", "2001:db8::1"}));
}

TEST(Chain, KeysAreWeakBelowTheirLimits) {
  const auto weak = [](Key key) {
    Order order{"x"};
    order.key = std::move(key);
    const Made made = make(order);
    return examine({made.der()}, made.pem()).sent[0].weak_key;
  };
  EXPECT_TRUE(weak(own(EVP_RSA_gen(1024))));
  EXPECT_FALSE(weak(own(EVP_RSA_gen(2048))));
  EXPECT_TRUE(weak(own(EVP_EC_gen("P-224"))));
  EXPECT_FALSE(weak(own(EVP_EC_gen("P-256"))));
  EXPECT_FALSE(weak(own(EVP_EC_gen("P-384"))));
}

TEST(Chain, SignaturesWithSha1AreWeak) {
  Order order{"x", &pki().middle};
  EXPECT_FALSE(examine({make(order).der()}, pki().middle.pem()).sent[0].weak_signature);
  order.digest = EVP_sha1();
  EXPECT_TRUE(examine({make(order).der()}, pki().middle.pem()).sent[0].weak_signature);
  order.digest = EVP_sha384();
  EXPECT_FALSE(examine({make(order).der()}, pki().middle.pem()).sent[0].weak_signature);
}

TEST(Chain, KnowsForWhatItMayBeUsed) {
  Order order{"x", &pki().middle};
  order.usage = "clientAuth";
  EXPECT_EQ(examine({make(order).der()}, pki().middle.pem()).trust, Trust::wrong_purpose);
  order.usage = "serverAuth,clientAuth";
  EXPECT_EQ(examine({make(order).der()}, pki().middle.pem()).trust, Trust::trusted);
}

TEST(Chain, AnAuthorityThatIsNoneIsRefused) {
  const Made no_authority = make({"no authority", &pki().root});
  const Made leaf = make({"x", &no_authority});
  const ChainFacts facts = examine({leaf.der(), no_authority.der()}, pki().root.pem());
  EXPECT_NE(facts.trust, Trust::trusted);
}

TEST(Chain, MustStapleIsSeen) {
  Order order{"x", &pki().middle};
  order.feature = "status_request";
  EXPECT_TRUE(examine({make(order).der()}, pki().middle.pem()).must_staple);
  order.feature = "status_request_v2";
  EXPECT_FALSE(examine({make(order).der()}, pki().middle.pem()).must_staple);
}

TEST(Chain, TenCertificatesAreLookedAt) {
  for (const std::size_t count : {std::size_t{9}, std::size_t{10}, std::size_t{11}}) {
    const ChainFacts facts =
        examine(std::vector<std::string>(count, pki().leaf.der()), pki().root.pem());
    EXPECT_EQ(facts.sent_count, count);
    EXPECT_EQ(facts.sent.size(), std::min<std::size_t>(count, 10));
  }
}

TEST(Chain, WhatIsNoCertificateEndsIt) {
  const auto roots = Roots::create(pki().root.pem());
  EXPECT_FALSE(examine_chain({}, *roots, "example.com"));
  EXPECT_FALSE(examine_chain({"junk"}, *roots, "example.com"));
  const std::string leaf = pki().leaf.der();
  for (std::size_t size = 0; size < leaf.size(); size += 7)
    EXPECT_FALSE(examine_chain({leaf.substr(0, size)}, *roots, "example.com")) << size;
  const auto facts = examine_chain({leaf, "junk"}, *roots, "example.com");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->sent.size(), 1u);
  EXPECT_EQ(facts->sent_count, 2u);
}

TEST(Roots, AreCertificatesInPem) {
  EXPECT_TRUE(Roots::create(pki().root.pem() + pki().middle.pem()));
  EXPECT_TRUE(Roots::create("")) << "the system's";
  EXPECT_FALSE(Roots::create("junk"));
  EXPECT_FALSE(Roots::create("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
  EXPECT_FALSE(Roots::create(pki().root.pem() +
                             "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
}

}  // namespace
}  // namespace moat::doctor::internal
