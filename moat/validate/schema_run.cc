// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstddef>
#include <memory_resource>

#include "moat/validate/internal/schema_program.h"
#include "moat/validate/internal/unicode.h"

namespace moat::validate::schema {
namespace {

// The way to the value, from within outwards; it lives on the stack.
struct Path {
  const Path* up = nullptr;
  const std::string* name = nullptr;  // null for an element
  std::size_t index = 0;
  bool foreign = false;  // the schema does not have this name
};
// The resources that were entered, from within outwards ("dynamic scope", core section 7.1).
struct Scope {
  const Scope* outer = nullptr;
  Id resource = 0;
};
struct At {
  const Path* path = nullptr;
  const Scope* scope = nullptr;
};
// Which members or elements were evaluated: a run of bytes in marks_. Absent where nobody asks.
struct Frame {
  std::size_t offset = 0;
  std::size_t size = 0;
  bool used = false;
};

std::string pointer_to(const Path* path) {
  std::vector<const Path*> way;
  for (; path != nullptr; path = path->up) way.push_back(path);
  std::string out;
  for (auto step = way.rbegin(); step != way.rend() && !(*step)->foreign; ++step) {
    out += '/';
    if ((*step)->name == nullptr) {
      out += std::to_string((*step)->index);
      continue;
    }
    for (const char c : *(*step)->name) {
      if (c == '~' || c == '/') {
        out += c == '~' ? "~0" : "~1";
      } else {
        out += c;
      }
    }
  }
  return out;
}

Id find_name(const NameTable& table, std::string_view name) {
  const auto at =
      std::lower_bound(table.begin(), table.end(), name,
                       [](const auto& row, std::string_view n) { return row.first < n; });
  return at == table.end() || at->first != name ? none : at->second;
}

std::size_t container_size(const json::Value& value) {
  if (const auto* array = value.as_array()) return array->size();
  if (const auto* object = value.as_object()) return object->size();
  return 0;
}

std::uint32_t types_of(const json::Value& value) {
  if (value.is_null()) return type_null;
  if (value.as_bool() != nullptr) return type_boolean;
  if (value.as_string() != nullptr) return type_string;
  if (value.as_array() != nullptr) return type_array;
  if (value.as_object() != nullptr) return type_object;
  return is_integral(value) ? type_number | type_integer : std::uint32_t{type_number};
}

std::string types_text(std::uint64_t types) {
  constexpr std::pair<std::uint32_t, std::string_view> words[] = {
      {type_null, "null"},        {type_boolean, "a boolean"}, {type_integer, "an integer"},
      {type_number, "a number"},  {type_string, "a string"},   {type_array, "an array"},
      {type_object, "an object"},
  };
  std::string out;
  for (const auto& [bit, text] : words) {
    if ((types & bit) == 0) continue;
    if (!out.empty()) out += " or ";
    out += text;
  }
  return out;
}

std::string counted(std::uint64_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

class Runner final {
 public:
  Runner(const Program& program, std::vector<Violation>* out, Report report)
      : program_(program),
        out_(out),
        all_(out != nullptr && report == Report::all),
        steps_{program.options.max_run_steps} {
    marks_.reserve(buffer_.size());
  }

  bool start(const json::Value& value) {
    const bool ok = run(0, value, At{}, Frame{});
    if (!exhausted_) return ok;
    if (out_ != nullptr) {
      out_->clear();
      out_->push_back({"", "limit", "#", "checking this value would cost more than is allowed"});
    }
    return false;
  }

 private:
  bool spend(std::size_t steps) {
    if (!exhausted_ && steps_.spend(steps)) return true;
    exhausted_ = true;
    return false;
  }

  // Whether to look for more after a violation.
  bool goes_on() const {
    return all_ && quiet_ == 0 && !exhausted_ && out_->size() < program_.options.max_violations;
  }
  bool speaks() const {
    return out_ != nullptr && quiet_ == 0 && out_->size() < program_.options.max_violations;
  }
  bool refuse(const Node& node, std::string_view keyword, const At& at, std::string message) {
    if (speaks()) {
      std::string place = node.pointer;
      if (!keyword.empty()) place += "/" + std::string(keyword);
      out_->push_back(
          {pointer_to(at.path), std::string(keyword), std::move(place), std::move(message)});
    }
    return false;
  }
  // The message is made only where it is wanted.
  template <class Make>
  bool refuse_with(const Node& node, const Op& op, const At& at, Make make) {
    return speaks() ? refuse(node, to_string(op.keyword), at, make()) : false;
  }

  Frame push(std::size_t size) {
    Frame frame{marks_.size(), size, true};
    spend(size / 16);
    if (!exhausted_) marks_.resize(marks_.size() + size, std::uint8_t{0});
    return frame;
  }
  void pop(const Frame& frame) { marks_.resize(frame.offset); }
  void mark(const Frame& frame, std::size_t index) {
    if (frame.used && !exhausted_) marks_[frame.offset + index] = 1;
  }
  void mark_all(const Frame& frame) {
    for (std::size_t i = 0; i < frame.size; ++i) mark(frame, i);
  }

  // The value itself against another node; what that evaluated counts for this one if it passes.
  bool in_place(Id id, const json::Value& value, const At& at, const Frame& frame) {
    if (!frame.used) return run(id, value, at, Frame{});
    const Frame inner = push(frame.size);
    const bool ok = run(id, value, at, inner) && !exhausted_;
    if (ok) {
      for (std::size_t i = 0; i < frame.size; ++i)
        marks_[frame.offset + i] |= marks_[inner.offset + i];
    }
    if (!exhausted_) pop(inner);
    return ok;
  }
  bool quietly(Id id, const json::Value& value, const At& at, const Frame& frame) {
    ++quiet_;
    const bool ok = in_place(id, value, at, frame);
    --quiet_;
    return ok;
  }

  bool run(Id id, const json::Value& value, const At& from, Frame frame) {
    if (depth_ >= program_.options.max_run_depth) exhausted_ = true;
    if (!spend(1)) return false;
    const Node& node = program_.nodes[id];
    if (node.never) return refuse(node, "", from, "nothing is allowed here");
    ++depth_;
    const Scope scope{from.scope, node.resource};
    At at = from;
    if (at.scope == nullptr || at.scope->resource != node.resource) at.scope = &scope;
    const bool own = node.tracks && !frame.used && container_size(value) != 0;
    if (own) frame = push(container_size(value));
    const bool ok = run_ops(node, value, at, frame);
    if (own && !exhausted_) pop(frame);
    --depth_;
    return ok && !exhausted_;
  }

  bool run_ops(const Node& node, const json::Value& value, const At& at, const Frame& frame) {
    bool ok = true;
    for (std::uint32_t i = 0; i < node.op_count; ++i) {
      const Op& op = program_.ops[node.first_op + i];
      // After a violation nobody knows what would have been evaluated.
      if (!ok && op.keyword >= Keyword::unevaluated_items) break;
      if (!spend(1)) return false;
      if (!apply(node, op, value, at, frame)) ok = false;
      if (!ok && !goes_on()) return false;
    }
    return ok;
  }

  bool apply(const Node& node, const Op& op, const json::Value& value, const At& at,
             const Frame& frame) {
    switch (op.keyword) {
      case Keyword::ref:
        return in_place(static_cast<Id>(op.first), value, at, frame);
      case Keyword::dynamic_ref:
        return in_place(dynamic_target(op, at), value, at, frame);
      case Keyword::type:
        return (types_of(value) & op.first) != 0 ||
               refuse_with(node, op, at, [&] { return "must be " + types_text(op.first); });
      case Keyword::enumeration:
      case Keyword::constant:
        return is_listed(op, value) || refuse_with(node, op, at, [&] {
                 return std::string(op.keyword == Keyword::constant
                                        ? "must be exactly the value that the schema names"
                                        : "must be one of the values that the schema lists");
               });
      case Keyword::all_of:
      case Keyword::any_of:
      case Keyword::one_of:
        return alternatives(node, op, value, at, frame);
      case Keyword::negation:
        return !quietly(static_cast<Id>(op.first), value, at, Frame{}) ||
               refuse_with(node, op, at,
                           [] { return std::string("must not be what `not` describes"); });
      case Keyword::condition:
        return condition(op, value, at, frame);
      default:
        break;
    }
    if (const auto* text = value.as_string()) return apply_string(node, op, *text, at);
    if (const auto* array = value.as_array()) return apply_array(node, op, *array, at, frame);
    if (const auto* object = value.as_object())
      return apply_object(node, op, value, *object, at, frame);
    return value.as_number() ? apply_number(node, op, value, at) : true;
  }

  Id dynamic_target(const Op& op, const At& at) {
    Id target = static_cast<Id>(op.first);
    if (op.count == none) return target;
    for (const Scope* scope = at.scope; scope != nullptr && spend(1); scope = scope->outer) {
      for (const auto& [name, node] : program_.resources[scope->resource].dynamic_anchors) {
        if (name == op.count) target = node;  // the outermost one wins
      }
    }
    return target;
  }

  bool is_listed(const Op& op, const json::Value& value) {
    for (std::uint32_t i = 0; i < op.count; ++i) {
      if (equal(value, *program_.values[op.first + i], steps_)) return true;
      if (!spend(0) || steps_.left == 0) return exhausted_ = true, false;
    }
    return false;
  }

  bool alternatives(const Node& node, const Op& op, const json::Value& value, const At& at,
                    const Frame& frame) {
    const Id* const branch = program_.lists.data() + op.first;
    std::uint32_t passed = 0;
    for (std::uint32_t i = 0; i < op.count; ++i) {
      const bool all = op.keyword == Keyword::all_of;
      const bool ok =
          all ? in_place(branch[i], value, at, frame) : quietly(branch[i], value, at, frame);
      passed += ok ? 1U : 0U;
      if (exhausted_) return false;
      if (all && !ok && !goes_on()) return false;
      // Where nobody asks what was evaluated, the first that passes is enough.
      if (op.keyword == Keyword::any_of && ok && !frame.used) return true;
      if (op.keyword == Keyword::one_of && passed > 1) break;
    }
    if (op.keyword == Keyword::all_of) return passed == op.count;
    if (passed == 0) {
      return refuse_with(node, op, at,
                         [&] { return "fits none of the " + counted(op.count, "alternative"); });
    }
    if (op.keyword == Keyword::any_of || passed == 1) return true;
    return refuse_with(node, op, at, [] {
      return std::string("fits more than one of the alternatives, and may fit only one");
    });
  }

  bool condition(const Op& op, const json::Value& value, const At& at, const Frame& frame) {
    const Id* const part = program_.lists.data() + op.first;  // if, then, else
    const bool holds = quietly(part[0], value, at, frame);
    if (exhausted_) return false;
    const Id next = holds ? part[1] : part[2];
    return next == none || in_place(next, value, at, frame);
  }

  bool apply_number(const Node& node, const Op& op, const json::Value& value, const At& at) {
    if (op.keyword < Keyword::multiple_of || op.keyword > Keyword::exclusive_maximum) return true;
    const json::Value& bound = *program_.values[op.first];
    if (op.keyword == Keyword::multiple_of) {
      return is_multiple(value, bound) || refuse_with(node, op, at, [&] {
               return "must be a multiple of " + json::serialize(bound);
             });
    }
    const int order = compare_numbers(value, bound);
    const auto say = [&](bool ok, std::string_view words) {
      return ok || refuse_with(node, op, at, [&] {
               return "must be " + std::string(words) + " " + json::serialize(bound);
             });
    };
    if (op.keyword == Keyword::minimum) return say(order >= 0, "at least");
    if (op.keyword == Keyword::maximum) return say(order <= 0, "at most");
    if (op.keyword == Keyword::exclusive_minimum) return say(order > 0, "more than");
    return say(order < 0, "less than");
  }

  bool least(const Node& node, const Op& op, const At& at, std::uint64_t have,
             std::string_view what) {
    return have >= op.first || refuse_with(node, op, at, [&] {
             return "must have at least " + counted(op.first, what);
           });
  }
  bool most(const Node& node, const Op& op, const At& at, std::uint64_t have,
            std::string_view what) {
    return have <= op.first || refuse_with(node, op, at, [&] {
             return "must have at most " + counted(op.first, what);
           });
  }

  bool apply_string(const Node& node, const Op& op, const std::string& text, const At& at) {
    const auto characters = [&] {
      return static_cast<std::uint64_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
      }));
    };
    switch (op.keyword) {
      case Keyword::min_length:
        return spend(text.size() / 256) && least(node, op, at, characters(), "character");
      case Keyword::max_length:
        return spend(text.size() / 256) && most(node, op, at, characters(), "character");
      case Keyword::pattern:
        return matches(static_cast<Id>(op.first), text) || refuse_with(node, op, at, [] {
                 return std::string("does not match the pattern that the schema gives");
               });
      case Keyword::format:
        return (spend(text.size() / 16) && program_.formats[op.first](text)) ||
               refuse_with(node, op, at,
                           [&] { return "must have the format " + program_.names[op.count][0]; });
      default:
        return true;
    }
  }
  bool matches(Id pattern, std::string_view text) {
    const Pattern& expression = program_.patterns[pattern];
    return spend(expression.cost(text)) && expression.search(text);
  }

