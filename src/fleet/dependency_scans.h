// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/catalogue.h"
#include "fleet/inventory.h"
#include "fleet/package_list.h"

namespace muster::store {
class Tx;
}

/// Projects on a host, by the lock files of their package managers. They are no installed software
/// and make no findings of the host: each file is kept beside its software with what is known of
/// its packages at the time of the scan, and the caller is told which of them are vulnerable.
namespace muster::fleet {

struct DependencyScan {
  struct File {
    std::string path;  // of the project, and the file's name
    PackageList packages;
    std::vector<bool> direct;  // of each package
  };

  OrgId org;
  std::optional<HostId> host;  // an enrolled agent's own; else by machine id or hostname
  std::string hostname;
  std::string machine_id;
  std::vector<File> files;  // each path once
  bool complete = false;    // files that it does not name are gone
};

struct DependencyScanOutcome {
  struct Vulnerable {
    model::Package package;
    bool direct = false;
    std::vector<Verdict::Hit> hits;
  };

  HostId host;
  std::int64_t files = 0;
  std::int64_t packages = 0;  // distinct, over all files
  std::int64_t direct = 0;    // of those
  std::int64_t vulnerabilities = 0;
  std::vector<Vulnerable> vulnerable;  // in the order in which they were first named
};

/// Stores the files of a scan. A host that nobody reported before is registered: scanners in build
/// pipelines report projects alone. Beyond limits::host_lockfiles those scanned longest ago go.
/// Fails with hostname_conflict, and with missing_field for an unknown host without a name.
Result<DependencyScanOutcome> record_dependency_scan(store::Tx& tx, const Inventory& inventory,
                                                     const DependencyScan& scan, Instant now);

}  // namespace muster::fleet
