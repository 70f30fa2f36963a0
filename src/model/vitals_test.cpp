// SPDX-License-Identifier: Apache-2.0
#include "model/vitals.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace muster::model {
namespace {

bool same(const Vitals& a, const Vitals& b) {
  return a.uptime_seconds == b.uptime_seconds && a.cpu_percent == b.cpu_percent &&
         a.memory_mb == b.memory_mb && a.total_memory_mb == b.total_memory_mb &&
         a.disk_free_mb == b.disk_free_mb && a.process_cpu_percent == b.process_cpu_percent &&
         a.process_memory_mb == b.process_memory_mb;
}

TEST(Vitals, PackedTakeABytePlusWhatWasSent) {
  EXPECT_EQ(pack_vitals({}), std::string(1, '\0'));
  Vitals vitals;
  vitals.uptime_seconds = 0;
  vitals.cpu_percent = 12.5;
  vitals.process_memory_mb = 1e9;
  EXPECT_EQ(pack_vitals(vitals), std::string("\x43\x00\xE2\x09\x80\xD0\xDB\xC3\xF4\x02", 10));
  EXPECT_TRUE(same(unpack_vitals(pack_vitals(vitals)).value(), vitals));
}

TEST(Vitals, OfAMachineFitInTwoDozenBytes) {
  const Vitals vitals = {9'000'000, 100, 14'302.25, 16'384, 921'600.5, 1.25, 35.5};
  EXPECT_LE(pack_vitals(vitals).size(), 24U);
  EXPECT_TRUE(same(unpack_vitals(pack_vitals(vitals)).value(), vitals));
}

TEST(Vitals, OfHundredthsAreReadBackAsTheyWere) {
  std::mt19937_64 rng(7);
  for (int i = 0; i < 2000; ++i) {
    const auto any = [&](double scale) {
      if (rng() % 4 == 0) return -1.0;
      return static_cast<double>(rng() >> (17 + rng() % 47)) / scale;
    };
    const Vitals vitals = {any(1), any(100), any(100), any(100), any(100), any(100), any(100)};
    EXPECT_TRUE(same(unpack_vitals(pack_vitals(vitals)).value(), vitals)) << i;
  }
}

TEST(Vitals, ThatNoMachineHasAreStoredAsTheMost) {
  Vitals vitals;
  vitals.disk_free_mb = std::numeric_limits<double>::infinity();
  vitals.cpu_percent = std::numeric_limits<double>::quiet_NaN();
  const Vitals read = unpack_vitals(pack_vitals(vitals)).value();
  EXPECT_EQ(read.disk_free_mb, static_cast<double>(std::uint64_t{1} << 47) / 100);
  EXPECT_EQ(read.cpu_percent, -1);
}

TEST(Vitals, DamagedAreNone) {
  EXPECT_FALSE(unpack_vitals(""));
  EXPECT_FALSE(unpack_vitals("\x80"));                // no eighth member
  EXPECT_FALSE(unpack_vitals("\x01"));                // cut off
  EXPECT_FALSE(unpack_vitals("\x01\x80"));            // cut off within a number
  EXPECT_FALSE(unpack_vitals(std::string(3, '\0')));  // more than it says
  EXPECT_FALSE(unpack_vitals("\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F"));
}

}  // namespace
}  // namespace muster::model
