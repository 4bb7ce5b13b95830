// SPDX-License-Identifier: Apache-2.0
#include "moat/openapi/internal/learned_value.h"

#include <utility>

#include "moat/validate/dates.h"
#include "moat/validate/email.h"
#include "moat/validate/strings.h"

namespace moat::openapi {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

// Of the web, with a scheme, and in the characters of RFC 3986 section 2.
bool is_web_uri(std::string_view text) {
  if (text.substr(0, 8) != "https://" && text.substr(0, 7) != "http://") return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3 || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
    } else if (!is_digit(c) && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
               std::string_view("-._~:/?#@!$&'()*+,;=").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return std::count(text.begin(), text.end(), '#') <= 1 && validate::is_url(text);
}

// Digits without a leading zero, which fit 64 bits.
bool is_integer(std::string_view text) {
  if (!text.empty() && text[0] == '-') text.remove_prefix(1);
  if (text.empty() || text.size() > 18 || (text[0] == '0' && text.size() > 1)) return false;
  return std::all_of(text.begin(), text.end(), is_digit);
}

bool is_decimal(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos || text.size() > 20) return false;
  const std::string_view fraction = text.substr(dot + 1);
  return is_integer(text.substr(0, dot)) && !fraction.empty() &&
         std::all_of(fraction.begin(), fraction.end(), is_digit);
}

json::Value types_of(json::Array types) {
  return types.size() == 1 ? std::move(types[0]) : json::Value(std::move(types));
}

}  // namespace

std::string_view name_of(TextFormat format) {
  switch (format) {
    case TextFormat::uuid:
      return "uuid";
    case TextFormat::date_time:
      return "date-time";
    case TextFormat::date:
      return "date";
    case TextFormat::email:
      return "email";
    case TextFormat::uri:
      break;
  }
  return "uri";
}

bool has_format(std::string_view text, TextFormat format) {
  switch (format) {
    case TextFormat::uuid:
      return is_uuid(text);
    case TextFormat::date_time:
      return validate::is_rfc3339(text);
    case TextFormat::date:
      return validate::is_date(text, {.format = "YYYY-MM-DD"});
    case TextFormat::email:
      return text.find('@') != std::string_view::npos && validate::is_email(text);
    case TextFormat::uri:
      break;
  }
  return is_web_uri(text);
}

// --------------------------------------------------------------------------------------- learning

void LearnedValue::add(const json::Value& value, Lesson& lesson, std::size_t depth) {
  const std::uint64_t request = lesson.request();
  if (value.is_null()) {
    nulls_.add(request);
  } else if (value.as_bool() != nullptr) {
    booleans_.add(request);
  } else if (value.as_integer() != nullptr) {
    integers_.add(request);
  } else if (const std::string* text = value.as_string()) {
    add_string(*text, lesson);
  } else if (const json::Array* array = value.as_array()) {
    add_array(*array, lesson, depth);
  } else if (const json::Object* object = value.as_object()) {
    add_object(*object, lesson, depth);
  } else {
    numbers_.add(request);
  }
}

void LearnedValue::add_text(std::string_view text, Lesson& lesson) {
  if (text.empty()) {
    nulls_.add(lesson.request());
  } else if (text == "true" || text == "false") {
    booleans_.add(lesson.request());
  } else if (is_integer(text)) {
    integers_.add(lesson.request());
  } else if (is_decimal(text)) {
    numbers_.add(lesson.request());
  } else {
    add_string(text, lesson);
  }
}

void LearnedValue::add_string(std::string_view text, Lesson& lesson) {
  strings_.add(lesson.request());
  if (texts_ == nullptr) {
    // Formats count from the first text on, or not at all.
    if (strings_.times() > 1 || !lesson.take(sizeof(Texts))) return;
    texts_ = std::make_unique<Texts>();
  }
  for (std::size_t i = 0; i < text_formats; ++i) {
    if (!has_format(text, static_cast<TextFormat>(i))) texts_->others[i].add(lesson.request());
  }
  if (words_allowed_) add_word(text, lesson);
}

void LearnedValue::add_word(std::string_view text, Lesson& lesson) {
  Texts& texts = *texts_;
  if (texts.too_many) return;
  const auto at = std::find_if(texts.words.begin(), texts.words.end(),
                               [text](const Word& word) { return word.text == text; });
  if (at != texts.words.end()) return at->seen.add(lesson.request());
  // One that is no word, or one too many: then nothing of what was seen is kept.
  if (!is_plain_word(text) || texts.words.size() == LearnLimits::words ||
      !lesson.take(sizeof(Word) + text.size())) {
    texts.too_many = true;
    texts.words = {};
    return;
  }
  texts.words.push_back({std::string(text), {}});
  texts.words.back().seen.add(lesson.request());
}

