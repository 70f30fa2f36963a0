// SPDX-License-Identifier: Apache-2.0
#include "fleet/host_matching.h"

#include <set>
#include <tuple>

#include "fleet/opening_findings.h"
#include "store/sql/findings.h"
#include "store/sql/inventory.h"
#include "store/store.h"
#include "vuln/index.h"
#include "vuln/surroundings.h"

namespace muster::fleet {

namespace {

/// Names one hit on one package of a host.
using HitKey = std::tuple<std::int64_t, std::string, std::string>;

/// The verdicts on a host's packages, with what depends on the host decided.
class HostVerdicts {
 public:
  HostVerdicts(store::Tx& tx, const Knowledge& knowledge, KnownPackages& packages,
               const model::Host& host)
      : tx_(tx), knowledge_(knowledge), packages_(packages), host_(host) {
    set_ = store::get_package_set(tx, host.org, *host.package_set);
  }

  const std::vector<PackageId>& packages() const { return set_; }

  Verdict verdict(PackageId id) {
    Verdict verdict = packages_.verdict(tx_, knowledge_, host_.org, id);
    if (verdict.conditional.empty()) return verdict;
    for (auto& hit : settle(knowledge_, package(id), verdict, surroundings())) {
      verdict.hits.push_back(std::move(hit));
    }
    return verdict;
  }

 private:
  model::Package package(PackageId id) {
    const auto row = store::find_package(tx_, host_.org, id);
    CHECK(row.has_value());
    return row->package;
  }

  /// Made once, and only for hosts that need it: it reads every package.
  const vuln::Surroundings& surroundings() {
    if (!surroundings_) {
      std::vector<model::Package> software;
      for (const PackageId each : set_) software.push_back(package(each));
      surroundings_.emplace(host_.os_name, host_.os_version, software, knowledge_.index->cpe());
    }
    return *surroundings_;
  }

  store::Tx& tx_;
  const Knowledge& knowledge_;
  KnownPackages& packages_;
  const model::Host& host_;
  std::vector<PackageId> set_;
  std::optional<vuln::Surroundings> surroundings_;
};

}  // namespace

MatchCount match_host(store::Tx& tx, NumberIds& ids, const Knowledge& knowledge,
                      KnownPackages& packages, const model::Host& host, Instant now) {
  MatchCount count;
  if (!host.package_set) return count;
  std::set<HitKey> wanted;
  std::set<HitKey> standing;
  const auto former = store::list_standing_findings_of_host(tx, host.org, host.id);
  for (const model::Finding& finding : former) {
    standing.insert({finding.package.value, finding.feed, finding.advisory_id});
  }
  HostVerdicts verdicts(tx, knowledge, packages, host);
  OpeningFindings opening(ids, knowledge, host.org, host.id, now);
  for (const PackageId id : verdicts.packages()) {
    const Verdict verdict = verdicts.verdict(id);
    for (const Verdict::Hit& hit : verdict.hits) {
      wanted.insert({id.value, hit.feed, hit.advisory_id});
      if (!standing.contains({id.value, hit.feed, hit.advisory_id})) ++count.opened;
    }
    // Also the standing ones: their evidence may have changed with the advisory.
    opening.add(id, verdict);
  }
  for (const model::Finding& finding : former) opening.note_accepted(finding);
  opening.open(tx);
  for (const model::Finding& finding : former) {
    if (wanted.contains({finding.package.value, finding.feed, finding.advisory_id})) continue;
    store::resolve_finding(tx, host.org, finding.id, "not_affected", now);
    ++count.resolved;
  }
  return count;
}

}  // namespace muster::fleet
