// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/certificates.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "moat/https/local_ca.h"

namespace moat::gateway {
namespace {

class CertificatesTest : public ::testing::Test {
 protected:
  CertificatesTest() {
    char name[] = "/tmp/moat-certificates-XXXXXX";
    directory_ = ::mkdtemp(name);
    config_.domains = {"a.example", "b.example"};
    for (const char* one : {"a", "b"}) {
      issue(one, std::string(one) + ".example");
      config_.more_certificates.push_back({path(one, ".pem"), path(one, ".key"), {}});
    }
  }
  ~CertificatesTest() override { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& name, const char* suffix) const {
    return directory_ / (name + suffix);
  }
  // Whole files take the place of those that are there, as certificate managers do it.
  void issue(const std::string& file, const std::string& name) const {
    const auto issued = https::self_signed(name, clock_.now()).value();
    put(path(file, ".pem"), issued.certificate);
    put(path(file, ".key"), issued.key.reveal());
  }
  void put(const std::string& path, std::string_view text) const {
    std::ofstream(path + ".new") << text;
    ASSERT_EQ(::chmod((path + ".new").c_str(), 0600), 0);
    std::filesystem::rename(path + ".new", path);
  }
  std::unique_ptr<Certificates> start() {
    auto made = Certificates::start(config_, {}, {clock_, log_});
    why_ = made ? "" : made.error();
    return made ? std::move(*made) : nullptr;
  }
  static std::string shown(const Certificates& certificates, const char* name) {
    const auto found = certificates.store()->find(name);
    return found ? found->fingerprint() : "";
  }

  std::filesystem::path directory_;
  ManualClock clock_{std::chrono::floor<std::chrono::seconds>(system_clock().now())};
  std::string lines_;
  Log log_{clock_, [this](std::string_view line) { lines_ += line; }};
  Config config_;
  std::string why_;
};

TEST_F(CertificatesTest, EachNameHasItsOwn) {
  const auto all = start();
  ASSERT_NE(all, nullptr) << why_;
  EXPECT_NE(shown(*all, "a.example"), "");
  EXPECT_NE(shown(*all, "b.example"), "");
  EXPECT_NE(shown(*all, "a.example"), shown(*all, "b.example"));
  EXPECT_EQ(shown(*all, "c.example"), "");
  EXPECT_TRUE(all->trusted());
  EXPECT_EQ(all->description().rfind("2 files; the first to end is ", 0), 0u);
  EXPECT_EQ(load_certificates(config_, clock_.now()).value().size(), 2u);
}

TEST_F(CertificatesTest, ANameWithoutOneIsSaidWithTheNearest) {
  config_.domains = {"a.example", "bb.example"};
  EXPECT_EQ(start(), nullptr);
  EXPECT_NE(why_.find("no certificate for 'bb.example'"), std::string::npos);
  EXPECT_NE(why_.find("did you mean 'b.example'?"), std::string::npos);
  const auto loaded = load_certificates(config_, clock_.now());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error(), why_);
}

TEST_F(CertificatesTest, RenewedOnesAreTakenOneByOne) {
  const auto all = start();
  ASSERT_NE(all, nullptr) << why_;
  const std::string a = shown(*all, "a.example");
  const std::string b = shown(*all, "b.example");
  all->maintain(clock_.now());
  EXPECT_EQ(shown(*all, "a.example"), a);
  issue("a", "a.example");
  all->maintain(clock_.now());
  const std::string renewed = shown(*all, "a.example");
  EXPECT_NE(renewed, a);
  EXPECT_EQ(shown(*all, "b.example"), b);
  // One that leaves a name without any, or whose key is another's, changes nothing.
  issue("b", "c.example");
  all->maintain(clock_.now());
  EXPECT_EQ(shown(*all, "b.example"), b);
  EXPECT_EQ(shown(*all, "c.example"), "");
  EXPECT_NE(lines_.find("no certificate for 'b.example'"), std::string::npos);
  put(path("a", ".key"), "nonsense");
  issue("b", "b.example");
  all->maintain(clock_.now());
  EXPECT_EQ(shown(*all, "a.example"), renewed);
  EXPECT_NE(shown(*all, "b.example"), b);  // the others go on
}

}  // namespace
}  // namespace moat::gateway
