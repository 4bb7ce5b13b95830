// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/hsts_ramp_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace moat::gateway {
namespace {

using std::chrono::days;

class HstsRampFileTest : public ::testing::Test {
 protected:
  HstsRampFileTest() {
    char name[] = "/tmp/moat-ramp-XXXXXX";
    directory_ = ::mkdtemp(name);
    path_ = directory_ / "hsts-ramp";
  }
  ~HstsRampFileTest() override { std::filesystem::remove_all(directory_); }

  void write(const std::string& text) const { std::ofstream(path_) << text; }
  std::string read() const {
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const Time now_ = from_unix_seconds(1'800'000'000);
  std::filesystem::path directory_;
  std::string path_;
  std::string lines_;
  ManualClock clock_{now_};
  Log log_{clock_, [this](std::string_view line) { lines_ += line; }};
};

TEST_F(HstsRampFileTest, BeginsOnceAndGoesOnOverRestarts) {
  {
    HstsRampFile file(path_);
    file.maintain(now_, log_);  // nothing before it has been started
    EXPECT_FALSE(std::filesystem::exists(path_));
    file.start(now_, log_);
    EXPECT_EQ(file.step(), 0u);
    struct stat status {};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0600u);
    file.start(now_ + days{9}, log_);  // a second time is none
    EXPECT_EQ(file.step(), 0u);
    file.maintain(now_ + days{1}, log_);
    EXPECT_EQ(file.step(), 1u);
  }
  HstsRampFile file(path_);
  file.start(now_ + days{2}, log_);
  EXPECT_EQ(file.step(), 1u);
  file.maintain(now_ + days{7}, log_);
  EXPECT_EQ(file.step(), 2u);
  HstsRampFile later(path_);
  later.start(now_ + days{100}, log_);  // it is looked at when it starts, too
  EXPECT_EQ(later.step(), 3u);
}

TEST_F(HstsRampFileTest, WhatCannotBeReadBeginsAnew) {
  for (const std::string& text :
       {std::string("nonsense"), std::string("9 1\n"), std::string(100, '1'), std::string()}) {
    write(text);
    HstsRampFile file(path_);
    file.start(now_, log_);
    EXPECT_EQ(file.step(), 0u);
    EXPECT_EQ(read(), "0 1800000000\n");
    EXPECT_NE(lines_.find("hsts_ramp_begins_anew"), std::string::npos);
    lines_.clear();
  }
}

TEST_F(HstsRampFileTest, AClockThatGoesBackIsSaidAndCostsNoStep) {
  write("2 1800000000\n");
  HstsRampFile file(path_);
  file.start(now_ - days{1000}, log_);
  EXPECT_EQ(file.step(), 2u);
  EXPECT_NE(lines_.find("hsts_ramp_step_begins_anew"), std::string::npos);
  file.maintain(now_, log_);
  EXPECT_EQ(file.step(), 3u);
}

TEST_F(HstsRampFileTest, AFullDiskStopsNothing) {
  HstsRampFile file(directory_ / "none" / "hsts-ramp");
  file.start(now_, log_);
  EXPECT_NE(lines_.find("hsts_ramp_not_kept"), std::string::npos);
  file.maintain(now_ + days{1}, log_);
  EXPECT_EQ(file.step(), 1u);
}

TEST_F(HstsRampFileTest, ALookChangesNothing) {
  ASSERT_TRUE(HstsRampFile::look(path_));
  EXPECT_FALSE(HstsRampFile::look(path_)->has_value());
  EXPECT_FALSE(std::filesystem::exists(path_));
  write("1 1800000000\n");
  EXPECT_EQ(HstsRampFile::look(path_).value()->step(), 1u);
  write("x");
  EXPECT_FALSE(HstsRampFile::look(path_));
}

}  // namespace
}  // namespace moat::gateway
