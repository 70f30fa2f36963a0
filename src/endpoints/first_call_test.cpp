// SPDX-License-Identifier: Apache-2.0
// What an enrolled agent's calls cost and change, over the whole server without sockets.
#include <gtest/gtest.h>

#include "base/json_read.h"
#include "endpoints/testing.h"
#include "fleet/presence.h"

namespace muster::endpoints {
namespace {

struct Device {
  std::string id;
  std::string key;
};

std::string text_at(const std::string& body, std::initializer_list<std::string_view> path) {
  JsonDocument document;
  Json at = document.parse(body).value();
  for (const std::string_view name : path) at = at.find(name).value();
  return std::string(at.string().value());
}

class Site {
 public:
  http::Response as_operator(const std::string& method, const std::string& target,
                             const std::string& body = {}) {
    return server.ask({method, target, {{"Authorization", "Bearer " + server.admin_token}}, body});
  }
  http::Response as_device(const Device& device, const std::string& method,
                           const std::string& target, const std::string& body = {}) {
    return server.ask({method, target, headers_of(device), body});
  }
  std::vector<std::pair<std::string, std::string>> headers_of(const Device& device) {
    return {{"X-Agent-Key", device.key},
            {"X-Agent-ID", device.id},
            {"X-Request-Timestamp", format_rfc3339(server.clock.now())}};
  }

  Device enrol(const std::string& machine) {
    server.clock.advance(Duration(5));
    const std::string token = text_at(as_operator("POST", "/api/v1/tokens", "{}").body, {"token"});
    const http::Response answer =
        server.ask({"POST",
                    "/api/agent/enroll",
                    {},
                    R"({"token": ")" + token + R"(", "hostname": ")" + machine +
                        R"(", "os": "linux", "arch": "amd64", "agent_version": "1.0", )" +
                        R"("machine_id": ")" + machine + R"("})"});
    EXPECT_EQ(answer.status, 201) << answer.body;
    return {text_at(answer.body, {"data", "agent_id"}), text_at(answer.body, {"data", "api_key"})};
  }
  std::string create_task(const Device& device) {
    const http::Response answer = as_operator(
        "POST", "/api/v1/tasks",
        R"({"type": "execute_command", "command": "id", "agent_ids": [")" + device.id + R"("]})");
    JsonDocument document;
    std::string id;
    document.parse(answer.body).value().find("task_ids")->for_each([&](const Json& task) {
      id = *task.string();
    });
    return id;
  }
  int heartbeat(const Device& device) {
    return as_device(device, "POST", "/api/agent/heartbeat", R"({"status": "idle"})").status;
  }
  /// Grows with every commit of the writer.
  std::int64_t commits() {
    return server.fleet.store.read([](auto& reader) {
      auto rows = reader.query("PRAGMA data_version");
      CHECK(rows.next());
      return rows.integer(0);
    });
  }

  TestServer server;
};

struct Call {
  std::string name;
  std::string method;
  std::string target;
  std::string body;
  int status;
};

/// Every route that an enrolled agent may call; TASK is the id of a task of its own.
const Call calls[] = {
    {"heartbeat", "POST", "/api/agent/heartbeat", R"({"status": "idle"})", 200},
    {"bad_heartbeat", "POST", "/api/agent/heartbeat", "no json", 400},
    {"poll", "GET", "/api/agent/tasks", "", 200},
    {"config", "GET", "/api/agent/config", "", 200},
    {"status", "PATCH", "/api/agent/tasks/TASK/status", R"({"status": "executing"})", 200},
    {"bad_status", "PATCH", "/api/agent/tasks/TASK/status", R"({"status": "dancing"})", 400},
    {"result", "POST", "/api/agent/tasks/TASK/result", R"({"exit_code": 0})", 200},
    {"report", "POST", "/api/agent/report", R"({"hostname": "machine-a", "software": []})", 200},
    {"inventory", "POST", "/api/agent/inventory", R"({"hostname": "machine-a", "products": []})",
     200},
};

class FirstCall : public testing::TestWithParam<Call> {};

TEST_P(FirstCall, OfANewAgentEndsTheKeyOfTheOldOne) {
  Site site;
  const Device old = site.enrol("machine-a");
  EXPECT_EQ(site.heartbeat(old), 200);
  const Device fresh = site.enrol("machine-a");
  EXPECT_EQ(site.heartbeat(old), 200) << "until the new one calls";
  std::string target = GetParam().target;
  if (const auto at = target.find("TASK"); at != std::string::npos) {
    target.replace(at, 4, site.create_task(fresh));
  } else if (GetParam().name == "poll") {
    site.create_task(fresh);
  }
  const http::Response answer = site.as_device(fresh, GetParam().method, target, GetParam().body);
  EXPECT_EQ(answer.status, GetParam().status) << answer.body;
  EXPECT_EQ(site.heartbeat(old), 401);
  EXPECT_EQ(site.heartbeat(fresh), 200);
  EXPECT_EQ(site.server.log_lines, std::vector<std::string>{});
}

