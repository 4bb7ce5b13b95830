// SPDX-License-Identifier: Apache-2.0
#include "moat/cli/sandbox.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "moat/cli/privileges.h"

namespace moat::cli {
namespace {

constexpr int failed = 99;  // of what must have worked

class SandboxTest : public testing::Test {
 protected:
  void SetUp() override {
    const SandboxSupport support = sandbox_support();
    if (support.sanitizer) GTEST_SKIP() << describe(support);
    if (support.landlock == 0 || !support.seccomp) GTEST_SKIP() << describe(support);
    std::string pattern = testing::TempDir() + "moat-sandbox-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    for (const char* name : {"data", "config", "outside"}) {
      std::filesystem::create_directory(root_ + "/" + name);
      std::ofstream(root_ + "/" + name + "/file") << name;
    }
  }
  void TearDown() override {
    if (!root_.empty()) std::filesystem::remove_all(root_);
  }
  std::string path(const std::string& name) const { return root_ + "/" + name; }

  // Runs `work` in a process of its own in the sandbox; its exit code, or minus the signal that
  // ended it.
  int inside(const std::function<int()>& work) const {
    const pid_t child = ::fork();
    if (child == 0) {
      forbid_new_privileges();
      SandboxFiles files;
      files.read_write = {path("data")};
      files.read_only = system_files();
      files.read_only.push_back(path("config"));
      if (!restrict_files(files)) ::_exit(failed);
      if (!restrict_calls()) ::_exit(failed);
      ::_exit(work());
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  // 0, or the error of opening it.
  int opening(const std::string& file, int flags) const {
    return inside([&] { return ::open(file.c_str(), flags | O_CLOEXEC, 0600) >= 0 ? 0 : errno; });
  }

  std::string root_;
};

TEST_F(SandboxTest, TheDataDirectoryIsReadAndWritten) {
  EXPECT_EQ(opening(path("data/file"), O_RDONLY), 0);
  EXPECT_EQ(opening(path("data/file"), O_RDWR | O_TRUNC), 0);
  EXPECT_EQ(opening(path("data/new"), O_WRONLY | O_CREAT | O_EXCL), 0);
  EXPECT_EQ(inside([&] {
              return ::rename(path("data/new").c_str(), path("data/next").c_str()) == 0 &&
                             ::unlink(path("data/next").c_str()) == 0
                         ? 0
                         : errno;
            }),
            0);
}

TEST_F(SandboxTest, TheConfigurationIsReadOnly) {
  EXPECT_EQ(opening(path("config/file"), O_RDONLY), 0);
  EXPECT_EQ(opening(path("config/file"), O_WRONLY), EACCES);
  EXPECT_EQ(opening(path("config/new"), O_WRONLY | O_CREAT), EACCES);
}

TEST_F(SandboxTest, OtherFilesAreClosed) {
  EXPECT_EQ(opening(path("outside/file"), O_RDONLY), EACCES);
  EXPECT_EQ(opening(path("outside/file"), O_WRONLY), EACCES);
  EXPECT_EQ(opening("/etc/passwd", O_RDONLY), EACCES);
  EXPECT_EQ(opening("/proc/self/environ", O_RDONLY), EACCES);
  // By way of a link in a directory that is open.
  std::filesystem::create_symlink(path("outside/file"), path("data/link"));
  EXPECT_EQ(opening(path("data/link"), O_RDONLY), EACCES);
}

TEST_F(SandboxTest, WhatNamesAndCertificatesNeedIsOpen) {
  EXPECT_EQ(opening("/etc/hosts", O_RDONLY), 0);
  EXPECT_EQ(opening("/dev/null", O_RDWR), 0);
  EXPECT_EQ(opening("/dev/urandom", O_RDONLY), 0);
}

TEST_F(SandboxTest, AProgramEndsTheProcess) {
  EXPECT_EQ(inside([] {
              ::execl("/bin/true", "true", nullptr);
              return errno;
            }),
            -SIGSYS);
  EXPECT_EQ(inside([] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0 ? 0 : errno; }),
            -SIGSYS);
}

// A ring of its own would do what no filter sees; those of Moat are restricted and there already.
TEST_F(SandboxTest, ThereIsNoNewRing) {
  EXPECT_EQ(inside([] {
              std::array<char, 256> parameters{};
              return ::syscall(SYS_io_uring_setup, 4, parameters.data()) >= 0 ? 0 : errno;
            }),
            EPERM);
}

TEST_F(SandboxTest, ThereIsNoNewProcessButThereAreThreads) {
  EXPECT_EQ(inside([] { return ::fork() >= 0 ? 0 : errno; }), EPERM);
  EXPECT_EQ(inside([] {
              int done = 1;
              std::thread([&] { done = 0; }).join();
              return done;
            }),
            0);
}

TEST_F(SandboxTest, AThreadThatWasThereBeforeIsInTheSandboxOfCallsToo) {
  const pid_t child = ::fork();
  if (child == 0) {
    forbid_new_privileges();
    std::atomic<int> go{0};
    std::thread before([&] {
      while (go == 0) std::this_thread::yield();
      ::execl("/bin/true", "true", nullptr);
    });
    if (!restrict_calls()) ::_exit(failed);
    go = 1;
    before.join();
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGSYS);
}

TEST_F(SandboxTest, ItConnectsButDoesNotListenAnew) {
  EXPECT_EQ(inside([] {
              const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
              sockaddr_in address{};
              address.sin_family = AF_INET;
              address.sin_port = htons(1);
              address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
              return ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0
                         ? 0
                         : errno;
            }),
            ECONNREFUSED);
  EXPECT_EQ(inside([] {
              const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
              return ::listen(fd, 1) == 0 ? 0 : errno;
            }),
            EPERM);
  EXPECT_EQ(inside([] { return ::socket(AF_PACKET, SOCK_RAW, 0) >= 0 ? 0 : errno; }), EPERM);
}

TEST_F(SandboxTest, NoMemoryBecomesExecutable) {
  const auto map = [](int rights) {
    void* at = ::mmap(nullptr, 4096, rights, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? errno : 0;
  };
  EXPECT_EQ(inside([&] { return map(PROT_READ | PROT_WRITE); }), 0);
  EXPECT_EQ(inside([&] { return map(PROT_READ | PROT_WRITE | PROT_EXEC); }), EPERM);
  EXPECT_EQ(inside([&] { return map(PROT_READ | PROT_EXEC); }), EPERM);
  EXPECT_EQ(inside([] {
              void* at =
                  ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              return ::mprotect(at, 4096, PROT_READ | PROT_EXEC) == 0 ? 0 : errno;
            }),
            EPERM);
}

TEST_F(SandboxTest, AbortStillEndsTheProcess) {
  EXPECT_EQ(inside([]() -> int { std::abort(); }), -SIGABRT);
  EXPECT_EQ(inside([] { return ::kill(::getppid(), 0) == 0 ? 0 : errno; }), EPERM);
}

TEST_F(SandboxTest, TheDirectoriesOfLinksAreThoseOfTheirTargetsToo) {
  std::filesystem::create_symlink("../outside/file", path("config/chain.pem"));
  const auto found = directories_of({path("config/chain.pem"), path("missing/file")});
  const auto has = [&](const std::string& name) {
    const std::string wanted = std::filesystem::canonical(path(name)).string();
    return std::any_of(found.begin(), found.end(), [&](const std::string& directory) {
      return std::filesystem::canonical(directory) == wanted;
    });
  };
  EXPECT_EQ(found.size(), 2U);
  EXPECT_TRUE(has("config"));
  EXPECT_TRUE(has("outside"));
  EXPECT_FALSE(has("data"));
}

// ------------------------------------------------------------------------------------------ rights

class RightsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, to give it up";
  }
  static int apart(const std::function<int()>& work) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(work());
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : failed;
  }
};

