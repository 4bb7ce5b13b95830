// SPDX-License-Identifier: Apache-2.0
#include "moat/http/response.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

namespace moat::http {
namespace {

using std::string;
using std::string_view;

ParseStatus parse(string_view text, ResponseHead& head, Method method = Method::get) {
  static std::deque<string> kept;
  return parse_response_head(kept.emplace_back(text), HeadLimits::for_backend(), method, head);
}
string refusal(string_view text, Method method = Method::get) {
  ResponseHead head;
  const ParseStatus verdict = parse(text, head, method);
  if (!verdict.refused()) return verdict.complete() ? "accepted" : "incomplete";
  return std::to_string(verdict.status) + " " + string(verdict.code);
}
string with_fields(string_view fields) { return "HTTP/1.1 200 OK\r\n" + string(fields) + "\r\n"; }

TEST(ResponseHead, ReadsATypicalAnswer) {
  ResponseHead head;
  const string text =
      "HTTP/1.1 404 Not Found\r\nServer: x\r\nContent-Type: Text/HTML; charset=utf-8\r\n"
      "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 3\r\n\r\nabc";
  const ParseStatus verdict = parse(text, head);
  ASSERT_TRUE(verdict.complete());
  EXPECT_EQ(verdict.consumed, text.size() - 3);
  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.reason, "Not Found");
  EXPECT_EQ(head.headers.count(Known::set_cookie), 2u);
  EXPECT_EQ(head.body.kind, Framing::Kind::length);
  EXPECT_EQ(head.body.length, 3u);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_TRUE(head.html);
  EXPECT_FALSE(head.interim);
}

TEST(ResponseHead, ReadsStatusLines) {
  ResponseHead head;
  ASSERT_TRUE(parse("HTTP/1.1 200 \r\n\r\n", head).complete());
  EXPECT_EQ(head.reason, "");
  ASSERT_TRUE(parse("HTTP/1.1 200\r\n\r\n", head).complete());
  EXPECT_EQ(head.reason, "");
  ASSERT_TRUE(parse("HTTP/1.0 599 a b\xc3\xa9\r\n\r\n", head).complete());
  EXPECT_EQ(head.reason, "a b\xc3\xa9");
  EXPECT_EQ(head.minor_version, 0);
  for (const char* line : {"HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 099 OK",
                           "HTTP/1.1 600 OK", "HTTP/2.0 200 OK", "HTTP/1.2 200 OK",
                           "http/1.1 200 OK", "HTTP/1.1  200 OK", "HTTP/1.1\t200 OK",
                           "HTTP/1.1 2x0 OK", "HTTP/1.1 200OK", "200 OK", "HTTP/1.1", "ICY 200 OK"})
    EXPECT_EQ(refusal(string(line) + "\r\n\r\n"), "502 bad_status_line") << line;
  EXPECT_EQ(refusal("\r\nHTTP/1.1 200 OK\r\n\r\n"), "502 empty_start_line");
  EXPECT_EQ(refusal("HTTP/1.1 200 " + string(2000, 'a')), "502 status_line_too_long");
}

TEST(ResponseHead, RefusesOtherSpellingsWithBadGateway) {
  EXPECT_EQ(refusal(with_fields("A: b\n")), "502 bare_lf");
  EXPECT_EQ(refusal(with_fields("A: b\rc\r\n")), "502 bare_cr");
  EXPECT_EQ(refusal(with_fields("A: b\r\n c\r\n")), "502 folded_line");
  EXPECT_EQ(refusal(with_fields("A : b\r\n")), "502 space_before_colon");
  EXPECT_EQ(refusal(with_fields(string_view("A: \0\r\n", 6))), "502 control_byte");
  EXPECT_EQ(refusal(with_fields("Location: a\r\nLocation: b\r\n")), "502 duplicate_field");
  EXPECT_EQ(refusal(with_fields("Connection: set-cookie\r\n")), "502 bad_connection_option");
  EXPECT_EQ(refusal(with_fields("Content_Length: 1\r\n")), "502 ambiguous_field_name");
  EXPECT_EQ(refusal(with_fields("A: " + string(70000, 'a') + "\r\n")), "502 fields_too_long");
  string fields;
  for (int i = 0; i < 101; ++i) fields += "A: b\r\n";
  EXPECT_EQ(refusal(with_fields(fields)), "502 too_many_fields");
}

TEST(ResponseFraming, FollowsTheOrderOfTheStandard) {
  ResponseHead head;
  const string chunked = "Transfer-Encoding: chunked\r\n";
  ASSERT_TRUE(parse(with_fields(chunked), head).complete());
  EXPECT_EQ(head.body.kind, Framing::Kind::chunked);
  EXPECT_TRUE(head.keep_alive);
  ASSERT_TRUE(parse(with_fields(""), head).complete());
  EXPECT_EQ(head.body.kind, Framing::Kind::until_close);
  EXPECT_FALSE(head.keep_alive);
  ASSERT_TRUE(parse(with_fields("Content-Length: 0\r\n"), head).complete());
  EXPECT_EQ(head.body.kind, Framing::Kind::none);
  EXPECT_TRUE(head.keep_alive);
  ASSERT_TRUE(parse(with_fields("Content-Length: 9\r\n"), head, Method::head).complete());
  EXPECT_EQ(head.body.kind, Framing::Kind::none);
  ASSERT_TRUE(parse(with_fields(chunked), head, Method::head).complete());
  EXPECT_EQ(head.body.kind, Framing::Kind::none);
  ASSERT_TRUE(parse("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", head).complete());
  EXPECT_EQ(head.body.kind, Framing::Kind::none);
  EXPECT_TRUE(head.keep_alive);
  ASSERT_TRUE(parse("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", head).complete());
  EXPECT_EQ(head.body.kind, Framing::Kind::none);
}

TEST(ResponseFraming, RefusesTwoReadings) {
  const string chunked = "Transfer-Encoding: chunked\r\n";
  EXPECT_EQ(refusal(with_fields(chunked + "Content-Length: 1\r\n")), "502 two_framings");
  EXPECT_EQ(refusal(with_fields(chunked + chunked)), "502 duplicate_field");
  EXPECT_EQ(refusal(with_fields("Transfer-Encoding: gzip, chunked\r\n")),
            "502 unsupported_transfer_coding");
  EXPECT_EQ(refusal(with_fields("Transfer-Encoding: identity\r\n")), "502 bad_transfer_encoding");
  EXPECT_EQ(refusal(with_fields("Content-Length: 1\r\nContent-Length: 1\r\n")),
            "502 duplicate_field");
  EXPECT_EQ(refusal(with_fields("Content-Length: x\r\n")), "502 bad_content_length");
  EXPECT_EQ(refusal(with_fields("Content-Length: x\r\n"), Method::head), "502 bad_content_length");
  EXPECT_EQ(refusal("HTTP/1.0 200 OK\r\n" + chunked + "\r\n"), "502 transfer_encoding_in_http_1_0");
  EXPECT_EQ(refusal("HTTP/1.1 204 No Content\r\n" + chunked + "\r\n"), "502 body_not_allowed");
  EXPECT_EQ(refusal("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"),
            "502 body_not_allowed");
  EXPECT_EQ(refusal("HTTP/1.1 101 Switching Protocols\r\nContent-Length: 5\r\n\r\n"),
            "502 body_not_allowed");
}

TEST(ResponseHead, TellsInterimAnswersAndReuse) {
  ResponseHead head;
  ASSERT_TRUE(parse("HTTP/1.1 100 Continue\r\n\r\n", head).complete());
  EXPECT_TRUE(head.interim);
  ASSERT_TRUE(parse("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", head).complete());
  EXPECT_TRUE(head.interim);
  ASSERT_TRUE(parse("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                    "Connection: Upgrade\r\n\r\n",
                    head)
                  .complete());
  EXPECT_FALSE(head.interim);
  EXPECT_FALSE(head.keep_alive);
  EXPECT_TRUE(head.connection.upgrade());
  ASSERT_TRUE(parse(with_fields("Connection: close\r\nContent-Length: 1\r\n"), head).complete());
  EXPECT_FALSE(head.keep_alive);
  ASSERT_TRUE(parse("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n", head)
                  .complete());
  EXPECT_FALSE(head.keep_alive);
}

TEST(ResponseHead, GivesTheSameVerdictByteByByte) {
  for (const string& text : {with_fields("Content-Length: 5\r\nSet-Cookie: a=b\r\n"),
                             with_fields("A: b\nC: d\r\n"), string("HTTP/1.1 2 OK\r\n\r\n")}) {
    ResponseHead whole;
    const ParseStatus expected = parse(text, whole);
    ResponseHead head;
    ParseState state;
    ParseStatus verdict;
    std::size_t size = 0;
    while (verdict.kind == ParseStatus::Kind::incomplete && size < text.size()) {
      const string moved = text.substr(0, ++size);
      verdict = parse_response_head(moved, HeadLimits::for_backend(), Method::get, state, head);
    }
    EXPECT_EQ(verdict.kind, expected.kind);
    EXPECT_EQ(verdict.code, expected.code);
    EXPECT_EQ(verdict.consumed, expected.consumed);
  }
}

}  // namespace
}  // namespace moat::http