INSTANTIATE_TEST_SUITE_P(EveryRoute, FirstCall, testing::ValuesIn(calls),
                         [](const testing::TestParamInfo<Call>& call) { return call.param.name; });

TEST(DeviceCalls, ThatChangeNothingTouchNoStore) {
  Site site;
  const Device device = site.enrol("machine-a");
  ASSERT_EQ(site.heartbeat(device), 200);
  site.create_task(device);
  ASSERT_EQ(site.as_device(device, "GET", "/api/agent/tasks").status, 200);
  const std::int64_t before = site.commits();
  for (int i = 0; i < 50; ++i) {
    site.server.clock.advance(std::chrono::seconds(30));
    EXPECT_EQ(site.heartbeat(device), 200);
    EXPECT_EQ(site.as_device(device, "GET", "/api/agent/tasks").status, 204);
    EXPECT_EQ(site.as_device(device, "GET", "/api/agent/config").status, 200);
  }
  EXPECT_EQ(site.commits(), before);
}

/// What the answer to a heartbeat asks the agent to wait; 0: it asks for nothing.
std::int64_t asked_to_wait(const http::Response& answer) {
  EXPECT_EQ(answer.status, 200);
  JsonDocument document;
  const Json data = document.parse(answer.body).value().find("data").value();
  const auto next_in = data.find("next_in");
  return next_in ? next_in->integer().value() : 0;
}

TEST(DeviceCalls, HeartbeatsOfAStrainedServerAreAskedToWait) {
  Site site;
  const Device device = site.enrol("machine-a");
  const auto beat = [&](const std::string& body) {
    return site.as_device(device, "POST", "/api/agent/heartbeat", body);
  };
  const std::string ours = R"({"status": "idle", "config_hash": ""})";
  site.server.strained = true;
  // The first is written, the second is not.
  const std::int64_t seconds = asked_to_wait(beat(ours));
  EXPECT_GE(seconds, 60);
  EXPECT_LE(seconds, 120);
  EXPECT_EQ(asked_to_wait(beat(ours)), seconds);
  EXPECT_EQ(asked_to_wait(beat(R"({"status": "idle"})")), 0) << "it would not know the word";
  site.server.strained = false;
  EXPECT_EQ(asked_to_wait(beat(ours)), 0);
  EXPECT_EQ(site.server.app.counters.asked_to_wait, 2U);
}

TEST(DeviceCalls, ABodyThatComesAfterItsAgentWasSupersededIsRefused) {
  Site site;
  const Device old = site.enrol("machine-a");
  ASSERT_EQ(site.heartbeat(old), 200);
  const Device fresh = site.enrol("machine-a");
  http::Request slow;
  const auto headers = site.headers_of(old);
  slow.method = http::Method::post;
  slow.path = "/api/agent/heartbeat";
  slow.peer_address = "127.0.0.1";
  slow.now = site.server.clock.now();
  for (const auto& [name, value] : headers) ASSERT_TRUE(slow.headers.add(name, value));
  const auto admitted = site.server.dispatcher.admit(slow);
  ASSERT_TRUE(std::holds_alternative<http::Admission>(admitted));
  ASSERT_EQ(site.heartbeat(fresh), 200);
  slow.body = R"({"status": "idle"})";
  const http::Reply reply =
      site.server.dispatcher.handle(std::get<http::Admission>(admitted), slow);
  ASSERT_TRUE(std::holds_alternative<http::Response>(reply));
  EXPECT_EQ(std::get<http::Response>(reply).status, 401);
}

TEST(Dispatcher, IsUnavailableUntilTheServerIsReady) {
  Site site;
  site.server.app.ready = false;
  const http::Response answer = site.as_operator("GET", "/api/v1/orgs");
  EXPECT_EQ(answer.status, 503);
  ASSERT_EQ(answer.headers.size(), 1U);
  EXPECT_EQ(answer.headers[0].first, "Retry-After");
}

