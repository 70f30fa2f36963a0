// SPDX-License-Identifier: Apache-2.0
#include "fleet/host_search.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/text.h"
#include "fleet/host_search_testing.h"
#include "fleet/hosts.h"
#include "model/advisory.h"
#include "version/scheme.h"

namespace muster::fleet {
namespace {

using model::Comparison;
using model::HostField;
using model::HostQuery;
using model::HostTerm;

/// What a query means, said once more as plainly as can be.
class Reference {
 public:
  Reference(RandomFleet& world) : world_(world) {}

  bool holds(const HostQuery& query, const Machine& machine) const {
    switch (query.kind) {
      case HostQuery::Kind::term:
        return holds(query.term, machine);
      case HostQuery::Kind::none:
        return !holds(query.parts.front(), machine);
      case HostQuery::Kind::all:
        for (const HostQuery& part : query.parts) {
          if (!holds(part, machine)) return false;
        }
        return true;
      case HostQuery::Kind::any:
        for (const HostQuery& part : query.parts) {
          if (holds(part, machine)) return true;
        }
        return false;
    }
    return false;
  }

 private:
  static bool glob(const std::string& pattern, const std::string& text) {
    if (pattern.empty()) return text.empty();
    if (pattern.front() == '\x01') {
      for (std::size_t i = 0; i <= text.size(); ++i) {
        if (glob(pattern.substr(1), text.substr(i))) return true;
      }
      return false;
    }
    return !text.empty() && text.front() == pattern.front() &&
           glob(pattern.substr(1), text.substr(1));
  }
  static bool like(const model::TextPattern& pattern, const std::string& text) {
    std::string joined = pattern.pieces.front();
    for (std::size_t i = 1; i < pattern.pieces.size(); ++i) joined += "\x01" + pattern.pieces[i];
    return glob(joined, text);
  }
  static bool like_folded(const model::TextPattern& pattern, const std::string& text) {
    return like(pattern, fold_case(text));
  }
  template <typename T>
  static bool compare(Comparison comparison, T left, T right) {
    switch (comparison) {
      case Comparison::equal:
        return left == right;
      case Comparison::below:
        return left < right;
      case Comparison::at_most:
        return left <= right;
      case Comparison::above:
        return left > right;
      case Comparison::at_least:
        return left >= right;
    }
    return false;
  }
  static bool version(const HostTerm& term, const std::string& running, version::Scheme scheme) {
    if (!term.version->is_literal()) return like(*term.version, running);
    const auto order = version::compare(scheme, running, term.version->pieces.front());
    return order.ok() && compare<int>(term.comparison, *order < 0 ? -1 : *order > 0 ? 1 : 0, 0);
  }
  Instant last_seen(const Machine& machine) const {
    Instant last = std::max(machine.host.last_seen, machine.heard.last_seen);
    if (machine.reported) last = std::max(last, machine.reported->last_seen);
    return last;
  }
  bool has_open(const Machine& machine,
                const std::function<bool(const model::Finding&)>& is) const {
    return std::any_of(machine.findings.begin(), machine.findings.end(),
                       [&](const model::Finding& finding) {
                         return finding.status == model::FindingStatus::open && is(finding);
                       });
  }
  bool has_package(const HostTerm& term, const Machine& machine) const {
    for (const model::Package& package : machine.packages) {
      if (!like(term.text, package.name)) continue;
      if (!term.version) return true;
      if (package.ecosystem == model::Ecosystem::deb) {
        if (version(term, package.version, version::Scheme::deb)) return true;
      } else if (term.comparison == Comparison::equal && like(*term.version, package.version)) {
        return true;
      }
    }
    return false;
  }

