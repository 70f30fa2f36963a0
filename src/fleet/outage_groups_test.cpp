// SPDX-License-Identifier: Apache-2.0
#include "fleet/outage_groups.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "base/testing.h"

namespace muster::fleet {
namespace {

constexpr GroupRules rules{std::chrono::seconds(180), std::chrono::seconds(60), 10, 20};
const Instant due = test_epoch + rules.offline_after + rules.window;

/// Silences that began at `first` and a second apart; agents are numbered by their hosts.
std::vector<Silence> silences(std::size_t count, Instant first = test_epoch,
                              std::int64_t from_host = 1) {
  std::vector<Silence> out(count);
  for (std::size_t i = 0; i < count; ++i) {
    out[i].host = HostId{from_host + static_cast<std::int64_t>(i)};
    out[i].agent.uuid.bytes[15] = static_cast<std::uint8_t>(out[i].host.value);
    out[i].agent.uuid.bytes[14] = static_cast<std::uint8_t>(out[i].host.value >> 8);
    out[i].last_seen = out[i].began = first + Duration(10 * i);
  }
  return out;
}

/// Hosts up to `tagged` stand at site a, which has `of_tag` agents.
Population population(std::size_t of_org, std::int64_t tagged = 0, std::size_t of_tag = 0) {
  return {of_org,
          [tagged](HostId host) {
            return host.value <= tagged ? std::vector<std::string>{"site:a"}
                                        : std::vector<std::string>{};
          },
          [of_tag](const std::string&) { return of_tag; }};
}

TEST(DueOutages, NothingIsToldBeforeItsWindowIsOver) {
  EXPECT_TRUE(due_outages(silences(3), rules, population(100), due - Duration(1)).empty());
  const auto told = due_outages(silences(3), rules, population(100), due);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].scope, "");
  EXPECT_EQ(told[0].members.size(), 3U) << "what began within its window is told with the first";
}

TEST(DueOutages, ManyAndAShareOfTheOrganisationAreOneEvent) {
  EXPECT_EQ(due_outages(silences(9), rules, population(9), due)[0].scope, "") << "too few";
  EXPECT_EQ(due_outages(silences(10), rules, population(51), due)[0].scope, "") << "under 20 %";
  const auto told = due_outages(silences(10), rules, population(50), due);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].scope, "organisation");
  EXPECT_EQ(told[0].members.size(), 10U);
}

TEST(DueOutages, ATagThatFellSilentIsOneEventAndTheRestIsToldAlone) {
  const auto told = due_outages(silences(15), rules, population(1000, 12, 20), due);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].scope, "tag:site:a");
  EXPECT_EQ(told[0].members.size(), 12U);
  EXPECT_EQ(told[1].scope, "");
  EXPECT_EQ(told[1].members.size(), 3U);
}

TEST(DueOutages, WhatBeganLaterWaitsForItsOwnWindow) {
  auto all = silences(12);
  const auto later = silences(2, test_epoch + rules.window + Duration(1), 100);
  all.insert(all.end(), later.begin(), later.end());
  const auto told = due_outages(all, rules, population(20), due);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].members.size(), 12U);
}

TEST(DueOutages, TooManyForLoneEventsAreOneWhateverTheirShare) {
  const std::size_t many = limits::lone_outages + 1;
  EXPECT_EQ(due_outages(silences(many), rules, population(100'000), due)[0].scope, "organisation");
  EXPECT_EQ(due_outages(silences(many - 1), rules, population(100'000), due)[0].scope, "");
}

}  // namespace
}  // namespace muster::fleet
