// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace muster::store {

class Reader;
class Tx;

/// A query with a name.
struct SavedView {
  OrgId org;
  std::string name;
  std::string query;
  Instant set_at;
  std::string set_by;
};
/// In place of the one of its name, if there is one.
void set_saved_view(Tx& tx, const SavedView& view);
/// Whether there was one.
bool delete_saved_view(Tx& tx, OrgId org, std::string_view name);
std::optional<SavedView> find_saved_view(Reader& reader, OrgId org, std::string_view name);
/// Of an organisation or of all, by organisation, then name, octet by octet.
std::vector<SavedView> list_saved_views(Reader& reader, std::optional<OrgId> org);

}  // namespace muster::store
