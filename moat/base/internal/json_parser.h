// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "moat/base/encoding.h"
#include "moat/base/json.h"
#include "moat/base/json_document.h"
#include "moat/base/name_mark.h"

namespace moat::json::internal {

// Whether a number, spelled as RFC 8259 section 6 has it, lies between -1 and 1.
bool is_below_one(std::string_view text);
// Where the first byte stands that makes the text no UTF-8.
std::size_t first_invalid_utf8(std::string_view text);

// What stands for itself in a string: all but the quote, the backslash and control characters.
inline constexpr std::array<bool, 256> plain = [] {
  std::array<bool, 256> out{};
  for (std::size_t c = 0x20; c < out.size(); ++c) out[c] = c != '"' && c != '\\';
  return out;
}();

#if defined(__SSE2__)
// Which of sixteen bytes are not plain, the first in the lowest bit.
inline unsigned special_in_16(const char* at) {
  const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
  const __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
  const __m128i escape = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
  return static_cast<unsigned>(
      _mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, escape))));
}
#endif

// The end of the run of plain characters that begins at `at`.
inline const char* skip_plain(const char* at, const char* end) {
#if defined(__SSE2__)
  for (; end - at >= 16; at += 16) {
    const unsigned found = special_in_16(at);
    if (found != 0) return at + std::countr_zero(found);
  }
#endif
  constexpr std::uint64_t ones = 0x0101010101010101U;
  constexpr std::uint64_t tops = 0x8080808080808080U;
  // Eight at once. The lowest top bit of (x - ones) & ~x is that of the first byte that is zero;
  // what stands above it may be wrong, since the subtraction borrows.
  const auto zeros = [](std::uint64_t x) { return (x - ones) & ~x & tops; };
  while (std::endian::native == std::endian::little && end - at >= 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, at, 8);
    const std::uint64_t control = (eight - ones * 0x20) & ~eight & tops;
    const std::uint64_t found = control | zeros(eight ^ ones * '"') | zeros(eight ^ ones * '\\');
    if (found != 0) return at + std::countr_zero(found) / 8;
    at += 8;
  }
  while (at != end && plain[static_cast<unsigned char>(*at)]) ++at;
  return at;
}

// The names of one object so far. `Build` knows each by its place.
template <class Build>
class Names final {
 public:
  explicit Names(std::vector<NameSlot>& slots) : slots_(slots) {}

  // Whether the name that stands at `place`, the last of `count`, is no other's.
  bool is_new(const Build& build, const typename Build::Object& object, std::size_t place,
              std::size_t count) {
    const std::string_view name = build.name_at(object, place);
    if (count > marks_.size()) return is_new_among_many(build, object, place, count);
    const std::uint64_t mark = NameEnds(name).mark();
    const std::size_t others = count - 1;
    marks_[others] = mark;
    places_[others] = place;
    // A mark whose bit nobody has set is nobody's.
    const std::uint64_t bit = std::uint64_t{1} << (mark * 0x9e3779b97f4a7c15U >> 58);
    if ((std::exchange(bits_, bits_ | bit) & bit) == 0) return true;
    for (std::size_t i = 0; i < others; ++i)
      if (marks_[i] == mark && build.name_at(object, places_[i]) == name) return false;
    return true;
  }
  void close() {
    if (size_ != 0) slots_.resize(start_);
  }

 private:
  // A hash table of size_ slots at the end of slots_: those of the objects around are in front, and
  // the smaller ones that this object had before.
  bool is_new_among_many(const Build& build, const typename Build::Object& object,
                         std::size_t place, std::size_t count) {
    if (size_ == 0) {
      start_ = slots_.size();
      grow(4 * marks_.size());
      for (const std::size_t other : places_) insert(build, object, other);
    } else if (2 * count > size_) {
      const std::size_t before = first_;
      const std::size_t end = slots_.size();
      grow(4 * size_);
      for (std::size_t i = before; i < end; ++i)
        if (slots_[i].name != 0) *free_slot(slots_[i].hash) = slots_[i];
    }
    return insert(build, object, place);
  }
  void grow(std::size_t size) {
    first_ = slots_.size();
    size_ = size;
    slots_.resize(first_ + size);
  }
  NameSlot* free_slot(std::uint64_t hash) {
    std::size_t at = hash & (size_ - 1);
    while (slots_[first_ + at].name != 0) at = (at + 1) & (size_ - 1);
    return &slots_[first_ + at];
  }
  bool insert(const Build& build, const typename Build::Object& object, std::size_t place) {
    const std::string_view name = build.name_at(object, place);
    const std::uint64_t hash = std::hash<std::string_view>()(name);
    for (std::size_t at = hash & (size_ - 1);; at = (at + 1) & (size_ - 1)) {
      NameSlot& slot = slots_[first_ + at];
      if (slot.name == 0) {
        slot = {hash, place + 1};
        return true;
      }
      if (slot.hash == hash && build.name_at(object, slot.name - 1) == name) return false;
    }
  }

