// SPDX-License-Identifier: Apache-2.0
// The walk: limits by address, user and route.
#include <gtest/gtest.h>

#include <array>

#include "moat/shield/internal/shield_fixture.h"

namespace moat::shield {
namespace {

TEST_F(ShieldTest, AnAddressHasItsLimit) {
  options_.general = policy("3/min/ip");
  const Shield guard = shield();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(begin(guard), Outcome::pass);
    EXPECT_EQ(admission_.rate.remaining, 2U - static_cast<unsigned>(i));
  }
  EXPECT_EQ(begin(guard), Outcome::refuse);
  EXPECT_EQ(refusal().status, 429);
  EXPECT_EQ(refusal().code, "rate_limited");
  EXPECT_EQ(refusal().step, Step::address_limit);
  EXPECT_GT(refusal().retry_after, seconds(0));
  EXPECT_LE(refusal().retry_after, seconds(20));
  // Another one is not touched, and time heals.
  request_.peer = address("192.0.2.2");
  EXPECT_EQ(begin(guard), Outcome::pass);
  request_.peer = address("192.0.2.1");
  advance(seconds(20));
  EXPECT_EQ(begin(guard), Outcome::pass);
}

TEST_F(ShieldTest, ARequestThatEndsEarlyIsCountedToo) {
  options_.general = policy("3/min/ip");
  const Shield guard = shield();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(guard.count_client(request_, tick_, nullptr, admission_));
  EXPECT_FALSE(guard.count_client(request_, tick_, nullptr, admission_));
  EXPECT_EQ(refusal().status, 429);
  request_.host = "other.example";
  EXPECT_FALSE(guard.count_client(request_, tick_, nullptr, admission_));
  EXPECT_EQ(refusal().status, 421);
}

TEST_F(ShieldTest, ReportsOfBrowsersAreCountedApart) {
  options_.general = policy("1/min/ip");
  options_.reports = policy("2/min/ip");
  const Shield guard = shield();
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(guard.count_report(request_, tick_, nullptr, admission_));
  EXPECT_EQ(admission_.client, address("192.0.2.1"));
  EXPECT_FALSE(guard.count_report(request_, tick_, nullptr, admission_));
  EXPECT_EQ(refusal().status, 429);
  EXPECT_GT(refusal().retry_after, seconds(0));
  // They have not used up what the user may ask for, nor the other way round.
  EXPECT_TRUE(guard.count_client(request_, tick_, nullptr, admission_));
  EXPECT_FALSE(guard.count_client(request_, tick_, nullptr, admission_));
  request_.peer = address("192.0.2.2");
  EXPECT_TRUE(guard.count_report(request_, tick_, nullptr, admission_));
  request_.host = "other.example";
  EXPECT_FALSE(guard.count_report(request_, tick_, nullptr, admission_));
  EXPECT_EQ(refusal().status, 421);
}

TEST_F(ShieldTest, AnIpv6NetworkIsOneAddress) {
  options_.general = policy("2/min/ip");
  const Shield guard = shield();
  request_.peer = address("2001:db8:1:2::1");
  EXPECT_EQ(begin(guard), Outcome::pass);
  request_.peer = address("2001:db8:1:2:ffff::2");
  EXPECT_EQ(begin(guard), Outcome::pass);
  request_.peer = address("2001:db8:1:2::3");
  EXPECT_EQ(begin(guard), Outcome::refuse);
  request_.peer = address("2001:db8:1:3::1");
  EXPECT_EQ(begin(guard), Outcome::pass);
}

TEST_F(ShieldTest, AClientCannotNameItsAddress) {
  options_.general = policy("1/min/ip");
  const std::array<std::string_view, 1> lie = {"198.51.100.7"};
  request_.forwarded_for = lie;
  EXPECT_EQ(begin(), Outcome::pass);
  EXPECT_EQ(admission_.client, address("192.0.2.1"));
}

TEST_F(ShieldTest, ATrustedProxyMayNameIt) {
  options_.trusted_proxies = {Cidr::parse("192.0.2.0/24").value()};
  const std::array<std::string_view, 1> line = {"203.0.113.9, 198.51.100.7"};
  request_.forwarded_for = line;
  EXPECT_EQ(begin(), Outcome::pass);
  EXPECT_EQ(admission_.client, address("198.51.100.7"));
  request_.peer = address("203.0.113.1");  // not one of them
  EXPECT_EQ(begin(), Outcome::pass);
  EXPECT_EQ(admission_.client, address("203.0.113.1"));
}

TEST_F(ShieldTest, AUserHasOneLimitWhereverTheyAre) {
  options_.user = policy("2/min/user");
  const Shield guard = shield();
  come_as("ada");
  EXPECT_EQ(begin(guard), Outcome::pass);
  request_.peer = address("198.51.100.1");
  EXPECT_EQ(begin(guard), Outcome::pass);
  EXPECT_EQ(admission_.rate.remaining, 0U);  // the tighter of the two is shown
  EXPECT_EQ(begin(guard), Outcome::refuse);
  EXPECT_EQ(refusal().step, Step::user_limit);
  EXPECT_EQ(refusal().status, 429);
  EXPECT_GT(refusal().retry_after, seconds(0));
  come_as("bob");
  EXPECT_EQ(begin(guard), Outcome::pass);
  request_.cookie = "";
  EXPECT_EQ(begin(guard), Outcome::pass);
}

TEST_F(ShieldTest, ARouteHasALimitOfItsOwn) {
  const Shield guard = shield();
  const limit::Policy tight = policy("1/min/ip");
  rules_.limit = &tight;
  rules_.route = 1;
  EXPECT_EQ(begin(guard), Outcome::pass);
  EXPECT_EQ(begin(guard), Outcome::refuse);
  EXPECT_EQ(refusal().step, Step::user_limit);
  rules_.route = 2;
  EXPECT_EQ(begin(guard), Outcome::pass);
  rules_.limit = nullptr;
  rules_.route = 1;
  EXPECT_EQ(begin(guard), Outcome::pass);
}

TEST_F(ShieldTest, ARoutesLimitByUserCountsStrangersByAddress) {
  const Shield guard = shield();
  const limit::Policy tight = policy("1/min/user");
  rules_.limit = &tight;
  rules_.route = 1;
  const std::string ada = cookies(log_in());
  const std::string bob = cookies(log_in("bob"));
  request_.cookie = ada;
  EXPECT_EQ(begin(guard), Outcome::pass);
  EXPECT_EQ(begin(guard), Outcome::refuse);
  request_.cookie = bob;  // same address, another user
  EXPECT_EQ(begin(guard), Outcome::pass);
  request_.cookie = "";
  EXPECT_EQ(begin(guard), Outcome::pass);
  EXPECT_EQ(begin(guard), Outcome::refuse);
  request_.peer = address("198.51.100.1");
  EXPECT_EQ(begin(guard), Outcome::pass);
}

}  // namespace
}  // namespace moat::shield
