// SPDX-License-Identifier: Apache-2.0
// 7. Secrets. In Node: dotenv.config(), then process.env.JWT_SECRET and process.env.PORT.
// Reads .env in the working directory, which only its owner may read (chmod 600 .env).
#include <cstdio>

#include "moat/sources/files.h"

using namespace moat;

int fail(const env::Problem& problem) {
  std::fprintf(stderr, "%s\n", problem.to_string().c_str());  // names file, line and key; no value
  return 1;
}

int main() {
  // [readme]
  auto settings = sources::load_dotenv();  // .env and .env.local, the process environment above
  if (!settings) return fail(settings.error());
  auto secret = settings->secret("JWT_SECRET");  // strong, given once, or from JWT_SECRET_FILE
  if (!secret) return fail(secret.error());
  auto port = settings->integer("PORT", 1, 65535, 8443);
  if (!port) return fail(port.error());
  // [/readme]
  std::printf("JWT_SECRET: %zu bytes from %s\n", secret->size(),
              settings->place("JWT_SECRET")->to_string().c_str());
  std::printf("PORT: %lld\n", static_cast<long long>(*port));
}
