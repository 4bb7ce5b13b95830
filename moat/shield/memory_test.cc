// SPDX-License-Identifier: Apache-2.0
#include "moat/shield/memory.h"

#include <gtest/gtest.h>

#include "moat/base/encoding.h"
#include "moat/base/hash.h"

namespace moat::shield {
namespace {

std::shared_ptr<const session::Identity> somebody(std::string id) {
  session::Identity identity;
  identity.user_id = std::move(id);
  return std::make_shared<const session::Identity>(std::move(identity));
}

std::string token(int i) {
  const std::string body = "header." + std::to_string(i);
  const Digest mac = sha256(body);
  return body + "." + base64url_encode(as_bytes(mac));
}

TEST(Memory, KnowsWhatWasKeptAndNothingElse) {
  Memory memory;
  EXPECT_EQ(memory.find(token(1)), nullptr);
  memory.keep(token(1), somebody("ada"));
  memory.keep(token(2), somebody("bob"));
  ASSERT_NE(memory.find(token(1)), nullptr);
  EXPECT_EQ(memory.find(token(1))->user_id, "ada");
  EXPECT_EQ(memory.find(token(2))->user_id, "bob");
  EXPECT_EQ(memory.find(token(3)), nullptr);
}

TEST(Memory, OneByteMoreOrLessOrOtherIsAnotherToken) {
  Memory memory;
  const std::string known = token(1);
  memory.keep(known, somebody("ada"));
  for (std::size_t i = 0; i < known.size(); ++i) {
    std::string other = known;
    other[i] = static_cast<char>(other[i] ^ 1);
    EXPECT_EQ(memory.find(other), nullptr) << i;
  }
  EXPECT_EQ(memory.find(known + "A"), nullptr);
  EXPECT_EQ(memory.find(known.substr(1)), nullptr);
  EXPECT_EQ(memory.find(std::string_view(known).substr(0, known.size() - 1)), nullptr);
  EXPECT_EQ(memory.find(""), nullptr);
  ASSERT_NE(memory.find(known), nullptr);
}

TEST(Memory, WhatIsTooShortOrOfNobodyIsNotKept) {
  Memory memory;
  memory.keep("short", somebody("ada"));
  memory.keep("", somebody("ada"));
  memory.keep(token(1), nullptr);
  EXPECT_EQ(memory.find("short"), nullptr);
  EXPECT_EQ(memory.find(""), nullptr);
  EXPECT_EQ(memory.find(token(1)), nullptr);
}

TEST(Memory, IsBoundedAndTheNewestStay) {
  Memory memory;
  std::weak_ptr<const session::Identity> first;
  for (int i = 0; i < 40'000; ++i) {
    auto identity = somebody(std::to_string(i));
    if (i == 0) first = identity;
    memory.keep(token(i), std::move(identity));
    ASSERT_NE(memory.find(token(i)), nullptr) << i;
  }
  EXPECT_TRUE(first.expired());
  int known = 0;
  for (int i = 0; i < 40'000; ++i) known += memory.find(token(i)) != nullptr ? 1 : 0;
  EXPECT_LE(known, 4096);
  EXPECT_GT(known, 4000);  // every place is used
}

}  // namespace
}  // namespace moat::shield
