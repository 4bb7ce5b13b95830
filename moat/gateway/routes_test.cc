// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/routes.h"

#include <gtest/gtest.h>

namespace moat::gateway {
namespace {

Route route(const std::string& match, Login login) {
  Route made;
  made.match = match;
  made.login = login;
  return made;
}

// What a path is served by: the pattern, "none" or "ambiguous".
std::string served_by(const std::vector<Route>& routes, std::string_view path) {
  const Routes finder(routes);
  const Routes::Match match = finder.find(path);
  if (match.ambiguous) return "ambiguous";
  return match.route == nullptr ? "none" : match.route->match;
}

TEST(Pattern, IsExactOrAPrefix) {
  for (const auto& [pattern, path] :
       std::vector<std::pair<const char*, const char*>>{{"/*", "/"},
                                                        {"/*", "/x/y"},
                                                        {"/a/*", "/a"},
                                                        {"/a/*", "/a/"},
                                                        {"/a/*", "/a/b/c"},
                                                        {"/a*", "/ab"},
                                                        {"/a", "/a"},
                                                        {"/a", "/a/"}}) {
    EXPECT_TRUE(pattern_matches(pattern, path)) << pattern << " " << path;
  }
  for (const auto& [pattern, path] : std::vector<std::pair<const char*, const char*>>{
           {"/a/*", "/ab"}, {"/a/*", "/"}, {"/a", "/a/b"}, {"/a", "/"}, {"/a", "/A"}}) {
    EXPECT_FALSE(pattern_matches(pattern, path)) << pattern << " " << path;
  }
}

TEST(Routes, AProtectedPatternCannotBeWalkedAround) {
  const std::vector<Route> routes = {route("/account/*", Login::required),
                                     route("/exact", Login::required),
                                     route("/*", Login::optional)};
  for (const char* path :
       {"/account/x", "/account", "/account/", "/ACCOUNT/x", "/%61ccount/x", "/%2561ccount/x",
        "//account/x", "/account;a=b/x", "/;x/account/x", "/account//x", "/%41CCOUNT",
        "/account%2fx", "/account\\x", "/account%5Cx"}) {
    EXPECT_EQ(served_by(routes, path), "/account/*") << path;
  }
  for (const char* path : {"/exact", "/exact/", "/Exact", "/exact;x", "/exact;x/", "/ex%61ct"})
    EXPECT_EQ(served_by(routes, path), "/exact") << path;
  for (const char* path :
       {"/", "/accounts", "/a", "/exact/more", "/ACCOUNTS", "/x%20y", "/x;account/"})
    EXPECT_EQ(served_by(routes, path), "/*") << path;
}

TEST(Routes, APublicPatternIsNotWidenedByAnOddSpelling) {
  const std::vector<Route> routes = {route("/files/public/*", Login::none),
                                     route("/files/*", Login::required),
                                     route("/*", Login::optional)};
  EXPECT_EQ(served_by(routes, "/files/public/a"), "/files/public/*");
  EXPECT_EQ(served_by(routes, "/files/public/A;b"), "/files/public/*");
  // A backend that keeps these as they are would serve something else of /files/.
  for (const char* path : {"/files/Public/a", "/files/public;x/a", "/files//public/a",
                           "/files/%2570ublic/a", "/files/public%2Fa", "/files/public\\a"}) {
    EXPECT_EQ(served_by(routes, path), "/files/*") << path;
  }
}

TEST(Routes, WhatFrameworksReadIntoAPathIsRead) {
  const std::vector<Route> routes = {
      route("/account/*", Login::required), route("/admin.php", Login::required),
      route("/robots.txt", Login::none), route("/*", Login::optional)};
  for (const char* path :
       {"/account.json", "/account.html", "/ACCOUNT.JSON", "/account.x;y",     // Rails, Spring
        "/index.php/account/x", "/a/b.PHP/account", "/x.cgi/y.php/account/z",  // PHP, CGI
        "/account%3fx", "/account%23", "/account%253Fx",  // decoded, then parsed
        "/account.", "/account%20", "/account./x", "/account::$DATA/x", "/account%2e%20"}) {
    EXPECT_EQ(served_by(routes, path), "/account/*") << path;
  }
  EXPECT_EQ(served_by(routes, "/admin.php/x"), "/admin.php");
  EXPECT_EQ(served_by(routes, "/robots.txt"), "/robots.txt") << "the pattern names the suffix";
  for (const char* path : {"/accounts.json", "/app.js", "/v1/x:cancel", "/.well-known/account",
                           "/index.php", "/index.php/x", "/a.b/account"})
    EXPECT_EQ(served_by(routes, path), "/*") << path;
}

TEST(Routes, ALongPathIsReadInBoundedTime) {
  const std::vector<Route> routes = {route("/account/*", Login::required),
                                     route("/*", Login::optional)};
  for (const std::string piece : {"/a.php", "/%2e%41;x:y", "/.a.", "/%25%34%31", "%3f.php/"}) {
    std::string path = "/";
    while (path.size() < 8000) path += piece;
    (void)served_by(routes, path);
  }
  EXPECT_EQ(served_by(routes, "/account/" + std::string(8000, 'x')), "/account/*");
}

TEST(Routes, CapitalsInAPatternAreReadBothWays) {
  const std::vector<Route> routes = {route("/Admin/*", Login::required),
                                     route("/*", Login::optional)};
  for (const char* path : {"/Admin/x", "/admin/x", "/ADMIN/x"})
    EXPECT_EQ(served_by(routes, path), "/Admin/*") << path;
  EXPECT_EQ(served_by(routes, "/administration"), "/*");
}

TEST(Routes, WhatHasNoStrictestRouteIsAmbiguous) {
  std::vector<Route> routes = {route("/editors/*", Login::required),
                               route("/Editors/*", Login::required)};
  routes[0].roles = {"editor"};
  routes[1].roles = {"admin"};
  EXPECT_EQ(served_by(routes, "/editors/x"), "/editors/*");
  EXPECT_EQ(served_by(routes, "/EDITORS/x"), "none");  // to a backend that minds the case
  routes.push_back(route("/*", Login::optional));
  EXPECT_EQ(served_by(routes, "/Editors/x"), "ambiguous");
}

TEST(Routes, AReadingThatNothingServesIsNotServed) {
  const std::vector<Route> routes = {route("/api/*", Login::optional)};
  EXPECT_EQ(served_by(routes, "/api/x"), "/api/*");
  EXPECT_EQ(served_by(routes, "/api/X;y"), "/api/*");
  for (const char* path : {"/", "/API/x", "/%61pi;x/y", "//api/x"})
    EXPECT_EQ(served_by(routes, path), "none") << path;
}

TEST(Routes, EveryRuleCountsForStrictness) {
  const Route plain = route("/*", Login::optional);
  EXPECT_TRUE(is_at_least_as_strict(plain, plain));
  const auto stricter = [&](auto&& change) {
    Route changed = plain;
    change(changed);
    return is_at_least_as_strict(changed, plain) && !is_at_least_as_strict(plain, changed);
  };
  EXPECT_TRUE(stricter([](Route& r) { r.login = Login::required; }));
  EXPECT_TRUE(stricter([](Route& r) { r.roles = {"admin"}; }));
  EXPECT_TRUE(stricter([](Route& r) { r.scopes = {"read"}; }));
  EXPECT_TRUE(stricter([](Route& r) { r.limit = "1/min/ip"; }));
  EXPECT_TRUE(stricter([](Route& r) { r.max_body = 1; }));
  EXPECT_TRUE(stricter([](Route& r) { r.websocket = false; }));
  EXPECT_TRUE(stricter([](Route& r) { r.csp = CspMode::enforce; }));
  EXPECT_TRUE(stricter([](Route& r) { r.csrf = CsrfMode::token; }));
  const auto looser = [&](auto&& change) {
    Route changed = plain;
    change(changed);
    return !is_at_least_as_strict(changed, plain) && is_at_least_as_strict(plain, changed);
  };
  EXPECT_TRUE(looser([](Route& r) { r.login = Login::none; }));
  EXPECT_TRUE(looser([](Route& r) { r.csrf = CsrfMode::off; }));
  EXPECT_TRUE(looser([](Route& r) { r.csrf = CsrfMode::report; }));
  Route reading = plain;
  reading.scopes = {"read"};
  Route both = plain;
  both.scopes = {"write", "read"};
  EXPECT_TRUE(is_at_least_as_strict(both, reading)) << "each of them, not any";
  EXPECT_FALSE(is_at_least_as_strict(reading, both));
  Route reporting = plain;
  reporting.csrf = CsrfMode::report;
  Route off = plain;
  off.csrf = CsrfMode::off;
  EXPECT_TRUE(is_at_least_as_strict(reporting, off));
  EXPECT_FALSE(is_at_least_as_strict(off, reporting));
  EXPECT_TRUE(looser([](Route& r) { r.allow_encoded_slash = true; }));
  EXPECT_TRUE(looser([](Route& r) { r.csp = CspMode::off; }));
  EXPECT_TRUE(looser([](Route& r) { r.script_cookies = {"x"}; }));
}

TEST(Routes, OfTwoEnforcedPoliciesNeitherIsTheStricter) {
  Route one = route("/*", Login::optional);
  one.csp = CspMode::enforce;
  one.csp_policy = "default-src 'self'";
  Route other = one;
  EXPECT_TRUE(is_at_least_as_strict(one, other));
  other.csp_policy = "default-src 'none'; img-src *";
  EXPECT_FALSE(is_at_least_as_strict(one, other));
  EXPECT_FALSE(is_at_least_as_strict(other, one));
  // One that is only reported stops nothing.
  other.csp = CspMode::report_only;
  EXPECT_TRUE(is_at_least_as_strict(one, other));
  EXPECT_FALSE(is_at_least_as_strict(other, one));
  one.csp = CspMode::report_only;
  EXPECT_TRUE(is_at_least_as_strict(one, other));
  EXPECT_TRUE(is_at_least_as_strict(other, one));
}

// lusca 1.7's allowlist, given as a text, turned the check off for every path; its blocklist
// exempted whatever began alike.
TEST(Fault, LuscaExemptsMoreThanItIsTold) {
  Route hooks;
  hooks.match = "/api";
  hooks.csrf = CsrfMode::off;
  Route rest;
  const std::vector<Route> all{hooks, rest};
  const Routes routes(all);
  EXPECT_EQ(routes.find("/api").route->csrf, CsrfMode::off);
  for (const char* path : {"/", "/api-admin", "/apis", "/api/users", "/x/api", "/ap", "/API-admin"})
    EXPECT_EQ(routes.find(path).route->csrf, CsrfMode::enforce) << path;
}

}  // namespace
}  // namespace moat::gateway
