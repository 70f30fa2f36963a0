// SPDX-License-Identifier: Apache-2.0
#include "net/client_fleet.h"

#include <map>

#include "base/testing.h"
#include "net/testing_tls.h"

namespace muster::net {
namespace {

using testing::patience_ms;
using testing::ServerTest;

struct Fleet : ServerTest {
  std::unique_ptr<ClientFleet> fleet;
  std::vector<ClientFleet::Event> events;

  ClientFleet& make(ClientFleetOptions options, std::uint16_t port) {
    fleet = ClientFleet::create("http://127.0.0.1:" + std::to_string(port), options).value();
    return *fleet;
  }
  ClientFleet& make(ClientFleetOptions options) {
    if (!server) start();
    return make(std::move(options), server->port());
  }

  /// Until there are so many events.
  void wait_for(std::size_t count) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
    while (events.size() < count) {
      ASSERT_LT(std::chrono::steady_clock::now(), until) << events.size() << " of " << count;
      fleet->wait(std::chrono::milliseconds(50), events);
    }
  }
  static ClientRequest echo(const std::string& body) {
    return {.method = http::Method::post, .target = "/echo", .body = body};
  }
};

TEST_F(Fleet, KeepsManyConnectionsOpenAndAnswersEach) {
  constexpr std::uint32_t count = 300;
  make({.connections = count, .source_addresses = 3, .opening_max = 16});
  for (int round = 0; round < 3; ++round) {
    for (std::uint32_t i = 0; i < count; ++i) fleet->send(i, echo(std::to_string(i)));
    wait_for(count);
    ASSERT_EQ(events.size(), count);
    for (const auto& event : events) {
      ASSERT_EQ(event.end, ClientFleet::End::answered) << event.why;
      EXPECT_EQ(event.response.body, "POST /echo? " + std::to_string(event.connection));
    }
    events.clear();
    EXPECT_EQ(fleet->open(), count);
  }
  EXPECT_EQ(application.handled(), static_cast<int>(3 * count));
}

TEST_F(Fleet, ComesFromAsManyAddressesAsItIsTold) {
  make({.connections = 6, .source_addresses = 3});
  std::map<std::string, int> peers;
  for (std::uint32_t i = 0; i < 6; ++i) {
    events.clear();
    fleet->send(i, echo(""));
    wait_for(1);
    ++peers[application.peer()];
  }
  const std::map<std::string, int> wanted = {{"127.0.0.1", 2}, {"127.0.0.2", 2}, {"127.0.0.3", 2}};
  EXPECT_EQ(peers, wanted);
}

TEST_F(Fleet, SaysThatNobodyListens) {
  start();
  const std::uint16_t port = server->port();
  server.reset();
  make({.connections = 40, .opening_max = 4}, port);
  for (std::uint32_t i = 0; i < 40; ++i) fleet->send(i, echo(""));
  wait_for(40);
  for (const auto& event : events) EXPECT_EQ(event.end, ClientFleet::End::refused);
  EXPECT_EQ(fleet->open(), 0U);
}

TEST_F(Fleet, GivesUpOnAnAnswerThatDoesNotCome) {
  make({.connections = 1, .request_timeout = std::chrono::milliseconds(200)});
  fleet->send(0, {.method = http::Method::get, .target = "/slow"});
  wait_for(1);
  EXPECT_EQ(events[0].end, ClientFleet::End::timed_out);
  EXPECT_EQ(fleet->open(), 0U);
  // And the connection may be used again.
  events.clear();
  fleet->send(0, echo("again"));
  wait_for(1);
  EXPECT_EQ(events[0].end, ClientFleet::End::answered) << events[0].why;
}

TEST_F(Fleet, RefusesAnAnswerThatIsTooLarge) {
  make({.connections = 1, .response_bytes_max = 1024});
  fleet->send(0, {.method = http::Method::get, .target = "/large"});
  wait_for(1);
  EXPECT_EQ(events[0].end, ClientFleet::End::malformed);
}

TEST_F(Fleet, ForgetsARequestThatIsCutAndOpensAnewForTheNext) {
  make({.connections = 2, .opening_max = 1});
  fleet->send(0, {.method = http::Method::get, .target = "/slow"});
  fleet->send(1, {.method = http::Method::get, .target = "/slow"});
  while (application.handled() < 1) fleet->wait(std::chrono::milliseconds(20), events);
  fleet->cut(0);
  fleet->cut(1);
  EXPECT_EQ(fleet->open(), 0U);
  application.slow_gate.open();
  fleet->send(0, echo("a"));
  fleet->send(1, echo("b"));
  wait_for(2);
  for (const auto& event : events) {
    EXPECT_EQ(event.end, ClientFleet::End::answered) << event.why;
    EXPECT_EQ(event.response.body, event.connection == 0 ? "POST /echo? a" : "POST /echo? b");
  }
}

TEST_F(Fleet, TellsThatAnIdleConnectionWasClosedAndOpensItForTheNextRequest) {
  make({.connections = 1});
  fleet->send(0, echo("one"));
  wait_for(1);
  const std::uint16_t port = server->port();
  server.reset();
  wait_for(2);
  EXPECT_EQ(events[1].end, ClientFleet::End::idle);
  start({.port = port});
  fleet->send(0, echo("two"));
  wait_for(3);
  EXPECT_EQ(events[2].end, ClientFleet::End::answered) << events[2].why;
}

TEST_F(Fleet, ASlowPeerSendsInTwoHalvesAndReadsLate) {
  make({.connections = 2});
  const auto begun = std::chrono::steady_clock::now();
  fleet->send(0, echo(std::string(1000, 'x')), std::chrono::milliseconds(200));
  fleet->send(1, echo("quick"));
  wait_for(2);
  EXPECT_EQ(events[0].connection, 1U);
  EXPECT_EQ(events[1].response.body, "POST /echo? " + std::string(1000, 'x'));
  // Two pauses, neither of which is cut short.
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(400));
}