  bool apply_array(const Node& node, const Op& op, const json::Array& array, const At& at,
                   const Frame& frame) {
    switch (op.keyword) {
      case Keyword::min_items:
        return least(node, op, at, array.size(), "element");
      case Keyword::max_items:
        return most(node, op, at, array.size(), "element");
      case Keyword::unique_items: {
        const bool ok = all_unique(array, steps_);
        if (steps_.left == 0) exhausted_ = true;
        return ok || refuse_with(node, op, at, [] {
                 return std::string("must not have the same element twice");
               });
      }
      case Keyword::elements:
        return elements(program_.elements[op.first], array, at, frame);
      case Keyword::contains:
        return contains(node, op, array, at, frame);
      case Keyword::unevaluated_items: {
        bool ok = true;
        for (std::size_t i = 0; i < array.size(); ++i) {
          if (marks_[frame.offset + i] != 0) continue;
          if (!element(static_cast<Id>(op.first), array, i, at)) ok = false;
          if (!ok && !goes_on()) return false;
        }
        mark_all(frame);
        return ok;
      }
      default:
        return true;
    }
  }
  bool element(Id id, const json::Array& array, std::size_t index, const At& at) {
    const Path path{at.path, nullptr, index, false};
    return run(id, array[index], At{&path, at.scope}, Frame{});
  }
  bool elements(const Elements& table, const json::Array& array, const At& at, const Frame& frame) {
    bool ok = true;
    for (std::size_t i = 0; i < array.size(); ++i) {
      const Id id = i < table.prefix.size() ? table.prefix[i] : table.rest;
      if (id == none) break;
      if (!element(id, array, i, at)) ok = false;
      if (!ok && !goes_on()) return false;
      mark(frame, i);
    }
    return ok;
  }
  bool contains(const Node& node, const Op& op, const json::Array& array, const At& at,
                const Frame& frame) {
    const Contains& wanted = program_.contains[op.first];
    std::uint64_t found = 0;
    ++quiet_;
    for (std::size_t i = 0; i < array.size() && !exhausted_; ++i) {
      if (!element(wanted.node, array, i, at)) continue;
      ++found;
      mark(frame, i);
      if (found > wanted.max) break;
      if (found >= wanted.min && wanted.max >= array.size() && !frame.used) break;
    }
    --quiet_;
    if (exhausted_) return false;
    if (found < wanted.min) {
      return refuse_with(node, op, at, [&] {
        return "must have at least " + counted(wanted.min, "element") +
               " that `contains` describes";
      });
    }
    return found <= wanted.max || refuse_with(node, op, at, [&] {
             return "must have at most " + counted(wanted.max, "element") +
                    " that `contains` describes";
           });
  }

