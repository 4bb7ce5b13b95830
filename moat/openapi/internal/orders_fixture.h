// SPDX-License-Identifier: Apache-2.0
// A document that the tests share, and short ways to ask it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "moat/openapi/openapi.h"

namespace moat::openapi {

inline constexpr std::string_view orders = R"(
openapi: 3.1.0
info: {title: Orders, version: '1'}
paths:
  /orders:
    get:
      operationId: listOrders
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100}}
        - {name: tag, in: query, schema: {type: array, items: {type: string}, maxItems: 3}}
        - {name: sort, in: query, explode: false, schema: {type: array, items: {enum: [name, date]}}}
        - name: filter
          in: query
          style: deepObject
          explode: true
          schema: {type: object, properties: {status: {enum: [open, done]}, max: {type: integer}}}
        - {name: open, in: query, schema: {type: boolean}}
        - {name: note, in: query, allowEmptyValue: true, schema: {type: integer}}
        - name: where
          in: query
          content: {application/json: {schema: {type: object, properties: {a: {type: integer}}}}}
      responses:
        '200':
          description: all
          content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Order'}}}}
    post:
      operationId: createOrder
      requestBody:
        required: true
        content:
          application/json: {schema: {$ref: '#/components/schemas/Order'}}
      responses:
        '201':
          description: made
          headers: {X-Count: {required: true, schema: {type: integer}}}
          content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}
        '204': {description: nothing}
        4XX:
          description: refused
          content: {application/problem+json: {}}
  /orders/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: integer, minimum: 1}}
    get:
      parameters:
        - {name: X-Trace, in: header, required: true, schema: {type: string, pattern: '^[a-z]+$'}}
        - {name: X-List, in: header, schema: {type: array, items: {type: integer}}}
        - {name: theme, in: cookie, schema: {enum: [dark, light]}}
      responses: {default: {description: it}}
    delete:
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer, minimum: 100}}
      responses: {'204': {description: gone}}
  /orders/mine:
    get:
      responses: {'200': {description: mine}}
components:
  schemas:
    Order:
      type: object
      required: [id, item]
      properties:
        id: {type: integer, readOnly: true}
        item: {type: string, minLength: 1, maxLength: 20}
        count: {type: integer, format: int32}
        secret: {type: string, writeOnly: true}
        mail: {type: string, format: email}
        free: {type: object}
        lines: {type: array, items: {type: object, properties: {sku: {type: string}}}}
)";

inline std::string problems_of(const std::vector<DocumentProblem>& problems) {
  std::string out;
  for (const DocumentProblem& problem : problems) out += problem.to_string() + "\n";
  return out;
}

inline Document document_of(std::string_view text, const DocumentOptions& options = {}) {
  auto document = Document::parse(text, options);
  if (!document) throw std::runtime_error(problems_of(document.error()));
  return std::move(*document);
}

inline std::string refused(std::string_view text, const DocumentOptions& options = {}) {
  const auto document = Document::parse(text, options);
  return document ? "" : problems_of(document.error());
}

// A document with one operation: what stands below "paths:", or below "get:" of "/a".
inline std::string with_paths(std::string_view paths) {
  return "openapi: 3.1.0\ninfo: {}\npaths:\n" + std::string(paths);
}

inline std::string summary(const std::optional<Refusal>& refusal) {
  if (!refusal) return "ok";
  std::string out = std::to_string(refusal->status) + " " + std::string(refusal->code);
  for (const Violation& violation : refusal->errors) {
    out += "; " + std::string(violation.in);
    if (!violation.parameter.empty()) out += " " + violation.parameter;
    out += " #" + violation.pointer + " " + violation.keyword;
  }
  return out;
}

using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

// "GET /orders?limit=1" without a body.
inline std::string ask(const Document& document, std::string_view line, const Fields& headers = {},
                       std::string_view cookie = "") {
  Request request;
  request.method = line.substr(0, line.find(' '));
  request.path = line.substr(request.method.size() + 1);
  const std::size_t mark = request.path.find('?');
  if (mark != std::string_view::npos) {
    request.query = request.path.substr(mark + 1);
    request.path = request.path.substr(0, mark);
  }
  request.headers = headers;
  request.cookie = cookie;
  const auto match = document.find(request.method, request.path);
  if (!match) return summary(match.error());
  return summary(document.check_head(*match, request));
}

inline std::string post(const Document& document, std::string_view path, std::string_view body,
                        std::string_view type = "application/json", const Fields& headers = {}) {
  Request request;
  request.headers = headers;
  request.method = "POST";
  request.path = path;
  request.content_type = type;
  request.has_body = true;
  const auto match = document.find(request.method, request.path);
  if (!match) return summary(match.error());
  auto refusal = document.check_head(*match, request);
  if (!refusal && document.reads_body(*match->operation, type))
    refusal = document.check_body(*match->operation, type, body);
  return summary(refusal);
}

}  // namespace moat::openapi
