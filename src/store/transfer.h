// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "crypto/sha256.h"
#include "store/driver.h"

/// All rows of an embedded store, moved into a new PostgreSQL database.
///
/// Rows go over in the order of their keys, some at a time, each batch in one transaction, so a
/// transfer that was cut short goes on after the last whole batch. When all are there, both sides
/// are read once more and compared, table by table. Until then the database carries a mark that
/// keeps servers from starting on it.
namespace muster::store {

struct TransferredTable {
  std::string name;
  std::int64_t rows = 0;
  crypto::Sha256 content;  // of all rows in the order of their keys; equal on both sides
};

struct Transfer {
  std::vector<TransferredTable> tables;  // those that a store keeps, in the order of their names
  std::int64_t rows_before = 0;          // that an earlier run had moved
};

/// How far it came: rows of a table that are in the database.
using TransferProgress = std::function<void(const std::string& table, std::int64_t rows)>;

/// Moves what `from` holds into the database of `to`. Nobody may write either meanwhile; both are
/// brought to the current schema. What is of one server's run (leases, announcements) stays behind.
/// Throws StoreError: when `to` is not empty and no transfer from this very store was begun there,
/// and when the two differ at the end, because `from` was written to between two runs.
Transfer transfer_store(Connection& from, Connection& to, const TransferProgress& progress);

/// Whether a transfer into the database was begun and not finished.
bool is_transfer_unfinished(Connection& connection);

}  // namespace muster::store
