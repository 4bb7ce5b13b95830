// SPDX-License-Identifier: Apache-2.0
// Short ways to show a Learner traffic, and to read what it proposes.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include "moat/openapi/learner.h"
#include "moat/openapi/openapi.h"

namespace moat::openapi {

struct Seen {
  std::string_view method = "GET";
  std::string_view target = "/";  // with the query
  std::string_view body = {};     // JSON, where there is one
  std::string_view answer = {};
  int status = 200;
  std::string_view type = "application/json";
};

class LearnerTest : public testing::Test {
 protected:
  void show(const Seen& seen, int times = 1) { show(learner_, seen, times); }
  static void show(Learner& learner, const Seen& seen, int times = 1) {
    Observation one;
    one.method = seen.method;
    one.path = seen.target.substr(0, seen.target.find('?'));
    one.query = seen.target.substr(std::min(seen.target.size(), one.path.size() + 1));
    one.status = seen.status;
    one.has_body = !seen.body.empty();
    one.request_type = seen.type;
    one.request_body = seen.body;
    one.has_answer = !seen.answer.empty();
    one.response_type = "application/json";
    one.response_body = seen.answer;
    const auto sample = Sample::read(one);
    for (int i = 0; sample && i < times; ++i) learner.add(*sample);
  }
  // Of the proposal, by a JSON Pointer without escapes but "~1"; "-" where there is nothing.
  std::string at(std::string_view pointer) const {
    const Proposal proposal = learner_.propose();
    const json::Value* value = &proposal.document;
    while (value != nullptr && !pointer.empty()) {
      pointer.remove_prefix(1);
      std::string step(pointer.substr(0, pointer.find('/')));
      pointer.remove_prefix(step.size());
      for (std::size_t i = 0; (i = step.find("~1", i)) != std::string::npos;)
        step.replace(i, 2, "/");
      if (const json::Array* array = value->as_array()) {
        std::size_t index = 0;
        std::from_chars(step.data(), step.data() + step.size(), index);
        value = index < array->size() ? &(*array)[index] : nullptr;
      } else {
        value = value->find(step);
      }
    }
    return value == nullptr ? "-" : json::serialize(*value);
  }
  // The names of the paths, with a space between.
  std::string paths() const {
    std::string out;
    const Proposal proposal = learner_.propose();
    for (const auto& [path, item] : *proposal.document.find("paths")->as_object())
      out += (out.empty() ? "" : " ") + path;
    return out;
  }
  // The schema of the member "v" of bodies of "PUT /x".
  std::string of_member() const {
    return at("/paths/~1x/put/requestBody/content/application~1json/schema/properties/v");
  }

  Learner learner_;
};

}  // namespace moat::openapi
