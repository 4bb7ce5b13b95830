// SPDX-License-Identifier: Apache-2.0
#include "moat/doctor/finding.h"

#include <gtest/gtest.h>

#include <set>

namespace moat::doctor {
namespace {

TEST(Shown, LetsPrintableAsciiAloneThrough) {
  EXPECT_EQ(shown("CN = example.com, \"x\""), "CN = example.com, \"x\"");
  EXPECT_EQ(shown("\x1b[31m\x9b"), "\\x1b[31m\\x9b");
  EXPECT_EQ(shown(std::string_view("\0\t\r\n\x7f", 5)), "\\x00\\x09\\x0d\\x0a\\x7f");
  EXPECT_EQ(shown("\xe2\x80\xae"), "\\xe2\\x80\\xae");
  EXPECT_EQ(shown("\\x1b"), "\\x5cx1b") << "text that looks like an escape is none";
}

TEST(Shown, CutsWhatIsLong) {
  EXPECT_EQ(shown("abcd", 4), "abcd");
  EXPECT_EQ(shown("abcde", 4), "abcd... (cut)");
  EXPECT_LE(shown(std::string(100000, '\x1b')).size(), 4 * 160u + 20);
}

TEST(Catalogue, EveryIdIsThereOnceWithItsWords) {
  std::set<std::string_view> seen;
  for (const std::string_view id : finding_ids()) {
    EXPECT_TRUE(seen.insert(id).second) << id;
    const Finding one = finding(id, "seen");
    EXPECT_EQ(one.id, id);
    EXPECT_EQ(id.substr(0, id.find('.')), to_string(one.area)) << id;
    EXPECT_EQ(one.evidence, "seen");
    EXPECT_FALSE(one.title.empty()) << id;
    const bool good = one.severity == Severity::ok;
    EXPECT_EQ(one.explanation.empty(), good) << id;
    EXPECT_EQ(one.remedy.empty(), good) << id;
    for (const std::string_view text : {one.title, one.explanation, one.remedy}) {
      for (const char c : text) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << id;
      EXPECT_EQ(text.find("  "), std::string_view::npos) << id;
    }
  }
  EXPECT_GT(seen.size(), 90u);
}

TEST(CatalogueDeathTest, AnIdThatIsNotThereIsABug) {
  EXPECT_DEATH(static_cast<void>(finding("dns.no_such", "")), "");
}

TEST(Counts, AreBySeverity) {
  const Counts counts = count({finding("dns.resolved", ""), finding("dns.no_ipv6", ""),
                               finding("ports.address_dead", ""), finding("http.hsts_off", ""),
                               finding("http.hsts_missing", "")});
  EXPECT_EQ(counts.ok, 1u);
  EXPECT_EQ(counts.notes, 1u);
  EXPECT_EQ(counts.warnings, 1u);
  EXPECT_EQ(counts.failures, 2u);
}

}  // namespace
}  // namespace moat::doctor
