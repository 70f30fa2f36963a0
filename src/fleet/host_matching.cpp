// SPDX-License-Identifier: Apache-2.0
#include "fleet/host_matching.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "store/sql/inventory.h"
#include "store/store.h"
#include "vuln/index.h"
#include "vuln/surroundings.h"

namespace muster::fleet {

namespace {

/// A host's packages, and what on them depends on the host.
class HostSoftware {
 public:
  HostSoftware(store::Tx& tx, const Knowledge& knowledge, const model::Host& host)
      : tx_(tx), knowledge_(knowledge), host_(host) {
    set_ = store::get_package_set(tx, host.org, *host.package_set);
  }

  const std::vector<PackageId>& packages() const { return set_; }

  std::vector<Verdict::Hit> settled(PackageId id, const Verdict& verdict) {
    if (verdict.conditional.empty()) return {};
    return settle(knowledge_, package(id), verdict, surroundings());
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
  const model::Host& host_;
  std::vector<PackageId> set_;
  std::optional<vuln::Surroundings> surroundings_;
};

/// The findings that are open on a host.
class Standing {
 public:
  /// On all of its packages, or on some.
  Standing(store::Tx& tx, const model::Host& host, const std::vector<PackageId>* some) {
    // A few are asked for one by one; beyond that one answer with all is cheaper.
    constexpr std::size_t few = 4;
    if (some == nullptr || some->size() > few) {
      take(store::list_open_findings_of_host(tx, host.org, host.id));
      return;
    }
    for (const PackageId id : *some) {
      take(store::list_open_findings_of_package(tx, host.org, host.id, id));
    }
  }

  /// Those on one package, which it gives away.
  std::vector<model::Finding> extract(PackageId id) {
    const auto found = by_package_.find(id);
    if (found == by_package_.end()) return {};
    std::vector<model::Finding> findings = std::move(found->second);
    by_package_.erase(found);
    return findings;
  }
  /// Those on packages that nobody asked for.
  const std::map<PackageId, std::vector<model::Finding>>& rest() const { return by_package_; }

 private:
  void take(std::vector<model::Finding> findings) {
    for (model::Finding& each : findings) by_package_[each.package].push_back(std::move(each));
  }

  std::map<PackageId, std::vector<model::Finding>> by_package_;
};

void open(store::Tx& tx, NumberIds& ids, OrgId org, HostId host, PackageId package,
          const Verdict::Hit& hit, Instant now) {
  model::Finding finding;
  finding.org = org;
  finding.id = ids.next<FindingId>(now);
  finding.host = host;
  finding.package = package;
  finding.feed = hit.feed;
  finding.advisory_id = hit.advisory_id;
  finding.cve = hit.cve;
  finding.severity = hit.severity;
  finding.opened_at = now;
  finding.evidence = hit.evidence;
  store::open_finding(tx, finding);
}

void resolve(store::Tx& tx, const model::Finding& finding, Instant now) {
  store::resolve_finding(tx, finding.org, finding.id, "not_affected", now);
}

/// Makes the findings on one package those of its hits; writes what differs and nothing else.
void set_findings(store::Tx& tx, NumberIds& ids, const model::Host& host, PackageId package,
                  const std::vector<const Verdict::Hit*>& hits,
                  const std::vector<model::Finding>& standing, MatchCount& count, Instant now) {
  std::map<std::pair<std::string_view, std::string_view>, const model::Finding*> left;
  for (const model::Finding& each : standing) left[{each.advisory_id, each.feed}] = &each;
  for (const Verdict::Hit* hit : hits) {
    const auto found = left.find({hit->advisory_id, hit->feed});
    const model::Finding* stands = found == left.end() ? nullptr : found->second;
    if (stands != nullptr) left.erase(found);
    // The evidence of a standing one may have changed with the advisory.
    const bool same = stands != nullptr && stands->cve == hit->cve &&
                      stands->severity == hit->severity && stands->evidence == hit->evidence;
    if (same) continue;
    count.opened += stands == nullptr ? 1 : 0;
    open(tx, ids, host.org, host.id, package, *hit, now);
  }
  for (const auto& [name, finding] : left) resolve(tx, *finding, now);
  count.resolved += left.size();
}

}  // namespace

MatchCount match_host(store::Tx& tx, NumberIds& ids, const Knowledge& knowledge,
                      KnownPackages& packages, const model::Host& host, const PackageMarks* changed,
                      Instant now) {
  MatchCount count;
  if (!host.package_set) return count;
  HostSoftware software(tx, knowledge, host);
  std::vector<PackageId> judged;
  for (const PackageId id : software.packages()) {
    const bool depends = !packages.verdict(tx, knowledge, host.org, id).conditional.empty();
    if (changed == nullptr || depends || changed->contains(host.org, id)) judged.push_back(id);
  }
  Standing standing(tx, host, changed == nullptr ? nullptr : &judged);
  for (const PackageId id : judged) {
    const Verdict& verdict = packages.verdict(tx, knowledge, host.org, id);
    const std::vector<Verdict::Hit> settled = software.settled(id, verdict);
    const std::vector<model::Finding> former = standing.extract(id);
    if (former.empty() && verdict.hits.empty() && settled.empty()) continue;
    std::vector<const Verdict::Hit*> hits;
    for (const Verdict::Hit& hit : verdict.hits) hits.push_back(&hit);
    for (const Verdict::Hit& hit : settled) hits.push_back(&hit);
    set_findings(tx, ids, host, id, hits, former, count, now);
  }
  if (changed != nullptr) return count;
  for (const auto& [id, findings] : standing.rest()) {
    for (const model::Finding& finding : findings) resolve(tx, finding, now);
    count.resolved += findings.size();
  }
  return count;
}

std::size_t open_findings(store::Tx& tx, NumberIds& ids, OrgId org, HostId host, PackageId package,
                          const Verdict& verdict, Instant now) {
  for (const Verdict::Hit& hit : verdict.hits) open(tx, ids, org, host, package, hit, now);
  return verdict.hits.size();
}

}  // namespace muster::fleet
