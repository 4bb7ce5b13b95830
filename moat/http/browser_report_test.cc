// SPDX-License-Identifier: Apache-2.0
#include "moat/http/browser_report.h"

#include <gtest/gtest.h>

#include <string>

namespace moat::http {
namespace {

constexpr std::string_view list_type = "application/reports+json";
constexpr std::string_view csp_type = "application/csp-report";

std::string one_of_many(std::string_view body) {
  return R"([{"type":"csp-violation","age":3,"url":"https://a.example/x","user_agent":"b","body":)" +
         std::string(body) + "}]";
}

// The only report of a good body.
BrowserReport only(std::string_view type, std::string_view body) {
  const auto reports = parse_reports(type, body);
  EXPECT_TRUE(reports) << body;
  if (!reports || reports->size() != 1) return {};
  return reports->front();
}

bool malformed(std::string_view type, std::string_view body) {
  const auto reports = parse_reports(type, body);
  return !reports && reports.error() == ReportRefusal::malformed;
}

TEST(BrowserReport, OfTheReportingApiIsRead) {
  const BrowserReport report = only(
      "Application/Reports+JSON; charset=utf-8",
      R"([{"type":"csp-violation","age":10,"url":"https://Me:pw@App.Example:8443/shop/1?token=s3#f",
          "user_agent":"x","body":{"documentURL":"https://app.example:8443/shop/1?token=s3",
          "referrer":"","blockedURL":"https://CDN.example/lib.js?key=1","effectiveDirective":
          "script-src-elem","originalPolicy":"default-src 'self'","sourceFile":
          "https://app.example:8443/a.js?v=2#x","sample":"secret","disposition":"report",
          "statusCode":200,"lineNumber":7,"columnNumber":12}}])");
  EXPECT_EQ(report.type, ReportType::csp_violation);
  EXPECT_EQ(report.directive, "script-src-elem");
  EXPECT_EQ(report.disposition, Disposition::report);
  EXPECT_EQ(report.origin, "https://app.example:8443");
  EXPECT_EQ(report.path, "/shop/1");
  EXPECT_EQ(report.blocked, "https://cdn.example");
  EXPECT_EQ(report.source, "https://app.example:8443/a.js");
  EXPECT_EQ(report.line, 7);
  EXPECT_EQ(report.column, 12);
}

TEST(BrowserReport, OfReportUriIsRead) {
  BrowserReport report =
      only(csp_type,
           R"({"csp-report":{"document-uri":"https://a.example/p?q","violated-directive":"img-src",
          "effective-directive":"img-src","disposition":"enforce","blocked-uri":"inline",
          "line-number":1,"column-number":null,"source-file":"moz-extension"}})");
  EXPECT_EQ(report.type, ReportType::csp_violation);
  EXPECT_EQ(report.directive, "img-src");
  EXPECT_EQ(report.disposition, Disposition::enforce);
  EXPECT_EQ(report.origin, "https://a.example");
  EXPECT_EQ(report.path, "/p");
  EXPECT_EQ(report.blocked, "inline");
  EXPECT_EQ(report.source, "moz-extension");
  EXPECT_EQ(report.line, 1);
  EXPECT_EQ(report.column, 0);
  // CSP Level 2: the whole directive as it was written, and no disposition.
  report = only(csp_type, R"({"csp-report":{"violated-directive":"script-src 'self' x"}})");
  EXPECT_EQ(report.directive, "script-src");
  EXPECT_EQ(report.disposition, Disposition::unknown);
  EXPECT_EQ(report.origin, "");
}

TEST(BrowserReport, OfOtherTypesSaysWhatItIsAbout) {
  BrowserReport report = only(
      list_type, R"([{"type":"deprecation","url":"https://a.example/","body":{"id":"WebSQL"}}])");
  EXPECT_EQ(report.type, ReportType::deprecation);
  EXPECT_EQ(report.directive, "");
  EXPECT_EQ(report.blocked, "websql");
  report = only(list_type, R"([{"type":"network-error","url":"https://a.example/x",
                               "body":{"type":"http.error","phase":"application","elapsed_time":3}}])");
  EXPECT_EQ(report.type, ReportType::network_error);
  EXPECT_EQ(report.blocked, "http.error");
  report = only(list_type, R"([{"type":"made-up","url":"https://a.example/x","body":null}])");
  EXPECT_EQ(report.type, ReportType::other);
  EXPECT_EQ(to_string(report.type), "other");
}

