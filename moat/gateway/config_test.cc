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

TEST(Config, TheEngineIsChosenByNameOrByTheMachine) {
  const auto engine = [](const char* line) {
    return parse_config(std::string("backend = \"3000\"\n[server]\n") + line, "moat.toml");
  };
  EXPECT_EQ(engine("")->engine, net::Engine::automatic);
  EXPECT_EQ(engine("engine = \"epoll\"")->engine, net::Engine::epoll);
  EXPECT_EQ(engine("engine = \"io_uring\"")->engine, net::Engine::io_uring);
  EXPECT_EQ(first_problem("[server]\nengine = \"kqueue\"\n"),
            "moat.toml:2: 'server.engine' must be one of \"auto\", \"epoll\", \"io_uring\"");
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

TEST(Config, ForgedRequestsAreRefusedReportedOrPassByRoute) {
  const std::string route = "[[route]]\nmatch = \"/a\"\nbackend = \"3001\"\n";
  const auto mode = [](const std::string& text, const Environment& environment = {}) {
    const auto config = parse_config(text, "moat.toml", environment);
    return config ? std::optional(config->routes.front().csrf) : std::nullopt;
  };
  EXPECT_EQ(mode(route), CsrfMode::enforce);
  EXPECT_EQ(mode(route + "csrf = \"report\""), CsrfMode::report);
  EXPECT_EQ(mode(route + "csrf = \"off\""), CsrfMode::off);
  EXPECT_EQ(mode(route + "csrf = \"token\""), CsrfMode::token);
  EXPECT_EQ(mode(route + "[csrf]\nmode = \"report\""), CsrfMode::report);
  EXPECT_EQ(mode(route + "csrf = \"enforce\"\n[csrf]\nmode = \"report\""), CsrfMode::enforce);
  EXPECT_EQ(mode("backend = \"3000\"\n[csrf]\nmode = \"report\""), CsrfMode::report);
  EXPECT_EQ(mode("backend = \"3000\"\nlogin = [\"/a\"]", {{"MOAT_CSRF_MODE", "report"}}),
            CsrfMode::report);
  EXPECT_FALSE(mode(route + "csrf = \"shadow\""));
  EXPECT_FALSE(mode(route + "[csrf]\nmode = \"off\"")) << "route by route only";
  EXPECT_FALSE(mode(route + "[csrf]\nmode = \"token\"")) << "route by route only";
}

TEST(Config, TokensArePutIntoFormsWhereTheyAreAskedFor) {
  const std::string route = "[[route]]\nmatch = \"/a\"\nbackend = \"3001\"\n";
  const auto parsed = parse_config(route, "moat.toml");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->routes[0].csrf_forms, CsrfForms::off);
  const auto problems = [](const std::string& text) {
    const auto config = parse_config(text, "moat.toml");
    return config ? check_config(*config).size() : 99;
  };
  const std::string inject = route + "csrf_forms = \"inject\"\n";
  EXPECT_EQ(problems(inject), 1U) << "nobody would ask for them";
  EXPECT_EQ(problems(inject + "csrf = \"token\""), 0U);
  EXPECT_EQ(problems(inject + "[[route]]\nbackend = \"3001\"\ncsrf = \"token\""), 0U);
  EXPECT_EQ(problems(route + "csrf_forms = \"yes\""), 99U);
  const auto strict = parse_config(inject + "csrf = \"token\"", "moat.toml");
  ASSERT_TRUE(strict);
  EXPECT_TRUE(weakenings(*strict).empty());
}

