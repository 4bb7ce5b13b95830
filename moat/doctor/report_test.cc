// SPDX-License-Identifier: Apache-2.0
#include "moat/doctor/report.h"

#include <gtest/gtest.h>

#include <sstream>

#include "moat/base/json.h"
#include "moat/doctor/internal/test_site.h"

namespace moat::doctor {
namespace {

const Target target = *parse_target("example.com");

TEST(Report, IsGroupedMarkedAndCounted) {
  const std::string text =
      to_text(target,
              {finding("dns.resolved", "192.0.2.1"), finding("ports.https_open", ""),
               finding("certificate.expired", "from a to b"), finding("http.no_csp", "")},
              Colour::off);
  EXPECT_EQ(
      text,
      "example.com, port 443\n\n"
      "DNS\n"
      "  ok       The name resolves: 192.0.2.1\n\n"
      "Ports\n"
      "  ok       HTTPS port open\n\n"
      "Certificate\n"
      "  FAIL     The certificate has expired: from a to b\n"
      "           Clients refuse it.\n"
      "           To do: Renew it now, and let that happen by itself from then on (ACME).\n\n"
      "HTTP\n"
      "  note     No Content-Security-Policy\n"
      "           A script that somebody manages to inject may run.\n"
      "           To do: Send one, first in Content-Security-Policy-Report-Only to see what it "
      "would\n"
      "           stop.\n\n"
      "2 ok, 1 note, 0 warnings, 1 failure: practice 1 is not kept.\n");
}

TEST(Report, SaysWhenThePracticeIsKept) {
  const std::string text = to_text(target, {finding("ports.address_dead", "")}, Colour::off);
  EXPECT_NE(text.find("0 ok, 0 notes, 1 warning, 0 failures: practice 1 is kept.\n"),
            std::string::npos);
}

TEST(Report, HasColoursOnlyWhereAskedFor) {
  const auto findings = judge_tls(testing::good_site(), testing::now);
  EXPECT_EQ(to_text(target, findings, Colour::off).find('\x1b'), std::string::npos);
  EXPECT_NE(to_text(target, findings, Colour::on).find("  \x1b[32mok\x1b[0m       "),
            std::string::npos);
}

TEST(Report, LinesFitATerminal) {
  std::vector<Finding> all;
  for (const std::string_view id : finding_ids()) all.push_back(finding(id, std::string(60, 'x')));
  std::istringstream lines(to_text(target, all, Colour::off));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << line;
}

TEST(Report, LetsNoControlCharacterThroughWhoeverMadeTheEvidence) {
  const std::string text =
      to_text(target, {finding("dns.resolved", "\x1b[31m\x9b\r\n")}, Colour::off);
  EXPECT_NE(text.find("The name resolves: ?[31m???\n"), std::string::npos);
}

TEST(Report, OfJsonHasItsMembers) {
  const std::string text =
      to_json(target, {finding("certificate.expired", "a\x1b")}, true, testing::now);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  const auto value = json::parse(std::string_view(text).substr(0, text.size() - 1));
  ASSERT_TRUE(value);
  EXPECT_EQ(*value->find("version")->as_integer(), 1);
  EXPECT_EQ(*value->find("host")->as_string(), "example.com");
  EXPECT_EQ(*value->find("port")->as_integer(), 443);
  EXPECT_EQ(*value->find("reached")->as_bool(), true);
  EXPECT_EQ(*value->find("time")->as_string(), "2027-01-15T08:00:00Z");
  EXPECT_EQ(*value->find("counts")->find("failure")->as_integer(), 1);
  EXPECT_EQ(*value->find("counts")->find("ok")->as_integer(), 0);
  const json::Array& findings = *value->find("findings")->as_array();
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(*findings[0].find("id")->as_string(), "certificate.expired");
  EXPECT_EQ(*findings[0].find("severity")->as_string(), "failure");
  EXPECT_EQ(*findings[0].find("area")->as_string(), "certificate");
  for (const char* name : {"title", "evidence", "explanation", "remedy"})
    EXPECT_FALSE(findings[0].find(name)->as_string()->empty()) << name;
}

}  // namespace
}  // namespace moat::doctor