TEST_F(Fleet, RefusesARequestThatWouldBreakOutOfItsHead) {
  make({.connections = 1});
  fleet->send(0, {.target = "/echo", .headers = {{"X-A", "b\r\nX-C: d"}}});
  wait_for(1);
  EXPECT_EQ(events[0].end, ClientFleet::End::malformed);
}

TEST_F(Fleet, ProvesTheCertificateAndKeepsManyTlsConnections) {
  constexpr std::uint32_t count = 30;
  const testing::ServedFiles served("localhost");
  const testing::CertificateFiles others = testing::certificate_files("not-the-fleets");
  const FakeClock tickets_clock;
  const auto tls = ServerTls::load(served.files(), tickets_clock).value();
  start({.tls = tls.get()});
  const std::string origin = "https://localhost:" + std::to_string(server->port());
  const ClientFleetOptions options{.connections = count, .opening_max = 4};
  for (const bool trusted : {true, false}) {
    ClientFleetOptions own = options;
    own.ca_file = trusted ? served.files().certificate : others.ca;
    fleet = ClientFleet::create(origin, own).value();
    for (int round = 0; round < 2; ++round) {
      events.clear();
      for (std::uint32_t i = 0; i < count; ++i) fleet->send(i, echo(std::string(100'000, 'x')));
      wait_for(count);
      for (const auto& event : events) {
        EXPECT_EQ(event.end, trusted ? ClientFleet::End::answered : ClientFleet::End::tls)
            << event.why;
      }
    }
    EXPECT_EQ(fleet->open(), trusted ? count : 0U);
  }
  fleet.reset();
  server.reset();  // before the keys that its handshakes use
}

TEST(ClientFleetCreate, RefusesPlainHttpToOtherMachines) {
  const auto fleet = ClientFleet::create("http://192.0.2.1:80", {});
  ASSERT_FALSE(fleet.ok());
  EXPECT_EQ(fleet.error().field, "origin");
}

TEST(ClientFleetCreate, SaysWhichLimitOfDescriptorsIsInTheWay) {
  const auto fleet = ClientFleet::create("http://127.0.0.1:80", {.connections = 4'000'000'000U});
  ASSERT_FALSE(fleet.ok());
  EXPECT_NE(fleet.error().message.find("ulimit -Hn"), std::string::npos) << fleet.error().message;
}

}  // namespace
}  // namespace muster::net
