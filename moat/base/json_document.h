// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moat/base/json.h"
#include "moat/base/result.h"

namespace moat::json {

// In the order of Value::Data.
enum class Kind : std::uint8_t { null, boolean, integer, number, string, array, object };

namespace internal {

// A value on the tape of a Document: an array is followed by its elements, an object by a name (as
// a string) and a value for each member.
struct Node {
  std::uint64_t tag = 0;  // the kind, and above its 8 bits: bytes of text, or nodes within
  union {
    std::int64_t integer = 0;
    double number;
    const char* text;
    std::uint64_t count;  // elements or members
  };
  Kind kind() const { return static_cast<Kind>(tag & 0xff); }
  std::size_t extent() const { return static_cast<std::size_t>(tag >> 8); }
  const Node* next() const { return this + 1 + (kind() >= Kind::array ? extent() : 0); }
};

// Name slots of objects with many members, while one is read.
struct NameSlot {
  std::uint64_t hash = 0;
  std::size_t name = 0;  // one more than the place of the name; 0 is free
};

}  // namespace internal

class Elements;
class Members;

// Item is one value of a Document, as cheap as a pointer. It is valid until its Document reads
// another text or dies, and while the text that was read stays where it is. What is asked must be
// of the kind.
class Item final {
 public:
  explicit Item(const internal::Node* node) : node_(node) {}
  Kind kind() const { return node_->kind(); }
  bool boolean() const { return node_->integer != 0; }
  std::int64_t integer() const { return node_->integer; }
  double number() const { return node_->number; }  // of Kind::number only
  std::string_view text() const { return {node_->text, node_->extent()}; }
  // How many elements or members an array or object has; 0 for all others.
  std::size_t size() const {
    return kind() >= Kind::array ? static_cast<std::size_t>(node_->count) : 0;
  }
  Elements elements() const;
  Members members() const;

 private:
  const internal::Node* node_;
};

// The elements of an array, in their order.
class Elements final {
 public:
  class Iterator final {
   public:
    explicit Iterator(const internal::Node* at) : at_(at) {}
    Item operator*() const { return Item(at_); }
    Iterator& operator++() { return at_ = at_->next(), *this; }
    bool operator==(const Iterator&) const = default;

   private:
    const internal::Node* at_;
  };
  Elements(const internal::Node* first, const internal::Node* end) : first_(first), end_(end) {}
  Iterator begin() const { return Iterator(first_); }
  Iterator end() const { return Iterator(end_); }

 private:
  const internal::Node* first_;
  const internal::Node* end_;
};

// The members of an object, in the order they were written.
class Members final {
 public:
  class Iterator final {
   public:
    explicit Iterator(const internal::Node* at) : at_(at) {}
    std::pair<std::string_view, Item> operator*() const {
      return {Item(at_).text(), Item(at_ + 1)};
    }
    Iterator& operator++() { return at_ = (at_ + 1)->next(), *this; }
    bool operator==(const Iterator&) const = default;

   private:
    const internal::Node* at_;
  };
  Members(const internal::Node* first, const internal::Node* end) : first_(first), end_(end) {}
  Iterator begin() const { return Iterator(first_); }
  Iterator end() const { return Iterator(end_); }

 private:
  const internal::Node* first_;
  const internal::Node* end_;
};

// TextItem is a text as an item of its own. The text is not copied.
class TextItem final {
 public:
  explicit TextItem(std::string_view text) {
    node_.tag = static_cast<std::uint64_t>(Kind::string) | std::uint64_t{text.size()} << 8;
    node_.text = text.data();
  }
  Item item() const { return Item(&node_); }

 private:
  internal::Node node_;
};

inline Elements Item::elements() const { return {node_ + 1, node_->next()}; }
inline Members Item::members() const { return {node_ + 1, node_->next()}; }

// Document holds a JSON text that was read, in one piece of memory, for those who look at it once:
// reading is cheaper than json::parse, and takes nothing from the heap once the Document has grown
// to what comes. Strings without escapes are views into the text.
class Document final {
 public:
  Document() = default;
  Document(const Document&) = delete;  // its items point into it
  Document& operator=(const Document&) = delete;

  // Reads exactly the texts that json::parse reads, and refuses the others at the same place for
  // the same reason. What it held before is gone in any case. `text` must outlive the items.
  [[nodiscard]] Result<Item, ParseError> parse(std::string_view text, const Limits& limits = {});
  // Forgets what it holds, and gives back memory beyond 64 KiB or so.
  void clear();

 private:
  std::vector<internal::Node> nodes_;
  std::string unescaped_;  // strings that had escapes
  std::vector<internal::NameSlot> slots_;
};

// A value with strings of its own.
[[nodiscard]] Value to_value(Item item);

}  // namespace moat::json
