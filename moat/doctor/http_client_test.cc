// SPDX-License-Identifier: Apache-2.0
#include "moat/doctor/internal/http_client.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace moat::doctor::internal {
namespace {

using State = HttpFacts::State;
const Time asked = from_unix_seconds(1'800'000'000);

// What a server sends, in pieces of `size` bytes, then its end.
HttpFacts read_all(std::string bytes, std::size_t size) {
  ManualClock clock(asked);
  const auto read = [&](char* buffer, std::size_t most) -> Socket::Received {
    clock.advance(std::chrono::seconds{1});
    const std::size_t now = std::min({size, most, bytes.size()});
    bytes.copy(buffer, now);
    bytes.erase(0, now);
    return {now, Socket::Trouble::none};
  };
  return read_answer(read, asked, clock);
}

TEST(ReadAnswer, GivesStatusAndFieldsHoweverTheyCome) {
  const std::string whole =
      "HTTP/1.1 308 Permanent Redirect\r\nLocation: https://x/\r\nSet-Cookie: a=1\r\n"
      "set-cookie: b=2\r\nContent-Length: 5\r\n\r\nhello";
  for (const std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{4096}}) {
    const HttpFacts facts = read_all(whole, size);
    ASSERT_EQ(facts.state, State::answered) << size;
    EXPECT_EQ(facts.status, 308);
    EXPECT_EQ(facts.field("location"), "https://x/");
    EXPECT_EQ(facts.all("set-cookie").size(), 2u);
    EXPECT_EQ(facts.asked, asked);
    EXPECT_GT(facts.answered, asked);
  }
}

TEST(ReadAnswer, ACutHeadIsNoAnswer) {
  const std::string whole = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(read_all(whole.substr(0, size), 4096).state, State::silent) << size;
  EXPECT_EQ(read_all(whole, 4096).state, State::answered);
}

TEST(ReadAnswer, InterimAnswersArePassedOverButNotForEver) {
  const auto with = [](int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n";
    return read_all(out + "HTTP/1.1 204 No Content\r\n\r\n", 13);
  };
  EXPECT_EQ(with(0).status, 204);
  EXPECT_EQ(with(8).status, 204);
  EXPECT_EQ(with(9).state, State::silent);
  EXPECT_EQ(with(1000).state, State::silent);
}

TEST(ReadAnswer, WhatCouldBeReadInTwoWaysIsMalformed) {
  for (const char* text : {"HTTP/1.1 200 OK\nDate: x\n\n", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nA: b\x1b[31m\r\n\r\n", "SSH-2.0-OpenSSH\r\n\r\n",
                           "\x16\x03\x03\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"}) {
    const HttpFacts facts = read_all(text, 4096);
    EXPECT_EQ(facts.state, State::malformed) << text;
    EXPECT_FALSE(facts.trouble.empty());
  }
}

TEST(ReadAnswer, AHeadWithoutEndIsTooLarge) {
  std::string fields = "HTTP/1.1 200 OK\r\n";
  while (fields.size() < 70000) fields += "X: " + std::string(1000, 'x') + "\r\n";
  EXPECT_EQ(read_all(fields, 4096).state, State::too_large);
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 101; ++i) many += "X: y\r\n";
  EXPECT_EQ(read_all(many + "\r\n", 4096).state, State::too_large);
  EXPECT_EQ(read_all("HTTP/1.1 200 " + std::string(70000, 'x'), 4096).state, State::too_large);
}

TEST(HttpRequest, IsThatOfANavigation) {
  EXPECT_EQ(http_request("GET", "example.com:8443"),
            "GET / HTTP/1.1\r\nHost: example.com:8443\r\nUser-Agent: moat-doctor\r\n"
            "Accept: text/html, */*;q=0.5\r\nConnection: close\r\n\r\n");
  EXPECT_NE(http_request("POST", "x").find("\r\nContent-Length: 0\r\n\r\n"), std::string::npos);
}

}  // namespace
}  // namespace moat::doctor::internal
