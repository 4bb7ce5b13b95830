// SPDX-License-Identifier: Apache-2.0
#include "moat/openapi/internal/yaml.h"

#include <yaml.h>

#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "moat/openapi/internal/pointer.h"

namespace moat::openapi {
namespace {

// It stands in the pointer of all that is below it.
constexpr std::size_t most_name_bytes = 1024;

// One event of libyaml, freed with the scope.
struct Event {
  Event() = default;
  Event(const Event&) = delete;  // owns what libyaml allocated
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&raw); }
  yaml_event_t raw{};
};

std::string_view text_of(const yaml_char_t* text) {
  return text == nullptr ? std::string_view()
                         : std::string_view(reinterpret_cast<const char*>(text));
}

// A number as YAML 1.2's core schema spells it (section 10.3.2); nullopt: it is a text.
std::optional<json::Value> to_number(std::string_view text) {
  const bool plus = !text.empty() && text[0] == '+';
  const std::string_view digits = text.substr(plus ? 1 : 0);
  const std::string_view unsigned_digits =
      !digits.empty() && digits[0] == '-' && !plus ? digits.substr(1) : digits;
  if (unsigned_digits.empty()) return std::nullopt;
  for (const auto& [prefix, base] : {std::pair("0x", 16), std::pair("0o", 8)}) {
    if (text.substr(0, 2) != prefix) continue;
    std::int64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto got = std::from_chars(text.data() + 2, end, value, base);
    if (got.ec != std::errc() || got.ptr != end || text[2] == '-') return std::nullopt;
    return json::Value(value);
  }
  bool dot = false, exponent = false, digit = false;
  for (std::size_t i = 0; i < unsigned_digits.size(); ++i) {
    const char c = unsigned_digits[i];
    if (c >= '0' && c <= '9') {
      digit = true;
    } else if (c == '.' && !dot && !exponent) {
      dot = true;
    } else if ((c == 'e' || c == 'E') && digit && !exponent) {
      exponent = true;
      if (i + 1 < unsigned_digits.size() &&
          (unsigned_digits[i + 1] == '+' || unsigned_digits[i + 1] == '-'))
        ++i;
      digit = false;  // there must be one behind it
    } else {
      return std::nullopt;
    }
  }
  if (!digit) return std::nullopt;
  const char* const end = digits.data() + digits.size();
  if (!dot && !exponent) {
    std::int64_t value = 0;
    const auto got = std::from_chars(digits.data(), end, value);
    if (got.ec == std::errc() && got.ptr == end) return json::Value(value);
  }
  double value = 0;
  const auto got = std::from_chars(digits.data(), end, value);
  if (got.ec != std::errc() || got.ptr != end) return std::nullopt;
  return json::Value(value);
}

class Composer final {
 public:
  Composer(std::string_view text, const YamlLimits& limits) : limits_(limits) {
    // A byte order mark, which editors of Windows write (YAML 1.2.2 section 5.2).
    if (text.substr(0, 3) == "\xef\xbb\xbf") text.remove_prefix(3);
    if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
    if (text.data() == nullptr) text = "";  // libyaml aborts at a null pointer
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
  }
  Composer(const Composer&) = delete;  // owns libyaml's parser
  Composer& operator=(const Composer&) = delete;
  ~Composer() { yaml_parser_delete(&parser_); }

  Result<YamlDocument, YamlError> run() {
    Event event;
    do {
      if (!next(event)) return Error{*error_};
      if (event.raw.type == YAML_STREAM_END_EVENT)
        return Error{YamlError{1, "there is nothing in it"}};
    } while (event.raw.type != YAML_DOCUMENT_START_EVENT);
    YamlDocument out;
    if (!next(event) || !compose(event, "", 1, out.value)) return Error{*error_};
    do {
      if (!next(event)) return Error{*error_};
      if (event.raw.type == YAML_DOCUMENT_START_EVENT)
        return Error{YamlError{line_of(event), "a second document begins here: one is read"}};
    } while (event.raw.type != YAML_STREAM_END_EVENT);
    out.lines = std::move(lines_);
    out.nodes = nodes_;
    return out;
  }

 private:
  static int line_of(const Event& event) { return static_cast<int>(event.raw.start_mark.line) + 1; }
  bool fail(int line, std::string sentence) {
    if (!error_) error_ = YamlError{line, std::move(sentence)};
    return false;
  }

  bool next(Event& event) {
    yaml_event_delete(&event.raw);
    if (yaml_parser_parse(&parser_, &event.raw) != 0) return true;
    const char* const problem = parser_.problem == nullptr ? "this is no YAML" : parser_.problem;
    event.raw = yaml_event_t{};
    return fail(static_cast<int>(parser_.problem_mark.line) + 1, problem);
  }

  bool count(int line, std::size_t nodes) {
    if (nodes > limits_.nodes - nodes_)
      return fail(line, "there are more than " + std::to_string(limits_.nodes) + " values in it");
    nodes_ += nodes;
    return true;
  }

