// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fleet/blobs.h"
#include "fleet/clones.h"
#include "fleet/feed_syncs.h"
#include "fleet/heartbeats.h"
#include "fleet/held_reports.h"
#include "fleet/hosts.h"
#include "fleet/images.h"
#include "fleet/orgs.h"
#include "fleet/outages.h"
#include "fleet/releases.h"
#include "fleet/software.h"
#include "fleet/splits.h"
#include "fleet/supersession.h"
#include "fleet/task_course.h"
#include "fleet/test_binaries.h"
#include "fleet/testing.h"

namespace muster::fleet {

inline constexpr const char* feed =
    R"({"a": {"CVE-2099-0001": {"description": "d", "scope": "remote", "releases": {"bookworm":)"
    R"( {"status": "resolved", "repositories": {"bookworm": "1"}, "fixed_version": "2",)"
    R"( "urgency": "high"}}}}})";

/// A fleet with something of everything, and all the ways to change it.
class World {
 public:
  explicit World(store::Engine engine = engine_of_tests()) : fleet(1, engine) {
    enrolled = fleet.enrol("web-1", "machine-a");
    fleet.now = fleet.now + Duration(5);
    again = fleet.enrol("web-1", "machine-a");
    away = fleet.enrol("web-5", "machine-e");
    fleet.now = fleet.now + Duration(5);
    const Enrolled instead = fleet.enrol("web-5", "machine-e");
    fleet->store.write([&](store::Tx& tx) { call_first(tx, instead.agent); });
    fleet.report(TestFleet::report_of("web-2", {debian_package("a", "1")})).value();
    for (const char* name : {"web-6", "web-7"}) {
      auto report = TestFleet::report_of(name);
      for (const char* package : {"a", "b", "c", "d", "e"}) {
        TestFleet::add(report, debian_package(package, "1"));
      }
      held = fleet.report(report)->host;
    }
    fleet.report(TestFleet::report_of("web-7")).value();
    task = fleet.create(order()).value().front();
    token = fleet.token();
    spent = fleet.token(1);
    waiting = fleet->store.write([&](store::Tx& tx) { return enrol_again(tx); });
    key = fleet->store.write([&](store::Tx& tx) { return create_key(tx); });
    EXPECT_TRUE(fleet.import(feeds::FeedKind::debian, feed).ok());
    copied = fleet.enrol("web-9", "machine-k");
    split = fleet.enrol("web-10", "machine-l");
    fleet->store.write([&](store::Tx& tx) {
      for (const Enrolled& agent : {copied, split}) {
        call_first(tx, agent.agent);
        record_clone(tx, fleet->ids, fleet->credentials, agent.org, agent.agent, agent.host,
                     {{"a", "192.0.2.1", 1000}, {"b", "192.0.2.2", 9000}}, fleet.now);
      }
      into = split_it(tx, split);
    });
    binary.org = TestFleet::org;
    binary.test = task.uuid;
    binary.name = "b";
    binary.sha256 = store_blob(fleet->store, TestFleet::org, "old", fleet.now);
    fleet->store.write([&](store::Tx& tx) { register_binary(tx); });
    binary.sha256 = store_blob(fleet->store, TestFleet::org, "new", fleet.now);
    program = store_blob(fleet->store, store::server_org, "program", fleet.now);
    published = fleet->store.write([&](store::Tx& tx) { return publish(tx, "1.0.0"); });
    fleet.now = fleet.now + Duration(5);
  }

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

  /// What memory would answer, in a comparable form. Never the store.
  std::string memory() {
    std::string out;
    std::vector<std::string> agents;
    fleet->presence.for_each_agent([&](AgentId id, const AgentPresence& state) {
      agents.push_back(id.text() + " " + std::to_string(state.last_seen.unix_ms) + " " +
                       state.status + " " + state.agent_version + " " +
                       std::to_string(state.called) + " " + std::to_string(state.pending_tasks) +
                       " " + std::to_string(state.redeliverable_tasks) + " " +
                       std::to_string(state.idle_beats) + " " + std::to_string(state.silent) +
                       std::to_string(state.flapping) + "\n");
    });
    std::sort(agents.begin(), agents.end());
    for (const std::string& agent : agents) out += agent;
    for (const std::string& presented :
         {enrolled.key, away.key, again.key, fleet->credentials.agent_key(again.agent, 1),
          waiting.key, fleet->credentials.agent_key(waiting.agent, 1), copied.key, split.key,
          into.key}) {
      const auto known = fleet->credentials.agents.find(fleet->credentials.hash(presented));
      out += known ? (known->disabled ? "disabled " : "live ") + std::to_string(known->host.value) +
                         " " + (known->superseded_at ? "superseded " : "") +
                         std::to_string(known->first_use) + std::to_string(known->offered) + " " +
                         (known->splitting ? "splitting " : "")
                   : "gone ";
    }
    const crypto::KeyHash token_hash = fleet->credentials.hash(token.token);
    const crypto::KeyHash key_hash = fleet->credentials.hash(key.key);
    out += fleet->credentials.enrolment_tokens.find(token_hash) ? "token " : "no token ";
    const auto has_spent =
        fleet->credentials.enrolment_tokens.find(fleet->credentials.hash(spent.token));
    out += has_spent ? "spent token " : "";
    out += fleet->credentials.inventory_keys.find(key_hash) ? "key " : "no key ";
    for (const char* name : {"web-1", "web-2", "web-3", "web-4", "web-5"}) {
      const auto host = fleet->directory.find(TestFleet::org, "", name);
      out += std::string(name) + "=" + (host ? std::to_string(host->id.value) : "none") + " ";
      if (host) out += std::to_string(host->tags.size()) + " tags ";
    }
    out += fleet->settings.set_at_json({SettingScope::Kind::org, TestFleet::org, ""});
    out += " catalogue " + std::to_string(fleet->catalogue.current()->number);
    const HostId host = fleet->directory.find(TestFleet::org, "", "web-2")->id;
    const auto mark = fleet->marks.find(host);
    out += mark && mark->set_hash ? " " + mark->set_hash->text() : " no hash";
    out += fleet->key_uses.is_news(key.id, host, fleet.now) ? "" : " uses the key";
    out += " " + std::to_string(fleet->scripts.list().size()) + " scripts";
    return out;
  }

