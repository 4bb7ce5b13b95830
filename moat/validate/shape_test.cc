// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/shape.h"

#include <gtest/gtest.h>

namespace moat::validate {
namespace {

ObjectShape sign_up() {
  ObjectShape shape;
  shape.string("email", {Presence::required, 254, 3})
      .string("password", {Presence::required, 1024, 1})
      .integer("age", {Presence::optional, 0, 150})
      .boolean("remember", {Presence::optional});
  return shape;
}

// "pointer code, pointer code …", or "ok".
std::string verdict(const Result<Fields, Problems>& result) {
  if (result) return "ok";
  std::string out;
  for (const auto& problem : result.error()) {
    if (!out.empty()) out += ", ";
    out += problem.pointer + " " + std::string(to_string(problem.code));
    EXPECT_FALSE(problem.message.empty());
  }
  return out;
}
std::string json_verdict(std::string_view body) { return verdict(sign_up().parse_json(body)); }
std::string form_verdict(std::string_view body) { return verdict(sign_up().parse_form(body)); }

TEST(Shape, GivesTypedFieldsFromJson) {
  auto fields =
      sign_up().parse_json(R"({"email":"a@b.co","password":"s3cret","age":42,"remember":true})");
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->string("email"), "a@b.co");
  EXPECT_EQ(fields->integer("age"), 42);
  EXPECT_TRUE(fields->boolean("remember"));
  EXPECT_EQ(fields->optional_integer("age"), 42);
  EXPECT_EQ(fields->optional_boolean("remember"), true);
  const Secret password = fields->take_secret("password");
  EXPECT_TRUE(password.equals("s3cret"));
  EXPECT_EQ(fields->string("password"), "");
}

TEST(Shape, GivesTypedFieldsFromAForm) {
  auto fields = sign_up().parse_form("email=a%40b.co&password=s3cret&age=42&remember=true");
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->string("email"), "a@b.co");
  EXPECT_EQ(fields->integer("age"), 42);
  EXPECT_TRUE(fields->boolean("remember"));
}

TEST(Shape, OptionalFieldsMayBeAbsent) {
  auto fields = sign_up().parse_json(R"({"email":"a@b.co","password":"x"})");
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->optional_integer("age"), std::nullopt);
  EXPECT_EQ(fields->optional_boolean("remember"), std::nullopt);
  EXPECT_EQ(fields->optional_string("age"), std::nullopt);
  EXPECT_TRUE(fields->take_secret("age").empty());
}

TEST(Shape, TypesAreNeverConverted) {
  EXPECT_EQ(json_verdict(R"({"email":1,"password":"x"})"), "/email wrong_type");
  EXPECT_EQ(json_verdict(R"({"email":null,"password":"x"})"), "/email wrong_type");
  EXPECT_EQ(json_verdict(R"({"email":{"$gt":""},"password":["x"]})"),
            "/email wrong_type, /password wrong_type");
  for (const auto* age : {"\"42\"", "42.0", "4.2e1", "true", "null", "[]"})
    EXPECT_EQ(json_verdict(R"({"email":"a@b","password":"x","age":)" + std::string(age) + "}"),
              "/age wrong_type")
        << age;
  for (const auto* flag : {"\"true\"", "1", "0", "null"})
    EXPECT_EQ(
        json_verdict(R"({"email":"a@b","password":"x","remember":)" + std::string(flag) + "}"),
        "/remember wrong_type")
        << flag;
  for (const auto* age : {"042", "4.2", "x", "%2B4", ""})
    EXPECT_EQ(form_verdict("email=a%40b&password=x&age=" + std::string(age)), "/age wrong_type")
        << age;
  for (const auto* flag : {"1", "on", "True", ""})
    EXPECT_EQ(form_verdict("email=a%40b&password=x&remember=" + std::string(flag)),
              "/remember wrong_type")
        << flag;
}

TEST(Shape, UnknownAndDuplicateMembersAreRefusedAndNotRepeated) {
  const auto result =
      sign_up().parse_json(R"({"email":"a@b.co","password":"x","is_admin":true,"<b>":1})");
  EXPECT_EQ(verdict(result), " unknown");
  EXPECT_EQ(result.error()[0].message.find("admin"), std::string::npos);
  EXPECT_EQ(json_verdict(R"({"email":"a@b.co","password":"x","email":"c@d.ee"})"), " duplicate");
  EXPECT_EQ(form_verdict("email=a%40b&password=x&is_admin=1"), " unknown");
  EXPECT_EQ(form_verdict("email=a%40b&password=x&email=c%40d"), " duplicate");
  json::Object twice;
  twice.emplace_back("email", "a@b.co");
  twice.emplace_back("email", "c@d.ee");
  twice.emplace_back("password", "x");
  EXPECT_EQ(verdict(sign_up().check(json::Value(std::move(twice)))), "/email duplicate");
}

TEST(Shape, EveryProblemIsListed) {
  EXPECT_EQ(json_verdict("{}"), "/email missing, /password missing");
  EXPECT_EQ(json_verdict(R"({"email":"a","age":151,"x":1})"),
            " unknown, /email too_short, /age out_of_range, /password missing");
}

TEST(Shape, BoundsAreInclusive) {
  const std::string longest(254, 'a');
  EXPECT_EQ(json_verdict(R"({"password":"x","email":")" + longest + "\"}"), "ok");
  EXPECT_EQ(json_verdict(R"({"password":"x","email":")" + longest + "a\"}"), "/email too_long");
  EXPECT_EQ(json_verdict(R"({"email":"a@b","password":""})"), "/password too_short");
  EXPECT_EQ(json_verdict(R"({"email":"a@b","password":"x","age":0})"), "ok");
  EXPECT_EQ(json_verdict(R"({"email":"a@b","password":"x","age":150})"), "ok");
  EXPECT_EQ(json_verdict(R"({"email":"a@b","password":"x","age":-1})"), "/age out_of_range");
  EXPECT_EQ(json_verdict(R"({"email":"a@b\u0000","password":"x"})"), "/email bad_character");
}

TEST(Shape, WhatIsNoObjectIsRefused) {
  for (const auto* body : {"[]", "\"x\"", "1", "null", "true"})
    EXPECT_EQ(json_verdict(body), " not_an_object") << body;
  for (const auto* body : {"", "{", "{}{}", "{\"email\"}", "{'email':1}", "\xEF\xBB\xBF{}"})
    EXPECT_EQ(json_verdict(body), " syntax") << body;
  EXPECT_EQ(json_verdict(std::string(9, '[') + std::string(9, ']')), " too_long");
  EXPECT_EQ(form_verdict("email=%"), " syntax");
  EXPECT_EQ(form_verdict("email=%00"), " bad_character");
}

TEST(Shape, PointersAreEscaped) {
  ObjectShape shape;
  shape.string("a/b~c");
  EXPECT_EQ(verdict(shape.parse_json("{}")), "/a~1b~0c missing");
}

TEST(ShapeDeathTest, MisuseAborts) {
  auto fields = sign_up().parse_json(R"({"email":"a@b","password":"x"})");
  ASSERT_TRUE(fields);
  EXPECT_DEATH((void)fields->integer("email"), "");
  EXPECT_DEATH((void)fields->string("nickname"), "");
  ObjectShape shape;
  shape.string("a");
  EXPECT_DEATH(shape.integer("a"), "");
}

}  // namespace
}  // namespace moat::validate
