// SPDX-License-Identifier: Apache-2.0
#include "main/agent_user.h"

#include <unistd.h>

namespace muster {

std::optional<agent::CommandUser> user_of_commands(const agent::Settings& settings) {
  if (::geteuid() != 0) return std::nullopt;
  return agent::command_user(settings.executor_user, !settings.has("executor.user"));
}

std::optional<std::string> user_name(const std::optional<agent::CommandUser>& user) {
  return user ? std::optional(user->name) : std::nullopt;
}

void log_user_of_commands(Log& log, const std::optional<agent::CommandUser>& user) {
  if (!user) return;
  const auto account = agent::find_account(user->name);
  if (!account.ok()) {
    log.write(LogLevel::warning, "no_user_for_commands",
              [&](JsonWriter& json) { json.member("why", account.error().message); });
  } else if (user->shared) {
    log.write(LogLevel::warning, "commands_share_a_user", [&](JsonWriter& json) {
      json.member("user", user->name)
          .member("missing", agent::Settings{}.executor_user)
          .member("remedy", "muster-agent install, or the package, makes it");
    });
  }
}

std::string user_text(const agent::Settings& settings) {
  const auto user = user_of_commands(settings);
  if (!user) return "the agent itself, which is not root";
  const std::string& name = user->name;
  return user->shared ? name + " (there is no " + agent::Settings{}.executor_user + ")" : name;
}

}  // namespace muster
