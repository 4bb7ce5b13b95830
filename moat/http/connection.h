// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "moat/http/headers.h"

namespace moat::http {

// ConnectionOptions are the options of the Connection field(s) (RFC 9110 section 7.6.1): views into
// the message, at most `capacity` beside close, keep-alive and upgrade.
class ConnectionOptions final {
 public:
  static constexpr std::size_t capacity = 16;

  // add reads one Connection field. False for what is no list of tokens, for too many options, and
  // for an option that names an end-to-end field (Cookie, X-Moat-User, Content-Length …), by which
  // a client would have the gateway drop what the backend relies on.
  [[nodiscard]] bool add(std::string_view field_value);

  bool close() const { return close_; }
  bool keep_alive() const { return keep_alive_; }
  bool upgrade() const { return upgrade_; }
  // Whether a field of that name was listed.
  bool lists(std::string_view name) const;
  void clear() {
    size_ = 0;
    close_ = keep_alive_ = upgrade_ = false;
  }

 private:
  std::array<std::string_view, capacity> names_;
  std::size_t size_ = 0;
  bool close_ = false;
  bool keep_alive_ = false;
  bool upgrade_ = false;
};

// is_hop_by_hop tells the fields that end at this hop and are never forwarded: the fixed ones and
// those that the Connection field lists. Transfer-Encoding is among them: framing is made anew.
[[nodiscard]] bool is_hop_by_hop(Known known);
[[nodiscard]] bool is_hop_by_hop(const Header& field, const ConnectionOptions& options);

// is_intermediary_only tells the request fields that a client may not set because backends trust
// whoever stands before them: X-Forwarded-*, Forwarded, X-Real-IP, X-Original-URL, X-Moat-* and
// shadows. Drop them unless the peer is a trusted proxy, and X-Moat-* and shadows even then.
[[nodiscard]] bool is_intermediary_only(Known known);

}  // namespace moat::http
