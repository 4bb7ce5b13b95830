// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/config.h"

#include <gtest/gtest.h>

namespace moat::gateway {
namespace {

constexpr std::string_view five_lines = R"(domain  = "app.example.com"
backend = "http://127.0.0.1:3000"
login   = ["/account/*", "/api/*"]
email   = "ops@example.com"
data    = "/var/lib/moat"
)";

std::string first_problem(std::string_view text, const Environment& environment = {}) {
  const auto config = parse_config(text, "moat.toml", environment);
  if (config) return "";
  const ConfigProblem& problem = config.error().front();
  return problem.origin.to_string() + ": " + problem.message;
}

TEST(Config, TheFiveLinesAreEnough) {
  const auto config = parse_config(five_lines, "moat.toml");
  ASSERT_TRUE(config.has_value());
  EXPECT_TRUE(check_config(*config).empty());
  ASSERT_EQ(config->routes.size(), 3U);
  EXPECT_EQ(config->routes[0].match, "/account/*");
  EXPECT_EQ(config->routes[0].login, Login::required);
  EXPECT_EQ(config->routes[2].match, "/*");
  EXPECT_EQ(config->routes[2].login, Login::optional);
  EXPECT_EQ(config->https, std::vector<std::string>{":443"});
  EXPECT_FALSE(config->is_localhost());
}

TEST(Config, NothingButABackendIsAWorkshop) {
  const auto config = parse_config("backend = \"3000\"", "moat.toml");
  ASSERT_TRUE(config.has_value());
  EXPECT_TRUE(config->is_localhost());
  EXPECT_EQ(config->https.front(), "127.0.0.1:8443");
  EXPECT_EQ(config->routes[0].backends[0].host, "localhost");
}

TEST(Config, AnUnknownKeyNamesItsLineAndTheNearestKey) {
  EXPECT_EQ(first_problem("backend = \"3000\"\n\nlogn = [\"/a\"]\n"),
            "moat.toml:3: unknown key 'logn'; did you mean 'login'?");
  EXPECT_EQ(first_problem("[session]\nidel = \"5m\"\n"),
            "moat.toml:2: unknown key 'session.idel'; did you mean 'session.idle'?");
}

TEST(Config, AllProblemsAreReportedAtOnce) {
  const auto config = parse_config("a = 1\nb = 2\n[server]\nworkers = -1\n", "moat.toml");
  ASSERT_FALSE(config.has_value());
  EXPECT_EQ(config.error().size(), 3U);
}

TEST(Config, ASyntaxErrorHasItsLine) {
  EXPECT_EQ(first_problem("domain = \"x\"\nbackend = \n").rfind("moat.toml:2: ", 0), 0U);
}

TEST(Config, ValuesOutOfRangeAreRefused) {
  EXPECT_NE(first_problem("[server]\nmax_header = \"1GiB\""), "");
  EXPECT_NE(first_problem("[session]\naccess = \"1h\""), "");
  EXPECT_NE(first_problem("[password]\nmin_length = 7"), "");
  EXPECT_NE(first_problem("[limits]\ndefault = \"many\""), "");
  EXPECT_NE(first_problem("[session]\nidle = 30"), "");
  EXPECT_EQ(first_problem("[session]\nidle = \"30m\""), "");
}

TEST(Config, TheAccessLogIsOffUntilItIsAskedFor) {
  const auto config = parse_config("backend = \"3000\"", "moat.toml");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->access_log, AccessFormat::off);
  EXPECT_TRUE(config->start_traces);
  const auto set = parse_config(
      "backend = \"3000\"\n[log]\naccess = \"combined\"\naccess_path = \"/var/log/a\"\n"
      "trace = \"pass\"",
      "moat.toml", {{"MOAT_LOG_ACCESS", "json"}});
  ASSERT_TRUE(set);
  EXPECT_EQ(set->access_log, AccessFormat::json);
  EXPECT_EQ(set->access_path, "/var/log/a");
  EXPECT_FALSE(set->start_traces);
  EXPECT_TRUE(check_config(*set).empty());
  for (const char* text : {"access = true", "access = \"on\"", "access_path = 1", "trace = false",
                           "trace = \"off\""}) {
    EXPECT_NE(first_problem("[log]\n" + std::string(text)), "") << text;
  }
}

TEST(Config, AFileForAnAccessLogThatIsOffIsAMistake) {
  const auto config =
      parse_config("backend = \"3000\"\n[log]\naccess_path = \"/var/log/a\"", "moat.toml");
  ASSERT_TRUE(config);
  ASSERT_EQ(check_config(*config).size(), 1U);
}

