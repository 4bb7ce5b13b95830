// SPDX-License-Identifier: Apache-2.0
#include "moat/http/trace_context.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace moat::http {
namespace {

const std::string id = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string parent = "00f067aa0ba902b7";
const std::string whole = "00-" + id + "-" + parent + "-01";

TEST(Traceparent, IsReadAsTheStandardHasIt) {
  const auto trace = parse_traceparent(whole);
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->text(), id);
  EXPECT_TRUE(trace->sampled);
  const auto quiet = parse_traceparent("00-" + id + "-" + parent + "-00");
  ASSERT_TRUE(quiet);
  EXPECT_FALSE(quiet->sampled);
}

TEST(Traceparent, OfALaterVersionTheCommonPartIsRead) {
  for (const std::string& text :
       {"01-" + id + "-" + parent + "-01", "cc-" + id + "-" + parent + "-01-more",
        "cc-" + id + "-" + parent + "-09-"}) {
    const auto trace = parse_traceparent(text);
    ASSERT_TRUE(trace) << text;
    EXPECT_EQ(trace->text(), id);
    EXPECT_TRUE(trace->sampled);
  }
}

TEST(Traceparent, WhatIsMalformedIsRefused) {
  const std::string zeros(32, '0');
  std::string capital = id;
  capital[1] = 'B';
  for (const std::string& text :
       std::vector<std::string>{"",
                                "00",
                                whole.substr(0, 54),
                                whole + "-",
                                whole + "-00",
                                whole + "0",
                                "01-" + id + "-" + parent + "-01.",
                                "01-" + id + "-" + parent + "-011",
                                "ff-" + id + "-" + parent + "-01",
                                "FF-" + id + "-" + parent + "-01",
                                "0 -" + id + "-" + parent + "-01",
                                "00-" + zeros + "-" + parent + "-01",
                                "00-" + id + "-" + zeros.substr(0, 16) + "-01",
                                "00-" + capital + "-" + parent + "-01",
                                "00-" + id.substr(1) + "g-" + parent + "-01",
                                "00-" + id + "-" + parent + "-0g",
                                "00-" + id + "-" + parent + "-0A",
                                "00_" + id + "-" + parent + "-01",
                                "00-" + id + "_" + parent + "-01",
                                "00-" + id + "-" + parent + "_01",
                                " " + whole,
                                id + "-" + parent + "-0100-"}) {
    EXPECT_FALSE(parse_traceparent(text)) << text;
  }
}

TEST(Traceparent, NoByteOfItMayBeAnother) {
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const char c : {'\0', ' ', '\n', 'G', '/', ':', '`', 'g', '\x80'}) {
      std::string text = whole;
      text[i] = c;
      EXPECT_FALSE(parse_traceparent(text)) << i << " " << static_cast<int>(c);
    }
  }
}

TEST(Traceparent, IsWrittenWithTheSameTraceAndAnotherParent) {
  auto trace = parse_traceparent("cc-" + id + "-" + parent + "-ff-more");
  ASSERT_TRUE(trace);
  const Traceparent made = make_traceparent(*trace, 0x00f067aa0ba902b8);
  EXPECT_EQ(std::string(made.data(), made.size()), "00-" + id + "-00f067aa0ba902b8-01");
  trace->sampled = false;
  const Traceparent quiet = make_traceparent(*trace, 0);
  EXPECT_EQ(std::string(quiet.data(), quiet.size()), "00-" + id + "-0000000000000001-00");
}

TEST(Traceparent, WhatBeginsHereIsValidWhateverTheRandomness) {
  for (const std::uint64_t high : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    for (const std::uint64_t low : {std::uint64_t{0}, std::uint64_t{1} << 63}) {
      const Traceparent made = make_traceparent(new_trace(high, low), low);
      const auto again = parse_traceparent(std::string_view(made.data(), made.size()));
      ASSERT_TRUE(again);
      EXPECT_TRUE(again->sampled);
    }
  }
  EXPECT_EQ(new_trace(0x4bf92f3577b34da6, 0xa3ce929d0e0e4736).text(), id);
}

TEST(Traceparent, IsTakenFromARequestOnlyOnce) {
  Headers headers;
  EXPECT_FALSE(trace_of(headers));
  ASSERT_TRUE(headers.add("TraceParent", whole));
  EXPECT_TRUE(trace_of(headers));
  ASSERT_TRUE(headers.add("traceparent", whole));
  EXPECT_FALSE(trace_of(headers));
}

