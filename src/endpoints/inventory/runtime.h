// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/json_read.h"
#include "base/result.h"
#include "fleet/runtimes.h"

namespace muster::endpoints {

/// What a report says of what runs on its host.
struct ReceivedRuntime {
  bool asked = false;                      // its sender wants to be told which hash is stored
  std::optional<fleet::ToldRuntime> told;  // none: as before
};

/// The members `runtime_hash` and `runtime` of a report. Fails with missing_field and invalid_field
/// naming the member: "runtime.listening[3].port".
Result<ReceivedRuntime> decode_runtime(const Json& body);

}  // namespace muster::endpoints