TEST(Config, TheEnvironmentOverridesTheFile) {
  const auto config =
      parse_config("backend = \"3000\"\n[session]\nidle = \"30m\"", "moat.toml",
                   {{"MOAT_SESSION_IDLE", "10m"}, {"MOAT_DOMAIN", "a.example, b.example"}});
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->session_idle, std::chrono::minutes{10});
  EXPECT_EQ(config->domains, (std::vector<std::string>{"a.example", "b.example"}));
  EXPECT_EQ(first_problem("", {{"MOAT_SESSION_IDLE", "soon"}}).rfind("MOAT_SESSION_IDLE: ", 0), 0U);
}

TEST(Config, ASecretIsNeverInTheFileAndNeverGivenTwice) {
  EXPECT_EQ(
      first_problem("[secrets]\ncsrf_key = \"hunter2hunter2\"").rfind("moat.toml:2: secret", 0),
      0U);
  EXPECT_EQ(first_problem("[secrets]\ncsrf_key = \"file:/run/secrets/a\""), "");
  EXPECT_NE(first_problem("[secrets]\ncsrf_key = \"file:/run/secrets/a\"",
                          {{"MOAT_SECRETS_CSRF_KEY", "x"}})
                .find("given twice"),
            std::string::npos);
}

TEST(Config, ShorthandAndRouteTablesDoNotMix) {
  EXPECT_NE(first_problem("backend = \"3000\"\n[[route]]\nmatch = \"/*\"\nbackend = \"3001\""), "");
  EXPECT_EQ(first_problem("[[route]]\nmatch = \"/*\"\nbackend = \"3001\""), "");
}

TEST(Config, WeakeningsAreListed) {
  const auto config = parse_config(
      "[[route]]\nmatch = \"/hook\"\nbackend = \"3001\"\ncsrf = "
      "\"off\"\n[[route]]\nmatch=\"/*\"\nbackend=\"3000\"",
      "moat.toml");
  ASSERT_TRUE(config.has_value());
  const auto weak = weakenings(*config);
  ASSERT_EQ(weak.size(), 1U);
  EXPECT_EQ(weak[0].practice, 6);
  EXPECT_EQ(weak[0].origin.to_string(), "moat.toml:1");
}

TEST(Config, WhatDoesNotBelongTogetherIsFound) {
  const auto no_backend = parse_config("domain = \"localhost\"", "moat.toml");
  ASSERT_TRUE(no_backend.has_value());
  EXPECT_FALSE(check_config(*no_backend).empty());
  const auto half = parse_config("backend=\"3000\"\n[tls]\ncertificate = \"/x\"", "moat.toml");
  ASSERT_TRUE(half.has_value());
  EXPECT_FALSE(check_config(*half).empty());
  const auto roles =
      parse_config("[[route]]\nmatch=\"/*\"\nbackend=\"3000\"\nroles=[\"admin\"]", "moat.toml");
  ASSERT_TRUE(roles.has_value());
  EXPECT_FALSE(check_config(*roles).empty());
}

std::vector<std::string> findings(std::string_view text) {
  const auto config = parse_config(text, "moat.toml");
  EXPECT_TRUE(config.has_value()) << text;
  std::vector<std::string> out;
  if (!config) return out;
  for (const ConfigProblem& problem : check_config(*config))
    out.push_back(problem.origin.to_string() + ": " + problem.message);
  return out;
}

std::string routes(std::initializer_list<const char*> patterns) {
  std::string out;
  for (const char* pattern : patterns)
    out += "[[route]]\nmatch = '" + std::string(pattern) + "'\nbackend = \"3000\"\n";
  return out;
}

TEST(Config, ARouteBehindAWiderOneIsFound) {
  using List = std::initializer_list<const char*>;
  for (const List list : {List{"/*", "/admin/*"}, List{"/a/*", "/a"}, List{"/a", "/a/"},
                          List{"/a*", "/abc/*"}, List{"/x", "/x"}}) {
    const auto found = findings(routes(list));
    ASSERT_EQ(found.size(), 1U) << *list.begin();
    EXPECT_EQ(found[0].rfind("moat.toml:4: route", 0), 0U) << found[0];
    EXPECT_NE(found[0].find("never reached"), std::string::npos);
  }
  for (const List list : {List{"/admin/*", "/*"}, List{"/a", "/a/*"}, List{"/a/b/*", "/a/*", "/*"},
                          List{"/ab", "/a"}, List{"/a/*", "/A/b"}}) {
    EXPECT_TRUE(findings(routes(list)).empty()) << *list.begin();
  }
}

TEST(Config, LoginPatternsMayOverlap) {
  EXPECT_TRUE(findings("backend=\"3000\"\nlogin=[\"/a/*\", \"/a/b\"]").empty());
  const auto all = parse_config("backend=\"3000\"\nlogin=\"/*\"", "moat.toml");
  ASSERT_TRUE(all.has_value());
  EXPECT_TRUE(check_config(*all).empty());
  ASSERT_EQ(all->routes.size(), 1U);
  EXPECT_EQ(all->routes[0].login, Login::required);
}

