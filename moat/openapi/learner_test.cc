// SPDX-License-Identifier: Apache-2.0
#include "moat/openapi/learner.h"

#include <gtest/gtest.h>

#include <string>

#include "moat/openapi/internal/learner_fixture.h"
#include "moat/openapi/internal/yaml.h"

namespace moat::openapi {
namespace {

constexpr std::string_view uuid = "f47ac10b-58cc-4372-a567-0e02b2c3d479";

TEST_F(LearnerTest, ProposesADocumentThatRefusesTheRest) {
  for (int i = 1; i <= 5; ++i) {
    const std::string order = "/orders/" + std::to_string(i);
    show({"POST", "/orders", R"({"sku":"A","count":2})", R"({"id":7})", 201});
    show({"GET", order, {}, R"({"id":7,"sku":"A"})"});
    show({"GET", "/orders?limit=10"});
  }
  const Proposal proposal = learner_.propose();
  EXPECT_EQ(proposal.requests, 15u);
  EXPECT_EQ(proposal.operations, 3u);
  const auto document = Document::parse(proposal.to_yaml());
  ASSERT_TRUE(document) << document.error()[0].to_string();
  const auto post = document->find("POST", "/orders");
  ASSERT_TRUE(post);
  const auto body = [&](std::string_view text) {
    return !document->check_body(*post->operation, "application/json", text).has_value();
  };
  EXPECT_TRUE(body(R"({"sku":"B","count":9})"));
  EXPECT_FALSE(body(R"({"sku":"B","count":9,"admin":true})"));
  EXPECT_FALSE(body(R"({"sku":"B","count":"9"})"));
  EXPECT_FALSE(body(R"({"sku":"B"})"));
  EXPECT_TRUE(document->find("GET", "/orders/99"));
  EXPECT_FALSE(document->find("GET", "/invoices"));
  EXPECT_FALSE(document->find("DELETE", "/orders/99"));
  const auto get = document->find("GET", "/orders/abc");
  Request request;
  request.method = "GET";
  request.path = "/orders/abc";
  EXPECT_TRUE(document->check_head(*get, request).has_value());
}

TEST_F(LearnerTest, LearnsOnlyWhatWasAnsweredBy2xx) {
  for (const int status : {0, 199, 300, 302, 304, 400, 401, 403, 404, 422, 500}) {
    Seen seen{"GET", "/refused"};
    seen.status = status;
    show(seen, 10);
  }
  EXPECT_EQ(learner_.requests(), 0u);
  for (const int status : {200, 204, 299}) {
    Seen seen{"GET", "/taken"};
    seen.status = status;
    show(seen, 1);
  }
  EXPECT_EQ(paths(), "/taken");
}

TEST_F(LearnerTest, WhatIsSeldomIsNotBelieved) {
  show({"GET", "/twice"}, Learner::least_count - 1);
  EXPECT_EQ(paths(), "");
  EXPECT_EQ(learner_.propose().seldom, 1u);
  show({"GET", "/twice"});
  EXPECT_EQ(paths(), "/twice");
  // Neither a parameter, nor a member, nor another type.
  show({"GET", "/twice?probe=1"}, 2);
  EXPECT_EQ(at("/paths/~1twice/get/parameters"), "-");
  show({"GET", "/twice?probe=1"});
  EXPECT_EQ(at("/paths/~1twice/get/parameters/0/name"), R"("probe")");
  show({"PUT", "/x", R"({"v":1})"}, 101);
  show({"PUT", "/x", R"({"v":1,"extra":1})"}, 2);
  EXPECT_EQ(at("/paths/~1x/put/requestBody/content/application~1json/schema/properties/extra"),
            "-");
  show({"PUT", "/x", R"({"v":"text"})"}, 2);
  EXPECT_EQ(of_member(), R"({"type":"integer"})");
  show({"PUT", "/x", R"({"v":"text"})"});
  EXPECT_EQ(of_member(), R"({"type":["string","integer"]})");
}

TEST_F(LearnerTest, OneRequestCountsOnceHoweverOftenItRepeatsItself) {
  show({"PUT", "/x", R"({"v":[{"a":1}]})"}, 10);
  std::string many = R"({"v":[)";
  for (int i = 0; i < 50; ++i) many += R"({"a":1,"evil":1},)";
  many.back() = ']';
  show({"PUT", "/x", many + "}"}, 2);
  EXPECT_EQ(of_member(),
            R"({"type":"array","items":{"type":"object","properties":{"a":{"type":"integer"}},)"
            R"("required":["a"],"additionalProperties":false}})");
}

TEST_F(LearnerTest, SegmentsThatVaryBecomeParameters) {
  for (int i = 0; i < 5; ++i) {
    const std::string number = std::to_string(100 + i);
    show({"GET", "/users/" + number + "/orders/" + std::string(uuid)});
    show({"GET", "/" + number + "/" + number});
    show({"GET", "/files/dGhpcyBpcyBhIHRva2V" + number + "/raw"});
    show({"GET", "/mail/ann" + number + "@example.com"});
    show({"GET", "/users/me"});
  }
  EXPECT_EQ(paths(),
            "/files/{fileId}/raw /mail/{mailId} /users/me /users/{userId}/orders/{orderId} "
            "/{id}/{id2}");
  EXPECT_EQ(at("/paths/~1users~1{userId}~1orders~1{orderId}/get/parameters"),
            R"([{"name":"userId","in":"path","required":true,"schema":{"type":"integer"}},)"
            R"({"name":"orderId","in":"path","required":true,)"
            R"("schema":{"type":"string","format":"uuid"}}])");
}

TEST_F(LearnerTest, ManyWordsUnderOneParentAreOneParameter) {
  const auto word = [](std::size_t i) {
    return std::string("word") + static_cast<char>('a' + i % 26) + static_cast<char>('a' + i / 26);
  };
  show({"GET", "/pages/new"}, 400);
  for (std::size_t i = 0; i + 1 < LearnLimits::siblings; ++i) show({"GET", "/pages/" + word(i)}, 3);
  EXPECT_EQ(learner_.propose().operations, LearnLimits::siblings);
  for (std::size_t i = 100; i < 104; ++i) show({"GET", "/pages/" + word(i)});
  // What most ask for is no one of many.
  EXPECT_EQ(paths(), "/pages/new /pages/{pageId}");
}

TEST_F(LearnerTest, KeepsASlashAtTheEnd) {
  show({"GET", "/orders/"}, 3);
  show({"GET", "/"}, 3);
  EXPECT_EQ(paths(), "/ /orders/");
  const auto document = Document::parse(learner_.propose().to_yaml());
  ASSERT_TRUE(document);
  EXPECT_TRUE(document->find("GET", "/orders/"));
  EXPECT_FALSE(document->find("GET", "/orders"));
}

TEST_F(LearnerTest, TypesOfMembers) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"1", R"({"type":"integer"})"},
      {"1.5", R"({"type":"number"})"},
      {"true", R"({"type":"boolean"})"},
      {"null", R"({"description":"Only null was seen: say what it may be."})"},
      {R"("x y")", R"({"type":"string"})"},
      {R"("f47ac10b-58cc-4372-a567-0e02b2c3d479")", R"({"type":"string","format":"uuid"})"},
      {R"("2026-01-31T10:00:00Z")", R"({"type":"string","format":"date-time"})"},
      {R"("2026-01-31")", R"({"type":"string","format":"date"})"},
      {R"("ann@example.com")", R"({"type":"string","format":"email"})"},
      {R"("https://example.com/a?b")", R"({"type":"string","format":"uri"})"},
      {R"("17")", R"({"type":"string"})"},
      {"[]", R"({"type":"array"})"},
      {"[1,2]", R"({"type":"array","items":{"type":"integer"}})"},
      {"{}", R"({"type":"object"})"},
      {R"({"a":{"b":1}})",
       R"({"type":"object","properties":{"a":{"type":"object","properties":{"b":{"type":)"
       R"("integer"}},"required":["b"],"additionalProperties":false}},"required":["a"],)"
       R"("additionalProperties":false})"},
  };
  for (const auto& [value, schema] : cases) {
    learner_ = Learner();
    const std::string body = "{\"v\":" + std::string(value) + "}";
    show({"PUT", "/x", body}, 3);
    EXPECT_EQ(of_member(), schema) << value;
  }
}

