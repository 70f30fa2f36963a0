// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "fleet/catalogue.h"
#include "fleet/finding_sieve.h"
#include "fleet/host_search.h"
#include "model/finding.h"
#include "store/sql/findings.h"
#include "store/total.h"

namespace muster::fleet {

struct FindingQuery {
  std::optional<HostId> host;
  std::optional<std::string> cve;
  std::optional<std::string> package;  // its name
  std::optional<OrgId> org;
  bool known_exploited = false;
  model::Severity severity_min = model::Severity::unknown;  // those known exploited stay in
  std::int32_t epss_min = 0;                                // in EpssScore::whole; the same
  bool include_unknown = false;  // also those whose severity or, with epss_min, score is unknown
  std::vector<model::FindingStatus> statuses = {model::FindingStatus::open};
  std::optional<MeantHosts> among;  // only of those hosts
  std::string cursor;
  int count = 0;
};
/// A finding with what is joined to it when it is read.
struct FindingView {
  store::FindingView stored;
  std::optional<model::KevEntry> kev;
};
struct FindingPage {
  std::vector<FindingView> findings;
  std::string next_cursor;
  store::Total total;
  store::Total unknown_not_shown;  // only because severity_min or epss_min cannot judge them
};
/// Known exploited first, then most severe, then newest. A severity or score that is asked for
/// hides nothing that is known exploited, and what it hides because its own is unknown is counted.
/// With `among` or `epss_min` one page, and each total, look at limits::searched_findings: then the
/// page may be short, with a next one, and the total is "at least". Fails with invalid_field for a
/// cursor that is none.
Result<FindingPage> list_finding_page(store::Store& store, const Catalogue& catalogue,
                                      const FindingQuery& query);
/// How many findings, not known to be exploited, a list leaves out over all its pages only because
/// their severity or score is unknown.
store::Total count_unknown_not_shown(store::Reader& reader, store::FindingFilter filter,
                                     FindingSieve& sieve);
/// Fails with not_found.
Result<FindingView> show_finding(store::Store& store, const Catalogue& catalogue, FindingId id);

}  // namespace muster::fleet

namespace muster::limits {

/// Findings that one list looks at for some hosts' own or those of a score: a few tenths of a
/// second.
inline constexpr std::size_t searched_findings = 200'000;

}  // namespace muster::limits
