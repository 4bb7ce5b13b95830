// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "moat/validate/internal/allocations.h"
#include "moat/validate/schema.h"

namespace moat::validate {
namespace {

using testing::allocations;

TEST(SchemaAllocation, AGoodValueCostsNone) {
  if (MOAT_COUNTS == 0) GTEST_SKIP() << "nothing is counted in this build";
  const auto schema = Schema::parse(R"({"type":"object","required":["id","name"],
      "properties":{"id":{"$ref":"#/$defs/id"},"name":{"type":"string","pattern":"^\\w+$"},
      "tags":{"uniqueItems":true,"items":{"enum":["a","b"]},"contains":{"const":"a"}},
      "at":{"oneOf":[{"type":"null"},{"format":"date-time"}]}},"propertyNames":{"maxLength":8},
      "allOf":[{"if":{"required":["at"]},"then":{"dependentRequired":{"at":["id"]}}}],
      "unevaluatedProperties":false,"$defs":{"id":{"type":"integer","multipleOf":0.5}}})");
  ASSERT_TRUE(schema);
  const json::Value value =
      json::parse(R"({"id":7,"name":"somebody_with_a_long_name","tags":["a","b"],
                      "at":"2026-11-24T09:08:07Z"})")
          .value();
  ASSERT_TRUE(schema->check(value));  // RE2 builds its states when they are first needed
  const std::size_t before = allocations;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(schema->check(value));
  EXPECT_EQ(allocations - before, 0U);
  EXPECT_TRUE(schema->validate(value, Report::all).empty());
  EXPECT_EQ(allocations - before, 0U);
}

}  // namespace
}  // namespace moat::validate
