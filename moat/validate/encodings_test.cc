// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/encodings.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace moat::validate {
namespace {

using namespace std::string_view_literals;

TEST(Base64, TakesTheOneCanonicalSpelling) {
  for (const auto text : {"QQ==", "QUI=", "QUJD", "+/+/"}) EXPECT_TRUE(is_base64(text)) << text;
  for (const auto text : {"", "Q", "QQ", "QQ=", "QR==", "QUJ=", "QUJD=", "QUJDR",
                          "====", "=QQ=", "Q Q=", "-_-_", "QQ==\n", "QQ==QQ=="})
    EXPECT_FALSE(is_base64(text)) << text;
}

TEST(Base64, OptionsChangeAlphabetAndPadding) {
  Base64Options url;
  url.alphabet = Base64Alphabet::url_safe;
  url.padding = Base64Padding::absent;
  for (const auto text : {"QQ", "QUI", "QUJD", "-_-_"}) EXPECT_TRUE(is_base64(text, url)) << text;
  for (const auto text : {"", "QQ==", "QR", "Q", "+/+/"})
    EXPECT_FALSE(is_base64(text, url)) << text;
  Base64Options loose;
  loose.allow_empty = loose.allow_non_canonical = true;
  EXPECT_TRUE(is_base64("", loose));
  EXPECT_TRUE(is_base64("QR==", loose));
  EXPECT_FALSE(is_base64("QR=", loose));
}

TEST(Base32, TakesTheOneCanonicalSpelling) {
  for (const auto text : {"ME======", "MFRA====", "MFRGG===", "MFRGGZA=", "MFRGGZDF"})
    EXPECT_TRUE(is_base32(text)) << text;
  for (const auto text : {"", "MF======", "ME=====", "M=======", "MFR=====", "MFRGGZ==", "mfrggzdf",
                          "MFRGGZD1", "========", "ME======ME======"})
    EXPECT_FALSE(is_base32(text)) << text;
  Base32Options loose;
  loose.allow_non_canonical = true;
  EXPECT_TRUE(is_base32("MF======", loose));
  EXPECT_FALSE(is_base32("MFR=====", loose));
}

TEST(Base32, CrockfordLeavesOutLookAlikes) {
  EXPECT_TRUE(is_base32_crockford("0123456789ABCDEFGHJKMNPQRSTVWXYZ"));
  for (const auto text : {"", "I", "L", "O", "U", "a", "1-2"})
    EXPECT_FALSE(is_base32_crockford(text)) << text;
}

TEST(Base58, LeavesOutLookAlikes) {
  EXPECT_TRUE(is_base58("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"));
  for (const auto text : {"", "0", "O", "I", "l", "a b"}) EXPECT_FALSE(is_base58(text)) << text;
}

TEST(Hexadecimal, HasAPrefixOnlyWhenAllowed) {
  HexadecimalOptions prefix;
  prefix.allow_prefix = true;
  EXPECT_TRUE(is_hexadecimal("09afAF"));
  EXPECT_FALSE(is_hexadecimal("0x0f"));
  EXPECT_TRUE(is_hexadecimal("0x0f", prefix));
  EXPECT_TRUE(is_hexadecimal("0H0f", prefix));
  for (const auto text : {"", "0x", "g", "0x0x1", "0f "})
    EXPECT_FALSE(is_hexadecimal(text, prefix)) << text;
}

TEST(HexColor, HasThreeFourSixOrEightDigits) {
  HexColorOptions bare;
  bare.allow_missing_hash = true;
  for (const auto text : {"#fff", "#ffff", "#00FF99", "#00FF9980"})
    EXPECT_TRUE(is_hex_color(text)) << text;
  for (const auto text :
       {"", "#", "#ff", "#fffff", "#fffffff", "#fffffffff", "#ggg", "fff", "##fff"})
    EXPECT_FALSE(is_hex_color(text)) << text;
  EXPECT_TRUE(is_hex_color("fff", bare));
  EXPECT_FALSE(is_hex_color("##fff", bare));
}

TEST(Hash, HasTheLengthOfItsName) {
  constexpr struct {
    HashName name;
    std::size_t digits;
  } rows[] = {{HashName::crc32, 8},    {HashName::crc32b, 8},     {HashName::md4, 32},
              {HashName::md5, 32},     {HashName::ripemd128, 32}, {HashName::ripemd160, 40},
              {HashName::sha1, 40},    {HashName::sha256, 64},    {HashName::sha384, 96},
              {HashName::sha512, 128}, {HashName::tiger128, 32},  {HashName::tiger160, 40},
              {HashName::tiger192, 48}};
  for (const auto& row : rows) {
    EXPECT_TRUE(is_hash(std::string(row.digits, 'A'), row.name));
    EXPECT_FALSE(is_hash(std::string(row.digits - 1, 'a'), row.name));
    EXPECT_FALSE(is_hash(std::string(row.digits + 1, 'a'), row.name));
    EXPECT_FALSE(is_hash(std::string(row.digits, 'g'), row.name));
  }
  EXPECT_TRUE(is_md5(std::string(32, 'f')));
  EXPECT_FALSE(is_md5(std::string(32, 'F')));
  EXPECT_FALSE(is_md5(std::string(31, 'f')));
  EXPECT_FALSE(is_md5(std::string(33, 'f')));
}

TEST(Jwt, HasThreePartsOfBase64url) {
  EXPECT_TRUE(is_jwt("e30.e30.QQ"));
  for (const auto text : {"", "..", "e30.e30", "e30.e30.", ".e30.QQ", "e30..QQ", "e30.e30.QQ.QQ",
                          "e30.e30.QR", "e30.e30.QQ==", "e30.e30.QQ\n"})
    EXPECT_FALSE(is_jwt(text)) << text;
}

TEST(MimeType, HasARegisteredTopLevelTypeAndWellFormedParameters) {
  for (const auto text :
       {"text/html", "application/json; charset=utf-8", "APPLICATION/vnd.api+json",
        "video/mp4; codecs=\"avc1, mp4a\"", "multipart/form-data;boundary=x ; a=b"})
    EXPECT_TRUE(is_mime_type(text)) << text;
  for (const auto text : {"", "text", "text/", "/html", "f/b", "text/html;", "text/html; a",
                          "text/html; a=", "text/html; =b", "text/html a=b", "text/html; a=\"b",
                          "text/html; a=\"b\"c", "text/html; a=\"\r\n\"", "text/+",
                          "image/png; charset=utf-8", "text/html\r\n"})
    EXPECT_FALSE(is_mime_type(text)) << text;
  EXPECT_TRUE(is_mime_type("text/" + std::string(127, 'a')));
  EXPECT_FALSE(is_mime_type("text/" + std::string(128, 'a')));
}

TEST(DataUri, HasATypeOrNoneAndUrlCharacters) {
  for (const auto text : {"data:,", "data:,a%20b", "data:;base64,QQ==", "data:text/plain,x",
                          "DATA:image/png;BASE64,QQ==", "data:;charset=utf-8,x",
                          "data:text/plain;charset=utf-8;base64,QQ=="})
    EXPECT_TRUE(is_data_uri(text)) << text;
  for (const auto text : {"", "data:", "data:x", "data", "data:text,x", "data:,a b", "data:,%2",
                          "data:,%zz", " data:,x", "data:text/plain; a=b,x", "data:,<", "data:,a[",
                          "data:,a]", "data:,a#b", "data:;base64,QQ#="})
    EXPECT_FALSE(is_data_uri(text)) << text;
}

TEST(MagnetUri, HasAnExactTopicOfAKnownHash) {
  const std::string hash(40, 'a');
  const std::string base32(32, 'A');
  for (const auto& text :
       {"magnet:?xt=urn:btih:" + hash, "MAGNET:?dn=x&xt.1=urn:sha1:" + base32 + "&tr=y",
        "magnet:?xt=urn:tree:tiger:" + base32, "magnet:?xt=urn:btmh:1220" + std::string(64, 'f')})
    EXPECT_TRUE(is_magnet_uri(text)) << text;
  for (const auto& text :
       {std::string(), "magnet:xt=urn:btih:" + hash, "magnet:?xt.2=urn:btih:" + hash,
        "magnet:?xt=urn:none:" + hash, "magnet:?xt=urn:btih:" + hash + "a",
        "magnet:?xt=urn:btih:" + hash.substr(1), "magnet:?xxt=urn:btih:" + hash,
        "magnet:?xt=urn:btih:" + hash + "&dn=a b",
        "magnet:?xt=urn:btmh:1220" + std::string(63, 'f')})
    EXPECT_FALSE(is_magnet_uri(text)) << text;
}

TEST(Widths, TellCharactersApart) {
  EXPECT_TRUE(is_ascii("a\x7f"));
  EXPECT_FALSE(is_ascii("\x80"));
  EXPECT_FALSE(is_ascii(""));
  EXPECT_TRUE(is_multibyte("a\u00e9"));
  EXPECT_FALSE(is_multibyte("a"));
  EXPECT_FALSE(is_multibyte("\xff"));
  EXPECT_TRUE(is_full_width("\uff21"));
  EXPECT_FALSE(is_full_width("A\uff61"));
  EXPECT_TRUE(is_half_width("\uff61"));
  EXPECT_FALSE(is_half_width("\uff21"));
  EXPECT_TRUE(is_variable_width("A\uff21"));
  EXPECT_FALSE(is_variable_width("A"));
  EXPECT_TRUE(is_surrogate_pair("\U00010000"));
  EXPECT_FALSE(is_surrogate_pair("\uffff"));
}

TEST(Length, IsInclusiveAndCountsCodePoints) {
  EXPECT_TRUE(is_byte_length("ab", 2, 2));
  EXPECT_FALSE(is_byte_length("a", 2, 2));
  EXPECT_FALSE(is_byte_length("abc", 2, 2));
  EXPECT_TRUE(is_byte_length("", 0, 0));
  LengthOptions two;
  two.min = two.max = 2;
  EXPECT_TRUE(is_length("\u00e9\U0001f600", two));
  EXPECT_FALSE(is_length("a", two));
  EXPECT_FALSE(is_length("abc", two));
  EXPECT_FALSE(is_length("a\xff", two));
  EXPECT_FALSE(is_length("ab\ufe0f", two));
  two.ignore_variation_selectors = true;
  EXPECT_TRUE(is_length("ab\ufe0f", two));
  EXPECT_FALSE(
      is_length("\ufe0f"
                "ab",
                two));
  constexpr std::array<std::size_t, 2> lengths{1, 3};
  LengthOptions some;
  some.discrete = lengths;
  EXPECT_TRUE(is_length("abc", some));
  EXPECT_FALSE(is_length("ab", some));
  EXPECT_FALSE(is_length("", some));
  EXPECT_TRUE(is_length("", LengthOptions()));
}

}  // namespace
}  // namespace moat::validate
