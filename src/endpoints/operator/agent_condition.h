// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/json_write.h"
#include "endpoints/app.h"
#include "fleet/hosts.h"

namespace muster::endpoints {

/// The members `config` and `failed_update` of an agent: what it says of itself. Each is null for
/// an agent that does not.
void write_condition(JsonWriter& json, const App& app, const fleet::AgentView& view);

}  // namespace muster::endpoints
