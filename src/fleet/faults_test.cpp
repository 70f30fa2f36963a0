// SPDX-License-Identifier: Apache-2.0
// Every write, with each of its statements failing in turn, the connection breaking before each of
// them, and the answer to its commit lost: memory agrees with the store, and the same write
// succeeds afterwards. And the audit rows of those that succeed.
#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "fleet/fault_world.h"

namespace muster::fleet {
namespace {

using store::testing::Faults;

std::string rows_of(World& world) {
  return world.fleet.database.rows();
}

using Where = std::pair<store::Engine, std::string>;

class FaultLoop : public testing::TestWithParam<Where> {
 protected:
  void SetUp() override {
    if (!store::testing::available(GetParam().first)) GTEST_SKIP() << store::testing::not_available;
    world = std::make_unique<World>(GetParam().first);
    named = world->writes().at(GetParam().second);
  }
  void write() { world->fleet->store.write(named.write); }
  Faults& faults() { return *world->fleet.faults; }

  /// Lets the write fail at its first call to the database, then the second, until it passes.
  void fail_everywhere(Faults::How how) {
    const std::string memory = world->memory();
    const std::string rows = rows_of(*world);
    int n = 1;
    for (;; ++n) {
      faults().arrange(n, how);
      try {
        write();
        EXPECT_TRUE(faults().cancel()) << "call " << n << " failed and nobody was told";
        break;
      } catch (const store::StoreError&) {
        ASSERT_FALSE(faults().cancel()) << n;
      }
      ASSERT_EQ(world->memory(), memory) << n;
      ASSERT_EQ(rows_of(*world), rows) << n;
    }
    EXPECT_GT(n, 5) << "begin, savepoint, a statement, release and commit at least";
    EXPECT_NE(rows_of(*world), rows) << "it works once the store does";
  }

