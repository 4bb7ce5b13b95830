// SPDX-License-Identifier: Apache-2.0
#include "moat/certs/acme_files.h"

#include <sys/wait.h>
#include <unistd.h>

#include "moat/certs/internal/testing.h"
#include "moat/https/local_ca.h"

namespace moat::certs {
namespace {

namespace fs = std::filesystem;
using testing::mode_of;
using testing::now;
using testing::read_file;
using testing::write_file;

const std::string ca = "https://ca.test/directory";

class AcmeFilesTest : public testing::Folder {
 protected:
  AcmeFiles::Turn turn() {
    auto taken = files_.take_turn();
    EXPECT_TRUE(taken && *taken);
    return std::move(**taken);
  }
  std::string fingerprint(Time at = now) {
    const auto loaded = files_.load(at);
    EXPECT_TRUE(loaded) << loaded.error().message;
    return loaded && *loaded ? (*loaded)->fingerprint() : std::string();
  }
  fs::path place_ = folder_ / "acme";
  AcmeFiles files_{place_};
  https::Issued issued_ = https::self_signed("a.example", now).value();
};

TEST_F(AcmeFilesTest, KeepsACertificateWithItsKeyForNobodyElse) {
  EXPECT_EQ(fingerprint(), "");
  ASSERT_TRUE(turn().keep(issued_.certificate, issued_.key, ca));
  EXPECT_NE(fingerprint(), "");
  EXPECT_EQ(mode_of(place_), 0700U);
  EXPECT_EQ(mode_of(place_ / "order"), 0700U);
  EXPECT_EQ(mode_of(files_.certificate()), 0600U);
  EXPECT_EQ(fingerprint(now + std::chrono::days{4000}), "") << "expired is as good as none";
}

TEST_F(AcmeFilesTest, ANewCertificateTakesThePlaceWhole) {
  ASSERT_TRUE(turn().keep(issued_.certificate, issued_.key, ca));
  const std::string first = fingerprint();
  const https::Issued next = https::self_signed("a.example", now).value();
  ASSERT_TRUE(turn().keep(next.certificate, next.key, ca));
  EXPECT_NE(fingerprint(), first);
  // Half of a file, as no process of ours leaves it, is no certificate.
  write_file(files_.certificate(), issued_.certificate, 0600);
  EXPECT_FALSE(files_.load(now));
  write_file(files_.certificate(), issued_.certificate + std::string(next.key.reveal()), 0600);
  EXPECT_FALSE(files_.load(now)) << "another's key";
}

TEST_F(AcmeFilesTest, WhatOthersMayReadIsRefused) {
  ASSERT_TRUE(turn().keep(issued_.certificate, issued_.key, ca));
  ::chmod(files_.certificate().c_str(), 0644);
  const auto loaded = files_.load(now);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().kind, FileError::Kind::unsafe);
}

TEST_F(AcmeFilesTest, AccountsAndOrdersBelongToACa) {
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

TEST_F(AcmeFilesTest, OneOrdersAtATimeAndReadersDoNotWait) {
  std::optional<AcmeFiles::Turn> first = turn();
  ASSERT_TRUE(first->keep(issued_.certificate, issued_.key, ca));
  const pid_t child = ::fork();
  if (child == 0) {
    const auto other = AcmeFiles(place_).take_turn();
    const auto loaded = AcmeFiles(place_).load(now);
    ::_exit(other && !*other && loaded && *loaded ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(files_.take_turn().value()) << "nor another part of this process";
  first.reset();
  EXPECT_TRUE(files_.take_turn().value());
}

}  // namespace
}  // namespace moat::certs
