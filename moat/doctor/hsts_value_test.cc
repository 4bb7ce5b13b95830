// SPDX-License-Identifier: Apache-2.0
#include "moat/doctor/internal/hsts_value.h"

#include <gtest/gtest.h>

namespace moat::doctor::internal {
namespace {

TEST(HstsValue, IsReadAsBrowsersReadIt) {
  const auto value = parse_hsts("max-age=63072000; includeSubDomains; preload");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->max_age.count(), 63072000);
  EXPECT_TRUE(value->include_subdomains);
  EXPECT_TRUE(value->preload);
  const auto other = parse_hsts(" ;; MAX-AGE = \"5\" ;future=x;INCLUDESUBDOMAINS;");
  ASSERT_TRUE(other);
  EXPECT_EQ(other->max_age.count(), 5);
  EXPECT_TRUE(other->include_subdomains);
  EXPECT_FALSE(other->preload);
}

TEST(HstsValue, WhatBrowsersIgnoreIsNone) {
  for (const char* text :
       {"", ";", "includeSubDomains", "max-age", "max-age=", "max-age=-1", "max-age=1x",
        "max-age=1.5", "max-age=\"", "max-age=\"1", "max-age=1; max-age=2", "max-age=1, preload",
        "max-age=1; a b", "max-age=1; includeSubDomains; includesubdomains", "=1; max-age=1"})
    EXPECT_FALSE(parse_hsts(text)) << text;
}

TEST(HstsValue, ANumberWithoutEndIsJustLarge) {
  EXPECT_EQ(parse_hsts("max-age=" + std::string(5000, '9'))->max_age.count(), 1'000'000'000'000);
}

TEST(HstsValue, ADirectiveWithAValueIsAnotherOne) {
  EXPECT_FALSE(parse_hsts("max-age=1; includeSubDomains=0")->include_subdomains);
  EXPECT_FALSE(parse_hsts("max-age=1; preload=no")->preload);
}

}  // namespace
}  // namespace moat::doctor::internal
