// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace muster::store {

class Reader;
class Tx;

/// Open findings, by model::Severity, and how many of all are known to be exploited.
struct OpenFindings {
  std::array<std::int64_t, 6> by_severity = {};
  std::int64_t known_exploited = 0;
  friend bool operator==(const OpenFindings&, const OpenFindings&) = default;
};
/// Of the hosts of an organisation. Reads an entry of an index for each.
OpenFindings count_open_findings(Reader& reader, OrgId org);

/// What was open on a day, as it was last counted.
struct FindingDay {
  std::int64_t day = 0;  // of UTC, since the Unix epoch
  Instant counted_at;
  OpenFindings open;
};
/// In place of the same day's, if there is one.
void set_finding_day(Tx& tx, OrgId org, const FindingDay& day);
std::optional<FindingDay> find_finding_day(Reader& reader, OrgId org, std::int64_t day);
/// From `first_day` on, oldest first, without the days on which nobody counted. Of all
/// organisations as sums, with the latest of their counts.
std::vector<FindingDay> list_finding_days(Reader& reader, std::optional<OrgId> org,
                                          std::int64_t first_day);
/// Deletes the days before `day`.
void delete_finding_days_before(Tx& tx, OrgId org, std::int64_t day);

}  // namespace muster::store
