// SPDX-License-Identifier: Apache-2.0
#include "fleet/set_hashes.h"

#include "base/check.h"
#include "base/limits.h"
#include "fleet/history.h"
#include "store/sql/agents.h"
#include "store/sql/reports.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

std::string canonical_of(store::Reader& reader, OrgId org, PackageId id) {
  const auto row = store::find_package(reader, org, id);
  CHECK(row.has_value());
  std::string text;
  model::append_canonical(text, model::view_of(row->package));
  return text;
}

}  // namespace

model::SetHash hash_of_set(store::Reader& reader, OrgId org, const PackageIds& packages) {
  return rolled(reader, org, {}, {}, packages);
}

model::SetHash rolled(store::Reader& reader, OrgId org, model::SetHash hash,
                      const PackageIds& before, const PackageIds& after) {
  for (const PackageId id : difference(before, after)) hash.remove(canonical_of(reader, org, id));
  for (const PackageId id : difference(after, before)) hash.add(canonical_of(reader, org, id));
  return hash;
}

Footing footing_of(const InventoryReport& report, const model::SetHash& told) {
  if (!report.delta || !report.base_set_hash || *report.base_set_hash == told) {
    return Footing::sound;
  }
  return report.set_hash == told ? Footing::repeated : Footing::elsewhere;
}

Error send_all_of_it() {
  return {Errc::set_hash_mismatch,
          "The server has another set than the one that this delta changes. Send a full report.",
          "base_set_hash"};
}

void record_drift(store::Tx& tx, const Inventory& inventory, const model::Host& host,
                  const model::SetHash& ours, const model::SetHash& theirs, Instant now) {
  if (inventory.settings.of_host(host.org, host.id, {}).force_full_scan) return;
  inventory.settings.force_full_scan(tx, host.org, host.id);
  record_event(
      tx, inventory.ids, host.org, model::EventType::software_drift, host.software_agent, host.id,
      [&](JsonWriter& details) {
        details.member("set_hash", ours.text()).member("reported_set_hash", theirs.text());
      },
      now);
}

void ReportMarks::load(store::Reader& reader) {
  for (HostId after;;) {
    const auto page = store::list_hosts(reader, {}, after, limits::page_size);
    for (const model::Host& host : page) set(host.id, of(host));
    if (page.size() < static_cast<std::size_t>(limits::page_size)) return;
    after = page.back().id;
  }
}

void ReportMarks::set(HostId host, const Mark& mark) {
  shard(host).with([&](Marks& marks) { marks[host] = mark; });
}

void ReportMarks::erase(HostId host) {
  shard(host).with([&](Marks& marks) { marks.erase(host); });
}

std::optional<ReportMarks::Mark> ReportMarks::find(HostId host) const {
  return shard(host).with([&](const Marks& marks) -> std::optional<Mark> {
    const auto found = marks.find(host);
    if (found == marks.end()) return std::nullopt;
    return found->second;
  });
}

bool ReportMarks::full_is_due(HostId host, std::optional<AgentId> reporter, const Config& config,
                              Instant now) const {
  if (config.inventory_full_report_days == 0) return false;
  const Duration age = std::chrono::hours(24 * config.inventory_full_report_days);
  return shard(host).with([&](const Marks& marks) {
    const auto found = marks.find(host);
    return found != marks.end() && found->second.last_full_at &&
           now - *found->second.last_full_at > age && found->second.reporter == reporter;
  });
}

bool ReportMarks::may_differ(HostId host, std::optional<AgentId> reporter,
                             const model::SetHash& said) const {
  return shard(host).with([&](const Marks& marks) {
    const auto found = marks.find(host);
    if (found == marks.end() || found->second.reporter != reporter) return true;
    return found->second.set_hash && *found->second.set_hash != said;
  });
}

bool check_told_set(store::Tx& tx, const Inventory& inventory, const Teller& teller,
                    const model::SetHash& said, Instant now) {
  const auto host = store::find_host(tx, teller.org, teller.host);
  if (!host) return false;
  if (host->software_agent != teller.agent) {
    // Its reports are a second source, or there are none: nothing of the host's own is in doubt.
    if (teller.agent) return true;
    const auto source = store::find_host_source(tx, teller.org, teller.host, teller.key);
    return !source || (source->set_hash && *source->set_hash != said);
  }
  if (!host->set_hash) return false;
  if (*host->set_hash != said) {
    record_drift(tx, inventory, *host, *host->set_hash, said, now);
    return true;
  }
  // Another server has stored a report since this one looked.
  tx.on_commit([&marks = inventory.marks, id = host->id, mark = ReportMarks::of(*host)] {
    marks.set(id, mark);
  });
  return false;
}

}  // namespace muster::fleet
