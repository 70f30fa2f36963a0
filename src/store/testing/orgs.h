// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "store/store.h"

// Rows for tests that ask whether something was stored.

namespace muster::store::testing {

/// The first, which every database has, counted.
inline std::int64_t count_orgs(Store& store) {
  return store.read([](Reader& reader) {
    Rows rows = reader.query("SELECT count(*) FROM orgs");
    rows.next();
    return rows.integer(0);
  });
}

inline void insert_org(Tx& tx, std::int64_t id) {
  tx.execute("INSERT INTO orgs (org_id, name, created_at) VALUES ($1, $2, $3)", id,
             "org " + std::to_string(id), 0);
}

}  // namespace muster::store::testing
