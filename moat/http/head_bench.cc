// SPDX-License-Identifier: Apache-2.0
// What does parsing one typical head cost? 10 fields, a cookie of 400 bytes, some 750 bytes in all.
// Count instructions: valgrind --tool=callgrind --toggle-collect='moat::http::parse_request_head*'.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "moat/http/request.h"

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 1'000'000;
  const std::string text =
      "GET /app/items/42?page=2 HTTP/1.1\r\nHost: app.example.com\r\n"
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: text/html,*/*;q=0.8\r\n"
      "Accept-Language: en-GB,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n"
      "Connection: keep-alive\r\nCookie: __Host-Http-at=" +
      std::string(385, 'a') +
      "\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\n"
      "Sec-Fetch-Site: same-origin\r\n\r\n";
  moat::http::RequestHead head;
  moat::http::ParseState state;
  std::size_t consumed = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < rounds; ++i) {
    state.reset();
    consumed += moat::http::parse_request_head(text, {}, state, head).consumed;
  }
  const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
  std::printf("%zu bytes, %.0f ns a head\n", text.size(), spent.count() / rounds);
  return consumed == text.size() * static_cast<std::size_t>(rounds) ? 0 : 1;
}
