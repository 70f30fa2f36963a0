// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "fleet/host_search.h"
#include "model/advisory.h"
#include "store/total.h"

namespace muster::store {
class Store;
}

namespace muster::fleet {

/// By the flaw, by the name of the package, or by the host.
enum class GroupBy : std::uint8_t { cve, package, host };

struct GroupQuery {
  GroupBy by = GroupBy::cve;
  std::optional<OrgId> org;
  bool known_exploited = false;
  model::Severity severity_min = model::Severity::unknown;  // those known exploited stay in
  std::int32_t epss_min = 0;                                // in EpssScore::whole; the same
  bool include_unknown = false;     // also those whose severity or, with epss_min, score is unknown
  std::optional<MeantHosts> among;  // only of those hosts
  std::size_t count = 0;
};
struct FindingGroup {
  std::string key;                 // CVE or advisory, package, hostname
  std::optional<std::string> cve;  // by flaw, where it is one
  std::optional<HostId> host;      // by host
  bool known_exploited = false;
  model::Severity severity = model::Severity::unknown;
  std::int64_t findings = 0;
  std::int64_t hosts = 0;
  std::vector<std::string> packages;  // limits::group_packages names of them
};
struct FindingGroups {
  std::vector<FindingGroup> groups;  // the most pressing: exploited, severity, hosts
  std::size_t groups_in_all = 0;
  bool whole = true;               // all findings were counted, and not only the most pressing
  store::Total unknown_not_shown;  // findings: as FindingPage
};
/// What to fix first. Counts open findings in the order of what presses most, at most
/// limits::grouped_findings of them before `among` and `epss_min`, so that it costs the same
/// however many there are.
FindingGroups group_findings(store::Store& store, const GroupQuery& query);

}  // namespace muster::fleet
