// SPDX-License-Identifier: Apache-2.0
// A compiled schema on values. Schema::read: text becomes what the schema wants at its place,
// defaults are filled in. Whatever this leaves undone, or does against a schema's meaning, is
// refused by the validation behind it.
#include <algorithm>
#include <utility>

#include "moat/validate/internal/schema_item.h"
#include "moat/validate/internal/schema_program.h"
#include "moat/validate/strings.h"

namespace moat::validate::schema {
namespace {

// What is known of a place: nodes that all apply to it, and of each choice (anyOf, oneOf) one
// branch. A branch that is empty says nothing of the place.
struct Wish {
  std::vector<Id> nodes;
  std::vector<std::vector<Wish>> choices;

  bool empty() const { return nodes.empty() && choices.empty(); }
};

// One step into a value.
struct Step {
  const std::string* name = nullptr;  // null for an element
  std::size_t index = 0;
  std::uint32_t container() const { return name != nullptr ? type_object : type_array; }
};

std::optional<json::Value> converted(const std::string& text, std::uint32_t types) {
  if ((types & type_string) != 0) return std::nullopt;
  if (text.empty() && (types & type_null) != 0) return json::Value();
  if ((types & type_boolean) != 0 && (text == "true" || text == "false"))
    return json::Value(text == "true");
  if ((types & type_number) != 0) {
    if (auto number = to_number(text)) return number;
  } else if ((types & type_integer) != 0) {
    if (const auto number = to_int(text)) return json::Value(*number);
  }
  if ((types | type_null) == (type_array | type_null))
    return json::Value(json::Array{json::Value(text)});
  return std::nullopt;
}

class Reader final {
 public:
  Reader(const Program& program, const ReadOptions& options)
      : program_(program), options_(options), steps_{program.options.max_run_steps} {}

  // False where it would cost too much.
  bool read(json::Value& value, Id root) {
    visit(value, Wish{{root}, {}});
    return !exhausted_;
  }
  bool wants_array(Id root, const std::string& name) {
    const std::uint32_t wanted = types(below(Wish{{root}, {}}, Step{&name, 0}));
    return !exhausted_ && wanted != any_type && (wanted & type_array) != 0;
  }

 private:
  bool spend(std::size_t steps) {
    if (exhausted_ || !steps_.spend(steps)) exhausted_ = true;
    return !exhausted_;
  }
  // Enters a node or a value below another one.
  template <class Visit>
  void deeper(Visit visit) {
    if (depth_ >= program_.options.max_run_depth) exhausted_ = true;
    if (!spend(1)) return;
    ++depth_;
    visit();
    --depth_;
  }
  template <class Visit>
  void each_op(Id id, Visit visit) {
    const Node& node = program_.nodes[id];
    for (std::uint32_t i = 0; i < node.op_count && !exhausted_; ++i)
      visit(program_.ops[node.first_op + i]);
  }
  // The nodes that apply to the same value whatever it is.
  template <class Visit>
  void each_certain(const Op& op, Visit visit) {
    if (op.keyword == Keyword::ref) visit(static_cast<Id>(op.first));
    if (op.keyword != Keyword::all_of) return;
    for (std::uint32_t i = 0; i < op.count; ++i) visit(program_.lists[op.first + i]);
  }

  // The types that a place may have.
  std::uint32_t types(Id id) {
    const std::uint32_t out = possible_types(program_, id, steps_, depth_);
    if (steps_.left == 0) exhausted_ = true;
    return out;
  }
  std::uint32_t types(const Wish& place) {
    std::uint32_t out = any_type;
    deeper([&] {
      for (const Id id : place.nodes) out &= types(id);
      for (const auto& choice : place.choices) {
        std::uint32_t some = 0;
        for (const Wish& branch : choice) some |= types(branch);
        out &= some;
      }
    });
    return out;
  }

