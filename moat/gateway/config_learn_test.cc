// SPDX-License-Identifier: Apache-2.0
// schema_learn of a route: what its traffic looks like is learned.
#include <gtest/gtest.h>

#include "moat/gateway/config.h"

namespace moat::gateway {
namespace {

Config with(std::string_view lines) {
  const std::string text =
      "[[route]]\nmatch = \"/*\"\nbackend = \"3000\"\n" + std::string(lines) + "\n";
  const auto config = parse_config(text, "moat.toml");
  EXPECT_TRUE(config) << text;
  return config ? *config : Config();
}

std::vector<std::string> problems(std::string_view lines) {
  std::vector<std::string> out;
  for (const ConfigProblem& problem : check_config(with(lines))) out.push_back(problem.to_string());
  return out;
}

using Strings = std::vector<std::string>;

TEST(ConfigLearn, ARouteWithoutASchemaMayBeLearnedFrom) {
  EXPECT_FALSE(with("").routes[0].schema.learns());
  EXPECT_FALSE(with("schema_learn = false").routes[0].schema.learns());
  const Config config = with("schema_learn = true");
  EXPECT_TRUE(config.routes[0].schema.learns());
  EXPECT_EQ(problems("schema_learn = true"), Strings{});
  EXPECT_TRUE(weakenings(config).empty());
  // At the top as well, in place of a route.
  const auto top = parse_config("backend = \"3000\"\nschema_learn = true\n", "moat.toml");
  ASSERT_TRUE(top);
  ASSERT_EQ(top->routes.size(), 1u);
  EXPECT_TRUE(top->routes[0].schema.learns());
}

TEST(ConfigLearn, WhatIsEnforcedTeachesNothing) {
  const std::string nothing =
      "moat.toml:1: route '/*' has nothing to learn: what its schema does not describe is refused; "
      "leave schema_learn out, or say schema_mode = \"shadow\"";
  EXPECT_EQ(problems("schema = \"a.yaml\"\nschema_learn = true"), Strings{nothing});
  EXPECT_EQ(problems("schema = \"a.yaml\"\nschema_mode = \"enforce\"\nschema_learn = true"),
            Strings{nothing});
  EXPECT_EQ(problems("schema = \"a.yaml\"\nschema_mode = \"shadow\"\nschema_learn = true"),
            Strings{});
}

TEST(ConfigLearn, OtherSettingsStillNeedASchema) {
  EXPECT_EQ(problems("schema_learn = true\nschema_mode = \"shadow\"").size(), 1u);
}

TEST(ConfigLearn, ItIsTrueOrFalse) {
  EXPECT_FALSE(parse_config("backend = \"3000\"\nschema_learn = \"yes\"\n", "moat.toml"));
}

TEST(ConfigLearn, ADocumentInShadowModeIsLearnedFrom) {
  RouteSchema schema;
  EXPECT_FALSE(schema.learns());
  const auto document = openapi::Document::parse(
      "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {/a: {get: {responses: {}}}}\n");
  ASSERT_TRUE(document);
  schema.document = std::make_shared<const openapi::Document>(*document);
  EXPECT_FALSE(schema.learns());
  schema.requests = SchemaMode::shadow;
  EXPECT_TRUE(schema.learns());
}

}  // namespace
}  // namespace moat::gateway
