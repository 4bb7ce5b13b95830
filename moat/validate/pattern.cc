// SPDX-License-Identifier: Apache-2.0
// RE2 matches what strangers send, since it never backtracks, but for patterns so plain that there
// is nothing to go back to (plain_pattern.h). Its syntax is not ECMA-262's, which JSON Schema asks
// for (core section 6.4), so that each pattern is read here and written anew, with nothing taken
// over that was not understood.
#include "moat/validate/internal/pattern.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include "moat/base/encoding.h"

namespace moat::validate::schema {
namespace {

constexpr std::string_view digits = "0-9";
constexpr std::string_view word = "0-9A-Za-z_";
constexpr std::string_view not_digits = R"(\x{0}-/:-\x{10ffff})";
constexpr std::string_view not_word = R"(\x{0}-/:-@\x{5b}-\x{5e}`\x{7b}-\x{10ffff})";
// ECMA-262 section 22.2.2.9: WhiteSpace and LineTerminator.
constexpr std::string_view space =
    R"(\x{9}-\x{d}\x{20}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff})";
constexpr std::string_view not_space =
    R"(\x{0}-\x{8}\x{e}-\x{1f}\x{21}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027})"
    R"(\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff})";
constexpr std::string_view no_line_end = R"([^\n\r\x{2028}\x{2029}])";

// General categories by the long names that ECMA-262 takes, with RE2's. C and Cn are missing: RE2's
// tables have no unassigned characters.
constexpr std::pair<std::string_view, std::string_view> categories[] = {
    {"L", "L"},      {"Letter", "L"},
    {"Lu", "Lu"},    {"Uppercase_Letter", "Lu"},
    {"Ll", "Ll"},    {"Lowercase_Letter", "Ll"},
    {"Lt", "Lt"},    {"Titlecase_Letter", "Lt"},
    {"Lm", "Lm"},    {"Modifier_Letter", "Lm"},
    {"Lo", "Lo"},    {"Other_Letter", "Lo"},
    {"M", "M"},      {"Mark", "M"},
    {"Mn", "Mn"},    {"Nonspacing_Mark", "Mn"},
    {"Mc", "Mc"},    {"Spacing_Mark", "Mc"},
    {"Me", "Me"},    {"Enclosing_Mark", "Me"},
    {"N", "N"},      {"Number", "N"},
    {"Nd", "Nd"},    {"Decimal_Number", "Nd"},
    {"Nl", "Nl"},    {"Letter_Number", "Nl"},
    {"No", "No"},    {"Other_Number", "No"},
    {"P", "P"},      {"Punctuation", "P"},
    {"Pc", "Pc"},    {"Connector_Punctuation", "Pc"},
    {"Pd", "Pd"},    {"Dash_Punctuation", "Pd"},
    {"Ps", "Ps"},    {"Open_Punctuation", "Ps"},
    {"Pe", "Pe"},    {"Close_Punctuation", "Pe"},
    {"Pi", "Pi"},    {"Initial_Punctuation", "Pi"},
    {"Pf", "Pf"},    {"Final_Punctuation", "Pf"},
    {"Po", "Po"},    {"Other_Punctuation", "Po"},
    {"S", "S"},      {"Symbol", "S"},
    {"Sm", "Sm"},    {"Math_Symbol", "Sm"},
    {"Sc", "Sc"},    {"Currency_Symbol", "Sc"},
    {"Sk", "Sk"},    {"Modifier_Symbol", "Sk"},
    {"So", "So"},    {"Other_Symbol", "So"},
    {"Z", "Z"},      {"Separator", "Z"},
    {"Zs", "Zs"},    {"Space_Separator", "Zs"},
    {"Zl", "Zl"},    {"Line_Separator", "Zl"},
    {"Zp", "Zp"},    {"Paragraph_Separator", "Zp"},
    {"Cc", "Cc"},    {"Control", "Cc"},
    {"Cf", "Cf"},    {"Format", "Cf"},
    {"Co", "Co"},    {"Private_Use", "Co"},
    {"digit", "Nd"}, {"punct", "P"},
    {"cntrl", "Cc"},
};

std::string code_escape(char32_t code) {
  std::array<char, 16> hex{};
  const auto end =
      std::to_chars(hex.data(), hex.data() + hex.size(), static_cast<std::uint32_t>(code), 16);
  return "\\x{" + std::string(hex.data(), end.ptr) + "}";
}

bool is_letter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }

std::u32string decode(std::string_view text) {
  std::u32string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    char32_t code = size == 1 ? lead : lead & (0xffU >> (size + 1));
    for (std::size_t k = 1; k < size && i + k < text.size(); ++k)
      code = code << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3fU);
    out.push_back(code);
    i += size;
  }
  return out;
}

