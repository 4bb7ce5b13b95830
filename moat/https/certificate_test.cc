// SPDX-License-Identifier: Apache-2.0
#include "moat/https/certificate.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "moat/https/internal/testing.h"

namespace moat::https {
namespace {

using testing::present;

const Time now = from_unix_seconds(1'800'000'000);

// A certificate for "a.test" of any key and hash, signed by itself.
struct Custom {
  OwnedKey key;
  const EVP_MD* digest = EVP_sha256();
  std::vector<Extension> extensions{{NID_subject_alt_name, "DNS:a.test"}};
};

std::string pem_of(X509* certificate) {
  const OwnedBio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

Issued make(const Custom& custom) {
  // Made with a P-256 key first, then given another key and signature.
  const Pair pair =
      issue({"test", now - std::chrono::hours{1}, now + std::chrono::days{30}, custom.extensions},
            nullptr);
  X509_set_pubkey(pair.certificate.get(), custom.key.get());
  EXPECT_GT(X509_sign(pair.certificate.get(), custom.key.get(), custom.digest), 0);
  return {pem_of(pair.certificate.get()), key_to_pem(custom.key.get())};
}

OwnedKey rsa(unsigned bits) { return OwnedKey(EVP_RSA_gen(bits)); }
OwnedKey ec(const char* curve) { return OwnedKey(EVP_EC_gen(curve)); }

std::optional<CertificateError> refusal(std::string_view chain, const Secret& key, Time at = now) {
  const auto result = Certificate::from_pem(chain, key, at);
  return result ? std::nullopt : std::optional(result.error());
}
std::optional<CertificateError> refusal(const Issued& issued, Time at = now) {
  return refusal(issued.certificate, issued.key, at);
}

TEST(Certificate, TellsWhatItIs) {
  const Issued issued = make(
      {ec("P-256"),
       EVP_sha256(),
       {{NID_subject_alt_name, "DNS:Example.COM,DNS:*.example.com,IP:192.0.2.7,IP:2001:db8::1"}}});
  const auto certificate = Certificate::from_pem(issued.certificate, issued.key, now);
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->names(),
            (std::vector<std::string>{"example.com", "*.example.com", "192.0.2.7", "2001:db8::1"}));
  EXPECT_EQ(certificate->not_before(), now - std::chrono::hours{1});
  EXPECT_EQ(certificate->not_after(), now + std::chrono::days{30});
  EXPECT_EQ(certificate->fingerprint().size(), 64u);
  EXPECT_EQ(certificate->fingerprint(), certificate_fingerprint(issued.certificate));
  EXPECT_EQ(certificate->key_kind(), KeyKind::p256);
  EXPECT_TRUE(certificate->self_signed());
  EXPECT_TRUE(certificate->warnings().empty());
}

TEST(Certificate, CoversItsNamesAndOneLabelUnderAWildcard) {
  const Issued issued =
      make({ec("P-256"),
            EVP_sha256(),
            {{NID_subject_alt_name, "DNS:example.com,DNS:*.example.com,IP:192.0.2.7,IP:::1"}}});
  const auto certificate = Certificate::from_pem(issued.certificate, issued.key, now);
  ASSERT_TRUE(certificate);
  for (const char* yes : {"example.com", "EXAMPLE.com", "www.example.com", "192.0.2.7", "::1"})
    EXPECT_TRUE(certificate->covers(yes)) << yes;
  for (const char* no : {"", "com", "a.b.example.com", ".example.com", "example.org",
                         "evilexample.com", "192.0.2.8", "::2", "*.example.com.evil"})
    EXPECT_FALSE(certificate->covers(no)) << no;
}

TEST(Certificate, KeysOfFourKindsAreTaken) {
  EXPECT_EQ(refusal(make({ec("P-256")})), std::nullopt);
  EXPECT_EQ(refusal(make({ec("P-384"), EVP_sha384()})), std::nullopt);
  EXPECT_EQ(refusal(make({rsa(3072)})), std::nullopt);
  Custom edwards{OwnedKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")), nullptr};
  const Issued issued = make(edwards);
  const auto certificate = Certificate::from_pem(issued.certificate, issued.key, now);
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->warnings(), std::vector{CertificateWarning::ed25519_unknown_to_browsers});
}

TEST(Certificate, Rsa2048IsTakenWithAWarningAndLessIsRefused) {
  const Issued issued = make({rsa(2048)});
  const auto certificate = Certificate::from_pem(issued.certificate, issued.key, now);
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->warnings(), std::vector{CertificateWarning::rsa_below_3072});
  EXPECT_EQ(refusal(make({rsa(2047)})), CertificateError::weak_key);
  EXPECT_EQ(refusal(make({rsa(1024)})), CertificateError::weak_key);
}

TEST(Certificate, OtherCurvesAreRefused) {
  EXPECT_EQ(refusal(make({ec("secp256k1")})), CertificateError::unsupported_key);
  EXPECT_EQ(refusal(make({ec("P-521")})), CertificateError::unsupported_key);
  EXPECT_EQ(refusal(make({ec("P-224")})), CertificateError::unsupported_key);
}

TEST(Certificate, Sha1AndMd5SignaturesAreRefused) {
  EXPECT_EQ(refusal(make({rsa(2048), EVP_sha1()})), CertificateError::weak_signature);
  EXPECT_EQ(refusal(make({ec("P-256"), EVP_sha1()})), CertificateError::weak_signature);
  EXPECT_EQ(refusal(make({rsa(2048), EVP_sha224()})), CertificateError::weak_signature);
}

TEST(Certificate, TheKeyMustBeItsOwn) {
  const Issued one = make({ec("P-256")});
  const Issued other = make({ec("P-256")});
  EXPECT_EQ(refusal(one.certificate, other.key), CertificateError::key_mismatch);
  const Issued third = make({rsa(2048)});
  EXPECT_EQ(refusal(one.certificate, third.key), CertificateError::key_mismatch);
}

TEST(Certificate, IsValidFromItsFirstSecondToItsLast) {
  const Issued issued = make({ec("P-256")});
  const Time begin = now - std::chrono::hours{1};
  const Time end = now + std::chrono::days{30};
  EXPECT_EQ(refusal(issued, begin), std::nullopt);
  EXPECT_EQ(refusal(issued, begin - std::chrono::seconds{1}), CertificateError::not_yet_valid);
  EXPECT_EQ(refusal(issued, end), std::nullopt);
  EXPECT_EQ(refusal(issued, end + std::chrono::seconds{1}), CertificateError::expired);
}

TEST(Certificate, WithoutAlternativeNamesIsRefused) {
  EXPECT_EQ(refusal(make({ec("P-256"), EVP_sha256(), {}})), CertificateError::no_names);
}

TEST(Certificate, ForClientsOrCodeIsRefused) {
  const auto with_use = [](const char* use) {
    return make({ec("P-256"),
                 EVP_sha256(),
                 {{NID_subject_alt_name, "DNS:a.test"}, {NID_ext_key_usage, use}}});
  };
  EXPECT_EQ(refusal(with_use("serverAuth,clientAuth")), std::nullopt);
  EXPECT_EQ(refusal(with_use("clientAuth")), CertificateError::wrong_purpose);
  EXPECT_EQ(refusal(with_use("codeSigning")), CertificateError::wrong_purpose);
}

TEST(Certificate, OfAClientIsForClientsAndNeedsNoNames) {
  const auto refused = [](std::vector<Extension> extensions) {
    const Issued issued = make({ec("P-256"), EVP_sha256(), std::move(extensions)});
    const auto result =
        Certificate::from_pem(issued.certificate, issued.key, now, CertificateUse::client);
    return result ? std::nullopt : std::optional(result.error());
  };
  EXPECT_EQ(refused({}), std::nullopt);
  EXPECT_EQ(refused({{NID_ext_key_usage, "clientAuth"}}), std::nullopt);
  EXPECT_EQ(refused({{NID_ext_key_usage, "serverAuth,clientAuth"}}), std::nullopt);
  EXPECT_EQ(refused({{NID_ext_key_usage, "serverAuth"}}), CertificateError::wrong_purpose);
}

TEST(Certificate, TextThatIsNoChainIsRefused) {
  const Issued good = make({ec("P-256")});
  EXPECT_EQ(refusal("", good.key), CertificateError::malformed_chain);
  EXPECT_EQ(refusal("hello", good.key), CertificateError::malformed_chain);
  EXPECT_EQ(refusal(good.certificate.substr(0, good.certificate.size() - 30), good.key),
            CertificateError::malformed_chain);
  EXPECT_EQ(refusal(good.certificate + "-----BEGIN CERTIFICATE-----\nAAAA\n", good.key),
            CertificateError::malformed_chain);
  // Words around the blocks are what `openssl x509 -text` writes.
  EXPECT_EQ(refusal("subject: a\n" + good.certificate + "the end\n", good.key), std::nullopt);
}

TEST(Certificate, AKeyInTheChainFileIsRefused) {
  const Issued good = make({ec("P-256")});
  EXPECT_EQ(refusal(good.certificate + std::string(good.key.reveal()), good.key),
            CertificateError::foreign_block);
}

TEST(Certificate, AnEndlessChainIsRefused) {
  const Issued good = make({ec("P-256")});
  std::string many;
  for (int i = 0; i < 9; ++i) many += good.certificate;
  EXPECT_EQ(refusal(many, good.key), CertificateError::malformed_chain);
  EXPECT_EQ(refusal(good.certificate + std::string(70000, '\n'), good.key),
            CertificateError::malformed_chain);
}

TEST(Certificate, AKeyThatCannotBeReadIsRefused) {
  const Issued good = make({ec("P-256")});
  EXPECT_EQ(refusal(good.certificate, Secret()), CertificateError::malformed_key);
  EXPECT_EQ(refusal(good.certificate, Secret::copy_of("-----BEGIN PRIVATE KEY-----\nAAAA\n")),
            CertificateError::malformed_key);
  // Under a pass phrase: refused at once, not asked for at a terminal.
  const OwnedKey key = ec("P-256");
  const OwnedBio bio(BIO_new(BIO_s_mem()));
  ASSERT_EQ(PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), EVP_aes_128_cbc(), "abcdef", 6,
                                          nullptr, nullptr),
            1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  EXPECT_EQ(refusal(good.certificate, Secret::copy_of({data, static_cast<std::size_t>(size)})),
            CertificateError::encrypted_key);
}

TEST(Certificate, TheChainIsInOrder) {
  const LocalCa ca = LocalCa::create({}).value();
  const LocalCaState state = ca.make(now).value();
  const std::string& full = state.leaf.certificate;
  const std::string leaf = full.substr(0, full.size() - state.intermediate.certificate.size());
  EXPECT_EQ(refusal(full, state.leaf.key), std::nullopt);
  EXPECT_EQ(refusal(leaf + state.root.certificate, state.leaf.key), CertificateError::broken_chain);
  EXPECT_EQ(refusal(state.intermediate.certificate + leaf, state.leaf.key),
            CertificateError::broken_chain);
  const LocalCaState stranger = ca.make(now).value();
  EXPECT_EQ(refusal(leaf + stranger.intermediate.certificate, state.leaf.key),
            CertificateError::broken_chain);

  const auto alone = Certificate::from_pem(leaf, state.leaf.key, now);
  ASSERT_TRUE(alone);
  EXPECT_EQ(alone->warnings(), std::vector{CertificateWarning::missing_intermediate});
  EXPECT_FALSE(alone->self_signed());
  const auto long_one = Certificate::from_pem(full + state.root.certificate, state.leaf.key, now);
  ASSERT_TRUE(long_one);
  EXPECT_EQ(long_one->warnings(), std::vector{CertificateWarning::root_in_chain});
}

TEST(Certificate, RefusalsLeaveNoErrorsBehind) {
  ERR_clear_error();
  EXPECT_TRUE(refusal("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", Secret()));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

// RFC 9773 appendix A: a certificate whose key identifier and serial number give
// aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE (the serial number 00:87:65:43:21 keeps its zero byte).
TEST(Certificate, TheRenewalIdIsThatOfTheStandard) {
  const Pair issuer = issue({"ca", now, now + std::chrono::days{1}, {}}, nullptr);
  const Pair leaf = issue(
      {"leaf", now, now + std::chrono::days{1}, {{NID_subject_alt_name, "DNS:a.test"}}}, &issuer);
  const Owned<BIGNUM, BN_free> serial([] {
    BIGNUM* number = nullptr;
    BN_hex2bn(&number, "87654321");
    return number;
  }());
  BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(leaf.certificate.get()));
  AUTHORITY_KEYID* const id = AUTHORITY_KEYID_new();
  id->keyid = ASN1_OCTET_STRING_new();
  const unsigned char bytes[] = {0x69, 0x88, 0x5B, 0x6B, 0x87, 0x46, 0x40, 0x41, 0xE1, 0xB3,
                                 0x7B, 0x84, 0x7B, 0xA0, 0xAE, 0x2C, 0xDE, 0x01, 0xC8, 0xD4};
  ASN1_OCTET_STRING_set(id->keyid, bytes, sizeof bytes);
  X509_add1_ext_i2d(leaf.certificate.get(), NID_authority_key_identifier, id, 0, 0);
  AUTHORITY_KEYID_free(id);
  ASSERT_GT(X509_sign(leaf.certificate.get(), issuer.key.get(), EVP_sha256()), 0);
  const auto certificate =
      Certificate::from_pem(pem_of(leaf.certificate.get()), key_to_pem(leaf.key.get()), now);
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->renewal_id(), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
  EXPECT_EQ(testing::certificate_for(make({ec("P-256")}), now).renewal_id(), std::nullopt);
}

TEST(NeedsRenewal, AtAThirdOfTheLifeAndAtHalfOfAShortOne) {
  const auto at = [](auto life, auto left) {
    return needs_renewal(now, now + life, now + life - left);
  };
  using std::chrono::days;
  using std::chrono::hours;
  for (const days life : {days{90}, days{64}, days{45}, days{10}}) {
    EXPECT_TRUE(at(life, hours{life} / 3));
    EXPECT_FALSE(at(life, hours{life} / 3 + hours{1}));
  }
  for (const hours life : {hours{160}, hours{24}, hours{239}}) {
    EXPECT_TRUE(at(life, std::chrono::minutes{life} / 2));
    EXPECT_FALSE(at(life, std::chrono::minutes{life} / 2 + std::chrono::minutes{1}));
  }
  EXPECT_TRUE(at(days{90}, days{-1}));
}

}  // namespace
}  // namespace moat::https
