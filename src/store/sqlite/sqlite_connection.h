// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "store/driver.h"

namespace muster::store {

/// Sets what SQLite takes once in a process, before anything is opened: every function that opens a
/// database by itself calls it first. A repeat changes nothing. Safe from several threads.
void configure_sqlite();

/// Opens a file as a SQLite database in WAL mode with synchronous=FULL: a commit that returned is
/// on disk. `vfs` names a registered SQLite VFS; empty is the system's. Throws StoreError.
std::unique_ptr<Connection> open_sqlite(const std::string& path, Access access,
                                        const std::string& vfs = {});

/// The embedded store of a data directory: its file muster.db.
class SqliteDatabase final : public Database {
 public:
  explicit SqliteDatabase(const std::string& directory, std::string vfs = {})
      : path_(directory + "/muster.db"), vfs_(std::move(vfs)) {}
  std::unique_ptr<Connection> connect(Access access) override {
    return open_sqlite(path_, access, vfs_);
  }
  bool remote() const override { return false; }

 private:
  std::string path_;
  std::string vfs_;
};

}  // namespace muster::store
