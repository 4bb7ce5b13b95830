// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moat/accounts/memory_store.h"
#include "moat/base/encoding.h"
#include "moat/base/json.h"
#include "moat/password/hasher.h"
#include "moat/shield/auth_api.h"
#include "moat/shield/internal/auth_impl.h"
#include "moat/shield/internal/test_world.h"
#include "moat/shield/users.h"

// What the tests of /auth share: all that answers, over stores in memory, and browsers to ask it.
namespace moat::shield {

using internal::address;
using internal::pair;
using internal::test_start;
using std::chrono::minutes;
using std::chrono::seconds;

inline constexpr std::string_view ada = "ada@example.com";
inline constexpr std::string_view good = "violet kettle under nine moons";
inline constexpr std::string_view better = "seven green ferries left the harbour";

inline limit::Policy policy(std::string_view text) { return limit::Policy::parse(text).value(); }

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
           ";current_error=" + page.current_error + ";new_error=" + page.new_error +
           ";keys=" + std::to_string(page.keys.size()) + ";new_key=" + page.new_key +
           ";key_error=" + page.key_error + ";key_password_error=" + page.key_password_error +
           ";notices=" + std::to_string(page.notices.size()) + ";next=" + page.next +
           ";confirm_session=" + page.confirm_session + ";confirm_error=" + page.confirm_error +
           ";name_error=" + page.name_error + ";";
  }
  std::optional<Asset> asset(std::string_view path) const override {
    if (path == "/auth/moat.css") return Asset{"text/css", "body{}"};
    return std::nullopt;
  }
};

// What stands behind "name=" in such a page.
inline std::string shown(const Response& response, std::string_view name) {
  const std::string key = ";" + std::string(name) + "=";
  const std::size_t at = response.body.find(key);
  if (at == std::string::npos) return "(not there)";
  const std::size_t begin = at + key.size();
  return response.body.substr(begin, response.body.find(';', begin) - begin);
}

inline std::string header(const Response& response, std::string_view name) {
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
    shield.emplace(Shield::Services{sessions, revocations, users, requests, keys}, shield_options);
    api.emplace(AuthApi::Services{*shield, sessions, *service, accounts, *guard, signups, tokens,
                                  system_random(), log, with_pages ? &pages : nullptr, keys},
                api_options);
  }

  Time now = test_start;
  Tick tick{std::chrono::hours{1}};
  std::string logged;
  ManualClock clock{test_start};
  Log log{clock, [this](std::string_view line) { logged += line; }};
  bool with_pages = true;
  session::ApiKeys* keys = nullptr;
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
  std::string token_header;  // X-CSRF-Token or one of its kin
  std::string authorization;
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
    request.csrf_token = token_header;
    request.authorization = authorization;
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
  // One whose owner has just made an account.
  Client signed_up(std::string_view email = ada) {
    Client client = browser();
    EXPECT_EQ(client.sign_up(email).status, 201);
    return client;
  }
  // Another one of somebody who has an account.
  Client signed_in(std::string_view from = "192.0.2.1") {
    Client client = browser(from);
    EXPECT_EQ(client.log_in().status, 200);
    return client;
  }
  void advance(seconds by) {
    now += by;
    tick += by;
  }
};

// A refusal as programs read it.
inline void expect_problem(const Response& response, int status, std::string_view code) {
  EXPECT_EQ(response.status, status) << response.body;
  EXPECT_EQ(response.code, code);
  ASSERT_EQ(response.kind, Body::problem);
  const json::Value body = json::parse(response.body).value();
  EXPECT_EQ(*body.find("code")->as_string(), code);
  EXPECT_EQ(*body.find("status")->as_integer(), status);
}

// What a change of the password is asked for with.
inline std::string change(std::string_view current, std::string_view next) {
  return json::serialize(
      json::Object{{"current", std::string(current)}, {"new", std::string(next)}});
}

// Fields as a form sends them.
inline std::string encoded(
    std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  std::string out;
  for (const auto& [name, value] : fields) {
    if (!out.empty()) out += "&";
    out.append(name).append("=").append(percent_encode(value));
  }
  return out;
}

}  // namespace moat::shield
