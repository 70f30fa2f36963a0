// SPDX-License-Identifier: Apache-2.0
// Copies of a machine, and machines restored from before a rotation, over the whole server without
// sockets.
#include <gtest/gtest.h>

#include "base/json_read.h"
#include "endpoints/testing.h"

namespace muster::endpoints {
namespace {

constexpr Duration minute = std::chrono::minutes(1);

std::string text_at(const std::string& body, std::initializer_list<std::string_view> path) {
  JsonDocument document;
  Json at = document.parse(body).value();
  for (const std::string_view name : path) at = at.find(name).value();
  return at.is_null() ? "null" : std::string(at.string().value());
}

class Copied {
 public:
  Copied() {
    const std::string token = text_at(as_operator("POST", "/api/v1/tokens", "{}").body, {"token"});
    const std::string body =
        server
            .ask({"POST",
                  "/api/agent/enroll",
                  {},
                  R"({"token": ")" + token + R"(", "hostname": "first", "os": "linux",)" +
                      R"( "arch": "amd64", "agent_version": "1.0"})"})
            .body;
    id = text_at(body, {"data", "agent_id"});
    key = text_at(body, {"data", "api_key"});
  }
  http::Response as_operator(const std::string& method, const std::string& target,
                             const std::string& body = {}) {
    return server.ask({method, target, {{"Authorization", "Bearer " + server.admin_token}}, body});
  }
  http::Response beat(const std::string& with_key, const std::string& body) {
    return server.ask({"POST",
                       "/api/agent/heartbeat",
                       {{"X-Agent-Key", with_key},
                        {"X-Agent-ID", id},
                        {"X-Request-Timestamp", format_rfc3339(server.clock.now())}},
                       body});
  }
  /// Of a machine of that name that booted then.
  void beat_of(const std::string& hostname, Instant booted) {
    const auto uptime = (server.clock.now() - booted).count() / 1000;
    const http::Response answer =
        beat(key, R"({"status": "idle", "agent_version": "1.0", "system": {"hostname": ")" +
                      hostname + R"(", "uptime_seconds": )" + std::to_string(uptime) + "}}");
    EXPECT_EQ(answer.status, 200);
  }
  std::int64_t events(const std::string& type) {
    JsonDocument document;
    const std::string body = as_operator("GET", "/api/v1/events?type=" + type).body;
    return *document.parse(body).value().find("total")->find("value")->integer();
  }
  std::string shown() { return as_operator("GET", "/api/v1/agents/" + id).body; }
  std::string rotate() {
    return text_at(as_operator("POST", "/api/v1/agents/" + id + "/rotate-key").body, {"key"});
  }

  TestServer server;
  std::string id, key;
  const Instant long_ago = server.clock.now() - std::chrono::hours(90);
  const Instant lately = server.clock.now() - std::chrono::hours(2);
};

TEST(Clone, IsToldOnceWithBothMachinesAndShown) {
  Copied world;
  std::string confirmed;
  for (int i = 0; i < 180; ++i) {
    world.server.clock.advance(minute);
    world.beat_of(i % 2 == 0 ? "first" : "copy", i % 2 == 0 ? world.long_ago : world.lately);
    EXPECT_EQ(world.events("clone_detected"), i < 6 ? 0 : 1) << i;
    if (i == 6) confirmed = text_at(world.shown(), {"clone", "confirmed_at"});
  }
  const std::string agent = world.shown();
  EXPECT_EQ(text_at(agent, {"clone", "older", "hostname"}), "first");
  EXPECT_EQ(text_at(agent, {"clone", "newer", "hostname"}), "copy");
  EXPECT_EQ(text_at(agent, {"clone", "newer", "address"}), "127.0.0.1");
  EXPECT_EQ(text_at(agent, {"clone", "detected_at"}), confirmed);
  EXPECT_GT(text_at(agent, {"clone", "confirmed_at"}), confirmed);

  world.server.clock.advance(limits::clone_memory + limits::clone_window);
  world.server.wiring.maintain(world.server.clock.now());
  EXPECT_EQ(text_at(world.shown(), {"clone"}), "null") << "the copy was turned off";
}

