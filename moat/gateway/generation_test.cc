// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/generation.h"

#include <gtest/gtest.h>

namespace moat::gateway {
namespace {

Config config_of(const std::string& text, const Environment& environment = {}) {
  auto parsed = parse_config(text, "moat.toml", environment);
  EXPECT_TRUE(parsed.has_value());
  return parsed ? *parsed : Config();
}

std::vector<std::string> keys_of(const std::vector<ConfigProblem>& problems) {
  std::vector<std::string> keys;
  for (const ConfigProblem& problem : problems) {
    EXPECT_NE(problem.message.find("needs a restart"), std::string::npos) << problem.message;
    keys.push_back(problem.origin.source);
  }
  return keys;
}

using Keys = std::vector<std::string>;

TEST(NeedsRestartTest, WhatARequestMeetsMayChange) {
  const Config running = config_of("backend = \"http://127.0.0.1:3000\"\n");
  Config next = config_of(
      "backend = \"http://127.0.0.1:3001\"\nlogin = [\"/account/*\"]\n"
      "[server]\nmax_connections = 7\nhttp2 = false\n[server.timeouts]\nidle = \"5s\"\n"
      "[accounts]\nsignup = \"closed\"\n[limits]\ndefault = \"1/min/ip\"\n"
      "[session]\naccess = \"1m\"\n[log]\nlevel = \"debug\"\n[tls]\nmin = \"1.3\"\n");
  EXPECT_EQ(keys_of(needs_restart(running, next)), Keys{});
}

TEST(NeedsRestartTest, WhatAProcessIsMadeWithMayNotAndIsNamed) {
  const Config running = config_of("");
  Config next = config_of(
      "data = \"/elsewhere\"\n[server]\nhttps = \":9443\"\nhttp = \":9080\"\nworkers = 3\nuser = "
      "\"u\"\n"
      "group = \"g\"\nallow_unsandboxed = true\n"
      "[admin]\nlisten = \"127.0.0.1:9000\"\n[password]\nworkers = 2\n"
      "[password.hash]\niterations = 3\n[limits]\nlogin = \"5/min/ip\"\n"
      "[limits.lockout]\nafter = 3\n");
  const Keys expected{"data",
                      "server.https",
                      "server.http",
                      "server.workers",
                      "server.user",
                      "server.group",
                      "server.allow_unsandboxed",
                      "admin.listen",
                      "password.hash",
                      "password.workers",
                      "limits.login",
                      "limits.lockout"};
  EXPECT_EQ(keys_of(needs_restart(running, next)), expected);
}

TEST(NeedsRestartTest, APublicNameMayBecomeAnotherButNotLocalhost) {
  const Config running = config_of("domain = \"a.example\"\n");
  Config other = config_of("domain = \"b.example\"\n");
  EXPECT_EQ(keys_of(needs_restart(running, other)), Keys{});
  Config local = config_of("domain = \"localhost\"\n[server]\nhttps = \":443\"\nhttp = \":80\"\n");
  EXPECT_EQ(keys_of(needs_restart(running, local)), Keys{"domain"});
}

TEST(NeedsRestartTest, ASecretOfTheEnvironmentStaysThoughItsVariableIsGone) {
  const Config running =
      config_of("", {{"MOAT_SECRETS_CSRF_KEY", "0123456789012345678901234567890123456789"}});
  ASSERT_EQ(running.secrets.size(), 1U);
  Config next = config_of("");
  EXPECT_EQ(keys_of(needs_restart(running, next)), Keys{});
  ASSERT_EQ(next.secrets.size(), 1U);
  EXPECT_EQ(next.secrets[0].reference, running.secrets[0].reference);
}

TEST(NeedsRestartTest, ASecretOfTheEnvironmentCannotComeOrGo) {
  const std::string by_file = "[secrets]\ncsrf_key = \"file:/run/secrets/csrf\"\n";
  const std::string by_variable = "[secrets]\ncsrf_key = \"env:CSRF\"\n";
  Config next = config_of(by_variable);
  EXPECT_EQ(keys_of(needs_restart(config_of(by_file), next)), Keys{"secrets"});
  next = config_of(by_file);
  EXPECT_EQ(keys_of(needs_restart(config_of(by_variable), next)), Keys{"secrets"});
  next = config_of(by_variable);
  EXPECT_EQ(keys_of(needs_restart(config_of(by_variable), next)), Keys{});
}

TEST(NeedsRestartTest, AFileOfASecretMayBecomeAnother) {
  Config next = config_of("[secrets]\ncsrf_key = \"file:/run/secrets/next\"\n");
  const Config running = config_of("[secrets]\ncsrf_key = \"file:/run/secrets/csrf\"\n");
  EXPECT_EQ(keys_of(needs_restart(running, next)), Keys{});
}

}  // namespace
}  // namespace moat::gateway
