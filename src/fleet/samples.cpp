// SPDX-License-Identifier: Apache-2.0
#include "fleet/samples.h"

#include <algorithm>

#include "base/limits.h"
#include "store/sql/agents.h"
#include "store/sql/samples.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

constexpr std::int64_t minute_ms = 60'000;

/// Appends what is later than all that is there: a crash may have left a segment both open and in
/// a block.
void append_later(std::vector<model::Sample>& samples, std::string_view segments,
                  std::int64_t since) {
  std::vector<model::Sample> found;
  (void)model::decode_samples(segments, found);  // of damaged rows, what can be read
  for (const model::Sample& sample : found) {
    if (sample.minute < since) continue;
    if (samples.empty() || samples.back().minute < sample.minute) samples.push_back(sample);
  }
}

}  // namespace

void take_sample(AgentId agent, AgentPresence& state, const Config& config) {
  const std::int64_t every = config.history_sample_seconds / 60;
  const std::int64_t minute = state.last_seen.unix_ms / minute_ms;
  if (minute - state.sampled_minute < every) return;
  const std::int64_t slot = minute / every + agent.uuid.bytes[14];
  const bool ends_segment = slot % static_cast<std::int64_t>(model::segment_samples) == 0;
  model::append_sample(state.samples, {minute, state.status, state.vitals}, ends_segment);
  if (state.samples.size() > limits::waiting_sample_bytes) {
    state.samples.erase(0, model::split_segments(state.samples).front().size());
  }
  state.sampled_minute = minute;
  state.dirty = true;
}

SampleHistory list_samples(store::Store& store, const PresenceTable& presence, OrgId org,
                           AgentId agent, Instant since) {
  // Memory before the store: what is flushed in between is in both.
  const auto state = presence.find_agent(agent);
  const std::int64_t first_minute = since.unix_ms / minute_ms;
  std::optional<store::AgentPresenceRow> open;
  SampleHistory history;
  store.read([&](store::Reader& reader) {
    open = store::find_agent_presence(reader, org, agent);
    for (const auto& row :
         store::list_sample_blocks(reader, org, model::sample_bucket(agent), first_minute)) {
      append_later(history.samples, model::segments_in_block(row.block, agent), first_minute);
    }
    return 0;
  });
  if (presence.takes_samples()) {
    if (state) append_later(history.samples, state->samples, first_minute);
  } else if (open) {
    append_later(history.samples, open->open_samples, first_minute);
  }
  auto& samples = history.samples;
  history.every = samples.size() / (limits::history_points + 1) + 1;
  if (history.every == 1) return history;
  std::size_t kept = 0;
  for (std::size_t i = (samples.size() - 1) % history.every; i < samples.size();
       i += history.every) {
    samples[kept++] = samples[i];
  }
  samples.resize(kept);
  return history;
}

std::int64_t prune_samples(store::Store& store, Duration keep, Instant now) {
  const std::int64_t before = (now - keep).unix_ms / minute_ms;
  std::int64_t deleted = 0;
  for (int round = 0; round < limits::prune_rounds; ++round) {
    const std::int64_t rows = store.write([&](store::Tx& tx) {
      return store::delete_old_sample_blocks(tx, before, limits::prune_rows);
    });
    deleted += rows;
    if (rows < limits::prune_rows) break;
  }
  return deleted;
}

}  // namespace muster::fleet
