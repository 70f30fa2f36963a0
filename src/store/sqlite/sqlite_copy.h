// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace muster::store {

/// How far a copy came, in bytes of the database.
using CopyProgress = std::function<void(std::uint64_t done, std::uint64_t of)>;

/// Copies a SQLite database as it is at one moment into the new file `to` (mode 0600), while
/// servers go on writing to it: they wait for nothing, and what they commit meanwhile stays in
/// their WAL until the copy ends. When it returns, `to` is whole, on disk, and one file. Returns
/// its size in bytes. Throws StoreError, also when `to` exists; there is no such file then, or the
/// one that was there.
std::uint64_t copy_sqlite(const std::string& from, const std::string& to,
                          const CopyProgress& progress);

/// Gives a database that nobody has open the name `to` on the same file system. When it returns,
/// `to` is whole, on disk, and one file. Throws StoreError, also when `to` exists.
void move_sqlite(const std::string& from, const std::string& to);

/// Reads a whole database, which nobody writes, and throws StoreError for the first page, row or
/// index that is not as it must be.
void check_sqlite(const std::string& path);

}  // namespace muster::store
