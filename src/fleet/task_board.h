// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/seal.h"
#include "fleet/credentials.h"
#include "fleet/presence.h"
#include "model/event_type.h"
#include "model/task.h"

namespace muster::store {
class Tx;
}

namespace muster::fleet {

class Settings;

/// What every change of a task needs.
struct TaskBoard {
  NumberIds& ids;
  Rng& rng;
  const crypto::SecretKey& key;  // seals environment variables
  Credentials& credentials;
  PresenceTable& presence;
  const Settings& settings;  // which tasks need approval
};

/// Keeps presence's idea of what a poll may find in step with the store. `delivered`: the agent was
/// given a task just now.
void recount_outstanding(store::Tx& tx, PresenceTable& presence, OrgId org, AgentId agent,
                         bool effect_once, bool delivered);
/// As recount_outstanding(), on every server: the transaction changed it.
void follow_outstanding(store::Tx& tx, PresenceTable& presence, OrgId org, AgentId agent,
                        bool effect_once, bool delivered);

/// Whether a poll could find the task: only then has presence to follow its changes.
bool is_outstanding(const model::Task& task);

/// Writes an event about the task: "task_failed" and the like.
void record_task_event(store::Tx& tx, NumberIds& ids, const model::Task& task, HostId host,
                       model::EventType type, Instant now);

Error unknown_task();

}  // namespace muster::fleet
