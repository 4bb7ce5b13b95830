// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/dates.h"

#include "moat/validate/currency.h"
#include "moat/validate/moments.h"
#include "tests/conform/validate_call.h"

namespace moat::conform {
namespace {

using namespace validate;

Answer currency(const Call& call) {
  CurrencyOptions options;
  const json::Value* symbol = call.option("symbol");
  const json::Value* thousands = call.option("thousands_separator");
  const json::Value* decimal = call.option("decimal_separator");
  if (symbol != nullptr && symbol->as_string() != nullptr) options.symbol = *symbol->as_string();
  if (thousands != nullptr && thousands->as_string() != nullptr)
    options.thousands_separator = *thousands->as_string();
  if (decimal != nullptr && decimal->as_string() != nullptr)
    options.decimal_separator = *decimal->as_string();
  std::vector<std::size_t> sizes;
  const json::Value* digits = call.option("digits_after_decimal");
  if (digits != nullptr && digits->as_array() != nullptr)
    for (const json::Value& size : *digits->as_array())
      if (size.as_integer() != nullptr)
        sizes.push_back(static_cast<std::size_t>(*size.as_integer()));
  options.digits_after_decimal = sizes;
  options.require_symbol = call.flag("require_symbol", false);
  options.symbol_after_digits = call.flag("symbol_after_digits", false);
  options.allow_space_after_symbol = call.flag("allow_space_after_symbol", false);
  options.allow_space_after_digits = call.flag("allow_space_after_digits", false);
  options.allow_negatives = call.flag("allow_negatives", true);
  options.parens_for_negatives = call.flag("parens_for_negatives", false);
  options.negative_sign_before_digits = call.flag("negative_sign_before_digits", false);
  options.negative_sign_after_digits = call.flag("negative_sign_after_digits", false);
  options.allow_negative_sign_placeholder = call.flag("allow_negative_sign_placeholder", false);
  options.allow_decimal = call.flag("allow_decimal", true);
  options.require_decimal = call.flag("require_decimal", false);
  return from(is_currency(call.text(), options));
}

Answer date(const Call& call) {
  DateOptions options;
  const json::Value* format = call.option("format");
  if (format == nullptr) format = call.at(0);
  if (format != nullptr && format->as_string() != nullptr) options.format = *format->as_string();
  std::string delimiters;
  for (const std::string_view one : words(call.option("delimiters"))) delimiters += one;
  if (call.option("delimiters") == nullptr) delimiters = "/-";
  if (!call.flag("strictMode", false)) options.allow_delimiters = delimiters;
  return from(is_date(call.text(), options));
}

Answer time(const Call& call) {
  const auto is = [&call](std::string_view name, const char* value) {
    const json::Value* option = call.option(name);
    return option != nullptr && *option == json::Value(value);
  };
  const auto seconds = is("mode", "withSeconds")           ? Seconds::required
                       : is("mode", "withOptionalSeconds") ? Seconds::optional
                                                           : Seconds::none;
  return from(is_time(
      call.text(), is("hourFormat", "hour12") ? HourFormat::hour12 : HourFormat::hour24, seconds));
}

Answer iso8601(const Call& call) {
  Iso8601Options options;
  options.allow_space_separator = !call.flag("strictSeparator", false);
  options.allow_impossible_dates = !call.flag("strict", false);
  options.allow_mixed_forms = true;
  return from(is_iso8601(call.text(), options));
}

Answer rfc3339(const Call& call) {
  Rfc3339Options options;
  options.allow_space_separator = options.allow_impossible_dates = options.allow_any_leap_second =
      true;
  return from(is_rfc3339(call.text(), options));
}

// The date to compare with: an option, an argument, or now. The peer's cases have the day after the
// one they were written on, in 2026, so this clock stands still at the beginning of that year.
std::optional<Time> comparison(const Call& call) {
  const json::Value* date = call.option("comparisonDate");
  if (date == nullptr && call.at(0) != nullptr && call.at(0)->as_string() != nullptr)
    date = call.at(0);
  if (date == nullptr || date->as_string() == nullptr) return to_date("2026-01-01");
  MomentOptions options;
  options.allow_other_forms = true;
  return to_date(*date->as_string(), options);
}

Answer compare(const Call& call, bool (*check)(std::string_view, Time, const MomentOptions&)) {
  const auto date = comparison(call);
  MomentOptions options;
  options.allow_other_forms = true;
  return from(date && check(call.text(), *date, options));
}

constexpr Validator table[] = {
    {"isAfter", [](const Call& c) { return compare(c, is_after); }},
    {"isBefore", [](const Call& c) { return compare(c, is_before); }},
    {"isCurrency", currency},
    {"isDate", date},
    {"isISO8601", iso8601},
    {"isRFC3339", rfc3339},
    {"isTime", time},
};

}  // namespace

std::span<const Validator> date_validators() { return table; }

}  // namespace moat::conform