TEST(BrowserReport, KeepsNoMoreOfAnAddressThanItsOrigin) {
  const std::pair<const char*, const char*> cases[] = {
      {"https://u:p@cdn.example:444/a/b?c#d", "https://cdn.example:444"},
      {"https://cdn.example\\\\@evil.example/", "https://cdn.example"},
      {"wss://live.example?token=1", "wss://live.example"},
      {"data", "data"},
      {"data:text/html,secret", "data"},
      {"blob:https://a.example/0-1", "blob"},
      {"chrome-extension://abc/x.js", "chrome-extension://abc"},
      {"EVAL", "eval"},
      {"", ""},
      {"what is this", "other"},
      {"/path?secret", "other"}};
  for (const auto& [blocked, kept] : cases) {
    const std::string body = one_of_many(R"({"blockedURL":")" + std::string(blocked) + "\"}");
    EXPECT_EQ(only(list_type, body).blocked, kept) << blocked;
  }
}

TEST(BrowserReport, TextsAreShortAndPrintable) {
  const std::string body = one_of_many(
      R"({"blockedURL":"https://a\u001b[2J\u202e.example","effectiveDirective":"x\ny"})");
  const BrowserReport report = only(list_type, body);
  EXPECT_EQ(report.blocked, "https://a%1B[2j%E2%80%AE.example");
  EXPECT_EQ(report.directive, "other");
  const auto path_of = [](std::size_t size) {
    const std::string text = R"([{"type":"crash","url":"https://a.example/)";
    return only(list_type, text + std::string(size - 1, 'x') + "\"}]").path;
  };
  EXPECT_EQ(path_of(BrowserReport::longest_text), "/" + std::string(199, 'x'));
  EXPECT_EQ(path_of(BrowserReport::longest_text + 1), "/" + std::string(196, 'x') + "...");
}

TEST(BrowserReport, WhatIsNoReportIsRefused) {
  EXPECT_FALSE(malformed(list_type, "[]"));
  for (const char* body : {"", "{}", "null", "[1]", "[{}]", "[[]]", "[{\"type\":1}]",
                           "[{\"type\":\"crash\",\"url\":1}]", "[{\"type\":\"crash\",\"body\":1}]",
                           "[{\"type\":\"crash\",\"type\":\"crash\"}]", "[{\"type\":\"crash\"},]",
                           "[{\"type\":\"crash\"}] x"})
    EXPECT_TRUE(malformed(list_type, body)) << body;
  EXPECT_TRUE(malformed(list_type, one_of_many(R"({"blockedURL":["a"]})")));
  EXPECT_TRUE(malformed(list_type, one_of_many(R"({"lineNumber":"7"})")));
  EXPECT_TRUE(malformed(list_type, one_of_many(R"({"lineNumber":-1})")));
  for (const char* body :
       {"[]", "{}", R"({"csp-report":1})", R"({"csp-report":{"blocked-uri":1}})"})
    EXPECT_TRUE(malformed(csp_type, body)) << body;
}

TEST(BrowserReport, TypesAreTwo) {
  for (const char* type : {"", "application/json", "text/plain", "application/reports+jsonx",
                           "application/csp-report2", "multipart/form-data"}) {
    const auto reports = parse_reports(type, "[]");
    ASSERT_FALSE(reports) << type;
    EXPECT_EQ(reports.error(), ReportRefusal::wrong_type);
    EXPECT_FALSE(is_report_type(type));
  }
  EXPECT_TRUE(is_report_type(" application/csp-report ;charset=utf-8"));
}

TEST(BrowserReport, LimitsAreInclusive) {
  const auto many = [](std::size_t count) {
    std::string body = "[";
    for (std::size_t i = 0; i < count; ++i) body += R"({"type":"crash"},)";
    body.back() = ']';
    return body;
  };
  EXPECT_EQ(parse_reports(list_type, many(most_reports))->size(), most_reports);
  EXPECT_TRUE(malformed(list_type, many(most_reports + 1)));

  std::string body = "[]" + std::string(most_report_bytes - 2, ' ');
  EXPECT_TRUE(parse_reports(list_type, body));
  body += ' ';
  const auto refused = parse_reports(list_type, body);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), ReportRefusal::too_large);

  const auto deep = [](std::size_t depth) {
    return one_of_many("{\"x\":" + std::string(depth, '[') + std::string(depth, ']') + "}");
  };
  EXPECT_TRUE(parse_reports(list_type, deep(5)));  // in three: list, report, body
  EXPECT_TRUE(malformed(list_type, deep(6)));

  const auto text = [](std::size_t size) {
    return one_of_many("{\"sample\":\"" + std::string(size, 'x') + "\"}");
  };
  EXPECT_TRUE(parse_reports(list_type, text(16 * 1024)));
  EXPECT_TRUE(malformed(list_type, text(16 * 1024 + 1)));
}

}  // namespace
}  // namespace moat::http