  bool apply_object(const Node& node, const Op& op, const json::Value& value,
                    const json::Object& object, const At& at, const Frame& frame) {
    switch (op.keyword) {
      case Keyword::min_properties:
        return least(node, op, at, object.size(), "member");
      case Keyword::max_properties:
        return most(node, op, at, object.size(), "member");
      case Keyword::required:
        return required(node, op, program_.names[op.first], value, object.size(), at);
      case Keyword::dependent_required: {
        bool ok = true;
        for (const DependentRequired& row : program_.dependent[op.first]) {
          if (!spend(1 + object.size() / 8) || value.find(row.name) == nullptr) continue;
          if (!required(node, op, row.needs, value, object.size(), at)) ok = false;
          if (!ok && !goes_on()) return false;
        }
        return ok;
      }
      case Keyword::dependent_schemas: {
        bool ok = true;
        for (const auto& [name, id] : program_.tables[op.first]) {
          if (!spend(1 + object.size() / 8) || value.find(name) == nullptr) continue;
          if (!in_place(id, value, at, frame)) ok = false;
          if (!ok && !goes_on()) return false;
        }
        return ok;
      }
      case Keyword::property_names:
        return property_names(node, op, object, at);
      case Keyword::members:
        return members(program_.members[op.first], object, at, frame);
      case Keyword::unevaluated_properties: {
        bool ok = true;
        for (std::size_t i = 0; i < object.size(); ++i) {
          if (marks_[frame.offset + i] != 0) continue;
          if (!member(static_cast<Id>(op.first), object[i], at, true)) ok = false;
          if (!ok && !goes_on()) return false;
        }
        mark_all(frame);
        return ok;
      }
      default:
        return true;
    }
  }
  bool required(const Node& node, const Op& op, const std::vector<std::string>& names,
                const json::Value& value, std::size_t size, const At& at) {
    bool ok = true;
    for (const std::string& name : names) {
      if (!spend(1 + size / 8)) return false;
      if (value.find(name) != nullptr) continue;
      ok = refuse_with(node, op, at, [&] {
        std::string out = "must have the member ";
        json::append_string(out, name);
        return out;
      });
      if (!goes_on()) return false;
    }
    return ok;
  }
  bool property_names(const Node& node, const Op& op, const json::Object& object, const At& at) {
    for (const auto& [name, member_value] : object) {
      if (!spend(1 + name.size() / 64)) return false;
      // The name as a value of its own; a short one fits into its string.
      const json::Value text{std::string_view(name)};
      ++quiet_;
      const bool ok = run(static_cast<Id>(op.first), text, at, Frame{});
      --quiet_;
      if (!ok)
        return refuse_with(node, op, at,
                           [] { return std::string("has a member whose name is not allowed"); });
    }
    return true;
  }
  bool member(Id id, const json::Member& member, const At& at, bool foreign) {
    if (program_.nodes[id].never && foreign) {
      if (!spend(1)) return false;
      return refuse(program_.nodes[id], "", at, "has a member that the schema does not know");
    }
    const Path path{at.path, &member.first, 0, foreign};
    return run(id, member.second, At{&path, at.scope}, Frame{});
  }
  bool members(const Members& table, const json::Object& object, const At& at, const Frame& frame) {
    bool ok = true;
    for (std::size_t i = 0; i < object.size(); ++i) {
      if (!spend(1)) return false;
      bool known = false;
      const auto visit = [&](Id id, bool foreign) {
        known = true;
        if (!member(id, object[i], at, foreign)) ok = false;
        return ok || goes_on();
      };
      const Id property = find_name(table.properties, object[i].first);
      if (property != none && !visit(property, false)) return false;
      for (const auto& [pattern, id] : table.patterns) {
        if (matches(pattern, object[i].first) && !visit(id, property == none)) return false;
        if (exhausted_) return false;
      }
      if (!known && table.additional != none && !visit(table.additional, true)) return false;
      if (known) mark(frame, i);
    }
    return ok;
  }

  const Program& program_;
  std::vector<Violation>* out_;
  bool all_;
  Steps steps_;
  bool exhausted_ = false;  // sticky: then everything is refused, also below `not`
  std::size_t depth_ = 0;
  std::size_t quiet_ = 0;
  // On the stack while there are few marks.
  std::array<std::byte, 2048> buffer_;
  std::pmr::monotonic_buffer_resource memory_{buffer_.data(), buffer_.size()};
  std::pmr::vector<std::uint8_t> marks_{&memory_};
};

}  // namespace
}  // namespace moat::validate::schema

namespace moat::validate {

bool Schema::check(const json::Value& value) const {
  return schema::Runner(*program_, nullptr, Report::first).start(value);
}

std::vector<Violation> Schema::validate(const json::Value& value, Report report) const {
  std::vector<Violation> out;
  const bool ok = schema::Runner(*program_, &out, report).start(value);
  // Whatever was refused has a reason, also where all of it lies below something quiet.
  if (!ok && out.empty()) out.push_back({"", "", "#", "does not fit the schema"});
  return out;
}

std::size_t Schema::size() const { return program_->nodes.size(); }

}  // namespace moat::validate
