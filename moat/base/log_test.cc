// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <limits>
#include <string>
#include <thread>

#include "moat/base/json.h"
#include "moat/base/log.h"

namespace moat {
namespace {

struct Lines {
  std::string text;
  ManualClock clock{from_unix_seconds(0)};
  Log log{clock, [this](std::string_view line) { text += line; }};
};

TEST(Log, WritesOneObjectALine) {
  Lines lines;
  lines.log.info("started", {{"port", 8443}, {"name", "a\"b\nc"}, {"good", true}});
  EXPECT_EQ(lines.text,
            "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"info\",\"event\":\"started\","
            "\"port\":8443,"
            "\"name\":\"a\\\"b\\nc\",\"good\":true}\n");
}

TEST(Log, RedactsWhatNamesACredential) {
  Lines lines;
  lines.log.info("x", {{"Set-Cookie", "a=b"},
                       {"Authorization", "hunter2"},
                       {"email", "alice@example.com"},
                       {"target", "/reset?token=abc&x=1#code=2"}});
  EXPECT_EQ(lines.text.find("hunter2"), std::string::npos);
  EXPECT_EQ(lines.text.find("a=b"), std::string::npos);
  EXPECT_EQ(lines.text.find("alice"), std::string::npos);
  EXPECT_EQ(lines.text.find("abc"), std::string::npos);
  EXPECT_NE(lines.text.find("a***@example.com"), std::string::npos);
  EXPECT_NE(lines.text.find("x=1"), std::string::npos);
}

TEST(Log, LeavesOutWhatIsBelowItsLevel) {
  Lines lines;
  lines.log.debug("x");
  EXPECT_EQ(lines.text, "");
}

TEST(Log, EveryNameOfACredentialIsRedacted) {
  for (const char* key : {"cookie",      "Set-Cookie",   "authorization",    "Proxy-Authorization",
                          "password",    "new_password", "passwd",           "db_pwd",
                          "passphrase",  "access_token", "X-CSRF-Token",     "client_secret",
                          "X-Api-Key",   "api_key",      "APIKEY",           "jwt",
                          "credentials", "private-key",  "X-Moat-Assertion", "otp",
                          "TOTP",        "pin"}) {
    Lines lines;
    lines.log.info("x", {{key, "hunter2"}});
    EXPECT_EQ(lines.text.find("hunter2"), std::string::npos) << key;
    EXPECT_NE(lines.text.find("[redacted]"), std::string::npos) << key;
  }
  for (const char* key : {"path", "user", "address", "mapping", "code", "reason"}) {
    Lines lines;
    lines.log.info("x", {{key, "hunter2"}});
    EXPECT_NE(lines.text.find("hunter2"), std::string::npos) << key;
  }
}

TEST(Log, ACodeIsRedactedAsANumberToo) {
  Lines lines;
  lines.log.info("x", {{"otp", 123456}, {"tokens", 7}});
  EXPECT_EQ(lines.text.find("123456"), std::string::npos);
  EXPECT_NE(lines.text.find("\"tokens\":7"), std::string::npos);
}

TEST(Log, AStrangersTextCannotForgeALine) {
  const std::string hostile =
      "x\"}\r\n{\"event\":\"admin\"\xe2\x80\xa8\x1b[2J\xc2\x9b\xff" + std::string(1, '\0');
  Lines lines;
  lines.log.info("x", {{"agent", hostile}, {hostile, 1}});
  ASSERT_EQ(lines.text.find('\n'), lines.text.size() - 1);
  for (const char c : lines.text.substr(0, lines.text.size() - 1))
    EXPECT_TRUE(c >= 0x20 && c < 0x7f) << static_cast<int>(c);
  EXPECT_TRUE(json::parse(lines.text)) << lines.text;
}

// ASVS 1.3.10.
TEST(Log, AStrangersTextIsNoFormat) {
  const std::string hostile = "%s%n%99999999d{}{0}%";
  Lines lines;
  lines.log.info("x", {{"user", hostile}});
  const auto line = json::parse(lines.text);
  ASSERT_TRUE(line) << lines.text;
  ASSERT_NE(line->find("user"), nullptr);
  EXPECT_EQ(*line->find("user")->as_string(), hostile);
}

TEST(Log, EveryLineIsJson) {
  Lines lines;
  lines.log.warn("x", {{"a", std::numeric_limits<double>::infinity()},
                       {"b", std::uint64_t{5}},
                       {"c", std::string("d")},
                       {"e", false},
                       {"f", 0.5}});
  const auto line = json::parse(lines.text);
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->find("a")->is_null());
  EXPECT_EQ(*line->find("level")->as_string(), "warn");
  EXPECT_EQ(line->find("f")->as_number(), 0.5);
}

TEST(Log, EmailsAreMaskedUnderAnyPrefix) {
  Lines lines;
  lines.log.info("x", {{"new_email", "alice@example.com"}, {"Email", "no at sign"}});
  EXPECT_EQ(lines.text.find("alice"), std::string::npos);
  EXPECT_EQ(lines.text.find("sign"), std::string::npos);
  EXPECT_EQ(mask_email("@example.com"), "***");
  EXPECT_EQ(mask_email(""), "***");
  EXPECT_EQ(mask_email("a@b@c.example"), "a***@c.example");
  // Not a domain: part of a password, perhaps.
  EXPECT_EQ(mask_email("a@b@c"), "***");
  EXPECT_EQ(mask_email("MyP@ssw0rd."), "M***@ssw0rd.");
  EXPECT_EQ(mask_email("MyP@ss w0.rd"), "***");
}

TEST(Log, UrlsLoseTheirSecrets) {
  EXPECT_EQ(redact_url("/a?x=1&y=2#z"), "/a?x=1&y=2#z");
  EXPECT_EQ(redact_url("/a?x=1&code=2&y=3"), "/a?x=1&code=[redacted]&y=3");
  EXPECT_EQ(redact_url("/a?access_token=1#id_token=2&state=3"),
            "/a?access_token=[redacted]#id_token=[redacted]&state=[redacted]");
  EXPECT_EQ(redact_url("/a?%74oken=1"), "/a?%74oken=[redacted]");
  EXPECT_EQ(redact_url("/a?TOKEN=1;Email=a%40b"), "/a?TOKEN=[redacted];Email=[redacted]");
  EXPECT_EQ(redact_url("https://user:pass@host/a@b"), "https://[redacted]@host/a@b");
  EXPECT_EQ(redact_url("https://host/a@b"), "https://host/a@b");
  EXPECT_EQ(redact_url("//u@h"), "//[redacted]@h");
  EXPECT_EQ(redact_url("?token"), "?token");
  EXPECT_EQ(redact_url(""), "");
}

// What comes out of a pipe until its other end closes.
std::string read_all(int fd) {
  std::string out;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(fd, buffer, sizeof buffer)) > 0;)
    out.append(buffer, static_cast<std::size_t>(n));
  ::close(fd);
  return out;
}