TEST(Config, LoginPatternsAloneLeaveTheRestPublic) {
  // The backend comes from the command line.
  auto config = parse_config("login=\"/account/*\"", "moat.toml");
  ASSERT_TRUE(config.has_value());
  EXPECT_FALSE(check_config(*config).empty());
  for (Route& route : config->routes) route.backends = {parse_upstream("3000").value()};
  EXPECT_TRUE(check_config(*config).empty());
  ASSERT_EQ(config->routes.size(), 2U);
  EXPECT_EQ(config->routes[0].login, Login::required);
  EXPECT_EQ(config->routes[1].login, Login::optional);
}

TEST(Config, APatternThatCouldNeverMatchIsFound) {
  for (const char* pattern : {"/my%20files/*", "/a//b", "/a;b", "/a\\b"}) {
    const auto found = findings(routes({pattern}));
    ASSERT_EQ(found.size(), 1U) << pattern;
    EXPECT_NE(found[0].find("decoded"), std::string::npos) << found[0];
  }
  EXPECT_TRUE(findings(routes({"/my files/*"})).empty());
}

TEST(Config, AVariableThatMeansNothingIsNoted) {
  const auto config = parse_config("backend=\"3000\"", "moat.toml",
                                   {{"MOAT_SESION_IDLE", "5m"},
                                    {"MOAT_SESSION_IDLE", "10m"},
                                    {"MOAT_SESSION_LENGTH_AT_MOST", "1h"},
                                    {"MOAT_PORT", "tcp://10.0.0.1:80"},
                                    {"MOAT_SERVICE_HOST", "10.0.0.1"}});
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->session_idle, std::chrono::minutes{10});
  ASSERT_EQ(config->notes.size(), 2U);
  EXPECT_EQ(config->notes[0],
            "MOAT_SESION_IDLE is no setting of Moat and is passed over; did you mean "
            "MOAT_SESSION_IDLE?");
  EXPECT_EQ(config->notes[1],
            "MOAT_SESSION_LENGTH_AT_MOST is no setting of Moat and is passed over");
}

TEST(Config, APublicNameWithoutACertificateIsAWeakening) {
  const auto messages = [](const std::string& text) {
    std::string out;
    for (const auto& weak : weakenings(parse_config(text, "moat.toml").value()))
      out += weak.message + "\n";
    return out;
  };
  const std::string with_name = "domain=\"app.example\"\nbackend=\"3000\"\n";
  EXPECT_NE(messages(with_name).find("self-signed"), std::string::npos);
  EXPECT_EQ(messages(with_name + "[tls]\ncertificate=\"a\"\nkey=\"b\""), "");
  EXPECT_EQ(messages("backend=\"3000\""), "");
  EXPECT_NE(messages("backend=\"3000\"\n[tls]\nallow_key_readable_by_all=true").find("key"),
            std::string::npos);
  EXPECT_NE(messages("backend=\"3000\"\n[secrets]\nallow_readable_by_all=true").find("secrets"),
            std::string::npos);
}

TEST(Config, HostileTextIsAProblemAndNoMore) {
  EXPECT_NE(first_problem(std::string(5000, '[')), "");
  EXPECT_NE(first_problem("a = " + std::string(5000, '[')), "");
  EXPECT_NE(first_problem("domain = \"a\nb\""), "");
  EXPECT_NE(first_problem("domain = \"https://a.example\""), "");
  EXPECT_NE(first_problem("route = 1"), "");
  EXPECT_NE(first_problem("session = 5"), "");
  EXPECT_NE(first_problem("\xff\xfe"), "");
}

TEST(Config, TheSampleIsValid) {
  const auto config = parse_config(sample_config(), "moat.toml");
  ASSERT_TRUE(config.has_value());
  EXPECT_TRUE(check_config(*config).empty());
}

TEST(Upstream, AcceptsTheUsualSpellings) {
  for (const char* text : {"http://127.0.0.1:3000", "http://localhost:3000/", "localhost:3000",
                           ":3000", "3000", "[::1]:3000", "http://app"}) {
    EXPECT_TRUE(parse_upstream(text).has_value()) << text;
  }
  for (const char* text :
       {"", "https://a:1", "http://a:1/path", "ftp://a", "a b", "a:99999", ":0", "http://"}) {
    EXPECT_FALSE(parse_upstream(text).has_value()) << text;
  }
}

TEST(Listen, AcceptsTheUsualSpellings) {
  EXPECT_EQ(parse_listen(":443")->addresses.size(), 2U);
  EXPECT_EQ(parse_listen("8443")->port, 8443);
  EXPECT_EQ(parse_listen("127.0.0.1:8443")->addresses.size(), 1U);
  EXPECT_EQ(parse_listen("localhost:8443")->addresses.size(), 2U);
  for (const char* text : {"", "example.com:1", "127.0.0.1", "x", ":70000"})
    EXPECT_FALSE(parse_listen(text)) << text;
}

}  // namespace
}  // namespace moat::gateway
