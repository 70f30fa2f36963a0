// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "agent/collectors/os.h"
#include "agent/identity.h"
#include "agent/transport.h"
#include "base/result.h"

namespace muster::agent {

/// POST /api/agent/enroll (device-endpoints.txt, plus `machine_id` as evidence of the machine).
Call make_enrolment(std::string_view token, const HostFacts& facts);

/// Reads the answer, in the seed's names (api_key, public_key) or the fielded ones (agent_key,
/// update_public_key). The identity keeps `server_url` as the operator gave it: that address works
/// from here, and an answer cannot send the agent elsewhere. Fails with the server's words;
/// rate_limited and overloaded may be tried again after retry_after_seconds.
Result<Identity> read_enrolment(const Answer& answer, std::string_view server_url);

}  // namespace muster::agent
