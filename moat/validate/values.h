// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/json.h"
#include "moat/base/result.h"
#include "moat/validate/form.h"
#include "moat/validate/keys.h"

namespace moat::validate {

// Query strings, forms and cookies as JSON objects of strings, so that a schema can judge them:
// Schema::read with coerce_text makes numbers of texts. Nothing is wiped: a form that carries a
// password is for ObjectShape or Body.

// Why a query, form or Cookie field was refused.
enum class ValuesRefusal {
  syntax,         // it is not what it should be, or two programs could read it differently
  bad_escape,     // '%' without two hex digits
  bad_character,  // a control, a raw byte that must be escaped, NUL
  invalid_utf8,
  too_large,  // the whole
  too_many,   // parameters, cookies or parts
  too_long,   // a name, a value, a header
  empty_name,
  unsafe_name,  // KeyRules, or white space at an end
  repeated      // a name given twice where no array is wanted
};
std::string_view to_string(ValuesRefusal refusal);

struct ValuesError {
  ValuesRefusal refusal;
  // To act on, naming the limit and the parameter by its number: "parameter 3 has a name that was
  // given before, and only one value is expected". Repeats nothing that was sent.
  std::string sentence;
};

using NamePredicate = std::function<bool(std::string_view name)>;

struct ValuesOptions {
  FormLimits limits;
  KeyRules keys;
  // The names that may be given several times; their member is then an array, in the order that
  // they were sent. Null: none may. `schema.wants_array(name)` is a good answer.
  NamePredicate repeat;
  // Cookies only: which ones are read, as browsers send those of others, too. Null: all.
  NamePredicate only;
};

// A query string (without its '?') or an application/x-www-form-urlencoded body, as strict as
// parse_form. "a[b]=1" is a member "a[b]": nothing is nested.
[[nodiscard]] Result<json::Value, ValuesError> form_values(std::string_view text,
                                                           const ValuesOptions& options = {});

// A Cookie field (RFC 6265 section 4.2.1): pairs of a token and cookie-octets with "; " between
// them. Percent-encoded values are decoded. Values in quotes are refused, as some servers take the
// quotes off and others do not.
[[nodiscard]] Result<json::Value, ValuesError> cookie_values(std::string_view field,
                                                             const ValuesOptions& options = {});

}  // namespace moat::validate
