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
#include "fleet/presence.h"
#include "model/agent.h"
#include "model/agent_condition.h"
#include "model/lineage.h"

namespace muster::store {
class Tx;
}

namespace muster::fleet {

/// A device heartbeat as decoded. Views are valid while the request is.
struct Heartbeat {
  std::string_view status;
  std::optional<Uuid> current_task;
  std::optional<Uuid> last_task_completed;
  model::Vitals vitals;
  std::string_view agent_version;     // empty: not sent
  std::string_view reconnect_reason;  // empty: not sent
  std::string_view process_start_time;
  std::string reconnect_context;      // JSON object as sent; empty if none
  std::string_view first_failure_at;  // a member of it
  std::string_view hostname;          // empty: not sent
  /// Other agents than muster-agent say nothing of it.
  std::optional<model::AgentCondition> condition;
  std::string_view timestamp;  // when the body was written, by the agent's clock
  Instant sent_at;             // when the call was sent, by the same clock
};

/// Why a heartbeat must be durable before its 200; empty means that memory is enough.
struct HeartbeatChange {
  bool came_online = false;  // its first beat, was silent past the threshold, or says why
  bool was_silent = false;   // past the threshold
  Instant last_heard;        // before this beat
  std::optional<std::string> former_version;
  std::optional<TaskId> started_task;    // named for the first time
  std::optional<TaskId> completed_task;  // named for the first time
  bool condition_changed = false;        // it says something else of itself
  /// Of the machine's boot time, which memory follows in any case: see CloneWatch.
  model::BootMove boot_move = model::BootMove::none;
  std::uint32_t boot = 0;  // when the machine booted by this heartbeat; 0 cannot be told

  bool empty() const {
    return !came_online && !former_version && !started_task && !completed_task &&
           !condition_changed;
  }
};

/// Takes a heartbeat into presence. If it changes nothing that must be durable, that is all there
/// is to do and the result is empty; otherwise presence is left as it was and the caller passes the
/// result to record_heartbeat_change() in a transaction. Fails with invalid_credentials for an
/// agent that was superseded after it had proved its key.
Result<HeartbeatChange> record_heartbeat(PresenceTable& presence, const Config& config,
                                         AgentId agent, const Heartbeat& heartbeat, Instant now);

/// For how many seconds an agent is to leave its next heartbeat and poll to a server that is
/// strained (docs/adr/0034). Always the same for one agent, spread evenly over all, and so short
/// that one that comes a tenth later, and tries again for a while, does not count as offline.
std::int64_t seconds_to_leave(const Config& config, AgentId agent);

/// A heartbeat that outlives its request.
struct OwnedHeartbeat {
  explicit OwnedHeartbeat(const Heartbeat& from);
  Heartbeat view() const;

 private:
  Heartbeat heartbeat_;
  std::string status_, agent_version_, reconnect_reason_, process_start_time_, first_failure_at_;
};

/// Writes presence, events and the tasks that the heartbeat named; memory follows on commit. What
/// another copy of the heartbeat wrote already is not written again: an agent repeats its reason
/// until it has an answer, and the wire may repeat it too.
void record_heartbeat_change(store::Tx& tx, NumberIds& ids, PresenceTable& presence,
                             const Config& config, OrgId org, AgentId agent, HostId host,
                             const OwnedHeartbeat& heartbeat, const HeartbeatChange& change,
                             Instant now);

}  // namespace muster::fleet
