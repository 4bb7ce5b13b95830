// SPDX-License-Identifier: Apache-2.0
// Discriminators: which schema the value of one member chooses, and that in the words of JSON
// Schema: the choice is an if and a then for each kind, so that what is refused is told of the kind
// that was chosen.
#include "moat/openapi/internal/kinds.h"

#include <algorithm>
#include <map>
#include <utility>

#include "moat/openapi/internal/files.h"
#include "moat/openapi/internal/pointer.h"

namespace moat::openapi {
namespace {

constexpr std::size_t max_names = 20'000;  // of all discriminators of a document together
constexpr std::size_t max_told = 20;       // names in one sentence

std::string_view text_of(const json::Value* value) {
  return value == nullptr || value->as_string() == nullptr ? std::string_view()
                                                           : std::string_view(*value->as_string());
}

// The name that a reference gives to a schema: OpenAPI 3.1.1 section 4.8.25.2 has it of
// components/schemas only.
std::string component_of(std::string_view reference) {
  constexpr std::string_view folder = "#/components/schemas/";
  const std::size_t at = reference.find(folder);
  if (at == std::string_view::npos) return "";
  const std::string_view name = reference.substr(at + folder.size());
  // An escaped one would be two names: as it is written, and as it is meant.
  return name.find_first_of("/~%") == std::string_view::npos ? std::string(name) : "";
}

Place element(const Place& list, std::size_t i) {
  return {list.file, &(*list.value->as_array())[i], list.pointer + "/" + std::to_string(i)};
}

std::string listed(const Kinds& kinds) {
  std::string out;
  std::size_t count = 0;
  for (const NamedKind& kind : kinds.kinds) {
    for (const std::string& name : kind.names) {
      if (++count <= max_told) out += (out.empty() ? "'" : ", '") + printable(name) + "'";
    }
  }
  return count > max_told ? out + " and " + std::to_string(count - max_told) + " others" : out;
}

}  // namespace

// -------------------------------------------------------------------------------------- what it is

void Files::check_discriminator(const Place& schema) {
  const Place at = member(schema, "discriminator").value();
  const json::Object* object = at.value->as_object();
  if (object == nullptr)
    return report(at, "a discriminator is a mapping with the field 'propertyName'");
  Discriminator out{schema, at, std::string(text_of(at.value->find("propertyName"))), {}};
  if (out.property.empty())
    return report(at, "a discriminator needs 'propertyName', the name of a member");
  for (const auto& [name, value] : *object) {
    const Place field{at.file, &value, at.pointer + pointer_step(name)};
    if (name == "propertyName" || name.substr(0, 2) == "x-") continue;
    if (name != "mapping") {
      report(field, "a discriminator has no field '" + name + "'");
      continue;
    }
    if (value.as_object() == nullptr) {
      report(field, "this is a mapping of values to schemas");
      continue;
    }
    for (const auto& [from, to] : *value.as_object()) {
      const Place entry{field.file, &to, field.pointer + pointer_step(from)};
      if (to.as_string() == nullptr) {
        report(entry, "this is the name of a schema, or a reference to one");
      } else if (auto target = named_schema(entry, *to.as_string())) {
        pending_.emplace_back(Kind::schema, *target);
        out.mapping.emplace_back(from, std::move(*target));
      }
    }
  }
  discriminators_.push_back(std::move(out));
}

// What a mapping leads to: a name of components/schemas goes before a file of that name (OpenAPI
// 3.1.1 section 4.8.25.2), and the first document's names before those of another file (section
// 4.6).
std::optional<Place> Files::named_schema(const Place& from, const std::string& text) {
  for (const std::size_t file : {std::size_t{0}, from.file}) {
    if (auto place = find(file, "/components/schemas" + pointer_step(text))) return place;
  }
  if (text.find_first_of("#/.") != std::string::npos) return resolve(from, text);
  report(from, "the mapping leads nowhere: there is no schema of that name in components/schemas");
  return std::nullopt;
}

// The value that a schema has pinned a member of it to.
std::optional<std::string> Files::pinned(const Place& schema, const std::string& property) const {
  std::optional<std::string> out;
  const auto names_one = [&out](std::size_t, const json::Value& part) {
    if (const json::Value* only = part.find("const")) {
      if (only->as_string() != nullptr) out = *only->as_string();
      return out.has_value();
    }
    const json::Value* list = part.find("enum");
    const json::Array* values = list == nullptr ? nullptr : list->as_array();
    if (values != nullptr && values->size() == 1 && values->front().as_string() != nullptr)
      out = *values->front().as_string();
    return out.has_value();
  };
  const auto fits = [&](std::size_t file, const json::Value& part) {
    const json::Value* properties = part.find("properties");
    const json::Value* member = properties == nullptr ? nullptr : properties->find(property);
    SchemasSeen seen;
    return member != nullptr && any_part(file, *member, names_one, seen);
  };
  SchemasSeen seen;
  any_part(schema.file, *schema.value, fits, seen);
  return out;
}

bool Files::is_object_only(const Place& schema) const {
  const auto fits = [](std::size_t, const json::Value& part) {
    return text_of(part.find("type")) == "object" && !is_true(part, "nullable");
  };
  SchemasSeen seen;
  return !is_true(*schema.value, "nullable") && any_part(schema.file, *schema.value, fits, seen);
}

void Files::add_listed(const Place& list, Kinds& out) const {
  out.only_objects = true;
  for (std::size_t i = 0; i < list.value->as_array()->size(); ++i) {
    const Place branch = element(list, i);
    NamedKind kind{{}, target(branch), branch, false, false};
    kind.inlined = kind.schema.value == branch.value;
    out.only_objects = out.only_objects && is_object_only(branch);
    const std::string_view type = text_of(kind.schema.value->find("type"));
    // null, and whatever else is no object, has no members that could name it.
    if ((type.empty() || type == "object") && kind.schema.value->as_object() != nullptr)
      out.kinds.push_back(std::move(kind));
    else
      out.nameless.push_back(kind.schema.value);
  }
}

// Those that have `out.schema` in their allOf, or in that of one which has it, and so on.
void Files::add_children(Kinds& out) {
  out.kinds.push_back({{}, out.schema, out.schema, false, false});
  for (std::size_t i = 0; i < out.kinds.size() && out.kinds.size() < max_names; ++i) {
    const auto found = children_.find(out.kinds[i].schema.value);
    if (found == children_.end()) continue;
    for (const auto& [name, child] : found->second) {
      if (!out.has(child.value)) out.kinds.push_back({{}, child, child, false, false});
    }
  }
}

void Files::map_kinds(const Discriminator& from, Kinds& out) {
  for (const auto& [name, place] : from.mapping) {
    const Place end = target(place);
    const auto kind = std::find_if(out.kinds.begin(), out.kinds.end(), [&end](const auto& one) {
      return one.schema.value == end.value;
    });
    if (kind != out.kinds.end()) {
      kind->names.push_back(name);
      kind->mapped = true;
    } else if (out.list.empty()) {
      out.kinds.push_back({{name}, end, place, false, true});
    } else if (std::find(out.nameless.begin(), out.nameless.end(), end.value) ==
               out.nameless.end()) {
      report(
          {from.at.file, nullptr, from.at.pointer + "/mapping" + pointer_step(name)},
          "this leads to a schema that the " + std::string(out.list) + " beside it does not list");
    }
  }
}

// What a kind is called where the mapping does not say.
std::string Files::implied_name(const Kinds& of, const NamedKind& kind, std::size_t index) const {
  if (auto only = pinned(kind.schema, of.property)) return *only;
  if (kind.inlined) return "";
  if (of.list.empty()) {
    // A base class is one of its kinds by its mapping, or where there is none.
    const bool mapped = std::any_of(of.kinds.begin(), of.kinds.end(),
                                    [](const NamedKind& one) { return one.mapped; });
    if (index == 0 && mapped) return "";
  }
  return component_of("#" + kind.schema.pointer);
}

void Files::name_kinds(const Discriminator& from, Kinds& out) {
  std::set<std::string> taken;
  for (const auto& [name, place] : from.mapping) taken.insert(name);
  std::map<std::string, std::size_t> implied;
  for (std::size_t i = 0; i < out.kinds.size(); ++i) {
    NamedKind& kind = out.kinds[i];
    const std::string name = implied_name(out, kind, i);
    if (name.empty() || taken.count(name) != 0) continue;
    if (!implied.emplace(name, i).second) {
      report(from.at, "two kinds have the name '" + name + "': say in 'mapping' which one it is");
      continue;
    }
    kind.names.push_back(name);
  }
  if (out.list.empty()) {
    out.kinds.erase(std::remove_if(out.kinds.begin(), out.kinds.end(),
                                   [](const NamedKind& kind) { return kind.names.empty(); }),
                    out.kinds.end());
    return;
  }
  for (const NamedKind& kind : out.kinds) {
    if (kind.names.empty())
      report(kind.schema,
             "no value of '" + out.property +
                 "' leads to this kind: it has no name in components/schemas, no 'const' for that "
                 "member, and none in the 'mapping' of the discriminator");
  }
}

void Files::add_kinds(const Discriminator& from) {
  Kinds out;
  out.schema = from.schema;
  out.property = from.property;
  for (const std::string_view keyword : {"oneOf", "anyOf"}) {
    const auto list = member(from.schema, keyword);
    if (!out.list.empty() || !list || list->value->as_array() == nullptr) continue;
    out.list = keyword;
    add_listed(*list, out);
  }
  if (out.list.empty()) add_children(out);
  map_kinds(from, out);
  // A base class that nobody extends is a schema like others.
  if (out.list.empty() && out.kinds.size() == 1) return;
  name_kinds(from, out);
  kinds_.push_back(std::move(out));
}

// OData's and other generators write a base class as an allOf of its own base and of all the rest,
// the discriminator too: it is that of the whole.
void Files::lift_discriminators(const Place& named, const Place& part) {
  if (part.value->find("oneOf") != nullptr || part.value->find("anyOf") != nullptr) return;
  const auto is_of = [](const json::Value* schema) {
    return [schema](const Discriminator& one) { return one.schema.value == schema; };
  };
  const auto one = std::find_if(discriminators_.begin(), discriminators_.end(), is_of(part.value));
  const bool has_own =
      std::any_of(discriminators_.begin(), discriminators_.end(), is_of(named.value));
  if (one != discriminators_.end() && !has_own) one->schema = named;
}

void Files::find_kinds() {
  for (std::size_t file = 0; file < files_.size(); ++file) {
    const auto all = find(file, "/components/schemas");
    const json::Object* named = all ? all->value->as_object() : nullptr;
    if (named == nullptr || discriminators_.empty()) continue;
    for (const auto& [name, schema] : *named) {
      if (files_[file].seen.count(&schema) == 0) continue;  // nobody has asked for it
      const Place child{file, &schema, all->pointer + pointer_step(name)};
      const auto list = member(child, "allOf");
      const json::Array* parts = list ? list->value->as_array() : nullptr;
      for (std::size_t i = 0; parts != nullptr && i < parts->size(); ++i) {
        const Place part = element(*list, i);
        const Place base = target(part);
        if (base.value != part.value) {
          children_[base.value].emplace_back(name, child);
        } else {
          lift_discriminators(child, part);
        }
      }
    }
  }
  std::map<std::size_t, std::size_t> numbers;  // by the file
  std::size_t names = 0;
  for (const Discriminator& one : discriminators_) {
    const std::size_t before = kinds_.size();
    add_kinds(one);
    if (kinds_.size() == before) continue;
    Kinds& kinds = kinds_.back();
    kinds.number = numbers[one.schema.file]++;
    kinds_by_schema_[one.schema.value] = &kinds;
    for (const NamedKind& kind : kinds.kinds) names += kind.names.size();
    if (names > max_names)
      return report(one.schema, "the discriminators of the document have more than " +
                                    std::to_string(max_names) + " names");
  }
}

// --------------------------------------------------------------------------- what becomes of it

const Kinds* Files::kinds_of(const json::Value& schema, const View& view) const {
  if (!view.obeys_kinds) return nullptr;
  const auto found = kinds_by_schema_.find(&schema);
  return found == kinds_by_schema_.end() ? nullptr : found->second;
}

std::string Files::kinds_uri(const Kinds& kinds, std::string_view part) const {
  return uri_of({kinds.schema.file, nullptr,
                 "/" + std::string(kinds_field) + "/" + std::to_string(kinds.number) + "/" +
                     std::string(part)});
}

// The names of a kind and of those that have it in their allOf.
json::Array Files::names_below(const Kinds& kinds, const json::Value* top) const {
  json::Array out;
  std::vector<const json::Value*> found = {top};
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (const NamedKind& kind : kinds.kinds) {
      if (kind.schema.value != found[i]) continue;
      for (const std::string& name : kind.names) out.emplace_back(name);
    }
    const auto below = children_.find(found[i]);
    if (below == children_.end()) continue;
    for (const auto& [name, child] : below->second) {
      if (std::find(found.begin(), found.end(), child.value) == found.end())
        found.push_back(child.value);
    }
  }
  return out;
}

