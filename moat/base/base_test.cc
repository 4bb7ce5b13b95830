// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <sstream>
#include <type_traits>

#include "moat/base/clock.h"
#include "moat/base/encoding.h"
#include "moat/base/hash.h"
#include "moat/base/ip.h"
#include "moat/base/json.h"
#include "moat/base/log.h"
#include "moat/base/random.h"
#include "moat/base/secret.h"

namespace moat {
namespace {

template <class T, class = void>
struct is_printable : std::false_type {};
template <class T>
struct is_printable<
    T, std::void_t<decltype(std::declval<std::ostream&>() << std::declval<const T&>())>>
    : std::true_type {};

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string> &&
              !std::is_convertible_v<Secret, std::string_view>);
static_assert(!is_printable<Secret>::value);
static_assert(!std::is_constructible_v<Field, std::string_view, const Secret&>);

TEST(Secret, TakeWipesTheSource) {
  std::string source = "a password of some length, longer than a short string";
  const char* bytes = source.data();
  const Secret secret = Secret::take(source);
  EXPECT_TRUE(source.empty());
  EXPECT_EQ(bytes[0], '\0');
  EXPECT_TRUE(secret.equals("a password of some length, longer than a short string"));
  EXPECT_FALSE(secret.equals("a password of some length, longer than a short strinG"));
  EXPECT_FALSE(secret.equals(""));
}

TEST(Secret, MovingLeavesNothingBehind) {
  Secret first = Secret::copy_of("short");
  const Secret second = std::move(first);
  EXPECT_TRUE(first.empty());
  EXPECT_EQ(second.reveal(), "short");
}

TEST(Encoding, Base64UrlHasOneSpelling) {
  EXPECT_EQ(base64url_encode("\xfb\xff"), "-_8");
  EXPECT_EQ(base64url_decode("-_8"), "\xfb\xff");
  EXPECT_EQ(base64url_decode(""), "");
  for (const char* text : {"-_9", "-_8=", "-_ 8", "+/8", "A", "-_8\n"})
    EXPECT_FALSE(base64url_decode(text)) << text;
}

TEST(Encoding, Base64NeedsItsPadding) {
  EXPECT_EQ(base64_encode("f"), "Zg==");
  EXPECT_EQ(base64_decode("Zg=="), "f");
  EXPECT_EQ(base64_decode("Zm9v"), "foo");
  for (const char* text : {"Zg", "Zg=", "Zh==", "Z===", "===="})
    EXPECT_FALSE(base64_decode(text)) << text;
  EXPECT_EQ(base64_unpadded_encode("f"), "Zg");
  EXPECT_EQ(base64_unpadded_decode("Zg"), "f");
  EXPECT_FALSE(base64_unpadded_decode("Zg=="));
}

TEST(Encoding, HexAndPercent) {
  EXPECT_EQ(hex_encode("\x0a\xff"), "0aff");
  EXPECT_EQ(hex_decode("0aFF"), "\x0a\xff");
  EXPECT_FALSE(hex_decode("0"));
  EXPECT_FALSE(hex_decode("0g"));
  EXPECT_EQ(percent_decode("a%20b%2F"), "a b/");
  for (const char* text : {"%", "%2", "%2g", "a%"}) EXPECT_FALSE(percent_decode(text)) << text;
  EXPECT_EQ(percent_encode("a b/~"), "a%20b%2F~");
}

TEST(Encoding, Utf8IsStrict) {
  EXPECT_EQ(count_code_points("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), 4U);
  for (const char* text : {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80",
                           "\xff", "\xf5\x80\x80\x80", "\xe0\x80\x80", "\xf0\x80\x80\x80"}) {
    EXPECT_FALSE(is_valid_utf8(text)) << text;
  }
}

// RFC 4231 test cases 1, 2 and 6.
TEST(Hash, HmacGivesThePublishedTags) {
  const auto tag = [](std::string_view key, std::string_view message) {
    return hex_encode(as_bytes(HmacKey(key).tag(message)));
  };
  EXPECT_EQ(tag(std::string(20, '\x0b'), "Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(tag("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(tag(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hash, VerifyRefusesAnotherTag) {
  const HmacKey key("key");
  const Digest tag = key.tag("message");
  EXPECT_TRUE(key.verify("message", as_bytes(tag)));
  EXPECT_FALSE(key.verify("messagf", as_bytes(tag)));
  EXPECT_FALSE(key.verify("message", as_bytes(tag).substr(1)));
  EXPECT_FALSE(key.verify("message", ""));
}

TEST(Hash, Sha256OfAbc) {
  EXPECT_EQ(hex_encode(as_bytes(sha256("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Random, TokensDifferAndHaveTheirLength) {
  EXPECT_EQ(system_random().token().size(), 43U);
  EXPECT_NE(system_random().token(), system_random().token());
  InsecureSeededRandom a(1);
  InsecureSeededRandom b(1);
  InsecureSeededRandom c(2);
  const std::string first = a.bytes(32);
  EXPECT_EQ(first, b.bytes(32));
  EXPECT_NE(first, c.bytes(32));
}

TEST(Clock, FormatsDates) {
  const Time time = from_unix_seconds(784111777) + std::chrono::milliseconds{120};
  EXPECT_EQ(format_http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format_rfc3339(time), "1994-11-06T08:49:37Z");
  EXPECT_EQ(format_rfc3339_millis(time), "1994-11-06T08:49:37.120Z");
  EXPECT_EQ(format_rfc3339(from_unix_seconds(-1)), "1969-12-31T23:59:59Z");
}

TEST(Clock, DurationsNeedTheirUnit) {
  EXPECT_EQ(parse_duration("250ms"), std::chrono::milliseconds{250});
  EXPECT_EQ(parse_duration("90d"), std::chrono::hours{24 * 90});
  for (const char* text : {"", "5", "s", "-5s", "5 s", "5S", "1.5h", "5sm", "99999999999999999999s",
                           "999999999999999d"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
  EXPECT_EQ(parse_size("16KiB"), 16384U);
  for (const char* text : {"", "16", "16KB", "16kib", "99999999999999GiB"})
    EXPECT_FALSE(parse_size(text)) << text;
}

TEST(Ip, ReadsAndPrintsCanonically) {
  const std::pair<const char*, const char*> cases[] = {
      {"127.0.0.1", "127.0.0.1"},
      {"::ffff:1.2.3.4", "1.2.3.4"},
      {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
      {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
      {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"}};
  for (const auto& [text, printed] : cases) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), printed);
  }
}

TEST(Ip, RefusesWhatOthersGuessAt) {
  for (const char* text : {"",
                           "1",
                           "127.1",
                           "0177.0.0.1",
                           "1.2.3.4.",
                           "1.2.3.256",
                           "1.2.3",
                           "1.2.3.4.5",
                           "0x7f.0.0.1",
                           ":",
                           ":::",
                           "1:2:3:4:5:6:7",
                           "1::2::3",
                           "1:2:3:4:5:6:7:8:9",
                           "fe80::1%eth0",
                           "[::1]",
                           "12345::",
                           "::1:",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           " 1.2.3.4",
                           "::ffff:1.2.3"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(Ip, PrefixesAndNetworks) {
  EXPECT_EQ(IpAddress::parse("2001:db8:1:2:3::4")->prefix(64).to_string(), "2001:db8:1:2::");
  EXPECT_EQ(IpAddress::parse("10.1.2.3")->prefix(8).to_string(), "10.0.0.0");
  EXPECT_EQ(IpAddress::parse("10.1.2.3")->prefix(0).to_string(), "0.0.0.0");
  EXPECT_TRUE(Cidr::parse("10.0.0.0/8")->contains(*IpAddress::parse("10.255.0.1")));
  EXPECT_TRUE(Cidr::parse("10.0.0.0/8")->contains(*IpAddress::parse("::ffff:10.255.0.1")));
  EXPECT_FALSE(Cidr::parse("10.0.0.0/8")->contains(*IpAddress::parse("11.0.0.1")));
  EXPECT_FALSE(Cidr::parse("::/0")->contains(*IpAddress::parse("11.0.0.1")));
  for (const char* text : {"10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "x/8"}) {
    EXPECT_FALSE(Cidr::parse(text)) << text;
  }
}

TEST(HostPort, ReadsAnAuthority) {
  EXPECT_EQ(HostPort::parse("Example.COM:8443")->to_string(), "example.com:8443");
  EXPECT_EQ(HostPort::parse("[::1]:80")->host, "::1");
  EXPECT_EQ(HostPort::parse("127.0.0.1")->port, std::nullopt);
  for (const char* text : {"",
                           ":80",
                           "a:",
                           "a:b",
                           "a:65536",
                           "a:080",
                           "a b",
                           "-a",
                           "a-",
                           "a..b",
                           "::1",
                           "[::1",
                           "[::1]x",
                           "[1.2.3.4]",
                           "user@host",
                           "1.2.3",
                           "0x7f.1",
                           "127.1",
                           "a/b",
                           "ex\xc3\xa4"
                           "mple"}) {
    EXPECT_FALSE(HostPort::parse(text)) << text;
  }
}

std::string refusal(std::string_view text, const json::Limits& limits = {}) {
  const auto value = json::parse(text, limits);
  return value ? "" : std::string(json::to_string(value.error().refusal));
}

TEST(Json, ReadsWhatRfc8259Allows) {
  const auto value =
      json::parse(R"( {"a":[1,-2.5e1,true,null],"b":"\u00e4\ud83d\ude00\n","c":{}} )");
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(*value->find("a")->as_array()->at(0).as_integer(), 1);
  EXPECT_EQ(value->find("a")->as_array()->at(1).as_number(), -25.0);
  EXPECT_EQ(*value->find("b")->as_string(), "\xc3\xa4\xf0\x9f\x98\x80\n");
  EXPECT_EQ(value->find("d"), nullptr);
}

TEST(Json, RefusesTheRest) {
  for (const char* text : {"",
                           "{",
                           "[1,]",
                           "{\"a\":1,}",
                           "01",
                           "+1",
                           ".5",
                           "1.",
                           "1e",
                           "nul",
                           "'a'",
                           "\"\t\"",
                           "\"\\x\"",
                           "1 2",
                           "// c\n1",
                           "NaN",
                           "\xef\xbb\xbf"
                           "1",
                           "{a:1}",
                           "[1 2]",
                           "\"abc",
                           "\"\\u12g4\""}) {
    EXPECT_EQ(refusal(text), "syntax") << text;
  }
  EXPECT_EQ(refusal(R"({"a":1,"\u0061":2})"), "duplicate_name");
  EXPECT_EQ(refusal("\"\\ud800\""), "invalid_unicode");
  EXPECT_EQ(refusal("\"\\udc00\""), "invalid_unicode");
  EXPECT_EQ(refusal("\"\xff\""), "invalid_unicode");
  EXPECT_EQ(refusal("1e999"), "number_out_of_range");
  EXPECT_EQ(refusal("-1e999"), "number_out_of_range");
  EXPECT_EQ(refusal("1e-999"), "");
}

TEST(Json, LimitsAreInclusive) {
  json::Limits limits;
  limits.depth = 2;
  limits.members = 3;
  limits.string_bytes = 4;
  limits.total_bytes = 20;
  EXPECT_EQ(refusal("[[]]", limits), "");
  EXPECT_EQ(refusal("[[[]]]", limits), "too_deep");
  EXPECT_EQ(refusal("[1,2,3]", limits), "");
  EXPECT_EQ(refusal("[1,2,3,4]", limits), "too_many");
  EXPECT_EQ(refusal("\"abcd\"", limits), "");
  EXPECT_EQ(refusal("\"abcde\"", limits), "too_long");
  EXPECT_EQ(refusal(std::string(20, ' ') + "1", limits), "too_long");
}

TEST(Json, FindsDuplicatesInLargeObjectsToo) {
  std::string text = "{";
  for (int i = 0; i < 500; ++i) text += "\"k" + std::to_string(i) + "\":0,";
  EXPECT_EQ(refusal(text + "\"last\":0}"), "");
  EXPECT_EQ(refusal(text + "\"k3\":0}"), "duplicate_name");
  EXPECT_EQ(refusal(text + "\"k400\":0}"), "duplicate_name");
}

TEST(Json, PrintsWhatItReads) {
  const std::string text = R"({"a":[1,-25.0,true,null],"b":"\u003cä\n\"\\","c":{}})";
  const auto value = json::parse(text);
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(json::serialize(*value), text);
}

struct Lines {
  std::string text;
  ManualClock clock{from_unix_seconds(0)};
  Log log{clock, [this](std::string_view line) { text += line; }};
};

TEST(Log, WritesOneObjectALine) {
  Lines lines;
  lines.log.info("started", {{"port", 8443}, {"name", "a\"b\nc"}, {"good", true}});
  EXPECT_EQ(lines.text,
            "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"info\",\"event\":\"started\","
            "\"port\":8443,"
            "\"name\":\"a\\\"b\\nc\",\"good\":true}\n");
}

TEST(Log, RedactsWhatNamesACredential) {
  Lines lines;
  lines.log.info("x", {{"Set-Cookie", "a=b"},
                       {"Authorization", "hunter2"},
                       {"email", "alice@example.com"},
                       {"target", "/reset?token=abc&x=1#code=2"}});
  EXPECT_EQ(lines.text.find("hunter2"), std::string::npos);
  EXPECT_EQ(lines.text.find("a=b"), std::string::npos);
  EXPECT_EQ(lines.text.find("alice"), std::string::npos);
  EXPECT_EQ(lines.text.find("abc"), std::string::npos);
  EXPECT_NE(lines.text.find("a***@example.com"), std::string::npos);
  EXPECT_NE(lines.text.find("x=1"), std::string::npos);
}

TEST(Log, LeavesOutWhatIsBelowItsLevel) {
  Lines lines;
  lines.log.debug("x");
  EXPECT_EQ(lines.text, "");
}

}  // namespace
}  // namespace moat
