// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "crypto/keyed_hash.h"
#include "model/advisory.h"
#include "model/finding.h"
#include "model/package.h"
#include "store/total.h"

namespace muster::store {

class Reader;
class Tx;

/// 128 bits that name a package's content within an organisation.
using ContentId = std::array<std::uint64_t, 2>;

struct PackageRow {
  OrgId org;
  PackageId id;
  ContentId content;
  model::Package package;  // with what an operator says of its name and vendor
};
/// Gives it the next free id of its organisation.
PackageId insert_package(Tx& tx, OrgId org, const ContentId& content,
                         const model::Package& package);
std::optional<PackageRow> find_package(Reader& reader, OrgId org, PackageId id);
std::optional<PackageId> find_package_by_content(Reader& reader, OrgId org,
                                                 const ContentId& content);
void for_each_package(Reader& reader, const std::function<void(const PackageRow&)>& each);
struct PackageFilter {
  std::optional<OrgId> org;
  std::optional<std::string> name;
  std::optional<std::string> vendor;
  std::optional<std::string> text = std::nullopt;  // part of the name, in any case of letters
  OrgId after_org;  // with `after`, the package after which the list goes on
  PackageId after;
};
/// By organisation, then id.
std::vector<PackageRow> list_packages(Reader& reader, const PackageFilter& filter, int count);
/// Whatever it goes on after.
Total count_packages(Reader& reader, const PackageFilter& filter);
/// Over all hosts of the organisation.
std::int64_t count_open_findings_of_package(Reader& reader, OrgId org, PackageId package);
/// Those of an organisation with ids above `after`, ascending.
std::vector<PackageId> list_packages_after(Reader& reader, OrgId org, PackageId after);

/// The ids of a stored set, ascending. Throws StoreError when it is missing or damaged.
std::vector<PackageId> get_package_set(Reader& reader, OrgId org, const crypto::KeyHash& set);
/// Stores ascending ids under their hash and counts one more host on it: a host's own software, or
/// what else is kept of it (store/sql/reports.h).
crypto::KeyHash insert_package_set(Tx& tx, OrgId org, const std::vector<PackageId>& ids);
/// Counts one host less on a set; the last one deletes it.
void release_package_set(Tx& tx, OrgId org, const crypto::KeyHash& set);

/// A stored set; `members` are valid during the call.
struct PackageSetRow {
  OrgId org;
  crypto::KeyHash hash;
  const std::vector<PackageId>& members;
};
/// Every stored set, a page at a time: all of a large fleet's together are too much for one answer.
/// Throws StoreError when one is damaged.
void for_each_package_set(Reader& reader, const std::function<void(const PackageSetRow&)>& each);
/// Every host that has software, with the set that it is.
void for_each_host_set(Reader& reader,
                       const std::function<void(OrgId, HostId, const crypto::KeyHash&)>& each);

struct FeedRow {
  std::string feed;
  Instant imported_at;
  std::string published;  // the publisher's own date or version
  std::int64_t records = 0;
  std::int64_t generation = 0;  // of the advisories in force
  bool matched = false;         // every host was matched against it
};
void set_feed(Tx& tx, const FeedRow& feed);
/// Every host is to be matched again, against every feed.
void set_feeds_unmatched(Tx& tx);
std::vector<FeedRow> list_feeds(Reader& reader);

/// Advisories come in generations: a new one is written aside, and is in force once the feed's row
/// names it. A repeat of one overwrites it. A generation can stay in force beside it, as a layer.
void set_advisories(Tx& tx, std::int64_t generation,
                    const std::vector<model::Advisory>& advisories);
/// Deletes some rows, at most `count`, of generations before `generation` that are no layers;
/// returns how many. Later ones are being written.
std::int64_t delete_old_advisories(Tx& tx, std::string_view feed, std::int64_t generation,
                                   int count);
/// What a generation says under these ids.
void delete_advisories(Tx& tx, std::string_view feed, std::int64_t generation,
                       const std::vector<std::string>& ids);
/// What the generations before `generation` say under them.
void delete_superseded_advisories(Tx& tx, std::string_view feed, std::int64_t generation,
                                  const std::vector<std::string>& ids);
void insert_feed_layer(Tx& tx, std::string_view feed, std::int64_t generation);
void delete_feed_layers(Tx& tx, std::string_view feed);
/// Those of which nothing is left.
void delete_empty_feed_layers(Tx& tx, std::string_view feed);
/// Rows in force.
std::int64_t count_advisories(Reader& reader, std::string_view feed);
/// Those in force.
void for_each_advisory(Reader& reader, const std::function<void(model::Advisory)>& each);
void delete_kev_entries(Tx& tx);
void set_kev_entries(Tx& tx, const std::vector<model::KevEntry>& entries);
void for_each_kev_entry(Reader& reader, const std::function<void(model::KevEntry)>& each);

/// Those of a generation, aside until the feed's row names it; as set_advisories().
void set_epss_scores(Tx& tx, std::int64_t generation, const std::vector<model::EpssScore>& scores);
/// Those in force of `cves`, in any order; a CVE without one is not among them.
std::vector<model::EpssScore> list_epss_scores(Reader& reader,
                                               const std::vector<std::string>& cves);
/// As delete_old_advisories().
std::int64_t delete_old_epss_scores(Tx& tx, std::int64_t generation, int count);

}  // namespace muster::store
