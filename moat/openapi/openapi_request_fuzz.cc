// SPDX-License-Identifier: Apache-2.0
// Requests against a document with something of everything: lines of method, target, content type,
// cookie and header fields, an empty line, the body. Judging ends and never crashes; a body of JSON
// that passes is a value that the schema accepts; no text of the request stands in a refusal; what
// a second look says is what the first one said.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "moat/openapi/openapi.h"
#include "moat/validate/schema.h"

namespace {

using namespace moat::openapi;

constexpr std::string_view text = R"(
openapi: 3.1.0
info: {title: all, version: '1'}
paths:
  /a:
    get:
      parameters:
        - {name: i, in: query, schema: {type: integer, minimum: 0}}
        - {name: l, in: query, schema: {type: array, items: {type: integer}, maxItems: 3}}
        - {name: s, in: query, style: spaceDelimited, explode: false, schema: {type: array, items: {enum: [x, y]}}}
        - {name: p, in: query, style: pipeDelimited, explode: false, schema: {type: array, items: {type: boolean}}}
        - {name: d, in: query, style: deepObject, explode: true, schema: {anyOf: [{type: object, properties: {m: {type: integer}}}, {type: integer}]}}
        - {name: e, in: query, style: deepObject, explode: true, schema: {type: array, items: {type: string, maxLength: 3}}}
        - {name: j, in: query, content: {application/json: {schema: {type: object, properties: {a: {type: integer}}}}}}
        - {name: o, in: query, schema: {type: object, properties: {u: {type: string, pattern: '^[a-z]+$'}, v: {type: array, items: {type: integer}}}}}
        - {name: X-H, in: header, schema: {type: array, items: {type: integer}}}
        - {name: X-D, in: header, schema: {type: string, format: date-time}}
        - {name: c, in: cookie, schema: {type: string, maxLength: 4}}
      responses: {'200': {description: x}}
    post: &post
      requestBody:
        required: true
        content:
          application/json: {schema: &body {type: object, required: [n], properties: {n: {type: integer}, t: {type: string, format: email}, r: {$ref: '#/components/schemas/Tree'}, k: {oneOf: [{type: object, required: [cat], properties: {cat: {const: 1}}}, {type: object, required: [dog], properties: {dog: {type: number, multipleOf: 0.1}}}]}, u: {type: array, uniqueItems: true}, f: {type: object, patternProperties: {'^x-': {type: string}}, additionalProperties: false}}}}
          application/x-www-form-urlencoded: {schema: *body}
          multipart/form-data: {schema: *body}
          text/plain: {schema: {type: string, maxLength: 10}}
          image/*: {}
          text/csv: {}
      responses: {'200': {description: x}}
  /a/me: {get: {responses: {'200': {description: x}}}}
  /a/{x}: {parameters: [{name: x, in: path, required: true, schema: {type: string, maxLength: 9}}], get: {responses: {'200': {description: x}}}, post: *post}
  /b/{x}-{y}.{z}: {get: {parameters: [{name: x, in: path, required: true, schema: {type: string}}, {name: y, in: path, required: true, schema: {type: integer}}, {name: z, in: path, required: true, schema: {enum: [png]}}]}}
  /l/{l}/{m}: {get: {parameters: [{name: l, in: path, required: true, style: label, explode: true, schema: {type: array, items: {type: integer}}}, {name: m, in: path, required: true, style: matrix, explode: true, schema: {type: object, properties: {a: {type: integer}}}}]}}
  /m:
    post:
      requestBody:
        content:
          multipart/form-data:
            schema: {type: object, properties: {f: {type: string, format: binary}, g: {type: array, items: {type: string, format: binary}}}}
            encoding: {f: {contentType: image/png}, g: {contentType: 'image/*, text/csv'}}
  /k:
    get: {security: [{q: []}, {h: [], c: []}], responses: {'200': {description: x}}}
    post:
      security: [{b: []}, {}]
      requestBody:
        content:
          application/json: {schema: {$ref: '#/components/schemas/Pet'}}
          application/x-www-form-urlencoded:
            encoding: {m: {style: deepObject}, l: {style: deepObject}, p: {style: pipeDelimited}}
            schema: {type: object, properties: {m: {type: object, additionalProperties: {type: string, maxLength: 9}}, l: {type: array, items: {type: object, properties: {a: {type: integer}, b: {type: array, items: {type: integer}}}}}, p: {type: array, items: {type: integer}}}}
      responses: {'200': {description: x}}
components:
  securitySchemes: {q: {type: apiKey, in: query, name: q}, h: {type: apiKey, in: header, name: H}, c: {type: apiKey, in: cookie, name: c}, b: {type: http, scheme: bearer}}
  schemas:
    Pet: {oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}], discriminator: {propertyName: k}}
    Cat: {type: object, required: [k], properties: {k: {const: c}, n: {type: integer}, o: {$ref: '#/components/schemas/Pet'}}}
    Dog: {type: object, required: [k], properties: {k: {const: d}, n: {type: string}}}
    Tree: {type: object, properties: {l: {$ref: '#/components/schemas/Tree'}, r: {anyOf: [{$ref: '#/components/schemas/Tree'}, {type: 'null'}]}}}
)";

// As the body's schema above, for a second opinion.
constexpr std::string_view schema_text = R"({"type":"object","required":["n"],"properties":{
"n":{"type":"integer"},"t":{"type":"string","format":"email"},"r":{"$ref":"#/$defs/Tree"},
"k":{"oneOf":[{"type":"object","required":["cat"],"properties":{"cat":{"const":1}}},
{"type":"object","required":["dog"],"properties":{"dog":{"type":"number","multipleOf":0.1}}}]},
"u":{"type":"array","uniqueItems":true},
"f":{"type":"object","patternProperties":{"^x-":{"type":"string"}},"additionalProperties":false}},
"$defs":{"Tree":{"type":"object","properties":{"l":{"$ref":"#/$defs/Tree"},
"r":{"anyOf":[{"$ref":"#/$defs/Tree"},{"type":"null"}]}}}}})";

// And as that of /k, of which each kind has its name pinned.
constexpr std::string_view kinds_text = R"({"$ref":"#/$defs/Pet","$defs":{
"Pet":{"oneOf":[{"$ref":"#/$defs/Cat"},{"$ref":"#/$defs/Dog"}]},
"Cat":{"type":"object","required":["k"],"properties":{"k":{"const":"c"},"n":{"type":"integer"},
"o":{"$ref":"#/$defs/Pet"}}},
"Dog":{"type":"object","required":["k"],"properties":{"k":{"const":"d"},"n":{"type":"string"}}}}})";

void require(bool condition) {
  if (!condition) std::abort();
}

Document make_document() {
  DocumentOptions options;
  options.body.total_bytes = 16 * 1024;
  options.body.members = 200;
  auto document = Document::parse(text, options);
  require(document.has_value());
  return std::move(*document);
}

moat::validate::Schema make_schema(std::string_view from) {
  moat::validate::SchemaOptions options;
  options.assert_formats = options.refuse_unknown_members = true;
  auto schema = moat::validate::Schema::parse(from, options);
  require(schema.has_value());
  return std::move(*schema);
}

std::string_view take_line(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  return line;
}

void judge_refusal(const Refusal& refusal) {
  require(refusal.status >= 400 && refusal.status < 500 && !refusal.code.empty());
  require(refusal.errors.size() <= 64 || refusal.status == 422);
  require((refusal.status == 401) == !refusal.challenge.empty());
  require(moat::json::parse(to_problem_json(refusal), {.members = 10'000}).has_value());
}

}  // namespace

void fuzz(std::span<const std::uint8_t> input) {
  static const Document document = make_document();
  static const moat::validate::Schema schema = make_schema(schema_text);
  static const moat::validate::Schema kinds = make_schema(kinds_text);
  std::string_view rest(reinterpret_cast<const char*>(input.data()), input.size());
  Request request;
  request.method = take_line(rest);
  const std::string_view target = take_line(rest);
  request.path = target.substr(0, target.find('?'));
  request.query = target.substr(std::min(target.size(), request.path.size() + 1));
  request.content_type = take_line(rest);
  request.cookie = take_line(rest);
  std::vector<std::pair<std::string_view, std::string_view>> fields;
  for (std::string_view line = take_line(rest); !line.empty(); line = take_line(rest)) {
    const std::string_view name = line.substr(0, line.find(':'));
    fields.emplace_back(name, line.substr(std::min(line.size(), name.size() + 1)));
  }
  request.headers = fields;
  request.has_body = !rest.empty();
  const auto match = document.find(request.method, request.path);
  if (!match) return judge_refusal(match.error());
  // Whatever is found by this path is of this shape.
  const std::string_view found = path_of(*match->operation);
  require(std::count(found.begin(), found.end(), '/') ==
          std::count(request.path.begin(), request.path.end(), '/'));
  if (const auto refusal = document.check_head(*match, request)) return judge_refusal(*refusal);
  if (!request.has_body) return;
  const bool looked_at = document.looks_at_body(*match->operation, request.content_type);
  if (looked_at) {
    const auto refusal = document.check_beginning(*match->operation, request.content_type, rest);
    if (refusal) judge_refusal(*refusal);
  }
  if (!document.reads_body(*match->operation, request.content_type)) return;
  require(!looked_at);
  const auto refusal = document.check_body(*match->operation, request.content_type, rest);
  if (refusal) return judge_refusal(*refusal);
  const auto value = moat::json::parse(rest, {.members = 200, .total_bytes = 16 * 1024});
  const bool is_json = request.content_type.find("json") != std::string_view::npos &&
                       request.content_type.find(';') == std::string_view::npos;
  if (is_json) require(value && (found == "/k" ? kinds : schema).check(*value));
}
