// SPDX-License-Identifier: Apache-2.0
// Whom a request is from when it comes through proxies.
#include "base/testing.h"
#include "net/testing_tls.h"

namespace muster::net {
namespace {

using testing::get;
using testing::Peer;
using testing::post;
using testing::proxy_header;

const std::string client_header =
    proxy_header(0x21, 0x11, std::string("\xC0\x00\x02\x07\x0A\x00\x00\x01\x12\x34\x01\xBB", 12));

class Proxied : public testing::ServerTest {
 protected:
  static ServerOptions trusting(std::string_view network) {
    return {.trusted_proxies = {parse_ip_network(network).value()}};
  }
  static ServerOptions with_header(std::string_view network) {
    ServerOptions options = trusting(network);
    options.proxy_protocol = true;
    return options;
  }
  /// What the application saw as the request's peer.
  std::string seen_by(std::string_view path, std::string_view fields,
                      std::string_view before = "") {
    Peer peer = connect();
    peer.send(before);
    EXPECT_EQ(peer.request(get(path, fields)).status, 200);
    return application.peer();
  }
};

TEST_F(Proxied, OnlyATrustedProxyIsBelieved) {
  start(trusting("192.0.2.0/24"));
  EXPECT_EQ(seen_by("/echo", "X-Forwarded-For: 198.51.100.1\r\n"), "127.0.0.1");
}

TEST_F(Proxied, TheRightMostUntrustedAddressIsTheClient) {
  start(trusting("127.0.0.0/8"));
  EXPECT_EQ(seen_by("/echo", "X-Forwarded-For: 203.0.113.9, 198.51.100.1, 127.0.0.9\r\n"),
            "198.51.100.1*");
  EXPECT_EQ(seen_by("/echo", "X-Forwarded-For: 203.0.113.9\r\nx-forwarded-for: 198.51.100.1\r\n"),
            "198.51.100.1*")
      << "several fields are one list";
  EXPECT_EQ(seen_by("/worker", "X-Forwarded-For: 198.51.100.1\r\n"), "198.51.100.1*")
      << "a worker sees the same";
  EXPECT_EQ(seen_by("/echo", ""), "127.0.0.1*");
}

TEST_F(Proxied, EachRequestOfAConnectionIsItsOwnClients) {
  start(trusting("127.0.0.1"));
  Peer peer = connect();
  for (const std::string client : {"198.51.100.1", "198.51.100.2"}) {
    EXPECT_EQ(peer.request(get("/echo", "X-Forwarded-For: " + client + "\r\n")).status, 200);
    EXPECT_EQ(application.peer(), client + "*");
  }
  EXPECT_EQ(peer.request(get("/echo")).status, 200);
  EXPECT_EQ(application.peer(), "127.0.0.1*");
}

TEST_F(Proxied, AHeaderNamesTheClientOfTheConnection) {
  start(with_header("127.0.0.1"));
  EXPECT_EQ(seen_by("/echo", "", client_header), "192.0.2.7*");
  EXPECT_EQ(seen_by("/echo", "", proxy_header(0x20, 0, "")), "127.0.0.1*");
  EXPECT_EQ(seen_by("/echo", "X-Forwarded-For: 198.51.100.1\r\n", client_header), "192.0.2.7*")
      << "the client itself is no proxy";
}

TEST_F(Proxied, AHeaderMayArriveByteByByte) {
  start(with_header("127.0.0.1"));
  Peer peer = connect();
  for (const char c : client_header + get("/echo")) peer.send(std::string_view(&c, 1));
  EXPECT_EQ(peer.answer().status, 200);
  EXPECT_EQ(application.peer(), "192.0.2.7*");
}

TEST_F(Proxied, ATrustedProxyWithoutItsHeaderIsCutOff) {
  start(with_header("127.0.0.1"));
  Peer peer = connect();
  peer.send(get("/echo"));
  EXPECT_TRUE(peer.closed());
  EXPECT_EQ(application.admitted(), 0);
}

TEST_F(Proxied, AHeaderFromAnybodyElseIsRefused) {
  start(with_header("192.0.2.1"));
  Peer peer = connect();
  EXPECT_EQ(peer.request(client_header + get("/echo")).status, 400);
  EXPECT_EQ(application.admitted(), 0);
  EXPECT_EQ(seen_by("/echo", ""), "127.0.0.1");
}

TEST_F(Proxied, ASilentProxyIsCutOff) {
  ServerOptions options = with_header("127.0.0.1");
  options.head_timeout = Duration(50);
  start(std::move(options));
  Peer peer = connect();
  peer.send(client_header.substr(0, 20));
  EXPECT_TRUE(peer.closed());
}

TEST_F(Proxied, AHeaderComesBeforeTls) {
  const testing::ServedFiles served("proxied.example");
  const FakeClock tickets_clock;
  const auto tls = ServerTls::load(served.files(), tickets_clock).value();
  ServerOptions options = with_header("127.0.0.1");
  options.tls = tls.get();
  start(std::move(options));
  auto peer = testing::TlsPeer::connected(server->port(), {.before = client_header});
  EXPECT_EQ(peer.request(post("/worker", "x")).status, 200);
  EXPECT_EQ(application.peer(), "192.0.2.7*");
  Peer without = connect();
  without.send(testing::TlsPeer(server->port()).hello());
  EXPECT_TRUE(without.closed());
  server->drain();
}

}  // namespace
}  // namespace muster::net
