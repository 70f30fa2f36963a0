// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "fleet/catalogue.h"
#include "model/finding.h"

namespace muster::fleet {

/// Findings of one host that are to be opened together.
class OpeningFindings {
 public:
  OpeningFindings(NumberIds& ids, const Knowledge& knowledge, OrgId org, HostId host, Instant now)
      : ids_(ids), knowledge_(knowledge), org_(org), host_(host), now_(now) {}

  /// What a verdict found on a package, all or one.
  void add(PackageId package, const Verdict& verdict);
  void add(PackageId package, const Verdict::Hit& hit);
  /// That one of them, if it is among them, follows an acceptance already.
  void note_accepted(const model::Finding& former);
  /// Opens them, accepted or not (fleet/acceptances.h).
  void open(store::Tx& tx);

 private:
  NumberIds& ids_;
  const Knowledge& knowledge_;
  OrgId org_;
  HostId host_;
  Instant now_;
  std::vector<model::Finding> findings_;
};

}  // namespace muster::fleet
