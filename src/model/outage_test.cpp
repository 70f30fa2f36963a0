// SPDX-License-Identifier: Apache-2.0
#include "model/outage.h"

#include <gtest/gtest.h>

namespace muster::model {
namespace {

Vitals healthy() {
  Vitals vitals;
  vitals.cpu_percent = 10;
  vitals.memory_mb = 1000;
  vitals.total_memory_mb = 8000;
  vitals.disk_free_mb = 50'000;
  return vitals;
}

TEST(ProbableCause, IsUnknownWithoutASign) {
  EXPECT_EQ(probable_cause(Vitals{}), "unknown");
  EXPECT_EQ(probable_cause(healthy()), "unknown");
}

TEST(ProbableCause, EachSignIsJudgedByItself) {
  Vitals vitals = healthy();
  vitals.cpu_percent = 95.1;
  EXPECT_EQ(probable_cause(vitals), "cpu_saturation") << "though the total memory is known";
  vitals.memory_mb = 7601;
  EXPECT_EQ(probable_cause(vitals), "memory_pressure");
  vitals.disk_free_mb = 199;
  EXPECT_EQ(probable_cause(vitals), "disk_pressure");
}

TEST(ProbableCause, TheThresholdsThemselvesAreNoSign) {
  Vitals vitals = healthy();
  vitals.cpu_percent = high_cpu_percent;
  vitals.memory_mb = high_memory_share * vitals.total_memory_mb;
  vitals.disk_free_mb = low_disk_mb;
  EXPECT_EQ(probable_cause(vitals), "unknown");
  vitals.disk_free_mb = 0;
  EXPECT_EQ(probable_cause(vitals), "disk_pressure") << "0 was sent";
}

}  // namespace
}  // namespace muster::model
