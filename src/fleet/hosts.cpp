// SPDX-License-Identifier: Apache-2.0
#include "fleet/hosts.h"

#include <algorithm>

#include "base/text.h"
#include "store/sql/agents.h"
#include "store/sql/inventory.h"
#include "store/store.h"
#include "vuln/identify.h"

namespace muster::fleet {

namespace {

HostView view_of(store::Reader& reader, const PresenceTable& presence, const Config& config,
                 model::Host host, Instant now) {
  HostView view;
  view.last_seen = host_last_seen(reader, presence, host);
  view.agents = store::list_agents_of_host(reader, host.org, host.id);
  std::erase_if(view.agents, [](const model::Agent& agent) {
    return agent.status == model::AgentStatus::superseded;
  });
  // An agent beats every minute; a host known from reports alone is heard of far more rarely.
  const Duration limit = view.agents.empty() ? config.host_offline_after() : config.offline_after();
  view.presence = model::presence_of(view.last_seen, presence.server_started(), limit, now);
  view.open_findings = store::count_open_findings(reader, host.org, host.id);
  view.host = std::move(host);
  return view;
}

AgentView view_of(store::Reader& reader, const PresenceTable& presence, const Config& config,
                  model::Agent agent, Instant now) {
  AgentView view;
  if (const auto host = store::find_host(reader, agent.org, agent.host)) {
    view.hostname = host->hostname;
  }
  view.state = presence.find_agent(agent.id).value_or(AgentPresence{});
  view.presence = agent.status == model::AgentStatus::superseded
                      ? model::Presence::offline
                      : model::presence_of(view.state.last_seen, presence.server_started(),
                                           config.offline_after(), now);
  view.agent = std::move(agent);
  return view;
}

std::optional<model::Host> find_by_id_or_name(store::Reader& reader,
                                              std::string_view id_or_hostname) {
  if (const auto number = parse_int(id_or_hostname)) {
    for (const auto& host : store::list_hosts(reader, std::nullopt, HostId{*number - 1}, 1)) {
      if (host.id.value == *number) return host;
    }
  }
  std::vector<model::Host> named = store::list_hosts_named(reader, id_or_hostname);
  if (named.empty()) return std::nullopt;
  return std::move(named.front());
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

HostPage list_host_page(store::Store& store, const PresenceTable& presence, const Config& config,
                        std::optional<OrgId> org, std::string_view cursor, int count, Instant now) {
  return store.read([&](store::Reader& reader) {
    HostPage page;
    const HostId after{parse_int(cursor).value_or(0)};
    std::vector<model::Host> hosts = store::list_hosts(reader, org, after, count + 1);
    page.total = store::count_hosts(reader, org);
    const bool more = hosts.size() > static_cast<std::size_t>(count);
    if (more) hosts.pop_back();
    for (model::Host& host : hosts) {
      page.hosts.push_back(view_of(reader, presence, config, std::move(host), now));
    }
    if (more) page.next_cursor = std::to_string(page.hosts.back().host.id.value);
    return page;
  });
}

Result<HostView> show_host(store::Store& store, const PresenceTable& presence, const Config& config,
                           std::string_view id_or_hostname, Instant now) {
  return store.read([&](store::Reader& reader) -> Result<HostView> {
    std::optional<model::Host> host = find_by_id_or_name(reader, id_or_hostname);
    if (!host) return no_such_host();
    HostView view = view_of(reader, presence, config, std::move(*host), now);
    if (view.host.package_set) {
      for (const PackageId id :
           store::get_package_set(reader, view.host.org, *view.host.package_set)) {
        auto row = store::find_package(reader, view.host.org, id);
        CHECK(row.has_value());
        std::string cpe = vuln::identify(row->package).cpe;
        view.software.push_back({std::move(row->package), std::move(cpe)});
      }
      std::sort(view.software.begin(), view.software.end(),
                [](const auto& a, const auto& b) { return a.package < b.package; });
    }
    return view;
  });
}

Result<HostRef> resolve_host_ref(store::Store& store, std::string_view id_or_hostname) {
  return store.read([&](store::Reader& reader) -> Result<HostRef> {
    const auto host = find_by_id_or_name(reader, id_or_hostname);
    if (!host) return no_such_host();
    return HostRef{host->org, host->id};
  });
}

Result<HostId> resolve_host(store::Store& store, std::string_view id_or_hostname) {
  return TRY(resolve_host_ref(store, id_or_hostname)).id;
}

Result<AgentView> show_agent(store::Store& store, const PresenceTable& presence,
                             const Config& config, AgentId id, Instant now) {
  return store.read([&](store::Reader& reader) -> Result<AgentView> {
    auto agent = store::find_agent_anywhere(reader, id);
    if (!agent) return Error{Errc::not_found, "There is no such agent."};
    return view_of(reader, presence, config, std::move(*agent), now);
  });
}

std::vector<AgentView> list_agent_views(store::Store& store, const PresenceTable& presence,
                                        const Config& config, Instant now) {
  return store.read([&](store::Reader& reader) {
    std::vector<AgentView> views;
    for (model::Agent& agent : store::list_agents(reader)) {
      views.push_back(view_of(reader, presence, config, std::move(agent), now));
    }
    return views;
  });
}

}  // namespace muster::fleet
