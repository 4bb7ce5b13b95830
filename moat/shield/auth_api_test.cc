// SPDX-License-Identifier: Apache-2.0
#include "moat/shield/auth_api.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "moat/accounts/memory_store.h"
#include "moat/base/encoding.h"
#include "moat/base/json.h"
#include "moat/password/hasher.h"
#include "moat/shield/internal/auth_impl.h"
#include "moat/shield/internal/test_world.h"
#include "moat/shield/users.h"

namespace moat::shield {
namespace {

using internal::address;
using internal::pair;
using internal::test_start;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view ada = "ada@example.com";
constexpr std::string_view good = "violet kettle under nine moons";
constexpr std::string_view better = "seven green ferries left the harbour";

limit::Policy policy(std::string_view text) { return limit::Policy::parse(text).value(); }

// Pages whose texts tell what they were given, one "name=value;" each.
class PlainPages final : public Pages {
 public:
  std::string login(const LoginPage& page, std::string_view nonce) const override {
    return "login;csrf=" + page.csrf + ";next=" + page.next + ";email=" + page.email +
           ";error=" + page.error + ";nonce=" + std::string(nonce) + ";";
  }
  std::string signup(const SignupPage& page, std::string_view) const override {
    return "signup;csrf=" + page.csrf + ";next=" + page.next + ";email=" + page.email +
           ";error=" + page.error + ";email_error=" + page.email_error +
           ";password_error=" + page.password_error + ";";
  }
  std::string setup(const SetupPage& page, std::string_view) const override {
    return "setup;csrf=" + page.csrf + ";token=" + page.token + ";token_error=" + page.token_error +
           ";password_error=" + page.password_error + ";";
  }
  std::string account(const AccountPage& page, std::string_view) const override {
    return "account;csrf=" + page.csrf + ";email=" + page.email + ";roles=" + page.roles +
           ";sessions=" + std::to_string(page.sessions.size()) +
           ";current_error=" + page.current_error + ";new_error=" + page.new_error + ";";
  }
  std::optional<Asset> asset(std::string_view path) const override {
    if (path == "/auth/moat.css") return Asset{"text/css", "body{}"};
    return std::nullopt;
  }
};

// What stands behind "name=" in such a page.
std::string shown(const Response& response, std::string_view name) {
  const std::string key = ";" + std::string(name) + "=";
  const std::size_t at = response.body.find(key);
  if (at == std::string::npos) return "(not there)";
  const std::size_t begin = at + key.size();
  return response.body.substr(begin, response.body.find(';', begin) - begin);
}

std::string header(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

// Everything that answers, over stores in memory.
struct World {
  World() {
    log_in_limits.per_address = {policy("100/min/ip")};
    account_options.signup = accounts::Options::Signup::open;
    api_options.signup_limit = policy("3/hour/ip");
    api_options.signup_tries = policy("100/min/ip burst 100");
    api_options.jwks = [] { return std::string("{\"keys\":[\"ours\"]}"); };
    shield_options.general = policy("100000/min/ip");
  }
  // After the options are what the test wants.
  void start() {
    hasher.emplace(password::Hasher::insecure_below_floor({64, 1, 1}, system_random()));
    service.emplace(accounts, *hasher, password_policy, system_random(), account_options);
    guard.emplace(log_in_limits);
    shield.emplace(Shield::Services{sessions, revocations, users, requests}, shield_options);
    api.emplace(AuthApi::Services{*shield, sessions, *service, accounts, *guard, signups, tokens,
                                  system_random(), log, with_pages ? &pages : nullptr},
                api_options);
  }

  Time now = test_start;
  Tick tick{std::chrono::hours{1}};
  std::string logged;
  ManualClock clock{test_start};
  Log log{clock, [this](std::string_view line) { logged += line; }};
  bool with_pages = true;
  accounts::Options account_options;
  limit::LoginGuardOptions log_in_limits;
  AuthApi::Options api_options;
  Shield::Options shield_options;

  accounts::MemoryStore accounts;
  internal::FlakySessions session_store;
  AccountUsers users{accounts};
  session::RevocationList revocations{seconds(330)};
  jwt::KeyRing ring =
      jwt::KeyRing::create(jwt::Algorithm::hs256, system_random(), test_start, {}).value();
  session::Manager sessions{session_store, revocations, ring, {}, system_random()};
  limit::Table requests{1024};
  limit::Table signups{1024};
  csrf::Tokens tokens{HmacKey(std::string(32, 'k'))};
  password::Policy password_policy;
  PlainPages pages;
  std::optional<password::Hasher> hasher;
  std::optional<accounts::Service> service;
  std::optional<limit::LoginGuard> guard;
  std::optional<Shield> shield;
  std::optional<AuthApi> api;
};

// A browser, or with `no_browser` a program: keeps cookies and sends what its kind sends.
class Client {
 public:
  explicit Client(World& world, std::string_view from = "192.0.2.1")
      : world_(world), address_(address(from)) {}

  std::string origin = std::string(internal::own_origin);
  bool no_browser = false;
  std::map<std::string, std::string, std::less<>> jar;

  Response send(std::string_view method, std::string_view target,
                std::string_view content_type = {}, std::string_view body = {}) {
    Request request;
    request.method = method;
    request.path = target.substr(0, target.find('?'));
    if (request.path.size() < target.size()) request.query = target.substr(request.path.size() + 1);
    request.host = "localhost:8443";
    request.peer = address_;
    std::string cookie;
    for (const auto& [name, value] : jar)
      cookie += (cookie.empty() ? "" : "; ") + pair(name, value);
    request.cookie = cookie;
    if (!no_browser && method != "GET") request.origin = origin;
    request.content_type = content_type;
    request.user_agent = "Browser/1.0";
    Admission admission;
    const Rules rules = AuthApi::rules(request.method, request.path);
    if (!world_.shield->admit(request, rules, world_.now, world_.tick, admission)) {
      Response refused;
      refused.status = admission.refusal.status;
      refused.code = admission.refusal.code;
      return refused;
    }
    Response response = world_.api->handle(request, admission, body, world_.now, world_.tick);
    // As the gateway writes them: those of the walk first.
    for (const auto* list : {&admission.set_cookies, &response.set_cookies}) keep(*list);
    return response;
  }
  Response get(std::string_view target) { return send("GET", target); }
  Response json(std::string_view path, std::string_view body) {
    return send("POST", path, "application/json", body);
  }
  Response form(std::string_view path, std::string_view body) {
    return send("POST", path, "application/x-www-form-urlencoded", body);
  }
  Response credentials(std::string_view path, std::string_view email, std::string_view password) {
    return json(path, json::serialize(json::Object{{"email", std::string(email)},
                                                   {"password", std::string(password)}}));
  }
  Response sign_up(std::string_view email = ada, std::string_view password = good) {
    return credentials("/auth/signup", email, password);
  }
  Response log_in(std::string_view email = ada, std::string_view password = good) {
    return credentials("/auth/login", email, password);
  }
  bool logged_in() { return get("/auth/me").status == 200; }
  std::string form_token() {
    const Response answer = get("/auth/csrf");
    return std::string(*json::parse(answer.body).value().find("token")->as_string());
  }
  std::string session_id() {
    const json::Value list = json::parse(get("/auth/sessions").body).value();
    for (const json::Value& item : *list.as_array()) {
      if (*item.find("current")->as_bool()) return std::string(*item.find("id")->as_string());
    }
    return "";
  }

 private:
  void keep(const std::vector<std::string>& set_cookies) {
    for (const std::string& line : set_cookies) {
      const std::size_t equals = line.find('=');
      const std::string name = line.substr(0, equals);
      if (internal::forgets({line}, name)) {
        jar.erase(name);
      } else {
        jar[name] = *internal::cookie_in({line}, name);
      }
    }
  }
  World& world_;
  IpAddress address_;
};

class AuthApiTest : public ::testing::Test, protected World {
 protected:
  Client browser(std::string_view from = "192.0.2.1") { return Client(*this, from); }
  void advance(seconds by) {
    now += by;
    tick += by;
  }
};

void expect_problem(const Response& response, int status, std::string_view code) {
  EXPECT_EQ(response.status, status) << response.body;
  EXPECT_EQ(response.code, code);
  ASSERT_EQ(response.kind, Body::problem);
  const json::Value body = json::parse(response.body).value();
  EXPECT_EQ(*body.find("code")->as_string(), code);
  EXPECT_EQ(*body.find("status")->as_integer(), status);
}

// ---------------------------------------------------------------------------------- JSON: accounts

TEST_F(AuthApiTest, SignUpMakesAnAccountAndLogsIn) {
  start();
  Client client = browser();
  const Response answer = client.sign_up();
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.kind, Body::json);
  const json::Value account = json::parse(answer.body).value();
  EXPECT_EQ(account.as_object()->size(), 4U);
  EXPECT_EQ(account.find("id")->as_string()->size(), 22U);
  EXPECT_EQ(*account.find("email")->as_string(), ada);
  EXPECT_EQ(account.find("roles")->as_array()->size(), 1U);
  EXPECT_EQ(*account.find("created_at")->as_string(), format_rfc3339(test_start));
  for (const std::string_view name :
       {session::access_cookie, session::refresh_cookie, session::device_cookie}) {
    EXPECT_TRUE(client.jar.count(name)) << name;
  }
  const Response me = client.get("/auth/me");
  EXPECT_EQ(me.status, 200);
  EXPECT_EQ(json::parse(me.body).value(), account);
}

TEST_F(AuthApiTest, LoginNeedsTheRightPassword) {
  start();
  browser().sign_up();
  Client client = browser();
  expect_problem(client.log_in(ada, "violet kettle under nine suns"), 401, "wrong_credentials");
  EXPECT_TRUE(client.jar.empty());
  const Response stranger = client.log_in("bob@example.com", good);
  expect_problem(stranger, 401, "wrong_credentials");
  EXPECT_EQ(stranger.body, client.log_in(ada, "wrong as well, wrong again").body);
  EXPECT_EQ(client.log_in().status, 200);
  EXPECT_TRUE(client.logged_in());
}

// While a password is checked, something else happens.
class Meanwhile final : public password::Engine {
 public:
  Meanwhile(password::Engine& engine, std::function<void()> happens)
      : engine_(engine), happens_(std::move(happens)) {}
  Result<std::string, password::Refusal> hash(std::string_view text) override {
    return engine_.hash(text);
  }
  Result<password::Match, password::Refusal> verify(std::string_view stored,
                                                    std::string_view text) override {
    auto match = engine_.verify(stored, text);
    if (happens_) std::exchange(happens_, nullptr)();
    return match;
  }
  Result<void, password::Refusal> verify_unknown(std::string_view text) override {
    return engine_.verify_unknown(text);
  }

