// SPDX-License-Identifier: Apache-2.0
#include "fleet/opening_findings.h"

#include "fleet/acceptances.h"
#include "store/sql/findings.h"
#include "store/store.h"

namespace muster::fleet {

void OpeningFindings::add(PackageId package, const Verdict& verdict) {
  for (const Verdict::Hit& hit : verdict.hits) add(package, hit);
}

void OpeningFindings::add(PackageId package, const Verdict::Hit& hit) {
  model::Finding& finding = findings_.emplace_back();
  finding.org = org_;
  finding.id = ids_.next<FindingId>(now_);
  finding.host = host_;
  finding.package = package;
  finding.feed = hit.feed;
  finding.advisory_id = hit.advisory_id;
  finding.cve = hit.cve;
  finding.severity = hit.severity;
  finding.known_exploited = hit.cve && knowledge_.kev.contains(*hit.cve);
  finding.opened_at = now_;
  finding.evidence = hit.evidence;
}

void OpeningFindings::note_accepted(const model::Finding& former) {
  if (!former.acceptance) return;
  for (model::Finding& finding : findings_) {
    const bool same = finding.package == former.package && finding.feed == former.feed &&
                      finding.advisory_id == former.advisory_id;
    if (same) finding.acceptance = former.acceptance;
  }
}

void OpeningFindings::open(store::Tx& tx) {
  settle_findings(tx, ids_, org_, host_, findings_, now_);
  for (const model::Finding& finding : findings_) store::open_finding(tx, finding);
  findings_.clear();
}

}  // namespace muster::fleet
