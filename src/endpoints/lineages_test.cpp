// SPDX-License-Identifier: Apache-2.0
// Copies of a machine, and machines restored from before a rotation, over the whole server without
// sockets.
#include <gtest/gtest.h>

#include "base/json_read.h"
#include "endpoints/testing.h"
#include "fleet/refusals.h"

namespace muster::endpoints {
namespace {

constexpr Duration minute = std::chrono::minutes(1);

std::string text_at(const std::string& body, std::initializer_list<std::string_view> path) {
  JsonDocument document;
  Json at = document.parse(body).value();
  for (const std::string_view name : path) at = at.find(name).value();
  return at.is_null() ? "null" : std::string(at.string().value());
}

/// A machine with a copy of the agent's disk.
struct Copy {
  std::string hostname;
  Instant booted;
  std::string key;
};

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
  /// A heartbeat of a machine that takes the key it is offered, if the answer reaches it.
  void beat_of(Copy& copy, bool lost = false) {
    server.clock.advance(minute);
    const auto uptime = (server.clock.now() - copy.booted).count() / 1000;
    const http::Response answer = beat(
        copy.key, R"({"status": "idle", "agent_version": "1.0", "system": {"hostname": ")" +
                      copy.hostname + R"(", "uptime_seconds": )" + std::to_string(uptime) + "}}");
    ASSERT_EQ(answer.status, 200) << "nobody is locked out";
    JsonDocument document;
    const auto offered = document.parse(answer.body).value().find("data")->find("new_api_key");
    if (offered && !lost) copy.key = *offered->string();
  }
  /// Until two machines are found.
  void alternate(Copy& one, Copy& other) {
    for (int i = 0; i < 8; ++i) beat_of(i % 2 == 0 ? one : other);
  }
  http::Response split() { return as_operator("POST", "/api/v1/agents/" + id + "/split"); }
  std::int64_t hosts() {
    JsonDocument document;
    const std::string body = as_operator("GET", "/api/v1/hosts").body;
    return *document.parse(body).value().find("total")->find("value")->integer();
  }
  std::string shown(const std::string& agent) {
    return as_operator("GET", "/api/v1/agents/" + agent).body;
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

TEST(SplitClone, IsTwoAgentsWithTwoKeysAndTwoHosts) {
  for (const bool same_name : {true, false}) {
    Copied world;
    Copy first{"first", world.long_ago, world.key};
    Copy copy{same_name ? "first" : "copy", world.lately, world.key};
    EXPECT_EQ(world.split().status, 409) << "no clone is known";
    world.alternate(first, copy);
    const std::string shared = world.key;
    EXPECT_EQ(world.hosts(), 1);
    const http::Response answer = world.split();
    ASSERT_EQ(answer.status, 200);
    const std::string into = text_at(answer.body, {"split_agent_id"});
    EXPECT_EQ(world.split().body, answer.body) << "repeating it changes nothing";
    EXPECT_EQ(text_at(world.shown(), {"clone", "split_agent_id"}), into);
    EXPECT_EQ(world.as_operator("POST", "/api/v1/agents/" + world.id + "/rotate-key").status, 409);

    world.beat_of(first);
    EXPECT_EQ(first.key, shared);
    world.beat_of(copy, true);
    world.beat_of(first);
    world.beat_of(copy);
    EXPECT_EQ(copy.key, text_at(answer.body, {"key"}));
    EXPECT_EQ(world.events("agent_split"), 0);
    world.beat_of(copy);
    world.beat_of(first);
    EXPECT_EQ(first.key, shared);
    EXPECT_EQ(world.events("agent_split"), 1);
    EXPECT_EQ(text_at(world.shown(), {"clone"}), "null");
    EXPECT_EQ(text_at(world.shown(into), {"split_from"}), world.id);
    EXPECT_EQ(text_at(world.shown(into), {"hostname"}), copy.hostname);
    EXPECT_EQ(world.hosts(), 2);

    // Each is itself from now on, also by its new id, and its key can be rotated.
    for (int i = 0; i < 20; ++i) world.beat_of(i % 2 == 0 ? first : copy);
    EXPECT_EQ(world.events("clone_detected"), 1);
    const std::string old_id = std::exchange(world.id, into);
    EXPECT_EQ(world.beat(copy.key, R"({"status": "idle"})").status, 200);
    EXPECT_EQ(world.beat(first.key, R"({"status": "idle"})").status, 401);
    const std::string rotated = world.rotate();
    world.id = old_id;
    world.beat_of(copy);
    EXPECT_EQ(copy.key, rotated);
    world.beat_of(copy);
    world.beat_of(first);
    EXPECT_EQ(first.key, shared);
  }
}

TEST(SplitClone, KnowsAMachineThatBootedMeanwhile) {
  Copied world;
  Copy first{"m", world.long_ago, world.key};
  Copy copy{"m", world.lately, world.key};
  world.alternate(first, copy);
  ASSERT_EQ(world.split().status, 200);
  copy.booted = world.server.clock.now();
  world.server.clock.advance(minute * 10);
  world.beat_of(copy);
  EXPECT_EQ(copy.key, world.key) << "it might be the other one";
  world.beat_of(first);
  world.beat_of(copy);
  EXPECT_NE(copy.key, world.key);
  EXPECT_EQ(first.key, world.key);
}

TEST(SplitClone, WhereBothBootedIsDoneOnceBothWereHeardInTurnAgain) {
  Copied world;
  Copy first{"m", world.long_ago, world.key};
  Copy copy{"m", world.lately, world.key};
  world.alternate(first, copy);
  ASSERT_EQ(world.split().status, 200);
  first.booted = world.server.clock.now();
  world.server.clock.advance(minute * 30);
  copy.booted = world.server.clock.now();
  world.server.clock.advance(limits::clone_window);
  for (int i = 0; i < 12; ++i) world.beat_of(i % 2 == 0 ? first : copy);
  EXPECT_EQ(world.events("agent_split"), 1);
  EXPECT_EQ(first.key, world.key);
  EXPECT_NE(copy.key, world.key);
}

TEST(SplitClone, ReportsWhatItTookBeforeAndNothingOfLater) {
  Copied world;
  Copy first{"m", world.long_ago, world.key};
  Copy copy{"m", world.lately, world.key};
  world.alternate(first, copy);
  const auto order = [&] {
    JsonDocument document;
    const std::string body =
        world
            .as_operator("POST", "/api/v1/tasks",
                         R"({"type": "execute_command", "command": "true", "agent_ids": [")" +
                             world.id + "\"]}")
            .body;
    std::string id;
    document.parse(body).value().find("task_ids")->for_each([&](const Json& task) {
      id = *task.string();
    });
    return id;
  };
  const auto report = [&](const Copy& by, const std::string& task) {
    return world.server
        .ask({"POST",
              "/api/agent/tasks/" + task + "/result",
              {{"X-Agent-Key", by.key},
               {"X-Agent-ID", world.id},
               {"X-Request-Timestamp", format_rfc3339(world.server.clock.now())}},
              R"({"exit_code": 0})"})
        .status;
  };
  const std::string before = order();
  ASSERT_EQ(world.split().status, 200);
  world.beat_of(copy);
  world.beat_of(copy);
  world.server.clock.advance(minute);
  const std::string after = order();
  EXPECT_EQ(report(copy, before), 200);
  EXPECT_EQ(report(copy, after), 403);
  EXPECT_EQ(report(first, after), 200);
}

