// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "moat/base/result.h"
#include "moat/validate/form.h"

namespace moat::validate {

enum class Plus { space, plus };
// Decodes %XX, and '+' if it is a space. The result is valid UTF-8 without NUL, at most `limit`
// bytes.
Result<std::string, FormRefusal> decode_form_text(std::string_view text, std::size_t limit,
                                                  Plus plus);

// FormReader walks the parameters of a form whose size and number were checked. The text is not
// empty.
class FormReader final {
 public:
  FormReader(std::string_view text, const FormLimits& limits) : rest_(text), limits_(limits) {}
  // nullopt behind the last one.
  Result<std::optional<Form::Parameter>, FormRefusal> next();

 private:
  std::string_view rest_;
  const FormLimits& limits_;
  bool done_ = false;
};

// How many parameters there are, or why there are too many bytes or parameters.
Result<std::size_t, FormRefusal> count_parameters(std::string_view text, const FormLimits& limits);

}  // namespace moat::validate
