// SPDX-License-Identifier: Apache-2.0
// What a request costs before it is proved, and while it is under way.
#include "endpoints/dispatcher.h"

#include <gtest/gtest.h>

#include "base/json_read.h"
#include "endpoints/decode.h"
#include "endpoints/testing.h"
#include "http/body_budget.h"
#include "http/testing.h"

namespace muster::endpoints {
namespace {

std::string site_key(TestServer& server) {
  const http::Response made = server.ask({"POST",
                                          "/api/v1/keys",
                                          {{"Authorization", "Bearer " + server.admin_token}},
                                          R"({"name": "site"})"});
  JsonDocument document;
  return std::string(document.parse(made.body)->find("key")->string().value());
}

/// What the server says to a head, before any of its body is there.
int admitted(TestServer& server, std::string_view path, const std::string& key) {
  http::Request request;
  request.method = http::Method::post;
  request.path = path;
  request.now = server.clock.now();
  request.peer_address = "192.0.2.7";
  CHECK(request.headers.add("X-Agent-Key", key));
  auto verdict = server.dispatcher.admit(request);
  const auto* refused = std::get_if<http::Response>(&verdict);
  return refused == nullptr ? 0 : refused->status;
}

TEST(Admission, AKeyThatReportsTooOftenIsRefusedBeforeItsBody) {
  Config config;
  config.limits_report_per_minute = 2;
  config.limits_scan_per_minute = 1;
  config.limits_heartbeat_per_minute = 1;
  TestServer server(config);
  const std::string key = site_key(server);
  for (const std::string_view path : {"/api/agent/report", "/api/agent/inventory"}) {
    EXPECT_EQ(admitted(server, path, key), 0);
  }
  EXPECT_EQ(admitted(server, "/api/agent/report", key), 429);
  EXPECT_EQ(admitted(server, "/api/agent/container-scan", key), 0);
  EXPECT_EQ(admitted(server, "/api/agent/dependency-scan", key), 429);
  EXPECT_EQ(admitted(server, "/api/agent/heartbeat", key), 0);
  EXPECT_EQ(admitted(server, "/api/agent/heartbeat", key), 429);
}

TEST(Admission, WhoGoesFirstFollowsFromTheRoute) {
  TestServer server;
  const std::string bearer = "Bearer " + server.admin_token;
  const auto lane = [&](http::Method method, std::string_view path, std::string_view token) {
    http::Request request;
    request.method = method;
    request.path = path;
    request.now = server.clock.now();
    CHECK(request.headers.add("Host", "localhost"));
    CHECK(request.headers.add("X-Agent-Key", token));
    CHECK(request.headers.add("Authorization", bearer));
    return std::get<http::Admission>(server.dispatcher.admit(request)).lane;
  };
  const std::string key = site_key(server);
  EXPECT_EQ(lane(http::Method::post, "/api/agent/heartbeat", key), http::Lane::agents);
  EXPECT_EQ(lane(http::Method::post, "/api/agent/report", key), http::Lane::reports);
  EXPECT_EQ(lane(http::Method::get, "/api/v1/hosts", key), http::Lane::operators);
}

TEST(Decoding, WhatComesOutOfACompressedBodyTakesItsPlace) {
  http::BodyBudget budget({.bytes = {20'000, 20'000, 20'000}});
  const std::string packed = http::gzip(std::string(12'000, 'x'));
  http::BodyPlace first(budget, http::Lane::reports, {});
  http::BodyPlace second(budget, http::Lane::reports, {});
  const auto decode = [&](http::BodyPlace& place) {
    http::Request request;
    request.body = packed;
    request.body_place = &place;
    CHECK(request.headers.add("Content-Encoding", "gzip"));
    std::string storage;
    return decode_encoding(request, storage);
  };
  EXPECT_TRUE(decode(first).ok());
  EXPECT_EQ(budget.use().taken, 12'000U);
  const auto refused = decode(second);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::overloaded);
  EXPECT_GE(refused.error().retry_after_seconds.value_or(0), 1);
}

}  // namespace
}  // namespace muster::endpoints
