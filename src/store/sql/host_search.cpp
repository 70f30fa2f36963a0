// SPDX-License-Identifier: Apache-2.0
#include "store/sql/host_search.h"

#include "store/store.h"

namespace muster::store {

namespace {

std::vector<HostId> read_host_ids(Rows rows) {
  std::vector<HostId> ids;
  while (rows.next()) ids.push_back(rows.number_id<HostId>(0));
  return ids;
}

// Of the hosts that $1 to $3 range over, those with such a finding. Open findings have an index by
// host; the rank index, which begins with the status, could only be read whole.
#define HOSTS_WITH_FINDING(condition)                                                   \
  "SELECT h.host_id FROM hosts h WHERE h.org_id = $1 AND h.host_id BETWEEN $2 AND $3"   \
  " AND EXISTS (SELECT 1 FROM findings f WHERE f.org_id = $1 AND f.host_id = h.host_id" \
  " AND f.status = 'open' AND " condition ") ORDER BY h.host_id"

}  // namespace

std::vector<SearchedHost> list_searched_hosts(Reader& reader, std::optional<OrgId> org,
                                              HostId after, int count) {
  std::vector<SearchedHost> hosts;
  hosts.reserve(static_cast<std::size_t>(count));
  Rows rows = reader.query(
      "SELECT org_id, host_id, hostname_folded, os_name, os_version, os_kernel, arch, distro,"
      " ip_address, tags, operator_tags, first_seen, last_seen, last_report_at, package_set,"
      " package_count FROM hosts WHERE host_id > $2 AND ($1 IS NULL OR org_id = $1)"
      " ORDER BY host_id LIMIT $3",
      org, after, count);
  while (rows.next()) {
    SearchedHost& host = hosts.emplace_back();
    host.org = rows.number_id<OrgId>(0);
    host.id = rows.number_id<HostId>(1);
    host.hostname = rows.string(2);
    host.os_name = rows.string(3);
    host.os_version = rows.string(4);
    host.os_kernel = rows.string(5);
    host.arch = rows.string(6);
    host.distro = rows.string(7);
    host.ip_address = rows.string(8);
    host.tags = rows.string(9);
    host.operator_tags = rows.string(10);
    host.first_seen = rows.instant(11);
    host.last_seen = rows.instant(12);
    host.last_report_at = rows.maybe_instant(13);
    if (!rows.is_null(14)) host.package_set = rows.key_hash(14);
    host.package_count = rows.integer(15);
  }
  return hosts;
}

std::vector<SearchedAgent> list_searched_agents(Reader& reader, const HostRange& hosts) {
  std::vector<SearchedAgent> agents;
  Rows rows = reader.query(
      "SELECT host_id, status, os FROM agents WHERE org_id = $1 AND host_id BETWEEN $2 AND $3"
      " AND status IN ('active', 'disabled') ORDER BY host_id, agent_id",
      hosts.org, hosts.first, hosts.last);
  while (rows.next()) {
    agents.push_back({rows.number_id<HostId>(0), rows.text(1) == "disabled", rows.string(2)});
  }
  return agents;
}

std::vector<HostId> list_hosts_with_severity(Reader& reader, const HostRange& hosts,
                                             std::int64_t severity_min, std::int64_t severity_max) {
  return read_host_ids(reader.query(HOSTS_WITH_FINDING("f.severity BETWEEN $4 AND $5"), hosts.org,
                                    hosts.first, hosts.last, severity_min, severity_max));
}

std::vector<HostId> list_hosts_with_exploited(Reader& reader, const HostRange& hosts) {
  return read_host_ids(reader.query(HOSTS_WITH_FINDING("f.known_exploited + 0 = 1"), hosts.org,
                                    hosts.first, hosts.last));
}

std::vector<HostId> list_hosts_with_cve(Reader& reader, OrgId org, std::string_view cve) {
  return read_host_ids(reader.query(
      "SELECT host_id FROM findings WHERE org_id = $1 AND cve = $2 AND status = 'open'", org, cve));
}

void for_each_package_version(Reader& reader, OrgId org, const std::optional<std::string>& name,
                              const std::function<void(const PackageVersion&)>& each) {
  Rows rows =
      name
          ? reader.query(
                "SELECT package_id, name, version, ecosystem FROM packages"
                " WHERE org_id = $1 AND name = $2",
                org, *name)
          : reader.query(
                "SELECT package_id, name, version, ecosystem FROM packages WHERE org_id = $1", org);
  while (rows.next()) {
    each({rows.number_id<PackageId>(0), rows.text(1), rows.text(2),
          model::parse_ecosystem(rows.text(3))});
  }
}

#undef HOSTS_WITH_FINDING

}  // namespace muster::store