TEST(SplitClone, ThatIsGivenUpOffersNothingAndMayBeSplitAgain) {
  Copied world;
  Copy first{"m", world.long_ago, world.key};
  Copy copy{"m", world.lately, world.key};
  world.alternate(first, copy);
  const std::string given_up = text_at(world.split().body, {"split_agent_id"});
  EXPECT_EQ(world.as_operator("POST", "/api/v1/agents/" + given_up + "/decommission").status, 200);
  world.beat_of(copy);
  EXPECT_EQ(copy.key, world.key);
  EXPECT_EQ(text_at(world.shown(), {"clone", "split_agent_id"}), "null");
  const std::string again = text_at(world.split().body, {"split_agent_id"});
  EXPECT_NE(again, given_up);
  world.beat_of(copy);
  world.beat_of(copy);
  EXPECT_EQ(text_at(world.shown(again), {"split_from"}), world.id);
  EXPECT_EQ(world.events("agent_split"), 1);
}

TEST(SplitClone, TheIdThatNobodyHasIsNoAlias) {
  Copied world;
  world.id = "00000000-0000-0000-0000-000000000000";
  EXPECT_EQ(world.beat(world.key, R"({"status": "idle"})").status, 401);
}

TEST(Refusal, ForItsClockIsShownAndToldOnceInAndOnceOut) {
  Copied world;
  const auto beat_at = [&](Duration skew) {
    return world.server
        .ask({"POST",
              "/api/agent/heartbeat",
              {{"X-Agent-Key", world.key},
               {"X-Agent-ID", world.id},
               {"X-Request-Timestamp", format_rfc3339(world.server.clock.now() + skew)}},
              R"({"status": "idle"})"})
        .status;
  };
  const auto look = [&] { world.server.wiring.watch(world.server.clock.now()); };
  ASSERT_EQ(beat_at(Duration(0)), 200);
  EXPECT_EQ(text_at(world.shown(), {"last_refusal"}), "null");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(beat_at(-minute * 6), 401);
    EXPECT_EQ(world.events("clock_skewed"), i == 0 ? 0 : 1) << "no call touches the disk for it";
    look();
  }
  EXPECT_EQ(text_at(world.shown(), {"last_refusal", "reason"}), "clock_skew");
  EXPECT_EQ(text_at(world.shown(), {"last_refusal", "address"}), "127.0.0.1");
  EXPECT_NE(world.shown().find(R"("skew_seconds": -360)"), std::string::npos);
  EXPECT_EQ(world.events("clock_corrected"), 0);
  const std::string metrics = world.server.ask({"GET", "/metrics", {}, {}}).body;
  EXPECT_NE(metrics.find("\nmuster_refused_clock_skew_total 3\n"), std::string::npos);
  EXPECT_NE(metrics.find("\nmuster_agents_clock_skewed 1\n"), std::string::npos);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(beat_at(Duration(0)), 200);
    look();
    EXPECT_EQ(world.events("clock_corrected"), 1);
  }
  // One of two machines with its key is wrong all the time.
  for (int i = 0; i < 30; ++i) {
    world.server.clock.advance(minute);
    beat_at(i % 2 == 0 ? minute * 9 : Duration(0));
    look();
  }
  EXPECT_EQ(world.events("clock_skewed"), 1) << "once an hour";
  world.server.clock.advance(fleet::skew_silence);
  beat_at(minute * 9);
  look();
  EXPECT_EQ(world.events("clock_skewed"), 2);
}

