// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/schema.h"
#include "tests/conform/conform.h"

namespace moat::conform {

std::span<const Operation> schema_operations();

namespace {

// `assert_formats` is true for the suite's optional/format files; `draft` is "7" for a schema of
// draft 7 that does not say so itself. A schema that is refused accepts
// nothing.
json::Object schema(const json::Value& request) {
  const json::Value* text = request.find("schema");
  const json::Value* data = request.find("data");
  if (text == nullptr || data == nullptr) return {{"error", "schema and data are needed"}};
  const json::Value* formats = request.find("assert_formats");
  validate::SchemaOptions options;
  options.assert_formats = formats != nullptr && *formats == json::Value(true);
  const json::Value* draft = request.find("draft");
  if (draft != nullptr && *draft == json::Value("7"))
    options.default_dialect = validate::Dialect::draft_7;
  options.allow_unfit_defaults = true;  // a remark, in the standard
  const auto compiled = validate::Schema::compile(*text, options);
  if (!compiled) {
    return {{"ok", false},
            {"refused", compiled.error().pointer + ": " + compiled.error().sentence}};
  }
  const bool ok = compiled->check(*data);
  // What is read into a document, as by moat::openapi, and what gives reasons must answer the same.
  const std::string spelled = json::serialize(*data);
  json::Document document;
  const auto item = document.parse(spelled, corpus_limits());
  if (!item || compiled->check(*item) != ok || compiled->validate(*data).empty() != ok)
    return {{"error", "the ways to check a value do not agree"}};
  return {{"ok", ok}};
}

constexpr Operation operations[] = {{"schema", schema}};

}  // namespace

std::span<const Operation> schema_operations() { return operations; }

}  // namespace moat::conform
