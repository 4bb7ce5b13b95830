// SPDX-License-Identifier: Apache-2.0
// Whatever was seen often passes what is proposed of it.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "moat/openapi/internal/learner_fixture.h"
#include "moat/openapi/learner.h"
#include "moat/openapi/openapi.h"

namespace moat::openapi {
namespace {

constexpr std::string_view names[] = {"id",     "name",   "status", "order_type", "lines", "note",
                                      "total",  "tags",   "kind",   "created",    "mail",  "url",
                                      "active", "parent", "count",  "data"};
constexpr std::string_view texts[] = {"open",
                                      "done",
                                      "in_progress",
                                      "",
                                      "a b",
                                      "17",
                                      "1.5",
                                      "true",
                                      "2026-01-31",
                                      "2026-01-31T10:00:00Z",
                                      "ann@example.com",
                                      "https://example.com/a?b=c",
                                      "f47ac10b-58cc-4372-a567-0e02b2c3d479",
                                      "\xc3\xa9\xf0\x9f\x98\x80",
                                      "007",
                                      "-5"};

class Maker final {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}
  unsigned below(std::size_t n) { return static_cast<unsigned>(random_() % n); }
  std::string_view text() { return texts[below(std::size(texts))]; }
  // One that has the parts of few kinds, so that they meet at the same places.
  json::Value value(int depth) {
    switch (below(depth > 0 ? 7 : 5)) {
      case 0:
        return json::Value();
      case 1:
        return json::Value(below(2) == 0);
      case 2:
        return json::Value(static_cast<std::int64_t>(below(1000)) - 500);
      case 3:
        return json::Value(below(1000) / 8.0);
      case 4:
        return json::Value(text());
      case 5: {
        json::Array array;
        for (unsigned i = below(4); i > 0; --i) array.push_back(value(depth - 1));
        return array;
      }
      default:
        return object(depth - 1);
    }
  }
  json::Value object(int depth) {
    json::Object out;
    for (const std::string_view name : names) {
      if (below(3) == 0) out.emplace_back(name, value(depth));
    }
    return out;
  }
  std::string query() {
    std::string out;
    for (const std::string_view name : names) {
      for (unsigned i = below(4) == 0 ? 1 + below(2) : 0; i > 0; --i)
        out += (out.empty() ? "" : "&") + std::string(name) + "=" + escaped(text());
    }
    return out;
  }
  std::string path() {
    std::string out = below(2) == 0 ? "/orders" : "/users";
    constexpr std::string_view ids[] = {"1", "17", "f47ac10b-58cc-4372-a567-0e02b2c3d479", "a%20b"};
    if (below(3) > 0) out += "/" + std::string(ids[below(std::size(ids))]);
    if (below(3) == 0) out += "/lines";
    return out;
  }
  static std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
      constexpr std::string_view digits = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
    return out;
  }

 private:
  std::mt19937 random_;
};

struct Sent {
  std::string path;
  std::string query;
  std::string body;
  bool form = false;
  std::string answer;
};

class LearnerAccepts : public LearnerTest {
 protected:
  static std::vector<Sent> make(unsigned seed) {
    Maker maker(seed);
    std::vector<Sent> out;
    for (int i = 0; i < 12; ++i) {
      Sent one;
      one.path = maker.path();
      one.query = maker.query();
      one.form = maker.below(3) == 0;
      if (maker.below(4) > 0)
        one.body = one.form ? maker.query() : json::serialize(maker.object(4));
      one.answer = json::serialize(maker.value(4));
      out.push_back(std::move(one));
    }
    return out;
  }
  void show(const Sent& sent) {
    const std::string target = sent.path + "?" + sent.query;
    Seen seen{"POST", target, sent.body, sent.answer};
    if (sent.form) seen.type = form;
    LearnerTest::show(seen, static_cast<int>(Learner::least_count));
  }
  static std::string refusal(const Document& document, const Sent& sent) {
    const auto match = document.find("POST", sent.path);
    if (!match) return std::string(match.error().code);
    Request request;
    request.method = "POST";
    request.path = sent.path;
    request.query = sent.query;
    request.has_body = !sent.body.empty();
    request.content_type = sent.form ? form : "application/json";
    if (auto wrong = document.check_head(*match, request)) return to_problem_json(*wrong);
    if (request.has_body) {
      if (auto wrong = document.check_body(*match->operation, request.content_type, sent.body))
        return to_problem_json(*wrong);
    }
    if (document.check_response_head(*match->operation, 200, "application/json", true, {}))
      return "the answer's head";
    if (auto wrong =
            document.check_response_body(*match->operation, 200, "application/json", sent.answer))
      return to_problem_json(*wrong);
    return "";
  }
  static constexpr std::string_view form = "application/x-www-form-urlencoded";
};

TEST_F(LearnerAccepts, WhatItHasLearned) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    learner_ = Learner();
    const std::vector<Sent> all = make(seed);
    for (const Sent& sent : all) show(sent);
    DocumentOptions options;
    options.checks_responses = true;
    const std::string yaml = learner_.propose().to_yaml();
    const auto document = Document::parse(yaml, options);
    ASSERT_TRUE(document) << seed << ": " << document.error()[0].to_string() << "\n" << yaml;
    for (const Sent& sent : all)
      ASSERT_EQ(refusal(*document, sent), "")
          << seed << " " << sent.path << "?" << sent.query << "\n"
          << sent.body << "\n"
          << yaml;
  }
}

}  // namespace
}  // namespace moat::openapi
