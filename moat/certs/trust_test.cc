// SPDX-License-Identifier: Apache-2.0
#include "moat/certs/trust.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "moat/certs/internal/command.h"
#include "moat/certs/internal/testing.h"
#include "moat/certs/local_ca_files.h"
#include "moat/https/local_ca.h"

namespace moat::certs {
namespace {

namespace fs = std::filesystem;
using Outcome = TrustStep::Outcome;
using testing::now;
using testing::read_file;
using testing::write_file;

class Trust : public testing::Folder {
 protected:
  Trust() {
    EXPECT_TRUE(LocalCaFiles(folder_ / "ca").load_or_create({}, now, Log::discard()));
    fs::create_directory(folder_ / "anchors");
    fs::create_directory(folder_ / "home");
    script("update", "echo \"update $*\" >> " + calls_.string());
    targets_.anchors = folder_ / "anchors";
    targets_.update_command = {(folder_ / "update").string()};
    targets_.refresh_command = {(folder_ / "update").string(), "--fresh"};
  }
  void script(const char* name, const std::string& body) {
    write_file(folder_ / name, "#!/bin/sh\n" + body + "\n", 0700);
  }
  std::vector<TrustStep> trust() { return trust_root(root_, targets_).value(); }
  std::vector<TrustStep> untrust() { return untrust_root(root_, targets_).value(); }
  std::size_t anchors() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_ / "anchors"), {}));
  }

  const fs::path calls_ = folder_ / "calls";
  const fs::path root_ = folder_ / "ca" / "root.crt";
  TrustTargets targets_;
};

TEST_F(Trust, TheSystemGetsTheRootOnceAndLosesItAgain) {
  ASSERT_EQ(trust().size(), 1u);
  EXPECT_EQ(read_file(calls_), "update \n");
  ASSERT_EQ(anchors(), 1u);
  const fs::path anchor = fs::directory_iterator(folder_ / "anchors")->path();
  EXPECT_EQ(anchor.extension(), ".crt");
  EXPECT_EQ(read_file(anchor), read_file(root_));
  EXPECT_EQ(testing::mode_of(anchor), 0644u);
  EXPECT_EQ(trust()[0].outcome, Outcome::already);
  EXPECT_EQ(read_file(calls_), "update \n");
  EXPECT_EQ(untrust()[0].outcome, Outcome::done);
  EXPECT_EQ(read_file(calls_), "update \nupdate --fresh\n");
  EXPECT_EQ(anchors(), 0u);
  EXPECT_EQ(untrust()[0].outcome, Outcome::already);
}

TEST_F(Trust, AFailureIsToldAndLeavesNothing) {
  script("update", "echo 'no\tspace'; exit 3");
  const auto steps = trust();
  EXPECT_EQ(steps[0].outcome, Outcome::failed);
  EXPECT_NE(steps[0].detail.find("ended with 3: no space"), std::string::npos) << steps[0].detail;
  EXPECT_EQ(anchors(), 0u);
  targets_.update_command = {(folder_ / "missing").string()};
  EXPECT_EQ(trust()[0].outcome, Outcome::failed);
}

TEST_F(Trust, WithoutRightsTheCommandIsShown) {
  targets_.anchors = folder_ / "not there";
  const auto steps = trust();
  EXPECT_EQ(steps[0].outcome, Outcome::by_hand);
  EXPECT_EQ(steps[0].detail.rfind("sudo install -m 0644 " + root_.string() + " '", 0), 0u)
      << steps[0].detail;
}

TEST_F(Trust, OnAnotherPlatformTheCommandsAreShown) {
  targets_.anchors.clear();
  const auto steps = trust();
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_EQ(steps[0].outcome, Outcome::by_hand);
  EXPECT_NE(steps[0].detail.find("security add-trusted-cert"), std::string::npos);
}

TEST_F(Trust, ARootForEverySiteIsRefused) {
  const https::Issued other = https::self_signed("example.com", now).value();
  write_file(root_, other.certificate, 0600);
  const auto steps = trust_root(root_, targets_);
  ASSERT_FALSE(steps);
  EXPECT_EQ(steps.error().kind, FileError::Kind::invalid);
  EXPECT_EQ(anchors(), 0u);
  EXPECT_FALSE(trust_root(folder_ / "ca" / "intermediate.crt", targets_));
  EXPECT_FALSE(trust_root(folder_ / "ca" / "none.crt", targets_));
}

TEST_F(Trust, ARootThatOthersMayWriteIsRefused) {
  ::chmod(root_.c_str(), 0666);
  const auto steps = trust_root(root_, targets_);
  ASSERT_FALSE(steps);
  EXPECT_EQ(steps.error().kind, FileError::Kind::unsafe);
}