  Wish below(const Wish& place, const Step& step) {
    Wish out;
    deeper([&] {
      for (const Id id : place.nodes) add_below(id, step, out);
      for (const auto& choice : place.choices) {
        std::vector<Wish> branches;
        for (const Wish& branch : choice) {
          if ((types(branch) & step.container()) != 0) branches.push_back(below(branch, step));
        }
        add_choice(std::move(branches), out);
      }
    });
    return out;
  }
  void add_below(Id id, const Step& step, Wish& out) {
    deeper([&] {
      each_op(id, [&](const Op& op) {
        each_certain(op, [&](Id part) { add_below(part, step, out); });
        if (op.keyword == Keyword::any_of || op.keyword == Keyword::one_of) {
          add_branches(op, step, out);
        } else if (op.keyword == Keyword::members && step.name != nullptr) {
          add_member(program_.members[op.first], *step.name, out);
        } else if (op.keyword == Keyword::elements && step.name == nullptr) {
          const Elements& table = program_.elements[op.first];
          const Id element =
              step.index < table.prefix.size() ? table.prefix[step.index] : table.rest;
          if (element != none) add(element, out);
        }
      });
    });
  }
  void add_branches(const Op& op, const Step& step, Wish& out) {
    std::vector<Wish> branches;
    for (std::uint32_t i = 0; i < op.count; ++i) {
      const Id branch = program_.lists[op.first + i];
      // One that wants another type than the value has cannot pass.
      if ((types(branch) & step.container()) != 0) add_below(branch, step, branches.emplace_back());
    }
    add_choice(std::move(branches), out);
  }
  void add_member(const Members& table, const std::string& name, Wish& out) {
    const Id property = find_name(table.properties, name);
    bool known = property != none;
    if (known) add(property, out);
    for (const auto& [pattern, id] : table.patterns) {
      const Pattern& expression = program_.patterns[pattern];
      if (!spend(expression.cost(name)) || !expression.search(name)) continue;
      known = true;
      add(id, out);
    }
    if (!known && table.additional != none) add(table.additional, out);
  }
  // By the node that it comes to, so that branches which lead to one schema are one.
  Id resolved(Id id) {
    for (;;) {  // no reference leads in a circle
      const Node& node = program_.nodes[id];
      if (node.op_count != 1 || program_.ops[node.first_op].keyword != Keyword::ref || !spend(1))
        return id;
      id = static_cast<Id>(program_.ops[node.first_op].first);
    }
  }
  void add(Id id, Wish& out) {
    id = resolved(id);
    spend(out.nodes.size() / looks_a_step);
    if (std::find(out.nodes.begin(), out.nodes.end(), id) == out.nodes.end())
      out.nodes.push_back(id);
  }
  bool same(const Wish& a, const Wish& b) {
    looks_ += 1 + a.nodes.size();
    if (looks_ >= looks_a_step) spend(std::exchange(looks_, 0) / looks_a_step);
    return !exhausted_ && a.nodes == b.nodes &&
           std::equal(a.choices.begin(), a.choices.end(), b.choices.begin(), b.choices.end(),
                      [this](const auto& one, const auto& other) { return same(one, other); });
  }
  bool same(const std::vector<Wish>& a, const std::vector<Wish>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [this](const Wish& one, const Wish& other) { return same(one, other); });
  }
  void add_choice(std::vector<Wish> branches, Wish& out) {
    // A branch that does not speak of a member lets it be anything; where unknown members are
    // refused, it does not let it be.
    const bool open = !program_.options.refuse_unknown_members;
    std::vector<Wish> different;
    for (Wish& branch : branches) {
      if (branch.empty() && open) return;
      const bool known = std::any_of(different.begin(), different.end(),
                                     [&](const Wish& one) { return same(one, branch); });
      if (!branch.empty() && !known) different.push_back(std::move(branch));
    }
    if (!different.empty() &&
        std::none_of(out.choices.begin(), out.choices.end(),
                     [&](const std::vector<Wish>& one) { return same(one, different); }))
      out.choices.push_back(std::move(different));
  }

  // The types that a text may become. Where it may stay one it does, if it fits as one: of "now, or
  // a number" a 5 is a number.
  std::uint32_t types_of_text(const json::Value& text, const Wish& place) {
    constexpr std::uint32_t scalars = type_boolean | type_integer | type_number;
    const std::uint32_t out = types(place);
    const bool either = (out & type_string) != 0 && (out & scalars) != 0;
    const bool other = either && !fits(text, place);
    if (steps_.left == 0) exhausted_ = true;
    return other ? out & scalars : out;
  }
  bool fits(const json::Value& text, const Wish& place) {
    const auto fits_node = [&](Id id) { return run(program_, id, text, steps_); };
    return std::all_of(place.nodes.begin(), place.nodes.end(), fits_node) &&
           std::all_of(place.choices.begin(), place.choices.end(), [&](const auto& branches) {
             return std::any_of(branches.begin(), branches.end(),
                                [&](const Wish& branch) { return fits(text, branch); });
           });
  }

