// SPDX-License-Identifier: Apache-2.0
#include <crypt.h>
#include <string.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "moat/base/secret.h"
#include "moat/password/hasher.h"
#include "moat/password/internal/bcrypt.h"

namespace moat::password {
namespace {

constexpr std::size_t setting_size = 29;  // "$2b$12$" and 22 characters of salt
constexpr std::size_t hash_size = 60;
constexpr std::size_t max_password = 72;

// libxcrypt's scratch memory; it held the password, so it is wiped.
struct Scratch {
  crypt_data data{};
  Scratch() = default;
  Scratch(const Scratch&) = delete;  // holds a password
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { explicit_bzero(&data, sizeof data); }
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_bcrypt_base64(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '/';
}

// bcrypt reads 72 bytes and stops at a NUL: two passwords that differ behind those would be one.
Result<void, Refusal> check_password(std::string_view password) {
  if (password.size() > max_password) return Error{Refusal::too_long};
  if (password.find('\0') != std::string_view::npos) return Error{Refusal::contains_nul};
  return {};
}

Result<std::string, Refusal> run_crypt(std::string_view setting, std::string_view password) {
  const auto scratch = std::make_unique<Scratch>();
  // The library wants both to end in NUL.
  std::array<char, max_password + 1> phrase{};
  password.copy(phrase.data(), max_password);
  std::array<char, hash_size + 1> set{};
  setting.copy(set.data(), hash_size);
  // "$2a$" and "$2y$" name the same algorithm. Given "$2a$", libxcrypt computes something else for
  // some passwords beyond ASCII, as a guard against hashes of a broken version from before 2011,
  // and right hashes of other libraries would not verify.
  set[2] = 'b';
  const char* made = crypt_rn(phrase.data(), set.data(), &scratch->data, sizeof scratch->data);
  explicit_bzero(phrase.data(), phrase.size());
  if (made == nullptr || std::string_view(made).size() != hash_size)
    return Error{Refusal::malformed};
  return std::string(made);
}

}  // namespace

namespace internal {

std::optional<unsigned> bcrypt_cost(std::string_view stored) {
  if (stored.size() != hash_size) return std::nullopt;
  const auto prefix = stored.substr(0, 4);
  if (prefix != "$2a$" && prefix != "$2b$" && prefix != "$2y$") return std::nullopt;
  if (!is_digit(stored[4]) || !is_digit(stored[5]) || stored[6] != '$') return std::nullopt;
  for (const char c : stored.substr(7))
    if (!is_bcrypt_base64(c)) return std::nullopt;
  const auto cost = static_cast<unsigned>((stored[4] - '0') * 10 + (stored[5] - '0'));
  if (cost < 4 || cost > 31) return std::nullopt;
  return cost;
}

Result<bool, Refusal> bcrypt_verify(std::string_view stored, std::string_view password) {
  if (auto good = check_password(password); !good) return Error{good.error()};
  MOAT_TRY(const std::string made, run_crypt(stored, password));
  // Only the digest is compared: some writers leave stray bits in the last character of the salt.
  return constant_time_equal(std::string_view(made).substr(setting_size),
                             stored.substr(setting_size));
}

}  // namespace internal

Result<std::string, Refusal> bcrypt_hash(std::string_view password, unsigned cost, Random& random) {
  if (cost < 10) return Error{Refusal::unsupported};
  if (cost > 14) return Error{Refusal::too_costly};
  if (auto good = check_password(password); !good) return Error{good.error()};
  const std::string salt = random.bytes(16);
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
  if (crypt_gensalt_rn("$2b$", cost, salt.data(), static_cast<int>(salt.size()), setting.data(),
                       static_cast<int>(setting.size())) == nullptr)
    return Error{Refusal::malformed};
  return run_crypt(setting.data(), password);
}

}  // namespace moat::password