 private:
  password::Engine& engine_;
  std::function<void()> happens_;
};

TEST_F(AuthApiTest, ALoginBesideAPasswordChangeIsNoSession) {
  start();
  Client owner = browser();
  owner.sign_up();
  now += seconds(1);
  Meanwhile engine(*hasher, [&] {
    const std::string body =
        json::serialize(json::Object{{"current", std::string(good)}, {"new", std::string(better)}});
    EXPECT_EQ(owner.json("/auth/password", body).status, 204);
  });
  service.emplace(accounts, engine, password_policy, system_random(), account_options);
  Client thief = browser();
  expect_problem(thief.log_in(), 401, "wrong_credentials");
  EXPECT_TRUE(thief.jar.empty());
  EXPECT_FALSE(thief.logged_in());
  EXPECT_TRUE(owner.logged_in());
  EXPECT_EQ(json::parse(owner.get("/auth/sessions").body).value().as_array()->size(), 1U);
}

TEST_F(AuthApiTest, WhatWasTypedAsAnAddressIsMasked) {
  start();
  browser().log_in("MyS3cretPassw0rd typed here", good);
  browser().log_in("P@ss. w0rd", good);
  EXPECT_NE(logged.find("login_failed"), std::string::npos);
  EXPECT_EQ(logged.find("S3cret"), std::string::npos) << logged;
  EXPECT_EQ(logged.find("w0rd"), std::string::npos) << logged;
}

TEST_F(AuthApiTest, SignUpsThatMakeNothingAreLimitedToo) {
  api_options.signup_tries = policy("3/hour/ip");
  start();
  browser().sign_up();
  for (int i = 0; i < 3; ++i) expect_problem(browser().sign_up(), 409, "email_taken");
  expect_problem(browser().sign_up(), 429, "rate_limited");
  expect_problem(browser().sign_up("bob@example.com"), 429, "rate_limited");
}

TEST_F(AuthApiTest, NobodyIsLoggedInWithoutASession) {
  start();
  Client client = browser();
  expect_problem(client.get("/auth/me"), 401, "login_required");
  expect_problem(client.get("/auth/sessions"), 401, "login_required");
  expect_problem(client.send("DELETE", "/auth/sessions/abc"), 401, "login_required");
  expect_problem(client.json("/auth/logout-all", ""), 401, "login_required");
  expect_problem(client.json("/auth/password", R"({"current":"a","new":"b"})"), 401,
                 "login_required");
}

TEST_F(AuthApiTest, ATakenAddressIsAConflictHoweverItIsSpelled) {
  start();
  browser().sign_up();
  expect_problem(browser().sign_up(ada, better), 409, "email_taken");
  expect_problem(browser().sign_up("ADA@EXAMPLE.COM", better), 409, "email_taken");
  expect_problem(browser().log_in(ada, better), 401, "wrong_credentials");
}

TEST_F(AuthApiTest, WeakPasswordsAndOddAddressesAreRefused) {
  start();
  expect_problem(browser().sign_up(ada, "short"), 422, "password_policy");
  expect_problem(browser().sign_up(ada, "passwordpassword"), 422, "password_policy");
  for (const char* email : {"ada", "@example.com", "ada@", "ada@example.com\r\nX: y", "a b@c.de"}) {
    expect_problem(browser().sign_up(email), 422, "invalid_email");
  }
  expect_problem(browser().log_in(ada, good), 401, "wrong_credentials");
}

TEST_F(AuthApiTest, BodiesAreReadStrictly) {
  start();
  const char* bad[] = {
      "",
      "[]",
      "{",
      R"({"email":"ada@example.com"})",
      R"({"email":"ada@example.com","password":5})",
      R"({"email":["ada@example.com"],"password":"x"})",
      R"({"email":"a@b.de","email":"ada@example.com","password":"violet kettle under nine moons"})",
      R"({"email":"ada@example.com","password":"violet kettle under nine moons","role":"admin"})",
      R"({"email":"ada@example.com","password":"violet kettle under nine moons","roles":["admin"]})",
      R"({"email":"ada@example.com","password":"violet kettle under nine moons","__proto__":{}})"};
  for (const char* body : bad)
    expect_problem(browser().json("/auth/signup", body), 400, "invalid_body");
  const std::string deep = std::string(40, '[') + std::string(40, ']');
  expect_problem(browser().json("/auth/signup", deep), 400, "invalid_body");
  expect_problem(browser().sign_up(std::string(300, 'a') + "@example.com"), 400, "invalid_body");
  expect_problem(browser().sign_up(ada, std::string(1025, 'p')), 400, "invalid_body");
}

TEST_F(AuthApiTest, OnlyJsonAndFormsAreRead) {
  start();
  Client client = browser();
  const std::string body =
      R"({"email":"ada@example.com","password":"violet kettle under nine moons"})";
  for (const char* type : {"text/plain", "multipart/form-data; boundary=x", "application/jsonx",
                           "text/plain; application/json", "application/json, text/plain", ""}) {
    expect_problem(client.send("POST", "/auth/signup", type, body), 415, "unsupported_media_type");
  }
  EXPECT_EQ(client.send("POST", "/auth/signup", "Application/JSON; charset=utf-8", body).status,
            201);
}

TEST_F(AuthApiTest, EveryPathHasItsMethods) {
  start();
  Client client = browser();
  const std::pair<const char*, const char*> wrong[] = {{"PUT", "/auth/login"},
                                                       {"OPTIONS", "/auth/login"},
                                                       {"get", "/auth/me"},
                                                       {"POST", "/auth/me"},
                                                       {"GET", "/auth/logout"},
                                                       {"HEAD", "/auth/logout-all"},
                                                       {"DELETE", "/auth/sessions"},
                                                       {"GET", "/auth/sessions/abc"},
                                                       {"GET", "/auth/sessions/abc/revoke"},
                                                       {"POST", "/auth/moat.css"},
                                                       {"POST", "/.well-known/moat/jwks.json"}};
  for (const auto& [method, path] : wrong) {
    const Response answer = client.send(method, path);
    expect_problem(answer, 405, "method_not_allowed");
    EXPECT_NE(header(answer, "Allow"), "") << path;
    EXPECT_EQ(header(answer, "Allow").find(method), std::string::npos) << path;
  }
  EXPECT_EQ(header(client.send("PUT", "/auth/login"), "Allow"), "GET, HEAD, POST");
  EXPECT_EQ(header(client.send("PUT", "/auth/sessions/x"), "Allow"), "DELETE");
}

TEST_F(AuthApiTest, WhatIsNotThereIsNotFound) {
  start();
  Client client = browser();
  for (const char* path :
       {"/auth/nothing", "/auth/sessions/", "/auth/sessions//revoke", "/auth/sessions/a/b",
        "/auth/login/", "/auth/LOGIN", "/.well-known/moat/", "/auth/moat.css/x"}) {
    expect_problem(client.get(path), 404, "not_found");
    expect_problem(client.json(path, "{}"), 404, "not_found");
  }
  EXPECT_TRUE(AuthApi::handles("/auth"));
  EXPECT_TRUE(AuthApi::handles("/auth/x"));
  EXPECT_TRUE(AuthApi::handles("/.well-known/moat/jwks.json"));
  EXPECT_FALSE(AuthApi::handles("/author"));
  EXPECT_FALSE(AuthApi::handles("/.well-known/acme-challenge/x"));
}

TEST_F(AuthApiTest, ThePublicKeysAreForEverybody) {
  start();
  const Response answer = browser().get("/.well-known/moat/jwks.json");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.kind, Body::json);
  EXPECT_EQ(answer.body, "{\"keys\":[\"ours\"]}");
}

TEST_F(AuthApiTest, SignUpMayBeClosed) {
  account_options.signup = accounts::Options::Signup::closed;
  api_options.signup_open = false;
  start();
  expect_problem(browser().sign_up(), 403, "signup_closed");
  EXPECT_EQ(browser().get("/auth/signup").location, "/auth/login");
}

// ----------------------------------------------------------------------------------- CSRF of /auth

TEST_F(AuthApiTest, AForeignPageCannotLogAnybodyIn) {
  start();
  browser().sign_up();
  Client victim = browser();
  victim.origin = "https://evil.example";
  EXPECT_EQ(victim.log_in().status, 403);
  EXPECT_TRUE(victim.jar.empty());
  Client curl = browser();
  curl.no_browser = true;
  EXPECT_EQ(curl.log_in().status, 200);
  // With cookies it has to say where it comes from.
  EXPECT_EQ(curl.json("/auth/logout", "").status, 403);
  curl.no_browser = false;
  EXPECT_EQ(curl.json("/auth/logout", "").status, 204);
}

// ---------------------------------------------------------------------------------------- sessions

TEST_F(AuthApiTest, SessionsAreListedForTheirOwner) {
  start();
  Client laptop = browser();
  laptop.sign_up();
  advance(seconds(10));
  Client phone = browser("198.51.100.9");
  phone.log_in();
  browser().sign_up("bob@example.com");
  const json::Value list = json::parse(laptop.get("/auth/sessions").body).value();
  ASSERT_EQ(list.as_array()->size(), 2U);
  int current = 0;
  for (const json::Value& item : *list.as_array()) {
    EXPECT_EQ(item.as_object()->size(), 6U);
    EXPECT_EQ(*item.find("user_agent")->as_string(), "Browser/1.0");
    if (!*item.find("current")->as_bool()) continue;
    ++current;
    EXPECT_EQ(*item.find("address")->as_string(), "192.0.2.1");
    EXPECT_EQ(*item.find("created_at")->as_string(), format_rfc3339(test_start));
    EXPECT_EQ(*item.find("last_seen_at")->as_string(), format_rfc3339(test_start));
  }
  EXPECT_EQ(current, 1);
}

TEST_F(AuthApiTest, OneMayEndOnesOwnSessionsOnly) {
  start();
  Client laptop = browser();
  laptop.sign_up();
  Client phone = browser();
  phone.log_in();
  Client stranger = browser();
  stranger.sign_up("bob@example.com");
  const std::string phones = phone.session_id();
  expect_problem(stranger.send("DELETE", "/auth/sessions/" + phones), 404, "not_found");
  EXPECT_TRUE(phone.logged_in());
  EXPECT_EQ(laptop.send("DELETE", "/auth/sessions/" + phones).status, 204);
  EXPECT_FALSE(phone.logged_in());
  EXPECT_TRUE(laptop.logged_in());
  expect_problem(laptop.send("DELETE", "/auth/sessions/" + phones), 404, "not_found");
  expect_problem(laptop.send("DELETE", "/auth/sessions/" + std::string(5000, 'x')), 404,
                 "not_found");
}

TEST_F(AuthApiTest, EndingThePresentSessionIsALogout) {
  start();
  Client client = browser();
  client.sign_up();
  const Response answer = client.send("DELETE", "/auth/sessions/" + client.session_id());
  EXPECT_EQ(answer.status, 204);
  EXPECT_NE(header(answer, "Clear-Site-Data"), "");
  EXPECT_FALSE(client.jar.count(session::access_cookie));
}

TEST_F(AuthApiTest, LogoutEndsTheSessionAndClearsTheBrowser) {
  start();
  Client client = browser();
  client.sign_up();
  const auto stolen = client.jar;
  const Response answer = client.json("/auth/logout", "");
  EXPECT_EQ(answer.status, 204);
  EXPECT_TRUE(answer.body.empty());
  EXPECT_EQ(header(answer, "Clear-Site-Data"), "\"cache\", \"storage\"");
  EXPECT_TRUE(internal::forgets(answer.set_cookies, session::access_cookie));
  EXPECT_TRUE(internal::forgets(answer.set_cookies, session::refresh_cookie));
  EXPECT_FALSE(client.logged_in());
  client.jar = stolen;
  EXPECT_FALSE(client.logged_in());
  advance(minutes(6));
  EXPECT_FALSE(client.logged_in());
  EXPECT_EQ(browser().json("/auth/logout", "").status, 204);  // nothing to end is no error
}

TEST_F(AuthApiTest, LogoutEndsASessionWhoseAccessTokenIsGone) {
  start();
  Client client = browser();
  client.sign_up();
  Client other = browser();
  other.jar = client.jar;
  other.jar.erase(std::string(session::access_cookie));
  EXPECT_EQ(other.json("/auth/logout", "").status, 204);
  EXPECT_TRUE(other.jar.find(session::refresh_cookie) == other.jar.end());
  EXPECT_FALSE(client.logged_in());
}

TEST_F(AuthApiTest, LogoutBehindARefreshLeavesNoCookies) {
  start();
  Client client = browser();
  client.sign_up();
  advance(minutes(6));
  EXPECT_EQ(client.json("/auth/logout", "").status, 204);
  EXPECT_FALSE(client.jar.count(session::access_cookie));
  EXPECT_FALSE(client.jar.count(session::refresh_cookie));
}

TEST_F(AuthApiTest, LogoutIsNotClaimedWhereTheStoreIsDown) {
  start();
  Client client = browser();
  client.sign_up();
  session_store.down = true;
  expect_problem(client.json("/auth/logout", ""), 503, "unavailable");
  EXPECT_TRUE(client.jar.count(session::refresh_cookie));
}

TEST_F(AuthApiTest, LogoutEverywhereEndsAllSessionsOfOneUser) {
  start();
  Client laptop = browser();
  laptop.sign_up();
  Client phone = browser();
  phone.log_in();
  Client stranger = browser();
  stranger.sign_up("bob@example.com");
  const Response answer = laptop.json("/auth/logout-all", "");
  EXPECT_EQ(answer.status, 204);
  EXPECT_NE(header(answer, "Clear-Site-Data"), "");
  EXPECT_FALSE(laptop.logged_in());
  EXPECT_FALSE(phone.logged_in());
  EXPECT_TRUE(stranger.logged_in());
}

TEST_F(AuthApiTest, ALoginChangesTheSession) {
  start();
  Client client = browser();
  client.sign_up();
  const auto before = client.jar;
  const std::string id = client.session_id();
  client.log_in();
  EXPECT_NE(client.session_id(), id);
  Client old = browser();
  old.jar = before;
  EXPECT_FALSE(old.logged_in());
}

// ---------------------------------------------------------------------------------------- password

std::string change(std::string_view current, std::string_view next) {
  return json::serialize(
      json::Object{{"current", std::string(current)}, {"new", std::string(next)}});
}

TEST_F(AuthApiTest, AChangedPasswordEndsOtherSessionsAndKeepsThisOne) {
  start();
  Client laptop = browser();
  laptop.sign_up();
  Client phone = browser();
  phone.log_in();
  const std::string id = laptop.session_id();
  const auto before = laptop.jar;
  const Response answer = laptop.json("/auth/password", change(good, better));
  EXPECT_EQ(answer.status, 204);
  EXPECT_TRUE(answer.body.empty());
  EXPECT_TRUE(laptop.logged_in());
  EXPECT_NE(laptop.session_id(), id);
  EXPECT_FALSE(phone.logged_in());
  Client stolen = browser();
  stolen.jar = before;
  EXPECT_FALSE(stolen.logged_in());
  advance(minutes(6));
  EXPECT_FALSE(stolen.logged_in());
  EXPECT_FALSE(phone.logged_in());
  EXPECT_TRUE(laptop.logged_in());
  expect_problem(browser().log_in(ada, good), 401, "wrong_credentials");
  EXPECT_EQ(browser().log_in(ada, better).status, 200);
}

TEST_F(AuthApiTest, AChangedPasswordNeedsTheOldOneAndAGoodNewOne) {
  start();
  Client client = browser();
  client.sign_up();
  expect_problem(client.json("/auth/password", change(better, better)), 401, "wrong_credentials");
  expect_problem(client.json("/auth/password", change(good, "short")), 422, "password_policy");
  expect_problem(client.json("/auth/password", R"({"current":"x"})"), 400, "invalid_body");
  EXPECT_TRUE(client.logged_in());
  EXPECT_EQ(browser().log_in(ada, good).status, 200);
}

TEST_F(AuthApiTest, AStolenSessionCannotGuessThePassword) {
  log_in_limits.free_failures = 2;
  start();
  Client client = browser();
  client.sign_up();
  for (int i = 0; i < 2; ++i) {
    expect_problem(client.json("/auth/password", change(better, better)), 401, "wrong_credentials");
  }
  const Response answer = client.json("/auth/password", change(good, better));
  expect_problem(answer, 429, "rate_limited");
  EXPECT_NE(header(answer, "Retry-After"), "");
  // The owner elsewhere is not held up by it.
  EXPECT_EQ(browser().log_in().status, 200);
}

// ------------------------------------------------------------------------------------------ limits

TEST_F(AuthApiTest, SignUpsAreCountedByAccountsMade) {
  start();
  for (int i = 0; i < 10; ++i) {
    expect_problem(browser().sign_up(ada, "short"), 422, "password_policy");
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(browser().sign_up("user" + std::to_string(i) + "@example.com").status, 201);
  }
  const Response answer = browser().sign_up("user9@example.com");
  expect_problem(answer, 429, "rate_limited");
  EXPECT_GT(std::stoi(header(answer, "Retry-After")), 0);
  EXPECT_EQ(browser("198.51.100.1").sign_up("user9@example.com").status, 201);
}

TEST_F(AuthApiTest, GuessingIsDelayed) {
  log_in_limits.free_failures = 3;
  start();
  browser().sign_up();
  Client attacker = browser("198.51.100.66");
  for (int i = 0; i < 3; ++i)
    expect_problem(attacker.log_in(ada, better), 401, "wrong_credentials");
  // Now even the right password has to wait, from a new address too, however the name is spelled.
  const Response answer = attacker.log_in();
  expect_problem(answer, 429, "rate_limited");
  EXPECT_GT(std::stoi(header(answer, "Retry-After")), 0);
  expect_problem(browser("198.51.100.67").log_in("Ada@Example.com"), 429, "rate_limited");
  expect_problem(browser().log_in("bob@example.com", good), 401, "wrong_credentials");
  advance(seconds(30));
  EXPECT_EQ(attacker.log_in().status, 200);
}

TEST_F(AuthApiTest, AKnownDeviceIsNotLockedOut) {
  log_in_limits.free_failures = 3;
  start();
  Client owner = browser();
  owner.sign_up();
  owner.json("/auth/logout", "");
  ASSERT_TRUE(owner.jar.count(session::device_cookie));  // outlives the logout
  Client attacker = browser("198.51.100.66");
  for (int i = 0; i < 3; ++i) attacker.log_in(ada, better);
  expect_problem(attacker.log_in(), 429, "rate_limited");
  EXPECT_EQ(owner.log_in().status, 200);
  // A device known for another account is none for this one.
  attacker.jar.clear();
  Client other = browser("198.51.100.67");
  EXPECT_EQ(other.sign_up("bob@example.com").status, 201);
  expect_problem(other.log_in(), 429, "rate_limited");
}

TEST_F(AuthApiTest, AnAddressMayNotTryManyAccounts) {
  log_in_limits.per_address = {policy("3/min/ip")};
  start();
  Client attacker = browser();
  for (int i = 0; i < 3; ++i) {
    expect_problem(attacker.log_in("u" + std::to_string(i) + "@example.com"), 401,
                   "wrong_credentials");
  }
  expect_problem(attacker.log_in("u9@example.com"), 429, "rate_limited");
  expect_problem(browser("198.51.100.1").log_in("u9@example.com"), 401, "wrong_credentials");
}

// ------------------------------------------------------------------------------------ known
// devices

TEST_F(AuthApiTest, NothingSecretIsLogged) {
  start();
  Client client = browser();
  client.sign_up();
  client.log_in(ada, better);
  EXPECT_NE(logged.find("signed_up"), std::string::npos);
  EXPECT_NE(logged.find("login_failed"), std::string::npos);
  EXPECT_EQ(logged.find("violet"), std::string::npos);
  EXPECT_EQ(logged.find("ferries"), std::string::npos);
  EXPECT_EQ(logged.find("ada@example.com"), std::string::npos);
  for (const auto& [name, value] : client.jar) EXPECT_EQ(logged.find(value), std::string::npos);
}

// -------------------------------------------------------------------------------------- first
// admin

std::string setup_body(std::string_view token, std::string_view password = good) {
  return json::serialize(json::Object{{"email", std::string(ada)},
                                      {"password", std::string(password)},
                                      {"token", std::string(token)}});
}

TEST_F(AuthApiTest, TheSetUpTokenMakesOneAdmin) {
  account_options.signup = accounts::Options::Signup::closed;
  start();
  const std::string token(service->create_setup_token(now).value().reveal());
  expect_problem(browser().json("/auth/setup", setup_body("nonsense")), 403, "invalid_token");
  expect_problem(browser().json("/auth/setup", setup_body(token, "short")), 422, "password_policy");
  Client client = browser();
  const Response made = client.json("/auth/setup", setup_body(token));
  EXPECT_EQ(made.status, 201);
  const json::Value account = json::parse(made.body).value();
  ASSERT_EQ(account.find("roles")->as_array()->size(), 2U);
  EXPECT_TRUE(client.logged_in());
  expect_problem(browser().json("/auth/setup", setup_body(token)), 403, "invalid_token");
  EXPECT_EQ(logged.find(token), std::string::npos);
}

TEST_F(AuthApiTest, TheSetUpTokenExpires) {
  start();
  const std::string token(service->create_setup_token(now).value().reveal());
  advance(minutes(30));
  expect_problem(browser().json("/auth/setup", setup_body(token)), 403, "invalid_token");
}

// ------------------------------------------------------------------------------------------- forms

std::string encoded(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  std::string out;
  for (const auto& [name, value] : fields) {
    if (!out.empty()) out += "&";
    out.append(name).append("=").append(percent_encode(value));
  }
  return out;
}

TEST_F(AuthApiTest, AFormNeedsItsToken) {
  start();
  browser().sign_up();
  Client client = browser();
  const Response refused =
      client.form("/auth/login", encoded({{"email", ada}, {"password", good}}));
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.code, "csrf");
  EXPECT_EQ(refused.kind, Body::page);
  EXPECT_EQ(shown(refused, "email"), ada);
  EXPECT_NE(shown(refused, "error"), "");
  EXPECT_EQ(refused.body.find(good), std::string::npos);
  EXPECT_FALSE(client.logged_in());
  // The page came with a new token, bound to the cookie that came with it.
  const std::string token = shown(refused, "csrf");
  const std::string body = encoded({{"email", ada}, {"password", good}, {"_csrf", token}});
  Client other = browser();
  EXPECT_EQ(other.form("/auth/login", body).status, 403);  // without the cookie
  const Response done = client.form("/auth/login", body);
  EXPECT_EQ(done.status, 303);
  EXPECT_EQ(done.location, "/");
  EXPECT_TRUE(client.logged_in());
}