TEST_F(LearnerTest, TypesThatMix) {
  show({"PUT", "/x", R"({"v":1})"}, 3);
  show({"PUT", "/x", R"({"v":1.5})"}, 3);
  EXPECT_EQ(of_member(), R"({"type":"number"})");
  show({"PUT", "/x", R"({"v":null})"}, 3);
  EXPECT_EQ(of_member(), R"({"type":["number","null"]})");
  learner_ = Learner();
  show({"PUT", "/x", R"({"v":"2026-01-31"})"}, 3);
  show({"PUT", "/x", R"({"v":"today"})"}, 3);
  EXPECT_EQ(of_member(), R"({"type":"string"})");
}

TEST_F(LearnerTest, RequiredIsWhatAllHad) {
  show({"PUT", "/x", R"({"a":1,"b":1})"}, 5);
  const std::string required =
      "/paths/~1x/put/requestBody/content/application~1json/schema/required";
  EXPECT_EQ(at(required), R"(["a","b"])");
  show({"PUT", "/x", R"({"a":1})"});
  EXPECT_EQ(at(required), R"(["a"])");
  EXPECT_EQ(at("/paths/~1x/put/requestBody/required"), "true");
  show({"PUT", "/x"});
  EXPECT_EQ(at("/paths/~1x/put/requestBody/required"), "-");
}

