// SPDX-License-Identifier: Apache-2.0
// Parameters: from one text, or several, to the value that a schema is for.
#include <algorithm>
#include <utility>

#include "moat/base/encoding.h"
#include "moat/openapi/internal/brackets.h"
#include "moat/openapi/internal/operation.h"

namespace moat::openapi {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

// Of all parameters together, so that a short request does not get a long answer.
constexpr std::size_t most_violations = 64;

// How the texts of a part are decoded: not at all, by percent, or as in forms, where '+' is a
// space.
enum class Escapes { none, percent, form };

std::optional<std::string> decoded(std::string_view raw, Escapes escapes) {
  std::string text(raw);
  if (escapes == Escapes::form) std::replace(text.begin(), text.end(), '+', ' ');
  if (escapes != Escapes::none) {
    auto plain = percent_decode(text);
    if (!plain) return std::nullopt;
    text = std::move(*plain);
  }
  if (text.find('\0') != std::string::npos || !is_valid_utf8(text)) return std::nullopt;
  return text;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t end = text.find(separator);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + separator.size());
  }
}

// One parameter's texts and what becomes of them.
class Reading final {
 public:
  Reading(const Parameter& parameter, const ReadRules& rules, std::vector<Violation>& violations)
      : parameter_(parameter), rules_(rules), violations_(violations) {}

  void fail(std::string keyword, std::string message) const {
    if (violations_.size() >= most_violations) return;
    violations_.push_back(
        {to_string(parameter_.where), parameter_.name, "", std::move(keyword), std::move(message)});
  }

  // A text with all parts in it. Whoever decodes it before he parts it may find more parts, of
  // which "a%2Cb" is one by RFC 6570 section 3.2.1 and two by most programs: both must fit.
  void one(std::string_view raw, Escapes escapes) const {
    if (parameter_.is_json) return json(raw, escapes);
    if (parameter_.wants == Wants::scalar) return scalar(raw, escapes);
    const std::size_t before = violations_.size();
    several(raw, escapes);
    if (violations_.size() != before || escapes == Escapes::none) return;
    const auto text = decoded(raw, escapes);
    if (text && parts(*text, Escapes::none).size() != parts(raw, escapes).size())
      several(*text, Escapes::none);
  }

  void array(const std::vector<std::string_view>& parts, Escapes escapes) const {
    json::Array out;
    for (const std::string_view part : parts) {
      auto text = decoded(part, escapes);
      if (!text) return bad_text();
      out.emplace_back(std::move(*text));
    }
    judge(json::Value(std::move(out)));
  }

  void members(const std::vector<Pair>& pairs, Escapes escapes) const {
    json::Object out;
    for (const auto& [raw_name, raw] : pairs) {
      auto name = decoded(raw_name, escapes);
      auto text = decoded(raw, escapes);
      if (!name || !text) return bad_text();
      const auto same = std::find_if(out.begin(), out.end(), [&](const json::Member& member) {
        return member.first == *name;
      });
      if (same != out.end()) {
        if (!is_list(*name)) return fail("repeated", "a member is given twice");
        json::Array* const list = std::get_if<json::Array>(&same->second.data());
        list->emplace_back(std::move(*text));
        continue;
      }
      if (const auto fault = validate::fault_of_key(*name, rules_.keys))
        return fail("unsafe_name",
                    "a member's name is not allowed: it " + std::string(describe(*fault)));
      if (out.size() >= rules_.limits.members)
        return fail("limit",
                    "there are more than " + std::to_string(rules_.limits.members) + " members");
      json::Value value(std::move(*text));
      if (is_list(*name)) {
        json::Array list;
        list.push_back(std::move(value));
        value = json::Value(std::move(list));
      }
      out.emplace_back(std::move(*name), std::move(value));
    }
    judge(json::Value(std::move(out)));
  }

  // What the style deepObject has: the brackets behind the name, decoded, and each raw value.
  void brackets(const std::vector<std::pair<std::string, std::string_view>>& fields) const {
    Brackets out(BracketLimits::of_queries(), rules_.keys);
    for (const auto& [steps, raw] : fields) {
      auto text = decoded(raw, Escapes::form);
      if (!text) return bad_text();
      if (const auto fault = out.add(steps, std::move(*text)))
        return fail(std::string(fault->keyword), fault->sentence);
    }
    const json::Value value = out.take();
    const auto read = judge(value);
    if (read && has_lone_text(value, *read))
      fail("type", "has a text where a list is expected: its name ends with []");
  }

