// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>

#include "moat/validate/internal/schema_program.h"

namespace moat::validate::schema {
namespace {

__extension__ using Wide = unsigned __int128;

// digits * 10^power, the sign left out; at most 19 digits.
struct Decimal {
  std::uint64_t digits = 0;
  int power = 0;
};

Decimal decimal_of(const json::Value& number) {
  if (const auto* integer = number.as_integer()) {
    const auto bits = static_cast<std::uint64_t>(*integer);
    return {*integer < 0 ? 0 - bits : bits, 0};
  }
  std::array<char, 64> text{};
  const double value = std::fabs(*number.as_number());
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

std::uint64_t mix(std::uint64_t seed, std::uint64_t value) {
  seed ^= value + 0x9e3779b97f4a7c15U + (seed << 6) + (seed >> 2);
  return seed * 0xff51afd7ed558ccdU;
}

bool is_number(const json::Value& value) {
  return value.as_integer() != nullptr || value.as_number().has_value();
}

}  // namespace

int compare_numbers(const json::Value& a, const json::Value& b) {
  const auto* left = a.as_integer();
  const auto* right = b.as_integer();
  if (left != nullptr && right != nullptr) return *left < *right ? -1 : *left > *right ? 1 : 0;
  if (left != nullptr) return compare(*left, *b.as_number());
  if (right != nullptr) return -compare(*right, *a.as_number());
  const double x = *a.as_number();
  const double y = *b.as_number();
  return x < y ? -1 : x > y ? 1 : 0;
}

bool is_integral(const json::Value& number) {
  if (number.as_integer() != nullptr) return true;
  const double value = *number.as_number();
  return std::isfinite(value) && std::trunc(value) == value;
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

bool is_multiple(const json::Value& number, const json::Value& divisor) {
  Decimal a = decimal_of(number);
  Decimal b = decimal_of(divisor);
  if (b.digits == 0) return false;
  if (a.digits == 0) return *number.as_number() == 0;
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

namespace {

class Deeper final {
 public:
  explicit Deeper(Steps& steps) : steps_(steps) { ++steps_.depth; }
  ~Deeper() { --steps_.depth; }
  Deeper(const Deeper&) = delete;  // counts once
  Deeper& operator=(const Deeper&) = delete;

 private:
  Steps& steps_;
};

}  // namespace

bool equal(const json::Value& a, const json::Value& b, Steps& steps) {
  const Deeper deeper(steps);
  if (!steps.spend(1)) return false;
  if (is_number(a)) return is_number(b) && compare_numbers(a, b) == 0;
  if (a.data().index() != b.data().index()) return false;
  if (const auto* text = a.as_string()) {
    return text->size() == b.as_string()->size() && steps.spend(text->size() / 64) &&
           *text == *b.as_string();
  }
  if (const auto* array = a.as_array()) {
    const json::Array& other = *b.as_array();
    if (array->size() != other.size()) return false;
    for (std::size_t i = 0; i < other.size(); ++i) {
      if (!equal((*array)[i], other[i], steps)) return false;
    }
    return true;
  }
  if (const auto* object = a.as_object()) {
    if (object->size() != b.as_object()->size()) return false;
    for (const auto& [name, value] : *object) {
      if (!steps.spend(1 + object->size() / 4)) return false;
      const json::Value* other = b.find(name);
      if (other == nullptr || !equal(value, *other, steps)) return false;
    }
    return true;
  }
  return a == b;
}

std::uint64_t hash(const json::Value& value) {
  const std::hash<std::string_view> text_hash;
  if (const auto number = value.as_number())
    return mix(1, std::hash<double>()(*number == 0 ? 0.0 : *number));
  if (const auto* text = value.as_string()) return mix(2, text_hash(*text));
  if (const auto* array = value.as_array()) {
    std::uint64_t out = 3;
    for (const json::Value& element : *array) out = mix(out, hash(element));
    return out;
  }
  if (const auto* object = value.as_object()) {
    std::uint64_t sum = 0;  // the order does not matter
    for (const auto& [name, member] : *object) sum += mix(text_hash(name), hash(member));
    return mix(4, sum);
  }
  if (const auto* truth = value.as_bool()) return mix(5, *truth ? 1 : 0);
  return 6;
}

namespace {

// Pays for hashing a value, which is safe then.
bool pay_for(const json::Value& value, Steps& steps) {
  const Deeper deeper(steps);
  if (!steps.spend(2)) return false;
  if (const auto* text = value.as_string()) return steps.spend(text->size() / 32);
  if (const auto* array = value.as_array()) {
    return std::all_of(array->begin(), array->end(),
                       [&](const json::Value& element) { return pay_for(element, steps); });
  }
  const auto* object = value.as_object();
  return object == nullptr || std::all_of(object->begin(), object->end(), [&](const auto& member) {
           return steps.spend(1 + member.first.size() / 32) && pay_for(member.second, steps);
         });
}

}  // namespace

bool all_unique(const json::Array& array, Steps& steps) {
  constexpr std::size_t few = 8;
  if (array.size() <= few) {
    for (std::size_t i = 1; i < array.size(); ++i) {
      for (std::size_t k = 0; k < i; ++k) {
        if (equal(array[i], array[k], steps) || steps.left == 0) return false;
      }
    }
    return true;
  }
  std::vector<std::pair<std::uint64_t, const json::Value*>> hashes;
  hashes.reserve(array.size());
  for (const json::Value& element : array) {
    if (!pay_for(element, steps)) return false;
    hashes.emplace_back(hash(element), &element);
  }
  std::sort(hashes.begin(), hashes.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    for (std::size_t k = i + 1; k < hashes.size() && hashes[k].first == hashes[i].first; ++k) {
      if (equal(*hashes[i].second, *hashes[k].second, steps) || steps.left == 0) return false;
    }
  }
  return true;
}

}  // namespace moat::validate::schema
