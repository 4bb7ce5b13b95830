// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/issuers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "moat/base/encoding.h"
#include "moat/net/loop.h"
#include "moat/net/task.h"

namespace moat::gateway {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using State = shield::TokenSource::State;

constexpr Time start{seconds(1'800'000'000)};
constexpr const char* issuer_url = "https://issuer.example";

const jwt::Key& key() {
  static const jwt::Key made =
      jwt::Key::generate(jwt::Algorithm::es256, system_random()).value().with_id("k1");
  return made;
}

class IssuersTest : public testing::Test {
 protected:
  IssuersTest() {
    settings_.url = issuer_url;
    settings_.audiences = {"api"};
    settings_.jwks = "https://issuer.example/jwks.json";
    settings_.roles_claim = "roles";
    settings_.email_claim = "email";
    options_.issuer = issuer_url;
    options_.subject = "ada";
    options_.audience = "api";
    options_.type = "at+jwt";
    body_ = jwt::KeySet::of({key()}).value().public_jwks();
  }

  void make() {
    pool_.emplace(net::WorkerPool::Options{});
    issuer_ = IssuerKeys::make(settings_,
                               [this]() -> Result<std::string, std::string> {
                                 ++fetches_;
                                 if (hold_) hold_->wait();
                                 if (body_.empty()) return Error{std::string("down")};
                                 return body_;
                               },
                               {clock_, log_, *pool_});
  }
  // Until the pool has nothing more to do.
  void settle() {
    pool_.reset();
    pool_.emplace(net::WorkerPool::Options{});
  }
  std::string token(json::Object claims = {}) const {
    return jwt::sign(std::move(claims), key(), options_, clock_.now()).value();
  }
  shield::TokenSource::Answer judge(const std::string& text) {
    const auto decoded = jwt::decode(jwt::Unverified{text});
    EXPECT_TRUE(decoded) << text;
    return issuer_->judge(text, *decoded, clock_.now(), clock_.tick());
  }
  // As judge, once the keys are there.
  shield::TokenSource::Answer judge_loaded(const std::string& text) {
    if (!issuer_) make();
    if (judge(text).state == State::wait) wait_for_fetch();
    return judge(text);
  }
  void wait_for_fetch() {
    net::Loop loop;
    net::spawn(wait_on(loop));
    loop.run();
  }
  struct Waiting {
    IssuerKeys& issuer;
    net::Loop& loop;
    IssuerKeys::Wait outcome = IssuerKeys::Wait::over;
    Waiting(IssuerKeys& i, net::Loop& l) : issuer(i), loop(l) {}
    bool await_ready() const { return false; }
    bool await_suspend(std::coroutine_handle<> handle) {
      return issuer.wait(loop, handle, outcome);
    }
    void await_resume() const {}
  };
  net::Task<void> wait_on(net::Loop& loop) {
    Waiting waiting(*issuer_, loop);
    co_await waiting;
    loop.stop();
  }
  void expect_refused(const std::string& text, std::string_view reason) {
    const auto answer = judge_loaded(text);
    EXPECT_EQ(answer.state, State::refused);
    EXPECT_EQ(answer.reason, reason);
    EXPECT_EQ(answer.identity, nullptr);
  }

  ManualClock clock_{start};
  std::mutex mutex_;
  std::string logged_;
  Log log_{clock_, [this](std::string_view line) {
             const std::lock_guard lock(mutex_);
             logged_ += line;
           }};
  TrustedIssuer settings_;
  jwt::SignOptions options_;
  std::string body_;
  std::atomic<int> fetches_{0};
  std::optional<std::shared_future<void>> hold_;
  std::optional<net::WorkerPool> pool_;
  std::shared_ptr<IssuerKeys> issuer_;
};

TEST_F(IssuersTest, AGoodTokenSaysWhoItIs) {
  const auto answer = judge_loaded(token({{"email", "Ada@Example.com"},
                                          {"email_verified", true},
                                          {"roles", json::Array{"admin", "ops"}},
                                          {"scope", "orders:read Bad! profile"}}));
  ASSERT_EQ(answer.state, State::known);
  EXPECT_FALSE(answer.pass_token);
  EXPECT_EQ(answer.identity->user_id, external_user_id(issuer_url, "ada"));
  EXPECT_EQ(answer.identity->email, "Ada@example.com");
  EXPECT_EQ(answer.identity->roles, (std::vector<std::string>{"admin", "ops"}));
  EXPECT_EQ(answer.identity->scopes, (session::Scopes{"orders:read", "profile"}));
  EXPECT_EQ(answer.identity->kind, session::Kind::api);
  EXPECT_EQ(answer.identity->ends_at, start + minutes(15));
  EXPECT_EQ(fetches_, 1);
}

TEST_F(IssuersTest, UsersOfTwoIssuersAndOfMoatNeverMeet) {
  const std::string one = external_user_id("https://a.example", "ada");
  EXPECT_EQ(one.size(), 45U);
  EXPECT_EQ(one.substr(0, 2), "x-");
  EXPECT_NE(one, external_user_id("https://b.example", "ada"));
  EXPECT_NE(one, external_user_id("https://a.example", "Ada"));
  EXPECT_NE(one.size(), system_random().token(16).size());
}

TEST_F(IssuersTest, WhatIsForOthersOrOverIsRefused) {
  options_.audience = "other";
  expect_refused(token(), "wrong_audience");
  options_.audience = "";
  expect_refused(token(), "missing_audience");
  options_.audience = "api";
  const std::string old = token();
  clock_.advance(minutes(15) + seconds(29));
  EXPECT_EQ(judge_loaded(old).state, State::known);
  clock_.advance(seconds(1));
  expect_refused(old, "expired");
}

TEST_F(IssuersTest, ATokenForAnotherPurposeIsRefused) {
  for (const char* type : {"logout+jwt", "dpop+jwt", "secevent+jwt", "rt+jwt"}) {
    options_.type = type;
    expect_refused(token(), "wrong_type");
  }
  for (const char* type : {"", "JWT", "jwt", "AT+JWT", "application/at+jwt"}) {
    options_.type = type;
    EXPECT_EQ(judge_loaded(token()).state, State::known) << type;
  }
}

TEST_F(IssuersTest, AUserIsNeeded) {
  options_.subject = "";
  expect_refused(token(), "wrong_claim");
  expect_refused(token({{"sub", ""}}), "no_user");
  settings_.user_claim = "uid";
  issuer_.reset();
  expect_refused(token({{"uid", 7}}), "no_user");
  EXPECT_EQ(judge_loaded(token({{"uid", "7"}})).state, State::known);
}

TEST_F(IssuersTest, RolesThatWouldBecomeOthersInAHeaderAreLeftOut) {
  const auto roles = [&](json::Value claim) {
    return judge_loaded(token({{"roles", std::move(claim)}})).identity->roles;
  };
  using Roles = std::vector<std::string>;
  EXPECT_EQ(roles(json::Array{"a,admin", "b\r\nX: y", "", "\xc3\xa4", 7, "good"}), Roles{"good"});
  EXPECT_EQ(roles("read write"), (Roles{"read", "write"}));
  EXPECT_EQ(roles(" read  write "), (Roles{"read", "write"}));
  EXPECT_EQ(roles(true), Roles{});
  EXPECT_EQ(roles(json::Array{std::string(64, 'r'), std::string(65, 'r')}).size(), 1U);
  json::Array many;
  for (int i = 0; i < 100; ++i) many.emplace_back("r" + std::to_string(i));
  EXPECT_EQ(roles(many).size(), 64U);
  settings_.roles_claim.clear();
  issuer_.reset();
  EXPECT_EQ(roles("admin"), Roles{});
}

TEST_F(IssuersTest, AnAddressCountsOnlyWhereItIsOneAndIsNotUnverified) {
  const auto email = [&](json::Object claims) {
    return judge_loaded(token(std::move(claims))).identity->email;
  };
  EXPECT_EQ(email({{"email", "ada@example.com"}}), "ada@example.com");
  EXPECT_EQ(email({{"email", "ada@example.com"}, {"email_verified", false}}), "");
  EXPECT_EQ(email({{"email", "ada@example.com"}, {"email_verified", "true"}}), "");
  EXPECT_EQ(email({{"email", "ada@example.com\r\nX-Moat-Roles: admin"}}), "");
}

TEST_F(IssuersTest, OneFetchServesAllWhoWait) {
  std::promise<void> go;
  hold_ = go.get_future().share();
  make();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(judge(token()).state, State::wait);
  go.set_value();
  wait_for_fetch();
  EXPECT_EQ(judge(token()).state, State::known);
  EXPECT_EQ(fetches_, 1);
}

TEST_F(IssuersTest, NoMoreThanABoundedNumberWaits) {
  std::promise<void> go;
  hold_ = go.get_future().share();
  make();
  EXPECT_EQ(judge(token()).state, State::wait);
  net::Loop loop;
  IssuerKeys::Wait outcome = IssuerKeys::Wait::over;
  for (int i = 0; i < 256; ++i) EXPECT_TRUE(issuer_->wait(loop, std::noop_coroutine(), outcome));
  EXPECT_FALSE(issuer_->wait(loop, std::noop_coroutine(), outcome));
  EXPECT_EQ(outcome, IssuerKeys::Wait::too_many);
  go.set_value();
  settle();
  EXPECT_FALSE(issuer_->wait(loop, std::noop_coroutine(), outcome));
  EXPECT_EQ(outcome, IssuerKeys::Wait::over);
}

TEST_F(IssuersTest, WhileTheIssuerIsDownNobodyCanSay) {
  body_.clear();
  make();
  EXPECT_EQ(judge_loaded(token()).state, State::unavailable);
  EXPECT_EQ(judge(token()).state, State::unavailable);
  EXPECT_EQ(fetches_, 1);
  EXPECT_NE(logged_.find("\"issuer_keys_not_fetched\""), std::string::npos);
  body_ = jwt::KeySet::of({key()}).value().public_jwks();
  clock_.advance(seconds(10));
  EXPECT_EQ(judge_loaded(token()).state, State::known);
}

TEST_F(IssuersTest, APublicKeyIsNoSecretAndAnotherAlgorithmNoKey) {
  EXPECT_EQ(judge_loaded(token()).state, State::known);
  const std::string header = base64url_encode(R"({"alg":"HS256","kid":"k1"})");
  const std::string claims = token().substr(token().find('.') + 1);
  const std::string input = header + "." + claims.substr(0, claims.find('.'));
  for (const std::string& secret : {body_, json::serialize(*key().public_jwk())}) {
    const auto hmac = jwt::Key::insecure_allow_short_secret(Secret::copy_of(secret)).value();
    expect_refused(input + "." + base64url_encode(hmac.sign(input).value()), "unknown_key");
  }
}

TEST_F(IssuersTest, WhatAnIssuerShouldKnowIsSaidOnce) {
  const std::string secret = R"({"kty":"oct","kid":"leak","k":"AAAA"})";
  body_.insert(body_.size() - 2, "," + secret);
  EXPECT_EQ(judge_loaded(token()).state, State::known);
  EXPECT_NE(logged_.find("not_public 'leak'"), std::string::npos);
  EXPECT_NE(logged_.find("\"warn\""), std::string::npos);
  logged_.clear();
  clock_.advance(minutes(10));
  options_.expires_in = hours(1);
  EXPECT_EQ(judge_loaded(token()).state, State::known);
  EXPECT_EQ(fetches_, 2);
  EXPECT_EQ(logged_, "");
}

// ---------------------------------------------------------------------------- among several

Config config_of(std::vector<TrustedIssuer> issuers) {
  Config config;
  config.issuers = std::move(issuers);
  return config;
}

class AllIssuersTest : public IssuersTest {
 protected:
  std::unique_ptr<Issuers> all(const Config& config, const Issuers* before = nullptr) {
    if (!pool_) pool_.emplace(net::WorkerPool::Options{});
    return std::move(Issuers::create(config, {clock_, log_, *pool_}, before).value());
  }
  AllIssuersTest() { settings_.jwks = "https://127.0.0.1:1/"; }
};

TEST_F(AllIssuersTest, OnlyTheirOwnTokensAreTheirBusiness) {
  const auto issuers = all(config_of({settings_}));
  const auto state = [&](const std::string& text) {
    return issuers->judge(text, start, clock_.tick()).state;
  };
  EXPECT_EQ(state("opaque"), State::foreign);
  EXPECT_EQ(state("ghp_abc.def.ghi"), State::foreign);
  options_.issuer = "https://issuer.example/";  // exactly, says RFC 7519 section 4.1.1
  EXPECT_EQ(state(token()), State::foreign);
  options_.issuer = "";
  EXPECT_EQ(state(token()), State::foreign);
  options_.issuer = issuer_url;
  EXPECT_EQ(state(token()), State::wait);
}

// A backend with a lenient reader would see in them what Moat does not.
TEST_F(AllIssuersTest, ATokenThatCannotBeReadIsRefusedAndNotPassedOn) {
  const auto issuers = all(config_of({settings_}));
  const auto judged = [&](std::string_view header, std::string_view claims) {
    return issuers
        ->judge(base64url_encode(header) + "." + base64url_encode(claims) + ".AAAA", start,
                clock_.tick())
        .state;
  };
  const char* const claims = R"({"iss":"https://issuer.example"})";
  EXPECT_EQ(judged(R"({"alg":"none"})", claims), State::refused);
  EXPECT_EQ(judged(R"({ "alg":"NONE"})", claims), State::refused);
  EXPECT_EQ(judged(R"({"alg":"ES256","crit":["b64"]})", claims), State::refused);
  EXPECT_EQ(judged(R"({"alg":"ES256"})", R"({"iss":"x","iss":"https://issuer.example"})"),
            State::refused);
  EXPECT_EQ(judged("{\n\"alg\":\"ES256\"}", "not json"), State::refused);
  EXPECT_EQ(issuers->judge(token() + "=", start, clock_.tick()).state, State::refused);
  // Without issuers nothing is Moat's business.
  EXPECT_EQ(all(config_of({}))->judge(token() + "=", start, clock_.tick()).state, State::foreign);
}

TEST_F(AllIssuersTest, AReloadKeepsTheKeysOfWhatStaysTheSame) {
  const auto before = all(config_of({settings_}));
  EXPECT_EQ(before->judge(token(), start, clock_.tick()).state, State::wait);
  settle();
  EXPECT_EQ(before->judge(token(), start, clock_.tick()).state, State::unavailable);
  const auto same = all(config_of({settings_}), before.get());
  EXPECT_EQ(same->judge(token(), start, clock_.tick()).state, State::unavailable);
  settings_.audiences.push_back("another");
  const auto changed = all(config_of({settings_}), before.get());
  EXPECT_EQ(changed->judge(token(), start, clock_.tick()).state, State::wait);
}

}  // namespace
}  // namespace moat::gateway