TEST_F(Trust, BrowsersDatabasesAreFound) {
  for (const char* name : {".pki/nssdb", ".mozilla/firefox/a.default", ".mozilla/firefox/b.empty",
                           "snap/firefox/common/.mozilla/firefox/c"})
    fs::create_directories(folder_ / "home" / name);
  for (const char* name :
       {".pki/nssdb", ".mozilla/firefox/a.default", "snap/firefox/common/.mozilla/firefox/c"})
    write_file(folder_ / "home" / name / "cert9.db", "", 0600);
  EXPECT_EQ(TrustTargets::of_system(folder_ / "home").nss_databases.size(), 3u);
  EXPECT_TRUE(TrustTargets::of_system("").nss_databases.empty());
}

TEST_F(Trust, WithoutCertutilTheWayIsShown) {
  targets_.anchors.clear();
  targets_.nss_databases = {folder_ / "home"};
  const auto steps = trust();
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].outcome, Outcome::by_hand);
  EXPECT_NE(steps[0].detail.find("libnss3-tools"), std::string::npos);
}

TEST_F(Trust, AnotherUsersBrowserIsLeftAlone) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to give a directory away";
  targets_.anchors.clear();
  targets_.certutil = folder_ / "update";
  targets_.nss_databases = {folder_ / "home"};
  ASSERT_EQ(::chown((folder_ / "home").c_str(), 12345, 12345), 0);
  EXPECT_EQ(trust()[0].outcome, Outcome::by_hand);
  EXPECT_FALSE(fs::exists(calls_));
}

// With the real tool: what it says of the leaf is what Firefox and Chromium say.
TEST_F(Trust, NssTakesTheLeafOnlyWhileTheRootIsTrusted) {
  const std::string certutil = TrustTargets::of_system("").certutil.string();
  if (certutil.empty()) GTEST_SKIP() << "certutil is not installed";
  const std::string home = "sql:" + (folder_ / "home").string();
  ASSERT_TRUE(run_command({certutil, "-N", "-d", home, "--empty-password"}).ok());
  ManualClock clock(system_clock().now());
  fs::remove_all(folder_ / "ca");
  ASSERT_TRUE(
      LocalCaFiles(folder_ / "ca").load_or_create({"app.test"}, clock.now(), Log::discard()));
  for (const char* name : {"intermediate", "leaf"}) {
    const auto added = run_command({certutil, "-A", "-d", home, "-t", ",,", "-n", name, "-i",
                                    (folder_ / "ca" / (std::string(name) + ".crt")).string()});
    ASSERT_TRUE(added.ok()) << added.output;
  }
  const auto valid = [&] {
    return run_command({certutil, "-V", "-e", "-u", "V", "-d", home, "-n", "leaf"});
  };
  targets_.anchors.clear();
  targets_.certutil = certutil;
  targets_.nss_databases = {folder_ / "home"};
  EXPECT_FALSE(valid().ok());
  EXPECT_EQ(trust()[0].outcome, Outcome::done);
  EXPECT_TRUE(valid().ok()) << valid().output;
  EXPECT_EQ(trust()[0].outcome, Outcome::already);
  EXPECT_EQ(untrust()[0].outcome, Outcome::done);
  EXPECT_FALSE(valid().ok());
  EXPECT_EQ(untrust()[0].outcome, Outcome::already);
}

TEST(Command, RunsWithoutShellAndEnvironment) {
  ::setenv("MOAT_TEST_LEAK", "leak", 1);
  const CommandResult environment = run_command({"/usr/bin/env"});
  ASSERT_TRUE(environment.ok());
  EXPECT_EQ(environment.output.find("LEAK"), std::string::npos);
  EXPECT_EQ(run_command({"/bin/echo", "$HOME;", "a b"}).output, "$HOME; a b\n");
  EXPECT_EQ(run_command({"/bin/sh", "-c", "exit 7"}).status, 7);
  EXPECT_EQ(run_command({"/bin/cat"}).output, "");
  EXPECT_EQ(run_command({"/bin/sh", "-c", "kill -9 $$"}).status, -1);
  EXPECT_EQ(run_command({"echo"}).status, -1);
  EXPECT_EQ(run_command({}).status, -1);
  EXPECT_EQ(run_command({"/usr/bin/head", "-c", "100000", "/dev/zero"}).output.size(), 4096u);
  ::unsetenv("MOAT_TEST_LEAK");
}

TEST(Command, WordsAreQuotedForAShell) {
  for (const std::string text : {"plain/path.crt", "a b", "a'b", "$(x)", "", ";"})
    EXPECT_EQ(run_command({"/bin/sh", "-c", "printf %s " + shell_word(text)}).output, text);
  EXPECT_EQ(shell_word("/usr/x.crt"), "/usr/x.crt");
}

}  // namespace
}  // namespace moat::certs