TEST_F(RightsTest, RootBecomesTheUserForGood) {
  EXPECT_EQ(apart([] {
              if (!become("nobody", "")) return 1;
              if (::getuid() == 0 || ::geteuid() == 0) return 2;
              if (::setuid(0) == 0 || ::setgid(0) == 0) return 3;
              gid_t groups[4];
              const int count = ::getgroups(4, groups);
              if (count != 1 || groups[0] != ::getgid() || ::getgid() == 0) return 4;
              if (::open("/etc/shadow", O_RDONLY | O_CLOEXEC) >= 0) return 5;
              return become("nobody", "") ? 0 : 6;  // it is that user already
            }),
            0);
}

TEST_F(RightsTest, WhoIsNotRootBecomesNobodyElse) {
  EXPECT_EQ(apart([] {
              if (!become("nobody", "")) return 1;
              return become("daemon", "") ? 2 : 0;
            }),
            0);
}

TEST_F(RightsTest, UsersThatAreNotThereAndRootAreRefused) {
  EXPECT_EQ(apart([] { return become("no-such-user-here", "") ? 1 : 0; }), 0);
  EXPECT_EQ(apart([] { return become("nobody", "no-such-group-here") ? 1 : 0; }), 0);
  EXPECT_EQ(apart([] { return become("root", "") ? 1 : 0; }), 0);
}

TEST_F(RightsTest, ANewDataDirectoryIsTheUsersAndAnOldOneIsLeftAlone) {
  std::string pattern = testing::TempDir() + "moat-rights-XXXXXX";
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  const std::string made = pattern + "/var/moat";
  ASSERT_TRUE(make_directory_for(made, "nobody", "").has_value());
  struct stat info {};
  ASSERT_EQ(::stat(made.c_str(), &info), 0);
  EXPECT_NE(info.st_uid, 0U);
  EXPECT_EQ(info.st_mode & 07777, 0700U);
  const std::string there = pattern + "/there";
  std::filesystem::create_directory(there);
  ASSERT_TRUE(make_directory_for(there, "nobody", "").has_value());
  ASSERT_EQ(::stat(there.c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 0U);
  std::filesystem::remove_all(pattern);
}

}  // namespace
}  // namespace moat::cli
