// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/form.h"

#include <algorithm>
#include <unordered_set>

#include "moat/base/encoding.h"
#include "moat/base/secret.h"
#include "moat/validate/internal/form_reader.h"

namespace moat::validate {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Result<std::string, FormRefusal> decode_form_text(std::string_view text, std::size_t limit,
                                                  Plus plus) {
  std::string out;
  // Reserved once, so that no growth leaves a copy of a password behind.
  out.reserve(std::min(text.size(), limit));
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    // A ';' ends a parameter for Rack before 3, Perl's CGI and Python before 3.9.2.
    if (c <= 0x20 || c >= 0x7f || c == ';') return Error{FormRefusal::bad_character};
    if (c == '+' && plus == Plus::space) c = ' ';
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
      if (low < 0) return Error{FormRefusal::bad_escape};
      c = static_cast<char>(high * 16 + low);
      i += 2;
      if (c == '\0') return Error{FormRefusal::bad_character};
    }
    if (out.size() == limit) return Error{FormRefusal::too_long};
    out += c;
  }
  if (!is_valid_utf8(out)) return Error{FormRefusal::invalid_utf8};
  return out;
}

std::string_view to_string(FormRefusal refusal) {
  switch (refusal) {
    case FormRefusal::too_many:
      return "too_many";
    case FormRefusal::too_long:
      return "too_long";
    case FormRefusal::bad_escape:
      return "bad_escape";
    case FormRefusal::bad_character:
      return "bad_character";
    case FormRefusal::invalid_utf8:
      return "invalid_utf8";
    case FormRefusal::empty_name:
      return "empty_name";
    case FormRefusal::duplicate_name:
      return "duplicate_name";
  }
  return "unknown";
}

Form& Form::operator=(Form&& other) noexcept {
  parameters_.swap(other.parameters_);
  return *this;
}

Form::~Form() {
  for (auto& parameter : parameters_) wipe(parameter.second);
}

std::optional<std::string_view> Form::find(std::string_view name) const {
  for (const auto& [key, value] : parameters_)
    if (key == name) return value;
  return std::nullopt;
}

Result<std::size_t, FormRefusal> count_parameters(std::string_view text, const FormLimits& limits) {
  if (text.empty()) return std::size_t{0};
  if (text.size() > limits.total_bytes) return Error{FormRefusal::too_long};
  const auto count = static_cast<std::size_t>(std::count(text.begin(), text.end(), '&')) + 1;
  if (count > limits.parameters) return Error{FormRefusal::too_many};
  return count;
}

Result<std::optional<Form::Parameter>, FormRefusal> FormReader::next() {
  if (done_) return std::optional<Form::Parameter>();
  const auto end = rest_.find('&');
  const auto piece = rest_.substr(0, end);
  const auto equals = std::min(piece.find('='), piece.size());
  MOAT_TRY(std::string name,
           decode_form_text(piece.substr(0, equals), limits_.name_bytes, Plus::space));
  if (name.empty()) return Error{FormRefusal::empty_name};
  MOAT_TRY(std::string value, decode_form_text(piece.substr(std::min(equals + 1, piece.size())),
                                               limits_.value_bytes, Plus::space));
  done_ = end == std::string_view::npos;
  if (!done_) rest_.remove_prefix(end + 1);
  return std::optional<Form::Parameter>(Form::Parameter(std::move(name), std::move(value)));
}

Result<Form, FormRefusal> parse_form(std::string_view text, const FormLimits& limits) {
  Form form;
  MOAT_TRY(const std::size_t count, count_parameters(text, limits));
  if (count == 0) return form;
  form.parameters_.reserve(count);
  std::unordered_set<std::string_view> seen;  // views into form.parameters_, which does not grow
  FormReader reader(text, limits);
  for (;;) {
    MOAT_TRY(auto parameter, reader.next());
    if (!parameter) return form;
    form.parameters_.push_back(*std::move(parameter));
    if (!seen.insert(form.parameters_.back().first).second)
      return Error{FormRefusal::duplicate_name};
  }
}

std::string serialize_form(const std::vector<Form::Parameter>& parameters) {
  std::string out;
  for (const auto& [name, value] : parameters) {
    if (!out.empty()) out += '&';
    out += percent_encode(name);
    out += '=';
    out += percent_encode(value);
  }
  return out;
}

}  // namespace moat::validate
