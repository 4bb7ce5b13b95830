// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/held_bytes.h"

#include <gtest/gtest.h>

namespace moat::gateway {
namespace {

TEST(HeldBytes, AreBoundedForAllTogether) {
  HeldBytes all;
  all.set_most(10);
  {
    Hold one, two;
    EXPECT_TRUE(one.grow_to(all, 4));
    EXPECT_TRUE(one.grow_to(all, 6));
    EXPECT_TRUE(one.grow_to(all, 5));  // never fewer
    EXPECT_EQ(all.now(), 6u);
    EXPECT_TRUE(two.grow_to(all, 4));
    EXPECT_FALSE(two.grow_to(all, 5));
    EXPECT_EQ(all.now(), 10u);
    one.release();
    EXPECT_EQ(all.now(), 4u);
    EXPECT_TRUE(two.grow_to(all, 10));
    EXPECT_FALSE(one.grow_to(all, 1));
  }
  EXPECT_EQ(all.now(), 0u);
}

TEST(HeldBytes, AreGivenBackOnce) {
  HeldBytes all;
  Hold one;
  EXPECT_TRUE(one.grow_to(all, 3));
  one.release();
  one.release();
  EXPECT_EQ(all.now(), 0u);
}

}  // namespace
}  // namespace moat::gateway
