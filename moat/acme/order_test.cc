// SPDX-License-Identifier: Apache-2.0
#include "moat/acme/order.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <functional>
#include <map>
#include <memory>
#include <set>

#include "moat/acme/internal/answers.h"
#include "moat/base/encoding.h"
#include "moat/base/json.h"
#include "moat/https/certificate.h"
#include "moat/https/certificate_request.h"
#include "moat/jwt/jws.h"

namespace moat::acme {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const std::string base = "https://ca.test/";

std::string text_of(const json::Value& value, std::string_view name) {
  const json::Value* member = value.find(name);
  const std::string* text = member == nullptr ? nullptr : member->as_string();
  return text == nullptr ? std::string() : *text;
}

HttpResponse problem(int status, std::string_view type, std::string_view detail = "no") {
  HttpResponse out;
  out.status = status;
  out.body = json::serialize(json::Object{
      {"type", "urn:ietf:params:acme:error:" + std::string(type)}, {"detail", detail}});
  return out;
}

template <auto F>
struct Free {
  template <class T>
  void operator()(T* object) const {
    F(object);
  }
};
template <class T, auto F>
using Owned = std::unique_ptr<T, Free<F>>;

// What a CA makes of a request, for those names; signed by a key that is thrown away.
std::string sign(const std::string& csr, const std::vector<std::string>& names, Time now) {
  const std::string der = base64url_decode(csr).value_or("");
  const auto* data = reinterpret_cast<const unsigned char*>(der.data());
  const Owned<X509_REQ, X509_REQ_free> request(
      d2i_X509_REQ(nullptr, &data, static_cast<long>(der.size())));
  if (!request || X509_REQ_verify(request.get(), X509_REQ_get0_pubkey(request.get())) != 1)
    return {};
  const Owned<EVP_PKEY, EVP_PKEY_free> ca(EVP_EC_gen("P-256"));
  const Owned<X509, X509_free> made(X509_new());
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 77);
  ASN1_TIME_set(X509_getm_notBefore(made.get()), unix_seconds(now) - 3600);
  ASN1_TIME_set(X509_getm_notAfter(made.get()), unix_seconds(now) + 90 * 86400);
  X509_NAME_add_entry_by_txt(X509_get_issuer_name(made.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("CA"), -1, -1, 0);
  X509_set_pubkey(made.get(), X509_REQ_get0_pubkey(request.get()));
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "DNS:" : ",DNS:") + name;
  const Owned<X509_EXTENSION, X509_EXTENSION_free> extension(
      X509V3_EXT_nconf_nid(nullptr, nullptr, NID_subject_alt_name, list.c_str()));
  X509_add_ext(made.get(), extension.get(), -1);
  X509_sign(made.get(), ca.get(), EVP_sha256());
  const Owned<BIO, BIO_free_all> out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), made.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

// A CA that is as strict as RFC 8555 lets it be, with one order at a time.
class FakeCa {
 public:
  std::map<std::string, int> asked;  // by the URL's last part
  std::set<std::string> nonces;
  std::string account_thumbprint;
  std::string last_payload, account_payload;
  std::vector<std::string> names;
  std::map<std::string, std::string> authorizations;  // name: status
  std::map<std::string, std::string> types;           // name: the type that was answered
  std::string status = "pending";
  std::string csr;
  std::string profiles;  // of the directory, a JSON object
  int nonces_to_refuse = 0;
  int looks_until_valid = 2;
  int orders = 0;
  std::function<bool(const std::string& name)> proves = [](const std::string&) { return true; };
  std::function<std::string()> chain = [] { return std::string("no chain"); };
  // Answers instead, once each, by the URL's last part.
  std::map<std::string, HttpResponse> instead;
  std::vector<std::string> offered = {"http-01", "dns-01", "tls-alpn-01"};

  HttpResponse answer(const HttpRequest& request) {
    const std::string what = request.url.substr(request.url.rfind('/') + 1);
    ++asked[what];
    if (request.url.compare(0, base.size(), base) != 0) return problem(404, "malformed");
    HttpResponse out = answer_plain(request, what);
    if (what == "directory") return out;
    out.replay_nonce = "nonce" + std::to_string(++count_);
    nonces.insert(out.replay_nonce);
    return out;
  }

 private:
  int count_ = 0;
  std::optional<jwt::Key> account_;

  HttpResponse answer_plain(const HttpRequest& request, const std::string& what) {
    const bool post = request.method == HttpRequest::Method::post;
    if (post) {
      if (const auto refused = check(request, what)) return *refused;
    }
    if (const auto found = instead.find(what); found != instead.end()) {
      const HttpResponse out = found->second;
      instead.erase(found);
      return out;
    }
    if (what == "directory") return ok(directory());
    if (what == "nonce") return {200, "", "", "", "", ""};
    return post ? dispatch(what) : problem(405, "malformed");
  }

