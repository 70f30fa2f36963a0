// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

#include "agent/collectors/found.h"

namespace muster::agent {

/// Reads rpm's database in SQLite form (rpmdb.sqlite, rpm 4.16 and newer: Fedora 33, RHEL 9, SUSE's
/// newer ones). False when it cannot be read; a database that another program writes at the moment
/// is read as of its last commit. The older forms (Berkeley DB `Packages`, SUSE's `Packages.db`)
/// are not read.
bool read_rpm_database(const std::filesystem::path& file, std::string_view distro, Found& found);

}  // namespace muster::agent
