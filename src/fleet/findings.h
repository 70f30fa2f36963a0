// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "fleet/catalogue.h"
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
/// Known exploited first, then most severe, then newest. Fails with invalid_field for a cursor that
/// is none.
Result<FindingPage> list_finding_page(store::Store& store, const Catalogue& catalogue,
                                      const FindingQuery& query);
/// Fails with not_found.
Result<FindingView> show_finding(store::Store& store, const Catalogue& catalogue, FindingId id);

}  // namespace muster::fleet