void LearnedValue::add_array(const json::Array& array, Lesson& lesson, std::size_t depth) {
  arrays_.add(lesson.request());
  if (array.empty()) return;
  if (depth >= LearnLimits::depth) {
    too_deep_ = true;
    return;
  }
  if (items_ == nullptr) {
    if (!lesson.take(sizeof(LearnedValue))) return;
    items_ = std::make_unique<LearnedValue>(words_allowed_ ? Words::listed : Words::never);
  }
  const std::size_t count = std::min(array.size(), LearnLimits::elements);
  for (std::size_t i = 0; i < count; ++i) items_->add(array[i], lesson, depth + 1);
}

LearnedMember* LearnedMembers::place_of(std::string_view name, Brackets brackets, Lesson& lesson) {
  if (const auto at = by_name.find(name); at != by_name.end()) return &at->second;
  if (is_map || kind_of_name(name, brackets) != NameKind::learnable) return nullptr;
  if (by_name.size() == LearnLimits::members) {
    const std::size_t before = bytes();
    std::erase_if(by_name,
                  [&](const auto& one) { return !lesson.belief().often(one.second.seen); });
    lesson.forget(before - bytes());
    is_map = true;  // from now on what is new is one of many
    return nullptr;
  }
  if (!lesson.take(sizeof(LearnedMember) + name.size())) return nullptr;
  const auto words =
      is_choice_name(name) ? LearnedValue::Words::listed : LearnedValue::Words::never;
  return &by_name.emplace(std::string(name), LearnedMember{{}, LearnedValue(words)}).first->second;
}

void LearnedValue::add_object(const json::Object& object, Lesson& lesson, std::size_t depth) {
  objects_.add(lesson.request());
  if (object.empty()) return;
  if (depth >= LearnLimits::depth) {
    too_deep_ = true;
    return;
  }
  if (members_ == nullptr) {
    if (!lesson.take(sizeof(LearnedMembers))) return;
    members_ = std::make_unique<LearnedMembers>();
  }
  for (const auto& [name, value] : object) {
    if (LearnedMember* member = members_->place_of(name, Brackets::refused, lesson)) {
      member->seen.add(lesson.request());
      member->value.add(value, lesson, depth + 1);
    } else if (kind_of_name(name) != NameKind::unsafe) {
      members_->others.add(lesson.request());
      members_->rest.add(value, lesson, depth + 1);
    }
  }
}

void LearnedMembers::trim(const Belief& belief) {
  std::erase_if(by_name, [&](const auto& one) { return !belief.often(one.second.seen); });
  for (auto& [name, member] : by_name) member.value.trim(belief);
  rest.trim(belief);
}

std::size_t LearnedMembers::bytes() const {
  std::size_t out = rest.bytes();
  for (const auto& [name, member] : by_name)
    out += size_with_overhead(sizeof(LearnedMember) + name.size()) + member.value.bytes();
  return out;
}

void LearnedValue::trim(const Belief& belief) {
  if (items_ != nullptr) items_->trim(belief);
  if (members_ != nullptr) members_->trim(belief);
}

std::size_t LearnedValue::bytes() const {
  std::size_t out = 0;
  if (texts_ != nullptr) {
    out += size_with_overhead(sizeof(Texts));
    for (const Word& word : texts_->words)
      out += size_with_overhead(sizeof(Word) + word.text.size());
  }
  if (items_ != nullptr) out += size_with_overhead(sizeof(LearnedValue)) + items_->bytes();
  if (members_ != nullptr) out += size_with_overhead(sizeof(LearnedMembers)) + members_->bytes();
  return out;
}

// -------------------------------------------------------------------------------------- proposing

std::uint32_t LearnedValue::most() const {
  return std::max({nulls_.requests(), booleans_.requests(), integers_.requests(),
                   numbers_.requests(), strings_.requests(), arrays_.requests(),
                   objects_.requests()});
}