  TaskOrder order() const {
    TaskOrder order(model::TaskType::execute_command);
    order.agents = {again.agent};
    order.payload.command = "true";
    order.env_vars = "{\"A\": \"secret\"}";
    order.deliver_within = order.valid_for = std::chrono::hours(1);
    return order;
  }
  CreatedKey create_key(store::Tx& tx) {
    return create_inventory_key(tx, fleet->ids, fleet.rng, fleet->credentials, fleet.actor,
                                TestFleet::org, "site", 1, fleet.now);
  }

  void call_first(store::Tx& tx, AgentId agent) {
    record_first_use(tx, fleet->ids, fleet->credentials, fleet->presence, TestFleet::org, agent, 0,
                     fleet.now)
        .value();
  }
  Enrolled enrol_again(store::Tx& tx) {
    return fleet.enrol_in(tx, fleet.credential(spent), TestFleet::request_of("web-8")).value();
  }
  SplitAgent split_it(store::Tx& tx, const Enrolled& agent) {
    return split_agent(tx, fleet->ids, fleet.rng, fleet->credentials, fleet->presence,
                       fleet->directory, fleet.actor, agent.org, agent.agent, fleet.now)
        .value();
  }

  void register_binary(store::Tx& tx) {
    register_test_binary(tx, fleet->ids, fleet.actor, binary, fleet.now).value();
  }

  ReleaseId publish(store::Tx& tx, const std::string& version) {
    ReleaseOrder release;
    release.version = version;
    release.os = "linux";
    release.arch = "amd64";
    release.sha256 = program;
    return publish_release(tx, fleet->ids, fleet.actor, OperatorId{1}, fleet->signing_key, release,
                           fleet.now)
        .value()
        .id;
  }

  TestFleet fleet;
  TestBinary binary;
  crypto::Sha256 program;
  ReleaseId published;
  Enrolled enrolled;
  Enrolled away;  // superseded
  Enrolled again;
  Enrolled copied;  // two machines have its key
  Enrolled split;   // and of this one, the newer of which is to become
  SplitAgent into;
  Enrolled waiting;  // has not called; its token is used up
  HostId held;       // whose report waits for review
  TaskId task;
  CreatedToken token;
  CreatedToken spent;
  CreatedKey key;

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
    all["create_operator_token"] = {[this](store::Tx& tx) {
                                      create_operator_token(tx, fleet->ids, fleet.rng,
                                                            fleet->credentials, fleet.actor, "o", 2,
                                                            Duration(0), fleet.now);
                                    },
                                    {{"operators.create_token", 1}}};
    all["create_org"] = {[this](store::Tx& tx) {
                           create_org(tx, fleet->ids, fleet.actor, "another", fleet.now).value();
                         },
                         {{"orgs.create", 1}}};
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
    all["rotate_agent_key"] = {[this](store::Tx& tx) {
                                 rotate_agent_key(tx, fleet->ids, fleet->credentials, fleet.actor,
                                                  again.org, again.agent, fleet.now)
                                     .value();
                               },
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
    all["reissue_agent_key"] = {[this](store::Tx& tx) {
                                  reissue_agent_key(tx, fleet->ids, fleet->credentials, fleet.actor,
                                                    again.org, again.agent, fleet.now)
                                      .value();
                                },
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
    all["decommission a split agent"] = {[this](store::Tx& tx) {
                                           decommission_agent(tx, fleet->ids, fleet->credentials,
                                                              fleet->presence, fleet.actor,
                                                              split.org, into.agent, fleet.now)
                                               .value();
                                         },
                                         {{"agents.decommission", 1}}};
    all["find the machines of a split again"] = {
        [this](store::Tx& tx) {
          record_clone(tx, fleet->ids, fleet->credentials, split.org, split.agent, split.host,
                       {{"a", "192.0.2.1", 1000}, {"b", "192.0.2.2", 20'000}}, fleet.now);
        },
        {}};
    all["decommission_agent"] = {[this](store::Tx& tx) {
                                   decommission_agent(tx, fleet->ids, fleet->credentials,
                                                      fleet->presence, fleet.actor, again.org,
                                                      again.agent, fleet.now)
                                       .value();
                                 },
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
    all["record_clone"] = {[this](store::Tx& tx) {
                             record_clone(tx, fleet->ids, fleet->credentials, again.org,
                                          again.agent, again.host,
                                          {{"a", "192.0.2.1"}, {"b", "192.0.2.2"}}, fleet.now);
                           },
                           {}};
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
    all["cancel_batch"] = {[this](store::Tx& tx) {
                             const Uuid batch = store::find_task_anywhere(tx, task)->batch;
                             cancel_batch(tx, fleet.board(), fleet.actor, batch, fleet.now).value();
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
                            record_result(tx, fleet.board(), poller(), result, fleet.now).value();
                          },
                          {}};
    all["record_result"] = {[this](store::Tx& tx) {
                              model::TaskResult result;
                              result.task = task;
                              result.controls.emplace_back().control_id = "c1";
                              result.controls.emplace_back().control_id = "c2";
                              result.standard_output = model::Output("said");
                              record_result(tx, fleet.board(), poller(), result, fleet.now).value();
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
