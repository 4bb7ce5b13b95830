// SPDX-License-Identifier: Apache-2.0
// That what strangers send is bounded, and at which sizes.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "moat/openapi/internal/learner_fixture.h"
#include "moat/openapi/learner.h"

namespace moat::openapi {
namespace {

// A word that is no id, another one for each number.
std::string word(std::size_t i) {
  std::string out = "w";
  for (; i > 0 || out.size() < 4; i /= 20) out += "ghjklmnpqrstvwxyzoui"[i % 20];
  return out;
}

using LearnerLimits = LearnerTest;

TEST_F(LearnerLimits, Segments) {
  std::string path;
  for (std::size_t i = 0; i < LearnLimits::segments; ++i) path += "/a";
  show({"GET", path}, 3);
  EXPECT_EQ(paths(), path);
  show({"GET", path + "/a"}, 3);
  EXPECT_EQ(paths(), path);
}

TEST_F(LearnerLimits, Parameters) {
  std::string target = "/x?pa=1";
  for (std::size_t i = 1; i < LearnLimits::parameters; ++i) target += "&p" + word(i) + "=1";
  show({"GET", target}, 3);
  EXPECT_EQ(learner_.requests(), 3u);
  show({"GET", target + "&one=1"}, 3);
  EXPECT_EQ(learner_.requests(), 3u);
}

TEST_F(LearnerLimits, MembersOfAnObject) {
  const auto object = [](std::size_t size) {
    std::string out = "{\"v\":{";
    for (std::size_t i = 0; i < size; ++i) out += (i > 0 ? ",\"" : "\"") + word(i) + "\":1";
    return out + "}}";
  };
  show({"PUT", "/x", object(LearnLimits::members)}, 3);
  EXPECT_NE(of_member().find(word(LearnLimits::members - 1)), std::string::npos);
  EXPECT_NE(of_member().find("\"additionalProperties\":false"), std::string::npos);
  // One more, and it is a map.
  learner_ = Learner();
  show({"PUT", "/x", object(LearnLimits::members + 1)}, 3);
  EXPECT_EQ(of_member(), R"({"type":"object","additionalProperties":{"type":"integer"}})");
}

TEST_F(LearnerLimits, DepthOfValues) {
  const auto nested = [](std::size_t depth) {
    return "{\"v\":" + std::string(depth, '[') + "1" + std::string(depth, ']') + "}";
  };
  show({"PUT", "/x", nested(LearnLimits::depth - 2)}, 3);
  EXPECT_EQ(of_member().find("deeper"), std::string::npos);
  EXPECT_NE(of_member().find("integer"), std::string::npos);
  learner_ = Learner();
  show({"PUT", "/x", nested(LearnLimits::depth - 1)}, 3);
  EXPECT_NE(of_member().find("deeper"), std::string::npos);
  EXPECT_EQ(of_member().find("integer"), std::string::npos);
}

TEST_F(LearnerLimits, ElementsOfAnArray) {
  const auto array = [](std::size_t before) {
    std::string out = "{\"v\":[";
    for (std::size_t i = 0; i < before; ++i) out += "1,";
    return out + "\"x\"]}";
  };
  show({"PUT", "/x", array(LearnLimits::elements - 1)}, 3);
  EXPECT_NE(of_member().find("string"), std::string::npos);
  learner_ = Learner();
  show({"PUT", "/x", array(LearnLimits::elements)}, 3);
  EXPECT_EQ(of_member().find("string"), std::string::npos);
}

TEST_F(LearnerLimits, WordsOfAnEnum) {
  const std::string status =
      "/paths/~1x/put/requestBody/content/application~1json/schema/properties/status/enum/0";
  for (std::size_t i = 0; i < LearnLimits::words; ++i) {
    const std::string body = R"({"status":")" + word(i) + "\"}";
    show({"PUT", "/x", body}, static_cast<int>(LearnLimits::word_requests));
  }
  EXPECT_NE(at(status), "-");
  const std::string body = R"({"status":")" + word(LearnLimits::words) + "\"}";
  show({"PUT", "/x", body}, static_cast<int>(LearnLimits::word_requests));
  EXPECT_EQ(at(status), "-");
}

