// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/catalogue.h"
#include "fleet/host_directory.h"
#include "fleet/known_packages.h"
#include "fleet/package_list.h"
#include "fleet/presence.h"
#include "fleet/settings.h"
#include "model/agent.h"
#include "model/set_hash.h"

namespace muster::fleet {

class ReportMarks;

/// A software report as decoded.
struct InventoryReport {
  /// What a delta takes away: by name, and by vendor and version where given.
  struct Removal {
    std::string name;
    std::optional<std::string> version;
    std::optional<std::string> vendor;
  };

  /// An enrolled agent, which reports its own host.
  struct Reporter {
    AgentId id;
    HostId host;
  };

  OrgId org;
  std::optional<Reporter> agent;  // none: a site's, and the host found by machine id or hostname
  KeyId key;                      // of the site
  std::string hostname;
  std::string machine_id;
  std::string os_name;
  std::string os_version;
  std::string os_kernel;
  std::string distro;
  std::string ip_address;
  std::string agent_version;
  std::optional<std::vector<std::string>> tags;  // absent: keep those it has
  bool delta = false;
  PackageList packages;           // all of them, or what a delta adds
  std::vector<Removal> removals;  // delta only
  // The hashes of what its reporter told before, and with this (fleet/set_hashes.h); none: not
  // sent.
  std::optional<model::SetHash> base_set_hash;  // delta only
  std::optional<model::SetHash> set_hash;

  bool names_hashes() const { return base_set_hash || set_hash; }
};

struct ReportOutcome {
  HostId host;
  std::string hostname;
  bool host_created = false;
  std::int64_t processed = 0;        // items taken
  std::int64_t matched = 0;          // items with a package identity
  std::int64_t vulnerabilities = 0;  // open findings of this request's items
  std::int64_t created = 0;          // packages that the organisation did not know
  std::int64_t added = 0;            // packages that the host did not have
  std::int64_t removed = 0;          // packages that the host had
  std::int64_t updated = 0;          // pairs of one added and one removed of a name and vendor
  std::int64_t findings_resolved = 0;
  std::int64_t held = 0;       // packages that it does not name, kept until somebody approves
  bool second_source = false;  // an agent speaks for the host: its software is as it was
  /// What its reporter has told of now, as the server has it; none: it names no hashes.
  std::optional<model::SetHash> set_hash;
  bool refused = false;  // a delta of something else: nothing was applied, see send_all_of_it()
  bool differs = false;  // applied, and the hash that it names is not ours
};

/// What a report is stored with.
struct Inventory {
  const Config& config;
  NumberIds& ids;
  const Catalogue& catalogue;
  KnownPackages& packages;
  PresenceTable& presence;
  HostDirectory& directory;
  Settings& settings;
  ReportMarks& marks;
};

/// Stores a report: a full one replaces the host's software, a delta is laid over it, removals
/// first. Opens and resolves findings in the same transaction. Fails with unknown_host for a delta
/// over software that another reporter told of, or nobody (the caller then sends all of it), and
/// with hostname_conflict.
///
/// A delta that names what it is of is applied to that alone (fleet/set_hashes.h): else the outcome
/// is `refused`, the host is asked for a full report, and this is to be committed.
///
/// What a report would take from the host may wait for review, see fleet/held_reports.h.
///
/// Once an agent of a host has reported, the host takes its software from its agents alone: what a
/// site's key reports of it is kept as a second source (fleet/second_sources.h) and changes nothing
/// of the host; the counters are of what was sent all the same. Agents in the field that never
/// report software silence no site, and once no agent of the host is left, sites count.
Result<ReportOutcome> record_report(store::Tx& tx, const Inventory& inventory,
                                    const InventoryReport& report, Instant now);

/// A host that nobody enrolled, with its event. Fails with hostname_conflict.
Result<model::Host> register_host(store::Tx& tx, const Inventory& inventory, OrgId org,
                                  std::string_view hostname, std::string_view machine_id,
                                  Instant now);

}  // namespace muster::fleet
