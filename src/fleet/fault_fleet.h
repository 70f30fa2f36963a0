// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "crypto/passkey_testing.h"
#include "crypto/testing.h"
#include "crypto/totp.h"
#include "fleet/acceptances.h"
#include "fleet/alerts.h"
#include "fleet/approvals.h"
#include "fleet/blobs.h"
#include "fleet/clones.h"
#include "fleet/feed_syncs.h"
#include "fleet/heartbeats.h"
#include "fleet/held_reports.h"
#include "fleet/hosts.h"
#include "fleet/images.h"
#include "fleet/operator_identities.h"
#include "fleet/operators.h"
#include "fleet/orgs.h"
#include "fleet/outages.h"
#include "fleet/passkeys.h"
#include "fleet/passwords.h"
#include "fleet/releases.h"
#include "fleet/sign_in.h"
#include "fleet/software.h"
#include "fleet/splits.h"
#include "fleet/supersession.h"
#include "fleet/task_course.h"
#include "fleet/test_binaries.h"
#include "fleet/testing.h"
#include "fleet/webhooks.h"
#include "store/sql/findings.h"

namespace muster::fleet {

inline constexpr const char* feed =
    R"({"a": {"CVE-2099-0001": {"description": "d", "scope": "remote", "releases": {"bookworm":)"
    R"( {"status": "resolved", "repositories": {"bookworm": "1"}, "fixed_version": "2",)"
    R"( "urgency": "high"}}}}})";

/// A fleet with something of everything.
struct FaultFleet {
  explicit FaultFleet(store::Engine engine = engine_of_tests()) : fleet(1, engine) {
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
    want_approval("\"all\"");
    unapproved = fleet.create(order()).value().front();
    want_approval("null");
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
        find_two(tx, agent, 9000);
      }
      into = split_it(tx, split);
    });
    binary.org = TestFleet::org;
    binary.test = task.uuid;
    binary.name = "b";
    binary.sha256 = fleet.upload("old");
    fleet->store.write([&](store::Tx& tx) { register_binary(tx); });
    binary.sha256 = fleet.upload("new");
    program = fleet.upload("program", store::server_org);
    appoint();
    published = fleet->store.write([&](store::Tx& tx) { return publish(tx, "1.0.0"); });
    fleet.now = fleet.now + Duration(5);
  }

  /// What memory would answer, in a comparable form. Never the store.
  std::string memory() {
    std::string out;
    std::vector<std::string> agents;
    fleet->presence.for_each_agent([&](AgentId id, const AgentPresence& state) {
      agents.push_back(id.text() + " " + std::to_string(state.last_seen.unix_ms) + " " +
                       state.status + " " + state.agent_version + " " +
                       std::to_string(state.called) + " " + std::to_string(state.has_pending_task) +
                       " " + std::to_string(state.has_redeliverable_task) + " " +
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
    const Credentials& issued = fleet->credentials;
    out += issued.operators.find(issued.hash(person.token)) ? "operator " : "no operator ";
    if (const auto roles = issued.grants.of(person.id)) {
      out += "granted " + std::string(http::role_name(roles->front().role)) + " ";
    }
    out += issued.sign_in_links.find(issued.hash(link.secret)) ? "link " : "no link ";
    out += issued.sessions.find(issued.hash(signed_in.secret)) ? "session " : "no session ";
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

  /// An operator who is signed in, and has another link.
  void appoint() {
    person = fleet->store.write([&](store::Tx& tx) {
      return create_operator(tx, fleet->ids, fleet.rng, fleet->credentials, fleet.actor,
                             {"person", http::Role::analyst, Duration(0)}, fleet.now);
    });
    fleet->store.write([&](store::Tx& tx) {
      grant_role(tx, fleet->ids, fleet->credentials, fleet.actor, http::Role::owner,
                 {person.id, TestFleet::org, http::Role::operations}, fleet.now)
          .value();
    });
    const auto make_link = [&](store::Tx& tx) {
      return create_sign_in_link(tx, fleet->ids, fleet.rng, fleet->credentials, person.id,
                                 fleet.now)
          .value();
    };
    const CreatedLink used = fleet->store.write(make_link);
    link = fleet->store.write(make_link);
    signed_in = fleet->store.write([&](store::Tx& tx) {
      return sign_in(tx, fleet->ids, fleet.rng, fleet->credentials, fleet.config, used.secret,
                     "192.0.2.1", fleet.now)
          .value();
    });
    fleet->store.write([&](store::Tx& tx) {
      set_password(tx, fleet->ids, fleet->credentials, fleet.actor, person.id, "no hash", fleet.now)
          .value();
    });
    proved = ProvedPassword{person.id, fleet.now};
    const auto offer = offer_second_factor(fleet->store, fleet->credentials, person.id).value();
    second_factor_code =
        crypto::totp_code(crypto::decode_base32(offer.secret), crypto::totp_step(fleet.now));
    proved_passkey = {fleet->store.write([&](store::Tx& tx) {
                        return add_passkey(tx, fleet->ids, fleet->credentials, fleet.actor,
                                           passkey_of_person(1), fleet.now)
                            .value();
                      }),
                      create_passkey_challenge(fleet->credentials, fleet.rng, fleet.now)};
    made_passkey = passkey_of_person(2);
    linked = fleet->store.write([&](store::Tx& tx) {
      return link_identity(tx, fleet->ids, fleet->credentials, fleet.actor, person.id,
                           trip(person.id), {"https://id.example.org", "1", "person"}, fleet.now)
          .value();
    });
    link_trip = trip(person.id);
    sign_in_trip = trip(OperatorId{0});
  }

  OidcTrip trip(OperatorId links) {
    return begin_oidc_trip(fleet->credentials, fleet.rng, links, fleet.now);
  }

  NewPasskey passkey_of_person(std::uint8_t number) {
    const crypto::TestPasskey made(number, "localhost");
    const auto challenge =
        offer_passkey(fleet->store, fleet->credentials, fleet.rng, person.id, fleet.now)
            .value()
            .challenge;
    return prove_new_passkey(
               fleet->credentials, {"localhost", made.origin}, person.id,
               {"key", challenge.sealed, made.client_data("webauthn.create", challenge.octets),
                made.attestation_object()},
               fleet.now)
        .value();
  }

  void call_first(store::Tx& tx, AgentId agent) {
    record_first_use(tx, fleet->ids, fleet->credentials, fleet->presence, TestFleet::org, agent, 0,
                     fleet.now)
        .value();
  }
  Enrolled enrol_again(store::Tx& tx) {
    return fleet.enrol_in(tx, fleet.credential(spent), TestFleet::request_of("web-8")).value();
  }
  void find_two(store::Tx& tx, const Enrolled& agent, std::uint32_t newer_boot) {
    record_clone(tx, fleet->ids, fleet->credentials, agent.org, agent.agent, agent.host,
                 {{"a", "192.0.2.1", 1000}, {"b", "192.0.2.2", newer_boot}}, fleet.now);
  }
  void offer(store::Tx& tx, decltype(&rotate_agent_key) how) {
    how(tx, fleet->ids, fleet->credentials, fleet.actor, again.org, again.agent, fleet.now).value();
  }
  void decommission(store::Tx& tx, AgentId agent) {
    decommission_agent(tx, fleet->ids, fleet->credentials, fleet->presence, fleet.actor,
                       TestFleet::org, agent, fleet.now)
        .value();
  }
  SplitAgent split_it(store::Tx& tx, const Enrolled& agent) {
    return split_agent(tx, fleet->ids, fleet.rng, fleet->credentials, fleet->presence,
                       fleet->directory, fleet.actor, agent.org, agent.agent, fleet.now)
        .value();
  }

  void want_approval(const std::string& policy) {
    JsonDocument document;
    const std::string values = R"({"task_approval": )" + policy + "}";
    const SettingScope scope{SettingScope::Kind::org, TestFleet::org, ""};
    CHECK(change_settings(fleet->store, fleet->ids, fleet->settings, fleet.actor, http::Role::owner,
                          scope, document.parse(values).value(), fleet.now)
              .ok());
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

  /// Of web-2's package.
  FindingId open_finding(store::Reader& reader) {
    const auto host = fleet->directory.find(TestFleet::org, "", "web-2");
    return store::list_standing_findings_of_host(reader, TestFleet::org, host->id).at(0).id;
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
  TaskId unapproved;
  CreatedToken token;
  CreatedToken spent;
  CreatedKey key;
  CreatedOperator person;
  CreatedLink link;
  SignedIn signed_in;
  ProvedPassword proved;
  NewPasskey made_passkey;
  store::OperatorIdentity linked;
  OidcTrip link_trip;
  OidcTrip sign_in_trip;
  ProvedPasskey proved_passkey;
  std::string second_factor_code;
};

}  // namespace muster::fleet