// What an escape stands for: one character, or the inside of a character class.
struct Escape {
  std::optional<char32_t> code;
  std::string set;
};

class Translator final {
 public:
  explicit Translator(std::string_view ecma) : text_(decode(ecma)) {}

  Result<std::string, std::string> run() {
    while (problem_.empty() && at_ < text_.size()) step();
    if (problem_.empty() && open_ != 0) fail("a parenthesis is not closed");
    if (!problem_.empty()) return Error{problem_};
    return out_;
  }

 private:
  bool fail(std::string_view sentence) {
    if (problem_.empty()) problem_ = sentence;
    return false;
  }
  char32_t peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : U'\0';
  }
  bool more() const { return at_ < text_.size(); }
  bool take(char32_t c) {
    if (!more() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take(std::u32string_view wanted) {
    if (std::u32string_view(text_).substr(at_, wanted.size()) != wanted) return false;
    at_ += wanted.size();
    return true;
  }

  void step() {
    const char32_t c = text_[at_++];
    switch (c) {
      case '^':
        out_ += "\\A";
        atom_ = false;
        return;
      case '$':
        out_ += "\\z";
        atom_ = false;
        return;
      case '|':
        out_ += '|';
        atom_ = false;
        return;
      case '(':
        group();
        return;
      case ')':
        if (open_ == 0) return void(fail("a parenthesis is closed that was never opened"));
        --open_;
        out_ += ')';
        atom_ = true;
        return;
      case '.':
        out_ += no_line_end;
        atom_ = true;
        return;
      case '[':
        character_class();
        return;
      case '*':
      case '+':
      case '?':
      case '{':
        quantifier(c);
        return;
      case ']':
      case '}':
        return void(fail("a bracket or brace stands alone: write \\] or \\} for the character"));
      case '\\':
        escape();
        return;
      default:
        literal(c);
    }
  }

  void literal(char32_t c) {
    if (is_letter(c) || is_digit(c)) {
      out_ += static_cast<char>(c);
    } else {
      out_ += code_escape(c);
    }
    atom_ = true;
  }

  void group() {
    if (++open_ > 100) return void(fail("groups are nested more than 100 deep"));
    atom_ = false;
    if (take(U"?=") || take(U"?!") || take(U"?<=") || take(U"?<!"))
      return void(fail("look-around ((?=, (?!, (?<=, (?<!) cannot be checked in linear time"));
    if (take(U"?<")) {
      group_name();
    } else if (!take(U"?:") && peek() == '?') {
      return void(fail("no kind of group begins like this one behind (?"));
    }
    out_ += "(?:";  // nothing is captured
  }

  void group_name() {
    std::u32string name;
    while (more() && peek() != '>') name += text_[at_++];
    const bool letters = std::all_of(name.begin(), name.end(), [](char32_t c) {
      return is_letter(c) || is_digit(c) || c == '_' || c == '$' || c > 0x7f;
    });
    if (!take(U'>') || name.empty() || is_digit(name[0]) || !letters)
      return void(fail("the name of a group is malformed"));
    if (!names_.insert(name).second) fail("two groups have the same name");
  }

  void quantifier(char32_t c) {
    if (!atom_) return void(fail("a quantifier (*, +, ?, {) has nothing to repeat"));
    atom_ = false;
    if (c == '{') {
      std::string bounds = "{";
      while (is_digit(peek())) bounds += static_cast<char>(text_[at_++]);
      if (bounds.size() == 1) return void(fail("behind { a number is missing"));
      if (take(U',')) {
        bounds += ',';
        while (is_digit(peek())) bounds += static_cast<char>(text_[at_++]);
      }
      if (!take(U'}')) return void(fail("a { is not closed"));
      out_ += bounds + '}';
    } else {
      out_ += static_cast<char>(c);
    }
    if (take(U'?')) out_ += '?';
  }

  void escape() {
    if (peek() == 'b' || peek() == 'B') {
      out_ += text_[at_++] == 'b' ? "\\b" : "\\B";
      atom_ = false;
      return;
    }
    if ((peek() >= '1' && peek() <= '9') || peek() == 'k')
      return void(fail("a back-reference (\\1, \\k<…>) cannot be checked in linear time"));
    const auto read = read_escape();
    if (!read) return;
    out_ += read->code ? code_escape(*read->code) : "[" + read->set + "]";
    atom_ = true;
  }

  std::optional<Escape> refuse(std::string_view sentence) {
    fail(sentence);
    return std::nullopt;
  }

  // Behind the backslash.
  std::optional<Escape> read_escape() {
    if (!more()) return refuse("the pattern ends in a backslash");
    const char32_t c = text_[at_++];
    const auto set = [](std::string_view inside) { return Escape{{}, std::string(inside)}; };
    const auto code = [](char32_t value) { return Escape{value, {}}; };
    switch (c) {
      case 'd':
        return set(digits);
      case 'D':
        return set(not_digits);
      case 'w':
        return set(word);
      case 'W':
        return set(not_word);
      case 's':
        return set(space);
      case 'S':
        return set(not_space);
      case 't':
        return code('\t');
      case 'n':
        return code('\n');
      case 'v':
        return code('\v');
      case 'f':
        return code('\f');
      case 'r':
        return code('\r');
      case '0':
        if (is_digit(peek())) return refuse("octal escapes do not exist: write \\x..");
        return code(0);
      case 'c':
        if (!is_letter(peek())) return refuse("behind \\c a letter is missing");
        return code(text_[at_++] & 0x1f);
      case 'x':
        return hex(2);
      case 'u':
        return unicode();
      case 'p':
      case 'P':
        return property(c == 'P');
      default:
        break;
    }
    if (c > 0x7f || is_letter(c) || is_digit(c) || c <= ' ')
      return refuse("an escape is none of ECMA-262's");
    return code(c);
  }

  std::optional<char32_t> hex_digits(std::size_t count) {
    char32_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const char32_t c = peek();
      const bool upper = c >= 'A' && c <= 'F';
      if (!is_digit(c) && !upper && !(c >= 'a' && c <= 'f')) return std::nullopt;
      value = value * 16 + (is_digit(c) ? c - '0' : upper ? c - 'A' + 10 : c - 'a' + 10);
      ++at_;
    }
    return value;
  }
  std::optional<Escape> hex(std::size_t count) {
    const auto value = hex_digits(count);
    if (!value) return refuse("behind \\x or \\u hexadecimal digits are missing");
    return Escape{*value, {}};
  }

  std::optional<Escape> unicode() {
    if (take(U'{')) {
      std::size_t count = 0;
      while (count < 8 && at_ + count < text_.size() && peek(count) != '}') ++count;
      const auto value = count == 0 ? std::nullopt : hex_digits(count);
      if (!value || !take(U'}') || *value > 0x10ffff || (*value >= 0xd800 && *value <= 0xdfff))
        return refuse("\\u{…} holds no code point");
      return Escape{*value, {}};
    }
    const auto first = hex(4);
    if (!first) return std::nullopt;
    if (*first->code < 0xd800 || *first->code > 0xdfff) return first;
    if (*first->code <= 0xdbff && take(U"\\u")) {
      const auto second = hex_digits(4);
      if (second && *second >= 0xdc00 && *second <= 0xdfff)
        return Escape{0x10000 + ((*first->code - 0xd800) << 10) + (*second - 0xdc00), {}};
    }
    return refuse("half of a surrogate pair can match no text");
  }

  std::optional<Escape> property(bool negated) {
    std::string name;
    if (!take(U'{')) return refuse("behind \\p a { is missing");
    while (more() && peek() != '}' && peek() < 0x80) name += static_cast<char>(text_[at_++]);
    if (!take(U'}')) return refuse("a \\p{ is not closed");
    std::string_view key = "General_Category";
    std::string_view value = name;
    const std::size_t equals = value.find('=');
    if (equals != std::string_view::npos) {
      key = value.substr(0, equals);
      value = value.substr(equals + 1);
    }
    const std::string start = negated ? "\\P{" : "\\p{";
    if (equals == std::string_view::npos) {
      if (value == "ASCII") return Escape{{}, negated ? R"(\x{80}-\x{10ffff})" : R"(\x{0}-\x{7f})"};
      if (value == "Any" && !negated) return Escape{{}, R"(\x{0}-\x{10ffff})"};
    }
    if (key == "General_Category" || key == "gc") {
      for (const auto& [known, ours] : categories) {
        if (known == value) return Escape{{}, start + std::string(ours) + "}"};
      }
    } else if (key == "Script" || key == "sc") {
      const bool plain = std::all_of(value.begin(), value.end(), [](char c) {
        return is_letter(static_cast<unsigned char>(c)) || c == '_';
      });
      // Two letters or fewer would be a category to RE2.
      if (plain && value.size() > 2 && value != "Any")
        return Escape{{}, start + std::string(value) + "}"};
    }
    return refuse("a Unicode property (\\p{…}) is not known here: use general categories, scripts");
  }

  // One character or set of a class.
  std::optional<Escape> class_atom() {
    if (!take(U'\\')) return Escape{text_[at_++], {}};
    if (take(U'b')) return Escape{U'\b', {}};
    return read_escape();
  }

  void character_class() {
    const bool negated = take(U'^');
    std::string inside;
    while (more() && peek() != ']') {
      const auto first = class_atom();
      if (!first) return;
      const bool range = peek() == '-' && peek(1) != ']' && at_ + 1 < text_.size();
      if (!range) {
        inside += first->code ? code_escape(*first->code) : first->set;
        continue;
      }
      ++at_;
      const auto last = class_atom();
      if (!last) return;
      if (!first->code || !last->code)
        return void(fail("a range in a class begins or ends in a set"));
      if (*first->code > *last->code) return void(fail("a range in a class runs backwards"));
      inside += code_escape(*first->code) + "-" + code_escape(*last->code);
    }
    if (!take(U']')) return void(fail("a [ is not closed"));
    atom_ = true;
    if (inside.empty()) {
      out_ += negated ? R"([\x{0}-\x{10ffff}])" : R"([^\x{0}-\x{10ffff}])";
    } else {
      out_ += (negated ? "[^" : "[") + inside + "]";
    }
  }

  std::u32string text_;
  std::size_t at_ = 0;
  std::string out_;
  std::string problem_;
  std::set<std::u32string> names_;
  std::size_t open_ = 0;
  bool atom_ = false;  // what was written last can be repeated
};

}  // namespace

