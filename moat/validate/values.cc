// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/values.h"

#include <algorithm>

#include "moat/validate/internal/form_reader.h"
#include "moat/validate/internal/unicode.h"
#include "moat/validate/internal/values_collector.h"

namespace moat::validate {
namespace {

ValuesError error_of(FormRefusal refusal, const FormLimits& limits, const std::string& what) {
  const auto limit = [](std::size_t value) { return std::to_string(value); };
  switch (refusal) {
    case FormRefusal::too_many:
      return {ValuesRefusal::too_many,
              "there are more than " + limit(limits.parameters) + " parameters"};
    case FormRefusal::too_long:
      return {ValuesRefusal::too_long,
              what + " has a name of more than " + limit(limits.name_bytes) +
                  " bytes or a value of more than " + limit(limits.value_bytes)};
    case FormRefusal::bad_escape:
      return {ValuesRefusal::bad_escape, what + " has a % without two hexadecimal digits"};
    case FormRefusal::bad_character:
      return {ValuesRefusal::bad_character,
              what + " has a character that must be percent-encoded, or NUL"};
    case FormRefusal::invalid_utf8:
      return {ValuesRefusal::invalid_utf8, what + " is no UTF-8"};
    case FormRefusal::empty_name:
      return {ValuesRefusal::empty_name, what + " has no name"};
    case FormRefusal::duplicate_name:
      return {ValuesRefusal::repeated, what + " has a name that was given before"};
  }
  return {ValuesRefusal::syntax, what + " is not acceptable"};
}

// RFC 6265 section 4.1.1.
bool is_cookie_octet(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\';
}
// RFC 9110 section 5.6.2.
bool is_token_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte < 0x7f &&
         std::string_view("()<>@,;:\\\"/[]?={}").find(c) == std::string_view::npos;
}

// Django cuts white space off the names of parts, PHP spaces off the front of all names.
bool has_outer_space(std::string_view name) {
  const auto is_space = [](std::string_view text) {
    const char32_t c = internal::next_code_point(text);
    return c == ' ' || internal::is_wide_space(c) || internal::is_invisible(c);
  };
  if (name.empty()) return false;
  std::size_t last = name.size() - 1;
  while (last > 0 && (name[last] & 0xc0) == 0x80) --last;
  return is_space(name) || is_space(name.substr(last));
}

// Reads one pair of a Cookie field, if it is asked for.
std::optional<ValuesError> read_cookie(std::string_view pair, const ValuesOptions& options,
                                       ValuesCollector& out) {
  const std::size_t equals = pair.find('=');
  const std::string_view name = pair.substr(0, equals);
  if (options.only && !options.only(name)) return std::nullopt;
  const std::string what = out.next();
  if (name.empty()) return ValuesError{ValuesRefusal::empty_name, what + " has no name"};
  if (equals == std::string_view::npos ||
      !std::all_of(name.begin(), name.end(), is_token_character))
    return ValuesError{ValuesRefusal::syntax,
                       what + " is not a name of letters, digits and signs, =, and a value"};
  if (name.size() > options.limits.name_bytes)
    return error_of(FormRefusal::too_long, options.limits, what);
  const std::string_view raw = pair.substr(equals + 1);
  if (!std::all_of(raw.begin(), raw.end(), is_cookie_octet))
    return ValuesError{ValuesRefusal::bad_character,
                       what +
                           " has a quote, space, comma, backslash or other character that "
                           "must be percent-encoded"};
  auto value = decode_form_text(raw, options.limits.value_bytes, Plus::plus);
  if (!value) return error_of(value.error(), options.limits, what);
  if (auto problem = out.claim(name)) return problem;
  out.add(std::string(name), *std::move(value));
  return std::nullopt;
}

}  // namespace

