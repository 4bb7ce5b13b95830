// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bitset>

#include "moat/base/encoding.h"
#include "moat/jwt/internal/material.h"

namespace moat::jwt::internal {

namespace {

// Words that stand in samples and in nobody's random secret: a random text of 43 base64url
// characters contains a given one of six letters, in any case, once in twenty million.
constexpr std::array sample_words{std::string_view("secret"),      std::string_view("password"),
                                  std::string_view("passphrase"),  std::string_view("changeme"),
                                  std::string_view("change-me"),   std::string_view("change_me"),
                                  std::string_view("change me"),   std::string_view("change-this"),
                                  std::string_view("change_this"), std::string_view("replace"),
                                  std::string_view("example"),     std::string_view("default"),
                                  std::string_view("qwerty"),      std::string_view("abcdef"),
                                  std::string_view("123456"),      std::string_view("your-256"),
                                  std::string_view("your_jwt"),    std::string_view("your-jwt"),
                                  std::string_view("placeholder"), std::string_view("letmein"),
                                  std::string_view("insecure"),    std::string_view("sample"),
                                  std::string_view("shhhh"),       std::string_view("keyboard cat"),
                                  std::string_view("super-"),      std::string_view("jwt-key"),
                                  std::string_view("jwt_key")};

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// Whether the text is one piece of at most half its length again and again.
bool repeats(std::string_view text) {
  for (std::size_t period = 1; period <= text.size() / 2; ++period) {
    if (text.substr(period) == text.substr(0, text.size() - period)) return true;
  }
  return false;
}

// Whether the bytes go up or down by one fixed step: 00 01 02 …, "abcdef…".
bool steps(std::string_view text) {
  for (std::size_t i = 2; i < text.size(); ++i) {
    if (static_cast<unsigned char>(text[i] - text[i - 1]) !=
        static_cast<unsigned char>(text[1] - text[0])) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool looks_like_pem(std::string_view secret) {
  return secret.find("-----BEGIN ") != std::string_view::npos || secret.substr(0, 4) == "ssh-";
}

bool is_guessable(std::string_view secret) {
  if (looks_like_pem(secret) || repeats(secret) || steps(secret)) return true;
  std::bitset<256> seen;
  for (const char c : secret) seen.set(static_cast<unsigned char>(c));
  // 32 random bytes have 30 different ones, 32 random hex digits 14; under 10 is no accident.
  if (seen.count() < 10) return true;
  if (!is_printable(secret)) return false;
  const std::string lower = ascii_lower(secret);
  return std::any_of(sample_words.begin(), sample_words.end(),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

bool has_roca_fingerprint(const BIGNUM* modulus) {
  // The flawed library made primes of the form k*M + (65537^a mod M), M the product of the first
  // primes. So the modulus is a power of 65537 modulo each of them, which chance brings about once
  // in 2^27.
  for (unsigned prime = 3; prime <= 167; prime += 2) {
    bool is_prime = true;
    for (unsigned d = 3; d * d <= prime; d += 2) is_prime = is_prime && prime % d != 0;
    if (!is_prime) continue;
    std::bitset<168> powers;
    const unsigned generator = 65537 % prime;
    for (unsigned power = 1; !powers.test(power); power = power * generator % prime) {
      powers.set(power);
    }
    if (!powers.test(static_cast<std::size_t>(BN_mod_word(modulus, prime)))) return false;
  }
  return true;
}

void wipe_strings(json::Value& value) {
  struct Walk {
    static void visit(const json::Value& at) {
      if (const std::string* text = at.as_string()) {
        // The value is not const, only the views that it gives out are.
        wipe(const_cast<std::string&>(*text));  // lint: allow(cast) no other way in to wipe it
      }
      if (const json::Array* array = at.as_array()) {
        for (const json::Value& element : *array) visit(element);
      }
      if (const json::Object* object = at.as_object()) {
        for (const json::Member& member : *object) visit(member.second);
      }
    }
  };
  Walk::visit(value);
}

}  // namespace moat::jwt::internal
