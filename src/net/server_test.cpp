// SPDX-License-Identifier: Apache-2.0
#include "net/server.h"

#include <system_error>

#include "net/testing.h"

namespace muster::net {
namespace {

using testing::Answer;
using testing::get;
using testing::Peer;
using testing::post;

class Requests : public testing::ServerTest {};
class Connections : public testing::ServerTest {};

TEST_F(Requests, ManyGoOverOneConnection) {
  start();
  Peer peer = connect();
  for (int i = 0; i < 100; ++i) {
    const Answer answer = peer.request(post("/echo?n=1", "body " + std::to_string(i)));
    ASSERT_EQ(answer.status, 200);
    ASSERT_EQ(answer.body, "POST /echo?n=1 body " + std::to_string(i));
  }
  EXPECT_EQ(server->connections(), 1U);
}

TEST_F(Requests, PipelinedOnesAreAnsweredInOrderWhereverTheyRun) {
  application.commit_at_once = true;
  start();
  Peer peer = connect();
  std::string all;
  for (int i = 0; i < 60; ++i) {
    const std::string text = std::to_string(i);
    all += post("/echo", text) + post("/worker", text) + post("/write", text) + get("/none");
  }
  peer.send(all);
  for (int i = 0; i < 60; ++i) {
    const std::string text = std::to_string(i);
    ASSERT_EQ(peer.answer().body, "POST /echo? " + text);
    ASSERT_EQ(peer.answer().body, "POST /worker? " + text);
    ASSERT_EQ(peer.answer().body, "written POST /write? " + text);
    ASSERT_EQ(peer.answer().status, 204);
  }
}

TEST_F(Requests, PipelinedLargeBodiesDoNotMix) {
  start();
  Peer peer = connect();
  const std::string a(150'000, 'a');
  const std::string b(90'000, 'b');
  peer.send(post("/echo", a) + post("/echo", b) + post("/echo", "c"));
  EXPECT_EQ(peer.answer().body, "POST /echo? " + a);
  EXPECT_EQ(peer.answer().body, "POST /echo? " + b);
  EXPECT_EQ(peer.answer().body, "POST /echo? c");
}

TEST_F(Requests, MayArriveByteByByte) {
  start();
  Peer peer = connect();
  for (int i = 0; i < 3; ++i) {
    for (const char c : post("/echo", "0123456789", "X-Agent: slow\r\n")) {
      peer.send(std::string_view(&c, 1));
    }
    EXPECT_EQ(peer.answer().body, "POST /echo? 0123456789");
    EXPECT_EQ(application.agent_header(), "slow");
  }
}

TEST_F(Requests, HeadFieldsReachTheWorkerWhole) {
  start();
  Peer peer = connect();
  EXPECT_EQ(peer.request(get("/worker", "X-Agent: " + std::string(3000, 'v') + "\r\n")).status,
            200);
  EXPECT_EQ(application.agent_header(), std::string(3000, 'v'));
  EXPECT_EQ(application.peer(), "127.0.0.1");
}

TEST_F(Requests, AnswersCarryLengthTypeAndDateAndNoConnection) {
  start();
  const Answer answer = connect().request(get("/echo"));
  EXPECT_EQ(answer.head.substr(0, 17), "HTTP/1.1 200 OK\r\n");
  EXPECT_EQ(answer.field("Content-Type"), "application/json");
  EXPECT_EQ(answer.field("Content-Length"), std::to_string(answer.body.size()));
  EXPECT_EQ(answer.field("Date"), "Sat, 21 Mar 2026 14:30:01 GMT");
  EXPECT_EQ(answer.field("Connection"), "");
}

TEST_F(Requests, NoContentHasNeitherTypeNorLength) {
  start();
  Peer peer = connect();
  const Answer answer = peer.request(get("/none"));
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.field("Content-Length"), "");
  EXPECT_EQ(answer.field("Content-Type"), "");
  EXPECT_EQ(peer.request(get("/echo")).status, 200);
}

TEST_F(Requests, HeadGetsTheLengthWithoutTheBody) {
  start();
  Peer peer = connect();
  peer.send("HEAD /echo HTTP/1.1\r\nHost: h\r\n\r\n" + get("/echo"));
  const Answer head = peer.answer(false);
  EXPECT_EQ(head.field("Content-Length"), std::to_string(std::string_view("HEAD /echo? ").size()));
  EXPECT_EQ(peer.answer().body, "GET /echo? ");
}

TEST_F(Requests, ValuesOfAnAnswerCannotEndTheirLine) {
  start();
  const Answer answer = connect().request(get("/hostile"));
  EXPECT_EQ(answer.field("X-Name"), "a  Set-Cookie: b");
  EXPECT_EQ(answer.field("Set-Cookie"), "");
}

TEST_F(Requests, Http10IsClosedUnlessItAsksToStay) {
  start();
  Peer brief = connect();
  EXPECT_EQ(brief.request("GET /echo HTTP/1.0\r\n\r\n").field("Connection"), "close");
  EXPECT_TRUE(brief.closed());
  Peer staying = connect();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(
        staying.request("GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").field("Connection"),
        "keep-alive");
  }
}

TEST_F(Requests, ConnectionCloseIsObeyed) {
  start();
  Peer peer = connect();
  EXPECT_EQ(peer.request(get("/echo", "Connection: foo, Close\r\n")).field("Connection"), "close");
  EXPECT_TRUE(peer.closed());
}

TEST_F(Requests, AbsoluteTargetsLoseTheirAuthority) {
  start();
  Peer peer = connect();
  EXPECT_EQ(peer.request("GET http://h:80/echo?a=b HTTP/1.1\r\nHost: h\r\n\r\n").body,
            "GET /echo?a=b ");
  EXPECT_EQ(peer.request("GET https://h HTTP/1.1\r\nHost: h\r\n\r\n").body, "GET /? ");
}

TEST_F(Requests, HalfClosedPeersStillGetTheirAnswer) {
  start();
  Peer peer = connect();
  peer.send(post("/worker", "x"));
  peer.finish_sending();
  EXPECT_EQ(peer.answer().body, "POST /worker? x");
  EXPECT_TRUE(peer.closed());
}

TEST_F(Requests, LargeAnswersArriveWhole) {
  start();
  Peer peer = connect();
  EXPECT_EQ(peer.request(get("/large")).body,
            std::string(testing::FakeApplication::large_bytes, 'x'));
  EXPECT_EQ(peer.request(get("/echo")).status, 200);
}

TEST_F(Requests, AnswersThatAreNotTheirOwnArriveWhole) {
  start();
  Peer peer = connect();
  peer.send(get("/kept") + get("/echo") + "HEAD /kept HTTP/1.1\r\nHost: h\r\n\r\n" + get("/echo"));
  EXPECT_TRUE(peer.answer().body == std::string(testing::FakeApplication::large_bytes, 'k'));
  EXPECT_EQ(peer.answer().body, "GET /echo? ");
  EXPECT_EQ(peer.answer(false).field("Content-Length"),
            std::to_string(testing::FakeApplication::large_bytes));
  EXPECT_EQ(peer.answer().body, "GET /echo? ");
}

std::string counted(std::uint64_t bytes) {
  std::string text;
  for (std::uint64_t i = 0; i < bytes; ++i) text.push_back(testing::Counting::at(i));
  return text;
}

TEST_F(Requests, StreamsArriveWholeAndTheConnectionGoesOn) {
  start();
  Peer peer = connect();
  const std::string whole = counted(testing::FakeApplication::stream_bytes);
  peer.send(get("/stream") + get("/echo") + get("/stream"));
  EXPECT_TRUE(peer.answer().body == whole);
  EXPECT_EQ(peer.answer().body, "GET /echo? ");
  EXPECT_TRUE(peer.answer().body == whole);
}

TEST_F(Requests, HeadOfAStreamReadsNothing) {
  start();
  Peer peer = connect();
  peer.send("HEAD /torn HTTP/1.1\r\nHost: h\r\n\r\n" + get("/echo"));
  EXPECT_EQ(peer.answer(false).field("Content-Length"),
            std::to_string(testing::FakeApplication::stream_bytes));
  EXPECT_EQ(peer.answer().body, "GET /echo? ");
}

TEST_F(Requests, AStreamThatCannotBeReadToItsEndIsCutOff) {
  start();
  Peer peer = connect();
  peer.send(get("/torn"));
  EXPECT_THROW(peer.answer(), std::runtime_error);
}

TEST_F(Requests, OneStreamTooManyIsToldToComeBackLater) {
  start({.streams_max = 1});
  Peer reading(server->port(), 4096);
  reading.send(get("/stream"));
  ASSERT_TRUE(reading.read_more());
  Peer other = connect();
  const Answer refused = other.request(get("/stream"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_FALSE(refused.field("Retry-After").empty());
  EXPECT_EQ(other.request(get("/echo")).status, 200) << "everything else is served";
  EXPECT_EQ(reading.answer().body.size(), testing::FakeApplication::stream_bytes);
  while (other.request(get("/stream")).status == 503) {
  }
}

TEST_F(Requests, LargeBodiesRunOnAWorker) {
  start({.worker_threads = 0, .reads_in_flight = 0, .inline_body_bytes = 100});
  Peer peer = connect();
  EXPECT_EQ(peer.request(post("/echo", std::string(100, 'b'))).status, 200);
  // Without any worker the one byte more must find nobody.
  EXPECT_EQ(peer.request(post("/echo", std::string(101, 'b'))).status, 503);
  EXPECT_EQ(peer.request(post("/echo", "still here")).status, 200);
}

TEST_F(Requests, MoreThanTheWorkersTakeAreTurnedAwayWithARetryAfter) {
  start({.io_threads = 1, .worker_threads = 1, .reads_in_flight = 1});
  Peer first = connect();
  first.send(get("/slow"));
  ASSERT_TRUE(application.wait_for_handled(1));
  Peer second = connect();
  second.send(get("/slow"));
  ASSERT_TRUE(application.wait_for_admitted(2));
  Peer third = connect();
  // With one IO thread the second has joined the queue before the third is looked at.
  const Answer refused = third.request(get("/slow"));
  EXPECT_EQ(refused.status, 503);
  const int seconds = std::stoi(refused.field("Retry-After"));
  EXPECT_GE(seconds, 1);
  EXPECT_LE(seconds, 8);
  application.slow_gate.open();
  EXPECT_EQ(first.answer().status, 200);
  EXPECT_EQ(second.answer().status, 200);
}

TEST_F(Requests, AWriteIsAnsweredOnceItsCommitIs) {
  start();
  Peer peer = connect();
  peer.send(post("/write", "row"));
  ASSERT_TRUE(application.wait_for_commits(1));
  EXPECT_TRUE(peer.silent(0));
  application.commit_all();
  EXPECT_EQ(peer.answer().body, "written POST /write? row");
  EXPECT_EQ(peer.request(get("/echo")).status, 200);
}

TEST_F(Requests, AGroupOfWritesWaitsTogether) {
  start();
  std::vector<Peer> peers;
  for (int i = 0; i < 200; ++i) {
    peers.push_back(connect());
    peers.back().send(post("/write", std::to_string(i)));
  }
  ASSERT_TRUE(application.wait_for_commits(200));
  application.commit_all();
  for (std::size_t i = 0; i < peers.size(); ++i) {
    EXPECT_EQ(peers[i].answer().body, "written POST /write? " + std::to_string(i));
  }
}

TEST_F(Requests, APeerThatVanishesWhileItsWriteWaitsHarmsNobody) {
  start();
  Peer gone = connect();
  gone.send(post("/write", "lost"));
  Peer stays = connect();
  stays.send(post("/write", "kept"));
  ASSERT_TRUE(application.wait_for_commits(2));
  gone.vanish();
  application.commit_all();
  EXPECT_EQ(stays.answer().body, "written POST /write? kept");
}

TEST_F(Connections, OnePortIsNotSharedByTwoServers) {
  start();
  Server second(application, clock, log, {.port = server->port(), .io_threads = 1});
  EXPECT_THROW(second.start(), std::system_error);
}

TEST_F(Connections, AnUnusableAddressIsAnException) {
  Server bad(application, clock, log, {.address = "not-an-address", .io_threads = 1});
  EXPECT_THROW(bad.start(), std::system_error);
}

TEST_F(Connections, MappedAddressesAreShownAsIpv4) {
  start({.address = "::"});
  EXPECT_EQ(connect().request(get("/echo")).status, 200);
  EXPECT_EQ(application.peer(), "127.0.0.1");
}

TEST_F(Connections, AThousandAtOnceAreServed) {
  start();
  std::vector<Peer> peers;
  for (int i = 0; i < 1000; ++i) {
    peers.push_back(connect());
    peers.back().send(post("/echo", std::to_string(i)));
  }
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < peers.size(); ++i) {
      ASSERT_EQ(peers[i].answer().body, "POST /echo? " + std::to_string(i));
      if (round < 2) peers[i].send(post("/echo", std::to_string(i)));
    }
  }
  EXPECT_EQ(server->connections(), 1000U);
}

TEST_F(Connections, OneTooManyIsToldToComeBackLater) {
  start({.io_threads = 1, .connections_max = 2});
  Peer first = connect();
  Peer second = connect();
  EXPECT_EQ(first.request(get("/echo")).status, 200);
  EXPECT_EQ(second.request(get("/echo")).status, 200);
  Peer third = connect();
  const Answer refused = third.answer();
  EXPECT_EQ(refused.status, 503);
  EXPECT_NE(refused.field("Retry-After"), "");
  EXPECT_TRUE(third.closed());
  EXPECT_EQ(first.request(get("/echo")).status, 200);
}

TEST_F(Connections, IdleOnesAreClosedAfterTheirTimeout) {
  start({.idle_timeout = Duration(60)});
  Peer peer = connect();
  EXPECT_EQ(peer.request(get("/echo")).status, 200);
  EXPECT_TRUE(peer.closed());
}

TEST_F(Connections, OnesThatNeverSpeakAreClosed) {
  start({.head_timeout = Duration(60)});
  EXPECT_TRUE(connect().closed());
}

TEST_F(Connections, ATrickledHeadDoesNotExtendItsTimeout) {
  start({.head_timeout = Duration(120)});
  Peer peer = connect();
  peer.send("GET /echo HTTP/1.1\r\nX-Slow: ");
  int sent = 0;
  while (peer.silent(5)) {
    peer.send("s");
    ASSERT_LT(++sent, testing::patience_ms / 5);
  }
  EXPECT_TRUE(peer.closed());
  EXPECT_GT(sent, 1);
  EXPECT_EQ(application.admitted(), 0);
}

TEST_F(Connections, ABodyThatStopsComingIsNotWaitedForForEver) {
  start({.body_timeout = Duration(60)});
  Peer peer = connect();
  peer.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345");
  EXPECT_TRUE(peer.closed());
  Peer chunked = connect();
  chunked.send("POST /small HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12");
  EXPECT_TRUE(chunked.closed());
  EXPECT_EQ(application.handled(), 0);
}

TEST_F(Connections, AnAnswerThatNobodyReadsIsGivenUp) {
  // drain() returns when the connection is gone; without the timeout that would be at 100 s.
  start({.write_timeout = Duration(60),
         .slowest_bytes_per_second = testing::FakeApplication::large_bytes * 10,
         .drain_timeout = std::chrono::seconds(100)});
  Peer peer(server->port(), 4096);
  peer.send(get("/large"));
  ASSERT_TRUE(application.wait_for_handled(1));
  ASSERT_TRUE(peer.read_more());
  const auto before = std::chrono::steady_clock::now();
  server->drain();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(50));
}

TEST_F(Connections, AStreamThatNobodyReadsIsGivenUp) {
  // As above.
  start({.write_timeout = Duration(60),
         .slowest_bytes_per_second = testing::FakeApplication::large_bytes * 10,
         .drain_timeout = std::chrono::seconds(100)});
  Peer peer(server->port(), 4096);
  peer.send(get("/stream"));
  ASSERT_TRUE(peer.read_more());
  const auto before = std::chrono::steady_clock::now();
  server->drain();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(50));
}

TEST_F(Connections, APeerThatVanishesWithinItsAnswerIsForgotten) {
  start();
  Peer peer(server->port(), 4096);
  peer.send(get("/large"));
  ASSERT_TRUE(peer.read_more());
  peer.vanish();
  server->drain();
  EXPECT_EQ(server->connections(), 0U);
}

}  // namespace
}  // namespace muster::net
