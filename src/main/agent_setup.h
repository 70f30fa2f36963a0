// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

#include "agent/files.h"
#include "base/result.h"

namespace muster {

/// packaging/muster-agent.service, packaging/muster-agent.sysusers and packaging/agent.toml.
extern const std::string_view agent_unit;
extern const std::string_view agent_users;
extern const std::string_view agent_config;

/// Where the parts of an installation are, below `root` ("/", or a folder that becomes one).
struct AgentPlaces {
  explicit AgentPlaces(const std::filesystem::path& root);
  std::filesystem::path program;
  std::filesystem::path unit;
  std::filesystem::path users;  // sysusers.d(5)
  std::filesystem::path config;
  std::filesystem::path state;
};

/// Puts `program`, the unit, the commands' user, the configuration (unless there is one) and the
/// state directory in their places, each file as one step, and has systemd, if it runs, start the
/// agent now and with every boot. Can be repeated: it then brings a newer program. Fails with
/// invalid_field where that is not allowed.
Result<void> install_agent(const std::filesystem::path& program, const std::filesystem::path& root);

/// Stops the agent and takes away what install_agent() brought; with `purge` also the configuration
/// and the state, so that the host is unknown afterwards. What Debian's package brought goes by
/// dpkg(1); fails with unavailable when that does not do it.
Result<void> uninstall_agent(const std::filesystem::path& root, bool purge);

/// What an uninstall task asked for, from within the agent whose state is in `state`. Its identity
/// goes at once, so that no service manager starts it again; with `purge` all of its state. If
/// `program` is the installed one and this is root, it is uninstalled too: by systemd, outside the
/// fence that the unit puts around the agent, or without systemd right here. Throws
/// std::system_error.
void leave_host(agent::DiskFiles& state, const std::filesystem::path& program, bool purge);

}  // namespace muster
