// SPDX-License-Identifier: Apache-2.0
#include "moat/openapi/internal/files.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "moat/base/encoding.h"
#include "moat/openapi/internal/pointer.h"
#include "moat/openapi/internal/yaml.h"
#include "moat/validate/keys.h"

namespace moat::openapi {
namespace {

constexpr std::string_view uri_prefix = "openapi://document/";
constexpr std::size_t max_files = 256;
constexpr std::size_t max_problems = 50;
constexpr std::size_t max_hops = 32;  // of references to references

// The fields of a schema object in 3.0 (OpenAPI 3.0.4 section 4.7.24).
constexpr std::string_view keywords_3_0[] = {"title",         "multipleOf",
                                             "maximum",       "exclusiveMaximum",
                                             "minimum",       "exclusiveMinimum",
                                             "maxLength",     "minLength",
                                             "pattern",       "maxItems",
                                             "minItems",      "uniqueItems",
                                             "maxProperties", "minProperties",
                                             "required",      "enum",
                                             "type",          "allOf",
                                             "oneOf",         "anyOf",
                                             "not",           "items",
                                             "properties",    "additionalProperties",
                                             "description",   "format",
                                             "default",       "nullable",
                                             "discriminator", "readOnly",
                                             "writeOnly",     "xml",
                                             "externalDocs",  "example",
                                             "deprecated"};

bool is_extension(std::string_view name) { return name.substr(0, 2) == "x-"; }

// What generators write beside a $ref, and nobody obeys.
bool is_remark(std::string_view name) {
  constexpr std::string_view remarks[] = {"summary", "description",  "title",
                                          "example", "examples",     "deprecated",
                                          "default", "externalDocs", "xml"};
  return is_extension(name) ||
         std::find(std::begin(remarks), std::end(remarks), name) != std::end(remarks);
}

// A reference's file by that of the one who refers: nullopt where it leads out of the folder.
std::optional<std::string> relative_name(std::string_view from, std::string_view reference) {
  if (reference.empty() || reference[0] == '/' || reference.find('\\') != std::string_view::npos ||
      reference.find(':') != std::string_view::npos ||
      reference.find('?') != std::string_view::npos)
    return std::nullopt;
  const auto decoded = percent_decode(reference);
  if (!decoded) return std::nullopt;
  std::vector<std::string_view> steps;
  const auto walk = [&steps](std::string_view path) {
    while (!path.empty()) {
      const std::string_view step = path.substr(0, path.find('/'));
      path.remove_prefix(std::min(path.size(), step.size() + 1));
      if (step == "..") {
        if (steps.empty()) return false;
        steps.pop_back();
      } else if (step != "." && !step.empty()) {
        steps.push_back(step);
      }
    }
    return true;
  };
  const std::size_t folder = from.rfind('/');
  if (folder != std::string_view::npos) walk(from.substr(0, folder));
  if (decoded->find('\0') != std::string::npos || !walk(*decoded) || steps.empty())
    return std::nullopt;
  std::string out;
  for (const std::string_view step : steps) {
    if (!out.empty()) out += '/';
    out += step;
  }
  return out;
}

std::string quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

// A list of names, for a sentence.
template <class Names>
std::string nearest_hint(std::string_view word, const Names& names) {
  // One letter more, less, other or two turned around: what a typo is.
  const auto near = [word](std::string_view name) {
    std::size_t front = 0;
    while (front < std::min(word.size(), name.size()) && word[front] == name[front]) ++front;
    std::size_t back = 0;
    const std::size_t most = std::min(word.size(), name.size()) - front;
    while (back < most && word[word.size() - 1 - back] == name[name.size() - 1 - back]) ++back;
    const std::size_t a = word.size() - front - back, b = name.size() - front - back;
    return (a <= 1 && b <= 1) ||
           (a == 2 && b == 2 && word[front] == name[front + 1] && word[front + 1] == name[front]);
  };
  for (const auto& name : names) {
    if (near(name)) return "; did you mean " + quoted(name) + "?";
  }
  return "";
}

std::vector<std::string_view> names_of(std::span<const Field> fields) {
  std::vector<std::string_view> out;
  for (const Field& field : fields) out.push_back(field.name);
  return out;
}

}  // namespace

std::string DocumentProblem::to_string() const {
  std::string out = file;
  if (line > 0) out += ":" + std::to_string(line);
  if (!pointer.empty()) out += ": " + pointer;
  return printable(out + ": " + sentence);
}

// ------------------------------------------------------------------------------------------- files

void Files::report(const Place& place, std::string sentence) {
  if (problems_.size() >= max_problems) return;
  const File& file = files_[place.file];
  DocumentProblem problem{file.name, 0, place.pointer, std::move(sentence)};
  // What is not there has no line: its parent has.
  for (std::string at = place.pointer;; at.resize(at.rfind('/'))) {
    const auto line = file.lines.find(at);
    if (line != file.lines.end()) {
      problem.line = line->second;
      break;
    }
    if (at.find('/') == std::string::npos) break;
  }
  problems_.push_back(std::move(problem));
}

void Files::report_schema(const Place& root, const validate::SchemaProblem& problem) {
  const std::string_view where = problem.pointer;
  const std::size_t hash = where.find('#');
  if (where.substr(0, uri_prefix.size()) == uri_prefix && hash != std::string_view::npos) {
    const auto name = percent_decode(where.substr(uri_prefix.size(), hash - uri_prefix.size()));
    const auto file = name ? by_name_.find(*name) : by_name_.end();
    if (file != by_name_.end()) {
      const Place place{file->second, nullptr, std::string(where.substr(hash + 1))};
      const bool known = std::any_of(problems_.begin(), problems_.end(), [&](const auto& other) {
        return other.file == files_[place.file].name && other.pointer == place.pointer &&
               other.sentence == problem.sentence;
      });
      if (!known) report(place, problem.sentence);
      return;
    }
  }
  report(root, problem.sentence);
}

std::string Files::uri_of(const Place& place) const {
  std::string out(uri_prefix);
  std::string_view name = files_[place.file].name;
  while (!name.empty()) {
    const std::string_view step = name.substr(0, name.find('/'));
    name.remove_prefix(std::min(name.size(), step.size() + 1));
    out += percent_encode(step);
    if (!name.empty()) out += '/';
  }
  out += '#';
  for (const char c : place.pointer) {
    if (c == '/' || c == '~') {
      out += c;
    } else {
      out += percent_encode(std::string_view(&c, 1));
    }
  }
  return out;
}

std::optional<std::size_t> Files::parse(std::string name, std::string_view text,
                                        const Place* from) {
  const auto refuse = [&](int line, std::string sentence) -> std::optional<std::size_t> {
    if (from != nullptr) {
      report(*from, name + (line > 0 ? ":" + std::to_string(line) : "") + ": " + sentence);
    } else {
      problems_.push_back({std::move(name), line, "", std::move(sentence)});
    }
    return std::nullopt;
  };
  const std::size_t left = options_.max_bytes - bytes_;
  if (text.size() > left)
    return refuse(0, "the document has more than " + std::to_string(options_.max_bytes) + " bytes");
  bytes_ += text.size();
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  File file;
  if (first != std::string_view::npos && text[first] == '{') {
    const json::Limits limits{.depth = 100,
                              .members = options_.max_nodes - nodes_,
                              .string_bytes = options_.max_bytes,
                              .total_bytes = options_.max_bytes};
    auto value = json::parse(text, limits);
    if (!value) {
      const auto until = text.begin() + static_cast<std::ptrdiff_t>(value.error().offset);
      const auto line = std::count(text.begin(), until, '\n') + 1;
      return refuse(static_cast<int>(line),
                    "this is no JSON: " + std::string(to_string(value.error().refusal)));
    }
    file.value = std::move(*value);
  } else {
    auto document = parse_yaml(text, {.bytes = left, .nodes = options_.max_nodes - nodes_});
    if (!document) return refuse(document.error().line, std::move(document.error().sentence));
    nodes_ += document->nodes;
    file.value = std::move(document->value);
    file.lines = std::move(document->lines);
  }
  file.name = name;
  const std::size_t index = files_.size();
  files_.push_back(std::move(file));
  by_name_.emplace(std::move(name), index);
  return index;
}

std::optional<std::size_t> Files::load(std::string_view name, const Place* from) {
  const auto known = by_name_.find(name);
  if (known != by_name_.end()) return known->second;
  if (!options_.loader) {
    report(*from, "other files cannot be read here");
    return std::nullopt;
  }
  if (files_.size() >= max_files) {
    report(*from, "more than " + std::to_string(max_files) + " files are referred to");
    return std::nullopt;
  }
  auto text = options_.loader(name);
  if (!text) {
    report(*from, "cannot read " + quoted(name) + ": " + text.error());
    return std::nullopt;
  }
  return parse(std::string(name), *text, from);
}

std::optional<Place> Files::find(std::size_t file, std::string_view fragment) const {
  const auto pointer = percent_decode(fragment);
  if (!pointer || (!pointer->empty() && (*pointer)[0] != '/')) return std::nullopt;
  Place place{file, &files_[file].value, *pointer};
  std::string_view rest = *pointer;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view step = rest.substr(0, rest.find('/'));
    rest.remove_prefix(step.size());
    const auto unescaped = json::pointer_name(step);
    if (!unescaped) return std::nullopt;
    const std::string& name = *unescaped;
    if (const json::Array* array = place.value->as_array()) {
      std::size_t at = 0;
      const auto got = std::from_chars(name.data(), name.data() + name.size(), at);
      if (got.ec != std::errc() || got.ptr != name.data() + name.size() || at >= array->size())
        return std::nullopt;
      place.value = &(*array)[at];
    } else {
      place.value = place.value->find(name);
    }
    if (place.value == nullptr) return std::nullopt;
  }
  return place;
}

