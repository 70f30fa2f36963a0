// SPDX-License-Identifier: Apache-2.0
// What is stored of an agent's vitals. Segments: whatever the bytes, no more samples than bytes
// come of them, and those that do are written and read again as the same. So are packed vitals.
#include <algorithm>

#include "base/check.h"
#include "model/samples.h"
#include "model/vitals.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace muster::model;
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  std::vector<Sample> samples;
  const bool whole = decode_samples(input, samples);
  CHECK(samples.size() <= size);
  std::size_t split = 0;
  for (const std::string_view segment : split_segments(input)) split += segment.size();
  CHECK(whole == (split == size));
  std::string segments;
  for (const Sample& sample : samples) append_sample(segments, sample, false);
  std::vector<Sample> again;
  CHECK(decode_samples(segments, again));
  CHECK(again.size() == samples.size());
  for (std::size_t i = 0; i < again.size(); ++i) {
    CHECK(again[i].minute == samples[i].minute);
    CHECK(again[i].status == samples[i].status);
    CHECK(again[i].vitals.cpu_percent == samples[i].vitals.cpu_percent);
    CHECK(again[i].vitals.uptime_seconds == samples[i].vitals.uptime_seconds);
  }
  if (size >= sizeof(muster::Uuid::bytes)) {
    muster::AgentId agent;
    std::copy_n(bytes, agent.uuid.bytes.size(), agent.uuid.bytes.begin());
    CHECK(segments_in_block(input, agent).size() <= size);
  }
  if (const auto vitals = unpack_vitals(input)) {
    const std::string packed = pack_vitals(*vitals);
    CHECK(pack_vitals(unpack_vitals(packed).value()) == packed);
  }
  return 0;
}
