// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "model/agent.h"

namespace muster::model {

/// A host as an enrolling machine is compared with it. Only hosts with its machine id or its
/// hostname are compared.
struct KnownHost {
  HostId id;
  bool same_machine = false;    // both machine ids are known, and equal
  bool other_machine = false;   // both are known, and differ
  bool same_name = false;       // hostnames, folded
  bool machine_shared = false;  // the id has been seen on two machines at once
  bool silent = false;          // past the offline threshold
  Instant last_seen;
};

/// The host that an enrolling machine joins; none: it gets a host of its own. The same machine id
/// is the same host. Weak evidence, which is an id that several machines share or a hostname alone,
/// joins only a silent host, of that name; of several the one seen last.
std::optional<HostId> place(const std::vector<KnownHost>& known);

/// Who enrols, and with what.
struct Enrolment {
  TokenId token;
  std::string_view hostname;
  std::string_view os;
  std::string_view arch;
  std::string_view machine_id;  // may be empty
};

/// Whether an enrolment with a token that is used up repeats the one of `agent`, whose host is
/// called `hostname`: the answer to that one was lost, as far as anybody can tell. It has to be of
/// the same token and machine, and no key of the agent may have been used: then it is given another
/// key of the same agent, and no use of the token (docs/reference/keys.md).
bool repeats(const Enrolment& enrolment, const Agent& agent, std::string_view hostname);

/// What the first call of a newly enrolled agent does with another agent of its host.
enum class Supersession : std::uint8_t {
  none,            // it enrolled later, or has ended before
  until_it_calls,  // it was the same machine, as far as we know; its later call tells otherwise
  for_good,        // an operator disabled it: its key may be stolen
};
Supersession supersession_of(const Agent& other, const Agent& caller);

/// Whether the agent was superseded and its key still speaks for it: a use of it, return_pause()
/// later or more, shows that its machine lives beside the one that took its host (docs/adr/0012).
bool may_return(const Agent& agent);

/// How long after it was superseded an agent's key is refused like any other: a request that was
/// sent before and comes late carries a timestamp that either clock may have wrong by `skew`, so
/// one that passes afterwards was sent afterwards.
constexpr Duration return_pause(Duration skew) {
  return 2 * skew;
}

/// Whether an agent that returns beside `left`, its former host, shows that two machines have one
/// id: from then on it names neither.
bool shows_shared_machine(const Agent& returning, const Host& left);

}  // namespace muster::model
