// SPDX-License-Identifier: Apache-2.0
#include "store/sql/identity_overrides.h"

#include "store/sql/text_list.h"
#include "store/store.h"

namespace muster::store {

namespace {

#define OVERRIDE_COLUMNS "org_id, name, vendor, skipped, products, cleared, changed_at, matched"

std::vector<IdentityOverrideRow> read_overrides(Rows rows) {
  std::vector<IdentityOverrideRow> overrides;
  while (rows.next()) {
    IdentityOverrideRow& row = overrides.emplace_back();
    row.org = rows.number_id<OrgId>(0);
    row.name = rows.string(1);
    row.vendor = rows.string(2);
    if (!rows.boolean(5)) row.identity = decode_identity(rows.boolean(3), rows.text(4));
    row.changed_at = rows.instant(6);
    row.matched = rows.boolean(7);
  }
  return overrides;
}

std::string encode_products(const std::vector<model::ProductName>& products) {
  std::vector<std::string> names;
  for (const model::ProductName& each : products) {
    names.push_back(each.vendor);
    names.push_back(each.product);
  }
  return encode_text_list(names);
}

}  // namespace

model::IdentityOverride decode_identity(bool skipped, std::string_view products) {
  model::IdentityOverride identity;
  identity.skipped = skipped;
  const std::vector<std::string> names = decode_text_list(products);
  for (std::size_t i = 0; i + 1 < names.size(); i += 2) {
    identity.products.push_back({names[i], names[i + 1]});
  }
  return identity;
}

void set_identity_override(Tx& tx, const IdentityOverrideRow& row) {
  const model::IdentityOverride identity = row.identity.value_or(model::IdentityOverride{});
  tx.post("INSERT INTO identity_overrides (" OVERRIDE_COLUMNS
          ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (org_id, name, vendor)"
          " DO UPDATE SET skipped = excluded.skipped, products = excluded.products,"
          " cleared = excluded.cleared, changed_at = excluded.changed_at,"
          " matched = excluded.matched",
          row.org, row.name, row.vendor, identity.skipped, encode_products(identity.products),
          !row.identity.has_value(), row.changed_at, row.matched);
}

void set_identity_override_matched(Tx& tx, const IdentityOverrideRow& row) {
  tx.post(
      "UPDATE identity_overrides SET matched = 1"
      " WHERE org_id = $1 AND name = $2 AND vendor = $3 AND changed_at = $4",
      row.org, row.name, row.vendor, row.changed_at);
  tx.post(
      "DELETE FROM identity_overrides"
      " WHERE org_id = $1 AND name = $2 AND vendor = $3 AND matched = 1 AND cleared = 1",
      row.org, row.name, row.vendor);
}

std::optional<IdentityOverrideRow> find_identity_override(Reader& reader, OrgId org,
                                                          std::string_view name,
                                                          std::string_view vendor) {
  auto found = read_overrides(
      reader.query("SELECT " OVERRIDE_COLUMNS
                   " FROM identity_overrides WHERE org_id = $1 AND name = $2 AND vendor = $3",
                   org, name, vendor));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<IdentityOverrideRow> list_unmatched_identity_overrides(Reader& reader) {
  return read_overrides(reader.query(
      "SELECT " OVERRIDE_COLUMNS
      " FROM identity_overrides WHERE org_id IN (SELECT org_id FROM orgs) AND matched = 0"
      " ORDER BY org_id, name, vendor"));
}

}  // namespace muster::store
