// SPDX-License-Identifier: Apache-2.0
#include "fleet/clones.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "fleet/testing.h"

namespace muster::fleet {
namespace {

using model::BootMove;

constexpr Duration minute = std::chrono::minutes(1);

AgentId agent_of(std::size_t number) {
  AgentId id;
  for (std::size_t i = 0; i < 8; ++i) {
    id.uuid.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  return id;
}

/// Four heartbeats of two machines in turn; what the last says.
std::optional<Clone> alternate(CloneWatch& watch, AgentId agent, Instant& now) {
  std::optional<Clone> found;
  for (int i = 0; i < 4; ++i) {
    now = now + minute;
    if (watch.note(agent, BootMove::later, {"copy", "192.0.2.2"}, now)) ADD_FAILURE() << i;
    if (const auto clone = watch.note(agent, BootMove::earlier, {"first", "192.0.2.1"}, now)) {
      found = clone;
    }
  }
  return found;
}

TEST(CloneWatch, NamesBothMachines) {
  CloneWatch watch;
  Instant now = test_epoch;
  const auto found = alternate(watch, agent_of(1), now);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->older.hostname, "first");
  EXPECT_EQ(found->older.address, "192.0.2.1");
  EXPECT_EQ(found->newer.hostname, "copy");
  EXPECT_EQ(found->newer.address, "192.0.2.2");
  EXPECT_FALSE(alternate(watch, agent_of(1), now)) << "once an hour";
  now = now + limits::clone_window - minute * 6;
  EXPECT_TRUE(alternate(watch, agent_of(1), now));
}

TEST(CloneWatch, HoldsSoManyAndMakesRoomForThoseThatTurnNow) {
  CloneWatch watch;
  Instant now = test_epoch;
  for (std::size_t i = 1; i <= limits::clone_suspects; ++i) {
    watch.note(agent_of(i), BootMove::earlier, {}, now);
  }
  EXPECT_FALSE(alternate(watch, agent_of(limits::clone_suspects + 1), now)) << "full";
  now = now + limits::clone_window + minute;
  EXPECT_TRUE(alternate(watch, agent_of(limits::clone_suspects + 2), now));
}

TEST(Clones, AreAnEventOnceAlsoAfterARestart) {
  TestFleet fleet;
  const Enrolled agent = fleet.enrol("web-1", "machine-a");
  const Clone clone{{"first", "192.0.2.1"}, {"copy", "192.0.2.2"}};
  for (int i = 0; i < 2; ++i) {
    fleet->store.write([&](store::Tx& tx) {
      record_clone(tx, fleet->ids, fleet->credentials, agent.org, agent.agent, HostId{1}, clone,
                   fleet.now);
    });
    EXPECT_EQ(fleet.count("SELECT count(*) FROM events WHERE type = 'clone_detected'"), 1) << i;
    fleet.now = fleet.now + minute;
    fleet.reopen();
  }
  EXPECT_EQ(fleet.count("SELECT confirmed_at - detected_at FROM agent_clones"), minute.count());
  EXPECT_EQ(forget_clones(fleet->store, fleet.now), 0);
  EXPECT_EQ(forget_clones(fleet->store, fleet.now + limits::clone_memory), 1);
}

}  // namespace
}  // namespace muster::fleet
