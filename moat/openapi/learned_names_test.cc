// SPDX-License-Identifier: Apache-2.0
#include "moat/openapi/internal/learned_names.h"

#include <gtest/gtest.h>

#include "moat/openapi/internal/learned_value.h"
#include "moat/validate/schema.h"

namespace moat::openapi {
namespace {

TEST(LearnedNames, SegmentsThatMayBeWords) {
  for (const std::string_view good : {"",
                                      "orders",
                                      "v1",
                                      "v12",
                                      "oauth2",
                                      "line-items",
                                      "lineItems",
                                      "LineItems",
                                      "_search",
                                      "openapi.json",
                                      "v1beta1",
                                      "v2alpha1",
                                      "getUserById",
                                      "GraphQL",
                                      "iPhoneXS",
                                      "s3bucket",
                                      "oauth2callback",
                                      "two_factor_authentication_backup_codes",
                                      "cafe",
                                      "feed"})
    EXPECT_TRUE(is_path_word(good)) << good;
  for (const std::string_view bad : {"1",
                                     "17",
                                     "2026-01-01",
                                     "v123",
                                     "f47ac10b-58cc-4372-a567-0e02b2c3d479",
                                     "deadbeef",
                                     "cafebabe1",
                                     "ann@example.com",
                                     "a b",
                                     "%",
                                     "\xc3\xa9",
                                     "a/b",
                                     "x:y",
                                     "dGhpcyBpcyBhIHRva2Vu",
                                     "AbCdEfGhIjKlMnOpQr",
                                     "dQw4w9WgXcQ",
                                     "aB3xYz9Q",
                                     "k3jx2q",
                                     "dQwWgXcQ",
                                     "..",
                                     ".hidden",
                                     "~ann",
                                     "9lives",
                                     "a{b}",
                                     "a?b"})
    EXPECT_FALSE(is_path_word(bad)) << bad;
  EXPECT_TRUE(is_path_word(std::string(LearnLimits::segment_bytes, 'z')));
  EXPECT_FALSE(is_path_word(std::string(LearnLimits::segment_bytes + 1, 'z')));
}

TEST(LearnedNames, NamesAreLearnableOrDataOrUnsafe) {
  for (const std::string_view name : {"id", "orderId", "order_id", "X-Y", "_links", "line1"})
    EXPECT_EQ(kind_of_name(name), NameKind::learnable) << name;
  for (const std::string_view name :
       {"", "1", "ann@example\xc2\xb7org", "Ann Smith", "tel:1", "a[b]", "\xc3\xa9t\xc3\xa9",
        "f47ac10b-58cc-4372-a567-0e02b2c3d479", "user1234", "@id"})
    EXPECT_EQ(kind_of_name(name), NameKind::other) << name;
  for (const std::string_view name :
       {"$gt", "__proto__", "constructor", "a.b", "ann@example.com", "a\nb", "\xff"})
    EXPECT_EQ(kind_of_name(name), NameKind::unsafe) << name;
  EXPECT_EQ(kind_of_name("filter[status]", Brackets::allowed), NameKind::learnable);
  EXPECT_EQ(kind_of_name("ids[]", Brackets::allowed), NameKind::learnable);
  EXPECT_EQ(kind_of_name("filter[$gt]", Brackets::allowed), NameKind::unsafe);
  EXPECT_EQ(kind_of_name(std::string(LearnLimits::name_bytes, 'a') + "z"), NameKind::other);
  EXPECT_EQ(kind_of_name(std::string(LearnLimits::name_bytes, 'z')), NameKind::learnable);
}

TEST(LearnedNames, ChoicesAreNamedByTheirLastWord) {
  for (const std::string_view name : {"status", "orderStatus", "order_status", "order-status",
                                      "STATUS", "status[]", "filter[status]", "Status"})
    EXPECT_TRUE(is_choice_name(name)) << name;
  for (const std::string_view name : {"", "name", "statusText", "username", "password", "apistatus",
                                      "city", "_", "status_message"})
    EXPECT_FALSE(is_choice_name(name)) << name;
}

TEST(LearnedNames, WordsAreShortAndInLowerCase) {
  for (const std::string_view word : {"open", "in_progress", "on-hold", "ok"})
    EXPECT_TRUE(is_plain_word(word)) << word;
  for (const std::string_view word : {"", "a", "Open", "OPEN", "open ", "v2", "a@b", "_x", "x-"})
    EXPECT_FALSE(is_plain_word(word)) << word;
  EXPECT_TRUE(is_plain_word(std::string(LearnLimits::word_bytes, 'a')));
  EXPECT_FALSE(is_plain_word(std::string(LearnLimits::word_bytes + 1, 'a')));
}

TEST(LearnedNames, ParametersAreNamedAfterWhatStandsBefore) {
  EXPECT_EQ(parameter_after("orders"), "orderId");
  EXPECT_EQ(parameter_after("categories"), "categoryId");
  EXPECT_EQ(parameter_after("boxes"), "boxId");
  EXPECT_EQ(parameter_after("addresses"), "addressId");
  EXPECT_EQ(parameter_after("status"), "statusId");
  EXPECT_EQ(parameter_after("line-items"), "lineItemId");
  EXPECT_EQ(parameter_after("Order_Lines"), "orderLineId");
  EXPECT_EQ(parameter_after("v1"), "v1Id");
  EXPECT_EQ(parameter_after("s"), "sId");
  EXPECT_EQ(parameter_after(""), "id");
  EXPECT_EQ(parameter_after("_"), "id");
}

// What is learned as a format must pass where the proposal asserts it.
TEST(LearnedNames, FormatsAreNoLooserThanTheSchemasOwn) {
  constexpr std::string_view texts[] = {"f47ac10b-58cc-4372-a567-0e02b2c3d479",
                                        "F47AC10B-58CC-4372-A567-0E02B2C3D479",
                                        "00000000-0000-0000-0000-000000000000",
                                        "f47ac10b58cc4372a5670e02b2c3d479",
                                        "2026-01-31",
                                        "2026-02-30",
                                        "2026-01-31T10:00:00Z",
                                        "2026-01-31T10:00:00.5+02:00",
                                        "2026-01-31 10:00:00",
                                        "2026-01-31T10:00:00",
                                        "2016-12-31T23:59:60Z",
                                        "ann@example.com",
                                        "ann@localhost",
                                        "ann",
                                        "\"a b\"@example.com",
                                        "a@b@c.de",
                                        "https://example.com",
                                        "https://example.com/a?b=c#d",
                                        "http://example.com/%zz",
                                        "https://example.com/a|b",
                                        "https://example.com/a#b#c",
                                        "https://ex\xc3\xa4mple.de",
                                        "ftp://example.com",
                                        "example.com",
                                        "https://",
                                        "https://[::1]/",
                                        "https://a.de/[x]",
                                        "http://user:pw@example.com:8080/",
                                        "mailto:ann@example.com",
                                        ""};
  std::size_t learned = 0;
  for (std::size_t i = 0; i < text_formats; ++i) {
    const auto format = static_cast<TextFormat>(i);
    const json::Value schema = json::Object{{"format", name_of(format)}};
    validate::SchemaOptions options;
    options.assert_formats = true;
    const auto compiled = validate::Schema::compile(schema, options);
    ASSERT_TRUE(compiled);
    for (const std::string_view text : texts) {
      if (!has_format(text, format)) continue;
      ++learned;
      EXPECT_TRUE(compiled->check(json::Value(text))) << name_of(format) << " " << text;
    }
  }
  EXPECT_GE(learned, 10u);
}

}  // namespace
}  // namespace moat::openapi
