// SPDX-License-Identifier: Apache-2.0
#include "moat/session/device_name.h"

#include <gtest/gtest.h>

#include "moat/session/session.h"

namespace moat::session {
namespace {

TEST(DeviceName, IsWhatAPersonRecognises) {
  constexpr const char* windows =
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 "
      "(KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36";
  EXPECT_EQ(device_name(windows), "Chrome on Windows");
  EXPECT_EQ(device_name(std::string(windows) + " Edg/138.0.0.0"), "Edge on Windows");
  EXPECT_EQ(device_name(std::string(windows) + " OPR/120.0"), "Opera on Windows");
  EXPECT_EQ(device_name("Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"),
            "Firefox on Windows");
  EXPECT_EQ(device_name("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
            "Firefox on Linux");
  EXPECT_EQ(device_name("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
                        "(KHTML, like Gecko) Version/18.5 Safari/605.1.15"),
            "Safari on macOS");
  EXPECT_EQ(device_name("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) "
                        "AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/138.0 Mobile Safari/604.1"),
            "Chrome on iPhone");
  EXPECT_EQ(device_name("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) "
                        "SamsungBrowser/28.0 Chrome/130.0 Mobile Safari/537.36"),
            "Samsung Internet on Android");
  EXPECT_EQ(device_name("curl/8.14.1"), "curl");
  EXPECT_EQ(device_name(""), "Unknown device");
  EXPECT_EQ(device_name("Windows"), "Windows");
  EXPECT_EQ(device_name(std::string(300, 'a')), std::string(40, 'a'));
}

TEST(DeviceName, TheOwnersNameGoesFirst) {
  Session session;
  session.user_agent = "curl/8";
  EXPECT_EQ(device_name_of(session), "curl");
  session.name = "The old laptop";
  EXPECT_EQ(device_name_of(session), "The old laptop");
}

}  // namespace
}  // namespace moat::session
