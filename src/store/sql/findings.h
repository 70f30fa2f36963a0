// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "model/acceptance.h"
#include "model/advisory.h"
#include "model/finding.h"
#include "model/package.h"
#include "store/total.h"

namespace muster::store {

class Reader;
class Tx;

/// On how many hosts of each organisation a CVE is, in their software or their images, accepted or
/// not.
struct OpenHosts {
  OrgId org;
  std::int64_t hosts = 0;
};
std::vector<OpenHosts> count_hosts_with_cve(Reader& reader, std::string_view cve);

/// Opens a finding or opens it again, accepted if it says so; one that was not resolved keeps its
/// id and opened_at.
void open_finding(Tx& tx, const model::Finding& finding);
/// Returns how many were not resolved.
std::int64_t resolve_findings_of_package(Tx& tx, OrgId org, HostId host, PackageId package,
                                         std::string_view resolution, Instant now);
void resolve_finding(Tx& tx, OrgId org, FindingId id, std::string_view resolution, Instant now);
/// Those that hold, accepted or not.
std::vector<model::Finding> list_standing_findings_of_host(Reader& reader, OrgId org, HostId host);
/// Those on one of its packages.
std::vector<model::Finding> list_standing_findings_of_package(Reader& reader, OrgId org,
                                                              HostId host, PackageId package);

/// What a host has of findings that are not resolved.
struct HostFindings {
  std::int64_t open = 0;
  std::int64_t accepted = 0;
  std::int64_t packages = 0;  // that have any of them
};
HostFindings count_findings_of_host(Reader& reader, OrgId org, HostId host);

/// CVEs whose findings are marked as known exploited, or not, and the catalogue says otherwise.
std::vector<std::string> list_cves_to_mark(Reader& reader, bool known_exploited);
/// Marks findings of a CVE that are not marked so, at most `count`; returns how many.
std::int64_t mark_exploited(Tx& tx, std::string_view cve, bool known_exploited, int count);

/// A finding with the words a person needs to read it.
struct FindingView {
  model::Finding finding;
  model::Package package;
  std::string hostname;
  std::optional<model::EpssScore> epss;
  std::optional<model::Acceptance> acceptance;  // that it follows
};
std::optional<FindingView> find_finding(Reader& reader, FindingId id);
/// Where a finding stands in a list: known exploited first, then most severe, then newest.
struct FindingPlace {
  bool known_exploited = false;
  std::int64_t severity = 0;
  FindingId id;
  friend auto operator<=>(const FindingPlace&, const FindingPlace&) = default;
};
/// What becomes of findings that are not known to be exploited and cannot be judged: those of
/// unknown severity, where severity_min is above it.
enum class Unrated : std::uint8_t { hidden, shown, alone };
struct FindingFilter {
  std::optional<HostId> host;
  std::optional<std::string> cve;
  std::optional<std::string> package;  // its name
  std::optional<OrgId> org;
  bool known_exploited = false;
  std::int64_t severity_min = 0;  // no matter for those that are known exploited: they stay in
  Unrated unrated = Unrated::hidden;
  std::vector<model::FindingStatus> statuses = {model::FindingStatus::open};
  std::optional<FindingPlace> after;
};
/// In the order of their places. Costs the rows of the page and a look into the index for each
/// organisation and status, however many findings there are; with `host` those of the host.
std::vector<FindingView> list_findings(Reader& reader, const FindingFilter& filter, int count);
/// Where they are alone, for who wants some of them.
struct PlacedFinding {
  FindingPlace place;
  OrgId org;
  HostId host;
  std::optional<std::string> cve;
};
struct PlacedFindings {
  std::vector<PlacedFinding> places;
  std::size_t read = 0;  // rows: more than there are places where several organisations are merged
};
PlacedFindings list_finding_places(Reader& reader, const FindingFilter& filter, int count);
/// In the order of `places`, without those that are no more.
std::vector<FindingView> list_findings_at(Reader& reader, const std::vector<PlacedFinding>& places);
Total count_findings(Reader& reader, const FindingFilter& filter);

/// What a finding is about, in short.
struct FindingSubject {
  OrgId org;
  HostId host;
  std::string package;
  std::string flaw;  // the CVE, else the advisory
  bool has_cve = false;
  bool known_exploited = false;
  std::int64_t severity = 0;
};
/// Calls `each` for the most pressing findings of `filter` (its organisation, known_exploited,
/// severity_min, unrated and statuses), at most `most` of them; returns false if there are more.
/// Within an organisation in the order of their places.
bool for_each_pressing(Reader& reader, const FindingFilter& filter, std::int64_t most,
                       const std::function<void(FindingSubject)>& each);

}  // namespace muster::store
