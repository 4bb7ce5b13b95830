// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/form.h"

#include <gtest/gtest.h>

namespace moat::validate {
namespace {

std::string verdict(std::string_view text, const FormLimits& limits = {}) {
  const auto form = parse_form(text, limits);
  return form ? "ok" : std::string(to_string(form.error()));
}

TEST(Form, DecodesNamesAndValues) {
  const auto form = parse_form("email=a%40b.co&name=J%C3%B6rg+M&empty=&bare&eq=a=b&raw=a@b.co/c:d");
  ASSERT_TRUE(form);
  EXPECT_EQ(form->find("email"), "a@b.co");
  EXPECT_EQ(form->find("name"), "J\xC3\xB6rg M");
  EXPECT_EQ(form->find("empty"), "");
  EXPECT_EQ(form->find("bare"), "");
  EXPECT_EQ(form->find("eq"), "a=b");
  EXPECT_EQ(form->find("raw"), "a@b.co/c:d");
  EXPECT_EQ(form->find("other"), std::nullopt);
  EXPECT_EQ(form->parameters().size(), 6u);
}

TEST(Form, TheEmptyTextHasNoParameters) {
  const auto form = parse_form("");
  ASSERT_TRUE(form);
  EXPECT_TRUE(form->parameters().empty());
}

TEST(Form, WhatTwoParsersCouldReadDifferentlyIsRefused) {
  EXPECT_EQ(verdict("a=1&a=2"), "duplicate_name");
  EXPECT_EQ(verdict("a=1&%61=2"), "duplicate_name");
  EXPECT_EQ(verdict("a=1&A=2"), "ok");
  for (const auto* bad : {"a=%", "a=%4", "a=%4x", "a=%x4", "%=1", "a=%u0041"})
    EXPECT_EQ(verdict(bad), "bad_escape") << bad;
  for (const auto* bad :
       {"a=b c", "a=b\n", "a=b\r\n", "a=\xC3\xB6", "a=%00", "%00=a", "a\t=b", "a=1;b=2", "a;b=1"})
    EXPECT_EQ(verdict(bad), "bad_character") << bad;
  EXPECT_EQ(verdict(std::string_view("a=\0", 3)), "bad_character");
  EXPECT_EQ(verdict("a=1%3Bb=2"), "ok");
  for (const auto* bad : {"a=%FF", "a=%C3", "a=%C0%80", "a=%ED%A0%80", "%FF=a"})
    EXPECT_EQ(verdict(bad), "invalid_utf8") << bad;
  for (const auto* bad : {"=1", "&", "a=1&", "&a=1", "a=1&&b=2", "="})
    EXPECT_EQ(verdict(bad), "empty_name") << bad;
}

TEST(Form, DecodesExactlyOnce) { EXPECT_EQ(parse_form("a=%252e%2526")->find("a"), "%2e%26"); }

TEST(Form, LimitsAreInclusive) {
  FormLimits limits;
  limits.parameters = 2;
  limits.name_bytes = 2;
  limits.value_bytes = 3;
  limits.total_bytes = 20;
  EXPECT_EQ(verdict("aa=123&b=%31%32%33", limits), "ok");
  EXPECT_EQ(verdict("a=1&b=2&c=3", limits), "too_many");
  EXPECT_EQ(verdict("aaa=1", limits), "too_long");
  EXPECT_EQ(verdict("a=1234", limits), "too_long");
  EXPECT_EQ(verdict("aa=123&bb=%31%32%33-", limits), "too_long");
  std::string many = "p0=1";
  for (int i = 1; i < 1000; ++i) many += "&p" + std::to_string(i) + "=1";
  EXPECT_EQ(verdict(many), "ok");
  EXPECT_EQ(verdict(many + "&q=1"), "too_many");
  EXPECT_EQ(verdict("a=" + std::string(65536, 'x')), "ok");
  EXPECT_EQ(verdict("a=" + std::string(65537, 'x')), "too_long");
}

TEST(Form, WhatIsSerializedReadsTheSame) {
  const std::vector<Form::Parameter> parameters = {
      {"a b", "c&d=e"}, {"\xC3\xB6", "100%"}, {"empty", ""}, {"plus", "1+1"}};
  const auto form = parse_form(serialize_form(parameters));
  ASSERT_TRUE(form);
  EXPECT_EQ(form->parameters(), parameters);
}

}  // namespace
}  // namespace moat::validate
