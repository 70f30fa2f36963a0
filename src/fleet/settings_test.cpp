// SPDX-License-Identifier: Apache-2.0
#include "fleet/settings.h"

#include <gtest/gtest.h>

#include "fleet/testing.h"

namespace muster::fleet {
namespace {

using Kind = SettingScope::Kind;

SettingScope of_server() {
  return {Kind::server, OrgId{0}, ""};
}
SettingScope of_org() {
  return {Kind::org, TestFleet::org, ""};
}
SettingScope of_tag(const std::string& tag) {
  return {Kind::tag, TestFleet::org, tag};
}
SettingScope of_host(HostId host) {
  return {Kind::host, TestFleet::org, std::to_string(host.value)};
}

Result<void> change(TestFleet& fleet, const SettingScope& scope, std::string_view json,
                    http::Role role = http::Role::admin) {
  JsonDocument document;
  return change_settings(fleet->store, fleet->ids, fleet->settings, fleet.actor, role, scope,
                         document.parse(json).value(), fleet.now);
}

constexpr HostId host{42};

std::int64_t interval(TestFleet& fleet, const std::vector<std::string>& tags = {"lab"}) {
  return fleet->settings.of_host(TestFleet::org, host, tags).scan_interval;
}

TEST(Settings, HostOverTagOverOrganisationOverServer) {
  TestFleet fleet;
  EXPECT_EQ(interval(fleet), 86400);
  const std::pair<SettingScope, std::int64_t> layers[] = {
      {of_server(), 1000}, {of_org(), 2000}, {of_tag("lab"), 3000}, {of_host(host), 4000}};
  for (const auto& [scope, value] : layers) {
    ASSERT_TRUE(change(fleet, scope, "{\"scan_interval\": " + std::to_string(value) + "}").ok());
    EXPECT_EQ(interval(fleet), value);
  }
  fleet.reopen();
  EXPECT_EQ(interval(fleet), 4000);
  EXPECT_EQ(fleet->settings.of_org(TestFleet::org).scan_interval, 2000);
  EXPECT_EQ(fleet->settings.of_host(TestFleet::org, HostId{43}, {"lab"}).scan_interval, 3000);
  EXPECT_EQ(fleet->settings.of_host(TestFleet::org, HostId{43}, {"la", "labs"}).scan_interval,
            2000);
  EXPECT_EQ(fleet->settings.of_host(OrgId{2}, host, {"lab"}).scan_interval, 1000);
}

TEST(Settings, NullRemovesOneAndTheLayerBelowShows) {
  TestFleet fleet;
  ASSERT_TRUE(change(fleet, of_org(), R"({"scan_interval": 2000, "include_updates": true})").ok());
  ASSERT_TRUE(change(fleet, of_host(host), R"({"scan_interval": 4000})").ok());
  ASSERT_TRUE(change(fleet, of_host(host), R"({"scan_interval": null})").ok());
  ASSERT_TRUE(change(fleet, of_org(), R"({"include_updates": null})").ok());
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_EQ(interval(fleet), 2000);
    EXPECT_FALSE(fleet->settings.of_host(TestFleet::org, host, {}).include_updates);
    EXPECT_EQ(fleet->settings.set_at_json(of_host(host)), "{}");
    EXPECT_EQ(fleet->settings.set_at_json(of_org()), R"({"scan_interval": 2000})");
    fleet.reopen();
  }
  ASSERT_TRUE(change(fleet, of_host(host), R"({"scan_interval": 5000})").ok()) << "set again";
  EXPECT_EQ(interval(fleet), 5000);
}

TEST(Settings, OneBadMemberRefusesThemAllByName) {
  TestFleet fleet;
  for (const auto& [bad, name] : std::initializer_list<std::pair<std::string_view, std::string>>{
           {R"({"scan_interval": 899})", "scan_interval"},
           {R"({"scan_interval": 604801})", "scan_interval"},
           {R"({"scan_interval": "900"})", "scan_interval"},
           {R"({"include_updates": 1})", "include_updates"},
           {R"({"minimum_agent_version": ""})", "minimum_agent_version"},
           {R"({"minimum_agent_version": "1\n"})", "minimum_agent_version"},
           {R"({"include_services": true, "unheard_of": 1})", "unheard_of"},
           {R"({"unheard_of": null})", "unheard_of"},
           {R"([])", "settings"}}) {
    const auto outcome = change(fleet, of_org(), bad);
    ASSERT_FALSE(outcome.ok()) << bad;
    EXPECT_EQ(outcome.error().field, name);
  }
  EXPECT_EQ(fleet->settings.set_at_json(of_org()), "{}");
  EXPECT_EQ(fleet.count("SELECT count(*) FROM settings"), 0);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM audit WHERE action = 'settings.set'"), 0);
}

TEST(Settings, AFullReportEndsAForcedScanOfItsHostAndADeltaDoesNot) {
  TestFleet fleet;
  const HostId reporter =
      fleet.report(TestFleet::report_of("web-1", {debian_package("a", "1")}))->host;
  const auto forced = [&] {
    return fleet->settings.of_host(TestFleet::org, reporter, {}).force_full_scan;
  };
  ASSERT_TRUE(change(fleet, of_host(reporter), R"({"force_full_scan": true})").ok());
  InventoryReport delta = TestFleet::report_of("web-1", {debian_package("b", "1")});
  delta.delta = true;
  fleet.report(delta).value();
  EXPECT_TRUE(forced());
  fleet.report(TestFleet::report_of("web-2")).value();
  EXPECT_TRUE(forced()) << "of another host";
  fleet.report(TestFleet::report_of("web-1")).value();
  EXPECT_FALSE(forced());
  fleet.reopen();
  EXPECT_FALSE(forced());
}

TEST(Settings, AnUndoneChangeIsInNeitherMemoryNorStore) {
  TestFleet fleet;
  JsonDocument document;
  const Json values = document.parse(R"({"scan_interval": 4000})").value();
  const auto undone = fleet->store.write([&](store::Tx& tx) -> Result<void> {
    EXPECT_TRUE(fleet->settings.set(tx, of_org(), values).ok());
    return Error{Errc::unavailable, "undone"};
  });
  EXPECT_FALSE(undone.ok());
  EXPECT_EQ(interval(fleet), 86400);
  fleet.reopen();
  EXPECT_EQ(interval(fleet), 86400);
}

// --- What muster-agent is given ------------------------------------------------------------------

TEST(AgentDocument, HoldsOnlyWhatIsSetForAgents) {
  TestFleet fleet;
  const auto document = [&](HostId id) {
    return agent_document(fleet->settings.of_host(TestFleet::org, id, {"lab"}));
  };
  EXPECT_EQ(document(host), "");
  ASSERT_TRUE(change(fleet, of_org(), R"({"scan_interval": 3600})").ok());
  EXPECT_EQ(document(host), "") << "that is for other agents";
  ASSERT_TRUE(change(fleet, of_org(), R"({"agent_poll_seconds": 60})").ok());
  ASSERT_TRUE(change(fleet, of_tag("lab"), R"({"agent_log_level": "error"})").ok());
  ASSERT_TRUE(
      change(fleet, of_host(host), R"({"agent_poll_seconds": 5, "agent_inventory_skip": "go,npm"})")
          .ok());
  EXPECT_EQ(document(host), R"({"agent_poll_seconds": 5, "agent_inventory_skip": "go,npm", )"
                            R"("agent_log_level": "error"})");
  EXPECT_EQ(document(HostId{43}), R"({"agent_poll_seconds": 60, "agent_log_level": "error"})");
}

TEST(AgentDocument, TakesNoValueThatNoAgentWould) {
  TestFleet fleet;
  for (const auto& [bad, name] : std::initializer_list<std::pair<std::string_view, std::string>>{
           {R"({"agent_poll_seconds": 4})", "agent_poll_seconds"},
           {R"({"agent_poll_seconds": 0})", "agent_poll_seconds"},
           {R"({"agent_heartbeat_seconds": 3601})", "agent_heartbeat_seconds"},
           {R"({"agent_log_level": "debug"})", "agent_log_level"},
           {R"({"agent_log_level": "info,error"})", "agent_log_level"},
           {R"({"agent_inventory_skip": ""})", "agent_inventory_skip"},
           {R"({"agent_inventory_skip": "go,"})", "agent_inventory_skip"},
           {R"({"agent_inventory_skip": "go,,npm"})", "agent_inventory_skip"},
           {R"({"agent_inventory_skip": "host"})", "agent_inventory_skip"},
           {R"({"policy_allow": "all"})", "policy_allow"}}) {
    EXPECT_EQ(change(fleet, of_org(), bad).error().field, name) << bad;
  }
}

TEST(Brief, FollowsEveryChangeOfSettingsAndTags) {
  TestFleet fleet;
  const HostId id = fleet.report(TestFleet::report_of("web-1"))->host;
  const auto brief = [&] {
    const auto known = fleet->directory.find(id);
    const auto settings = fleet->settings.of_host(TestFleet::org, id, known->tags);
    const Settings::Brief told = fleet->settings.brief_of(TestFleet::org, id, fleet->directory);
    EXPECT_EQ(told.config_hash, config_hash_of(agent_document(settings)));
    EXPECT_EQ(told.force_full_scan, settings.force_full_scan);
    return told.config_hash;
  };
  EXPECT_EQ(brief(), "");
  ASSERT_TRUE(change(fleet, of_tag("lab"), R"({"agent_poll_seconds": 60})").ok());
  EXPECT_EQ(brief(), "") << "it has no such tag";
  InventoryReport report = TestFleet::report_of("web-1");
  report.tags = {"lab"};
  fleet.report(report).value();
  const std::string of_lab = brief();
  EXPECT_EQ(of_lab.size(), 64U);
  EXPECT_EQ(brief(), of_lab);
  ASSERT_TRUE(change(fleet, of_host(id), R"({"agent_poll_seconds": 30})").ok());
  EXPECT_NE(brief(), of_lab);
  ASSERT_TRUE(change(fleet, of_host(id), R"({"agent_poll_seconds": null})").ok());
  EXPECT_EQ(brief(), of_lab);
  report.tags = std::vector<std::string>{};
  fleet.report(report).value();
  EXPECT_EQ(brief(), "");
  EXPECT_EQ(fleet->settings.brief_of(TestFleet::org, HostId{999}, fleet->directory).config_hash,
            "");
}

TEST(ApprovalRule, IsForOwnersToSetAndAnEventOfItsOrganisation) {
  TestFleet fleet;
  const auto rule = [&] { return fleet->settings.approval_rule_of(TestFleet::org); };
  EXPECT_EQ(rule().policy, model::ApprovalPolicy::none);
  const std::string_view risky = R"({"task_approval": "risky", "task_approval_seconds": 3600})";
  EXPECT_EQ(change(fleet, of_org(), risky, http::Role::admin).error().code,
            Errc::insufficient_role);
  EXPECT_EQ(rule().policy, model::ApprovalPolicy::none);
  ASSERT_TRUE(change(fleet, of_org(), risky, http::Role::owner).ok());
  EXPECT_EQ(rule().policy, model::ApprovalPolicy::risky);
  EXPECT_EQ(rule().hosts, 10);
  EXPECT_EQ(rule().within, std::chrono::hours(1));
  const std::string_view off = R"({"task_approval": null})";
  EXPECT_EQ(change(fleet, of_org(), off, http::Role::admin).error().code, Errc::insufficient_role);
  EXPECT_TRUE(change(fleet, of_org(), off, http::Role::owner).ok());
  EXPECT_EQ(rule().policy, model::ApprovalPolicy::none);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM events WHERE type = 'approval_rule_changed'"), 2);
  EXPECT_EQ(fleet.count("SELECT count(*) FROM audit WHERE action = 'settings.set'"), 2);
  ASSERT_TRUE(change(fleet, of_org(), R"({"scan_interval": 3600})").ok());
  EXPECT_EQ(fleet.count("SELECT count(*) FROM events WHERE type = 'approval_rule_changed'"), 2);
}

TEST(ApprovalRule, HoldsForAnOrganisationAndForNoPartOfIt) {
  TestFleet fleet;
  for (const SettingScope& scope : {of_tag("lab"), of_host(host)}) {
    const auto refused = change(fleet, scope, R"({"task_approval": "none"})", http::Role::owner);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().field, "task_approval");
  }
  for (const char* bad : {R"({"task_approval": "some"})", R"({"task_approval": "none,all"})",
                          R"({"task_approval_hosts": 0})", R"({"task_approval_seconds": 299})"}) {
    EXPECT_FALSE(change(fleet, of_org(), bad, http::Role::owner).ok()) << bad;
  }
}

}  // namespace
}  // namespace muster::fleet
