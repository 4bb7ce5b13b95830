// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "moat/validate/internal/schema_compiler.h"

namespace moat::validate::schema {
namespace {

constexpr std::pair<std::string_view, Dialect> dialects[] = {
    {"https://json-schema.org/draft/2020-12/schema", Dialect::draft_2020_12},
    {"http://json-schema.org/draft-07/schema", Dialect::draft_7},
};

// What stands below a keyword.
constexpr std::string_view single[] = {"additionalProperties",
                                       "contains",
                                       "contentSchema",
                                       "else",
                                       "if",
                                       "items",
                                       "not",
                                       "propertyNames",
                                       "then",
                                       "unevaluatedItems",
                                       "unevaluatedProperties"};
constexpr std::string_view listed[] = {"allOf", "anyOf", "oneOf", "prefixItems"};
constexpr std::string_view named[] = {
    "$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"};

constexpr std::string_view single_7[] = {"additionalItems",
                                         "additionalProperties",
                                         "contains",
                                         "else",
                                         "if",
                                         "not",
                                         "propertyNames",
                                         "then"};
constexpr std::string_view listed_7[] = {"allOf", "anyOf", "oneOf"};
constexpr std::string_view named_7[] = {"definitions", "dependencies", "patternProperties",
                                        "properties"};

template <std::size_t N>
bool is_in(const std::string_view (&list)[N], std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

enum class Below { nothing, one, list, names };
Below below(std::string_view keyword, Dialect dialect, const json::Value& value) {
  if (dialect == Dialect::draft_7) {
    // A list of schemas for the first elements, or one for all.
    if (keyword == "items") return value.as_array() != nullptr ? Below::list : Below::one;
    if (is_in(single_7, keyword)) return Below::one;
    if (is_in(listed_7, keyword)) return Below::list;
    return is_in(named_7, keyword) ? Below::names : Below::nothing;
  }
  if (is_in(single, keyword)) return Below::one;
  if (is_in(listed, keyword)) return Below::list;
  return is_in(named, keyword) ? Below::names : Below::nothing;
}

bool is_anchor(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !text.empty() && letter(text[0]) && std::all_of(text.begin(), text.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned byte = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || end.ptr != digits.data() + 2) return std::nullopt;
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

const json::Value* step_into(const json::Value& value, const std::string& step) {
  const json::Array* array = value.as_array();
  if (array == nullptr) return value.find(step);
  std::size_t index = 0;
  const auto end = std::from_chars(step.data(), step.data() + step.size(), index);
  if (end.ec != std::errc() || end.ptr != step.data() + step.size()) return nullptr;
  if ((step.size() > 1 && step[0] == '0') || index >= array->size()) return nullptr;
  return &(*array)[index];
}

}  // namespace

bool Index::add_document(std::string uri, std::shared_ptr<const json::Value> schema) {
  program_.documents.push_back(std::move(schema));
  const json::Value& root = *program_.documents.back();
  const Id resource = static_cast<Id>(sources_.size());
  const std::string pointer = uri + "#";
  // A root has no name of its own; what it refers to itself by is not looked up.
  if (!uri.empty()) by_uri_.emplace(uri, resource);
  sources_.push_back({std::move(uri), &root, {}, {}});
  return scan(root, Place{none, resource, pointer, 1, options_.default_dialect}, Entry::yes);
}

std::optional<Id> Index::add_root(json::Value schema) {
  whole_ = true;
  const bool good = add_document("", std::make_shared<const json::Value>(std::move(schema)));
  whole_ = false;
  if (!good) return std::nullopt;
  return node_of(program_.documents.back().get());
}

Id Index::node_of(const json::Value* schema) {
  Place& place = places_.at(schema);
  if (place.node == none) {
    place.node = static_cast<Id>(schemas_.size());
    schemas_.push_back(schema);
  }
  return place.node;
}

bool Index::scan(const json::Value& schema, Place place, Entry entry) {
  if (places_.count(&schema) != 0) return true;
  if (schema.as_object() == nullptr && schema.as_bool() == nullptr)
    return fail(place.pointer, "a schema is an object, true or false");
  if (place.depth > options_.max_schema_depth)
    return fail(place.pointer, "subschemas stand more than " +
                                   std::to_string(options_.max_schema_depth) +
                                   " deep in each other");
  if (places_.size() >= options_.max_subschemas)
    return fail(place.pointer,
                "there are more than " + std::to_string(options_.max_subschemas) + " subschemas");
  if (schema.as_object() != nullptr && !scan_identity(schema, place, entry)) return false;
  places_.emplace(&schema, place);
  if (whole_) node_of(&schema);
  return schema.as_object() == nullptr || scan_children(schema, place);
}

bool Index::scan_identity(const json::Value& schema, Place& place, Entry entry) {
  if (!scan_dialect(schema, place, entry)) return false;
  const json::Value* id = schema.find("$id");
  if (place.dialect == Dialect::draft_7) {
    const bool counts = id != nullptr && schema.find("$ref") == nullptr;
    return !counts || scan_id(schema, *id, place);
  }
  if (id != nullptr && !scan_id(schema, *id, place)) return false;
  return scan_anchor(schema, "$anchor", place) && scan_anchor(schema, "$dynamicAnchor", place);
}

bool Index::scan_dialect(const json::Value& schema, Place& place, Entry entry) {
  const json::Value* value = schema.find("$schema");
  if (value == nullptr) return true;
  const std::string* text = value->as_string();
  std::string_view name = text == nullptr ? std::string_view() : std::string_view(*text);
  if (!name.empty() && name.back() == '#') name.remove_suffix(1);
  for (const auto& [uri, dialect] : dialects) {
    if (uri != name) continue;
    // Core section 8.1.1: it stands where a resource begins.
    if (entry == Entry::no && dialect != place.dialect && schema.find("$id") == nullptr)
      return fail(place.pointer + "/$schema", "a schema within another has no dialect of its own");
    place.dialect = dialect;
    return true;
  }
  return fail(place.pointer + "/$schema",
              "only these dialects are understood here: " + std::string(dialects[0].first) +
                  " and " + std::string(dialects[1].first) + "#");
}

bool Index::scan_id(const json::Value& schema, const json::Value& id, Place& place) {
  const std::string* text = id.as_string();
  if (text == nullptr) return fail(place.pointer + "/$id", "$id is a string");
  const std::size_t hash = std::min(text->find('#'), text->size());
  const std::string_view reference = std::string_view(*text).substr(0, hash);
  const std::string anchor = text->substr(std::min(hash + 1, text->size()));
  if (!anchor.empty() && place.dialect != Dialect::draft_7)
    return fail(place.pointer + "/$id", "$id has no fragment: write $anchor");
  if (!reference.empty() || anchor.empty()) {
    std::string uri = resolve_uri(sources_[place.resource].uri, reference);
    const auto known = by_uri_.find(uri);
    if (known == by_uri_.end()) {
      if (sources_[place.resource].root == &schema) {
        sources_[place.resource].uri = uri;  // the document's own name
        by_uri_.emplace(std::move(uri), place.resource);
      } else {
        place.resource = static_cast<Id>(sources_.size());
        by_uri_.emplace(uri, place.resource);
        sources_.push_back({std::move(uri), &schema, {}, {}});
      }
    } else if (sources_[known->second].root != &schema) {
      return fail(place.pointer + "/$id", "two schemas have this $id");
    }
  }
  return anchor.empty() || add_anchor(schema, "$id", anchor, place);
}

bool Index::scan_anchor(const json::Value& schema, std::string_view keyword, const Place& place) {
  const json::Value* anchor = schema.find(keyword);
  if (anchor == nullptr) return true;
  if (anchor->as_string() == nullptr)
    return fail(place.pointer + "/" + std::string(keyword), "an anchor is a string");
  return add_anchor(schema, keyword, *anchor->as_string(), place);
}

bool Index::add_anchor(const json::Value& schema, std::string_view keyword, const std::string& name,
                       const Place& place) {
  const std::string where = place.pointer + "/" + std::string(keyword);
  if (!is_anchor(name))
    return fail(where, "an anchor is a letter or _, then letters, digits, -, _ and dots");
  Source& source = sources_[place.resource];
  const auto taken = [&](const auto& map) {
    const auto at = map.find(name);
    return at != map.end() && at->second != &schema;
  };
  if (taken(source.anchors) || taken(source.dynamic))
    return fail(where, "this anchor stands twice in one schema");
  (keyword == "$dynamicAnchor" ? source.dynamic : source.anchors)[name] = &schema;
  return true;
}

bool Index::scan_below(const json::Value& schema, const Place& place, std::string_view step) {
  Place inner = place;
  inner.pointer += step;
  ++inner.depth;
  return scan(schema, std::move(inner), Entry::no);
}

bool Index::scan_list(const json::Value& list, const Place& place) {
  const json::Array& array = *list.as_array();
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (!scan_below(array[i], place, "/" + std::to_string(i))) return false;
  }
  return true;
}

bool Index::scan_children(const json::Value& schema, const Place& place) {
  const bool only_named = place.dialect == Dialect::draft_7 && schema.find("$ref") != nullptr;
  for (const auto& [name, value] : *schema.as_object()) {
    // Nothing beside a $ref of draft 7 counts, but others may refer to what is defined there.
    if (only_named && name != "definitions") continue;
    Place at = place;
    at.pointer += "/" + name;
    switch (below(name, place.dialect, value)) {
      case Below::nothing:
        break;
      case Below::one:
        if (!scan_below(value, place, "/" + name)) return false;
        break;
      case Below::list:
        if (value.as_array() == nullptr || (value.as_array()->empty() && name != "items"))
          return fail(at.pointer, name + " is a list of schemas that is not empty");
        if (!scan_list(value, at)) return false;
        break;
      case Below::names:
        if (value.as_object() == nullptr)
          return fail(at.pointer, name + " is an object of schemas");
        for (const auto& [key, inner] : *value.as_object()) {
          if (name == "dependencies" && inner.as_array() != nullptr) continue;
          if (!scan_below(inner, at, pointer_step(key))) return false;
        }
        break;
    }
  }
  return true;
}

std::optional<Id> Index::find_resource(const std::string& uri) {
  const auto known = by_uri_.find(uri);
  if (known != by_uri_.end()) return known->second;
  for (const SchemaDocument& document : options_.documents) {
    if (document.uri != uri) continue;
    if (!add_document(uri, document.schema)) return std::nullopt;
    return by_uri_.at(uri);
  }
  const std::string_view text = embedded_metaschema(uri);
  if (text.empty()) return std::nullopt;
  auto parsed = json::parse(text);
  if (!parsed) return std::nullopt;
  if (!add_document(uri, std::make_shared<const json::Value>(*std::move(parsed))))
    return std::nullopt;
  return by_uri_.at(uri);
}

// Below a keyword nobody knows there may be a schema, too: it becomes one by being referred to.
const json::Value* Index::by_pointer(std::string_view fragment, Id resource,
                                     const std::string& from) {
  const json::Value* value = sources_[resource].root;
  Place place = places_.at(value);
  for (std::size_t start = 1; start <= fragment.size();) {
    const std::size_t end = std::min(fragment.find('/', start), fragment.size());
    const auto step = json::pointer_name(fragment.substr(start, end - start));
    value = step ? step_into(*value, *step) : nullptr;
    if (value == nullptr) return nullptr;
    const auto known = places_.find(value);
    if (known != places_.end()) {
      place = known->second;
    } else {
      place.pointer += pointer_step(*step);
      ++place.depth;
    }
    start = end + 1;
  }
  place.node = none;
  if (places_.count(value) == 0 && !scan(*value, place, Entry::yes)) {
    if (problem) problem->sentence += " (referred to from " + from + ")";
    return nullptr;
  }
  return value;
}

Id Index::anchor_number(std::string_view name) {
  const auto next = static_cast<Id>(anchor_numbers_.size());
  return anchor_numbers_.emplace(std::string(name), next).first->second;
}

std::optional<Id> Index::resolve(std::string_view reference, Id resource, std::string pointer,
                                 Id* dynamic) {
  const std::string uri = resolve_uri(sources_[resource].uri, reference);
  const std::size_t hash = std::min(uri.find('#'), uri.size());
  const bool within = std::string_view(uri).substr(0, hash) == sources_[resource].uri;
  const auto target = within ? resource : find_resource(uri.substr(0, hash));
  const auto fragment =
      percent_decoded(std::string_view(uri).substr(std::min(hash + 1, uri.size())));
  const json::Value* found = nullptr;
  if (target && fragment) {
    const Source& source = sources_[*target];
    if (fragment->empty()) {
      found = source.root;
    } else if ((*fragment)[0] == '/') {
      found = by_pointer(*fragment, *target, pointer);
    } else if (const auto at = source.anchors.find(*fragment); at != source.anchors.end()) {
      found = at->second;
    } else if (const auto other = source.dynamic.find(*fragment); other != source.dynamic.end()) {
      found = other->second;
      if (dynamic != nullptr) *dynamic = anchor_number(*fragment);
    }
  }
  if (found == nullptr) {
    fail(std::move(pointer), target ? "the reference leads to nothing in its document"
                                    : "no document of this name was given, and none is loaded");
    return std::nullopt;
  }
  return node_of(found);
}

std::vector<Resource> Index::resources() {
  std::vector<Resource> out;
  for (const Source& source : sources_) {
    Resource& resource = out.emplace_back();
    for (const auto& [name, schema] : source.dynamic) {
      const auto number = anchor_numbers_.find(name);
      if (number != anchor_numbers_.end())  // else nobody refers to it
        resource.dynamic_anchors.emplace_back(number->second, node_of(schema));
    }
  }
  return out;
}

}  // namespace moat::validate::schema