Result<std::string, std::string> translate_pattern(std::string_view ecma) {
  if (!is_valid_utf8(ecma)) return Error{std::string("it is no UTF-8")};
  return Translator(ecma).run();
}

Pattern::Pattern(std::unique_ptr<re2::RE2> expression)
    : expression_(std::move(expression)),
      weight_(64 + static_cast<std::size_t>(std::max(0, expression_->ProgramSize()))) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern, std::string> Pattern::compile(std::string_view ecma, std::size_t max_bytes,
                                              std::size_t max_memory, Case letters) {
  if (ecma.size() > max_bytes)
    return Error{"it is longer than " + std::to_string(max_bytes) + " bytes"};
  auto translated = translate_pattern(ecma);
  if (!translated) return Error{translated.error()};
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_case_sensitive(letters == Case::exact);
  options.set_max_mem(static_cast<std::int64_t>(max_memory));
  auto expression = std::make_unique<re2::RE2>(*translated, options);
  if (!expression->ok()) {
    switch (expression->error_code()) {
      case re2::RE2::ErrorPatternTooLarge:
        return Error{"it needs more memory than " + std::to_string(max_memory) + " bytes"};
      case re2::RE2::ErrorRepeatSize:
        return Error{std::string("it repeats more than 1000 times, or {m,n} runs backwards")};
      default:
        return Error{"it cannot be run: " + expression->error()};
    }
  }
  Pattern out(std::move(expression));
  if (letters == Case::exact) out.plain_ = PlainPattern::parse(ecma);
  return out;
}

bool Pattern::search(std::string_view text) const {
  if (plain_) return plain_->matches(text);
  return expression_->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(),
                            re2::RE2::UNANCHORED, nullptr, 0);
}

}  // namespace moat::validate::schema
