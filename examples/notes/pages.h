// SPDX-License-Identifier: Apache-2.0
// The pages of the sample backend, as HTML.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace notes {

struct Note {
  int id;
  std::string text;
};

// Who asks, as the gateway in front says it; empty for a visitor.
struct User {
  std::string id;
  std::string email;
  std::string roles;
  [[nodiscard]] bool known() const { return !id.empty(); }
};

[[nodiscard]] std::string home_page(const User& user, int visits);
[[nodiscard]] std::string notes_page(const User& user, const std::vector<Note>& notes,
                                     std::string_view complaint);
[[nodiscard]] std::string message_page(const User& user, std::string_view title,
                                       std::string_view text);

}  // namespace notes
