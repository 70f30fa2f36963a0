// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "base/guarded.h"
#include "base/ids.h"
#include "base/json_read.h"
#include "base/result.h"
#include "fleet/history.h"
#include "http/role.h"
#include "model/approval.h"

namespace muster::store {
class Reader;
class Store;
class Tx;
struct Setting;
}  // namespace muster::store

namespace muster::fleet {

class HostDirectory;

/// The settings of one host after host, tag, organisation and server defaults were laid over each
/// other, in that order.
struct HostSettings {
#define BOOLEAN(name, fallback, meaning) bool name = fallback;
#define INTEGER(name, fallback, min, max, meaning) std::int64_t name = fallback;
#define TEXT(name, fallback, bytes_max, meaning) std::string name = fallback;
  // 0 and empty: not set, the agent's own.
#define AGENT_INTEGER(name, min, max, meaning) std::int64_t name = 0;
#define AGENT_WORD(name, choices, meaning) std::string name;
#define AGENT_WORDS(name, choices, meaning) std::string name;
#define ORG_WORD(name, fallback, choices, meaning) std::string name = fallback;
#define ORG_INTEGER(name, fallback, min, max, meaning) std::int64_t name = fallback;
#include "fleet/settings.def"
};

/// What muster-agent on a host with these settings is given: a JSON object of what is set for
/// agents, the same text for the same settings; empty when nothing is.
std::string agent_document(const HostSettings& settings);
/// The name of a document: its SHA-256 in hexadecimal; empty for none.
std::string config_hash_of(const std::string& document);

/// Where a setting holds. `id` is the host id or the tag; empty for an organisation.
struct SettingScope {
  enum class Kind : std::uint8_t { server, org, tag, host };
  Kind kind = Kind::org;
  OrgId org;
  std::string id;
};
std::string_view scope_kind_name(SettingScope::Kind kind);

/// All settings in memory, as the store has them. Safe from several threads.
class Settings {
 public:
  void load(store::Reader& reader);
  /// Reads what is set at one scope anew: another server changed it.
  void follow(store::Reader& reader, OrgId owner, std::string_view scope,
              std::string_view scope_id);

  /// Nothing is set anywhere: every host has the defaults.
  bool all_defaults() const { return all_defaults_.load(std::memory_order_relaxed); }
  /// In force for a host.
  HostSettings of_host(OrgId org, HostId host, const std::vector<std::string>& tags) const;
  /// In force for hosts that nothing is known about but their organisation.
  HostSettings of_org(OrgId org) const;
  /// What heartbeats ask of a host's settings; default settings if the host is not known.
  struct Brief {
    bool force_full_scan = false;
    std::string config_hash;  // of agent_document()
  };
  /// Worked out once for a host, and again when any setting or the tags of any host change.
  Brief brief_of(OrgId org, HostId host, const HostDirectory& directory) const;
  /// Which of its tasks an organisation wants approved.
  model::ApprovalRule approval_rule_of(OrgId org) const;
  /// Only what is set at `scope`, as a JSON object.
  std::string set_at_json(const SettingScope& scope) const;

  /// Sets members of `values` at `scope`; null removes one. Fails with invalid_field naming an
  /// unknown setting or a value out of bounds, and then nothing changes.
  Result<void> set(store::Tx& tx, const SettingScope& scope, const Json& values);
  /// Asks a host for a full report, until one is stored.
  void force_full_scan(store::Tx& tx, OrgId org, HostId host);
  /// Takes force_full_scan out of a host's own settings: the full report came.
  /// Removes what is set for a host alone.
  void forget_host(store::Tx& tx, OrgId org, HostId host);
  void end_forced_scan(store::Tx& tx, OrgId org, HostId host);

 private:
  using Key = std::tuple<std::int64_t, std::string, std::string, std::string>;
  using Values = std::map<Key, std::string>;

  void put(const std::vector<store::Setting>& rows);
  void store_all(store::Tx& tx, const std::vector<store::Setting>& changed);
  /// A part of the hosts, as of one revision of settings and tags.
  struct Briefs {
    std::uint64_t revision = 0;
    std::unordered_map<HostId, Brief> hosts;
  };
  static constexpr std::size_t shards = 64;

  Guarded<Values> values_;
  std::atomic<bool> all_defaults_ = true;
  std::atomic<std::uint64_t> revision_ = 1;
  mutable std::array<Guarded<Briefs>, shards> briefs_;
};

/// Settings::set with its audit row, in a transaction of its own; waits for the commit. Not for an
/// IO thread. `role` is what who asks is in the organisation. Fails as Settings::set, and with
/// insufficient_role for what owners alone set (ORG_… of settings.def), whose change is an event
/// `approval_rule_changed` besides.
Result<void> change_settings(store::Store& store, NumberIds& ids, Settings& settings,
                             const Actor& actor, http::Role role, const SettingScope& scope,
                             const Json& values, Instant now);

}  // namespace muster::fleet
