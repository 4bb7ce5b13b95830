// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests only: what every storage has to do. `Fixture` has storage() and another(), which are
// two views of the same place. Instantiate it in this namespace.

#include <gtest/gtest.h>

#include "moat/acme/storage.h"

namespace moat::acme {

template <class Fixture>
class StorageSuite : public Fixture {};
TYPED_TEST_SUITE_P(StorageSuite);

TYPED_TEST_P(StorageSuite, KeepsWhatIsWrittenForWhoeverReads) {
  EXPECT_FALSE(*this->storage().read("a"));
  ASSERT_TRUE(this->storage().write("a", Secret::copy_of("one")));
  ASSERT_TRUE(this->storage().write("b", Secret::copy_of("two")));
  EXPECT_TRUE((*this->another().read("a"))->equals("one"));
  ASSERT_TRUE(this->another().write("a", Secret::copy_of("three")));
  EXPECT_TRUE((*this->storage().read("a"))->equals("three"));
  EXPECT_TRUE((*this->storage().read("b"))->equals("two"));
}

TYPED_TEST_P(StorageSuite, NothingIsAContentToo) {
  ASSERT_TRUE(this->storage().write("a", Secret()));
  const auto read = this->another().read("a");
  ASSERT_TRUE(read);
  ASSERT_TRUE(*read);
  EXPECT_TRUE((*read)->empty());
}

TYPED_TEST_P(StorageSuite, BytesAreKeptAsTheyAre) {
  const std::string bytes("\0\n\xff-\r", 5);
  ASSERT_TRUE(this->storage().write("a", Secret::copy_of(bytes)));
  EXPECT_TRUE((*this->another().read("a"))->equals(bytes));
}

TYPED_TEST_P(StorageSuite, OneHoldsTheLockAndNobodyWaitsForIt) {
  auto first = this->storage().try_lock();
  ASSERT_TRUE(first);
  ASSERT_NE(*first, nullptr);
  EXPECT_EQ(*this->another().try_lock(), nullptr);
  EXPECT_EQ(*this->storage().try_lock(), nullptr) << "nor another part of this process";
  EXPECT_TRUE(this->another().write("a", Secret::copy_of("one")));
  EXPECT_TRUE(this->storage().read("a"));
  first->reset();
  EXPECT_NE(*this->another().try_lock(), nullptr);
}

REGISTER_TYPED_TEST_SUITE_P(StorageSuite, KeepsWhatIsWrittenForWhoeverReads, NothingIsAContentToo,
                            BytesAreKeptAsTheyAre, OneHoldsTheLockAndNobodyWaitsForIt);

}  // namespace moat::acme
