// SPDX-License-Identifier: Apache-2.0
#include "fleet/settings.h"

#include <algorithm>

#include "base/json_write.h"
#include "base/text.h"
#include "base/toml_read.h"
#include "crypto/sha256.h"
#include "fleet/announcements.h"
#include "fleet/host_directory.h"
#include "store/sql/orgs.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

Result<void> check_integer(const std::string& name, const Json& value, std::int64_t min,
                           std::int64_t max) {
  const auto number = value.integer();
  if (!number || *number < min || *number > max) {
    return invalid_field(
        name, "must be an integer between " + std::to_string(min) + " and " + std::to_string(max));
  }
  return {};
}

Result<void> check_boolean(const std::string& name, const Json& value) {
  if (!value.boolean()) return invalid_field(name, "must be true or false");
  return {};
}

Result<void> check_text(const std::string& name, const Json& value, std::size_t bytes_max) {
  const auto text = value.string();
  if (!text || text->empty() || text->size() > bytes_max || !is_plain_text(*text)) {
    return invalid_field(name, "must be text of 1 to " + std::to_string(bytes_max) + " bytes");
  }
  return {};
}

/// "a,b": one of `choices`, which are separated by '|', or several.
Result<void> check_words(const std::string& name, const Json& value, std::string_view choices,
                         bool several) {
  std::string_view rest = value.string().value_or("");
  bool known = !rest.empty() && !rest.ends_with(',');
  for (bool first = true; known && !rest.empty(); first = false) {
    const std::string_view word = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    known = is_choice(choices, word) && (first || several);
  }
  if (known) return {};
  return invalid_field(name, (several ? "must be some of " : "must be one of ") +
                                 std::string(choices) + (several ? ", separated by commas" : ""));
}

