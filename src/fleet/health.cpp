// SPDX-License-Identifier: Apache-2.0
#include "fleet/health.h"

#include <unordered_set>

#include "fleet/presence.h"
#include "model/os_support.h"
#include "model/package.h"
#include "store/sql/coverage.h"
#include "store/sql/outages.h"
#include "store/sql/totals.h"
#include "store/store.h"

namespace muster::fleet {

namespace {

/// An agent's id is a UUIDv7, made as it enrolled: its first 48 bits are that moment (RFC 9562,
/// section 5.7).
Instant enrolled_at(AgentId id) {
  Instant at;
  for (std::size_t i = 0; i < 6; ++i) at.unix_ms = at.unix_ms << 8 | id.uuid.bytes[i];
  return at;
}

/// Of everybody, by agent.
struct Totals {
  std::unordered_map<AgentId, store::OutageTotal> outages;
  std::unordered_map<AgentId, store::TaskTotal> tasks;
  std::unordered_set<AgentId> disabled;
  std::vector<store::CoverageTotal> coverage;
};

Totals read_totals(store::Store& store, Instant now) {
  return store.read([&](store::Reader& reader) {
    Totals totals;
    for (const auto& total : store::list_outage_totals(reader, now - model::uptime_window,
                                                       now - model::health_window, now)) {
      totals.outages.emplace(total.agent, total);
    }
    for (const auto& total : store::list_task_totals(reader, now - model::health_window)) {
      totals.tasks.emplace(total.agent, total);
    }
    const auto disabled = store::list_disabled_agents(reader);
    totals.disabled.insert(disabled.begin(), disabled.end());
    totals.coverage = store::list_coverage_totals(reader);
    return totals;
  });
}

void add(model::Record& sum, const model::Record& record) {
  sum.observed += record.observed;
  sum.away += record.away;
  sum.outages += record.outages;
  sum.tasks_completed += record.tasks_completed;
  sum.tasks_failed += record.tasks_failed;
}

void add(FleetNumbers& sum, const FleetNumbers& numbers) {
  sum.never_called += numbers.never_called;
  sum.agents += numbers.agents;
  sum.online += numbers.online;
  sum.offline += numbers.offline;
  sum.unknown += numbers.unknown;
  sum.flapping += numbers.flapping;
  sum.stale += numbers.stale;
  sum.health_sum += numbers.health_sum;
  sum.reporting_hosts += numbers.reporting_hosts;
  sum.packages += numbers.packages;
  sum.packages_not_assessed += numbers.packages_not_assessed;
  sum.hosts_past_support += numbers.hosts_past_support;
  add(sum.week, numbers.week);
  add(sum.month, numbers.month);
}

void add_record(FleetNumbers& numbers, AgentId id, const Totals& totals, Instant now) {
  const Instant enrolled = enrolled_at(id);
  model::Record week;
  model::Record month;
  week.observed = model::observed_time(enrolled, model::health_window, now);
  month.observed = model::observed_time(enrolled, model::uptime_window, now);
  if (const auto found = totals.outages.find(id); found != totals.outages.end()) {
    const store::OutageTotal& total = found->second;
    week.away = total.away_lately;
    week.outages = total.began_lately;
    month.away = total.away;
    month.outages = total.began;
  }
  if (const auto found = totals.tasks.find(id); found != totals.tasks.end()) {
    week.tasks_completed = found->second.completed;
    week.tasks_failed = found->second.failed;
  }
  numbers.health_sum += model::agent_health(week);
  add(numbers.week, week);
  add(numbers.month, month);
}

void add_coverage(FleetNumbers& numbers, const store::CoverageTotal& total, Instant now) {
  const model::OsSupport support = model::os_support(model::canonical_distro(total.distro), now);
  numbers.reporting_hosts += total.hosts;
  numbers.packages += total.packages;
  numbers.packages_not_assessed += total.not_assessed;
  if (!support.advised) numbers.packages_not_assessed += total.distribution_silent;
  if (support.state == model::OsSupport::State::end_of_life) {
    numbers.hosts_past_support += total.hosts;
  }
}

}  // namespace

model::Record agent_record(store::Reader& reader, const model::Agent& agent, Instant now) {
  const Instant from = now - model::health_window;
  const auto outages = store::get_outage_total(reader, agent.org, agent.id, from, now);
  const auto tasks = store::get_task_total(reader, agent.org, agent.id, from);
  return {model::observed_time(agent.enrolled_at, model::health_window, now), outages.away,
          outages.began, tasks.completed, tasks.failed};
}

std::optional<double> FleetNumbers::average_health() const {
  if (agents == 0) return std::nullopt;
  return static_cast<double>(health_sum) / static_cast<double>(agents);
}

FleetHealth::ByOrg FleetHealth::count(Instant now) const {
  const Totals totals = read_totals(store_, now);
  const Instant started = presence_.server_started();
  ByOrg by_org;
  presence_.for_each_agent([&](AgentId id, const AgentPresence& state) {
    if (totals.disabled.contains(id)) return;
    FleetNumbers& numbers = by_org[state.org];
    if (!state.called) {
      ++numbers.never_called;
      return;
    }
    ++numbers.agents;
    if (state.flapping) ++numbers.flapping;
    if (now - state.last_seen >= model::stale_after) ++numbers.stale;
    const auto presence =
        model::presence_of(state.last_seen, started, presence_.offline_after(config_), now);
    if (presence == model::Presence::online) ++numbers.online;
    if (presence == model::Presence::offline) ++numbers.offline;
    if (presence == model::Presence::unknown) ++numbers.unknown;
    add_record(numbers, id, totals, now);
  });
  for (const store::CoverageTotal& total : totals.coverage) {
    add_coverage(by_org[total.org], total, now);
  }
  return by_org;
}

FleetNumbers FleetHealth::show(std::optional<OrgId> org, Instant now) {
  // Under the lock, so that who asks meanwhile waits for the one count.
  const std::lock_guard lock(mutex_);
  if (!counted_at_ || std::chrono::abs(now - *counted_at_) >= fresh_for) {
    counted_ = count(now);
    counted_at_ = now;
  }
  FleetNumbers numbers;
  numbers.at = *counted_at_;
  for (const auto& [of, each] : counted_) {
    if (!org || *org == of) add(numbers, each);
  }
  return numbers;
}

}  // namespace muster::fleet
