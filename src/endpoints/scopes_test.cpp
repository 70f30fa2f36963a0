// SPDX-License-Identifier: Apache-2.0
// Which scope of an inventory key opens which route, every one of them asked of the dispatcher.
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "base/json_read.h"
#include "endpoints/testing.h"
#include "fleet/enrolment.h"
#include "store/store.h"

namespace muster::endpoints {
namespace {

using http::Method;
using http::Scope;
using Names = std::set<std::string_view>;

/// What reporters of sites call.
const Names& of_agent() {
  static const Names names = {"heartbeat",
                              "agent_config",
                              "check_version",
                              "report_inventory",
                              "list_commands",
                              "list_jobs",
                              "report_update_status",
                              "revoke_old_key",
                              "download_agent_script",
                              "report_container_scan",
                              "report_dependency_scan"};
  return names;
}

/// What an operator reads of an organisation, and the server's figures.
const Names& of_read() {
  static const Names names = {
      "list_tokens",        "list_token_uses",   "list_keys",           "list_orgs",
      "list_agents",        "show_agent",        "show_agent_history",  "show_fleet",
      "list_tasks",         "show_task",         "list_batches",        "list_task_results",
      "list_results",       "show_result",       "summarise_test",      "list_test_binaries",
      "list_agent_scripts", "list_releases",     "show_release",        "list_views",
      "show_view",          "list_alerts",       "show_alert",          "list_hosts",
      "show_host",          "list_held_reports", "list_software",       "list_feeds",
      "list_findings",      "group_findings",    "show_finding",        "explain_finding",
      "list_images",        "show_image",        "list_image_findings", "show_settings",
      "list_events",        "watch_changes",     "show_metrics",        "show_finding_trend"};
  return names;
}

const Names& of_import() {
  static const Names names = {"import_feed"};
  return names;
}

/// Routes that need no proof in their head.
const Names open_to_all = {"enroll_agent",       "download_release",         "sign_in",
                           "show_health",        "sign_in_with_passkey",     "show_readiness",
                           "show_openapi",       "create_passkey_challenge", "show_oidc_provider",
                           "begin_oidc_sign_in", "sign_in_with_oidc"};

const std::map<Scope, const Names*>& table() {
  static const std::map<Scope, const Names*> scopes = {
      {Scope::agent, &of_agent()}, {Scope::read, &of_read()}, {Scope::import, &of_import()}};
  return scopes;
}

const std::string debian_feed =
    R"({"a": {"CVE-2099-0001": {"description": "d", "scope": "local", "releases": {"bookworm":)"
    R"( {"status": "resolved", "fixed_version": "2.0-1", "urgency": "high"}}}}})";

std::string key_with(TestServer& server, unsigned scopes, OrgId org = OrgId{1}) {
  return server.fleet.store.write([&](store::Tx& tx) {
    return fleet::create_inventory_key(tx, server.fleet.ids, server.rng, server.fleet.credentials,
                                       fleet::Actor::server(), org, "k",
                                       static_cast<std::uint8_t>(scopes), server.clock.now())
        .key;
  });
}

int status_of_head(TestServer& server, const Route& route, const std::string& key) {
  return endpoints::status_of_head(server, route,
                                   {{"X-Agent-Key", key}, {"Authorization", "Bearer " + key}});
}

TEST(Scopes, EachOpensTheRoutesOfItsNameAndNoOther) {
  TestServer server;
  for (unsigned scopes = 1; scopes < 8; ++scopes) {
    const std::string key = key_with(server, scopes);
    for (const Route& route : routes()) {
      if (open_to_all.count(route.name) != 0) continue;
      bool opens = false;
      for (const auto& [scope, names] : table()) {
        const bool has = (scopes & static_cast<unsigned>(scope)) != 0;
        opens = opens || (has && names->count(route.name) != 0);
      }
      const int status = status_of_head(server, route, key);
      EXPECT_EQ(status == 0, opens) << scopes << ": " << route.name << " " << status;
      EXPECT_TRUE(opens || status == 401 || status == 403) << route.name << " " << status;
    }
  }
}

TEST(Scopes, NameRoutesThatExist) {
  Names all;
  for (const Route& route : routes()) all.insert(route.name);
  for (const auto& [scope, names] : table()) {
    for (const std::string_view name : *names) EXPECT_EQ(all.count(name), 1U) << name;
  }
  for (const std::string_view name : open_to_all) EXPECT_EQ(all.count(name), 1U) << name;
}

TEST(Scopes, WhatIsOfTheWholeServerIsForKeysOfTheFirstOrganisation) {
  TestServer server;
  const http::Response made = server.ask({"POST",
                                          "/api/v1/orgs",
                                          {{"Authorization", "Bearer " + server.admin_token}},
                                          R"({"name": "other"})"});
  JsonDocument document;
  const OrgId other{*document.parse(made.body)->find("id")->integer()};
  const std::string key = key_with(server, 7, other);
  for (const Route& route : routes()) {
    const bool of_server = route.name == "show_metrics" || route.name == "import_feed";
    if (!of_server && route.name != "list_hosts") continue;
    EXPECT_EQ(status_of_head(server, route, key), of_server ? 403 : 0) << route.name;
  }
}

TEST(Scopes, AKeyThatIsRevokedOpensNothing) {
  TestServer server;
  const auto ask = [&](const std::string& token, const std::string& method,
                       const std::string& target, const std::string& body = {}) {
    return server.ask({method, target, {{"Authorization", "Bearer " + token}}, body});
  };
  const http::Response made = ask(server.admin_token, "POST", "/api/v1/keys",
                                  R"({"name": "k", "scopes": ["read", "import"]})");
  ASSERT_EQ(made.status, 201) << made.body;
  JsonDocument document;
  const Json created = document.parse(made.body).value();
  const std::string key(*created.find("key")->string());
  const std::string id = std::to_string(*created.find("id")->integer());
  EXPECT_EQ(ask(key, "GET", "/api/v1/hosts").status, 200);
  const http::Response imported = ask(key, "POST", "/api/v1/feeds/debian", debian_feed);
  EXPECT_EQ(imported.status, 200) << imported.body;
  const http::Response audit = ask(server.admin_token, "GET", "/api/v1/audit?limit=1");
  EXPECT_NE(audit.body.find("\"key:" + id + "\""), std::string::npos) << audit.body;
  EXPECT_EQ(ask(server.admin_token, "DELETE", "/api/v1/keys/" + id).status, 200);
  EXPECT_EQ(ask(key, "GET", "/api/v1/hosts").status, 401);
  EXPECT_EQ(ask(key, "POST", "/api/v1/feeds/debian", debian_feed).status, 401);
}

TEST(Scopes, AReaderWatchesItsOwnOrganisation) {
  TestServer server;
  const std::string key = key_with(server, static_cast<unsigned>(Scope::read));
  const http::Response watched =
      server.ask({"GET", "/api/v1/stream", {{"Authorization", "Bearer " + key}}, ""});
  EXPECT_EQ(watched.status, 200) << watched.body;
  EXPECT_EQ(
      server.ask({"GET", "/api/v1/hosts?org=2", {{"Authorization", "Bearer " + key}}, ""}).status,
      404);
}

}  // namespace
}  // namespace muster::endpoints
