// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/internal/plain_pattern.h"

#include <limits>
#include <utility>

#include "moat/validate/internal/ascii.h"

namespace moat::validate::schema {

using internal::contains;
using internal::is_digit;

// Reads what is between ^ and $. Whatever it does not know makes it answer false.
class PlainPattern::Reader final {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool read(std::vector<Piece>& out) {
    constexpr std::size_t most_pieces = 64;
    while (!text_.empty()) {
      Piece piece;
      if (!read_set(piece.set) || !read_count(piece) || out.size() == most_pieces) return false;
      if (piece.most != 0) out.push_back(piece);
    }
    return true;
  }

 private:
  bool take(char c) {
    if (text_.substr(0, 1) != std::string_view(&c, 1)) return false;
    text_.remove_prefix(1);
    return true;
  }
  static void add_range(Set& set, char first, char last) {
    for (int c = first; c <= last; ++c) set.add(static_cast<unsigned char>(c));
  }

  bool read_set(Set& set) {
    if (take('[')) return read_class(set);
    if (contains("^$.*+?(){}|]", text_[0])) return false;
    std::optional<char> one;
    return read_one(set, one);
  }
  // A character, which is `one` then, or an escape that is a set of them.
  bool read_one(Set& set, std::optional<char>& one) {
    char c = text_[0];
    text_.remove_prefix(1);
    if (c == '\\') {
      if (text_.empty()) return false;
      c = text_[0];
      text_.remove_prefix(1);
      if (c == 'd' || c == 'w') {
        add_range(set, '0', '9');
        if (c == 'd') return true;
        add_range(set, 'a', 'z');
        add_range(set, 'A', 'Z');
        set.add('_');
        return true;
      }
      if (!contains("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", c)) return false;
    }
    if (static_cast<unsigned char>(c) >= 0x80) return false;
    set.add(static_cast<unsigned char>(c));
    one = c;
    return true;
  }
  bool read_class(Set& set) {
    if (text_.empty() || text_[0] == '^' || text_[0] == ']') return false;
    while (!take(']')) {
      std::optional<char> first;
      if (text_.empty() || !read_one(set, first)) return false;
      if (text_.size() < 2 || text_[0] != '-' || text_[1] == ']') continue;
      text_.remove_prefix(1);
      std::optional<char> last;
      if (!read_one(set, last) || !first || !last) return false;
      add_range(set, *first, *last);
    }
    return true;
  }

  bool read_number(std::size_t& out) {
    if (text_.empty() || !is_digit(text_[0])) return false;
    out = 0;
    for (std::size_t i = 0; !text_.empty() && is_digit(text_[0]); ++i) {
      if (i == 4) return false;
      out = out * 10 + static_cast<std::size_t>(text_[0] - '0');
      text_.remove_prefix(1);
    }
    return true;
  }
  bool read_count(Piece& piece) {
    constexpr std::size_t endless = std::numeric_limits<std::size_t>::max();
    if (take('*')) {
      piece.least = 0;
      piece.most = endless;
    } else if (take('+')) {
      piece.most = endless;
    } else if (take('?')) {
      piece.least = 0;
    } else if (take('{')) {
      if (!read_number(piece.least)) return false;
      piece.most = piece.least;
      if (take(',')) {
        piece.most = endless;
        if (text_.substr(0, 1) != "}" && !read_number(piece.most)) return false;
      }
      if (!take('}')) return false;
    }
    return piece.least <= piece.most;
  }

  std::string_view text_;
};

// Whether none of the characters that may come behind a class of several lengths is of that class.
bool PlainPattern::is_clear(const std::vector<Piece>& pieces) {
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i].least == pieces[i].most) continue;
    for (std::size_t k = i + 1; k < pieces.size(); ++k) {
      if (pieces[i].set.meets(pieces[k].set)) return false;
      if (pieces[k].least > 0) break;
    }
  }
  return true;
}

std::optional<PlainPattern> PlainPattern::parse(std::string_view ecma) {
  if (ecma.size() < 2 || ecma.front() != '^' || ecma.back() != '$') return std::nullopt;
  PlainPattern out;
  // A $ that is escaped leaves a backslash at the end, which is refused.
  if (!Reader(ecma.substr(1, ecma.size() - 2)).read(out.pieces_)) return std::nullopt;
  if (!is_clear(out.pieces_)) return std::nullopt;
  return out;
}

}  // namespace moat::validate::schema