  std::vector<NameSlot>& slots_;
  std::array<std::uint64_t, 16> marks_;
  std::array<std::size_t, 16> places_;
  std::uint64_t bits_ = 0;  // one of 64 for each mark
  std::size_t start_ = 0;
  std::size_t first_ = 0;
  std::size_t size_ = 0;  // a power of two; 0 while the arrays are enough
};

// The one reader of JSON, whatever `Build` makes of it: Values or a tape. Recursive descent; the
// depth limit bounds the stack. Each function is given where it begins, and gives where it ended or
// null: then refusal_ and failed_at_ say what was wrong.
template <class Build>
class Parser final {
 public:
  using Place = typename Build::Place;
  Parser(std::string_view text, const Limits& limits, Build& build, std::vector<NameSlot>& slots)
      : end_(text.data() + text.size()),
        text_(text),
        limits_(limits),
        build_(build),
        slots_(slots) {}

  std::optional<ParseError> run(Place root) {
    if (text_.size() > limits_.total_bytes)
      return ParseError{Refusal::too_large, limits_.total_bytes};
    // Checked once for the whole: then every string is valid, and outside of strings only ASCII is
    // accepted anyway.
    if (!is_valid_utf8(text_))
      return ParseError{Refusal::invalid_unicode, first_invalid_utf8(text_)};
    const char* at = value(skip_blank(text_.data()), root, 0);
    if (at == nullptr)
      return ParseError{refusal_, static_cast<std::size_t>(failed_at_ - text_.data())};
    at = skip_blank(at);
    if (at == end_) return std::nullopt;
    return ParseError{Refusal::syntax, static_cast<std::size_t>(at - text_.data())};
  }

