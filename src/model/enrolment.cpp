// SPDX-License-Identifier: Apache-2.0
#include "model/enrolment.h"

#include <algorithm>

#include "base/text.h"

namespace muster::model {

std::optional<HostId> place(const std::vector<KnownHost>& known) {
  const bool machine_known =
      std::any_of(known.begin(), known.end(), [](const auto& host) { return host.same_machine; });
  const bool machine_shared = std::any_of(known.begin(), known.end(), [](const auto& host) {
    return host.same_machine && host.machine_shared;
  });
  const KnownHost* best = nullptr;
  for (const KnownHost& host : known) {
    const bool strong = host.same_machine && !machine_shared;
    const bool weak =
        host.same_name && host.silent && !host.other_machine && host.same_machine == machine_known;
    if (!strong && !weak) continue;
    if (best == nullptr || host.last_seen > best->last_seen) best = &host;
  }
  if (best == nullptr) return std::nullopt;
  return best->id;
}

bool repeats(const Enrolment& enrolment, const Agent& agent, std::string_view hostname) {
  return agent.status == AgentStatus::active && may_repeat(agent.keys) &&
         agent.token == enrolment.token && agent.os == enrolment.os &&
         agent.arch == enrolment.arch && agent.machine_id == enrolment.machine_id &&
         equal_folded(hostname, enrolment.hostname);
}

Supersession supersession_of(const Agent& other, const Agent& caller) {
  // Only a later enrolment ends an earlier one, whatever order their calls arrive in.
  if (is_ended(other.status) || other.id.uuid >= caller.id.uuid) return Supersession::none;
  return other.status == AgentStatus::disabled ? Supersession::for_good
                                               : Supersession::until_it_calls;
}

bool may_return(const Agent& agent) {
  return agent.status == AgentStatus::superseded && agent.superseded_at.has_value();
}

bool shows_shared_machine(const Agent& returning, const Host& left) {
  return !returning.machine_id.empty() && returning.machine_id == left.machine_id;
}

}  // namespace muster::model
