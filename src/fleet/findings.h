// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "fleet/catalogue.h"
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
  bool include_unknown = false;                             // also those whose severity is unknown
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
  store::Total unknown_not_shown;  // only because severity_min cannot judge them
};
/// Known exploited first, then most severe, then newest. A severity that is asked for hides nothing
/// that is known exploited, and what it hides because its severity is unknown is counted. With
/// `among` one page, and the total, look at limits::searched_findings: then the page may be short,
/// with a next one, and the total is "at least". Fails with invalid_field for a cursor that is
/// none.
Result<FindingPage> list_finding_page(store::Store& store, const Catalogue& catalogue,
                                      const FindingQuery& query);
/// How many findings a list has over all its pages, of some hosts where there is `among`.
store::Total count_findings_among(store::Reader& reader, store::FindingFilter filter,
                                  const std::optional<MeantHosts>& among);
/// How many of unknown severity, not known to be exploited, the list leaves out because of
/// severity_min.
store::Total count_unknown_not_shown(store::Reader& reader, store::FindingFilter filter,
                                     const std::optional<MeantHosts>& among);
/// Fails with not_found.
Result<FindingView> show_finding(store::Store& store, const Catalogue& catalogue, FindingId id);

}  // namespace muster::fleet

namespace muster::limits {

/// Findings that one list looks at for some hosts' own: a few tenths of a second.
inline constexpr std::size_t searched_findings = 200'000;

}  // namespace muster::limits
