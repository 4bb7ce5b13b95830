// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/currency.h"

#include <gtest/gtest.h>

#include <array>

namespace moat::validate {
namespace {

TEST(Currency, IsAnAmountWithItsSymbol) {
  for (const auto* text : {"0", "1", "$1", "1234", "1,234", "$1,234,567.89", ".05", "$.05", "0.05"})
    EXPECT_TRUE(is_currency(text)) << text;
  for (const auto* text :
       {"",     "$",   ".",     "00",  "01",    "1,23",    "12,34.56", "1234,567",
        ",123", "1,",  "0,123", "1.2", "1.234", "1.23.45", "-1",       "$ 1",
        "1$",   "$$1", " 1",    "1 ",  "(1)",   "1,2345",  "1e3"})
    EXPECT_FALSE(is_currency(text)) << text;
}

TEST(Currency, OptionsChangeTheFraction) {
  CurrencyOptions whole;
  whole.allow_decimal = false;
  EXPECT_TRUE(is_currency("$1,234", whole));
  EXPECT_FALSE(is_currency("1.00", whole));
  CurrencyOptions cents;
  cents.require_decimal = cents.require_symbol = true;
  EXPECT_TRUE(is_currency("$1.00", cents));
  EXPECT_FALSE(is_currency("$1", cents));
  EXPECT_FALSE(is_currency("1.00", cents));
  constexpr std::array<std::size_t, 2> sizes{1, 3};
  CurrencyOptions some;
  some.digits_after_decimal = sizes;
  EXPECT_TRUE(is_currency("1.5", some));
  EXPECT_TRUE(is_currency("1.555", some));
  EXPECT_FALSE(is_currency("1.55", some));
}

TEST(Currency, NegativeAmountsHaveOneForm) {
  CurrencyOptions options;
  options.allow_negatives = true;
  EXPECT_TRUE(is_currency("-$1", options));
  for (const auto* text : {"$-1", "1-", "(1)", "--1", "-", "- 1"})
    EXPECT_FALSE(is_currency(text, options)) << text;
  auto parens = options;
  parens.parens_for_negatives = true;
  EXPECT_TRUE(is_currency("($1)", parens));
  for (const auto* text : {"-1", "(1", "1)", "()", "((1))"})
    EXPECT_FALSE(is_currency(text, parens)) << text;
  auto before = options;
  before.negative_sign_before_digits = true;
  EXPECT_TRUE(is_currency("$-1", before));
  EXPECT_FALSE(is_currency("-$1", before));
  auto after = options;
  after.negative_sign_after_digits = true;
  EXPECT_TRUE(is_currency("$1-", after));
  EXPECT_FALSE(is_currency("-1", after));
}

TEST(Currency, SymbolsStandWhereTheyShould) {
  CurrencyOptions euro;
  euro.symbol = "\u20ac";
  euro.symbol_after_digits = euro.allow_space_after_digits = true;
  euro.thousands_separator = ".";
  euro.decimal_separator = ",";
  for (const auto* text : {"1.234,56\u20ac", "1 \u20ac", "1"})
    EXPECT_TRUE(is_currency(text, euro)) << text;
  for (const auto* text : {"\u20ac"
                           "1",
                           "1  \u20ac", "1 ", "1,234.56", " \u20ac"})
    EXPECT_FALSE(is_currency(text, euro)) << text;
  CurrencyOptions crown;
  crown.symbol = "kr.";
  crown.allow_space_after_symbol = true;
  EXPECT_TRUE(is_currency("kr. 1", crown));
  EXPECT_TRUE(is_currency("kr.1", crown));
  EXPECT_FALSE(is_currency("kr.  1", crown));
  CurrencyOptions rand;
  rand.symbol = "R";
  rand.allow_negatives = rand.negative_sign_before_digits = rand.allow_negative_sign_placeholder =
      true;
  for (const auto* text : {"R 1", "R-1", "R1"}) EXPECT_TRUE(is_currency(text, rand)) << text;
  EXPECT_FALSE(is_currency("R -1", rand));
}

}  // namespace
}  // namespace moat::validate
