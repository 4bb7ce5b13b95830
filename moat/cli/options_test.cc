// SPDX-License-Identifier: Apache-2.0
#include "moat/cli/options.h"

#include <gtest/gtest.h>

namespace moat::cli {
namespace {

const Command command{
    "run", "", "Runs.", {{"to", "URL", "The backend."}, {"verbose", "", "Says more."}}};

TEST(Arguments, TakesValuesBothWays) {
  const auto first = Arguments::parse(command, {"--to", "3000", "--verbose", "x"});
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->value("to"), "3000");
  EXPECT_TRUE(first->has("verbose"));
  EXPECT_EQ(first->positional(), std::vector<std::string>{"x"});
  EXPECT_EQ(Arguments::parse(command, {"--to=3000"})->value("to"), "3000");
}

TEST(Arguments, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(Arguments::parse(command, {"--too", "1"}).error(),
            "unknown option '--too'; did you mean '--to'?");
  EXPECT_FALSE(Arguments::parse(command, {"--to"}));
  EXPECT_FALSE(Arguments::parse(command, {"--verbose=1"}));
  EXPECT_FALSE(Arguments::parse(command, {"--to", "1", "--to", "2"}));
}

TEST(Arguments, ASwitchThatWasNotGivenIsOff) {
  const auto none = Arguments::parse(command, {});
  ASSERT_TRUE(none.has_value());
  EXPECT_FALSE(none->has("verbose"));
  EXPECT_FALSE(none->value("to"));
  EXPECT_TRUE(none->positional().empty());
}

TEST(Arguments, AValueMayLookLikeAnOption) {
  EXPECT_EQ(Arguments::parse(command, {"--to", "--verbose"})->value("to"), "--verbose");
  EXPECT_EQ(Arguments::parse(command, {"--to=a=b"})->value("to"), "a=b");
  EXPECT_EQ(Arguments::parse(command, {"--to="})->value("to"), "");
  EXPECT_EQ(Arguments::parse(command, {"-"})->positional(), std::vector<std::string>{"-"});
}

TEST(Arguments, RefusesASwitchGivenTwice) {
  EXPECT_TRUE(Arguments::parse(command, {"--verbose"}));
  EXPECT_EQ(Arguments::parse(command, {"--verbose", "--verbose"}).error(),
            "'--verbose' is given twice");
}

TEST(Usage, NamesEveryOption) {
  const std::string text = usage(command);
  EXPECT_EQ(text.rfind("moat run [options]\n  Runs.\n", 0), 0U);
  EXPECT_NE(text.find("  --to URL"), std::string::npos);
  EXPECT_NE(text.find("  --verbose"), std::string::npos);
  EXPECT_NE(text.find("Says more."), std::string::npos);
}

TEST(Arguments, NothingIsAnOptionBehindTwoDashes) {
  EXPECT_EQ(Arguments::parse(command, {"--", "--to"})->positional(),
            std::vector<std::string>{"--to"});
}

}  // namespace
}  // namespace moat::cli
