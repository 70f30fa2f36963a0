// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "crypto/keyed_hash.h"
#include "model/set_hash.h"
#include "store/total.h"

namespace muster::store {

class Reader;
class Tx;

/// What a site's key reports of a host that is not the host's own software. The row counts as one
/// host of its package set (insert_package_set).
struct HostSource {
  OrgId org;
  HostId host;
  KeyId key;
  std::string hostname;  // as it was sent
  crypto::KeyHash package_set;
  std::int64_t package_count = 0;
  std::int64_t matched = 0;          // packages with an identity
  std::int64_t vulnerabilities = 0;  // advisories that hit them
  Instant reported_at;
  std::optional<model::SetHash> set_hash;  // of the set; none: its key asks for none
};
/// Inserts or rewrites.
void set_host_source(Tx& tx, const HostSource& source);
std::optional<HostSource> find_host_source(Reader& reader, OrgId org, HostId host, KeyId key);
void delete_host_source(Tx& tx, OrgId org, HostId host, KeyId key);
/// In the order of their keys.
struct ListedSource {
  HostSource source;
  std::string key_name;
};
std::vector<ListedSource> list_host_sources(Reader& reader, OrgId org, HostId host);

/// What a host's reports said was gone and an operator has yet to approve. The row counts as one
/// host of its package set.
struct HeldReport {
  OrgId org;
  HostId host;
  crypto::KeyHash package_set;     // what would go
  std::int64_t package_count = 0;  // of it
  std::int64_t reports = 1;        // that said so
  Instant held_at;                 // the first of them
  Instant reported_at;             // the last
};
/// Inserts or rewrites the one of its host.
void set_held_report(Tx& tx, const HeldReport& held);
std::optional<HeldReport> find_held_report(Reader& reader, OrgId org, HostId host);
void delete_held_report(Tx& tx, OrgId org, HostId host);
/// With what lists show of the host.
struct ListedHold {
  HeldReport held;
  std::string hostname;
  std::int64_t host_packages = 0;  // all that are stored of it
};
/// In the order of hosts, from after `after`; of one organisation if given.
std::vector<ListedHold> list_held_reports(Reader& reader, std::optional<OrgId> org, HostId after,
                                          int count);
Total count_held_reports(Reader& reader, std::optional<OrgId> org);

/// A lock file that a dependency scan found on a host. The row counts as one host of its package
/// set.
struct HostLockfile {
  OrgId org;
  HostId host;
  std::string path;  // of the project, and the file's name
  crypto::KeyHash package_set;
  std::int64_t package_count = 0;
  std::int64_t direct = 0;           // packages that the project asks for itself
  std::int64_t vulnerable = 0;       // packages
  std::int64_t vulnerabilities = 0;  // advisories that hit them
  Instant reported_at;
};
/// Inserts or rewrites.
void set_host_lockfile(Tx& tx, const HostLockfile& lockfile);
void delete_host_lockfile(Tx& tx, OrgId org, HostId host, std::string_view path);
/// In the order of their paths.
std::vector<HostLockfile> list_host_lockfiles(Reader& reader, OrgId org, HostId host);

}  // namespace muster::store
