// SPDX-License-Identifier: Apache-2.0
#include "moat/http/request.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

namespace moat::http {
namespace {

using std::string;
using std::string_view;

string with_fields(string_view fields) {
  return "GET /a HTTP/1.1\r\nHost: example.com\r\n" + string(fields) + "\r\n";
}
string with_target(string_view target) {
  return "GET " + string(target) + " HTTP/1.1\r\nHost: example.com\r\n\r\n";
}

// The head's views point into the text, so each text is kept.
ParseStatus parse(string_view text, RequestHead& head, const HeadLimits& limits = {}) {
  static std::deque<string> kept;
  return parse_request_head(kept.emplace_back(text), limits, head);
}
ParseStatus parse(string_view text, const HeadLimits& limits = {}) {
  RequestHead head;
  return parse_request_head(text, limits, head);
}
bool accepts(string_view text, const HeadLimits& limits = {}) {
  return parse(text, limits).complete();
}
string refusal(string_view text, const HeadLimits& limits = {}) {
  const ParseStatus verdict = parse(text, limits);
  if (!verdict.refused()) return verdict.complete() ? "accepted" : "incomplete";
  return std::to_string(verdict.status) + " " + string(verdict.code);
}

TEST(RequestHead, ReadsATypicalRequest) {
  const string text =
      "GET /app/list?page=2&sort=a HTTP/1.1\r\nHost: example.com:8443\r\nUser-Agent: x\r\n"
      "Accept: text/html\r\nCookie:  a=1; b=2 \t\r\nSec-Fetch-Site: same-origin\r\n"
      "X-Custom: \r\n\r\nbody";
  RequestHead head;
  const ParseStatus verdict = parse(text, head);
  ASSERT_TRUE(verdict.complete());
  EXPECT_EQ(verdict.consumed, text.size() - 4);
  EXPECT_EQ(head.method, Method::get);
  EXPECT_EQ(head.target, "/app/list?page=2&sort=a");
  EXPECT_EQ(head.path, "/app/list");
  EXPECT_EQ(head.query, "page=2&sort=a");
  EXPECT_TRUE(head.has_query);
  EXPECT_EQ(head.host, "example.com:8443");
  EXPECT_EQ(head.minor_version, 1);
  EXPECT_EQ(head.headers.size(), 6u);
  EXPECT_EQ(head.headers.value(Known::cookie), "a=1; b=2");
  EXPECT_EQ(head.headers.value(Known::sec_fetch_site), "same-origin");
  ASSERT_NE(head.headers.find("x-custom"), nullptr);
  EXPECT_EQ(head.headers.find("X-CUSTOM")->value, "");
  EXPECT_EQ(head.headers.find(Known::origin), nullptr);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.body.kind, Framing::Kind::none);
  EXPECT_FALSE(head.path_escaped);
}

TEST(RequestHead, GivesTheSameVerdictByteByByte) {
  const std::vector<string> texts = {with_fields("Cookie: a=b\r\nContent-Length: 5\r\n"),
                                     with_fields("A: b\nC: d\r\n"),
                                     "\r\n" + with_fields(""),
                                     with_fields("A : b\r\n"),
                                     "GET /\r\n\r\n",
                                     with_target("/" + string(9000, 'a')),
                                     with_fields("A: " + string(17000, 'a') + "\r\n")};
  for (const string& text : texts) {
    RequestHead whole;
    const ParseStatus expected = parse(text, whole);
    RequestHead head;
    ParseState state;
    ParseStatus verdict;
    std::size_t size = 0;
    while (verdict.kind == ParseStatus::Kind::incomplete && size < text.size()) {
      size += size < 300 ? 1 : 37;
      const string moved = text.substr(0, size);  // another address each time
      verdict = parse_request_head(moved, {}, state, head);
    }
    EXPECT_EQ(verdict.kind, expected.kind) << text.substr(0, 80);
    EXPECT_EQ(verdict.status, expected.status);
    EXPECT_EQ(verdict.code, expected.code);
    EXPECT_EQ(verdict.consumed, expected.consumed);
  }
}

TEST(RequestHead, WaitsForTheEmptyLine) {
  const string text = with_fields("A: b\r\n");
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_EQ(refusal(text.substr(0, size)), "incomplete") << size;
  EXPECT_TRUE(accepts(text));
}

TEST(RequestHead, SkipsOneEmptyLineBeforeTheRequestAndNoMore) {
  const string text = with_fields("");
  const ParseStatus verdict = parse("\r\n" + text);
  EXPECT_EQ(verdict.consumed, text.size() + 2);
  EXPECT_EQ(refusal("\r\n\r\n" + text), "400 empty_start_line");
  EXPECT_EQ(refusal("\n" + text), "400 bare_lf");
  EXPECT_EQ(refusal("\r" + text), "400 bare_cr");
  EXPECT_EQ(refusal(" " + text), "400 bad_request_line");
}

TEST(RequestLine, RefusesAnythingButThreePartsWithSingleSpaces) {
  const string rest = "\r\nHost: example.com\r\n\r\n";
  EXPECT_TRUE(accepts("GET / HTTP/1.1" + rest));
  EXPECT_EQ(refusal("GET  / HTTP/1.1" + rest), "400 bad_request_line");
  EXPECT_EQ(refusal("GET /  HTTP/1.1" + rest), "400 bad_version");
  EXPECT_EQ(refusal("GET / HTTP/1.1 " + rest), "400 bad_version");
  EXPECT_EQ(refusal("GET\t/\tHTTP/1.1" + rest), "400 bad_request_line");
  EXPECT_EQ(refusal("GET /" + rest), "400 bad_request_line");
  EXPECT_EQ(refusal("GET HTTP/1.1" + rest), "400 bad_request_line");
  EXPECT_EQ(refusal("GET" + rest), "400 bad_request_line");
  EXPECT_EQ(refusal("GET / HTTP/1.1\rHost: example.com\r\n\r\n"), "400 bare_cr");
  EXPECT_EQ(refusal("GET / HTTP/1.1\nHost: example.com\r\n\r\n"), "400 bare_lf");
}

TEST(RequestLine, KnowsTwoVersions) {
  const string rest = "\r\nHost: example.com\r\n\r\n";
  EXPECT_TRUE(accepts("GET / HTTP/1.0" + rest));
  for (const char* version : {"HTTP/2.0", "HTTP/0.9", "HTTP/1.2", "HTTP/3.0"})
    EXPECT_EQ(refusal("GET / " + string(version) + rest), "505 version_not_supported") << version;
  EXPECT_EQ(refusal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "505 version_not_supported");
  for (const char* version :
       {"http/1.1", "HTTP/1", "HTTP/1.10", "HTTP/01.1", "HTTP/1.1.", "HTTP/ 1.1", "HTTPS/1.1", "X"})
    EXPECT_EQ(refusal("GET / " + string(version) + rest), "400 bad_version") << version;
}

TEST(RequestLine, KnowsItsMethods) {
  const string rest = " / HTTP/1.1\r\nHost: example.com\r\n\r\n";
  RequestHead head;
  for (const char* method : {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    ASSERT_TRUE(parse(method + rest, head).complete()) << method;
    EXPECT_EQ(to_string(head.method), method);
  }
  EXPECT_EQ(refusal("TRACE" + rest), "405 method_not_allowed");
  EXPECT_EQ(refusal("TRACK" + rest), "405 method_not_allowed");
  EXPECT_EQ(refusal("CONNECT" + rest), "501 method_not_implemented");
  EXPECT_EQ(refusal("get" + rest), "501 method_not_implemented");
  EXPECT_EQ(refusal("G@T" + rest), "400 bad_method");
}

TEST(RequestLine, PassesUnknownMethodsOnlyWhenAllowed) {
  const string rest = " / HTTP/1.1\r\nHost: example.com\r\n\r\n";
  HeadLimits limits;
  EXPECT_EQ(refusal("PROPFIND" + rest, limits), "501 method_not_implemented");
  limits.allow_unknown_methods = true;
  EXPECT_TRUE(accepts("PROPFIND" + rest, limits));
  EXPECT_TRUE(accepts(string(32, 'M') + rest, limits));
  EXPECT_EQ(refusal(string(33, 'M') + rest, limits), "501 method_not_implemented");
  EXPECT_EQ(refusal("trace" + rest, limits), "405 method_not_allowed");
  EXPECT_EQ(refusal("Connect" + rest, limits), "501 method_not_implemented");
  EXPECT_EQ(refusal("A(B" + rest, limits), "400 bad_method");
}

TEST(Target, PassesWhatBrowsersSend) {
  for (const char* target :
       {"/", "/a/b/", "/a.b/..c/...", "/a;x=1,2", "/caf%C3%A9", "/a%20b", "/[x]|^", "/~u/$&'()*+",
        "/?", "/?q=a%", "/?a[b]={c}|`^\\", "/x?a=/../b", "/%F0%9F%98%80", "/a%25b", "/a%2541",
        "/.well-known/x", "/a@b:c"})
    EXPECT_TRUE(accepts(with_target(target))) << target;
}

TEST(Target, RefusesBytesThatAreAlwaysEscaped) {
  EXPECT_EQ(refusal(with_target("/a#b")), "400 fragment_in_target");
  EXPECT_EQ(refusal(with_target("/?a#b")), "400 fragment_in_target");
  for (const char* target :
       {"/a\"", "/a<", "/a>", "/a\\b", "/{", "/`", "/caf\xc3\xa9", "/?\xff", "/?<", "/?\""})
    EXPECT_EQ(refusal(with_target(target)), "400 bad_target_byte") << target;
  EXPECT_EQ(refusal(with_target(string_view("/\0x", 3))), "400 control_byte");
  EXPECT_EQ(refusal(with_target("/\x7f")), "400 control_byte");
  EXPECT_EQ(refusal(with_target("/a\tb")), "400 bad_target_byte");
}

TEST(Target, RefusesPathsThatReadAsAnotherPath) {
  for (const char* target : {"/..", "/../a", "/a/..", "/a/../b", "/.", "/a/./b", "/%2e%2E/a",
                             "/.%2e", "/..;x/a", "/..%3bx", "/a/%2e"})
    EXPECT_EQ(refusal(with_target(target)), "400 dot_segment") << target;
  for (const char* target : {"/%", "/%4", "/%zz", "/a%4", "/%-1"})
    EXPECT_EQ(refusal(with_target(target)), "400 bad_percent_encoding") << target;
  for (const char* target :
       {"/%252e%252e/a", "/%252fa", "/%25%32%65", "/%2525", "/%2500", "/%255c"})
    EXPECT_EQ(refusal(with_target(target)), "400 double_encoding") << target;
  for (const char* target : {"/%ff", "/%c0%ae", "/%ed%a0%80", "/%f4%90%80%80", "/%c3", "/%c3a",
                             "/%c3/%a9", "/%e0%80%80", "/%80"})
    EXPECT_EQ(refusal(with_target(target)), "400 invalid_utf8") << target;
  EXPECT_EQ(refusal(with_target("/a%00.html")), "400 encoded_nul");
  EXPECT_EQ(refusal(with_target("/a%0d%0ab")), "400 encoded_control");
  EXPECT_EQ(refusal(with_target("/a%7F")), "400 encoded_control");
}

TEST(Target, TakesEncodedSlashesOnlyWhenAllowed) {
  HeadLimits limits;
  for (const char* target : {"/a%2fb", "/a%2Fb", "/a%5cb"})
    EXPECT_EQ(refusal(with_target(target), limits), "400 encoded_slash") << target;
  limits.allow_encoded_slash = true;
  RequestHead head;
  ASSERT_TRUE(parse(with_target("/a%2fb"), head, limits).complete());
  EXPECT_TRUE(head.encoded_slash);
  ASSERT_TRUE(parse(with_target("/a%252fb"), head, limits).complete());
  EXPECT_TRUE(head.encoded_slash);
  ASSERT_TRUE(parse(with_target("/ab"), head, limits).complete());
  EXPECT_FALSE(head.encoded_slash);
  for (const char* target : {"/..%2fb", "/a%2f..", "/a%2f%2e%2e%2fb", "/a%5c..%5c"})
    EXPECT_EQ(refusal(with_target(target), limits), "400 dot_segment") << target;
}

TEST(Target, TakesEmptySegmentsOnlyWhenAllowedAndNeverAtTheStart) {
  HeadLimits limits;
  EXPECT_EQ(refusal(with_target("/a//b"), limits), "400 empty_segment");
  limits.allow_empty_segments = true;
  RequestHead head;
  ASSERT_TRUE(parse(with_target("/a//b"), head, limits).complete());
  EXPECT_TRUE(head.empty_segment);
  EXPECT_EQ(refusal(with_target("//evil.example/a"), limits), "400 empty_segment");
}

TEST(Target, HasAnAbsoluteFormThatNamesTheHost) {
  RequestHead head;
  ASSERT_TRUE(parse(with_target("http://example.com/a?b"), head).complete());
  EXPECT_EQ(head.path, "/a");
  EXPECT_EQ(head.query, "b");
  ASSERT_TRUE(parse(with_target("HTTPS://EXAMPLE.com"), head).complete());
  EXPECT_EQ(head.path, "/");
  ASSERT_TRUE(parse(with_target("http://example.com?b=c"), head).complete());
  EXPECT_EQ(head.path, "/");
  EXPECT_EQ(head.query, "b=c");
  EXPECT_EQ(refusal(with_target("http://evil.com/")), "400 target_is_not_host");
  EXPECT_EQ(refusal(with_target("http://example.com:80/")), "400 target_is_not_host");
  EXPECT_EQ(refusal(with_target("http:///a")), "400 target_is_not_host");
  EXPECT_EQ(refusal(with_target("http://u@example.com/")), "400 userinfo_in_target");
  EXPECT_EQ(refusal(with_target("http://example.com/../a")), "400 dot_segment");
  EXPECT_EQ(refusal(with_target("http://example.com#a")), "400 fragment_in_target");
  EXPECT_EQ(refusal(with_target("http://example.com?a<")), "400 bad_target_byte");
  EXPECT_EQ(refusal(with_target("http://example.com\\a")), "400 target_is_not_host");
  EXPECT_EQ(refusal(with_target("ftp://example.com/")), "400 bad_target");
  EXPECT_EQ(refusal(with_target("example.com:443")), "400 bad_target");
}

TEST(Target, HasAnAsteriskForOptionsOnly) {
  RequestHead head;
  ASSERT_TRUE(parse("OPTIONS * HTTP/1.1\r\nHost: example.com\r\n\r\n", head).complete());
  EXPECT_TRUE(head.asterisk);
  ASSERT_TRUE(
      parse("OPTIONS http://example.com HTTP/1.1\r\nHost: example.com\r\n\r\n", head).complete());
  EXPECT_TRUE(head.asterisk);
  EXPECT_EQ(refusal(with_target("*")), "400 bad_target");
  EXPECT_EQ(refusal("OPTIONS ** HTTP/1.1\r\nHost: example.com\r\n\r\n"), "400 bad_target");
}

TEST(Target, DecodesForRoutesWithoutMakingSeparators) {
  string out;
  decode_path("/%61dmin/%C3%A9%2Fx%5cy%", out);
  EXPECT_EQ(out, "/admin/\xc3\xa9%2Fx%5cy%");
}

TEST(Limits, AreInclusive) {
  EXPECT_TRUE(accepts(with_target("/" + string(8191, 'a'))));
  EXPECT_EQ(refusal(with_target("/" + string(8192, 'a'))), "414 target_too_long");
  EXPECT_EQ(refusal("GET /" + string(20000, 'a')), "414 target_too_long");

  const string start = "GET / HTTP/1.1\r\n";
  const string host = "Host: example.com\r\n";
  const auto section = [&](std::size_t size) {
    return start + host + "A: " + string(size - host.size() - 5, 'a') + "\r\n\r\n";
  };
  EXPECT_TRUE(accepts(section(16384)));
  EXPECT_EQ(refusal(section(16385)), "431 fields_too_long");
  EXPECT_EQ(refusal(start + host + "A: " + string(20000, 'a')), "431 fields_too_long");

  string fields;
  for (int i = 0; i < 99; ++i) fields += "A: b\r\n";
  RequestHead head;
  ASSERT_TRUE(parse(with_fields(fields), head).complete());
  EXPECT_EQ(head.headers.size(), 100u);
  EXPECT_EQ(refusal(with_fields(fields + "A: b\r\n")), "431 too_many_fields");
}

TEST(Limits, CannotRaiseTheFieldsAboveTheCapacity) {
  HeadLimits limits;
  limits.fields = 100000;
  string fields;
  for (std::size_t i = 1; i < Headers::capacity; ++i) fields += "A: b\r\n";
  EXPECT_TRUE(accepts(with_fields(fields), limits));
  EXPECT_EQ(refusal(with_fields(fields + "A: b\r\n"), limits), "431 too_many_fields");
}

TEST(Fields, AreRefusedInEveryOtherSpelling) {
  EXPECT_TRUE(accepts(with_fields("X-a!#$%&'*+.^`|~1: v\r\n")));
  EXPECT_TRUE(accepts(with_fields("A: caf\xc3\xa9\tb\r\n")));
  EXPECT_EQ(refusal(with_fields("A : b\r\n")), "400 space_before_colon");
  EXPECT_EQ(refusal(with_fields("A\t: b\r\n")), "400 space_before_colon");
  EXPECT_EQ(refusal(with_fields("A: b\r\n c\r\n")), "400 folded_line");
  EXPECT_EQ(refusal(with_fields("A: b\r\n\tc: d\r\n")), "400 folded_line");
  EXPECT_EQ(refusal(with_fields(": b\r\n")), "400 empty_field_name");
  EXPECT_EQ(refusal(with_fields("A\r\n")), "400 no_colon");
  EXPECT_EQ(refusal(with_fields("A(b: c\r\n")), "400 bad_field_name");
  EXPECT_EQ(refusal(with_fields("T\xc3\xabst: c\r\n")), "400 bad_field_name");
  EXPECT_EQ(refusal(with_fields("A: b\rc\r\n")), "400 bare_cr");
  EXPECT_EQ(refusal(with_fields("A: b\nc: d\r\n")), "400 bare_lf");
  EXPECT_EQ(refusal(with_fields("A: b\r\r\n")), "400 bare_cr");
  for (int c = 0; c < 0x20; ++c) {
    if (c == '\t' || c == '\r' || c == '\n') continue;
    EXPECT_EQ(refusal(with_fields("A: b" + string(1, static_cast<char>(c)) + "\r\n")),
              "400 control_byte")
        << c;
  }
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\n Host: example.com\r\n\r\n"), "400 folded_line");
}

TEST(Fields, ThatSayOneThingMayComeOnce) {
  for (const char* name :
       {"Content-Type", "Origin", "Referer", "Authorization", "Sec-Fetch-Site", "X-CSRF-Token",
        "X-XSRF-Token", "XSRF-Token", "X-HTTP-Method", "X-Method-Override", "Sec-WebSocket-Key"}) {
    const string once = string(name) + ": a\r\n";
    EXPECT_TRUE(accepts(with_fields(once))) << name;
    EXPECT_EQ(refusal(with_fields(once + once)), "400 duplicate_field") << name;
  }
  RequestHead head;
  ASSERT_TRUE(
      parse(with_fields("Accept: a\r\nAccept: b\r\nCookie: a\r\nCookie: b\r\n"), head).complete());
  EXPECT_EQ(head.headers.count(Known::cookie), 2u);
}

TEST(Fields, ThatShadowFramingAreRefusedAndOthersMarked) {
  for (const char* name : {"Content_Length", "content_length", "Transfer_Encoding",
                           "Transfer.Encoding", "TRANSFER_encoding"})
    EXPECT_EQ(refusal(with_fields(string(name) + ": 5\r\n")), "400 ambiguous_field_name") << name;
  EXPECT_TRUE(accepts(with_fields("Content_Size: 5\r\n")));
  RequestHead head;
  ASSERT_TRUE(parse(with_fields("X_Forwarded_For: 1\r\nx_moat_user: 2\r\nX-Moat-User: 3\r\n"
                                "my_own: 4\r\nX-Forwarded-Client-Cert: 5\r\n"),
                    head)
                  .complete());
  EXPECT_EQ(head.headers[1].known, Known::shadow);
  EXPECT_EQ(head.headers[2].known, Known::x_moat);
  EXPECT_EQ(head.headers[3].known, Known::x_moat);
  EXPECT_EQ(head.headers[4].known, Known::none);
  EXPECT_EQ(head.headers[5].known, Known::x_forwarded_other);
  for (std::size_t i : {1u, 2u, 3u, 5u}) EXPECT_TRUE(is_intermediary_only(head.headers[i].known));
  EXPECT_FALSE(is_intermediary_only(head.headers[4].known));
}

TEST(Host, MustBeThereOnceAndValid) {
  const auto host = [](string_view fields) {
    return "GET / HTTP/1.1\r\n" + string(fields) + "\r\n";
  };
  EXPECT_TRUE(accepts(host("Host: example.com\r\n")));
  EXPECT_EQ(refusal(host("A: b\r\n")), "400 missing_host");
  EXPECT_EQ(refusal("GET / HTTP/1.0\r\n\r\n"), "400 missing_host");
  EXPECT_EQ(refusal(host("Host: a\r\nHost: b\r\n")), "400 duplicate_host");
  EXPECT_EQ(refusal(host("Host: a\r\nhost: a\r\n")), "400 duplicate_host");
  EXPECT_EQ(refusal(host("Host: \r\n")), "400 bad_host");
  EXPECT_EQ(refusal(host("Host: a, b\r\n")), "400 bad_host");
}

TEST(Host, HasOneSpelling) {
  for (const char* good : {"a", "example.com", "EXAMPLE.com:1", "a_b.c", "localhost:65535", "1a.b",
                           "127.0.0.1", "127.0.0.1:80", "[::1]", "[2001:db8::1]:8443", "xn--a.b"})
    EXPECT_TRUE(is_valid_host(good)) << good;
  for (const char* bad : {"",
                          ".",
                          "a.",
                          ".a",
                          "a..b",
                          "-a",
                          "a-",
                          "a b",
                          "u@a",
                          "a:",
                          "a:x",
                          "a:0",
                          "a:01",
                          "a:65536",
                          "a:80:80",
                          "::1",
                          "[::1",
                          "[]",
                          "[::1]x",
                          "[::1]:",
                          "[127.0.0.1]",
                          "[fe80::1%25eth0]",
                          "1.2.3",
                          "127.1",
                          "0x7f.1",
                          "0x7f000001",
                          "2130706433",
                          "256.1.1.1",
                          "01.2.3.4",
                          "a/b",
                          "a%41",
                          "caf\xc3\xa9",
                          "a,b"})
    EXPECT_FALSE(is_valid_host(bad)) << bad;
  EXPECT_TRUE(is_valid_host(string(63, 'a')));
  EXPECT_FALSE(is_valid_host(string(64, 'a')));
}

TEST(Framing, ReadsLengths) {
  RequestHead head;
  ASSERT_TRUE(parse(with_fields("Content-Length: 5\r\n"), head).complete());
  EXPECT_EQ(head.body.kind, Framing::Kind::length);
  EXPECT_EQ(head.body.length, 5u);
  ASSERT_TRUE(parse(with_fields("Content-Length: 0\r\n"), head).complete());
  EXPECT_EQ(head.body.kind, Framing::Kind::none);
  ASSERT_TRUE(parse(with_fields("Content-Length: 9223372036854775807\r\n"), head).complete());
  for (const char* bad :
       {"", "-1", "+5", "0x5", "5 5", "5, 5", "5,10", "005", "00", "1_0", "-0", "5.0",
        "9223372036854775808", "18446744073709551621", "99999999999999999999",
        "\x0b"
        "5"})
    EXPECT_EQ(parse(with_fields("Content-Length: " + string(bad) + "\r\n")).status, 400) << bad;
  EXPECT_EQ(refusal(with_fields("Content-Length: 5\r\nContent-Length: 5\r\n")),
            "400 duplicate_field");
}

TEST(Framing, ReadsChunkedAlone) {
  RequestHead head;
  ASSERT_TRUE(parse(with_fields("Transfer-Encoding: chunked\r\n"), head).complete());
  EXPECT_EQ(head.body.kind, Framing::Kind::chunked);
  ASSERT_TRUE(parse(with_fields("transfer-encoding: CHUNKED\r\n"), head).complete());
  EXPECT_EQ(head.body.kind, Framing::Kind::chunked);
  for (const char* bad :
       {"", "xchunked", "chunked, chunked", "chunked,", ",chunked", "chunked;a=b", "identity",
        "chunked, gzip", "chunked, identity", "\"chunked\"", "chunke", "gzip", "x, chunked"})
    EXPECT_EQ(refusal(with_fields("Transfer-Encoding: " + string(bad) + "\r\n")),
              "400 bad_transfer_encoding")
        << bad;
  EXPECT_EQ(refusal(with_fields("Transfer-Encoding: gzip, chunked\r\n")),
            "501 unsupported_transfer_coding");
  EXPECT_EQ(refusal(with_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")),
            "400 duplicate_field");
  EXPECT_EQ(refusal(with_fields("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")),
            "400 two_framings");
  EXPECT_EQ(refusal("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
            "400 transfer_encoding_in_http_1_0");
}

TEST(Connection, DecidesOverReuse) {
  RequestHead head;
  ASSERT_TRUE(parse(with_fields("Connection: close\r\n"), head).complete());
  EXPECT_FALSE(head.keep_alive);
  ASSERT_TRUE(parse(with_fields("Connection: keep-alive, X-Hop, CLOSE\r\n"), head).complete());
  EXPECT_FALSE(head.keep_alive);
  EXPECT_TRUE(head.connection.lists("x-hop"));
  EXPECT_FALSE(head.connection.lists("x-other"));
  ASSERT_TRUE(
      parse("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", head).complete());
  EXPECT_FALSE(head.keep_alive);
}

TEST(Connection, CannotNameEndToEndFields) {
  for (const char* name : {"Cookie", "Host", "X-Moat-User", "x_moat_user", "Content-Length",
                           "Authorization", "X-Forwarded-For", "Origin", "Sec-Fetch-Site"})
    EXPECT_EQ(refusal(with_fields("Connection: " + string(name) + "\r\n")),
              "400 bad_connection_option")
        << name;
  EXPECT_EQ(refusal(with_fields("Connection: a b\r\n")), "400 bad_connection_option");
  EXPECT_TRUE(accepts(with_fields("Connection: TE, HTTP2-Settings, Upgrade,\r\n")));
  string many = "Connection: a0";
  for (int i = 1; i < 16; ++i) many += ", a" + std::to_string(i);
  EXPECT_TRUE(accepts(with_fields(many + "\r\n")));
  EXPECT_EQ(refusal(with_fields(many + ", b\r\n")), "400 bad_connection_option");
  EXPECT_EQ(refusal(with_fields("Connection: ,,,,,,,,\r\n")), "400 bad_connection_option");
}

TEST(Connection, ListsWhatIsHopByHop) {
  RequestHead head;
  ASSERT_TRUE(parse(with_fields("Connection: X-Hop\r\nX-Hop: 1\r\nX-End: 2\r\nTE: trailers\r\n"
                                "Upgrade: h2c\r\nProxy-Connection: x\r\nCookie: a\r\n"),
                    head)
                  .complete());
  const auto hop = [&head](string_view name) {
    return is_hop_by_hop(*head.headers.find(name), head.connection);
  };
  for (const char* name : {"connection", "x-hop", "te", "upgrade", "proxy-connection"})
    EXPECT_TRUE(hop(name)) << name;
  for (const char* name : {"x-end", "cookie", "host"}) EXPECT_FALSE(hop(name)) << name;
}

TEST(Expect, IsForBodiesOfHttp11) {
  RequestHead head;
  ASSERT_TRUE(parse(with_fields("Expect: 100-Continue\r\nContent-Length: 1\r\n"), head).complete());
  EXPECT_TRUE(head.expects_continue);
  ASSERT_TRUE(parse(with_fields("Expect: 100-continue\r\n"), head).complete());
  EXPECT_FALSE(head.expects_continue);
  ASSERT_TRUE(parse("POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\n"
                    "Content-Length: 1\r\n\r\n",
                    head)
                  .complete());
  EXPECT_FALSE(head.expects_continue);
  EXPECT_EQ(refusal(with_fields("Expect: 200-ok\r\n")), "417 unknown_expectation");
}

TEST(RequestHead, IsWrittenAsItWasUnderstood) {
  RequestHead head;
  const string text = with_fields("A:b\r\nC:   d \r\n");
  ASSERT_TRUE(parse(text, head).complete());
  string again;
  append_request_head(head, again);
  EXPECT_EQ(again, with_fields("A: b\r\nC: d\r\n"));
}

TEST(RequestHead, IsCleanWhenReused) {
  RequestHead head;
  ASSERT_TRUE(parse(with_fields("Cookie: a\r\nConnection: close, x\r\nContent-Length: 5\r\n"), head)
                  .complete());
  ASSERT_TRUE(parse(with_target("/"), head).complete());
  EXPECT_EQ(head.headers.size(), 1u);
  EXPECT_FALSE(head.headers.has(Known::cookie));
  EXPECT_FALSE(head.connection.lists("x"));
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.body.kind, Framing::Kind::none);
}

TEST(Known, RecognisesEveryNameInAnyCase) {
  for (std::size_t i = 1; i < known_count; ++i) {
    const auto known = static_cast<Known>(i);
    string name(to_string(known));
    if (name.empty() || known == Known::x_moat) continue;
    EXPECT_EQ(recognise(name), known) << name;
    for (char& c : name)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    EXPECT_EQ(recognise(name), known) << name;
    EXPECT_NE(recognise(name + "x"), known) << name;
    EXPECT_NE(recognise(name.substr(1)), known) << name;
    string changed = name;
    changed[name.size() / 2] = changed[name.size() / 2] == 'q' ? 'r' : 'q';
    EXPECT_NE(recognise(changed), known) << changed;
  }
  EXPECT_EQ(recognise("priority"), Known::none);
  EXPECT_EQ(recognise("sec-ch-ua"), Known::none);
  EXPECT_EQ(recognise("X-Moat"), Known::x_moat);
  EXPECT_EQ(recognise("x-moats"), Known::none);
  EXPECT_EQ(recognise("cookie_"), Known::none);
  EXPECT_EQ(recognise("user_agent"), Known::shadow);
}

TEST(FieldValues, ThatCouldSplitAMessageAreNotWritten) {
  string out;
  EXPECT_TRUE(append_field(out, "Location", "/a"));
  EXPECT_EQ(out, "Location: /a\r\n");
  EXPECT_FALSE(append_field(out, "Location", "/a\r\nSet-Cookie: b"));
  EXPECT_FALSE(append_field(out, "Location", "/a\nb"));
  EXPECT_FALSE(append_field(out, "Location", string_view("/a\0b", 4)));
  EXPECT_FALSE(append_field(out, "Loca tion", "/a"));
  EXPECT_FALSE(append_field(out, "", "/a"));
  EXPECT_EQ(out, "Location: /a\r\n");
}

}  // namespace
}  // namespace moat::http
