// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/coordinates.h"

#include <gtest/gtest.h>

#include <string>

namespace moat::validate {
namespace {

TEST(LatLongDms, HasDegreesMinutesAndSeconds) {
  for (const char* text : {"40° 26′ 46″ N, 79° 58′ 56″ W", "40°26′45.9996″N,79°58′55.2″E",
                           "40° 26' 46\" N, 79° 58' 56\" W", "90° 0′ 0″ S, 180° 0′ 0″ E",
                           "90° 0′ 0.00″ N, 0° 0′ 0″ W", "0° 59′ 59.9″ N, 179° 59′ 59.9″ W"})
    EXPECT_TRUE(is_lat_long_dms(text)) << text;
  for (const char* text : {"",
                           "40° 26′ 46″ N",
                           "40° 26′ 46″ N, ",
                           "91° 0′ 0″ N, 79° 58′ 56″ W",
                           "90° 0′ 0.1″ N, 0° 0′ 0″ W",
                           "90° 1′ 0″ N, 0° 0′ 0″ W",
                           "40° 60′ 0″ N, 79° 58′ 56″ W",
                           "40° 26′ 60″ N, 79° 58′ 56″ W",
                           "40° 26′ 46″ E, 79° 58′ 56″ W",
                           "40° 26′ 46″ N, 79° 58′ 56″ N",
                           "40° 26′ 46″ N, 181° 0′ 0″ W",
                           "180° 0′ 0″ N, 0° 0′ 0″ W",
                           "40° 46″ N, 79° 58′ 56″ W",
                           "040° 26′ 46″ N, 79° 58′ 56″ W",
                           "40° 26′ 46.″ N, 79° 58′ 56″ W",
                           "40° 26′ 46 N, 79° 58′ 56″ W",
                           "40° 26′ 46″ N 79° 58′ 56″ W",
                           "-40° 26′ 46″ N, 79° 58′ 56″ W",
                           "40° 26′ 46″ n, 79° 58′ 56″ w",
                           "40° 26′ 46″ N, 79° 58′ 56″ W "})
    EXPECT_FALSE(is_lat_long_dms(text)) << text;
}

TEST(LatLongDms, HasSmallLettersWhenCasesAreIgnored) {
  EXPECT_TRUE(is_lat_long_dms("40° 26′ 46″ n, 79° 58′ 56″ w", Case::ignore));
  EXPECT_FALSE(is_lat_long_dms("40° 26′ 46″ x, 79° 58′ 56″ w", Case::ignore));
}

TEST(LatLongDms, HasAnEnd) {
  EXPECT_FALSE(is_lat_long_dms("40° 26′ 46." + std::string(1000, '0') + "″ N, 79° 58′ 56″ W"));
}

}  // namespace
}  // namespace moat::validate
