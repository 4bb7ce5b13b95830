// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/acme_client.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "moat/acme/internal/memory_storage.h"
#include "moat/https/local_ca.h"

namespace moat::gateway {
namespace {

class AcmeClientTest : public ::testing::Test {
 protected:
  AcmeClientTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "moat-acme-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    config_.domains = {"a.example"};
    config_.acme.agree_to_terms = true;
  }
  ~AcmeClientTest() override {
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
  }
  Result<std::unique_ptr<AcmeClient>, std::string> make() {
    return AcmeClient::make(config_, {clock_, log_, random_, storage_, {store_, tokens_, nullptr}});
  }
  void keep(const std::string& name) {
    const auto turn = acme::Archive(storage_).take_turn();
    const https::Issued issued = https::self_signed(name, clock_.now()).value();
    ASSERT_TRUE((*turn)->keep(issued.certificate, issued.key, config_.acme.directory));
  }

  std::filesystem::path folder_;
  ManualClock clock_{from_unix_seconds(1'795'000'000)};
  std::string lines_;
  Log log_{clock_, [this](std::string_view line) { lines_ += line; }};
  InsecureSeededRandom random_{5};
  std::shared_ptr<https::CertificateStore> store_ = std::make_shared<https::CertificateStore>();
  std::shared_ptr<acme::Storage> storage_ = std::make_shared<acme::testing::MemoryStorage>();
  std::shared_ptr<AcmeTokens> tokens_ = std::make_shared<AcmeTokens>();
  Config config_;
};

TEST_F(AcmeClientTest, ServesWhatWasKeptAtOnce) {
  EXPECT_FALSE((*make())->kept());
  keep("a.example");
  const auto client = make();
  ASSERT_TRUE(client);
  EXPECT_TRUE((*client)->kept());
  EXPECT_TRUE((*client)->has_certificate());
  EXPECT_NE(store_->find("a.example"), nullptr);
  EXPECT_NE((*client)->status().find("until      20"), std::string::npos);
}

TEST_F(AcmeClientTest, ACertificateOfOtherNamesIsNotServed) {
  keep("b.example");
  const auto client = make();
  ASSERT_TRUE(client);
  EXPECT_FALSE((*client)->has_certificate());
  EXPECT_EQ(store_->find("a.example"), nullptr);
  EXPECT_NE(lines_.find(R"("event":"certificate_kept_is_of_other_names","domain":"b.example")"),
            std::string::npos);
  EXPECT_NE((*client)->status().find("none yet"), std::string::npos);
}

TEST_F(AcmeClientTest, ADamagedFileIsSaidAndDoesNotStopTheStart) {
  keep("a.example");
  ASSERT_TRUE(storage_->write("certificate.pem", Secret::copy_of("rubbish")));
  const auto client = make();
  ASSERT_TRUE(client);
  EXPECT_FALSE((*client)->has_certificate());
  EXPECT_NE(lines_.find("certificate_not_loaded"), std::string::npos);
}

// A node that was killed while it ordered leaves them.
TEST_F(AcmeClientTest, ProofsThatNobodyNeedsAreTakenAway) {
  config_.storage = "/srv/moat";
  config_.acme.directory = "https://127.0.0.1:1/dir";  // where nobody is
  keep("a.example");
  const acme::Archive archive(storage_);
  const auto left = [&] {
    const auto found = archive.challenges();
    return found && !found->empty();
  };
  const acme::Challenge proof{acme::ChallengeType::http_01, "a.example", "token", "token.print"};
  {
    const auto turn = archive.take_turn();
    ASSERT_TRUE((*turn)->show({proof}));
    const auto client = make();
    (*client)->start();
    for (int i = 0; i < 1000 && tokens_->find("token").empty(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    EXPECT_EQ(tokens_->find("token"), "token.print") << "another one orders: it is shown here too";
    EXPECT_TRUE(left());
  }
  const auto client = make();
  (*client)->start();
  for (int i = 0; i < 1000 && left(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  EXPECT_FALSE(left());
}

TEST_F(AcmeClientTest, WhatNoCaCanBeAskedForRefusesTheStart) {
  config_.domains.assign(101, "a.example");
  EXPECT_FALSE(make());
  config_.domains = {"a.example"};
  config_.acme.fallback = "https:///";
  const auto refused = make();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), "tls.acme: 'https:///' is no https:// URL");
}

TEST_F(AcmeClientTest, AnAccountKeyOfNoUseRefusesTheStart) {
  const std::filesystem::path file = folder_ / "eab";
  config_.acme.account_id = "kid-1";
  config_.acme.account_key_file = file.string();
  EXPECT_FALSE(make()) << "it is not there";
  { std::ofstream(file) << "c2VjcmV0\n"; }
  std::filesystem::permissions(file, std::filesystem::perms{0644});
  EXPECT_FALSE(make()) << "others may read it";
  std::filesystem::permissions(file, std::filesystem::perms{0600});
  EXPECT_TRUE(make());
  { std::ofstream(file) << "no base64url!\n"; }
  EXPECT_FALSE(make());
}

}  // namespace
}  // namespace moat::gateway
