// SPDX-License-Identifier: Apache-2.0
#include "http/body_budget.h"

#include <optional>

#include <gtest/gtest.h>

namespace muster::http {
namespace {

constexpr BodyBounds bounds = {.bytes = {1000, 800, 500}, .of_agent = 200, .of_key = 300};

Caller key(std::int64_t id) {
  Caller caller;
  caller.kind = Caller::Kind::inventory_key;
  caller.key = id;
  return caller;
}

Caller agent(std::uint8_t last) {
  Caller caller;
  caller.kind = Caller::Kind::agent;
  caller.agent.uuid.bytes[15] = last;
  return caller;
}

Caller an_operator() {
  Caller caller;
  caller.kind = Caller::Kind::operator_of_server;
  return caller;
}

TEST(BodyBudget, WhatAPlaceCoversIsTakenUntilItsEnd) {
  BodyBudget budget(bounds);
  {
    BodyPlace place(budget, Lane::operators, an_operator());
    EXPECT_TRUE(place.cover(100));
    EXPECT_TRUE(place.cover(400));
    EXPECT_TRUE(place.cover(300)) << "is covered";
    EXPECT_EQ(budget.use().taken, 400U);
  }
  EXPECT_EQ(budget.use().taken, 0U);
  EXPECT_EQ(budget.use().most, 400U);
  EXPECT_EQ(budget.use().max, 1000U);
}

TEST(BodyBudget, LaterLanesLeaveTheRestToTheFirst) {
  BodyBudget budget(bounds);
  BodyPlace upload(budget, Lane::operators, an_operator());
  EXPECT_FALSE(upload.cover(501));
  EXPECT_TRUE(upload.cover(500));
  BodyPlace more(budget, Lane::operators, an_operator());
  EXPECT_FALSE(more.cover(1));
  BodyPlace report(budget, Lane::reports, key(1));
  EXPECT_TRUE(report.cover(300));
  BodyPlace other_report(budget, Lane::reports, key(2));
  EXPECT_FALSE(other_report.cover(1));
  BodyPlace result(budget, Lane::agents, agent(1));
  EXPECT_TRUE(result.cover(200));
  EXPECT_EQ(budget.use().taken, 1000U);
}

TEST(BodyBudget, NobodyTakesThePlaceOfAllOthers) {
  BodyBudget budget(bounds);
  BodyPlace first(budget, Lane::agents, agent(1));
  EXPECT_TRUE(first.cover(150));
  std::optional<BodyPlace> second(std::in_place, budget, Lane::agents, agent(1));
  EXPECT_FALSE(second->cover(51));
  EXPECT_TRUE(second->cover(50));
  BodyPlace of_another(budget, Lane::agents, agent(2));
  EXPECT_TRUE(of_another.cover(200));
  BodyPlace of_a_site(budget, Lane::reports, key(1));
  EXPECT_TRUE(of_a_site.cover(300));
  EXPECT_FALSE(of_a_site.cover(301));
  second.reset();
  BodyPlace third(budget, Lane::agents, agent(1));
  EXPECT_TRUE(third.cover(50)) << "what was given back can be taken again";
}

TEST(BodyBudget, WhatCameOutOfABodyIsTakenEvenOverItsCallersShare) {
  BodyBudget budget(bounds);
  BodyPlace first(budget, Lane::reports, agent(1));
  EXPECT_TRUE(first.cover(10));
  EXPECT_TRUE(first.add(600));
  EXPECT_FALSE(first.add(200)) << "but not over its lane's";
  EXPECT_EQ(budget.use().taken, 610U);
  BodyPlace next(budget, Lane::agents, agent(1));
  EXPECT_FALSE(next.cover(1)) << "its next body waits";
}

}  // namespace
}  // namespace muster::http
