// SPDX-License-Identifier: Apache-2.0
// 4. JWT used securely. In Node:
//   const token = jwt.sign({userId: 123}, secret, {expiresIn: "1h"});
//   const user = jwt.verify(token, secret);
#include <cstdio>
#include <string>

#include "moat/jwt/jwt.h"

using namespace moat;

void say(const char* what, const Result<jwt::Verified, jwt::Refusal>& user) {
  if (!user) {
    std::printf("%s: refused, %s\n", what, std::string(jwt::to_string(user.error())).c_str());
    return;
  }
  std::printf("%s: user %s\n", what, json::serialize(*user->claim("userId")).c_str());
}

int main() {
  std::string random = system_random().token();  // 32 random bytes: keep them in .env, not in code
  const Secret secret = Secret::take(random);
  // [readme]
  auto token = jwt::sign({{"userId", 123}}, secret, {.expires_in = "1h"});
  if (!token) return 1;  // a weak secret, or a lifetime above a day
  auto user = jwt::verify(*token, secret);
  // [/readme]
  say("the token", user);
  say("altered", jwt::verify(*token + "A", secret));
  // {"alg":"none"}, {"userId":1,"exp":9999999999} and no signature
  say("unsigned",
      jwt::verify("eyJhbGciOiJub25lIn0.eyJ1c2VySWQiOjEsImV4cCI6OTk5OTk5OTk5OX0.", secret));
  std::string other = system_random().token();
  say("another secret", jwt::verify(*token, Secret::take(other)));
  auto weak = jwt::sign({{"userId", 123}}, Secret::copy_of("secret"), {.expires_in = "1h"});
  std::printf("signed with \"secret\": %s\n", weak ? "yes" : "refused");
}
