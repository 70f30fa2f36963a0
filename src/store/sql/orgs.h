// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "store/total.h"

namespace muster::store {

class Reader;
class Tx;

struct Org {
  OrgId id;
  std::string name;
  Instant created_at;
};

std::vector<Org> list_orgs(Reader& reader);
std::optional<Org> find_org_by_name(Reader& reader, std::string_view name);
std::optional<Org> find_org(Reader& reader, OrgId id);
/// Gives it the next free id. False when the name is taken.
std::optional<OrgId> insert_org(Tx& tx, std::string_view name, Instant now);

/// The schema makes the organisation `default` without a clock; the first start dates it.
void date_default_org(Tx& tx, Instant now);

/// A sealed secret of the server (fleet/secrets), by name.
std::optional<std::string> find_secret(Reader& reader, std::string_view name);
void insert_secret(Tx& tx, std::string_view name, std::string_view sealed);

struct Setting {
  OrgId org;
  std::string scope;  // "org", "tag" or "host"; "default" with org 0 for the whole server
  std::string scope_id;
  std::string name;
  std::string value;  // JSON
};
std::vector<Setting> list_settings(Reader& reader);
std::vector<Setting> list_settings_of(Reader& reader, OrgId org, std::string_view scope,
                                      std::string_view scope_id);
void set_setting(Tx& tx, const Setting& setting);

/// Something that happened to an agent or host.
struct EventRow {
  OrgId org;
  EventId id;
  Instant at;
  std::string type;
  std::optional<AgentId> agent;
  std::optional<HostId> host;
  std::string details;  // JSON object
  /// What its host is called when the row is read; of none, or of a deleted host, nothing.
  std::optional<std::string> hostname = std::nullopt;
};
void insert_event(Tx& tx, const EventRow& row);
/// All of one organisation.
void insert_events(Tx& tx, OrgId org, const std::vector<EventRow>& rows);
/// Which events are meant; what is not given leaves nothing out.
struct EventFilter {
  std::optional<OrgId> org;
  std::optional<AgentId> agent;
  std::optional<HostId> host;
  std::optional<std::string> type;
  EventId from{};                // ids from here on
  EventId below{number_id_max};  // ids below this
  std::optional<Instant> since;  // at or after
  std::optional<Instant> until;  // before
};
/// Newest first, `before` excluded.
std::vector<EventRow> list_events(Reader& reader, const EventFilter& filter, EventId before,
                                  int count);
/// Deletes the oldest events below `below`, at most `most`. Returns how many.
std::int64_t delete_old_events(Tx& tx, EventId below, int most);
Total count_events(Reader& reader, const EventFilter& filter);

}  // namespace muster::store
