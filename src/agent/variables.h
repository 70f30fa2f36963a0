// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/json_read.h"
#include "base/result.h"

namespace muster::agent {

/// The environment of a task, beside the agent's own variables. Secrets may be among them: they are
/// on no disk and in no log.
using Variables = std::vector<std::pair<std::string, std::string>>;

/// `env_vars` of a task's payload. Fails with invalid_field, naming the variable but no value, for
/// more or larger ones than the server takes, for text that no environment holds, and for names
/// that no task may set (model/task_environment.h): the server refuses them, but this host need not
/// rely on it.
Result<Variables> read_variables(const Json& payload);

}  // namespace muster::agent