  void scalar(std::string_view raw, Escapes escapes) const {
    auto text = decoded(raw, escapes);
    if (!text) return bad_text();
    judge(json::Value(std::move(*text)));
  }

 private:
  // Of an object whose members stand in the query each by its own name: a list is its name several
  // times.
  bool is_list(std::string_view member) const {
    if (parameter_.style != Style::form || !parameter_.explode) return false;
    const auto listed = parameter_.members.listed.find(member);
    return listed != parameter_.members.listed.end() && listed->second == Wants::array;
  }

  void bad_text() const {
    fail("syntax",
         "is not valid: a '%' needs two hexadecimal digits, and the text is UTF-8 without NUL");
  }

  void json(std::string_view raw, Escapes escapes) const {
    const auto text = decoded(raw, escapes);
    if (!text) return bad_text();
    auto value = json::parse(*text, rules_.limits);
    if (!value)
      return fail("syntax",
                  "is no valid JSON: " + json::describe(*text, value.error(), rules_.limits));
    judge(std::move(*value));
  }

  void several(std::string_view raw, Escapes escapes) const {
    if (parameter_.wants == Wants::object) return object(raw, escapes);
    array(parts(raw, escapes), escapes);
  }

  // "label" and "matrix" are cut to what they enclose before.
  std::vector<std::string_view> parts(std::string_view raw, Escapes escapes) const {
    const bool plain = escapes == Escapes::none;
    switch (parameter_.style) {
      case Style::label:
        return split(raw, parameter_.explode ? "." : ",");
      case Style::matrix:
        return split(raw, parameter_.explode ? ";" : ",");
      case Style::space_delimited:
        return split(raw, plain ? " " : raw.find('+') != std::string_view::npos ? "+" : "%20");
      case Style::pipe_delimited:
        return split(raw, plain || raw.find('|') != std::string_view::npos ? "|" : "%7C");
      default:
        return split(raw, ",");
    }
  }

  void object(std::string_view raw, Escapes escapes) const {
    const auto texts = parts(raw, escapes);
    std::vector<Pair> pairs;
    if (parameter_.explode) {
      for (const std::string_view text : texts) {
        const std::size_t equals = text.find('=');
        if (equals == std::string_view::npos)
          return fail("syntax", "is not valid: between commas stands name=value");
        pairs.emplace_back(text.substr(0, equals), text.substr(equals + 1));
      }
    } else {
      if (texts.size() % 2 != 0)
        return fail("syntax", "is not valid: names and values stand by turns, with commas between");
      for (std::size_t i = 0; i < texts.size(); i += 2) pairs.emplace_back(texts[i], texts[i + 1]);
    }
    members(pairs, escapes);
  }

  std::optional<json::Value> judge(json::Value value) const {
    if (!parameter_.schema) return std::nullopt;
    auto read = parameter_.schema->read(std::move(value), {.coerce_text = !parameter_.is_json},
                                        validate::Report::all);
    if (read) return std::move(*read);
    for (validate::Violation& violation : read.error()) {
      if (violations_.size() >= most_violations) break;
      violations_.push_back({to_string(parameter_.where), parameter_.name,
                             std::move(violation.instance), std::move(violation.keyword),
                             std::move(violation.message)});
    }
    return std::nullopt;
  }

  const Parameter& parameter_;
  const ReadRules& rules_;
  std::vector<Violation>& violations_;
};

// "label" and "matrix" begin with their mark (OpenAPI 3.1.1 section 4.8.12.4; RFC 6570 sections
// 3.2.5 and 3.2.7). False: it is not there.
bool cut_mark(const Parameter& parameter, std::string_view& raw) {
  if (parameter.style == Style::label) {
    if (raw.empty() || raw[0] != '.') return false;
    raw.remove_prefix(1);
  } else if (parameter.style == Style::matrix) {
    if (raw.empty() || raw[0] != ';') return false;
    raw.remove_prefix(1);
    if (parameter.wants == Wants::object && parameter.explode) return true;
    if (raw.substr(0, parameter.name.size()) != parameter.name) return false;
    raw.remove_prefix(parameter.name.size());
    if (raw.empty() || raw[0] != '=') return false;
    raw.remove_prefix(1);
  }
  return true;
}

bool is_parameter(const Parameter& parameter, Where where, std::string_view name) {
  return parameter.where == where &&
         (where == Where::header ? ascii_iequals(parameter.name, name) : parameter.name == name);
}

