// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "agent/executor/process.h"
#include "agent/settings.h"
#include "base/log.h"

namespace muster {

/// Whom commands run as; nothing where the agent is not root, and they are what it is.
std::optional<agent::CommandUser> user_of_commands(const agent::Settings& settings);

std::optional<std::string> user_name(const std::optional<agent::CommandUser>& user);
/// For `status`.
std::string user_text(const agent::Settings& settings);

/// Warns where commands cannot run, or share their user with daemons of the host.
void log_user_of_commands(Log& log, const std::optional<agent::CommandUser>& user);

}  // namespace muster
