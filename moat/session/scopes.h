// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace moat::session {

// What a token or key may be used for, beside what its user may: "read", "orders:write". A scope
// is spelled with a-z, 0-9, ':', '.', '_' and '-', 1 to 64 of them.
using Scopes = std::vector<std::string>;
inline constexpr std::size_t most_scopes = 32;  // of one token or key

[[nodiscard]] bool is_valid_scope(std::string_view scope);
// Scopes separated by single spaces, each once (RFC 6749 section 3.3); empty text is no scope.
// Nullopt for anything else, and for more than `most_scopes` or 512 bytes.
[[nodiscard]] std::optional<Scopes> parse_scopes(std::string_view text);
// The same text again.
std::string to_text(const Scopes& scopes);

}  // namespace moat::session
