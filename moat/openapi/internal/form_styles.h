// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "moat/base/json.h"
#include "moat/openapi/internal/operation.h"

namespace moat::openapi {

// What a form's fields become by the styles of its members ("encoding", OpenAPI 3.1.1 section
// 4.8.15): the fields "a[b]" and "a[c]" of a deepObject one member, a text with commas a list.
// `typed` are the fields that are JSON. The fault is told of the body.
[[nodiscard]] std::optional<Violation> apply_styles(const Media& media, json::Object& fields,
                                                    const std::vector<std::string>& typed,
                                                    const ReadRules& rules);

// Whether a text within such a deepObject has become a list.
bool has_lone_member(const Media& media, const json::Value& before, const json::Value& after);

// Whether a field may come several times, by the style of its member. Nullopt: it has none.
std::optional<bool> style_repeats(const Media& media, std::string_view field);

}  // namespace moat::openapi
