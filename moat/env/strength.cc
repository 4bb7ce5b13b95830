// SPDX-License-Identifier: Apache-2.0
#include "moat/env/strength.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>
#include <string>
#include <vector>

#include "moat/base/encoding.h"
#include "moat/base/secret.h"

namespace moat::env {

namespace {

// The words of which examples, templates and tutorials make their secrets, the longer ones first.
// Chosen by reading such examples; jwt.io's and common frameworks' defaults are made of them.
constexpr std::array<std::string_view, 79> sample_words = {
    "placeholder", "production",  "characters", "development", "environment",  "replaceme",
    "changethis",  "supersecret", "generated",  "configure",   "reallysecret", "application",
    "signature",   "encryption",  "generate",   "password",    "changeme",     "passwort",
    "insecure",    "keyboard",    "security",   "template",    "unsecure",     "private",
    "example",     "replace",     "default",    "session",     "letmein",      "welcome",
    "refresh",     "minimum",     "signing",    "express",     "django",       "secret",
    "change",      "string",      "random",     "secure",      "access",       "qwerty",
    "dragon",      "monkey",      "master",     "laravel",     "cookie",       "strong",
    "sample",      "server",      "please",     "before",      "should",       "least",
    "super",       "token",       "admin",      "hmac",        "must",         "long",
    "your",        "here",        "this",       "test",        "bits",         "very",
    "pass",        "todo",        "demo",       "user",        "foobar",       "jwt",
    "key",         "256",         "512",        "cat",         "api",          "app",
    "not"};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// How many letters and digits remain when every sample word is taken out.
std::size_t own_characters(std::string_view secret) {
  std::string text;
  for (const char c : secret) {
    if (is_letter_or_digit(c)) text.push_back(lower(c));
  }
  std::vector<bool> covered(text.size(), false);
  for (const std::string_view word : sample_words) {
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
      std::fill_n(covered.begin() + static_cast<std::ptrdiff_t>(at), word.size(), true);
  }
  wipe(text);
  return static_cast<std::size_t>(std::count(covered.begin(), covered.end(), false));
}

bool is_text(std::string_view secret) {
  return std::all_of(secret.begin(), secret.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// The length of the shortest block that the text repeats from its beginning to its end (Knuth,
// Morris and Pratt's failure function).
std::size_t shortest_period(std::string_view text) {
  std::vector<std::size_t> border(text.size(), 0);
  for (std::size_t i = 1; i < text.size(); ++i) {
    std::size_t length = border[i - 1];
    while (length > 0 && text[i] != text[length]) length = border[length - 1];
    border[i] = text[i] == text[length] ? length + 1 : 0;
  }
  return text.size() - border.back();
}

// How many bytes follow from the one before: the same, the next or the previous in ASCII, or the
// neighbour on a keyboard.
std::size_t predictable_steps(std::string_view text) {
  constexpr std::string_view rows = "1234567890 qwertyuiop asdfghjkl zxcvbnm qwertzuiop yxcvbnm";
  std::size_t count = 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const std::array<char, 2> pair = {lower(text[i - 1]), lower(text[i])};
    const int step = pair[1] - pair[0];
    const bool neighbours = rows.find(std::string_view(pair.data(), 2)) != std::string_view::npos;
    if ((step >= -1 && step <= 1) || neighbours) ++count;
  }
  return count;
}

std::size_t distinct_bytes(std::string_view text) {
  std::bitset<256> seen;
  for (const char c : text) seen.set(static_cast<unsigned char>(c));
  return seen.count();
}

}  // namespace

std::string_view to_string(Weakness weakness) {
  switch (weakness) {
    case Weakness::too_short:
      return "too_short";
    case Weakness::sample:
      return "sample";
    case Weakness::repetitive:
      return "repetitive";
    case Weakness::few_symbols:
      return "few_symbols";
  }
  return "unknown";
}

Result<void, Weakness> check_secret_strength(std::string_view secret, std::size_t min_bytes) {
  if (secret.empty() || secret.size() < min_bytes) return Error{Weakness::too_short};
  secret = secret.substr(0, 4096);
  // Of 32 random hexadecimal digits some 14 differ, and fewer than 8 less than once in 10^9.
  const std::size_t wanted = std::min<std::size_t>(8, (secret.size() + 1) / 2);
  if (distinct_bytes(secret) < wanted) return Error{Weakness::few_symbols};
  if (shortest_period(secret) <= secret.size() / 2) return Error{Weakness::repetitive};
  // A random hexadecimal text has a quarter of such steps, a base64 text a tenth.
  if (predictable_steps(secret) * 2 > secret.size()) return Error{Weakness::repetitive};
  const std::size_t own = std::min<std::size_t>(16, secret.size() / 2);
  if (is_text(secret) && own_characters(secret) < own) return Error{Weakness::sample};
  return {};
}

bool names_secret(std::string_view key) {
  constexpr std::array<std::string_view, 11> parts = {
      "secret",  "password", "passwd", "passphrase", "token",         "credential",
      "private", "api_key",  "apikey", "auth_key",   "encryption_key"};
  constexpr std::array<std::string_view, 6> ends = {"_key", "_pwd",  "_pass",
                                                    "_dsn", "_salt", "_pepper"};
  std::string name = ascii_lower(key);
  std::replace(name.begin(), name.end(), '-', '_');
  const auto ends_with = [&](std::string_view end) {
    return name.size() >= end.size() &&
           name.compare(name.size() - end.size(), end.size(), end) == 0;
  };
  // PATH_FILE names a place, and a public key is meant to be seen.
  if (ends_with("_file") || name.find("public") != std::string::npos) return false;
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return name.find(part) != std::string::npos; }) ||
         std::any_of(ends.begin(), ends.end(), ends_with);
}

}  // namespace moat::env