 private:
  const char* fail(Refusal refusal, const char* at) {
    refusal_ = refusal;
    failed_at_ = at;
    return nullptr;
  }
  char peek(const char* at) const { return at != end_ ? *at : '\0'; }
  const char* skip_blank(const char* at) const {
    while (at != end_ && static_cast<unsigned char>(*at) <= ' ' &&
           (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
      ++at;
    return at;
  }
  std::size_t left(const char* at) const { return static_cast<std::size_t>(end_ - at); }
  const char* word(std::string_view wanted, const char* at) {
    if (std::string_view(at, left(at)).substr(0, wanted.size()) != wanted)
      return fail(Refusal::syntax, at);
    return at + wanted.size();
  }

  // Within the loops of objects and arrays, whose frames are large: most values need none.
  [[gnu::always_inline]] const char* value(const char* at, Place out, std::size_t depth) {
    const char first = peek(at);
    if (first == '"') {
      const char* const stop = simple_end(at);
      if (stop == nullptr) return long_string(at, build_.open_string(out));
      build_.string(out, between(at, stop));
      return stop + 1;
    }
    if (static_cast<unsigned char>(first - '0') < 10) return number(at, out);
    switch (first) {
      case '{':
        return object(at, out, depth + 1);
      case '[':
        return array(at, out, depth + 1);
      case 't':
        build_.boolean(out, true);
        return word("true", at);
      case 'f':
        build_.boolean(out, false);
        return word("false", at);
      case 'n':
        build_.null(out);
        return word("null", at);
      default:
        return number(at, out);
    }
  }

  [[gnu::noinline]] const char* object(const char* at, Place out, std::size_t depth) {
    if (depth > limits_.depth) return fail(Refusal::too_deep, at);
    auto object = build_.open_object(out);
    at = skip_blank(at + 1);
    std::size_t count = 0;
    if (peek(at) != '}') {
      Names<Build> names(slots_);
      for (;; ++at) {
        if (++members_ > limits_.members) return fail(Refusal::too_many, at);
        at = skip_blank(at);
        if (peek(at) != '"') return fail(Refusal::syntax, at);
        const char* const start = at;
        std::size_t place = 0;
        if (const char* const stop = simple_end(at)) {
          place = build_.name(object, between(at, stop));
          at = stop + 1;
        } else {
          auto name = build_.open_name(object);
          at = long_string(at, name);
          if (at == nullptr) return nullptr;
          place = build_.close_name(name);
        }
        if (!names.is_new(build_, object, place, ++count))
          return fail(Refusal::duplicate_name, start);
        at = skip_blank(at);
        if (peek(at) != ':') return fail(Refusal::syntax, at);
        at = value(skip_blank(at + 1), build_.member(object), depth);
        if (at == nullptr) return nullptr;
        at = skip_blank(at);
        if (peek(at) != ',') break;
      }
      if (peek(at) != '}') return fail(Refusal::syntax, at);
      names.close();
    }
    build_.close_object(object, count);
    return at + 1;
  }

  [[gnu::noinline]] const char* array(const char* at, Place out, std::size_t depth) {
    if (depth > limits_.depth) return fail(Refusal::too_deep, at);
    auto array = build_.open_array(out);
    at = skip_blank(at + 1);
    std::size_t count = 0;
    if (peek(at) != ']') {
      for (;; ++at) {
        if (++members_ > limits_.members) return fail(Refusal::too_many, at);
        ++count;
        at = value(skip_blank(at), build_.element(array), depth);
        if (at == nullptr) return nullptr;
        at = skip_blank(at);
        if (peek(at) != ',') break;
      }
      if (peek(at) != ']') return fail(Refusal::syntax, at);
    }
    build_.close_array(array, count);
    return at + 1;
  }

  // Where a string ends that has no escape, which is read in one piece. For all others null;
  // long_string says what they are.
  [[gnu::always_inline]] const char* simple_end(const char* at) const {
#if defined(__SSE2__)
    // Most strings end within sixteen bytes.
    if (end_ - at > 16) {
      const unsigned found = special_in_16(at + 1);
      if (found != 0) {
        const auto length = static_cast<std::size_t>(std::countr_zero(found));
        const char* const stop = at + 1 + length;
        return *stop == '"' && length <= limits_.string_bytes ? stop : nullptr;
      }
    }
#endif
    return simple_end_further(at);
  }
  [[gnu::noinline]] const char* simple_end_further(const char* at) const {
    const char* const stop = skip_plain(at + 1, end_);
    const auto length = static_cast<std::size_t>(stop - at - 1);
    if (stop == end_ || *stop != '"' || length > limits_.string_bytes) return nullptr;
    return stop;
  }
  static std::string_view between(const char* quote, const char* stop) {
    return {quote + 1, static_cast<std::size_t>(stop - quote - 1)};
  }

  template <class Text>
  [[gnu::noinline]] const char* long_string(const char* at, Text&& out) {
    ++at;
    for (;;) {
      const char* const stop = skip_plain(at, end_);
      out.append(at, static_cast<std::size_t>(stop - at));
      at = stop;
      if (out.size() > limits_.string_bytes) return fail(Refusal::too_long, at);
      if (peek(at) == '"') return at + 1;
      // A control character, or the end.
      if (peek(at) != '\\') return fail(Refusal::syntax, at);
      at = escape(at + 1, out);
      if (at == nullptr) return nullptr;
    }
  }

  // Behind the backslash.
  template <class Text>
  const char* escape(const char* at, Text& out) {
    constexpr std::string_view from = "\"\\/bfnrt";
    constexpr std::string_view to = "\"\\/\b\f\n\r\t";
    if (at == end_) return fail(Refusal::syntax, at);
    if (*at == 'u') return unicode_escape(at + 1, out);
    const std::size_t which = from.find(*at);
    if (which == std::string_view::npos) return fail(Refusal::syntax, at);
    out.push_back(to[which]);
    return at + 1;
  }
  template <class Text>
  const char* unicode_escape(const char* at, Text& out) {
    std::uint32_t code = 0;
    at = hex4(at, code);
    if (at == nullptr) return nullptr;
    if (code >= 0xdc00 && code <= 0xdfff) return fail(Refusal::invalid_unicode, at);
    if (code >= 0xd800 && code <= 0xdbff) {
      std::uint32_t low = 0;
      if (std::string_view(at, left(at)).substr(0, 2) != "\\u")
        return fail(Refusal::invalid_unicode, at);
      at = hex4(at + 2, low);
      if (at == nullptr) return nullptr;
      if (low < 0xdc00 || low > 0xdfff) return fail(Refusal::invalid_unicode, at);
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    append_utf8(out, code);
    return at;
  }
  const char* hex4(const char* at, std::uint32_t& out) {
    if (left(at) < 4) return fail(Refusal::syntax, at);
    const auto parsed = std::from_chars(at, at + 4, out, 16);
    if (parsed.ec != std::errc() || parsed.ptr != at + 4) return fail(Refusal::syntax, at);
    return at + 4;
  }
  template <class Text>
  static void append_utf8(Text& out, std::uint32_t code) {
    const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (code < 0x80) return put(code);
    if (code < 0x800) {
      put(0xc0 | code >> 6);
    } else {
      if (code < 0x10000) {
        put(0xe0 | code >> 12);
      } else {
        put(0xf0 | code >> 18);
        put(0x80 | (code >> 12 & 0x3f));
      }
      put(0x80 | (code >> 6 & 0x3f));
    }
    put(0x80 | (code & 0x3f));
  }

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  // Digits as a number, right while there are no more than 19.
  const char* skip_digits(const char* at, std::uint64_t& out) const {
    for (; is_digit(peek(at)); ++at) out = out * 10 + static_cast<std::uint64_t>(*at - '0');
    return at;
  }

  // RFC 8259 section 6: no leading zero, plus sign or bare point.
  [[gnu::noinline]] const char* number(const char* at, Place out) {
    const char* const start = at;
    const bool negative = peek(at) == '-';
    if (negative) ++at;
    if (!is_digit(peek(at))) return fail(Refusal::syntax, at);
    std::uint64_t digits = 0;
    at = *at == '0' ? at + 1 : skip_digits(at, digits);
    bool integer = true;
    std::size_t decimals = 0;
    if (peek(at) == '.') {
      integer = false;
      ++at;
      if (!is_digit(peek(at))) return fail(Refusal::syntax, at);
      const char* const point = at;
      at = skip_digits(at, digits);
      decimals = static_cast<std::size_t>(at - point);
    }
    bool exponent = false;
    if (peek(at) == 'e' || peek(at) == 'E') {
      integer = false;
      exponent = true;
      ++at;
      if (peek(at) == '+' || peek(at) == '-') ++at;
      if (!is_digit(peek(at))) return fail(Refusal::syntax, at);
      std::uint64_t ignored = 0;
      at = skip_digits(at, ignored);
    }
    const auto length = static_cast<std::size_t>(at - start);
    if (length > limits_.number_bytes) return fail(Refusal::number_too_long, start);
    // With no more than 18 characters all digits are in `digits`.
    if (length <= 18 && !exponent) {
      if (integer) {
        const auto whole = static_cast<std::int64_t>(digits);
        build_.integer(out, negative ? -whole : whole);
        return at;
      }
      // Both are exact, so that their quotient is the nearest double.
      if (digits < std::uint64_t{1} << 53) {
        const double real = static_cast<double>(digits) / power_of_ten[decimals];
        build_.number(out, negative ? -real : real);
        return at;
      }
    }
    return long_number(start, at, integer, out);
  }
  static constexpr std::array<double, 19> power_of_ten{1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,
                                                       1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13,
                                                       1e14, 1e15, 1e16, 1e17, 1e18};

  [[gnu::noinline]] const char* long_number(const char* first, const char* last, bool integer,
                                            Place out) {
    if (integer) {
      std::int64_t value = 0;
      if (std::from_chars(first, last, value).ec == std::errc()) {
        build_.integer(out, value);
        return last;
      }
    }
    double value = 0;
    const auto parsed = std::from_chars(first, last, value);
    if (parsed.ec == std::errc::result_out_of_range || !std::isfinite(value)) {
      // from_chars does not say which it was. Too small to tell from zero is zero; too large is
      // refused.
      if (!is_below_one(std::string_view(first, static_cast<std::size_t>(last - first))))
        return fail(Refusal::number_out_of_range, last);
      value = 0;
    }
    build_.number(out, value);
    return last;
  }

  const char* const end_;
  const std::string_view text_;
  const Limits& limits_;
  Build& build_;
  std::vector<NameSlot>& slots_;
  const char* failed_at_ = nullptr;
  std::size_t members_ = 0;
  Refusal refusal_ = Refusal::syntax;
};

}  // namespace moat::json::internal
