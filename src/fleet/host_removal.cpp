// SPDX-License-Identifier: Apache-2.0
#include "fleet/host_removal.h"

#include "fleet/agent_keys.h"
#include "fleet/announcements.h"
#include "fleet/held_reports.h"
#include "fleet/second_sources.h"
#include "fleet/set_hashes.h"
#include "store/sql/agents.h"
#include "store/sql/inventory.h"
#include "store/sql/reports.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

/// Every set of packages that counts the host as one of its own.
void release_sets(store::Tx& tx, model::Host& host) {
  end_hold(tx, host);
  forget_second_sources(tx, host);
  for (const store::HostLockfile& file : store::list_host_lockfiles(tx, host.org, host.id)) {
    store::delete_host_lockfile(tx, host.org, host.id, file.path);
    store::release_package_set(tx, host.org, file.package_set);
  }
  if (host.package_set) store::release_package_set(tx, host.org, *host.package_set);
}

}  // namespace

Result<void> delete_host(store::Tx& tx, const Inventory& inventory, Credentials& credentials,
                         const Actor& actor, OrgId org, HostId id, Instant now) {
  auto host = store::find_host(tx, org, id);
  if (!host) return Error{Errc::not_found, "There is no such host."};
  const auto agents = store::list_agents_of_host(tx, org, id);
  if (any_is_live(agents)) {
    return Error{Errc::illegal_transition,
                 "An agent of the host is live. Decommission the agent first."};
  }
  for (const model::Agent& agent : agents) {
    // It may come back, to a host that is no more.
    if (agent.status != model::AgentStatus::superseded) continue;
    TRY(decommission_agent(tx, inventory.ids, credentials, inventory.presence, actor, org, agent.id,
                           now));
  }
  release_sets(tx, *host);
  inventory.settings.forget_host(tx, org, id);
  store::delete_host(tx, org, id);
  const auto name = [&](JsonWriter& details) { details.member("hostname", host->hostname); };
  record_audit(tx, inventory.ids, org, actor, "hosts.delete", std::to_string(id.value), name, now);
  record_event(tx, inventory.ids, org, model::EventType::host_deleted, std::nullopt, id, name, now);
  announce_host(tx, org, id);
  tx.on_commit([&directory = inventory.directory, &marks = inventory.marks,
                &presence = inventory.presence, id] {
    directory.erase(id);
    marks.erase(id);
    presence.remove_host(id);
  });
  return {};
}

}  // namespace muster::fleet
