// SPDX-License-Identifier: Apache-2.0
#include "moat/certs/certificate_files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "moat/certs/internal/testing.h"
#include "moat/https/local_ca.h"

namespace moat::certs {
namespace {

namespace fs = std::filesystem;
using testing::now;
using testing::write_file;

class CertificateFilesTest : public testing::Folder {
 protected:
  CertificateFilesTest() { put(first_); }
  void put(const https::Issued& issued) {
    write_file(chain_, issued.certificate, 0644);
    write_file(key_, issued.key.reveal(), 0600);
  }
  std::optional<FileError> refusal(Time at = now, const KeyFilePolicy& policy = {}) const {
    const auto result = load_files(chain_, key_, at, policy);
    return result ? std::nullopt : std::optional(result.error());
  }
  const https::Issued first_ = https::self_signed("example.com", now).value();
  const https::Issued second_ = https::self_signed("example.com", now).value();
  const fs::path chain_ = folder_ / "fullchain.pem";
  const fs::path key_ = folder_ / "privkey.pem";
};

TEST_F(CertificateFilesTest, AreLoaded) {
  const auto certificate = load_files(chain_, key_, now);
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->fingerprint(), https::certificate_fingerprint(first_.certificate));
}

TEST_F(CertificateFilesTest, AMissingFileIsNamed) {
  fs::remove(key_);
  EXPECT_EQ(refusal()->kind, FileError::Kind::missing);
  EXPECT_EQ(refusal()->path, key_.string());
  fs::remove(chain_);
  EXPECT_EQ(refusal()->path, chain_.string());
}

TEST_F(CertificateFilesTest, ABadFileIsNamedWithItsReason) {
  write_file(key_, second_.key.reveal(), 0600);
  EXPECT_EQ(refusal()->kind, FileError::Kind::invalid);
  EXPECT_EQ(refusal()->path, key_.string());
  EXPECT_NE(refusal()->message.find("does not belong"), std::string::npos);
  put(first_);
  EXPECT_EQ(refusal(now + std::chrono::days{8})->path, chain_.string());
  EXPECT_NE(refusal(now + std::chrono::days{8})->message.find("expired"), std::string::npos);
}

TEST_F(CertificateFilesTest, AKeyIsReadByAGroupAtMost) {
  for (const mode_t good : {0400u, 0600u, 0640u, 0440u}) {
    ::chmod(key_.c_str(), good);
    EXPECT_EQ(refusal(), std::nullopt) << std::oct << good;
  }
  for (const mode_t bad : {0644u, 0604u, 0660u, 0620u, 0602u, 0666u}) {
    ::chmod(key_.c_str(), bad);
    ASSERT_TRUE(refusal()) << std::oct << bad;
    EXPECT_EQ(refusal()->kind, FileError::Kind::unsafe);
    EXPECT_EQ(refusal()->path, key_.string());
  }
  ::chmod(key_.c_str(), 0444);
  EXPECT_TRUE(refusal());
  EXPECT_FALSE(refusal(now, {true}));
  ::chmod(key_.c_str(), 0446);
  EXPECT_TRUE(refusal(now, {true}));
}

TEST_F(CertificateFilesTest, AChainIsWrittenByNoStranger) {
  ::chmod(chain_.c_str(), 0664);
  EXPECT_FALSE(refusal());
  ::chmod(chain_.c_str(), 0666);
  EXPECT_EQ(refusal()->kind, FileError::Kind::unsafe);
}

TEST_F(CertificateFilesTest, AnotherUsersKeyIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to give a file away";
  ASSERT_EQ(::chown(key_.c_str(), 12345, 12345), 0);
  EXPECT_EQ(refusal()->kind, FileError::Kind::unsafe);
}

TEST_F(CertificateFilesTest, ADirectoryOrPipeIsRefused) {
  fs::remove(key_);
  fs::create_directory(key_);
  EXPECT_EQ(refusal()->kind, FileError::Kind::unsafe);
  fs::remove(key_);
  ASSERT_EQ(::mkfifo(key_.c_str(), 0600), 0);
  EXPECT_EQ(refusal()->kind, FileError::Kind::unsafe);
}

TEST_F(CertificateFilesTest, AChangeIsPickedUpOnce) {
  CertificateFiles files(chain_, key_);
  EXPECT_TRUE(files.changed());
  ASSERT_TRUE(files.load(now));
  EXPECT_FALSE(files.changed());
  EXPECT_FALSE(files.poll(now).value().has_value());
  put(second_);
  EXPECT_TRUE(files.changed());
  const auto renewed = files.poll(now);
  ASSERT_TRUE(renewed && renewed->has_value());
  EXPECT_EQ((*renewed)->fingerprint(), https::certificate_fingerprint(second_.certificate));
  EXPECT_FALSE(files.poll(now).value().has_value());
}

TEST_F(CertificateFilesTest, HalfAChangeIsAnErrorThatHeals) {
  CertificateFiles files(chain_, key_);
  ASSERT_TRUE(files.load(now));
  write_file(chain_, second_.certificate, 0644);
  EXPECT_FALSE(files.poll(now));
  EXPECT_FALSE(files.poll(now));
  write_file(key_, second_.key.reveal(), 0600);
  const auto renewed = files.poll(now);
  ASSERT_TRUE(renewed && renewed->has_value());
}

// Certificate managers point a link at the new pair.
TEST_F(CertificateFilesTest, LinksAreFollowed) {
  fs::create_directory(folder_ / "1");
  fs::create_directory(folder_ / "2");
  write_file(folder_ / "1/c", first_.certificate, 0644);
  write_file(folder_ / "1/k", first_.key.reveal(), 0600);
  write_file(folder_ / "2/c", second_.certificate, 0644);
  write_file(folder_ / "2/k", second_.key.reveal(), 0600);
  fs::create_directory_symlink(folder_ / "1", folder_ / "live");
  CertificateFiles files(folder_ / "live/c", folder_ / "live/k");
  ASSERT_TRUE(files.load(now));
  fs::remove(folder_ / "live");
  fs::create_directory_symlink(folder_ / "2", folder_ / "live");
  EXPECT_TRUE(files.changed());
  EXPECT_EQ(files.poll(now).value()->fingerprint(),
            https::certificate_fingerprint(second_.certificate));
}

}  // namespace
}  // namespace moat::certs
