// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "moat/base/encoding.h"
#include "moat/openapi/internal/parts.h"

namespace moat::openapi {
namespace {

std::string_view text_of(const json::Value* value) {
  return value == nullptr || value->as_string() == nullptr ? std::string_view()
                                                           : std::string_view(*value->as_string());
}

bool reads_texts(const Media& media) {
  const auto type = parse_media_type(media.type);
  return type && (type->format == Format::form || type->format == Format::multipart);
}

// Calls `visit(schema_uri, schema)` for each schema of a direction, always in the same order. Where
// discriminators choose: with `obeys_kinds` for those of JSON, else for those that make values of
// texts.
template <class Visit>
void each_schema(std::vector<Operation>& operations, const View& view, bool chooses, Visit visit) {
  const auto content = [&](Content& all) {
    for (Media& media : all) {
      if (media.schema_uri.empty()) continue;
      const bool texts = reads_texts(media);
      if (!chooses || texts != view.obeys_kinds) visit(media.schema_uri, media.schema);
      if (chooses && texts && view.obeys_kinds) visit(media.schema_uri, media.chosen);
    }
  };
  const auto parameters = [&](std::vector<Parameter>& all) {
    for (Parameter& parameter : all) {
      const bool in_turn = !chooses || parameter.is_json == view.obeys_kinds;
      if (!parameter.schema_uri.empty() && in_turn) visit(parameter.schema_uri, parameter.schema);
    }
  };
  for (Operation& operation : operations) {
    if (view.direction == Direction::request) {
      parameters(operation.parameters);
      if (operation.body) content(operation.body->content);
    } else {
      for (Answer& answer : operation.answers) {
        parameters(answer.headers);
        content(answer.content);
      }
    }
  }
}

// What checking a value may cost: as much as one takes that is as large as the limits let it be,
// with schemas as they are usual, so that a few bytes against a schema that branches and recurs do
// not stop the others. A step is some 40 ns, and with the worst of patterns half a microsecond.
std::size_t most_steps(const json::Limits& limits) {
  constexpr std::size_t least = 100'000, most = 20'000'000;
  const std::size_t members = std::min(limits.members, most);
  return std::clamp(std::max(250 * members, limits.total_bytes / 2), least, most);
}

}  // namespace

bool Builder::flag(const Place& place, std::string_view name, bool otherwise) {
  const auto at = Files::member(place, name);
  if (!at) return otherwise;
  if (at->value->as_bool() != nullptr) return *at->value->as_bool();
  files_.report(*at, "this is true or false");
  return otherwise;
}

std::string Builder::text(const Place& place, std::string_view name) {
  const auto at = Files::member(place, name);
  if (!at) return "";
  if (at->value->as_string() == nullptr) files_.report(*at, "this is a text");
  return std::string(text_of(at->value));
}

// ------------------------------------------------------------------------------------------- paths

// The path of a server's URL (OpenAPI 3.1.1 section 4.8.5), without a slash at its end.
std::optional<std::string> Builder::base_of(const Place& server) {
  std::string url = text(server, "url");
  const Place at = Files::member(server, "url").value_or(server);
  std::string filled;
  for (std::size_t i = 0; i < url.size();) {
    const std::size_t end = url[i] == '{' ? url.find('}', i) : std::string::npos;
    if (end == std::string::npos) {
      filled += url[i++];
      continue;
    }
    const std::string name = url.substr(i + 1, end - i - 1);
    const json::Value* variables = server.value->find("variables");
    const json::Value* variable = variables == nullptr ? nullptr : variables->find(name);
    const json::Value* value = variable == nullptr ? nullptr : variable->find("default");
    if (value == nullptr || value->as_string() == nullptr) {
      files_.report(at, "the variable '" + name + "' has no default");
      return std::nullopt;
    }
    filled += *value->as_string();
    i = end + 1;
  }
  std::string_view path = filled;
  const std::size_t authority = path.find("://");
  if (authority != std::string_view::npos) {
    const std::size_t slash = path.find('/', authority + 3);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash);
  }
  path = path.substr(0, path.find_first_of("?#"));
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  if (path.substr(0, 2) == "./") path.remove_prefix(2);
  if (path == ".") path = {};
  return path.empty() || path[0] == '/' ? std::string(path) : "/" + std::string(path);
}