  std::unique_ptr<World> world;
  World::Named named;
};

TEST_P(FaultLoop, AFailureLeavesMemoryAndStoreAsTheyWere) {
  fail_everywhere(Faults::How::fail);
  // Whoever signs in or out does so in their own name.
  const std::string person = Actor::operator_token(world->person.id).text;
  for (const auto& [action, count] : named.audit) {
    std::int64_t found = 0;
    world->fleet->store.read([&, action = action](store::Reader& reader) {
      store::Rows audit = reader.query(
          "SELECT count(*) FROM audit WHERE action = $1 AND at = $2 AND"
          " actor IN ('operator:1', 'key:1', $3)",
          action, world->fleet.now, person);
      audit.next();
      found = audit.integer(0);
    });
    EXPECT_EQ(found, count) << action;
  }
}

TEST_P(FaultLoop, ALostConnectionLeavesMemoryAndStoreAsTheyWere) {
  fail_everywhere(Faults::How::lose);
}

TEST_P(FaultLoop, ALostCommitLeavesMemoryAndStoreAsTheyWere) {
  const std::string memory = world->memory();
  const std::string rows = rows_of(*world);
  faults().arrange_at_commit(Faults::How::question_lost);
  EXPECT_THROW(write(), store::StoreError);
  EXPECT_EQ(world->memory(), memory);
  EXPECT_EQ(rows_of(*world), rows);
}

TEST_P(FaultLoop, ALostAnswerLeavesMemoryAsTheStoreIs) {
  World undisturbed(GetParam().first);
  undisturbed.fleet->store.write(undisturbed.writes().at(GetParam().second).write);
  const std::string rows_before = rows_of(*world);

  const std::string memory_before = world->memory();
  faults().arrange_at_commit(Faults::How::answer_lost);
  faults().refuse_connections(1);
  EXPECT_THROW(write(), store::StoreError) << "nobody can tell yet";
  EXPECT_EQ(world->memory(), memory_before) << "memory never leads";
  EXPECT_NE(rows_of(*world), rows_before);
  bool told = false;
  while (!told) {
    try {
      world->fleet->store.write([](store::Tx&) {});
      told = true;
    } catch (const store::StoreError&) {
    }
  }
  EXPECT_EQ(world->memory(), undisturbed.memory()) << "as if the answer had come";
}

std::vector<Where> every_write_on_every_engine() {
  std::vector<Where> all;
  World world(store::Engine::sqlite);
  for (const auto& [name, write] : world.writes()) {
    all.emplace_back(store::Engine::sqlite, name);
    all.emplace_back(store::Engine::postgres, name);
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(EveryWrite, FaultLoop, testing::ValuesIn(every_write_on_every_engine()),
                         [](const testing::TestParamInfo<Where>& where) {
                           std::string text =
                               std::string(store::testing::engine_name(where.param.first)) + "_" +
                               where.param.second;
                           std::replace_if(
                               text.begin(), text.end(),
                               [](char c) { return c == ' ' || c == '-'; }, '_');
                           return text;
                         });

TEST(ImportFaults, BeforeTheFeedIsStoredNothingChanges) {
  for (const std::string table : {"advisories", "feeds", "audit"}) {
    World world;
    const std::string memory = world.memory();
    const auto in_force = [&] {
      return std::to_string(world.fleet.count("SELECT generation FROM feeds")) + " " +
             std::to_string(world.fleet.count("SELECT count(*) FROM audit"));
    };
    const std::string feeds = in_force();
    world.fleet.faults->refuse("INSERT INTO " + table);
    EXPECT_THROW((void)world.fleet.import(feeds::FeedKind::debian, feed), store::StoreError);
    EXPECT_EQ(world.memory(), memory) << table;
    EXPECT_EQ(in_force(), feeds) << table;
  }
}

TEST(ImportFaults, WhatAFailedImportLeftGoesWithTheNext) {
  World world;
  world.fleet.faults->refuse("INSERT INTO audit");
  EXPECT_THROW((void)world.fleet.import(feeds::FeedKind::debian, feed), store::StoreError);
  world.fleet.faults->cancel();
  EXPECT_GT(world.fleet.count("SELECT count(*) FROM advisories"), 1)
      << "of a generation not in force";
  world.fleet.reopen();
  world.fleet.now = world.fleet.now + Duration(5);  // only what is older goes
  ASSERT_TRUE(world.fleet.import(feeds::FeedKind::debian, feed).ok());
  EXPECT_EQ(world.fleet.count("SELECT count(*) FROM advisories"), 1);
}

TEST(ImportAudit, NamesTheFeedAndItsOperator) {
  World world;
  ASSERT_TRUE(world.fleet.import(feeds::FeedKind::debian, feed).ok());
  EXPECT_EQ(world.fleet.count("SELECT count(*) FROM audit WHERE action = 'feeds.import' AND"
                              " target = 'debian' AND actor = 'operator:1'"),
            2);
}

TEST(SettingsAudit, IsWrittenWithTheChange) {
  World world;
  JsonDocument document;
  const SettingScope scope{SettingScope::Kind::org, TestFleet::org, ""};
  ASSERT_TRUE(change_settings(world.fleet->store, world.fleet->ids, world.fleet->settings,
                              world.fleet.actor, http::Role::admin, scope,
                              document.parse(R"({"scan_interval": 999})").value(), world.fleet.now)
                  .ok());
  EXPECT_EQ(world.fleet.count("SELECT count(*) FROM audit WHERE action = 'settings.set' AND"
                              " target = 'org:1' AND details LIKE '%999%'"),
            1);
}

TEST(Audit, RepeatsThatChangeNothingLeaveNoRow) {
  World world;
  const auto repeat = [&](const std::string& name) {
    const World::Named named = world.writes().at(name);
    world.fleet->store.write(named.write);
    const auto rows = world.fleet.count("SELECT count(*) FROM audit");
    world.fleet->store.write(named.write);
    EXPECT_EQ(world.fleet.count("SELECT count(*) FROM audit"), rows) << name;
  };
  repeat("revoke_enrolment_token");
  repeat("revoke_inventory_key");
  repeat("set_agent_disabled");
}

}  // namespace
}  // namespace muster::fleet
