// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace moat::session {

// "Firefox on Windows": what a person recognises of a User-Agent. What no browser says is cut to 40
// characters; without any it is "Unknown device". As untrusted as the text it is from: escape it.
std::string device_name(std::string_view user_agent);

// The same of a session or a notice, where its owner gave no name.
template <class Place>
std::string device_name_of(const Place& place) {
  return place.name.empty() ? device_name(place.user_agent) : place.name;
}

}  // namespace moat::session
