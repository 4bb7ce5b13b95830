// SPDX-License-Identifier: Apache-2.0
#include "moat/acme/order.h"

#include "moat/acme/internal/answers.h"
#include "moat/acme/internal/fake_ca.h"
#include "moat/https/certificate_request.h"

namespace moat::acme {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::base;
using testing::OrderTest;
using testing::problem;
using testing::sign;
using testing::text_of;

TEST_F(OrderTest, WithoutASavedOrderNoCertificateIsAskedFor) {
  can_save_ = false;
  EXPECT_EQ(fails().failure, Failure::not_shown);
  EXPECT_EQ(ca_.asked["finalize"], 0);
  EXPECT_TRUE(shown_.empty());
}

TEST_F(OrderTest, AFailedProofSaysWhichAndWhy) {
  options_.names = {"a.example", "b.example"};
  ca_.proves = [](const std::string& name) { return name != "b.example"; };
  const Failed failed = fails();
  EXPECT_EQ(failed.failure, Failure::not_proved);
  EXPECT_EQ(failed.name, "b.example");
  EXPECT_EQ(failed.type, ChallengeType::tls_alpn_01);
  EXPECT_EQ(failed.explain(),
            "the CA did not find the proof for b.example (tls-alpn-01): could not connect "
            "[connection]");
}

TEST_F(OrderTest, AChallengeThatCannotBeShownIsNotAnswered) {
  can_show_ = false;
  EXPECT_EQ(fails().explain(),
            "a challenge could not be shown, or the order not be saved for a.example "
            "(tls-alpn-01): the DNS is closed");
  EXPECT_EQ(ca_.asked["tls-alpn-01-a.example"], 0);
}

TEST_F(OrderTest, OnlyWantedChallengesAreChosen) {
  options_.challenges = {ChallengeType::dns_01};
  EXPECT_TRUE(std::holds_alternative<Issued>(run()));
  EXPECT_EQ(shown_.back().type, ChallengeType::dns_01);
  EXPECT_EQ(shown_.back().record(), "_acme-challenge.a.example");
  ca_.offered = {"http-01", "tls-alpn-01"};
  saved_ = Secret();
  EXPECT_EQ(fails().failure, Failure::no_challenge);
}

TEST_F(OrderTest, NothingIsShownForANameThatWasNotAskedFor) {
  for (const char* name : {"b.example", "*.a.example", "x.a.example", ""}) {
    ca_.instead["authz-a.example"].status = 200;
    ca_.instead["authz-a.example"].body =
        R"({"status":"pending","identifier":{"type":"dns","value":")" + std::string(name) +
        R"("},"challenges":[{"type":"http-01","url":"https://ca.test/x","token":"tok"}]})";
    saved_ = Secret();
    EXPECT_EQ(fails().failure, Failure::bad_answer) << name;
    EXPECT_TRUE(shown_.empty());
  }
}

TEST_F(OrderTest, ATokenThatCouldLeadAPathElsewhereIsNone) {
  const std::string authorization =
      R"({"status":"pending","identifier":{"type":"dns","value":"a.example"},"challenges":[)"
      R"({"type":"http-01","url":"https://ca.test/x","token":"../../etc/passwd"},)"
      R"({"type":"tls-alpn-01","url":"https://ca.test/x","token":""}]})";
  EXPECT_TRUE(read_authorization(authorization)->challenges.empty());
}

TEST_F(OrderTest, ACaThatHasHadTooMuchIsLeftAloneForAsLongAsItSays) {
  ca_.instead["order"] = problem(429, "rateLimited", "too many certificates");
  ca_.instead["order"].retry_after = "7200";
  const Failed failed = fails();
  EXPECT_EQ(failed.failure, Failure::rate_limited);
  EXPECT_EQ(failed.not_before, now_ + seconds{7200});
  ca_.instead["order"] = problem(429, "rateLimited");
  EXPECT_EQ(fails().not_before, now_ + seconds{3600}) << "where it says nothing";
}

TEST_F(OrderTest, ACaThatIsDownForLongIsNotWaitedFor) {
  ca_.instead["directory"] = problem(503, "serverInternal");
  ca_.instead["directory"].retry_after = "3600";
  const Failed failed = fails();
  EXPECT_EQ(failed.failure, Failure::unreachable);
  EXPECT_EQ(failed.not_before, now_ + seconds{3600});
}

TEST_F(OrderTest, PatienceEndsAndTheChallengeIsTakenAway) {
  ca_.looks_until_valid = 100000;
  EXPECT_EQ(fails().failure, Failure::took_too_long);
  EXPECT_LE(waited_, minutes{11});
}

TEST_F(OrderTest, WhatShowingTakesIsNotTheCasDelay) {
  options_.names = {"a.example", "b.example", "c.example"};
  showing_takes_ = minutes{9};
  EXPECT_TRUE(std::holds_alternative<Issued>(run()));
}

