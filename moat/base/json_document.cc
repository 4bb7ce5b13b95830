// SPDX-License-Identifier: Apache-2.0
#include "moat/base/json_document.h"

#include <algorithm>

#include "moat/base/internal/json_parser.h"

namespace moat::json {
namespace {

using internal::Node;

std::uint64_t tag(Kind kind, std::size_t extent = 0) {
  return static_cast<std::uint64_t>(kind) | std::uint64_t{extent} << 8;
}

// Writes the tape in the order of the text, so that a value has no place of its own.
class TapeBuilder final {
 public:
  struct Place {};
  using Object = std::size_t;  // where its node stands; the same for an array

  TapeBuilder(std::vector<Node>& nodes, std::string& unescaped, std::size_t text_size)
      : nodes_(nodes),
        first_(nodes.data()),
        next_(nodes.data()),
        end_(nodes.data() + nodes.size()),
        unescaped_(unescaped),
        text_size_(text_size) {}

  void null(Place) { add(Kind::null); }
  void boolean(Place, bool value) { add(Kind::boolean).integer = value ? 1 : 0; }
  void integer(Place, std::int64_t value) { add(Kind::integer).integer = value; }
  void number(Place, double value) { add(Kind::number).number = value; }
  void string(Place, std::string_view text) { add(Kind::string, text.size()).text = text.data(); }

  // A string with escapes. It is never longer than its spelling: with room for the whole text the
  // buffer does not move, and earlier strings stay where they are.
  class Text final {
   public:
    Text(TapeBuilder& build, std::size_t node)
        : build_(build), node_(node), first_(build.unescaped_.size()) {}
    void append(const char* from, std::size_t size) {
      build_.unescaped_.append(from, size);
      finish();
    }
    void push_back(char c) {
      build_.unescaped_.push_back(c);
      finish();
    }
    std::size_t size() const { return build_.unescaped_.size() - first_; }
    std::size_t node() const { return node_; }

   private:
    void finish() {
      Node& node = build_.first_[node_];
      node.tag = tag(Kind::string, size());
      node.text = build_.unescaped_.data() + first_;
    }
    TapeBuilder& build_;
    std::size_t node_;
    std::size_t first_;
  };
  Text open_string(Place) {
    if (unescaped_.empty()) unescaped_.reserve(text_size_);
    add(Kind::string);
    return Text(*this, last());
  }

  Object open_object(Place) { return open(Kind::object); }
  std::size_t name(Object, std::string_view text) {
    string({}, text);
    return last();
  }
  Text open_name(Object) { return open_string({}); }
  std::size_t close_name(const Text& text) { return text.node(); }
  std::string_view name_at(Object, std::size_t node) const {
    return {first_[node].text, first_[node].extent()};
  }
  Place member(Object) { return {}; }
  void close_object(Object object, std::size_t count) { close(Kind::object, object, count); }

  Object open_array(Place) { return open(Kind::array); }
  Place element(Object) { return {}; }
  void close_array(Object array, std::size_t count) { close(Kind::array, array, count); }

 private:
  Node& add(Kind kind, std::size_t extent = 0) {
    if (next_ == end_) grow();
    Node& node = *next_++;
    node.tag = tag(kind, extent);
    return node;
  }
  std::size_t last() const { return static_cast<std::size_t>(next_ - first_) - 1; }
  std::size_t open(Kind kind) {
    add(kind);
    return last();
  }
  void close(Kind kind, std::size_t at, std::size_t count) {
    first_[at].tag = tag(kind, last() - at);
    first_[at].count = count;
  }
  [[gnu::noinline]] void grow() {
    const std::size_t used = nodes_.size();
    nodes_.resize(std::max<std::size_t>(256, 2 * used));
    first_ = nodes_.data();
    next_ = first_ + used;
    end_ = first_ + nodes_.size();
  }

  std::vector<Node>& nodes_;  // all are room: those from next_ on are not written yet
  Node* first_;
  Node* next_;
  Node* end_;
  std::string& unescaped_;
  std::size_t text_size_;
};

}  // namespace

Result<Item, ParseError> Document::parse(std::string_view text, const Limits& limits) {
  unescaped_.clear();
  slots_.clear();
  TapeBuilder build(nodes_, unescaped_, text.size());
  if (const auto error = internal::Parser(text, limits, build, slots_).run({}))
    return Error{*error};
  return Item(nodes_.data());
}

void Document::clear() {
  constexpr std::size_t kept = 64 << 10;
  unescaped_.clear();
  slots_.clear();
  if (nodes_.size() * sizeof(Node) > kept) nodes_ = {};
  if (unescaped_.capacity() > kept) unescaped_.shrink_to_fit();
  if (slots_.capacity() * sizeof(internal::NameSlot) > kept) slots_.shrink_to_fit();
}

Value to_value(Item item) {
  switch (item.kind()) {
    case Kind::null:
      return nullptr;
    case Kind::boolean:
      return item.boolean();
    case Kind::integer:
      return item.integer();
    case Kind::number:
      return item.number();
    case Kind::string:
      return item.text();
    case Kind::array: {
      Array out;
      for (const Item element : item.elements()) out.push_back(to_value(element));
      return out;
    }
    case Kind::object: {
      Object out;
      for (const auto [name, value] : item.members()) out.emplace_back(name, to_value(value));
      return out;
    }
  }
  return nullptr;
}

}  // namespace moat::json
