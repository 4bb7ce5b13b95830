// SPDX-License-Identifier: Apache-2.0
#include "moat/net/uring.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <system_error>
#include <thread>

#include "moat/net/loop.h"
#include "moat/net/task.h"

namespace moat::net {
namespace {

using std::chrono::milliseconds;

TEST(RingPatience, WaitsLongerEachTimeWhileNothingComes) {
  RingPatience patience;
  for (const int expected : {1, 2, 4, 8, 16, 32, 64, 64, 64})
    EXPECT_EQ(patience.after(ENOMEM, false), milliseconds{expected});
}

TEST(RingPatience, DoesNotWaitWhereCompletionsCame) {
  RingPatience patience;
  for (const int error : {EAGAIN, EBUSY, ENOMEM, EBADR})
    EXPECT_EQ(patience.after(error, true), milliseconds{0}) << error;
  EXPECT_EQ(patience.after(0, false), milliseconds{0});
  EXPECT_EQ(patience.after(EINTR, false), milliseconds{0});
}

TEST(RingPatience, StartsOverBehindASuccessOrCompletions) {
  RingPatience patience;
  EXPECT_EQ(patience.after(EAGAIN, false), milliseconds{1});
  EXPECT_EQ(patience.after(EBUSY, false), milliseconds{2});
  EXPECT_EQ(patience.after(0, false), milliseconds{0});
  EXPECT_EQ(patience.after(EBUSY, false), milliseconds{1});
  EXPECT_EQ(patience.after(EBADR, true), milliseconds{0});
  EXPECT_EQ(patience.after(EBADR, false), milliseconds{1});
}

TEST(RingPatience, AnInterruptionIsNoSuccess) {
  RingPatience patience;
  EXPECT_EQ(patience.after(EAGAIN, false), milliseconds{1});
  EXPECT_EQ(patience.after(EINTR, false), milliseconds{0});
  EXPECT_EQ(patience.after(EAGAIN, false), milliseconds{2});
}

TEST(RingPatience, HasNoneForWhatDoesNotPass) {
  RingPatience patience;
  for (const int error : {EINVAL, EBADF, EBADFD, EFAULT, EEXIST, ENXIO, EOPNOTSUPP, EPERM})
    EXPECT_EQ(patience.after(error, true), std::nullopt) << error;
}

// From now on each io_uring_enter of this thread fails with `error`.
bool fail_on_this_thread(int error) {
  std::array<sock_filter, 4> code{
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_enter, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

milliseconds cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return milliseconds{time.tv_sec * 1000 + time.tv_nsec / 1'000'000};
}

class BrokenRing : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why_not;
    if (best_engine(&why_not) != Engine::io_uring) GTEST_SKIP() << "no io_uring here: " << why_not;
  }
  struct Over final : Timer {
    using Timer::Timer;
    void fire() override { reached = true; }
    bool reached = false;
  };
  // Runs a loop whose ring has broken for a while, on a thread that ends with it.
  void run(int error, milliseconds span) {
    std::thread thread([&] {
      Loop loop(Engine::io_uring);
      loop.turn(milliseconds{0});
      if (!fail_on_this_thread(error)) {
        filtered_ = false;
        return;
      }
      const milliseconds before = cpu_time();
      Over over(loop);  // its timers go on
      over.set(loop.in(span));
      try {
        while (!over.reached) loop.turn(milliseconds{1000});
      } catch (const std::system_error& thrown) {
        thrown_ = thrown.code().value();
      }
      used_ = cpu_time() - before;
    });
    thread.join();
  }

  bool filtered_ = true;
  int thrown_ = 0;
  milliseconds used_{};
};

class RingThatFails : public BrokenRing, public ::testing::WithParamInterface<int> {};
TEST_P(RingThatFails, NeitherEndsTheLoopNorSpins) {
  run(GetParam(), milliseconds{400});
  if (!filtered_) GTEST_SKIP() << "no seccomp here";
  EXPECT_EQ(thrown_, 0);
  EXPECT_LT(used_, milliseconds{80});
}
INSTANTIATE_TEST_SUITE_P(, RingThatFails, ::testing::Values(EAGAIN, EBUSY, ENOMEM, EBADR));

TEST_F(BrokenRing, ThatLostCompletionsStillHearsOfWhatIsPosted) {
  std::thread thread([&] {
    Loop loop(Engine::io_uring);
    loop.turn(milliseconds{0});
    filtered_ = fail_on_this_thread(EBADR);
    bool ran = false;
    loop.post([&] { ran = true; });
    for (int i = 0; i < 50 && !ran; ++i) loop.turn(milliseconds{5});
    EXPECT_TRUE(ran);
  });
  thread.join();
  if (!filtered_) GTEST_SKIP() << "no seccomp here";
}

class RingMisused : public RingThatFails {};
TEST_P(RingMisused, EndsTheLoop) {
  run(GetParam(), milliseconds{50});
  if (!filtered_) GTEST_SKIP() << "no seccomp here";
  EXPECT_EQ(thrown_, GetParam());
}
INSTANTIATE_TEST_SUITE_P(, RingMisused, ::testing::Values(EINVAL, EPERM));

}  // namespace
}  // namespace moat::net