// A child has its base class without the choice, which has chosen the child; where a schema refers
// to the child itself, there is no other to choose.
json::Value Files::converted_part(std::size_t file, const json::Value& part,
                                  const json::Value& holder, const View& view) const {
  json::Value out = converted_object(file, part, view, &holder);
  const Kinds* kinds = base_kinds(file, part, holder, view);
  if (kinds == nullptr) return nullable(part, std::move(out));
  for (auto& [name, value] : std::get<json::Object>(out.data())) {
    if (name == "$ref") value = json::Value(kinds_uri(*kinds, "plain"));
  }
  json::Object names{{"enum", names_below(*kinds, &holder)}};
  json::Object member{{kinds->property, std::move(names)}};
  json::Object chosen{{"properties", std::move(member)}};
  return nullable(part, json::Object{{"allOf", json::Array{std::move(out), std::move(chosen)}}});
}

// The kinds of the base class that a part of an allOf refers to, where `holder` is one of them.
const Kinds* Files::base_kinds(std::size_t file, const json::Value& part, const json::Value& holder,
                               const View& view) const {
  if (!view.obeys_kinds || kinds_.empty()) return nullptr;
  const Place base = target({file, &part, ""});
  if (base.value == &part || base.value == &holder) return nullptr;
  const Kinds* kinds = kinds_of(*base.value, view);
  return kinds != nullptr && kinds->has(&holder) ? kinds : nullptr;
}

