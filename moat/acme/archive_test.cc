// SPDX-License-Identifier: Apache-2.0
#include "moat/acme/archive.h"

#include <gtest/gtest.h>

#include "moat/acme/internal/memory_storage.h"
#include "moat/acme/internal/storage_suite.h"
#include "moat/https/local_ca.h"

namespace moat::acme {

struct InMemory : ::testing::Test {
  testing::MemoryStorage memory;
  Storage& storage() { return memory; }
  Storage& another() { return memory; }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StorageSuite, InMemory);

namespace {

const std::string ca = "https://ca.test/directory";
const Time now = from_unix_seconds(1'800'000'000);

class ArchiveTest : public ::testing::Test {
 protected:
  Archive::Turn turn() {
    auto taken = archive_.take_turn();
    EXPECT_TRUE(taken && *taken);
    return std::move(**taken);
  }
  std::string fingerprint(Time at = now) {
    const auto loaded = archive_.load(at);
    EXPECT_TRUE(loaded) << loaded.error();
    return loaded && *loaded ? (*loaded)->certificate.fingerprint() : std::string();
  }
  void write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(storage_->write(name, Secret::copy_of(text)));
  }
  std::shared_ptr<testing::MemoryStorage> storage_ = std::make_shared<testing::MemoryStorage>();
  Archive archive_{storage_};
  https::Issued issued_ = https::self_signed("a.example", now).value();
};

TEST_F(ArchiveTest, KeepsACertificateWithItsKeyUntilItExpires) {
  EXPECT_EQ(fingerprint(), "");
  ASSERT_TRUE(turn().keep(issued_.certificate, issued_.key, ca));
  EXPECT_NE(fingerprint(), "");
  EXPECT_EQ((*archive_.load(now))->ca, ca);
  EXPECT_EQ(fingerprint(now + std::chrono::days{4000}), "") << "expired is as good as none";
}

TEST_F(ArchiveTest, ANewCertificateTakesThePlaceWhole) {
  ASSERT_TRUE(turn().keep(issued_.certificate, issued_.key, ca));
  const std::string first = fingerprint();
  const https::Issued next = https::self_signed("a.example", now).value();
  ASSERT_TRUE(turn().keep(next.certificate, next.key, ca));
  EXPECT_NE(fingerprint(), first);
  write("certificate.pem", issued_.certificate);
  EXPECT_FALSE(archive_.load(now)) << "half of it";
  write("certificate.pem", issued_.certificate + std::string(next.key.reveal()));
  EXPECT_FALSE(archive_.load(now)) << "another's key";
}

TEST_F(ArchiveTest, AccountsAndOrdersBelongToACa) {
  const auto own = turn();
  ASSERT_TRUE(own.keep_account(ca, Secret::copy_of("key 1")));
  ASSERT_TRUE(own.keep_order(ca, Secret::copy_of("order 1")));
  EXPECT_TRUE(own.account(ca)->equals("key 1"));
  EXPECT_TRUE(own.order(ca)->equals("order 1"));
  EXPECT_TRUE(own.account("https://other.test/directory")->empty());
  EXPECT_TRUE(own.order("https://other.test/directory")->empty());
  ASSERT_TRUE(own.keep(issued_.certificate, issued_.key, ca));
  EXPECT_TRUE(own.order(ca)->empty()) << "it has ended";
  EXPECT_TRUE(own.account(ca)->equals("key 1"));
}

TEST_F(ArchiveTest, OneOrdersAtATimeAndReadersDoNotWait) {
  std::optional<Archive::Turn> first = turn();
  ASSERT_TRUE(first->keep(issued_.certificate, issued_.key, ca));
  EXPECT_FALSE(archive_.take_turn().value());
  EXPECT_NE(fingerprint(), "");
  first.reset();
  EXPECT_TRUE(archive_.take_turn().value());
}

TEST_F(ArchiveTest, WhatWasTakenBackIsSaidOfThatCertificateAlone) {
  ASSERT_TRUE(turn().keep(issued_.certificate, issued_.key, ca));
  EXPECT_FALSE((*archive_.load(now))->revoked);
  ASSERT_TRUE(archive_.note_revoked(fingerprint()));
  EXPECT_TRUE((*archive_.load(now))->revoked);
  const https::Issued next = https::self_signed("a.example", now).value();
  ASSERT_TRUE(turn().keep(next.certificate, next.key, ca));
  EXPECT_FALSE((*archive_.load(now))->revoked);
}

TEST_F(ArchiveTest, ShowsEachNodeWhatTheOneWhoOrdersShows) {
  EXPECT_TRUE(archive_.challenges()->empty());
  const std::vector<Challenge> shown{{ChallengeType::tls_alpn_01, "a.example", "tok", "tok.print"},
                                     {ChallengeType::http_01, "192.0.2.1", "tok2", "tok2.print"}};
  ASSERT_TRUE(turn().show(shown));
  const auto seen = archive_.challenges();
  ASSERT_TRUE(seen);
  ASSERT_EQ(seen->size(), 2U);
  EXPECT_EQ(seen->at(0).name, "a.example");
  EXPECT_EQ(seen->at(1).type, ChallengeType::http_01);
  EXPECT_EQ(seen->at(1).key_authorization, "tok2.print");
  ASSERT_TRUE(turn().show({}));
  EXPECT_TRUE(archive_.challenges()->empty());
}

TEST_F(ArchiveTest, AProofThatIsNoneIsNotShown) {
  const auto entry = [](const std::string& type, const std::string& name, const std::string& token,
                        const std::string& print) {
    return R"([{"type":")" + type + R"(","name":")" + name + R"(","token":")" + token +
           R"(","authorization":")" + print + "\"}]";
  };
  write("challenges", entry("http-01", "a.example", "tok", "tok.print"));
  EXPECT_EQ(archive_.challenges()->size(), 1U);
  for (const std::string& text :
       {entry("http-02", "a.example", "tok", "tok.print"), entry("http-01", "", "tok", "tok.print"),
        entry("http-01", "a b", "tok", "tok.print"), entry("http-01", "a.example", "", ".print"),
        entry("http-01", "a.example", "../x", "../x.print"),
        entry("http-01", "a.example", "tok", "other.print"),
        entry("http-01", "a.example", "tok", "tok.<script>"),
        entry("http-01", "a.example", "tok", "tok."), entry("http-01", "a.example", "tok", "tok"),
        std::string("[1]"), std::string("{}"), std::string("nothing")}) {
    write("challenges", text);
    EXPECT_FALSE(archive_.challenges()) << text;
  }
}

}  // namespace
}  // namespace moat::acme
