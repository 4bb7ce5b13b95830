// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "moat/http/known.h"

namespace moat::http {

// One field; both views point into the caller's buffer, the value without white space around it.
struct Header {
  std::string_view name = {};
  std::string_view value = {};
  Known known = Known::none;
};

// Headers holds the fields of one message in their order, in place: nothing is allocated. It is
// large (some 5 KB): keep one with the connection and clear() it.
class Headers final {
 public:
  static constexpr std::size_t capacity = 112;

  // False, and nothing happens, when the capacity is reached.
  bool add(const Header& field) {
    if (size_ == capacity) return false;
    fields_[size_] = field;
    ++size_;
    const auto known = static_cast<std::size_t>(field.known);
    if (first_[known] == 0) first_[known] = static_cast<std::uint8_t>(size_);
    ++count_[known];
    return true;
  }
  bool add(std::string_view name, std::string_view value) {
    return add({name, value, recognise(name)});
  }
  void clear();

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const Header& operator[](std::size_t index) const { return fields_[index]; }
  const Header* begin() const { return fields_.data(); }
  const Header* end() const { return fields_.data() + size_; }

  // The first field of that name, or null. Constant time.
  const Header* find(Known known) const {
    const std::uint8_t at = first_[static_cast<std::size_t>(known)];
    return at == 0 ? nullptr : &fields_[at - 1u];
  }
  bool has(Known known) const { return first_[static_cast<std::size_t>(known)] != 0; }
  // How many fields have that name.
  std::size_t count(Known known) const { return count_[static_cast<std::size_t>(known)]; }
  // The first value of that name; empty when there is none.
  std::string_view value(Known known) const {
    const Header* field = find(known);
    return field ? field->value : std::string_view();
  }
  // Any name, without regard to case; linear.
  const Header* find(std::string_view name) const;

 private:
  std::array<Header, capacity> fields_;
  std::size_t size_ = 0;
  std::array<std::uint8_t, known_count> first_{};  // index + 1
  std::array<std::uint8_t, known_count> count_{};
};

// is_token: 1*tchar (RFC 9110 section 5.6.2).
[[nodiscard]] bool is_token(std::string_view text);
// is_field_value: no CR, LF, NUL or other control byte but the tab, no white space at the ends.
[[nodiscard]] bool is_field_value(std::string_view text);
// list_contains looks for `token` in a comma-separated list, without regard to case.
[[nodiscard]] bool list_contains(std::string_view list, std::string_view token);

// append_field writes "name: value\r\n". A name that is no token or a value that could split the
// message writes nothing and gives false (RFC 9110 section 5.5).
[[nodiscard]] bool append_field(std::string& out, std::string_view name, std::string_view value);

}  // namespace moat::http
