// SPDX-License-Identifier: Apache-2.0
#include "moat/http/answer.h"

#include <gtest/gtest.h>

#include <string>

#include "moat/base/json.h"
#include "moat/http/forward.h"
#include "moat/http/security_headers.h"
#include "moat/http/websocket.h"

namespace moat::http {
namespace {

using std::string;
using std::string_view;

bool has(string_view text, string_view part) { return text.find(part) != text.npos; }
std::size_t times(string_view text, string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

string fields(const SecurityHeaders::Answer& answer, const SecurityHeaders& headers = {}) {
  string out;
  headers.append(answer, out);
  EXPECT_TRUE(out.empty() || out.substr(out.size() - 2) == "\r\n");
  return out;
}

TEST(SecurityHeaders, OfAPageAllowScriptsByNonceOnly) {
  SecurityHeaders::Answer answer;
  answer.kind = AnswerKind::moat_page;
  answer.nonce = "abcdefghijklmnop-_12";
  const string out = fields(answer);
  EXPECT_TRUE(has(out, "script-src 'nonce-abcdefghijklmnop-_12' 'strict-dynamic';"));
  EXPECT_TRUE(has(out, "style-src 'self' 'nonce-abcdefghijklmnop-_12';"));
  for (const char* part :
       {"default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'",
        "require-trusted-types-for 'script'", "X-Content-Type-Options: nosniff",
        "X-Frame-Options: DENY", "Referrer-Policy: same-origin", "Cache-Control: no-store",
        "Cross-Origin-Embedder-Policy: require-corp", "Cross-Origin-Opener-Policy: same-origin",
        "Cross-Origin-Resource-Policy: same-origin", "Permissions-Policy: camera=()",
        "X-XSS-Protection: 0"})
    EXPECT_EQ(times(out, part), 1u) << part;
  EXPECT_FALSE(has(out, "Strict-Transport-Security"));
}

TEST(SecurityHeaders, TakeNoWeakOrBrokenNonce) {
  SecurityHeaders::Answer answer;
  answer.kind = AnswerKind::moat_page;
  for (const char* nonce :
       {"", "short", "abcdefghijklmnop' 'unsafe-inline", "abcdefghijklmnop\r\n"}) {
    answer.nonce = nonce;
    const string out = fields(answer);
    EXPECT_TRUE(has(out, "script-src 'none'; style-src 'self';")) << nonce;
    EXPECT_FALSE(has(out, "nonce-")) << nonce;
  }
}

TEST(SecurityHeaders, OfAnApiLetNothingRun) {
  const string out = fields({});
  EXPECT_TRUE(has(out, "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'"));
  EXPECT_TRUE(has(out, "Cache-Control: no-store\r\n"));
  EXPECT_TRUE(has(out, "Referrer-Policy: no-referrer\r\n"));
}

TEST(SecurityHeaders, SendHstsOnlyWhenTold) {
  SecurityHeaders::Answer answer;
  for (const AnswerKind kind : {AnswerKind::moat_page, AnswerKind::moat_api,
                                AnswerKind::proxied_html, AnswerKind::proxied_other}) {
    answer.kind = kind;
    answer.hsts = "";
    EXPECT_FALSE(has(fields(answer), "Strict-Transport-Security"));
    answer.hsts = "max-age=63072000; includeSubDomains";
    EXPECT_EQ(
        times(fields(answer), "Strict-Transport-Security: max-age=63072000; includeSubDomains\r\n"),
        1u);
    answer.hsts = "a\r\nSet-Cookie: b";
    EXPECT_FALSE(has(fields(answer), "Set-Cookie"));
  }
}

TEST(SecurityHeaders, OfABackendFillGapsOnly) {
  Headers backend;
  SecurityHeaders::Answer answer;
  answer.kind = AnswerKind::proxied_html;
  answer.backend = &backend;
  string out = fields(answer);
  EXPECT_TRUE(has(out, "Content-Security-Policy-Report-Only: default-src 'self';"));
  EXPECT_FALSE(has(out, "Content-Security-Policy: "));
  EXPECT_TRUE(has(out, "X-Frame-Options: SAMEORIGIN\r\n"));
  EXPECT_TRUE(has(out, "Referrer-Policy: strict-origin-when-cross-origin\r\n"));
  EXPECT_FALSE(has(out, "Cache-Control"));
  EXPECT_FALSE(has(out, "Embedder"));
  answer.csp = CspMode::enforce;
  answer.no_store = true;
  out = fields(answer);
  EXPECT_TRUE(has(out, "Content-Security-Policy: default-src 'self';"));
  EXPECT_FALSE(has(out, "Report-Only"));
  EXPECT_TRUE(has(out, "Cache-Control: no-store\r\n"));

  backend.add("x-frame-options", "ALLOWALL");
  backend.add("referrer-policy", "unsafe-url");
  backend.add("cross-origin-opener-policy", "unsafe-none");
  backend.add("cross-origin-resource-policy", "cross-origin");
  backend.add("permissions-policy", "x");
  backend.add("content-security-policy", "default-src *");
  backend.add("x-content-type-options", "nosniff");
  backend.add("cache-control", "public");
  EXPECT_EQ(fields(answer), "X-XSS-Protection: 0\r\n");
}

TEST(SecurityHeaders, OfABackendsAssetsAreFew) {
  Headers backend;
  SecurityHeaders::Answer answer;
  answer.kind = AnswerKind::proxied_other;
  answer.backend = &backend;
  string out = fields(answer);
  EXPECT_TRUE(has(out, "nosniff"));
  EXPECT_TRUE(has(out, "Cross-Origin-Resource-Policy: same-origin"));
  EXPECT_FALSE(has(out, "Content-Security-Policy"));
  backend.add("Access-Control-Allow-Origin", "*");
  out = fields(answer);
  EXPECT_FALSE(has(out, "Cross-Origin-Resource-Policy"));
}

TEST(SecurityHeaders, EnforceBesideAReportOnlyPolicy) {
  Headers backend;
  backend.add("content-security-policy-report-only", "x");
  SecurityHeaders::Answer answer;
  answer.kind = AnswerKind::proxied_html;
  answer.backend = &backend;
  EXPECT_FALSE(has(fields(answer), "Content-Security-Policy"));
  answer.csp = CspMode::enforce;
  EXPECT_TRUE(has(fields(answer), "Content-Security-Policy: default-src 'self'"));
}

TEST(SecurityHeaders, AddsNoPolicyWhereNoneIsAllowed) {
  Headers backend;
  SecurityHeaders::Answer answer;
  answer.kind = AnswerKind::proxied_html;
  answer.backend = &backend;
  answer.csp = CspMode::allow_none;
  const string out = fields(answer);
  EXPECT_FALSE(has(out, "Content-Security-Policy"));
  EXPECT_TRUE(has(out, "X-Frame-Options: SAMEORIGIN\r\n"));
  // It speaks of a backend's pages only.
  answer.kind = AnswerKind::moat_page;
  EXPECT_TRUE(has(fields(answer), "Content-Security-Policy: default-src 'none'"));
}

TEST(SecurityHeaders, ReportWhereTold) {
  SecurityHeaders::Options options;
  options.report_uri = "/.well-known/moat/reports";
  const SecurityHeaders headers(options);
  SecurityHeaders::Answer answer;
  answer.kind = AnswerKind::moat_page;
  const string out = fields(answer, headers);
  EXPECT_TRUE(has(out, "Reporting-Endpoints: moat=\"/.well-known/moat/reports\"\r\n"));
  EXPECT_TRUE(has(out, "; report-to moat; report-uri /.well-known/moat/reports\r\n"));
}

TEST(SecurityHeaders, ReportBesideABackendsOwnEndpoints) {
  SecurityHeaders::Options options;
  options.report_uri = "/.well-known/moat/reports";
  const SecurityHeaders headers(options);
  const string ours = "Reporting-Endpoints: moat=\"/.well-known/moat/reports\"\r\n";
  const string end = "; report-to moat; report-uri /.well-known/moat/reports\r\n";
  Headers backend;
  backend.add("reporting-endpoints", "a=\"/b\"");
  SecurityHeaders::Answer answer;
  answer.kind = AnswerKind::proxied_html;
  answer.backend = &backend;
  for (const CspMode mode : {CspMode::report_only, CspMode::enforce}) {
    answer.csp = mode;
    const string out = fields(answer, headers);
    EXPECT_TRUE(has(out, ours));
    EXPECT_TRUE(has(out, "frame-ancestors 'none'" + end));
  }
  // Without a policy of ours there is nothing to report to us.
  answer.csp = CspMode::allow_none;
  EXPECT_FALSE(has(fields(answer, headers), "moat"));
  answer.csp = CspMode::enforce;
  backend.add("content-security-policy", "default-src *");
  EXPECT_FALSE(has(fields(answer, headers), "moat"));
}

TEST(SecurityHeaders, TakeARoutesOwnPolicy) {
  SecurityHeaders::Options options;
  options.report_uri = "/r";
  const SecurityHeaders headers(options);
  const SecurityHeaders::Policy policy = headers.policy("img-src *");
  SecurityHeaders::Answer answer;
  answer.kind = AnswerKind::proxied_html;
  answer.policy = &policy;
  EXPECT_TRUE(has(fields(answer, headers),
                  "\nContent-Security-Policy-Report-Only: img-src *; report-to moat; report-uri "
                  "/r\r\n"));
  answer.csp = CspMode::enforce;
  EXPECT_TRUE(has(fields(answer, headers),
                  "\nContent-Security-Policy: img-src *; report-to moat; report-uri /r\r\n"));
  EXPECT_FALSE(has(fields(answer, headers), "default-src"));
  answer.kind = AnswerKind::moat_page;
  EXPECT_FALSE(has(fields(answer, headers), "img-src *"));
  // What would split the answer is no policy.
  for (const char* bad : {"", "a\r\nX: y", "a\nb"})
    EXPECT_EQ(headers.policy(bad).enforce, headers.policy(options.proxied_csp).enforce) << bad;
}

TEST(SecurityHeaders, FallBackWhereASettingWouldSplitTheAnswer) {
  SecurityHeaders::Options options;
  options.proxied_frame_options = "DENY\r\nX: y";
  options.proxied_csp = "x\ny";
  options.report_uri = "/a\r\nX: y";
  const SecurityHeaders headers(options);
  SecurityHeaders::Answer answer;
  answer.kind = AnswerKind::proxied_html;
  const string out = fields(answer, headers);
  EXPECT_TRUE(has(out, "X-Frame-Options: SAMEORIGIN\r\n"));
  EXPECT_TRUE(has(out, "Report-Only: default-src 'self'"));
  EXPECT_FALSE(has(out, "X: y"));
}

TEST(SecurityHeaders, RemoveWhatTellsTooMuch) {
  for (const char* name :
       {"Server", "X-Powered-By", "Via", "Strict-Transport-Security", "Alt-Svc", "Public-Key-Pins",
        "Expect-CT", "X-Moat-User", "X-XSS-Protection", "X-AspNet-Version"})
    EXPECT_TRUE(must_remove(recognise(name))) << name;
  for (const char* name :
       {"Content-Type", "Set-Cookie", "ETag", "X-Custom", "Location", "Content-Security-Policy"})
    EXPECT_FALSE(must_remove(recognise(name))) << name;
}

TEST(Html, IsToldByItsType) {
  for (const char* type :
       {"text/html", "TEXT/HTML;charset=x", " text/html ; a", "application/xhtml+xml"})
    EXPECT_TRUE(is_html(type)) << type;
  for (const char* type : {"", "text/plain", "text/htmlx", "application/json; text/html"})
    EXPECT_FALSE(is_html(type)) << type;
}

TEST(Problem, IsValidJsonWhateverItSays) {
  string out;
  append_problem_json(403, "csrf_cross_site", "Forbidden", "a \"b\"\r\n<script>\x01", out);
  const auto value = json::parse(out);
  ASSERT_TRUE(value) << out;
  EXPECT_EQ(*value->find("status")->as_integer(), 403);
  EXPECT_EQ(*value->find("code")->as_string(), "csrf_cross_site");
  EXPECT_EQ(*value->find("title")->as_string(), "Forbidden");
  EXPECT_EQ(*value->find("detail")->as_string(), "a \"b\"\r\n<script>\x01");
  EXPECT_EQ(*value->find("type")->as_string(), "about:blank");
  out.clear();
  append_problem_json(404, "not_found", "", "", out);
  EXPECT_EQ(out, R"({"type":"about:blank","title":"Not Found","status":404,"code":"not_found"})");
}

TEST(Status, HasItsPhrase) {
  string out;
  append_status_line(431, out);
  EXPECT_EQ(out, "HTTP/1.1 431 Request Header Fields Too Large\r\n");
  EXPECT_EQ(reason_phrase(299), "");
}

TEST(ErrorPage, EscapesWhatItShows) {
  string out;
  append_error_page({.status = 403,
                     .code = "<code>",
                     .title = "<b>&",
                     .detail = "\"><script>alert(1)</script>",
                     .request_id = "a'b\x01",
                     .nonce = "n\" onload=\"x"},
                    out);
  EXPECT_FALSE(has(out, "<script"));
  EXPECT_FALSE(has(out, "<b>"));
  EXPECT_FALSE(has(out, "<code>"));
  EXPECT_FALSE(has(out, "onload=\"x"));
  EXPECT_FALSE(has(out, "\x01"));
  EXPECT_TRUE(has(out, "&lt;b&gt;&amp;"));
  EXPECT_TRUE(has(out, "a&#39;b"));
  EXPECT_FALSE(has(out, "http://"));
  EXPECT_FALSE(has(out, "src="));
}

TEST(WantsHtml, BelievesSecFetchModeFirst) {
  const auto wants = [](std::initializer_list<std::pair<string_view, string_view>> list) {
    Headers headers;
    for (const auto& [name, value] : list) headers.add(name, value);
    return wants_html(headers);
  };
  EXPECT_TRUE(wants({{"Sec-Fetch-Mode", "navigate"}}));
  EXPECT_FALSE(wants({{"Sec-Fetch-Mode", "cors"}, {"Accept", "text/html"}}));
  EXPECT_TRUE(wants({{"Accept", "text/html,application/xml;q=0.9"}}));
  EXPECT_FALSE(wants({{"Accept", "text/html"}, {"X-Requested-With", "XMLHttpRequest"}}));
  EXPECT_FALSE(wants({{"Accept", "application/json"}}));
  EXPECT_FALSE(wants({{"Accept", "*/*"}}));
  EXPECT_FALSE(wants({}));
}

TEST(Forwarded, NamesTheClientOnce) {
  string out;
  append_forwarded({"192.0.2.1", "example.com:8443", "https"}, out);
  EXPECT_EQ(out,
            "Forwarded: for=192.0.2.1;host=\"example.com:8443\";proto=https\r\n"
            "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Host: example.com:8443\r\n"
            "X-Forwarded-Proto: https\r\nX-Real-IP: 192.0.2.1\r\n");
  out.clear();
  append_forwarded({"2001:db8::1", "a", "http"}, out);
  EXPECT_TRUE(has(out, "for=\"[2001:db8::1]\";host=\"a\";proto=http\r\n"));
  EXPECT_TRUE(has(out, "X-Forwarded-For: 2001:db8::1\r\n"));
}

TEST(Via, IsAddedAndLoopsAreSeen) {
  string out;
  append_via("", 1, "moat", out);
  append_via("1.0 fred", 0, "moat", out);
  EXPECT_EQ(out, "Via: 1.1 moat\r\nVia: 1.0 fred, 1.0 moat\r\n");
  EXPECT_TRUE(via_names_us("1.0 fred, 1.1 MOAT (x)", "moat"));
  EXPECT_TRUE(via_names_us("HTTP/1.1 moat", "moat"));
  EXPECT_FALSE(via_names_us("1.1 moats, moat, 1.1", "moat"));
  EXPECT_FALSE(via_names_us("", "moat"));
}

WebSocketCheck check(string_view changes, MissingOrigin missing = MissingOrigin::refuse,
                     string_view method = "GET") {
  const string text = string(method) + " /ws HTTP/1.1\r\nHost: a\r\n" + string(changes) + "\r\n";
  RequestHead head;
  EXPECT_TRUE(parse_request_head(text, {}, head).complete()) << changes;
  return check_websocket(head, missing);
}

TEST(WebSocket, HandshakeIsChecked) {
  const string hop = "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n";
  const string version = "Sec-WebSocket-Version: 13\r\n";
  const string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const string origin = "Origin: https://a\r\n";
  EXPECT_EQ(check(hop + version + key + origin), WebSocketCheck::valid);
  EXPECT_EQ(check(hop + version + key), WebSocketCheck::no_origin);
  EXPECT_EQ(check(hop + version + key, MissingOrigin::allow), WebSocketCheck::valid);
  EXPECT_EQ(check(version + key + origin + "Upgrade: websocket\r\n"),
            WebSocketCheck::not_a_handshake);
  EXPECT_EQ(check(version + key + origin + "Connection: Upgrade\r\nUpgrade: h2c\r\n"),
            WebSocketCheck::not_a_handshake);
  EXPECT_EQ(check(hop + version + key + origin + "Content-Length: 1\r\n"),
            WebSocketCheck::not_a_handshake);
  EXPECT_EQ(check(hop + version + key + origin, MissingOrigin::refuse, "POST"),
            WebSocketCheck::not_a_handshake);
  EXPECT_EQ(check(hop + key + origin), WebSocketCheck::bad_version);
  EXPECT_EQ(check(hop + key + origin + "Sec-WebSocket-Version: 99\r\n"),
            WebSocketCheck::bad_version);
  EXPECT_EQ(check(hop + version + origin), WebSocketCheck::bad_key);
  for (const char* bad : {"dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZR==", "dGhl",
                          "dGhlIHNhbXBsZSBub25jZQAAAA==", "dGhlIHNhbXBs!SBub25jZQ=="})
    EXPECT_EQ(check(hop + version + origin + "Sec-WebSocket-Key: " + bad + "\r\n"),
              WebSocketCheck::bad_key)
        << bad;
}

}  // namespace
}  // namespace moat::http
