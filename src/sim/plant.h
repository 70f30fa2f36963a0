// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/transport.h"
#include "http/response.h"

namespace muster::sim {

/// A fault that is planted on purpose, each against one claim: a checker that does not find its
/// fault proves nothing.
enum class Plant : std::uint8_t {
  none,
  syncs_lie,           // the disk says it synced and did not
  answers_early,       // results are answered before their commit
  journals_forgotten,  // our agent's disk drops its journal
  cancels_forged,      // an operator is told that a task was cancelled, and it was not
  approvals_skipped,   // what waits for a second person is given out all the same
  expiries_forgotten,  // what was to end soon may start an hour later
  orders_forged,       // an operator is told of tasks that never were
  work_left,           // a task that was over is in its agent's hands again
  changes_forged,      // an operator is told of a change that never was
  audit_cut,           // the newest row of the audit log vanishes
  enrolments_dropped,  // an enrolled agent's row vanishes
  keys_garbled,        // enrolment hands out a wrong key
  beats_forged,        // heartbeats and polls are answered without reaching the server
  presence_back,       // presence moves back
  memory_leads,        // memory learns of a host that is not stored
  findings_lost,       // a finding vanishes
  reports_forged,      // reports are answered and dropped
  work_hidden,         // presence forgets that tasks wait
  disks_garbled,       // the disk's files are damaged while the server is down
  outage_invented,     // an outage is told of an agent that was just heard
  outage_repeated,     // an outage is told twice
  downtime_told,       // a silence is told as soon as the server is up again
};

/// The answer that the planted fault gives in place of the server; nothing when it lets the call
/// through.
std::optional<http::Response> forge(Plant plant, const agent::Call& call);
/// Changes what the server answered.
void garble(Plant plant, const agent::Call& call, http::Response& response);

}  // namespace muster::sim
