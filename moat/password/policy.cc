// SPDX-License-Identifier: Apache-2.0
#include "moat/password/policy.h"

#include <algorithm>
#include <vector>

#include "moat/base/encoding.h"
#include "moat/base/secret.h"
#include "moat/password/internal/patterns.h"

namespace moat::password {
namespace {

using internal::distinct_bytes;
using internal::effective_length;
using internal::plain_spelling;
using internal::repeated_unit;
using internal::without_padding;

constexpr std::size_t floor_code_points = 8;
constexpr std::size_t floor_max_bytes = 256;
constexpr std::size_t least_effective = 6;  // fewer unforeseeable characters are no password
constexpr std::size_t shortest_unit = 8;    // a shorter text repeated is no password either
constexpr std::size_t few_distinct = 3;
constexpr std::size_t shortest_word = 4;

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
}

// One entry of the list, or two of them in a row. Two of 100000 words are 33 bits; three are taken.
bool is_one_or_two_words(std::string_view text) {
  if (is_common_password(text)) return true;
  if (text.size() > 64) return false;
  for (std::size_t at = shortest_word; at + shortest_word <= text.size(); ++at)
    if (is_common_password(text.substr(0, at)) && is_common_password(text.substr(at))) return true;
  return false;
}

// On the list as it is, or respelled, repeated or padded.
bool is_derived_from_common(std::string_view lower) {
  const auto core = repeated_unit(without_padding(lower));
  if (core.size() < shortest_word) return false;
  std::string plain = plain_spelling(core);
  const bool found = is_common_password(lower) || is_one_or_two_words(core) ||
                     is_one_or_two_words(repeated_unit(plain));
  wipe(plain);
  return found;
}

// Splits at everything that is neither letter nor digit; bytes beyond ASCII count as letters.
void add_pieces(std::string_view text, std::vector<std::string>& words) {
  std::string piece;
  const auto flush = [&] {
    if (piece.size() >= shortest_word) words.push_back(piece);
    piece.clear();
  };
  for (const char c : text) {
    const bool inside = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c & 0x80) != 0;
    if (inside)
      piece += c;
    else
      flush();
  }
  flush();
}

// The context as lower-case words, the longest first.
std::vector<std::string> words_of(const Context& context) {
  std::vector<std::string> words;
  const std::string email = ascii_lower(context.email);
  const auto at = std::min(email.find('@'), email.size());
  const auto dot = email.rfind('.');
  words.push_back(email);
  words.push_back(email.substr(0, at));
  add_pieces(email.substr(0, at), words);
  if (dot != std::string::npos && dot > at) {  // the last label says nothing about anyone
    words.push_back(email.substr(at + 1));
    add_pieces(email.substr(at + 1, dot - at - 1), words);
  }
  for (const auto word : context.words) {
    const std::string lower = ascii_lower(word);
    words.push_back(lower);
    add_pieces(lower, words);
  }
  const auto shorter = [](const std::string& word) { return word.size() < 3; };
  words.erase(std::remove_if(words.begin(), words.end(), shorter), words.end());
  std::sort(words.begin(), words.end(),
            [](const auto& a, const auto& b) { return a.size() > b.size(); });
  return words;
}

// Removes every occurrence of `word`; whether there was one.
bool cut(std::string& text, std::string_view word) {
  bool found = false;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at)) {
    text.erase(at, word.size());
    found = true;
  }
  return found;
}

// What is left of the password without the words that an attacker knows is no password by itself.
bool is_made_of_context(std::string_view lower, const Context& context) {
  std::string rest(lower);
  std::string plain = plain_spelling(lower);
  bool found = false;
  bool found_plain = false;
  for (const auto& word : words_of(context)) {
    found |= cut(rest, word);
    found_plain |= cut(plain, word);
  }
  const auto weak = [](std::string_view text) {
    return effective_length(text) < least_effective || is_derived_from_common(text);
  };
  const bool made = (found && weak(rest)) || (found_plain && weak(plain));
  wipe(rest);
  wipe(plain);
  return made;
}

