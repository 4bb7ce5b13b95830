// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests only: a CA, and an order that is carried out against it.

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "moat/acme/order.h"
#include "moat/base/encoding.h"
#include "moat/base/json.h"
#include "moat/jwt/jws.h"

namespace moat::acme::testing {

inline const std::string base = "https://ca.test/";

inline std::string text_of(const json::Value& value, std::string_view name) {
  const json::Value* member = value.find(name);
  const std::string* text = member == nullptr ? nullptr : member->as_string();
  return text == nullptr ? std::string() : *text;
}

inline HttpResponse problem(int status, std::string_view type, std::string_view detail = "no") {
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
inline std::string sign(const std::string& csr, const std::vector<std::string>& names, Time now) {
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
  std::string revoked;  // what was asked for
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
    if (what == "revoke") {
      if (!revoked.empty()) return problem(400, "alreadyRevoked");
      revoked = last_payload;
      return ok("");
    }
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
class OrderTest : public ::testing::Test {
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

  using End = std::variant<Issued, Revoked, Failed>;
  End run(Order& order, int most = 300) {
    for (int i = 0; i < most; ++i) {
      Action action = order.next(now_);
      if (auto* done = std::get_if<Issued>(&action)) return std::move(*done);
      if (std::holds_alternative<Revoked>(action)) return Revoked{};
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
      EXPECT_TRUE(ca_.status == "pending" || save->state.empty())
          << "saved before a certificate is asked for";
      saved_ = std::move(save->state);
      order.saved(can_save_);
    } else if (auto* show = std::get_if<Show>(&action)) {
      shown_.push_back(show->challenge);
      standing_.insert(show->challenge.name);
      now_ += showing_takes_;
      if (can_show_) return order.shown();
      standing_.clear();
      order.not_shown("the DNS is closed");
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
    Order order = Order::create(options_copy(), std::nullopt, account_, saved_, random_).value();
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
  std::chrono::microseconds waited_{0}, showing_takes_{0};
  int lost_ = 0;
  bool can_save_ = true, can_show_ = true, stop_after_saving_ = false;
};

}  // namespace moat::acme::testing
