// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/held_bytes.h"

#include <gtest/gtest.h>

#include <string>

namespace moat::gateway {
namespace {

IpAddress address(const char* text) { return IpAddress::parse(text).value(); }

TEST(HeldBytes, AreBoundedForAllTogether) {
  HeldBytes all;
  all.set_most(80);
  Hold holds[9];
  for (int i = 0; i < 8; ++i)
    EXPECT_TRUE(holds[i].grow_to(all, address(("192.0.2." + std::to_string(i)).c_str()), 10));
  EXPECT_EQ(all.now(), 80u);
  EXPECT_FALSE(holds[8].grow_to(all, address("192.0.2.9"), 1));
  holds[3].release();
  EXPECT_TRUE(holds[8].grow_to(all, address("192.0.2.9"), 10));
  EXPECT_EQ(all.now(), 80u);
}

TEST(HeldBytes, OneAddressHasAnEighth) {
  HeldBytes all;
  all.set_most(80);
  {
    Hold one, two, other, neighbour;
    EXPECT_TRUE(one.grow_to(all, address("192.0.2.1"), 4));
    EXPECT_TRUE(one.grow_to(all, address("192.0.2.1"), 6));
    EXPECT_TRUE(one.grow_to(all, address("192.0.2.1"), 5));  // never fewer
    EXPECT_TRUE(two.grow_to(all, address("192.0.2.1"), 4));
    EXPECT_FALSE(two.grow_to(all, address("192.0.2.1"), 5));
    EXPECT_EQ(all.now(), 10u);
    one.release();
    EXPECT_TRUE(two.grow_to(all, address("192.0.2.1"), 10));
    EXPECT_TRUE(other.grow_to(all, address("2001:db8::1"), 10));
    EXPECT_FALSE(neighbour.grow_to(all, address("2001:db8::2"), 1));  // the same /64
    EXPECT_TRUE(neighbour.grow_to(all, address("2001:db8:0:1::2"), 10));
  }
  EXPECT_EQ(all.now(), 0u);
}

TEST(HeldBytes, APartMayBeGivenBack) {
  HeldBytes all;
  all.set_most(80);
  Hold one, two;
  one.shrink_to(0);  // nothing is held yet
  EXPECT_TRUE(one.grow_to(all, address("192.0.2.1"), 10));
  one.shrink_to(11);
  one.shrink_to(10);
  EXPECT_EQ(all.now(), 10u);
  one.shrink_to(4);
  EXPECT_EQ(all.now(), 4u);
  EXPECT_FALSE(two.grow_to(all, address("192.0.2.1"), 7));
  EXPECT_TRUE(two.grow_to(all, address("192.0.2.1"), 6));
  one.shrink_to(0);
  EXPECT_EQ(all.now(), 6u);
  EXPECT_TRUE(one.grow_to(all, address("192.0.2.1"), 4));
  one.release();
  two.release();
  EXPECT_EQ(all.now(), 0u);
}

TEST(HeldBytes, OneSiteOfIpv6HasAHalf) {
  HeldBytes all;
  all.set_most(80);
  Hold holds[4], fifth, other;
  for (int i = 0; i < 4; ++i)
    EXPECT_TRUE(
        holds[i].grow_to(all, address(("2001:db8:0:" + std::to_string(i) + "::1").c_str()), 10));
  EXPECT_FALSE(fifth.grow_to(all, address("2001:db8:0:ff::1"), 1));
  EXPECT_EQ(all.now(), 40u);
  EXPECT_TRUE(other.grow_to(all, address("2001:db8:1::1"), 10));
  EXPECT_TRUE(fifth.grow_to(all, address("192.0.2.1"), 10));
  fifth.release();
  holds[0].release();
  EXPECT_TRUE(fifth.grow_to(all, address("2001:db8:0:ff::1"), 10));
  EXPECT_EQ(all.now(), 50u);
}

TEST(HeldBytes, AreGivenBackOnce) {
  HeldBytes all;
  Hold one;
  EXPECT_TRUE(one.grow_to(all, address("192.0.2.1"), 3));
  one.release();
  one.release();
  EXPECT_EQ(all.now(), 0u);
}

}  // namespace
}  // namespace moat::gateway