// Where one reference leads to. Reports what leads nowhere.
std::optional<Place> Files::resolve(const Place& from, std::string_view reference) {
  const std::size_t hash = std::min(reference.find('#'), reference.size());
  std::optional<std::size_t> file = from.file;
  if (hash > 0) {
    const auto name = relative_name(files_[from.file].name, reference.substr(0, hash));
    if (!name) {
      report(from,
             "a reference leads to a place in this document or in a file in its folder or below; "
             "nothing is fetched");
      return std::nullopt;
    }
    file = load(*name, &from);
    if (!file) return std::nullopt;
  }
  auto place = find(*file, hash < reference.size() ? reference.substr(hash + 1) : "");
  if (!place) report(from, "this reference leads nowhere");
  return place;
}

std::optional<Place> Files::member(const Place& of, std::string_view name) {
  const json::Value* value = of.value->find(name);
  if (value == nullptr) return std::nullopt;
  return Place{of.file, value, of.pointer + pointer_step(name)};
}

std::optional<Place> Files::step(const Place& from) const {
  const json::Value* reference = from.value->find("$ref");
  if (reference == nullptr || reference->as_string() == nullptr) return std::nullopt;
  const std::string_view text = *reference->as_string();
  const std::size_t hash = std::min(text.find('#'), text.size());
  std::size_t file = from.file;
  if (hash > 0) {
    const auto name = relative_name(files_[from.file].name, text.substr(0, hash));
    const auto known = name ? by_name_.find(*name) : by_name_.end();
    if (known == by_name_.end()) return std::nullopt;
    file = known->second;
  }
  return find(file, hash < text.size() ? text.substr(hash + 1) : "");
}