std::string_view to_string(ValuesRefusal refusal) {
  switch (refusal) {
    case ValuesRefusal::syntax:
      return "syntax";
    case ValuesRefusal::bad_escape:
      return "bad_escape";
    case ValuesRefusal::bad_character:
      return "bad_character";
    case ValuesRefusal::invalid_utf8:
      return "invalid_utf8";
    case ValuesRefusal::too_large:
      return "too_large";
    case ValuesRefusal::too_many:
      return "too_many";
    case ValuesRefusal::too_long:
      return "too_long";
    case ValuesRefusal::empty_name:
      return "empty_name";
    case ValuesRefusal::unsafe_name:
      return "unsafe_name";
    case ValuesRefusal::repeated:
      return "repeated";
  }
  return "unknown";
}

std::string ValuesCollector::next() const {
  return std::string(noun_) + " " + std::to_string(count_ + 1);
}

std::optional<ValuesError> ValuesCollector::judge(std::string_view name) const {
  if (const auto fault = fault_of_key(name, keys_)) {
    return ValuesError{ValuesRefusal::unsafe_name,
                       next() + " has a name that " + std::string(describe(*fault))};
  }
  if (has_outer_space(name)) {
    return ValuesError{
        ValuesRefusal::unsafe_name,
        next() + " has a name with white space at an end, which some programs cut off"};
  }
  return std::nullopt;
}

std::optional<ValuesError> ValuesCollector::claim(std::string_view name) {
  if (auto problem = judge(name)) return problem;
  if (++slots_[std::string(name)].claimed > 1 && !(repeat_ && repeat_(name))) {
    return ValuesError{
        ValuesRefusal::repeated,
        next() + " has a name that was given before, and only one value is expected"};
  }
  ++count_;
  return std::nullopt;
}

void ValuesCollector::add(std::string name, json::Value value) {
  Slot& slot = slots_[name];
  if (++slot.added == 1) {
    slot.place = object_.size();
    object_.emplace_back(std::move(name), std::move(value));
    return;
  }
  json::Value& member = object_[slot.place].second;
  if (slot.added == 2) {
    json::Array both;
    both.push_back(std::move(member));
    member = json::Value(std::move(both));
  }
  std::get<json::Array>(member.data()).push_back(std::move(value));
}

Result<json::Value, ValuesError> form_values(std::string_view text, const ValuesOptions& options) {
  const FormLimits& limits = options.limits;
  if (text.size() > limits.total_bytes) {
    return values_error(
        ValuesRefusal::too_large,
        "there are more than " + std::to_string(limits.total_bytes) + " bytes of parameters");
  }
  ValuesCollector out("parameter", options.keys, options.repeat);
  const auto count = count_parameters(text, limits);
  if (!count) return Error{error_of(count.error(), limits, "the form")};
  if (*count == 0) return out.take();
  FormReader reader(text, limits);
  for (;;) {
    auto parameter = reader.next();
    if (!parameter) return Error{error_of(parameter.error(), limits, out.next())};
    if (!*parameter) return out.take();
    if (auto problem = out.claim((*parameter)->first)) return Error{*std::move(problem)};
    out.add(std::move((*parameter)->first), std::move((*parameter)->second));
  }
}

Result<json::Value, ValuesError> cookie_values(std::string_view field,
                                               const ValuesOptions& options) {
  const FormLimits& limits = options.limits;
  if (field.size() > limits.total_bytes) {
    return values_error(
        ValuesRefusal::too_large,
        "there are more than " + std::to_string(limits.total_bytes) + " bytes of cookies");
  }
  ValuesCollector out("cookie", options.keys, options.repeat);
  if (field.empty()) return out.take();
  if (static_cast<std::size_t>(std::count(field.begin(), field.end(), ';')) >= limits.parameters) {
    return values_error(ValuesRefusal::too_many,
                        "there are more than " + std::to_string(limits.parameters) + " cookies");
  }
  for (;;) {
    const std::size_t end = field.find(';');
    if (auto problem = read_cookie(field.substr(0, end), options, out))
      return Error{*std::move(problem)};
    if (end == std::string_view::npos) return out.take();
    field.remove_prefix(end + 1);
    if (field.substr(0, 1) != " ") {
      return values_error(ValuesRefusal::syntax,
                          "a semicolon and one space stand between cookies, and none at the end");
    }
    field.remove_prefix(1);
  }
}

}  // namespace moat::validate
