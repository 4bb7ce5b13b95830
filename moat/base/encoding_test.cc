// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>

#include <string>

#include "moat/base/encoding.h"
#include "moat/base/random.h"

namespace moat {
namespace {

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

// RFC 4648 section 10.
TEST(Encoding, Base64GivesThePublishedVectors) {
  const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : cases) {
    EXPECT_EQ(base64_encode(plain), encoded);
    EXPECT_EQ(base64_decode(encoded), plain);
  }
}

TEST(Encoding, EveryByteComesBack) {
  InsecureSeededRandom random(7);
  for (std::size_t length = 0; length < 70; ++length) {
    const std::string bytes = random.bytes(length);
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    EXPECT_EQ(base64url_decode(base64url_encode(bytes)), bytes);
    EXPECT_EQ(base64_unpadded_decode(base64_unpadded_encode(bytes)), bytes);
    EXPECT_EQ(hex_decode(hex_encode(bytes)), bytes);
    EXPECT_EQ(percent_decode(percent_encode(bytes)), bytes);
  }
}

TEST(Encoding, TheTwoAlphabetsAreNotMixed) {
  EXPECT_TRUE(base64_decode("+/+/"));
  EXPECT_TRUE(base64url_decode("-_-_"));
  EXPECT_FALSE(base64_decode("-_-_"));
  EXPECT_FALSE(base64url_decode("+/+/"));
  EXPECT_FALSE(base64_decode("Zm 9"));
  EXPECT_FALSE(base64_decode("Zm9=Zm9="));
  EXPECT_FALSE(base64url_decode(std::string_view("AAA\0", 4)));
}

TEST(Encoding, OneForeignCharacterAnywhereIsRefused) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (const std::size_t size : {4U, 6U, 7U, 8U, 11U}) {
    for (std::size_t place = 0; place < size; ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, 'A');
        text[place] = static_cast<char>(byte);
        const std::size_t value = alphabet.find(static_cast<char>(byte));
        // The last character of an incomplete group carries 2 or 4 bits that must be zero.
        const std::size_t spare = place + 1 < size || size % 4 == 0 ? 1 : size % 4 == 2 ? 16 : 4;
        const bool good = value != std::string_view::npos && value % spare == 0;
        EXPECT_EQ(base64url_decode(text).has_value(), good) << text;
      }
    }
  }
}

TEST(Encoding, DecodingIntoRoomKeepsToTheRoom) {
  std::array<char, 4> room{'x', 'x', 'x', 'x'};
  EXPECT_EQ(base64url_decode("Zm9v", room), "foo");
  EXPECT_EQ(room[3], 'x');
  EXPECT_EQ(base64url_decode("Zm9vYg", room), "foob");
  EXPECT_EQ(base64url_decode("Zm9vYmE", room), std::nullopt);
  EXPECT_EQ(base64url_decode("Zm9*", room), std::nullopt);
  EXPECT_EQ(base64url_decode("", std::span<char>()), "");
}

TEST(Encoding, PercentKeepsAPlus) {
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  EXPECT_EQ(percent_decode("%00"), std::string(1, '\0'));
  EXPECT_EQ(percent_encode("\xc3\xa4"), "%C3%A4");
}

TEST(Encoding, Utf8IsCheckedInEveryPlace) {
  // A fault behind, before and across the steps of eight bytes.
  for (std::size_t before = 0; before < 20; ++before) {
    const std::string good(before, 'a');
    EXPECT_TRUE(is_valid_utf8(good + "\xe2\x82\xac" + good));
    EXPECT_EQ(count_code_points(good + "\xe2\x82\xac" + good), 2 * before + 1);
    EXPECT_FALSE(is_valid_utf8(good + "\xe2\x82" + good));
    EXPECT_FALSE(is_valid_utf8(good + "\xff" + good));
  }
  EXPECT_TRUE(is_valid_utf8("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf"));
  EXPECT_TRUE(is_valid_utf8(std::string_view("\0", 1)));
}

TEST(Encoding, AsciiCaseLeavesOtherLettersAlone) {
  EXPECT_EQ(ascii_lower("ABZ[\xc3\x84"), "abz[\xc3\x84");
  EXPECT_TRUE(ascii_iequals("Content-Type", "content-TYPE"));
  EXPECT_FALSE(ascii_iequals("k", "\xe2\x84\xaa"));  // U+212A, which full case folding calls a k
  EXPECT_FALSE(ascii_iequals("[", "{"));
  EXPECT_FALSE(ascii_iequals("a", "ab"));
  // Each byte alike wherever it stands.
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const auto x = static_cast<char>(a);
      const auto y = static_cast<char>(b);
      const bool same = ascii_lower({&x, 1}) == ascii_lower({&y, 1});
      std::string left = "0123456789a", right = "0123456789A";
      left[static_cast<std::size_t>(a % 8)] = x;
      right[static_cast<std::size_t>(a % 8)] = y;
      ASSERT_EQ(ascii_iequals({&x, 1}, {&y, 1}), same) << a << ' ' << b;
      ASSERT_EQ(ascii_iequals(left, right), same) << a << ' ' << b;
    }
  }
}

TEST(Encoding, TrimTakesBlanksAndTabsOnly) {
  EXPECT_EQ(trim(" \t a b\t "), "a b");
  EXPECT_EQ(trim(" \t "), "");
  EXPECT_EQ(trim("\na\r"), "\na\r");
}

TEST(Encoding, EscapesForHtmlWhereverInABlockAMarkStands) {
  for (std::size_t size = 0; size <= 100; ++size) {
    const std::string plain(size, 'x');
    std::string out = "before";
    append_html_escaped(plain, out);
    EXPECT_EQ(out, "before" + plain);
    for (std::size_t at = 0; at < size; ++at) {
      for (const auto& [mark, reference] : {std::pair<char, std::string>{'<', "&lt;"},
                                            {'"', "&quot;"},
                                            {'`', "&#96;"},
                                            {'\x01', "\xef\xbf\xbd"},
                                            {'\x7f', "\xef\xbf\xbd"}}) {
        auto text = plain;
        text[at] = mark;
        out.clear();
        append_html_escaped(text, out);
        EXPECT_EQ(out, plain.substr(0, at) + reference + plain.substr(at + 1));
      }
    }
  }
  std::string out;
  append_html_escaped("\t\n\r\xc3\xa9\xff", out);
  EXPECT_EQ(out, "\t\n\r\xc3\xa9\xff");
}

TEST(Encoding, OneByteBeyondAsciiIsSeenWhereverItStands) {
  for (std::size_t size = 0; size <= 100; ++size) {
    EXPECT_EQ(count_code_points(std::string(size, 'x')), size);
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'x');
      text[at] = '\x80';
      EXPECT_FALSE(is_valid_utf8(text)) << size << " " << at;
      text.replace(at, 1, "\u20ac");
      EXPECT_EQ(count_code_points(text), size);
    }
  }
}

}  // namespace
}  // namespace moat