TEST_F(AuthApiTest, ATokenBelongsToOneSession) {
  start();
  Client ada_browser = browser();
  ada_browser.sign_up();
  Client bob_browser = browser();
  bob_browser.sign_up("bob@example.com");
  const std::string token = bob_browser.form_token();
  EXPECT_EQ(ada_browser.form("/auth/logout", encoded({{"_csrf", token}})).status, 403);
  EXPECT_TRUE(ada_browser.logged_in());
  EXPECT_EQ(bob_browser.form("/auth/logout", encoded({{"_csrf", token}})).location, "/auth/login");
  EXPECT_FALSE(bob_browser.logged_in());
}

TEST_F(AuthApiTest, EveryFormThatChangesSomethingNeedsAToken) {
  start();
  Client client = browser();
  client.sign_up();
  const std::string id = client.session_id();
  EXPECT_EQ(client.form("/auth/logout", "").status, 403);
  EXPECT_EQ(client.form("/auth/logout-all", "").status, 403);
  EXPECT_EQ(client.form("/auth/sessions/" + id + "/revoke", "").status, 403);
  EXPECT_EQ(client.form("/auth/password", encoded({{"current", good}, {"new", better}})).status,
            403);
  EXPECT_EQ(
      client.form("/auth/signup", encoded({{"email", "b@example.com"}, {"password", good}})).status,
      403);
  EXPECT_EQ(client
                .form("/auth/setup",
                      encoded({{"email", "b@example.com"}, {"password", good}, {"token", "x"}}))
                .status,
            403);
  EXPECT_TRUE(client.logged_in());
}

