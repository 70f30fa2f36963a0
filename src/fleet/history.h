// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/json_write.h"
#include "base/result.h"
#include "base/time.h"
#include "model/event_type.h"
#include "store/sql/orgs.h"
#include "store/total.h"

namespace muster::store {
class Tx;
class Store;
}  // namespace muster::store

namespace muster::fleet {

/// Fills the members of a details object.
using Details = std::function<void(JsonWriter&)>;

/// Who changed something: "operator:12", "key:12" (a site) or "server".
struct Actor {
  std::string text;
  static Actor operator_token(OperatorId id);
  static Actor inventory_key(KeyId id);
  static Actor server() { return {"server"}; }
};
/// Who is meant by an operator's id or by an actor's own text. Fails with invalid_field naming
/// `actor`.
Result<Actor> parse_actor(std::string_view text);

/// Appends to the audit log, in the transaction of the change itself. `details` holds no secrets.
void record_audit(store::Tx& tx, NumberIds& ids, OrgId org, const Actor& actor,
                  std::string_view action, std::string_view target, const Details& details,
                  Instant now);

/// Whether webhooks are told of an event (fleet/webhooks.h).
enum class Telling : std::uint8_t { told, quiet };

/// Events of one organisation that one transaction writes together.
class EventRows {
 public:
  EventRows(NumberIds& ids, OrgId org) : ids_(ids), org_(org) {}

  /// Returns the event's id; calls `details` before it returns.
  EventId add(model::EventType type, std::optional<AgentId> agent, std::optional<HostId> host,
              const Details& details, Instant now);
  /// Appends what was added, in the transaction of what happened, and lets it wait for the webhooks
  /// that want its type.
  void record(store::Tx& tx, Telling telling = Telling::told);

 private:
  NumberIds& ids_;
  OrgId org_;
  std::vector<store::EventRow> rows_;
};

/// Records one event of an agent or host. Returns its id.
EventId record_event(store::Tx& tx, NumberIds& ids, OrgId org, model::EventType type,
                     std::optional<AgentId> agent, std::optional<HostId> host,
                     const Details& details, Instant now, Telling telling = Telling::told);

/// Pages of a history as JSON objects, newest first. `cursor` is the id of the last row of the page
/// before; empty starts at the newest. `next_cursor` is empty on the last page. Fail with
/// invalid_field for a cursor that is none.
struct HistoryPage {
  std::vector<std::string> rows;
  std::string next_cursor;
  store::Total total;
};

/// Which rows of the audit log an operator asks for; what is not given leaves nothing out.
struct AuditQuestion {
  std::optional<OrgId> org;  // 0 is the whole server
  std::optional<Actor> actor;
  std::optional<std::string> action;
  std::optional<std::string> target;
  std::optional<Instant> since;  // at or after
  std::optional<Instant> until;  // before
};
Result<HistoryPage> list_audit_page(store::Store& store, const AuditQuestion& question,
                                    std::string_view cursor, int count);

/// An event as an object: what operators list and webhooks send.
void write_event(JsonWriter& json, const store::EventRow& event);

/// Which events an operator asks for; what is not given leaves nothing out.
struct EventQuestion {
  std::optional<OrgId> org;
  std::optional<AgentId> agent;
  std::optional<HostId> host;
  std::optional<model::EventType> type;
  std::optional<Instant> since;  // at or after
  std::optional<Instant> until;  // before
};
Result<HistoryPage> list_event_page(store::Store& store, const EventQuestion& question,
                                    std::string_view cursor, int count);

/// Deletes events and ended outages older than `keep`, in transactions of limits::prune_rows, at
/// most limits::prune_rounds of them; the next call goes on. Returns the rows. Throws
/// store::StoreError.
std::int64_t prune_events(store::Store& store, Duration keep, Instant now);

}  // namespace muster::fleet
