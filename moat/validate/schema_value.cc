// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "moat/validate/internal/schema_item.h"

namespace moat::validate::schema {
namespace {

__extension__ using Wide = unsigned __int128;

// digits * 10^power, the sign left out; at most 19 digits.
struct Decimal {
  std::uint64_t digits = 0;
  int power = 0;
};

Decimal decimal_of(const Number& number) {
  if (const auto* integer = number.integer()) {
    const auto bits = static_cast<std::uint64_t>(*integer);
    return {*integer < 0 ? 0 - bits : bits, 0};
  }
  std::array<char, 64> text{};
  const double value = std::fabs(number.as_double());
  if (!std::isfinite(value)) return {};
  // The shortest spelling has at most 17 digits.
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific);
  Decimal out;
  bool behind_point = false;
  const char* at = text.data();
  for (; at != end.ptr && *at != 'e'; ++at) {
    if (*at == '.') {
      behind_point = true;
      continue;
    }
    out.digits = out.digits * 10 + static_cast<std::uint64_t>(*at - '0');
    if (behind_point) --out.power;
  }
  int exponent = 0;
  if (at != end.ptr) {
    ++at;
    if (*at == '+') ++at;
    std::from_chars(at, end.ptr, exponent);
  }
  out.power += exponent;
  return out;
}

int sign(double value) { return value < 0 ? -1 : value > 0 ? 1 : 0; }

int compare(std::int64_t integer, double number) {
  constexpr double limit = 9223372036854775808.0;  // 2^63
  if (std::isnan(number) || number >= limit) return -1;
  if (number < -limit) return 1;
  const double whole = std::trunc(number);
  const auto other = static_cast<std::int64_t>(whole);
  if (integer != other) return integer < other ? -1 : 1;
  return -sign(number - whole);
}

}  // namespace

Number::Number(const json::Value& value) : Number(number_of(ValueItem(value))) {}

int compare_numbers(const Number& a, const Number& b) {
  const auto* left = a.integer();
  const auto* right = b.integer();
  if (left != nullptr && right != nullptr) return *left < *right ? -1 : *left > *right ? 1 : 0;
  if (left != nullptr) return compare(*left, b.as_double());
  if (right != nullptr) return -compare(*right, a.as_double());
  const double x = a.as_double();
  const double y = b.as_double();
  return x < y ? -1 : x > y ? 1 : 0;
}

bool is_integral(double number) { return std::isfinite(number) && std::trunc(number) == number; }
bool is_integral(const json::Value& number) {
  return number.as_integer() != nullptr || is_integral(*number.as_number());
}

std::optional<json::Value> to_number(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || !is_digit(text.back()) || !(is_digit(text[0]) || text[0] == '-'))
    return std::nullopt;
  auto parsed = json::parse(text);
  if (!parsed || !parsed->as_number() || (text[0] == '-' && *parsed->as_number() == 0))
    return std::nullopt;
  return *std::move(parsed);
}

bool is_multiple(const Number& number, const Number& divisor) {
  Decimal a = decimal_of(number);
  Decimal b = decimal_of(divisor);
  if (b.digits == 0) return false;
  if (a.digits == 0) return number.as_double() == 0;
  // Trailing zeros go into the power, so that what follows stays small.
  while (a.digits % 10 == 0) a.digits /= 10, ++a.power;
  while (b.digits % 10 == 0) b.digits /= 10, ++b.power;
  int shift = a.power - b.power;
  if (shift < 0) {
    // `a` does not end in 0, so it is a multiple of 10^-shift never.
    return false;
  }
  Wide rest = a.digits % b.digits;
  for (; shift > 0 && rest != 0; --shift) rest = rest * 10 % b.digits;
  return rest == 0;
}

bool equal(const json::Value& a, const json::Value& b, Steps& steps) {
  return equal_items(ValueItem(a), ValueItem(b), steps);
}

std::uint64_t hash(const json::Value& value) { return hash_item(ValueItem(value)); }

bool all_unique(const json::Array& array, Steps& steps) {
  return are_unique(ValueItem::Elements(array), array.size(), steps);
}

}  // namespace moat::validate::schema