TEST_F(LearnerLimits, TypesOfBodiesAndStatuses) {
  for (const std::string_view type :
       {"image/png", "image/gif", "image/webp", "image/avif", "text/csv"}) {
    Seen seen{"PUT", "/x", "x"};
    seen.type = type;
    show(seen, 3);
  }
  EXPECT_EQ(at("/paths/~1x/put/requestBody/content"),
            R"({"image/avif":{},"image/gif":{},"image/png":{},"image/webp":{}})");
  for (int status = 200; status < 220; ++status) {
    Seen seen{"GET", "/x"};
    seen.status = status;
    show(seen, 3);
  }
  EXPECT_NE(at("/paths/~1x/get/responses/207"), "-");
  EXPECT_EQ(at("/paths/~1x/get/responses/208"), "-");
}

TEST_F(LearnerLimits, BodiesThatAreTooLargeAreNotRead) {
  const auto body = [](std::size_t size) {
    return "{\"v\":\"" + std::string(size - 8, 'x') + "\"}";
  };
  show({"PUT", "/x", body(LearnLimits::body_bytes)}, 3);
  EXPECT_EQ(of_member(), R"({"type":"string"})");
  learner_ = Learner();
  show({"PUT", "/x", body(LearnLimits::body_bytes + 1)}, 3);
  EXPECT_EQ(at("/paths/~1x/put/requestBody/content"), R"({"application/json":{}})");
}

TEST_F(LearnerLimits, Operations) {
  // Few words under each parent, so that none of them varies.
  const auto path = [](std::size_t i) { return "/" + word(i / 25) + "/" + word(i % 25); };
  for (std::size_t i = 0; i < LearnLimits::operations; ++i) show({"GET", path(i)}, 3);
  EXPECT_EQ(learner_.propose().operations, LearnLimits::operations);
  EXPECT_EQ(learner_.propose().passed_by, 0u);
  show({"GET", path(LearnLimits::operations)}, 3);
  EXPECT_EQ(learner_.propose().operations, LearnLimits::operations);
  EXPECT_EQ(learner_.propose().passed_by, 3u);
}

// What a stranger has sent once makes room for what comes often.
TEST_F(LearnerLimits, WhatIsSeldomMakesRoom) {
  for (std::size_t i = 0; i < LearnLimits::operations + 1; ++i)
    show({"GET", "/" + word(i / 25) + "/" + word(i % 25)});
  EXPECT_GT(learner_.propose().passed_by, 0u);
  show({"GET", "/real"}, 600);
  EXPECT_EQ(paths(), "/real");
}

// Random traffic that is all different, for as long as it takes.
TEST_F(LearnerLimits, MemoryIsBounded) {
  std::mt19937 random(7);
  const auto name = [&random] { return word(random() % 100000); };
  std::size_t most = 0;
  for (int i = 0; i < 6000; ++i) {
    std::string body = "{";
    for (int k = 0; k < 40; ++k)
      body += (k > 0 ? ",\"" : "\"") + name() + "\":{\"" + name() + "\":[{\"" + name() + "\":\"" +
              name() + "\"}]}";
    const std::string target =
        "/" + word(random() % 20) + "/" + word(random() % 20) + "?" + name() + "=" + name();
    show({"POST", target, body + "}", body + "}"});
    most = std::max(most, learner_.bytes());
  }
  EXPECT_LE(most, LearnLimits::bytes);
  EXPECT_GT(most, LearnLimits::bytes / 2);
  show({"GET", "/real"}, 600);
  EXPECT_EQ(at("/paths/~1real/get/description").substr(0, 9), "\"Seen in ");
  const auto document = Document::parse(learner_.propose().to_yaml());
  EXPECT_TRUE(document);
}

}  // namespace
}  // namespace moat::openapi
