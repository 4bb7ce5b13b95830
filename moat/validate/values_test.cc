// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/values.h"

#include <gtest/gtest.h>

#include "moat/validate/schema.h"

namespace moat::validate {
namespace {

std::string form(std::string_view text, const ValuesOptions& options = {}) {
  const auto out = form_values(text, options);
  return out ? json::serialize(*out) : std::string(to_string(out.error().refusal));
}
std::string cookies(std::string_view text, const ValuesOptions& options = {}) {
  const auto out = cookie_values(text, options);
  return out ? json::serialize(*out) : std::string(to_string(out.error().refusal));
}

TEST(FormValues, AreAnObjectOfStrings) {
  EXPECT_EQ(form(""), "{}");
  EXPECT_EQ(form("a=1&b=x+y%21&c&d=&e=1=2"), R"({"a":"1","b":"x y!","c":"","d":"","e":"1=2"})");
  EXPECT_EQ(form("a[b]=1&c[]=2"), R"({"a[b]":"1","c[]":"2"})");
}

TEST(FormValues, WhatTwoProgramsCouldReadDifferentlyIsRefused) {
  EXPECT_EQ(form("a=%zz"), "bad_escape");
  EXPECT_EQ(form("a=%"), "bad_escape");
  EXPECT_EQ(form("a=1 2"), "bad_character");
  EXPECT_EQ(form("a=%00"), "bad_character");
  EXPECT_EQ(form("a=\xc3\xa4"), "bad_character");
  EXPECT_EQ(form("a=%ff"), "invalid_utf8");
  EXPECT_EQ(form("a=1&&b=2"), "empty_name");
  EXPECT_EQ(form("=1"), "empty_name");
  EXPECT_EQ(form("a=1&"), "empty_name");
  EXPECT_EQ(form("a=1;b=2"), "bad_character");
  EXPECT_EQ(form("a=1&+b=2"), "unsafe_name");
  EXPECT_EQ(form("b%20=2"), "unsafe_name");
  EXPECT_EQ(form("%C2%85b=2"), "unsafe_name");
  EXPECT_EQ(form("a+b=2&%3Bc=%3B"), R"({"a b":"2",";c":";"})");
}

TEST(FormValues, ANameComesOnceUnlessItMayRepeat) {
  EXPECT_EQ(form("a=1&b=2&a=3"), "repeated");
  EXPECT_EQ(form("a=1&%61=3"), "repeated");
  ValuesOptions options;
  options.repeat = [](std::string_view name) { return name == "a"; };
  EXPECT_EQ(form("a=1&b=2&a=3&a=4", options), R"({"a":["1","3","4"],"b":"2"})");
  EXPECT_EQ(form("a=1", options), R"({"a":"1"})");
  EXPECT_EQ(form("a=1&b=2&b=3", options), "repeated");
  EXPECT_EQ(form_values("x=1&b=2&b=3", options).error().sentence,
            "parameter 3 has a name that was given before, and only one value is expected");
}

TEST(FormValues, TheSchemaSaysWhatMayRepeat) {
  const auto schema = Schema::parse(R"({"type":"object","properties":{
      "list":{"type":"array","items":{"type":"integer"}},
      "some":{"anyOf":[{"type":"array"},{"type":"null"}]},
      "either":{"type":["string","array"]},"one":{"type":"string"},"any":{}}})");
  ValuesOptions options;
  options.repeat = [&](std::string_view name) { return schema->wants_array(name); };
  for (const std::string_view name : {"list", "some", "either"})
    EXPECT_TRUE(schema->wants_array(name)) << name;
  for (const std::string_view name : {"one", "any", "unknown", ""})
    EXPECT_FALSE(schema->wants_array(name)) << name;
  const ReadOptions read{.coerce_text = true, .fill_defaults = true};
  const auto typed = [&](std::string_view text) {
    const auto out = schema->read(form_values(text, options).value(), read);
    return out ? json::serialize(*out) : out.error()[0].instance;
  };
  EXPECT_EQ(typed("list=1&list=2&either=a"), R"({"list":[1,2],"either":"a"})");
  EXPECT_EQ(typed("list=1"), R"({"list":[1]})");
  EXPECT_EQ(typed("list=1&list=x"), "/list/1");
  EXPECT_EQ(form("one=1&one=2", options), "repeated");
  EXPECT_EQ(form("any=1&any=2", options), "repeated");
}

TEST(FormValues, UnsafeNamesAreRefused) {
  for (const std::string_view text : {"__proto__=1", "a%5B%24gt%5D=", "password[$ne]=x", "$where=1",
                                      "a.b=1", "constructor[prototype][x]=1", "a%0a=1"})
    EXPECT_EQ(form(text), "unsafe_name") << text;
  ValuesOptions options;
  options.keys.allow_operator_keys = true;
  EXPECT_EQ(form("$filter=1", options), R"({"$filter":"1"})");
  EXPECT_EQ(form_values("x=1&a[$gt]=").error().sentence,
            "parameter 2 has a name that begins with $, as the operators of databases do");
}

