// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "fleet/fault_fleet.h"
#include "fleet/reported_results.h"

namespace muster::fleet {

/// That fleet, and all the ways to change it.
class World : public FaultFleet {
 public:
  using FaultFleet::FaultFleet;

  using Write = std::function<void(store::Tx&)>;
  /// Every public write of the fleet, with the audit rows it must leave.
  struct Named {
    Write write;
    std::map<std::string, std::int64_t> audit;
  };
  std::map<std::string, Named> writes() {
    std::map<std::string, Named> all;
    add_issuing(all);
    add_agents(all);
    add_presence(all);
    add_tasks(all);
    add_inventory(all);
    add_scans(all);
    add_files(all);
    add_releases(all);
    return all;
  }

 private:
  void add_issuing(std::map<std::string, Named>& all) {
    all["create_enrolment_token"] = {
        [this](store::Tx& tx) {
          create_enrolment_token(tx, fleet->ids, fleet.rng, fleet->credentials, fleet.actor,
                                 {TestFleet::org, std::chrono::hours(1), 1}, fleet.now);
        },
        {{"tokens.create", 1}}};
    all["revoke_enrolment_token"] = {[this](store::Tx& tx) {
                                       revoke_enrolment_token(tx, fleet->ids, fleet->credentials,
                                                              fleet.actor, token.id, fleet.now)
                                           .value();
                                     },
                                     {{"tokens.revoke", 1}}};
    all["create_inventory_key"] = {[this](store::Tx& tx) { create_key(tx); }, {{"keys.create", 1}}};
    all["revoke_inventory_key"] = {[this](store::Tx& tx) {
                                     revoke_inventory_key(tx, fleet->ids, fleet->credentials,
                                                          fleet.actor, key.id, fleet.now)
                                         .value();
                                   },
                                   {{"keys.revoke", 1}}};
    all["create_operator"] = {[this](store::Tx& tx) {
                                create_operator(tx, fleet->ids, fleet.rng, fleet->credentials,
                                                fleet.actor,
                                                {"o", http::Role::analyst, Duration(0)}, fleet.now);
                              },
                              {{"operators.create", 1}}};
    all["renew_operator"] = {[this](store::Tx& tx) {
                               renew_operator(tx, fleet->ids, fleet->credentials, fleet.actor,
                                              http::Role::owner, person.id, std::chrono::hours(24),
                                              fleet.now)
                                   .value();
                             },
                             {{"operators.renew", 2}}};
    all["revoke_operator"] = {[this](store::Tx& tx) {
                                revoke_operator(tx, fleet->ids, fleet->credentials, fleet.actor,
                                                http::Role::owner, person.id, fleet.now)
                                    .value();
                              },
                              // In the server's chain and in that of the organisation.
                              {{"operators.revoke", 2}}};
    all["grant_role"] = {[this](store::Tx& tx) {
                           grant_role(tx, fleet->ids, fleet->credentials, fleet.actor,
                                      http::Role::owner,
                                      {person.id, TestFleet::org, http::Role::admin}, fleet.now)
                               .value();
                         },
                         {{"operators.grant", 1}}};
    all["revoke_grant"] = {[this](store::Tx& tx) {
                             revoke_grant(tx, fleet->ids, fleet->credentials, fleet.actor,
                                          http::Role::owner, person.id, TestFleet::org, fleet.now)
                                 .value();
                           },
                           {{"operators.revoke_grant", 1}}};
    all["create_sign_in_link"] = {[this](store::Tx& tx) {
                                    create_sign_in_link(tx, fleet->ids, fleet.rng,
                                                        fleet->credentials, person.id, fleet.now)
                                        .value();
                                  },
                                  {{"sign_in.link", 1}}};
    all["sign_in"] = {[this](store::Tx& tx) {
                        sign_in(tx, fleet->ids, fleet.rng, fleet->credentials, fleet.config,
                                link.secret, "192.0.2.1", fleet.now)
                            .value();
                      },
                      {{"sign_in", 1}}};
    all["sign_in_with_password"] = {[this](store::Tx& tx) {
                                      sign_in_with_password(tx, fleet->ids, fleet.rng,
                                                            fleet->credentials, fleet.config,
                                                            proved, "192.0.2.1", fleet.now)
                                          .value();
                                    },
                                    {{"sign_in", 1}}};
    all["set_password"] = {[this](store::Tx& tx) {
                             set_password(tx, fleet->ids, fleet->credentials, fleet.actor,
                                          person.id, "another", fleet.now)
                                 .value();
                           },
                           {{"password.set", 1}}};
    all["set_second_factor"] = {[this](store::Tx& tx) {
                                  set_second_factor(tx, fleet->ids, fleet->credentials, fleet.actor,
                                                    person.id, second_factor_code, fleet.now)
                                      .value();
                                },
                                {{"second_factor.set", 1}}};
    all["remove_password"] = {[this](store::Tx& tx) {
                                remove_password(tx, fleet->ids, fleet->credentials, fleet.actor,
                                                http::Role::owner, person.id, fleet.now)
                                    .value();
                              },
                              {{"password.remove", 1}}};
    all["add_passkey"] = {[this](store::Tx& tx) {
                            add_passkey(tx, fleet->ids, fleet->credentials, fleet.actor,
                                        made_passkey, fleet.now)
                                .value();
                          },
                          {{"passkey.add", 1}}};
    all["rename_passkey"] = {[this](store::Tx& tx) {
                               rename_passkey(tx, fleet->ids, fleet.actor, person.id,
                                              proved_passkey.passkey.id, "another", fleet.now)
                                   .value();
                             },
                             {{"passkey.rename", 1}}};
    all["remove_passkey"] = {[this](store::Tx& tx) {
                               remove_passkey(tx, fleet->ids, fleet->credentials,
                                              {person.id, http::Role::analyst, {}},
                                              proved_passkey.passkey.id, fleet.now)
                                   .value();
                             },
                             {{"passkey.remove", 1}}};
    all["sign_in_with_passkey"] = {[this](store::Tx& tx) {
                                     sign_in_with_passkey(tx, fleet->ids, fleet.rng,
                                                          fleet->credentials, fleet.config,
                                                          proved_passkey, "192.0.2.1", fleet.now)
                                         .value()
                                         .value();
                                   },
                                   {{"sign_in", 1}}};
    all["link_identity"] = {[this](store::Tx& tx) {
                              link_identity(tx, fleet->ids, fleet->credentials, fleet.actor,
                                            person.id, link_trip,
                                            {"https://id.example.org", "2", "person"}, fleet.now)
                                  .value();
                            },
                            {{"identity.link", 1}}};
    all["unlink_identity"] = {[this](store::Tx& tx) {
                                unlink_identity(tx, fleet->ids, fleet->credentials,
                                                {person.id, http::Role::analyst, {}}, linked.id,
                                                fleet.now)
                                    .value();
                              },
                              {{"identity.unlink", 1}}};
    all["sign_in_with_identity"] = {
        [this](store::Tx& tx) {
          sign_in_with_identity(tx, fleet->ids, fleet.rng, fleet->credentials, fleet.config,
                                sign_in_trip, {linked.issuer, linked.subject, linked.name},
                                "192.0.2.1", fleet.now)
              .value();
        },
        {{"sign_in", 1}}};
    all["end_session"] = {[this](store::Tx& tx) {
                            end_session(tx, fleet->ids, fleet->credentials,
                                        {person.id, http::Role::analyst}, signed_in.session.id,
                                        fleet.now)
                                .value();
                          },
                          {{"sign_out", 1}}};
    all["create_org"] = {[this](store::Tx& tx) {
                           create_org(tx, fleet->ids, fleet.actor, "another", fleet.now).value();
                         },
                         {{"orgs.create", 1}}};
    all["create_alert"] = {[this](store::Tx& tx) {
                             create_alert(tx, fleet->ids, fleet.actor,
                                          {TestFleet::org, "web", "hostname:web-*", {}}, fleet.now)
                                 .value();
                           },
                           {{"alerts.create", 1}}};
    all["create_webhook"] = {
        [this](store::Tx& tx) {
          create_webhook(
              tx, fleet->ids, fleet->keyed_hash, fleet.config, fleet.actor,
              {TestFleet::org, "pager", "https://192.0.2.1/", {model::EventType::alert_firing}},
              fleet.now)
              .value();
        },
        {{"webhooks.create", 1}}};
    all["request_feed_sync"] = {[this](store::Tx& tx) {
                                  request_feed_sync(tx, fleet->ids, fleet.actor,
                                                    feeds::FeedKind::nvd, true, fleet.now);
                                },
                                {{"feeds.sync", 1}}};
    all["settings"] = {[this](store::Tx& tx) {
                         JsonDocument document;
                         const SettingScope scope{SettingScope::Kind::org, TestFleet::org, ""};
                         fleet->settings
                             .set(tx, scope, document.parse(R"({"scan_interval": 999})").value())
                             .value();
                       },
                       {}};
  }

