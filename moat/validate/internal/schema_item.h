// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a schema is asked about: a json::Value, or an item of a json::Document. Both are read
// through the same functions (those of json::Item), so that the checks are written once.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "moat/base/json.h"
#include "moat/base/json_document.h"
#include "moat/validate/internal/schema_program.h"

namespace moat::validate::schema {

class ValueItem final {
 public:
  explicit ValueItem(const json::Value& value) : value_(&value) {}
  json::Kind kind() const { return static_cast<json::Kind>(value_->data().index()); }
  bool boolean() const { return *value_->as_bool(); }
  std::int64_t integer() const { return *value_->as_integer(); }
  double number() const { return *std::get_if<double>(&value_->data()); }
  std::string_view text() const { return *value_->as_string(); }
  std::size_t size() const {
    if (const auto* array = value_->as_array()) return array->size();
    if (const auto* object = value_->as_object()) return object->size();
    return 0;
  }

  class Elements final {
   public:
    class Iterator final {
     public:
      explicit Iterator(const json::Value* at) : at_(at) {}
      ValueItem operator*() const { return ValueItem(*at_); }
      Iterator& operator++() { return ++at_, *this; }
      bool operator==(const Iterator&) const = default;

     private:
      const json::Value* at_;
    };
    explicit Elements(const json::Array& array) : array_(&array) {}
    Iterator begin() const { return Iterator(array_->data()); }
    Iterator end() const { return Iterator(array_->data() + array_->size()); }

   private:
    const json::Array* array_;
  };
  class Members final {
   public:
    class Iterator final {
     public:
      explicit Iterator(const json::Member* at) : at_(at) {}
      std::pair<std::string_view, ValueItem> operator*() const {
        return {at_->first, ValueItem(at_->second)};
      }
      Iterator& operator++() { return ++at_, *this; }
      bool operator==(const Iterator&) const = default;

     private:
      const json::Member* at_;
    };
    explicit Members(const json::Object& object) : object_(&object) {}
    Iterator begin() const { return Iterator(object_->data()); }
    Iterator end() const { return Iterator(object_->data() + object_->size()); }

   private:
    const json::Object* object_;
  };
  Elements elements() const { return Elements(*value_->as_array()); }
  Members members() const { return Members(*value_->as_object()); }

 private:
  const json::Value* value_;
};

// A text as an item, which lives as long as this.
template <class Item>
class NameItem;
template <>
class NameItem<ValueItem> final {
 public:
  explicit NameItem(std::string_view text) : value_(text) {}  // a short one fits into its string
  ValueItem item() const { return ValueItem(value_); }

 private:
  json::Value value_;
};
template <>
class NameItem<json::Item> final {
 public:
  explicit NameItem(std::string_view text) : text_(text) {}
  json::Item item() const { return text_.item(); }

 private:
  json::TextItem text_;
};

template <class Item>
std::optional<Item> find_member(Item object, std::string_view name) {
  if (object.kind() != json::Kind::object) return std::nullopt;
  for (const auto [other, value] : object.members()) {
    if (other == name) return value;
  }
  return std::nullopt;
}

template <class Item>
Number number_of(Item number) {
  return number.kind() == json::Kind::integer ? Number(number.integer()) : Number(number.number());
}
inline bool is_number(json::Kind kind) {
  return kind == json::Kind::integer || kind == json::Kind::number;
}

// The bits of a value's types: an integer has two, as has a number that is whole.
inline std::uint32_t types_of(json::Kind kind) {
  constexpr std::array<std::uint32_t, 7> types{
      type_null,  type_boolean, type_number | type_integer, type_number, type_string,
      type_array, type_object};
  return types[static_cast<std::size_t>(kind)];
}
template <class Item>
std::uint32_t types_of(Item value) {
  const bool whole = value.kind() == json::Kind::number && is_integral(value.number());
  return types_of(value.kind()) | (whole ? type_integer : 0U);
}

// Counts how deep it is while it lives.
class Deeper final {
 public:
  explicit Deeper(Steps& steps) : steps_(steps) { ++steps_.depth; }
  ~Deeper() { --steps_.depth; }
  Deeper(const Deeper&) = delete;  // counts once
  Deeper& operator=(const Deeper&) = delete;

