// SPDX-License-Identifier: Apache-2.0
#include "model/samples.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "base/varint.h"

namespace muster::model {

namespace {

constexpr std::array<std::string_view, 6> statuses = {"unknown",  "idle",  "executing",
                                                      "updating", "error", "offline"};
constexpr std::size_t head_bytes = 5;
constexpr std::size_t value_count = 7;
constexpr unsigned step_bit = 1U << value_count;
/// Of every value, so that differences fit: a petabyte of MiB, and minutes of any age.
constexpr std::int64_t value_max = std::int64_t{1} << 40;
constexpr std::int64_t minute_max = 0xFFFFFFFF;

/// A sample as it is coded.
struct Coded {
  std::int64_t minute = 0;
  std::int64_t step = 0;  // since the sample before
  std::array<std::int64_t, value_count> values{};
};

std::int64_t quantised(double value, double scale) {
  if (!(value >= 0)) return 0;
  return static_cast<std::int64_t>(
             std::min(std::round(value * scale), static_cast<double>(value_max - 1))) +
         1;
}

double restored(std::int64_t value, double scale) {
  return value == 0 ? -1 : static_cast<double>(value - 1) / scale;
}

Coded code_of(const Sample& sample) {
  const auto* const status = std::find(statuses.begin(), statuses.end(), sample.status);
  const Vitals& vitals = sample.vitals;
  Coded coded;
  coded.minute = std::clamp<std::int64_t>(sample.minute, 0, minute_max);
  // Uptime grows with every sample; the minute of the boot stays.
  const std::int64_t uptime = quantised(vitals.uptime_seconds, 1.0 / 60);
  const std::int64_t booted = uptime == 0 ? 0 : coded.minute - (uptime - 1) + 1;
  coded.values = {status == statuses.end() ? 0 : status - statuses.begin(),
                  std::max<std::int64_t>(booted, uptime == 0 ? 0 : 1),
                  quantised(vitals.cpu_percent, 10),
                  quantised(vitals.memory_mb, 1),
                  quantised(vitals.disk_free_mb, 1),
                  quantised(vitals.process_cpu_percent, 10),
                  quantised(vitals.process_memory_mb, 1)};
  return coded;
}

Sample sample_of(const Coded& coded) {
  const auto& values = coded.values;
  Sample sample;
  sample.minute = coded.minute;
  const auto status = static_cast<std::size_t>(values[0]);
  sample.status = statuses[status < statuses.size() ? status : 0];
  if (values[1] != 0) {
    sample.vitals.uptime_seconds =
        60 * static_cast<double>(std::max<std::int64_t>(coded.minute - (values[1] - 1), 0));
  }
  sample.vitals.cpu_percent = restored(values[2], 10);
  sample.vitals.memory_mb = restored(values[3], 1);
  sample.vitals.disk_free_mb = restored(values[4], 1);
  sample.vitals.process_cpu_percent = restored(values[5], 10);
  sample.vitals.process_memory_mb = restored(values[6], 1);
  return sample;
}

void put_difference(std::string& out, std::int64_t difference) {
  put_varint(out, static_cast<std::uint64_t>(difference) << 1 ^
                      static_cast<std::uint64_t>(difference >> 63));
}

/// Reads segments one by one; false once there is nothing whole left.
class SegmentReader {
 public:
  explicit SegmentReader(std::string_view bytes) : rest_(bytes) {}

  bool at_end() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

  /// Calls `each` for the samples of the next segment, also for those before a damage.
  template <typename F>
  bool read_segment(F&& each) {
    if (rest_.size() < head_bytes) return false;
    const auto count = static_cast<unsigned char>(rest_[0]);
    if (count == 0 || count > segment_samples) return false;
    Coded coded;
    for (int i = 4; i >= 1; --i) {
      coded.minute =
          coded.minute << 8 | static_cast<unsigned char>(rest_[static_cast<std::size_t>(i)]);
    }
    rest_.remove_prefix(head_bytes);
    for (unsigned i = 0; i < count; ++i) {
      if (!read_sample(coded, i == 0)) return false;
      each(coded);
    }
    return true;
  }

