// SPDX-License-Identifier: Apache-2.0
#include <thread>

#include "net/server.h"
#include "net/testing.h"

namespace muster::net {
namespace {

using testing::Answer;
using testing::get;
using testing::Peer;

class LiveBodies : public testing::ServerTest {
 protected:
  /// Asks and reads the head.
  Peer listen(int receive_buffer = 0) {
    Peer peer(server->port(), receive_buffer);
    EXPECT_EQ(peer.request(get("/live")).status, 200);
    EXPECT_TRUE(application.live->wait_for_begun(++listeners_));
    return peer;
  }
  int listeners_ = 0;
};

TEST_F(LiveBodies, HaveNoLengthAndEndTheConnection) {
  start();
  Peer peer = connect();
  const Answer head = peer.request(get("/live"));
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.field("Content-Length"), "");
  EXPECT_EQ(head.field("Content-Type"), "text/event-stream");
  EXPECT_EQ(head.field("Connection"), "close");
  application.live->end();
  EXPECT_TRUE(peer.closed());
  EXPECT_TRUE(application.live->wait_for_ended(1));
}

TEST_F(LiveBodies, AreSaidAsTheyComeAbout) {
  start();
  application.live->say("before the first ask;");
  Peer peer = listen();
  EXPECT_EQ(peer.next(21), "before the first ask;");
  for (int i = 0; i < 200; ++i) {
    const std::string text = "number " + std::to_string(i) + ";";
    application.live->say(text);
    ASSERT_EQ(peer.next(text.size()), text);
  }
  application.live->say("the last");
  application.live->end();
  EXPECT_EQ(peer.next(8), "the last");
  EXPECT_TRUE(peer.closed());
}

TEST_F(LiveBodies, HoldUpNobodyElseOnTheirThread) {
  start({.io_threads = 1, .worker_threads = 1});
  std::vector<Peer> listening;
  for (int i = 0; i < 20; ++i) listening.push_back(listen());
  Peer other = connect();
  EXPECT_EQ(other.request(get("/echo")).status, 200);
  EXPECT_EQ(other.request(get("/worker")).status, 200);
  EXPECT_EQ(server->use().streams.taken, 0U);
}

TEST_F(LiveBodies, EndWhenThePeerGoes) {
  start();
  { const Peer leaves = listen(); }
  EXPECT_TRUE(application.live->wait_for_ended(1));
  Peer vanishes = listen();
  vanishes.vanish();
  EXPECT_TRUE(application.live->wait_for_ended(2));
}

TEST_F(LiveBodies, EndWhenThePeerSpeaks) {
  start();
  Peer peer = listen();
  peer.send(get("/echo"));
  EXPECT_TRUE(application.live->wait_for_ended(1));
  EXPECT_EQ(application.handled(), 1);
}

TEST_F(LiveBodies, EndForWhoDoesNotReadWhatIsSaid) {
  start({.write_timeout = Duration(50)});
  const Peer peer = listen(4096);
  application.live->say(std::string(testing::FakeApplication::large_bytes, 'x'));
  EXPECT_TRUE(application.live->wait_for_ended(1));
}

TEST_F(LiveBodies, EndWhenTheirSourceFallsSilent) {
  start({.live_silence = Duration(20)});
  Peer peer = listen();
  EXPECT_TRUE(peer.closed());
}

TEST_F(LiveBodies, DoNotKeepADrainWaiting) {
  start({.drain_timeout = std::chrono::hours(1)});
  std::vector<Peer> listening;
  for (int i = 0; i < 5; ++i) listening.push_back(listen());
  server->drain();
  EXPECT_EQ(server->connections(), 0U);
  for (Peer& peer : listening) EXPECT_TRUE(peer.closed());
  EXPECT_TRUE(application.live->wait_for_ended(1));
}

TEST_F(LiveBodies, ThatBeginDuringADrainEndAtOnce) {
  start({.drain_timeout = std::chrono::hours(1)});
  Peer late = connect();
  late.send("GET /live HTTP/1.1\r\n");  // has begun, and so is not cut off
  std::thread drains([&] { server->drain(); });
  late.send("Host: h\r\n\r\n");
  drains.join();
  EXPECT_EQ(server->connections(), 0U);
}

}  // namespace
}  // namespace muster::net
