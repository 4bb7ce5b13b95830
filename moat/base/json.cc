// SPDX-License-Identifier: Apache-2.0
#include "moat/base/json.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <memory>
#include <unordered_set>
#include <utility>

#include "moat/base/encoding.h"

namespace moat::json {

std::string_view to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::syntax:
      return "syntax";
    case Refusal::duplicate_name:
      return "duplicate_name";
    case Refusal::too_deep:
      return "too_deep";
    case Refusal::too_many:
      return "too_many";
    case Refusal::too_long:
      return "too_long";
    case Refusal::too_large:
      return "too_large";
    case Refusal::invalid_unicode:
      return "invalid_unicode";
    case Refusal::number_too_long:
      return "number_too_long";
    case Refusal::number_out_of_range:
      return "number_out_of_range";
  }
  return "unknown";
}

std::optional<double> Value::as_number() const {
  if (const auto* integer = as_integer()) return static_cast<double>(*integer);
  if (const auto* number = std::get_if<double>(&data_)) return *number;
  return std::nullopt;
}

const Value* Value::find(std::string_view name) const {
  const Object* object = as_object();
  if (object == nullptr) return nullptr;
  for (const Member& member : *object) {
    if (member.first == name) return &member.second;
  }
  return nullptr;
}

namespace {

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

// Whether a number, spelled as RFC 8259 section 6 has it, lies between -1 and 1: by the place of
// its first digit that is not zero. (strtod would know, but obeys the locale.)
bool is_below_one(std::string_view text) {
  const std::size_t mark = std::min(text.find_first_of("eE"), text.size());
  const std::string_view digits = text.substr(0, mark);
  std::int64_t exponent = 0;
  if (mark < text.size()) {
    std::string_view power = text.substr(mark + 1);
    const bool negative = power.front() == '-';
    if (power.front() == '-' || power.front() == '+') power.remove_prefix(1);
    const auto parsed = std::from_chars(power.data(), power.data() + power.size(), exponent);
    if (parsed.ec != std::errc()) return negative;  // no text is long enough to make up for it
    if (negative) exponent = -exponent;
  }
  const std::size_t first = digits.find_first_of("123456789");
  if (first == std::string_view::npos) return true;
  const std::size_t point = std::min(digits.find('.'), digits.size());
  // The power of ten of that digit: 0 for the digit in front of the point.
  const auto distance = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first);
  const std::int64_t place = distance > 0 ? distance - 1 : distance;
  return exponent < -place;
}

// Where the first byte stands that makes the text no UTF-8.
std::size_t first_invalid_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (!is_valid_utf8(text.substr(at, length))) break;
    at += length;
  }
  return at;
}

// What stands for itself in a string: all but the quote, the backslash and control characters.
constexpr std::array<bool, 256> plain = [] {
  std::array<bool, 256> out{};
  for (std::size_t c = 0x20; c < out.size(); ++c) out[c] = c != '"' && c != '\\';
  return out;
}();

// The end of the run of plain characters that begins at `at`.
const char* skip_plain(const char* at, const char* end) {
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

}  // namespace

// Recursive descent; the depth limit bounds the stack.
class Parser final {
 public:
  Parser(std::string_view text, const Limits& limits) : text_(text), limits_(limits) {}

  Result<Value, ParseError> run() {
    if (text_.size() > limits_.total_bytes)
      return Error{ParseError{Refusal::too_large, limits_.total_bytes}};
    // Checked once for the whole: then every string is valid, and outside of strings only ASCII is
    // accepted anyway.
    if (!is_valid_utf8(text_))
      return Error{ParseError{Refusal::invalid_unicode, first_invalid_utf8(text_)}};
    Value value;
    skip_blank();
    if (!parse_value(value, 0)) return Error{ParseError{refusal_, at_}};
    skip_blank();
    if (at_ != text_.size()) return Error{ParseError{Refusal::syntax, at_}};
    return value;
  }

