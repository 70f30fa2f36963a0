// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/json_write.h"
#include "model/task_result.h"

namespace muster::endpoints {

/// The members of a result with what the program wrote, into an object that is open.
void write_result(JsonWriter& json, const model::TaskResult& result);

}  // namespace muster::endpoints
