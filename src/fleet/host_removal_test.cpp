// SPDX-License-Identifier: Apache-2.0
#include "fleet/host_removal.h"

#include <gtest/gtest.h>

#include "base/json_read.h"
#include "fleet/acceptances.h"
#include "fleet/finding_testing.h"
#include "fleet/hosts.h"
#include "fleet/runtimes.h"
#include "fleet/supersession.h"

namespace muster::fleet {
namespace {

class HostRemoval : public testing::Test {
 protected:
  HostRemoval() {
    fleet.import(feeds::FeedKind::debian, feed({{"a", "2"}})).value();
    gone = fleet.report(of("web-1")).value().host;
    kept = fleet.report(of("web-2")).value().host;
  }

  static InventoryReport of(const std::string& name) {
    InventoryReport report = TestFleet::report_of(name);
    for (const char* package : {"a", "b", "c", "d", "e"}) {
      TestFleet::add(report, debian_package(package, "1"));
    }
    return report;
  }
  Result<void> remove(HostId host) {
    return fleet->store.write([&](store::Tx& tx) {
      return delete_host(tx, fleet.inventory(), fleet->credentials, fleet.actor, TestFleet::org,
                         host, fleet.now);
    });
  }
  std::optional<Errc> failure_of(HostId host) {
    const Result<void> removed = remove(host);
    return removed.ok() ? std::nullopt : std::optional(removed.error().code);
  }
  Result<HostView> shown(HostId host) {
    return show_host(fleet->store, fleet->presence, fleet.config, fleet->catalogue,
                     std::to_string(host.value), fleet.now);
  }
  void decommission(AgentId agent) {
    fleet->store
        .write([&](store::Tx& tx) {
          return decommission_agent(tx, fleet->ids, fleet->credentials, fleet->presence,
                                    fleet.actor, TestFleet::org, agent, fleet.now);
        })
        .value();
  }

  TestFleet fleet;
  HostId gone, kept;
};

TEST_F(HostRemoval, NothingIsLeftOfItButItsHistory) {
  fleet.report(TestFleet::report_of("web-1")).value();  // held
  const std::string id = std::to_string(gone.value);
  fleet->store.write([&](store::Tx& tx) {
    JsonDocument document;
    const SettingScope scope{SettingScope::Kind::host, TestFleet::org, id};
    fleet->settings.set(tx, scope, document.parse(R"({"scan_interval": 999})").value()).value();
    record_runtime(tx, TestFleet::org, gone, ToldRuntime{"hash", {}}, fleet.now);
  });
  fleet->presence.touch_host(TestFleet::org, gone, "1.0", fleet.now);
  fleet->presence.flush(fleet->store);

  ASSERT_TRUE(remove(gone).ok());

#define ROWS_WITHOUT_A_HOST(table) \
  "SELECT count(*) FROM " table " WHERE host_id NOT IN (SELECT host_id FROM hosts)"
  EXPECT_EQ(fleet.count(ROWS_WITHOUT_A_HOST("findings")), 0);
  EXPECT_EQ(fleet.count(ROWS_WITHOUT_A_HOST("host_presence")), 0);
  EXPECT_EQ(fleet.count(ROWS_WITHOUT_A_HOST("host_runtimes")), 0);
  EXPECT_EQ(fleet.count(ROWS_WITHOUT_A_HOST("host_sources")), 0);
  EXPECT_EQ(fleet.count(ROWS_WITHOUT_A_HOST("host_images")), 0);
  EXPECT_EQ(fleet.count(ROWS_WITHOUT_A_HOST("host_lockfiles")), 0);
  EXPECT_EQ(fleet.count(ROWS_WITHOUT_A_HOST("held_reports")), 0);
  EXPECT_EQ(fleet.count(ROWS_WITHOUT_A_HOST("latest_results")), 0);
  EXPECT_EQ(fleet.count(ROWS_WITHOUT_A_HOST("events")), 3) << "registered, held, deleted";
#undef ROWS_WITHOUT_A_HOST
  EXPECT_EQ(fleet.count("SELECT count(*) FROM package_sets"), 1);
  EXPECT_EQ(fleet.count("SELECT hosts FROM package_sets"), 1) << "the other host alone";
  EXPECT_EQ(fleet.count("SELECT count(*) FROM audit WHERE action = 'hosts.delete'"), 1);
  EXPECT_FALSE(fleet->directory.find(TestFleet::org, "", "web-1"));
  EXPECT_FALSE(fleet->presence.find_host(TestFleet::org, gone));
  EXPECT_EQ(fleet->settings.of_host(TestFleet::org, gone, {}).scan_interval,
            HostSettings{}.scan_interval);
  EXPECT_FALSE(shown(gone).ok());
  EXPECT_EQ(findings(fleet).size(), 1U) << "the other host's";
  EXPECT_EQ(shown(kept).value().software.size(), 5U);
  fleet.reopen();
  EXPECT_FALSE(fleet->directory.find(gone));
}

TEST_F(HostRemoval, ALiveAgentKeepsIt) {
  const Enrolled enrolled = fleet.enrol("web-3");
  EXPECT_EQ(failure_of(enrolled.host), Errc::illegal_transition);
  EXPECT_TRUE(shown(enrolled.host).ok());
  decommission(enrolled.agent);
  EXPECT_TRUE(remove(enrolled.host).ok());
  EXPECT_EQ(failure_of(enrolled.host), Errc::not_found);
}

TEST_F(HostRemoval, ASupersededAgentCannotComeBackToIt) {
  const Enrolled first = fleet.enrol("web-3", "machine");
  const Enrolled second = fleet.enrol("web-3", "machine");
  fleet->store.write([&](store::Tx& tx) {
    record_first_use(tx, fleet->ids, fleet->credentials, fleet->presence, TestFleet::org,
                     second.agent, 0, fleet.now)
        .value();
  });
  decommission(second.agent);
  ASSERT_TRUE(remove(second.host).ok());
  const auto agent = fleet->store.read([&](store::Reader& reader) {
    return store::find_agent(reader, TestFleet::org, first.agent);
  });
  ASSERT_TRUE(agent);
  EXPECT_EQ(agent->status, model::AgentStatus::decommissioned);
}

TEST_F(HostRemoval, AMachineThatStillReportsIsAnotherHost) {
  ASSERT_TRUE(remove(gone).ok());
  const ReportOutcome again = fleet.report(of("web-1")).value();
  EXPECT_TRUE(again.host_created);
  EXPECT_NE(again.host, gone);
  EXPECT_EQ(again.vulnerabilities, 1);
}

}  // namespace
}  // namespace muster::fleet
