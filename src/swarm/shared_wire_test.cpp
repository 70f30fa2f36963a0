// SPDX-License-Identifier: Apache-2.0
#include "swarm/shared_wire.h"

#include <gtest/gtest.h>

#include "swarm/testing/fake_wire.h"

namespace muster::swarm {
namespace {

using testing::FakeWire;
using End = net::ClientFleet::End;

/// Six hosts on two lines, and one line more.
struct SharedLines : ::testing::Test {
  FakeWire wire;
  SharedWire shared{wire, 6, 2, 1};
  std::vector<std::uint32_t> answered;

  void call(std::uint32_t host) {
    shared.send(host, {.target = "/of/" + std::to_string(host)}, {});
  }
  void run() {
    std::vector<net::ClientFleet::Event> events;
    for (int turn = 0; turn < 20; ++turn) {
      events.clear();
      shared.wait(shared.now() + Micros(1000), events);
      for (const auto& event : events) answered.push_back(event.connection);
    }
  }
  /// "2 GET /of/4": on which connection what was sent, in order.
  std::vector<std::string> sent() const {
    std::vector<std::string> all;
    for (const std::string& call : wire.calls) {
      const auto line = call.find(' ') + 1;
      all.push_back(call.substr(line, call.rfind(' ') - line));
    }
    return all;
  }
};

TEST_F(SharedLines, CallsOfOneLineAreSentOneAfterAnotherAndEachHostGetsItsOwnAnswer) {
  for (const std::uint32_t host : {0U, 1U, 2U, 4U, 6U}) call(host);
  EXPECT_EQ(sent(), (std::vector<std::string>{"0 GET /of/0", "1 GET /of/1", "2 GET /of/6"}));
  run();
  EXPECT_EQ(sent(), (std::vector<std::string>{"0 GET /of/0", "1 GET /of/1", "2 GET /of/6",
                                              "0 GET /of/2", "0 GET /of/4"}));
  EXPECT_EQ(answered, (std::vector<std::uint32_t>{0, 1, 6, 2, 4}));
}

TEST_F(SharedLines, AHostThatLosesItsPowerTakesItsOwnCallAlone) {
  for (const std::uint32_t host : {0U, 2U, 4U}) call(host);
  shared.cut(2);
  EXPECT_EQ(wire.cuts, 0) << "it was waiting";
  shared.cut(0);
  EXPECT_EQ(wire.cuts, 1);
  run();
  EXPECT_EQ(answered, (std::vector<std::uint32_t>{4}));
  call(0);
  run();
  EXPECT_EQ(answered, (std::vector<std::uint32_t>{4, 0}));
}

TEST_F(SharedLines, ALineThatClosesBetweenCallsIsNobodysLoss) {
  wire.close_idle(3);
  run();
  EXPECT_TRUE(answered.empty());
  call(3);
  run();
  EXPECT_EQ(answered, (std::vector<std::uint32_t>{3}));
}

TEST_F(SharedLines, ACallThatFailsIsTheOneThatWasOnTheLine) {
  wire.instead = [](std::uint32_t, const net::ClientRequest& request) {
    return request.target == "/of/1" ? std::optional(FakeWire::lost(End::closed)) : std::nullopt;
  };
  for (const std::uint32_t host : {1U, 3U}) call(host);
  std::vector<net::ClientFleet::Event> events;
  while (events.size() < 2) shared.wait(shared.now() + Micros(1000), events);
  EXPECT_EQ(events[0].connection, 1U);
  EXPECT_EQ(events[0].end, End::closed);
  EXPECT_EQ(events[1].connection, 3U);
  EXPECT_EQ(events[1].end, End::answered);
}

}  // namespace
}  // namespace muster::swarm
