// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <memory>
#include <set>

#include <gtest/gtest.h>

#include "base/guarded.h"
#include "base/unique_function.h"

namespace muster {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return invalid_field("number", "is odd");
  return number / 2;
}

Result<std::string> quarter(int number) {
  const int twice = TRY(half(number));
  return std::to_string(TRY(half(twice)));
}

Result<void> only_even(int number) {
  TRY(half(number));
  return {};
}

TEST(Result, TryPassesValuesOnAndReturnsErrors) {
  EXPECT_EQ(quarter(12).value(), "3");
  const auto failed = quarter(6);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, Errc::invalid_field);
  EXPECT_EQ(failed.error().field, "number");
  EXPECT_EQ(failed.error().message, "number: is odd");
  EXPECT_TRUE(only_even(2).ok());
  EXPECT_FALSE(only_even(3).ok());
}

TEST(Result, CarriesWhatCanOnlyBeMoved) {
  const auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(7); };
  const auto take = [&]() -> Result<int> { return *TRY(make()); };
  EXPECT_EQ(take().value(), 7);
}

TEST(ResultDeathTest, TheOtherSideIsABug) {
  EXPECT_DEATH((void)half(3).value(), "CHECK|ok");
  EXPECT_DEATH((void)half(2).error(), "CHECK|ok");
}

TEST(Errc, EveryCodeHasAWordOfItsOwn) {
  std::set<std::string_view> words;
  std::size_t codes = 0;
#define ERRC(name, status)             \
  words.insert(errc_name(Errc::name)); \
  ++codes;
#include "base/errc.def"
#undef ERRC
  EXPECT_EQ(words.size(), codes);
  EXPECT_EQ(errc_name(Errc::clock_skew), "clock_skew");
}

TEST(UniqueFunction, HoldsWhatCanOnlyBeMoved) {
  UniqueFunction<int(int)> add = [base = std::make_unique<int>(40)](int n) { return *base + n; };
  ASSERT_TRUE(add);
  UniqueFunction<int(int)> moved = std::move(add);
  EXPECT_EQ(moved(2), 42);
  EXPECT_FALSE(UniqueFunction<void()>());
}

}  // namespace
}  // namespace muster
