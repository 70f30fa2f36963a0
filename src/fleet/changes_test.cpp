// SPDX-License-Identifier: Apache-2.0
#include "fleet/changes.h"

#include <gtest/gtest.h>

namespace muster::fleet {
namespace {

constexpr OrgId everywhere{0};
constexpr OrgId a{1};
constexpr OrgId b{2};

TEST(Changes, AreABitOfEachOrganisationHoweverOften) {
  Changes changes;
  for (int i = 0; i < 1000; ++i) changes.mark(a, Topic::tasks);
  changes.mark(a, Topic::results);
  changes.mark(b, Topic::hosts);
  EXPECT_EQ(changes.take(), (Changed{{a, Topic::tasks | Topic::results}, {b, Topic::hosts}}));
  EXPECT_TRUE(changes.take().empty());
}

TEST(Changes, ThatAreNotedAreNotToldToOtherServers) {
  Changes changes;
  changes.note(a, Topic::events);
  EXPECT_EQ(changes.take_for_others(), "");
  EXPECT_EQ(changes.take(), (Changed{{a, Topic::events}}));
}

TEST(Changes, ReachAnotherServerAsTheyAreAndGoNoFurther) {
  Changes here;
  Changes there;
  here.mark(a, Topic::tasks | Topic::access);
  here.mark(b, Topic::findings);
  there.hear(here.take_for_others());
  EXPECT_EQ(here.take_for_others(), "");
  EXPECT_EQ(there.take_for_others(), "");
  EXPECT_EQ(there.take(), here.take());
}

TEST(Changes, OfVeryManyOrganisationsAreThoseOfAllInOneShortMessage) {
  Changes here;
  Changes there;
  for (std::int64_t org = 1; org <= 5000; ++org) here.mark(OrgId{org}, Topic::hosts);
  const std::string told = here.take_for_others();
  EXPECT_LE(told.size(), Changes::shared_bytes);
  there.hear(told);
  EXPECT_EQ(there.take(), (Changed{{everywhere, Topics::all()}}));
}

TEST(Changes, ThatCannotBeReadAreThoseOfAll) {
  for (const std::string_view told :
       {"", "x", "1", "1=", "=1", "-1=1", "1=-1", "1=1,,2=1", "1=99999999999", "1=1;"}) {
    Changes changes;
    changes.hear(told);
    EXPECT_EQ(changes.take(), (Changed{{everywhere, Topics::all()}})) << told;
  }
}

TEST(Changes, OfTopicsThatOnlyANewerServerKnowsAreLeftOut) {
  Changes changes;
  changes.hear("1=4294967295,2=2147483648");
  EXPECT_EQ(changes.take(), (Changed{{a, Topics::all()}}));
}

TEST(Topics, AreNamedInTheOrderOfTheirList) {
  EXPECT_EQ((Topic::results | Topic::hosts).names(),
            (std::vector<std::string_view>{"hosts", "results"}));
  EXPECT_EQ(Topics::all().names().size(), 13U);
  EXPECT_TRUE(Topics().names().empty());
}

}  // namespace
}  // namespace muster::fleet
