// SPDX-License-Identifier: Apache-2.0
// What the OpenAPI document of a route says of a request, and of its answer.
#include <algorithm>
#include <utility>

#include "moat/base/encoding.h"
#include "moat/gateway/connection.h"
#include "moat/http/chunked.h"
#include "moat/validate/file_types.h"

namespace moat::gateway {

using http::Known;

namespace {

// The first thing that is wrong, for a log line or a page. No text of a stranger's is in it.
std::string first_error(const openapi::Refusal& refusal) {
  if (refusal.errors.empty()) return std::string();
  const openapi::Violation& violation = refusal.errors.front();
  std::string out(violation.in);
  if (!violation.parameter.empty()) out += " " + violation.parameter;
  if (!violation.pointer.empty()) out += " " + violation.pointer;
  return out + ": " + violation.message;
}

void list_fields(const http::Headers& headers,
                 std::vector<std::pair<std::string_view, std::string_view>>& out) {
  out.clear();
  for (const http::Header& field : headers) out.emplace_back(field.name, field.value);
}

}  // namespace

net::Task<bool> Connection::check_schema(const PreparedRoute& route) {
  Exchange& x = *x_;
  const openapi::Document& document = *route.route->schema.document;
  Result<openapi::Match, openapi::Refusal> found = document.find(x.head.method_text, x.head.path);
  if (!found) co_return co_await undescribed(route, std::move(found.error()));
  x.described = std::move(*found);
  if (!route.route->schema.checks_requests()) co_return true;
  list_fields(x.head.headers, x.fields);
  openapi::Request request;
  request.method = x.head.method_text;
  request.path = x.head.path;
  request.query = x.head.query;
  // As the backend will get it.
  if (!x.admission.without_cookies) request.cookie = x.request.cookie;
  request.without_authorization = x.admission.own_bearer;
  // Moat's own login, of which the backend is told, is as good as what the document asks for.
  request.authenticated = route.route->login != Login::none && x.admission.identity != nullptr;
  request.content_type = x.head.headers.value(Known::content_type);
  request.has_body = x.head.body.kind != http::Framing::Kind::none;
  request.is_encoded = is_encoded(x.head.headers);
  request.headers = x.fields;
  std::optional<openapi::Refusal> refusal = document.check_head(x.described, request);
  if (refusal) co_return co_await undescribed(route, std::move(*refusal));
  if (!request.has_body) co_return true;
  const openapi::Operation& operation = *x.described.operation;
  if (document.reads_body(operation, request.content_type))
    co_return co_await check_described_body(route, request.content_type);
  if (!document.looks_at_body(operation, request.content_type)) co_return true;
  co_return co_await look_at_body(route, request.content_type);
}

// A body that streams: its first bytes, which stay in the buffer, before a backend sees any.
net::Task<bool> Connection::look_at_body(const PreparedRoute& route,
                                         std::string_view content_type) {
  Exchange& x = *x_;
  std::string beginning;
  const int status = co_await read_beginning(beginning, validate::file_head_bytes);
  if (status != 0) {
    const std::string_view code = status == 408 ? "body_timeout" : "bad_body";
    co_await refuse(status, code, "The request could not be read.");
    co_return false;
  }
  // In chunks of a byte each less may fit into the buffer than is asked for: then it is judged as
  // if that were all, which refuses rather.
  const openapi::Document& document = *route.route->schema.document;
  std::optional<openapi::Refusal> refusal =
      document.check_beginning(*x.described.operation, content_type, beginning);
  wipe(beginning);
  if (refusal) co_return co_await undescribed(route, std::move(*refusal));
  co_return true;
}

net::Task<bool> Connection::check_described_body(const PreparedRoute& route,
                                                 std::string_view content_type) {
  Exchange& x = *x_;
  std::string_view body;
  if (body_is_here()) {
    body = std::string_view(x.in.get() + x.begin, static_cast<std::size_t>(x.head.body.length));
  } else {
    const bool read = co_await read_whole(static_cast<std::size_t>(route.route->max_body), x.body);
    if (!read) co_return false;
    x.body_read = true;
    body = x.body;
  }
  const openapi::Document& document = *route.route->schema.document;
  std::optional<openapi::Refusal> refusal =
      document.check_body(*x.described.operation, content_type, body);
  if (refusal) co_return co_await undescribed(route, std::move(*refusal));
  co_return true;
}

// True: it passes all the same, as the route reports only.
net::Task<bool> Connection::undescribed(const PreparedRoute& route, openapi::Refusal refusal) {
  if (route.route->schema.requests == SchemaMode::enforce) {
    co_await refuse_undescribed(std::move(refusal));
    co_return false;
  }
  report_undescribed(route, refusal);
  co_return true;
}

net::Task<void> Connection::refuse_undescribed(openapi::Refusal refusal) {
  Exchange& x = *x_;
  x.step = refusal.status == 503 ? "busy" : "schema";
  const std::string reason = first_error(refusal);
  if (x.request.navigation) {
    x.admission.refusal.challenge = refusal.challenge;
    std::string title(refusal.title);
    if (refusal.status < 500 && !reason.empty())
      title.insert(title.rfind('.'), " (" + reason + ")");
    co_await refuse(refusal.status, refusal.code, title, reason);
    co_return;
  }
  log_refusal(refusal.status, refusal.code, reason);
  shield::Response response;
  response.status = refusal.status;
  response.code = refusal.code;
  response.kind = shield::Body::problem;
  if (refusal.status == 503) response.headers.emplace_back("Retry-After", "1");
  if (!refusal.challenge.empty())
    response.headers.emplace_back("WWW-Authenticate", refusal.challenge);
  if (!refusal.allow.empty()) response.headers.emplace_back("Allow", refusal.allow);
  // What is wrong with an answer is the operator's to know.
  if (refusal.status >= 500) refusal.errors.clear();
  response.body = openapi::to_problem_json(refusal);
  co_await respond(std::move(response));
}

void Connection::report_undescribed(const PreparedRoute& route,
                                    const openapi::Refusal& refusal) const {
  const Exchange& x = *x_;
  worker_.metrics_.routes.of(x.label).schema_would_refuse.add("schema", refusal.code);
  std::uint64_t passed_over = 0;
  if (!worker_.may_log_refusal(passed_over)) return;
  constexpr std::size_t shown = 256;
  const std::string client = x.admission.client.to_string();
  const std::string reason = first_error(refusal);
  const std::string operation =
      x.described.operation == nullptr ? std::string() : openapi::name_of(*x.described.operation);
  shared().log.warn("schema_would_refuse", {{"status", refusal.status},
                                            {"code", refusal.code},
                                            {"reason", reason},
                                            {"schema", route.route->schema.file},
                                            {"operation", operation},
                                            {"client", client},
                                            {"method", x.request.method.substr(0, 32)},
                                            {"target", x.request.path.substr(0, shown)},
                                            {"request_id", x.request_id},
                                            {"not_logged_before", passed_over}});
}

// ----------------------------------------------------------------------------------------- answers

net::Task<Connection::Answer> Connection::check_answer(const PreparedRoute& route,
                                                       net::Stream& backend, std::string_view first,
                                                       openapi::Refusal& refused) {
  Exchange& x = *x_;
  const http::ResponseHead& response = x.response;
  const openapi::Document& document = *route.route->schema.document;
  const openapi::Operation& operation = *x.described.operation;
  const bool enforced = route.route->schema.responses == SchemaMode::enforce;
  const bool has_body = response.body.kind != http::Framing::Kind::none;
  const std::string_view type = response.headers.value(Known::content_type);
  list_fields(response.headers, x.fields);
  std::optional<openapi::Refusal> refusal =
      document.check_response_head(operation, response.status, type, has_body, x.fields);
  const bool reads = has_body && document.reads_response(operation, response.status, type);
  if (!refusal && reads && is_encoded(response.headers)) {
    refusal.emplace();
    refusal->status = 502;
    refusal->code = "schema_response_encoded";
    refusal->title = "The application's answer could not be checked.";
  }
  if (!refusal && reads && !enforced) {
    x.observe_answer = x.judge_answer = true;
    x.most_observed = static_cast<std::size_t>(route.route->schema.max_answer);
    x.answer_type = type;
  }
  bool held = false;
  if (!refusal && reads && enforced) {
    const auto most = static_cast<std::size_t>(route.route->schema.max_answer);
    const Held got = co_await hold_answer(backend, first, most);
    if (got == Held::broken) co_return Answer::broken;
    if (got == Held::no_room) {
      refused.status = 503;
      refused.code = "busy";
      refused.title = "The server is busy. Please try again in a moment.";
      co_return Answer::refused;
    }
    held = true;
    refusal = document.check_response_body(operation, response.status, type, x.answer);
  }
  if (!refusal) co_return held ? Answer::held : Answer::passes;
  if (enforced) {
    const std::string reason = first_error(*refusal);
    shared().log.warn("schema_response_refused", {{"operation", openapi::name_of(operation)},
                                                  {"code", refusal->code},
                                                  {"reason", reason},
                                                  {"request_id", x.request_id}});
    refused = std::move(*refusal);
    co_return Answer::refused;
  }
  report_undescribed(route, *refusal);
  co_return Answer::passes;
}

// Reads the body of an answer, which begins with `first`, into Exchange::answer. Of one that is too
// large one byte too many is kept, so that the limit speaks for itself.
net::Task<Connection::Held> Connection::hold_answer(net::Stream& backend, std::string_view first,
                                                    std::size_t most) {
  const http::Framing body = x_->response.body;
  std::string& out = x_->answer;
  http::ChunkedDecoder decoder(http::ChunkLimits::for_backend());
  auto buffer = loop_.buffers().take();  // the head stays where it is, since it is yet to be sent
  for (std::string_view there = first;;) {
    bool done = false;
    if (body.kind == http::Framing::Kind::chunked) {
      while (!done && !there.empty()) {
        const http::ChunkedDecoder::Step step = decoder.feed(there);
        if (step.state == http::ChunkedDecoder::State::failed) co_return Held::broken;
        there.remove_prefix(step.consumed);
        out.append(step.data);
        done = step.state == http::ChunkedDecoder::State::done;
        if (step.consumed == 0) break;
      }
      if (done && !there.empty()) backend.cancel();  // more than was announced
    } else if (body.kind == http::Framing::Kind::length) {
      const std::size_t left = static_cast<std::size_t>(body.length) - out.size();
      out.append(there.substr(0, left));
      done = out.size() == body.length;
      if (there.size() > left) backend.cancel();
    } else {
      out.append(there);
    }
    if (out.size() > most) {
      out.resize(most + 1);
      co_return Held::whole;
    }
    if (!hold(0)) co_return Held::no_room;
    if (done) co_return Held::whole;
    for (there = {}; there.empty();) {
      const net::Io got = backend.read(buffer.get(), net::BufferPool::buffer_size);
      if (got.state == net::Io::ok) {
        there = std::string_view(buffer.get(), got.bytes);
      } else if (got.state == net::Io::blocked) {
        const Tick deadline = loop_.in(shared().config.timeouts.backend);
        const net::Wait wait = co_await backend.readable(deadline);
        if (wait != net::Wait::ready) co_return Held::broken;
      } else {
        // As in relay_body.
        const bool ended = body.kind == http::Framing::Kind::until_close &&
                           got.state == net::Io::end && !backend.cut_off();
        co_return ended ? Held::whole : Held::broken;
      }
    }
  }
}

net::Task<bool> Connection::send_held(ClientFraming framing) {
  constexpr std::size_t pieces_a_turn = 4;
  Exchange& x = *x_;
  std::string_view rest = x.answer;
  for (std::size_t pieces = 1;; ++pieces) {
    const std::string_view piece = rest.substr(0, piece_size);
    rest.remove_prefix(piece.size());
    if (framing == ClientFraming::chunked) {
      http::append_chunk(x.out, piece);
      if (rest.empty()) x.out.append(http::last_chunk);
    } else {
      x.out.append(piece);
    }
    const bool sent = co_await send(x.out);
    if (!sent) co_return false;
    x.bytes_out += piece.size();
    if (rest.empty()) co_return true;
    x.out.clear();
    if (pieces % pieces_a_turn == 0) co_await loop_.next_turn();
  }
}

// A copy that has no room is no longer looked at: the answer itself goes on.
void Connection::keep_observed(std::string_view bytes) {
  std::string& answer = x_->answer;
  // One byte too many says that it is too large.
  const std::size_t most = x_->most_observed + 1;
  bytes = bytes.substr(0, most - std::min(answer.size(), most));
  if (!hold(bytes.size())) {
    x_->observe_answer = x_->judge_answer = false;
    return;
  }
  answer.append(bytes);
}

void Connection::judge_observed(const PreparedRoute& route) const {
  const Exchange& x = *x_;
  const std::optional<openapi::Refusal> refusal = route.route->schema.document->check_response_body(
      *x.described.operation, x.response.status, x.answer_type, x.answer);
  if (refusal) report_undescribed(route, *refusal);
}

}  // namespace moat::gateway
