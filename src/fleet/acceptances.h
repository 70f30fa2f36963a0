// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/history.h"
#include "model/acceptance.h"
#include "model/finding.h"
#include "store/sql/images.h"

namespace muster::store {
class Store;
class Tx;
}  // namespace muster::store

/// What operators accept (model/acceptance.h). A finding that is accepted is known, is not open,
/// and comes back by itself.
namespace muster::fleet {

struct AcceptanceOrder {
  FindingId finding;        // of a host or of an image
  bool everywhere = false;  // on all hosts, or in all images, of its organisation
  std::string reason;
  std::optional<Instant> ends_at;  // none: for good
};
struct AcceptanceOutcome {
  model::Acceptance acceptance;
  std::int64_t findings = 0;  // that follow it, or did
};

/// The first transaction of accept_finding() and of reopen_finding(): all that an operator does,
/// and as many findings as one transaction may have.
Result<AcceptanceOutcome> record_acceptance(store::Tx& tx, NumberIds& ids, const Actor& actor,
                                            const AcceptanceOrder& order, Instant now);
Result<AcceptanceOutcome> record_reopening(store::Tx& tx, NumberIds& ids, const Actor& actor,
                                           FindingId finding, Instant now);

/// Accepts the flaw of a finding, or renews the terms under which it is accepted. Findings follow
/// in transactions of limits::acceptance_rows; what a crash leaves is settled by the pass. Fails
/// with not_found, with illegal_transition if the finding is resolved, and with invalid_field for
/// an end that is not to come.
Result<AcceptanceOutcome> accept_finding(store::Store& store, NumberIds& ids, const Actor& actor,
                                         const AcceptanceOrder& order, Instant now);

/// Ends the acceptance that a finding follows, for all that follow it. Fails with not_found, and
/// with illegal_transition if the finding is not accepted.
Result<AcceptanceOutcome> reopen_finding(store::Store& store, NumberIds& ids, const Actor& actor,
                                         FindingId finding, Instant now);

/// Ends what time has ended and settles what is not settled. Returns how many acceptances ended.
/// Throws store::StoreError.
std::size_t pass_acceptance_time(store::Store& store, NumberIds& ids, Instant now);

/// Ends the acceptances of a flaw that is now known to be exploited and was not.
void end_acceptances_of_exploited(store::Tx& tx, NumberIds& ids, std::string_view cve, Instant now);

/// Says of findings of one host, about to be opened, which are accepted. One that comes with an
/// acceptance follows it already: if the flaw became graver than that allows, it ends.
void settle_findings(store::Tx& tx, NumberIds& ids, OrgId org, HostId host,
                     std::vector<model::Finding>& findings, Instant now);

/// The same for findings of one image, of which `standing` were there already, by their ids.
/// Whether a flaw is exploited no scan tells: the catalogue of exploited flaws ends what it has to.
void settle_image_findings(store::Tx& tx, NumberIds& ids, OrgId org, std::string_view identity,
                           const std::vector<store::ImageFinding>& standing,
                           std::vector<store::ImageFinding>& findings, Instant now);

}  // namespace muster::fleet
