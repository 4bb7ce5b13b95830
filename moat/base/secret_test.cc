// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <sstream>
#include <type_traits>
#include <utility>

#include "moat/base/log.h"
#include "moat/base/result.h"
#include "moat/base/secret.h"

namespace moat {
namespace {

// A Secret has no way out but reveal(): what must not compile is asserted here.
template <class T, class = void>
struct is_printable : std::false_type {};
template <class T>
struct is_printable<
    T, std::void_t<decltype(std::declval<std::ostream&>() << std::declval<const T&>())>>
    : std::true_type {};

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string> &&
              !std::is_convertible_v<Secret, std::string_view>);
static_assert(!is_printable<Secret>::value);
static_assert(!std::is_constructible_v<Field, std::string_view, const Secret&>);

static_assert(!std::is_constructible_v<bool, const Secret&>);
static_assert(std::is_nothrow_move_constructible_v<Secret> &&
              std::is_nothrow_move_assignable_v<Secret>);

template <class T, class = void>
struct is_comparable : std::false_type {};
template <class T>
struct is_comparable<T, std::void_t<decltype(std::declval<const T&>() == std::declval<const T&>())>>
    : std::true_type {};
static_assert(!is_comparable<Secret>::value && is_comparable<std::string>::value);
static_assert(is_printable<std::string>::value, "the probe itself works");

TEST(Secret, TakeWipesTheSource) {
  std::string source = "a password of some length, longer than a short string";
  const char* bytes = source.data();
  const Secret secret = Secret::take(source);
  EXPECT_TRUE(source.empty());
  EXPECT_EQ(bytes[0], '\0');
  EXPECT_TRUE(secret.equals("a password of some length, longer than a short string"));
  EXPECT_FALSE(secret.equals("a password of some length, longer than a short strinG"));
  EXPECT_FALSE(secret.equals(""));
}

TEST(Secret, MovingLeavesNothingBehind) {
  Secret first = Secret::copy_of("short");
  const Secret second = std::move(first);
  EXPECT_TRUE(first.empty());
  EXPECT_EQ(second.reveal(), "short");
}

TEST(Secret, MoveAssignmentWipesBothSides) {
  Secret first = Secret::copy_of("the first secret, longer than a short string");
  Secret second = Secret::copy_of("short");
  first = std::move(second);
  EXPECT_EQ(first.reveal(), "short");
  EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move): that is the promise
  Secret& same = first;
  first = std::move(same);
  EXPECT_EQ(first.reveal(), "short");
}

TEST(Secret, CloneIsItsOwn) {
  Secret first = Secret::copy_of("abc");
  const Secret second = first.clone();
  first = Secret::copy_of("xyz");
  EXPECT_EQ(second.reveal(), "abc");
  EXPECT_EQ(second.size(), 3U);
}

TEST(Secret, HoldsAnyBytes) {
  const Secret secret = Secret::copy_of(std::string_view("a\0b", 3));
  EXPECT_TRUE(secret.equals(std::string_view("a\0b", 3)));
  EXPECT_FALSE(secret.equals("a"));
  EXPECT_TRUE(Secret().equals(""));
}

TEST(Secret, ConstantTimeEqualIsEqual) {
  EXPECT_TRUE(constant_time_equal("", ""));
  EXPECT_TRUE(constant_time_equal("abc", "abc"));
  for (const char* other : {"", "ab", "abcd", "abd", "Abc"})
    EXPECT_FALSE(constant_time_equal("abc", other)) << other;
}

TEST(Secret, WipeReachesBehindTheEnd) {
  std::string text = "a text whose end is cut off before it is wiped";
  const char* bytes = text.data();
  const std::size_t length = text.size();
  text.resize(3);
  wipe(text);
  EXPECT_TRUE(text.empty());
  for (std::size_t i = 0; i < length; ++i) EXPECT_EQ(bytes[i], '\0') << i;
}

// Result

enum class Trouble { none, some };
Result<int, Trouble> half(int number) {
  if (number % 2 != 0) return Error{Trouble::some};
  return number / 2;
}
Result<int, Trouble> quarter(int number) {
  MOAT_TRY(const int first, half(number));
  MOAT_TRY(const int second, half(first));
  return second;
}

TEST(Result, TryGivesTheValueOrPassesTheErrorOn) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error(), Trouble::some);
  EXPECT_EQ(quarter(5).value_or(-1), -1);
}

TEST(Result, TheValuelessFormHasAnErrorOrNone) {
  const Result<void, Trouble> good;
  const Result<void, Trouble> bad = Error{Trouble::some};
  EXPECT_TRUE(good);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error(), Trouble::some);
}

TEST(Result, CarriesWhatCannotBeCopied) {
  auto make = []() -> Result<Secret, Trouble> { return Secret::copy_of("key"); };
  const Secret taken = std::move(make()).value();
  EXPECT_EQ(taken.reveal(), "key");
}

}  // namespace
}  // namespace moat