// What may stand before an operation's path.
std::vector<std::string> Builder::bases(const Place& operation, const Place& item) {
  if (options_.base_path) {
    std::string base = *options_.base_path;
    while (!base.empty() && base.back() == '/') base.pop_back();
    return {base};
  }
  std::vector<std::string> out;
  for (const Place& place : {operation, item, Place{0, &files_.root(), ""}}) {
    const auto servers = Files::member(place, "servers");
    const json::Array* list = servers ? servers->value->as_array() : nullptr;
    if (list == nullptr || list->empty()) continue;
    for (std::size_t i = 0; i < list->size(); ++i) {
      const Place server{servers->file, &(*list)[i], servers->pointer + "/" + std::to_string(i)};
      auto base = base_of(server);
      if (base && std::find(out.begin(), out.end(), *base) == out.end())
        out.push_back(std::move(*base));
    }
    return out;
  }
  return {""};
}

void Builder::add_path(const std::string& path, const Place& item) {
  for (const auto& [method, field] : method_fields()) {
    if (const auto operation = Files::member(item, field))
      add_operation(path, method, item, *operation);
  }
}

void Builder::place_operation(const Operation& operation, const std::vector<Segment>& segments,
                              const Place& place) {
  const auto [at, is_new] = path_numbers_.emplace(operation.path, paths_->size());
  if (is_new) {
    // /a/{x} is /a/{y}: one path, which the specification wants to be written once. Services have
    // one method here and another there.
    if (tree_->add(segments, paths_->size(), at->second)) paths_->push_back({operation.path, {}});
  }
  PathOperations& here = (*paths_)[at->second];
  const bool twice =
      std::any_of(here.operations.begin(), here.operations.end(),
                  [&](std::size_t i) { return (*operations_)[i].method == operation.method; });
  if (twice)
    return files_.report(place,
                         "two operations have this method and this path, '" + here.path + "'");
  here.operations.push_back(operations_->size());
  operations_->push_back(operation);
}

void Builder::add_operation(const std::string& path, std::string_view method, const Place& item,
                            const Place& place) {
  Operation operation;
  operation.method = method;
  operation.id = text(place, "operationId");
  if (!operation.id.empty() && ids_[operation.id]++ > 0)
    files_.report(place, "two operations have the operationId '" + operation.id + "'");
  const auto segments = parse_template(path);
  if (!segments) return;  // add_path's caller has said so
  for (const Segment& segment : *segments) {
    for (const SegmentPart& part : segment) {
      if (part.is_parameter) operation.path_names.push_back(part.text);
    }
  }
  // Those of the operation come first, and override those of the path (by name and place).
  std::vector<std::pair<Parameter, Place>> parameters;
  read_parameters(place, parameters);
  read_parameters(item, parameters);
  for (auto& [parameter, where] : parameters) {
    const bool in_path = std::find(operation.path_names.begin(), operation.path_names.end(),
                                   parameter.name) != operation.path_names.end();
    if (parameter.where == Where::path && !in_path)
      files_.report(where, "the path has no '{" + parameter.name + "}'");
    operation.parameters.push_back(std::move(parameter));
  }
  for (const std::string& name : operation.path_names) {
    const bool declared =
        std::any_of(operation.parameters.begin(), operation.parameters.end(),
                    [&](const auto& p) { return p.where == Where::path && p.name == name; });
    if (!declared) files_.report(place, "no parameter describes '{" + name + "}' of the path");
  }
  operation.credentials = defaults_.credentials;
  operation.security = defaults_.security;
  if (const auto security = Files::member(place, "security")) {
    operation.credentials.clear();
    operation.security.clear();
    read_security(*security, operation);
  }
  if (const auto body = Files::member(place, "requestBody")) {
    const Place at = files_.target(*body);
    operation.body = Body{flag(at, "required", false), {}};
    if (const auto content = Files::member(at, "content")) {
      operation.body->content = read_content(*content);
      check_reading(*content, operation.body->content);
    }
  }
  const auto responses = Files::member(place, "responses");
  if (responses && options_.checks_responses) {
    for (const auto& [status, value] : *responses->value->as_object()) {
      if (status.substr(0, 2) == "x-") continue;
      auto answer = read_answer(status, Files::member(*responses, status).value());
      if (answer) operation.answers.push_back(std::move(*answer));
    }
    std::stable_sort(
        operation.answers.begin(), operation.answers.end(),
        [](const Answer& a, const Answer& b) { return a.last - a.first < b.last - b.first; });
  }
  for (const std::string& base : bases(place, item)) {
    operation.path = base + path;
    auto all = parse_template(operation.path);
    if (!all) {
      files_.report(place, "with '" + base + "' before it: " + all.error());
    } else if (base.find_first_of("{}") != std::string::npos) {
      files_.report(place, "'" + base + "' before the path has braces");
    } else {
      place_operation(operation, *all, place);
    }
  }
}

