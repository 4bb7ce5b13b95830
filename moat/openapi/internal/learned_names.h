// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace moat::openapi {

// Names and words in traffic are a stranger's. These say which of them may be kept.

// Digits, a UUID, hexadecimal, a token, an address: what differs from one thing to the next.
[[nodiscard]] bool looks_like_id(std::string_view text);

// A segment of a path that may stand in a proposal as it is. The empty one at the end of a path is
// one.
[[nodiscard]] bool is_path_word(std::string_view segment);

enum class NameKind {
  learnable,
  other,  // harmless, but it may be data: an id, an address, words of a person
  unsafe  // by validate::fault_of_key
};
// `brackets`: of a query or a form, where "filter[status]" and "id[]" are names.
enum class Brackets { refused, allowed };
[[nodiscard]] NameKind kind_of_name(std::string_view name, Brackets brackets = Brackets::refused);

// A word of lower-case letters, with '_' or '-' between them.
[[nodiscard]] bool is_plain_word(std::string_view text);
// Whether the last word of a name ("orderStatus", "sort_order") says that its values are few.
[[nodiscard]] bool is_choice_name(std::string_view name);

// The name of the parameter behind a segment: "orders" gives "orderId", nothing "id".
[[nodiscard]] std::string parameter_after(std::string_view segment);

}  // namespace moat::openapi
