// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "moat/gateway/config.h"

namespace moat::gateway {
namespace {

const std::string public_name =
    "domain = \"app.example.com\"\nbackend = \"http://127.0.0.1:3000\"\n";

bool is_refused(const std::string& text) { return !parse_config(text, "moat.toml"); }

TEST(Config, APublicNameGetsItsCertificateOnceTheTermsAreAgreedTo) {
  const std::string& lines = public_name;
  const auto silent = parse_config(lines, "moat.toml");
  ASSERT_TRUE(silent.has_value());
  EXPECT_FALSE(silent->uses_acme());
  EXPECT_TRUE(silent->lacks_certificate());
  const auto agreed = parse_config(lines + "tls.acme.agree_to_terms = true", "moat.toml");
  ASSERT_TRUE(agreed.has_value());
  EXPECT_TRUE(agreed->uses_acme());
  EXPECT_EQ(agreed->acme.directory, "https://acme-v02.api.letsencrypt.org/directory");
  EXPECT_FALSE(agreed->lacks_certificate());
  EXPECT_TRUE(check_config(*agreed).empty());
  EXPECT_TRUE(weakenings(*agreed).empty());
  // Nobody else is asked for localhost, nor where files are given.
  const auto local =
      parse_config("backend = \"3000\"\ntls.acme.agree_to_terms = true", "moat.toml");
  ASSERT_TRUE(local.has_value());
  EXPECT_FALSE(local->uses_acme());
  const auto files = parse_config(
      lines + "[tls]\ncertificate = \"a\"\nkey = \"b\"\nacme.agree_to_terms = true", "moat.toml");
  ASSERT_TRUE(files.has_value());
  EXPECT_FALSE(files->uses_acme());
}

TEST(Config, WhatACaIsAskedBy) {
  const auto config = parse_config(R"(backend = "3000"
domain = "a.example"
[tls.acme]
agree_to_terms = true
directory = "letsencrypt-staging"
fallback = "https://other.test/directory"
challenges = ["http-01"]
profile = "shortlived"
account_id = "kid-1"
account_key_file = "/etc/eab"
)",
                                   "moat.toml");
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->acme.directory, "https://acme-staging-v02.api.letsencrypt.org/directory");
  EXPECT_EQ(config->acme.challenges,
            std::vector<acme::ChallengeType>{acme::ChallengeType::http_01});
  EXPECT_TRUE(check_config(*config).empty());
  const std::string start = "backend = \"3000\"\ndomain = \"a.example\"\n[tls.acme]\n";
  EXPECT_TRUE(is_refused(start + "directory = \"http://ca.test/\""));
  EXPECT_TRUE(is_refused(start + "fallback = \"zerossl\""));
  EXPECT_TRUE(is_refused(start + "challenges = []"));
  EXPECT_TRUE(is_refused(start + "challenges = [\"dns-02\"]"));
  EXPECT_TRUE(is_refused(start + "agree_to_term = true"));
  const auto problem_of = [](const std::string& text) {
    const auto read = parse_config(text, "moat.toml");
    return read && check_config(*read).empty();
  };
  EXPECT_FALSE(problem_of(start + "account_id = \"kid-1\""));
  EXPECT_FALSE(problem_of("backend = \"3000\"\ndomain = \"a.example\"\ntls.issuer = \"acme\""))
      << "without consent";
  EXPECT_FALSE(
      problem_of("backend = \"3000\"\n[tls]\nissuer = \"acme\"\nacme.agree_to_terms = true"))
      << "for localhost";
}

std::string problem_of(const std::string& text) {
  const auto read = parse_config(text, "moat.toml");
  if (!read) return read.error().front().message;
  const auto problems = check_config(*read);
  return problems.empty() ? std::string() : problems.front().message;
}

TEST(Config, TheDnsIsChangedByAProgram) {
  const std::string start =
      "backend = \"3000\"\ndomain = [\"a.example\", \"*.a.example\"]\n[tls.acme]\n"
      "agree_to_terms = true\n";
  const std::string hook = start + "dns_hook = [\"/usr/bin/hook\", \"--zone\"]\n";
  const auto config = parse_config(hook +
                                       "dns_environment = [\"API_TOKEN\"]\ndns_timeout = \"5m\"\n"
                                       "dns_wait = \"30s\"\n",
                                   "moat.toml");
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->acme.dns_hook, (std::vector<std::string>{"/usr/bin/hook", "--zone"}));
  EXPECT_EQ(config->acme.dns_environment, std::vector<std::string>{"API_TOKEN"});
  EXPECT_EQ(config->acme.dns_timeout, std::chrono::minutes{5});
  EXPECT_EQ(config->acme.dns_wait, std::chrono::seconds{30});
  EXPECT_EQ(config->acme.challenges, std::vector<acme::ChallengeType>{acme::ChallengeType::dns_01});
  EXPECT_TRUE(check_config(*config).empty());
  const auto both = parse_config(hook + "challenges = [\"tls-alpn-01\", \"dns-01\"]", "moat.toml");
  ASSERT_TRUE(both.has_value());
  EXPECT_EQ(both->acme.challenges.size(), 2U);
  EXPECT_TRUE(check_config(*both).empty());

  EXPECT_NE(problem_of(start).find("a CA proves '*.a.example' by DNS alone"), std::string::npos);
  EXPECT_NE(problem_of(hook + "challenges = [\"http-01\"]"), "");
  EXPECT_NE(problem_of(start + "challenges = [\"dns-01\"]"), "");
  EXPECT_TRUE(is_refused(start + "dns_hook = [\"hook\"]"));
  EXPECT_TRUE(is_refused(start + "dns_hook = []"));
  EXPECT_TRUE(is_refused(hook + "dns_environment = [\"A=B\"]"));
  EXPECT_TRUE(is_refused(hook + "dns_timeout = \"999ms\""));
  EXPECT_FALSE(is_refused(hook + "dns_timeout = \"1s\""));
  EXPECT_TRUE(is_refused(hook + "dns_timeout = \"31m\""));
  EXPECT_TRUE(is_refused(hook + "dns_wait = \"61m\""));
  EXPECT_NE(problem_of("backend = \"3000\"\ndomain = [\"a.example\", \"192.0.2.1\"]\n[tls.acme]\n"
                       "agree_to_terms = true\ndns_hook = [\"/h\"]"),
            "")
      << "an address by DNS";
}

TEST(Config, AWildcardStandsBehindTheSitesOwnName) {
  const auto with = [](const std::string& domains) {
    return is_refused("backend = \"3000\"\ndomain = [" + domains + "]");
  };
  EXPECT_FALSE(with("\"a.example\", \"*.a.example\""));
  EXPECT_TRUE(with("\"*.a.example\""));
  EXPECT_TRUE(with("\"a.example\", \"*.example\""));
  EXPECT_TRUE(with("\"a.example\", \"*\""));
  EXPECT_TRUE(with("\"a.example\", \"a.*.example\""));
  EXPECT_TRUE(with("\"a.example\", \"*a.example.net\""));
}

TEST(Config, WhatSeveralNodesShareIsADirectoryByItsWholePath) {
  const std::string lines = public_name + "tls.acme.agree_to_terms = true\n";
  EXPECT_EQ(problem_of(lines + "tls.storage = \"/srv/moat\""), "");
  EXPECT_NE(problem_of(lines + "tls.storage = \"moat\""), "");
}

}  // namespace
}  // namespace moat::gateway