TEST_F(AuthApiTest, FormsAnswerWithPagesAndRedirects) {
  start();
  Client client = browser();
  const Response page = client.get("/auth/signup?next=%2Fnotes");
  EXPECT_EQ(page.kind, Body::page);
  EXPECT_EQ(shown(page, "next"), "/notes");
  EXPECT_GE(page.nonce.size(), 16U);
  const auto body = [&](std::string_view email, std::string_view password) {
    return encoded({{"email", email},
                    {"password", password},
                    {"next", "/notes"},
                    {"_csrf", client.form_token()}});
  };
  const Response weak = client.form("/auth/signup", body(ada, "short"));
  EXPECT_EQ(weak.status, 422);
  EXPECT_NE(shown(weak, "password_error"), "");
  EXPECT_EQ(shown(weak, "email_error"), "");
  EXPECT_EQ(shown(weak, "next"), "/notes");
  const Response odd = client.form("/auth/signup", body("ada", good));
  EXPECT_EQ(odd.status, 422);
  EXPECT_NE(shown(odd, "email_error"), "");
  const Response made = client.form("/auth/signup", body(ada, good));
  EXPECT_EQ(made.status, 303);
  EXPECT_EQ(made.location, "/notes");
  const Response account = client.get("/auth/account");
  EXPECT_EQ(shown(account, "email"), ada);
  EXPECT_EQ(shown(account, "roles"), "user");
  EXPECT_EQ(shown(account, "sessions"), "1");
}

