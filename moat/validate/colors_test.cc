// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/colors.h"

#include <gtest/gtest.h>

namespace moat::validate {
namespace {

TEST(RgbColor, HasThreeChannelsOfOneKind) {
  for (const auto* text : {"rgb(0,0,0)", "rgb(255,255,255)", "rgb(0%,100%,5%)", "rgba(0,0,0,0)",
                           "rgba(0,0,0,1)", "rgba(0,0,0,.5)", "rgba(0,0,0,1.0)"})
    EXPECT_TRUE(is_rgb_color(text)) << text;
  for (const auto* text :
       {"", "rgb", "rgb()", "rgb(256,0,0)", "rgb(101%,0%,0%)", "rgb(0,0,0%)", "rgb(0,0)",
        "rgb(0,0,0,0)", "rgba(0,0,0)", "rgba(0,0,0,1.1)", "rgba(0,0,0,-1)", "rgba(0,0,0,1.)",
        "rgb(0,0,0", "rgb(0,0,0))", "rgb(00,0,0)", "rgb(-1,0,0)", "rgb( 0,0,0)", "RGB(0,0,0)",
        "rgb (0,0,0)"})
    EXPECT_FALSE(is_rgb_color(text)) << text;
  RgbColorOptions options;
  options.allow_spaces = options.forbid_percent = true;
  EXPECT_TRUE(is_rgb_color("rgba( 0 , 0 , 0 , .5 )", options));
  for (const auto* text : {"rgb(0%,0%,0%)", "rgb (0,0,0)", "rgb(0 0 0)", "rg b(0,0,0)"})
    EXPECT_FALSE(is_rgb_color(text, options)) << text;
}

TEST(Hsl, HasAHueAndTwoPercentages) {
  for (const auto* text : {"hsl(0,0%,0%)", "HSLA(-540.5deg, 100%, 100%, .5)",
                           "hsl(1turn 60% 70% / 15%)", "hsl(270 60% 70%)"})
    EXPECT_TRUE(is_hsl(text)) << text;
  for (const auto* text :
       {"", "hsl", "hsl()", "hsl(0,0%)", "hsl(0,0,0)", "hsl(0,101%,0%)", "hsl(0,100.1%,0%)",
        "hsl(0,-1%,0%)", "hsl(0,0%,0%", "hsl(0 ,0% 0%)", "hsl(0 0%,0%)", "hsl(0 0%0%)",
        "hsl(00%0%)", "hsl(0,0%,0%/1)", "hsl(0 0% 0%,1)", "hsl(deg,0%,0%)", "hsl(0 deg,0%,0%)",
        "hsl (0,0%,0%)", "hsl(0,0%,0%))"})
    EXPECT_FALSE(is_hsl(text)) << text;
}

}  // namespace
}  // namespace moat::validate
