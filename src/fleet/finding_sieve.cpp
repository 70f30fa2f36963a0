// SPDX-License-Identifier: Apache-2.0
#include "fleet/finding_sieve.h"

#include <vector>

#include "model/advisory.h"
#include "store/sql/inventory.h"

namespace muster::fleet {

namespace {

constexpr auto severity_unknown = static_cast<std::int64_t>(model::Severity::unknown);
constexpr store::FindingPlace before_unexploited{
    false, static_cast<std::int64_t>(model::Severity::critical) + 1, {}};

}  // namespace

bool FindingSieve::doubts(const store::FindingFilter& filter) const {
  return !filter.known_exploited && (filter.severity_min > severity_unknown || epss_min_ > 0);
}

store::FindingFilter FindingSieve::candidates(store::FindingFilter filter) const {
  if (epss_min_ > 0 && filter.unrated == store::Unrated::alone) {
    // One without a score may have any severity, and stands after all that are exploited.
    filter.unrated = store::Unrated::shown;
    filter.after = before_unexploited;
  }
  return filter;
}

bool FindingSieve::needs_score(const SievedFinding& finding) const {
  return epss_min_ > 0 && !finding.known_exploited && !finding.cve.empty();
}

void FindingSieve::announce(const SievedFinding& finding) {
  if (!needs_score(finding) || (among_ && !among_->contains(finding.org, finding.host))) return;
  std::string cve(finding.cve);
  if (!scores_.contains(cve)) wanted_.insert(std::move(cve));
}

void FindingSieve::read_scores(store::Reader& reader) {
  const std::vector<std::string> cves(wanted_.begin(), wanted_.end());
  for (const std::string& cve : cves) scores_.emplace(cve, std::nullopt);
  for (const model::EpssScore& score : store::list_epss_scores(reader, cves)) {
    scores_[score.cve] = score.probability;
  }
  wanted_.clear();
}

bool FindingSieve::passes(const SievedFinding& finding, const store::FindingFilter& filter) const {
  if (among_ && !among_->contains(finding.org, finding.host)) return false;
  bool known = finding.known_exploited || filter.severity_min <= severity_unknown ||
               finding.severity > severity_unknown;
  if (epss_min_ > 0 && !finding.known_exploited) {
    std::optional<std::int32_t> score;
    if (needs_score(finding)) score = scores_.at(std::string(finding.cve));
    if (score && *score < epss_min_) return false;
    known = known && score.has_value();
  }
  switch (filter.unrated) {
    case store::Unrated::hidden:
      return known;
    case store::Unrated::alone:
      return !known;
    case store::Unrated::shown:
      break;
  }
  return true;
}

}  // namespace muster::fleet