// -------------------------------------------------------------------------------------- parameters

void Builder::read_parameters(const Place& of, std::vector<std::pair<Parameter, Place>>& out) {
  const auto list = Files::member(of, "parameters");
  if (!list) return;
  const std::size_t inherited = out.size();
  const json::Array& array = *list->value->as_array();
  for (std::size_t i = 0; i < array.size(); ++i) {
    const Place place =
        files_.target({list->file, &array[i], list->pointer + "/" + std::to_string(i)});
    auto parameter = read_parameter(place);
    if (!parameter) continue;
    const auto same = std::find_if(out.begin(), out.end(), [&](const auto& other) {
      return other.first.where == parameter->where && other.first.name == parameter->name;
    });
    if (same == out.end()) {
      out.emplace_back(std::move(*parameter), place);
    } else if (static_cast<std::size_t>(same - out.begin()) >= inherited) {
      files_.report(place, "the parameter '" + parameter->name + "' stands here twice");
    }
  }
}

std::optional<Parameter> Builder::read_parameter(const Place& place) {
  Parameter parameter;
  parameter.name = text(place, "name");
  const std::string in = text(place, "in");
  if (in == "path") {
    parameter.where = Where::path;
  } else if (in == "query") {
    parameter.where = Where::query;
  } else if (in == "header") {
    parameter.where = Where::header;
  } else if (in == "cookie") {
    parameter.where = Where::cookie;
  } else {
    files_.report(place, "'in' is path, query, header or cookie");
    return std::nullopt;
  }
  // OpenAPI 3.1.1 section 4.8.12.2.1: these three are described elsewhere.
  if (parameter.where == Where::header) {
    for (const std::string_view name : {"Accept", "Content-Type", "Authorization"}) {
      if (ascii_iequals(parameter.name, name)) return std::nullopt;
    }
  }
  parameter.required = flag(place, "required", false);
  if (parameter.where == Where::path && !parameter.required)
    files_.report(place, "a parameter in the path is 'required: true'");
  parameter.allow_empty = flag(place, "allowEmptyValue", false);
  read_style(place, parameter);
  read_schema(place, parameter);
  return parameter;
}

void Builder::read_style(const Place& place, Parameter& parameter) {
  const bool form = parameter.where == Where::query || parameter.where == Where::cookie;
  const std::string style = text(place, "style");
  const std::vector<std::pair<std::string_view, Style>> known =
      parameter.where == Where::path
          ? std::vector<std::pair<std::string_view, Style>>{{"simple", Style::simple},
                                                            {"label", Style::label},
                                                            {"matrix", Style::matrix}}
      : parameter.where == Where::query
          ? std::vector<std::pair<std::string_view, Style>>{{"form", Style::form},
                                                            {"spaceDelimited",
                                                             Style::space_delimited},
                                                            {"pipeDelimited",
                                                             Style::pipe_delimited},
                                                            {"deepObject", Style::deep_object}}
      : parameter.where == Where::header
          ? std::vector<std::pair<std::string_view, Style>>{{"simple", Style::simple}}
          : std::vector<std::pair<std::string_view, Style>>{{"form", Style::form}};
  parameter.style = form ? Style::form : Style::simple;
  if (!style.empty()) {
    const auto at = std::find_if(known.begin(), known.end(),
                                 [&](const auto& one) { return one.first == style; });
    if (at == known.end()) {
      std::string names;
      for (const auto& one : known) names += (names.empty() ? "" : ", ") + std::string(one.first);
      files_.report(Files::member(place, "style").value(),
                    "the styles of such a parameter are: " + names);
    } else {
      parameter.style = at->second;
    }
  }
  parameter.explode = flag(place, "explode", parameter.style == Style::form);
}

