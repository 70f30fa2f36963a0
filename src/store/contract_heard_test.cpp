// SPDX-License-Identifier: Apache-2.0
// What the functions of store/sql do, on every engine: when agents were heard of.
#include <map>

#include "store/testing/contract.h"

namespace muster::store {
namespace {

using testing::now;
using testing::org;
using testing::other_org;

class HeardContract : public testing::Contract {
 protected:
  Instant heard_of(OrgId of, AgentId agent) {
    return read([&](Reader& reader) {
             return list_heard(reader, {{of, agent, {}}});
           })
        .find(of, agent);
  }
};
ON_EVERY_DATABASE(HeardContract);

/// An id of which only the last octets differ: agents of one block, and of its neighbour.
AgentId alike(std::uint8_t octet_8, std::uint8_t octet_15) {
  AgentId id;
  id.uuid.bytes[8] = octet_8;
  id.uuid.bytes[15] = octet_15;
  return id;
}

TEST_P(HeardContract, TheLatestTimeOfEachAgentIsWhatAnyOrderOfWritesLeaves) {
  // Enough for blocks of one, of several and of none; some are never written.
  std::vector<std::pair<OrgId, AgentId>> agents;
  for (int i = 0; i < 400; ++i) agents.emplace_back(i % 3 == 0 ? other_org : org, AgentId{uuid(i)});
  for (int i = 0; i < 40; ++i) {
    agents.emplace_back(org, alike(static_cast<std::uint8_t>(i), i % 2 == 0 ? 7 : 8));
  }
  std::map<std::pair<OrgId, AgentId>, Instant> expected;
  for (int round = 0; round < 8; ++round) {
    std::vector<AgentHeardRow> rows;
    for (int i = 0; i < 150; ++i) {
      const auto& [of, agent] = agents[rng.below(agents.size())];
      const Instant at = now + Duration(static_cast<std::int64_t>(rng.below(1'000'000)));
      rows.push_back({of, agent, at});
      Instant& latest = expected[{of, agent}];
      latest = std::max(latest, at);
    }
    write([&](Tx& tx) { set_agent_heard(tx, rows); });
  }
  const HeardTimes all = read([](Reader& reader) { return list_heard(reader); });
  for (const auto& [of, agent] : agents) {
    const auto found = expected.find({of, agent});
    const Instant latest = found == expected.end() ? Instant{} : found->second;
    EXPECT_EQ(all.find(of, agent), latest);
    EXPECT_EQ(heard_of(of, agent), latest);
  }
}

TEST_P(HeardContract, AnAgentIsNotItsNeighbourNorThatOfAnotherOrganisation) {
  write([](Tx& tx) { set_agent_heard(tx, {{org, alike(1, 7), now}, {org, alike(3, 7), now}}); });
  EXPECT_EQ(heard_of(org, alike(1, 7)), now);
  EXPECT_EQ(heard_of(org, alike(2, 7)), Instant{});
  EXPECT_EQ(heard_of(other_org, alike(1, 7)), Instant{});
}

TEST_P(HeardContract, AClockThatWasSetBackTakesLaterTimesAlong) {
  const Instant later = now + std::chrono::hours(1);
  const Instant earlier = now - std::chrono::hours(1);
  write([&](Tx& tx) {
    set_agent_heard(tx, {{org, alike(1, 7), later},
                         {org, alike(2, 7), earlier},
                         {other_org, alike(1, 7), later},
                         {org, alike(1, 8), earlier}});
  });
  write([](Tx& tx) { bring_back_heard(tx, now); });
  EXPECT_EQ(heard_of(org, alike(1, 7)), now);
  EXPECT_EQ(heard_of(org, alike(2, 7)), earlier);
  EXPECT_EQ(heard_of(other_org, alike(1, 7)), now);
  EXPECT_EQ(heard_of(org, alike(1, 8)), earlier);
}

TEST_P(HeardContract, ABlockThatSomebodyCutShortIsNamed) {
  write([](Tx& tx) {
    set_agent_heard(tx, {{org, alike(1, 7), now}});
    tx.execute("UPDATE heard_blocks SET times = $1", Blob{"short"});
  });
  EXPECT_THROW(read([](Reader& reader) { return list_heard(reader); }), StoreError);
}

}  // namespace
}  // namespace muster::store
