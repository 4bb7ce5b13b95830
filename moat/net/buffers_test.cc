// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <vector>

#include "moat/net/loop.h"

namespace moat::net {
namespace {

using std::chrono::milliseconds;

TEST(BufferPool, KeepsWhatABusyTimeNeededAndFreesItAfterwards) {
  BufferPool pool;
  const auto busy = [&] {
    std::vector<BufferPool::Buffer> taken;
    for (int i = 0; i < 100; ++i) taken.push_back(pool.take());
  };
  busy();
  pool.tidy();
  busy();
  pool.tidy();  // all were needed since
  EXPECT_EQ(pool.at_hand(), 100U);
  pool.tidy();  // none was
  EXPECT_EQ(pool.at_hand(), 16U);
}

struct Keeper final : WarmBuffers::Keeper {
  void free_buffers() override { ++freed; }
  int freed = 0;
};

TEST(WarmBuffers, AreTakenFromWhoeverIsIdle) {
  Loop loop;
  Keeper busy;
  Keeper idle;
  loop.warm().used(idle);
  const Tick end = loop.in(WarmBuffers::kept_for + milliseconds{300});
  while (loop.now() < end) {
    loop.warm().used(busy);
    loop.turn(milliseconds{20});
  }
  EXPECT_EQ(idle.freed, 1);
  EXPECT_EQ(busy.freed, 0);
  loop.warm().forget(busy);
  loop.warm().forget(idle);
  EXPECT_EQ(loop.warm().size(), 0U);
}

TEST(WarmBuffers, AreTakenFromTheOneThatWorkedLongestAgoWhereThereAreTooMany) {
  Loop loop;
  std::vector<Keeper> all(WarmBuffers::most + 2);
  for (Keeper& keeper : all) {
    loop.warm().used(keeper);
    loop.warm().used(all[0]);
  }
  EXPECT_EQ(loop.warm().size(), WarmBuffers::most);
  EXPECT_EQ(all[0].freed, 0);
  EXPECT_EQ(all[1].freed, 1);
  EXPECT_EQ(all[2].freed, 1);
  EXPECT_EQ(all[3].freed, 0);
  for (Keeper& keeper : all) loop.warm().forget(keeper);
}

}  // namespace
}  // namespace moat::net