TEST_F(AuthApiTest, ThePasswordFormShowsItsErrors) {
  start();
  Client client = browser();
  client.sign_up();
  const auto body = [&](std::string_view current, std::string_view next) {
    return encoded(
        {{"current", current}, {"new", next}, {"username", ada}, {"_csrf", client.form_token()}});
  };
  const Response wrong = client.form("/auth/password", body(better, better));
  EXPECT_EQ(wrong.status, 401);
  EXPECT_NE(shown(wrong, "current_error"), "");
  const Response weak = client.form("/auth/password", body(good, "short"));
  EXPECT_EQ(weak.status, 422);
  EXPECT_NE(shown(weak, "new_error"), "");
  const Response done = client.form("/auth/password", body(good, better));
  EXPECT_EQ(done.status, 303);
  EXPECT_EQ(done.location, "/auth/account");
  EXPECT_TRUE(client.logged_in());
}

TEST_F(AuthApiTest, AFormEndsAnotherSession) {
  start();
  Client laptop = browser();
  laptop.sign_up();
  Client phone = browser();
  phone.log_in();
  const std::string path = "/auth/sessions/" + phone.session_id() + "/revoke";
  const Response done = laptop.form(path, encoded({{"_csrf", laptop.form_token()}}));
  EXPECT_EQ(done.status, 303);
  EXPECT_EQ(done.location, "/auth/account");
  EXPECT_FALSE(phone.logged_in());
  EXPECT_TRUE(laptop.logged_in());
}

