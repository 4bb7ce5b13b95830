// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "moat/openapi/internal/path_tree.h"
#include "moat/openapi/openapi.h"
#include "moat/validate/file_types.h"
#include "moat/validate/keys.h"
#include "moat/validate/schema.h"

namespace moat::openapi {

enum class Where : std::uint8_t { path, query, header, cookie };
std::string_view to_string(Where where);

// How a value of several parts is written in one text (OpenAPI 3.1.1 section 4.8.12.3).
enum class Style : std::uint8_t {
  simple,
  label,
  matrix,
  form,
  space_delimited,
  pipe_delimited,
  deep_object
};

// What a schema wants in its place.
enum class Wants : std::uint8_t { scalar, array, object };

// The members of an object that a schema lists, and what each of them is.
struct Members {
  std::map<std::string, Wants, std::less<>> listed;
  std::set<std::string, std::less<>> files;  // those that a form may bring as files
  bool open = false;                         // others may come, too
};

struct Parameter {
  Where where = Where::query;
  std::string name;
  Style style = Style::form;
  bool explode = true;
  bool required = false;
  bool allow_empty = false;
  bool is_json = false;  // its text is JSON ("content")
  Wants wants = Wants::scalar;
  std::string type;        // of a scalar, for people: "integer", "string (date)"
  Members members;         // where it wants an object
  std::string schema_uri;  // in Files' documents; empty: none
  std::optional<validate::Schema> schema;
};

// The parameters of a media type but for its charset, sorted; names in lower case.
using MediaParameters = std::vector<std::pair<std::string, std::string>>;

// One key of a `content` map.
struct Media {
  std::string type;  // in lower case, without parameters: "application/json", "image/*", "*/*"
  MediaParameters parameters;
  bool says_something = false;  // its schema is more than "a text" or "bytes"
  Members members;              // for forms
  std::map<std::string, std::vector<std::string>, std::less<>> part_types;  // "encoding"
  // The members of a form that are not written as usual: deepObject, and lists in one text.
  std::map<std::string, Style, std::less<>> part_styles;
  std::string schema_uri;
  std::optional<validate::Schema> schema;
  // Of forms, where the document has discriminators: the same, obeying them. `schema` makes values
  // of texts, for which it must not have chosen yet.
  std::optional<validate::Schema> chosen;
};
using Content = std::vector<Media>;

struct Body {
  bool required = false;
  Content content;
};

struct Answer {
  int first = 0, last = 0;  // of its statuses; 0 and 999 for "default"
  std::vector<Parameter> headers;
  Content content;
};

// Credential is a security scheme, as far as a request shows it.
struct Credential {
  // `unseen`: nothing says where it would stand (OAuth 2, OpenID Connect, Digest and others).
  enum class Is : std::uint8_t { unseen, certificate, header, query, cookie, bearer, basic };
  Is is = Is::unseen;
  std::string name;  // of the header, parameter or cookie

  bool operator==(const Credential&) const = default;
};

struct Operation {
  std::string_view method;              // a literal
  std::string path;                     // the template, with what stands before it
  std::string id;                       // operationId
  std::vector<std::string> path_names;  // of the parameters in the path, in their order
  std::vector<Parameter> parameters;
  std::optional<Body> body;
  std::vector<Answer> answers;  // exact statuses, then ranges, then the default
  std::vector<Credential> credentials;
  // Numbers of `credentials`: all of one list, of any of them; empty: nobody is asked for any.
  std::vector<std::vector<std::size_t>> security;
};

// What a media type is read as.
enum class Format : std::uint8_t { json, form, multipart, text, opaque };

// A Content-Type field's value.
struct MediaType {
  std::string type;  // in lower case: "application/json"
  Format format = Format::opaque;
  bool is_utf8 = true;  // or it does not say
  MediaParameters parameters;
};
// Nullopt where it is none (RFC 9110 section 8.3.1).
[[nodiscard]] std::optional<MediaType> parse_media_type(std::string_view text);
// Whether a type stands for several: "image/*".
inline bool is_range(std::string_view type) {
  return type.size() > 2 && type.substr(type.size() - 2) == "/*";
}
// The most specific entry for a type. Its parameters count where a document has the type several
// times: the entry for which most of them are given.
const Media* find_media(const Content& content, const MediaType& type);

// What holds for all values that are read.
struct ReadRules {
  json::Limits limits;
  validate::KeyRules keys;
  bool allow_unknown_query = false;
  bool allow_missing_credentials = false;
  bool allow_mismatched_uploads = false;
  std::vector<std::string> other_form_fields;
  std::map<std::string, std::string> kind_sentences;  // as Files has them
  bool of_answers = false;
};

// The values of parameters, from the texts of a request.
class ParameterReader final {
 public:
  ParameterReader(const Operation& operation, const ReadRules& rules)
      : operation_(operation), rules_(rules) {}

  std::vector<Violation> read(const Request& request, const Match& match);

 private:
  // `values` in the order of Operation::path_names.
  void read_path(const std::vector<std::string_view>& values);
  void read_query(std::string_view query);
  void read_cookies(std::string_view cookie);

  const Operation& operation_;
  const ReadRules& rules_;
  std::vector<Violation> violations_;
};

// 401 where nothing is there of what `security` asks for.
std::optional<Refusal> check_credentials(const Operation& operation, const Request& request,
                                         const ReadRules& rules);
std::string describe_security(const Operation& operation);  // empty: nothing is asked for

// Header parameters: of a request, or of an answer.
void read_headers(const std::vector<Parameter>& parameters,
                  std::span<const std::pair<std::string_view, std::string_view>> headers,
                  const ReadRules& rules, std::vector<Violation>& violations);

// What is wrong with a file's bytes, or its name, for its media type.
std::optional<std::string> fault_of_file(std::string_view media_type, std::string_view content,
                                         validate::Extent extent, std::string_view name = {});

// A body, or the content of a response, by its type; `content_type` is the whole field.
std::optional<Refusal> check_content(const Media& media, const MediaType& type,
                                     std::string_view content_type, std::string_view body,
                                     const ReadRules& rules);

}  // namespace moat::openapi
