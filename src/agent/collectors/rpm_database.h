// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <filesystem>
#include <string_view>

#include "agent/collectors/found.h"

namespace muster::agent {

/// Reads rpm's database in SQLite form (rpmdb.sqlite, rpm 4.16 and newer: Fedora 33, RHEL 9, SUSE's
/// newer ones). False when it cannot be read, and soon after `stop` became true. One that is
/// `in_use`, which another program may write at the moment, is read as of its last commit; any
/// other as it stands, with nothing written beside it. Older forms: agent/collectors/rpm_legacy.h.
bool read_rpm_database(const std::filesystem::path& file, std::string_view distro, bool in_use,
                       const std::atomic<bool>& stop, Found& found);

}  // namespace muster::agent
