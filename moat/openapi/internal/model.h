// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace moat::openapi {

// The objects of an OpenAPI document (OpenAPI 3.1.1 section 4.8, 3.0.4 section 4.7), as data.
enum class Kind : std::uint8_t {
  any,  // not looked at
  document,
  server,
  paths,
  path_item,
  operation,
  parameter,
  header,
  request_body,
  media_type,
  encoding,
  responses,
  response,
  components,
  security_scheme,
  schema
};
std::string_view to_string(Kind kind);  // "a path item"

enum class Shape : std::uint8_t { one, list, map };

// One field of a kind of object.
struct Field {
  std::string_view name;
  Kind kind = Kind::any;
  Shape shape = Shape::one;
  bool required = false;
  bool only_3_1 = false;
};
// Those of `kind`; empty for paths and responses, whose names are the author's own, and for schemas
// and `any`.
std::span<const Field> fields_of(Kind kind);
// Whether a "$ref" may stand in its place.
bool may_be_reference(Kind kind);

// What stands below a keyword of a schema: one schema, a list or a map of them.
struct SchemaKeyword {
  std::string_view name;
  Shape shape;
};
std::span<const SchemaKeyword> schema_keywords();

// The methods that a path item has fields for, in capitals with the field's name.
struct MethodField {
  std::string_view method;
  std::string_view field;
};
std::span<const MethodField> method_fields();

}  // namespace moat::openapi
