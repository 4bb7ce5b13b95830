// SPDX-License-Identifier: Apache-2.0
#include "moat/doctor/internal/http_client.h"

#include <array>

#include "moat/base/encoding.h"
#include "moat/http/response.h"

namespace moat::doctor::internal {
namespace {

constexpr int most_interim = 8;

HttpFacts of_state(HttpFacts::State state) {
  HttpFacts out;
  out.state = state;
  return out;
}

HttpFacts facts_of(const http::ResponseHead& head) {
  HttpFacts out = of_state(HttpFacts::State::answered);
  out.status = head.status;
  for (const http::Header& field : head.headers)
    out.fields.emplace_back(ascii_lower(field.name), std::string(field.value));
  return out;
}

}  // namespace

std::string http_request(std::string_view method, const std::string& authority) {
  std::string out(method);
  out += " / HTTP/1.1\r\nHost: " + authority +
         "\r\nUser-Agent: moat-doctor\r\nAccept: text/html, */*;q=0.5\r\nConnection: close\r\n";
  if (method == "POST")
    out += "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\n";
  return out + "\r\n";
}

HttpFacts read_answer(const Reader& read, Time asked, const Clock& clock) {
  const http::HeadLimits limits = http::HeadLimits::for_backend();
  http::ParseState state;
  http::ResponseHead head;
  std::string bytes;
  std::array<char, 4096> piece;
  const char* how = "interim answers without end";
  for (int interim = 0; interim <= most_interim;) {
    const http::ParseStatus status =
        http::parse_response_head(bytes, limits, http::Method::get, state, head);
    if (status.refused()) {
      const bool large = status.code == "fields_too_long" || status.code == "too_many_fields" ||
                         status.code == "status_line_too_long";
      HttpFacts out = of_state(large ? HttpFacts::State::too_large : HttpFacts::State::malformed);
      out.trouble = status.code;
      return out;
    }
    if (status.complete() && !head.interim) {
      HttpFacts out = facts_of(head);
      out.asked = asked;
      out.answered = clock.now();
      return out;
    }
    if (status.complete()) {
      ++interim;
      bytes.erase(0, status.consumed);
      state.reset();
      continue;
    }
    const Socket::Received got = read(piece.data(), piece.size());
    if (got.size == 0) {
      how = got.trouble == Socket::Trouble::late
                ? "no whole answer in time"
                : "the connection ended before an answer was whole";
      break;
    }
    bytes.append(piece.data(), got.size);
  }
  HttpFacts out = of_state(HttpFacts::State::silent);
  out.trouble = how;
  return out;
}

}  // namespace moat::doctor::internal
