// SPDX-License-Identifier: Apache-2.0
#include "moat/doctor/internal/caa.h"

#include <gtest/gtest.h>

#include "moat/doctor/internal/test_site.h"

namespace moat::doctor::internal {
namespace {

std::string two(unsigned value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}
std::string caa_data(unsigned flags, const std::string& tag, const std::string& value) {
  return static_cast<char>(flags) + (static_cast<char>(tag.size()) + tag) + value;
}
const std::string name = std::string(
                             "\x07"
                             "example\x03"
                             "com",
                             12) +
                         '\0';
const std::string pointer = "\xc0\x0c";

std::string record(unsigned type, const std::string& data, const std::string& of = pointer) {
  return of + two(type) + two(1) + two(0) + two(60) + two(static_cast<unsigned>(data.size())) +
         data;
}
std::string message(const std::vector<std::string>& records) {
  std::string out = two(7) + two(0x8180) + two(1) + two(static_cast<unsigned>(records.size())) +
                    two(0) + two(0) + name + two(caa_type) + two(1);
  for (const std::string& one : records) out += one;
  return out;
}

TEST(Caa, ARecordHasFlagsTagAndValue) {
  const auto record = parse_caa(caa_data(0x80, "Issue", "letsencrypt.org; validationmethods=x"));
  ASSERT_TRUE(record);
  EXPECT_TRUE(record->critical);
  EXPECT_EQ(record->tag, "issue");
  EXPECT_EQ(record->value, "letsencrypt.org; validationmethods=x");
  EXPECT_FALSE(parse_caa(caa_data(0x7f, "issue", ""))->critical);
}

TEST(Caa, ARecordThatIsCutIsNone) {
  const std::string whole = caa_data(0, "issue", "");
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_caa(whole.substr(0, size))) << size;
  EXPECT_TRUE(parse_caa(whole));
  EXPECT_FALSE(parse_caa(caa_data(0, "", "x")));
  EXPECT_FALSE(parse_caa(caa_data(0, "is sue", "x")));
  EXPECT_FALSE(parse_caa(caa_data(0, "issue\x1b", "x")));
}

TEST(Caa, AnAnswerIsReadPastAliases) {
  const auto records = read_caa_answer(
      message({record(5, "\xc0\x0c"), record(caa_type, caa_data(0, "issue", "a.test")),
               record(caa_type, caa_data(0, "iodef", "b"), name)}));
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].value, "a.test");
  EXPECT_EQ(records[1].tag, "iodef");
}

TEST(Caa, AnAnswerThatIsCutHasNoRecords) {
  const std::string whole = message({record(caa_type, caa_data(0, "issue", "a.test"))});
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_TRUE(read_caa_answer(whole.substr(0, size)).empty()) << size;
  EXPECT_EQ(read_caa_answer(whole).size(), 1u);
}

TEST(Caa, AtMostTwentyRecordsAreRead) {
  for (const std::size_t count : {std::size_t{19}, std::size_t{20}, std::size_t{21}}) {
    const std::vector<std::string> all(count, record(caa_type, caa_data(0, "issue", "a")));
    EXPECT_EQ(read_caa_answer(message(all)).size(), std::min<std::size_t>(count, 20));
  }
}

CaaVerdict judge(std::vector<CaaRecord> records, const char* certificate_name = "example.com") {
  Caa caa{Caa::State::found, "example.com", std::move(records)};
  CertificateFacts certificate = testing::certificate("CN = x", "O = Let's Encrypt");
  certificate.names = {certificate_name};
  return judge_caa(caa, certificate, "example.com");
}

TEST(Caa, TheCaMustBeNamedWhereAnyIs) {
  EXPECT_EQ(judge({{false, "issue", "letsencrypt.org"}}), CaaVerdict::permits);
  EXPECT_EQ(judge({{false, "issue", " LetsEncrypt.org ; accounturi=https://x"}}),
            CaaVerdict::permits);
  EXPECT_EQ(judge({{false, "issue", "a.test"}, {false, "issue", "letsencrypt.org"}}),
            CaaVerdict::permits);
  EXPECT_EQ(judge({{false, "issue", "digicert.com"}}), CaaVerdict::forbids);
  EXPECT_EQ(judge({{false, "issue", "notletsencrypt.org"}}), CaaVerdict::forbids);
  EXPECT_EQ(judge({{false, "issue", ";"}}), CaaVerdict::forbids);
  EXPECT_EQ(judge({{false, "issuewild", ";"}, {false, "iodef", "mailto:a@b"}}),
            CaaVerdict::unrestricted);
}

TEST(Caa, AWildcardIsJudgedByItsOwnRecords) {
  const std::vector<CaaRecord> both = {{false, "issue", "letsencrypt.org"},
                                       {false, "issuewild", ";"}};
  EXPECT_EQ(judge(both), CaaVerdict::permits);
  EXPECT_EQ(judge(both, "*.com"), CaaVerdict::forbids);
  EXPECT_EQ(judge({{false, "issue", "letsencrypt.org"}}, "*.com"), CaaVerdict::permits);
}

TEST(Caa, ACriticalRecordThatIsUnknownForbids) {
  EXPECT_EQ(judge({{false, "issue", "letsencrypt.org"}, {true, "future", "x"}}),
            CaaVerdict::forbids);
  EXPECT_EQ(judge({{false, "issue", "letsencrypt.org"}, {false, "future", "x"}}),
            CaaVerdict::permits);
  EXPECT_EQ(judge({{true, "issue", "letsencrypt.org"}}), CaaVerdict::permits);
}

TEST(Caa, OfACaThatIsNotKnownNothingIsSaid) {
  Caa caa{Caa::State::found, "example.com", {{false, "issue", "a.test"}}};
  CertificateFacts certificate = testing::certificate("CN = x", "O = A");
  certificate.issuer_organization = "A new CA";
  EXPECT_EQ(judge_caa(caa, certificate, "example.com"), CaaVerdict::unclear);
  caa.records[0].value = ";";
  EXPECT_EQ(judge_caa(caa, certificate, "example.com"), CaaVerdict::forbids);
}

}  // namespace
}  // namespace moat::doctor::internal
