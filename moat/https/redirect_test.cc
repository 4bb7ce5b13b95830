// SPDX-License-Identifier: Apache-2.0
#include "moat/https/redirect.h"

#include <gtest/gtest.h>

namespace moat::https {
namespace {

const RedirectPolicy policy{443, {"example.com", "*.example.com", "localhost", "127.0.0.1", "::1"}};
constexpr std::string_view html = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

PlainRequest navigation(std::string_view host = "example.com", std::string_view target = "/") {
  PlainRequest request;
  request.method = "GET";
  request.host = host;
  request.target = target;
  request.accept = html;
  return request;
}

std::string outcome(const PlainRequest& request, const RedirectPolicy& with = policy) {
  const auto result = redirect(request, with);
  if (result) return result->location;
  EXPECT_EQ(result.error().status, 403);
  return std::string(result.error().code);
}

TEST(Redirect, ANavigationGoesToTheSameHostAndTarget) {
  EXPECT_EQ(outcome(navigation()), "https://example.com/");
  EXPECT_EQ(outcome(navigation("EXAMPLE.com:80", "/a/b?c=d&e=%20")),
            "https://example.com/a/b?c=d&e=%20");
  EXPECT_EQ(outcome(navigation("www.example.com")), "https://www.example.com/");
  PlainRequest head = navigation();
  head.method = "HEAD";
  EXPECT_EQ(outcome(head), "https://example.com/");
}

TEST(Redirect, AnotherPortIsNamed) {
  RedirectPolicy other = policy;
  other.https_port = 8443;
  EXPECT_EQ(outcome(navigation("localhost:8080", "/x"), other), "https://localhost:8443/x");
  EXPECT_EQ(outcome(navigation("[::1]:8080", "/x"), other), "https://[::1]:8443/x");
  EXPECT_EQ(outcome(navigation("127.0.0.1", "/x"), other), "https://127.0.0.1:8443/x");
}

TEST(Redirect, OnlyGetAndHeadAreRedirected) {
  for (const char* method :
       {"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get", "TRACE", "CONNECT", ""}) {
    PlainRequest request = navigation();
    request.method = method;
    EXPECT_EQ(outcome(request), "https_required") << method;
  }
}

TEST(Redirect, OnlyWhatWantsHtmlIsRedirected) {
  for (const char* accept : {"", "*/*", "application/json", "text/html;q=0", "text/html; q=0.000",
                             "text/htmlx", "image/webp,*/*", "text/*"}) {
    PlainRequest request = navigation();
    request.accept = accept;
    EXPECT_EQ(outcome(request), "https_required") << accept;
  }
  for (const char* accept : {"text/html", "TEXT/HTML", "application/json, text/html;q=0.5",
                             "text/html;level=1", "application/xhtml+xml"}) {
    PlainRequest request = navigation();
    request.accept = accept;
    EXPECT_EQ(outcome(request), "https://example.com/") << accept;
  }
}

TEST(Redirect, CredentialsAreNotHiddenByARedirect) {
  PlainRequest cookie = navigation();
  cookie.has_cookie = true;
  EXPECT_EQ(outcome(cookie), "https_required");
  PlainRequest authorization = navigation();
  authorization.has_authorization = true;
  EXPECT_EQ(outcome(authorization), "https_required");
}

TEST(Redirect, OnThisMachineOtherProgramsCookiesAreLetPass) {
  for (const char* host : {"localhost", "127.0.0.1", "[::1]"}) {
    PlainRequest request = navigation(host);
    request.has_cookie = true;
    EXPECT_EQ(outcome(request), "https://" + std::string(host) + "/");
    request.has_authorization = true;
    EXPECT_EQ(outcome(request), "https_required");
  }
}

TEST(Redirect, AWebSocketIsRefused) {
  PlainRequest request = navigation();
  request.is_upgrade = true;
  EXPECT_EQ(outcome(request), "websocket_requires_tls");
}

TEST(Redirect, AnUnknownHostGoesNowhere) {
  for (const char* host : {"",
                           "evil.com",
                           "example.com.evil.com",
                           "evilexample.com",
                           "a.b.example.com",
                           "example.com@evil.com",
                           "evil.com/example.com",
                           "example.com\\@evil.com",
                           "example.com:80:90",
                           "example.com:99999",
                           "example.com evil.com",
                           "example.com,evil.com",
                           "example.com\r\nX: y",
                           "//evil.com",
                           "[::1",
                           "[::2]",
                           "127.0.0.2",
                           "0x7f.1",
                           "2130706433",
                           "*.example.com",
                           ".example.com",
                           "example.com#",
                           "example.com?"})
    EXPECT_EQ(outcome(navigation(host)), "unknown_host") << host;
  EXPECT_EQ(outcome(navigation(), {443, {}}), "unknown_host");
}

TEST(Redirect, TheTargetCannotLeaveTheHost) {
  for (const char* target :
       {"//evil.com/", "/@evil.com", "/.evil.com", "/%2F%2Fevil.com", "/?next=//evil.com"})
    EXPECT_EQ(outcome(navigation("example.com", target)),
              "https://example.com" + std::string(target));
  for (const char* target :
       {"", "evil.com", "@evil.com", ".evil.com", ":90/", "http://evil.com/", "*", "/\\evil.com",
        "/a b", "/\r\nSet-Cookie: a=b", "/\x7f", "/\xc3\xa9", "/#x", "/<script>", "/\"x"})
    EXPECT_EQ(outcome(navigation("example.com", target)), "malformed_target") << target;
  EXPECT_EQ(outcome(navigation("example.com", "/" + std::string(8192, 'a'))), "malformed_target");
  EXPECT_EQ(outcome(navigation("example.com", "/" + std::string(8191, 'a'))).size(), 19u + 8192u);
  EXPECT_EQ(outcome(navigation("example.com", std::string_view("/a\0b", 4))), "malformed_target");
}

}  // namespace
}  // namespace moat::https
