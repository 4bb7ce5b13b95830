// SPDX-License-Identifier: Apache-2.0
// 3. Hash passwords. In Node:
//   const hash = await bcrypt.hash(password, 10);
//   const same = await bcrypt.compare(password, hash);
#include <cstdio>
#include <string>

#include "moat/password/hasher.h"

using namespace moat;

// A stored hash is what the database keeps: it changes when the password is checked at a login.
bool log_in(password::Hasher& hasher, std::string& stored, std::string_view password) {
  // [readme 2]
  const auto match = hasher.verify(stored, password);  // Argon2 and bcrypt hashes alike
  if (!match || !match->matches) return false;
  if (match->needs_rehash) stored = hasher.hash(password).value_or(stored);  // bcrypt to Argon2id
  return true;
  // [/readme]
}

int main() {
  const std::string_view password = "correct horse battery staple";
  // [readme]
  auto hasher = password::Hasher::standard(system_random());          // Argon2id, 19 MiB, t=2
  auto hash = hasher.hash(password);                                  // $argon2id$v=19$m=19456…
  auto older = password::bcrypt_hash(password, 10, system_random());  // $2b$10$…
  // [/readme]
  if (!hash || !older) return 1;
  std::printf("argon2id: %.30s…\n", hash->c_str());
  std::printf("bcrypt: %.7s…\n", older->c_str());
  std::printf("right password: %s\n", log_in(hasher, *hash, password) ? "yes" : "no");
  std::printf("wrong password: %s\n", log_in(hasher, *hash, "correct horse") ? "yes" : "no");
  // Named first: the call may replace the stored hash, and arguments have no order of evaluation.
  const bool guess = log_in(hasher, *older, "guess");
  std::printf("bcrypt, wrong: %s, still %.4s\n", guess ? "yes" : "no", older->c_str());
  const bool right = log_in(hasher, *older, password);
  std::printf("bcrypt, right: %s, now %.9s\n", right ? "yes" : "no", older->c_str());
}
