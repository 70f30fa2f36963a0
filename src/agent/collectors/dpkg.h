// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "model/package.h"

namespace muster::agent {

/// What dpkg's status file says is on the host.
struct DpkgStatus {
  std::vector<model::Package> packages;  // in the order of the file
  std::size_t not_installed = 0;         // removed, half installed, configuration files only
  std::size_t malformed = 0;             // stanzas that name no package, or hold no usable text
  std::size_t beyond_limit = 0;          // installed, but after limits::software_items
};

/// Reads /var/lib/dpkg/status (deb-control(5) stanzas). A package counts when its state is
/// "installed", whatever was wished for it: held packages ("hold ok installed") are on the disk and
/// miss updates more often than others. Bad stanzas are skipped and counted; never fails.
DpkgStatus parse_dpkg_status(std::string_view text, std::string_view distro);

}  // namespace muster::agent