TEST_F(OrderTest, WhatIsIssuedMustBeWhatWasAskedFor) {
  ca_.chain = [this] { return chain_for({"other.example"}); };
  EXPECT_EQ(fails().failure, Failure::bad_certificate);
  // RFC 8555 section 11.4: a private key in the chain.
  saved_ = Secret();
  ca_.chain = [this] {
    return chain_for({"a.example"}) + std::string(read_saved(saved_.reveal())->key.reveal());
  };
  EXPECT_EQ(fails().failure, Failure::bad_certificate);
  saved_ = Secret();
  ca_.chain = [this] {  // another key's
    const auto other = https::certificate_request(https::new_certificate_key(), {"a.example"});
    return sign(base64url_encode(*other), {"a.example"}, now_);
  };
  EXPECT_EQ(fails().failure, Failure::bad_certificate);
}

TEST_F(OrderTest, AProfileIsSentWhereTheCaHasIt) {
  options_.profile = "shortlived";
  EXPECT_EQ(fails().failure, Failure::no_such_profile);
  ca_.profiles = R"({"shortlived":"six days"})";
  ca_.instead["order"] = problem(400, "malformed");
  (void)fails();
  EXPECT_NE(ca_.last_payload.find(R"("profile":"shortlived")"), std::string::npos);
}

