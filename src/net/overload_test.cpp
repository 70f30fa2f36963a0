// SPDX-License-Identifier: Apache-2.0
// Who is served and who is turned away when not all can be.
#include "net/server.h"

#include <thread>

#include "net/testing.h"

namespace muster::net {
namespace {

using testing::Answer;
using testing::get;
using testing::Peer;
using testing::post;

constexpr std::size_t KiB = limits::KiB;
constexpr std::string_view by_key = "X-Caller: 1\r\n";
constexpr std::string_view by_operator = "X-Lane: operators\r\n";

/// The head of a request whose body comes later.
std::string announced(std::size_t bytes, std::string_view fields = "") {
  return "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(bytes) + "\r\n" +
         std::string(fields) + "\r\n";
}

struct Overload : testing::ServerTest {
  void expect_turned_away(const Answer& answer) {
    EXPECT_EQ(answer.status, 503);
    EXPECT_FALSE(answer.field("Retry-After").empty());
  }
  /// Until all that was taken of the bodies' budget is given back.
  void await_no_bodies() {
    while (server->use().bodies.taken != 0) std::this_thread::yield();
  }
};

// --- Threads ---------------------------------------------------------------------------------

TEST_F(Overload, WorkThatTakesLongHoldsUpNoReport) {
  start({.worker_threads = 1, .slow_threads = 2});
  std::vector<Peer> importing;
  for (int i = 0; i < 3; ++i) {
    importing.push_back(connect());
    importing.back().send(get("/import"));
  }
  ASSERT_TRUE(application.wait_for_handled(2));
  const std::string report(100 * KiB, 'r');
  EXPECT_EQ(connect().request(post("/echo", report)).body, "POST /echo? " + report);
  EXPECT_EQ(connect().request(get("/worker")).status, 200);
  application.slow_gate.open();
  for (Peer& peer : importing) EXPECT_EQ(peer.answer().status, 200);
}

TEST_F(Overload, WorkThatTakesLongHasABoundOfItsOwn) {
  start({.io_threads = 1, .slow_threads = 1, .slow_in_flight = 1});
  Peer running = connect();
  running.send(get("/import"));
  ASSERT_TRUE(application.wait_for_handled(1));
  Peer waiting = connect();
  waiting.send(get("/import"));
  ASSERT_TRUE(application.wait_for_admitted(2));
  expect_turned_away(connect().request(get("/import")));
  EXPECT_EQ(server->use().slow.taken, 1U);
  application.slow_gate.open();
  EXPECT_EQ(running.answer().status, 200);
  EXPECT_EQ(waiting.answer().status, 200);
}

TEST_F(Overload, StrangersLeaveRoomForThoseWhoHaveProvedWhoTheyAre) {
  start({.io_threads = 1, .slow_threads = 1, .slow_in_flight = 4, .slow_strangers_in_flight = 1});
  Peer running = connect();
  running.send(get("/import"));
  ASSERT_TRUE(application.wait_for_handled(1));
  Peer waiting = connect();
  waiting.send(get("/import"));
  ASSERT_TRUE(application.wait_for_admitted(2));
  expect_turned_away(connect().request(get("/import")));
  Peer known = connect();
  known.send(get("/import", "X-Caller: 7\r\n"));
  ASSERT_TRUE(application.wait_for_admitted(4));
  application.slow_gate.open();
  EXPECT_EQ(running.answer().status, 200);
  EXPECT_EQ(waiting.answer().status, 200);
  EXPECT_EQ(known.answer().status, 200);
  EXPECT_EQ(connect().request(get("/import")).status, 200) << "the place was given back";
}

TEST_F(Overload, OperatorsLeaveOneWorkerToAgents) {
  start({.worker_threads = 2});
  Peer lists[] = {connect(), connect()};
  for (Peer& list : lists) list.send(get("/slow", by_operator));
  ASSERT_TRUE(application.wait_for_handled(1));
  EXPECT_EQ(connect().request(get("/worker")).status, 200);
  application.slow_gate.open();
  for (Peer& list : lists) EXPECT_EQ(list.answer().status, 200);
}

TEST_F(Overload, OperatorsLeaveRoomForAgentsThatWait) {
  start(
      {.io_threads = 1, .worker_threads = 1, .reads_in_flight = 2, .operator_reads_in_flight = 1});
  Peer running = connect();
  running.send(get("/slow"));
  ASSERT_TRUE(application.wait_for_handled(1));
  Peer list = connect();
  list.send(get("/worker", by_operator));
  ASSERT_TRUE(application.wait_for_admitted(2));
  expect_turned_away(connect().request(get("/worker", by_operator)));
  Peer agent = connect();
  agent.send(get("/worker"));
  ASSERT_TRUE(application.wait_for_admitted(4));
  expect_turned_away(connect().request(get("/worker")));
  application.slow_gate.open();
  for (Peer* peer : {&running, &list, &agent}) EXPECT_EQ(peer->answer().status, 200);
}

TEST_F(Overload, ResultsGoBeforeReportsAndTheseBeforeOperators) {
  start({.io_threads = 1, .worker_threads = 1});
  Peer running = connect();
  running.send(get("/slow"));
  ASSERT_TRUE(application.wait_for_handled(1));
  std::vector<Peer> waiting;
  for (const std::string_view lane : {"operators", "reports", "agents"}) {
    waiting.push_back(connect());
    const std::string name(lane);
    waiting.back().send(get("/worker", "X-Lane: " + name + "\r\nX-Agent: " + name + "\r\n"));
    ASSERT_TRUE(application.wait_for_admitted(static_cast<int>(waiting.size()) + 1));
  }
  // With one IO thread the last has joined its queue once another request was answered.
  ASSERT_EQ(connect().request(get("/echo")).status, 200);
  application.slow_gate.open();
  EXPECT_EQ(running.answer().status, 200);
  for (Peer& peer : waiting) EXPECT_EQ(peer.answer().status, 200);
  EXPECT_EQ(application.order(), "agents reports operators ");
}

TEST_F(Overload, OperatorsAreSlowAndNotStuckBehindReports) {
  start({.io_threads = 1, .worker_threads = 1});
  Peer running = connect();
  running.send(get("/slow"));
  ASSERT_TRUE(application.wait_for_handled(1));
  Peer list = connect();
  list.send(get("/worker", "X-Lane: operators\r\nX-Agent: list\r\n"));
  std::vector<Peer> reports;
  for (int i = 0; i < 20; ++i) {
    reports.push_back(connect());
    reports.back().send(get("/worker", "X-Lane: reports\r\nX-Agent: r\r\n"));
  }
  ASSERT_TRUE(application.wait_for_admitted(22));
  ASSERT_EQ(connect().request(get("/echo")).status, 200);
  application.slow_gate.open();
  EXPECT_EQ(list.answer().status, 200);
  for (Peer& peer : reports) EXPECT_EQ(peer.answer().status, 200);
  const std::string order = application.order();
  EXPECT_GT(order.find("list"), 0U);
  EXPECT_LT(order.find("list"), 2 * limits::later_reads_share);
}

TEST_F(Overload, DownloadsUnderWayTakeNoRequestsPlace) {
  start({.io_threads = 1, .worker_threads = 1, .reads_in_flight = 1});
  Peer running = connect();
  running.send(get("/slow"));
  ASSERT_TRUE(application.wait_for_handled(1));
  std::vector<Peer> downloads;
  for (int i = 0; i < 100; ++i) {
    downloads.emplace_back(server->port(), 4096);
    downloads.back().send(get("/stream", by_key));
  }
  ASSERT_TRUE(application.wait_for_handled(101));
  Peer reading = connect();
  reading.send(get("/worker"));
  ASSERT_TRUE(application.wait_for_admitted(102));
  application.slow_gate.open();
  EXPECT_EQ(running.answer().status, 200);
  EXPECT_EQ(reading.answer().status, 200);
}

TEST_F(Overload, StrangersLeaveDownloadsToAgents) {
  start({.streams_max = 4, .stranger_streams_max = 2});
  std::vector<Peer> strangers;
  for (int i = 0; i < 2; ++i) {
    strangers.emplace_back(server->port(), 4096);
    strangers.back().send(get("/stream"));
    ASSERT_TRUE(strangers.back().read_more());
  }
  Peer agent = connect();
  expect_turned_away(agent.request(get("/stream")));
  EXPECT_EQ(server->use().stranger_streams.taken, 2U);
  EXPECT_EQ(agent.request(get("/stream", by_key)).status, 200);
}

// --- Bodies ----------------------------------------------------------------------------------

TEST_F(Overload, MoreLargeBodiesThanFitAreToldToComeBackLater) {
  start({.bodies = {.bytes = {400 * KiB, 400 * KiB, 400 * KiB}}});
  std::vector<Peer> slow;
  for (int i = 0; i < 2; ++i) {
    slow.push_back(connect());
    slow.back().send(announced(150 * KiB));
    ASSERT_TRUE(application.wait_for_admitted(i + 1));
  }
  while (server->use().bodies.taken != 300 * KiB) std::this_thread::yield();
  Peer refused = connect();
  expect_turned_away(refused.send(announced(150 * KiB)).answer());
  EXPECT_TRUE(refused.closed()) << "what it would send now is no request";
  EXPECT_EQ(connect().request(post("/echo", std::string(64 * KiB, 's'))).status, 200)
      << "small bodies are served";
  EXPECT_EQ(connect().request(post("/echo", std::string(99 * KiB, 'm'))).status, 200)
      << "what fits is served";
  const std::string body(150 * KiB, 'b');
  for (Peer& peer : slow) EXPECT_EQ(peer.request(body).body, "POST /echo? " + body);
  await_no_bodies();
  EXPECT_EQ(connect().request(post("/echo", body)).status, 200);
}

TEST_F(Overload, ReportsLeaveRoomForLargeResults) {
  start({.bodies = {.bytes = {400 * KiB, 300 * KiB, 200 * KiB}}});
  Peer result = connect();
  result.send(announced(150 * KiB));
  while (server->use().bodies.taken != 150 * KiB) std::this_thread::yield();
  const std::string body(100 * KiB, 'b');
  expect_turned_away(connect().request(post("/echo", body, by_operator)));
  Peer report = connect();
  report.send(announced(150 * KiB, "X-Lane: reports\r\n"));
  while (server->use().bodies.taken != 300 * KiB) std::this_thread::yield();
  expect_turned_away(connect().request(post("/echo", body, "X-Lane: reports\r\n")));
  EXPECT_EQ(connect().request(post("/echo", body)).status, 200);
}

TEST_F(Overload, OneKeyLeavesRoomForOthersLargeBodies) {
  start({.bodies = {.bytes = {400 * KiB, 400 * KiB, 400 * KiB}, .of_key = 200 * KiB}});
  Peer slow = connect();
  slow.send(announced(150 * KiB, by_key));
  while (server->use().bodies.taken != 150 * KiB) std::this_thread::yield();
  const std::string body(100 * KiB, 'b');
  expect_turned_away(connect().request(post("/echo", body, by_key)));
  EXPECT_EQ(connect().request(post("/echo", body, "X-Caller: 2\r\n")).status, 200);
}

TEST_F(Overload, ChunkedBodiesTakeTheirPlaceAsTheyGrow) {
  start({.bodies = {.bytes = {300 * KiB, 300 * KiB, 300 * KiB}}});
  Peer peer = connect();
  peer.send("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  std::string chunk = "19000\r\n" + std::string(0x19000, 'c') + "\r\n";  // 100 KiB
  peer.send(chunk);
  while (server->use().bodies.taken < 100 * KiB) std::this_thread::yield();
  peer.send(chunk).send(chunk).send(chunk);
  expect_turned_away(peer.answer());
  await_no_bodies();
  Peer whole = connect();
  EXPECT_EQ(whole.send("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
                .send(chunk)
                .send("0\r\n\r\n")
                .answer()
                .status,
            200);
}

TEST_F(Overload, ABodyKeepsItsPlaceUntilItsCommit) {
  start({.bodies = {.bytes = {400 * KiB, 400 * KiB, 400 * KiB}}});
  Peer peer = connect();
  peer.send(post("/write", std::string(150 * KiB, 'b')));
  ASSERT_TRUE(application.wait_for_commits(1));
  EXPECT_EQ(server->use().bodies.taken, 150 * KiB);
  application.commit_all();
  EXPECT_EQ(peer.answer().status, 200);
  await_no_bodies();
}

TEST_F(Overload, APeerThatVanishesWithinItsBodyGivesItsPlaceBack) {
  start();
  Peer peer = connect();
  peer.send(announced(150 * KiB)).send(std::string(10 * KiB, 'b'));
  while (server->use().bodies.taken != 150 * KiB) std::this_thread::yield();
  peer.vanish();
  await_no_bodies();
}

TEST_F(Overload, ACompressedBodyCountsAsLarge) {
  start({.worker_threads = 0, .reads_in_flight = 0});
  Peer peer = connect();
  EXPECT_EQ(peer.request(post("/echo", "small")).status, 200);
  // Without any worker it must find nobody.
  expect_turned_away(peer.request(post("/echo", "small", "Content-Encoding: gzip\r\n")));
  EXPECT_EQ(server->use().bodies.most, 5U);
}

}  // namespace
}  // namespace muster::net
