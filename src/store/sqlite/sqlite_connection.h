// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "store/driver.h"

namespace muster::store {

enum class SqliteAccess { read_write, read_only };

/// Opens a file as a SQLite database in WAL mode with synchronous=FULL: a commit that returned is
/// on disk. Throws StoreError.
std::unique_ptr<Connection> open_sqlite(const std::string& path, SqliteAccess access);

}  // namespace muster::store
