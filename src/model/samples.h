// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
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

/// Samples in one segment; the count is one byte.
inline constexpr std::size_t segment_samples = 16;

/// Appends to the last segment of `segments`, or begins another behind it when `fresh` or when the
/// last is full. The segments must be whole, and the sample later than all in them.
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

/// The whole segments up to the first damage.
std::vector<std::string_view> split_segments(std::string_view segments);

/// Full segments of many agents are stored together, in as many rows a flush as there are buckets:
/// a page each time, whatever it takes of it, is what a row for each agent would cost.
inline constexpr std::int64_t sample_buckets = 128;
std::int64_t sample_bucket(AgentId agent);

/// Appends to a block: the agent's id (16 bytes), the size of the segments (a varint), and they.
void put_in_block(std::string& block, AgentId agent, std::string_view segments);
/// The segments of one agent, in their order; of a damaged block, what stands before the damage.
std::string segments_in_block(std::string_view block, AgentId agent);

}  // namespace muster::model