  void add_agents(std::map<std::string, Named>& all) {
    all["enrol_agent"] = {[this](store::Tx& tx) {
                            const auto request = TestFleet::request_of("web-3", "machine-c");
                            fleet.enrol_in(tx, fleet.credential(token), request).value();
                          },
                          {}};
    all["re-enrol"] = {[this](store::Tx& tx) {
                         const auto request = TestFleet::request_of("web-4", "machine-a");
                         fleet.enrol_in(tx, fleet.credential(token), request).value();
                       },
                       {}};
    all["repeat_enrolment"] = {[this](store::Tx& tx) { enrol_again(tx); }, {}};
    all["first use after a spent token"] = {
        [this](store::Tx& tx) { call_first(tx, waiting.agent); }, {}};
    all["record_first_use"] = {[this](store::Tx& tx) { call_first(tx, again.agent); }, {}};
    all["bring_back_agent"] = {[this](store::Tx& tx) {
                                 bring_back_agent(tx, fleet->ids, fleet->credentials,
                                                  fleet->presence, fleet->directory, away.org,
                                                  away.agent, 0, fleet.now)
                                     .value();
                               },
                               {}};
    all["rotate_agent_key"] = {[this](store::Tx& tx) { offer(tx, &rotate_agent_key); },
                               {{"agents.rotate_key", 1}}};
    all["rotate_aged_key"] = {
        [this](store::Tx& tx) {
          model::Agent aged = store::find_agent(tx, again.org, again.agent).value();
          aged.key_since = fleet.now - std::chrono::hours(24);
          aged.keys.used = true;
          store::set_agent_keys(tx, aged);
          EXPECT_TRUE(rotate_aged_key(tx, fleet->ids, fleet->credentials, again.org, again.agent,
                                      std::chrono::hours(24), fleet.now));
        },
        {}};
    all["reissue_agent_key"] = {[this](store::Tx& tx) { offer(tx, &reissue_agent_key); },
                                {{"agents.reissue", 1}}};
    all["set_agent_disabled"] = {[this](store::Tx& tx) {
                                   set_agent_disabled(tx, fleet->ids, fleet->credentials,
                                                      fleet.actor, again.org, again.agent, true,
                                                      fleet.now)
                                       .value();
                                 },
                                 {{"agents.disable", 1}}};
    all["split_agent"] = {[this](store::Tx& tx) { split_it(tx, copied); }, {{"agents.split", 1}}};
    all["first use of a split agent"] = {[this](store::Tx& tx) { call_first(tx, into.agent); }, {}};
    all["decommission a split agent"] = {[this](store::Tx& tx) { decommission(tx, into.agent); },
                                         {{"agents.decommission", 1}}};
    all["find the machines of a split again"] = {
        [this](store::Tx& tx) { find_two(tx, split, 20'000); }, {}};
    all["decommission_agent"] = {[this](store::Tx& tx) { decommission(tx, again.agent); },
                                 {{"agents.decommission", 1}}};
    all["change_operator_tags"] = {[this](store::Tx& tx) {
                                     change_operator_tags(tx, fleet->ids, fleet->directory,
                                                          fleet.actor, again.org, again.agent,
                                                          {"lab"}, {}, fleet.now)
                                         .value();
                                   },
                                   {{"agents.tag", 1}}};
    all["record_heartbeat_change"] = {
        [this](store::Tx& tx) {
          Heartbeat heartbeat;
          heartbeat.status = "executing";
          heartbeat.agent_version = "2.0";
          heartbeat.current_task = task.uuid;
          const HeartbeatChange change =
              record_heartbeat(fleet->presence, fleet.config, again.agent, heartbeat, fleet.now)
                  .value();
          EXPECT_FALSE(change.empty());
          record_heartbeat_change(tx, fleet->ids, fleet->presence, fleet.config, again.org,
                                  again.agent, again.host, OwnedHeartbeat(heartbeat), change,
                                  fleet.now);
        },
        {}};
  }

  void add_presence(std::map<std::string, Named>& all) {
    all["record_acceptance"] = {
        [this](store::Tx& tx) {
          AcceptanceOrder accepting{open_finding(tx), false, "why", {}};
          record_acceptance(tx, fleet->ids, fleet.actor, accepting, fleet.now).value();
        },
        {{"findings.accept", 1}}};
    all["record_reopening"] = {
        [this](store::Tx& tx) {
          const FindingId finding = open_finding(tx);
          AcceptanceOrder accepting{finding, true, "why", {}};
          record_acceptance(tx, fleet->ids, fleet.actor, accepting, fleet.now).value();
          record_reopening(tx, fleet->ids, fleet.actor, finding, fleet.now).value();
        },
        {{"findings.accept", 1}, {"findings.reopen", 1}}};
    all["record_clone"] = {[this](store::Tx& tx) { find_two(tx, again, 9000); }, {}};
    all["record_return"] = {[this](store::Tx& tx) {
                              Return back;
                              back.org = again.org;
                              back.agent = again.agent;
                              back.host = again.host;
                              back.reason = "unknown";
                              back.last_heard = fleet.now - std::chrono::seconds(400);
                              back.was_silent = true;
                              record_return(tx, fleet->ids, fleet->presence, fleet.config, back,
                                            fleet.now);
                            },
                            {}};
  }

  Poller poller() const { return {again.org, again.agent, again.host, true}; }
  void report(store::Tx& tx, const model::TaskResult& result) {
    const TaskBoard board = fleet.board();
    ReportedResult reported(board, poller(), result, {}, fleet.now);
    record_result(tx, reported).value();
  }

  void add_tasks(std::map<std::string, Named>& all) {
    all["create_tasks"] = {
        [this](store::Tx& tx) {
          TaskOrder two = order();
          two.agents.push_back(enrolled.agent);
          create_tasks(tx, fleet.board(), fleet.actor, OperatorId{1}, two, fleet.now).value();
        },
        {{"tasks.create", 2}}};
    all["cancel_task"] = {[this](store::Tx& tx) {
                            cancel_task(tx, fleet.board(), fleet.actor, task, fleet.now).value();
                          },
                          {{"tasks.cancel", 1}}};
    all["decide_tasks"] = {[this](store::Tx& tx) {
                             decide_tasks(tx, fleet.board(), fleet.actor, unapproved,
                                          {true, OperatorId{2}, "seen"}, fleet.now)
                                 .value();
                           },
                           {{"tasks.approve", 1}}};
    all["cancel_batch"] = {
        [this](store::Tx& tx) {
          const Uuid batch = store::find_task_anywhere(tx, task)->batch;
          cancel_batch(tx, fleet.board(), fleet.actor, batch, {}, fleet.now).value();
        },
        {{"tasks.cancel", 1}}};
    all["add_note"] = {[this](store::Tx& tx) {
                         add_note(tx, fleet->ids, fleet.actor, task, "n", fleet.now).value();
                       },
                       {{"tasks.note", 1}}};
    all["claim_task"] = {
        [this](store::Tx& tx) {
          EXPECT_TRUE(claim_task(tx, fleet.board(), poller(), fleet.now).has_value());
        },
        {}};
    all["set_task_status"] = {[this](store::Tx& tx) {
                                set_task_status(tx, fleet.board(), poller(), task,
                                                model::TaskStatus::failed, "e", fleet.now)
                                    .value();
                              },
                              {}};
    all["pass_task_time"] = {[this](store::Tx& tx) {
                               // As pass_task_time(), whose own commits a fault loop cannot count.
                               pass_due_tasks(tx, fleet.board(), fleet.now + std::chrono::hours(2));
                             },
                             {}};
    all["uninstalled"] = {[this](store::Tx& tx) {
                            tx.execute("UPDATE tasks SET type = 'uninstall'");
                            model::TaskResult result;
                            result.task = task;
                            report(tx, result);
                          },
                          {}};
    all["record_result"] = {[this](store::Tx& tx) {
                              model::TaskResult result;
                              result.task = task;
                              result.controls.emplace_back().control_id = "c1";
                              result.controls.emplace_back().control_id = "c2";
                              result.standard_output = model::Output("said");
                              report(tx, result);
                            },
                            {}};
  }

  void add_files(std::map<std::string, Named>& all) {
    all["register_test_binary"] = {[this](store::Tx& tx) { register_binary(tx); },
                                   {{"binaries.upload", 1}}};
    all["delete_test_binary"] = {[this](store::Tx& tx) {
                                   delete_test_binary(tx, fleet->ids, fleet.actor, TestFleet::org,
                                                      binary.test, binary.name, fleet.now)
                                       .value();
                                 },
                                 {{"binaries.delete", 1}}};
  }

  void add_releases(std::map<std::string, Named>& all) {
    all["publish_release"] = {[this](store::Tx& tx) { publish(tx, "2.0.0"); },
                              {{"releases.publish", 1}}};
    all["withdraw_release"] = {
        [this](store::Tx& tx) {
          withdraw_release(tx, fleet->ids, fleet.actor, published, fleet.now).value();
        },
        {{"releases.withdraw", 1}}};
  }

  // fault_world_inventory.h
  void add_inventory(std::map<std::string, Named>& all);
  void add_scans(std::map<std::string, Named>& all);
};

}  // namespace muster::fleet

#include "fleet/fault_world_inventory.h"  // IWYU pragma: keep
