// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/history.h"
#include "model/alert.h"
#include "store/sql/alerts.h"

namespace muster {
struct Config;
}
namespace muster::store {
class Store;
class Tx;
}  // namespace muster::store

/// Alerts by query (docs/adr/0030): an organisation's queries that the server that leads asks once
/// a minute, and tells of in an event whenever one begins to hold, fires or ends.
namespace muster::fleet {

class PresenceTable;

struct AlertOrder {
  OrgId org;
  std::string name;
  std::string query;  // model/host_query.h
  model::AlertCondition condition;
};
/// Fails with name_taken, and with invalid_field of `name` (none, or limits::alerts_of_org
/// already), `query`, `threshold` or `for_seconds`.
Result<store::AlertRow> create_alert(store::Tx& tx, NumberIds& ids, const Actor& actor,
                                     const AlertOrder& order, Instant now);
/// Returns what it was. Fails with not_found.
Result<store::AlertRow> delete_alert(store::Tx& tx, NumberIds& ids, const Actor& actor, AlertId id,
                                     Instant now);
/// Until then its events are not told to webhooks; with nothing they are again. Fails with
/// not_found.
Result<store::AlertRow> mute_alert(store::Tx& tx, NumberIds& ids, const Actor& actor, AlertId id,
                                   std::optional<Instant> until, Instant now);
/// Says that somebody looks after it, until it is ok. Fails with not_found, and with
/// illegal_transition for an alert that is ok.
Result<store::AlertRow> acknowledge_alert(store::Tx& tx, NumberIds& ids, const Actor& actor,
                                          AlertId id, Instant now);

/// An alert and how telling of it goes.
struct AlertView {
  store::AlertRow alert;
  std::vector<std::string> failing_webhooks;  // that want its events and whose last call failed
};
/// By organisation, then age.
std::vector<AlertView> list_alerts(store::Store& store, std::optional<OrgId> org);
/// Fails with not_found.
Result<AlertView> show_alert(store::Store& store, AlertId id);

/// What a pass over the alerts did.
struct AlertPass {
  std::size_t evaluated = 0;
  std::size_t failed = 0;  // of these: could not be asked
  std::size_t moved = 0;   // changed their state
  std::size_t late = 0;    // were due and have to wait for the next pass
};

/// Evaluates alerts, on the server that leads. For one thread.
class AlertWatch {
 public:
  /// Asks what is due: each alert once in limits::alert_every, those first that wait longest, for
  /// no longer than limits::alert_pass. One that asks who is offline waits until the server has
  /// listened for long enough to know. Between two servers that both take themselves for the
  /// leader, and over a restart, each change of state is told once: it is committed with the
  /// evaluation that it follows from, if nobody committed a later one. `clock` gives the time; once
  /// `goes_on` says no, the rest waits. Throws store::StoreError.
  AlertPass look(store::Store& store, NumberIds& ids, const PresenceTable& presence,
                 const Config& config, const std::function<Instant()>& clock,
                 const std::function<bool()>& goes_on);

 private:
  std::map<AlertId, Instant> tried_;  // alerts that could not be asked
};

}  // namespace muster::fleet

namespace muster::limits {

/// Each costs a search of all hosts a minute, 0.2 to 0.8 s of one core at 100,000.
inline constexpr std::size_t alerts_of_org = 50;
/// Of all organisations together.
inline constexpr std::size_t alerts = 200;
inline constexpr Duration alert_every = std::chrono::seconds(60);
/// What a pass takes at most; the thread then rests as long. So alerts use half a core.
inline constexpr Duration alert_pass = std::chrono::seconds(20);
inline constexpr std::int64_t alert_mute_seconds_max = std::int64_t{366} * 24 * 3600;

}  // namespace muster::limits
