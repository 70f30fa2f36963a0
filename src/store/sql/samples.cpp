// SPDX-License-Identifier: Apache-2.0
#include "store/sql/samples.h"

#include "store/store.h"

namespace muster::store {

void append_sample_blocks(Tx& tx, const std::vector<SampleBlockRow>& rows) {
  // What SQLite joins is text, whatever the parts are.
  tx.post_batch(
      "INSERT INTO sample_blocks (org_id, bucket, minute, segments) VALUES ($1, $2, $3, $4)"
      " ON CONFLICT (org_id, bucket, minute) DO UPDATE SET"
      " segments = CAST(sample_blocks.segments || excluded.segments AS blob)",
      "INSERT INTO sample_blocks (org_id, bucket, minute, segments)"
      " SELECT * FROM unnest($1, $2, $3, $4)"
      " ON CONFLICT (org_id, bucket, minute) DO UPDATE SET"
      " segments = sample_blocks.segments || excluded.segments",
      rows, [](const SampleBlockRow& row) {
        return std::array<Param, 4>{row.org, row.bucket, row.minute, Blob{row.block}};
      });
}

std::vector<SampleBlockRow> list_sample_blocks(Reader& reader, OrgId org, std::int64_t bucket,
                                               std::int64_t first_minute) {
  std::vector<SampleBlockRow> blocks;
  Rows rows = reader.query(
      "SELECT minute, segments FROM sample_blocks"
      " WHERE org_id = $1 AND bucket = $2 AND minute >= $3 ORDER BY minute",
      org, bucket, first_minute);
  while (rows.next()) {
    blocks.push_back({org, bucket, rows.integer(0), std::string(rows.blob(1))});
  }
  return blocks;
}

std::int64_t delete_old_sample_blocks(Tx& tx, std::int64_t before, int most) {
  return tx.execute(
      "DELETE FROM sample_blocks WHERE (org_id, bucket, minute) IN (SELECT org_id, bucket, minute"
      " FROM sample_blocks WHERE minute < $1 ORDER BY minute LIMIT $2)",
      before, most);
}

}  // namespace muster::store