TEST(Refusal, OfADisabledAgentAndOfARetiredKeyIsShown) {
  Copied world;
  const std::string body = R"({"status": "idle"})";
  ASSERT_EQ(world.beat(world.key, body).status, 200);
  ASSERT_EQ(world.beat(world.rotate(), body).status, 200);
  EXPECT_EQ(world.beat("ak_" + std::string(64, '0'), body).status, 401);
  EXPECT_EQ(text_at(world.shown(), {"last_refusal"}), "null") << "nobody proved anything";
  EXPECT_EQ(world.beat(world.key, body).status, 401);
  EXPECT_EQ(text_at(world.shown(), {"last_refusal", "reason"}), "retired_key");
  const std::string current =
      world.server.fleet.credentials.agent_key(AgentId{parse_uuid(world.id).value()}, 1);
  world.as_operator("POST", "/api/v1/agents/" + world.id + "/disable");
  EXPECT_EQ(world.beat(current, body).status, 401);
  EXPECT_EQ(text_at(world.shown(), {"last_refusal", "reason"}), "disabled");
}

TEST(SignOfLife, IsEveryAuthenticatedCallOfAnAgentAndNoRefusedOne) {
  Copied world;
  ASSERT_EQ(world.beat(world.key, R"({"status": "idle"})").status, 200);
  const auto last_seen = [&] { return text_at(world.shown(), {"last_seen"}); };
  const auto get = [&](const std::string& target, Duration skew = Duration(0)) {
    world.server.clock.advance(minute);
    world.server.ask({"GET",
                      target,
                      {{"X-Agent-Key", world.key},
                       {"X-Agent-ID", world.id},
                       {"X-Request-Timestamp", format_rfc3339(world.server.clock.now() + skew)}},
                      {}});
  };
  for (const char* target :
       {"/api/agent/tasks", "/api/agent/version", "/api/agent/update", "/api/agent/config",
        "/api/agent/update?os=linux&arch=amd64", "/api/agent/commands", "/api/agent/jobs",
        "/api/agent/binary/b?test_uuid=7659eeba-f315-440e-9882-4aa015d68b27"}) {
    get(target);
    EXPECT_EQ(last_seen(), format_rfc3339(world.server.clock.now())) << target;
  }
  const std::string before = last_seen();
  get("/api/agent/tasks", minute * 6);
  EXPECT_EQ(last_seen(), before);
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
