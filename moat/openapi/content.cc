// SPDX-License-Identifier: Apache-2.0
// The content of bodies and answers, by its media type.
#include <utility>

#include "moat/base/encoding.h"
#include "moat/openapi/internal/operation.h"

namespace moat::openapi {
namespace {

constexpr std::string_view unreadable = "The body could not be read.";
constexpr std::string_view unfit = "The body is not what is expected here.";

Refusal syntax(std::string message) {
  Refusal out{400, "schema_body_syntax", unreadable, {}, ""};
  out.errors.push_back({"body", "", "", "syntax", std::move(message)});
  return out;
}

Refusal violated(std::vector<validate::Violation> violations) {
  Refusal out{422, "schema_body", unfit, {}, ""};
  for (validate::Violation& violation : violations)
    out.errors.push_back({"body", "", std::move(violation.instance), std::move(violation.keyword),
                          std::move(violation.message)});
  return out;
}

std::optional<Refusal> judge(const Media& media, const json::Value& value) {
  if (!media.schema || media.schema->check(value)) return std::nullopt;
  return violated(media.schema->validate(value, validate::Report::all));
}

std::optional<Refusal> check_json(const Media& media, std::string_view body,
                                  const DocumentOptions& options) {
  const auto value = json::parse(body, options.body);
  if (!value) return syntax(json::describe(body, value.error(), options.body));
  return judge(media, *value);
}

std::optional<Refusal> check_text(const Media& media, std::string_view body) {
  if (!is_valid_utf8(body)) return syntax("is not valid UTF-8");
  return judge(media, json::Value(body));
}

}  // namespace

std::optional<Refusal> check_content(const Media& media, const MediaType& type,
                                     [[maybe_unused]] std::string_view content_type, std::string_view body,
                                     const DocumentOptions& options) {
  switch (type.format) {
    case Format::json:
      return check_json(media, body, options);
    case Format::text:
      return check_text(media, body);
    case Format::form:
    case Format::multipart:
      return syntax("forms are not read yet");
    case Format::opaque:
      break;
  }
  return std::nullopt;
}

}  // namespace moat::openapi
