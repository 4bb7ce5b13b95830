// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moat/base/result.h"

namespace moat::validate {

// Bounds on a form, inclusive and counted after decoding (total_bytes: before).
struct FormLimits {
  std::size_t parameters = 1000;
  std::size_t name_bytes = 256;
  std::size_t value_bytes = 65536;
  std::size_t total_bytes = 1048576;
};

enum class FormRefusal {
  too_many,       // parameters
  too_long,       // a name, a value or the whole
  bad_escape,     // '%' without two hex digits
  bad_character,  // a raw control, space, ';' or byte beyond ASCII, or a decoded NUL
  invalid_utf8,
  empty_name,
  duplicate_name
};
std::string_view to_string(FormRefusal refusal);

// Form is a parsed application/x-www-form-urlencoded body or query string. Its values are wiped
// when it dies, as forms carry passwords.
class Form final {
 public:
  using Parameter = std::pair<std::string, std::string>;
  Form() = default;
  Form(Form&&) noexcept = default;
  Form& operator=(Form&& other) noexcept;
  Form(const Form&) = delete;  // it may hold a password
  Form& operator=(const Form&) = delete;
  ~Form();

  // In the order they were sent; names are unique.
  const std::vector<Parameter>& parameters() const { return parameters_; }
  std::optional<std::string_view> find(std::string_view name) const;

 private:
  friend Result<Form, FormRefusal> parse_form(std::string_view, const FormLimits&);
  std::vector<Parameter> parameters_;
};

// parse_form decodes strictly: what two parsers could read differently is refused, never repaired.
// The empty text is a form without parameters; "a" and "a=" both give "a" the empty value.
[[nodiscard]] Result<Form, FormRefusal> parse_form(std::string_view text,
                                                   const FormLimits& limits = {});
// The opposite: names and values percent-encoded, joined by '&'.
std::string serialize_form(const std::vector<Form::Parameter>& parameters);

}  // namespace moat::validate
