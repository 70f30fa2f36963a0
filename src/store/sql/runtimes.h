// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/ids.h"
#include "base/time.h"

namespace muster::store {

class Reader;
class Tx;

/// What runs on a host (model/runtime.h).
struct HostRuntimeRow {
  OrgId org;
  HostId host;
  std::string hash;  // of all of it, as its agent names it
  std::string listening;
  std::string services;
  Instant reported_at;
};
std::optional<HostRuntimeRow> find_host_runtime(Reader& reader, OrgId org, HostId host);
/// Inserts or rewrites the one of its host.
void set_host_runtime(Tx& tx, const HostRuntimeRow& row);

}  // namespace muster::store
