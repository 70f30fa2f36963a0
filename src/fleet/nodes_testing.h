// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "base/text.h"
#include "fleet/operators.h"
#include "fleet/sign_in.h"
#include "fleet/testing.h"
#include "fleet/writes.h"

namespace muster::fleet {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Servers on one PostgreSQL database, on a clock that moves when one of them waits.
class NodesOnPostgres : public testing::Test {
 protected:
  static constexpr OrgId org{1};

  struct Server {
    explicit Server(NodesOnPostgres& world)
        : fleet(world.database->open(), world.directory.path() + "/secret", world.rng, test_epoch,
                {[&world] { return world.uptime; },
                 [&world](Duration time) {
                   world.uptime += time;
                   world.waited += time;
                   if (world.while_waiting) world.while_waiting();
                 }}) {
      fleet.nodes.join(test_epoch);
    }
    Fleet fleet;
  };

  void SetUp() override {
    if (!store::testing::available(store::Engine::postgres)) {
      GTEST_SKIP() << store::testing::not_available;
    }
    database.emplace(store::Engine::postgres);
    a.emplace(*this);
    b.emplace(*this);
  }

  template <typename F>
  auto write(F&& work) {
    return a->fleet.store.write(std::forward<F>(work));
  }

  /// What `server` accepts, by name.
  static std::map<std::string, std::string> accepted(const Fleet& fleet) {
    std::map<std::string, std::string> all;
    fleet.credentials.agents.for_each([&](const auto& hash, const AgentCredential& entry) {
      all["agent " + to_hex(hash.bytes)] =
          entry.agent.text() + " " + std::to_string(entry.generation) + " " +
          std::to_string(entry.offered) + (entry.disabled ? " disabled" : "") +
          (entry.first_use ? " first" : "") + (entry.splitting ? " splitting" : "") +
          (entry.alias ? " alias " + entry.alias->text() : "");
    });
    fleet.credentials.inventory_keys.for_each([&](const auto& hash, const auto& entry) {
      all["key " + to_hex(hash.bytes)] = std::to_string(entry.scopes);
    });
    fleet.credentials.operators.for_each([&](const auto& hash, const auto& entry) {
      std::string& text = all["operator " + to_hex(hash.bytes)];
      text = http::role_name(entry.role);
      const GrantTable::OrgRoles roles = fleet.credentials.grants.of(entry.id);
      if (!roles) return;
      for (const http::OrgRole& each : *roles) {
        text += " " + std::to_string(each.org.value) + ":" + std::string(role_name(each.role));
      }
    });
    fleet.credentials.sessions.for_each([&](const auto& hash, const auto& entry) {
      all["session " + to_hex(hash.bytes)] = http::role_name(entry.role);
    });
    fleet.credentials.sign_in_links.for_each([&](const auto& hash, const auto& entry) {
      all["link " + to_hex(hash.bytes)] = std::to_string(entry.operator_id.value);
    });
    fleet.credentials.enrolment_tokens.for_each([&](const auto& hash, const auto& entry) {
      all["token " + to_hex(hash.bytes)] = std::to_string(entry.expires_at.unix_ms);
    });
    return all;
  }

  /// After a change on `a`: once `b` has followed, it accepts what `a` does, and so does a server
  /// that starts now.
  void expect_followed(const std::string& what) {
    b->fleet.nodes.renew(test_epoch);
    EXPECT_EQ(accepted(b->fleet), accepted(a->fleet)) << what;
    const Fleet fresh(database->open(), directory.path() + "/secret", rng, test_epoch);
    EXPECT_EQ(accepted(fresh), accepted(a->fleet)) << what;
  }

  /// Each step of signing in, and the end of the operator.
  void expect_sign_ins_followed(OperatorId person) {
    Fleet& fleet = a->fleet;
    const auto make_link = [&] {
      return write([&](store::Tx& tx) {
               return create_sign_in_link(tx, fleet.ids, rng, fleet.credentials, person,
                                          test_epoch);
             })
          .value();
    };
    const auto enter = [&](const CreatedLink& link) {
      return write([&](store::Tx& tx) {
               return sign_in(tx, fleet.ids, rng, fleet.credentials, Config{}, link.secret,
                              "192.0.2.1", test_epoch);
             })
          .value();
    };
    const CreatedLink first = make_link();
    expect_followed("a sign-in link");
    const SignedIn session = enter(first);
    expect_followed("a sign-in");
    EXPECT_TRUE(write([&](store::Tx& tx) {
                  return end_session(tx, fleet.ids, fleet.credentials, {person, {}},
                                     session.session.id, test_epoch);
                }).ok());
    expect_followed("a sign-out");
    enter(make_link());
    make_link();
    expect_followed("another session, and a link that waits");
    const auto grant = [&](http::Role role) {
      return write([&](store::Tx& tx) {
        return grant_role(tx, fleet.ids, fleet.credentials, actor, http::Role::owner,
                          {person, org, role}, test_epoch);
      });
    };
    EXPECT_TRUE(grant(http::Role::operations).ok());
    expect_followed("a role in an organisation");
    EXPECT_TRUE(grant(http::Role::read_only).ok());
    expect_followed("another role there");
    EXPECT_TRUE(write([&](store::Tx& tx) {
                  return revoke_grant(tx, fleet.ids, fleet.credentials, actor, http::Role::owner,
                                      person, org, test_epoch);
                }).ok());
    expect_followed("the end of it");
    EXPECT_TRUE(write([&](store::Tx& tx) {
                  return revoke_operator(tx, fleet.ids, fleet.credentials, actor, http::Role::owner,
                                         person, test_epoch);
                }).ok());
    expect_followed("an operator's end");
  }

  CreatedKey create_key() {
    return write([&](store::Tx& tx) {
      return create_inventory_key(tx, a->fleet.ids, rng, a->fleet.credentials, actor, org, "site",
                                  1, test_epoch);
    });
  }
  void revoke(KeyId key) {
    write_everywhere(a->fleet.store, a->fleet.nodes, [&](store::Tx& tx) {
      return revoke_inventory_key(tx, a->fleet.ids, a->fleet.credentials, actor, key, test_epoch)
          .ok();
    });
  }
  bool accepts(const Server& server, const CreatedKey& key) {
    return server.fleet.credentials.inventory_keys.find(server.fleet.credentials.hash(key.key))
        .has_value();
  }

  std::optional<store::testing::TestDatabase> database;
  TestDirectory directory{memory_backed_path()};
  SeededRng rng{1};
  const Actor actor = Actor::operator_token(OperatorId{1});
  model::Uptime uptime = seconds(1000);
  Duration waited{0};
  std::function<void()> while_waiting;
  std::optional<Server> a;
  std::optional<Server> b;
};

}  // namespace muster::fleet
