// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "moat/base/result.h"

namespace moat::phone {

// Telephone numbers by the numbering plans that libphonenumber carries. Plans change: a number that
// is refused today may be given out tomorrow, with the next release of that library. A yes says
// that the plan has such numbers, not that somebody answers. Whether a text has the form of
// a mobile number is moat::validate's is_mobile_phone, which needs no library and allocates
// nothing. A text longer than 40 bytes is refused before it is looked at; functions may be called
// from several threads at once.

// What a number is for, as its plan says.
enum class Kind {
  fixed_line,
  mobile,
  fixed_line_or_mobile,  // the plan does not tell them apart, as in the USA
  toll_free,
  premium_rate,
  shared_cost,
  voip,
  personal,
  pager,
  universal_access,
  voicemail
};
std::string_view to_string(Kind kind);

enum class Refusal {
  empty,
  too_long,
  forbidden_character,  // not "+" in front, digits, and separators where they are allowed
  no_country,           // no "+" and a country code; a region is not given, or is not known
  not_in_plan           // no plan has such numbers, or the number has another length
};
std::string_view to_string(Refusal refusal);

struct PhoneNumberOptions {
  // ISO 3166-1 alpha-2, upper-case. A text without "+" is read as it is dialled there ("0151…",
  // "0049151…"). Empty: "+" and the country code are required.
  std::string_view allow_national_in = {};
  // One space, hyphen or dot between two digits, and parentheses around digits.
  bool allow_separators = false;
};

// PhoneNumber is a number that some plan has. Only its parser makes one.
class PhoneNumber final {
 public:
  [[nodiscard]] static Result<PhoneNumber, Refusal> parse(std::string_view text,
                                                          const PhoneNumberOptions& options = {});
  // "+4915123456789" (ITU-T E.164): to store, to compare and to dial.
  const std::string& e164() const { return e164_; }
  // ISO 3166-1 alpha-2 ("DE"), or "001" for numbers of the whole world.
  const std::string& region() const { return region_; }
  Kind kind() const { return kind_; }
  // For a mobile telephone, or of a plan that does not tell.
  bool is_mobile() const { return kind_ == Kind::mobile || kind_ == Kind::fixed_line_or_mobile; }

  bool operator==(const PhoneNumber& other) const { return e164_ == other.e164_; }

 private:
  PhoneNumber() = default;
  std::string e164_;
  std::string region_;
  Kind kind_ = Kind::fixed_line;
};

}  // namespace moat::phone
