// SPDX-License-Identifier: Apache-2.0
#include "moat/acme/order.h"

#include "moat/acme/internal/fake_ca.h"
#include "moat/https/certificate.h"

namespace moat::acme {
namespace {

using std::chrono::minutes;
using testing::base;
using testing::OrderTest;
using testing::problem;

TEST_F(OrderTest, EndsWithAChainAndItsKey) {
  options_.names = {"a.example", "B.example."};
  ca_.chain = [this] { return chain_for({"a.example", "b.example"}); };
  End end = run();
  ASSERT_TRUE(std::holds_alternative<Issued>(end)) << std::get<Failed>(end).explain();
  const Issued& issued = std::get<Issued>(end);
  const auto certificate = https::Certificate::from_pem(issued.chain, issued.key, now_);
  ASSERT_TRUE(certificate.has_value());
  EXPECT_TRUE(certificate->covers("b.example"));
  // RFC 9325 section 4.5: ECDSA by P-256. RFC 8555 section 11.1: not with the account's key.
  EXPECT_EQ(certificate->key_kind(), https::KeyKind::p256);
  const auto own = jwt::Key::from_pem(issued.key, jwt::Algorithm::es256);
  ASSERT_TRUE(own);
  EXPECT_NE(own->thumbprint(), account_.thumbprint());
  EXPECT_EQ(ca_.asked["account"], 1);
  EXPECT_EQ(ca_.orders, 1);
  EXPECT_EQ(ca_.asked["finalize"], 1);
  EXPECT_TRUE(standing_.empty());
  ASSERT_EQ(shown_.size(), 2U);
  EXPECT_EQ(shown_[0].type, ChallengeType::tls_alpn_01) << "the first of ours, not of the CA's";
  EXPECT_EQ(shown_[0].key_authorization, "tok-tls-alpn-01." + ca_.account_thumbprint);
  EXPECT_LT(waited_, minutes{1});
}

TEST_F(OrderTest, AnAddressIsOrderedAsOne) {
  options_.names = {"192.0.2.7"};
  ca_.chain = [this] { return chain_for({"192.0.2.7"}); };
  ca_.instead["order"] = problem(400, "unsupportedIdentifier");
  EXPECT_EQ(fails().failure, Failure::refused);
  EXPECT_NE(ca_.last_payload.find(R"({"type":"ip","value":"192.0.2.7"})"), std::string::npos);
}

TEST_F(OrderTest, NothingIsAgreedToSilently) {
  options_.agree_to_terms = false;
  const Failed failed = fails();
  EXPECT_EQ(failed.failure, Failure::terms_not_agreed);
  EXPECT_EQ(failed.problem.detail, "https://ca.test/terms");
  EXPECT_EQ(ca_.asked["account"], 0);
}

TEST_F(OrderTest, ARefusedNonceIsReplacedByTheOneThatCame) {
  ca_.nonces_to_refuse = 9;
  EXPECT_TRUE(std::holds_alternative<Issued>(run()));
  EXPECT_EQ(ca_.asked["nonce"], 1) << "each answer brings the next";
}

TEST_F(OrderTest, ACaThatRefusesEveryNonceIsGivenUp) {
  ca_.nonces_to_refuse = 1000;
  const Failed failed = fails();
  EXPECT_EQ(failed.failure, Failure::refused);
  EXPECT_EQ(failed.problem.type, "badNonce");
  EXPECT_LT(ca_.asked["account"], 20);
}

TEST_F(OrderTest, WhatIsLostIsSentAgainAndNothingIsMadeTwice) {
  for (int lost = 1; lost <= 3; ++lost) {
    lost_ = lost;
    EXPECT_TRUE(std::holds_alternative<Issued>(run())) << lost;
    saved_ = Secret();
  }
  lost_ = 4;
  EXPECT_EQ(fails().failure, Failure::unreachable);
}

TEST_F(OrderTest, WhetherALostFinalizeWasHeardIsFoundOut) {
  // The CA hears it, and its answer is lost.
  Order order = Order::create(options_copy(), std::nullopt, account_, saved_, random_).value();
  bool lost = false;
  for (int i = 0; i < 200; ++i) {
    Action action = order.next(now_);
    if (std::holds_alternative<Issued>(action)) break;
    ASSERT_FALSE(std::holds_alternative<Failed>(action)) << std::get<Failed>(action).explain();
    auto* send = std::get_if<Send>(&action);
    if (send != nullptr && !lost && send->request.url == base + "finalize") {
      lost = true;
      (void)ca_.answer(send->request);
      order.unreachable("cut", now_);
      continue;
    }
    step(order, action);
  }
  EXPECT_TRUE(lost);
  EXPECT_EQ(ca_.asked["finalize"], 1);
  EXPECT_EQ(ca_.orders, 1);
}

TEST_F(OrderTest, AKilledOrderGoesOnWhereItWas) {
  stop_after_saving_ = true;
  (void)run();
  stop_after_saving_ = false;
  ASSERT_FALSE(saved_.empty());
  EXPECT_TRUE(std::holds_alternative<Issued>(run()));
  EXPECT_EQ(ca_.orders, 1) << "ordered twice";
  // And once more when it was issued, and only its chain was not kept.
  EXPECT_TRUE(std::holds_alternative<Issued>(run()));
  EXPECT_EQ(ca_.orders, 1);
  EXPECT_EQ(ca_.asked["finalize"], 1);
}

TEST_F(OrderTest, ASavedOrderThatIsGoneOrOfOtherNamesIsBegunAnew) {
  stop_after_saving_ = true;
  (void)run();
  stop_after_saving_ = false;
  const std::string before(saved_.reveal());
  ca_.instead["1"] = problem(404, "malformed");
  EXPECT_TRUE(std::holds_alternative<Issued>(run()));
  EXPECT_EQ(ca_.orders, 2);
  EXPECT_NE(saved_.reveal(), before) << "a new key";

  options_.names = {"c.example"};
  ca_.chain = [this] { return chain_for({"c.example"}); };
  EXPECT_TRUE(std::holds_alternative<Issued>(run()));
  EXPECT_EQ(ca_.orders, 3);
  saved_ = Secret::copy_of("{\"version\":1}\nrubbish");
  EXPECT_TRUE(std::holds_alternative<Issued>(run()));
  EXPECT_EQ(ca_.orders, 4);
}

}  // namespace
}  // namespace moat::acme