// As it is, and as programs read it that take quotes off (Python, Express) or decode what is
// escaped (Express, PHP).
void read_cookie(const Reading& reading, std::string_view value,
                 const std::vector<Violation>& violations) {
  const std::size_t before = violations.size();
  reading.one(value, Escapes::none);
  const bool quoted = value.size() > 1 && value.front() == '"' && value.back() == '"';
  if (quoted) value = value.substr(1, value.size() - 2);
  if (quoted && violations.size() == before) reading.one(value, Escapes::none);
  if (violations.size() == before && value.find('%') != std::string_view::npos &&
      decoded(value, Escapes::percent))
    reading.one(value, Escapes::percent);
}

}  // namespace

std::string_view to_string(Where where) {
  switch (where) {
    case Where::path:
      return "path";
    case Where::query:
      return "query";
    case Where::header:
      return "header";
    case Where::cookie:
      break;
  }
  return "cookie";
}

// Header parameters, with several lines of one name joined (RFC 9110 section 5.3).
void read_headers(const std::vector<Parameter>& parameters, std::span<const Pair> headers,
                  const ReadRules& rules, std::vector<Violation>& violations) {
  for (const Parameter& parameter : parameters) {
    if (parameter.where != Where::header) continue;
    const Reading reading(parameter, rules, violations);
    // The one field that is never joined (RFC 9110 section 5.3).
    const bool each = ascii_iequals(parameter.name, "Set-Cookie");
    std::string joined;
    std::size_t lines = 0;
    for (const auto& [name, value] : headers) {
      if (!is_parameter(parameter, Where::header, name)) continue;
      if (each) reading.one(trim(value), Escapes::none);
      if (lines++ > 0) joined += ',';
      joined += value;
    }
    if (lines == 0) {
      if (parameter.required) reading.fail("missing", "is required");
    } else if (each) {
      continue;
    } else if (lines > 1 && parameter.wants == Wants::scalar) {
      reading.fail("repeated", "is given more than once");
    } else if (parameter.wants == Wants::array && !parameter.is_json) {
      std::vector<std::string_view> parts = split(joined, ",");
      for (std::string_view& part : parts) part = trim(part);
      reading.array(parts, Escapes::none);
    } else {
      reading.one(trim(joined), Escapes::none);
    }
  }
}

std::vector<Violation> ParameterReader::read(const Request& request, const Match& match) {
  read_path(match.path_values);
  if (violations_.empty() && !match.other_path_values.empty()) read_path(match.other_path_values);
  read_query(request.query);
  read_headers(operation_.parameters, request.headers, rules_, violations_);
  read_cookies(request.cookie);
  return std::move(violations_);
}

void ParameterReader::read_path(const std::vector<std::string_view>& values) {
  for (const Parameter& parameter : operation_.parameters) {
    if (parameter.where != Where::path) continue;
    const auto name =
        std::find(operation_.path_names.begin(), operation_.path_names.end(), parameter.name);
    std::string_view raw = values[static_cast<std::size_t>(name - operation_.path_names.begin())];
    const Reading reading(parameter, rules_, violations_);
    if (!cut_mark(parameter, raw)) {
      reading.fail("syntax", parameter.style == Style::label
                                 ? "begins with a '.'"
                                 : "begins with ';" + parameter.name + "='");
    } else if (parameter.style == Style::matrix && parameter.explode &&
               parameter.wants == Wants::array) {
      // ";a=1;a=2", of which the first name has been cut off.
      std::vector<std::string_view> parts = split(raw, ";");
      for (std::size_t i = 1; i < parts.size(); ++i) {
        if (parts[i].substr(0, parameter.name.size() + 1) != parameter.name + "=")
          return reading.fail("syntax", "each part begins with ';" + parameter.name + "='");
        parts[i].remove_prefix(parameter.name.size() + 1);
      }
      reading.array(parts, Escapes::percent);
    } else {
      reading.one(raw, Escapes::percent);
    }
  }
}

