// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "moat/base/result.h"
#include "moat/openapi/openapi.h"

namespace moat::gateway {

// shadow: what is not described passes, and is told of.
enum class SchemaMode { off, shadow, enforce };

// The OpenAPI document of a route.
struct RouteSchema {
  std::string file;  // empty: none
  SchemaMode requests = SchemaMode::enforce;
  SchemaMode responses = SchemaMode::off;
  std::optional<std::string> base;         // before its paths, in place of its servers'
  bool allow_unknown_query = false;        // true is a weakening
  bool allow_unknown_members = false;      // true is a weakening
  bool allow_unsafe_keys = false;          // true is a weakening
  bool allow_dotted_keys = false;          // true is a weakening
  bool allow_missing_credentials = false;  // true is a weakening
  // Types whose schemas count for nothing, as such bodies pass unread: each is a weakening.
  std::vector<std::string> allow_unread_bodies;
  bool allow_mismatched_uploads = false;   // true is a weakening
  std::uint32_t max_members = 1000;        // of a body or a query
  std::uint64_t max_string = 64 * 1024;    // bytes of one text
  std::uint64_t max_answer = 1024 * 1024;  // bytes of an answer that is looked at
  bool learn = false;                      // what the requests look like; a route without a schema
  // What has been read of it, by read_schema.
  std::shared_ptr<const openapi::Document> document;
  std::vector<std::string> files;  // it and what it refers to

  bool operator==(const RouteSchema&) const = default;
  bool checks_requests() const { return document != nullptr && requests != SchemaMode::off; }
  // Whether what passes may be what no document describes yet.
  bool learns() const { return document != nullptr ? requests == SchemaMode::shadow : learn; }
  bool checks_responses() const { return document != nullptr && responses != SchemaMode::off; }
};

// Whether a route with this pattern is ever asked for the operation.
bool serves(const std::string& match, const openapi::Operation& operation);
// The operations of the document that a route with this pattern ("/api/*") never asks for.
std::vector<std::string> operations_outside(const RouteSchema& schema, const std::string& match);

// Reads the document into `schema`. `max_body` bounds what is held of a body. The problems name
// files as `schema.file` does.
// `form_token`: forms bring the field of one against forgery, which no document has.
[[nodiscard]] Result<void, std::vector<openapi::DocumentProblem>> read_schema(
    RouteSchema& schema, std::uint64_t max_body, bool form_token = false);

}  // namespace moat::gateway