  void visit(json::Value& value, const Wish& place) {
    if (place.empty()) return;
    deeper([&] {
      const std::string* text = value.as_string();
      if (text != nullptr && options_.coerce_text) {
        if (auto better = converted(*text, types_of_text(value, place))) value = *std::move(better);
      }
      if (auto* array = std::get_if<json::Array>(&value.data())) {
        for (std::size_t i = 0; i < array->size() && !exhausted_; ++i)
          visit((*array)[i], below(place, Step{nullptr, i}));
      } else if (auto* object = std::get_if<json::Object>(&value.data())) {
        for (auto& [name, member] : *object) {
          if (!exhausted_ && !is_typed(name)) visit(member, below(place, Step{&name, 0}));
        }
        if (!options_.fill_defaults) return;
        for (const Id id : place.nodes) fill(id, value);
      }
    });
  }

  bool is_typed(const std::string& name) const {
    const auto& typed = options_.typed_members;
    return depth_ == 1 && std::find(typed.begin(), typed.end(), name) != typed.end();
  }

  void fill(Id id, json::Value& value) {
    deeper([&] {
      each_op(id, [&](const Op& op) {
        each_certain(op, [&](Id part) { fill(part, value); });
        if (op.keyword != Keyword::members) return;
        auto& object = std::get<json::Object>(value.data());
        for (const auto& [name, node] : program_.members[op.first].properties) {
          const json::Value* missing = default_of(node);
          if (missing == nullptr || !spend(1 + object.size() / 8)) continue;
          if (value.find(name) != nullptr) continue;
          // A small value may ask for a large one as often as it has places.
          if (!pay_for(ValueItem(*missing), steps_)) exhausted_ = true;
          if (!exhausted_) object.emplace_back(name, *missing);
        }
      });
    });
  }
  // Of the node itself, or of the first that it leads to.
  const json::Value* default_of(Id id) {
    const json::Value* out = program_.nodes[id].default_value;
    if (out != nullptr) return out;
    deeper([&] {
      each_op(id, [&](const Op& op) {
        each_certain(op, [&](Id part) {
          if (out == nullptr) out = default_of(part);
        });
      });
    });
    return out;
  }

  static constexpr std::size_t looks_a_step = 16;  // comparisons of nodes

  const Program& program_;
  const ReadOptions& options_;
  Steps steps_;
  std::size_t looks_ = 0;  // that are not paid for yet
  std::size_t depth_ = 0;
  bool exhausted_ = false;
};

}  // namespace
}  // namespace moat::validate::schema

namespace moat::validate {

bool Schema::check(const json::Value& value) const { return schema::run(*program_, root_, value); }

bool Schema::check(json::Item value) const { return schema::run(*program_, root_, value); }

std::vector<Violation> Schema::validate(const json::Value& value, Report report) const {
  std::vector<Violation> out;
  const bool ok = schema::run(*program_, root_, value, &out, report);
  // Whatever was refused has a reason, also where all of it lies below something quiet.
  if (!ok && out.empty()) out.push_back({"", "", "#", "does not fit the schema"});
  return out;
}

std::size_t Schema::size() const { return program_->nodes.size(); }

Result<json::Value, std::vector<Violation>> Schema::read(json::Value value,
                                                         const ReadOptions& options,
                                                         Report report) const {
  if ((options.coerce_text || options.fill_defaults) &&
      !schema::Reader(*program_, options).read(value, root_))
    return Error{std::vector<Violation>{schema::limit_violation()}};
  std::vector<Violation> violations = validate(value, report);
  if (!violations.empty()) return Error{std::move(violations)};
  return value;
}

bool Schema::wants_array(std::string_view member) const {
  const ReadOptions options;
  return schema::Reader(*program_, options).wants_array(root_, std::string(member));
}

}  // namespace moat::validate
