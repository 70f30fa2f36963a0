// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "store/driver.h"

namespace muster::store {

/// A PostgreSQL database (13 or newer), by its address `postgresql://user@host/name?sslmode=…`
/// (libpq, 34.1.1.2). Passwords are better kept in ~/.pgpass or PGPASSFILE than in an address that
/// every user of the machine sees in the list of processes; either way they reach no log and no
/// exception. A pooler in between must pool sessions, not transactions: statements are prepared.
///
/// A commit that returned is on the server's disk: synchronous_commit is raised if it is off, and
/// fsync is the server's own affair. A statement that runs longer than a quarter of a minute, a
/// minute when it only reads, is given up, and so is a server that does not answer at all.
class PostgresDatabase final : public Database {
 public:
  static bool is_address(const std::string& url);
  /// Connects to nothing yet. Throws StoreError when `url` is not an address.
  explicit PostgresDatabase(std::string url);
  std::unique_ptr<Connection> connect(Access access) override;
  bool remote() const override { return true; }

 private:
  std::string url_;
};

}  // namespace muster::store