TEST_F(LearnerTest, QueryParameters) {
  show({"GET", "/x?n=1&b=true&d=1.5&s=a+b&when=2026-01-31&tag=a&tag=b&z=007&e="}, 3);
  show({"GET", "/x?n=-20&e="}, 3);
  EXPECT_EQ(at("/paths/~1x/get/parameters"),
            R"([{"name":"b","in":"query","schema":{"type":"boolean"}},)"
            R"({"name":"d","in":"query","schema":{"type":"number"}},)"
            R"({"name":"e","in":"query","required":true,"schema":{"type":"string"}},)"
            R"({"name":"n","in":"query","required":true,"schema":{"type":"integer"}},)"
            R"({"name":"s","in":"query","schema":{"type":"string"}},)"
            R"({"name":"tag","in":"query","schema":{"type":"array","items":{"type":"string"}}},)"
            R"({"name":"when","in":"query","schema":{"type":"string","format":"date"}},)"
            R"({"name":"z","in":"query","schema":{"type":"string"}}])");
  show({"GET", "/x?n="}, 3);
  EXPECT_EQ(at("/paths/~1x/get/parameters/3/schema"), R"({"type":["integer","null"]})");
  show({"GET", "/x?n=many"}, 3);
  EXPECT_EQ(at("/paths/~1x/get/parameters/3/schema"), R"({"type":"string"})");
}

TEST_F(LearnerTest, FormsAndOtherBodies) {
  Seen form{"POST", "/f", "to=ann%40example.com&times=3&box=a&box=b"};
  form.type = "application/x-www-form-urlencoded; charset=utf-8";
  show(form, 3);
  EXPECT_EQ(at("/paths/~1f/post/requestBody/content"),
            R"({"application/x-www-form-urlencoded":{"schema":{"type":"object","properties":{)"
            R"("box":{"type":"array","items":{"type":"string"}},"times":{"type":"integer"},)"
            R"("to":{"type":"string","format":"email"}},"required":["box","times","to"],)"
            R"("additionalProperties":false}}})");
  for (const std::string_view type :
       {"image/png", "text/x-ann-smith", "application/vnd.acme.order+json",
        "application/vnd.f47ac10b58cc4372+json", "multipart/form-data; boundary=x", "nonsense"}) {
    Seen file{"PUT", "/f", "\x89PNG"};
    file.type = type;
    show(file, 3);
  }
  EXPECT_EQ(at("/paths/~1f/put/requestBody/content"),
            R"({"application/vnd.acme.order+json":{},"image/png":{},"multipart/form-data":{}})");
  EXPECT_TRUE(Document::parse(learner_.propose().to_yaml()));
}

