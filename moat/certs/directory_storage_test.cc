// SPDX-License-Identifier: Apache-2.0
#include "moat/certs/directory_storage.h"

#include <sys/wait.h>
#include <unistd.h>

#include "moat/acme/internal/storage_suite.h"
#include "moat/certs/internal/files.h"
#include "moat/certs/internal/testing.h"

namespace moat::acme {

struct InDirectory : certs::testing::Folder {
  certs::DirectoryStorage one{folder_ / "acme"}, two{folder_ / "acme"};
  Storage& storage() { return one; }
  Storage& another() { return two; }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Directory, StorageSuite, InDirectory);

}  // namespace moat::acme

namespace moat::certs {
namespace {

using testing::mode_of;

class DirectoryStorageTest : public testing::Folder {
 protected:
  std::filesystem::path place_ = folder_ / "acme";
  DirectoryStorage storage_{place_};
};

TEST_F(DirectoryStorageTest, KeepsItForNobodyElse) {
  ASSERT_TRUE(storage_.write("a", Secret::copy_of("one")));
  EXPECT_NE(*storage_.try_lock(), nullptr);
  EXPECT_EQ(mode_of(place_), 0700U);
  EXPECT_EQ(mode_of(place_ / "a"), 0600U);
  EXPECT_EQ(mode_of(place_ / "order"), 0700U);
}

TEST_F(DirectoryStorageTest, WhatOthersMayReadIsRefusedByName) {
  ASSERT_TRUE(storage_.write("a", Secret::copy_of("one")));
  ::chmod((place_ / "a").c_str(), 0640);
  const auto read = storage_.read("a");
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().find((place_ / "a").string() + " has mode 0640"), std::string::npos);
  ::chmod((place_ / "a").c_str(), 0600);
  EXPECT_TRUE(storage_.read("a"));
  ::chmod(place_.c_str(), 0750);
  EXPECT_FALSE(storage_.read("a"));
  EXPECT_FALSE(storage_.write("a", Secret::copy_of("two")));
  EXPECT_FALSE(storage_.try_lock());
}

TEST_F(DirectoryStorageTest, AtMost64KiB) {
  ASSERT_TRUE(storage_.write("a", Secret::copy_of(std::string(65536, 'x'))));
  EXPECT_TRUE(storage_.read("a"));
  EXPECT_FALSE(storage_.write("b", Secret::copy_of(std::string(65537, 'x'))));
  EXPECT_FALSE(*storage_.read("b"));
}

// As by a node that was halted while it wrote.
TEST_F(DirectoryStorageTest, OneThatAnotherKeepsLockedIsNotWaitedForForEver) {
  ASSERT_TRUE(storage_.write("a", Secret::copy_of("one")));
  {
    const auto held = PrivateDirectory::open(place_);
    ASSERT_TRUE(held);
    const auto read = storage_.read("a");
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().find("is locked by another process"), std::string::npos);
  }
  EXPECT_TRUE(storage_.read("a"));
}

TEST_F(DirectoryStorageTest, ALockIsHeldAgainstOtherProcessesAndEndsWithThem) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = storage_.try_lock();
    const char said = lock && *lock != nullptr ? 'y' : 'n';
    if (::write(pipe[1], &said, 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char said = 0;
  ASSERT_EQ(::read(pipe[0], &said, 1), 1);
  EXPECT_EQ(said, 'y');
  EXPECT_EQ(*storage_.try_lock(), nullptr);
  EXPECT_TRUE(storage_.write("a", Secret::copy_of("one")));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_NE(*storage_.try_lock(), nullptr);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

}  // namespace
}  // namespace moat::certs
