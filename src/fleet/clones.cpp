// SPDX-License-Identifier: Apache-2.0
#include "fleet/clones.h"

#include "base/limits.h"
#include "fleet/announcements.h"
#include "fleet/credentials.h"
#include "fleet/history.h"
#include "store/sql/clones.h"
#include "store/store.h"

namespace muster::fleet {

std::optional<Clone> CloneWatch::note(AgentId agent, model::BootMove move, Sight sight,
                                      Instant now) {
  return suspects_.with([&](Suspects& suspects) -> std::optional<Clone> {
    auto found = suspects.find(agent);
    if (move == model::BootMove::later) {
      // Of itself that is a reboot.
      if (found != suspects.end()) found->second.machines.newer = std::move(sight);
      return std::nullopt;
    }
    if (move != model::BootMove::earlier) return std::nullopt;
    if (found == suspects.end()) {
      if (suspects.size() >= limits::clone_suspects) {
        std::erase_if(suspects, [&](const auto& entry) {
          return now - entry.second.turns.last > limits::clone_window;
        });
      }
      if (suspects.size() >= limits::clone_suspects) return std::nullopt;
      found = suspects.try_emplace(agent).first;
    }
    Suspect& suspect = found->second;
    suspect.machines.older = std::move(sight);
    if (!suspect.turns.take(now) || now - suspect.told < limits::clone_window) return std::nullopt;
    suspect.told = now;
    return suspect.machines;
  });
}

void CloneWatch::forget(AgentId agent) {
  suspects_.with([&](Suspects& suspects) { suspects.erase(agent); });
}

void record_clone(store::Tx& tx, NumberIds& ids, Credentials& credentials, OrgId org, AgentId agent,
                  HostId host, const Clone& clone, Instant now) {
  const auto known = store::find_clone(tx, org, agent);
  store::CloneRow row{org,
                      agent,
                      now,
                      now,
                      clone.older.hostname,
                      clone.older.address,
                      clone.newer.hostname,
                      clone.newer.address,
                      clone.older.boot,
                      clone.newer.boot};
  store::set_clone(tx, row);
  if (known) {
    if (!known->split_agent) return;
    row.split_agent = known->split_agent;
    announce_agent(tx, org, agent);
    tx.on_commit(
        [&credentials, row = std::move(row)] { credentials.splits.follow(row.agent, row); });
    return;
  }
  const auto write_machine = [](JsonWriter& details, std::string_view name, const Sight& sight) {
    details.key(name)
        .begin_object()
        .member("hostname", sight.hostname)
        .member("address", sight.address)
        .end_object();
  };
  record_event(
      tx, ids, org, model::EventType::clone_detected, agent, host,
      [&](JsonWriter& details) {
        write_machine(details, "older", clone.older);
        write_machine(details, "newer", clone.newer);
      },
      now);
}

std::int64_t forget_clones(store::Store& store, Instant now) {
  const Instant confirmed_before = now - limits::clone_memory;
  // An idle server does not write.
  const bool any = store.read(
      [&](store::Reader& reader) { return store::has_old_clones(reader, confirmed_before); });
  if (!any) return 0;
  return store.write([&](store::Tx& tx) { return store::delete_old_clones(tx, confirmed_before); });
}

}  // namespace muster::fleet
