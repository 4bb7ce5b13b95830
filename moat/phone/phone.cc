// SPDX-License-Identifier: Apache-2.0
#include "moat/phone/phone.h"

#include <phonenumbers/logger.h>
#include <phonenumbers/phonenumberutil.h>

#include <algorithm>
#include <optional>
#include <set>

namespace moat::phone {
namespace {

namespace library = i18n::phonenumbers;
using library::PhoneNumberUtil;

// 15 digits are the most of E.164; what is dialled before them and separators come to less than
// this.
constexpr std::size_t max_bytes = 40;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_separator(char c) { return c == ' ' || c == '-' || c == '.'; }

const PhoneNumberUtil& plans() {
  static const PhoneNumberUtil& instance = []() -> PhoneNumberUtil& {
    PhoneNumberUtil& made = *PhoneNumberUtil::GetInstance();
    // It would write remarks about the input to standard output. It owns the logger.
    made.SetLogger(new library::NullLogger);
    return made;
  }();
  return instance;
}

const std::set<std::string>& regions() {
  static const std::set<std::string> known = [] {
    std::set<std::string> made;
    plans().GetSupportedRegions(&made);
    return made;
  }();
  return known;
}

// Whether a separator may stand between these two; a parenthesis has separators outside only.
constexpr bool may_separate(char before, char after) {
  return (is_digit(before) || before == ')') && (is_digit(after) || after == '(');
}

constexpr bool is_well_separated(std::string_view digits) {
  bool open = false;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const char before = i == 0 ? '\0' : digits[i - 1];
    const char after = i + 1 == digits.size() ? '\0' : digits[i + 1];
    const char c = digits[i];
    if (is_digit(c)) continue;
    if (is_separator(c) && may_separate(before, after)) continue;
    const bool turns = c == '(' ? !open && is_digit(after) : c == ')' && open && is_digit(before);
    if (!turns) return false;
    open = !open;
  }
  return !open;
}
static_assert(is_well_separated("0151-123 45") && is_well_separated("(0151) 12345"));
static_assert(!is_well_separated("0151--1") && !is_well_separated("01-") &&
              !is_well_separated("(01") && !is_well_separated("()1") &&
              !is_well_separated("((1))"));

std::optional<Refusal> check_spelling(std::string_view text, bool allow_separators) {
  if (text.empty()) return Refusal::empty;
  if (text.size() > max_bytes) return Refusal::too_long;
  if (text.front() == '+') text.remove_prefix(1);
  if (text.empty()) return Refusal::forbidden_character;
  const bool good =
      allow_separators ? is_well_separated(text) : std::all_of(text.begin(), text.end(), is_digit);
  if (good) return std::nullopt;
  return Refusal::forbidden_character;
}

// The number, where a plan has it; `region` is where a text without "+" is dialled.
std::optional<library::PhoneNumber> in_plan(std::string_view text, const std::string& region) {
  library::PhoneNumber number;
  if (plans().Parse(std::string(text), region, &number) != PhoneNumberUtil::NO_PARSING_ERROR ||
      !plans().IsValidNumber(number))
    return std::nullopt;
  return number;
}

std::optional<Kind> kind_of(const library::PhoneNumber& number) {
  switch (plans().GetNumberType(number)) {
    case PhoneNumberUtil::FIXED_LINE:
      return Kind::fixed_line;
    case PhoneNumberUtil::MOBILE:
      return Kind::mobile;
    case PhoneNumberUtil::FIXED_LINE_OR_MOBILE:
      return Kind::fixed_line_or_mobile;
    case PhoneNumberUtil::TOLL_FREE:
      return Kind::toll_free;
    case PhoneNumberUtil::PREMIUM_RATE:
      return Kind::premium_rate;
    case PhoneNumberUtil::SHARED_COST:
      return Kind::shared_cost;
    case PhoneNumberUtil::VOIP:
      return Kind::voip;
    case PhoneNumberUtil::PERSONAL_NUMBER:
      return Kind::personal;
    case PhoneNumberUtil::PAGER:
      return Kind::pager;
    case PhoneNumberUtil::UAN:
      return Kind::universal_access;
    case PhoneNumberUtil::VOICEMAIL:
      return Kind::voicemail;
    case PhoneNumberUtil::UNKNOWN:
      break;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::fixed_line:
      return "fixed line";
    case Kind::mobile:
      return "mobile";
    case Kind::fixed_line_or_mobile:
      return "fixed line or mobile";
    case Kind::toll_free:
      return "toll-free";
    case Kind::premium_rate:
      return "premium rate";
    case Kind::shared_cost:
      return "shared cost";
    case Kind::voip:
      return "VoIP";
    case Kind::personal:
      return "personal";
    case Kind::pager:
      return "pager";
    case Kind::universal_access:
      return "universal access";
    case Kind::voicemail:
      return "voicemail";
  }
  return "unknown";
}

std::string_view to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::empty:
      return "there is no telephone number";
    case Refusal::too_long:
      return "it is too long for a telephone number";
    case Refusal::forbidden_character:
      return "a telephone number is written with digits, behind a \"+\"";
    case Refusal::no_country:
      return "write the telephone number with \"+\" and its country code";
    case Refusal::not_in_plan:
      return "there is no such telephone number";
  }
  return "unknown";
}

Result<PhoneNumber, Refusal> PhoneNumber::parse(std::string_view text,
                                                const PhoneNumberOptions& options) {
  if (const auto refusal = check_spelling(text, options.allow_separators)) return Error{*refusal};
  std::string region(options.allow_national_in);
  if (text.front() != '+' && regions().count(region) == 0) return Error{Refusal::no_country};
  const auto number = in_plan(text, region);
  const auto kind = number ? kind_of(*number) : std::nullopt;
  if (!kind) return Error{Refusal::not_in_plan};
  PhoneNumber out;
  plans().Format(*number, PhoneNumberUtil::E164, &out.e164_);
  plans().GetRegionCodeForNumber(*number, &out.region_);
  out.kind_ = *kind;
  return out;
}

}  // namespace moat::phone