json::Value LearnedValue::schema(const Belief& belief) const {
  const std::uint32_t all = most();
  const auto counts = [&](const Tally& tally) {
    return tally.requests() > 0 && !belief.seldom(tally, all);
  };
  json::Array types;
  if (counts(objects_)) types.emplace_back("object");
  if (counts(arrays_)) types.emplace_back("array");
  if (counts(strings_)) types.emplace_back("string");
  if (counts(numbers_)) {
    types.emplace_back("number");
  } else if (counts(integers_)) {
    types.emplace_back("integer");
  }
  if (counts(booleans_)) types.emplace_back("boolean");
  if (counts(nulls_)) types.emplace_back("null");
  if (types.empty()) return json::Object{};
  if (types.size() == 1 && counts(nulls_))
    return json::Object{{"description", "Only null was seen: say what it may be."}};
  json::Object out{{"type", types_of(std::move(types))}};
  if (counts(strings_)) {
    describe_strings(belief, out);
    if (!counts(integers_) && !counts(numbers_) && !counts(booleans_) && !counts(arrays_) &&
        !counts(objects_))
      list_words(belief, counts(nulls_), out);
  }
  if (counts(arrays_) && items_ != nullptr) out.emplace_back("items", items_->schema(belief));
  if (counts(objects_)) describe_objects(belief, out);
  if (too_deep_) out.emplace_back("description", "What is deeper in it was not learned.");
  return out;
}

json::Value LearnedValue::text_schema(const Belief& belief) const {
  const std::uint32_t all = most();
  const auto counts = [&](const Tally& tally) {
    return tally.requests() > 0 && !belief.seldom(tally, all);
  };
  const bool number = counts(integers_) || counts(numbers_);
  const bool text = counts(strings_) || (number && counts(booleans_)) ||
                    (!number && !counts(booleans_));  // only empty ones
  json::Object out;
  if (text) {
    out.emplace_back("type", "string");
    if (counts(strings_) && !number && !counts(booleans_)) {
      if (!counts(nulls_)) describe_strings(belief, out);
      if (!counts(nulls_)) list_words(belief, false, out);
    }
  } else {
    const char* const type = !number ? "boolean" : counts(numbers_) ? "number" : "integer";
    // An empty text reads as null.
    out.emplace_back("type", counts(nulls_) ? json::Value(json::Array{type, "null"}) : type);
  }
  if (!belief.often(arrays_)) return out;
  return json::Object{{"type", "array"}, {"items", std::move(out)}};
}

void LearnedValue::describe_strings(const Belief& belief, json::Object& out) const {
  if (texts_ == nullptr || !belief.often(strings_)) return;
  for (std::size_t i = 0; i < text_formats; ++i) {
    const Tally& others = texts_->others[i];
    if (others.requests() > 0 && !belief.seldom(others, strings_.requests())) continue;
    out.emplace_back("format", name_of(static_cast<TextFormat>(i)));
    return;
  }
}

void LearnedValue::list_words(const Belief& belief, bool with_null, json::Object& out) const {
  if (!words_allowed_ || texts_ == nullptr || texts_->too_many || texts_->words.size() < 2) return;
  const std::size_t least = std::max<std::size_t>(LearnLimits::word_requests, belief.min_count);
  const bool all_often = std::all_of(texts_->words.begin(), texts_->words.end(),
                                     [&](const Word& w) { return w.seen.requests() >= least; });
  if (!all_often) return;
  std::vector<std::string> words;
  for (const Word& word : texts_->words) words.push_back(word.text);
  std::sort(words.begin(), words.end());
  json::Array list;
  for (std::string& word : words) list.emplace_back(std::move(word));
  if (with_null) list.emplace_back(nullptr);
  out.emplace_back("enum", std::move(list));
}

void LearnedValue::describe_objects(const Belief& belief, json::Object& out) const {
  if (members_ == nullptr) return;
  json::Object properties;
  json::Array required;
  for (const auto& [name, member] : members_->by_name) {
    if (!belief.often(member.seen)) continue;
    properties.emplace_back(name, member.value.schema(belief));
    if (member.seen.times() == objects_.times()) required.emplace_back(name);
  }
  // An object is open only where names that are not listed are the rule in it: one of a stranger's
  // must not open what is closed.
  const bool open = belief.often(members_->others) &&
                    std::uint64_t{members_->others.requests()} * 4 >= objects_.requests();
  const bool lists = !properties.empty();
  if (lists) out.emplace_back("properties", std::move(properties));
  if (!required.empty()) out.emplace_back("required", std::move(required));
  if (open) {
    out.emplace_back("additionalProperties", members_->rest.schema(belief));
  } else if (lists) {
    out.emplace_back("additionalProperties", false);
  }
}

}  // namespace moat::openapi