  bool holds(const HostTerm& term, const Machine& machine) const {
    const model::Host& host = machine.host;
    const auto age = [&](Instant since) {
      return compare(term.comparison, world_.fleet.now - since, term.age);
    };
    switch (term.field) {
      case HostField::hostname:
        return like_folded(term.text, host.hostname);
      case HostField::os:
        return like_folded(term.text, host.os_name) ||
               (machine.agent && like_folded(term.text, machine.agent->os));
      case HostField::os_version:
        return like_folded(term.text, host.os_version);
      case HostField::os_kernel:
        return like_folded(term.text, host.os_kernel);
      case HostField::arch:
        return like_folded(term.text, host.arch);
      case HostField::distro:
        return like_folded(term.text, host.distro);
      case HostField::ip:
        return like_folded(term.text, host.ip_address);
      case HostField::tag:
        for (const std::string& tag : model::all_tags(host)) {
          if (like_folded(term.text, tag)) return true;
        }
        return false;
      case HostField::id:
        return compare(term.comparison, host.id.value, term.number);
      case HostField::group:
        return false;  // fleet/saved_views_test.cpp
      case HostField::packages:
        return compare(term.comparison, host.package_count, term.number);
      case HostField::status: {
        const Duration limit = machine.agent ? world_.fleet.config.offline_after()
                                             : world_.fleet.config.host_offline_after();
        const bool online = world_.fleet.now - last_seen(machine) < limit;
        const auto is = online ? model::Presence::online : model::Presence::offline;
        return is == static_cast<model::Presence>(term.number);
      }
      case HostField::agent: {
        auto is = model::AgentState::none;
        if (machine.agent) {
          is = machine.agent->status == model::AgentStatus::disabled ? model::AgentState::disabled
                                                                     : model::AgentState::active;
        }
        return is == static_cast<model::AgentState>(term.number);
      }
      case HostField::agent_version: {
        std::string running;
        if (machine.agent) {
          running = machine.heard.agent_version;
        } else if (machine.reported) {
          running = machine.reported->agent_version;
        }
        return !running.empty() && version(term, running, version::Scheme::semver);
      }
      case HostField::last_seen:
        return age(last_seen(machine));
      case HostField::first_seen:
        return age(host.first_seen);
      case HostField::last_report:
        return host.last_report_at ? age(*host.last_report_at)
                                   : compare(term.comparison, Duration::max(), term.age);
      case HostField::package:
        return has_package(term, machine);
      case HostField::cve:
        return has_open(machine, [&](const model::Finding& finding) {
          return finding.cve == term.text.pieces.front();
        });
      case HostField::severity:
        return has_open(machine, [&](const model::Finding& finding) {
          return compare(term.comparison, static_cast<std::int64_t>(finding.severity), term.number);
        });
      case HostField::kev:
        return has_open(machine, [](const model::Finding& finding) {
                 return finding.known_exploited;
               }) == (term.number == 1);
    }
    return false;
  }

