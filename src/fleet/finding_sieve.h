// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/ids.h"
#include "fleet/host_search.h"
#include "store/sql/findings.h"

namespace muster::store {
class Reader;
}

namespace muster::fleet {

/// What a sieve must know of a finding.
struct SievedFinding {
  OrgId org;
  HostId host;
  bool known_exploited = false;
  std::int64_t severity = 0;
  std::string_view cve;  // empty without one
};

/// Chooses findings by what no index of them knows: whose host it is, and how likely their flaw is
/// to be exploited. Scores change every day and findings do not, so they are looked up here, once
/// for each CVE. Lives within one read of the store.
///
/// Findings that are known exploited pass whatever their score: evidence of exploitation goes
/// before it (https://www.first.org/epss/faq). What has no score may be likely: it is treated as a
/// finding of unknown severity is, by FindingFilter::unrated.
class FindingSieve {
 public:
  /// `among` outlives this; `epss_min` in EpssScore::whole, 0 for any score and none.
  FindingSieve(const std::optional<MeantHosts>& among, std::int32_t epss_min)
      : among_(among), epss_min_(epss_min) {}

  /// Every finding passes.
  bool idle() const { return !among_ && epss_min_ == 0; }
  /// Some findings cannot be judged under this filter.
  bool doubts(const store::FindingFilter& filter) const;
  /// The findings that the store must give, so that none of those that pass is missing. Those that
  /// cannot be judged are looked for alone from the first on.
  store::FindingFilter candidates(store::FindingFilter filter) const;

  /// What passes() will be asked of; the scores are read by the next read_scores().
  void announce(const SievedFinding& finding);
  void read_scores(store::Reader& reader);
  /// Whether `filter` has it, which is one of its candidates and was announced.
  bool passes(const SievedFinding& finding, const store::FindingFilter& filter) const;

 private:
  bool needs_score(const SievedFinding& finding) const;

  const std::optional<MeantHosts>& among_;
  const std::int32_t epss_min_;
  std::unordered_map<std::string, std::optional<std::int32_t>> scores_;  // that were looked up
  std::unordered_set<std::string> wanted_;
};

}  // namespace muster::fleet
