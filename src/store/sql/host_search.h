// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "crypto/keyed_hash.h"
#include "model/package.h"

/// What a query over the fleet (model/host_query.h) reads.
namespace muster::store {

class Reader;

/// What queries ask of a host, as it stands in its row.
struct SearchedHost {
  OrgId org;
  HostId id;
  std::string hostname;  // folded
  std::string os_name;
  std::string os_version;
  std::string os_kernel;
  std::string arch;
  std::string distro;
  std::string ip_address;
  std::string tags;           // a text list, store/sql/text_list.h
  std::string operator_tags;  // likewise
  Instant first_seen;
  Instant last_seen;
  std::optional<Instant> last_report_at;
  std::optional<crypto::KeyHash> package_set;
  std::int64_t package_count = 0;
};
/// In the order of their ids, from after `after`.
std::vector<SearchedHost> list_searched_hosts(Reader& reader, std::optional<OrgId> org,
                                              HostId after, int count);

/// Hosts of an organisation with ids from `first` to `last`.
struct HostRange {
  OrgId org;
  HostId first;
  HostId last;
};
/// An agent that has not ended.
struct SearchedAgent {
  HostId host;
  bool disabled = false;
  std::string os;
};
/// By host, each host's newest agent last.
std::vector<SearchedAgent> list_searched_agents(Reader& reader, const HostRange& hosts);

/// Those with an open finding of that severity, ascending. Costs a look into an index each.
std::vector<HostId> list_hosts_with_severity(Reader& reader, const HostRange& hosts,
                                             std::int64_t severity_min, std::int64_t severity_max);
/// Those with an open finding that is known to be exploited, ascending.
std::vector<HostId> list_hosts_with_exploited(Reader& reader, const HostRange& hosts);
/// Hosts of the organisation with an open finding of that CVE, for each, in no order.
std::vector<HostId> list_hosts_with_cve(Reader& reader, OrgId org, std::string_view cve);

/// A package of an organisation's dictionary; views are valid during the call.
struct PackageVersion {
  PackageId id;
  std::string_view name;
  std::string_view version;
  model::Ecosystem ecosystem = model::Ecosystem::unknown;
};
/// Those of a name, or all of them.
void for_each_package_version(Reader& reader, OrgId org, const std::optional<std::string>& name,
                              const std::function<void(const PackageVersion&)>& each);
/// Every stored set of the organisation; `members` are valid during the call. Throws StoreError
/// when one is damaged.
void for_each_package_set(
    Reader& reader, OrgId org,
    const std::function<void(const crypto::KeyHash&, const std::vector<PackageId>& members)>& each);

}  // namespace muster::store
