// SPDX-License-Identifier: Apache-2.0
#include "moat/openapi/internal/learned_names.h"

#include <algorithm>
#include <iterator>

#include "moat/base/encoding.h"
#include "moat/openapi/learner.h"
#include "moat/validate/keys.h"

namespace moat::openapi {
namespace {

// Last words of names whose values are a choice of a few that the program knows.
constexpr std::string_view choices[] = {
    "action",      "availability", "category", "currency",  "direction", "encoding",   "env",
    "environment", "event",        "format",   "frequency", "gender",    "interval",   "kind",
    "lang",        "language",     "level",    "locale",    "method",    "mode",       "operation",
    "operator",    "order",        "outcome",  "period",    "phase",     "plan",       "platform",
    "priority",    "protocol",     "reason",   "result",    "role",      "scope",      "severity",
    "side",        "sort",         "stage",    "state",     "status",    "strategy",   "theme",
    "tier",        "type",         "unit",     "variant",   "view",      "visibility",
};

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return is_lower(c) || is_upper(c); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// How often a text goes on with another kind of character: tokens do it all the time, words seldom.
std::size_t turns(std::string_view text) {
  const auto kind = [](char c) { return is_digit(c) ? 0 : is_upper(c) ? 1 : is_lower(c) ? 2 : 3; };
  std::size_t out = 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const int before = kind(text[i - 1]);
    const int now = kind(text[i]);
    // A capital begins a word of camelCase.
    if (before != now && before != 3 && now != 3 && !(before == 1 && now == 2)) ++out;
  }
  return out;
}

}  // namespace

bool looks_like_id(std::string_view text) {
  const auto digits = static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return is_digit(c); }));
  if (digits > 2) return true;  // "v1", "oauth2" and "line10" are names
  if (digits == text.size() || digits * 2 > text.size() + 1) return true;
  const bool hex =
      std::all_of(text.begin(), text.end(), [](char c) { return is_hex(c) || c == '-'; });
  if (hex && text.size() >= 8) return true;
  // "v1beta1" is no token.
  if (text.size() > 2 && text[0] == 'v' && is_digit(text[1])) text.remove_prefix(2);
  return text.size() >= 6 && turns(text) * (text.size() >= 16 ? 4 : 3) >= text.size();
}

bool is_path_word(std::string_view segment) {
  if (segment.empty()) return true;
  if (segment.size() > LearnLimits::segment_bytes || !(is_letter(segment[0]) || segment[0] == '_'))
    return false;
  const bool plain = std::all_of(segment.begin(), segment.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.';
  });
  return plain && !looks_like_id(segment);
}

NameKind kind_of_name(std::string_view name, Brackets brackets) {
  if (validate::fault_of_key(name)) return NameKind::unsafe;
  if (name.empty() || name.size() > LearnLimits::name_bytes ||
      !(is_letter(name[0]) || name[0] == '_'))
    return NameKind::other;
  const bool plain = std::all_of(name.begin(), name.end(), [brackets](char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '-' ||
           (brackets == Brackets::allowed && (c == '[' || c == ']'));
  });
  return plain && !looks_like_id(name) ? NameKind::learnable : NameKind::other;
}

bool is_plain_word(std::string_view text) {
  if (text.size() < 2 || text.size() > LearnLimits::word_bytes) return false;
  if (!is_lower(text.front()) || !is_lower(text.back())) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_lower(c) || c == '_' || c == '-'; });
}

bool is_choice_name(std::string_view name) {
  while (!name.empty() && !is_letter(name.back())) name.remove_suffix(1);  // "status[]"
  std::size_t begin = name.size();
  while (begin > 0 && is_letter(name[begin - 1])) {
    --begin;
    const bool camel = is_upper(name[begin]) && (begin == 0 || is_lower(name[begin - 1]));
    if (camel) break;
  }
  const std::string last = ascii_lower(name.substr(begin));
  return std::find(std::begin(choices), std::end(choices), last) != std::end(choices);
}

std::string parameter_after(std::string_view segment) {
  std::string out;
  bool capital = false;
  for (const char c : segment) {
    if (!is_letter(c) && !is_digit(c)) {
      capital = !out.empty();
      continue;
    }
    const bool raise = capital && is_lower(c);
    const bool lower = out.empty() && is_upper(c);
    out += raise ? static_cast<char>(c - 'a' + 'A') : lower ? static_cast<char>(c - 'A' + 'a') : c;
    capital = false;
  }
  if (out.empty()) return "id";
  const auto ends = [&out](std::string_view end) {
    return out.size() > end.size() && out.compare(out.size() - end.size(), end.size(), end) == 0;
  };
  if (ends("ies")) {
    out.replace(out.size() - 3, 3, "y");
  } else if (ends("sses") || ends("xes") || ends("ches") || ends("shes")) {
    out.resize(out.size() - 2);
  } else if (ends("s") && !ends("ss") && !ends("us") && !ends("is")) {
    out.pop_back();
  }
  return out + "Id";
}

}  // namespace moat::openapi