 private:
  Steps& steps_;
};

// Equality by JSON Schema section 4.2.2; false when the steps run out.
template <class A, class B>
bool equal_items(A a, B b, Steps& steps) {
  const Deeper deeper(steps);
  if (!steps.spend_within(1)) return false;
  const json::Kind kind = a.kind();
  if (is_number(kind))
    return is_number(b.kind()) && compare_numbers(number_of(a), number_of(b)) == 0;
  if (kind != b.kind()) return false;
  if (kind == json::Kind::string) {
    const std::string_view text = a.text();
    return text.size() == b.text().size() && steps.spend(text.size() / 64) && text == b.text();
  }
  if (kind == json::Kind::boolean) return a.boolean() == b.boolean();
  if (a.size() != b.size()) return false;
  if (kind == json::Kind::array) {
    const auto others = b.elements();
    auto other = others.begin();
    for (const A element : a.elements()) {
      if (!equal_items(element, *other, steps)) return false;
      ++other;
    }
  } else if (kind == json::Kind::object) {
    for (const auto [name, value] : a.members()) {
      if (!steps.spend(1 + a.size() / 4)) return false;
      const auto other = find_member(b, name);
      if (!other || !equal_items(value, *other, steps)) return false;
    }
  }
  return true;
}

inline std::uint64_t mix(std::uint64_t seed, std::uint64_t value) {
  seed ^= value + 0x9e3779b97f4a7c15U + (seed << 6) + (seed >> 2);
  return seed * 0xff51afd7ed558ccdU;
}

// Equal values have equal hashes.
template <class Item>
std::uint64_t hash_item(Item value) {
  const std::hash<std::string_view> text_hash;
  switch (value.kind()) {
    case json::Kind::null:
      return 6;
    case json::Kind::boolean:
      return mix(5, value.boolean() ? 1 : 0);
    case json::Kind::integer:
    case json::Kind::number: {
      const double number = number_of(value).as_double();
      return mix(1, std::hash<double>()(number == 0 ? 0.0 : number));
    }
    case json::Kind::string:
      return mix(2, text_hash(value.text()));
    case json::Kind::array: {
      std::uint64_t out = 3;
      for (const Item element : value.elements()) out = mix(out, hash_item(element));
      return out;
    }
    case json::Kind::object:
      break;
  }
  std::uint64_t sum = 0;  // the order does not matter
  for (const auto [name, member] : value.members()) sum += mix(text_hash(name), hash_item(member));
  return mix(4, sum);
}

// Pays for hashing a value, which is safe then.
template <class Item>
bool pay_for(Item value, Steps& steps) {
  const Deeper deeper(steps);
  if (!steps.spend_within(2)) return false;
  const json::Kind kind = value.kind();
  if (kind == json::Kind::string) return steps.spend(value.text().size() / 32);
  if (kind == json::Kind::array) {
    for (const Item element : value.elements())
      if (!pay_for(element, steps)) return false;
  } else if (kind == json::Kind::object) {
    for (const auto [name, member] : value.members())
      if (!steps.spend(1 + name.size() / 32) || !pay_for(member, steps)) return false;
  }
  return true;
}

// Whether no two of `count` elements are equal; false when the steps run out.
template <class Elements>
bool are_unique(Elements elements, std::size_t count, Steps& steps) {
  using Item = decltype(*elements.begin());
  constexpr std::size_t few = 8;
  if (count <= few) {
    for (auto one = elements.begin(); one != elements.end(); ++one) {
      for (auto other = elements.begin(); other != one; ++other) {
        if (equal_items(*one, *other, steps) || steps.left == 0) return false;
      }
    }
    return true;
  }
  std::vector<std::pair<std::uint64_t, Item>> hashes;
  hashes.reserve(count);
  for (const Item element : elements) {
    if (!pay_for(element, steps)) return false;
    hashes.emplace_back(hash_item(element), element);
  }
  std::sort(hashes.begin(), hashes.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    for (std::size_t k = i + 1; k < hashes.size() && hashes[k].first == hashes[i].first; ++k) {
      if (equal_items(hashes[i].second, hashes[k].second, steps) || steps.left == 0) return false;
    }
  }
  return true;
}

}  // namespace moat::validate::schema
