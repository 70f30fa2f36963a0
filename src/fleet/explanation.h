// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/ids.h"
#include "base/result.h"
#include "fleet/findings.h"
#include "vuln/explain.h"

namespace muster::fleet {

struct FindingExplanation {
  FindingView view;
  vuln::Explanation explanation;
};
/// Makes the comparison behind a finding again, from its stored evidence, with what the feeds say
/// now and what its host has now. Fails with not_found.
Result<FindingExplanation> explain_finding(store::Store& store, const Catalogue& catalogue,
                                           FindingId id);

}  // namespace muster::fleet