void Builder::read_schema(const Place& place, Parameter& parameter) {
  const auto schema = Files::member(place, "schema");
  const auto content = Files::member(place, "content");
  if (schema.has_value() == content.has_value()) {
    files_.report(place, "a parameter has a schema, or content of one type");
    return;
  }
  if (schema) {
    parameter.schema_uri = files_.uri_of(*schema);
    parameter.wants = wants(*schema);
    parameter.type = type_of(*schema);
    if (parameter.wants == Wants::object) collect_members(*schema, parameter.members);
    // Of a scalar it says nothing. Stripe has it beside some.
    if (parameter.style == Style::deep_object && parameter.wants == Wants::scalar)
      parameter.style = Style::form;
    return;
  }
  const json::Object& map = *content->value->as_object();
  const auto type = map.size() == 1 ? parse_media_type(map.front().first) : std::nullopt;
  if (!type || type->format != Format::json)
    return files_.report(*content, "the content of a parameter is of one type, and that is JSON");
  parameter.is_json = true;
  const Place media = Files::member(*content, map.front().first).value();
  if (const auto inner = Files::member(media, "schema"))
    parameter.schema_uri = files_.uri_of(*inner);
}

std::string Builder::type_of(const Place& place) {
  const json::Value& schema = *files_.target(place).value;
  const std::string type(text_of(schema.find("type")));
  const std::string format(text_of(schema.find("format")));
  return type.empty() || format.empty() ? type : type + " (" + format + ")";
}

// What a schema wants, by its type or, where it has none, by what it says of members and elements.
Wants Builder::wants(const Place& place) {
  SchemasSeen seen;
  return wants(place, seen);
}

Wants Builder::wants(const Place& place, SchemasSeen& seen) {
  const Place schema = files_.target(place);
  if (schema.value->as_object() == nullptr || !seen.add(schema.value)) return Wants::scalar;
  const auto by_name = [](std::string_view name) {
    return name == "array" ? Wants::array : name == "object" ? Wants::object : Wants::scalar;
  };
  if (const json::Value* type = schema.value->find("type")) {
    if (type->as_string() != nullptr) return by_name(*type->as_string());
    if (const json::Array* types = type->as_array()) {
      Wants found = Wants::scalar;
      for (const json::Value& one : *types) {
        const std::string_view name = text_of(&one);
        if (name != "null" && name != "array" && name != "object") return Wants::scalar;
        if (name != "null") found = by_name(name);
      }
      return found;
    }
  }
  for (const std::string_view keyword : {"allOf", "oneOf", "anyOf"}) {
    const auto list = Files::member(schema, keyword);
    const json::Array* array = list ? list->value->as_array() : nullptr;
    if (array == nullptr) continue;
    for (std::size_t i = 0; i < array->size(); ++i) {
      const Wants inner =
          wants({list->file, &(*array)[i], list->pointer + "/" + std::to_string(i)}, seen);
      if (inner != Wants::scalar) return inner;
    }
  }
  if (schema.value->find("properties") != nullptr) return Wants::object;
  return schema.value->find("items") != nullptr ? Wants::array : Wants::scalar;
}

// A file in a form: "format: binary" in 3.0, and in 3.1 what has a contentMediaType or says
// nothing; or a list of those.
bool Builder::is_file(const Place& place, SchemasSeen& seen) {
  const Place schema = files_.target(place);
  if (schema.value->as_object() == nullptr) return schema.value->as_bool() != nullptr;
  if (!seen.add(schema.value)) return false;
  if (const auto items = Files::member(schema, "items")) return is_file(*items, seen);
  // "anyOf: [{format: binary}, {type: 'null'}]" is a file that may be left out.
  for (const std::string_view keyword : {"allOf", "anyOf", "oneOf"}) {
    const auto list = Files::member(schema, keyword);
    const json::Array* array = list ? list->value->as_array() : nullptr;
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
      const Place one{list->file, &(*array)[i], list->pointer + "/" + std::to_string(i)};
      if (is_file(one, seen)) return true;
    }
  }
  if (text_of(schema.value->find("format")) == "binary") return true;
  const bool described = schema.value->find("contentMediaType") != nullptr;
  const bool encoded = schema.value->find("contentEncoding") != nullptr;
  return !files_.is_3_0() && !encoded && (described || schema.value->as_object()->empty());
}

void Builder::collect_members(const Place& place, Members& out) {
  SchemasSeen seen;
  collect_members(place, out, seen);
  const json::Value* more = files_.target(place).value->find("additionalProperties");
  const bool closed = more != nullptr && more->as_bool() != nullptr && !*more->as_bool();
  if (out.listed.empty() && !closed) out.open = true;
}