TEST_F(AuthApiTest, ADelayedFormKeepsItsRetryAfter) {
  log_in_limits.free_failures = 1;
  start();
  Client client = browser();
  for (int i = 0; i < 2; ++i) {
    const Response answer = client.form(
        "/auth/login",
        encoded({{"email", ada}, {"password", better}, {"_csrf", client.form_token()}}));
    EXPECT_EQ(answer.kind, Body::page);
    EXPECT_EQ(answer.status, i == 0 ? 401 : 429);
    EXPECT_EQ(header(answer, "Retry-After").empty(), i == 0);
  }
}

TEST_F(AuthApiTest, NobodyIsSentToAnotherSite) {
  for (const char* next :
       {"", "notes", "//evil.example", "/\\evil.example", "\\\\evil.example",
        "https://evil.example", "javascript:alert(1)", "/\t/evil.example", "/ /evil.example",
        " /notes", "/a\r\nSet-Cookie: b", "/caf\xc3\xa9", "/a\\b"}) {
    EXPECT_EQ(safe_next(next), "/") << next;
  }
  EXPECT_EQ(safe_next("/" + std::string(2048, 'a')), "/");
  for (const char* next : {"/", "/notes", "/notes?a=b&c=%2F%2Fx", "/a//b", "/@evil.example"}) {
    EXPECT_EQ(safe_next(next), next);
  }
  start();
  browser().sign_up();
  Client client = browser();
  for (const char* next : {"//evil.example", "/\\evil.example", "https://evil.example/"}) {
    client.jar.clear();
    EXPECT_EQ(shown(client.get("/auth/login?next=" + percent_encode(next)), "next"), "/");
    const Response done = client.form(
        "/auth/login",
        encoded(
            {{"email", ada}, {"password", good}, {"next", next}, {"_csrf", client.form_token()}}));
    EXPECT_EQ(done.location, "/") << next;
    EXPECT_EQ(client.get("/auth/login?next=" + percent_encode(next)).location, "/");
  }
}

