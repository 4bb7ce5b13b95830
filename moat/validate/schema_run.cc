// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstddef>
#include <memory_resource>
#include <utility>

#include "moat/validate/internal/schema_item.h"
#include "moat/validate/internal/schema_leaf.h"
#include "moat/validate/internal/schema_path.h"

namespace moat::validate::schema {
namespace {

std::string counted(std::uint64_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

// Item is what is judged: ValueItem or json::Item. Where nobody asks for reasons, that is known
// when this is compiled, so that no way to a value is kept.
enum class Reasons { told, none };
template <class Item, Reasons reasons>
class Runner final : Checks<Item> {
  using Checks<Item>::program_;
  using Checks<Item>::steps_;
  using Checks<Item>::exhausted_;
  using Checks<Item>::spend;
  using Checks<Item>::is_listed;
  using Checks<Item>::matches;

 public:
  explicit Runner(const Program& program, std::vector<Violation>* out = nullptr,
                  Report report = Report::first)
      : Checks<Item>(program),
        out_(out),
        all_(out != nullptr && report == Report::all),
        nodes_(program.nodes.data()) {
    marks_.reserve(buffer_.size());
  }

  // With these steps instead of all that the program has; what is left of them is given back.
  bool start(Id root, Item value, Steps& steps) {
    steps_ = steps;
    const bool ok = start(root, value);
    steps.left = exhausted_ ? 0 : steps_.left;
    return ok;
  }
  bool start(Id root, Item value) {
    const bool ok = run(root, value, At{}, unmarked, Role::own);
    if (!exhausted_) return ok;
    if (out_ != nullptr) {
      out_->clear();
      out_->push_back(limit_violation());
    }
    return false;
  }

 private:
  // Whether a node judges a value of its own, or one together with the node that applies it.
  enum class Role { own, shared };

  // Whether to look for more after a violation.
  bool goes_on() const {
    return reasons == Reasons::told && all_ && quiet_ == 0 && !exhausted_ &&
           out_->size() < program_.options.max_violations;
  }
  bool speaks() const {
    return reasons == Reasons::told && out_ != nullptr && quiet_ == 0 &&
           out_->size() < program_.options.max_violations;
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
  bool in_place(Id id, Item value, const At& at, const Frame& frame) {
    if (!frame.used) return run(id, value, at, unmarked, Role::shared);
    const Frame inner = push(frame.size);
    const bool ok = run(id, value, at, inner, Role::shared) && !exhausted_;
    // What has failed evaluated nothing; but it knows the names of members, for has_no_unknown.
    if (ok || goes_on()) {
      for (std::size_t i = 0; i < frame.size; ++i)
        marks_[frame.offset + i] |= marks_[inner.offset + i];
    }
    if (!exhausted_) pop(inner);
    return ok;
  }
  // `clean` is whether no member was unknown (refuse_unknown_members). That alone makes nothing be
  // refused below what only asks: `not`, `if` and oneOf would turn it into an accept.
  struct Answer {
    bool ok = false;
    bool clean = true;
  };
  template <class Ask>
  Answer quietly(Ask ask) {
    const bool before = std::exchange(unknown_, false);
    ++quiet_;
    Answer out;
    out.ok = ask();
    --quiet_;
    out.clean = !std::exchange(unknown_, before);
    return out;
  }
  Answer quietly(Id id, Item value, const At& at, const Frame& frame) {
    return quietly([&] { return in_place(id, value, at, frame); });
  }
  bool unknown_member(const Node& node, const At& at) {
    if (quiet_ > 0) return unknown_ = true;
    return refuse(node, to_string(Keyword::unevaluated_properties), at,
                  "has a member that is not one that is expected");
  }
  bool has_no_unknown(const Node& node, Item object, const At& at, const Frame& frame) {
    for (std::size_t i = 0; i < object.size(); ++i) {
      // One report, as the names are a stranger's.
      if (marks_[frame.offset + i] == 0) return unknown_member(node, at);
    }
    return true;
  }

  bool run(Id id, Item value, const At& from, const Frame& outer, Role role) {
    if (depth_ >= program_.options.max_run_depth) exhausted_ = true;
    const Node& node = nodes_[id];
    if (!spend(1 + node.op_count)) return false;
    if (reasons == Reasons::none && node.leaf.used) return this->fits(node, value);
    return run_node(node, value, from, outer, role);
  }
  [[gnu::noinline]] bool run_node(const Node& node, Item value, const At& from, const Frame& outer,
                                  Role role) {
    if (node.never) return refuse(node, "", from, "nothing is allowed here");
    ++depth_;
    const Scope scope{from.scope, node.resource};
    const At entered{from.path, &scope};
    const bool enters = from.scope == nullptr || from.scope->resource != node.resource;
    const At& at = enters ? entered : from;
    const bool closes = node.closed && role == Role::own && value.kind() == json::Kind::object;
    const bool own = (node.tracks || closes) && !outer.used && value.size() != 0;
    Frame fresh;
    if (own) fresh = push(value.size());
    const Frame& frame = own ? fresh : outer;
    bool ok = run_ops(node, value, at, frame);
    if (closes && !exhausted_ && (ok || (goes_on() && !node.chooses)))
      ok = has_no_unknown(node, value, at, frame) && ok;
    if (own && !exhausted_) pop(frame);
    --depth_;
    return ok && !exhausted_;
  }

  bool run_ops(const Node& node, Item value, const At& at, const Frame& frame) {
    bool ok = true;
    for (std::uint32_t i = 0; i < node.op_count; ++i) {
      const Op& op = program_.ops[node.first_op + i];
      // After a violation nobody knows what would have been evaluated.
      if (!ok && op.keyword >= Keyword::unevaluated_items) break;
      if (joins(op, value)) {
        if (!required_members(op, value, at, frame)) return false;
        ++i;
        continue;
      }
      if (!apply(node, op, value, at, frame)) ok = false;
      if (!ok && !goes_on()) return false;
    }
    return ok;
  }

  bool apply(const Node& node, const Op& op, Item value, const At& at, const Frame& frame) {
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
        return all_of(op, value, at, frame);
      case Keyword::any_of:
      case Keyword::one_of:
        return alternatives(node, op, value, at, frame);
      case Keyword::negation:
        return !quietly(static_cast<Id>(op.first), value, at, unmarked).ok ||
               refuse_with(node, op, at,
                           [] { return std::string("must not be what `not` describes"); });
      case Keyword::condition:
        return condition(op, value, at, frame);
      default:
        break;
    }
    switch (value.kind()) {
      case json::Kind::null:
      case json::Kind::boolean:
        return true;
      case json::Kind::integer:
      case json::Kind::number:
        return apply_number(node, op, number_of(value), at);
      case json::Kind::string:
        return apply_string(node, op, value.text(), at);
      case json::Kind::array:
        return apply_array(node, op, value, at, frame);
      case json::Kind::object:
        return apply_object(node, op, value, at, frame);
    }
    return false;
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

  bool all_of(const Op& op, Item value, const At& at, const Frame& frame) {
    bool ok = true;
    for (std::uint32_t i = 0; i < op.count; ++i) {
      if (!in_place(program_.lists[op.first + i], value, at, frame)) ok = false;
      if (exhausted_ || (!ok && !goes_on())) return false;
    }
    return ok;
  }

  bool alternatives(const Node& node, const Op& op, Item value, const At& at, const Frame& frame) {
    const bool any = op.keyword == Keyword::any_of;
    std::uint32_t passed = 0;
    bool clean = false;
    Id unclean = none;  // the first that passes but for unknown members
    for (std::uint32_t i = 0; i < op.count; ++i) {
      const Id branch = program_.lists[op.first + i];
      const Answer answer = quietly(branch, value, at, frame);
      if (exhausted_) return false;
      if (!answer.ok) continue;
      ++passed;
      if (answer.clean) clean = true;
      if (!answer.clean && unclean == none) unclean = branch;
      // Where nobody asks what was evaluated, the first that passes is enough.
      if (any && clean && !frame.used) return true;
      if (!any && passed > 1) break;
    }
    if (passed == 0) {
      // Of "a string, or null" a text that does not fit is told why. It is looked at once more, for
      // which there has to be enough left.
      const Id meant = speaks() && steps_.left > program_.options.max_run_steps / 2
                           ? only_branch(program_, op, types_of(value))
                           : none;
      if (meant != none) return in_place(meant, value, at, frame), false;
      return refuse_with(node, op, at,
                         [&] { return "fits none of the " + counted(op.count, "alternative"); });
    }
    if (!any && passed > 1) {
      return refuse_with(node, op, at, [] {
        return std::string("fits more than one of the alternatives, and may fit only one");
      });
    }
    if (clean) return true;
    if (quiet_ > 0) return unknown_ = true;
    if (speaks()) in_place(unclean, value, at, frame);  // says where
    return false;
  }

  bool condition(const Op& op, Item value, const At& at, const Frame& frame) {
    const Id* const part = program_.lists.data() + op.first;  // if, then, else
    const bool holds = quietly(part[0], value, at, frame).ok;
    if (exhausted_) return false;
    const Id next = holds ? part[1] : part[2];
    return next == none || in_place(next, value, at, frame);
  }

  bool apply_number(const Node& node, const Op& op, const Number& value, const At& at) {
    if (op.keyword < Keyword::multiple_of || op.keyword > Keyword::exclusive_maximum) return true;
    return this->number_fits(op, value) || refuse_with(node, op, at, [&] {
             return "must be " + std::string(bound_words(op.keyword)) + " " +
                    json::serialize(*program_.values[op.first]);
           });
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

  bool apply_string(const Node& node, const Op& op, std::string_view text, const At& at) {
    switch (op.keyword) {
      case Keyword::min_length:
        return spend(text.size() / 256) && least(node, op, at, count_characters(text), "character");
      case Keyword::max_length:
        return spend(text.size() / 256) && most(node, op, at, count_characters(text), "character");
      case Keyword::pattern:
        return matches(static_cast<Id>(op.first), text) || refuse_with(node, op, at, [] {
                 return std::string("does not match the pattern that the schema gives");
               });
      case Keyword::format:
        return (spend(format_steps(program_.formats[op.first], text)) &&
                program_.formats[op.first](text)) ||
               refuse_with(node, op, at,
                           [&] { return "must have the format " + program_.names[op.count][0]; });
      default:
        return true;
    }
  }
  bool apply_array(const Node& node, const Op& op, Item array, const At& at, const Frame& frame) {
    switch (op.keyword) {
      case Keyword::min_items:
        return least(node, op, at, array.size(), "element");
      case Keyword::max_items:
        return most(node, op, at, array.size(), "element");
      case Keyword::unique_items: {
        const bool ok = are_unique(array.elements(), array.size(), steps_);
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
        std::size_t i = 0;
        for (const Item one : array.elements()) {
          const std::size_t index = i++;
          if (marks_[frame.offset + index] != 0) continue;
          if (!element(static_cast<Id>(op.first), one, index, at)) ok = false;
          if (!ok && !goes_on()) return false;
        }
        mark_all(frame);
        return ok;
      }
      default:
        return true;
    }
  }
  bool element(Id id, Item value, std::size_t index, const At& at) {
    if constexpr (reasons == Reasons::none) return run(id, value, at, unmarked, Role::own);
    const Path path{at.path, {}, index, true, false};
    return run(id, value, At{&path, at.scope}, unmarked, Role::own);
  }
  bool elements(const Elements& table, Item array, const At& at, const Frame& frame) {
    bool ok = true;
    std::size_t i = 0;
    for (const Item one : array.elements()) {
      const Id id = i < table.prefix.size() ? table.prefix[i] : table.rest;
      if (id == none) break;
      if (!element(id, one, i, at)) ok = false;
      if (!ok && !goes_on()) return false;
      mark(frame, i++);
    }
    return ok;
  }
  bool contains(const Node& node, const Op& op, Item array, const At& at, const Frame& frame) {
    const Contains& wanted = program_.contains[op.first];
    std::uint64_t found = 0;
    std::uint64_t clean = 0;
    std::size_t next = 0;
    for (const Item one : array.elements()) {
      const std::size_t i = next++;
      if (exhausted_) break;
      const Answer answer = quietly([&] { return element(wanted.node, one, i, at); });
      if (!answer.ok) continue;
      ++found;
      clean += answer.clean ? 1U : 0U;
      mark(frame, i);
      if (found > wanted.max) break;
      if (clean >= wanted.min && wanted.max >= array.size() && !frame.used) break;
    }
    if (exhausted_) return false;
    if (found >= wanted.min && found <= wanted.max && clean < wanted.min)
      return unknown_member(node, at);
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

  bool apply_object(const Node& node, const Op& op, Item object, const At& at, const Frame& frame) {
    switch (op.keyword) {
      case Keyword::min_properties:
        return least(node, op, at, object.size(), "member");
      case Keyword::max_properties:
        return most(node, op, at, object.size(), "member");
      case Keyword::required:
        return required(node, op, program_.names[op.first], object, at);
      case Keyword::dependent_required: {
        bool ok = true;
        for (const DependentRequired& row : program_.dependent[op.first]) {
          if (!spend(1 + object.size() / 8) || !find_member(object, row.name)) continue;
          if (!required(node, op, row.needs, object, at)) ok = false;
          if (!ok && !goes_on()) return false;
        }
        return ok;
      }
      case Keyword::dependent_schemas: {
        bool ok = true;
        for (const auto& [name, id] : program_.tables[op.first]) {
          if (!spend(1 + object.size() / 8) || !find_member(object, name)) continue;
          if (!in_place(id, object, at, frame)) ok = false;
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
        std::size_t i = 0;
        for (const auto [name, value] : object.members()) {
          if (marks_[frame.offset + i++] != 0) continue;
          if (!member(static_cast<Id>(op.first), name, value, at, true)) ok = false;
          if (!ok && !goes_on()) return false;
        }
        mark_all(frame);
        return ok;
      }
      default:
        return true;
    }
  }
  bool required(const Node& node, const Op& op, const std::vector<std::string>& names, Item object,
                const At& at) {
    if (!spend(names.size() * (1 + object.size() / 8))) return false;
    bool ok = true;
    for (const std::string& name : names) {
      if (find_member(object, name)) continue;
      ok = refuse_with(node, op, at, [&] {
        std::string out = "must have the member ";
        json::append_string(out, name);
        return out;
      });
      if (!goes_on()) return false;
    }
    return ok;
  }
  // Whether `required` and the members behind it are one thing. A report tells them apart.
  static bool joins(const Op& op, Item value) {
    return reasons == Reasons::none && op.keyword == Keyword::required && op.count != 0 &&
           value.kind() == json::Kind::object && value.size() <= 64;
  }
  static constexpr std::uint8_t no_row = 0xff;
  bool required_members(const Op& op, Item object, const At& at, const Frame& frame) {
    const Members& table = program_.members[(&op)[1].first];
    if (!spend(program_.names[op.first].size() * (1 + object.size() / 8))) return false;
    std::array<std::uint8_t, 64> rows;
    std::uint64_t seen = 0;
    std::size_t i = 0;
    for (const auto entry : object.members()) {
      const std::uint32_t row = table.index.find(table.properties, entry.first);
      rows[i++] = row == NameIndex::absent ? no_row : static_cast<std::uint8_t>(row);
      if (row != NameIndex::absent) seen |= std::uint64_t{1} << row;
    }
    return (table.required & ~seen) == 0 && members(table, object, at, frame, rows.data());
  }
  bool property_names(const Node& node, const Op& op, Item object, const At& at) {
    for (const auto [name, value] : object.members()) {
      if (!spend(1 + name.size() / 64)) return false;
      const NameItem<Item> text(name);
      const auto ask = [&] {
        return run(static_cast<Id>(op.first), text.item(), at, unmarked, Role::own);
      };
      if (!quietly(ask).ok)
        return refuse_with(node, op, at,
                           [] { return std::string("has a member whose name is not allowed"); });
    }
    return true;
  }
  bool member(Id id, std::string_view name, Item value, const At& at, bool foreign) {
    if (nodes_[id].never && foreign) {
      if (!spend(1)) return false;
      return refuse(nodes_[id], "", at, "has a member that the schema does not know");
    }
    if constexpr (reasons == Reasons::none) return run(id, value, at, unmarked, Role::own);
    const Path path{at.path, name, 0, false, foreign};
    return run(id, value, At{&path, at.scope}, unmarked, Role::own);
  }
  bool members(const Members& table, Item object, const At& at, const Frame& frame,
               const std::uint8_t* rows = nullptr) {
    bool ok = true;
    std::size_t next = 0;
    for (const auto entry : object.members()) {
      const std::size_t i = next++;
      const std::string_view name = entry.first;
      if (!spend(1)) return false;
      bool known = false;
      const auto visit = [&](Id id, bool foreign) {
        known = true;
        if (!member(id, name, entry.second, at, foreign)) ok = false;
        return ok || goes_on();
      };
      Id property = none;
      if (rows == nullptr) {
        const std::uint32_t row = table.index.find(table.properties, name);
        if (row != NameIndex::absent) property = table.nodes[row];
      } else if (rows[i] != no_row) {
        property = table.nodes[rows[i]];
      }
      if (property != none && !visit(property, false)) return false;
      for (const auto& [pattern, id] : table.patterns) {
        if (matches(pattern, name) && !visit(id, property == none)) return false;
        if (exhausted_) return false;
      }
      if (!known && table.additional != none && !visit(table.additional, true)) return false;
      if (known) mark(frame, i);
    }
    return ok;
  }

  std::vector<Violation>* out_;
  bool all_;
  const Node* nodes_;  // of the program, which has the numbers of its own nodes only
  std::size_t depth_ = 0;
  std::size_t quiet_ = 0;
  bool unknown_ = false;  // below something quiet
  // On the stack while there are few marks.
  std::array<std::byte, 2048> buffer_;
  std::pmr::monotonic_buffer_resource memory_{buffer_.data(), buffer_.size()};
  std::pmr::vector<std::uint8_t> marks_{&memory_};
};

}  // namespace

bool run(const Program& program, Id root, const json::Value& value, std::vector<Violation>* out,
         Report report) {
  if (out == nullptr)
    return Runner<ValueItem, Reasons::none>(program).start(root, ValueItem(value));
  return Runner<ValueItem, Reasons::told>(program, out, report).start(root, ValueItem(value));
}
bool run(const Program& program, Id root, json::Item value) {
  return Runner<json::Item, Reasons::none>(program).start(root, value);
}

bool run(const Program& program, Id root, const json::Value& value, Steps& steps) {
  return Runner<ValueItem, Reasons::none>(program).start(root, ValueItem(value), steps);
}

Violation limit_violation() {
  return {"", "limit", "#", "checking this value would cost more than is allowed"};
}

}  // namespace moat::validate::schema