  static HttpResponse ok(std::string body, int status = 200) {
    HttpResponse out;
    out.status = status;
    out.body = std::move(body);
    out.content_type = "application/json";
    return out;
  }

  std::string directory() const {
    return R"({"newNonce":")" + base + R"(nonce","newAccount":")" + base +
           R"(account","newOrder":")" + base + R"(order","revokeCert":")" + base +
           R"(revoke","renewalInfo":")" + base +
           R"(ari","meta":{"termsOfService":"https://ca.test/terms")" +
           (profiles.empty() ? "" : R"(,"profiles":)" + profiles) + "}}";
  }

  // RFC 8555 section 6.
  std::optional<HttpResponse> check(const HttpRequest& request, const std::string& what) {
    const auto body = json::parse(request.body);
    if (!body) return problem(400, "malformed");
    const auto header = json::parse(*base64url_decode(text_of(*body, "protected")));
    if (!header) return problem(400, "malformed");
    if (text_of(*header, "url") != request.url) return problem(401, "unauthorized");
    if (nonces.erase(text_of(*header, "nonce")) != 1 || nonces_to_refuse-- > 0)
      return problem(400, "badNonce");
    nonces_to_refuse = std::max(nonces_to_refuse, 0);
    if (what == "account") {
      if (header->find("kid") != nullptr) return problem(400, "malformed");
      const auto key = jwt::Key::from_jwk(*header->find("jwk"), jwt::Algorithm::es256);
      if (!key) return problem(400, "badPublicKey");
      account_ = *key;
      account_thumbprint = key->thumbprint();
    } else if (header->find("jwk") != nullptr || text_of(*header, "kid") != base + "acct/1") {
      return problem(400, "accountDoesNotExist");
    }
    // The kid of a request is the account's URL.
    const auto keys = jwt::KeySet::of({account_->with_id(text_of(*header, "kid"))});
    const auto verified = jwt::verify_flattened_jws({request.body}, *keys);
    if (!verified) return problem(401, "unauthorized", jwt::to_string(verified.error()));
    last_payload = verified->payload;
    if (what == "account") account_payload = last_payload;
    return std::nullopt;
  }

  HttpResponse dispatch(const std::string& what) {
    if (what == "account") {
      HttpResponse out = ok(R"({"status":"valid"})", 201);
      out.location = base + "acct/1";
      return out;
    }
    if (what == "order") {
      ++orders;
      names.clear();
      authorizations.clear();
      status = "pending";
      const auto asked_for = json::parse(last_payload);
      for (const json::Value& one : *asked_for->find("identifiers")->as_array()) {
        names.push_back(text_of(one, "value"));
        authorizations[names.back()] = "pending";
      }
      HttpResponse out = ok(order(), 201);
      out.location = base + "o/" + std::to_string(orders);
      return out;
    }
    if (what == std::to_string(orders)) {
      if (status == "processing" && --looks_until_valid <= 0) status = "valid";
      return ok(order());
    }
    if (what == "finalize") {
      if (status != "ready") return problem(403, "orderNotReady");
      csr = text_of(*json::parse(last_payload), "csr");
      status = "processing";
      return ok(order());
    }
    if (what == "certificate" && status == "valid") return ok(chain());
    for (const std::string& name : names) {
      if (what == "authz-" + name) return ok(authorization(name));
      for (const std::string& type : offered) {
        if (what != type + "-" + name) continue;
        types[name] = type;
        authorizations[name] = proves(name) ? "valid" : "invalid";
        settle();
        return ok("{}");
      }
    }
    return problem(404, "malformed", "no such resource: " + what);
  }

  void settle() {
    bool all = true;
    for (const auto& [name, state] : authorizations) {
      all = all && state == "valid";
      if (state == "invalid") status = "invalid";
    }
    if (all) status = "ready";
  }

  std::string order() const {
    json::Array list;
    for (const std::string& name : names) list.emplace_back(base + "authz-" + name);
    json::Object out{
        {"status", status}, {"authorizations", std::move(list)}, {"finalize", base + "finalize"}};
    if (status == "valid") out.emplace_back("certificate", base + "certificate");
    return json::serialize(std::move(out));
  }

  std::string authorization(const std::string& name) const {
    json::Array list;
    for (const std::string& type : offered) {
      json::Object one{{"type", type}, {"url", base + type + "-" + name}, {"token", "tok-" + type}};
      if (authorizations.at(name) == "invalid" && types.count(name) != 0 && types.at(name) == type)
        one.emplace_back("error", json::Object{{"type", "urn:ietf:params:acme:error:connection"},
                                               {"detail", "could not connect"}});
      list.emplace_back(std::move(one));
    }
    const std::string plain = name.compare(0, 2, "*.") == 0 ? name.substr(2) : name;
    return json::serialize(
        json::Object{{"status", authorizations.at(name)},
                     {"identifier", json::Object{{"type", "dns"}, {"value", plain}}},
                     {"challenges", std::move(list)}});
  }
};

