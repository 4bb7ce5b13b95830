// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/file_watch.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace moat::gateway {
namespace {

class FileWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "moat-watch-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
  }

  std::string directory_;
};

TEST_F(FileWatchTest, WhatIsThereAtTheBeginningIsNoChange) {
  write("a", "one");
  FileWatch watch({path("a"), path("missing")});
  EXPECT_FALSE(watch.changed());
  EXPECT_FALSE(watch.changed());
}

TEST_F(FileWatchTest, AChangeCountsOnceAndWhenItHasSettled) {
  write("a", "one");
  FileWatch watch({path("a")});
  write("a", "one two");
  EXPECT_FALSE(watch.changed());
  write("a", "one two three");
  EXPECT_FALSE(watch.changed());
  EXPECT_TRUE(watch.changed());
  EXPECT_FALSE(watch.changed());
}

TEST_F(FileWatchTest, AFileThatComesAndOneThatGoesAreChanges) {
  FileWatch watch({path("a")});
  write("a", "");
  EXPECT_FALSE(watch.changed());
  EXPECT_TRUE(watch.changed());
  std::filesystem::remove(path("a"));
  EXPECT_FALSE(watch.changed());
  EXPECT_TRUE(watch.changed());
}

TEST_F(FileWatchTest, AnotherFileBehindALinkIsAChange) {
  write("a", "same");
  write("b", "same");
  std::filesystem::create_symlink("a", path("link"));
  FileWatch watch({path("link")});
  std::filesystem::create_symlink("b", path("new"));
  std::filesystem::rename(path("new"), path("link"));
  EXPECT_FALSE(watch.changed());
  EXPECT_TRUE(watch.changed());
}

TEST_F(FileWatchTest, AModeThatWasPutRightIsAChange) {
  write("a", "same");
  FileWatch watch({path("a")});
  ASSERT_EQ(::chmod(path("a").c_str(), 0600), 0);
  EXPECT_FALSE(watch.changed());
  EXPECT_TRUE(watch.changed());
}

TEST_F(FileWatchTest, OtherFilesBeginWithoutAChange) {
  write("a", "one");
  FileWatch watch({path("a")});
  write("b", "two");
  watch.follow({path("b")});
  EXPECT_FALSE(watch.changed());
  EXPECT_FALSE(watch.changed());
}

TEST_F(FileWatchTest, TheSameFilesKeepTheirNews) {
  write("a", "one");
  FileWatch watch({path("a")});
  write("a", "two, longer");
  watch.follow({path("a")});
  EXPECT_FALSE(watch.changed());
  EXPECT_TRUE(watch.changed());
}

}  // namespace
}  // namespace moat::gateway