TEST_F(LearnerTest, AnswersByStatus) {
  show({"GET", "/x", {}, R"({"id":1})"}, 3);
  show({"GET", "/x", {}, {}, 204}, 3);
  EXPECT_EQ(at("/paths/~1x/get/responses/200/content"),
            R"({"application/json":{"schema":{"type":"object","properties":{"id":{"type":)"
            R"("integer"}},"required":["id"],"additionalProperties":false}}})");
  EXPECT_EQ(at("/paths/~1x/get/responses/204"), R"({"description":"Seen in 3 requests."})");
  DocumentOptions options;
  options.checks_responses = true;
  const auto document = Document::parse(learner_.propose().to_yaml(), options);
  ASSERT_TRUE(document);
  const Operation& get = *document->find("GET", "/x")->operation;
  EXPECT_FALSE(document->check_response_head(get, 404, "text/html", true, {}));
  EXPECT_FALSE(document->check_response_body(get, 200, "application/json", R"({"id":2})"));
  EXPECT_TRUE(document->check_response_body(get, 200, "application/json",
                                            R"({"id":2,"password_hash":"x"})"));
}

TEST_F(LearnerTest, HeadIsLearnedAsGet) {
  show({"HEAD", "/x"}, 2);
  show({"GET", "/x", {}, R"({"id":1})"}, 1);
  EXPECT_EQ(at("/paths/~1x/get/description"), R"("Seen in 3 requests.")");
  EXPECT_EQ(at("/paths/~1x/get/responses/200"), "-");
  for (const std::string_view method : {"TRACE", "CONNECT", "PROPFIND", "get", ""})
    show({method, "/x"}, 5);
  EXPECT_EQ(learner_.requests(), 3u);
}

TEST_F(LearnerTest, AMapIsOpenAndAnObjectIsNot) {
  for (int i = 0; i < 5; ++i) {
    const std::string id = std::to_string(1000 + i);
    const std::string body = R"({"v":{")" + id + R"(":{"n":1}}})";
    show({"PUT", "/x", body});
  }
  EXPECT_EQ(of_member(),
            R"({"type":"object","additionalProperties":{"type":"object","properties":{"n":)"
            R"({"type":"integer"}},"required":["n"],"additionalProperties":false}})");
  // A few of a stranger's do not open what is closed.
  learner_ = Learner();
  show({"PUT", "/x", R"({"v":{"a":1}})"}, 40);
  show({"PUT", "/x", R"({"v":{"a":1,"1000":1,"a b":2}})"}, 9);
  EXPECT_EQ(of_member(),
            R"({"type":"object","properties":{"a":{"type":"integer"}},"required":["a"],)"
            R"("additionalProperties":false})");
}

TEST_F(LearnerTest, UnsafeNamesAreNoPartOfIt) {
  const std::string_view body =
      R"({"v":{"ok":1,"$gt":1,"__proto__":{},"constructor":1,"a.b":1,"x\u0000":1}})";
  show({"PUT", "/x?$where=1&constructor=2&q=1", body}, 20);
  EXPECT_EQ(of_member(),
            R"({"type":"object","properties":{"ok":{"type":"integer"}},"required":["ok"],)"
            R"("additionalProperties":false})");
  EXPECT_EQ(at("/paths/~1x/put/parameters/0/name"), R"("q")");
  EXPECT_EQ(at("/paths/~1x/put/parameters/1"), "-");
}

TEST_F(LearnerTest, WordsBecomeAnEnumWhereAllAreSeenOften) {
  const auto status =
      "/paths/~1x/put/requestBody/content/application~1json/schema/properties/status";
  const int often = LearnLimits::word_requests;
  show({"PUT", "/x", R"({"status":"open"})"}, often);
  EXPECT_EQ(at(status), R"({"type":"string"})");  // one alone is no choice
  show({"PUT", "/x", R"({"status":"done"})"}, often - 1);
  EXPECT_EQ(at(status), R"({"type":"string"})");
  show({"PUT", "/x", R"({"status":"done"})"});
  EXPECT_EQ(at(status), R"({"type":"string","enum":["done","open"]})");
  show({"PUT", "/x", R"({"status":null})"}, 3);
  EXPECT_EQ(at(status), R"({"type":["string","null"],"enum":["done","open",null]})");
  show({"PUT", "/x", R"({"status":"Ann Smith"})"});
  EXPECT_EQ(at(status), R"({"type":["string","null"]})");
}

