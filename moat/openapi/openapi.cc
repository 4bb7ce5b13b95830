// SPDX-License-Identifier: Apache-2.0
#include "moat/openapi/openapi.h"

#include <algorithm>
#include <utility>

#include "moat/base/encoding.h"
#include "moat/openapi/internal/parts.h"
#include "moat/openapi/internal/pointer.h"
#include "moat/validate/file_types.h"

namespace moat::openapi {
namespace {

using Headers = std::span<const std::pair<std::string_view, std::string_view>>;

Refusal refusal(int status, std::string_view code, std::string_view title) {
  return {status, code, title, {}, ""};
}

Refusal refusal(int status, std::string_view code, std::string_view title, Violation violation) {
  Refusal out = refusal(status, code, title);
  out.errors.push_back(std::move(violation));
  return out;
}

Violation of_body(std::string_view keyword, std::string message) {
  return {"body", "", "", std::string(keyword), std::move(message)};
}

// The methods of a path, for an Allow field (RFC 9110 section 10.2.1).
std::string allowed(const PathOperations& path, const std::vector<Operation>& operations) {
  std::string out;
  bool get = false, head = false;
  for (const std::size_t i : path.operations) {
    out += (out.empty() ? "" : ", ") + std::string(operations[i].method);
    get = get || operations[i].method == "GET";
    head = head || operations[i].method == "HEAD";
  }
  return get && !head ? out + ", HEAD" : out;
}

// A backend that obeys these would do what is another operation's. CGI and its kin take '_' for
// '-'.
bool overrides_method(std::string_view field) {
  std::string name(field);
  std::replace(name.begin(), name.end(), '_', '-');
  for (const std::string_view one :
       {"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"}) {
    if (ascii_iequals(name, one)) return true;
  }
  return false;
}

bool has_header_parameter(const Operation& operation, std::string_view name) {
  return std::any_of(operation.parameters.begin(), operation.parameters.end(), [&](const auto& p) {
    return p.where == Where::header && ascii_iequals(p.name, name);
  });
}

std::string list_types(const Content& content) {
  std::string out;
  for (const Media& media : content) {
    out += (out.empty() ? "" : ", ") + media.type;
    for (const auto& [name, value] : media.parameters) out += ";" + name + "=" + printable(value);
  }
  return out;
}

bool is_read(const Media& media, const MediaType& type) {
  switch (type.format) {
    case Format::json:
    case Format::form:
    case Format::multipart:
      return true;
    case Format::text:
      return media.schema.has_value();
    case Format::opaque:
      break;
  }
  return false;
}

// A body that streams and says what it is.
bool is_looked_at(const Media& media, const MediaType& type, const ReadRules& rules) {
  return !rules.allow_mismatched_uploads && !is_read(media, type) &&
         validate::is_known_file_type(type.type);
}

// What a body says it is, and what the operation says of such.
struct DescribedBody {
  MediaType type;
  const Media* media;
};
std::optional<DescribedBody> body_of(const Operation& operation, std::string_view content_type) {
  auto type = parse_media_type(content_type);
  const Media* media =
      type && operation.body ? find_media(operation.body->content, *type) : nullptr;
  if (media == nullptr) return std::nullopt;
  return DescribedBody{*std::move(type), media};
}

const Answer* answer_for(const Operation& operation, int status) {
  for (const Answer& answer : operation.answers) {
    if (status >= answer.first && status <= answer.last) return &answer;
  }
  return nullptr;
}

constexpr std::string_view bad_answer = "The application's answer is not what it describes.";

}  // namespace

Result<Document, std::vector<DocumentProblem>> Document::parse(std::string_view text,
                                                               const DocumentOptions& options) {
  auto parts = std::make_shared<Parts>();
  Files files(options);
  if (!files.read(text)) return Error{std::move(files.problems())};
  Builder builder(files, options);
  if (!builder.build(parts->operations, parts->paths, parts->tree))
    return Error{std::move(files.problems())};
  parts->checks_responses = options.checks_responses;
  validate::KeyRules keys;
  keys.allow_names.assign(files.unsafe_names().begin(), files.unsafe_names().end());
  keys.allow_prototype_keys = keys.allow_operator_keys = options.allow_unsafe_keys;
  keys.allow_dotted_keys = options.allow_unsafe_keys || options.allow_dotted_keys;
  parts->request_rules = {options.body,
                          keys,
                          options.allow_unknown_query,
                          options.allow_missing_credentials,
                          options.allow_mismatched_uploads,
                          options.other_form_fields,
                          files.kind_sentences()};
  keys.allow_prototype_keys = keys.allow_operator_keys = keys.allow_dotted_keys = true;
  parts->response_rules = {options.response,       keys, false, false, true, {},
                           files.kind_sentences(), true};
  return Document(std::move(parts));
}

Result<Match, Refusal> Document::find(std::string_view method, std::string_view path) const {
  PathTree::Values values;
  const auto index = parts_->tree.find(path, values);
  if (!index) return Error{refusal(404, "schema_no_operation", "There is nothing here.")};
  Match match;
  if (values.longest != values.shortest) match.other_path_values = std::move(values.longest);
  match.path_values = std::move(values.shortest);
  const PathOperations& here = parts_->paths[*index];
  const auto with = [&](std::string_view name) -> const Operation* {
    for (const std::size_t i : here.operations) {
      if (parts_->operations[i].method == name) return &parts_->operations[i];
    }
    return nullptr;
  };
  match.operation = with(method);
  if (match.operation == nullptr && method == "HEAD") match.operation = with("GET");
  if (match.operation != nullptr) return match;
  Refusal out = refusal(405, "schema_no_method", "This method is not for this place.");
  out.allow = allowed(here, parts_->operations);
  return Error{std::move(out)};
}

std::optional<Refusal> Document::check_head(const Match& match, const Request& request) const {
  const Operation& operation = *match.operation;
  // First, so that who brings none learns nothing else.
  if (auto refused = check_credentials(operation, request, parts_->request_rules)) return refused;
  for (const auto& [name, value] : request.headers) {
    if (overrides_method(name) && !has_header_parameter(operation, name))
      return refusal(400, "schema_parameters", "The request is not what is expected here.",
                     {"header", "", "", "unknown", "another method is asked for by a header"});
  }
  Refusal out = refusal(400, "schema_parameters", "The request is not what is expected here.");
  out.errors = ParameterReader(operation, parts_->request_rules).read(request, match);
  if (!out.errors.empty()) return out;
  if (!request.has_body) {
    if (operation.body && operation.body->required)
      return refusal(400, "schema_body_missing", "The request needs a body.",
                     of_body("missing", "is required"));
    return std::nullopt;
  }
  if (!operation.body)
    return refusal(400, "schema_body_unexpected", "No body is expected here.",
                   of_body("unknown", "must not be there"));
  constexpr std::string_view title = "A body of this type is not expected here.";
  const auto type = parse_media_type(request.content_type);
  const Media* media = type ? find_media(operation.body->content, *type) : nullptr;
  if (media == nullptr)
    return refusal(415, "schema_content_type", title,
                   of_body("type", "must be of the type " + list_types(operation.body->content)));
  // Who names a range and a schema means that it is obeyed: a type that nobody reads here would
  // pass by it, and programs read JSON under many names.
  if (type->format == Format::opaque && media->says_something && is_range(media->type))
    return refusal(415, "schema_content_type", title,
                   of_body("type", "must be of a type that can be checked, such as JSON"));
  const bool read = is_read(*media, *type);
  if (!read && !is_looked_at(*media, *type, parts_->request_rules)) return std::nullopt;
  if (!type->is_utf8 && (read || validate::is_text_file_type(type->type)))
    return refusal(415, "schema_content_type", title, of_body("type", "must be in UTF-8"));
  if (request.is_encoded)
    return refusal(415, "schema_content_type", title,
                   of_body("type", "must come without Content-Encoding"));
  return std::nullopt;
}

bool Document::reads_body(const Operation& operation, std::string_view content_type) const {
  const auto body = body_of(operation, content_type);
  return body && is_read(*body->media, body->type);
}

std::optional<Refusal> Document::check_body(const Operation& operation,
                                            std::string_view content_type,
                                            std::string_view body) const {
  const auto described = body_of(operation, content_type);
  if (!described)
    return refusal(415, "schema_content_type", "A body of this type is not expected here.");
  return check_content(*described->media, described->type, content_type, body,
                       parts_->request_rules);
}

bool Document::looks_at_body(const Operation& operation, std::string_view content_type) const {
  const auto body = body_of(operation, content_type);
  return body && is_looked_at(*body->media, body->type, parts_->request_rules);
}

std::optional<Refusal> Document::check_beginning(const Operation& operation,
                                                 std::string_view content_type,
                                                 std::string_view beginning) const {
  const auto body = body_of(operation, content_type);
  if (!body || !is_looked_at(*body->media, body->type, parts_->request_rules)) return std::nullopt;
  const bool is_whole = beginning.size() < validate::file_head_bytes;
  auto fault = fault_of_file(body->type.type, beginning.substr(0, validate::file_head_bytes),
                             is_whole ? validate::Extent::whole : validate::Extent::beginning);
  if (!fault) return std::nullopt;
  return refusal(422, "schema_body", "The body is not what is expected here.",
                 of_body("file", *std::move(fault)));
}

std::optional<Refusal> Document::check_response_head(const Operation& operation, int status,
                                                     std::string_view content_type, bool has_body,
                                                     Headers headers) const {
  if (!parts_->checks_responses || status < 200 || status == 304) return std::nullopt;
  const Answer* answer = answer_for(operation, status);
  if (answer == nullptr)
    return refusal(
        502, "schema_response_status", bad_answer,
        of_body("status", "no answer with the status " + std::to_string(status) + " is described"));
  Refusal out = refusal(502, "schema_response_headers", bad_answer);
  read_headers(answer->headers, headers, parts_->response_rules, out.errors);
  if (!out.errors.empty()) return out;
  if (!has_body) return std::nullopt;
  const auto type = parse_media_type(content_type);
  const Media* media = type ? find_media(answer->content, *type) : nullptr;
  if (media == nullptr)
    return refusal(502, "schema_response_type", bad_answer,
                   of_body("type", answer->content.empty()
                                       ? "must not be there"
                                       : "must be of the type " + list_types(answer->content)));
  return std::nullopt;
}

bool Document::reads_response(const Operation& operation, int status,
                              std::string_view content_type) const {
  const Answer* answer = answer_for(operation, status);
  const auto type = parse_media_type(content_type);
  const Media* media = answer != nullptr && type ? find_media(answer->content, *type) : nullptr;
  return media != nullptr && type->format == Format::json;
}

std::optional<Refusal> Document::check_response_body(const Operation& operation, int status,
                                                     std::string_view content_type,
                                                     std::string_view body) const {
  const Answer* answer = answer_for(operation, status);
  const auto type = parse_media_type(content_type);
  const Media* media = answer != nullptr && type ? find_media(answer->content, *type) : nullptr;
  if (media == nullptr) return std::nullopt;
  auto refused = check_content(*media, *type, content_type, body, parts_->response_rules);
  if (!refused) return std::nullopt;
  refused->status = 502;
  refused->code = "schema_response_body";
  refused->title = bad_answer;
  return refused;
}

std::vector<const Operation*> Document::operations() const {
  std::vector<const Operation*> out;
  for (const Operation& operation : parts_->operations) out.push_back(&operation);
  return out;
}

// ------------------------------------------------------------------------------------- for people

std::string to_problem_json(const Refusal& refusal) {
  json::Array errors;
  for (const Violation& violation : refusal.errors) {
    json::Object error{{"in", violation.in}};
    if (!violation.parameter.empty()) error.emplace_back("parameter", violation.parameter);
    // As a fragment, so that it reads as a place (RFC 9457 section 3, RFC 6901 section 6).
    error.emplace_back("pointer", "#" + violation.pointer);
    error.emplace_back("keyword", violation.keyword);
    error.emplace_back("detail", violation.message);
    errors.push_back(std::move(error));
  }
  json::Object out{{"type", "about:blank"},
                   {"title", refusal.title},
                   {"status", refusal.status},
                   {"code", refusal.code}};
  if (!errors.empty()) out.emplace_back("errors", std::move(errors));
  return json::serialize(json::Value(std::move(out)));
}

std::string name_of(const Operation& operation) {
  std::string out = std::string(operation.method) + " " + operation.path;
  return printable(operation.id.empty() ? out : out + " (" + operation.id + ")");
}

std::string_view path_of(const Operation& operation) { return operation.path; }

std::vector<std::string> describe(const Operation& operation) {
  std::vector<std::string> out;
  for (const Parameter& parameter : operation.parameters) {
    const std::string_view wants = parameter.is_json                  ? "JSON"
                                   : parameter.wants == Wants::array  ? "a list"
                                   : parameter.wants == Wants::object ? "an object"
                                   : parameter.type.empty()           ? "a value"
                                                            : std::string_view(parameter.type);
    out.push_back(printable(std::string(to_string(parameter.where)) + " " + parameter.name + ": " +
                            std::string(wants) + (parameter.required ? ", required" : "")));
  }
  const std::string security = describe_security(operation);
  if (!security.empty()) out.push_back("credentials: " + security);
  if (operation.body)
    out.push_back("body: " + list_types(operation.body->content) +
                  (operation.body->required ? ", required" : ""));
  return out;
}

}  // namespace moat::openapi
