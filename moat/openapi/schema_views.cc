// SPDX-License-Identifier: Apache-2.0
// What the schemas of an OpenAPI document mean, in the words of JSON Schema 2020-12.
#include <algorithm>
#include <limits>
#include <utility>

#include "moat/openapi/internal/files.h"

namespace moat::openapi {
namespace {

bool is_text(const json::Value& of, std::string_view name, std::string_view text) {
  const json::Value* value = of.find(name);
  return value != nullptr && value->as_string() != nullptr && *value->as_string() == text;
}

// What 3.1 schemas may name as their dialect: it adds remarks only.
constexpr std::string_view base_dialect = "https://spec.openapis.org/oas/3.1/dialect/base";

// Whether a nullable schema would refuse null by more than its type. OpenAPI 3.0.3 lets `nullable`
// count beside a type only, and 3.0.0 to 3.0.2 do not; who writes it beside a $ref or an enum means
// that null may come.
bool needs_null_beside(const json::Value& schema) {
  constexpr std::string_view others[] = {"$ref", "enum", "allOf", "oneOf", "anyOf", "not"};
  return schema.find("type") == nullptr ||
         std::any_of(std::begin(others), std::end(others),
                     [&schema](std::string_view name) { return schema.find(name) != nullptr; });
}

}  // namespace

std::vector<validate::SchemaDocument> Files::schema_documents(const View& view) const {
  std::vector<validate::SchemaDocument> out;
  for (std::size_t file = 0; file < files_.size(); ++file) {
    std::string uri = uri_of({file, nullptr, ""});
    uri.pop_back();  // the hash
    json::Value document = converted(file, files_[file].value, view);
    json::Array kinds = kinds_of_file(file, view);
    if (!kinds.empty() && document.as_object() != nullptr)
      std::get<json::Object>(document.data()).emplace_back(kinds_field, std::move(kinds));
    out.push_back({std::move(uri), std::move(document)});
  }
  return out;
}

json::Value Files::converted(std::size_t file, const json::Value& value, const View& view) const {
  const auto seen = files_[file].seen.find(&value);
  if (seen != files_[file].seen.end() && seen->second == Kind::schema)
    return converted_schema(file, value, view);
  if (const json::Object* object = value.as_object()) {
    json::Object out;
    for (const auto& [name, inner] : *object) out.emplace_back(name, converted(file, inner, view));
    return out;
  }
  if (const json::Array* array = value.as_array()) {
    json::Array out;
    for (const json::Value& inner : *array) out.push_back(converted(file, inner, view));
    return out;
  }
  return value;
}

// readOnly in a request, writeOnly in a response (OpenAPI 3.0.4 section 4.7.24.2, JSON Schema
// validation section 9.4), said by the member's schema or by the one it refers to.
bool Files::is_hidden(std::size_t file, const json::Value& schema, Direction direction) const {
  const std::string_view word = direction == Direction::request ? "readOnly" : "writeOnly";
  const auto fits = [word](std::size_t, const json::Value& part) { return is_true(part, word); };
  SchemasSeen seen;
  return any_part(file, schema, fits, seen);
}

// Whether `fits` is true of a schema, or of one that judges the same value in any case: by $ref or
// allOf.
bool Files::any_part(std::size_t file, const json::Value& schema, const PartPredicate& fits,
                     SchemasSeen& seen) const {
  if (schema.as_object() == nullptr || !seen.add(&schema)) return false;
  if (fits(file, schema)) return true;
  if (const auto next = step({file, &schema, ""})) {
    if (any_part(next->file, *next->value, fits, seen)) return true;
  }
  const json::Value* all = schema.find("allOf");
  const json::Array* parts = all == nullptr ? nullptr : all->as_array();
  return parts != nullptr && std::any_of(parts->begin(), parts->end(), [&](const auto& part) {
           return any_part(file, part, fits, seen);
         });
}

// Whether a schema, or one that judges the same value in any case, hides the member of that name.
bool Files::hides(std::size_t file, const json::Value& schema, std::string_view name,
                  Direction direction) const {
  const auto fits = [&](std::size_t in, const json::Value& part) {
    const json::Value* properties = part.find("properties");
    const json::Value* member = properties == nullptr ? nullptr : properties->find(name);
    return member != nullptr && is_hidden(in, *member, direction);
  };
  SchemasSeen seen;
  return any_part(file, schema, fits, seen);
}

json::Value Files::converted_member(std::size_t file, const std::string& name,
                                    const json::Value& value, const View& view) const {
  const auto keywords = schema_keywords();
  const auto keyword = std::find_if(keywords.begin(), keywords.end(),
                                    [&name](const SchemaKeyword& k) { return k.name == name; });
  if (keyword == keywords.end()) return value;
  if (keyword->shape == Shape::list && value.as_array() != nullptr) {
    json::Array out;
    for (const json::Value& inner : *value.as_array())
      out.push_back(converted_schema(file, inner, view));
    return out;
  }
  if (keyword->shape == Shape::map && value.as_object() != nullptr) {
    json::Object out;
    for (const auto& [key, inner] : *value.as_object()) {
      if (name == "properties" && is_hidden(file, inner, view.direction)) {
        out.emplace_back(key, false);
      } else {
        out.emplace_back(key, converted_schema(file, inner, view));
      }
    }
    return out;
  }
  return converted_schema(file, value, view);
}

json::Value Files::converted_schema(std::size_t file, const json::Value& schema, const View& view,
                                    const json::Value* whole) const {
  return nullable(schema, converted_object(file, schema, view, whole));
}

// What a schema has become, with null beside it where it says so.
json::Value Files::nullable(const json::Value& schema, json::Value converted) const {
  if (!is_3_0_ || !is_true(schema, "nullable") || !needs_null_beside(schema)) return converted;
  return json::Object{{"anyOf", json::Array{json::Object{{"type", "null"}}, std::move(converted)}}};
}

json::Value Files::converted_object(std::size_t file, const json::Value& schema, const View& view,
                                    const json::Value* whole) const {
  const json::Object* object = schema.as_object();
  if (object == nullptr) return schema;
  const Kinds* kinds = kinds_of(schema, view);
  const bool alone = view.plain == &schema;
  json::Object out;
  json::Array more;  // for allOf
  for (const auto& [name, value] : *object) {
    if (name == "$schema" && is_text(schema, name, base_dialect)) continue;
    if (is_3_0_ && name == "nullable") continue;
    if (kinds != nullptr && name == kinds->list) continue;
    if (is_3_0_ && (name == "exclusiveMinimum" || name == "exclusiveMaximum")) continue;
    if (is_3_0_ && (name == "minimum" || name == "maximum")) {
      const bool exclusive =
          is_true(schema, name == "minimum" ? "exclusiveMinimum" : "exclusiveMaximum");
      const std::string_view to = name == "minimum" ? "exclusiveMinimum" : "exclusiveMaximum";
      out.emplace_back(exclusive ? std::string(to) : name, value);
    } else if (is_3_0_ && name == "type" && is_true(schema, "nullable") &&
               !needs_null_beside(schema)) {
      out.emplace_back(name, json::Array{value, "null"});
    } else if (name == "required" && value.as_array() != nullptr) {
      json::Array left;
      for (const json::Value& member : *value.as_array()) {
        const std::string* text = member.as_string();
        const bool hidden =
            text != nullptr && (hides(file, schema, *text, view.direction) ||
                                (whole != nullptr && hides(file, *whole, *text, view.direction)));
        if (!hidden) left.push_back(member);
      }
      out.emplace_back(name, std::move(left));
    } else if (name == "allOf" && value.as_array() != nullptr) {
      const json::Value& holder = whole == nullptr ? schema : *whole;
      for (const json::Value& inner : *value.as_array())
        more.push_back(converted_part(file, inner, holder, view));
    } else {
      out.emplace_back(name, converted_member(file, name, value, view));
    }
  }
  // OpenAPI's format registry: a signed integer of 32 bits.
  if (is_text(schema, "format", "int32"))
    more.push_back(
        json::Object{{"minimum", std::int64_t{std::numeric_limits<std::int32_t>::min()}},
                     {"maximum", std::int64_t{std::numeric_limits<std::int32_t>::max()}}});
  if (kinds != nullptr && !alone) more.push_back(choice(*kinds, view));
  if (!more.empty()) out.emplace_back("allOf", std::move(more));
  return out;
}

}  // namespace moat::openapi