void ParameterReader::read_query(std::string_view query) {
  struct Collected {
    std::vector<std::string_view> values;
    std::vector<Pair> members;
    std::vector<std::pair<std::string, std::string_view>> brackets;
  };
  std::vector<Collected> collected(operation_.parameters.size());
  const auto refuse = [this](std::string keyword, std::string message) {
    violations_.push_back({"query", "", "", std::move(keyword), std::move(message)});
  };
  // Rack before 3 and Python before 3.9.2 take it for an '&': "a=1;b=2" would bring a `b` that
  // nobody has looked at. No client that writes queries by the standards sends one.
  if (query.find(';') != std::string_view::npos) {
    refuse("syntax", "a ';' is written as %3B: to some programs it begins another parameter");
    return;
  }
  std::size_t count = 0;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.empty()) {
      refuse("syntax", "between two '&' stands a parameter");
      return;
    }
    if (++count > rules_.limits.members) {
      refuse("limit",
             "there are more than " + std::to_string(rules_.limits.members) + " parameters");
      return;
    }
    const std::string_view raw_name = pair.substr(0, pair.find('='));
    const std::string_view value = pair.substr(std::min(pair.size(), raw_name.size() + 1));
    const auto name = decoded(raw_name, Escapes::form);
    if (!name || name->empty()) {
      refuse("syntax", "a parameter's name is not valid");
      return;
    }
    bool known = false;
    for (std::size_t i = 0; i < collected.size() && !known; ++i) {
      const Parameter& parameter = operation_.parameters[i];
      if (parameter.where != Where::query) continue;
      if (parameter.style == Style::deep_object) {
        // By the bare name comes what the schema has as another choice: a number, say.
        const std::string_view start = std::string_view(*name).substr(0, parameter.name.size());
        const std::string_view steps = std::string_view(*name).substr(start.size());
        known = start == parameter.name && (steps.empty() || steps[0] == '[');
        if (known) collected[i].brackets.emplace_back(steps, value);
        continue;
      }
      const bool spread = parameter.wants == Wants::object && parameter.style == Style::form &&
                          parameter.explode && !parameter.is_json;
      if (spread) {
        known = parameter.members.listed.count(*name) != 0;
        if (known) collected[i].members.emplace_back(raw_name, value);
      } else if (parameter.name == *name) {
        known = true;
        collected[i].values.push_back(value);
      }
    }
    // A key that `security` names is described there.
    known = known || std::any_of(operation_.credentials.begin(), operation_.credentials.end(),
                                 [&name](const Credential& one) {
                                   return one.is == Credential::Is::query && one.name == *name;
                                 });
    // An object that is open to others takes what no other parameter has taken.
    const bool method = *name == "_method";  // see overrides_method in content.cc
    for (std::size_t i = 0; i < collected.size() && !known && !method; ++i) {
      const Parameter& parameter = operation_.parameters[i];
      known = parameter.where == Where::query && parameter.wants == Wants::object &&
              parameter.style == Style::form && parameter.explode && !parameter.is_json &&
              parameter.members.open;
      if (known) collected[i].members.emplace_back(raw_name, value);
    }
    if (!known && (!rules_.allow_unknown_query || method)) {
      refuse("unknown", "there is a parameter that this operation does not have");
      return;
    }
  }
  for (std::size_t i = 0; i < collected.size(); ++i) {
    const Parameter& parameter = operation_.parameters[i];
    if (parameter.where != Where::query) continue;
    const auto& [values, members, brackets] = collected[i];
    const Reading reading(parameter, rules_, violations_);
    if (!brackets.empty()) {
      reading.brackets(brackets);
    } else if (!members.empty() && values.empty()) {
      reading.members(members, Escapes::form);
    } else if (!members.empty()) {
      reading.fail("repeated", "is given in two ways");
    } else if (values.empty()) {
      if (parameter.required) reading.fail("missing", "is required");
    } else if (parameter.wants == Wants::array && parameter.explode && !parameter.is_json &&
               parameter.style == Style::form) {
      reading.array(values, Escapes::form);
    } else if (values.size() > 1) {
      reading.fail("repeated", "is given more than once");
    } else if (!values[0].empty() || !parameter.allow_empty) {
      reading.one(values[0], Escapes::form);
    }
  }
}

void ParameterReader::read_cookies(std::string_view cookie) {
  for (const Parameter& parameter : operation_.parameters) {
    if (parameter.where != Where::cookie) continue;
    const Reading reading(parameter, rules_, violations_);
    std::vector<std::string_view> values;
    for (const std::string_view part : split(cookie, ";")) {
      // White space around '=' is against RFC 6265 section 4.1.1, and most programs cut it off.
      const std::size_t equals = part.find('=');
      if (equals != std::string_view::npos && trim(part.substr(0, equals)) == parameter.name)
        values.push_back(trim(part.substr(equals + 1)));
    }
    if (values.empty()) {
      if (parameter.required) reading.fail("missing", "is required");
    } else if (values.size() > 1) {
      reading.fail("repeated", "is given more than once");
    } else {
      read_cookie(reading, values[0], violations_);
    }
  }
}

}  // namespace moat::openapi
