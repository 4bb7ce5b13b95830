// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace moat::validate::internal {

// What of the Bidi rule (RFC 5893 section 2) libidn2 leaves undone, which looks at one label at a
// time: in a name with a label written from right to left, the others begin and end with a letter
// of their direction; European and Arabic digits are not mixed (condition 4), and a label does not
// end in a hyphen or the like that bears a mark (conditions 3 and 6; to be simple, no letter may
// follow that mark either).
class BidiRule final {
 public:
  // Whether a text that is not empty begins with a mark.
  using BeginsWithMark = bool (*)(std::string_view text);

  // One more label of the name, decoded: valid UTF-8.
  void add(std::string_view label, BeginsWithMark begins_with_mark);
  bool holds() const { return !broken_ && !(has_right_to_left_ && has_weak_edge_); }

 private:
  bool has_right_to_left_ = false;
  bool has_weak_edge_ = false;  // of a label from left to right
  bool broken_ = false;
};

}  // namespace moat::validate::internal
