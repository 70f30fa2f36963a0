// SPDX-License-Identifier: Apache-2.0
// Which machine a host is once a report of it names another one.
#include <gtest/gtest.h>

#include "fleet/inventory.h"
#include "fleet/testing.h"

namespace muster::fleet {
namespace {

TEST(Reports, OfAHostThatWasInstalledAnewAreOfItsNewMachine) {
  TestFleet fleet;
  InventoryReport report = TestFleet::report_of("web-1", {debian_package("a", "1")});
  report.machine_id = "before";
  const HostId host = fleet.report(report)->host;
  report.machine_id = "after";
  EXPECT_EQ(fleet.report(report)->host, host);
  // Agents in the field call by another name than they report with: the id alone links them.
  const auto found = [&](const std::string& machine) {
    return fleet->directory.find(TestFleet::org, machine, "web-1.example.org");
  };
  ASSERT_TRUE(found("after").has_value());
  EXPECT_EQ(found("after")->id, host);
  EXPECT_FALSE(found("before").has_value());
  fleet.reopen();
  ASSERT_TRUE(found("after").has_value());
}

TEST(Reports, OfASiteLeaveTheMachineOfALiveAgent) {
  TestFleet fleet;
  const Enrolled agent = fleet.enrol("web-1", "enrolled");
  InventoryReport report = TestFleet::report_of("web-1", {debian_package("a", "1")});
  report.machine_id = "other";
  EXPECT_EQ(fleet.report(report)->host, agent.host);
  EXPECT_FALSE(fleet->directory.find(TestFleet::org, "other", "").has_value());
  EXPECT_EQ(fleet->directory.find(TestFleet::org, "enrolled", "")->id, agent.host);
}

}  // namespace
}  // namespace muster::fleet
