// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "agent/collectors/os.h"
#include "agent/identity.h"
#include "agent/transport.h"
#include "base/result.h"
#include "base/time.h"

namespace muster::agent {

/// POST /api/agent/enroll (device-endpoints.txt, plus `machine_id` as evidence of the machine).
Call make_enrolment(std::string_view token, const HostFacts& facts);

/// Reads the answer, in the seed's names (api_key, public_key) or the fielded ones (agent_key,
/// update_public_key). The identity keeps `server_url` as the operator gave it: that address works
/// from here, and an answer cannot send the agent elsewhere. Fails with the server's words;
/// rate_limited and overloaded may be tried again after retry_after_seconds.
Result<Identity> read_enrolment(const Answer& answer, std::string_view server_url);

/// How long this machine waits before it tries again, when it is asked for `retry_after_seconds`:
/// so long, and up to as much again by its own phase (agent/phase.h), since machines that are set
/// up together are all told the same second. Of 0 seconds it makes up to one.
Duration enrolment_wait(const HostFacts& facts, int retry_after_seconds, Instant now);

}  // namespace muster::agent
