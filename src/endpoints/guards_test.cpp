// SPDX-License-Identifier: Apache-2.0
#include "endpoints/guards.h"

#include <gtest/gtest.h>

#include "endpoints/testing.h"

namespace muster::endpoints {
namespace {

struct Asked {
  std::string_view peer = "127.0.0.1";
  bool through_proxy = false;
  std::string_view header = {};  // its name
  std::string_view host = "localhost";
};

/// Whether /metrics, say, is open to this caller, who shows no token.
bool is_open_to(TestServer& server, const Asked& asked) {
  http::Request request;
  request.method = http::Method::get;
  request.peer_address = asked.peer;
  request.through_proxy = asked.through_proxy;
  request.now = server.clock.now();
  CHECK(request.headers.add("Host", asked.host));
  if (!asked.header.empty()) CHECK(request.headers.add(asked.header, "127.0.0.1"));
  return operator_or_loopback(server.app, request).ok();
}

TEST(OperatorOrLoopback, IsOpenOnLoopbackOnly) {
  TestServer server;
  EXPECT_TRUE(is_open_to(server, {}));
  EXPECT_TRUE(is_open_to(server, {.peer = "::1"}));
  EXPECT_FALSE(is_open_to(server, {.peer = "192.0.2.7"}));
}

TEST(OperatorOrLoopback, AProxyOnLoopbackDoesNotOpenItToItsClients) {
  TestServer server;
  for (const std::string_view header : {"X-Forwarded-For", "forwarded", "Via", "X-Real-IP",
                                        "X-Forwarded-Host", "X-Forwarded-Proto"}) {
    EXPECT_FALSE(is_open_to(server, {.header = header})) << header;
  }
  server.face.behind_proxy = true;
  EXPECT_FALSE(is_open_to(server, {}));
}

TEST(OperatorOrLoopback, APageWhoseNameLeadsToLoopbackIsNotServed) {
  TestServer server;
  EXPECT_FALSE(is_open_to(server, {.host = "rebound.example:8480"}));
  EXPECT_TRUE(is_open_to(server, {.host = "127.0.0.1:8480"}));
  EXPECT_TRUE(is_open_to(server, {.host = "[::1]:8480"}));
  EXPECT_TRUE(is_open_to(server, {.host = "muster.example.org"})) << "its own name";
}

TEST(OperatorOrLoopback, LoopbackOfATrustedProxyIsNotOurs) {
  TestServer server;
  EXPECT_FALSE(is_open_to(server, {.through_proxy = true}));
}

}  // namespace
}  // namespace muster::endpoints
