// SPDX-License-Identifier: Apache-2.0
// Bearer tokens of other issuers in the walk.
#include "moat/shield/internal/shield_fixture.h"

namespace moat::shield {
namespace {

// Answers what the test says, in order; the last answer stays.
class Scripted final : public TokenSource {
 public:
  Answer judge(std::string_view token, Time, Tick) override {
    asked.emplace_back(token);
    Answer answer = answers.front();
    if (answers.size() > 1) answers.erase(answers.begin());
    return answer;
  }
  std::vector<Answer> answers;
  std::vector<std::string> asked;
};

TokenSource::Answer saying(TokenSource::State state) {
  TokenSource::Answer answer;
  answer.state = state;
  answer.reason = "because";
  return answer;
}
TokenSource::Answer known(bool pass_token = false) {
  TokenSource::Answer answer = saying(TokenSource::State::known);
  auto identity = std::make_shared<session::Identity>();
  identity->user_id = "x-eve";
  identity->roles = {"ops"};
  identity->kind = session::Kind::api;
  answer.identity = std::move(identity);
  answer.pass_token = pass_token;
  return answer;
}

class IssuerWalkTest : public ShieldTest {
 protected:
  IssuerWalkTest()
      : shield_with_issuers_({sessions_, revocations_, users_, requests_, &source_}, options()) {
    request_.authorization = "Bearer eyJ.theirs.sig";
    rules_.login = Rules::Login::required;
  }
  static Shield::Options options() {
    Shield::Options made;
    made.hosts = {"localhost"};
    made.general = limit::Policy::parse("10/min/ip burst 10").value();
    return made;
  }
  Outcome begin_with(std::vector<TokenSource::Answer> answers) {
    source_.answers = std::move(answers);
    admission_ = Admission();
    return shield_with_issuers_.begin(request_, rules_, now_, tick_, nullptr, admission_);
  }
  Outcome go_on() {
    return shield_with_issuers_.go_on(request_, rules_, now_, tick_, nullptr, admission_);
  }

  Scripted source_;
  Shield shield_with_issuers_;
};

TEST_F(IssuerWalkTest, ItsUserIsKnownAndWhatElseCameIsNobodys) {
  request_.cookie = "__Host-Http-at=a; __Host-Http-at=b";
  EXPECT_EQ(begin_with({known()}), Outcome::pass);
  ASSERT_NE(admission_.identity, nullptr);
  EXPECT_EQ(admission_.identity->user_id, "x-eve");
  EXPECT_TRUE(admission_.own_bearer);
  EXPECT_TRUE(admission_.without_cookies);
  EXPECT_EQ(source_.asked, std::vector<std::string>{"eyJ.theirs.sig"});
}

TEST_F(IssuerWalkTest, ItsTokenGoesOnWhereTheSourceSaysSo) {
  EXPECT_EQ(begin_with({known(true)}), Outcome::pass);
  EXPECT_FALSE(admission_.own_bearer);
}

TEST_F(IssuerWalkTest, RolesAreAskedForAsOfAnybody) {
  const std::vector<std::string> roles{"admin"};
  rules_.roles = roles;
  EXPECT_EQ(begin_with({known()}), Outcome::refuse);
  EXPECT_EQ(admission_.refusal.code, "role_required");
}

TEST_F(IssuerWalkTest, ABadTokenIsRefusedWhereNobodyHadToLogInToo) {
  rules_.login = Rules::Login::none;
  EXPECT_EQ(begin_with({saying(TokenSource::State::refused)}), Outcome::refuse);
  EXPECT_EQ(admission_.refusal.status, 401);
  EXPECT_EQ(admission_.refusal.code, "invalid_token");
  EXPECT_EQ(admission_.refusal.challenge, "Bearer error=\"invalid_token\"");
  EXPECT_EQ(admission_.refusal.reason, "because");
}

TEST_F(IssuerWalkTest, WhereNobodyCanSayIt503Is) {
  EXPECT_EQ(begin_with({saying(TokenSource::State::unavailable)}), Outcome::refuse);
  EXPECT_EQ(admission_.refusal.status, 503);
  EXPECT_TRUE(admission_.refusal.challenge.empty());
}

TEST_F(IssuerWalkTest, AForeignTokenIsTheBackends) {
  rules_.login = Rules::Login::optional;
  EXPECT_EQ(begin_with({saying(TokenSource::State::foreign)}), Outcome::pass);
  EXPECT_EQ(admission_.identity, nullptr);
  EXPECT_FALSE(admission_.own_bearer);
}

TEST_F(IssuerWalkTest, ItIsWaitedForOnceAndCountedOnce) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(begin_with({saying(TokenSource::State::wait), known()}), Outcome::wait);
    EXPECT_EQ(go_on(), Outcome::pass);
  }
  EXPECT_EQ(begin_with({known()}), Outcome::refuse);
  EXPECT_EQ(admission_.refusal.code, "rate_limited");
  tick_ += std::chrono::minutes(1);
  EXPECT_EQ(begin_with({saying(TokenSource::State::wait)}), Outcome::wait);
  EXPECT_EQ(go_on(), Outcome::refuse);
  EXPECT_EQ(admission_.refusal.status, 503);
}

TEST_F(IssuerWalkTest, AFloodIsCountedBeforeAnythingIsVerified) {
  for (int i = 0; i < 20; ++i) begin_with({saying(TokenSource::State::refused)});
  EXPECT_EQ(source_.asked.size(), 10U);
}

TEST_F(IssuerWalkTest, MoatsOwnAccountsAreNotTheirs) {
  rules_.scope = csrf::Scope::auth_endpoint;
  rules_.login = Rules::Login::optional;
  static_cast<void>(begin_with({known()}));
  EXPECT_EQ(admission_.identity, nullptr);
  EXPECT_TRUE(source_.asked.empty());
}

}  // namespace
}  // namespace moat::shield