Place Files::target(const Place& from) const {
  Place at = from;
  for (std::size_t hop = 0; hop < max_hops; ++hop) {
    auto next = step(at);
    if (!next) break;
    at = std::move(*next);
  }
  return at;
}

// ----------------------------------------------------------------------------------------- checks

bool Files::check_version() {
  const Place top{0, &root(), ""};
  if (root().as_object() == nullptr) {
    report(top, "an OpenAPI document is a mapping that begins with 'openapi: 3.1.0'");
    return false;
  }
  if (root().find("swagger") != nullptr) {
    report(top, "this is Swagger 2.0; OpenAPI 3.0 and 3.1 are understood");
    return false;
  }
  const json::Value* version = root().find("openapi");
  const std::string* text = version == nullptr ? nullptr : version->as_string();
  const std::string_view number = text == nullptr ? std::string_view() : *text;
  is_3_0_ = number.substr(0, 4) == "3.0.";
  if (is_3_0_ || number.substr(0, 4) == "3.1.") return true;
  report({0, version, version == nullptr ? "" : "/openapi"},
         "'openapi' is the version as a text: 3.0.x and 3.1.x are understood");
  return false;
}

bool Files::read(std::string_view text) {
  if (!parse(options_.name, text, nullptr) || !check_version()) return false;
  check(Kind::document, {0, &root(), ""});
  while (!pending_.empty()) {
    const auto [kind, place] = std::move(pending_.back());
    pending_.pop_back();
    check(kind, place);
  }
  find_kinds();
  if (!is_3_0_) {
    const json::Value* dialect = root().find("jsonSchemaDialect");
    const std::string* uri = dialect == nullptr ? nullptr : dialect->as_string();
    if (dialect != nullptr &&
        (uri == nullptr || (*uri != "https://json-schema.org/draft/2020-12/schema" &&
                            *uri != "https://spec.openapis.org/oas/3.1/dialect/base")))
      report({0, dialect, "/jsonSchemaDialect"}, "only JSON Schema 2020-12 is understood");
  }
  return problems_.empty();
}

