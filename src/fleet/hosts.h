// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/catalogue.h"
#include "fleet/coverage.h"
#include "fleet/history.h"
#include "fleet/host_directory.h"
#include "fleet/presence.h"
#include "model/agent.h"
#include "model/health.h"
#include "model/key_age.h"
#include "model/package.h"
#include "model/release.h"
#include "store/sql/agent_conditions.h"
#include "store/sql/agents.h"
#include "store/sql/clones.h"
#include "store/sql/findings.h"
#include "store/sql/reports.h"
#include "store/sql/runtimes.h"
#include "store/total.h"
#include "vuln/origin.h"

namespace muster::model {
struct HostQuery;
}
namespace muster::store {
class Reader;
class Store;
}  // namespace muster::store

namespace muster::fleet {

/// When the host was last heard of, by whichever of its agents and reports was latest.
Instant host_last_seen(store::Reader& reader, const PresenceTable& presence,
                       const model::Host& host);

/// Fails with hostname_conflict when hostnames are unique over all organisations and another one
/// has a host of that name that was heard of in the last [hosts] conflict_silent_days.
Result<void> check_hostname_is_free(store::Reader& reader, const PresenceTable& presence,
                                    const Config& config, OrgId org, std::string_view hostname,
                                    Instant now);

/// A package of a host with the CPE that it is known by, reported or from the alias table, and why
/// its verdict is what it is.
struct HostPackageView {
  model::Package package;
  std::string cpe;
  vuln::Origin origin = vuln::Origin::elsewhere;
  vuln::Reason reason = vuln::Reason::no_identity;
};

/// A host as operators see it.
struct HostView {
  model::Host host;
  Instant last_seen;
  model::Presence presence = model::Presence::unknown;
  store::HostFindings findings;
  model::OsSupport os_support;
  Coverage coverage;
  std::vector<model::Agent> agents;              // live ones, in the order of their enrolment
  std::vector<HostPackageView> software;         // only from show_host, by name
  std::vector<store::ListedSource> sources;      // only from show_host: beside its agent
  std::vector<store::HostLockfile> lockfiles;    // only from show_host: of projects on it
  std::optional<store::HostRuntimeRow> runtime;  // only from show_host, if its agent tells
};

/// Pages in the order of ids. Fail with invalid_field for a cursor that is none.
struct HostPage {
  std::vector<HostView> hosts;
  std::string next_cursor;
  store::Total total;
};
Result<HostPage> list_host_page(store::Store& store, const PresenceTable& presence,
                                const Config& config, const store::HostFilter& filter,
                                std::string_view cursor, int count, Instant now);
/// Those that a query means. A page may be short, or empty, and have a next one: it looks at
/// limits::searched_hosts hosts at most, and so does its total, which is at least that beyond them.
Result<HostPage> list_matching_hosts(store::Store& store, const PresenceTable& presence,
                                     const Config& config, const model::HostQuery& query,
                                     std::optional<OrgId> org, std::string_view cursor, int count,
                                     Instant now);

/// By id or hostname (the one seen last, when several organisations have it). Fails with not_found.
/// The CPE of each package is the one that it is matched by.
Result<HostView> show_host(store::Store& store, const PresenceTable& presence, const Config& config,
                           const Catalogue& catalogue, std::string_view id_or_hostname,
                           Instant now);
struct HostRef {
  OrgId org;
  HostId id;
};
/// As show_host() finds it; with `among`, of those organisations alone. Fails with not_found.
Result<HostRef> resolve_host_ref(store::Store& store, std::string_view id_or_hostname,
                                 const std::vector<OrgId>* among = nullptr);

/// An agent as operators see it.
struct AgentView {
  model::Agent agent;
  std::string hostname;
  std::vector<std::string> tags;           // that its host reports
  std::vector<std::string> operator_tags;  // that operators put on its host
  AgentPresence state;
  model::Presence presence = model::Presence::unknown;
  model::KeyState key_state = model::KeyState::unused;
  std::optional<Duration> key_age;  // of the key in use
  model::UpdateState update = model::UpdateState::nothing_offered;
  std::optional<std::string> offered_version;  // of the release that its platform is offered
  std::optional<store::CloneRow> clone;        // from show_agent: two machines use its key
  std::optional<model::Record> week;           // from show_agent, once it has called: of its health
  std::optional<store::AgentConditionRow> condition;  // from show_agent: what it says of itself
};
/// Which agents to list.
struct AgentQuery {
  store::AgentFilter filter;
  std::optional<model::Presence> presence;
  std::optional<bool> flapping;
  std::optional<Duration> silent_for;  // not heard of for at least that long
};
struct AgentPage {
  std::vector<AgentView> agents;
  std::string next_cursor;
  store::Total total;
};
/// Newest first. What only memory knows (presence, silence) is asked of it row by row: such a page
/// looks at limits::counted_rows rows at most and may then be short, or empty, with a next_cursor;
/// its total is of the first so many rows, and at least that beyond them. Fails with invalid_field
/// for a cursor that is none.
Result<AgentPage> list_agent_page(store::Store& store, const PresenceTable& presence,
                                  const Config& config, const AgentQuery& query,
                                  std::string_view cursor, int count, Instant now);

/// Changes the operators' tags of an agent's host, which outlive the agent; those that the host
/// reports stay apart. Returns what it has then. Fails with not_found, and with invalid_field
/// beyond limits::tags.
Result<std::vector<std::string>> change_operator_tags(store::Tx& tx, NumberIds& ids,
                                                      HostDirectory& directory, const Actor& actor,
                                                      OrgId org, AgentId agent,
                                                      const std::vector<std::string>& add,
                                                      const std::vector<std::string>& remove,
                                                      Instant now);
/// Fails with not_found.
Result<AgentView> show_agent(store::Store& store, const PresenceTable& presence,
                             const Config& config, AgentId id, Instant now);

}  // namespace muster::fleet