// In halves, so that of many kinds a value is asked for a few times only.
json::Value Files::choice_tree(const Kinds& kinds, std::size_t first, std::size_t last,
                               const View& view) const {
  if (last - first == 1) {
    const NamedKind& chosen = kinds.kinds[first];
    if (chosen.schema.value == kinds.schema.value) return json::Object{};  // is judged already
    if (!kinds.list.empty())
      return converted_schema(chosen.listed.file, *chosen.listed.value, view);
    return json::Object{{"$ref", uri_of(chosen.listed)}};
  }
  const std::size_t middle = first + (last - first) / 2;
  json::Array names;
  for (std::size_t i = first; i < middle; ++i) {
    for (const std::string& name : kinds.kinds[i].names) names.emplace_back(name);
  }
  json::Object member{{kinds.property, json::Object{{"enum", std::move(names)}}}};
  return json::Object{{"if", json::Object{{"properties", std::move(member)}}},
                      {"then", choice_tree(kinds, first, middle, view)},
                      {"else", choice_tree(kinds, middle, last, view)}};
}

json::Value Files::choice(const Kinds& kinds, const View& view) const {
  const json::Object guard{{"$ref", kinds_uri(kinds, "guard")}};
  json::Object out{{"if", guard}, {"else", guard}};
  if (!kinds.kinds.empty())
    out.emplace_back("then", choice_tree(kinds, 0, kinds.kinds.size(), view));
  if (kinds.only_objects) return out;
  json::Object either{{"if", json::Object{{"type", "object"}}}, {"then", std::move(out)}};
  if (!kinds.list.empty()) {
    // What is no object is judged as it would be without a discriminator.
    const json::Value* list = kinds.schema.value->find(kinds.list);
    json::Array branches;
    for (const json::Value& branch : *list->as_array())
      branches.push_back(converted_schema(kinds.schema.file, branch, view));
    either.emplace_back("else", json::Object{{std::string(kinds.list), std::move(branches)}});
  }
  return either;
}

