// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/internal/layout.h"

#include <gtest/gtest.h>

#include <string>

namespace moat::validate::internal {
namespace {

// The matcher runs at compile time too: tables are checked there.
static_assert(fits("AB#", "AB1") && !fits("AB#", "AB") && !fits("AB#", "AB12"));
static_assert(fits("#@*[AC-E]", "1B2D") && !fits("#@*[AC-E]", "1B2B"));
static_assert(is_layout("A{2,3}") && !is_layout("A{3,2}") && !is_layout("A{0}"));

TEST(Layout, CountsFromTheLeastToTheMost) {
  for (const char* text : {"12", "123", "1234", "12345"}) {
    const std::string_view view(text);
    EXPECT_EQ(fits("#{3}", view), view.size() == 3) << text;
    EXPECT_EQ(fits("#{3,4}", view), view.size() == 3 || view.size() == 4) << text;
    EXPECT_EQ(fits("#{2,4}5", view), view == "12345") << text;
  }
}

TEST(Layout, LeavesOutWhatMayBeLeftOut) {
  EXPECT_TRUE(fits("##-?##", "12-34"));
  EXPECT_TRUE(fits("##-?##", "1234"));
  EXPECT_FALSE(fits("##-?##", "12--34"));
  EXPECT_FALSE(fits("##-?##", "12-3"));
  EXPECT_TRUE(fits("#{5}(-#{4})?", "12345-6789"));
  EXPECT_TRUE(fits("#{5}(-#{4})?", "12345"));
  EXPECT_TRUE(fits("#( ?A)?", "1A") && fits("#( ?A)?", "1 A") && fits("#( ?A)?", "1"));
  EXPECT_FALSE(fits("#( ?A)?", "1 "));
  EXPECT_FALSE(fits("#{5}(-#{4})?", "12345-"));
  EXPECT_FALSE(fits("#{5}(-#{4})?", "12345-678"));
}

TEST(Layout, TriesEveryWayThrough) {
  EXPECT_TRUE(fits("@{1,3}@{1,2}#{1,4}", "ABCDE1234"));
  EXPECT_TRUE(fits("@{1,3}@{1,2}#{1,4}", "AB1"));
  EXPECT_FALSE(fits("@{1,3}@{1,2}#{1,4}", "A1"));
  EXPECT_FALSE(fits("@{1,3}@{1,2}#{1,4}", "ABCDEF1"));
  EXPECT_TRUE(fits("A#|B##", "B12"));
  EXPECT_FALSE(fits("A#|B##", "A12"));
}

TEST(Layout, KnowsCases) {
  EXPECT_FALSE(fits("@A[A-C]*", "xaby"));
  EXPECT_TRUE(fits("@A[A-C]*", "xaby", Case::ignore));
  EXPECT_FALSE(fits("@A[A-C]*", "xadz", Case::ignore));
}

TEST(Layout, ReadsBytesBeyondAsciiAsThemselves) {
  EXPECT_TRUE(fits("#·#", "1·2"));
  EXPECT_FALSE(fits("#·#", "1\xc2.2"));
  EXPECT_TRUE(fits("[(]#[)]", "(1)") && fits("[[]#]", "[1]"));
  EXPECT_FALSE(fits("[(]#[)]", "1"));
}

TEST(Layout, HasAnEnd) {
  EXPECT_TRUE(fits("*{50}*?", std::string(50, '1')));
  EXPECT_TRUE(fits("*{63}", std::string(63, '1')));
  EXPECT_FALSE(is_layout("*{64}"));
  EXPECT_FALSE(fits("*{63}", std::string(65, '1')));
  EXPECT_FALSE(fits("*{63}", ""));
  EXPECT_FALSE(fits("A?", ""));
}

TEST(Layout, IsRefusedWhenItDoesNotRead) {
  for (const char* layout : {"", "|A", "A|", "[", "[]", "A{", "A{2", "A{x}", "?", "{2}", "(A", "A)",
                             "(A)", "()?", "((A)?)?", "A{101}"})
    EXPECT_FALSE(is_layout(layout)) << layout;
}

TEST(Layout, TablesAreSortedAndRead) {
  constexpr PlaceLayout good[] = {{"A", "#"}, {"B", "##"}};
  constexpr PlaceLayout unsorted[] = {{"B", "#"}, {"A", "##"}};
  constexpr PlaceLayout twice[] = {{"A", "#"}, {"A", "##"}};
  constexpr PlaceLayout broken[] = {{"A", "["}};
  static_assert(is_table(good) && !is_table(unsorted) && !is_table(twice) && !is_table(broken));
  EXPECT_EQ(layout_of(good, "B"), "##");
  EXPECT_EQ(layout_of(good, "C"), "");
}

}  // namespace
}  // namespace moat::validate::internal
