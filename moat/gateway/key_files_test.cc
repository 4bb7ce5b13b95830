// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/key_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

namespace moat::gateway {
namespace {

class KeyFilesTest : public ::testing::Test {
 protected:
  KeyFilesTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "moat-keys-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  ~KeyFilesTest() override { std::filesystem::remove_all(root_); }
  std::string path(const char* name) const { return root_ + "/" + name; }
  static unsigned mode(const std::string& of) {
    struct stat info {};
    EXPECT_EQ(::lstat(of.c_str(), &info), 0) << of;
    return info.st_mode & 0777U;
  }
  static std::string content(const std::string& of) {
    std::ifstream in(of, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  Secret make() {
    ++made_;
    return Secret::copy_of("generated");
  }
  Result<Secret, std::string> load(const std::string& from) {
    return load_or_make(from, [this] { return make(); });
  }
  std::string root_;
  int made_ = 0;
};

TEST_F(KeyFilesTest, ADirectoryIsMadeForTheOwnerAlone) {
  const std::string made = path("deep/er/data");
  ASSERT_TRUE(make_private_directory(made));
  EXPECT_EQ(mode(made), 0700U);
  EXPECT_TRUE(make_private_directory(made));  // again
}

TEST_F(KeyFilesTest, ADirectoryThatOthersMayEnterIsRefused) {
  const std::string open = path("open");
  ASSERT_TRUE(make_private_directory(open));
  for (const mode_t bits : {0750U, 0701U, 0777U, 0710U}) {
    ASSERT_EQ(::chmod(open.c_str(), bits), 0);
    const auto refused = make_private_directory(open);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().find(open), std::string::npos);
    EXPECT_NE(refused.error().find("chmod 700"), std::string::npos);
  }
}

TEST_F(KeyFilesTest, ALinkOrAFileIsNoDirectory) {
  ASSERT_TRUE(make_private_directory(path("real")));
  ASSERT_EQ(::symlink(path("real").c_str(), path("link").c_str()), 0);
  EXPECT_FALSE(make_private_directory(path("link")));
  std::ofstream(path("file")) << "x";
  EXPECT_FALSE(make_private_directory(path("file")));
}

TEST_F(KeyFilesTest, AKeyIsMadeOnceAndKept) {
  const auto first = load(path("key"));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->reveal(), "generated");
  EXPECT_EQ(mode(path("key")), 0600U);
  const auto second = load(path("key"));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->reveal(), "generated");
  EXPECT_EQ(made_, 1);
  EXPECT_FALSE(std::filesystem::exists(path("key.new")));
}

TEST_F(KeyFilesTest, AKeyThatOthersMayReadIsRefused) {
  ASSERT_TRUE(load(path("key")));
  for (const mode_t bits : {0640U, 0604U, 0660U, 0644U}) {
    ASSERT_EQ(::chmod(path("key").c_str(), bits), 0);
    const auto refused = load(path("key"));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().find(path("key")), std::string::npos);
    EXPECT_EQ(refused.error().find("generated"), std::string::npos);
  }
  ASSERT_EQ(::chmod(path("key").c_str(), 0600), 0);
  EXPECT_TRUE(load(path("key")));
}

TEST_F(KeyFilesTest, AnEmptyOrDanglingKeyIsNotReplaced) {
  std::ofstream(path("empty")).flush();
  ASSERT_EQ(::chmod(path("empty").c_str(), 0600), 0);
  EXPECT_FALSE(load(path("empty")));
  ASSERT_EQ(::symlink(path("nowhere").c_str(), path("link").c_str()), 0);
  EXPECT_FALSE(load(path("link")));
  EXPECT_FALSE(std::filesystem::exists(path("nowhere")));
  ASSERT_EQ(::mkdir(path("directory").c_str(), 0700), 0);
  EXPECT_FALSE(load(path("directory")));
  EXPECT_EQ(made_, 0);
}

TEST_F(KeyFilesTest, AWriteReplacesTheWholeFile) {
  ASSERT_TRUE(write_private_file(path("key"), Secret::copy_of("a long first content")));
  ASSERT_TRUE(write_private_file(path("key"), Secret::copy_of("second")));
  EXPECT_EQ(content(path("key")), "second");
  EXPECT_EQ(mode(path("key")), 0600U);
}

TEST_F(KeyFilesTest, AWriteFollowsNoPlantedLink) {
  std::ofstream(path("victim")) << "precious";
  ASSERT_EQ(::symlink(path("victim").c_str(), path("key.new").c_str()), 0);
  ASSERT_EQ(::symlink(path("victim").c_str(), path("key").c_str()), 0);
  ASSERT_TRUE(write_private_file(path("key"), Secret::copy_of("secret")));
  EXPECT_EQ(content(path("victim")), "precious");
  EXPECT_EQ(content(path("key")), "secret");
}

TEST_F(KeyFilesTest, AWriteThatCannotBeDoneSaysSo) {
  const auto refused = write_private_file(path("no/such/place"), Secret::copy_of("secret"));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().find("no/such/place"), std::string::npos);
  EXPECT_FALSE(load(path("no/such/place")));
}

TEST_F(KeyFilesTest, ADirectoryIsHeldByOneAtATime) {
  {
    const auto first = DirectoryLock::take(root_);
    ASSERT_TRUE(first);
    const auto second = DirectoryLock::take(root_);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error(), "another Moat is running on " + root_);
  }
  EXPECT_TRUE(DirectoryLock::take(root_)) << "the first is gone";
  EXPECT_FALSE(DirectoryLock::take(path("missing")));
}

TEST_F(KeyFilesTest, ALockThatIsPassedOnIsHeldByBothUntilBothLetGo) {
  std::optional<DirectoryLock> after;
  {
    const auto before = DirectoryLock::take(root_);
    ASSERT_TRUE(before);
    auto inherited = DirectoryLock::inherit(root_, ::dup(before->descriptor()));
    ASSERT_TRUE(inherited) << inherited.error();
    after.emplace(std::move(*inherited));
  }
  EXPECT_FALSE(DirectoryLock::take(root_)) << "the one before is gone, the heir is not";
  after.reset();
  EXPECT_TRUE(DirectoryLock::take(root_));
}

TEST_F(KeyFilesTest, WhatIsNoLockOfTheDirectoryIsNotInherited) {
  const auto held = DirectoryLock::take(root_);
  ASSERT_TRUE(held);
  const int other_file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_FALSE(DirectoryLock::inherit(root_, other_file));
  const int not_the_lock = ::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  EXPECT_FALSE(DirectoryLock::inherit(root_, not_the_lock)) << "another file of the same directory";
}

}  // namespace
}  // namespace moat::gateway
