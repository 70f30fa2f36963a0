// SPDX-License-Identifier: Apache-2.0
// Requests whose write finds no place with the writer.
#include <optional>
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

struct Waiting : testing::ServerTest {
  /// Whose writer takes one write at a time; it has one.
  void start_full(ServerOptions options = {}) {
    options.io_threads = 1;
    application.commits_max = 1;
    start(std::move(options));
    first.emplace(connect());
    first->send(post("/write", "first"));
    ASSERT_TRUE(application.wait_for_commits(1));
  }
  void await_waiting(std::size_t count) {
    while (server->use().waiting != count) std::this_thread::yield();
  }
  Peer waiting(std::string_view body) {
    const std::size_t before = server->use().waiting;
    Peer peer = connect();
    peer.send(post("/write", body));
    await_waiting(before + 1);
    return peer;
  }
  void expect_told_to_come_back(const Answer& answer) {
    EXPECT_EQ(answer.status, 503);
    EXPECT_FALSE(answer.field("Retry-After").empty());
  }

  std::optional<Peer> first;
};

TEST_F(Waiting, ItIsWrittenOnceThereIsAPlaceAndTheOldestGoesFirst) {
  start_full();
  Peer older = waiting("older");
  Peer younger = waiting("younger");
  application.commit_all();
  EXPECT_EQ(first->answer().status, 200);
  ASSERT_TRUE(application.wait_for_commits(1));
  await_waiting(1);
  application.commit_all();
  EXPECT_EQ(older.answer().body, "written POST /write? older");
  EXPECT_TRUE(younger.silent(0));
  ASSERT_TRUE(application.wait_for_commits(1));
  application.commit_all();
  EXPECT_EQ(younger.answer().body, "written POST /write? younger");
  EXPECT_EQ(server->use().waiting_writes.taken, 0U);
}

TEST_F(Waiting, WhatNeedsNoWriteIsAnsweredMeanwhile) {
  start_full();
  EXPECT_EQ(connect().request(post("/echo", "beat")).status, 200);
  EXPECT_FALSE(application.strained()) << "every write has found its place so far";
  Peer write = waiting("w");
  EXPECT_EQ(connect().request(post("/echo", "beat")).status, 200);
  EXPECT_TRUE(application.strained());
  EXPECT_EQ(connect().request(get("/worker")).status, 200);
  EXPECT_EQ(server->use().waiting, 1U);
  application.commit_all();
  ASSERT_TRUE(application.wait_for_commits(1));
  application.commit_all();
  EXPECT_EQ(write.answer().status, 200);
}

TEST_F(Waiting, ItIsToldToComeBackAfterItWaitedLong) {
  start_full({.write_patience = Duration(50)});
  Peer peer = connect();
  expect_told_to_come_back(peer.request(post("/write", "w")));
  EXPECT_EQ(peer.request(post("/echo", "next")).status, 200) << "the connection goes on";
  application.commit_all();
  EXPECT_EQ(first->answer().status, 200);
}

TEST_F(Waiting, TimeoutsOfReadingDoNotCutIt) {
  const Duration timeout(250);
  start_full({.write_patience = 3 * timeout,
              .head_timeout = timeout,
              .body_timeout = timeout,
              .write_timeout = timeout});
  expect_told_to_come_back(connect().request(post("/write", "w")));
  application.commit_all();
}

TEST_F(Waiting, WhoWaitsLongerThanAnIdleConnectionMayIsCutOff) {
  start_full({.idle_timeout = Duration(50)});
  Peer peer = connect();
  EXPECT_TRUE(peer.send(post("/write", "w")).closed());
  await_waiting(0);
  application.commit_all();
}

TEST_F(Waiting, APeerThatGoesGivesItsRoomBack) {
  start_full();
  {
    Peer ends = waiting("ends");
    Peer vanishes = waiting("vanishes");
    vanishes.vanish();
    await_waiting(1);
  }
  await_waiting(0);
  EXPECT_EQ(server->use().waiting_writes.taken, 0U);
  application.commit_all();
  EXPECT_EQ(first->answer().status, 200);
}

TEST_F(Waiting, TheNextRequestOfItsConnectionWaitsBehindIt) {
  start_full();
  Peer peer = connect();
  peer.send(post("/write", "one") + post("/echo", "two"));
  await_waiting(1);
  peer.send(post("/echo", "three"));
  application.commit_all();
  ASSERT_TRUE(application.wait_for_commits(1));
  application.commit_all();
  EXPECT_EQ(peer.answer().body, "written POST /write? one");
  EXPECT_EQ(peer.answer().body, "POST /echo? two");
  EXPECT_EQ(peer.answer().body, "POST /echo? three");
}

