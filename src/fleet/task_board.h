// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/seal.h"
#include "fleet/credentials.h"
#include "fleet/history.h"
#include "fleet/presence.h"
#include "model/event_type.h"
#include "model/task.h"
#include "store/sql/tasks.h"

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

/// Keeps presence's idea of what a poll may find in step with the store.
void recount_outstanding(store::Tx& tx, PresenceTable& presence, OrgId org,
                         const std::vector<store::AskedAgent>& agents);

/// Agents of which a transaction changed what a poll may find.
class ChangedAgents {
 public:
  void add(OrgId org, AgentId agent, bool effect_once = true) { agents_[org][agent] = effect_once; }
  /// As recount_outstanding(), once for each of them, and on every server.
  void follow(store::Tx& tx, PresenceTable& presence) const;

 private:
  std::map<OrgId, std::map<AgentId, bool>> agents_;  // to effect_once
};
/// For one of them.
void follow_outstanding(store::Tx& tx, PresenceTable& presence, OrgId org, AgentId agent,
                        bool effect_once = true);

/// Whether a poll could find the task: only then has presence to follow its changes.
bool is_outstanding(const model::Task& task);

/// Adds an event about the task: "task_failed" and the like.
void add_task_event(EventRows& rows, const model::Task& task, HostId host, model::EventType type,
                    Instant now);
/// Writes one.
void record_task_event(store::Tx& tx, NumberIds& ids, const model::Task& task, HostId host,
                       model::EventType type, Instant now);

Error unknown_task();

}  // namespace muster::fleet
