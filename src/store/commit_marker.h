// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace muster::store {

class Connection;
class Tx;

/// A row of the table `writers` that every transaction of one writer rewrites with the next number,
/// so that the database itself says whether a commit took effect whose answer was lost. A row and
/// not the server's transaction ids: a crash may give an id that nobody saw commit to somebody
/// else. A clean end takes the row away; a crash leaves it, sixteen octets.
class CommitMarker {
 public:
  /// Adds the row, outside a transaction. Throws StoreError.
  explicit CommitMarker(Connection& connection);

  std::int64_t writer() const { return writer_; }
  /// Marks the transaction.
  void set(Tx& tx);
  /// Whether the transaction that was marked last took effect. Waits until it no longer runs, for
  /// it holds the row. Throws StoreError when that takes too long and when there is no row.
  bool is_set(Connection& connection) const;
  void remove(Connection& connection) const;

 private:
  std::int64_t writer_ = 0;
  std::int64_t commits_ = 0;
};

}  // namespace muster::store
