// SPDX-License-Identifier: Apache-2.0
// What is kept of a request and its answer for `moat schema learn`. The bytes are copied as they go
// by, the first 64 KiB at most: nothing waits for them.
#include <algorithm>

#include "moat/base/encoding.h"
#include "moat/gateway/connection.h"

namespace moat::gateway {

using http::Known;

namespace {

constexpr std::size_t most_kept = openapi::LearnLimits::body_bytes;

}  // namespace

void Connection::begin_learning(const PreparedRoute& route) {
  Exchange& x = *x_;
  if (x.head.upgrade_websocket) return;
  if (!route.learner->is_open(loop_.now())) return route.learner->pass_over();
  x.learning.on = true;
  x.learning.has_body = x.head.body.kind != http::Framing::Kind::none;
  x.learning.encoded = is_encoded(x.head.headers);
}

void Connection::keep_sent(std::string_view bytes) {
  Exchange& x = *x_;
  std::string& body = x.learning.body;
  bytes = bytes.substr(0, most_kept + 1 - std::min(body.size(), most_kept + 1));
  if (!hold(bytes.size())) {
    x.learning.on = false;
    return;
  }
  body.append(bytes);
}

// The answer's head is here. What is refused or no JSON goes by unseen.
void Connection::learn_from_answer() {
  Exchange& x = *x_;
  const http::ResponseHead& response = x.response;
  x.answer_type = response.headers.value(Known::content_type);  // its buffer is used for the body
  if (response.status < 200 || response.status > 299) {
    x.learning.on = false;
    return;
  }
  if (x.observe_answer || response.body.kind == http::Framing::Kind::none ||
      is_encoded(response.headers) || x.answer_type.find("json") == std::string::npos)
    return;
  // Held already, where answers are refused by what they say.
  if (!x.answer.empty()) return;
  x.observe_answer = true;
  x.most_observed = most_kept;
}

void Connection::learn_exchange(const PreparedRoute& route, bool whole) const {
  const Exchange& x = *x_;
  if (!x.complete || x.status != x.response.status) return;
  openapi::Observation seen;
  seen.method = x.head.method_text;
  seen.path = x.head.path;
  seen.query = x.head.query;
  seen.status = x.response.status;
  seen.has_body = x.learning.has_body;
  seen.request_type = x.head.headers.value(Known::content_type);
  if (x.learning.has_body && !x.learning.encoded) {
    if (x.body_read) {
      seen.request_body = x.body;
    } else if (whole) {
      seen.request_body =
          std::string_view(x.in.get() + x.begin, static_cast<std::size_t>(x.head.body.length));
    } else if (uploaded_) {
      seen.request_body = x.learning.body;
    }
  }
  seen.has_answer = x.response.body.kind != http::Framing::Kind::none;
  seen.response_type = x.answer_type;
  if (seen.has_answer && (x.observe_answer || !x.answer.empty())) seen.response_body = x.answer;
  route.learner->learn(seen, loop_.now());
}

}  // namespace moat::gateway
