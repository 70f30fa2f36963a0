// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/test_directory.h"
#include "store/sqlite/sqlite_connection.h"
#include "store/store.h"

namespace muster::store::testing {

/// A database with the current schema in an empty directory. Migrations make it once for each
/// process, and the others are copies: that is quicker than every migration for every test.
inline std::unique_ptr<Database> open_with_schema(const std::string& directory) {
  static const TestDirectory migrated(memory_backed_path());
  static const bool made = [] {
    const Store store(std::make_unique<SqliteDatabase>(migrated.path()));
    return true;
  }();
  static_cast<void>(made);
  std::filesystem::copy(migrated.path(), directory);
  return std::make_unique<SqliteDatabase>(directory);
}

}  // namespace muster::store::testing
