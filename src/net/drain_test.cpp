// SPDX-License-Identifier: Apache-2.0
// How a server ends.
#include <thread>
#include <vector>

#include "net/server.h"
#include "net/testing.h"

namespace muster::net {
namespace {

using testing::Answer;
using testing::get;
using testing::Peer;
using testing::post;

class Drain : public testing::ServerTest {};

TEST_F(Drain, ClosesIdleOnesAndLetsRunningOnesFinish) {
  start();
  Peer idle = connect();
  EXPECT_EQ(idle.request(get("/echo")).status, 200);
  Peer running = connect();
  running.send(get("/slow"));
  Peer writing = connect();
  writing.send(post("/write", "w"));
  ASSERT_TRUE(application.wait_for_commits(1));
  ASSERT_TRUE(application.wait_for_handled(3));
  std::thread drainer([&] { server->drain(); });
  EXPECT_TRUE(idle.closed());
  application.slow_gate.open();
  application.commit_all();
  const Answer finished = running.answer();
  EXPECT_EQ(finished.status, 200);
  EXPECT_EQ(finished.field("Connection"), "close");
  EXPECT_EQ(writing.answer().field("Connection"), "close");
  drainer.join();
  EXPECT_EQ(server->connections(), 0U);
  EXPECT_THROW(connect(), std::runtime_error);
}

TEST_F(Drain, ClosesIdleOnesInLotsAndAnswersWhoAsksMeanwhile) {
  // The second lot would be due in an hour.
  start({.io_threads = 1,
         .drain_timeout = std::chrono::hours(4),
         .drain_lot = 1,
         .drain_pause = std::chrono::hours(1)});
  Peer first = connect();
  EXPECT_EQ(first.request(get("/echo")).status, 200);
  EXPECT_FALSE(application.strained());
  Peer second = connect();
  EXPECT_EQ(second.request(get("/echo")).status, 200);
  settle();
  std::thread drainer([&] { server->drain(); });
  EXPECT_TRUE(first.closed());
  const Answer last = second.request(get("/echo"));
  EXPECT_EQ(last.status, 200);
  EXPECT_EQ(last.field("Connection"), "close");
  EXPECT_TRUE(application.strained());
  drainer.join();
  EXPECT_EQ(server->connections(), 0U);
}

TEST_F(Drain, ClosesOneLotAfterAnother) {
  // Returns once all are closed; without the later lots that would be in an hour.
  start({.io_threads = 1,
         .drain_timeout = std::chrono::hours(1),
         .drain_lot = 2,
         .drain_pause = Duration(1)});
  std::vector<Peer> idle;
  for (int i = 0; i < 7; ++i) {
    idle.push_back(connect());
    EXPECT_EQ(idle.back().request(get("/echo")).status, 200);
  }
  server->drain();
  for (Peer& peer : idle) EXPECT_TRUE(peer.closed());
}

TEST(DrainLots, AreAllClosedWithinHalfOfTheTime) {
  const ServerOptions options;
  const auto pauses = static_cast<std::size_t>(options.drain_timeout / 2 / options.drain_pause);
  for (const std::size_t sessions : {1U, 200U, 201U, 50'000U, 50'200U, 100'000U, 1'000'000U}) {
    const std::size_t lot = drain_lot_size(sessions, options);
    EXPECT_GE(lot * (pauses + 1), sessions);
  }
  // Few are closed at once, very many over all of that time.
  EXPECT_GE(drain_lot_size(200, options), 200U);
  EXPECT_LE(drain_lot_size(100'000, options) * pauses, 100'000U);
  // A pause longer than that leaves one lot.
  EXPECT_EQ(drain_lot_size(1000, {.drain_timeout = Duration(10)}), 1000U);
}

TEST_F(Drain, CutsOffWhatTakesTooLong) {
  start({.drain_timeout = Duration(50)});
  Peer waits = connect();
  waits.send(post("/write", "never committed"));
  Peer half = connect();
  half.send("GET /echo HT");
  ASSERT_TRUE(application.wait_for_commits(1));
  server->drain();
  EXPECT_TRUE(waits.closed());
  EXPECT_TRUE(half.closed());
  EXPECT_EQ(server->connections(), 0U);
}

TEST_F(Drain, ACommitAfterTheServerIsGoneIsDropped) {
  start({.drain_timeout = Duration(20)});
  Peer peer = connect();
  peer.send(post("/write", "late"));
  ASSERT_TRUE(application.wait_for_commits(1));
  server.reset();
  EXPECT_TRUE(peer.closed());
  application.commit_all();
}

TEST_F(Drain, CanBeCalledTwiceAndWithoutStart) {
  Server never_started(application, clock, log, {.io_threads = 1});
  never_started.drain();
  start();
  server->drain();
  server->drain();
}

}  // namespace
}  // namespace muster::net
