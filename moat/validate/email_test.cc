// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/email.h"

#include <gtest/gtest.h>

namespace moat::validate {
namespace {

std::string verdict(std::string_view text, const EmailOptions& options = {}) {
  const auto email = Email::parse(text, options);
  return email ? "ok" : std::string(to_string(email.error()));
}

TEST(Email, EverydayAddressesAreTaken) {
  for (const auto* good :
       {"foo@bar.com", "a@b.co", "foo@bar.com.au", "some.name+extension@GoogleMail.com",
        "O'Brian@example.ie", "test|123@example.com", "x_y-z@sub.domain.example", "1@1337.com",
        "hans@xn--mller-kva.com", "a=b#c%d@example.com"})
    EXPECT_EQ(verdict(good), "ok") << good;
}

TEST(Email, ItCannotCarryAHeaderACommandOrMarkup) {
  for (const std::string_view bad :
       {"a@b.co\r\nBcc: x@y.zz", "a\n@b.co", "a@b.co\n", "\"a\r\n\"@b.co", "\"quoted\"@b.co",
        "<script>@b.co", "a b@c.de", " a@b.co", "a@b.co ", "a@b.co,c@d.ee", "Name <a@b.co>",
        "a`id`@b.co", "a\\b@c.de", "a(comment)@b.co", "a\t@b.co", "a@[127.0.0.1]", "a;b@c.de"})
    EXPECT_EQ(verdict(bad), "forbidden_character") << bad;
  EXPECT_EQ(verdict(std::string_view("a\0@b.co", 7)), "forbidden_character");
  EXPECT_EQ(verdict(std::string_view("a@b.co\0", 7)), "forbidden_character");
  EXPECT_EQ(verdict("-oQ/tmp@b.co"), "malformed");
}

TEST(Email, InvisibleAndReorderingCharactersAreRefused) {
  EmailOptions utf8;
  utf8.allow_utf8_local_part = true;
  for (const auto* bad : {"a\xE2\x80\x8B@b.co", "a\xE2\x80\xAE@b.co", "a\xC2\xAD@b.co",
                          "\xEF\xBB\xBF"
                          "a@b.co",
                          "a\xC2\xA0@b.co", "a\xE3\x80\x80@b.co",
                          "a@b.\xE2\x80\x8D"
                          "co",
                          "a\xE2\x81\xA6@b.co", "a\xC3@b.co"})
    EXPECT_EQ(verdict(bad, utf8), "forbidden_character") << bad;
}

TEST(Email, OneAtAndNoStrayDots) {
  for (const auto* bad :
       {"invalid.com", "@b.co", "a@@b.co", "a@b@c.de", ".a@b.co", "a.@b.co", "a..b@c.de"})
    EXPECT_EQ(verdict(bad), "malformed") << bad;
  EXPECT_EQ(verdict(""), "empty");
}

TEST(Email, TheDomainIsMadeOfLabels) {
  for (const auto* bad : {"a@", "a@.co", "a@b.co.", "a@b..co", "a@-b.co", "a@b-.co", "a@_b.co",
                          "a@b.c", "a@1.2.3.4", "a@b.123", "a@b\xC3\xBC.de", "a@xn--.com"})
    EXPECT_EQ(verdict(bad), "bad_domain") << bad;
  EXPECT_EQ(verdict("a@" + std::string(63, 'b') + ".co"), "ok");
  EXPECT_EQ(verdict("a@" + std::string(64, 'b') + ".co"), "bad_domain");
}

TEST(Email, ADotIsNeededUnlessAllowed) {
  EXPECT_EQ(verdict("a@localhost"), "no_dot");
  EmailOptions options;
  options.allow_dotless_domain = true;
  EXPECT_EQ(verdict("a@localhost", options), "ok");
  EXPECT_EQ(verdict("a@-localhost", options), "bad_domain");
}

TEST(Email, LettersBeyondAsciiAreForTheOption) {
  EmailOptions options;
  options.allow_utf8_local_part = true;
  EXPECT_EQ(verdict("m\xC3\xBCller@example.com"), "malformed");
  EXPECT_EQ(verdict("m\xC3\xBCller@example.com", options), "ok");
}

TEST(Email, LengthsAreThoseOfTheStandard) {
  EXPECT_EQ(verdict(std::string(64, 'a') + "@b.co"), "ok");
  EXPECT_EQ(verdict(std::string(65, 'a') + "@b.co"), "too_long");
  const std::string label = std::string(60, 'b') + ".";
  const std::string domain = label + label + label;  // 183 bytes
  const std::string longest = std::string(64, 'a') + "@" + domain + std::string(6, 'c');
  ASSERT_EQ(longest.size(), 254u);
  EXPECT_EQ(verdict(longest), "ok");
  EXPECT_EQ(verdict(longest + "c"), "too_long");
}

TEST(Email, TheFormsForSendingAndForComparing) {
  const auto email = Email::parse("Alice.Smith+Shop@Example.COM");
  ASSERT_TRUE(email);
  EXPECT_EQ(email->canonical(), "Alice.Smith+Shop@example.com");
  EXPECT_EQ(email->lookup_key(), "alice.smith+shop@example.com");
  EXPECT_EQ(email->local_part(), "Alice.Smith+Shop");
  EXPECT_EQ(email->domain(), "example.com");
  EXPECT_EQ(*email, *Email::parse("alice.smith+shop@EXAMPLE.com"));
  EXPECT_FALSE(*email == *Email::parse("alice.smith@example.com"));
}

TEST(Email, IsEmailAgreesWithParse) {
  EXPECT_TRUE(is_email("foo@bar.com"));
  EXPECT_FALSE(is_email("foo@bar"));
}

}  // namespace
}  // namespace moat::validate
