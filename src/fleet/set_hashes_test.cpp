// SPDX-License-Identifier: Apache-2.0
#include "fleet/set_hashes.h"

#include <set>

#include <gtest/gtest.h>

#include "fleet/hosts.h"
#include "fleet/testing.h"

namespace muster::fleet {
namespace {

using Software = std::set<model::Package>;

model::SetHash hash_of(const Software& software) {
  model::SetHash hash;
  for (const model::Package& package : software) {
    std::string text;
    model::append_canonical(text, model::view_of(package));
    hash.add(text);
  }
  return hash;
}

InventoryReport full_of(const std::string& hostname, const Software& software) {
  InventoryReport report = TestFleet::report_of(hostname, {software.begin(), software.end()});
  report.set_hash = hash_of(software);
  return report;
}

InventoryReport delta_of(const std::string& hostname, const Software& before,
                         const Software& after) {
  InventoryReport report = TestFleet::report_of(hostname);
  report.delta = true;
  for (const model::Package& package : before) {
    if (after.contains(package)) continue;
    report.removals.push_back({package.name, package.version, package.vendor});
  }
  for (const model::Package& package : after) {
    if (!before.contains(package)) TestFleet::add(report, package);
  }
  report.base_set_hash = hash_of(before);
  report.set_hash = hash_of(after);
  return report;
}

/// One host of a site that reported a and b.
class SetHashes : public testing::Test {
 protected:
  SetHashes() { host = fleet.report(full_of("web-1", first))->host; }

  Software stored() {
    const HostView view = show_host(fleet->store, fleet->presence, fleet.config, fleet->catalogue,
                                    std::to_string(host.value), fleet.now)
                              .value();
    Software software;
    for (const HostPackageView& row : view.software) software.insert(row.package);
    return software;
  }
  bool full_wanted() { return fleet->settings.of_host(TestFleet::org, host, {}).force_full_scan; }
  std::int64_t drifts() {
    return fleet.count("SELECT count(*) FROM events WHERE type = 'software_drift'");
  }
  bool told(const Software& software) {
    return fleet->store
        .write([&](store::Tx& tx) -> Result<bool> {
          return check_told_set(tx, fleet.inventory(), {TestFleet::org, host, std::nullopt, {}},
                                hash_of(software), fleet.now);
        })
        .value();
  }

