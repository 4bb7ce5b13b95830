// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/texts.h"

#include <algorithm>
#include <array>

#include "moat/base/encoding.h"
#include "moat/base/json.h"
#include "moat/base/replace.h"
#include "moat/validate/internal/ascii.h"
#include "moat/validate/strings.h"

namespace moat::validate {
namespace {

using internal::all;
using internal::is_alnum;
using internal::is_digit;
using internal::is_letter;
using internal::is_lower;
using internal::is_upper;

// ASCII's punctuation, without which a password policy is none.
constexpr std::string_view symbols = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

// Takes one character of UTF-8 off the front, or one byte that is none: then the result is empty.
std::string_view take_character(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const auto character = text.substr(0, size);
  const bool good = character.size() == size && is_valid_utf8(character);
  text.remove_prefix(good ? size : 1);
  return good ? character : std::string_view();
}

bool has_character(std::string_view characters, std::string_view character) {
  return characters.find(character) != std::string_view::npos;
}

std::string filter(std::string_view text, std::string_view characters, bool keep) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto character = take_character(text);
    if (!character.empty() && has_character(characters, character) == keep) out += character;
  }
  return out;
}

struct Reference {
  char character;
  std::string_view reference;
};
constexpr Reference references[] = {{'&', "&amp;"},   {'<', "&lt;"},    {'>', "&gt;"},
                                    {'"', "&quot;"},  {'\'', "&#x27;"}, {'/', "&#x2F;"},
                                    {'\\', "&#x5C;"}, {'`', "&#96;"}};
constexpr Replacements escaped = [] {
  Replacements out;
  for (const auto& [character, reference] : references) out.set(character, reference);
  return out;
}();

struct Kinds {
  std::size_t lower = 0, upper = 0, numbers = 0, symbols = 0;
};

Kinds count_kinds(std::string_view text) {
  Kinds kinds;
  for (const char c : text) {
    kinds.lower += is_lower(c) ? 1 : 0;
    kinds.upper += is_upper(c) ? 1 : 0;
    kinds.numbers += is_digit(c) ? 1 : 0;
    kinds.symbols += internal::contains(symbols, c) ? 1 : 0;
  }
  return kinds;
}

}  // namespace

bool contains(std::string_view text, std::string_view part, const ContainsOptions& options) {
  if (part.empty()) return true;
  std::size_t found = 0;
  while (text.size() >= part.size() && found < options.min_occurrences) {
    const auto head = text.substr(0, part.size());
    const bool here = options.letters == Case::exact ? head == part : ascii_iequals(head, part);
    found += here ? 1 : 0;
    text.remove_prefix(here ? part.size() : 1);
  }
  return found >= options.min_occurrences;
}

bool equals(std::string_view text, std::string_view other) { return text == other; }

bool is_in(std::string_view text, std::span<const std::string_view> values) {
  return std::find(values.begin(), values.end(), text) != values.end();
}

bool is_empty(std::string_view text, Whitespace whitespace) {
  return (whitespace == Whitespace::ignore ? ltrim(text) : text).empty();
}

bool is_lowercase(std::string_view text) {
  return all(text, [](char c) { return (c & 0x80) == 0 && !is_upper(c); });
}
bool is_uppercase(std::string_view text) {
  return all(text, [](char c) { return (c & 0x80) == 0 && !is_lower(c); });
}

bool is_alpha(std::string_view text, std::string_view ignore) {
  return all(text, [ignore](char c) { return is_letter(c) || internal::contains(ignore, c); }) &&
         std::any_of(text.begin(), text.end(), is_letter);
}
bool is_alphanumeric(std::string_view text, std::string_view ignore) {
  return all(text, [ignore](char c) { return is_alnum(c) || internal::contains(ignore, c); }) &&
         std::any_of(text.begin(), text.end(), is_alnum);
}

bool is_whitelisted(std::string_view text, std::string_view characters) {
  if (text.empty()) return false;
  while (!text.empty()) {
    const auto character = take_character(text);
    if (character.empty() || !has_character(characters, character)) return false;
  }
  return true;
}

bool is_boolean(std::string_view text) { return is_boolean(text, BooleanOptions()); }

bool is_boolean(std::string_view text, const BooleanOptions& options) {
  const auto is = [&](std::string_view word) {
    return options.allow_any_case ? ascii_iequals(text, word) : text == word;
  };
  return is("true") || is("false") || text == "1" || text == "0" ||
         (options.allow_yes_no && (is("yes") || is("no")));
}

bool is_json(std::string_view text, JsonTop top) {
  const auto value = json::parse(text);
  if (!value) return false;
  if (top == JsonTop::allow_anything) return true;
  if (value->as_object() != nullptr || value->as_array() != nullptr) return true;
  return top == JsonTop::allow_literals && (value->is_null() || value->as_bool() != nullptr);
}

bool is_strong_password(std::string_view text, const PasswordForm& form) {
  const auto length = count_code_points(text);
  const auto kinds = count_kinds(text);
  return length && *length >= form.min_length && kinds.lower >= form.min_lowercase &&
         kinds.upper >= form.min_uppercase && kinds.numbers >= form.min_numbers &&
         kinds.symbols >= form.min_symbols;
}

double password_score(std::string_view text, const PasswordPoints& points) {
  std::array<bool, 256> seen{};
  std::size_t unique = 0;
  for (const char c : text) {
    auto& mark = seen[static_cast<unsigned char>(c)];
    unique += mark ? 0 : 1;
    mark = true;
  }
  const auto kinds = count_kinds(text);
  return static_cast<double>(unique) * points.per_unique +
         static_cast<double>(text.size() - unique) * points.per_repeat +
         (kinds.lower > 0 ? points.for_lower : 0) + (kinds.upper > 0 ? points.for_upper : 0) +
         (kinds.numbers > 0 ? points.for_number : 0) + (kinds.symbols > 0 ? points.for_symbol : 0);
}

std::string_view ltrim(std::string_view text, std::string_view characters) {
  text.remove_prefix(std::min(text.find_first_not_of(characters), text.size()));
  return text;
}

std::string_view rtrim(std::string_view text, std::string_view characters) {
  return text.substr(0, text.find_last_not_of(characters) + 1);
}

std::string_view trim(std::string_view text, std::string_view characters) {
  return rtrim(ltrim(text, characters), characters);
}

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  escaped.append(text, out, [](unsigned char c) {
    return (c == '&') | (c == '<') | (c == '>') | (c == '"') | (c == '\'') | (c == '/') |
           (c == '\\') | (c == '`');
  });
  return out;
}

std::string unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto plain = std::min(text.find('&'), text.size());
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    const auto* entry = std::find_if(
        std::begin(references), std::end(references),
        [text](const Reference& r) { return text.substr(0, r.reference.size()) == r.reference; });
    const bool found = entry != std::end(references);
    out += found ? entry->character : '&';
    text.remove_prefix(found ? entry->reference.size() : 1);
  }
  return out;
}

std::string whitelist(std::string_view text, std::string_view characters) {
  return filter(text, characters, true);
}
std::string blacklist(std::string_view text, std::string_view characters) {
  return filter(text, characters, false);
}

bool to_boolean(std::string_view text, Truth truth) {
  if (truth == Truth::strict) return text == "1" || ascii_iequals(text, "true");
  return !text.empty() && text != "0" && !ascii_iequals(text, "false");
}

}  // namespace moat::validate
