// SPDX-License-Identifier: Apache-2.0
#include "fleet/hosts.h"

#include <algorithm>

#include "base/text.h"
#include "fleet/announcements.h"
#include "fleet/cursor.h"
#include "fleet/health.h"
#include "fleet/host_search.h"
#include "fleet/releases.h"
#include "store/sql/agents.h"
#include "store/sql/findings.h"
#include "store/sql/inventory.h"
#include "store/store.h"
#include "vuln/identify.h"
#include "vuln/index.h"
#include "vuln/surroundings.h"

namespace muster::fleet {

namespace {

HostView view_of(store::Reader& reader, const PresenceTable& presence, const Config& config,
                 model::Host host, Instant now) {
  HostView view;
  view.last_seen = host_last_seen(reader, presence, host);
  view.agents = store::list_agents_of_host(reader, host.org, host.id);
  std::erase_if(view.agents,
                [](const model::Agent& agent) { return model::is_ended(agent.status); });
  // An agent beats every minute; a host known from reports alone is heard of far more rarely.
  const Duration limit =
      view.agents.empty() ? presence.host_offline_after(config) : presence.offline_after(config);
  view.presence = model::presence_of(view.last_seen, presence.server_started(), limit, now);
  view.findings = store::count_findings_of_host(reader, host.org, host.id);
  view.os_support = model::os_support(model::canonical_distro(host.distro), now);
  std::optional<store::SetCoverage> stored;
  if (host.package_set) {
    stored = store::find_set_coverage(reader, host.org, *host.package_set);
  }
  view.coverage = coverage_of(stored, host.package_count, view.findings, view.os_support);
  view.host = std::move(host);
  return view;
}

/// The packages of a host, each with what is known of it today.
std::vector<HostPackageView> list_software(store::Reader& reader, const Knowledge& knowledge,
                                           const HostView& view) {
  std::vector<model::Package> packages;
  for (const PackageId id : store::get_package_set(reader, view.host.org, *view.host.package_set)) {
    auto row = store::find_package(reader, view.host.org, id);
    CHECK(row.has_value());
    packages.push_back(std::move(row->package));
  }
  std::sort(packages.begin(), packages.end());
  const vuln::Surroundings surroundings(view.host.os_name, view.host.os_version, packages,
                                        knowledge.index->cpe());
  std::vector<HostPackageView> software;
  software.reserve(packages.size());
  for (model::Package& package : packages) {
    const vuln::Verdict verdict = vuln::settle(
        *knowledge.index, package, vuln::match(*knowledge.index, package), surroundings);
    HostPackageView& each = software.emplace_back();
    each.origin = vuln::origin_of(package);
    each.reason =
        reason_today(verdict.reason, each.origin == vuln::Origin::distribution, view.os_support);
    each.cpe = vuln::identify(package, knowledge.index->cpe()).cpe;
    each.package = std::move(package);
  }
  return software;
}

model::Presence presence_of(const PresenceTable& presence, const Config& config,
                            model::AgentStatus status, Instant last_seen, Instant now) {
  if (model::is_ended(status)) return model::Presence::offline;
  return model::presence_of(last_seen, presence.server_started(), presence.offline_after(config),
                            now);
}

AgentView view_of(CurrentReleases& releases, const PresenceTable& presence, const Config& config,
                  store::ListedAgent listed, Instant now) {
  AgentView view;
  view.hostname = std::move(listed.hostname);
  view.tags = std::move(listed.tags);
  view.operator_tags = std::move(listed.operator_tags);
  view.state = presence.find_agent(listed.agent.id).value_or(AgentPresence{});
  view.presence = presence_of(presence, config, listed.agent.status, view.state.last_seen, now);
  view.agent = std::move(listed.agent);
  view.key_state = model::key_state_of(view.agent, now);
  if (view.agent.key_since) view.key_age = now - *view.agent.key_since;
  const Release* offered = releases.find(view.agent.os, view.agent.arch);
  view.update = model::update_state(offered, view.state.agent_version);
  if (offered != nullptr) view.offered_version = offered->facts.version;
  return view;
}

bool asks_memory(const AgentQuery& query) {
  return query.presence || query.flapping || query.silent_for;
}

/// Whether memory agrees that an agent is asked for.
bool is_asked_for(const AgentQuery& query, const PresenceTable& presence, const Config& config,
                  AgentId id, Instant now) {
  const auto state = presence.find_agent(id);
  // Memory has every agent but those that have ended.
  const auto status = state ? model::AgentStatus::active : model::AgentStatus::superseded;
  const Instant last_seen = state ? state->last_seen : Instant{};
  if (query.presence && *query.presence != presence_of(presence, config, status, last_seen, now)) {
    return false;
  }
  if (query.flapping && *query.flapping != (state && state->flapping)) return false;
  return !query.silent_for || (state && now - last_seen >= *query.silent_for);
}

store::Total total_of(store::Reader& reader, const PresenceTable& presence, const Config& config,
                      const AgentQuery& query, Instant now) {
  if (!asks_memory(query)) return store::count_agents(reader, query.filter);
  constexpr int most = static_cast<int>(limits::counted_rows);
  const auto ids = store::list_agent_ids(reader, query.filter, model::last_agent_id, most + 1);
  store::Total total;
  total.exact = ids.size() <= static_cast<std::size_t>(most);
  total.value = std::count_if(ids.begin(), ids.end(), [&](AgentId id) {
    return is_asked_for(query, presence, config, id, now);
  });
  return total;
}

/// Of the organisations `among`, or of all with null.
std::optional<model::Host> find_by_id_or_name(store::Reader& reader,
                                              std::string_view id_or_hostname,
                                              const std::vector<OrgId>* among) {
  const auto is_meant = [&](const model::Host& host) {
    return among == nullptr || std::find(among->begin(), among->end(), host.org) != among->end();
  };
  if (const auto number = parse_int(id_or_hostname); number && *number > 0) {
    for (const auto& host : store::list_hosts(reader, {}, HostId{*number - 1}, 1)) {
      if (host.id.value == *number && is_meant(host)) return host;
    }
  }
  std::vector<model::Host> named = store::list_hosts_named(reader, id_or_hostname);
  const auto found = std::find_if(named.begin(), named.end(), is_meant);
  if (found == named.end()) return std::nullopt;
  return std::move(*found);
}

Error no_such_host() {
  return {Errc::not_found, "There is no such host."};
}

}  // namespace

Instant host_last_seen(store::Reader& reader, const PresenceTable& presence,
                       const model::Host& host) {
  Instant last = host.last_seen;
  for (const model::Agent& agent : store::list_agents_of_host(reader, host.org, host.id)) {
    if (const auto state = presence.find_agent(agent.id)) last = std::max(last, state->last_seen);
  }
  if (const auto state = presence.find_host(host.org, host.id)) {
    last = std::max(last, state->last_seen);
  }
  return last;
}

Result<void> check_hostname_is_free(store::Reader& reader, const PresenceTable& presence,
                                    const Config& config, OrgId org, std::string_view hostname,
                                    Instant now) {
  if (config.hosts_unique_hostnames != "global") return {};
  const Duration silent = std::chrono::hours(24 * config.hosts_conflict_silent_days);
  for (const model::Host& host : store::list_hosts_elsewhere(reader, org, hostname)) {
    if (now - host_last_seen(reader, presence, host) < silent) {
      return Error{Errc::hostname_conflict, "Hostname conflict (duplicate in different org)",
                   "hostname"};
    }
  }
  return {};
}

Result<HostPage> list_host_page(store::Store& store, const PresenceTable& presence,
                                const Config& config, const store::HostFilter& filter,
                                std::string_view cursor, int count, Instant now) {
  const HostId after{TRY(parse_id_cursor(cursor, 0))};
  return store.read([&](store::Reader& reader) {
    HostPage page;
    std::vector<model::Host> hosts = store::list_hosts(reader, filter, after, count + 1);
    page.total = store::count_hosts(reader, filter);
    const bool more = hosts.size() > static_cast<std::size_t>(count);
    if (more) hosts.pop_back();
    for (model::Host& host : hosts) {
      page.hosts.push_back(view_of(reader, presence, config, std::move(host), now));
    }
    if (more) page.next_cursor = std::to_string(page.hosts.back().host.id.value);
    return page;
  });
}

Result<HostPage> list_matching_hosts(store::Store& store, const PresenceTable& presence,
                                     const Config& config, const model::HostQuery& query,
                                     std::optional<OrgId> org, std::string_view cursor, int count,
                                     Instant now) {
  const HostId after{TRY(parse_id_cursor(cursor, 0))};
  const auto wanted = static_cast<std::size_t>(count);
  return store.read([&](store::Reader& reader) {
    HostPage page;
    std::vector<FoundHost> found;
    HostSearch search(reader, presence, config, query, org, after, now);
    while (found.size() <= wanted) {
      const auto next = search.next();
      if (!next) break;
      found.push_back(*next);
    }
    const bool more = found.size() > wanted;
    if (more) found.pop_back();
    for (const FoundHost& each : found) {
      auto host = store::find_host(reader, each.org, each.id);
      CHECK(host.has_value());
      page.hosts.push_back(view_of(reader, presence, config, std::move(*host), now));
    }
    const HostId last = more ? found.back().id : search.place();
    if (more || search.is_cut_short()) page.next_cursor = std::to_string(last.value);
    if (after == HostId{0}) {
      page.total = count_found(search, static_cast<std::int64_t>(found.size()) + (more ? 1 : 0));
    } else {
      HostSearch all(reader, presence, config, query, org, HostId{0}, now);
      page.total = count_found(all, 0);
    }
    return page;
  });
}

Result<HostView> show_host(store::Store& store, const PresenceTable& presence, const Config& config,
                           const Catalogue& catalogue, std::string_view id_or_hostname,
                           Instant now) {
  const auto knowledge = catalogue.current();
  return store.read([&](store::Reader& reader) -> Result<HostView> {
    std::optional<model::Host> host = find_by_id_or_name(reader, id_or_hostname, nullptr);
    if (!host) return no_such_host();
    HostView view = view_of(reader, presence, config, std::move(*host), now);
    if (view.host.package_set) view.software = list_software(reader, *knowledge, view);
    view.sources = store::list_host_sources(reader, view.host.org, view.host.id);
    view.lockfiles = store::list_host_lockfiles(reader, view.host.org, view.host.id);
    view.runtime = store::find_host_runtime(reader, view.host.org, view.host.id);
    return view;
  });
}

Result<HostRef> resolve_host_ref(store::Store& store, std::string_view id_or_hostname,
                                 const std::vector<OrgId>* among) {
  return store.read([&](store::Reader& reader) -> Result<HostRef> {
    const auto host = find_by_id_or_name(reader, id_or_hostname, among);
    if (!host) return no_such_host();
    return HostRef{host->org, host->id};
  });
}

Result<AgentView> show_agent(store::Store& store, const PresenceTable& presence,
                             const Config& config, AgentId id, Instant now) {
  return store.read([&](store::Reader& reader) -> Result<AgentView> {
    auto agent = store::find_agent_anywhere(reader, id);
    if (!agent) return Error{Errc::not_found, "There is no such agent."};
    store::ListedAgent listed;
    if (const auto host = store::find_host(reader, agent->org, agent->host)) {
      listed.hostname = host->hostname;
      listed.tags = host->tags;
      listed.operator_tags = host->operator_tags;
    }
    listed.agent = std::move(*agent);
    CurrentReleases releases(reader, now);
    AgentView view = view_of(releases, presence, config, std::move(listed), now);
    view.clone = store::find_clone(reader, view.agent.org, view.agent.id);
    view.condition = store::find_agent_condition(reader, view.agent.org, view.agent.id);
    if (view.state.called) view.week = agent_record(reader, view.agent, now);
    return view;
  });
}

Result<AgentPage> list_agent_page(store::Store& store, const PresenceTable& presence,
                                  const Config& config, const AgentQuery& query,
                                  std::string_view cursor, int count, Instant now) {
  AgentId before{TRY(parse_uuid_cursor(cursor, model::last_agent_id.uuid))};
  const auto wanted = static_cast<std::size_t>(count);
  return store.read([&](store::Reader& reader) {
    AgentPage page;
    CurrentReleases releases(reader, now);
    page.total = total_of(reader, presence, config, query, now);
    for (std::int64_t looked_at = 0; looked_at < limits::counted_rows;) {
      auto rows = store::list_agents(reader, query.filter, before, count + 1);
      const bool more = rows.size() > wanted;
      if (more) rows.pop_back();
      for (store::ListedAgent& row : rows) {
        ++looked_at;
        before = row.agent.id;
        if (asks_memory(query) && !is_asked_for(query, presence, config, before, now)) continue;
        page.agents.push_back(view_of(releases, presence, config, std::move(row), now));
        if (page.agents.size() == wanted) break;
      }
      page.next_cursor =
          more || (!rows.empty() && before != rows.back().agent.id) ? before.text() : std::string();
      if (page.next_cursor.empty() || page.agents.size() == wanted) break;
    }
    return page;
  });
}

Result<std::vector<std::string>> change_operator_tags(store::Tx& tx, NumberIds& ids,
                                                      HostDirectory& directory, const Actor& actor,
                                                      OrgId org, AgentId id,
                                                      const std::vector<std::string>& add,
                                                      const std::vector<std::string>& remove,
                                                      Instant now) {
  const auto agent = store::find_agent(tx, org, id);
  auto host = agent ? store::find_host(tx, org, agent->host) : std::nullopt;
  if (!host) return Error{Errc::not_found, "There is no such agent."};
  std::vector<std::string> tags = host->operator_tags;
  const auto has = [&](const std::string& tag) {
    return std::find(tags.begin(), tags.end(), tag) != tags.end();
  };
  for (const std::string& tag : remove) std::erase(tags, tag);
  for (const std::string& tag : add) {
    if (!has(tag)) tags.push_back(tag);
  }
  if (tags.size() > limits::tags) {
    return invalid_field("add", "more than " + std::to_string(limits::tags) + " tags on one host");
  }
  if (tags == host->operator_tags) return tags;
  host->operator_tags = tags;
  store::set_host_operator_tags(tx, *host);
  record_audit(
      tx, ids, org, actor, "agents.tag", id.text(),
      [&](JsonWriter& details) { details.member("tags", host->operator_tags); }, now);
  announce_host(tx, org, host->id);
  tx.on_commit([&directory, host = std::move(*host)] { directory.set(host); });
  return tags;
}

}  // namespace muster::fleet
