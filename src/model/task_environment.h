// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace muster::model {

/// Names of environment variables as a shell takes them: letters, digits and underscores, no digit
/// first, within limits::env_var_name_bytes.
bool is_variable_name(std::string_view name);

/// Whether no task may set the variable, in any case of letters: it would change which programs a
/// command runs, or what they load, without showing in the command; or it is the agent's own. Who
/// approves a task sees names only (approval.h), and whoever needs it can set it in the command.
bool is_reserved_variable(std::string_view name);

}  // namespace muster::model