TEST(Clone, EndsWithItsKeyAndIsToldAgainOfTheNext) {
  Copied world;
  const auto alternate = [&] {
    for (int i = 0; i < 10; ++i) {
      world.server.clock.advance(minute);
      world.beat_of("m", i % 2 == 0 ? world.long_ago : world.lately);
    }
  };
  alternate();
  world.key = world.rotate();
  world.beat_of("m", world.long_ago);
  EXPECT_EQ(text_at(world.shown(), {"clone"}), "null");
  world.server.clock.advance(limits::clone_window);
  alternate();
  EXPECT_EQ(world.events("clone_detected"), 2) << "both took the new key";
}

TEST(Clone, IsNotAMachineThatRebootsNorOneWhoseHeartbeatsAreLate) {
  Copied world;
  world.beat_of("m", world.long_ago);
  for (int i = 0; i < 6; ++i) {
    world.server.clock.advance(minute);
    world.beat_of("m", world.server.clock.now() - std::chrono::seconds(10));
  }
  EXPECT_EQ(world.events("clone_detected"), 0);

  for (int i = 0; i < 12; ++i) {
    // Of every other heartbeat only a repeat gets through, with the body of eight minutes ago.
    const Duration waited = i % 2 == 0 ? minute * 8 : Duration(0);
    const Instant written = world.server.clock.now();
    world.server.clock.advance(waited);
    const auto uptime = (written - world.long_ago).count() / 1000;
    world.beat(world.key, R"({"status": "idle", "timestamp": ")" + format_rfc3339(written) +
                              R"(", "system": {"uptime_seconds": )" + std::to_string(uptime) +
                              "}}");
  }
  EXPECT_EQ(world.events("clone_detected"), 0);
}

TEST(RetiredKey, IsRefusedLikeAnyOtherAndToldOnceAnHour) {
  Copied world;
  const std::string body = R"({"status": "idle"})";
  ASSERT_EQ(world.beat(world.key, body).status, 200);
  const std::string fresh = world.rotate();
  ASSERT_EQ(world.beat(fresh, body).status, 200);

  const http::Response unknown = world.beat("ak_" + std::string(64, '0'), body);
  for (int i = 0; i < 3; ++i) {
    const http::Response refused = world.beat(world.key, body);
    EXPECT_EQ(refused.status, 401);
    EXPECT_EQ(refused.body, unknown.body);
  }
  EXPECT_EQ(world.events("retired_key_used"), 0) << "no disk is touched for who proved nothing";
  world.server.wiring.watch(world.server.clock.now());
  EXPECT_EQ(world.events("retired_key_used"), 1);
  world.server.clock.advance(limits::retired_key_silence - Duration(1));
  EXPECT_EQ(world.beat(world.key, body).status, 401);
  world.server.wiring.watch(world.server.clock.now());
  EXPECT_EQ(world.events("retired_key_used"), 1);
  world.server.clock.advance(Duration(1));
  EXPECT_EQ(world.beat(world.key, body).status, 401);
  world.server.wiring.watch(world.server.clock.now());
  EXPECT_EQ(world.events("retired_key_used"), 2);
  EXPECT_EQ(world.beat(fresh, body).status, 200) << "and nobody is locked out by it";
}

TEST(RetiredKey, OfAnotherAgentIsNothing) {
  Copied world;
  const std::string body = R"({"status": "idle"})";
  ASSERT_EQ(world.beat(world.key, body).status, 200);
  ASSERT_EQ(world.beat(world.rotate(), body).status, 200);
  world.id = "00000000-0000-7000-8000-000000000001";
  EXPECT_EQ(world.beat(world.key, body).status, 401);
  world.server.wiring.watch(world.server.clock.now());
  EXPECT_EQ(world.events("retired_key_used"), 0);
}

}  // namespace
}  // namespace muster::endpoints
