// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <string_view>

#include "moat/base/random.h"
#include "moat/shield/internal/test_world.h"
#include "moat/shield/shield.h"

// What the tests of the walk share: a request, the rules it falls under, and who is known.
namespace moat::shield {

using internal::address;
using internal::cookie_in;
using internal::forgets;
using internal::pair;
using internal::test_start;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

inline limit::Policy policy(std::string_view text) { return limit::Policy::parse(text).value(); }

class ShieldTest : public ::testing::Test {
 protected:
  ShieldTest() {
    options_.hosts = {"localhost", "*.localhost", "[::1]", "App.Example.com"};
    options_.general = policy("1000/min/ip");
    request_.method = "GET";
    request_.path = "/notes";
    request_.host = "localhost:8443";
    request_.peer = address("192.0.2.1");
    rules_.login = Rules::Login::optional;
  }

  Shield shield() const { return Shield(services_, options_); }

  session::Issued log_in(std::string_view user = "ada") {
    return sessions_.start(users_.known.find(user)->second, {"192.0.2.1", "Browser/1.0"}, now_)
        .value();
  }
  static std::string cookies(const session::Issued& issued) {
    return pair(session::access_cookie, issued.access_token.reveal()) + "; " +
           pair(session::refresh_cookie, issued.refresh_token.reveal());
  }
  // The next request comes with the cookies of a new session of `user`.
  void come_as(std::string_view user) {
    request_.cookie = sent_.emplace_back(cookies(log_in(user)));
  }
  Outcome begin(const Shield& shield, Memory* memory = nullptr) {
    admission_ = Admission();
    return shield.begin(request_, rules_, now_, tick_, memory, admission_);
  }
  Outcome begin() { return begin(shield()); }
  void advance(seconds by) {
    now_ += by;
    tick_ += by;
  }
  const Refusal& refusal() const { return admission_.refusal; }

  Time now_ = test_start;
  Tick tick_{hours{1}};
  internal::FlakySessions store_;
  internal::Users users_;
  session::RevocationList revocations_{seconds(330)};
  jwt::KeyRing ring_ =
      jwt::KeyRing::create(jwt::Algorithm::hs256, system_random(), test_start, {}).value();
  session::Manager sessions_{store_, revocations_, ring_, {}, system_random()};
  limit::Table requests_{1024};
  Shield::Services services_{sessions_, revocations_, users_, requests_};
  Shield::Options options_;
  Request request_;
  Rules rules_;
  Admission admission_;

 private:
  std::deque<std::string> sent_;  // requests point here
};

}  // namespace moat::shield
