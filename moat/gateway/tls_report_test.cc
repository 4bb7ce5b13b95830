// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/tls_report.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace moat::gateway {
namespace {

class TlsReport : public ::testing::Test {
 protected:
  TlsReport() {
    char name[] = "/tmp/moat-report-XXXXXX";
    directory_ = ::mkdtemp(name);
  }
  ~TlsReport() override { std::filesystem::remove_all(directory_); }

  std::string report(const std::string& hsts, const std::string& more = {}) const {
    auto config = parse_config("domain = \"example.com\"\nbackend = \"3000\"\n" + more +
                                   "tls.acme.agree_to_terms = true\n[tls.hsts]\n" + hsts,
                               "moat.toml")
                      .value();
    config.data = directory_;
    std::string all;
    for (const std::string& line : tls_report(config, from_unix_seconds(1'800'000'000)))
      all += line + "\n";
    return all;
  }
  void keep(const std::string& text) const { std::ofstream(directory_ / "hsts-ramp") << text; }
  static bool has(const std::string& all, const std::string& part) {
    return all.find(part) != std::string::npos;
  }

  std::filesystem::path directory_;
};

TEST_F(TlsReport, SaysWhatHstsIs) {
  EXPECT_TRUE(has(report(""), "HSTS: max-age=63072000; includeSubDomains.\n"));
  EXPECT_FALSE(has(report(""), "preload"));
  EXPECT_TRUE(has(report(""), "Certificate: for example.com from the CA, by ACME.\n"));
  const auto local = parse_config("backend = \"3000\"\ntls.hsts.ramp = true", "moat.toml").value();
  const auto lines = tls_report(local, from_unix_seconds(0));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0], "Certificate: for localhost from the local CA.");
}

TEST_F(TlsReport, SaysWhereARampStands) {
  EXPECT_TRUE(has(report("ramp = true"), "not begun; the next start begins it with max-age=300."));
  keep("1 1800000000\n");
  EXPECT_TRUE(has(report("ramp = true"),
                  "step 2 of 4, max-age=86400, since 2027-01-15T08:00:00Z; from "
                  "2027-01-21T08:00:00Z on max-age=2592000."));
  keep("3 1800000000\n");
  EXPECT_TRUE(has(report("ramp = true"), "finished; max-age=63072000; includeSubDomains."));
  keep("nonsense");
  EXPECT_TRUE(has(report("ramp = true"), "it would begin anew"));
  EXPECT_FALSE(has(report(""), "ramp"));
}

TEST_F(TlsReport, GoesThroughTheRulesOfPreloading) {
  const std::string all = report("preload = true");
  for (const char* rule :
       {"max-age of a year or more", "includeSubDomains", "the preload directive is sent",
        "port 80 redirects", "a certificate that browsers trust"})
    EXPECT_TRUE(has(all, std::string("  met: ") + rule)) << rule;
  EXPECT_FALSE(has(all, "NOT MET"));
  EXPECT_TRUE(has(all, "takes months"));
  EXPECT_TRUE(has(all, "not a public suffix"));
}

TEST_F(TlsReport, NamesTheRulesThatAreNotMet) {
  EXPECT_TRUE(has(report("preload = true\nsubdomains = false"), "  NOT MET: includeSubDomains"));
  EXPECT_TRUE(has(report("preload = true\nmax_age = \"8759h\""), "  NOT MET: max-age"));
  EXPECT_TRUE(has(report("preload = true\nmax_age = \"8760h\""), "  met: max-age"));
  EXPECT_TRUE(has(report("preload = true", "server.http = [\":8080\"]\n"), "  NOT MET: port 80"));
  EXPECT_TRUE(has(report("preload = true", "tls.issuer = \"local-ca\"\n"),
                  "  NOT MET: a certificate that browsers trust"));
  const std::string running = "  NOT MET: the preload directive is sent: not before the ramp";
  EXPECT_TRUE(has(report("preload = true\nramp = true"), running));
  keep("2 1800000000\n");
  EXPECT_TRUE(has(report("preload = true\nramp = true"), running));
  keep("3 1800000000\n");
  EXPECT_TRUE(has(report("preload = true\nramp = true"), "  met: the preload directive is sent"));
}

TEST_F(TlsReport, SaysWhatOnlyThePublicSuffixListKnows) {
  auto config = parse_config(
                    "domain = [\"example.com\", \"www.example.com\", \"a.example.co.uk\"]\n"
                    "backend = \"3000\"\ntls.hsts.preload = true",
                    "moat.toml")
                    .value();
  config.data = directory_;
  std::string all;
  for (const std::string& line : tls_report(config, Time{})) all += line + "\n";
  EXPECT_TRUE(has(all, "www.example.com, a.example.co.uk are perhaps below"));
}

}  // namespace
}  // namespace moat::gateway
