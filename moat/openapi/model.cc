// SPDX-License-Identifier: Apache-2.0
#include "moat/openapi/internal/model.h"

#include <algorithm>
#include <array>

namespace moat::openapi {
namespace {

constexpr Field document[] = {
    {.name = "openapi", .required = true},
    {.name = "info", .required = true},
    {.name = "jsonSchemaDialect", .only_3_1 = true},
    {.name = "servers", .kind = Kind::server, .shape = Shape::list},
    {.name = "paths", .kind = Kind::paths},
    {.name = "webhooks", .kind = Kind::path_item, .shape = Shape::map, .only_3_1 = true},
    {.name = "components", .kind = Kind::components},
    {.name = "security"},
    {.name = "tags"},
    {.name = "externalDocs"},
};
constexpr Field server[] = {
    {.name = "url", .required = true},
    {.name = "description"},
    {.name = "variables"},
};
constexpr Field path_item[] = {
    {.name = "summary"},
    {.name = "description"},
    {.name = "get", .kind = Kind::operation},
    {.name = "put", .kind = Kind::operation},
    {.name = "post", .kind = Kind::operation},
    {.name = "delete", .kind = Kind::operation},
    {.name = "options", .kind = Kind::operation},
    {.name = "head", .kind = Kind::operation},
    {.name = "patch", .kind = Kind::operation},
    {.name = "trace", .kind = Kind::operation},
    {.name = "servers", .kind = Kind::server, .shape = Shape::list},
    {.name = "parameters", .kind = Kind::parameter, .shape = Shape::list},
};
constexpr Field operation[] = {
    {.name = "tags"},
    {.name = "summary"},
    {.name = "description"},
    {.name = "externalDocs"},
    {.name = "operationId"},
    {.name = "parameters", .kind = Kind::parameter, .shape = Shape::list},
    {.name = "requestBody", .kind = Kind::request_body},
    {.name = "responses", .kind = Kind::responses},
    {.name = "callbacks"},
    {.name = "deprecated"},
    {.name = "security"},
    {.name = "servers", .kind = Kind::server, .shape = Shape::list},
};
constexpr Field parameter[] = {
    {.name = "name", .required = true},
    {.name = "in", .required = true},
    {.name = "description"},
    {.name = "required"},
    {.name = "deprecated"},
    {.name = "allowEmptyValue"},
    {.name = "style"},
    {.name = "explode"},
    {.name = "allowReserved"},
    {.name = "schema", .kind = Kind::schema},
    {.name = "content", .kind = Kind::media_type, .shape = Shape::map},
    {.name = "example"},
    {.name = "examples"},
};
constexpr Field header[] = {
    {.name = "description"},
    {.name = "required"},
    {.name = "deprecated"},
    {.name = "allowEmptyValue"},
    {.name = "style"},
    {.name = "explode"},
    {.name = "allowReserved"},
    {.name = "schema", .kind = Kind::schema},
    {.name = "content", .kind = Kind::media_type, .shape = Shape::map},
    {.name = "example"},
    {.name = "examples"},
};
constexpr Field request_body[] = {
    {.name = "description"},
    {.name = "content", .kind = Kind::media_type, .shape = Shape::map, .required = true},
    {.name = "required"},
};
constexpr Field media_type[] = {
    {.name = "schema", .kind = Kind::schema},
    {.name = "encoding", .kind = Kind::encoding, .shape = Shape::map},
    {.name = "example"},
    {.name = "examples"},
};
constexpr Field encoding[] = {
    {.name = "contentType"},   {.name = "headers", .kind = Kind::header, .shape = Shape::map},
    {.name = "style"},         {.name = "explode"},
    {.name = "allowReserved"},
};
constexpr Field response[] = {
    {.name = "description", .required = true},
    {.name = "headers", .kind = Kind::header, .shape = Shape::map},
    {.name = "content", .kind = Kind::media_type, .shape = Shape::map},
    {.name = "links"},
};
constexpr Field components[] = {
    {.name = "schemas", .kind = Kind::schema, .shape = Shape::map},
    {.name = "responses", .kind = Kind::response, .shape = Shape::map},
    {.name = "parameters", .kind = Kind::parameter, .shape = Shape::map},
    {.name = "requestBodies", .kind = Kind::request_body, .shape = Shape::map},
    {.name = "headers", .kind = Kind::header, .shape = Shape::map},
    {.name = "pathItems", .kind = Kind::path_item, .shape = Shape::map, .only_3_1 = true},
    {.name = "examples"},
    {.name = "securitySchemes", .kind = Kind::security_scheme, .shape = Shape::map},
    {.name = "links"},
    {.name = "callbacks"},
};

constexpr Field security_scheme[] = {
    {.name = "type", .required = true},
    {.name = "description"},
    {.name = "name"},
    {.name = "in"},
    {.name = "scheme"},
    {.name = "bearerFormat"},
    {.name = "flows"},
    {.name = "openIdConnectUrl"},
};

constexpr SchemaKeyword keywords[] = {
    {"additionalProperties", Shape::one},
    {"contains", Shape::one},
    {"contentSchema", Shape::one},
    {"else", Shape::one},
    {"if", Shape::one},
    {"items", Shape::one},
    {"not", Shape::one},
    {"propertyNames", Shape::one},
    {"then", Shape::one},
    {"unevaluatedItems", Shape::one},
    {"unevaluatedProperties", Shape::one},
    {"allOf", Shape::list},
    {"anyOf", Shape::list},
    {"oneOf", Shape::list},
    {"prefixItems", Shape::list},
    {"$defs", Shape::map},
    {"definitions", Shape::map},
    {"dependentSchemas", Shape::map},
    {"patternProperties", Shape::map},
    {"properties", Shape::map},
};

constexpr MethodField methods[] = {
    {"GET", "get"},         {"PUT", "put"},   {"POST", "post"},   {"DELETE", "delete"},
    {"OPTIONS", "options"}, {"HEAD", "head"}, {"PATCH", "patch"}, {"TRACE", "trace"},
};

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::any:
      break;
    case Kind::document:
      return "a document";
    case Kind::server:
      return "a server";
    case Kind::paths:
      return "paths";
    case Kind::path_item:
      return "a path item";
    case Kind::operation:
      return "an operation";
    case Kind::parameter:
      return "a parameter";
    case Kind::header:
      return "a header";
    case Kind::request_body:
      return "a request body";
    case Kind::media_type:
      return "a media type";
    case Kind::encoding:
      return "an encoding";
    case Kind::responses:
      return "responses";
    case Kind::response:
      return "a response";
    case Kind::components:
      return "components";
    case Kind::security_scheme:
      return "a security scheme";
    case Kind::schema:
      return "a schema";
  }
  return "a value";
}

std::span<const Field> fields_of(Kind kind) {
  switch (kind) {
    case Kind::document:
      return document;
    case Kind::server:
      return server;
    case Kind::path_item:
      return path_item;
    case Kind::operation:
      return operation;
    case Kind::parameter:
      return parameter;
    case Kind::header:
      return header;
    case Kind::request_body:
      return request_body;
    case Kind::media_type:
      return media_type;
    case Kind::encoding:
      return encoding;
    case Kind::response:
      return response;
    case Kind::components:
      return components;
    case Kind::security_scheme:
      return security_scheme;
    case Kind::any:
    case Kind::paths:
    case Kind::responses:
    case Kind::schema:
      break;
  }
  return {};
}

bool may_be_reference(Kind kind) {
  switch (kind) {
    case Kind::path_item:
    case Kind::parameter:
    case Kind::header:
    case Kind::request_body:
    case Kind::response:
    case Kind::security_scheme:
    case Kind::schema:
      return true;
    default:
      return false;
  }
}

std::span<const SchemaKeyword> schema_keywords() { return keywords; }
std::span<const MethodField> method_fields() { return methods; }

}  // namespace moat::openapi
