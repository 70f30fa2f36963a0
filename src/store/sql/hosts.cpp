// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "store/sql/agents.h"
#include "store/sql/text_list.h"
#include "store/store.h"

namespace muster::store {

using model::Host;

namespace {

Host read_host(const Rows& rows) {
  Host host;
  host.org = rows.number_id<OrgId>(0);
  host.id = rows.number_id<HostId>(1);
  host.hostname = rows.string(2);
  host.machine_id = rows.string(3);
  host.os_name = rows.string(4);
  host.os_version = rows.string(5);
  host.os_kernel = rows.string(6);
  host.arch = rows.string(7);
  host.distro = rows.string(8);
  host.ip_address = rows.string(9);
  host.tags = decode_text_list(rows.text(10));
  host.first_seen = rows.instant(11);
  host.last_seen = rows.instant(12);
  host.last_report_at = rows.maybe_instant(13);
  if (!rows.is_null(14)) host.package_set = rows.key_hash(14);
  host.package_count = rows.integer(15);
  host.operator_tags = decode_text_list(rows.text(16));
  host.machine_shared = rows.boolean(17);
  if (!rows.is_null(18)) host.software_agent = rows.uuid_id<AgentId>(18);
  host.held_packages = rows.integer(19);
  if (!rows.is_null(20)) host.set_hash = model::SetHash{rows.sha256(20)};
  host.last_full_at = rows.maybe_instant(21);
  return host;
}

std::vector<Host> read_hosts(Rows rows) {
  std::vector<Host> hosts;
  while (rows.next()) hosts.push_back(read_host(rows));
  return hosts;
}

std::optional<Host> first(std::vector<Host> hosts) {
  if (hosts.empty()) return std::nullopt;
  return std::move(hosts.front());
}

// Adjacent literals, so that each statement is one literal and keeps its own address.
#define HOST_COLUMNS                                                                       \
  "org_id, host_id, hostname, machine_id, os_name, os_version, os_kernel, arch, distro,"   \
  " ip_address, tags, first_seen, last_seen, last_report_at, package_set, package_count, " \
  "operator_tags, machine_shared, software_agent, held_packages, set_hash, last_full_at"

// $1 to $3 as BoundFilter has them. Both engines compare replace() octet by octet, which LIKE in
// SQLite does not.
#define HOSTS_FILTERED                                                       \
  " ($1 IS NULL OR org_id = $1)"                                             \
  " AND ($2 IS NULL OR replace(hostname_folded, $2, '') <> hostname_folded)" \
  " AND ($3 IS NULL OR replace(tags, $3, '') <> tags"                        \
  " OR replace(operator_tags, $3, '') <> operator_tags)"

struct BoundFilter {
  explicit BoundFilter(const HostFilter& filter) : org(filter.org) {
    if (!filter.hostname.empty()) hostname = fold_case(filter.hostname);
    if (!filter.tag.empty()) tag = text_list_element(filter.tag);
  }
  std::optional<OrgId> org;
  std::optional<std::string> hostname, tag;
};

}  // namespace

void insert_host(Tx& tx, const Host& host) {
  tx.post("INSERT INTO hosts (" HOST_COLUMNS
          ", hostname_folded) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,"
          " $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)",
          host.org, host.id, host.hostname, host.machine_id, host.os_name, host.os_version,
          host.os_kernel, host.arch, host.distro, host.ip_address, encode_text_list(host.tags),
          host.first_seen, host.last_seen, host.last_report_at, host.package_set,
          host.package_count, encode_text_list(host.operator_tags), host.machine_shared,
          host.software_agent, host.held_packages, host.set_hash, host.last_full_at,
          fold_case(host.hostname));
}

void set_host(Tx& tx, const Host& host) {
  tx.post(
      "UPDATE hosts SET os_name = $3, os_version = $4, os_kernel = $5, arch = $6, distro = $7,"
      " ip_address = $8, tags = $9, last_seen = $10, last_report_at = $11, package_set = $12,"
      " package_count = $13, software_agent = $14, held_packages = $15, set_hash = $16,"
      " last_full_at = $17 WHERE org_id = $1 AND host_id = $2",
      host.org, host.id, host.os_name, host.os_version, host.os_kernel, host.arch, host.distro,
      host.ip_address, encode_text_list(host.tags), host.last_seen, host.last_report_at,
      host.package_set, host.package_count, host.software_agent, host.held_packages, host.set_hash,
      host.last_full_at);
  // SQLite writes each index of a column that is set, whether its value changes or not.
  tx.post(
      "UPDATE hosts SET hostname = $3, hostname_folded = $4, machine_id = $5,"
      " machine_shared = CASE WHEN machine_id <> $5 THEN 0 ELSE machine_shared END"
      " WHERE org_id = $1 AND host_id = $2 AND (hostname <> $3 OR machine_id <> $5)",
      host.org, host.id, host.hostname, fold_case(host.hostname), host.machine_id);
}

void set_host_operator_tags(Tx& tx, const Host& host) {
  tx.post("UPDATE hosts SET operator_tags = $3 WHERE org_id = $1 AND host_id = $2", host.org,
          host.id, encode_text_list(host.operator_tags));
}

void set_host_reported(Tx& tx, const Host& host) {
  tx.post(
      "UPDATE hosts SET last_seen = $3, last_report_at = $4, package_set = $5, package_count = $6,"
      " software_agent = $7, held_packages = $8, set_hash = $9, last_full_at = $10"
      " WHERE org_id = $1 AND host_id = $2",
      host.org, host.id, host.last_seen, host.last_report_at, host.package_set, host.package_count,
      host.software_agent, host.held_packages, host.set_hash, host.last_full_at);
}

void delete_host(Tx& tx, OrgId org, HostId id) {
  tx.post("DELETE FROM findings WHERE org_id = $1 AND host_id = $2", org, id);
  tx.post("DELETE FROM host_images WHERE org_id = $1 AND host_id = $2", org, id);
  tx.post("DELETE FROM host_runtimes WHERE org_id = $1 AND host_id = $2", org, id);
  tx.post("DELETE FROM host_presence WHERE org_id = $1 AND host_id = $2", org, id);
  tx.post("DELETE FROM acceptances WHERE org_id = $1 AND scope = 'host' AND subject = $2", org,
          std::to_string(id.value));
  // Keys of both begin with something else than the host; there are few of it in an organisation.
  tx.post(
      "DELETE FROM key_uses WHERE org_id = $1 AND host_id = $2 AND key_id IN"
      " (SELECT key_id FROM inventory_keys WHERE org_id = $1)",
      org, id);
  tx.post(
      "DELETE FROM latest_results WHERE org_id = $1 AND host_id = $2 AND test_uuid IN"
      " (SELECT DISTINCT test_uuid FROM results WHERE org_id = $1 AND host_id = $2)",
      org, id);
  tx.post("DELETE FROM hosts WHERE org_id = $1 AND host_id = $2", org, id);
}

std::optional<Host> find_host(Reader& reader, OrgId org, HostId id) {
  return first(read_hosts(reader.query(
      "SELECT " HOST_COLUMNS " FROM hosts WHERE org_id = $1 AND host_id = $2", org, id)));
}

std::optional<Host> find_host_by_machine(Reader& reader, OrgId org, std::string_view machine_id) {
  return first(read_hosts(reader.query("SELECT " HOST_COLUMNS
                                       " FROM hosts WHERE org_id = $1 AND machine_id = $2"
                                       " AND machine_id <> '' AND machine_shared = 0"
                                       " ORDER BY host_id DESC LIMIT 1",
                                       org, machine_id)));
}

std::vector<Host> list_hosts_of_machine(Reader& reader, OrgId org, std::string_view machine_id,
                                        int count) {
  return read_hosts(reader.query("SELECT " HOST_COLUMNS
                                 " FROM hosts WHERE org_id = $1 AND machine_id = $2"
                                 " AND machine_id <> '' ORDER BY last_seen DESC LIMIT $3",
                                 org, machine_id, count));
}

std::vector<Host> list_hosts_named(Reader& reader, OrgId org, std::string_view hostname,
                                   int count) {
  return read_hosts(reader.query("SELECT " HOST_COLUMNS
                                 " FROM hosts WHERE hostname_folded = $2 AND org_id = $1"
                                 " ORDER BY last_seen DESC, host_id LIMIT $3",
                                 org, fold_case(hostname), count));
}

void set_machine_shared(Tx& tx, OrgId org, std::string_view machine_id) {
  tx.post(
      "UPDATE hosts SET machine_shared = 1"
      " WHERE org_id = $1 AND machine_id = $2 AND machine_id <> ''",
      org, machine_id);
}

std::optional<Host> find_host_by_hostname(Reader& reader, OrgId org, std::string_view hostname) {
  return first(read_hosts(reader.query("SELECT " HOST_COLUMNS
                                       " FROM hosts WHERE hostname_folded = $2 AND org_id = $1"
                                       " ORDER BY host_id DESC LIMIT 1",
                                       org, fold_case(hostname))));
}

std::vector<Host> list_hosts_elsewhere(Reader& reader, OrgId org, std::string_view hostname) {
  return read_hosts(reader.query("SELECT " HOST_COLUMNS
                                 " FROM hosts WHERE hostname_folded = $2 AND org_id <> $1",
                                 org, fold_case(hostname)));
}

std::vector<Host> list_hosts(Reader& reader, const HostFilter& filter, HostId after, int count) {
  const BoundFilter bound(filter);
  return read_hosts(reader.query("SELECT " HOST_COLUMNS
                                 " FROM hosts WHERE host_id > $4 AND" HOSTS_FILTERED
                                 " ORDER BY host_id LIMIT $5",
                                 bound.org, bound.hostname, bound.tag, after, count));
}

Total count_hosts(Reader& reader, const HostFilter& filter) {
  const BoundFilter bound(filter);
  return read_total(reader.query("SELECT count(*) FROM (SELECT 1 FROM hosts WHERE" HOSTS_FILTERED
                                 " LIMIT $4) AS counted",
                                 bound.org, bound.hostname, bound.tag, limits::counted_rows + 1));
}

std::vector<Host> list_hosts_named(Reader& reader, std::string_view hostname) {
  return read_hosts(reader.query("SELECT " HOST_COLUMNS
                                 " FROM hosts WHERE hostname_folded = $1 ORDER BY last_seen DESC",
                                 fold_case(hostname)));
}

}  // namespace muster::store