TEST(Tracestate, CountsItsMembers) {
  const std::string key256 = "a" + std::string(255, 'z');
  const std::string tenant = std::string(241, '0') + "@" + "s" + std::string(13, 'z');
  const std::pair<std::string, std::size_t> cases[] = {{"", 0},
                                                       {" , ,\t", 0},
                                                       {"rojo=00f067aa0ba902b7", 1},
                                                       {"rojo=1,congo=2", 2},
                                                       {" rojo=1 ,\tcongo=2 ,", 2},
                                                       {"a_-*/9=x", 1},
                                                       {"fw529a3039@dt=FfAz", 1},
                                                       {"1tenant@sys=a b", 1},
                                                       {key256 + "=1", 1},
                                                       {tenant + "=1", 1},
                                                       {"a=" + std::string(256, '~'), 1},
                                                       {"a=!\"#$%&'()*+-./0:;<>?@[\\]^_`{|}", 1}};
  for (const auto& [text, count] : cases) EXPECT_EQ(tracestate_members(text), count) << text;
}

TEST(Tracestate, WhatIsNoListIsRefused) {
  const std::string key257 = "a" + std::string(256, 'z');
  for (const std::string& text : std::vector<std::string>{"rojo",
                                                          "=1",
                                                          "rojo=",
                                                          "rojo= ",
                                                          "Rojo=1",
                                                          "1rojo=1",
                                                          "_a=1",
                                                          "r ojo=1",
                                                          "rojo =1",
                                                          "rojo=1=2",
                                                          "a=\x7f",
                                                          "a=\xc3\xa9",
                                                          "a=b\tc",
                                                          "@sys=1",
                                                          "t@=1",
                                                          "t@1s=1",
                                                          "t@S=1",
                                                          "a@b@c=1",
                                                          "_t@s=1",
                                                          key257 + "=1",
                                                          std::string(242, '0') + "@s=1",
                                                          "t@s" + std::string(14, 'z') + "=1",
                                                          "a=" + std::string(257, '~'),
                                                          "a=1;b=2,c",
                                                          "a=1,,b"}) {
    EXPECT_FALSE(tracestate_members(text)) << text;
  }
}

std::string joined(const std::vector<std::string>& lines) {
  Headers headers;
  for (const std::string& line : lines) EXPECT_TRUE(headers.add("TraceState", line));
  std::string out = "before";
  append_tracestate(headers, out);
  EXPECT_EQ(out.substr(0, 6), "before");
  return out.substr(6);
}

TEST(Tracestate, LinesAreJoinedInTheirOrder) {
  EXPECT_EQ(joined({"b=2,c=3", "a=1"}), "tracestate: b=2,c=3,a=1\r\n");
  EXPECT_EQ(joined({"", "a=1", " , "}), "tracestate: a=1\r\n");
}

TEST(Tracestate, OfNothingNothingIsWritten) {
  EXPECT_EQ(joined({}), "");
  EXPECT_EQ(joined({"", ","}), "");
}

TEST(Tracestate, OneBadLineSpoilsAll) {
  EXPECT_EQ(joined({"a=1", "B=2"}), "");
  EXPECT_EQ(joined({"B=2", "a=1"}), "");
}

TEST(Tracestate, HasAtMost32MembersAnd512Bytes) {
  std::string many;
  for (int i = 0; i < 32; ++i) many += (many.empty() ? "a" : ",a") + std::to_string(i) + "=1";
  EXPECT_EQ(joined({many}), "tracestate: " + many + "\r\n");
  EXPECT_EQ(joined({many, "b=1"}), "");
  EXPECT_EQ(joined({many + ",b=1"}), "");
  const std::string half = "a=" + std::string(253, 'x');                                // 255
  EXPECT_EQ(joined({half, half + "x"}), "tracestate: " + half + "," + half + "x\r\n");  // 512
  EXPECT_EQ(joined({half + "x", half + "x"}), "");                                      // 513
  EXPECT_EQ(joined({half, half + "x", "b=1"}), "");
}

TEST(RequestId, IsTakenWhenItIsShortAndPlain) {
  for (const std::string& text :
       std::vector<std::string>{"a", "0", "-._", "7b1f3a52-1c1e-4a7e-9c1d-0f0e0d0c0b0a",
                                "Root_1.2-3", std::string(128, 'z')}) {
    EXPECT_TRUE(is_request_id(text)) << text;
  }
}

TEST(RequestId, IsRefusedOtherwise) {
  for (const std::string& text : std::vector<std::string>{
           "", std::string(129, 'z'), "a b", "a\"", "a\r\nb", "a/b", "a:b", "a;b", "a@b", "a[",
           "a`", "a{", "\xc3\xa9", std::string("a\0b", 3)}) {
    EXPECT_FALSE(is_request_id(text)) << text;
  }
}

}  // namespace
}  // namespace moat::http
