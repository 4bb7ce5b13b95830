// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/currency.h"

#include <algorithm>

#include "moat/validate/internal/ascii.h"

namespace moat::validate {
namespace {

using internal::all;
using internal::is_digit;

bool take_front(std::string_view& text, std::string_view part) {
  if (part.empty() || text.substr(0, part.size()) != part) return false;
  text.remove_prefix(part.size());
  return true;
}

bool take_back(std::string_view& text, std::string_view part) {
  if (part.empty() || text.size() < part.size() || text.substr(text.size() - part.size()) != part)
    return false;
  text.remove_suffix(part.size());
  return true;
}

// "0", "1234" or "1,234".
bool is_whole(std::string_view text, std::string_view separator) {
  if (text == "0") return true;
  if (text.empty() || !is_digit(text[0]) || text[0] == '0') return false;
  if (all(text, is_digit)) return true;
  const auto first = text.find(separator);
  if (separator.empty() || first == std::string_view::npos || first > 3) return false;
  if (!all(text.substr(0, first), is_digit)) return false;
  text.remove_prefix(first);
  while (take_front(text, separator)) {
    if (text.size() < 3 || !all(text.substr(0, 3), is_digit)) return false;
    text.remove_prefix(3);
  }
  return text.empty();
}

bool is_fraction(std::string_view text, const CurrencyOptions& options) {
  if (!options.allow_decimal || !all(text, is_digit)) return false;
  const auto& sizes = options.digits_after_decimal;
  if (sizes.empty()) return text.size() == 2;
  return std::find(sizes.begin(), sizes.end(), text.size()) != sizes.end();
}

bool is_amount(std::string_view text, const CurrencyOptions& options) {
  const auto point = text.find(options.decimal_separator);
  if (options.decimal_separator.empty() || point == std::string_view::npos)
    return !options.require_decimal && is_whole(text, options.thousands_separator);
  const auto whole = text.substr(0, point);
  return (whole.empty() || is_whole(whole, options.thousands_separator)) &&
         is_fraction(text.substr(point + options.decimal_separator.size()), options);
}

// Takes the symbol and the space beside it; whether there is one where there must be.
bool take_symbol(std::string_view& text, const CurrencyOptions& options) {
  if (options.symbol_after_digits) {
    if (!take_back(text, options.symbol)) return !options.require_symbol;
    if (options.allow_space_after_digits) take_back(text, " ");
    return true;
  }
  if (!take_front(text, options.symbol)) return !options.require_symbol;
  if (options.allow_negative_sign_placeholder) {
    if (text.substr(0, 2) != " -") take_front(text, " ");
  } else if (options.allow_space_after_symbol) {
    take_front(text, " ");
  }
  return true;
}

}  // namespace

bool is_currency(std::string_view text, const CurrencyOptions& options) {
  const bool sign = options.allow_negatives && !options.parens_for_negatives;
  const bool inside = options.negative_sign_before_digits || options.negative_sign_after_digits;
  if (options.allow_negatives && options.parens_for_negatives && take_front(text, "(") &&
      !take_back(text, ")"))
    return false;
  if (sign && !inside) take_front(text, "-");
  if (!take_symbol(text, options)) return false;
  if (sign && options.negative_sign_after_digits) {
    take_back(text, "-");
  } else if (sign && options.negative_sign_before_digits) {
    take_front(text, "-");
  }
  return is_amount(text, options);
}

}  // namespace moat::validate
