// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace moat::validate {

// Numbers of mobile telephones. A yes says that the number is written as mobile numbers of that
// country are: its code, what it begins with and how long it is. Not that the block is given out,
// nor that somebody answers. Some countries' numbers do not tell what they belong to (Canada, the
// USA, Denmark, Chile, Mexico); there, and where validator.js takes them, fixed lines are taken,
// too (mobile_plans.cc says where). A text of more than 64 bytes is refused before it is looked at;
// nothing is allocated, and a check of any locale takes some microseconds. For one spelling to
// store, and for the kind of a number by its plan, there is moat::phone.

struct MobilePhoneOptions {
  // As it is dialled there ("0151…"), or without "+" and "00" where people write it so.
  bool allow_missing_plus = false;
  // One space, hyphen, dot or slash between groups, and "(0)", where people of that country write
  // them; most rows of the table have none.
  bool allow_separators = false;
};

// `locale` is one of some 170, such as de-DE, en-US or fr-CH; false for another. The language
// counts: de-AT is known, en-AT is not.
[[nodiscard]] bool is_mobile_phone(std::string_view text, std::string_view locale,
                                   const MobilePhoneOptions& options = {});
// Of any of those locales; false where there are none.
[[nodiscard]] bool is_mobile_phone(std::string_view text, std::span<const std::string_view> locales,
                                   const MobilePhoneOptions& options = {});
// Of any locale that is known. With allow_missing_plus that is nearly every text of seven to twelve
// digits.
[[nodiscard]] bool is_mobile_phone(std::string_view text, const MobilePhoneOptions& options = {});
[[nodiscard]] bool knows_mobile_phones_of(std::string_view locale);

}  // namespace moat::validate
