// SPDX-License-Identifier: Apache-2.0
// 2. Validate and sanitize. In Node:
//   if (!validator.isEmail(email)) return res.status(400).send("Invalid Email");
#include <cstdio>
#include <string>

#include "moat/validate/email.h"
#include "moat/validate/strings.h"

using namespace moat;

struct Answer {
  int status;
  std::string body;
};

Answer sign_up(std::string_view email) {
  // [readme]
  if (!validate::is_email(email)) return {400, "Invalid Email"};
  const auto address = validate::Email::parse(email);  // or why not: address.error()
  return {200, "Welcome, " + validate::escape_html(address->lookup_key())};
  // [/readme]
}

int main() {
  for (const char* email : {"Ada@Example.com", "tom&jerry@example.com", "ada@", "ada@localhost",
                            "a b@example.com", "ada@example.com\r\nBcc: all@example.com"}) {
    const Answer answer = sign_up(email);
    std::printf("%d %s\n", answer.status, answer.body.c_str());
  }
}
