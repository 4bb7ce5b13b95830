// SPDX-License-Identifier: Apache-2.0
#include "moat/cli/hook_runner.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <thread>

namespace moat::cli {
namespace {

using gateway::DnsRequest;
using std::chrono::milliseconds;
using std::chrono::seconds;

class HookRunnerTest : public ::testing::Test {
 protected:
  HookRunnerTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "moat-hook-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    settings_.dns_hook = {(folder_ / "hook").string(), "--zone", "a b"};
  }
  ~HookRunnerTest() override {
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
  }
  // In the script, $OUT is a file of this test's.
  void script(const std::string& body, mode_t mode = 0755) {
    const std::string path = settings_.dns_hook.front();
    { std::ofstream(path) << "#!/bin/sh\nOUT=" << folder_.string() << "/out\n" << body << "\n"; }
    ::chmod(path.c_str(), mode);
  }
  std::string out() const {
    std::ifstream file(folder_ / "out");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  auto start() { return HookRunner::fork_off(settings_, {"a.example", "*.B.example"}); }
  std::string run(DnsRequest request, milliseconds timeout = seconds{30}) {
    auto runner = start();
    EXPECT_TRUE(runner) << runner.error();
    const auto done = (*runner)->run(request, timeout, {});
    return done ? "" : done.error();
  }
  static DnsRequest request(std::string record = "_acme-challenge.a.example") {
    return {DnsRequest::Action::present, std::move(record), std::string(43, 'w')};
  }
  static bool wait_for(const std::function<bool()>& there) {
    for (int i = 0; i < 1000 && !there(); ++i) std::this_thread::sleep_for(milliseconds{10});
    return there();
  }

  std::filesystem::path folder_;
  gateway::AcmeSettings settings_;
};

TEST_F(HookRunnerTest, GivesTheWordsAndNothingOfTheEnvironment) {
  ::setenv("MOAT_TEST_SECRET", "hidden", 1);
  ::setenv("MOAT_TEST_GIVEN", "given", 1);
  settings_.dns_environment = {"MOAT_TEST_GIVEN"};
  script("printf '%s|' \"$@\" > $OUT; env >> $OUT; pwd >> $OUT; cat >> $OUT");
  EXPECT_EQ(run(request()), "");
  const std::string text = std::string(43, 'w');
  EXPECT_EQ(out().rfind("--zone|a b|present|_acme-challenge.a.example.|" + text + "|", 0), 0U)
      << out();
  EXPECT_NE(out().find("MOAT_TEST_GIVEN=given\n"), std::string::npos);
  EXPECT_EQ(out().find("hidden"), std::string::npos);
  EXPECT_EQ(out().find("HOME="), std::string::npos);
  EXPECT_NE(out().find("\n/\n"), std::string::npos);
  DnsRequest cleanup = request("_acme-challenge.b.example");
  cleanup.action = DnsRequest::Action::cleanup;
  EXPECT_EQ(run(cleanup), "");
  EXPECT_NE(out().find("|cleanup|_acme-challenge.b.example.|"), std::string::npos);
}

TEST_F(HookRunnerTest, GivesNoCapability) {
  // As a service manager does, for ports below 1024.
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct before[2]{}, raised[2]{};
  ASSERT_EQ(::syscall(SYS_capget, &header, before), 0);
  std::copy(std::begin(before), std::end(before), std::begin(raised));
  raised[0].inheritable |= 1U << CAP_NET_BIND_SERVICE;
  if (::syscall(SYS_capset, &header, raised) != 0 ||
      ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) != 0)
    GTEST_SKIP() << "only for those who have one to give";
  script("grep CapAmb /proc/self/status > $OUT");
  EXPECT_EQ(run(request()), "");
  EXPECT_EQ(out(), "CapAmb:\t0000000000000000\n");
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  ::syscall(SYS_capset, &header, before);
}

TEST_F(HookRunnerTest, AFailureIsToldWithItsLastWords) {
  script("echo first; printf 'no \\033[31msuch zone\\n\\n' >&2; exit 3");
  EXPECT_EQ(run(request()), "tls.acme.dns_hook: it ended with status 3: no  [31msuch zone");
  script("exit 1");
  EXPECT_EQ(run(request()), "tls.acme.dns_hook: it ended with status 1");
  script("kill -9 $$");
  EXPECT_EQ(run(request()), "tls.acme.dns_hook: it was ended by signal 9");
  script("head -c 1000000 /dev/zero | tr '\\0' y; exit 4");
  EXPECT_EQ(run(request()), "tls.acme.dns_hook: it ended with status 4: " + std::string(300, 'y'));
}

TEST_F(HookRunnerTest, AnyOtherRecordIsRefused) {
  script("echo ran > $OUT");
  for (const char* record :
       {"a.example", "_acme-challenge.c.example", "_acme-challenge.x.a.example", "www.a.example",
        "_acme-challenge.a.example\nx", "", "_acme-challenge.a.example."})
    EXPECT_NE(run(request(record)), "") << record;
  for (const std::string& text : {std::string(), std::string(42, 'w'), std::string(44, 'w'),
                                  std::string(42, 'w') + "\"", std::string(42, 'w') + "\n"}) {
    DnsRequest odd = request();
    odd.text = text;
    EXPECT_NE(run(odd), "") << text;
  }
  EXPECT_EQ(out(), "");
}

TEST_F(HookRunnerTest, WhatTakesTooLongIsEndedWithItsChildren) {
  script("(while :; do sleep 1; done) & echo $! > $OUT; wait");
  EXPECT_EQ(run(request(), milliseconds{500}), "tls.acme.dns_hook: it took longer than 500 ms");
  const pid_t left = std::stoi(out());
  EXPECT_TRUE(wait_for([&] { return ::kill(left, 0) != 0; })) << "its child goes on";
  // Nor does one that closes its output and hears no SIGTERM hold anybody up.
  script("trap '' TERM; exec >&- 2>&-; while :; do sleep 1; done");
  EXPECT_EQ(run(request(), milliseconds{300}), "tls.acme.dns_hook: it took longer than 300 ms");
}

TEST_F(HookRunnerTest, OneThatWritesWithoutEndIsEndedToo) {
  script("exec yes");
  EXPECT_EQ(run(request(), milliseconds{500}), "tls.acme.dns_hook: it took longer than 500 ms: y");
  auto runner = start();
  std::stop_source stop;
  std::thread other([&] { stop.request_stop(); });
  const auto done = (*runner)->run(request(), seconds{300}, stop.get_token());
  other.join();
  EXPECT_FALSE(done);
}

// Whoever stops must not wait for a runner that does not: one that was halted, or hangs with a
// disk.
TEST_F(HookRunnerTest, ARunnerThatDoesNotAnswerIsGivenUp) {
  script("echo $PPID > $OUT; kill -STOP $PPID");
  auto runner = start();
  const std::string gone = "the process that runs tls.acme.dns_hook is gone: restart Moat";
  EXPECT_EQ((*runner)->run(request(), milliseconds{100}, {}).error(), gone);
  ::kill(std::stoi(out()), SIGCONT);
  EXPECT_EQ((*runner)->run(request(), seconds{30}, {}).error(), gone)
      << "the answer that came late is nobody's";
}

TEST_F(HookRunnerTest, AProgramThatLeavesAChildBehindHasEnded) {
  script("sleep 600 & exit 0");
  EXPECT_EQ(run(request()), "");
}

TEST_F(HookRunnerTest, AStopEndsIt) {
  script("echo there > $OUT; sleep 600");
  auto runner = start();
  std::stop_source stop;
  std::thread other([&] {
    EXPECT_TRUE(wait_for([&] { return !out().empty(); }));
    stop.request_stop();
  });
  const auto done = (*runner)->run(request(), seconds{300}, stop.get_token());
  other.join();
  EXPECT_EQ(done.error(), "tls.acme.dns_hook: it was ended: Moat stops");
  // It serves on: cleaning up comes behind a stop.
  script("exit 0");
  EXPECT_TRUE((*runner)->run(request(), seconds{30}, {}));
  EXPECT_FALSE((*runner)->run(request(), seconds{30}, stop.get_token()));
}

TEST_F(HookRunnerTest, AProgramThatOthersMayChangeIsRefused) {
  EXPECT_FALSE(start()) << "it is not there";
  for (const mode_t mode : {0775U, 0757U, 0644U}) {
    script("exit 0", mode);
    // Root may run what nobody may run.
    if (mode == 0644 && ::geteuid() == 0) continue;
    EXPECT_FALSE(start()) << mode;
  }
  script("exit 0");
  EXPECT_TRUE(start());
  settings_.dns_hook = {folder_.string()};
  EXPECT_FALSE(start()) << "a directory";
}

TEST_F(HookRunnerTest, AVariableThatIsNotSetIsSaid) {
  script("exit 0");
  settings_.dns_environment = {"MOAT_TEST_NOT_THERE"};
  const auto refused = start();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), "the environment has no MOAT_TEST_NOT_THERE");
}

}  // namespace
}  // namespace moat::cli
