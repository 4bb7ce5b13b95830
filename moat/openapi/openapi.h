// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moat/base/json.h"
#include "moat/base/result.h"

namespace moat::openapi {

// Why a document was refused: the file, a place in it, and a sentence.
struct DocumentProblem {
  std::string file;
  int line = 0;         // 0 where it is not known (documents in JSON)
  std::string pointer;  // JSON Pointer (RFC 6901) in that file
  std::string sentence;
  std::string to_string() const;  // "openapi.yaml:12: /paths/~1orders: …"
};

// The text of another file that the document refers to, or why it cannot be had. `name` is relative
// to the first document's folder and never leads out of it.
using Loader = std::function<Result<std::string, std::string>(std::string_view name)>;

struct DocumentOptions {
  std::string name = "openapi.yaml";  // for messages
  Loader loader;                      // without one, a reference to another file is a problem
  // Before the document's paths, such as "/v1". Without it: the paths of its `servers`, or nothing.
  std::optional<std::string> base_path;
  bool allow_unknown_query = false;    // parameters that no operation describes
  bool allow_unknown_members = false;  // of objects in bodies that list their members
  // Members of objects that a document leaves open, as of KeyRules: "$gt", "__proto__", "a.b".
  bool allow_unsafe_keys = false;
  bool allow_dotted_keys = false;          // of these "a.b" alone
  bool allow_missing_credentials = false;  // that `security` asks for
  // Types ("application/xml") whose schemas may count for nothing, as nobody here reads such
  // bodies.
  std::vector<std::string> allow_unread_bodies;
  // Files and bodies that are not what their media type says: HTML as image/png.
  bool allow_mismatched_uploads = false;
  // Fields of forms that are somebody else's, such as a token against forgery: passed over.
  std::vector<std::string> other_form_fields;
  bool checks_responses = false;             // whether check_response_… will be called
  std::size_t max_bytes = 32 * 1024 * 1024;  // of all files together
  std::size_t max_nodes = 2'000'000;         // values in all files, aliases of YAML written out
  json::Limits body;                         // of a body, and of a parameter that is JSON
  // Of an answer: the backend is nobody to be afraid of.
  json::Limits response{
      .depth = 64, .members = 1'000'000, .string_bytes = 1 << 20, .total_bytes = 1 << 20};
};

// What is judged. All texts belong to the caller.
struct Request {
  std::string_view method;  // "POST"
  std::string_view path;    // raw, begins with '/', up to the '?'
  std::string_view query;   // raw, behind the '?'
  std::string_view cookie;  // the Cookie header; several lines joined by "; "
  std::string_view content_type;
  bool has_body = false;
  bool is_encoded = false;  // there is a Content-Encoding
  std::span<const std::pair<std::string_view, std::string_view>> headers;  // names in any case
  // Whoever is before the backend knows who this is, and tells it: `security` asks for no more.
  bool authenticated = false;
  bool without_authorization = false;  // the backend will not get that header
};

// One thing wrong. No value that was sent is repeated, and no name that the document does not have.
struct Violation {
  std::string_view in;    // "path", "query", "header", "cookie" or "body"; a literal
  std::string parameter;  // its name; empty for a body
  std::string pointer;    // JSON Pointer into the body or the parameter's value
  std::string keyword;    // of JSON Schema, or "unknown", "missing", "repeated", "syntax"
  std::string message;    // a sentence to act on, beginning in lower case
};

// Why a request or a response is not what the document describes.
struct Refusal {
  int status = 400;        // of a request: 400, 401, 404, 405, 413, 415 or 422
  std::string_view code;   // a stable name, a literal: "schema_no_operation"
  std::string_view title;  // a sentence for people, a literal
  std::vector<Violation> errors;
  std::string allow;           // of 405: the methods that there are, for an Allow field
  std::string challenge = {};  // of 401: for a WWW-Authenticate field
};
// The body of an answer: application/problem+json (RFC 9457) with the errors in a list.
std::string to_problem_json(const Refusal& refusal);

struct Operation;

// The operation for a request, and the texts of the parameters in its path: views into that.
struct Match {
  const Operation* operation = nullptr;  // of the Document, for as long as it lives
  std::vector<std::string_view> path_values;
  // As others read them, where they may: "a-b-c" is {x}-{y} in two ways. Both must fit.
  std::vector<std::string_view> other_path_values;
};

// Document is an OpenAPI document of version 3.0 or 3.1, checked and compiled once. It is immutable
// and may be used by several threads. What it does not describe is refused.
class Document final {
 public:
  // All problems, or a document.
  [[nodiscard]] static Result<Document, std::vector<DocumentProblem>> parse(
      std::string_view text, const DocumentOptions& options = {});

  // The operation for a method and a raw path, or 404 or 405. HEAD is described where GET is.
  [[nodiscard]] Result<Match, Refusal> find(std::string_view method, std::string_view path) const;
  // Credentials, path, query, header and cookie parameters, and whether there may be such a body.
  [[nodiscard]] std::optional<Refusal> check_head(const Match& match, const Request& request) const;
  // Whether the content of a body of that type is checked: else it need not be read.
  [[nodiscard]] bool reads_body(const Operation& operation, std::string_view content_type) const;
  [[nodiscard]] std::optional<Refusal> check_body(const Operation& operation,
                                                  std::string_view content_type,
                                                  std::string_view body) const;
  // Whether the beginning of a body that is not read is looked at: its type says what that must be
  // (a picture, an archive). `beginning` is all of it, or validate::file_head_bytes or more, of
  // which the first so many are judged.
  [[nodiscard]] bool looks_at_body(const Operation& operation, std::string_view content_type) const;
  [[nodiscard]] std::optional<Refusal> check_beginning(const Operation& operation,
                                                       std::string_view content_type,
                                                       std::string_view beginning) const;

  // The same for the answer of a backend: its status, type and head, and its content. A document
  // that was parsed without `checks_responses` lets all pass.
  [[nodiscard]] std::optional<Refusal> check_response_head(
      const Operation& operation, int status, std::string_view content_type, bool has_body,
      std::span<const std::pair<std::string_view, std::string_view>> headers) const;
  [[nodiscard]] bool reads_response(const Operation& operation, int status,
                                    std::string_view content_type) const;
  [[nodiscard]] std::optional<Refusal> check_response_body(const Operation& operation, int status,
                                                           std::string_view content_type,
                                                           std::string_view body) const;

  std::vector<const Operation*> operations() const;  // in the order of the document

 private:
  struct Parts;
  explicit Document(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
  std::shared_ptr<const Parts> parts_;
};

// For people: "POST /orders/{id} (createOrder)", and what it takes, a line each.
std::string name_of(const Operation& operation);
std::string_view path_of(const Operation& operation);  // its template, "/orders/{id}"
std::vector<std::string> describe(const Operation& operation);
// What `security` asks for. `unseen`: in one way at least, what no request shows, such as OAuth 2.
enum class Asked { nothing, credentials, unseen };
Asked asked_by(const Operation& operation);
bool asks_for_certificate(const Operation& operation);  // of the client, in each way (mutualTLS)
std::vector<std::string> key_headers(const Operation& operation);  // that it takes keys in

}  // namespace moat::openapi
