// SPDX-License-Identifier: Apache-2.0
#include "model/agent.h"

#include <gtest/gtest.h>

namespace muster::model {
namespace {

constexpr Instant noon{1'800'000'000'000};
constexpr Duration limit = std::chrono::seconds(180);

TEST(PresenceOf, SilenceLongerThanTheLimitIsOffline) {
  const Instant started = noon - std::chrono::hours(10);
  EXPECT_EQ(presence_of(noon - limit + Duration(1), started, limit, noon), Presence::online);
  EXPECT_EQ(presence_of(noon - limit, started, limit, noon), Presence::offline);
}

TEST(PresenceOf, TheServersOwnDowntimeIsNotTheFleets) {
  const Instant last_seen = noon - std::chrono::hours(5);
  EXPECT_EQ(presence_of(last_seen, noon, limit, noon), Presence::unknown);
  EXPECT_EQ(presence_of(last_seen, noon, limit, noon + limit - Duration(1)), Presence::unknown);
  EXPECT_EQ(presence_of(last_seen, noon, limit, noon + limit), Presence::offline);
}

}  // namespace
}  // namespace muster::model