json::Array Files::kinds_of_file(std::size_t file, const View& view) const {
  json::Array out;
  if (!view.obeys_kinds) return out;
  for (const Kinds& kinds : kinds_) {
    if (kinds.schema.file != file) continue;
    json::Array names;
    for (const NamedKind& kind : kinds.kinds) {
      for (const std::string& name : kind.names) names.emplace_back(name);
    }
    // An enum is not empty: what nothing fits has no names.
    json::Value choices =
        names.empty() ? json::Value(false) : json::Value(json::Object{{"enum", std::move(names)}});
    json::Object guard{{"type", "object"},
                       {"required", json::Array{kinds.property}},
                       {"properties", json::Object{{kinds.property, std::move(choices)}}}};
    View plain = view;
    plain.plain = kinds.schema.value;
    out.push_back(json::Object{{"guard", std::move(guard)},
                               {"plain", converted_schema(file, *kinds.schema.value, plain)}});
  }
  return out;
}

std::map<std::string, std::string> Files::kind_sentences() const {
  std::map<std::string, std::string> out;
  for (const Kinds& kinds : kinds_) {
    std::string names = listed(kinds);
    if (!names.empty()) out[kinds_uri(kinds, "guard")] = "must name what this is: one of " + names;
  }
  return out;
}

}  // namespace moat::openapi
