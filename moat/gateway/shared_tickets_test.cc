// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/shared_tickets.h"

#include <gtest/gtest.h>

#include "moat/acme/internal/memory_storage.h"

namespace moat::gateway {
namespace {

class BrokenStorage final : public acme::Storage {
 public:
  Result<std::optional<Secret>, std::string> read(const std::string&) const override {
    return Error{std::string("the disk is gone")};
  }
  Result<void, std::string> write(const std::string&, const Secret&) override {
    return Error{std::string("the disk is gone")};
  }
  Result<std::unique_ptr<Lock>, std::string> try_lock() override {
    return Error{std::string("the disk is gone")};
  }
};

class SharedTicketsTest : public ::testing::Test {
 protected:
  struct Node {
    Node(std::shared_ptr<acme::Storage> storage, const Clock& clock, const Log& log)
        : keys(std::make_shared<https::TicketKeys>(clock, system_random())),
          shared(std::move(storage), keys, log) {}
    std::string text() const { return std::string(keys->save().reveal()); }
    std::shared_ptr<https::TicketKeys> keys;
    SharedTickets shared;
  };
  ManualClock clock_{from_unix_seconds(1'795'000'000)};
  std::string lines_;
  Log log_{clock_, [this](std::string_view line) { lines_ += line; }};
  std::shared_ptr<acme::Storage> storage_ = std::make_shared<acme::testing::MemoryStorage>();
};

TEST_F(SharedTicketsTest, EachNodeHasTheKeysOfAll) {
  Node one(storage_, clock_, log_), two(storage_, clock_, log_);
  one.shared.share();
  two.shared.share();
  EXPECT_EQ(one.text(), two.text());
  EXPECT_EQ(two.keys->size(), 1U) << "the second has taken the first one's";
  // One day later whoever comes first makes the next.
  clock_.advance(std::chrono::hours{23} + std::chrono::minutes{30});
  two.shared.share();
  one.shared.share();
  EXPECT_EQ(one.keys->size(), 2U);
  EXPECT_EQ(one.text(), two.text());
  clock_.advance(std::chrono::hours{24} + std::chrono::minutes{30});
  one.shared.share();
  two.shared.share();
  EXPECT_EQ(one.keys->size(), 2U) << "the first has ended";
  EXPECT_EQ(one.text(), two.text());
  EXPECT_EQ(lines_, "");
}

TEST_F(SharedTicketsTest, NodesThatMadeKeysApartAgreeAgain) {
  Node one(storage_, clock_, log_), two(storage_, clock_, log_);
  one.keys->rotate();
  two.keys->rotate();
  one.shared.share();
  two.shared.share();
  one.shared.share();
  EXPECT_EQ(one.keys->size(), 2U);
  EXPECT_EQ(one.text(), two.text());
}

TEST_F(SharedTicketsTest, AStorageThatFailsIsSaidOnceAndTicketsGoOn) {
  Node one(std::make_shared<BrokenStorage>(), clock_, log_);
  one.shared.share();
  one.shared.share();
  EXPECT_EQ(one.keys->size(), 1U);
  const std::size_t at = lines_.find("ticket_keys_not_shared");
  EXPECT_NE(at, std::string::npos);
  EXPECT_EQ(lines_.find("ticket_keys_not_shared", at + 1), std::string::npos) << lines_;
}

TEST_F(SharedTicketsTest, WhatIsDamagedIsReplaced) {
  ASSERT_TRUE(storage_->write("ticket-keys", Secret::copy_of("rubbish")));
  Node one(storage_, clock_, log_), two(storage_, clock_, log_);
  one.shared.share();
  EXPECT_NE(lines_.find("damaged"), std::string::npos);
  two.shared.share();
  EXPECT_EQ(one.text(), two.text());
}

TEST_F(SharedTicketsTest, ItsThreadEndsAtOnce) {
  Node one(storage_, clock_, log_);
  one.shared.start();
  one.shared.start();
}

}  // namespace
}  // namespace moat::gateway
