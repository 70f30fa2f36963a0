// SPDX-License-Identifier: Apache-2.0
#include "model/health.h"

#include <gtest/gtest.h>

#include "base/testing.h"

namespace muster::model {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

Record record_of(Duration observed, Duration away = {}, std::int64_t outages = 0,
                 std::int64_t completed = 0, std::int64_t failed = 0) {
  return {observed, away, outages, completed, failed};
}

TEST(Health, OfAnAgentThatNothingHappenedToIsAHundredFromItsFirstMinute) {
  EXPECT_EQ(agent_health({}), 100);
  EXPECT_EQ(agent_health(record_of(minutes(1))), 100);
  EXPECT_EQ(agent_health(record_of(health_window, {}, 0, 50, 0)), 100);
}

TEST(Health, IsAHundredOnlyIfNothingWentWrong) {
  EXPECT_EQ(agent_health(record_of(health_window, minutes(1))), 99);
  EXPECT_EQ(agent_health(record_of(health_window, {}, 0, 100'000, 1)), 99);
  EXPECT_EQ(agent_health(record_of(health_window, {}, 1)), 97);
}

TEST(Health, OfTheWorstAgentIsNoughtAndNeverLess) {
  EXPECT_EQ(agent_health(record_of(health_window, health_window, 10, 0, 5)), 0);
  EXPECT_EQ(agent_health(record_of(minutes(1), health_window, 10'000, 0, 5'000'000)), 0);
}

TEST(Health, WeighsUptimeWithFortyAndTheOthersWithThirty) {
  EXPECT_EQ(agent_health(record_of(hours(10), hours(10))), 60);
  EXPECT_EQ(agent_health(record_of(hours(10), {}, 0, 0, 1)), 70);
  EXPECT_EQ(agent_health(record_of(hours(10), {}, 10)), 70);
  EXPECT_EQ(agent_health(record_of(hours(10), hours(5), 5, 1, 1)), 50);
  for (std::int64_t outages = 0; outages <= 10; ++outages) {
    EXPECT_EQ(agent_health(record_of(hours(10), {}, outages)), 100 - 3 * outages)
        << "no tenth is lost to rounding";
  }
}

TEST(UptimeShare, StaysBetweenNoughtAndOne) {
  EXPECT_EQ(uptime_share({}), 1);
  EXPECT_EQ(uptime_share(record_of(uptime_window)), 1) << "so that 100 % can be reached";
  EXPECT_EQ(uptime_share(record_of(hours(4), hours(1))), 0.75);
  EXPECT_EQ(uptime_share(record_of(hours(4), hours(9))), 0);
  EXPECT_EQ(uptime_share(record_of(hours(4), hours(-9))), 1);
  EXPECT_EQ(uptime_share(record_of(hours(-4), hours(1))), 1);
}

TEST(TaskSuccessShare, StaysBetweenNoughtAndOne) {
  EXPECT_EQ(task_success_share({}), 1);
  EXPECT_EQ(task_success_share(record_of({}, {}, 0, 3, 1)), 0.75);
  EXPECT_EQ(task_success_share(record_of({}, {}, 0, 0, 7)), 0);
  EXPECT_EQ(task_success_share(record_of({}, {}, 0, 7, 0)), 1);
}

TEST(StabilityShare, StaysBetweenNoughtAndOne) {
  EXPECT_EQ(stability_share({}), 1);
  EXPECT_EQ(stability_share(record_of({}, {}, 5)), 0.5);
  EXPECT_EQ(stability_share(record_of({}, {}, outages_without_stability)), 0);
  EXPECT_EQ(stability_share(record_of({}, {}, 1000)), 0);
}

TEST(Percent, IsAHundredOnlyForTheWhole) {
  EXPECT_EQ(percent(1), 100);
  EXPECT_EQ(percent(0.99999), 99.9);
  EXPECT_EQ(percent(0.999), 99.9);
  EXPECT_EQ(percent(0.3), 30);
  EXPECT_EQ(percent(0), 0);
}

TEST(HoursBetweenOutages, AreOfTheTimeThatAgentsWereThere) {
  EXPECT_EQ(hours_between_outages(record_of(uptime_window)), std::nullopt) << "none to divide by";
  EXPECT_EQ(hours_between_outages(record_of(hours(100), hours(10), 3)), 30);
  EXPECT_EQ(hours_between_outages(record_of(hours(1), hours(10), 3)), 0);
}

TEST(ObservedTime, BeginsWithTheEnrolmentAndEndsWithTheWindow) {
  EXPECT_EQ(observed_time(test_epoch, hours(5), test_epoch), Duration(0));
  EXPECT_EQ(observed_time(test_epoch, hours(5), test_epoch + hours(3)), hours(3));
  EXPECT_EQ(observed_time(test_epoch, hours(5), test_epoch + hours(9)), hours(5));
  EXPECT_EQ(observed_time(test_epoch + hours(1), hours(5), test_epoch), Duration(0))
      << "a clock that was set back";
}

}  // namespace
}  // namespace muster::model
