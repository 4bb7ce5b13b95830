// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/locales.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "moat/base/encoding.h"
#include "moat/validate/internal/ascii.h"

namespace moat::validate {
namespace {

using internal::all;
using internal::is_alnum;
using internal::is_digit;
using internal::is_letter;

// RFC 5646 section 2.1, irregular; the regular ones read as any other tag.
constexpr std::string_view irregular[] = {
    "en-GB-oed", "i-ami", "i-bnn",     "i-default", "i-enochian", "i-hak",
    "i-klingon", "i-lux", "i-mingo",   "i-navajo",  "i-pwn",      "i-tao",
    "i-tay",     "i-tsu", "sgn-BE-FR", "sgn-BE-NL", "sgn-CH-DE"};

// The subtags of a tag. There are at most fifty in a hundred bytes.
class Subtags final {
 public:
  Subtags(std::string_view text, char separator) {
    bool more = true;
    while (more) {
      const auto part = internal::take_until(text, separator, more);
      good_ = good_ && !part.empty() && part.size() <= 8 && all(part, is_alnum) &&
              size_ < parts_.size();
      if (!good_) return;
      parts_[size_++] = part;
    }
  }
  bool good() const { return good_; }
  bool done() const { return at_ == size_; }
  std::string_view peek() const { return done() ? std::string_view() : parts_[at_]; }
  void next() { ++at_; }
  // Takes the next subtag if it is of letters, so many of them.
  bool take_letters(std::size_t size) {
    const bool takes = peek().size() == size && all(peek(), is_letter);
    at_ += takes ? 1 : 0;
    return takes;
  }
  // Whether the next subtag stands among those before it, from `first` on.
  bool is_repeated(std::size_t first) const {
    return std::any_of(parts_.begin() + static_cast<std::ptrdiff_t>(first),
                       parts_.begin() + static_cast<std::ptrdiff_t>(at_),
                       [&](std::string_view part) { return ascii_iequals(part, peek()); });
  }
  std::size_t position() const { return at_; }

 private:
  std::array<std::string_view, 51> parts_{};
  std::size_t size_ = 0;
  std::size_t at_ = 0;
  bool good_ = true;
};

bool is_variant(std::string_view part) {
  return part.size() >= 5 || (part.size() == 4 && is_digit(part[0]));
}

bool take_language(Subtags& tags) {
  const auto language = tags.peek();
  if (language.size() < 2 || !all(language, is_letter)) return false;
  tags.next();
  // Three extended language subtags at most, behind the shortest codes only.
  for (int i = 0; language.size() <= 3 && i < 3 && tags.take_letters(3);) ++i;
  return true;
}

void take_region(Subtags& tags) {
  if (tags.take_letters(2)) return;
  if (tags.peek().size() == 3 && all(tags.peek(), is_digit)) tags.next();
}

bool take_variants(Subtags& tags) {
  const auto first = tags.position();
  for (; is_variant(tags.peek()); tags.next())
    if (tags.is_repeated(first)) return false;
  return true;
}

// "x" and whatever is left, one subtag at least.
bool take_private(Subtags& tags) {
  tags.next();
  const bool any = !tags.done();
  while (!tags.done()) tags.next();
  return any;
}

bool is_singleton(std::string_view part, char letter) {
  return part.size() == 1 && internal::to_lower(part[0]) == letter;
}

bool take_extensions(Subtags& tags) {
  std::array<bool, 128> seen{};
  while (tags.peek().size() == 1 && !is_singleton(tags.peek(), 'x')) {
    bool& once = seen[static_cast<unsigned char>(internal::to_lower(tags.peek()[0]))];
    if (once) return false;
    once = true;
    tags.next();
    if (tags.peek().size() < 2) return false;
    while (tags.peek().size() >= 2) tags.next();
  }
  return true;
}

bool is_bcp47(std::string_view text) {
  Subtags tags(text, '-');
  if (!tags.good()) return false;
  if (std::any_of(std::begin(irregular), std::end(irregular),
                  [&](std::string_view tag) { return ascii_iequals(tag, text); }))
    return true;
  if (is_singleton(tags.peek(), 'x')) return take_private(tags);
  if (!take_language(tags)) return false;
  tags.take_letters(4);  // the script
  take_region(tags);
  if (!take_variants(tags) || !take_extensions(tags)) return false;
  return tags.done() || (is_singleton(tags.peek(), 'x') && take_private(tags));
}

// language_REGION and variants.
bool is_posix(std::string_view text) {
  Subtags tags(text, '_');
  if (!tags.good() || (!tags.take_letters(2) && !tags.take_letters(3))) return false;
  const auto language = tags.position();
  take_region(tags);
  return tags.position() > language && take_variants(tags) && tags.done();
}

}  // namespace

bool is_locale(std::string_view text, const LocaleOptions& options) {
  if (text.size() > 100) return false;
  return is_bcp47(text) || (options.allow_underscores && is_posix(text));
}

}  // namespace moat::validate
