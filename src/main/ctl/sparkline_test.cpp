// SPDX-License-Identifier: Apache-2.0
#include "main/ctl/sparkline.h"

#include <gtest/gtest.h>

namespace muster::ctl {
namespace {

TEST(Sparkline, GoesFromTheLeastToTheGreatestAndLeavesGaps) {
  EXPECT_EQ(sparkline({0, 50, 100, std::nullopt, 100}, 40), "▁▅█ █  0 to 100");
  EXPECT_EQ(sparkline({7, 7}, 40), "▁▁  7 to 7");
  EXPECT_EQ(sparkline({}, 40), "");
  EXPECT_EQ(sparkline({std::nullopt}, 40), "");
}

TEST(Sparkline, KeepsTheGreatestOfValuesThatShareAColumn) {
  std::vector<std::optional<double>> values(100, 0);
  values[49] = 80;
  EXPECT_EQ(sparkline(values, 19), "▁▁▁▁█▁▁▁▁▁  0 to 80") << "a short peak is seen";
  EXPECT_EQ(sparkline(values, 1), "█  0 to 80") << "never without a curve";
}

}  // namespace
}  // namespace muster::ctl
