// SPDX-License-Identifier: Apache-2.0
// Other people's requests (MDA2AV/Http11Probe, MIT) against the parsers alone: what the head parser
// and the chunk decoder refuse or accept must not be a failure by their verdict tables.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "moat/base/json.h"
#include "moat/http/chunked.h"
#include "moat/http/request.h"
#include "moat/http/websocket.h"

namespace moat::http {
namespace {

using std::string;
using std::string_view;

// Text whose code points below 256 are the bytes meant.
string from_latin1(string_view utf8) {
  string out;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    if (byte < 0x80) {
      out += utf8[i];
    } else {
      out += static_cast<char>(((byte & 3) << 6) | (static_cast<unsigned char>(utf8[++i]) & 0x3f));
    }
  }
  return out;
}

string payload_bytes(const json::Value& payload) {
  const json::Value* text = payload.find("latin1");
  if (text == nullptr || text->as_string() == nullptr) return {};
  string bytes = from_latin1(*text->as_string());
  const string_view mark = "{HOSTPORT}";
  for (std::size_t at = bytes.find(mark); at != string::npos; at = bytes.find(mark, at))
    bytes.replace(at, mark.size(), "localhost:8080");
  return bytes;
}

string body_outcome(const RequestHead& head, string_view body) {
  const string end = head.keep_alive ? "/Open" : "/ClosedByServer";
  if (head.body.kind == Framing::Kind::length && body.size() < head.body.length)
    return "none/ClosedByServer";  // after the deadline
  if (head.body.kind == Framing::Kind::chunked) {
    ChunkedDecoder decoder;
    while (!body.empty() && decoder.state() == ChunkedDecoder::State::more)
      body.remove_prefix(decoder.feed(body).consumed);
    if (decoder.state() == ChunkedDecoder::State::failed) return "400/ClosedByServer";
    if (decoder.state() == ChunkedDecoder::State::more) return "none/ClosedByServer";
  }
  if (head.upgrade_websocket && check_websocket(head) == WebSocketCheck::bad_version)
    return "426" + end;
  return "200" + end;
}

// The outcome in the tables' words, as a server built on these parsers would show it.
string outcome(string_view bytes) {
  RequestHead head;
  const ParseStatus verdict = parse_request_head(bytes, {}, head);
  if (verdict.refused()) return std::to_string(verdict.status) + "/ClosedByServer";
  if (!verdict.complete()) return "none/ClosedByServer";
  return body_outcome(head, bytes.substr(verdict.consumed));
}

bool lists(const json::Value& verdicts, string_view column, string_view entry) {
  const json::Value* list = verdicts.find(column);
  if (list == nullptr || list->as_array() == nullptr) return false;
  for (const json::Value& item : *list->as_array())
    if (item.as_string() != nullptr && *item.as_string() == entry) return true;
  return false;
}

// Whether the table judges what the answer holds, which no head parser decides.
bool is_judged_by_its_answer(const json::Value& test, const json::Value& verdicts) {
  const string& id = *test.find("id")->as_string();
  if (id == "COOK-ECHO" || id == "COOK-PARSED-MULTI") return true;  // cookies echoed in the body
  const json::Value* pass = verdicts.find("Pass");
  const json::Value* warn = verdicts.find("Warn");
  return (pass == nullptr || pass->as_array() == nullptr || pass->as_array()->empty()) &&
         (warn == nullptr || warn->as_array() == nullptr || warn->as_array()->empty());
}

std::vector<json::Value> read_cases(const string& path) {
  std::vector<json::Value> cases;
  std::ifstream in(path);
  json::Limits limits;
  limits.members = 100000;
  limits.string_bytes = limits.total_bytes = 8u << 20;
  for (string line; std::getline(in, line);) {
    auto value = json::parse(line, limits);
    EXPECT_TRUE(value) << line.substr(0, 80);
    if (value) cases.push_back(std::move(value).value());
  }
  return cases;
}

TEST(Probe, FindsNoFailure) {
  const char* const folder = std::getenv("MOAT_CORPORA");
  if (folder == nullptr) GTEST_SKIP() << "MOAT_CORPORA is not set: http1/http11probe.jsonl";
  const std::vector<json::Value> cases = read_cases(string(folder) + "/http1/http11probe.jsonl");
  ASSERT_GT(cases.size(), 50u);
  int judged = 0;
  string warned;
  for (const json::Value& test : cases) {
    const json::Value* payload = test.find("payload");
    const json::Value* verdicts = test.find("verdicts");
    if (payload == nullptr || verdicts == nullptr || is_judged_by_its_answer(test, *verdicts))
      continue;
    const string bytes = payload_bytes(*payload);
    if (bytes.empty()) continue;
    const string seen = outcome(bytes);
    EXPECT_TRUE(lists(*verdicts, "Pass", seen) || lists(*verdicts, "Warn", seen))
        << *test.find("id")->as_string() << ": " << seen << "\n"
        << bytes;
    if (!lists(*verdicts, "Pass", seen)) warned += " " + *test.find("id")->as_string();
    ++judged;
  }
  EXPECT_GT(judged, 50);
  // Worse only by what the answer holds: an Allow field, the joined cookies, the ranges served.
  EXPECT_EQ(warned, " COMP-OPTIONS-ALLOW COOK-MULTI-HEADER MAL-RANGE-OVERLAPPING");
}

}  // namespace
}  // namespace moat::http
