// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "agent/transport.h"
#include "base/json_read.h"
#include "base/result.h"
#include "base/time.h"

namespace muster::agent {

/// `data` of {"success": true, "data": …}. Fails for anything else, since a proxy's or a captive
/// portal's 200 is no answer of the server. The value lives until this thread's next parse.
Result<Json> read_envelope(const Answer& answer);

/// An inventory answer: a flat object whose `status` is "accepted" or "success". As above.
Result<Json> read_flat(const Answer& answer);

/// Why the server refused, in either dialect.
struct Refusal {
  std::string code;     // "clock_skew"; empty if it does not say
  std::string message;  // in words, safe to print; "no reason given" if none
  std::optional<Instant> server_time;
};
/// Never fails: what cannot be read stays empty.
Refusal read_refusal(const Answer& answer);

/// Whether it was the server that refused: {"success": false, …}. A proxy's page has any status.
bool is_refusal_of_server(const Answer& answer);

}  // namespace muster::agent
