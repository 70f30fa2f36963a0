// SPDX-License-Identifier: Apache-2.0
#include "fleet/feed_syncs.h"

#include <gtest/gtest.h>

#include "fleet/finding_testing.h"

namespace muster::fleet {
namespace {

using feeds::FeedKind;

constexpr Duration six_hours = std::chrono::hours(6);

struct Server {
  explicit Server(Duration every) : sources(Config{}), every_(every) {
    for (const FeedKind kind : feeds::feed_kinds) sources.of(kind) = {"https://one.example/file"};
    world.fetch = [this](const http::FetchOrder& order) -> Result<http::Fetched> {
      ++fetched;
      if (during) during();
      if (!order.goes_on(1, std::nullopt)) return Error{Errc::unavailable, "It was given up."};
      if (content.empty()) return Error{Errc::unavailable, "it is down"};
      order.take(content);
      return http::Fetched{};
    };
    world.now = [this] { return fleet.now; };
    restart();
  }
  void restart() {
    syncs.reset();
    if (nodes) nodes->leave();
    nodes.reset();
    fleet.reopen();
    nodes = std::make_unique<Nodes>(
        fleet->store, fleet->ids, fleet->catalogue,
        SharedMemory{fleet->credentials, fleet->presence, fleet->directory, fleet->settings,
                     fleet->marks, fleet->scripts, fleet->packages},
        NodeTime{[this] { return uptime; }, [](Duration) {}});
    nodes->join(fleet.now);
    syncs = std::make_unique<FeedSyncs>(
        FeedTarget{fleet->store, fleet->ids, fleet->catalogue, fleet->packages}, *nodes, every_);
  }
  FeedStatus status(FeedKind kind) {
    return list_feed_status(fleet->store).at(static_cast<std::size_t>(kind));
  }
  void run() { syncs->run_due(sources, world, fleet.rng, log); }

  TestFleet fleet;
  FeedSources sources;
  SyncWorld world;
  model::Uptime uptime{0};
  std::unique_ptr<Nodes> nodes;
  std::unique_ptr<FeedSyncs> syncs;
  std::string content = feed({{"a", "2"}});
  std::function<void()> during;
  int fetched = 0;
  const FakeClock clock;
  Log log{clock, [](std::string_view) {}};

 private:
  Duration every_;
};

TEST(FeedSyncs, WithoutAScheduleDoOnlyWhatOperatorsAskFor) {
  Server server{Duration(0)};
  server.run();
  EXPECT_EQ(server.fetched, 0);
  server.syncs->request(FeedKind::debian, false, server.fleet.actor, server.fleet.now);
  EXPECT_TRUE(server.status(FeedKind::debian).wanted);
  EXPECT_TRUE(server.syncs->await_request(Duration(0)));
  server.run();
  EXPECT_EQ(server.fetched, 1);
  EXPECT_FALSE(server.status(FeedKind::debian).wanted);
  EXPECT_EQ(server.status(FeedKind::debian).next_at, std::nullopt);
  server.run();
  EXPECT_EQ(server.fetched, 1) << "once";
  const auto numbers = server.syncs->numbers();
  EXPECT_EQ(numbers.at(static_cast<std::size_t>(FeedKind::debian)).records, 1);
  EXPECT_EQ(server.fleet.count("SELECT count(*) FROM audit WHERE action = 'feeds.sync' AND actor ="
                               " 'operator:1'"),
            1);
}

TEST(FeedSyncs, OnAScheduleComeAgainWhenTheyAreDue) {
  Server server(six_hours);
  server.run();
  const int all = server.fetched;
  EXPECT_GE(all, static_cast<int>(std::size(feeds::feed_kinds)));
  server.run();
  EXPECT_EQ(server.fetched, all);
  const Instant next = server.status(FeedKind::debian).next_at.value();
  EXPECT_GE(next - server.fleet.now, six_hours);
  server.fleet.now = server.fleet.now + six_hours + six_hours / 10 + Duration(1);
  server.run();
  EXPECT_GT(server.fetched, all);
}

TEST(FeedSyncs, WhatWasAskedForSurvivesARestartWhileItRan) {
  Server server{Duration(0)};
  server.syncs->request(FeedKind::debian, true, server.fleet.actor, server.fleet.now);
  std::string running;
  server.during = [&] {
    running = feeds::feed_name(server.syncs->running().value().kind);
    server.syncs->stop();
  };
  server.run();
  EXPECT_EQ(running, "debian");
  EXPECT_EQ(server.syncs->running().has_value(), false);
  EXPECT_FALSE(server.syncs->await_request(std::chrono::hours(1)));
  EXPECT_TRUE(server.status(FeedKind::debian).wanted);
  EXPECT_EQ(server.status(FeedKind::debian).failures, 0) << "it did not fail";
  server.during = {};
  server.restart();
  server.run();
  EXPECT_FALSE(server.status(FeedKind::debian).wanted);
  EXPECT_EQ(server.status(FeedKind::debian).records, 1);
}

TEST(FeedSyncs, AreLeftToOthersWhileThisServerHasNoLease) {
  Server server(six_hours);
  server.nodes->leave();
  server.uptime += std::chrono::minutes(1);
  server.run();
  EXPECT_EQ(server.fetched, 0);
  server.nodes->join(server.fleet.now);
  server.run();
  EXPECT_GT(server.fetched, 0);
}

TEST(FeedSyncs, ThatEverythingIsAskedForMeanwhileIsNotForgotten) {
  Server server{Duration(0)};
  server.syncs->request(FeedKind::debian, false, server.fleet.actor, server.fleet.now);
  server.during = [&] {
    server.syncs->request(FeedKind::debian, true, server.fleet.actor, server.fleet.now);
  };
  server.run();
  EXPECT_TRUE(server.status(FeedKind::debian).wanted);
}

TEST(NextSync, IsSpreadAndSoonerAfterFailures) {
  const Instant now = test_epoch;
  EXPECT_EQ(next_sync(now, six_hours, 0, 0), now + six_hours);
  for (std::uint64_t draw = 1; draw != 0; draw <<= 1) {
    EXPECT_LE(next_sync(now, six_hours, 0, draw), now + six_hours + six_hours / 10);
    EXPECT_GE(next_sync(now, six_hours, 0, draw), now + six_hours);
  }
  EXPECT_EQ(next_sync(now, six_hours, 1, 0), now + std::chrono::minutes(15));
  EXPECT_EQ(next_sync(now, six_hours, 2, 0), now + std::chrono::minutes(30));
  EXPECT_EQ(next_sync(now, six_hours, 60, 0), now + six_hours);
  EXPECT_EQ(next_sync(now, std::chrono::minutes(5), 3, 0), now + std::chrono::minutes(5));
}

}  // namespace
}  // namespace muster::fleet