TEST_F(LearnerTest, WordsAreAnEnumOnlyUnderANameOfAChoice) {
  for (const std::string_view word : {"alice", "bob"}) {
    const std::string body = R"({"username":")" + std::string(word) + R"(","kind":")" +
                             std::string(word) + R"(","list":[")" + std::string(word) + R"("]})";
    show({"PUT", "/x?name=" + std::string(word), body}, 100);
  }
  const std::string yaml = learner_.propose().to_yaml();
  // "kind" says that it is one of a few words of the program's.
  EXPECT_EQ(at("/paths/~1x/put/requestBody/content/application~1json/schema/properties"),
            R"({"kind":{"type":"string","enum":["alice","bob"]},)"
            R"("list":{"type":"array","items":{"type":"string"}},"username":{"type":"string"}})");
  EXPECT_EQ(at("/paths/~1x/put/parameters/0/schema"), R"({"type":"string"})");
}

// Whatever is sent as a value, however often: none of it is in the proposal. (A word as a name, of
// a segment or a member, is a name: docs/operations.md says so.)
TEST_F(LearnerTest, NoValueIsInTheProposal) {
  const std::string_view secrets[] = {"ann.smith@example.com",
                                      "hunter",
                                      "Hunter2!",
                                      "s3cr3tT0kenAbc",
                                      "4111111111111111",
                                      "DE89370400440532013000",
                                      "alice",
                                      "eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
                                      "+49 170 1234567",
                                      "Baker Street 221b",
                                      "203.0.113.7",
                                      "SSN-123-45-6789"};
  for (const std::string_view secret : secrets) {
    const std::string text(secret);
    std::string escaped;
    for (const char c : text) escaped += c == ' ' ? "%20" : c == '+' ? "%2B" : std::string(1, c);
    const std::string body = R"({"email":")" + text + R"(","password":")" + text +
                             R"(","status":")" + text + R"(","list":[")" + text +
                             R"("],"o":{"type":")" + text + R"("},"map":{"1234)" + text + R"(":")" +
                             text + R"("}})";
    const std::string answer = R"({"token":")" + text + R"(","kind":")" + text + R"("})";
    const std::string target = "/users/17/" + escaped + "x1234?q=" + escaped + "&status=" + escaped;
    show({"POST", target, body, answer}, 200);
    Seen form{"PUT", "/form", {}};
    const std::string fields =
        "password=" + escaped + "&type=" + escaped + "&" + escaped + "1234=1";
    form.body = fields;
    form.type = "application/x-www-form-urlencoded";
    show(form, 200);
  }
  const std::string yaml = learner_.propose().to_yaml();
  ASSERT_TRUE(Document::parse(yaml));
  EXPECT_NE(yaml.find("password"), std::string::npos);  // a name is none
  for (const std::string_view secret : secrets)
    EXPECT_EQ(yaml.find(secret), std::string::npos) << secret;
}

TEST_F(LearnerTest, YamlSaysWhatItStandsOn) {
  show({"GET", "/x"}, 5);
  show({"GET", "/y"}, 1);
  const Proposal proposal = learner_.propose();
  const std::string yaml = proposal.to_yaml();
  EXPECT_EQ(yaml.find("# A proposal, learned from 6 requests"), 0u) << yaml;
  EXPECT_NE(yaml.find("A person must read it"), std::string::npos);
  EXPECT_NE(yaml.find("seen too seldom: 1 operation"), std::string::npos);
  EXPECT_EQ(yaml.find("found no room"), std::string::npos);
  EXPECT_EQ(parse_yaml(yaml)->value, proposal.document);
}

TEST_F(LearnerTest, TargetsThatAreReadInTwoWaysAreNotLearned) {
  for (const std::string_view target : {"", "x", "/a//b", "/a%", "/a%zz", "/a?%", "/a?=1", "/a?&"})
    show({"GET", target}, 5);
  EXPECT_EQ(learner_.requests(), 0u);
}

}  // namespace
}  // namespace moat::openapi
