// SPDX-License-Identifier: Apache-2.0
// Bodies and answers of an operation, as a document describes them.
#include <algorithm>
#include <utility>

#include "moat/base/encoding.h"
#include "moat/openapi/internal/parts.h"
#include "moat/openapi/internal/pointer.h"

namespace moat::openapi {

Content Builder::read_content(const Place& map) {
  Content out;
  std::vector<const json::Value*> values;  // of what is in `out`
  for (const auto& [name, value] : *map.value->as_object()) {
    const Place place = Files::member(map, name).value();
    const auto type = parse_media_type(name);
    if (!type) {
      files_.report(place, "this is no media type: \"application/json\", \"image/*\", \"*/*\"");
      continue;
    }
    Media media;
    media.type = type->type;
    media.parameters = type->parameters;
    const auto twin = std::find_if(out.begin(), out.end(), [&media](const Media& other) {
      return other.type == media.type && other.parameters == media.parameters;
    });
    if (twin != out.end()) {
      // Generators write application/json with a charset and without.
      if (*values[static_cast<std::size_t>(twin - out.begin())] == value) continue;
      files_.report(place, "this media type stands here twice");
    }
    if (const auto schema = Files::member(place, "schema")) {
      media.schema_uri = files_.uri_of(*schema);
      if (type->format != Format::text && type->format != Format::opaque)
        collect_members(*schema, media.members);
      media.says_something = says_something(*schema);
    }
    read_encoding(place, type->format, media);
    out.push_back(std::move(media));
    values.push_back(&value);
  }
  return out;
}

namespace {

// Whether there is more in a schema, but for where it refers to, than that a body is a text, or
// bytes.
bool says_more(const json::Value& schema) {
  const json::Object* object = schema.as_object();
  if (object == nullptr) return schema.as_bool() != nullptr && !*schema.as_bool();
  constexpr std::string_view remarks[] = {
      "$ref",      "title",      "description",     "default",         "example",
      "examples",  "deprecated", "nullable",        "contentEncoding", "externalDocs",
      "writeOnly", "$comment",   "contentMediaType"};
  return std::any_of(object->begin(), object->end(), [&](const auto& member) {
    const auto& [name, value] = member;
    const std::string* text = value.as_string();
    if (name == "type") return text == nullptr || *text != "string";
    if (name == "format")
      return text == nullptr || (*text != "binary" && *text != "byte" && *text != "base64");
    return name.substr(0, 2) != "x-" &&
           std::find(std::begin(remarks), std::end(remarks), name) == std::end(remarks);
  });
}

}  // namespace

bool Builder::says_something(const Place& place) {
  return says_more(*place.value) || says_more(*files_.target(place).value);
}

// A schema that nobody obeys is looseness, and has to be asked for. Ranges are refused as bodies
// come: of what they stand for some is read.
void Builder::check_reading(const Place& map, const Content& content) {
  const auto& allowed = options_.allow_unread_bodies;
  for (const Media& media : content) {
    const auto type = parse_media_type(media.type);
    const bool unread = type && type->format == Format::opaque && !is_range(media.type);
    if (!unread || !media.says_something) continue;
    if (std::find(allowed.begin(), allowed.end(), media.type) != allowed.end()) continue;
    files_.report({map.file, nullptr, map.pointer + pointer_step(media.type)},
                  "bodies of this type are not read here, so that the schema would count for "
                  "nothing: remove the type or its schema, or let such bodies through unread by "
                  "allow_unread_bodies = [\"" +
                      media.type + "\"]");
  }
}

// How a member of a form is written (OpenAPI 3.1.1 section 4.8.15.1.2). `allowReserved` is for who
// writes: both spellings are read.
void Builder::read_part_style(const Place& place, const std::string& member, Media& out) {
  const std::string name = text(place, "style");
  flag(place, "allowReserved", false);
  const bool explode = flag(place, "explode", name.empty() || name == "form");
  const auto explodes = Files::member(place, "explode");
  const auto styles = Files::member(place, "style");
  if (!styles && !explodes) return;
  const Place at = styles ? *styles : *explodes;
  const auto listed = out.members.listed.find(member);
  if (Files::member(place, "contentType"))
    return files_.report(at, "beside it 'contentType' counts for nothing: leave one of them out");
  if (listed == out.members.listed.end())
    return files_.report(at, "the schema has no member '" + member + "'");
  const Wants wants = listed->second;
  if (name == "deepObject") {
    // It says nothing of a scalar, beside which generators write it, too.
    if (wants != Wants::scalar) out.part_styles[member] = Style::deep_object;
  } else if (wants == Wants::object) {
    files_.report(at,
                  "an object in a form is a deepObject; in other styles its members could be "
                  "taken for those beside it");
  } else if (name.empty() || name == "form") {
    if (wants == Wants::array && !explode) out.part_styles[member] = Style::form;
  } else if (name == "spaceDelimited" || name == "pipeDelimited") {
    // Section 4.8.12.3: with explode there is no such style.
    if (explode) return files_.report(at, "this style needs 'explode: false'");
    if (wants == Wants::array)
      out.part_styles[member] =
          name == "spaceDelimited" ? Style::space_delimited : Style::pipe_delimited;
  } else {
    files_.report(at, "the styles of a form are: form, spaceDelimited, pipeDelimited, deepObject");
  }
}

// What OpenAPI 3.1.1 section 4.8.15 has of it that is obeyed here: the types that a part may have,
// and how it is written.
void Builder::read_encoding(const Place& media, Format format, Media& out) {
  const auto encoding = Files::member(media, "encoding");
  if (!encoding || (format != Format::form && format != Format::multipart)) return;
  for (const auto& [name, value] : *encoding->value->as_object()) {
    const Place place = Files::member(*encoding, name).value();
    if (const auto at = Files::member(place, "headers"))
      files_.report(*at, "this is not obeyed here: leave it out");
    read_part_style(place, name, out);
    std::string types = text(place, "contentType");
    std::string_view rest = types;
    while (!rest.empty()) {
      const std::string_view one = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), one.size() + 1));
      const auto type = parse_media_type(one);
      if (type) {
        out.part_types[name].push_back(type->type);
      } else {
        files_.report(place, "'contentType' is a list of media types with commas between");
      }
    }
  }
}