TEST(Config, ReportingForgedRequestsIsAWeakening) {
  const auto config = parse_config("backend = \"3000\"\n[csrf]\nmode = \"report\"", "moat.toml");
  ASSERT_TRUE(config.has_value());
  const auto weak = weakenings(*config);
  ASSERT_EQ(weak.size(), 1U);
  EXPECT_EQ(weak[0].practice, 6);
  EXPECT_NE(weak[0].message.find("csrf = \"report\""), std::string::npos);
  const auto strict = parse_config("backend = \"3000\"\n[csrf]\nmode = \"enforce\"", "moat.toml");
  ASSERT_TRUE(strict.has_value());
  EXPECT_TRUE(weakenings(*strict).empty());
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

TEST(Config, ScopesAreThoseOfTheRoutesAndOfTheTokens) {
  const auto config = parse_config(
      "[token]\nscopes = [\"extra\", \"read\"]\nidle = \"1d\"\nrefresh = \"2d\"\n"
      "[accounts]\napi_keys = false\napi_tokens = false\n"
      "[[route]]\nmatch=\"/a\"\nbackend=\"3000\"\nlogin=\"required\"\nscopes=[\"write\", "
      "\"read\"]\n"
      "[[route]]\nmatch=\"/*\"\nbackend=\"3000\"",
      "moat.toml");
  ASSERT_TRUE(config.has_value());
  EXPECT_TRUE(check_config(*config).empty());
  EXPECT_EQ(config->scopes(), (std::vector<std::string>{"extra", "read", "write"}));
  EXPECT_EQ(config->routes[0].scopes, (std::vector<std::string>{"write", "read"}));
  EXPECT_EQ(config->token_idle, std::chrono::hours(24));
  EXPECT_EQ(config->token_refresh, std::chrono::hours(48));
  EXPECT_FALSE(config->api_keys);
  EXPECT_FALSE(config->api_tokens);
}

TEST(Config, ScopesThatWouldNotWorkAreReported) {
  for (const char* text :
       {"[[route]]\nmatch=\"/*\"\nbackend=\"3000\"\nscopes=[\"read\"]",
        "[[route]]\nmatch=\"/*\"\nbackend=\"3000\"\nlogin=\"required\"\nscopes=[\"Read\"]",
        "[[route]]\nmatch=\"/*\"\nbackend=\"3000\"\nlogin=\"required\"\nscopes=[\"a b\"]",
        "backend=\"3000\"\n[token]\nscopes=[\"\"]",
        "backend=\"3000\"\n[token]\nidle=\"2d\"\nrefresh=\"1d\"",
        "backend=\"3000\"\n[token]\nidle=\"5m\""}) {
    const auto config = parse_config(text, "moat.toml");
    ASSERT_TRUE(config.has_value()) << text;
    EXPECT_FALSE(check_config(*config).empty()) << text;
  }
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

TEST(Config, TheUserIsReadAndAGroupNeedsOne) {
  const auto config = parse_config("backend=\"3000\"\n[server]\nuser=\"moat\"\ngroup=\"www\"",
                                   "moat.toml", {{"MOAT_SERVER_USER", "other"}});
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->user, "other");
  EXPECT_EQ(config->group, "www");
  EXPECT_TRUE(check_config(*config).empty());
  const auto lonely = parse_config("backend=\"3000\"\n[server]\ngroup=\"www\"", "moat.toml");
  ASSERT_TRUE(lonely.has_value());
  ASSERT_EQ(check_config(*lonely).size(), 1U);
  EXPECT_EQ(check_config(*lonely)[0].to_string(),
            "server.group: 'server.group' needs 'server.user'");
}

TEST(Config, WithoutASandboxIsAWeakening) {
  const auto safe = parse_config("backend=\"3000\"", "moat.toml");
  ASSERT_TRUE(safe.has_value());
  EXPECT_FALSE(safe->allow_unsandboxed);
  EXPECT_TRUE(weakenings(*safe).empty());
  const auto open = parse_config("backend=\"3000\"\n[server]\nallow_unsandboxed=true", "moat.toml");
  ASSERT_TRUE(open.has_value());
  ASSERT_EQ(weakenings(*open).size(), 1U);
  EXPECT_EQ(weakenings(*open)[0].origin.source, "server.allow_unsandboxed");
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

TEST(Config, BackendsHaveTheirSettings) {
  const auto config = parse_config(R"([[route]]
backend = ["https://a.internal", "https://b.internal:8443"]
balance = "least_connections"
backend_max_connections = 40
backend_ca = "/etc/ca.pem"
backend_name = "app.internal"
health_path = "/healthz?full=1"
health_every = "10s"
health_timeout = "500ms"
health_expect = 204
)",
                                   "moat.toml");
  ASSERT_TRUE(config.has_value());
  EXPECT_TRUE(check_config(*config).empty());
  EXPECT_TRUE(weakenings(*config).empty());
  const BackendSettings& settings = config->routes[0].backend;
  EXPECT_EQ(settings.balance, Balance::least_connections);
  EXPECT_EQ(settings.max_connections, 40U);
  EXPECT_EQ(settings.ca_file, "/etc/ca.pem");
  EXPECT_EQ(settings.name, "app.internal");
  EXPECT_EQ(settings.health_path, "/healthz?full=1");
  EXPECT_EQ(settings.health_every, std::chrono::seconds{10});
  EXPECT_EQ(settings.health_timeout, std::chrono::milliseconds{500});
  EXPECT_EQ(settings.health_expect, 204);

  const auto plain = parse_config("backend = \"3000\"", "moat.toml");
  ASSERT_TRUE(plain.has_value());
  const BackendSettings& omitted = plain->routes[0].backend;
  EXPECT_EQ(omitted.balance, Balance::round_robin);
  EXPECT_FALSE(omitted.max_connections.has_value());
  EXPECT_FALSE(omitted.allow_unverified);
  EXPECT_EQ(omitted.health_path, "");
}

TEST(Config, TheShorthandTakesTheBackendsSettingsToo) {
  const auto config =
      parse_config("backend = \"https://a.internal\"\nlogin = [\"/a\"]\nhealth_path = \"/up\"",
                   "moat.toml", {{"MOAT_BACKEND_NAME", "b.internal"}});
  ASSERT_TRUE(config.has_value());
  ASSERT_EQ(config->routes.size(), 2U);
  for (const Route& route : config->routes) {
    EXPECT_EQ(route.backend.name, "b.internal");
    EXPECT_EQ(route.backend.health_path, "/up");
  }
  EXPECT_NE(first_problem("health_path = \"/up\"\n[[route]]\nbackend = \"3000\""), "");
}

TEST(Config, BackendSettingsThatMakeNoSenseAreFound) {
  const auto problem = [](const std::string& lines) {
    const auto config = parse_config("[[route]]\n" + lines, "moat.toml");
    if (!config) return config.error().front().message;
    const auto problems = check_config(*config);
    return problems.empty() ? std::string() : problems.front().message;
  };
  const std::string plain = "backend = \"3000\"\n";
  const std::string tls = "backend = \"https://a.internal\"\n";
  EXPECT_EQ(problem(plain), "");
  EXPECT_EQ(problem(tls + "allow_unverified_backend = true"), "");
  for (const char* line :
       {"backend_ca = \"/ca.pem\"", "backend_name = \"a\"", "allow_unverified_backend = true"}) {
    EXPECT_NE(problem(plain + line), "") << line;
  }
  EXPECT_NE(problem(tls + "allow_unverified_backend = true\nbackend_ca = \"/ca.pem\""), "");
  for (const char* line :
       {"balance = \"random\"", "backend_max_connections = 0", "health_path = \"up\"",
        "health_path = \"/a b\"", "health_path = \"/a\\r\\nX: y\"", "health_path = \"/a#b\"",
        "health_every = \"1ms\"", "health_timeout = \"2m\"", "health_expect = 101"}) {
    EXPECT_NE(problem(plain + line), "") << line;
  }
  std::string many = "backend = [";
  for (std::size_t i = 0; i < most_backends; ++i) many += "\"" + std::to_string(3000 + i) + "\",";
  EXPECT_EQ(problem(many + "]"), "");
  EXPECT_NE(problem(many + "\"9999\"]"), "");
}

TEST(Config, TheProxyProtocolNeedsTrustedProxies) {
  const auto problems = [](std::string_view text) {
    const auto config = parse_config(text, "moat.toml");
    EXPECT_TRUE(config.has_value());
    return config ? check_config(*config).size() : 99;
  };
  EXPECT_EQ(problems("backend = \"3000\"\n[server]\nproxy_protocol = true"), 1U);
  EXPECT_EQ(problems("backend = \"3000\"\n[server]\nproxy_protocol = true\n"
                     "trusted_proxies = [\"10.0.0.0/8\"]"),
            0U);
  EXPECT_FALSE(parse_config("backend = \"3000\"", "moat.toml")->proxy_protocol);
}

TEST(Config, AnUnverifiedBackendIsAWeakening) {
  const auto config = parse_config(
      "[[route]]\nbackend = \"https://a.internal\"\nallow_unverified_backend = true", "moat.toml");
  ASSERT_TRUE(config.has_value());
  const auto weak = weakenings(*config);
  ASSERT_EQ(weak.size(), 1U);
  EXPECT_EQ(weak[0].practice, 1);
}

TEST(Upstream, AcceptsTheUsualSpellings) {
  for (const char* text : {"http://127.0.0.1:3000", "http://localhost:3000/", "localhost:3000",
                           ":3000", "3000", "[::1]:3000", "http://app", "https://a:1",
                           "https://app.internal/", "https://[::1]", "unix:/run/app.sock"}) {
    EXPECT_TRUE(parse_upstream(text).has_value()) << text;
  }
  for (const char* text :
       {"", "https://", "http://a:1/path", "https://a/path", "ftp://a", "a b", "a:99999", ":0",
        "http://", "unix:", "unix:/", "unix:run/app.sock", "unix:/run/", "http://unix:/run/a"}) {
    EXPECT_FALSE(parse_upstream(text).has_value()) << text;
  }
  const std::string longest = "unix:/" + std::string(106, 'x');
  EXPECT_TRUE(parse_upstream(longest).has_value());
  EXPECT_FALSE(parse_upstream(longest + "x").has_value());
  EXPECT_FALSE(parse_upstream(std::string_view("unix:/a\0b", 9)).has_value());
}

TEST(Upstream, SaysWhatItIs) {
  const auto is = [](const char* text, const char* authority, const char* name) {
    const auto upstream = parse_upstream(text);
    ASSERT_TRUE(upstream.has_value()) << text;
    EXPECT_EQ(upstream->authority(), authority);
    EXPECT_EQ(upstream->to_string(), name);
  };
  is("3000", "localhost:3000", "http://localhost:3000");
  is("http://app", "app", "http://app");
  is("https://App.internal", "app.internal", "https://app.internal");
  is("https://app:80", "app:80", "https://app:80");
  is("http://app:443", "app:443", "http://app:443");
  is("https://[::1]:8443", "[::1]:8443", "https://[::1]:8443");
  is("unix:/run/app.sock", "localhost", "unix:/run/app.sock");
}

TEST(Listen, AcceptsTheUsualSpellings) {
  EXPECT_EQ(parse_listen(":443")->addresses.size(), 2U);
  EXPECT_EQ(parse_listen("8443")->port, 8443);
  EXPECT_EQ(parse_listen("127.0.0.1:8443")->addresses.size(), 1U);
  EXPECT_EQ(parse_listen("localhost:8443")->addresses.size(), 2U);
  for (const char* text : {"", "example.com:1", "127.0.0.1", "x", ":70000"})
    EXPECT_FALSE(parse_listen(text)) << text;
}

// ---------------------------------------------------------------------------------------- issuers

std::string with_issuer(std::string_view more) {
  return "backend = \"3000\"\n[[issuer]]\nurl = \"https://issuer.example\"\naudience = \"api\"\n" +
         std::string(more);
}
std::vector<std::string> check_problems(std::string_view text) {
  std::vector<std::string> out;
  for (const ConfigProblem& problem : check_config(parse_config(text, "moat.toml").value()))
    out.push_back(problem.to_string());
  return out;
}

TEST(ConfigIssuer, TheUrlAndTheAudienceAreEnough) {
  const Config config = parse_config(with_issuer(""), "moat.toml").value();
  EXPECT_TRUE(check_config(config).empty());
  ASSERT_EQ(config.issuers.size(), 1U);
  const TrustedIssuer& issuer = config.issuers.front();
  EXPECT_EQ(issuer.jwks, "https://issuer.example/.well-known/jwks.json");
  EXPECT_EQ(issuer.audiences, std::vector<std::string>{"api"});
  EXPECT_EQ(issuer.user_claim, "sub");
  EXPECT_TRUE(issuer.roles_claim.empty());
  EXPECT_TRUE(issuer.algorithms.empty());
  EXPECT_FALSE(issuer.pass_token);
  EXPECT_TRUE(weakenings(config).empty());
  EXPECT_EQ(parse_config("backend = \"3000\"\n[[issuer]]\nurl = \"https://a.example/\"\n", "")
                ->issuers.front()
                .jwks,
            "https://a.example/.well-known/jwks.json");
}

TEST(ConfigIssuer, WithoutAnAudienceTokensForOthersWouldPass) {
  const auto problems =
      check_problems("backend = \"3000\"\n[[issuer]]\nurl = \"https://a.example\"");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_NE(problems.front().find("moat.toml:2: issuer 'https://a.example' needs 'audience'"),
            std::string::npos)
      << problems.front();
  EXPECT_FALSE(check_problems("backend = \"3000\"\n[[issuer]]\naudience = \"x\"").empty());
  EXPECT_FALSE(check_problems("backend = \"3000\"\n[[issuer]]\naudience = \"x\"\n"
                              "url = \"https://a.example\\nb\"\njwks = \"https://a.example/\"")
                   .empty());
  EXPECT_FALSE(check_problems(with_issuer("") + "[[issuer]]\nurl = \"https://issuer.example\"\n"
                                                "audience = \"b\"")
                   .empty());
}

TEST(ConfigIssuer, SecretsAndUnknownNamesAreNoAlgorithms) {
  for (const char* name : {"HS256", "none", "es256", "RSA-OAEP"}) {
    EXPECT_NE(first_problem(with_issuer("algorithms = [\"" + std::string(name) + "\"]"))
                  .find("is no public-key algorithm"),
              std::string::npos);
  }
  EXPECT_NE(first_problem(with_issuer("algorithms = []")), "");
  const Config config =
      parse_config(with_issuer("algorithms = [\"ES256\", \"RS256\"]"), "moat.toml").value();
  EXPECT_EQ(config.issuers.front().algorithms.size(), 2U);
  ASSERT_EQ(weakenings(config).size(), 1U);
  EXPECT_EQ(weakenings(config).front().practice, 4);
}

TEST(ConfigIssuer, TimesContradictNoneOfEachOther) {
  EXPECT_TRUE(check_problems(with_issuer("max_age = \"60s\"\ncooldown = \"30s\"")).empty());
  EXPECT_EQ(check_problems(with_issuer("max_age = \"60s\"\ncooldown = \"31s\"")).size(), 1U);
  EXPECT_EQ(check_problems(with_issuer("retry = \"1500ms\"")).size(), 1U);
  EXPECT_NE(first_problem(with_issuer("cooldown = \"0s\"")), "");
  EXPECT_NE(first_problem(with_issuer("timeout = \"31s\"")), "");
}

TEST(ConfigIssuer, KeysOverHttpAreAWeakening) {
  const Config config = parse_config(with_issuer("insecure_http = true"), "moat.toml").value();
  ASSERT_EQ(weakenings(config).size(), 1U);
  EXPECT_EQ(weakenings(config).front().practice, 1);
}

}  // namespace
}  // namespace moat::gateway
