// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/collectors/image_look.h"
#include "agent/collectors/os.h"
#include "agent/collectors/vitals.h"
#include "agent/journal.h"
#include "agent/software_set.h"
#include "agent/test_order.h"
#include "agent/variables.h"
#include "base/ids.h"
#include "base/json_read.h"
#include "base/result.h"
#include "base/time.h"
#include "model/runtime.h"
#include "model/work_order.h"

namespace muster::agent {

/// The bodies the agent sends and what it reads from answers: pure translation.

/// device-endpoints.txt, "Heartbeat".
struct Heartbeat {
  Instant at;
  std::optional<TaskId> current_task;
  std::string last_task;  // empty: none yet
  Vitals vitals;
  std::string_view version;           // of the agent
  std::string_view reconnect_reason;  // empty but on the first heartbeat after a gap
  Instant process_started_at;
  /// Of a network_recovery: what came before.
  struct Outage {
    Instant first_failure_at;
    Duration length{0};
    int failures = 0;
    std::string_view why;
  };
  std::optional<Outage> outage;
  std::string_view set_hash;        // of what the server acknowledged last; empty: in doubt
  std::string_view config_hash;     // of what the server set here that is in force; empty: nothing
  std::string_view update_version;  // of a newer build that failed here; empty: none
  std::string_view update_error;    // and why
  std::string_view config_error;    // why what it has now is not; empty: it is
};
std::string heartbeat_body(const Heartbeat& heartbeat, const HostFacts& facts);

struct HeartbeatAnswer {
  std::optional<Instant> server_time;
  std::string new_key;  // empty: no rotation
  bool force_full_scan = false;
  std::optional<std::string> config_hash;  // of what it sets here; empty: nothing
  /// Seconds for which it wants no heartbeat and no poll, as it says; none: it has time.
  std::optional<std::int64_t> next_in;
};
/// `data` of the answer. Unreadable members count as absent: a heartbeat that got through is one.
HeartbeatAnswer read_heartbeat(const Json& data);

/// A task as delivered: the members this agent knows.
struct Assignment {
  TaskId task;
  std::string type;
  std::string command;
  Variables variables;            // of either
  std::optional<TestOrder> test;  // of an execute_test without a defect
  Duration timeout{0};
  model::WorkOrder work;        // what the members of the task say: no id, no times
  std::string order;            // what was signed of it; empty: nothing
  std::string order_signature;  // in hexadecimal
  /// Why the task cannot be run as it came; empty if it can. It still has an id to refuse it by.
  std::string defect;
};
/// `data` of the answer to a poll; nothing when it is null or has no id. Fails when the id is none,
/// or the task is another agent's: such an answer is not acted upon at all.
Result<std::optional<Assignment>> read_assignment(const Json& data, AgentId self);

/// {"status": "executing"}, or {"status": "failed", "error": …}.
std::string status_body(std::string_view status, std::string_view error);

/// The result of a finished task, with at most `output_bytes` of each stream.
std::string result_body(const Record& record, const HostFacts& facts, std::size_t output_bytes);

/// Who reports.
struct Sender {
  AgentId agent;
  std::string_view version;
};

/// What runs on the host, in a report; an empty hash: nothing of it is said.
struct ReportedRuntime {
  std::string hash;
  const model::Runtime* told = nullptr;  // none: the server has it
};
/// Names what runs on a host.
std::string hash_of_runtime(const model::Runtime& runtime);

/// inventory-endpoints.txt, "Submit Inventory Report", with our `machine_id`, `os` as an object and
/// package members.
std::string full_report_body(const HostFacts& facts, const Sender& self,
                             const SoftwareSet& software, const ReportedRuntime& runtime = {});
/// "Submit Delta Report", with the hashes of the set before and after it.
std::string delta_report_body(const HostFacts& facts, const Sender& self,
                              const SoftwareChange& change, const model::SetHash& before,
                              const model::SetHash& after, const ReportedRuntime& runtime = {});

/// inventory-endpoints.txt, "Submit Container Scan Results", in the wrapper of the agents in the
/// field: every image by each of its names, and with the first of them what is reported of it.
std::string container_scan_body(const HostFacts& facts, const Sender& self,
                                const ImageSight& sight);

/// What a report was answered.
struct ReportAnswer {
  std::string set_hash;  // that the server has now; empty: it does not say
  bool force_full_scan = false;
  std::optional<std::string> runtime_hash;  // that the server has now; none: it takes no runtimes
};
ReportAnswer read_report(const Json& answer);

}  // namespace muster::agent