TEST(Dispatcher, ABrokenStoreIs503AndIsLoggedAndPasses) {
  Site site;
  const Device device = site.enrol("machine-a");
  ASSERT_EQ(site.heartbeat(device), 200);
  const std::string task = site.create_task(device);
  const std::string target = "/api/agent/tasks/" + task + "/result";
  site.server.fleet.store.write([](auto& tx) {
    tx.execute(
        "CREATE TRIGGER broken BEFORE INSERT ON results BEGIN SELECT RAISE(ABORT, 'x'); END");
  });
  const http::Response broken = site.as_device(device, "POST", target, R"({"exit_code": 0})");
  EXPECT_EQ(broken.status, 503) << broken.body;
  ASSERT_EQ(site.server.log_lines.size(), 1U);
  EXPECT_NE(site.server.log_lines[0].find("request_failed"), std::string::npos);
  EXPECT_EQ(site.heartbeat(device), 200) << "memory still answers";
  site.server.fleet.store.write([](auto& tx) { tx.execute("DROP TRIGGER broken"); });
  EXPECT_EQ(site.as_device(device, "POST", target, R"({"exit_code": 0})").status, 200);
}

TEST(Dispatcher, AnOutageIsLoggedWhenItBeginsAndThenCountedOnceAMinute) {
  Site site;
  const Device device = site.enrol("machine-a");
  ASSERT_EQ(site.heartbeat(device), 200);
  const std::string target = "/api/agent/tasks/" + site.create_task(device) + "/result";
  site.server.fleet.store.write([](auto& tx) {
    tx.execute(
        "CREATE TRIGGER broken BEFORE INSERT ON results BEGIN SELECT RAISE(ABORT, 'x'); END");
  });
  const auto fail = [&](int times) {
    for (int i = 0; i < times; ++i) {
      EXPECT_EQ(site.as_device(device, "POST", target, R"({"exit_code": 0})").status, 503);
    }
  };
  const auto tell = [&] {
    site.server.app.failures.tell(site.server.clock.now());
    return std::exchange(site.server.log_lines, {});
  };
  fail(5);
  const std::vector<std::string> begun = tell();
  ASSERT_EQ(begun.size(), 2U);
  EXPECT_NE(begun[1].find(R"("count": 4)"), std::string::npos) << begun[1];
  fail(2);
  EXPECT_EQ(tell().size(), 0U) << "within the minute";
  site.server.clock.advance(FailureLog::tell_every);
  fail(1);
  const std::vector<std::string> going_on = tell();
  ASSERT_EQ(going_on.size(), 1U);
  EXPECT_NE(going_on[0].find(R"("count": 3)"), std::string::npos) << going_on[0];
  site.server.clock.advance(FailureLog::tell_every);
  EXPECT_EQ(tell().size(), 0U) << "over";
  fail(1);
  EXPECT_EQ(site.server.log_lines.size(), 1U) << "another begins";
}

TEST(Routes, EveryRowIsFoundByItsOwnPath) {
  http::Router router;
  for (std::size_t row = 0; row < routes().size(); ++row) {
    router.add(routes()[row].method, routes()[row].path, row);
  }
  for (std::size_t row = 0; row < routes().size(); ++row) {
    std::string path(routes()[row].path);
    while (path.find(':') != std::string::npos) {
      const auto at = path.find(':');
      path.replace(at, path.find('/', at) - at, "x");
    }
    http::Params params;
    const auto match = router.match(routes()[row].method, path, params);
    EXPECT_EQ(match.outcome, http::Router::Outcome::found) << path;
    EXPECT_EQ(match.row, row) << path;
  }
}

TEST(ReturningAgent, IsRefusedForAsLongAsARequestMayComeLateAndThenGetsAHostOfItsOwn) {
  Site site;
  const Device first = site.enrol("machine-a");
  ASSERT_EQ(site.heartbeat(first), 200);
  const Device second = site.enrol("machine-a");
  ASSERT_EQ(site.heartbeat(second), 200);
  EXPECT_EQ(site.heartbeat(first), 401);
  const Duration pause = 2 * site.server.config.clock_skew();
  site.server.clock.advance(pause - Duration(1));
  EXPECT_EQ(site.heartbeat(first), 401);
  site.server.clock.advance(Duration(1));
  const http::Response told =
      site.as_device(first, "POST", "/api/agent/heartbeat", R"({"status": "idle"})");
  EXPECT_EQ(told.status, 503) << "agents repeat that";
  for (const Device& device : {first, second}) EXPECT_EQ(site.heartbeat(device), 200);
  const auto host_of = [&](const Device& device) {
    JsonDocument document;
    const auto body = site.as_operator("GET", "/api/v1/agents/" + device.id).body;
    return document.parse(body).value().find("asset_id")->integer();
  };
  EXPECT_NE(host_of(first), host_of(second));
}

}  // namespace
}  // namespace muster::endpoints
