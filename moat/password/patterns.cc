// SPDX-License-Identifier: Apache-2.0
#include "moat/password/internal/patterns.h"

#include <array>
#include <bitset>
#include <cstdint>

namespace moat::password::internal {
namespace {

// Ways in which one character may follow another; a set of them as bits.
using Ways = std::uint8_t;
constexpr Ways same = 1, up = 2, down = 4, right = 8, left = 16;
constexpr std::size_t max_run_padding = 4;

// Rows and columns of keyboards, as a finger walks them (QWERTY, QWERTZ, AZERTY).
constexpr std::string_view rows[] = {"1234567890", "!@#$%^&*()", "qwertyuiop[]", "asdfghjkl;'",
                                     "zxcvbnm,./", "qwertzuiop", "yxcvbnm",      "azertyuiop",
                                     "qsdfghjklm", "wxcvbn",     "1qaz",         "2wsx",
                                     "3edc",       "4rfv",       "5tgb",         "6yhn",
                                     "7ujm",       "8ik,",       "9ol.",         "0p;/"};

using Table = std::array<std::array<Ways, 128>, 128>;

constexpr Table make_table() {
  Table table{};
  for (std::size_t c = 0; c < 128; ++c) table[c][c] = same;
  const auto link = [&table](char from, char to, Ways there, Ways back) {
    auto& forward = table[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
    auto& backward = table[static_cast<std::size_t>(to)][static_cast<std::size_t>(from)];
    forward = static_cast<Ways>(forward | there);
    backward = static_cast<Ways>(backward | back);
  };
  for (char c = 'a'; c < 'z'; ++c) link(c, static_cast<char>(c + 1), up, down);
  for (char c = '0'; c < '9'; ++c) link(c, static_cast<char>(c + 1), up, down);
  link('9', '0', up, down);
  for (const auto row : rows)
    for (std::size_t i = 1; i < row.size(); ++i) link(row[i - 1], row[i], right, left);
  return table;
}
constexpr Table ways_table = make_table();

Ways ways(char from, char to) {
  const auto a = static_cast<unsigned char>(from);
  const auto b = static_cast<unsigned char>(to);
  return a < 128 && b < 128 ? ways_table[a][b] : Ways{0};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return c >= 'a' && c <= 'z'; }
// Bytes beyond ASCII belong to letters here: they are never padding.
bool is_padding(char c) { return static_cast<unsigned char>(c) < 128 && !is_letter(c); }

// 1900 to 2099.
bool is_year(std::string_view text) {
  return text.size() >= 4 && (text.substr(0, 2) == "19" || text.substr(0, 2) == "20") &&
         is_digit(text[2]) && is_digit(text[3]);
}

// The length of the run that `text` starts with; at least 1.
std::size_t run(std::string_view text) {
  std::size_t length = 1;
  Ways common = 0xff;
  while (length < text.size()) {
    common = static_cast<Ways>(common & ways(text[length - 1], text[length]));
    if (common == 0) break;
    ++length;
  }
  return length;
}

}  // namespace

std::size_t effective_length(std::string_view text) {
  std::size_t length = 0;
  while (!text.empty()) {
    std::size_t step = run(text);
    if (step < 3) step = is_year(text) ? 4 : 1;
    text.remove_prefix(step);
    ++length;
  }
  return length;
}

std::string_view repeated_unit(std::string_view text) {
  for (std::size_t period = 1; period <= text.size() / 2; ++period)
    if (text.substr(period) == text.substr(0, text.size() - period)) return text.substr(0, period);
  return text;
}

std::size_t distinct_bytes(std::string_view text) {
  std::bitset<256> seen;
  for (const char c : text) seen.set(static_cast<unsigned char>(c));
  return seen.count();
}

std::string_view without_padding(std::string_view text) {
  std::size_t begin = 0;
  std::size_t end = text.size();
  while (begin < end && is_padding(text[begin])) ++begin;
  while (end > begin && is_padding(text[end - 1])) --end;
  const std::size_t worth =
      effective_length(text.substr(0, begin)) + effective_length(text.substr(end));
  return worth <= max_run_padding ? text.substr(begin, end - begin) : text;
}

std::string plain_spelling(std::string_view text) {
  static constexpr std::string_view written = "013457@$!";
  static constexpr std::string_view meant = "oleastasi";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (const auto at = written.find(c); at != std::string_view::npos)
      out += meant[at];
    else if (!is_padding(c) || is_digit(c))
      out += c;
  }
  return out;
}

}  // namespace moat::password::internal
