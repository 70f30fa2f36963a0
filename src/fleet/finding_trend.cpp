// SPDX-License-Identifier: Apache-2.0
#include "fleet/finding_trend.h"

#include <utility>

#include "base/limits.h"
#include "store/sql/orgs.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

std::int64_t day_of(Instant at) {
  constexpr std::int64_t day_ms = Duration(std::chrono::hours(24)).count();
  return at.unix_ms / day_ms;
}

}  // namespace

std::size_t count_finding_day(store::Store& store, Instant now) {
  const std::int64_t today = day_of(now);
  const auto news = store.read([&](store::Reader& reader) {
    std::vector<std::pair<OrgId, store::OpenFindings>> changed;
    for (const store::Org& org : store::list_orgs(reader)) {
      const store::OpenFindings open = store::count_open_findings(reader, org.id);
      const auto known = store::find_finding_day(reader, org.id, today);
      if (!known || known->open != open) changed.emplace_back(org.id, open);
    }
    return changed;
  });
  if (news.empty()) return 0;
  store.write([&](store::Tx& tx) {
    for (const auto& [org, open] : news) {
      store::set_finding_day(tx, org, {today, now, open});
      store::delete_finding_days_before(tx, org, today - limits::finding_trend_days + 1);
    }
  });
  return news.size();
}

std::vector<store::FindingDay> list_finding_days(store::Store& store, std::optional<OrgId> org,
                                                 std::int64_t days, Instant now) {
  return store.read([&](store::Reader& reader) {
    return store::list_finding_days(reader, org, day_of(now) - days + 1);
  });
}

}  // namespace muster::fleet
