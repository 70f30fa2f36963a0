// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/package.h"

namespace muster::feeds {

struct OsvEcosystem {
  model::Ecosystem ecosystem = model::Ecosystem::unknown;
  std::string distro;  // canonical, "debian:12"; empty outside distributions
  /// What it says is fixed is for hosts with a subscription: for others the flaw is open.
  bool subscription = false;
  friend bool operator==(const OsvEcosystem&, const OsvEcosystem&) = default;
};

/// Reads an ecosystem with its suffix: "PyPI", "Debian:12", "Ubuntu:22.04:LTS", "Alpine:v3.18",
/// "AlmaLinux:9", "Rocky Linux:8", "Red Hat:enterprise_linux:9::appstream", "SUSE:Linux Enterprise
/// Server 15 SP5" and its modules ("SUSE:Linux Enterprise Module for Basesystem 15 SP5"),
/// "openSUSE:Leap 15.5", "openSUSE:Tumbleweed", "Wolfi". Nothing for one that no package here has,
/// for a distribution without its release (its fix is one release's and no other's), and for
/// support that a subscription extends (Red Hat's EUS, SUSE's LTSS and the like), whose builds are
/// of another line than the release's. Ubuntu's ("Ubuntu:Pro:18.04:LTS") continue the release's.
std::optional<OsvEcosystem> read_osv_ecosystem(std::string_view text);

}  // namespace muster::feeds