void Builder::collect_members(const Place& place, Members& out, SchemasSeen& seen) {
  const Place schema = files_.target(place);
  if (schema.value->as_object() == nullptr || !seen.add(schema.value)) return;
  const auto properties = Files::member(schema, "properties");
  const json::Value* more = schema.value->find("additionalProperties");
  const bool closed = more != nullptr && more->as_bool() != nullptr && !*more->as_bool();
  if (more != nullptr && !closed) out.open = true;
  if (schema.value->find("patternProperties") != nullptr) out.open = true;
  if (properties && properties->value->as_object() != nullptr) {
    for (const auto& [name, value] : *properties->value->as_object()) {
      const Place member = Files::member(*properties, name).value();
      out.listed[name] = wants(member);
      SchemasSeen fresh;
      if (is_file(member, fresh)) out.files.insert(name);
    }
  }
  for (const std::string_view keyword : {"allOf", "oneOf", "anyOf"}) {
    const auto list = Files::member(schema, keyword);
    const json::Array* array = list ? list->value->as_array() : nullptr;
    if (array == nullptr) continue;
    for (std::size_t i = 0; i < array->size(); ++i)
      collect_members({list->file, &(*array)[i], list->pointer + "/" + std::to_string(i)}, out,
                      seen);
  }
}

// ------------------------------------------------------------------------------------------- build

bool Builder::compile_all(Direction direction) {
  if (!compile({.direction = direction, .obeys_kinds = true})) return false;
  return !files_.has_kinds() || compile({.direction = direction, .obeys_kinds = false});
}

bool Builder::compile(const View& view) {
  std::vector<json::Value> roots;
  std::vector<std::string> uris;
  std::map<std::string, std::size_t> numbers;
  each_schema(*operations_, view, files_.has_kinds(), [&](const std::string& uri, auto&) {
    if (!numbers.emplace(uri, roots.size()).second) return;
    roots.push_back(json::Object{{"$ref", uri}});
    uris.push_back(uri);
  });
  if (roots.empty()) return true;
  validate::SchemaOptions options;
  options.assert_formats = true;
  options.refuse_unknown_members = !options_.allow_unknown_members;
  options.documents = files_.schema_documents(view);
  // No default is ever filled in here, and documents are full of such as their schemas refuse.
  options.allow_unfit_defaults = true;
  // The document is the operator's, and those of large services have tens of thousands of schemas.
  options.max_subschemas = options_.max_nodes;
  options.max_patterns = 4096;
  options.max_run_steps =
      most_steps(view.direction == Direction::request ? options_.body : options_.response);
  auto schemas = validate::Schema::compile_all(roots, options);
  if (!schemas) {
    // Each alone, so that all are told of that have a problem.
    const Place top{0, &files_.root(), ""};
    files_.report_schema(top, schemas.error());
    for (const json::Value& root : roots) {
      auto one = validate::Schema::compile(root, options);
      if (!one) files_.report_schema(top, one.error());
    }
    return false;
  }
  each_schema(*operations_, view, files_.has_kinds(),
              [&](const std::string& uri, auto& schema) { schema = (*schemas)[numbers.at(uri)]; });
  return true;
}

bool Builder::build(std::vector<Operation>& operations, std::vector<PathOperations>& paths,
                    PathTree& tree) {
  operations_ = &operations;
  paths_ = &paths;
  tree_ = &tree;
  const Place top{0, &files_.root(), ""};
  read_schemes();
  if (const auto security = Files::member(top, "security")) read_security(*security, defaults_);
  if (const auto all = Files::member(top, "paths")) {
    for (const auto& [path, value] : *all->value->as_object()) {
      if (path.substr(0, 2) == "x-") continue;
      const Place place = Files::member(*all, path).value();
      const auto segments = parse_template(path);
      if (!segments) {
        files_.report(place, segments.error());
      } else {
        add_path(path, files_.target(place));
      }
    }
  }
  if (operations.empty() && files_.problems().empty())
    files_.report(top, "it describes no operation, so that every request would be refused");
  if (!files_.problems().empty()) return false;
  const bool compiled = compile_all(Direction::request);
  return (!options_.checks_responses || compile_all(Direction::response)) && compiled;
}

}  // namespace moat::openapi
