// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "agent/bounds.h"
#include "agent/core_parts.h"

namespace muster::agent::core {

namespace {

Fetching& fetching_of(Step& step, Purpose purpose) {
  State& state = step.state;
  return purpose == Purpose::update ? *state.fetching : *state.fetching_test;
}

void inspect_part(Step& step, Purpose purpose) {
  step.state.busy = purpose;
  step.actions.push_back(Inspect{fetching_of(step, purpose).part()});
}

void go_on_now(Step& step, Purpose purpose) {
  step.lane(purpose) = {};
  step.lane(purpose).due = step.now.steady;
}

void give_up(Step& step, Purpose purpose, const std::string& why) {
  purpose == Purpose::update ? update_not_fetched(step, why) : test_not_fetched(step, why);
}

/// All octets are there: are they those that were named?
void take_whole(Step& step, Purpose purpose, const FileFacts& facts) {
  Fetching& fetching = fetching_of(step, purpose);
  if (facts.sha256 == fetching.sha256) {
    step.actions.push_back(Publish{fetching.part(), fetching.file});
    return purpose == Purpose::update ? update_fetched(step) : test_fetched(step);
  }
  step.actions.push_back(Forget{fetching.part()});
  if (fetching.started_over) return give_up(step, purpose, "its digest is not the one named");
  // A power cut may have left anything in the tail of what came before it.
  fetching.started_over = true;
  fetching.offset = 0;
  go_on_now(step, purpose);
}

}  // namespace

void begin_fetching(Step& step, Purpose purpose) {
  Fetching& fetching = fetching_of(step, purpose);
  fetching.progress_at = step.now.steady;
  fetching.piece = step.state.piece_bytes;
  inspect_part(step, purpose);
}

void piece_lost(Step& step, Purpose purpose) {
  const State& state = step.state;
  const bool fetches = purpose == Purpose::fetch || (purpose == Purpose::update && state.fetching);
  if (!fetches) return;
  // On a slow line a piece may not come within the time of a call; half of one may.
  Fetching& fetching = fetching_of(step, purpose);
  fetching.piece = std::max(fetching.piece / 2, state.piece_bytes / bounds::fetch_piece_cuts);
}

void fetch_piece(Step& step, Purpose purpose) {
  const Fetching& fetching = fetching_of(step, purpose);
  if (step.now.steady - fetching.progress_at > bounds::fetch_stall) {
    step.state.busy.reset();
    return give_up(step, purpose, "nothing came for too long");
  }
  const std::int64_t last = std::min(fetching.offset + fetching.piece, fetching.size) - 1;
  send(step, purpose, http::Method::get, fetching.target, "",
       {{"Range", "bytes=" + std::to_string(fetching.offset) + "-" + std::to_string(last)}});
}

void take_piece(Step& step, Purpose purpose, const Answer& answer) {
  Fetching& fetching = fetching_of(step, purpose);
  if (!answer.success()) {
    if (answer.status == 404 || answer.status == 416) {
      return give_up(step, purpose, "the server does not have it");
    }
    return refused(step, purpose, answer);
  }
  const auto offset = offset_of_body(answer, fetching.size);
  if (!offset) return give_up(step, purpose, offset.error().message);
  // A server without ranges sends all of it (200); any other piece was not asked for.
  if (*offset != fetching.offset && answer.status != 200) {
    return give_up(step, purpose, "the server sends another piece than was asked for");
  }
  fetching.offset = *offset + static_cast<std::int64_t>(answer.body.size());
  fetching.progress_at = step.now.steady;
  step.state.busy = purpose;
  step.actions.push_back(Append{fetching.part(), *offset, answer.body});
}

void take_part(Step& step, const Inspected& inspected) {
  const Purpose purpose = *std::exchange(step.state.busy, std::nullopt);
  Fetching& fetching = fetching_of(step, purpose);
  const std::int64_t size = inspected.facts ? inspected.facts->size : 0;
  if (size == fetching.size) return take_whole(step, purpose, *inspected.facts);
  fetching.offset = size < fetching.size ? size : 0;
  go_on_now(step, purpose);
}

void take_appended(Step& step, const Appended& appended) {
  const Purpose purpose = *std::exchange(step.state.busy, std::nullopt);
  const Fetching& fetching = fetching_of(step, purpose);
  if (!appended.whole) {
    step.actions.push_back(Forget{fetching.part()});
    return give_up(step, purpose, "the disk is full, or cannot be written");
  }
  if (fetching.offset == fetching.size) return inspect_part(step, purpose);
  go_on_now(step, purpose);
}

}  // namespace muster::agent::core