  RandomFleet& world_;
};

std::string random_term(SeededRng& rng, const RandomFleet& world) {
  const std::vector<std::string> terms = {
      "web",
      "db-1",
      "hostname:*1*",
      "hostname:web-10",
      "os:linux",
      "os:debian*",
      "os:windows",
      "os.version:12",
      "os.version:\"\"",
      "os.kernel:6.1*",
      "arch:ARM64",
      "distro:debian:12",
      "distro:*",
      "ip:10.*",
      "ip:2001:db8::1",
      "tag:prod",
      "tag:canary",
      "tag:env=*",
      "tag:\"a b\"",
      "tag:größe",
      "packages>1",
      "packages<=2",
      "packages:0",
      "status:online",
      "status:offline",
      "status:unknown",
      "agent:none",
      "agent:active",
      "agent:disabled",
      "agent.version<2",
      "agent.version>=1.2",
      "agent.version:1.*",
      "agent.version:2.0.1",
      "last_seen>10m",
      "last_seen<=1d",
      "first_seen>2w",
      "first_seen<7d",
      "last_report>1d",
      "last_report<2d",
      "package:openssl",
      "package:open*",
      "package:openssl<3.0.11",
      "package:openssl>=3.0.9",
      "package:curl=4",
      "package:*=3.0.*",
      "package:openssh!=1.1",
      "package:nothing",
      "cve:CVE-2024-1",
      "cve:CVE-2024-3",
      "severity>=high",
      "severity:low",
      "severity<medium",
      "severity>critical",
      "kev:true",
      "kev:false",
      "id>" + std::to_string(world.machines[rng.below(world.machines.size())].host.id.value)};
  return terms[rng.below(terms.size())];
}

std::string random_query(SeededRng& rng, const RandomFleet& world, int depth) {
  const auto kind = depth == 0 ? 0U : rng.below(5);
  if (kind < 2) return random_term(rng, world);
  if (kind == 2) return "-(" + random_query(rng, world, depth - 1) + ")";
  std::string out = "(" + random_query(rng, world, depth - 1);
  for (std::size_t i = 1 + rng.below(2); i > 0; --i) {
    out += (kind == 3 ? " " : " OR ") + random_query(rng, world, depth - 1);
  }
  return out + ")";
}

std::vector<HostId> ids_of(const std::vector<Machine>& machines, const HostQuery& query,
                           std::optional<OrgId> org, const Reference& reference) {
  std::vector<HostId> ids;
  for (const Machine& machine : machines) {
    if (org && machine.host.org != *org) continue;
    if (reference.holds(query, machine)) ids.push_back(machine.host.id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

TEST(HostSearch, FindsExactlyWhatAPlainReadingOfTheQueryMeans) {
  RandomFleet world(11, 400);
  const Reference reference(world);
  SeededRng rng(5);
  int some = 0;
  for (int i = 0; i < 500; ++i) {
    const std::string text = i < 100 ? random_term(rng, world) : random_query(rng, world, 3);
    const auto parsed = model::parse_host_query(text);
    if (!parsed.ok()) continue;  // too many terms about software
    const HostQuery& query = *parsed;
    const auto org = rng.below(2) == 0 ? std::optional(world.orgs()[rng.below(2)]) : std::nullopt;
    std::vector<HostId> found;
    world.fleet->store.read([&](store::Reader& reader) {
      HostSearch search(reader, world.fleet->presence, world.fleet.config, query, org, HostId{0},
                        world.fleet.now);
      while (const auto host = search.next()) found.push_back(host->id);
      EXPECT_FALSE(search.is_cut_short());
      return 0;
    });
    ASSERT_EQ(found, ids_of(world.machines, query, org, reference)) << text;
    if (!found.empty() && found.size() < world.machines.size()) ++some;
  }
  EXPECT_GT(some, 250) << "queries that say nothing prove nothing";
}

TEST(HostSearch, PagesHaveEveryHostOnceAndTheSameTotal) {
  RandomFleet world(12, 700);
  const Reference reference(world);
  const HostQuery query = model::parse_host_query("os:linux -tag:canary").value();
  const auto expected = ids_of(world.machines, query, std::nullopt, reference);
  ASSERT_GT(expected.size(), 100U);
  std::vector<HostId> found;
  std::string cursor;
  do {
    const HostPage page =
        list_matching_hosts(world.fleet->store, world.fleet->presence, world.fleet.config, query,
                            std::nullopt, cursor, 7, world.fleet.now)
            .value();
    for (const HostView& view : page.hosts) found.push_back(view.host.id);
    EXPECT_EQ(page.total.value, static_cast<std::int64_t>(expected.size()));
    EXPECT_TRUE(page.total.exact);
    cursor = page.next_cursor;
  } while (!cursor.empty());
  EXPECT_EQ(found, expected);
}

TEST(HostSearch, ShowsThePresenceThatItSearchesBy) {
  RandomFleet world(13, 200);
  for (const char* word : {"online", "offline", "unknown"}) {
    const HostQuery query = model::parse_host_query("status:" + std::string(word)).value();
    const HostPage page =
        list_matching_hosts(world.fleet->store, world.fleet->presence, world.fleet.config, query,
                            std::nullopt, "", 1000, world.fleet.now)
            .value();
    for (const HostView& view : page.hosts) EXPECT_EQ(model::presence_name(view.presence), word);
  }
}

TEST(HostSearch, CallsHostsUnknownWhileTheServerItselfIsNew) {
  TestFleet fleet;
  const Enrolled agent = fleet.enrol("web-1");
  fleet->presence.touch_agent(agent.agent, fleet.now);
  fleet.now = fleet.now + std::chrono::hours(1);
  fleet->presence.resume_listening(fleet.now);
  const auto count = [&](std::string_view text) {
    const HostQuery query = model::parse_host_query(text).value();
    return fleet->store.read([&](store::Reader& reader) {
      HostSearch search(reader, fleet->presence, fleet.config, query, std::nullopt, HostId{0},
                        fleet.now);
      return count_found(search, 0).value;
    });
  };
  EXPECT_EQ(count("status:unknown"), 1);
  EXPECT_EQ(count("-status:unknown"), 0);
}

TEST(HostSearch, TargetsTheNewestAgentOfEachHostThatHasOne) {
  TestFleet fleet;
  const Enrolled first = fleet.enrol("web-1");
  const Enrolled second = fleet.enrol("web-2");
  ASSERT_TRUE(fleet.report(TestFleet::report_of("web-3")).ok());
  const auto targets = [&](std::string_view text) {
    const HostQuery query = model::parse_host_query(text).value();
    return find_targets(fleet->store, fleet->presence, fleet.config, query, TestFleet::org,
                        fleet.now);
  };
  const Targets all = targets("web").value();
  EXPECT_EQ(all.hosts, 3);
  EXPECT_EQ(all.without_agent, 1);
  ASSERT_EQ(all.agents.size(), 2U);
  EXPECT_EQ(all.agents[0].agent, first.agent);
  EXPECT_EQ(all.agents[1].agent, second.agent);
  EXPECT_EQ(targets("web-3").error().field, "query");
  EXPECT_EQ(targets("nothing").error().code, Errc::invalid_field);
}

}  // namespace
}  // namespace muster::fleet