 private:
  bool fail(Refusal refusal) {
    refusal_ = refusal;
    return false;
  }
  bool more() const { return at_ < text_.size(); }
  char peek() const { return more() ? text_.data()[at_] : '\0'; }
  void skip_blank() {
    while (more() && (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r')) ++at_;
  }
  bool take(char wanted) {
    if (!more() || peek() != wanted) return false;
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return fail(Refusal::syntax);
    at_ += word.size();
    return true;
  }

  // Makes a value in the place of null, which needs no destructor; assigning would call one.
  template <class T, class... From>
  static T& make(Value& null, From&&... from) {
    std::construct_at(&null.data_, std::in_place_type<T>, std::forward<From>(from)...);
    return *std::get_if<T>(&null.data_);
  }

  // `out` is null before.
  bool parse_value(Value& out, std::size_t depth) {
    switch (peek()) {
      case '{':
        return parse_object(out, depth + 1);
      case '[':
        return parse_array(out, depth + 1);
      case '"':
        return parse_text(out);
      case 't':
        make<bool>(out, true);
        return take_word("true");
      case 'f':
        make<bool>(out, false);
        return take_word("false");
      case 'n':
        return take_word("null");
      default:
        return parse_number(out);
    }
  }

  bool parse_object(Value& out, std::size_t depth) {
    if (depth > limits_.depth) return fail(Refusal::too_deep);
    ++at_;
    auto& object = make<Object>(out);
    Names names;
    skip_blank();
    if (!take('}')) {
      // Growing moves all members. limits_.members bounds what this may take: each object with room
      // has a member at least.
      object.reserve(8);
      do {
        if (++members_ > limits_.members) return fail(Refusal::too_many);
        skip_blank();
        if (peek() != '"') return fail(Refusal::syntax);
        const std::size_t start = at_;
        const auto simple = take_simple_string();
        Member& member = simple ? object.emplace_back(*simple, nullptr) : object.emplace_back();
        if (!simple && !parse_string(member.first)) return false;
        if (!names.is_new(object)) {
          at_ = start;
          return fail(Refusal::duplicate_name);
        }
        skip_blank();
        if (!take(':')) return fail(Refusal::syntax);
        skip_blank();
        if (!parse_value(member.second, depth)) return false;
        skip_blank();
      } while (take(','));
      if (!take('}')) return fail(Refusal::syntax);
    }
    return true;
  }

  // The names of one object so far.
  class Names final {
   public:
    // Whether the name of the last member is no other's.
    bool is_new(const Object& object) {
      const std::string& name = object.back().first;
      if (object.size() <= marks_.size()) {
        const std::uint64_t mark = mark_of(name);
        const std::size_t others = object.size() - 1;
        marks_[others] = mark;
        // A mark whose bit nobody has set is nobody's.
        const std::uint64_t bit = std::uint64_t{1} << (mark * 0x9e3779b97f4a7c15U >> 58);
        if ((std::exchange(bits_, bits_ | bit) & bit) == 0) return true;
        for (std::size_t i = 0; i < others; ++i)
          if (marks_[i] == mark && object[i].first == name) return false;
        return true;
      }
      if (large_ == nullptr) {
        large_ = std::make_unique<std::unordered_set<std::string>>();
        for (std::size_t i = 0; i + 1 < object.size(); ++i) large_->insert(object[i].first);
      }
      return large_->insert(name).second;
    }

   private:
    template <class Word>
    static std::uint64_t both_ends(std::string_view name) {
      Word front = 0;
      Word end = 0;
      std::memcpy(&front, name.data(), sizeof front);
      std::memcpy(&end, name.data() + name.size() - sizeof end, sizeof end);
      return std::uint64_t{front} ^ std::rotl(std::uint64_t{end}, 31);
    }
    // Equal names have equal marks: bytes at the front and the end, and the length.
    static std::uint64_t mark_of(std::string_view name) {
      const std::uint64_t size = name.size();
      if (size >= 8) return both_ends<std::uint64_t>(name) ^ size;
      if (size >= 4) return both_ends<std::uint32_t>(name) ^ size << 56;
      return size >= 2 ? both_ends<std::uint16_t>(name) ^ size << 56
                       : size << 56 | static_cast<unsigned char>(size == 0 ? 0 : name[0]);
    }
    std::array<std::uint64_t, 16> marks_;
    std::uint64_t bits_ = 0;  // one of 64 for each mark
    // Only for objects too large to search.
    std::unique_ptr<std::unordered_set<std::string>> large_;
  };

  bool parse_array(Value& out, std::size_t depth) {
    if (depth > limits_.depth) return fail(Refusal::too_deep);
    ++at_;
    auto& array = make<Array>(out);
    skip_blank();
    if (!take(']')) {
      array.reserve(4);
      do {
        if (++members_ > limits_.members) return fail(Refusal::too_many);
        skip_blank();
        if (!parse_value(array.emplace_back(), depth)) return false;
        skip_blank();
      } while (take(','));
      if (!take(']')) return fail(Refusal::syntax);
    }
    return true;
  }

  // A string that has no escape, which is read in one piece; otherwise nothing is read, and
  // parse_string says what it is.
  std::optional<std::string_view> take_simple_string() {
    const char* const start = text_.data() + at_ + 1;
    const char* const end = text_.data() + text_.size();
    const char* const stop = skip_plain(start, end);
    const auto length = static_cast<std::size_t>(stop - start);
    if (stop == end || *stop != '"' || length > limits_.string_bytes) return std::nullopt;
    at_ += length + 2;
    return std::string_view(start, length);
  }
  bool parse_text(Value& out) {
    const auto simple = take_simple_string();
    if (!simple) return parse_string(make<std::string>(out));
    make<std::string>(out, *simple);
    return true;
  }

  bool parse_string(std::string& out) {
    ++at_;
    for (;;) {
      const char* const start = text_.data() + at_;
      const char* const stop = skip_plain(start, text_.data() + text_.size());
      const auto length = static_cast<std::size_t>(stop - start);
      at_ += length;
      out.append(start, length);
      if (out.size() > limits_.string_bytes) return fail(Refusal::too_long);
      if (take('"')) return true;
      if (!take('\\')) return fail(Refusal::syntax);  // a control character, or the end
      if (!parse_escape(out)) return false;
    }
  }

  bool parse_escape(std::string& out) {
    const char c = peek();
    if (!more()) return fail(Refusal::syntax);
    ++at_;
    switch (c) {
      case '"':
      case '\\':
      case '/':
        out.push_back(c);
        return true;
      case 'b':
        out.push_back('\b');
        return true;
      case 'f':
        out.push_back('\f');
        return true;
      case 'n':
        out.push_back('\n');
        return true;
      case 'r':
        out.push_back('\r');
        return true;
      case 't':
        out.push_back('\t');
        return true;
      case 'u':
        break;
      default:
        --at_;
        return fail(Refusal::syntax);
    }
    std::uint32_t code = 0;
    if (!parse_hex4(code)) return false;
    if (code >= 0xdc00 && code <= 0xdfff) return fail(Refusal::invalid_unicode);
    if (code >= 0xd800 && code <= 0xdbff) {
      std::uint32_t low = 0;
      if (text_.substr(at_, 2) != "\\u") return fail(Refusal::invalid_unicode);
      at_ += 2;
      if (!parse_hex4(low)) return false;
      if (low < 0xdc00 || low > 0xdfff) return fail(Refusal::invalid_unicode);
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    append_utf8(out, code);
    return true;
  }

  bool parse_hex4(std::uint32_t& out) {
    const std::string_view digits = text_.substr(at_, 4);
    const char* end = digits.data() + digits.size();
    const auto parsed = std::from_chars(digits.data(), end, out, 16);
    if (digits.size() != 4 || parsed.ec != std::errc() || parsed.ptr != end)
      return fail(Refusal::syntax);
    at_ += 4;
    return true;
  }

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  void skip_digits() {
    while (is_digit(peek())) ++at_;
  }

  // RFC 8259 section 6: no leading zero, plus sign or bare point.
  bool parse_number(Value& out) {
    const std::size_t start = at_;
    take('-');
    if (!is_digit(peek())) return fail(Refusal::syntax);
    if (!take('0')) skip_digits();
    bool integer = true;
    if (take('.')) {
      integer = false;
      if (!is_digit(peek())) return fail(Refusal::syntax);
      skip_digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      integer = false;
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (!is_digit(peek())) return fail(Refusal::syntax);
      skip_digits();
    }
    if (at_ - start > limits_.number_bytes) {
      at_ = start;
      return fail(Refusal::number_too_long);
    }
    const char* first = text_.data() + start;
    const char* last = text_.data() + at_;
    if (integer) {
      std::int64_t value = 0;
      if (std::from_chars(first, last, value).ec == std::errc()) {
        make<std::int64_t>(out, value);
        return true;
      }
    }
    double value = 0;
    const auto parsed = std::from_chars(first, last, value);
    if (parsed.ec == std::errc::result_out_of_range || !std::isfinite(value)) {
      // from_chars does not say which it was. Too small to tell from zero is zero; too large is
      // refused.
      if (!is_below_one(std::string_view(first, at_ - start)))
        return fail(Refusal::number_out_of_range);
      value = 0;
    }
    make<double>(out, value);
    return true;
  }

  std::string_view text_;
  Limits limits_;
  std::size_t at_ = 0;
  std::size_t members_ = 0;
  Refusal refusal_ = Refusal::syntax;
};

Result<Value, ParseError> parse(std::string_view text, const Limits& limits) {
  return Parser(text, limits).run();
}

}  // namespace moat::json
