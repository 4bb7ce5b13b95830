// SPDX-License-Identifier: Apache-2.0
#pragma once

// How each type of member of a Body is read and described. body.h is what is used.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "moat/base/json.h"
#include "moat/base/secret.h"
#include "moat/validate/body_rules.h"

namespace moat::validate {

template <class T>
class Body;

// Part reads one type of member; `Rule` is what it may be told. A struct is read by its own Body.
template <class V>
class Part {
  static_assert(std::is_class_v<V> && std::is_default_constructible_v<V>,
                "a member is a string, Secret, bool, integer, double, enumeration, struct with a "
                "Body, or a vector or optional of these");

 public:
  using Rule = Body<V>;
  explicit Part(Rule rule) : body_(std::move(rule)) { body_.require_members(); }
  void read(BodyReader& in, const json::Value& value, V& out) const { body_.read(in, value, out); }
  json::Value schema() const { return body_.members_schema(); }

 private:
  Rule body_;
};

template <>
class Part<std::string> {
 public:
  using Rule = TextRule;
  explicit Part(const Rule& rule) : check_(rule) {}
  void read(BodyReader& in, const json::Value& value, std::string& out) const {
    in.text(value, check_, out);
  }
  json::Value schema() const { return check_.schema(); }

 private:
  TextCheck check_;
};

template <>
class Part<Secret> {
 public:
  using Rule = TextRule;
  explicit Part(const Rule& rule) : check_(rule) {}
  void read(BodyReader& in, const json::Value& value, Secret& out) const {
    std::string text;
    if (in.text(value, check_, text)) out = Secret::take(text);
  }
  json::Value schema() const { return check_.schema(); }

 private:
  TextCheck check_;
};

template <>
class Part<bool> {
 public:
  using Rule = FlagRule;
  explicit Part(const Rule&) {}
  void read(BodyReader& in, const json::Value& value, bool& out) const { in.flag(value, out); }
  json::Value schema() const { return json::Object{{"type", "boolean"}}; }
};

template <std::integral N>
class Part<N> {
  static_assert(sizeof(N) < 8 || std::is_signed_v<N>,
                "JSON's integers are read as 64 bits, signed");
  static_assert(!std::is_same_v<N, char>, "a character is a std::string");

 public:
  using Rule = NumberRule<N>;
  explicit Part(const Rule& rule) : rule_(rule) {}
  void read(BodyReader& in, const json::Value& value, N& out) const {
    std::int64_t number = 0;
    if (in.integer(value, rule_.min, rule_.max, number)) out = static_cast<N>(number);
  }
  json::Value schema() const {
    return json::Object{{"type", "integer"},
                        {"minimum", static_cast<std::int64_t>(rule_.min)},
                        {"maximum", static_cast<std::int64_t>(rule_.max)}};
  }

 private:
  Rule rule_;
};

template <>
class Part<double> {
 public:
  using Rule = NumberRule<double>;
  explicit Part(const Rule& rule) : rule_(rule) {}
  void read(BodyReader& in, const json::Value& value, double& out) const {
    in.number(value, rule_.min, rule_.max, out);
  }
  json::Value schema() const {
    json::Object out{{"type", "number"}};
    if (rule_.min != Rule{}.min) out.emplace_back("minimum", rule_.min);
    if (rule_.max != Rule{}.max) out.emplace_back("maximum", rule_.max);
    return json::Value(std::move(out));
  }

 private:
  Rule rule_;
};

template <class E>
requires std::is_enum_v<E>
class Part<E> {
 public:
  using Rule = ChoiceRule<E>;
  explicit Part(const Rule& rule) {
    for (const auto& [name, value] : rule.table) {
      names_.emplace_back(name);
      values_.push_back(value);
    }
    if (names_.empty()) std::abort();
  }
  void read(BodyReader& in, const json::Value& value, E& out) const {
    if (const auto index = in.choice(value, names_)) out = values_[*index];
  }
  json::Value schema() const {
    return json::Object{{"enum", json::Array(names_.begin(), names_.end())}};
  }

 private:
  std::vector<std::string> names_;
  std::vector<E> values_;
};

template <class V>
class Part<std::vector<V>> {
 public:
  using Rule = ListRule<typename Part<V>::Rule>;
  explicit Part(const Rule& rule) : min_(rule.min), max_(rule.max), each_(rule.each) {}
  void read(BodyReader& in, const json::Value& value, std::vector<V>& out) const {
    const auto elements = in.list(value, min_, max_);
    if (!elements) return;
    for (std::size_t i = 0; i < elements->size(); ++i) {
      V element{};
      in.enter(std::to_string(i));
      each_.read(in, (*elements)[i], element);
      in.leave();
      out.push_back(std::move(element));
    }
  }
  json::Value schema() const {
    return json::Object{{"type", "array"},
                        {"minItems", static_cast<std::int64_t>(min_)},
                        {"maxItems", static_cast<std::int64_t>(max_)},
                        {"items", each_.schema()}};
  }

 private:
  std::size_t min_, max_;
  Part<V> each_;
};

template <class V>
class Part<std::optional<V>> {
 public:
  using Rule = typename Part<V>::Rule;
  explicit Part(const Rule& rule) : part_(rule) {}
  void read(BodyReader& in, const json::Value& value, std::optional<V>& out) const {
    part_.read(in, value, out.emplace());
  }
  json::Value schema() const { return part_.schema(); }

 private:
  Part<V> part_;
};

}  // namespace moat::validate