// Repetition is judged in ASCII only: that is what guessing lists hold, and in other scripts it
// says little (a letter may be several code points).
bool is_repetitive(std::string_view lower) {
  if (!is_ascii(lower)) return false;
  return distinct_bytes(lower) <= few_distinct || repeated_unit(lower).size() < shortest_unit;
}

Result<void, PolicyRefusal> judge(std::string_view lower, const Context& context) {
  if (is_common_password(lower)) return Error{PolicyRefusal::common};
  if (is_repetitive(lower)) {
    return Error{is_derived_from_common(lower) ? PolicyRefusal::common : PolicyRefusal::repetitive};
  }
  if (is_ascii(lower) && effective_length(lower) < least_effective)
    return Error{PolicyRefusal::sequence};
  if (is_made_of_context(lower, context)) return Error{PolicyRefusal::context};
  if (is_derived_from_common(lower)) return Error{PolicyRefusal::common};
  return {};
}

}  // namespace

std::string_view to_string(PolicyRefusal refusal) {
  switch (refusal) {
    case PolicyRefusal::too_short:
      return "too_short";
    case PolicyRefusal::too_long:
      return "too_long";
    case PolicyRefusal::invalid_utf8:
      return "invalid_utf8";
    case PolicyRefusal::common:
      return "common";
    case PolicyRefusal::context:
      return "context";
    case PolicyRefusal::repetitive:
      return "repetitive";
    case PolicyRefusal::sequence:
      return "sequence";
  }
  return "unknown";
}

std::string_view to_string(OptionsRefusal refusal) {
  switch (refusal) {
    case OptionsRefusal::min_below_floor:
      return "min_below_floor";
    case OptionsRefusal::max_below_floor:
      return "max_below_floor";
  }
  return "unknown";
}

Result<Policy, OptionsRefusal> Policy::create(const PolicyOptions& options) {
  if (options.min_code_points < floor_code_points ||
      options.min_with_second_factor < floor_code_points)
    return Error{OptionsRefusal::min_below_floor};
  const std::size_t longest = std::max(options.min_code_points, options.min_with_second_factor);
  if (options.max_bytes < floor_max_bytes || options.max_bytes / 4 < longest)
    return Error{OptionsRefusal::max_below_floor};
  return Policy(options);
}

Result<void, PolicyRefusal> Policy::check(std::string_view password, const Context& context,
                                          SecondFactor factor) const {
  if (password.size() > options_.max_bytes) return Error{PolicyRefusal::too_long};
  const auto code_points = count_code_points(password);
  if (!code_points) return Error{PolicyRefusal::invalid_utf8};
  const std::size_t least =
      factor == SecondFactor::enforced ? options_.min_with_second_factor : options_.min_code_points;
  if (*code_points < least) return Error{PolicyRefusal::too_short};
  std::string lower = ascii_lower(password);
  auto verdict = judge(lower, context);
  wipe(lower);
  return verdict;
}

std::string Policy::sentence(PolicyRefusal refusal, SecondFactor factor) const {
  const std::size_t least =
      factor == SecondFactor::enforced ? options_.min_with_second_factor : options_.min_code_points;
  switch (refusal) {
    case PolicyRefusal::too_short:
      return "Use at least " + std::to_string(least) +
             " characters. Three or four unrelated words are easy to remember and hard to guess.";
    case PolicyRefusal::too_long:
      return "Use at most " + std::to_string(options_.max_bytes / 4) + " characters.";
    case PolicyRefusal::invalid_utf8:
      return "The password contains characters that could not be read. Type it again.";
    case PolicyRefusal::common:
      return "This password is too easy to guess: it is made of a common password or of one or "
             "two common words. Add unrelated words.";
    case PolicyRefusal::context:
      return "This password is too easy to guess: it is made of your e-mail address or of the "
             "name of this site. Choose words that have nothing to do with either.";
    case PolicyRefusal::repetitive:
      return "This password is too easy to guess: it repeats the same characters. Choose several "
             "unrelated words.";
    case PolicyRefusal::sequence:
      return "This password is too easy to guess: it follows the alphabet, the digits or the "
             "keys of a keyboard. Choose several unrelated words.";
  }
  return "Choose another password.";
}

}  // namespace moat::password