  const Software first = {debian_package("a", "1"), debian_package("b", "1")};
  const Software second = {debian_package("a", "2"), debian_package("b", "1")};
  const Software third = {debian_package("a", "3"), debian_package("b", "1")};
  TestFleet fleet;
  HostId host;
};

TEST_F(SetHashes, ReportIsAnsweredWithTheHashOfWhatTheServerHas) {
  EXPECT_EQ(fleet.report(full_of("web-1", second))->set_hash, hash_of(second));
  EXPECT_EQ(fleet.report(delta_of("web-1", second, third))->set_hash, hash_of(third));
  EXPECT_EQ(stored(), third);
}

TEST_F(SetHashes, ReporterThatNamesNoneIsToldNone) {
  EXPECT_EQ(fleet.report(TestFleet::report_of("web-1", {debian_package("a", "1")}))->set_hash,
            std::nullopt);
}

TEST_F(SetHashes, DeltaOfAnotherSetIsRefusedAndAskedForInFull) {
  const ReportOutcome outcome = fleet.report(delta_of("web-1", second, third)).value();
  EXPECT_TRUE(outcome.refused);
  EXPECT_EQ(outcome.set_hash, hash_of(first));
  EXPECT_EQ(stored(), first);
  EXPECT_TRUE(full_wanted());
  EXPECT_EQ(drifts(), 1);
  fleet.report(delta_of("web-1", second, third)).value();
  EXPECT_EQ(drifts(), 1) << "one event until the full report comes";
  EXPECT_FALSE(fleet.report(full_of("web-1", third))->refused);
  EXPECT_FALSE(full_wanted());
  EXPECT_EQ(stored(), third);
}

TEST_F(SetHashes, LateCopyOfADeltaIsNotBelieved) {
  const InventoryReport late = delta_of("web-1", first, second);
  fleet.report(late).value();
  fleet.report(delta_of("web-1", second, third)).value();
  EXPECT_TRUE(fleet.report(late)->refused);
  EXPECT_EQ(stored(), third);
}

TEST_F(SetHashes, RepeatedDeltaIsAcknowledgedAndChangesNothing) {
  fleet.report(delta_of("web-1", first, second)).value();
  const ReportOutcome again = fleet.report(delta_of("web-1", first, second)).value();
  EXPECT_FALSE(again.refused);
  EXPECT_EQ(again.set_hash, hash_of(second));
  EXPECT_EQ(stored(), second);
  EXPECT_FALSE(full_wanted());
}

TEST_F(SetHashes, DeltaThatEndsElsewhereIsAppliedAndAskedForInFull) {
  InventoryReport report = delta_of("web-1", first, second);
  report.set_hash = hash_of(third);
  EXPECT_TRUE(fleet.report(report)->differs);
  EXPECT_EQ(stored(), second);
  EXPECT_TRUE(full_wanted());
}

TEST_F(SetHashes, FullReportWithAWrongHashIsTakenAndItsSenderNotAskedAgain) {
  InventoryReport report = full_of("web-1", second);
  report.set_hash = hash_of(third);
  const ReportOutcome outcome = fleet.report(report).value();
  EXPECT_TRUE(outcome.differs);
  EXPECT_EQ(outcome.set_hash, hash_of(second));
  EXPECT_EQ(stored(), second);
  EXPECT_FALSE(fleet->marks.may_differ(host, std::nullopt, hash_of(third)));
  EXPECT_FALSE(told(third));
  EXPECT_FALSE(full_wanted());
}

TEST_F(SetHashes, HeartbeatThatNamesAnotherSetIsADrift) {
  EXPECT_FALSE(fleet->marks.may_differ(host, std::nullopt, hash_of(first)));
  EXPECT_TRUE(fleet->marks.may_differ(host, std::nullopt, hash_of(second)));
  EXPECT_TRUE(told(second));
  EXPECT_TRUE(full_wanted());
  EXPECT_EQ(drifts(), 1);
}

TEST_F(SetHashes, AreRememberedOverARestart) {
  fleet.reopen();
  EXPECT_FALSE(fleet->marks.may_differ(host, std::nullopt, hash_of(first)));
  EXPECT_TRUE(fleet->marks.may_differ(host, std::nullopt, hash_of(second)));
}

TEST_F(SetHashes, AnotherServersReportIsNoDrift) {
  fleet->marks.set(host, {hash_of(second), fleet.now, std::nullopt});  // what it saw last
  EXPECT_FALSE(told(first));
  EXPECT_FALSE(fleet->marks.may_differ(host, std::nullopt, hash_of(first)));
  EXPECT_EQ(drifts(), 0);
}

TEST_F(SetHashes, DeltaAfterReportsWithoutHashesIsHeldAgainstWhatIsStored) {
  fleet.report(TestFleet::report_of("web-1", {second.begin(), second.end()})).value();
  EXPECT_TRUE(fleet.report(delta_of("web-1", first, third))->refused);
  EXPECT_EQ(fleet.report(delta_of("web-1", second, third))->set_hash, hash_of(third));
}

TEST_F(SetHashes, AreOfWhatWasToldNotOfWhatIsHeld) {
  fleet.config.inventory_hold_min_packages = 2;
  const Software nothing;
  const ReportOutcome held = fleet.report(full_of("web-1", nothing)).value();
  EXPECT_EQ(held.held, 2);
  EXPECT_EQ(held.set_hash, hash_of(nothing));
  EXPECT_FALSE(held.differs);
  EXPECT_FALSE(fleet.report(delta_of("web-1", nothing, {debian_package("c", "1")}))->refused);
  EXPECT_EQ(stored().size(), 3U) << "what is held stays";
}

TEST_F(SetHashes, EachSecondSourceHasItsOwn) {
  const Enrolled agent = fleet.enrol("web-2");
  InventoryReport own = full_of("web-2", first);
  own.agent = {agent.agent, agent.host};
  fleet.report(own).value();
  InventoryReport site = full_of("web-2", second);
  site.key = KeyId{7};
  EXPECT_EQ(fleet.report(site)->set_hash, hash_of(second));
  InventoryReport stale = delta_of("web-2", first, third);
  stale.key = KeyId{7};
  EXPECT_TRUE(fleet.report(stale)->refused);
  InventoryReport sound = delta_of("web-2", second, third);
  sound.key = KeyId{7};
  EXPECT_EQ(fleet.report(sound)->set_hash, hash_of(third));
  EXPECT_FALSE(fleet->settings.of_host(TestFleet::org, agent.host, {}).force_full_scan)
      << "the agent is not asked for what a site got wrong";
}

TEST_F(SetHashes, FullReportIsDueAfterSevenDaysFromWhoeverSpeaksForTheHost) {
  const auto due = [&](std::optional<AgentId> reporter) {
    return fleet->marks.full_is_due(host, reporter, fleet.config, fleet.now);
  };
  fleet.now = fleet.now + std::chrono::hours(7 * 24);
  EXPECT_FALSE(due(std::nullopt));
  fleet.report(delta_of("web-1", first, second)).value();
  fleet.now = fleet.now + Duration(1);
  EXPECT_TRUE(due(std::nullopt)) << "a delta is no full report";
  EXPECT_FALSE(due(AgentId{Uuid{}}));
  fleet.reopen();
  EXPECT_TRUE(due(std::nullopt));
  fleet.config.inventory_full_report_days = 0;
  EXPECT_FALSE(due(std::nullopt));
  fleet.config.inventory_full_report_days = 7;
  fleet.report(full_of("web-1", second)).value();
  EXPECT_FALSE(due(std::nullopt));
}

// Mission rule 12: whatever the reports were, the host ends where one full report would have put
// it.
TEST(SetHashProperty, AnySequenceOfReportsIsTheOneFullReportOfItsEnd) {
  TestFleet fleet;
  fleet.config.inventory_hold_removal_percent = 100;
  SeededRng rng(5);
  for (int number = 0; number < 40; ++number) {
    const std::string name = "host-" + std::to_string(number);
    Software software;
    HostId host;
    std::vector<InventoryReport> sent;
    for (int i = 0; i < 12; ++i) {
      const Software before = software;
      for (std::size_t changes = rng.below(4); changes > 0; --changes) {
        const auto package =
            debian_package("p" + std::to_string(rng.below(8)), std::to_string(1 + rng.below(3)));
        if (!software.erase(package)) software.insert(package);
      }
      const bool full = i == 0 || rng.below(4) == 0;
      sent.push_back(full ? full_of(name, software) : delta_of(name, before, software));
      const ReportOutcome outcome = fleet.report(sent.back()).value();
      ASSERT_FALSE(outcome.refused || outcome.differs) << number << " step " << i;
      ASSERT_EQ(outcome.set_hash, hash_of(software)) << number << " step " << i;
      host = outcome.host;
      // A copy of some earlier one, out of its turn; what it may break is found out and mended.
      if (rng.below(2) == 0) {
        fleet.report(sent[rng.below(sent.size())]).value();
        if (fleet->marks.may_differ(host, std::nullopt, hash_of(software))) {
          ASSERT_TRUE(fleet.report(full_of(name, software)).ok());
        }
      }
    }
    const auto twin = fleet.report(full_of("twin-" + std::to_string(number), software)).value();
    const auto set_of = [&](HostId id) {
      return fleet->store.read([&](store::Reader& reader) {
        return store::find_host(reader, TestFleet::org, id)->package_set;
      });
    };
    ASSERT_EQ(set_of(host), set_of(twin.host)) << number;
  }
}

}  // namespace
}  // namespace muster::fleet
