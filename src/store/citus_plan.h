// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

/// What spreads a PostgreSQL store over the workers of a Citus cluster (docs/reference/citus.md):
/// tables whose key leads with org_id are distributed by it and lie together, all others are
/// reference tables, whole on each worker, but for those of the servers themselves, which stay on
/// the coordinator. Derived from the schema, not kept beside it.
namespace muster::store {

struct CitusTable {
  std::string name;
  bool distributed = false;
  /// Unique indexes without org_id, which Citus refuses on a distributed table.
  std::vector<std::string> offending_indexes;
};

struct CitusPlan {
  std::vector<CitusTable> tables;  // in the order of their names
  std::vector<std::string> statements;
  /// As a script for psql.
  std::string script() const;
};

/// Throws StoreError.
CitusPlan plan_citus();

}  // namespace muster::store