std::optional<Answer> Builder::read_answer(const std::string& status, const Place& place) {
  Answer answer;
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (status == "default") {
    answer.first = 0;
    answer.last = 999;
  } else if (status.size() == 3 && status[0] >= '1' && status[0] <= '5' &&
             status.substr(1) == "XX") {
    answer.first = (status[0] - '0') * 100;
    answer.last = answer.first + 99;
  } else if (status.size() == 3 && status[0] >= '1' && status[0] <= '5' && digit(status[1]) &&
             digit(status[2])) {
    answer.first = answer.last =
        (status[0] - '0') * 100 + (status[1] - '0') * 10 + (status[2] - '0');
  } else {
    files_.report(place, "responses are named by a status, such as 200 or 4XX, or 'default'");
    return std::nullopt;
  }
  const Place at = files_.target(place);
  if (const auto headers = Files::member(at, "headers")) {
    for (const auto& [name, value] : *headers->value->as_object()) {
      if (ascii_iequals(name, "Content-Type")) continue;
      const Place header = files_.target(Files::member(*headers, name).value());
      Parameter parameter;
      parameter.where = Where::header;
      parameter.name = name;
      parameter.required = flag(header, "required", false);
      read_style(header, parameter);
      read_schema(header, parameter);
      answer.headers.push_back(std::move(parameter));
    }
  }
  if (const auto content = Files::member(at, "content")) answer.content = read_content(*content);
  return answer;
}

}  // namespace moat::openapi
