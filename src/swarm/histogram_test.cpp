// SPDX-License-Identifier: Apache-2.0
#include "swarm/histogram.h"

#include <gtest/gtest.h>

namespace muster::swarm {
namespace {

TEST(Histogram, IsExactForWhatIsShort) {
  Histogram histogram;
  for (int i = 1; i <= 50; ++i) histogram.add(Micros(i));
  EXPECT_EQ(histogram.count(), 50U);
  EXPECT_EQ(histogram.quantile(0.5), Micros(25));
  EXPECT_EQ(histogram.quantile(1), Micros(50));
  EXPECT_EQ(histogram.quantile(0), Micros(1));
}

TEST(Histogram, IsNeverBelowTheTrueQuantileAndAtMostAThirtySecondAbove) {
  for (const std::int64_t value : {63, 64, 65, 127, 128, 1000, 4095, 4096, 123'456, 59'999'999}) {
    SCOPED_TRACE(value);
    Histogram histogram;
    histogram.add(Micros(value));
    histogram.add(Micros(value * 100));
    const std::int64_t middle = histogram.quantile(0.5).count();
    EXPECT_GE(middle, value);
    EXPECT_LE(middle, value + value / 32);
    EXPECT_EQ(histogram.max(), Micros(value * 100));
  }
}

TEST(Histogram, OneSlowCallInAHundredShowsAtP99AndNotAtP98) {
  Histogram histogram;
  for (int i = 0; i < 98; ++i) histogram.add(Micros(100));
  for (int i = 0; i < 2; ++i) histogram.add(std::chrono::seconds(3));
  EXPECT_LT(histogram.quantile(0.98), Micros(104));
  EXPECT_EQ(histogram.quantile(0.99), std::chrono::seconds(3));
}

TEST(Histogram, CountsTheAbsurdAtItsEnds) {
  Histogram histogram;
  histogram.add(Micros(-5));
  histogram.add(std::chrono::hours(1000));
  EXPECT_EQ(histogram.quantile(0.5), Micros(0));
  EXPECT_GE(histogram.quantile(1), std::chrono::hours(24));
}

TEST(Histogram, OfTwoIsThatOfAll) {
  Histogram one;
  Histogram two;
  Histogram all;
  for (int i = 0; i < 1000; ++i) {
    (i % 3 == 0 ? one : two).add(Micros(i * i));
    all.add(Micros(i * i));
  }
  one.add(two);
  EXPECT_EQ(one.count(), all.count());
  for (const double share : {0.1, 0.5, 0.9, 0.99, 1.0}) {
    EXPECT_EQ(one.quantile(share), all.quantile(share));
  }
}

}  // namespace
}  // namespace muster::swarm
