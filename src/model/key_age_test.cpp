// SPDX-License-Identifier: Apache-2.0
#include "model/key_age.h"

#include <algorithm>
#include <array>

#include <gtest/gtest.h>

#include "base/limits.h"
#include "base/testing.h"

namespace muster::model {
namespace {

constexpr Instant used_since{1'800'000'000'000};
constexpr Duration quarter = std::chrono::hours(24 * 90);

AgentId agent_of(std::uint64_t number) {
  AgentId id;
  // As of one enrolment wave: the first half says when, and is the same.
  for (std::size_t i = 0; i < 8; ++i) {
    id.uuid.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  return id;
}

TEST(RotationDue, IsWithinTheLastTenthOfThePeriodForEveryPeriodThatCanBeSet) {
  for (const int days : {1, 90, 3650}) {
    const Duration period = std::chrono::hours(24 * days);
    for (std::uint64_t number = 0; number < 1000; ++number) {
      const Instant due = rotation_due_at(agent_of(number), used_since, period);
      EXPECT_GE(due, used_since + rotation_earliest(period)) << days;
      EXPECT_LT(due, used_since + period) << days;
    }
  }
}

TEST(RotationDue, AnEnrolmentWaveIsSpreadEvenly) {
  std::array<int, 10> tenths{};
  for (std::uint64_t number = 0; number < 10'000; ++number) {
    const Instant due = rotation_due_at(agent_of(number), used_since, quarter);
    const Duration into = due - (used_since + rotation_earliest(quarter));
    ++tenths[static_cast<std::size_t>(into * 10 / (quarter / 10))];
  }
  EXPECT_GT(*std::min_element(tenths.begin(), tenths.end()), 900);
  EXPECT_LT(*std::max_element(tenths.begin(), tenths.end()), 1100);
}

TEST(RotationDue, IsTheSameOnEveryServer) {
  EXPECT_EQ(rotation_due_at(agent_of(1), used_since, quarter),
            rotation_due_at(agent_of(1), used_since, quarter));
  EXPECT_NE(rotation_due_at(agent_of(1), used_since, quarter),
            rotation_due_at(agent_of(2), used_since, quarter));
}

TEST(KeyStateOf, FollowsTheKeyFromEnrolmentToItsReplacement) {
  Agent agent;
  EXPECT_EQ(key_state_of(agent, used_since), KeyState::unused);
  agent.keys.used = true;
  agent.key_since = used_since;
  EXPECT_EQ(key_state_of(agent, used_since), KeyState::current);
  agent.keys = rotated(agent.keys);
  agent.key_offered_at = used_since;
  EXPECT_EQ(key_state_of(agent, used_since + limits::rotation_overdue), KeyState::pending);
  EXPECT_EQ(key_state_of(agent, used_since + limits::rotation_overdue + Duration(1)),
            KeyState::overdue);
  EXPECT_EQ(key_state_name(KeyState::overdue), "overdue");
}

}  // namespace
}  // namespace muster::model
