// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "feeds/feed.h"
#include "fleet/catalogue.h"
#include "fleet/history.h"
#include "fleet/known_packages.h"
#include "model/agent.h"
#include "model/finding.h"
#include "store/sql/inventory.h"
#include "store/total.h"

namespace muster::fleet {

/// Opens what a verdict found on a host's package; returns how many hits it has.
std::size_t open_findings(store::Tx& tx, NumberIds& ids, OrgId org, HostId host, PackageId package,
                          const Verdict& verdict, Instant now);

struct MatchCount {
  std::size_t opened = 0;
  std::size_t resolved = 0;
};
/// Brings a host's findings in line with all that is known of it: opens what holds, and resolves
/// what no longer does. Also for what depends on its system and its other software.
MatchCount match_host(store::Tx& tx, NumberIds& ids, const Knowledge& knowledge,
                      KnownPackages& packages, const model::Host& host, Instant now);

/// Replaces a feed by `files` (the publisher's own format, each plain, gzip or zstd; they are held
/// together only as they came), builds the new
/// snapshot and matches every host against it. Readers see the old snapshot until the new one is
/// whole. Fails with invalid_json or invalid_field, and then nothing changes.
Result<ImportOutcome> import_feed(store::Store& store, NumberIds& ids, Catalogue& catalogue,
                                  KnownPackages& packages, const Actor& actor, feeds::FeedKind kind,
                                  std::vector<std::string> files, Instant now);

/// Finishes what an import that was cut short had left: matches every host again if some feed was
/// not matched yet and no import is under way. Returns the number of hosts.
std::size_t finish_matching(store::Store& store, NumberIds& ids, Catalogue& catalogue,
                            KnownPackages& packages, Instant now);

struct FindingQuery {
  std::optional<HostId> host;
  std::optional<std::string> cve;
  std::optional<OrgId> org;
  bool known_exploited = false;
  model::Severity severity_min = model::Severity::unknown;
  bool open_only = true;
  std::string cursor;
  int count = 0;
};
/// A finding with what is joined to it when it is read.
struct FindingView {
  store::FindingView stored;
  std::optional<model::KevEntry> kev;
};
struct FindingPage {
  std::vector<FindingView> findings;
  std::string next_cursor;
  store::Total total;
};
/// Known exploited first, then most severe, then newest. Fails with invalid_field for a cursor that
/// is none.
Result<FindingPage> list_finding_page(store::Store& store, const Catalogue& catalogue,
                                      const FindingQuery& query);
/// How old each kind of feed is; a kind that was never imported has no time.
struct FeedStatus {
  feeds::FeedKind kind;
  std::int64_t records = 0;
  std::string published;
  std::optional<Instant> imported_at;
};
std::vector<FeedStatus> list_feed_status(store::Store& store);

/// Fails with not_found.
Result<FindingView> show_finding(store::Store& store, const Catalogue& catalogue, FindingId id);

}  // namespace muster::fleet
