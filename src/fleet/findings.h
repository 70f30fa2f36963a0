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
  model::Severity severity_min = model::Severity::unknown;
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
};
/// Known exploited first, then most severe, then newest. With `among` one page, and the total, look
/// at limits::searched_findings: then the page may be short, with a next one, and the total is "at
/// least". Fails with invalid_field for a cursor that is none.
Result<FindingPage> list_finding_page(store::Store& store, const Catalogue& catalogue,
                                      const FindingQuery& query);
/// Fails with not_found.
Result<FindingView> show_finding(store::Store& store, const Catalogue& catalogue, FindingId id);

}  // namespace muster::fleet

namespace muster::limits {

/// Findings that one list looks at for some hosts' own: a few tenths of a second.
inline constexpr std::size_t searched_findings = 200'000;

}  // namespace muster::limits