void Files::check_shape(Kind kind, Shape shape, const Place& place) {
  const json::Object* object = place.value->as_object();
  const json::Array* array = place.value->as_array();
  switch (shape) {
    case Shape::one:
      return check(kind, place);
    case Shape::list:
      if (array == nullptr) return report(place, "this is a list");
      for (std::size_t i = 0; i < array->size(); ++i)
        check(kind, {place.file, &(*array)[i], place.pointer + "/" + std::to_string(i)});
      return;
    case Shape::map:
      if (object == nullptr) return report(place, "this is a mapping of names");
      for (const auto& [name, value] : *object)
        check(kind, {place.file, &value, place.pointer + pointer_step(name)});
      return;
  }
}

void Files::check(Kind kind, const Place& place) {
  if (kind == Kind::any) return;
  auto& seen = files_[place.file].seen;
  const auto [at, is_new] = seen.emplace(place.value, kind);
  if (!is_new) {
    if (at->second != kind)
      report(place, "this is referred to as " + std::string(to_string(kind)) + " and as " +
                        std::string(to_string(at->second)));
    return;
  }
  if (kind == Kind::schema) return check_schema(place);
  if (place.value->as_object() == nullptr)
    return report(place, std::string(to_string(kind)) + " is a mapping of names");
  if (may_be_reference(kind) && check_reference(kind, place)) return;
  if (kind == Kind::paths || kind == Kind::responses) return check_names(kind, place);
  check_fields(kind, place);
}

// True where it is one, and no more of it is to be looked at.
bool Files::check_reference(Kind kind, const Place& place) {
  const json::Value* reference = place.value->find("$ref");
  if (reference == nullptr) return false;
  const Place at{place.file, reference, place.pointer + "/$ref"};
  if (reference->as_string() == nullptr) {
    report(at, "a reference is a text");
    return true;
  }
  for (const auto& [name, value] : *place.value->as_object()) {
    const bool remark = name == "summary" || name == "description" || is_extension(name);
    if (name != "$ref" && !remark)
      report({place.file, &value, place.pointer + pointer_step(name)},
             "beside a $ref this would count for nothing");
  }
  Place target = at;
  std::string text = *reference->as_string();
  for (std::size_t hop = 0;; ++hop) {
    auto next = resolve(target, text);
    if (!next) return true;
    target = std::move(*next);
    const json::Value* more = target.value->find("$ref");
    if (more == nullptr || more->as_string() == nullptr) break;
    text = *more->as_string();
    if (hop == max_hops) {
      report(at, "references lead in a circle");
      return true;
    }
  }
  pending_.emplace_back(kind, std::move(target));
  return true;
}