TEST(FormValues, LimitsAreInclusiveAndNamed) {
  ValuesOptions options;
  options.limits = {.parameters = 3, .name_bytes = 4, .value_bytes = 5, .total_bytes = 30};
  EXPECT_EQ(form("a=1&b=2", options), R"({"a":"1","b":"2"})");
  EXPECT_EQ(form("a=1&b=2&c=3", options), R"({"a":"1","b":"2","c":"3"})");
  EXPECT_EQ(form_values("a=1&b=2&c=3&d=4", options).error().sentence,
            "there are more than 3 parameters");
  EXPECT_EQ(form("abc=1", options), R"({"abc":"1"})");
  EXPECT_EQ(form("abc%64=1", options), R"({"abcd":"1"})");
  EXPECT_EQ(form("abcde=1", options), "too_long");
  EXPECT_EQ(form("a=1234", options), R"({"a":"1234"})");
  EXPECT_EQ(form("a=1234%35", options), R"({"a":"12345"})");
  EXPECT_EQ(form_values("a=123456", options).error().sentence,
            "parameter 1 has a name of more than 4 bytes or a value of more than 5");
  EXPECT_EQ(form("a=%31%31%31%31%31&b=%31%31%31", options).substr(0, 5), R"({"a":)");  // 29
  EXPECT_EQ(form("a=%31%31%31%31%31&bb=%31%31%31", options).substr(0, 5), R"({"a":)");
  EXPECT_EQ(form_values("a=%31%31%31%31%31&bbb=%31%31%31", options).error().sentence,
            "there are more than 30 bytes of parameters");
}

TEST(CookieValues, AreAnObjectOfStrings) {
  EXPECT_EQ(cookies(""), "{}");
  EXPECT_EQ(cookies("a=1; b=x%20y; c=; d=1=2; e=1+2"),
            R"({"a":"1","b":"x y","c":"","d":"1=2","e":"1+2"})");
}

TEST(CookieValues, TheRestIsRefused) {
  for (const std::string_view text :
       {"a=1;b=2", "a=1;  b=2", "a=1;", "a", "a =1", "a b=1", "a=1; b"})
    EXPECT_EQ(cookies(text), "syntax") << text;
  for (const std::string_view text :
       {"a=\"1\"", "a=1 ", "a=1,2", "a=\\", "a=\xc3\xa4", "a=%00", "a=\x01"})
    EXPECT_EQ(cookies(text), "bad_character") << text;
  EXPECT_EQ(cookies("=1"), "empty_name");
  EXPECT_EQ(cookies(" a=1"), "syntax");
  EXPECT_EQ(cookies("a=1; "), "empty_name");
  EXPECT_EQ(cookies("a=%g0"), "bad_escape");
  EXPECT_EQ(cookies("a=%ff"), "invalid_utf8");
  EXPECT_EQ(cookies("a=1; a=2"), "repeated");
  EXPECT_EQ(cookies("__proto__=1"), "unsafe_name");
}

TEST(CookieValues, OthersArePassedOver) {
  ValuesOptions options;
  options.only = [](std::string_view name) { return name == "a"; };
  EXPECT_EQ(cookies("x=\"1\"; a=1; y; x=2; __proto__=1; $b=3", options), R"({"a":"1"})");
  EXPECT_EQ(cookies("x=1; a=\"1\"", options), "bad_character");
  EXPECT_EQ(cookies("a=1; x=2; a=3", options), "repeated");
}

TEST(CookieValues, LimitsAreInclusive) {
  ValuesOptions options;
  options.limits = {.parameters = 2, .name_bytes = 2, .value_bytes = 3, .total_bytes = 12};
  EXPECT_EQ(cookies("a=1", options), R"({"a":"1"})");
  EXPECT_EQ(cookies("a=1; b=2", options), R"({"a":"1","b":"2"})");
  EXPECT_EQ(cookies("a=; b=; c=", options), "too_many");
  EXPECT_EQ(cookies("ab=1", options), R"({"ab":"1"})");
  EXPECT_EQ(cookies("abc=1", options), "too_long");
  EXPECT_EQ(cookies("a=123", options), R"({"a":"123"})");
  EXPECT_EQ(cookies("a=1234", options), "too_long");
  EXPECT_EQ(cookies("a=123; bb=12", options), R"({"a":"123","bb":"12"})");
  EXPECT_EQ(cookies("a=123; bb=123", options), "too_large");
}

}  // namespace
}  // namespace moat::validate
