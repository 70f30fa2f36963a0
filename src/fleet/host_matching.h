// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "base/ids.h"
#include "base/time.h"
#include "fleet/catalogue.h"
#include "fleet/history.h"
#include "fleet/known_packages.h"
#include "fleet/package_marks.h"
#include "model/agent.h"

namespace muster::store {
class Tx;
}

namespace muster::fleet {

/// Opens what a verdict found on a host's package; returns how many hits it has.
std::size_t open_findings(store::Tx& tx, NumberIds& ids, OrgId org, HostId host, PackageId package,
                          const Verdict& verdict, Instant now);

struct MatchCount {
  std::size_t opened = 0;
  std::size_t resolved = 0;
};
/// Brings a host's findings in line with all that is known of it: opens what holds, and resolves
/// what no longer does. With `changed`, looks at these of its packages and no others, and at what
/// depends on its system and its other software. A finding that is as it should be is not written.
MatchCount match_host(store::Tx& tx, NumberIds& ids, const Knowledge& knowledge,
                      KnownPackages& packages, const model::Host& host, const PackageMarks* changed,
                      Instant now);

}  // namespace muster::fleet