void Files::check_fields(Kind kind, const Place& place) {
  const auto fields = fields_of(kind);
  for (const auto& [name, value] : *place.value->as_object()) {
    const Place at{place.file, &value, place.pointer + pointer_step(name)};
    const auto field = std::find_if(fields.begin(), fields.end(),
                                    [&wanted = name](const Field& f) { return f.name == wanted; });
    if (field == fields.end()) {
      if (!is_extension(name))
        report(at, std::string(to_string(kind)) + " has no field " + quoted(name) +
                       nearest_hint(name, names_of(fields)));
    } else if (field->only_3_1 && is_3_0_) {
      report(at, quoted(name) + " came with OpenAPI 3.1");
    } else {
      check_shape(field->kind, field->shape, at);
    }
  }
  for (const Field& field : fields) {
    if (field.required && place.value->find(field.name) == nullptr)
      report(place, std::string(to_string(kind)) + " needs the field " + quoted(field.name));
  }
}

void Files::check_names(Kind kind, const Place& place) {
  for (const auto& [name, value] : *place.value->as_object()) {
    const Place at{place.file, &value, place.pointer + pointer_step(name)};
    if (is_extension(name)) continue;
    if (kind == Kind::paths) {
      if (name.empty() || name[0] != '/') report(at, "a path begins with a slash");
      check(Kind::path_item, at);
    } else {
      check(Kind::response, at);
    }
  }
}

void Files::check_schema(const Place& place) {
  const json::Object* object = place.value->as_object();
  if (object == nullptr) {
    if (place.value->as_bool() == nullptr || is_3_0_)
      report(place, "a schema is a mapping of names");
    return;
  }
  const json::Value* reference = place.value->find("$ref");
  if (reference != nullptr && reference->as_string() != nullptr) {
    const std::string& text = *reference->as_string();
    const std::size_t hash = std::min(text.find('#'), text.size());
    // An $anchor is for the schema's compiler to find.
    const bool anchor = hash + 1 < text.size() && text[hash + 1] != '/';
    if (!anchor) {
      auto target = resolve({place.file, reference, place.pointer + "/$ref"}, text);
      if (target) pending_.emplace_back(Kind::schema, std::move(*target));
    }
  }
  // What stands beside a $ref counts here as it does since 3.1. OpenAPI 3.0.4 section 4.7.23 lets
  // it count for nothing, and whoever writes readOnly or nullable there does not mean that.
  for (const auto& [name, value] : *object) {
    const Place at{place.file, &value, place.pointer + pointer_step(name)};
    const auto is_name = [&wanted = name](std::string_view other) { return other == wanted; };
    if (reference != nullptr && (name == "$ref" || is_remark(name))) continue;
    if (is_3_0_ && !is_extension(name) &&
        std::none_of(std::begin(keywords_3_0), std::end(keywords_3_0), is_name)) {
      report(at,
             "a schema of OpenAPI 3.0 has no " + quoted(name) + nearest_hint(name, keywords_3_0));
      continue;
    }
    if (name == "discriminator") check_discriminator(place);
    const auto below = schema_keywords();
    const auto keyword = std::find_if(below.begin(), below.end(),
                                      [&](const SchemaKeyword& k) { return is_name(k.name); });
    if (keyword == below.end()) continue;
    if (name == "additionalProperties" && value.as_bool() != nullptr) continue;
    if (name == "properties" && value.as_object() != nullptr) {
      for (const auto& [member, schema] : *value.as_object()) {
        if (validate::fault_of_key(member)) unsafe_names_.insert(member);
      }
    }
    check_shape(Kind::schema, keyword->shape, at);
  }
}

}  // namespace moat::openapi