 private:
  bool read_sample(Coded& coded, bool first) {
    if (rest_.empty()) return false;
    const auto mask = static_cast<unsigned char>(rest_[0]);
    rest_.remove_prefix(1);
    for (std::size_t i = 0; i < value_count; ++i) {
      if ((mask >> i & 1U) != 0 && !add_difference(coded.values[i])) return false;
    }
    if ((mask & step_bit) != 0 && (first || !add_difference(coded.step))) return false;
    coded.minute += coded.step;
    return coded.minute <= minute_max;
  }

  bool add_difference(std::int64_t& value) {
    const auto bits = take_varint(rest_);
    if (!bits) return false;
    value += static_cast<std::int64_t>(*bits >> 1) ^ -static_cast<std::int64_t>(*bits & 1);
    return value >= 0 && value <= value_max;
  }

  std::string_view rest_;
};

/// Where the last segment begins, and its last sample; nothing if there is none.
struct Tail {
  std::size_t begin = 0;
  Coded last;
};
std::optional<Tail> tail_of(std::string_view segments) {
  std::optional<Tail> tail;
  SegmentReader reader(segments);
  while (!reader.at_end()) {
    Tail next;
    next.begin = segments.size() - reader.rest().size();
    if (!reader.read_segment([&](const Coded& coded) { next.last = coded; })) return std::nullopt;
    tail = next;
  }
  return tail;
}

std::string_view id_of(const AgentId& agent) {
  const auto& bytes = agent.uuid.bytes;
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

void append_sample(std::string& segments, const Sample& sample, bool fresh) {
  Coded coded = code_of(sample);
  const auto tail = tail_of(segments);
  if (!tail) segments.clear();  // damaged: what it held is lost already
  Coded before;
  const bool begins = fresh || !tail ||
                      static_cast<unsigned char>(segments[tail->begin]) >= segment_samples ||
                      coded.minute < tail->last.minute;
  if (begins) {
    segments += '\1';
    for (int i = 0; i < 4; ++i) segments += static_cast<char>(coded.minute >> 8 * i & 0xFF);
  } else {
    ++segments[tail->begin];
    before = tail->last;
    coded.step = coded.minute - before.minute;
  }
  const std::size_t mask_at = segments.size();
  segments += '\0';
  unsigned mask = 0;
  for (std::size_t i = 0; i < value_count; ++i) {
    if (coded.values[i] == before.values[i]) continue;
    mask |= 1U << i;
    put_difference(segments, coded.values[i] - before.values[i]);
  }
  if (!begins && coded.step != before.step) {
    mask |= step_bit;
    put_difference(segments, coded.step - before.step);
  }
  segments[mask_at] = static_cast<char>(mask);
}

bool decode_samples(std::string_view segments, std::vector<Sample>& out) {
  SegmentReader reader(segments);
  while (!reader.at_end()) {
    if (!reader.read_segment([&](const Coded& coded) { out.push_back(sample_of(coded)); })) {
      return false;
    }
  }
  return true;
}

std::vector<std::string_view> split_segments(std::string_view segments) {
  std::vector<std::string_view> found;
  SegmentReader reader(segments);
  while (!reader.at_end()) {
    const std::string_view from = reader.rest();
    if (!reader.read_segment([](const Coded&) {})) break;
    found.push_back(from.substr(0, from.size() - reader.rest().size()));
  }
  return found;
}

std::int64_t sample_bucket(AgentId agent) {
  return agent.uuid.bytes.back() % sample_buckets;
}

void put_in_block(std::string& block, AgentId agent, std::string_view segments) {
  block += id_of(agent);
  put_varint(block, segments.size());
  block += segments;
}

std::string segments_in_block(std::string_view block, AgentId agent) {
  std::string found;
  const std::string_view id = id_of(agent);
  while (block.size() > id.size()) {
    const bool wanted = block.starts_with(id);
    block.remove_prefix(id.size());
    const auto size = take_varint(block);
    if (!size || *size > block.size()) break;
    if (wanted) found += block.substr(0, *size);
    block.remove_prefix(*size);
  }
  return found;
}

}  // namespace muster::model
