// SPDX-License-Identifier: Apache-2.0
#include "agent/calls.h"

#include <poll.h>

#include <future>
#include <string>

#include <gtest/gtest.h>

namespace muster::agent {
namespace {

/// A connection whose answers name it and come when they are let go.
class Connection final : public Transport {
 public:
  explicit Connection(std::string name) : name_(std::move(name)) {}
  Result<Answer> send(const Call& call) override {
    if (call.target == "/stall") let_go.get_future().wait();
    if (call.target == "/throw") throw std::bad_alloc();
    return Answer{200, {}, name_};
  }
  std::promise<void> let_go;

 private:
  std::string name_;
};

struct CallsBeside : ::testing::Test {
  static Call call(std::string target) { return {http::Method::get, std::move(target), {}, {}}; }
  Result<Answer> await() {
    pollfd ended = {calls.ended_fd(), POLLIN, 0};
    EXPECT_EQ(poll(&ended, 1, 60'000), 1);
    auto answer = calls.take();
    return answer ? *std::move(answer) : Error{Errc::unavailable, "nothing was taken"};
  }
  bool has_ended() {
    pollfd ended = {calls.ended_fd(), POLLIN, 0};
    return poll(&ended, 1, 0) == 1;
  }

  Connection kept{"kept"};
  int others = 0;
  CallThread calls{kept, [this] {
                     ++others;
                     return std::make_unique<Connection>("another");
                   }};
};

TEST_F(CallsBeside, OneThatIsNotAnsweredHoldsUpNoHeartbeat) {
  calls.begin(call("/stall"));
  EXPECT_FALSE(calls.take().has_value());
  EXPECT_EQ(calls.send(call("/beat"))->body, "another");
  EXPECT_EQ(calls.send(call("/beat"))->body, "another");
  EXPECT_FALSE(has_ended());
  kept.let_go.set_value();
  EXPECT_EQ(await()->body, "kept");
  EXPECT_FALSE(calls.take().has_value()) << "once";
  EXPECT_FALSE(has_ended());
}

TEST_F(CallsBeside, AHeartbeatTakesTheKeptConnectionWhereNothingIsOnItsWay) {
  EXPECT_EQ(calls.send(call("/beat"))->body, "kept");
  for (int i = 0; i < 100; ++i) {
    calls.begin(call("/call"));
    EXPECT_EQ(await()->body, "kept");
    EXPECT_EQ(calls.send(call("/beat"))->body, "kept");
  }
  EXPECT_EQ(others, 0);
}

TEST_F(CallsBeside, WhatTheProcessIsShortOfFailsTheCallAndNotTheAgent) {
  calls.begin(call("/throw"));
  EXPECT_FALSE(await().ok());
  EXPECT_FALSE(calls.send(call("/throw")).ok());
  calls.begin(call("/call"));
  EXPECT_TRUE(await().ok());
}

TEST_F(CallsBeside, TheEndWaitsForTheCallThatIsOnItsWay) {
  Connection connection("kept");
  {
    CallThread ending(connection, [] { return nullptr; });
    ending.begin(call("/stall"));
    connection.let_go.set_value();
  }
  SUCCEED() << "and for no other";
}

}  // namespace
}  // namespace muster::agent