// RFC 9773 section 5.
TEST_F(OrderTest, WhatItRenewsIsSaidOfTheNewOrderAlone) {
  const auto replaced = [this]() -> std::string {
    saved_ = Secret();
    ca_.instead["order"] = problem(429, "rateLimited");
    (void)fails();
    const auto payload = json::parse(ca_.last_payload);
    return payload ? text_of(*payload, "replaces") : "no order";
  };
  EXPECT_EQ(replaced(), "") << "the first one";
  options_.replaces = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
  EXPECT_EQ(replaced(), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
}

TEST_F(OrderTest, WhatWasReplacedAlreadyIsOrderedAllTheSame) {
  options_.replaces = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
  ca_.instead["order"] = problem(409, "alreadyReplaced");
  EXPECT_TRUE(std::holds_alternative<Issued>(run()));
  EXPECT_EQ(ca_.asked["order"], 2);
  EXPECT_EQ(ca_.orders, 1);
}

// As where the account's key was lost, and another account renews.
TEST_F(OrderTest, WhatMayNotBeReplacedIsOrderedAllTheSame) {
  options_.replaces = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
  ca_.instead["order"] = problem(403, "unauthorized", "another account's");
  EXPECT_TRUE(std::holds_alternative<Issued>(run()));
  EXPECT_EQ(ca_.last_payload.find("replaces"), std::string::npos);
  EXPECT_EQ(ca_.asked["order"], 2);
  // What has another reason is refused again, and a CA that has had too much is not asked twice.
  saved_ = Secret();
  ca_.instead["order"] = problem(429, "rateLimited");
  EXPECT_EQ(fails().failure, Failure::rate_limited);
  EXPECT_EQ(ca_.asked["order"], 3);
}

// Else a CA that never ends it, or a certificate that has run out, is met at each try.
TEST_F(OrderTest, ASavedOrderThatLeadsNowhereIsForgotten) {
  ca_.looks_until_valid = 100000;
  EXPECT_EQ(fails().failure, Failure::took_too_long);
  EXPECT_FALSE(saved_.empty()) << "once more";
  lost_ = 1000;
  EXPECT_EQ(fails().failure, Failure::unreachable);
  EXPECT_FALSE(saved_.empty()) << "which is not the order's fault";
  lost_ = 0;
  EXPECT_EQ(fails().failure, Failure::took_too_long);
  EXPECT_TRUE(saved_.empty());
  ca_.looks_until_valid = 2;
  ca_.chain = [this] { return chain_for({"other.example"}); };
  EXPECT_EQ(fails().failure, Failure::bad_certificate);
  EXPECT_EQ(fails().failure, Failure::bad_certificate);
  EXPECT_EQ(ca_.orders, 2);
  EXPECT_TRUE(saved_.empty());
  ca_.chain = [this] { return chain_for(options_.names); };
  EXPECT_TRUE(std::holds_alternative<Issued>(run()));
  EXPECT_EQ(ca_.orders, 3);
}

TEST_F(OrderTest, AClockThatIsSetBackDelaysNothing) {
  ca_.looks_until_valid = 100000;
  Order order = Order::create(options_copy(), std::nullopt, account_, saved_, random_).value();
  Action action = order.next(now_);
  for (int i = 0; i < 100 && !std::holds_alternative<Wait>(action); ++i) {
    step(order, action);
    action = order.next(now_);
  }
  ASSERT_TRUE(std::holds_alternative<Wait>(action));
  now_ -= std::chrono::hours{24 * 365};
  action = order.next(now_);
  ASSERT_TRUE(std::holds_alternative<Wait>(action));
  EXPECT_LE(std::get<Wait>(action).until, now_ + seconds{30});
  waited_ = {};
  const End end = run(order);
  ASSERT_TRUE(std::holds_alternative<Failed>(end));
  EXPECT_EQ(std::get<Failed>(end).failure, Failure::took_too_long);
  EXPECT_LE(waited_, minutes{11});
}

TEST_F(OrderTest, AnswersThatAcmeDoesNotAllowEndIt) {
  for (const char* body : {"", "{}", "[]", "{\"newNonce\":1}",
                           R"({"newNonce":"http://ca.test/n","newAccount":"https://ca.test/a",)"
                           R"("newOrder":"https://ca.test/o"})"}) {
    ca_.instead["directory"] = HttpResponse{200, body, "", "", "", ""};
    EXPECT_EQ(fails().failure, Failure::bad_answer) << body;
  }
  ca_.instead["directory"] = HttpResponse{302, "", "", base + "elsewhere", "", ""};
  EXPECT_EQ(fails().failure, Failure::bad_answer) << "redirects are not followed";
  ca_.instead["account"] = HttpResponse{201, R"({"status":"valid"})", "", "", "", ""};
  EXPECT_EQ(fails().failure, Failure::bad_answer) << "without a Location";
  ca_.instead["account"] =
      HttpResponse{200, R"({"status":"deactivated"})", "", base + "acct/1", "", ""};
  EXPECT_EQ(fails().failure, Failure::refused);
  ca_.instead["order"] = HttpResponse{201, R"({"status":"pending"})", "", base + "o/1", "", ""};
  EXPECT_EQ(fails().failure, Failure::bad_answer);
}

TEST_F(OrderTest, AnExternalAccountIsBound) {
  ExternalAccount external{"kid-1", Secret::copy_of(random_.bytes(32))};
  const auto mac_key = jwt::Key::from_secret(external.key, jwt::Algorithm::hs256, "kid-1");
  Order order =
      Order::create(options_copy(), std::move(external), account_, saved_, random_).value();
  EXPECT_TRUE(std::holds_alternative<Issued>(run(order)));
  // RFC 8555 section 7.3.4: signed by the CA's key over the account's, for that URL.
  const auto payload = json::parse(ca_.account_payload);
  ASSERT_TRUE(payload);
  const json::Value* binding = payload->find("externalAccountBinding");
  ASSERT_NE(binding, nullptr);
  const std::string jws = json::serialize(*binding);
  const auto verified = jwt::verify_flattened_jws({jws}, *jwt::KeySet::of({*mac_key}));
  ASSERT_TRUE(verified) << jwt::to_string(verified.error());
  EXPECT_EQ(text_of(verified->header, "url"), base + "account");
  const auto bound = jwt::Key::from_jwk(*json::parse(verified->payload), jwt::Algorithm::es256);
  ASSERT_TRUE(bound);
  EXPECT_EQ(bound->thumbprint(), account_.thumbprint());
}

TEST_F(OrderTest, OptionsThatMakeNoOrderAreSaid) {
  EXPECT_FALSE(problem_with(options_));
  OrderOptions some = options_;
  some.names.clear();
  EXPECT_TRUE(problem_with(some));
  some.names.assign(100, "a.example");
  EXPECT_FALSE(problem_with(some));
  some.names.assign(101, "a.example");
  EXPECT_TRUE(problem_with(some));
  some.names = {"a b"};
  EXPECT_EQ(problem_with(some), "'a b' can stand in no certificate");
  EXPECT_FALSE(Order::create(some, std::nullopt, account_, Secret(), random_));
  some = options_;
  for (const char* directory : {"http://ca.test/directory", "https:///directory", "https://", ""}) {
    some.directory = directory;
    EXPECT_TRUE(problem_with(some)) << directory;
  }
  const auto other = jwt::Key::generate(jwt::Algorithm::ed25519, random_);
  EXPECT_FALSE(Order::create(options_, std::nullopt, *other, Secret(), random_));
}

TEST(Problem, AStrangersTextIsMadeFitForTheLog) {
  HttpResponse response;
  response.status = 400;
  response.body =
      "{\"type\":\"urn:ietf:params:acme:error:caa\",\"detail\":\"a\\u0007\\nb\\u001b[31m" +
      std::string(1000, 'x') + "\"}";
  const Problem problem = read_problem(response);
  EXPECT_EQ(problem.type, "caa");
  EXPECT_EQ(problem.detail.substr(0, 10), "a??b?[31mx");
  EXPECT_EQ(problem.detail.size(), 500U);
}

}  // namespace
}  // namespace moat::acme
