// SPDX-License-Identifier: Apache-2.0
#include "moat/certs/local_ca_files.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "moat/certs/internal/testing.h"
#include "moat/https/local_ca.h"

namespace moat::certs {
namespace {

namespace fs = std::filesystem;
using testing::mode_of;
using testing::now;
using testing::read_file;
using testing::write_file;

class LocalCaFilesTest : public testing::Folder {
 protected:
  Result<https::Certificate, FileError> load(Time at = now, std::vector<std::string> names = {}) {
    return files_.load_or_create(names, at, log_);
  }
  fs::path ca_ = folder_ / "below" / "ca";
  LocalCaFiles files_{ca_};
  ManualClock clock_{now};
  std::string lines_;
  Log log_{clock_, [this](std::string_view line) { lines_ += line; }};
};

const char* const all_files[] = {"root.crt",         "root.key", "intermediate.crt",
                                 "intermediate.key", "leaf.crt", "leaf.key"};

TEST_F(LocalCaFilesTest, MakesEverythingPrivateTheFirstTime) {
  const auto certificate = load();
  ASSERT_TRUE(certificate) << certificate.error().message;
  EXPECT_TRUE(certificate->covers("localhost"));
  EXPECT_EQ(mode_of(ca_), 0700u);
  for (const char* name : all_files) EXPECT_EQ(mode_of(ca_ / name), 0600u) << name;
  EXPECT_TRUE(https::is_constrained_root(read_file(files_.root_certificate())));
  EXPECT_NE(lines_.find("local_ca_made"), std::string::npos);
  EXPECT_EQ(lines_.find("PRIVATE"), std::string::npos);
  for (const auto& entry : fs::directory_iterator(ca_))
    EXPECT_EQ(entry.path().string().find(".new"), std::string::npos);
}

TEST_F(LocalCaFilesTest, KeepsWhatIsFresh) {
  const std::string first = load()->fingerprint();
  const std::string root = read_file(ca_ / "root.crt");
  lines_.clear();
  EXPECT_EQ(load(now + std::chrono::days{3})->fingerprint(), first);
  EXPECT_EQ(LocalCaFiles(ca_).load_or_create({}, now, log_)->fingerprint(), first);
  EXPECT_EQ(read_file(ca_ / "root.crt"), root);
  EXPECT_EQ(lines_, "");
}

TEST_F(LocalCaFilesTest, RenewsTheLeafAndTheIntermediateAndNotTheRoot) {
  const std::string first = load()->fingerprint();
  const std::string root = read_file(ca_ / "root.crt");
  const std::string intermediate = read_file(ca_ / "intermediate.crt");
  EXPECT_NE(load(now + std::chrono::days{4})->fingerprint(), first);
  EXPECT_EQ(read_file(ca_ / "intermediate.crt"), intermediate);
  ASSERT_TRUE(load(now + std::chrono::days{400}));
  EXPECT_NE(read_file(ca_ / "intermediate.crt"), intermediate);
  EXPECT_EQ(read_file(ca_ / "root.crt"), root);
  EXPECT_EQ(lines_.find("local_ca_replaced"), std::string::npos);
}

TEST_F(LocalCaFilesTest, ANewNameMakesANewRootAndSaysSo) {
  ASSERT_TRUE(load());
  const std::string root = read_file(ca_ / "root.crt");
  const auto certificate = load(now, {"app.test"});
  ASSERT_TRUE(certificate);
  EXPECT_TRUE(certificate->covers("app.test"));
  EXPECT_NE(read_file(ca_ / "root.crt"), root);
  EXPECT_NE(lines_.find("local_ca_replaced"), std::string::npos);
}

TEST_F(LocalCaFilesTest, ANameThatCannotBeIsNamed) {
  const auto certificate = load(now, {"good.test", "com"});
  ASSERT_FALSE(certificate);
  EXPECT_EQ(certificate.error().kind, FileError::Kind::invalid);
  EXPECT_NE(certificate.error().message.find("\"com\""), std::string::npos);
  EXPECT_FALSE(fs::exists(ca_));
}

TEST_F(LocalCaFilesTest, AFileOpenToOthersIsRefusedByName) {
  ASSERT_TRUE(load());
  for (const char* name : all_files)
    for (const mode_t mode : {0640u, 0604u, 0620u, 0666u}) {
      ::chmod((ca_ / name).c_str(), mode);
      const auto certificate = load();
      ASSERT_FALSE(certificate) << name;
      EXPECT_EQ(certificate.error().kind, FileError::Kind::unsafe);
      EXPECT_EQ(certificate.error().path, (ca_ / name).string());
      EXPECT_NE(certificate.error().message.find("chmod 0600"), std::string::npos);
      ::chmod((ca_ / name).c_str(), 0600);
      EXPECT_TRUE(load());
    }
}

TEST_F(LocalCaFilesTest, ADirectoryOpenToOthersIsRefused) {
  ASSERT_TRUE(load());
  ::chmod(ca_.c_str(), 0750);
  const auto certificate = load();
  ASSERT_FALSE(certificate);
  EXPECT_EQ(certificate.error().kind, FileError::Kind::unsafe);
  EXPECT_EQ(certificate.error().path, ca_.string());
}

TEST_F(LocalCaFilesTest, LinksAndPipesAreRefused) {
  ASSERT_TRUE(load());
  fs::rename(ca_ / "leaf.key", folder_ / "elsewhere.key");
  fs::create_symlink(folder_ / "elsewhere.key", ca_ / "leaf.key");
  ASSERT_FALSE(load());
  EXPECT_EQ(load().error().kind, FileError::Kind::unsafe);
  fs::remove(ca_ / "leaf.key");
  ASSERT_EQ(::mkfifo((ca_ / "leaf.key").c_str(), 0600), 0);
  EXPECT_EQ(load().error().kind, FileError::Kind::unsafe);
  fs::remove(ca_ / "leaf.key");
  EXPECT_TRUE(load());  // missing: made anew

  fs::create_symlink(ca_, folder_ / "link");
  const auto linked = LocalCaFiles(folder_ / "link").load_or_create({}, now, log_);
  ASSERT_FALSE(linked);
  EXPECT_EQ(linked.error().kind, FileError::Kind::unsafe);
}

TEST_F(LocalCaFilesTest, AnotherUsersFileIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to give a file away";
  ASSERT_TRUE(load());
  ASSERT_EQ(::chown((ca_ / "root.key").c_str(), 12345, 12345), 0);
  const auto certificate = load();
  ASSERT_FALSE(certificate);
  EXPECT_EQ(certificate.error().kind, FileError::Kind::unsafe);
  EXPECT_NE(certificate.error().message.find("12345"), std::string::npos);
}

TEST_F(LocalCaFilesTest, DamageIsRepairedAndARootThatHadToGoIsTold) {
  ASSERT_TRUE(load());
  write_file(ca_ / "leaf.crt", "half a fi", 0600);
  EXPECT_TRUE(load());
  EXPECT_EQ(lines_.find("local_ca_replaced"), std::string::npos);
  write_file(ca_ / "root.key", "", 0600);
  EXPECT_TRUE(load());
  EXPECT_NE(lines_.find("local_ca_replaced"), std::string::npos);
  write_file(ca_ / "leaf.crt", std::string(70000, 'x'), 0600);
  ASSERT_FALSE(load());
  EXPECT_EQ(load().error().kind, FileError::Kind::invalid);
}

TEST_F(LocalCaFilesTest, ALeftoverOfACrashIsNoHindrance) {
  ASSERT_TRUE(load());
  write_file(ca_ / ".leaf.key.new", "half", 0600);
  fs::remove(ca_ / "leaf.crt");
  EXPECT_TRUE(load());
}

// Each start of a gateway asks, and several may start at once.
TEST_F(LocalCaFilesTest, SeveralAtOnceAgree) {
  std::vector<std::string> seen(4);
  std::vector<std::thread> threads;
  const Log quiet = Log::discard();
  for (std::string& fingerprint : seen)
    threads.emplace_back([&fingerprint, &quiet, this] {
      const auto certificate = LocalCaFiles(ca_).load_or_create({}, now, quiet);
      fingerprint = certificate ? certificate->fingerprint() : certificate.error().message;
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& fingerprint : seen) EXPECT_EQ(fingerprint, seen[0]);
  EXPECT_EQ(seen[0].size(), 64u);
}

}  // namespace
}  // namespace moat::certs
