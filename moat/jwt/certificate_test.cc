// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "moat/jwt/key.h"

namespace moat::jwt {
namespace {

using std::chrono::seconds;

constexpr Time valid{seconds(1'800'000'000)};      // in January 2027
constexpr Time first_second{seconds(1798761600)};  // 2027-01-01T00:00:00Z
constexpr Time last_second{seconds(1830297600)};   // 2028-01-01T00:00:00Z

std::string file(const std::string& name) {
  std::ifstream in(std::string(MOAT_TESTDATA) + "/" + name + ".pem");
  return {std::istreambuf_iterator<char>(in), {}};
}

Result<Key, KeyError> key_of(const std::string& pem, const std::string& roots = file("root"),
                             Time now = valid) {
  return Key::from_certificate(pem, roots, Algorithm::es256, now, "id");
}
KeyError error_of(const Result<Key, KeyError>& result) {
  EXPECT_FALSE(result);
  return result ? KeyError::no_usable_key : result.error();
}

TEST(Certificate, GivesThePublicKeyOfOneThatATrustedAuthorityIssued) {
  const auto key = key_of(file("leaf"));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->id(), "id");
  EXPECT_FALSE(key->can_sign());
  EXPECT_EQ(key->thumbprint(), Key::from_pem(file("leaf"), Algorithm::es256)->thumbprint());
}

TEST(Certificate, OfAnotherAuthorityIsRefused) {
  EXPECT_EQ(error_of(key_of(file("leaf"), file("other_root"))), KeyError::untrusted);
  // Its own chain makes nobody trusted.
  EXPECT_EQ(error_of(key_of(file("leaf") + file("root"), file("other_root"))), KeyError::untrusted);
  EXPECT_TRUE(key_of(file("leaf"), file("other_root") + file("root")));
}

TEST(Certificate, ThatIsTrustedItselfNeedsNoAuthority) {
  EXPECT_TRUE(key_of(file("leaf"), file("leaf")));
}

TEST(Certificate, IsGoodWithinItsDates) {
  EXPECT_EQ(error_of(key_of(file("leaf"), file("root"), first_second - seconds(1))),
            KeyError::untrusted);
  EXPECT_TRUE(key_of(file("leaf"), file("root"), first_second));
  EXPECT_TRUE(key_of(file("leaf"), file("root"), last_second - seconds(1)));
  EXPECT_EQ(error_of(key_of(file("leaf"), file("root"), last_second + seconds(1))),
            KeyError::untrusted);
}

TEST(Certificate, ForOtherThanSignaturesIsRefused) {
  EXPECT_EQ(error_of(key_of(file("leaf_key_agreement"))), KeyError::untrusted);
  EXPECT_EQ(error_of(key_of(file("root"))), KeyError::untrusted);  // it signs certificates
}

TEST(Certificate, SignedWithSha1IsRefused) {
  EXPECT_EQ(error_of(key_of(file("leaf_sha1"))), KeyError::untrusted);
}

TEST(Certificate, ChangedByOneByteIsRefused) {
  std::string pem = file("leaf");
  const std::size_t at = pem.size() - 60;  // in the signature
  pem[at] = pem[at] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(key_of(pem));
}

TEST(Certificate, AnAlgorithmOfAnotherKindIsRefused) {
  EXPECT_EQ(error_of(Key::from_certificate(file("leaf"), file("root"), Algorithm::ps256, valid)),
            KeyError::wrong_algorithm);
}

TEST(Certificate, WhatIsNoneOrTooMuchIsMalformed) {
  EXPECT_EQ(error_of(key_of("")), KeyError::malformed);
  EXPECT_EQ(error_of(key_of(file("leaf"), "")), KeyError::malformed);
  EXPECT_EQ(error_of(key_of("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")),
            KeyError::malformed);
  std::string many = file("leaf");
  for (int i = 0; i < 7; ++i) many += file("root");
  EXPECT_TRUE(key_of(many));
  EXPECT_EQ(error_of(key_of(many + file("root"))), KeyError::malformed);
  EXPECT_EQ(error_of(key_of(file("leaf") + std::string(65536, '\n'))), KeyError::malformed);
}

}  // namespace
}  // namespace moat::jwt
