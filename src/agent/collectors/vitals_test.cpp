// SPDX-License-Identifier: Apache-2.0
#include "agent/collectors/vitals.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace muster::agent {
namespace {

TEST(Vitals, CpuTicksCountIdleAndIoWaitAsNotBusy) {
  const auto ticks = parse_cpu_ticks("cpu  100 5 50 800 40 3 2 0 0 0\ncpu0 1 1 1 1 1 1 1 1\n");
  ASSERT_TRUE(ticks.has_value());
  EXPECT_EQ(ticks->busy, 160);
  EXPECT_EQ(ticks->total, 1000);
  EXPECT_FALSE(parse_cpu_ticks("cpu 1 2 x").has_value());
  EXPECT_FALSE(parse_cpu_ticks("").has_value());
}

TEST(Vitals, MemoryInUseLeavesOutWhatIsAvailable) {
  const auto memory =
      parse_memory("MemTotal:       24684180 kB\nMemFree: 1 kB\nMemAvailable:   19745500 kB\n");
  ASSERT_TRUE(memory.has_value());
  EXPECT_EQ(memory->total_mb, 24105);
  EXPECT_EQ(memory->used_mb, 4822);
  EXPECT_FALSE(parse_memory("MemTotal: 5 kB\n").has_value());
}

TEST(Vitals, ProcessTicksAreFoundBehindAnyProgramName) {
  EXPECT_EQ(parse_process_ticks("1 (a) b) (c) S 1 2 3 4 5 6 7 8 9 10 30 12 0 0 20 0"), 42);
  EXPECT_FALSE(parse_process_ticks("1 no name").has_value());
  EXPECT_EQ(parse_resident_pages("1000 250 3 4"), 250);
  EXPECT_EQ(parse_uptime("2378.55 4000.00\n"), 2378);
}

TEST(Vitals, PercentagesAreOfTheTimeBetweenMeasurements) {
  const std::filesystem::path root =
      std::filesystem::path(testing::TempDir()) / "muster-vitals-between";
  std::filesystem::create_directories(root / "proc/self");
  const auto write = [&](const char* name, const char* text) {
    std::ofstream(root / name) << text;
  };
  write("proc/stat", "cpu  100 0 0 900 0 0 0 0 0 0\n");
  VitalsProbe probe(root);
  write("proc/stat", "cpu  125 0 0 975 0 0 0 0 0 0\n");
  EXPECT_EQ(probe.measure().cpu_percent, 25);
  EXPECT_EQ(probe.measure().cpu_percent, 0);
  std::filesystem::remove_all(root);
}

TEST(Vitals, ThisHostCanBeMeasured) {
  VitalsProbe probe("/");
  const Vitals vitals = probe.measure();
  EXPECT_GT(vitals.uptime_seconds, 0);
  EXPECT_GT(vitals.total_memory_mb, vitals.memory_mb);
  EXPECT_GT(vitals.process_memory_mb, 0);
}

}  // namespace
}  // namespace muster::agent