TEST_F(Waiting, WhatIsSentAheadIsReadUpToTheSizeOfAHead) {
  start_full();
  Peer peer = waiting("one");
  const std::string large(300 * limits::KiB, 'x');
  std::thread sends([&] { peer.send(post("/echo", large)); });
  application.commit_all();
  ASSERT_TRUE(application.wait_for_commits(1));
  application.commit_all();
  sends.join();
  EXPECT_EQ(peer.answer().body, "written POST /write? one");
  EXPECT_EQ(peer.answer().body, "POST /echo? " + large);
}

TEST_F(Waiting, ThoseBeyondTheRoomAreToldToComeBackAndTheOthersAreWritten) {
  start_full({.waiting_writes_bytes = 2 * limits::waiting_write_bytes});
  Peer waits = waiting("w");
  Peer surplus = connect();
  surplus.send(post("/write", std::string(limits::waiting_write_bytes, 's')));
  expect_told_to_come_back(surplus.answer());
  await_waiting(1);
  application.commit_all();
  ASSERT_TRUE(application.wait_for_commits(1));
  application.commit_all();
  EXPECT_EQ(waits.answer().status, 200);
}

TEST_F(Waiting, DrainingLetsThemBeWritten) {
  start_full({.drain_timeout = std::chrono::hours(1)});
  Peer idle = connect();
  EXPECT_EQ(idle.request(get("/echo")).status, 200);
  std::vector<Peer> peers;
  for (int i = 0; i < 8; ++i) peers.push_back(waiting("w"));
  peers.push_back(connect());
  peers.back().send(post("/write", "w") + post("/echo", "next"));
  await_waiting(9);
  std::thread drains([&] { server->drain(); });
  EXPECT_TRUE(idle.closed()) << "the drain has begun";
  application.commit_all();
  EXPECT_EQ(first->answer().status, 200);
  for (Peer& peer : peers) {
    ASSERT_TRUE(application.wait_for_commits(1));
    application.commit_all();
    const Answer answer = peer.answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.field("Connection"), "close");
    EXPECT_TRUE(peer.closed()) << "what was sent behind it has not begun";
  }
  drains.join();
}

TEST_F(Waiting, AWriteThatComesDuringADrainWaitsToo) {
  application.commits_max = 1;
  // The second lot would be due in an hour.
  start({.io_threads = 1,
         .drain_timeout = std::chrono::hours(10),
         .drain_lot = 1,
         .drain_pause = std::chrono::hours(1)});
  Peer idle = connect();
  EXPECT_EQ(idle.request(get("/echo")).status, 200);
  Peer busy = connect();
  busy.send(post("/write", "busy"));
  ASSERT_TRUE(application.wait_for_commits(1));
  Peer late = connect();
  EXPECT_EQ(late.request(get("/echo")).status, 200);
  settle();
  std::thread drains([&] { server->drain(); });
  EXPECT_TRUE(idle.closed()) << "the drain has begun";
  late.send(post("/write", "late"));
  await_waiting(1);
  application.commit_all();
  EXPECT_EQ(busy.answer().status, 200);
  ASSERT_TRUE(application.wait_for_commits(1));
  application.commit_all();
  EXPECT_EQ(late.answer().body, "written POST /write? late");
  drains.join();
}

TEST_F(Waiting, ADrainTellsWhatFindsNoPlaceInItsTimeToComeBack) {
  start_full({.drain_timeout = std::chrono::hours(1), .drain_refusals = std::chrono::hours(1)});
  std::vector<Peer> peers;
  for (int i = 0; i < 8; ++i) peers.push_back(waiting("w"));
  std::thread drains([&] { server->drain(); });
  for (Peer& peer : peers) {
    const Answer answer = peer.answer();
    expect_told_to_come_back(answer);
    EXPECT_EQ(answer.field("Connection"), "close");
  }
  application.commit_all();
  EXPECT_EQ(first->answer().status, 200) << "what the writer has is finished";
  drains.join();
}

TEST_F(Waiting, CuttingOffEndsWhatWaits) {
  start_full({.drain_timeout = Duration(0)});
  Peer peer = waiting("w");
  server->drain();
  EXPECT_EQ(server->connections(), 0U);
}

}  // namespace
}  // namespace muster::net
