// SPDX-License-Identifier: Apache-2.0
#include "moat/acme/internal/fake_ca.h"
#include "moat/acme/order.h"

namespace moat::acme {
namespace {

using testing::FakeCa;
using testing::OrderTest;
using testing::problem;
using testing::text_of;

class RevocationTest : public OrderTest {
 protected:
  End revoke(RevocationReason reason = RevocationReason::key_compromise) {
    Order order =
        Order::to_revoke(options_copy(), std::nullopt, account_, "the DER", reason, random_)
            .value();
    return run(order);
  }
};

// RFC 8555 section 7.6: the certificate in base64url and the reason, signed by the account.
TEST_F(RevocationTest, SaysWhichCertificateAndWhy) {
  EXPECT_TRUE(std::holds_alternative<Revoked>(revoke()));
  const auto asked = json::parse(ca_.revoked);
  ASSERT_TRUE(asked);
  EXPECT_EQ(text_of(*asked, "certificate"), base64url_encode("the DER"));
  EXPECT_EQ(*asked->find("reason")->as_integer(), 1);
  EXPECT_EQ(ca_.orders, 0);
  EXPECT_TRUE(shown_.empty());
}

TEST_F(RevocationTest, TakenBackAlreadyIsTakenBack) {
  EXPECT_TRUE(std::holds_alternative<Revoked>(revoke()));
  EXPECT_TRUE(std::holds_alternative<Revoked>(revoke(RevocationReason::superseded)));
  EXPECT_EQ(ca_.asked["revoke"], 2);
}

TEST_F(RevocationTest, ARefusalOfTheCasIsSaid) {
  ca_.instead["revoke"] = problem(403, "unauthorized", "not yours");
  const End end = revoke();
  ASSERT_TRUE(std::holds_alternative<Failed>(end));
  EXPECT_EQ(std::get<Failed>(end).explain(), "the CA refused: not yours [unauthorized]");
}

TEST_F(RevocationTest, ACaThatIsDownIsAskedAgainAndThenLeft) {
  lost_ = 2;
  EXPECT_TRUE(std::holds_alternative<Revoked>(revoke()));
  lost_ = 1000;
  const End end = revoke();
  ASSERT_TRUE(std::holds_alternative<Failed>(end));
  EXPECT_EQ(std::get<Failed>(end).failure, Failure::unreachable);
}

TEST_F(RevocationTest, NoncesThatAreRefusedAreReplaced) {
  ca_.nonces_to_refuse = 3;
  EXPECT_TRUE(std::holds_alternative<Revoked>(revoke()));
}

TEST_F(RevocationTest, AProfileThatIsGoneDoesNotStandInTheWay) {
  options_.profile = "shortlived";
  EXPECT_TRUE(std::holds_alternative<Revoked>(revoke()));
}

TEST_F(RevocationTest, NothingIsNoCertificate) {
  EXPECT_FALSE(Order::to_revoke(options_copy(), std::nullopt, account_, "",
                                RevocationReason::unspecified, random_));
}

TEST(RevocationReason, HasNames) {
  EXPECT_EQ(parse_revocation_reason("key-compromise"), RevocationReason::key_compromise);
  EXPECT_EQ(parse_revocation_reason("superseded"), RevocationReason::superseded);
  for (const char* text : {"", "keyCompromise", "1", "key-compromise "})
    EXPECT_FALSE(parse_revocation_reason(text)) << text;
}

}  // namespace
}  // namespace moat::acme
