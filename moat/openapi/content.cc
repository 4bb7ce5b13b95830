// SPDX-License-Identifier: Apache-2.0
// The content of bodies and answers, by its media type.
#include <algorithm>
#include <utility>

#include "moat/base/encoding.h"
#include "moat/base/json_document.h"
#include "moat/openapi/internal/form_styles.h"
#include "moat/openapi/internal/operation.h"
#include "moat/openapi/internal/pointer.h"
#include "moat/validate/multipart.h"
#include "moat/validate/values.h"

namespace moat::openapi {
namespace {

constexpr std::string_view unreadable = "The body could not be read.";
constexpr std::string_view unfit = "The body is not what is expected here.";

Refusal syntax(std::string message) {
  Refusal out{400, "schema_body_syntax", unreadable, {}, ""};
  out.errors.push_back({"body", "", "", "syntax", std::move(message)});
  return out;
}

Refusal violated(Violation violation) {
  Refusal out{422, "schema_body", unfit, {}, ""};
  out.errors.push_back(std::move(violation));
  return out;
}

Refusal violated(std::string pointer, std::string keyword, std::string message) {
  return violated({"body", "", std::move(pointer), std::move(keyword), std::move(message)});
}

// What is said of a value that chooses none of the kinds, in place of the general sentence.
std::string sentence_of(validate::Violation& violation, const ReadRules& rules) {
  if (violation.keyword == "enum" && !rules.kind_sentences.empty()) {
    // The last one that is not behind it is the only one that it may begin with.
    const auto after = rules.kind_sentences.upper_bound(violation.schema);
    if (after != rules.kind_sentences.begin()) {
      const auto& [place, sentence] = *std::prev(after);
      if (violation.schema.compare(0, place.size() + 1, place + "/") == 0) return sentence;
    }
  }
  return std::move(violation.message);
}

Refusal violated(std::vector<validate::Violation> violations, const ReadRules& rules) {
  Refusal out{422, "schema_body", unfit, {}, ""};
  for (validate::Violation& violation : violations) {
    Violation said{"body", "", std::move(violation.instance), violation.keyword,
                   sentence_of(violation, rules)};
    // What a base class says is said by its child, too.
    const bool again = std::any_of(out.errors.begin(), out.errors.end(), [&](const auto& other) {
      return other.pointer == said.pointer && other.keyword == said.keyword &&
             other.message == said.message;
    });
    if (!again) out.errors.push_back(std::move(said));
  }
  return out;
}

// Rails, Laravel and Symfony take such a member for the method of the request, and then do what is
// another operation's; Laravel in JSON, too.
constexpr std::string_view method_member = "_method";
bool may_override_method(const Media& media, const ReadRules& rules) {
  return !rules.of_answers && media.members.listed.count(std::string(method_member)) == 0;
}
bool has_method_member(json::Item item) {
  if (item.kind() != json::Kind::object) return false;
  for (const auto [name, value] : item.members())
    if (name == method_member) return true;
  return false;
}
// In a form. What has no file name is a text to them, whatever type it says it has.
bool overrides_method(const Media& media, const json::Value& values, const ReadRules& rules,
                      const std::vector<validate::FilePart>& files = {}) {
  return may_override_method(media, rules) &&
         (values.find(method_member) != nullptr ||
          std::any_of(files.begin(), files.end(),
                      [](const auto& file) { return file.name == method_member; }));
}
Refusal another_method() {
  return violated("", "unknown", "asks for another method by the member _method");
}

// Whether a body passes, for the most part of bodies, which do: read into a document that each
// thread keeps. What does not pass is read again, to say why.
bool passes(const Media& media, std::string_view body, const ReadRules& rules) {
  thread_local json::Document document;
  const auto item = document.parse(body, rules.limits);
  const bool ok = item && (!media.schema || media.schema->check(*item)) &&
                  !validate::has_unsafe_key(*item, rules.keys) &&
                  !(may_override_method(media, rules) && has_method_member(*item));
  document.clear();  // it looks into a body that will be gone
  return ok;
}

// What of a pointer the document has: the rest are a stranger's names, or may be.
std::string known_part(std::string_view pointer, const Members& members) {
  const std::string_view step = pointer.substr(0, pointer.find('/', 1));
  const auto name = json::pointer_name(step.substr(std::min<std::size_t>(step.size(), 1)));
  return name && members.listed.count(*name) != 0 ? std::string(step) : std::string();
}

std::optional<Refusal> check_json(const Media& media, std::string_view body,
                                  const ReadRules& rules) {
  if (passes(media, body, rules)) return std::nullopt;
  const auto value = json::parse(body, rules.limits);
  if (!value)
    return syntax("is no valid JSON: " + json::describe(body, value.error(), rules.limits));
  // Once, since what is refused may cost as much as is allowed.
  std::vector<validate::Violation> found;
  if (media.schema) found = media.schema->validate(*value, validate::Report::all);
  if (!found.empty()) return violated(std::move(found), rules);
  if (const auto unsafe = validate::find_unsafe_key(*value, rules.keys))
    return violated(
        known_part(unsafe->pointer, media.members), "unsafe_name",
        "has a member with a name that is not allowed: it " + std::string(describe(unsafe->fault)));
  if (may_override_method(media, rules) && value->find(method_member) != nullptr)
    return another_method();
  return std::nullopt;
}

// What a form has sent, as texts that become what the schema wants.
std::optional<Refusal> judge_texts(const Media& media, json::Value values, const ReadRules& rules,
                                   std::vector<std::string> typed = {}) {
  if (!media.schema) return std::nullopt;
  auto* const fields = std::get_if<json::Object>(&values.data());
  if (auto fault = apply_styles(media, *fields, typed, rules)) return violated(std::move(*fault));
  const json::Value before = media.part_styles.empty() ? json::Value() : values;
  validate::ReadOptions options;
  options.coerce_text = true;
  options.typed_members = std::move(typed);
  const auto read = media.schema->read(std::move(values), options, validate::Report::all);
  if (!read) return violated(read.error(), rules);
  if (!media.part_styles.empty() && has_lone_member(media, before, *read))
    return violated("", "type", "has a text where a list is expected: its name ends with []");
  if (!media.chosen) return std::nullopt;
  auto found = media.chosen->validate(*read, validate::Report::all);
  return found.empty() ? std::nullopt : std::optional(violated(std::move(found), rules));
}

void drop_others(json::Object& values, const ReadRules& rules) {
  const auto& others = rules.other_form_fields;
  values.erase(std::remove_if(values.begin(), values.end(),
                              [&](const json::Member& member) {
                                return std::find(others.begin(), others.end(), member.first) !=
                                       others.end();
                              }),
               values.end());
}

validate::NamePredicate repeats(const Media& media) {
  return [&media](std::string_view name) {
    if (const auto styled = style_repeats(media, name)) return *styled;
    return !media.schema || media.schema->wants_array(name);
  };
}

std::optional<Refusal> refused_values(const validate::ValuesError& error) {
  if (error.refusal == validate::ValuesRefusal::unsafe_name)
    return violated("", "unsafe_name", error.sentence);
  if (error.refusal == validate::ValuesRefusal::repeated)
    return violated("", "repeated", error.sentence);
  return syntax(error.sentence);
}

std::optional<Refusal> check_form(const Media& media, std::string_view body,
                                  const ReadRules& rules) {
  validate::ValuesOptions options;
  options.limits.parameters = rules.limits.members;
  options.limits.value_bytes = rules.limits.string_bytes;
  options.limits.total_bytes = rules.limits.total_bytes;
  options.keys = rules.keys;
  options.repeat = repeats(media);
  auto values = validate::form_values(body, options);
  if (!values) return refused_values(values.error());
  if (overrides_method(media, *values, rules)) return another_method();
  json::Object fields = *values->as_object();
  drop_others(fields, rules);
  return judge_texts(media, json::Value(std::move(fields)), rules);
}

bool is_of_type(std::string_view type, const std::vector<std::string>& types) {
  return std::any_of(types.begin(), types.end(), [type](std::string_view one) {
    return one == "*/*" || one == type ||
           (is_range(one) && type.substr(0, one.size() - 1) == one.substr(0, one.size() - 1));
  });
}

// Of a part whose types the document names. Without a Content-Type it says text/plain (RFC 7578
// section 4.4), and where anything may come that claims nothing.
std::optional<std::string> fault_of_part(const validate::FilePart& file,
                                         const std::vector<std::string>& types) {
  const bool anything = std::find(types.begin(), types.end(), "*/*") != types.end();
  if (anything && file.media_type == "text/plain") return std::nullopt;
  return fault_of_file(file.media_type, file.bytes, validate::Extent::whole, file.file_name);
}

// A file that comes as a text, which claims to be no file: it must not pass for a picture by that.
// An empty one is a field that nobody filled in.
std::optional<Refusal> refused_texts(const Media& media, const validate::Multipart& form,
                                     const ReadRules& rules) {
  if (rules.allow_mismatched_uploads) return std::nullopt;
  for (const auto& [name, types] : media.part_types) {
    const json::Value* value = form.values.find(name);
    const std::string* text = value == nullptr ? nullptr : value->as_string();
    if (value == nullptr || (text != nullptr && text->empty())) continue;
    const auto& of_json = form.json_names;
    const bool is_json = std::find(of_json.begin(), of_json.end(), name) != of_json.end();
    if (media.members.files.count(name) != 0 &&
        !is_of_type(is_json ? "application/json" : "text/plain", types))
      return violated(pointer_step(name), "file", "must be a file of another type");
  }
  return std::nullopt;
}

bool has_member(const json::Object& values, std::string_view name) {
  return std::any_of(values.begin(), values.end(),
                     [name](const json::Member& member) { return member.first == name; });
}

// A file's place among the values: a text of its size, so that its length can be judged.
void add_file(const validate::FilePart& file, bool wants_array, json::Object& values) {
  const auto at = std::find_if(values.begin(), values.end(), [&](const json::Member& member) {
    return member.first == file.name;
  });
  json::Value bytes(std::string(file.bytes.size(), 'x'));
  if (at == values.end()) {
    values.emplace_back(
        file.name, wants_array ? json::Value(json::Array{std::move(bytes)}) : std::move(bytes));
    return;
  }
  if (at->second.as_array() == nullptr) {
    json::Array first;
    first.push_back(std::move(at->second));
    at->second = json::Value(std::move(first));
  }
  std::get<json::Array>(at->second.data()).push_back(std::move(bytes));
}

std::optional<Refusal> check_multipart(const Media& media, std::string_view content_type,
                                       std::string_view body, const ReadRules& rules) {
  validate::MultipartOptions options;
  options.limits.parts = std::min<std::size_t>(options.limits.parts, rules.limits.members);
  options.limits.value_bytes = rules.limits.string_bytes;
  options.limits.file_bytes = options.limits.total_bytes = rules.limits.total_bytes;
  options.json = rules.limits;
  options.keys = rules.keys;
  options.repeat = repeats(media);
  const auto form = validate::multipart_values(body, content_type, options);
  if (!form) return refused_values(form.error());
  if (overrides_method(media, form->values, rules, form->files)) return another_method();
  if (auto refused = refused_texts(media, *form, rules)) return refused;
  json::Object values = *form->values.as_object();
  drop_others(values, rules);
  for (const validate::FilePart& file : form->files) {
    const bool declared = media.members.files.count(file.name) != 0;
    const bool listed = media.members.listed.count(file.name) != 0;
    // The name is repeated only where the document has it.
    const std::string pointer = listed ? pointer_step(file.name) : "";
    if (media.schema && listed && !declared) return violated(pointer, "file", "must not be a file");
    const auto types = media.part_types.find(file.name);
    if (types != media.part_types.end() && !is_of_type(file.media_type, types->second))
      return violated(pointer, "file", "must be a file of another type");
    if (types != media.part_types.end() && !rules.allow_mismatched_uploads) {
      if (auto fault = fault_of_part(file, types->second))
        return violated(pointer, "file", *std::move(fault));
    }
    add_file(file, media.schema && media.schema->wants_array(file.name), values);
  }
  for (const std::string& name : form->left_out) {
    const bool listed = media.members.listed.count(name) != 0;
    if (media.schema && listed && media.members.files.count(name) == 0)
      return violated(pointer_step(name), "file", "must not be a file");
    // To some it is an empty text.
    if (!listed && !has_member(values, name)) values.emplace_back(name, json::Value(""));
  }
  return judge_texts(media, json::Value(std::move(values)), rules, form->json_names);
}

std::optional<Refusal> check_text(const Media& media, std::string_view body,
                                  const ReadRules& rules) {
  if (!is_valid_utf8(body)) return syntax("is not valid UTF-8");
  const json::Value value(body);
  if (!media.schema) return std::nullopt;
  std::vector<validate::Violation> found = media.schema->validate(value, validate::Report::all);
  return found.empty() ? std::nullopt : std::optional(violated(std::move(found), rules));
}

}  // namespace

std::optional<std::string> fault_of_file(std::string_view media_type, std::string_view content,
                                         validate::Extent extent, std::string_view name) {
  const std::string what(validate::file_type_name(media_type));
  if (validate::content_agrees(media_type, content, extent) == validate::Agreement::no) {
    if (content.empty()) return "is no " + what + ": it is empty";
    if (validate::is_html_like(content)) return "is no " + what + ": it begins as a page in HTML";
    return "is no " + what +
           (validate::is_text_file_type(media_type)
                ? ": it is no text in UTF-8, or begins otherwise"
                : ": its first bytes are something else");
  }
  if (validate::name_agrees(media_type, name) == validate::Agreement::no)
    return "has a file name with an extension that is not one of a " + what;
  return std::nullopt;
}

std::optional<Refusal> check_content(const Media& media, const MediaType& type,
                                     std::string_view content_type, std::string_view body,
                                     const ReadRules& rules) {
  switch (type.format) {
    case Format::json:
      return check_json(media, body, rules);
    case Format::form:
      return check_form(media, body, rules);
    case Format::multipart:
      return check_multipart(media, content_type, body, rules);
    case Format::text:
      return check_text(media, body, rules);
    case Format::opaque:
      break;
  }
  return std::nullopt;
}

}  // namespace moat::openapi
