// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/numbers.h"

#include "moat/validate/coordinates.h"
#include "moat/validate/strings.h"
#include "tests/conform/validate_call.h"

namespace moat::conform {
namespace {

using namespace validate;

// The separator of the option "locale", a name or a list of one; nothing for an unknown one.
std::optional<std::string_view> separator(const Call& call) {
  const json::Value* locale = call.option("locale");
  if (locale != nullptr && locale->as_array() != nullptr && locale->as_array()->size() == 1)
    locale = &locale->as_array()->front();
  if (locale == nullptr) return ".";
  if (locale->as_string() == nullptr) return std::nullopt;
  return decimal_separator(*locale->as_string());
}

std::optional<double> number(const Call& call, std::string_view name) {
  const json::Value* value = call.option(name);
  return value == nullptr ? std::nullopt : value->as_number();
}

std::optional<std::int64_t> integer(const Call& call, std::string_view name) {
  const json::Value* value = call.option(name);
  if (value == nullptr || value->as_integer() == nullptr) return std::nullopt;
  return *value->as_integer();
}

Answer integral(const Call& call) {
  IntOptions options;
  options.min = integer(call, "min");
  options.max = integer(call, "max");
  options.gt = integer(call, "gt");
  options.lt = integer(call, "lt");
  options.allow_plus = options.allow_negative_zero = true;
  options.allow_leading_zeros = call.flag("allow_leading_zeroes", true);
  return from(is_int(call.text(), options));
}

FloatOptions loose_float() {
  FloatOptions options;
  options.allow_plus = options.allow_leading_zeros = options.allow_bare_separator = true;
  return options;
}

Answer floating(const Call& call) {
  const auto found = separator(call);
  if (!found) return Answer::unsupported;
  auto options = loose_float();
  options.decimal_separator = *found;
  options.min = number(call, "min");
  options.max = number(call, "max");
  options.gt = number(call, "gt");
  options.lt = number(call, "lt");
  return from(is_float(call.text(), options));
}

Answer decimal(const Call& call) {
  const auto found = separator(call);
  if (!found) return Answer::error;
  DecimalOptions options;
  options.decimal_separator = *found;
  options.require_fraction = call.flag("force_decimal", false);
  options.allow_plus = options.allow_leading_zeros = options.allow_bare_separator = true;
  if (const json::Value* digits = call.option("decimal_digits")) {
    // "2,3" or "2,": the bounds of a quantifier.
    if (digits->as_string() == nullptr) return Answer::unsupported;
    const std::string_view text = *digits->as_string();
    const auto comma = text.find(',');
    const auto min = to_int(text.substr(0, comma));
    if (!min) return Answer::unsupported;
    options.min_fraction_digits = static_cast<std::size_t>(*min);
    if (comma == std::string_view::npos) options.max_fraction_digits = options.min_fraction_digits;
    if (comma != std::string_view::npos && comma + 1 < text.size())
      options.max_fraction_digits =
          static_cast<std::size_t>(to_int(text.substr(comma + 1)).value_or(0));
  }
  return from(is_decimal(call.text(), options));
}

Answer numeric(const Call& call) {
  const auto found = separator(call);
  if (!found) return Answer::unsupported;
  const auto symbols = call.flag("no_symbols", false) ? Symbols::none : Symbols::allow;
  return from(is_numeric(call.text(), symbols, *found));
}

Answer octal(const Call& call) {
  OctalOptions options;
  options.allow_prefix = true;
  return from(is_octal(call.text(), options));
}

Answer divisible(const Call& call) {
  const json::Value* divisor = call.at(0);
  if (divisor == nullptr || divisor->as_integer() == nullptr) return Answer::unsupported;
  return from(is_divisible_by(call.text(), *divisor->as_integer()));
}

Answer lat_long(const Call& call) {
  if (call.flag("checkDMS", false)) return from(is_lat_long_dms(call.text(), Case::ignore));
  return from(is_lat_long(call.text()));
}

constexpr Validator table[] = {
    {"isDecimal", decimal}, {"isDivisibleBy", divisible}, {"isFloat", floating},
    {"isInt", integral},    {"isLatLong", lat_long},      {"isNumeric", numeric},
    {"isOctal", octal},
};

}  // namespace

std::span<const Validator> number_validators() { return table; }

}  // namespace moat::conform
