// SPDX-License-Identifier: Apache-2.0
#include "fleet/key_schedule.h"

#include "base/limits.h"
#include "fleet/agent_keys.h"
#include "model/key_age.h"
#include "store/store.h"

namespace muster::fleet {

std::vector<store::AgedKey> KeySchedule::find_due(Duration rotate_after, Instant now) {
  std::vector<store::AgedKey> due;
  due.reserve(limits::rotations_per_pass);
  const Instant used_since = now - model::rotation_earliest(rotate_after);
  store::AgedKey last;
  for (;;) {
    // Page by page, each with a connection of its own: others need them too.
    const auto page = store_.read([&](store::Reader& reader) {
      return store::list_aged_keys(reader, used_since, last, limits::rotation_page_rows);
    });
    for (const store::AgedKey& key : page) {
      if (now < model::rotation_due_at(key.agent, key.since, rotate_after)) continue;
      due.push_back(key);
      if (due.size() == limits::rotations_per_pass) return due;
    }
    if (page.size() < limits::rotation_page_rows) return due;
    last = page.back();
  }
}

std::size_t KeySchedule::rotate(Duration rotate_after, Instant now) {
  if (rotate_after == Duration(0)) return 0;
  const std::vector<store::AgedKey> due = find_due(rotate_after, now);
  if (due.empty()) return 0;
  return store_.write([&](store::Tx& tx) {
    std::size_t rotated = 0;
    for (const store::AgedKey& key : due) {
      if (rotate_aged_key(tx, ids_, credentials_, key.org, key.agent, rotate_after, now)) ++rotated;
    }
    return rotated;
  });
}

void KeySchedule::count(Instant now) {
  const store::KeyNumbers counted = store_.read([&](store::Reader& reader) {
    return store::get_key_numbers(reader, now - limits::rotation_overdue);
  });
  numbers_.with([&](store::KeyNumbers& numbers) { numbers = counted; });
}

store::KeyNumbers KeySchedule::numbers() const {
  return numbers_.with([](const store::KeyNumbers& numbers) { return numbers; });
}

}  // namespace muster::fleet
