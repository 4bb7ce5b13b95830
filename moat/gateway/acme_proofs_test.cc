// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/acme_proofs.h"

#include <gtest/gtest.h>

namespace moat::gateway {
namespace {

using acme::Challenge;
using acme::ChallengeType;

TEST(AcmeTokens, ShowWhatStandsAndNothingElse) {
  AcmeTokens tokens;
  EXPECT_EQ(tokens.find("a"), "");
  tokens.put("a", "a.print");
  tokens.put("b", "b.print");
  EXPECT_EQ(tokens.find("a"), "a.print");
  EXPECT_EQ(tokens.find("A"), "");
  EXPECT_EQ(tokens.find(""), "");
  tokens.remove("a");
  EXPECT_EQ(tokens.find("a"), "");
  EXPECT_EQ(tokens.find("b"), "b.print");
}

class RecordingHook final : public DnsHook {
 public:
  Result<void, std::string> run(const DnsRequest& request, std::chrono::milliseconds timeout,
                                std::stop_token stop) override {
    calls.push_back(request);
    timeouts.push_back(timeout);
    stopped = stop.stop_requested();
    if (!failure.empty()) return Error{failure};
    return {};
  }
  std::vector<DnsRequest> calls;
  std::vector<std::chrono::milliseconds> timeouts;
  bool stopped = false;
  std::string failure;
};

class AcmeProofsTest : public ::testing::Test {
 protected:
  std::shared_ptr<https::CertificateStore> store_ = std::make_shared<https::CertificateStore>();
  std::shared_ptr<AcmeTokens> tokens_ = std::make_shared<AcmeTokens>();
  RecordingHook hook_;
  AcmeProofs proofs_{{store_, tokens_, &hook_}, std::chrono::seconds{60}};
  const Time now_ = from_unix_seconds(1'795'000'000);
  const Challenge alpn_{ChallengeType::tls_alpn_01, "a.example", "tok", "tok.print"};
  const Challenge file_{ChallengeType::http_01, "a.example", "tok", "tok.print"};
  const Challenge record_{ChallengeType::dns_01, "a.example", "tok", "tok.print"};
};

TEST_F(AcmeProofsTest, ShowsEachKindWhereTheCaLooks) {
  ASSERT_TRUE(proofs_.show(alpn_, now_, {}));
  EXPECT_NE(store_->find_challenge("a.example"), nullptr);
  EXPECT_EQ(tokens_->find("tok"), "");
  ASSERT_TRUE(proofs_.show(file_, now_, {}));
  EXPECT_EQ(tokens_->find("tok"), "tok.print");
  EXPECT_TRUE(hook_.calls.empty());
  ASSERT_TRUE(proofs_.show(record_, now_, {}));
  ASSERT_EQ(hook_.calls.size(), 1U);
  EXPECT_EQ(hook_.calls[0].action, DnsRequest::Action::present);
  EXPECT_EQ(hook_.calls[0].record, "_acme-challenge.a.example");
  EXPECT_EQ(hook_.calls[0].text, record_.record_text());
  for (const Challenge& one : {alpn_, file_, record_}) ASSERT_TRUE(proofs_.hide(one, {}));
  EXPECT_EQ(store_->find_challenge("a.example"), nullptr);
  EXPECT_EQ(tokens_->find("tok"), "");
  EXPECT_EQ(hook_.calls.at(1).action, DnsRequest::Action::cleanup);
}

TEST_F(AcmeProofsTest, AHookThatFailsOrIsNotThereIsAFailure) {
  hook_.failure = "it ended with status 3";
  EXPECT_EQ(proofs_.show(record_, now_, {}).error(), "it ended with status 3");
  AcmeProofs without({store_, tokens_, nullptr}, std::chrono::seconds{60});
  EXPECT_FALSE(without.show(record_, now_, {}));
  EXPECT_TRUE(without.hide(record_, {})) << "there is nothing to take out";
}

TEST_F(AcmeProofsTest, BehindAStopARecordIsTakenOutInAHurry) {
  std::stop_source stop;
  stop.request_stop();
  ASSERT_TRUE(proofs_.hide(record_, stop.get_token()));
  EXPECT_FALSE(hook_.stopped) << "it has to run";
  EXPECT_EQ(hook_.timeouts.back(), std::chrono::seconds{5});
}

TEST_F(AcmeProofsTest, MirrorsWhatAnotherNodeShowsAndNothingElse) {
  const Challenge other{ChallengeType::http_01, "a.example", "tok2", "tok2.print"};
  proofs_.mirror({alpn_, file_, record_}, now_);
  EXPECT_NE(store_->find_challenge("a.example"), nullptr);
  EXPECT_EQ(tokens_->find("tok"), "tok.print");
  EXPECT_TRUE(hook_.calls.empty()) << "a record is there once, for all";
  proofs_.mirror({other, alpn_}, now_);
  EXPECT_EQ(tokens_->find("tok"), "");
  EXPECT_EQ(tokens_->find("tok2"), "tok2.print");
  EXPECT_NE(store_->find_challenge("a.example"), nullptr);
  proofs_.mirror({}, now_);
  EXPECT_EQ(tokens_->find("tok2"), "");
  EXPECT_EQ(store_->find_challenge("a.example"), nullptr);
  EXPECT_TRUE(hook_.calls.empty());
}

}  // namespace
}  // namespace moat::gateway
