// SPDX-License-Identifier: Apache-2.0
#include "fleet/orgs.h"

#include <algorithm>

#include "base/text.h"
#include "store/store.h"

namespace muster::fleet {

Result<Org> create_org(store::Tx& tx, NumberIds& ids, const Actor& actor, const std::string& name,
                       Instant now) {
  if (parse_int(name)) return invalid_field("name", "must not be a number");
  const std::optional<OrgId> id = store::insert_org(tx, name, now);
  if (!id) {
    return Error{Errc::name_taken, "name: there is an organisation of that name", "name"};
  }
  record_audit(
      tx, ids, *id, actor, "orgs.create", std::to_string(id->value),
      [&](JsonWriter& details) { details.member("name", name); }, now);
  return Org{*id, name, now};
}

Error no_such_org() {
  return {Errc::not_found, "org: there is no such organisation", "org"};
}

Result<OrgId> resolve_org(store::Store& store, std::string_view id_or_name) {
  return store.read([&](store::Reader& reader) -> Result<OrgId> {
    const auto number = parse_int(id_or_name);
    const auto org = number ? store::find_org(reader, OrgId{*number})
                            : store::find_org_by_name(reader, id_or_name);
    if (!org) return no_such_org();
    return org->id;
  });
}

std::vector<Org> list_all_orgs(store::Store& store) {
  auto orgs = store.read([](store::Reader& reader) { return store::list_orgs(reader); });
  std::reverse(orgs.begin(), orgs.end());
  return orgs;
}

std::vector<InventoryKey> list_all_keys(store::Store& store) {
  auto keys = store.read([](store::Reader& reader) { return store::list_inventory_keys(reader); });
  std::reverse(keys.begin(), keys.end());
  return keys;
}

}  // namespace muster::fleet
