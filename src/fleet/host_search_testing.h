// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fleet/testing.h"
#include "model/advisory.h"
#include "model/finding.h"
#include "store/sql/agents.h"
#include "store/sql/findings.h"
#include "store/sql/inventory.h"
#include "store/sql/orgs.h"

/// A fleet for the tests of queries, known in full beside its store.
namespace muster::fleet {

/// A host and all that queries may ask of it, beside the store.
struct Machine {
  model::Host host;
  std::vector<model::Package> packages;
  std::vector<model::Finding> findings;
  std::optional<model::Agent> agent;  // its newest that has not ended
  AgentPresence heard;                // of that agent
  std::optional<HostPresence> reported;
};

/// Hosts made of few words, so that queries of the same words hold for some of them.
class RandomFleet {
 public:
  RandomFleet(std::uint64_t seed, int hosts) : rng_(seed) {
    // The server has listened for long: who was not heard of is offline.
    fleet.now = fleet.now + std::chrono::hours(24);
    fleet->store.write([&](store::Tx& tx) {
      orgs_ = {TestFleet::org, *store::insert_org(tx, "other", fleet.now)};
      for (int i = 0; i < hosts; ++i) insert(tx);
    });
  }

  std::vector<OrgId> orgs() const { return orgs_; }

  TestFleet fleet;
  std::vector<Machine> machines;

 private:
  std::string pick(const std::vector<std::string>& words) {
    return words[rng_.below(words.size())];
  }
  bool chance(std::size_t in) { return rng_.below(in) == 0; }
  Instant past(std::size_t minutes_most) {
    return fleet.now - std::chrono::minutes(rng_.below(minutes_most));
  }

  void insert(store::Tx& tx) {
    Machine machine;
    model::Host& host = machine.host;
    host.org = orgs_[rng_.below(4) == 0 ? 1 : 0];
    host.id = fleet->ids.next<HostId>(fleet.now);
    host.hostname = pick({"Web", "db", "mail"}) + "-" + pick({"1", "2", "10"});
    host.machine_id = std::to_string(host.id.value);
    host.os_name = pick({"linux", "Debian GNU/Linux", "windows"});
    host.os_version = pick({"12", "11", ""});
    host.os_kernel = pick({"6.1.0-18-amd64", "5.10"});
    host.arch = pick({"amd64", "arm64"});
    host.distro = pick({"debian:12", "ubuntu:22.04", ""});
    host.ip_address = pick({"10.0.0.1", "10.1.0.7", "2001:db8::1"});
    if (chance(2)) host.tags.push_back(pick({"prod", "Canary", "env=test"}));
    if (chance(2)) host.operator_tags.push_back(pick({"prod", "a b", "größe"}));
    host.first_seen = past(30 * 24 * 60);
    host.last_seen = past(3 * 24 * 60);
    if (!chance(4)) host.last_report_at = past(3 * 24 * 60);
    if (!chance(4)) insert_software(tx, machine);
    store::insert_host(tx, host);
    if (!chance(4)) insert_agents(tx, machine);
    if (chance(3)) {
      machine.reported = {past(200), pick({"1.0.0", "2.0.1"})};
      fleet->presence.touch_host(host.org, host.id, machine.reported->agent_version,
                                 machine.reported->last_seen);
    }
    machines.push_back(std::move(machine));
  }

  void insert_software(store::Tx& tx, Machine& machine) {
    std::set<PackageId> ids;
    for (std::size_t i = rng_.below(4); i > 0; --i) {
      model::Package package = debian_package(pick({"openssl", "openssh", "curl"}),
                                              pick({"1.1", "3.0.9", "3.0.11-1~deb12u2", "4"}));
      if (chance(4)) package.ecosystem = model::Ecosystem::unknown;
      const auto content = std::hash<std::string>()(
          package.name + package.version + std::string(model::ecosystem_name(package.ecosystem)));
      const store::ContentId id{content, 0};
      const OrgId org = machine.host.org;
      const auto known = store::find_package_by_content(tx, org, id);
      ids.insert(known ? *known : store::insert_package(tx, org, id, package));
      if (std::find(machine.packages.begin(), machine.packages.end(), package) ==
          machine.packages.end()) {
        machine.packages.push_back(package);
      }
    }
    machine.host.package_count = static_cast<std::int64_t>(ids.size());
    machine.host.package_set =
        store::insert_package_set(tx, machine.host.org, {ids.begin(), ids.end()});
    int number = 0;
    for (const PackageId id : ids) insert_finding(tx, machine, id, ++number);
  }

  void insert_finding(store::Tx& tx, Machine& machine, PackageId package, int number) {
    if (chance(2)) return;
    model::Finding finding;
    finding.org = machine.host.org;
    finding.id = fleet->ids.next<FindingId>(fleet.now);
    finding.host = machine.host.id;
    finding.package = package;
    finding.feed = "debian";
    finding.advisory_id = "A-" + std::to_string(number);
    if (!chance(4)) finding.cve = pick({"CVE-2024-1", "CVE-2024-2", "CVE-2024-3"});
    finding.severity = static_cast<model::Severity>(rng_.below(6));
    finding.known_exploited = chance(3);
    finding.status = chance(4) ? model::FindingStatus::accepted : model::FindingStatus::open;
    if (finding.status == model::FindingStatus::accepted) finding.acceptance = AcceptanceId{1};
    finding.opened_at = fleet.now;
    finding.evidence = "{}";
    store::open_finding(tx, finding);
    machine.findings.push_back(finding);
  }

  /// Some of which have ended, and are in memory no more.
  void insert_agents(store::Tx& tx, Machine& machine) {
    for (std::size_t i = 1 + rng_.below(2); i > 0; --i) {
      fleet.now = fleet.now + Duration(1);  // ids are in the order of time
      model::Agent agent;
      agent.org = machine.host.org;
      agent.id = {make_uuid7(fleet.rng, fleet.now)};
      agent.host = machine.host.id;
      agent.status = static_cast<model::AgentStatus>(rng_.below(4));
      agent.os = pick({"linux", "windows"});
      agent.arch = "amd64";
      agent.key_hash = fleet->credentials.hash(agent.id.text());
      agent.enrolled_at = fleet.now;
      store::insert_agent(tx, agent);
      if (model::is_ended(agent.status)) continue;
      AgentPresence state;
      state.org = agent.org;
      state.host = agent.host;
      if (!chance(4)) {
        state.called = true;
        state.last_seen = past(10);
        state.agent_version = pick({"1.0.0", "1.2.0-rc.1", "2.0.1"});
      }
      fleet->presence.add_agent(agent.id, state);
      // Whichever of them was heard of last: that is when the host was.
      state.last_seen = std::max(state.last_seen, machine.heard.last_seen);
      machine.heard = std::move(state);
      machine.agent = agent;
    }
  }

  SeededRng rng_;
  std::vector<OrgId> orgs_;
};

}  // namespace muster::fleet
