// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace moat::validate::internal {

// What of the Bidi rule (RFC 5893 section 2) libidn2 leaves undone, which looks at one label at a
// time: in a name with a label written from right to left, the others begin and end with a letter
// of their direction; and European and Arabic digits are not mixed (condition 4).
class BidiRule final {
 public:
  // One more label of the name, decoded: valid UTF-8.
  void add(std::string_view label);
  bool holds() const { return !mixes_digits_ && !(has_right_to_left_ && has_weak_edge_); }

 private:
  bool has_right_to_left_ = false;
  bool has_weak_edge_ = false;  // of a label from left to right
  bool mixes_digits_ = false;
};

}  // namespace moat::validate::internal
