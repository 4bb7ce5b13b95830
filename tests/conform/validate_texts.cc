// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/texts.h"

#include <cmath>

#include "moat/validate/alphabets.h"
#include "moat/validate/moments.h"
#include "moat/validate/numbers.h"
#include "moat/validate/strings.h"
#include "moat/validate/text_pattern.h"
#include "tests/conform/validate_call.h"

namespace moat::conform {
namespace {

using namespace validate;

Answer matches(const Call& call) {
  const auto compiled = pattern(call.at(0), call.word(1));
  return compiled ? from(compiled->is_found_in(call.text())) : Answer::unsupported;
}

// The characters of the text that the option "ignore" of isAlpha and isAlphanumeric names.
std::optional<std::string> ignored(const Call& call) {
  const json::Value* ignore = call.at(1) == nullptr ? nullptr : call.at(1)->find("ignore");
  if (ignore == nullptr) return std::string();
  if (ignore->as_string() != nullptr) return *ignore->as_string();
  const auto compiled = pattern(ignore, {});
  if (!compiled) return std::nullopt;
  std::string out;
  for (int c = 1; c < 128; ++c) {
    const std::string one(1, static_cast<char>(c));
    if (compiled->is_found_in(one)) out += one;
  }
  return out;
}

Answer letters(const Call& call,
               bool (*check)(std::string_view, std::string_view, std::string_view)) {
  std::string locale = call.word(0).empty() ? "en-US" : call.word(0);
  if (locale == "pl-Pl") locale = "pl-PL";
  const auto ignore = ignored(call);
  if (!ignore || !knows_alphabet_of(locale)) return Answer::error;
  return from(check(call.text(), locale, *ignore));
}

Answer alpha(const Call& call) { return letters(call, is_alpha_in); }
Answer alphanumeric(const Call& call) { return letters(call, is_alphanumeric_in); }

Answer boolean(const Call& call) {
  BooleanOptions options;
  options.allow_yes_no = options.allow_any_case = call.flag("loose", false);
  return from(is_boolean(call.text(), options));
}

Answer contains_part(const Call& call) {
  ContainsOptions options;
  if (const json::Value* given = call.at(1)) {
    const json::Value* ignore = given->find("ignoreCase");
    if (ignore != nullptr && *ignore == json::Value(true)) options.letters = Case::ignore;
    const json::Value* least = given->find("minOccurrences");
    if (least != nullptr && least->as_integer() != nullptr)
      options.min_occurrences = static_cast<std::size_t>(*least->as_integer());
  }
  return from(contains(call.text(), call.word(0), options));
}

Answer in(const Call& call) {
  const json::Value* values = call.at(0);
  if (values == nullptr) return Answer::no;
  auto texts = words(values);
  // An object stands for its keys.
  if (const auto* object = values->as_object())
    for (const json::Member& member : *object) texts.push_back(member.first);
  if (values->as_string() != nullptr) texts.push_back(*values->as_string());
  return from(is_in(call.text(), texts));
}

Answer empty(const Call& call) {
  return from(is_empty(call.text(), call.flag("ignore_whitespace", false) ? Whitespace::ignore
                                                                          : Whitespace::counts));
}

Answer json_text(const Call& call) {
  const auto top = call.flag("allow_any_value", false)    ? JsonTop::allow_anything
                   : call.flag("allow_primitives", false) ? JsonTop::allow_literals
                                                          : JsonTop::object_or_array;
  return from(is_json(call.text(), top));
}

PasswordForm password_form(const Call& call) {
  PasswordForm form;
  const auto set = [&call](std::size_t& field, std::string_view name) {
    const json::Value* value = call.option(name);
    if (value != nullptr && value->as_integer() != nullptr)
      field = static_cast<std::size_t>(*value->as_integer());
  };
  set(form.min_length, "minLength");
  set(form.min_lowercase, "minLowercase");
  set(form.min_uppercase, "minUppercase");
  set(form.min_numbers, "minNumbers");
  set(form.min_symbols, "minSymbols");
  return form;
}

json::Value password_result(const Call& call) {
  if (!call.flag("returnScore", false)) return is_strong_password(call.text(), password_form(call));
  PasswordPoints points;
  const auto set = [&call](double& field, std::string_view name) {
    const json::Value* value = call.option(name);
    if (value != nullptr) field = value->as_number().value_or(field);
  };
  set(points.per_unique, "pointsPerUnique");
  set(points.per_repeat, "pointsPerRepeat");
  set(points.for_lower, "pointsForContainingLower");
  set(points.for_upper, "pointsForContainingUpper");
  set(points.for_number, "pointsForContainingNumber");
  set(points.for_symbol, "pointsForContainingSymbol");
  const double score = password_score(call.text(), points);
  if (std::floor(score) == score) return static_cast<std::int64_t>(score);
  return score;
}

constexpr Validator table[] = {
    {"contains", contains_part},
    {"equals", [](const Call& c) { return from(equals(c.text(), c.word(0))); }},
    {"isAlpha", alpha},
    {"isAlphanumeric", alphanumeric},
    {"isBoolean", boolean},
    {"isEmpty", empty},
    {"isIn", in},
    {"isJSON", json_text},
    {"isLowercase", [](const Call& c) { return from(is_lowercase(c.text())); }},
    {"isStrongPassword",
     [](const Call& c) { return from(is_strong_password(c.text(), password_form(c))); }},
    {"isUppercase", [](const Call& c) { return from(is_uppercase(c.text())); }},
    {"matches", matches},
    {"isWhitelisted", [](const Call& c) { return from(is_whitelisted(c.text(), c.word(0))); }},
};

bool is_true(const Call& call) { return call.at(0) != nullptr && *call.at(0) == json::Value(true); }

json::Value not_a_number() { return json::Object{{"$number", "NaN"}}; }

json::Value integer_result(const Call& call) {
  const auto radix = call.integer("radix", 0).value_or(10);
  const auto value = to_int(call.text(), static_cast<unsigned>(radix));
  return value ? json::Value(*value) : not_a_number();
}

json::Value date_result(const Call& call) {
  MomentOptions options;
  options.allow_other_forms = true;
  const auto date = to_date(call.text(), options);
  return date ? json::Value(json::Object{{"$date", format_rfc3339_millis(*date)}}) : json::Value();
}

json::Value float_result(const Call& call) {
  FloatOptions options;
  options.allow_plus = options.allow_leading_zeros = options.allow_bare_separator = true;
  const auto value = to_float(call.text(), options);
  if (!value) return not_a_number();
  if (std::floor(*value) == *value && std::abs(*value) < 1e15)
    return static_cast<std::int64_t>(*value);
  return *value;
}

json::Value normalized_email(const Call& call) {
  NormalizeEmailOptions options;
  const auto set = [&call](bool& field, std::string_view name) { field = call.flag(name, field); };
  set(options.all_lowercase, "all_lowercase");
  set(options.gmail_lowercase, "gmail_lowercase");
  set(options.gmail_remove_dots, "gmail_remove_dots");
  set(options.gmail_remove_subaddress, "gmail_remove_subaddress");
  set(options.gmail_convert_googlemaildotcom, "gmail_convert_googlemaildotcom");
  set(options.icloud_lowercase, "icloud_lowercase");
  set(options.icloud_remove_subaddress, "icloud_remove_subaddress");
  set(options.outlookdotcom_lowercase, "outlookdotcom_lowercase");
  set(options.outlookdotcom_remove_subaddress, "outlookdotcom_remove_subaddress");
  set(options.yahoo_lowercase, "yahoo_lowercase");
  set(options.yahoo_remove_subaddress, "yahoo_remove_subaddress");
  set(options.yandex_lowercase, "yandex_lowercase");
  set(options.yandex_convert_yandexru, "yandex_convert_yandexru");
  const auto address = normalize_email(call.text(), options);
  return address ? json::Value(*address) : json::Value(false);
}

json::Value trimmed(const Call& call, std::string_view (*cut)(std::string_view, std::string_view)) {
  const std::string characters = call.at(0) == nullptr ? " \t\r\n\v\f" : call.word(0);
  return cut(call.text(), characters);
}

constexpr Sanitizer sanitizer_table[] = {
    {"blacklist", [](const Call& c) { return json::Value(blacklist(c.text(), c.word(0))); }},
    {"escape", [](const Call& c) { return json::Value(escape(c.text())); }},
    {"isStrongPassword", password_result},
    {"ltrim", [](const Call& c) { return trimmed(c, ltrim); }},
    {"normalizeEmail", normalized_email},
    {"rtrim", [](const Call& c) { return trimmed(c, rtrim); }},
    {"stripLow",
     [](const Call& c) {
       return json::Value(strip_low(c.text(), is_true(c) ? NewLines::keep : NewLines::remove));
     }},
    {"toBoolean",
     [](const Call& c) {
       return json::Value(
           to_boolean(c.text(), is_true(c) ? Truth::strict : Truth::allow_other_words));
     }},
    {"toDate", date_result},
    {"toFloat", float_result},
    {"toInt", integer_result},
    {"toString", [](const Call& c) { return json::Value(c.text()); }},
    {"trim", [](const Call& c) { return trimmed(c, trim); }},
    {"unescape", [](const Call& c) { return json::Value(unescape(c.text())); }},
    {"whitelist", [](const Call& c) { return json::Value(whitelist(c.text(), c.word(0))); }},
};

}  // namespace

std::optional<validate::TextPattern> pattern(const json::Value* given, std::string flags) {
  if (given == nullptr) return std::nullopt;
  const json::Value* source = given->find("$regex");
  const json::Value* written = given->find("$flags");
  if (written != nullptr && written->as_string() != nullptr) flags += *written->as_string();
  const json::Value* text = source == nullptr ? given : source;
  if (text->as_string() == nullptr) return std::nullopt;
  validate::TextPatternOptions options;
  if (flags.find('i') != std::string::npos) options.letters = validate::Case::ignore;
  auto compiled = validate::TextPattern::compile(*text->as_string(), options);
  if (!compiled) return std::nullopt;
  return std::move(*compiled);
}

std::span<const Validator> text_validators() { return table; }
std::span<const Sanitizer> sanitizers() { return sanitizer_table; }

}  // namespace moat::conform
