// SPDX-License-Identifier: Apache-2.0
#include "model/samples.h"

#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "base/testing.h"

namespace muster::model {
namespace {

constexpr std::int64_t first_minute = 29'000'000;

std::uint64_t below(Rng& rng, std::uint64_t bound) {
  return rng.next_u64() % bound;
}

auto fields(const Sample& s) {
  const Vitals& v = s.vitals;
  return std::make_tuple(s.minute, s.status, v.uptime_seconds, v.cpu_percent, v.memory_mb,
                         v.disk_free_mb, v.process_cpu_percent, v.process_memory_mb);
}

std::vector<Sample> decoded(const std::string& segments) {
  std::vector<Sample> samples;
  EXPECT_TRUE(decode_samples(segments, samples));
  return samples;
}

/// Some value in steps of 1 / `scale`, often absent, sometimes huge.
double any_value(Rng& rng, double scale) {
  const std::uint64_t kind = below(rng, 8);
  if (kind == 0) return -1;
  const std::uint64_t bound = kind == 1 ? 1'000'000'000 : 2000;
  return static_cast<double>(below(rng, bound)) / scale;
}

Sample any_sample(Rng& rng, std::int64_t minute) {
  constexpr std::string_view statuses[] = {"idle", "executing", "offline", "unknown"};
  Sample sample;
  sample.minute = minute;
  sample.status = statuses[below(rng, 4)];
  const double uptime = any_value(rng, 1);
  sample.vitals.uptime_seconds = uptime < 0 ? -1 : 60 * std::floor(uptime / 100);
  sample.vitals.cpu_percent = any_value(rng, 10);
  sample.vitals.memory_mb = any_value(rng, 1);
  sample.vitals.disk_free_mb = any_value(rng, 1);
  sample.vitals.process_cpu_percent = any_value(rng, 10);
  sample.vitals.process_memory_mb = any_value(rng, 1);
  return sample;
}

TEST(Samples, ComeBackAsTheyWereFromAnySequence) {
  SeededRng rng(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<Sample> samples;
    std::string segments;
    std::int64_t minute = first_minute + static_cast<std::int64_t>(below(rng, 10'000));
    for (std::uint64_t i = below(rng, 60); i > 0; --i) {
      minute += static_cast<std::int64_t>(below(rng, 4) == 0 ? below(rng, 50'000) : 5);
      samples.push_back(any_sample(rng, minute));
      append_sample(segments, samples.back(), below(rng, 20) == 0);
    }
    const auto back = decoded(segments);
    ASSERT_EQ(back.size(), samples.size());
    for (std::size_t i = 0; i < back.size(); ++i) ASSERT_EQ(fields(back[i]), fields(samples[i]));
    std::string joined;
    std::size_t counted = 0;
    for (const std::string_view segment : split_segments(segments)) {
      const auto part = decoded(std::string(segment));
      EXPECT_LE(part.size(), segment_samples);
      ASSERT_EQ(fields(part.front()), fields(samples[counted])) << "it stands alone";
      counted += part.size();
      joined += segment;
    }
    EXPECT_EQ(joined, segments);
    EXPECT_EQ(counted, samples.size());
  }
}

TEST(Samples, ADamagedSegmentEndsTheReadingAndNothingIsReadBeyondIt) {
  SeededRng rng(8);
  std::string segments;
  for (int i = 0; i < 80; ++i) append_sample(segments, any_sample(rng, first_minute + i), false);
  std::set<std::size_t> ends = {0};
  for (const std::string_view segment : split_segments(segments)) {
    ends.insert(*ends.rbegin() + segment.size());
  }
  EXPECT_EQ(ends.size(), 6U);
  for (std::size_t size = 0; size < segments.size(); ++size) {
    std::vector<Sample> samples;
    const bool whole = decode_samples(std::string_view(segments).substr(0, size), samples);
    EXPECT_EQ(whole, ends.contains(size)) << size;
    for (std::size_t i = 0; i < samples.size(); ++i)
      EXPECT_EQ(samples[i].minute, first_minute + static_cast<std::int64_t>(i));
  }
  std::string damaged = "\xFF\xFF";
  append_sample(damaged, any_sample(rng, first_minute), false);
  EXPECT_EQ(decoded(damaged).size(), 1U) << "and sampling goes on";
}

TEST(Samples, ABlockGivesEachAgentItsSegmentsAndOfADamagedOneWhatStandsBefore) {
  const AgentId a{Uuid{{1}}};
  const AgentId b{Uuid{{2}}};
  const std::string long_one(300, 'x');
  std::string block;
  put_in_block(block, a, "first");
  put_in_block(block, b, long_one);
  put_in_block(block, a, "second");
  EXPECT_EQ(segments_in_block(block, a), "firstsecond");
  EXPECT_EQ(segments_in_block(block, b), long_one);
  EXPECT_EQ(segments_in_block(block, AgentId{Uuid{{3}}}), "");
  std::string before;
  for (std::size_t size = 0; size <= block.size(); ++size) {
    const std::string found = segments_in_block(std::string_view(block).substr(0, size), a);
    EXPECT_TRUE(found.starts_with(before)) << size;
    EXPECT_TRUE(found.empty() || found == "first" || found == "firstsecond") << size;
    before = found;
  }
  EXPECT_EQ(before, "firstsecond");
}

TEST(Samples, ValuesBeyondEveryBoundAreKeptWithinThem) {
  Sample sample;
  sample.minute = first_minute;
  sample.status = "dancing";
  sample.vitals.uptime_seconds = 1e18;
  sample.vitals.cpu_percent = std::nan("");
  sample.vitals.memory_mb = 1e300;
  std::string segments;
  append_sample(segments, sample, false);
  const auto back = decoded(segments);
  ASSERT_EQ(back.size(), 1U);
  EXPECT_EQ(back[0].status, "unknown");
  EXPECT_EQ(back[0].vitals.cpu_percent, -1);
  EXPECT_GT(back[0].vitals.memory_mb, 1e9);
  EXPECT_EQ(back[0].vitals.uptime_seconds, 60.0 * first_minute);
}

TEST(Samples, ADayOfAnOrdinaryAgentTakesTwoAndAHalfKilobytes) {
  SeededRng rng(9);
  const auto wander = [&](double value, std::uint64_t by) {
    return std::max(0.0,
                    value + static_cast<double>(below(rng, 2 * by + 1)) - static_cast<double>(by));
  };
  Sample sample = any_sample(rng, first_minute);
  sample.status = "idle";
  sample.vitals = {86'400, 15, 8000, 16'384, 150'000, 0.5, 25};
  std::string day;
  for (int i = 0; i < 288; ++i) {
    append_sample(day, sample, false);
    sample.minute += 5;
    sample.vitals.uptime_seconds += 300;
    sample.vitals.cpu_percent = static_cast<double>(below(rng, 400)) / 10;
    sample.vitals.memory_mb = wander(sample.vitals.memory_mb, 200);
    sample.vitals.disk_free_mb = wander(sample.vitals.disk_free_mb, 20);
    sample.vitals.process_cpu_percent = static_cast<double>(below(rng, 20)) / 10;
    sample.vitals.process_memory_mb = wander(sample.vitals.process_memory_mb, 1);
  }
  RecordProperty("bytes", static_cast<int>(day.size()));
  EXPECT_LT(day.size(), 2560U) << "what docs/reference/health.md says";
  EXPECT_GT(day.size(), 1500U) << "or the figure is too good to be true";
}

}  // namespace
}  // namespace muster::model
