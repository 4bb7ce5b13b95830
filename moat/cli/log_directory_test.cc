// SPDX-License-Identifier: Apache-2.0
#include "moat/cli/log_directory.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace moat::cli {
namespace {

class LogDirectoryTest : public testing::Test {
 protected:
  LogDirectoryTest() {
    std::string pattern = testing::TempDir() + "moat-logs-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    config_.access_path = root_ + "/access.log";
  }
  ~LogDirectoryTest() override { std::filesystem::remove_all(root_); }
  void file(const std::string& name) const { std::ofstream(root_ + "/" + name) << "x"; }

  std::string root_;
  gateway::Config config_;
};

TEST_F(LogDirectoryTest, WithoutALogNothingIsWritable) {
  config_.access_path.clear();
  file("moat.toml");
  EXPECT_EQ(log_directory(config_), "");
  EXPECT_EQ(beside_the_log(config_), "");
}

TEST_F(LogDirectoryTest, LogsAloneAreAsTheyShouldBe) {
  EXPECT_EQ(log_directory(config_), root_);
  EXPECT_EQ(beside_the_log(config_), "");
  for (const char* name : {"access.log", "access.log.1", "access.log.2.gz", "access-20260101",
                           "access.2.zst", "error.log", "other.log-20260101.gz"})
    file(name);
  EXPECT_EQ(beside_the_log(config_), "");
}

TEST_F(LogDirectoryTest, WhatIsNoLogIsNamed) {
  file("access.log");
  file("moat.toml");
  EXPECT_EQ(beside_the_log(config_), "moat.toml");
  file("accessories");
  EXPECT_EQ(beside_the_log(config_), "accessories, moat.toml");
}

TEST_F(LogDirectoryTest, OfManyThreeAreNamed) {
  for (const char* name : {"d", "c", "b"}) file(name);
  EXPECT_EQ(beside_the_log(config_), "b, c, d");
  file("a");
  EXPECT_EQ(beside_the_log(config_), "a, b, c, …");
}

TEST_F(LogDirectoryTest, DirectoriesAndLinksAreNoLogsWhateverTheirName) {
  std::filesystem::create_directory(root_ + "/access.log.d");
  std::filesystem::create_directory_symlink("/etc", root_ + "/old.log");
  EXPECT_EQ(beside_the_log(config_), "access.log.d, old.log");
}

TEST_F(LogDirectoryTest, ALogInADirectoryOfTheSystemIsNoticed) {
  config_.access_path = "/access.log";
  EXPECT_EQ(log_directory(config_), "/");
  EXPECT_NE(beside_the_log(config_), "");
  config_.access_path = "/etc/access.log";
  EXPECT_NE(beside_the_log(config_), "");
}

TEST_F(LogDirectoryTest, ADirectoryThatIsNotThereHoldsNothing) {
  config_.access_path = root_ + "/none/access.log";
  EXPECT_EQ(beside_the_log(config_), "");
}

TEST_F(LogDirectoryTest, APathWithoutADirectoryIsInTheWorkingOne) {
  config_.access_path = "access.log";
  EXPECT_EQ(log_directory(config_), std::filesystem::current_path().string());
}

}  // namespace
}  // namespace moat::cli
