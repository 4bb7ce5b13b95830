// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/route_schema.h"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "moat/csrf/token.h"

namespace moat::gateway {

namespace {

const std::size_t most_bytes = openapi::DocumentOptions{}.max_bytes;

Result<std::string, std::string> read_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return Error{std::string("there is no such file")};
  if (!S_ISREG(status.st_mode)) return Error{std::string("it is no file")};
  std::ifstream file(path, std::ios::binary);
  // One more, which tells that the file has grown.
  std::string text(std::min(static_cast<std::size_t>(status.st_size), most_bytes) + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) return Error{std::string("it cannot be read")};
  if (!file.eof()) {
    return text.size() <= most_bytes
               ? Error{std::string("it is being written")}
               : Error{"it has more than " + std::to_string(most_bytes) + " bytes"};
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace

bool serves(const std::string& match, const openapi::Operation& operation) {
  const bool prefix = !match.empty() && match.back() == '*';
  const std::string_view fixed = std::string_view(match).substr(0, match.size() - (prefix ? 1 : 0));
  // As far as the template is fixed, too.
  std::string_view path = openapi::path_of(operation);
  const std::size_t brace = path.find('{');
  if (brace != std::string_view::npos) path = path.substr(0, brace);
  const std::size_t common = std::min(path.size(), fixed.size());
  const bool whole = brace == std::string_view::npos;
  return path.substr(0, common) == fixed.substr(0, common) &&
         (!whole || (prefix ? path.size() >= fixed.size() : path == fixed));
}

std::vector<std::string> operations_outside(const RouteSchema& schema, const std::string& match) {
  std::vector<std::string> out;
  for (const openapi::Operation* operation : schema.document->operations()) {
    if (!serves(match, *operation)) out.push_back(openapi::name_of(*operation));
  }
  return out;
}

Result<void, std::vector<openapi::DocumentProblem>> read_schema(RouteSchema& schema,
                                                                std::uint64_t max_body,
                                                                bool form_token) {
  const std::size_t slash = schema.file.rfind('/');
  const std::string folder =
      slash == std::string::npos ? std::string() : schema.file.substr(0, slash + 1);
  schema.files = {schema.file};
  const auto text = read_file(schema.file);
  if (!text)
    return Error{std::vector<openapi::DocumentProblem>{{schema.file, 0, "", text.error()}}};
  openapi::DocumentOptions options;
  options.name = schema.file.substr(folder.size());
  options.loader = [&](std::string_view name) {
    schema.files.push_back(folder + std::string(name));
    return read_file(schema.files.back());
  };
  options.base_path = schema.base;
  options.allow_unknown_query = schema.allow_unknown_query;
  options.allow_unknown_members = schema.allow_unknown_members;
  options.allow_unsafe_keys = schema.allow_unsafe_keys;
  options.allow_dotted_keys = schema.allow_dotted_keys;
  options.allow_missing_credentials = schema.allow_missing_credentials;
  options.allow_unread_bodies = schema.allow_unread_bodies;
  options.allow_mismatched_uploads = schema.allow_mismatched_uploads;
  if (form_token) options.other_form_fields.emplace_back(csrf::field_name);
  options.checks_responses = schema.responses != SchemaMode::off;
  options.response.total_bytes = options.response.string_bytes =
      static_cast<std::size_t>(schema.max_answer);
  options.body.members = schema.max_members;
  options.body.string_bytes = schema.max_string;
  options.body.total_bytes = static_cast<std::size_t>(max_body);
  auto document = openapi::Document::parse(*text, options);
  if (!document) {
    for (openapi::DocumentProblem& problem : document.error()) problem.file = folder + problem.file;
    return Error{std::move(document.error())};
  }
  schema.document = std::make_shared<const openapi::Document>(std::move(*document));
  return {};
}

}  // namespace moat::gateway
