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

/// Which of dpkg's files a text is: its status file, or one of status.d, where images without dpkg
/// have the control file of each package (`dpkg-deb --field`), which has no state.
enum class DpkgFile { status, status_d };

/// Reads /var/lib/dpkg/status (deb-control(5) stanzas), or a file of status.d. A package counts
/// unless its state is "not-installed", "config-files" or "half-installed", whatever was wished for
/// it: held packages are on the disk and miss updates more often than others, and so are those
/// whose configuration failed or waits ("unpacked", "half-configured", "triggers-…"). One without a
/// state is there in status.d, and malformed elsewhere. Bad stanzas are skipped and counted; never
/// fails.
DpkgStatus parse_dpkg_status(std::string_view text, std::string_view distro, DpkgFile file);

}  // namespace muster::agent
