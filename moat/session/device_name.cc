// SPDX-License-Identifier: Apache-2.0
#include "moat/session/device_name.h"

namespace moat::session {

std::string device_name(std::string_view agent) {
  const auto has = [&](std::string_view part) {
    return agent.find(part) != std::string_view::npos;
  };
  // Most browsers name others beside themselves; iOS has spellings of its own.
  const char* browser = has("Edg/") || has("EdgA/") || has("EdgiOS/") ? "Edge"
                        : has("OPR/")                                 ? "Opera"
                        : has("SamsungBrowser/")                      ? "Samsung Internet"
                        : has("Firefox/") || has("FxiOS/")            ? "Firefox"
                        : has("CriOS/")                               ? "Chrome"
                        : has("Chrome/") || has("Chromium/")          ? "Chrome"
                        : has("Safari/")                              ? "Safari"
                        : has("curl/")                                ? "curl"
                                                                      : nullptr;
  const char* system = has("Android")    ? "Android"
                       : has("iPhone")   ? "iPhone"
                       : has("iPad")     ? "iPad"
                       : has("Windows")  ? "Windows"
                       : has("Mac OS X") ? "macOS"
                       : has("CrOS")     ? "ChromeOS"
                       : has("Linux")    ? "Linux"
                                         : nullptr;
  if (browser != nullptr && system != nullptr) return std::string(browser) + " on " + system;
  if (browser != nullptr) return browser;
  if (agent.empty()) return "Unknown device";
  return std::string(agent.substr(0, 40));
}

}  // namespace moat::session
