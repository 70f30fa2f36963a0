// SPDX-License-Identifier: Apache-2.0
// Which role opens which route, every one of them asked of the dispatcher.
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "endpoints/testing.h"
#include "fleet/operators.h"
#include "store/store.h"

namespace muster::endpoints {
namespace {

using http::Role;

/// The least role of each operators' route, by its function. Written down apart from routes.def, so
/// that a route which changes hands changes here too; one that is missing fails.
const std::map<std::string_view, Role>& least_roles() {
  static const std::map<std::string_view, Role> roles = {
      {"list_sessions", Role::read_only},
      {"end_session", Role::read_only},
      {"show_self", Role::read_only},
      {"set_own_password", Role::read_only},
      {"offer_second_factor", Role::read_only},
      {"set_second_factor", Role::read_only},
      {"offer_passkey", Role::read_only},
      {"add_passkey", Role::read_only},
      {"list_passkeys", Role::read_only},
      {"rename_passkey", Role::read_only},
      {"remove_passkey", Role::read_only},
      {"begin_identity_link", Role::read_only},
      {"link_identity", Role::read_only},
      {"list_identities", Role::read_only},
      {"unlink_identity", Role::read_only},
      {"create_sign_in_link", Role::read_only},
      {"create_operator", Role::admin},
      {"list_operators", Role::admin},
      {"renew_operator", Role::admin},
      {"revoke_operator", Role::admin},
      {"remove_password", Role::admin},
      {"grant_role", Role::admin},
      {"revoke_grant", Role::admin},
      {"create_token", Role::operations},
      {"list_tokens", Role::read_only},
      {"revoke_token", Role::operations},
      {"list_token_uses", Role::read_only},
      {"create_key", Role::admin},
      {"list_keys", Role::read_only},
      {"revoke_key", Role::admin},
      {"create_org", Role::admin},
      {"list_orgs", Role::read_only},
      {"list_agents", Role::read_only},
      {"show_agent", Role::read_only},
      {"show_agent_history", Role::read_only},
      {"show_fleet", Role::read_only},
      {"show_doctor", Role::read_only},
      {"show_config", Role::admin},
      {"disable_agent", Role::operations},
      {"enable_agent", Role::operations},
      {"tag_agent", Role::operations},
      {"decommission_agent", Role::admin},
      {"rotate_agent_key", Role::admin},
      {"split_agent", Role::operations},
      {"reissue_agent_key", Role::admin},
      {"create_tasks", Role::operations},
      {"list_tasks", Role::read_only},
      {"show_task", Role::read_only},
      {"cancel_task", Role::operations},
      {"approve_tasks", Role::operations},
      {"reject_tasks", Role::operations},
      {"add_task_note", Role::analyst},
      {"list_batches", Role::read_only},
      {"cancel_batch", Role::operations},
      {"list_task_results", Role::read_only},
      {"list_results", Role::read_only},
      {"show_result", Role::read_only},
      {"summarise_test", Role::read_only},
      {"upload_blob", Role::operations},
      {"register_test_binary", Role::operations},
      {"list_test_binaries", Role::read_only},
      {"list_views", Role::read_only},
      {"show_view", Role::read_only},
      {"create_alert", Role::operations},
      {"list_alerts", Role::read_only},
      {"show_alert", Role::read_only},
      {"delete_alert", Role::operations},
      {"mute_alert", Role::operations},
      {"acknowledge_alert", Role::analyst},
      {"create_webhook", Role::admin},
      {"list_webhooks", Role::operations},
      {"delete_webhook", Role::admin},
      {"test_webhook", Role::admin},
      {"watch_changes", Role::read_only},
      {"set_view", Role::operations},
      {"delete_view", Role::operations},
      {"delete_test_binary", Role::operations},
      {"upload_agent_script", Role::admin},
      {"list_agent_scripts", Role::read_only},
      {"delete_agent_script", Role::admin},
      {"publish_release", Role::admin},
      {"list_releases", Role::read_only},
      {"show_release", Role::read_only},
      {"withdraw_release", Role::admin},
      {"list_hosts", Role::read_only},
      {"show_host", Role::read_only},
      {"delete_host", Role::admin},
      {"list_held_reports", Role::read_only},
      {"release_held_report", Role::operations},
      {"discard_held_report", Role::operations},
      {"list_software", Role::read_only},
      {"set_software_identity", Role::analyst},
      {"import_feed", Role::admin},
      {"sync_feed", Role::operations},
      {"list_feeds", Role::read_only},
      {"list_findings", Role::read_only},
      {"group_findings", Role::read_only},
      {"show_finding_trend", Role::read_only},
      {"show_finding", Role::read_only},
      {"explain_finding", Role::read_only},
      {"accept_finding", Role::analyst},
      {"reopen_finding", Role::analyst},
      {"list_images", Role::read_only},
      {"show_image", Role::read_only},
      {"list_image_findings", Role::read_only},
      {"show_settings", Role::read_only},
      {"set_settings", Role::admin},
      {"list_events", Role::read_only},
      {"list_audit", Role::admin},
      {"export_audit", Role::admin},
      {"list_audit_heads", Role::admin},
  };
  return roles;
}

/// Routes under /api/v1 that need no operator.
const std::set<std::string_view> for_strangers = {"sign_in",
                                                  "sign_in_with_passkey",
                                                  "create_passkey_challenge",
                                                  "show_oidc_provider",
                                                  "begin_oidc_sign_in",
                                                  "sign_in_with_oidc"};

bool is_of_operators(const Route& route) {
  return route.path.starts_with("/api/v1/") && for_strangers.count(route.name) == 0;
}

int status_of_head(TestServer& server, const Route& route, const std::string& token) {
  if (token.empty()) return endpoints::status_of_head(server, route, {});
  return endpoints::status_of_head(server, route, {{"Authorization", "Bearer " + token}});
}

std::string token_of(TestServer& server, Role role) {
  return server.fleet.store.write([&](store::Tx& tx) {
    return fleet::create_operator(tx, server.fleet.ids, server.rng, server.fleet.credentials,
                                  fleet::Actor::server(), {"o", role, Duration(0)},
                                  server.clock.now())
        .token;
  });
}

TEST(Roles, EveryRouteIsOpenToItsLeastRoleAndThoseAboveItAlone) {
  TestServer server;
  std::set<std::string_view> seen;
  for (const Role role : http::roles) {
    const std::string token = token_of(server, role);
    for (const Route& route : routes()) {
      if (!is_of_operators(route)) continue;
      const auto least = least_roles().find(route.name);
      ASSERT_NE(least, least_roles().end()) << route.name << " has no role here";
      EXPECT_EQ(status_of_head(server, route, token), role >= least->second ? 0 : 403)
          << http::role_name(role) << ": " << route.name;
      seen.insert(route.name);
    }
  }
  EXPECT_EQ(seen.size(), least_roles().size()) << "a route that is no more";
}

TEST(Roles, NobodyElseOpensAnyRouteOfOperators) {
  TestServer server;
  for (const Route& route : routes()) {
    if (!is_of_operators(route)) continue;
    EXPECT_EQ(status_of_head(server, route, ""), 401) << route.name;
    EXPECT_EQ(status_of_head(server, route, "ot_wrong"), 401) << route.name;
  }
}

TEST(Roles, AChangeIsNeverForReadersButOfHowTheySignIn) {
  const std::set<std::string_view> own = {
      "end_session",       "create_sign_in_link", "set_own_password", "offer_second_factor",
      "set_second_factor", "offer_passkey",       "add_passkey",      "rename_passkey",
      "remove_passkey",    "begin_identity_link", "link_identity",    "unlink_identity"};
  for (const auto& [name, role] : least_roles()) {
    for (const Route& route : routes()) {
      if (route.name != name || route.method == http::Method::get) continue;
      EXPECT_EQ(role == Role::read_only, own.count(name) == 1) << name;
    }
  }
}

TEST(Roles, NamesAreReadAsTheyAreWritten) {
  for (const Role role : http::roles) EXPECT_EQ(http::parse_role(http::role_name(role)), role);
  EXPECT_FALSE(http::parse_role("none").has_value());
  EXPECT_FALSE(http::parse_role("").has_value());
}

}  // namespace
}  // namespace muster::endpoints
