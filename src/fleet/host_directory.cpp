// SPDX-License-Identifier: Apache-2.0
#include "fleet/host_directory.h"

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"
#include "store/sql/agents.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

std::string name_key(OrgId org, char kind, std::string_view name) {
  std::string key = std::to_string(org.value);
  key.push_back(kind);
  key.append(name);
  return key;
}

}  // namespace

void HostDirectory::load(store::Reader& reader) {
  for (HostId after;;) {
    const auto page = store::list_hosts(reader, {}, after, limits::page_size);
    for (const model::Host& host : page) set(host);
    if (page.size() < static_cast<std::size_t>(limits::page_size)) return;
    after = page.back().id;
  }
}

void HostDirectory::Table::unlink(HostId host, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto found = by_name.find(name);
    std::erase(found->second, host);
    if (found->second.empty()) by_name.erase(found);
  }
}

void HostDirectory::erase(HostId host) {
  table_.with([&](Table& table) {
    const auto found = table.hosts.find(host);
    if (found == table.hosts.end()) return;
    table.unlink(host, found->second.names);
    table.hosts.erase(found);
  });
}

void HostDirectory::set(const model::Host& host) {
  std::vector<std::string> names{name_key(host.org, 'h', fold_case(host.hostname))};
  if (!host.machine_id.empty() && !host.machine_shared) {
    names.push_back(name_key(host.org, 'm', host.machine_id));
  }
  table_.with([&](Table& table) {
    Entry& entry = table.hosts[host.id];
    std::vector<std::string> tags = model::all_tags(host);
    // Within the lock: whoever sees the new number sees the new tags.
    if (entry.known.tags != tags) tag_changes_.fetch_add(1);
    entry.known = {host.id, host.hostname, std::move(tags)};
    if (entry.names == names) return;
    table.unlink(host.id, entry.names);
    for (const std::string& name : names) {
      std::vector<HostId>& ids = table.by_name[name];
      ids.insert(std::upper_bound(ids.begin(), ids.end(), host.id), host.id);
    }
    entry.names = std::move(names);
  });
}

std::optional<HostDirectory::Known> HostDirectory::find(OrgId org, std::string_view machine_id,
                                                        std::string_view hostname) const {
  return table_.with([&](const Table& table) -> std::optional<Known> {
    auto found = table.by_name.end();
    if (!machine_id.empty()) found = table.by_name.find(name_key(org, 'm', machine_id));
    if (found == table.by_name.end()) {
      found = table.by_name.find(name_key(org, 'h', fold_case(hostname)));
    }
    if (found == table.by_name.end()) return std::nullopt;
    return table.hosts.at(found->second.back()).known;
  });
}

std::optional<HostDirectory::Known> HostDirectory::find(HostId id) const {
  return table_.with([&](const Table& table) -> std::optional<Known> {
    const auto found = table.hosts.find(id);
    if (found == table.hosts.end()) return std::nullopt;
    return found->second.known;
  });
}

}  // namespace muster::fleet
