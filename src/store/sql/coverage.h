// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "crypto/keyed_hash.h"

namespace muster::store {

class Reader;
class Tx;

/// What is known of the packages of a stored set.
struct SetCoverage {
  std::int64_t not_assessed = 0;
  std::int64_t distribution_silent = 0;  // a distribution's own that no advisory is about
  std::string reasons;                   // JSON object: how many packages have which reason
};
void set_set_coverage(Tx& tx, OrgId org, const crypto::KeyHash& set, const SetCoverage& coverage);
/// Nothing for a set that nobody has looked at yet.
std::optional<SetCoverage> find_set_coverage(Reader& reader, OrgId org, const crypto::KeyHash& set);

/// What the software of an organisation's hosts of one distribution adds up to.
struct CoverageTotal {
  OrgId org;
  std::string distro;
  std::int64_t hosts = 0;  // that reported software
  std::int64_t packages = 0;
  std::int64_t not_assessed = 0;
  std::int64_t distribution_silent = 0;
};
std::vector<CoverageTotal> list_coverage_totals(Reader& reader);

/// A feed that operators were told is stale, and since when.
struct StaleFeed {
  std::string feed;
  Instant since;
};
std::vector<StaleFeed> list_stale_feeds(Reader& reader);
void set_stale_feed(Tx& tx, const StaleFeed& stale);
void delete_stale_feed(Tx& tx, std::string_view feed);

}  // namespace muster::store