bool is_setting(std::string_view name) {
#define BOOLEAN(known, fallback, meaning) \
  if (name == #known) return true;
#define INTEGER(known, fallback, min, max, meaning) BOOLEAN(known, fallback, meaning)
#define TEXT(known, fallback, bytes_max, meaning) BOOLEAN(known, fallback, meaning)
#define AGENT_INTEGER(known, min, max, meaning) BOOLEAN(known, 0, meaning)
#define AGENT_WORD(known, choices, meaning) BOOLEAN(known, 0, meaning)
#define AGENT_WORDS(known, choices, meaning) BOOLEAN(known, 0, meaning)
#define ORG_WORD(known, fallback, choices, meaning) BOOLEAN(known, 0, meaning)
#define ORG_INTEGER(known, fallback, min, max, meaning) BOOLEAN(known, 0, meaning)
#include "fleet/settings.def"
  return false;
}

/// Of an organisation as a whole.
bool is_of_org(std::string_view name) {
#define ORG_WORD(known, fallback, choices, meaning) \
  if (name == #known) return true;
#define ORG_INTEGER(known, fallback, min, max, meaning) ORG_WORD(known, 0, "", meaning)
#include "fleet/settings.def"
  return false;
}

Result<void> check_setting(const std::string& name, const Json& value) {
#define BOOLEAN(known, fallback, meaning) \
  if (name == #known) return check_boolean(name, value);
#define INTEGER(known, fallback, min, max, meaning) \
  if (name == #known) return check_integer(name, value, min, max);
#define TEXT(known, fallback, bytes_max, meaning) \
  if (name == #known) return check_text(name, value, bytes_max);
#define AGENT_INTEGER(known, min, max, meaning) \
  if (name == #known) return check_integer(name, value, min, max);
#define AGENT_WORD(known, choices, meaning) \
  if (name == #known) return check_words(name, value, choices, false);
#define AGENT_WORDS(known, choices, meaning) \
  if (name == #known) return check_words(name, value, choices, true);
#define ORG_WORD(known, fallback, choices, meaning) AGENT_WORD(known, choices, meaning)
#define ORG_INTEGER(known, fallback, min, max, meaning) INTEGER(known, fallback, min, max, meaning)
#include "fleet/settings.def"
  return invalid_field(name, "is not a known setting");
}

/// Lays one stored value over `settings`. Values were checked when they were stored.
void apply(HostSettings& settings, std::string_view name, std::string_view value) {
  // Not thread_json(): the request that asks may still be reading its own body there.
  thread_local JsonDocument document;
  const Result<Json> json = document.parse(value);
  if (!json.ok()) return;
#define BOOLEAN(known, fallback, meaning) \
  if (name == #known) settings.known = json->boolean().value_or(settings.known);
#define INTEGER(known, fallback, min, max, meaning) \
  if (name == #known) settings.known = json->integer().value_or(settings.known);
#define TEXT(known, fallback, bytes_max, meaning) \
  if (name == #known) settings.known = json->string().value_or(settings.known);
#define AGENT_INTEGER(known, min, max, meaning) INTEGER(known, 0, min, max, meaning)
#define AGENT_WORD(known, choices, meaning) TEXT(known, "", 0, meaning)
#define AGENT_WORDS(known, choices, meaning) TEXT(known, "", 0, meaning)
#define ORG_WORD(known, fallback, choices, meaning) TEXT(known, "", 0, meaning)
#define ORG_INTEGER(known, fallback, min, max, meaning) INTEGER(known, 0, min, max, meaning)
#include "fleet/settings.def"
}

std::int64_t owner(const SettingScope& scope) {
  return scope.kind == SettingScope::Kind::server ? 0 : scope.org.value;
}

}  // namespace

std::string agent_document(const HostSettings& settings) {
  JsonWriter json;
  json.begin_object();
#define AGENT_INTEGER(known, min, max, meaning) \
  if (settings.known != 0) json.member(#known, settings.known);
#define AGENT_WORD(known, choices, meaning) \
  if (!settings.known.empty()) json.member(#known, settings.known);
#define AGENT_WORDS(known, choices, meaning) AGENT_WORD(known, choices, meaning)
#include "fleet/settings.def"
  std::string document = json.end_object().take();
  return document == "{}" ? std::string() : document;
}

std::string config_hash_of(const std::string& document) {
  return document.empty() ? std::string() : crypto::sha256(document).text();
}

std::string_view scope_kind_name(SettingScope::Kind kind) {
  static constexpr std::string_view names[] = {"default", "org", "tag", "host"};
  return names[static_cast<std::size_t>(kind)];
}

void Settings::load(store::Reader& reader) {
  put(store::list_settings(reader));
}

HostSettings Settings::of_host(OrgId org, HostId host, const std::vector<std::string>& tags) const {
  return values_.with([&](const Values& values) {
    HostSettings settings;
    if (values.empty()) return settings;
    const auto lay = [&](std::int64_t owner_id, const std::string& scope, const std::string& id) {
      for (auto at = values.lower_bound({owner_id, scope, id, ""}); at != values.end(); ++at) {
        const auto& [of_owner, of_scope, of_id, name] = at->first;
        if (of_owner != owner_id || of_scope != scope || of_id != id) break;
        apply(settings, name, at->second);
      }
    };
    lay(0, "default", "");
    lay(org.value, "org", "");
    for (const std::string& tag : tags) lay(org.value, "tag", tag);
    if (host.value != 0) lay(org.value, "host", std::to_string(host.value));
    return settings;
  });
}

HostSettings Settings::of_org(OrgId org) const {
  return of_host(org, HostId{}, {});
}

model::ApprovalRule Settings::approval_rule_of(OrgId org) const {
  const HostSettings settings = of_org(org);
  // A policy that this server does not know is a newer one's: whatever it is, it is stricter.
  return {model::parse_approval_policy(settings.task_approval).value_or(model::ApprovalPolicy::all),
          settings.task_approval_hosts, std::chrono::seconds(settings.task_approval_seconds)};
}

Settings::Brief Settings::brief_of(OrgId org, HostId host, const HostDirectory& directory) const {
  // Read first: what changes meanwhile makes this answer one of the past.
  const std::uint64_t revision = revision_.load() + directory.tag_changes();
  Guarded<Briefs>& shard = briefs_[static_cast<std::size_t>(host.value) % shards];
  const auto known = shard.with([&](Briefs& briefs) -> std::optional<Brief> {
    const auto found = briefs.hosts.find(host);
    if (briefs.revision != revision || found == briefs.hosts.end()) return std::nullopt;
    return found->second;
  });
  if (known) return *known;
  const auto named = directory.find(host);
  if (!named) return {};
  const HostSettings settings = of_host(org, host, named->tags);
  Brief brief{settings.force_full_scan, config_hash_of(agent_document(settings))};
  shard.with([&](Briefs& briefs) {
    if (briefs.revision > revision) return;
    if (briefs.revision < revision) briefs.hosts.clear();
    briefs.revision = revision;
    briefs.hosts.insert_or_assign(host, brief);
  });
  return brief;
}

std::string Settings::set_at_json(const SettingScope& scope) const {
  return values_.with([&](const Values& values) {
    const std::string kind(scope_kind_name(scope.kind));
    JsonWriter json;
    json.begin_object();
    for (auto at = values.lower_bound({owner(scope), kind, scope.id, ""}); at != values.end();
         ++at) {
      const auto& [of_owner, of_scope, of_id, name] = at->first;
      if (of_owner != owner(scope) || of_scope != kind || of_id != scope.id) break;
      json.key(name).raw(at->second);
    }
    json.end_object();
    return json.take();
  });
}

Result<void> Settings::set(store::Tx& tx, const SettingScope& scope, const Json& values) {
  if (!values.is_object()) return invalid_field("settings", "must be an object");
  std::optional<Error> failure;
  std::vector<store::Setting> changed;
  values.for_each_member([&](std::string_view key, const Json& value) {
    if (failure) return;
    const std::string name(key);
    // A removed setting keeps its row with the value null, which no reader applies.
    const bool removed = value.is_null() && is_setting(name);
    Result<void> valid = removed ? Result<void>() : check_setting(name, value);
    if (scope.kind != SettingScope::Kind::org && is_of_org(name)) {
      valid = invalid_field(name, "is set for an organisation");
    }
    if (!valid.ok()) {
      failure = valid.error();
      return;
    }
    changed.push_back({OrgId{owner(scope)}, std::string(scope_kind_name(scope.kind)), scope.id,
                       name, value.serialise()});
  });
  if (failure) return *failure;
  store_all(tx, changed);
  return {};
}

void Settings::force_full_scan(store::Tx& tx, OrgId org, HostId host) {
  store_all(tx, {{org, "host", std::to_string(host.value), "force_full_scan", "true"}});
}

void Settings::forget_host(store::Tx& tx, OrgId org, HostId host) {
  const std::string id = std::to_string(host.value);
  std::vector<store::Setting> removed;
  values_.with([&](const Values& values) {
    for (auto at = values.lower_bound({org.value, "host", id, ""}); at != values.end(); ++at) {
      const auto& [of_owner, of_scope, of_id, name] = at->first;
      if (of_owner != org.value || of_scope != "host" || of_id != id) break;
      removed.push_back({org, "host", id, name, "null"});
    }
  });
  store_all(tx, removed);
}

void Settings::end_forced_scan(store::Tx& tx, OrgId org, HostId host) {
  const std::string id = std::to_string(host.value);
  const bool forced = values_.with([&](const Values& values) {
    return values.contains({org.value, "host", id, "force_full_scan"});
  });
  if (forced) store_all(tx, {{org, "host", id, "force_full_scan", "null"}});
}

void Settings::store_all(store::Tx& tx, const std::vector<store::Setting>& changed) {
  for (const store::Setting& row : changed) store::set_setting(tx, row);
  if (!changed.empty()) {
    // All of them are of one scope.
    announce_settings(tx, changed.front().org, changed.front().scope, changed.front().scope_id);
  }
  tx.on_commit([this, changed] { put(changed); });
}

void Settings::put(const std::vector<store::Setting>& rows) {
  values_.with([&](Values& all) {
    for (const store::Setting& row : rows) {
      const Key key{row.org.value, row.scope, row.scope_id, row.name};
      if (row.value == "null") {
        all.erase(key);
      } else {
        all[key] = row.value;
      }
    }
    all_defaults_ = all.empty();
    revision_.fetch_add(1);
  });
}

void Settings::follow(store::Reader& reader, OrgId owner, std::string_view scope,
                      std::string_view scope_id) {
  put(store::list_settings_of(reader, owner, scope, scope_id));
}

Result<void> change_settings(store::Store& store, NumberIds& ids, Settings& settings,
                             const Actor& actor, http::Role role, const SettingScope& scope,
                             const Json& values, Instant now) {
  bool for_owners = false;
  if (values.is_object()) {
    values.for_each_member(
        [&](std::string_view name, const Json&) { for_owners = for_owners || is_of_org(name); });
  }
  if (for_owners && role < http::Role::owner) {
    return Error{Errc::insufficient_role, "Which tasks need approval is for owners to say."};
  }
  return store.write([&](store::Tx& tx) -> Result<void> {
    TRY(settings.set(tx, scope, values));
    const auto details = [&](JsonWriter& json) { json.key("values").raw(values.serialise()); };
    record_audit(tx, ids, scope.org, actor, "settings.set",
                 std::string(scope_kind_name(scope.kind)) + ":" +
                     (scope.id.empty() ? std::to_string(owner(scope)) : scope.id),
                 details, now);
    if (for_owners) {
      record_event(tx, ids, scope.org, model::EventType::approval_rule_changed, std::nullopt,
                   std::nullopt, details, now);
    }
    return {};
  });
}

}  // namespace muster::fleet