  bool compose(Event& event, const std::string& pointer, std::size_t depth, json::Value& out) {
    const int line = line_of(event);
    if (depth > limits_.depth)
      return fail(
          line, "values stand more than " + std::to_string(limits_.depth) + " deep in each other");
    // Only for messages, so that they may end before they fill the memory: a name may be long, and
    // stand in the pointers of all that is below it.
    if (pointer.size() <= line_bytes_left_) {
      line_bytes_left_ -= pointer.size();
      lines_.emplace(pointer, line);
    }
    const std::size_t before = nodes_;
    if (event.raw.type == YAML_ALIAS_EVENT) return alias(event, depth, out);
    if (!count(line, 1)) return false;
    std::string anchor;
    bool made = false;
    const std::size_t above = deepest_;
    deepest_ = depth;
    switch (event.raw.type) {
      case YAML_SCALAR_EVENT:
        anchor = text_of(event.raw.data.scalar.anchor);
        made = scalar(event, out);
        break;
      case YAML_SEQUENCE_START_EVENT:
        anchor = text_of(event.raw.data.sequence_start.anchor);
        made = standard(text_of(event.raw.data.sequence_start.tag), "seq", line) &&
               sequence(event, pointer, depth, out);
        break;
      case YAML_MAPPING_START_EVENT:
        anchor = text_of(event.raw.data.mapping_start.anchor);
        made = standard(text_of(event.raw.data.mapping_start.tag), "map", line) &&
               mapping(event, pointer, depth, out);
        break;
      default:
        return fail(line, "a value is missing here");
    }
    const std::size_t height = deepest_ - depth;
    deepest_ = std::max(deepest_, above);
    if (made && !anchor.empty()) anchors_[anchor] = {out, nodes_ - before, height};
    return made;
  }

  // The value again. What it stands for is counted each time, so that a few lines of aliases within
  // aliases do not become gigabytes.
  bool alias(const Event& event, std::size_t depth, json::Value& out) {
    const int line = line_of(event);
    const auto at = anchors_.find(text_of(event.raw.data.alias.anchor));
    if (at == anchors_.end()) return fail(line, "this alias stands for nothing that came before");
    const auto& [value, nodes, height] = at->second;
    if (depth + height > limits_.depth)
      return fail(
          line, "values stand more than " + std::to_string(limits_.depth) + " deep in each other");
    if (!count(line, nodes)) return false;
    deepest_ = std::max(deepest_, depth + height);
    out = value;
    return true;
  }

  // A tag that says no more than what is there anyway.
  bool standard(std::string_view tag, std::string_view kind, int line) {
    if (tag.empty() || tag == "!" || tag == "tag:yaml.org,2002:" + std::string(kind)) return true;
    return fail(line, "tags are not understood here");
  }

  bool scalar(const Event& event, json::Value& out) {
    const auto& data = event.raw.data.scalar;
    const std::string_view text(reinterpret_cast<const char*>(data.value), data.length);
    const std::string_view tag = text_of(data.tag);
    if (!standard(tag, "str", line_of(event))) return false;
    if (text.find('\0') != std::string_view::npos)
      return fail(line_of(event), "there is a NUL in this text");
    if (data.style != YAML_PLAIN_SCALAR_STYLE || !tag.empty()) {
      out = json::Value(text);
      return true;
    }
    const auto is = [text](auto... words) { return ((text == words) || ...); };
    if (is("", "~", "null", "Null", "NULL")) {
      out = json::Value();
    } else if (is("true", "True", "TRUE")) {
      out = json::Value(true);
    } else if (is("false", "False", "FALSE")) {
      out = json::Value(false);
    } else if (is(".inf", ".Inf", ".INF", "-.inf", "-.Inf", "-.INF", "+.inf", "+.Inf", "+.INF",
                  ".nan", ".NaN", ".NAN")) {
      return fail(line_of(event), "numbers are finite: JSON has no other");
    } else if (auto number = to_number(text)) {
      out = std::move(*number);
    } else {
      out = json::Value(text);
    }
    return true;
  }

  bool sequence(Event& event, const std::string& pointer, std::size_t depth, json::Value& out) {
    json::Array array;
    for (;;) {
      if (!next(event)) return false;
      if (event.raw.type == YAML_SEQUENCE_END_EVENT) break;
      json::Value value;
      if (!compose(event, pointer + "/" + std::to_string(array.size()), depth + 1, value))
        return false;
      array.push_back(std::move(value));
    }
    out = json::Value(std::move(array));
    return true;
  }

  bool mapping(Event& event, const std::string& pointer, std::size_t depth, json::Value& out) {
    json::Object object;
    std::set<std::string, std::less<>> names;
    for (;;) {
      if (!next(event)) return false;
      if (event.raw.type == YAML_MAPPING_END_EVENT) break;
      const int line = line_of(event);
      if (event.raw.type != YAML_SCALAR_EVENT) return fail(line, "a name is a text");
      const auto& data = event.raw.data.scalar;
      std::string name(reinterpret_cast<const char*>(data.value), data.length);
      if (data.style == YAML_PLAIN_SCALAR_STYLE && name == "<<")
        return fail(line, "merge keys are not of YAML 1.2: write the members out");
      if (name.size() > most_name_bytes)
        return fail(line, "a name has at most " + std::to_string(most_name_bytes) + " bytes");
      if (!names.insert(name).second) return fail(line, "this name stands here twice");
      if (!next(event)) return false;
      json::Value value;
      if (!compose(event, pointer + pointer_step(name), depth + 1, value)) return false;
      object.emplace_back(std::move(name), std::move(value));
    }
    out = json::Value(std::move(object));
    return true;
  }

  struct Anchor {
    json::Value value;
    std::size_t nodes;
    std::size_t height;  // levels below it
  };

  YamlLimits limits_;
  yaml_parser_t parser_{};
  std::map<std::string, Anchor, std::less<>> anchors_;
  std::unordered_map<std::string, int> lines_;
  std::size_t line_bytes_left_ = 64 * 1024 * 1024;
  std::size_t nodes_ = 0;
  std::size_t deepest_ = 0;  // of what was composed since it was set
  std::optional<YamlError> error_;
};

}  // namespace

Result<YamlDocument, YamlError> parse_yaml(std::string_view text, const YamlLimits& limits) {
  if (text.size() > limits.bytes)
    return Error{YamlError{0, "it is larger than " + std::to_string(limits.bytes) + " bytes"}};
  return Composer(text, limits).run();
}

}  // namespace moat::openapi