TEST_F(AuthApiTest, PagesLeadWhereTheyShould) {
  start();
  Client client = browser();
  EXPECT_EQ(client.get("/auth").location, "/auth/account");
  EXPECT_EQ(client.get("/auth/account").location, "/auth/login?next=%2Fauth%2Faccount");
  EXPECT_EQ(client.get("/auth/setup").kind, Body::page);
  const Response asset = client.get("/auth/moat.css");
  EXPECT_EQ(asset.body, "body{}");
  EXPECT_EQ(header(asset, "Content-Type"), "text/css");
}

TEST_F(AuthApiTest, WithoutPagesThereIsOnlyJson) {
  with_pages = false;
  start();
  Client client = browser();
  expect_problem(client.get("/auth/login"), 404, "not_found");
  expect_problem(client.get("/auth/moat.css"), 404, "not_found");
  EXPECT_EQ(client.sign_up().status, 201);
  expect_problem(client.form("/auth/login", encoded({{"email", ada}, {"password", good}})), 403,
                 "csrf");
}

TEST_F(AuthApiTest, EachPageHasItsOwnNonceAndToken) {
  start();
  Client client = browser();
  const Response first = client.get("/auth/login");
  const Response second = client.get("/auth/login");
  EXPECT_NE(first.nonce, second.nonce);
  EXPECT_NE(shown(first, "csrf"), shown(second, "csrf"));
}

}  // namespace
}  // namespace moat::shield
