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

}  // namespace muster::store
