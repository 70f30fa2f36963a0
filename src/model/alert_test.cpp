// SPDX-License-Identifier: Apache-2.0
#include "model/alert.h"

#include <vector>

#include <gtest/gtest.h>

#include "base/testing.h"

namespace muster::model {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr AlertCondition above_none{AlertComparison::above, 0, minutes(10)};

TEST(Alert, HoldsAboveOrBelowItsThreshold) {
  const AlertCondition above{AlertComparison::above, 2, {}};
  EXPECT_EQ(holds(above, {2, true}), false);
  EXPECT_EQ(holds(above, {3, true}), true);
  const AlertCondition below{AlertComparison::below, 2, {}};
  EXPECT_EQ(holds(below, {1, true}), true);
  EXPECT_EQ(holds(below, {2, true}), false);
}

TEST(Alert, SaysNothingWhereACountThatMayBeLargerDoesNot) {
  const AlertCondition above{AlertComparison::above, 2, {}};
  EXPECT_EQ(holds(above, {3, false}), true);
  EXPECT_EQ(holds(above, {2, false}), std::nullopt);
  const AlertCondition below{AlertComparison::below, 2, {}};
  EXPECT_EQ(holds(below, {2, false}), false);
  EXPECT_EQ(holds(below, {1, false}), std::nullopt);
}

TEST(Alert, WordsAreReadAsTheyAreWritten) {
  for (const auto state : {AlertState::ok, AlertState::pending, AlertState::firing}) {
    EXPECT_EQ(parse_alert_state(alert_state_name(state)), state);
  }
  for (const auto comparison : {AlertComparison::above, AlertComparison::below}) {
    EXPECT_EQ(parse_alert_comparison(alert_comparison_name(comparison)), comparison);
  }
  EXPECT_EQ(parse_alert_state("OK"), std::nullopt);
  EXPECT_EQ(parse_alert_comparison(""), std::nullopt);
}

TEST(Alert, FiresOnceItHeldForLongEnough) {
  AlertCourse course{AlertState::ok, test_epoch, test_epoch};
  Instant now = test_epoch;
  const auto look = [&](bool holds, Duration later) {
    now = now + later;
    return course = advance(above_none, course, holds, now);
  };
  EXPECT_EQ(look(false, minutes(1)).since, test_epoch);
  EXPECT_EQ(look(true, minutes(1)).state, AlertState::pending);
  const Instant began = now;
  for (int minute = 1; minute < 10; ++minute) {
    EXPECT_EQ(look(true, minutes(1)).state, AlertState::pending) << minute;
    EXPECT_EQ(course.since, began);
  }
  EXPECT_EQ(look(true, minutes(1)).state, AlertState::firing);
  EXPECT_EQ(course.since, now);
  const Instant fired = now;
  EXPECT_EQ(look(true, minutes(90)).since, fired);
  EXPECT_EQ(look(false, minutes(1)).state, AlertState::ok);
  EXPECT_EQ(course.since, now);
}

TEST(Alert, BeginsToWaitAnewOnceItDidNotHold) {
  AlertCourse course{AlertState::pending, test_epoch, test_epoch + minutes(9)};
  course = advance(above_none, course, false, test_epoch + minutes(10));
  EXPECT_EQ(course.state, AlertState::ok);
  course = advance(above_none, course, true, test_epoch + minutes(11));
  EXPECT_EQ(course.state, AlertState::pending);
  EXPECT_EQ(course.since, test_epoch + minutes(11));
}

TEST(Alert, FiresAtOnceWhereNothingIsToBeWaitedFor) {
  const AlertCondition at_once{AlertComparison::above, 0, {}};
  const AlertCourse course =
      advance(at_once, {AlertState::ok, test_epoch, std::nullopt}, true, test_epoch + seconds(1));
  EXPECT_EQ(course.state, AlertState::firing);
}

TEST(Alert, DoesNotCountTheTimeThatNobodyLookedAt) {
  const AlertCourse before{AlertState::pending, test_epoch, test_epoch + minutes(2)};
  const Instant late = test_epoch + minutes(2) + limits::alert_gap + Duration(1);
  const AlertCourse after = advance(above_none, before, true, late);
  EXPECT_EQ(after.state, AlertState::pending);
  EXPECT_EQ(after.since, late);
  // What fires goes on firing, and what ended has ended.
  const AlertCourse firing{AlertState::firing, test_epoch, test_epoch};
  EXPECT_EQ(advance(above_none, firing, true, late).since, test_epoch);
  EXPECT_EQ(advance(above_none, firing, false, late).state, AlertState::ok);
}

TEST(Alert, OutlivesAClockThatIsSetBack) {
  const AlertCourse ahead{AlertState::pending, test_epoch + minutes(60), test_epoch + minutes(60)};
  AlertCourse course = advance(above_none, ahead, true, test_epoch);
  EXPECT_EQ(course.state, AlertState::pending);
  EXPECT_EQ(course.since, test_epoch);
  for (int minute = 1; minute <= 10; ++minute) {
    course = advance(above_none, course, true, test_epoch + minutes(minute));
  }
  EXPECT_EQ(course.state, AlertState::firing);
}

/// Every state, every age of it, every age of the last look, with and without a hold, holding or
/// not: the rules one by one.
TEST(Alert, KeepsItsRulesFromEveryState) {
  const Instant now = test_epoch;
  const std::vector<Duration> ages = {minutes(-1), Duration(0), seconds(59), minutes(5),
                                      minutes(6),  minutes(10), minutes(11), minutes(600)};
  int cases = 0;
  for (const auto state : {AlertState::ok, AlertState::pending, AlertState::firing}) {
    for (const Duration age : ages) {
      for (int look = -1; look < static_cast<int>(ages.size()); ++look) {
        for (const Duration hold : {Duration(0), Duration(minutes(10))}) {
          for (const bool holds : {false, true}) {
            AlertCourse before{state, now - age, std::nullopt};
            if (look >= 0) before.evaluated_at = now - ages[static_cast<std::size_t>(look)];
            const AlertCondition condition{AlertComparison::above, 0, hold};
            const AlertCourse after = advance(condition, before, holds, now);
            ++cases;
            EXPECT_EQ(after.evaluated_at, now);
            // It is ok exactly when it does not hold.
            EXPECT_EQ(after.state == AlertState::ok, !holds);
            // Nothing that fires waits again, and nothing fires that did not wait.
            if (state == AlertState::firing && holds) {
              EXPECT_EQ(after.state, AlertState::firing);
            }
            if (state == AlertState::ok && holds) {
              EXPECT_EQ(after.state,
                        hold == Duration(0) ? AlertState::firing : AlertState::pending);
            }
            if (state == AlertState::pending && after.state == AlertState::firing) {
              EXPECT_GE(age, hold);
              EXPECT_TRUE(before.evaluated_at.has_value());
              EXPECT_LE(now - *before.evaluated_at, limits::alert_gap);
            }
            // A new state begins now; an old one began when it did, or waits anew.
            if (after.state != state) {
              EXPECT_EQ(after.since, now);
            } else {
              EXPECT_TRUE(after.since == before.since ||
                          (state == AlertState::pending && after.since == now));
            }
            // Looking twice in the same moment is looking once.
            const AlertCourse again = advance(condition, after, holds, now);
            EXPECT_TRUE(again == after || hold == Duration(0));
          }
        }
      }
    }
  }
  EXPECT_EQ(cases, 3 * 8 * 9 * 2 * 2);
}

}  // namespace
}  // namespace muster::model
