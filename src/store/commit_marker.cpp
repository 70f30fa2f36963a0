// SPDX-License-Identifier: Apache-2.0
#include "store/commit_marker.h"

#include <array>

#include "store/store.h"

namespace muster::store {

CommitMarker::CommitMarker(Connection& connection) {
  connection.begin_alone();
  const auto insert = connection.prepare(
      "INSERT INTO writers (writer_id, commits)"
      " VALUES ((SELECT coalesce(max(writer_id), 0) + 1 FROM writers), 0) RETURNING writer_id");
  if (!insert->step()) throw StoreError("writers: no row was added");
  writer_ = insert->integer(0);
  insert->reset();
  connection.commit();
}

void CommitMarker::set(Tx& tx) {
  ++commits_;
  tx.post("UPDATE writers SET commits = $2 WHERE writer_id = $1", writer_, commits_);
}

bool CommitMarker::is_set(Connection& connection) const {
  // An update waits for the transaction that holds the row; a plain read would not.
  const auto look = connection.prepare(
      "UPDATE writers SET commits = commits WHERE writer_id = $1 RETURNING commits");
  const std::array<Param, 1> params = {Param(writer_)};
  look->bind(params);
  if (!look->step()) throw StoreError("writers: the database is not the one that was written to");
  const bool found = look->integer(0) == commits_;
  look->reset();
  return found;
}

void CommitMarker::remove(Connection& connection) const {
  const auto remove = connection.prepare("DELETE FROM writers WHERE writer_id = $1");
  const std::array<Param, 1> params = {Param(writer_)};
  remove->bind(params);
  remove->step();
  remove->reset();
}

}  // namespace muster::store
