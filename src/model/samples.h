// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/agent.h"

namespace muster::model {

/// What one look at an agent keeps: whole minutes, tenths of a percent, whole MiB.
struct Sample {
  std::int64_t minute = 0;  // when the agent was heard of, in minutes since the Unix epoch
  std::string_view status;  // idle, executing, updating, error, offline; all else is unknown
  Vitals vitals;            // but total_memory_mb

  Instant at() const { return {minute * 60'000}; }
};

/// Samples in one segment; the count is one byte. A full segment is appended to its day's row,
/// which is written anew: with half as many samples, a day of an agent would be written twice as
/// often.
inline constexpr std::size_t segment_samples = 32;

/// Appends to the last segment of `segments`, or begins another behind it when `fresh`, when the
/// last is full, or when it began a day before. The segments must be whole, and the sample later
/// than all in them.
///
/// A segment stands alone: its count (one byte), the minute of its first sample (four bytes, the
/// lowest first), then for each sample a mask byte that names what differs from the sample before
/// (from nothing, for the first), and for each of those the zigzag varint of the difference:
/// status, the minute it booted, CPU, memory, free disk, CPU and memory of the agent, and the step
/// since the sample before, which is usually the same as the last step. A value that was not sent
/// is 0, one that was is itself + 1.
void append_sample(std::string& segments, const Sample& sample, bool fresh);

/// Appends the samples of all `segments` to `out` in their order. False for bytes that are no whole
/// segments: `out` then has what came before the damage. No more samples than bytes.
bool decode_samples(std::string_view segments, std::vector<Sample>& out);

/// A segment among others: what day it belongs to, and its bytes.
struct Segment {
  std::int64_t minute = 0;  // of its first sample
  std::string_view bytes;

  std::int64_t day() const { return minute / (24 * 60); }
};
/// The whole segments up to the first damage.
std::vector<Segment> split_segments(std::string_view segments);

}  // namespace muster::model
