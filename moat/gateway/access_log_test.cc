// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/access_log.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "moat/base/json.h"

namespace moat::gateway {
namespace {

using std::chrono::milliseconds;

Access some() {
  Access access;
  access.begun = from_unix_seconds(1795534286);  // 24 November 2026, 15:31:26
  access.took = std::chrono::microseconds{12'345};
  access.backend_took = milliseconds{7};
  access.status = 200;
  access.complete = true;
  access.method = "GET";
  access.target = "/a?x=1";
  access.protocol = "HTTP/1.1";
  access.tls = "TLSv1.3";
  access.client = "192.0.2.1";
  access.user = "u-1";
  access.route = "/*";
  access.backend = "127.0.0.1:3000";
  access.bytes_in = 3;
  access.bytes_out = 1024;
  access.request_id = "r-1";
  access.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  access.referer = "https://localhost/";
  access.user_agent = "curl/8";
  return access;
}

std::string combined(const Access& access) {
  std::string out;
  append_combined(access, out);
  return out;
}

std::string as_json(const Access& access) {
  std::string out;
  log_json(access, Log(system_clock(), [&](std::string_view line) { out += line; }));
  return out;
}

TEST(Combined, IsWhatApacheWrites) {
  EXPECT_EQ(combined(some()),
            "192.0.2.1 - u-1 [24/Nov/2026:15:31:26 +0000] \"GET /a?x=1 HTTP/1.1\" 200 1024 "
            "\"https://localhost/\" \"curl/8\"\n");
}

TEST(Combined, WhatIsMissingIsADash) {
  Access access;
  access.status = 400;
  EXPECT_EQ(combined(access), "- - - [01/Jan/1970:00:00:00 +0000] \"- - -\" 400 - \"-\" \"-\"\n");
}

TEST(Combined, AStrangersTextEndsNeitherFieldNorLine) {
  const std::string hostile = "a\"b\\c\r\nd\te\x7f\xc3\xa9\x1b[2J" + std::string(1, '\0');
  const std::string shown = "a\\x22b\\x5Cc\\x0D\\x0Ad\\x09e\\x7F\\xC3\\xA9\\x1B[2J\\x00";
  Access access = some();
  access.method = access.target = access.referer = access.user_agent = hostile;
  access.user = "a b\"\n";
  EXPECT_EQ(combined(access), "192.0.2.1 - a\\x20b\\x22\\x0A [24/Nov/2026:15:31:26 +0000] \"" +
                                  shown + " " + shown + " HTTP/1.1\" 200 1024 \"" + shown +
                                  "\" \"" + shown + "\"\n");
}

TEST(Combined, TextsAreBounded) {
  Access access = some();
  const std::string letters(100'000, 'x');
  access.method = access.target = access.referer = access.user_agent = letters;
  EXPECT_LT(combined(access).size(), 3500U);
  const std::string bytes(100'000, '\xff');
  access.method = access.target = access.referer = access.user_agent = bytes;
  EXPECT_LT(combined(access).size(), 4 * 3500U);
}

TEST(AccessJson, HasEveryField) {
  const auto line = json::parse(as_json(some()));
  ASSERT_TRUE(line);
  const std::pair<const char*, const char*> texts[] = {
      {"level", "info"},
      {"event", "request"},
      {"method", "GET"},
      {"target", "/a?x=1"},
      {"client", "192.0.2.1"},
      {"user", "u-1"},
      {"route", "/*"},
      {"backend", "127.0.0.1:3000"},
      {"protocol", "HTTP/1.1"},
      {"tls", "TLSv1.3"},
      {"request_id", "r-1"},
      {"trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"},
      {"code", ""}};
  for (const auto& [key, value] : texts) {
    ASSERT_NE(line->find(key), nullptr) << key;
    EXPECT_EQ(*line->find(key)->as_string(), value) << key;
  }
  const std::pair<const char*, double> numbers[] = {
      {"status", 200}, {"bytes_in", 3}, {"bytes_out", 1024}, {"ms", 12.345}, {"backend_ms", 7}};
  for (const auto& [key, value] : numbers) {
    ASSERT_NE(line->find(key), nullptr) << key;
    EXPECT_EQ(line->find(key)->as_number(), value) << key;
  }
}

TEST(AccessJson, AStrangersTextIsEscaped) {
  Access access = some();
  access.method = access.target = access.code = "a\"}\r\n{\"event\":\"x\"\xff";
  const std::string line = as_json(access);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_TRUE(json::parse(line)) << line;
}

TEST(Access, SecretsAreInNeitherFormat) {
  Access access = some();
  access.target = "/reset?token=hunter2&x=1";
  access.referer =
      "https://user:"
      "hunter2@localhost/a?code=hunter2";
  for (const std::string& line : {combined(access), as_json(access)}) {
    EXPECT_EQ(line.find("hunter2"), line.npos) << line;
    EXPECT_NE(line.find("token=[redacted]"), line.npos) << line;
  }
  access.target = "/auth/login?next=hunter2#hunter2";
  access.hide_query = true;
  access.referer = "https://localhost:8443/auth/reset?hunter2";
  for (const std::string& line : {combined(access), as_json(access)}) {
    EXPECT_EQ(line.find("hunter2"), line.npos) << line;
    EXPECT_NE(line.find("/auth/login?[redacted]"), line.npos) << line;
  }
  EXPECT_NE(combined(access).find("/auth/reset?[redacted]"), std::string::npos);
  access.referer = "https://localhost:8443/authors?a=b";
  EXPECT_NE(combined(access).find("/authors?a=b"), std::string::npos);
}

TEST(Access, AnAddressIsNeverAUserName) {
  Access access = some();
  access.user = "alice@example.com";
  for (const std::string& line : {combined(access), as_json(access)}) {
    EXPECT_EQ(line.find("alice"), line.npos) << line;
    EXPECT_NE(line.find("a***@example.com"), line.npos) << line;
  }
}

TEST(AccessJson, OfNoBackendNoTimeIsSaid) {
  Access access = some();
  access.backend_took = std::chrono::nanoseconds{-1};
  EXPECT_NE(as_json(access).find("\"backend_ms\":null,"), std::string::npos);
}

class AccessFile : public ::testing::Test {
 protected:
  AccessFile() {
    char name[] = "/tmp/moat-access-XXXXXX";
    folder_ = ::mkdtemp(name);
    config_.access_log = AccessFormat::combined;
    config_.access_path = folder_ + "/access.log";
  }
  ~AccessFile() override {
    for (const char* name : {"/access.log", "/access.log.1"}) ::unlink((folder_ + name).c_str());
    ::rmdir(folder_.c_str());
  }
  std::string text_of(const std::string& path) const {
    std::ifstream file(path);
    std::ostringstream out;
    out << file.rdbuf();
    return out.str();
  }
  std::string folder_;
  Config config_;
  std::string logged_;
  Log log_{system_clock(), [this](std::string_view line) { logged_ += line; }, Level::error};
};

TEST_F(AccessFile, IsAppendedToAndOpenedAgain) {
  {
    auto log = AccessLog::open(config_, system_clock(), log_);
    ASSERT_TRUE(log) << log.error();
    (*log)->write(some());
  }
  const std::string path = config_.access_path;
  EXPECT_EQ(text_of(path), combined(some()));
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0007U, 0U);
  {
    auto log = AccessLog::open(config_, system_clock(), log_);
    ASSERT_TRUE(log);
    (*log)->write(some());
    while (text_of(path) != combined(some()) + combined(some())) ::usleep(1000);
    ASSERT_EQ(::rename(path.c_str(), (path + ".1").c_str()), 0);
    ASSERT_TRUE((*log)->reopen());
    (*log)->write(some());
    EXPECT_EQ((*log)->dropped(), 0U);
  }
  EXPECT_EQ(text_of(path + ".1"), combined(some()) + combined(some()));
  EXPECT_EQ(text_of(path), combined(some()));
  EXPECT_EQ(logged_, "");
}

TEST_F(AccessFile, ThatCannotBeOpenedIsAnError) {
  config_.access_path = folder_ + "/none/access.log";
  const auto log = AccessLog::open(config_, system_clock(), log_);
  ASSERT_FALSE(log);
  EXPECT_NE(log.error().find("/none/access.log"), std::string::npos);
}

TEST_F(AccessFile, ThatCannotBeOpenedAgainGoesOnInTheOld) {
  auto log = AccessLog::open(config_, system_clock(), log_);
  ASSERT_TRUE(log);
  ASSERT_EQ(::rename(config_.access_path.c_str(), (config_.access_path + ".1").c_str()), 0);
  ASSERT_EQ(::mkdir(config_.access_path.c_str(), 0700), 0);
  EXPECT_FALSE((*log)->reopen());
  ASSERT_EQ(::rmdir(config_.access_path.c_str()), 0);
  (*log)->write(some());
  log->reset();
  EXPECT_EQ(text_of(config_.access_path + ".1"), combined(some()));
}

TEST_F(AccessFile, AFullDiskCostsCountedLinesOnly) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "there is no /dev/full";
  config_.access_path = "/dev/full";
  auto log = AccessLog::open(config_, system_clock(), log_);
  ASSERT_TRUE(log);
  for (int i = 0; i < 3; ++i) (*log)->write(some());
  while ((*log)->dropped() < 3) ::usleep(1000);
  EXPECT_EQ((*log)->dropped(), 3U);
}

TEST_F(AccessFile, WithoutOneTheLinesStandBesideTheLogWhateverItsLevel) {
  config_.access_path.clear();
  for (const AccessFormat format : {AccessFormat::combined, AccessFormat::json}) {
    config_.access_log = format;
    auto log = AccessLog::open(config_, system_clock(), log_);
    ASSERT_TRUE(log);
    EXPECT_TRUE((*log)->enabled());
    logged_.clear();
    (*log)->write(some());
    EXPECT_EQ(logged_.find(format == AccessFormat::json ? "{\"time\":" : "192.0.2.1 - u-1 ["), 0U);
    EXPECT_EQ(logged_.find('\n'), logged_.size() - 1);
  }
}

TEST_F(AccessFile, OffWritesNothing) {
  config_.access_log = AccessFormat::off;
  auto log = AccessLog::open(config_, system_clock(), log_);
  ASSERT_TRUE(log);
  EXPECT_FALSE((*log)->enabled());
  (*log)->write(some());
  EXPECT_TRUE((*log)->reopen());
  log->reset();
  EXPECT_NE(::access(config_.access_path.c_str(), F_OK), 0);
  EXPECT_EQ(logged_, "");
}

}  // namespace
}  // namespace moat::gateway
