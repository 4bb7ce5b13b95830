// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace moat::session {

// The names of Moat's cookies. The prefix __Host-Http- binds them to the host (Secure, Path=/, no
// Domain) and to HTTP: script can neither read nor set them; browsers that do not know it yet treat
// it as __Host-.
inline constexpr std::string_view access_cookie = "__Host-Http-at";
inline constexpr std::string_view refresh_cookie = "__Host-Http-rt";
// Binds a form token before there is a session.
inline constexpr std::string_view pre_session_cookie = "__Host-Http-pre";
// A device from which its owner has logged in before.
inline constexpr std::string_view device_cookie = "__Host-Http-dev";
// What stands behind each of them.
inline constexpr std::string_view cookie_attributes = "; Path=/; Secure; HttpOnly; SameSite=Lax";

}  // namespace moat::session
