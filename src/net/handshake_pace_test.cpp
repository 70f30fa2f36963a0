// SPDX-License-Identifier: Apache-2.0
#include "net/handshake_pace.h"

#include <string>

#include <gtest/gtest.h>

namespace muster::net {
namespace {

class Pace : public ::testing::Test {
 protected:
  HandshakePace::Resume note(char who) {
    return [this, who] { seen += who; };
  }
  std::string turn() {
    seen.clear();
    --scheduled;
    pace.turn();
    return seen;
  }

  std::string seen;
  int scheduled = 0;
  HandshakePace pace{3, 2, [this] { ++scheduled; }};
};

TEST_F(Pace, RunsAFewStepsATurnInTheOrderTheyCame) {
  for (const char who : {'a', 'b', 'c'}) pace.enter(note(who));
  EXPECT_EQ(seen, "") << "never within the caller";
  EXPECT_EQ(scheduled, 1);
  EXPECT_EQ(turn(), "ab");
  EXPECT_EQ(scheduled, 1);
  EXPECT_EQ(turn(), "c");
  EXPECT_EQ(scheduled, 0);
}

TEST_F(Pace, EntrantsWaitForAPlace) {
  for (const char who : {'a', 'b', 'c', 'd', 'e'}) pace.enter(note(who));
  turn();
  turn();
  EXPECT_EQ(pace.under_way(), 3U);
  EXPECT_EQ(scheduled, 0);
  pace.leave();
  EXPECT_EQ(scheduled, 1);
  EXPECT_EQ(turn(), "d");
  EXPECT_EQ(scheduled, 0);
}

TEST_F(Pace, ThoseWhoHaveAPlaceGoFirst) {
  pace.enter(note('a'));
  turn();
  for (const char who : {'b', 'c', 'd'}) pace.enter(note(who));
  pace.step(note('A'));
  EXPECT_EQ(turn(), "Ab");
  EXPECT_EQ(turn(), "c");
}

TEST_F(Pace, IsCrowdedWithMoreThanHalfOfThePlacesTaken) {
  pace.enter(note('a'));
  turn();
  EXPECT_FALSE(pace.crowded());
  pace.enter(note('b'));
  turn();
  EXPECT_TRUE(pace.crowded());
}

TEST_F(Pace, OneWhoLeavesAtOnceMakesRoomInTheSameTurn) {
  for (int i = 0; i < 3; ++i) pace.enter([this] { pace.leave(); });
  pace.enter(note('d'));
  turn();
  EXPECT_EQ(turn(), "d");
  EXPECT_EQ(pace.under_way(), 1U);
}

}  // namespace
}  // namespace muster::net