// Carries an order out against a CA.
class OrderTest : public testing::Test {
 protected:
  OrderTest() : account_(*jwt::Key::generate(jwt::Algorithm::es256, random_)) {
    options_.directory = base + "directory";
    options_.agree_to_terms = true;
    options_.names = {"a.example"};
    ca_.chain = [this] { return chain_for(options_.names); };
  }

  std::string chain_for(const std::vector<std::string>& names) {
    return sign(ca_.csr, names, now_);
  }

  using End = std::variant<Issued, Failed>;
  End run(Order& order, int most = 300) {
    for (int i = 0; i < most; ++i) {
      Action action = order.next(now_);
      if (auto* done = std::get_if<Issued>(&action)) return std::move(*done);
      if (auto* failed = std::get_if<Failed>(&action)) return std::move(*failed);
      step(order, action);
      if (stop_after_saving_ && !saved_.empty()) return Failed{};
    }
    ADD_FAILURE() << "no end";
    return Failed{};
  }

  void step(Order& order, Action& action) {
    if (auto* send = std::get_if<Send>(&action)) {
      if (lost_ > 0) {
        --lost_;
        return order.unreachable("timed out", now_);
      }
      order.received(ca_.answer(send->request), now_);
    } else if (auto* save = std::get_if<Save>(&action)) {
      EXPECT_EQ(ca_.status, "pending") << "saved before a certificate is asked for";
      saved_ = std::move(save->state);
      order.saved(can_save_);
    } else if (auto* show = std::get_if<Show>(&action)) {
      shown_.push_back(show->challenge);
      standing_.insert(show->challenge.name);
      order.shown(can_show_);
      if (!can_show_) standing_.clear();
    } else if (auto* hide = std::get_if<Hide>(&action)) {
      EXPECT_EQ(standing_.erase(hide->challenge.name), 1U);
      order.hidden();
    } else if (auto* wait = std::get_if<Wait>(&action)) {
      EXPECT_GT(wait->until, now_);
      waited_ += wait->until - now_;
      now_ = wait->until;
    }
  }

  End run() {
    Order order(options_copy(), std::nullopt, account_, saved_, random_);
    return run(order);
  }
  OrderOptions options_copy() const { return options_; }

  Failed fails() {
    End end = run();
    EXPECT_TRUE(std::holds_alternative<Failed>(end)) << "issued";
    EXPECT_TRUE(standing_.empty()) << "a challenge is still shown";
    return std::holds_alternative<Failed>(end) ? std::get<Failed>(std::move(end)) : Failed{};
  }

  InsecureSeededRandom random_{7};
  jwt::Key account_;
  FakeCa ca_;
  OrderOptions options_;
  Secret saved_;
  Time now_ = from_unix_seconds(1'795'000'000);
  std::vector<Challenge> shown_;
  std::set<std::string> standing_;
  std::chrono::microseconds waited_{0};
  int lost_ = 0;
  bool can_save_ = true, can_show_ = true, stop_after_saving_ = false;
};

TEST_F(OrderTest, EndsWithAChainAndItsKey) {
  options_.names = {"a.example", "B.example."};
  ca_.chain = [this] { return chain_for({"a.example", "b.example"}); };
  End end = run();
  ASSERT_TRUE(std::holds_alternative<Issued>(end)) << std::get<Failed>(end).explain();
  const Issued& issued = std::get<Issued>(end);
  const auto certificate = https::Certificate::from_pem(issued.chain, issued.key, now_);
  ASSERT_TRUE(certificate.has_value());
  EXPECT_TRUE(certificate->covers("b.example"));
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
  Order order(options_copy(), std::nullopt, account_, saved_, random_);
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
  EXPECT_EQ(fails().failure, Failure::not_shown);
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
TEST_F(OrderTest, WhatWasReplacedAlreadyIsOrderedAllTheSame) {
  options_.replaces = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
  ca_.instead["order"] = problem(409, "alreadyReplaced");
  EXPECT_TRUE(std::holds_alternative<Issued>(run()));
  EXPECT_EQ(ca_.asked["order"], 2);
  EXPECT_EQ(ca_.orders, 1);
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
  Order order(options_copy(), std::move(external), account_, saved_, random_);
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

TEST_F(OrderTest, OptionsThatMakeNoOrderThrow) {
  const auto made = [&](OrderOptions options) {
    Order order(std::move(options), std::nullopt, account_, Secret(), random_);
  };
  OrderOptions none = options_;
  none.names.clear();
  EXPECT_THROW(made(none), std::invalid_argument);
  OrderOptions plain = options_;
  plain.directory = "http://ca.test/directory";
  EXPECT_THROW(made(plain), std::invalid_argument);
  OrderOptions odd = options_;
  odd.names = {"a b"};
  EXPECT_THROW(made(odd), std::invalid_argument);
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
