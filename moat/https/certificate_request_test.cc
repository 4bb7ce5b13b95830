// SPDX-License-Identifier: Apache-2.0
#include "moat/https/certificate_request.h"

#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include "moat/https/internal/openssl.h"

namespace moat::https {
namespace {

const Time now = from_unix_seconds(1'795'000'000);

TEST(CertificateRequest, NamesWhatItIsForAndIsSignedByItsKey) {
  const Secret key = new_certificate_key();
  const auto der =
      certificate_request(key, {"a.example", "*.b.example", "192.0.2.7", "2001:db8::1"});
  ASSERT_TRUE(der);
  const auto* data = reinterpret_cast<const unsigned char*>(der->data());
  const Owned<X509_REQ, X509_REQ_free> request(
      d2i_X509_REQ(nullptr, &data, static_cast<long>(der->size())));
  ASSERT_TRUE(request);
  EXPECT_EQ(X509_REQ_verify(request.get(), X509_REQ_get0_pubkey(request.get())), 1);
  EXPECT_EQ(X509_NAME_entry_count(X509_REQ_get_subject_name(request.get())), 0);
  STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(request.get());
  const OwnedNames names(static_cast<GENERAL_NAMES*>(
      X509V3_get_d2i(extensions, NID_subject_alt_name, nullptr, nullptr)));
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  ASSERT_TRUE(names);
  ASSERT_EQ(sk_GENERAL_NAME_num(names.get()), 4);
  EXPECT_EQ(sk_GENERAL_NAME_value(names.get(), 1)->type, GEN_DNS);
  EXPECT_EQ(sk_GENERAL_NAME_value(names.get(), 2)->type, GEN_IPADD);
}

TEST(CertificateRequest, TakesNoNameThatIsNone) {
  const Secret key = new_certificate_key();
  for (const char* name : {"", "a b", "a,DNS:evil.example", "a..b", "-a.example", "*.*.a", "a.*.b",
                           "1.2.3", "a_b.example", "\xc3\xa4.example"}) {
    EXPECT_FALSE(certificate_name(name)) << name;
    EXPECT_FALSE(certificate_request(key, {"good.example", name})) << name;
  }
  EXPECT_FALSE(certificate_request(key, {}));
  EXPECT_FALSE(certificate_request(Secret::copy_of("no key"), {"a.example"}));
  EXPECT_EQ(certificate_name("A.Example."), "a.example");
  EXPECT_EQ(certificate_name("2001:DB8:0::1"), "2001:db8::1");
}

TEST(CertificateRequest, KeysDiffer) {
  EXPECT_FALSE(new_certificate_key().equals(new_certificate_key().reveal()));
}

// RFC 8737 section 3.
TEST(TlsAlpn, TheCertificateHasTheOneNameAndTheDigestInACriticalExtension) {
  const Digest digest = sha256("token.thumbprint");
  const auto certificate = tls_alpn_certificate("a.example", digest, now);
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->names(), std::vector<std::string>{"a.example"});
  EXPECT_TRUE(certificate->self_signed());
  X509* leaf = certificate->state().leaf.get();
  const Owned<ASN1_OBJECT, ASN1_OBJECT_free> id(OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1));
  const int at = X509_get_ext_by_OBJ(leaf, id.get(), -1);
  ASSERT_GE(at, 0);
  X509_EXTENSION* extension = X509_get_ext(leaf, at);
  EXPECT_EQ(X509_EXTENSION_get_critical(extension), 1);
  const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(extension);
  const std::string der(reinterpret_cast<const char*>(value->data),
                        static_cast<std::size_t>(value->length));
  EXPECT_EQ(der, std::string("\x04\x20", 2) + std::string(as_bytes(digest)));
  EXPECT_FALSE(tls_alpn_certificate("a b", digest, now));
}

TEST(TlsAlpn, AnAddressIsAskedForByItsReverseName) {
  EXPECT_EQ(tls_alpn_server_name("a.example"), "a.example");
  EXPECT_EQ(tls_alpn_server_name("192.0.2.7"), "7.2.0.192.in-addr.arpa");
  EXPECT_EQ(tls_alpn_server_name("2001:db8::1"),
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
  EXPECT_TRUE(tls_alpn_certificate("192.0.2.7", sha256("x"), now));
}

}  // namespace
}  // namespace moat::https
