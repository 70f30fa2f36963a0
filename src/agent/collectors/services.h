// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "agent/bystanders.h"
#include "model/runtime.h"

namespace muster::agent {

/// Reads what `systemctl list-units --plain --no-legend` prints: a unit a line, with its LOAD,
/// ACTIVE and SUB states. Those that are up ("running", "exited") or failed count. Left out are
/// those on their way, of users' sessions, and made for one connection: they come and go.
std::vector<model::ServiceState> parse_units(std::string_view text);

/// The services of systemd on this host. An empty optional when it cannot be asked; see
/// has_systemd().
std::optional<std::vector<model::ServiceState>> list_services(Bystanders& bystanders,
                                                              const std::atomic<bool>& stop);

/// Whether systemd is what started the system below `root` (sd_booted(3)).
bool has_systemd(const std::filesystem::path& root);

}  // namespace muster::agent
