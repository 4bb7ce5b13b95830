// SPDX-License-Identifier: Apache-2.0
#include "moat/csrf/csrf.h"

#include <gtest/gtest.h>

#include <array>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace moat::csrf {

static void PrintTo(Reason reason, std::ostream* out) { *out << to_string(reason); }

namespace {

constexpr std::string_view own = "https://example.com";
constexpr std::string_view neighbour = "https://app.example.com";
constexpr std::string_view evil = "https://evil.example";

Policy trusting_neighbour() {
  const std::vector<std::string> trusted{std::string(neighbour)};
  const std::vector<std::string> hosts{"example.com"};
  return *Policy::create(trusted, hosts);
}

Request post(Scope scope = Scope::backend) {
  Request out;
  out.method = "POST";
  out.host = "example.com";
  out.scope = scope;
  return out;
}

Reason judge(const Request& request) { return verdict(request, trusting_neighbour()).reason; }

TEST(Csrf, TheDefaultRequestAndVerdictAreTheStrictOnes) {
  EXPECT_FALSE(Verdict{}.pass());
  Request request;
  request.host = "example.com";
  EXPECT_EQ(verdict(request, Policy{}).reason, Reason::no_evidence);
}

TEST(Csrf, SafeMethodsPassAndNoOthers) {
  for (const std::string_view method : {"GET", "HEAD", "OPTIONS"}) {
    Request request = post();
    request.method = method;
    request.origin = evil;
    request.sec_fetch_site = "cross-site";
    EXPECT_EQ(judge(request), Reason::none) << method;
    request.scope = Scope::auth_endpoint;
    EXPECT_EQ(judge(request), Reason::none) << method;
  }
  for (const std::string_view method :
       {"POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "get", "GETX", "", "QUERY"}) {
    Request request = post();
    request.method = method;
    request.sec_fetch_site = "cross-site";
    EXPECT_EQ(judge(request), Reason::cross_site) << method;
  }
}

// One line of the matrix: what came, and the verdict of a backend's route and of an auth endpoint.
struct Row {
  std::optional<std::string_view> site, origin, referer;
  Reason backend, auth;
};

TEST(Csrf, EveryMixOfTheThreeHeadersHasItsVerdict) {
  const std::optional<std::string_view> no;
  const Reason ok = Reason::none;
  const std::vector<Row> rows{
      {"same-origin", no, no, ok, ok},
      {"same-origin", own, no, ok, ok},
      {"same-origin", "null", no, ok, Reason::null_origin},
      {"same-origin", evil, no, ok, Reason::foreign_origin},
      {"none", no, no, ok, ok},
      {"none", own, no, ok, ok},
      {"none", evil, no, Reason::foreign_origin, Reason::foreign_origin},
      {"none", "null", no, Reason::null_origin, Reason::null_origin},
      {"same-site", no, no, Reason::same_site, Reason::same_site},
      {"same-site", own, no, Reason::same_site, Reason::same_site},
      {"same-site", neighbour, no, ok, ok},
      {"same-site", "https://other.example.com", no, Reason::same_site, Reason::same_site},
      {"same-site", no, neighbour, Reason::same_site, Reason::same_site},
      {"cross-site", no, no, Reason::cross_site, Reason::cross_site},
      {"cross-site", own, no, Reason::cross_site, Reason::cross_site},
      {"cross-site", neighbour, no, Reason::cross_site, Reason::cross_site},
      {"cross-site", evil, evil, Reason::cross_site, Reason::cross_site},
      {"SAME-ORIGIN", no, no, Reason::no_evidence, Reason::no_evidence},
      {"garbage", own, no, ok, ok},
      {"garbage", evil, no, Reason::foreign_origin, Reason::foreign_origin},
      {"garbage", no, "https://example.com/form", Reason::no_evidence, Reason::no_evidence},
      {"", own, no, ok, ok},
      {"", no, no, Reason::no_evidence, Reason::no_evidence},
      {"same-origin, none", no, no, Reason::no_evidence, Reason::no_evidence},
      {no, own, no, ok, ok},
      {no, "https://example.com:443", no, ok, ok},
      {no, neighbour, no, ok, ok},
      {no, own, evil, ok, ok},
      {no, evil, no, Reason::foreign_origin, Reason::foreign_origin},
      {no, evil, own, Reason::foreign_origin, Reason::foreign_origin},
      {no, "null", own, Reason::null_origin, Reason::null_origin},
      {no, "http://example.com", no, Reason::foreign_origin, Reason::foreign_origin},
      {no, "https://example.com:8443", no, Reason::foreign_origin, Reason::foreign_origin},
      {no, "https://example.com.evil.example", no, Reason::foreign_origin, Reason::foreign_origin},
      {no, "https://app.example.com.", no, Reason::foreign_origin, Reason::foreign_origin},
      {no, "http://app.example.com", no, Reason::foreign_origin, Reason::foreign_origin},
      {no, "https://example.com/", no, Reason::malformed_origin, Reason::malformed_origin},
      {no, "", no, Reason::malformed_origin, Reason::malformed_origin},
      {no, "NULL", no, Reason::malformed_origin, Reason::malformed_origin},
      {no, "https://example.com https://evil.example", no, Reason::malformed_origin,
       Reason::malformed_origin},
      {no, no, "https://example.com/form?a=b", ok, ok},
      {no, no, "https://app.example.com/", ok, ok},
      {no, no, "https://evil.example/https://example.com/", Reason::foreign_referer,
       Reason::foreign_referer},
      {no, no, "https://example.com@evil.example/", Reason::malformed_origin,
       Reason::malformed_origin},
      {no, no, "", Reason::malformed_origin, Reason::malformed_origin},
      {no, no, no, Reason::no_evidence, Reason::no_evidence},
  };
  for (const Row& row : rows) {
    Request request = post();
    request.sec_fetch_site = row.site;
    request.origin = row.origin;
    request.referer = row.referer;
    const std::string shown = std::string(row.site.value_or("-")) + " " +
                              std::string(row.origin.value_or("-")) + " " +
                              std::string(row.referer.value_or("-"));
    EXPECT_EQ(judge(request), row.backend) << "backend: " << shown;
    request.scope = Scope::auth_endpoint;
    EXPECT_EQ(judge(request), row.auth) << "auth: " << shown;
  }
}

TEST(Csrf, ABackendsRequestWithoutOurCookieIsNotSubject) {
  Request request = post();
  request.carries_moat_cookie = false;
  request.sec_fetch_site = "cross-site";
  request.origin = evil;
  EXPECT_EQ(judge(request), Reason::none);
  request.carries_moat_cookie = true;
  EXPECT_EQ(judge(request), Reason::cross_site);
}

TEST(Csrf, AForgedLoginIsRefusedEvenWithoutCookies) {
  Request request = post(Scope::auth_endpoint);
  request.carries_moat_cookie = false;
  request.origin = evil;
  EXPECT_EQ(judge(request), Reason::foreign_origin);
  request.origin.reset();
  request.sec_fetch_site = "cross-site";
  EXPECT_EQ(judge(request), Reason::cross_site);
  request.sec_fetch_site.reset();
  request.referer = "https://evil.example/page";
  EXPECT_EQ(judge(request), Reason::foreign_referer);
}

TEST(Csrf, ALoginFromAClientThatIsNoBrowserIsNotSubject) {
  Request request = post(Scope::auth_endpoint);
  request.carries_moat_cookie = false;
  EXPECT_EQ(judge(request), Reason::none);
  request.carries_moat_cookie = true;
  EXPECT_EQ(judge(request), Reason::no_evidence);
}

struct SocketRow {
  std::optional<std::string_view> site, origin;
  Reason reason;
};

TEST(Csrf, AWebSocketNeedsAnOriginOfOursOrATrustedOne) {
  const std::optional<std::string_view> no;
  for (const SocketRow& row : std::vector<SocketRow>{{no, own, Reason::none},
                                                     {"same-origin", own, Reason::none},
                                                     {"same-site", neighbour, Reason::none},
                                                     {no, neighbour, Reason::none},
                                                     {no, evil, Reason::foreign_origin},
                                                     {no, no, Reason::no_evidence},
                                                     {no, "null", Reason::null_origin},
                                                     {"same-origin", no, Reason::no_evidence},
                                                     {"same-origin", evil, Reason::foreign_origin},
                                                     {"none", own, Reason::not_from_a_page},
                                                     {"none", no, Reason::not_from_a_page},
                                                     {"same-site", own, Reason::same_site},
                                                     {"cross-site", own, Reason::cross_site},
                                                     {"websocket", own, Reason::none}}) {
    Request request = post();
    request.method = "GET";
    request.is_websocket_upgrade = true;
    request.sec_fetch_site = row.site;
    request.origin = row.origin;
    request.referer = "https://example.com/page";  // which never is enough
    EXPECT_EQ(judge(request), row.reason)
        << row.site.value_or("-") << " " << row.origin.value_or("-");
    request.method = "CONNECT";  // RFC 8441
    EXPECT_EQ(judge(request), row.reason);
  }
}

TEST(Csrf, AWebSocketToABackendWithoutOurCookieIsNotSubject) {
  Request request = post();
  request.method = "GET";
  request.is_websocket_upgrade = true;
  request.carries_moat_cookie = false;
  request.origin = evil;
  EXPECT_EQ(judge(request), Reason::none);
  request.carries_moat_cookie = true;
  EXPECT_EQ(judge(request), Reason::foreign_origin);
}

TEST(Csrf, ABearerTokenPassesWithoutTheCookies) {
  Request request = post();
  request.sec_fetch_site = "cross-site";
  Verdict got = verdict(request, Policy{});
  EXPECT_FALSE(got.pass());
  request.carries_bearer = true;
  got = verdict(request, Policy{});
  EXPECT_TRUE(got.pass());
  EXPECT_TRUE(got.without_cookies);
  EXPECT_EQ(got.reason, Reason::cross_site) << "the cookies' own verdict";
  request.sec_fetch_site.reset();  // no browser
  EXPECT_TRUE(verdict(request, Policy{}).without_cookies);
  request.is_websocket_upgrade = true;
  EXPECT_TRUE(verdict(request, Policy{}).without_cookies);
}

TEST(Csrf, WhatPassesAnywayKeepsItsCookiesBesideABearerToken) {
  Request request = post();
  request.carries_bearer = true;
  request.origin = own;
  EXPECT_FALSE(verdict(request, Policy{}).without_cookies);
  EXPECT_TRUE(verdict(request, Policy{}).pass());
  request.origin = evil;
  request.method = "GET";
  EXPECT_FALSE(verdict(request, Policy{}).without_cookies);
  request.method = "POST";
  request.carries_moat_cookie = false;
  EXPECT_FALSE(verdict(request, Policy{}).without_cookies);
}

TEST(Csrf, ABearerTokenHelpsNeitherAtALoginNorAtAForeignHost) {
  Request request = post(Scope::auth_endpoint);
  request.carries_bearer = true;
  request.origin = evil;
  EXPECT_FALSE(verdict(request, Policy{}).pass());
  request = post();
  request.carries_bearer = true;
  request.host = "rebound.example";
  EXPECT_FALSE(verdict(request, trusting_neighbour()).pass());
  request.host = "example.com";
  EXPECT_TRUE(verdict(request, trusting_neighbour()).pass());
}

TEST(Csrf, ABearerTokenIsKnownByItsScheme) {
  for (const std::string_view good : {"Bearer x", "bearer x", "BEARER eyJ.a.b"})
    EXPECT_TRUE(is_bearer(good)) << good;
  for (const std::string_view bad :
       {"", "Bearer", "Bearer ", "Bearerx", "Basic YTpi", " Bearer x", "Negotiate x", "Bearer\tx"})
    EXPECT_FALSE(is_bearer(bad)) << bad;
}

TEST(Csrf, EveryReasonHasANameAndIsExplainedInWordsOfItsOwn) {
  std::set<std::string_view> names, words;
  for (std::size_t i = 0; i < reason_count; ++i) {
    const auto reason = static_cast<Reason>(i);
    names.insert(to_string(reason));
    words.insert(explain(reason));
    EXPECT_GT(explain(reason).size(), 20U) << to_string(reason);
  }
  EXPECT_EQ(names.size(), reason_count);
  EXPECT_EQ(words.size(), reason_count);
  EXPECT_FALSE(names.count("?"));
}

TEST(Csrf, OursIsTheRequestsOwnSchemeHostAndPort) {
  Request request = post();
  request.host = "EXAMPLE.com:8443";
  request.origin = "https://example.com:8443";
  EXPECT_EQ(judge(request), Reason::none);
  request.origin = own;
  EXPECT_EQ(judge(request), Reason::foreign_origin);
  request.scheme = "http";
  request.host = "example.com";
  request.origin = "http://example.com";
  EXPECT_EQ(judge(request), Reason::none);
  request.origin = own;
  EXPECT_EQ(judge(request), Reason::foreign_origin);
}

TEST(Csrf, AHostThatIsNotOursIsRefusedThoughOriginSaysTheSame) {
  Request request = post();
  request.host = "rebound.example";
  request.origin = "https://rebound.example";
  EXPECT_EQ(judge(request), Reason::unknown_host);
  request.sec_fetch_site = "same-origin";
  EXPECT_EQ(judge(request), Reason::unknown_host);
  for (const std::string_view host :
       {"", "example.com:", "example.com/", "a b", "user@example.com"}) {
    request.host = host;
    EXPECT_EQ(judge(request), Reason::unknown_host) << host;
  }
  request.host = "rebound.example";
  EXPECT_EQ(verdict(request, Policy{}).reason, Reason::none) << "the caller has validated it";
}

TEST(Csrf, APolicyNamesTheTextItCannotRead) {
  const std::vector<std::string> none;
  for (const std::string text :
       {"", "*", "https://*.example.com", "example.com", "null", "https://example.com/path"}) {
    const std::vector<std::string> origins{"https://good.example", text};
    const auto made = Policy::create(origins, none);
    ASSERT_FALSE(made) << text;
    EXPECT_EQ(made.error(), text);
  }
  for (const std::string text : {"", "*", "https://example.com", "example.com:443", "::1"}) {
    const std::vector<std::string> hosts{text};
    EXPECT_FALSE(Policy::create(none, hosts)) << text;
  }
  const std::vector<std::string> hosts{"Example.com", "[::1]", "127.0.0.1"};
  const auto policy = Policy::create(none, hosts);
  ASSERT_TRUE(policy);
  EXPECT_TRUE(policy->allows_host("example.COM"));
  EXPECT_TRUE(policy->allows_host("[::1]"));
  EXPECT_FALSE(policy->allows_host("example.org"));
}

}  // namespace
}  // namespace moat::csrf
