// SPDX-License-Identifier: Apache-2.0
// A route's Content-Security-Policy: csp and csp_policy.
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

std::vector<std::string> weak(std::string_view lines) {
  std::vector<std::string> out;
  for (const Weakening& one : weakenings(with(lines))) {
    EXPECT_EQ(one.practice, 2);
    EXPECT_EQ(one.origin.line, 1);
    out.push_back(one.message);
  }
  return out;
}

using Strings = std::vector<std::string>;

TEST(ConfigCsp, ARouteMayHaveItsOwnPolicyInEitherMode) {
  EXPECT_EQ(with("").routes[0].csp_policy, "");
  for (const char* mode : {"report-only", "enforce"}) {
    const std::string lines =
        "csp_policy = \"default-src 'self'; img-src *\"\ncsp = \"" + std::string(mode) + "\"";
    EXPECT_EQ(problems(lines), Strings{}) << mode;
    EXPECT_EQ(weak(lines), Strings{}) << mode;
    EXPECT_EQ(with(lines).routes[0].csp_policy, "default-src 'self'; img-src *");
  }
}

TEST(ConfigCsp, WhatIsWrongWithAPolicyIsSaidAtTheStart) {
  const std::string start = "moat.toml:1: csp_policy of route '/*'";
  EXPECT_EQ(problems("csp_policy = \"defalt-src 'self'\""),
            Strings{start + ": there is no directive 'defalt-src'"});
  EXPECT_EQ(problems("csp_policy = \"img-src *; img-src *\""),
            Strings{start + ": img-src stands there twice"});
  EXPECT_EQ(problems("csp_policy = \"default-src self\""),
            Strings{start + ": self in default-src is written with quotes: 'self'"});
  EXPECT_EQ(problems("csp_policy = \"default-src 'self'\\nX: y\""),
            Strings{start + ": a policy is one line of printable ASCII"});
  EXPECT_EQ(problems("csp_policy = \"img-src *; report-uri /x\""),
            Strings{start + ": report-uri is left out: Moat adds its own"});
  EXPECT_EQ(problems("csp_policy = \"default-src 'self'\"\ncsp = \"off\""),
            Strings{start + " goes nowhere with csp = \"off\""});
  EXPECT_EQ(problems("csp_policy = \"img-src " + std::string(4096 - 8, 'a') + "\""), Strings{});
  EXPECT_EQ(problems("csp_policy = \"img-src " + std::string(4096 - 7, 'a') + "\""),
            Strings{start + ": a policy has at most 4096 bytes"});
}

TEST(ConfigCsp, APolicyThatLetsScriptsOfOthersRunIsAWeakening) {
  for (const char* mode : {"report-only", "enforce"}) {
    const std::string lines = "\ncsp = \"" + std::string(mode) + "\"";
    EXPECT_EQ(weak("csp_policy = \"script-src 'self' 'unsafe-inline' 'unsafe-eval' *\"" + lines),
              (Strings{"route '/*' has a policy that stops little: 'unsafe-inline' in script-src",
                       "route '/*' has a policy that stops little: 'unsafe-eval' in script-src",
                       "route '/*' has a policy that stops little: * in script-src"}));
  }
  EXPECT_EQ(weak("csp_policy = \"img-src 'self'\""),
            Strings{"route '/*' has a policy that stops little: scripts are not restricted (no "
                    "script-src)"});
  EXPECT_EQ(weak("csp_policy = \"script-src 'self'; style-src 'unsafe-inline'; img-src *\""),
            Strings{});
}

}  // namespace
}  // namespace moat::gateway
