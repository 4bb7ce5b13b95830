// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace moat::validate {

struct CurrencyOptions {
  std::string_view symbol = "$";
  bool require_symbol = false;
  bool symbol_after_digits = false;
  bool allow_space_after_symbol = false;
  bool allow_space_after_digits = false;  // before a symbol that comes after
  bool allow_negatives = false;
  // How a negative amount is written: "(1)", "$-1" or "1-"; "-$1" when none is set.
  bool parens_for_negatives = false;
  bool negative_sign_before_digits = false;
  bool negative_sign_after_digits = false;
  bool allow_negative_sign_placeholder = false;  // a space where the sign of "$-1" would be
  std::string_view thousands_separator = ",";
  std::string_view decimal_separator = ".";
  bool allow_decimal = true;
  bool require_decimal = false;
  // How many digits a fraction may have; empty: two.
  std::span<const std::size_t> digits_after_decimal = {};
};
// An amount of money: digits without leading zeros, or in groups of three, and a fraction. Linear
// in the text; allocates nothing. False for the empty text.
[[nodiscard]] bool is_currency(std::string_view text, const CurrencyOptions& options = {});

}  // namespace moat::validate
