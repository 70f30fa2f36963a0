// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "model/alert.h"

namespace muster::store {

class Reader;
class Tx;

/// A query that is watched, and where it stands.
struct AlertRow {
  OrgId org;
  AlertId id;
  std::string name;
  std::string query;
  model::AlertCondition condition;
  Instant created_at;
  std::string created_by;
  model::AlertCourse course;
  std::optional<model::HostCount> hosts;  // when the query was last asked
  std::string failure;                    // why it could not be asked then; empty if it could
  std::optional<Instant> acknowledged_at;
  std::string acknowledged_by;
  std::optional<Instant> muted_until;
  std::string muted_by;
};

/// Fails, with a StoreError of kind duplicate, for a name that there is.
void insert_alert(Tx& tx, const AlertRow& alert);
/// All but what it was created with.
void set_alert_course(Tx& tx, const AlertRow& alert);
void delete_alert(Tx& tx, OrgId org, AlertId id);
std::optional<AlertRow> find_alert(Reader& reader, OrgId org, AlertId id);
/// Asks every organisation.
std::optional<AlertRow> find_alert_anywhere(Reader& reader, AlertId id);
/// Of an organisation or of all, by organisation, then id.
std::vector<AlertRow> list_alerts(Reader& reader, std::optional<OrgId> org);

}  // namespace muster::store