TEST(LineWriter, WritesWhatItWasGivenInOrder) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  {
    const auto writer = LineWriter::to_descriptor(ends[1]);
    for (int i = 0; i < 100; ++i) writer->add(std::to_string(i) + "\n");
  }  // which closes it
  std::string expected;
  for (int i = 0; i < 100; ++i) expected += std::to_string(i) + "\n";
  EXPECT_EQ(read_all(ends[0]), expected);
}

TEST(LineWriter, GoesOnInAnotherDescriptor) {
  int first[2];
  int second[2];
  ASSERT_EQ(::pipe2(first, O_CLOEXEC), 0);
  ASSERT_EQ(::pipe2(second, O_CLOEXEC), 0);
  const auto writer = LineWriter::to_descriptor(first[1]);
  writer->replace(second[1]);
  EXPECT_EQ(read_all(first[0]), "");  // closed without another line
  writer->add("b\n");
  char line[2];
  ASSERT_EQ(::read(second[0], line, sizeof line), 2);
  EXPECT_EQ(std::string(line, 2), "b\n");
  EXPECT_EQ(writer->dropped(), 0U);
  ::close(second[0]);
}

TEST(LineWriter, AFullDiskCostsLinesWhichAreCounted) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  if (full < 0) GTEST_SKIP() << "there is no /dev/full";
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const auto writer = LineWriter::to_descriptor(full);
  writer->add("a\nb\n");
  while (writer->dropped() < 2) ::usleep(1000);
  writer->replace(ends[1]);
  writer->add("c\n");
  char line[2];
  ASSERT_EQ(::read(ends[0], line, sizeof line), 2);
  EXPECT_EQ(std::string(line, 2), "c\n");
  EXPECT_EQ(writer->dropped(), 2U);
  ::close(ends[0]);
}

TEST(LineWriter, WhoDoesNotReadCostsLinesAndNoTime) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const std::string line = std::string(1023, 'x') + "\n";
  auto writer = LineWriter::to_descriptor(ends[1]);
  for (int i = 0; i < 4096; ++i) writer->add(line);  // more than pipe and memory hold
  const std::uint64_t dropped = writer->dropped();
  EXPECT_GT(dropped, 1024U);
  std::string got;
  std::thread reader([&] { got = read_all(ends[0]); });
  writer.reset();
  reader.join();
  EXPECT_EQ(got.size(), (4096 - dropped) * line.size());
}

TEST(Log, DiscardWritesNothingAndErrorsPassEveryLevel) {
  Log::discard().error("x");
  EXPECT_FALSE(Log::discard().enabled(Level::warn));
  std::string text;
  ManualClock clock(from_unix_seconds(0));
  const Log log(
      clock, [&](std::string_view line) { text += line; }, Level::error);
  log.warn("x");
  EXPECT_EQ(text, "");
  log.error("y");
  EXPECT_NE(text.find("\"y\""), std::string::npos);
}

TEST(Log, TheSameLogWritesFromAnotherLevelOn) {
  Lines lines;
  const Log less = lines.log.at(Level::error);
  less.warn("left out");
  lines.log.warn("written");
  less.error("written too");
  EXPECT_EQ(lines.text.find("left out"), std::string::npos);
  EXPECT_NE(lines.text.find("\"written\""), std::string::npos);
  EXPECT_NE(lines.text.find("written too"), std::string::npos);
}

}  // namespace
}  // namespace moat
