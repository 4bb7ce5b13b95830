// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/mail.h"

#include <gtest/gtest.h>

#include <string>

namespace moat::validate {
namespace {

TEST(Mailbox, IsAnAddressOrANameAndAnAddress) {
  for (const char* text :
       {"ann@example.com", "Ann <ann@example.com>", "Ann B. Example<ann@example.com>",
        "Ann O'Brian <ann@example.com>", "\"Example, Ann\" <ann@example.com>",
        "\"<a>\"<ann@example.com>", "\"\\\"Ann\\\"\" <ann@example.com>", "Änn <ann@example.com>"})
    EXPECT_TRUE(is_mailbox(text)) << text;
  for (const char* text : {"",
                           "<ann@example.com>",
                           " <ann@example.com>",
                           "Ann  <ann@example.com>",
                           " Ann <ann@example.com>",
                           "Ann  B <ann@example.com>",
                           "Ann < ann@example.com>",
                           "Ann <ann@example.com> ",
                           "Ann <ann@example.com",
                           "Ann ann@example.com>",
                           "Ann <>",
                           "Example, Ann <ann@example.com>",
                           "Ann <b@c.de> <ann@example.com>",
                           "Ann: <ann@example.com>",
                           "\"Ann <ann@example.com>",
                           "\"Ann\"\" <ann@example.com>",
                           "\"\" <ann@example.com>",
                           "\" \" <ann@example.com>",
                           "\"Ann\\\" <ann@example.com>",
                           "\"\\A\" <ann@example.com>",
                           "Ann\r\nBcc: x@y.com <ann@example.com>",
                           "\"Ann\r\n\" <ann@example.com>",
                           "Ann\u202e <ann@example.com>",
                           "Ann\xff <ann@example.com>"})
    EXPECT_FALSE(is_mailbox(text)) << text;
}

TEST(Mailbox, NeedsANameWhenAsked) {
  MailboxOptions options;
  options.require_name = true;
  EXPECT_TRUE(is_mailbox("Ann <ann@example.com>", options));
  EXPECT_FALSE(is_mailbox("ann@example.com", options));
}

TEST(Mailbox, HasAnEnd) {
  const std::string address = " <ann@example.com>";
  EXPECT_TRUE(is_mailbox(std::string(320 - address.size(), 'a') + address));
  EXPECT_FALSE(is_mailbox(std::string(321 - address.size(), 'a') + address));
}

TEST(EmailOfProvider, KeepsTheRuleOfGoogle) {
  EXPECT_TRUE(is_email_of_provider("a.b@example.com"));
  EXPECT_TRUE(is_email_of_provider("a.bcdef+x_y@gmail.com"));
  EXPECT_FALSE(is_email_of_provider("a.bcde@gmail.com"));
  EXPECT_FALSE(is_email_of_provider("abcde+abc@GoogleMail.com"));
  EXPECT_TRUE(is_email_of_provider(std::string(30, 'a') + "@gmail.com"));
  EXPECT_FALSE(is_email_of_provider(std::string(31, 'a') + "@gmail.com"));
  EXPECT_FALSE(is_email_of_provider("abc_def@gmail.com"));
  EXPECT_FALSE(is_email_of_provider("abcdef"));
}

TEST(MailtoUri, HasAddressesAndKnownFields) {
  for (const char* text :
       {"mailto:", "mailto:a@example.com", "MAILTO:a@example.com,b@example.com",
        "mailto:a%2Bb@example.com", "mailto:?to=a@example.com", "mailto:a@example.com?",
        "mailto:a@example.com?subject=one%20two&body=a%0D%0Ab&cc=b@example.com,c@example.com",
        "mailto:?Subject=&bcc=a@example.com", "mailto:?body="})
    EXPECT_TRUE(is_mailto_uri(text)) << text;
  for (const char* text : {"",
                           "mail:a@example.com",
                           "mailto:a",
                           "mailto:a@example.com,",
                           "mailto:a@example.com,,b@example.com",
                           "mailto:a@example.com?subject",
                           "mailto:a@example.com?cc=",
                           "mailto:?cc=a@example.com,",
                           "mailto:?subject=a&subject=b",
                           "mailto:?subject=a&SUBJECT=b",
                           "mailto:?x=1",
                           "mailto:?body=a&",
                           "mailto:?body=one two",
                           "mailto:?subject=a%0D%0ABcc:b@example.com",
                           "mailto:?subject=a%0a",
                           "mailto:?subject=%7f",
                           "mailto:?subject=%0",
                           "mailto:?subject=%zz",
                           "mailto:a%0a@example.com",
                           "mailto:?body=a#b",
                           "mailto:?body=<b>",
                           "mailto:?cc=ö@example.com",
                           "mailto:a@example.com?cc=b@c@example.com"})
    EXPECT_FALSE(is_mailto_uri(text)) << text;
}

TEST(MailtoUri, HasAnEnd) {
  const std::string head = "mailto:?body=";
  EXPECT_TRUE(is_mailto_uri(head + std::string(8192 - head.size(), 'a')));
  EXPECT_FALSE(is_mailto_uri(head + std::string(8193 - head.size(), 'a')));
}

}  // namespace
}  // namespace moat::validate
