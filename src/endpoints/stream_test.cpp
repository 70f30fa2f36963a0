// SPDX-License-Identifier: Apache-2.0
// What whoever watches is told of what others do, over the whole server without sockets.
#include <gtest/gtest.h>

#include "base/json_read.h"
#include "endpoints/testing.h"
#include "fleet/presence.h"

namespace muster::endpoints {
namespace {

using Names = std::vector<std::string>;

std::string member(const std::string& body, std::string_view name) {
  JsonDocument document;
  return std::string(document.parse(body).value().find(name).value().string().value());
}

class Streams : public ::testing::Test {
 protected:
  struct Device {
    std::string id;
    std::string key;
  };

  http::Response ask(const std::string& method, const std::string& target,
                     const std::string& body = {}) {
    return server.ask({method, target, {{"Authorization", "Bearer " + server.admin_token}}, body});
  }
  http::Response ask_as(const Device& device, const std::string& method, const std::string& target,
                        const std::string& body = {}) {
    return server.ask({method,
                       target,
                       {{"X-Agent-Key", device.key},
                        {"X-Agent-ID", device.id},
                        {"X-Request-Timestamp", format_rfc3339(server.clock.now())}},
                       body});
  }
  Device enrol(const std::string& hostname, const std::string& org = "default") {
    const std::string token =
        member(ask("POST", "/api/v1/tokens", R"({"org": ")" + org + R"("})").body, "token");
    const http::Response answer =
        server.ask({"POST",
                    "/api/agent/enroll",
                    {},
                    R"({"token": ")" + token + R"(", "hostname": ")" + hostname +
                        R"(", "os": "linux", "arch": "amd64", "agent_version": "1.0"})"});
    EXPECT_EQ(answer.status, 201) << answer.body;
    JsonDocument document;
    const Json data = document.parse(answer.body).value().find("data").value();
    return {std::string(*data.find("agent_id")->string()),
            std::string(*data.find("api_key")->string())};
  }
  std::string create_task(const Device& device) {
    const http::Response answer = ask(
        "POST", "/api/v1/tasks",
        R"({"type": "execute_command", "command": "id", "agent_ids": [")" + device.id + R"("]})");
    EXPECT_EQ(answer.status, 201) << answer.body;
    const auto quote = answer.body.find("[\"") + 2;
    return answer.body.substr(quote, 36);
  }

  using Source = std::shared_ptr<http::LiveSource>;
  /// A stream that has caught up with what went before.
  Source watch(const std::string& target, std::pair<std::string, std::string> proof) {
    http::Response response = server.answer({"GET", target, {std::move(proof)}, {}});
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(response.content_type, "text/event-stream");
    tell();
    response.live->take();
    return response.live;
  }
  Source watch(const std::string& target = "/api/v1/stream") {
    return watch(target, {"Authorization", "Bearer " + server.admin_token});
  }
  void tell() {
    server.clock.advance(std::chrono::seconds(1));
    server.wiring.tell_watchers(server.clock.now());
  }
  static std::string said(const Source& source) { return source->take().value_or("over"); }
  /// Whether the next message names it.
  bool tells(const Source& source, const std::string& topic) {
    tell();
    return said(source).find('"' + topic + '"') != std::string::npos;
  }

  TestServer server;
};

TEST_F(Streams, TellOfATaskFromItsCreationToItsResult) {
  const Device device = enrol("web-1");
  ask_as(device, "POST", "/api/agent/heartbeat", R"({"status": "idle"})");
  const Source source = watch();
  const std::string task = create_task(device);
  EXPECT_TRUE(tells(source, "tasks")) << "created";
  EXPECT_EQ(ask_as(device, "GET", "/api/agent/tasks").status, 200);
  EXPECT_TRUE(tells(source, "tasks")) << "given out";
  EXPECT_EQ(
      ask_as(device, "PATCH", "/api/agent/tasks/" + task + "/status", R"({"status": "executing"})")
          .status,
      200);
  EXPECT_TRUE(tells(source, "tasks")) << "begun";
  EXPECT_EQ(ask_as(device, "POST", "/api/agent/tasks/" + task + "/result",
                   R"({"exit_code": 0, "stdout": "x", "stderr": ""})")
                .status,
            200);
  EXPECT_TRUE(tells(source, "results")) << "done";
}

TEST_F(Streams, SayNothingOfWhatChangesNothing) {
  const Device device = enrol("web-1");
  ask_as(device, "POST", "/api/agent/heartbeat", R"({"status": "idle"})");
  const Source source = watch();
  ask_as(device, "POST", "/api/agent/heartbeat", R"({"status": "idle"})");
  EXPECT_EQ(ask_as(device, "GET", "/api/agent/tasks").status, 204);
  ask("GET", "/api/v1/tasks");
  EXPECT_EQ(ask("POST", "/api/v1/tasks", R"({"type": "execute_command"})").status, 400);
  tell();
  EXPECT_EQ(said(source), "");
}

TEST_F(Streams, OfOneOrganisationTellNothingOfAnother) {
  ASSERT_EQ(ask("POST", "/api/v1/orgs", R"({"name": "b"})").status, 201);
  const Device of_a = enrol("web-a");
  const Device of_b = enrol("web-b", "b");
  for (const Device& each : {of_a, of_b}) {
    ask_as(each, "POST", "/api/agent/heartbeat", R"({"status": "idle"})");
  }
  const Source watches_a = watch("/api/v1/stream?org=default");
  const Source watches_b = watch("/api/v1/stream?org=b");
  const std::string task = create_task(of_b);
  tell();
  EXPECT_EQ(said(watches_a), "");
  EXPECT_NE(said(watches_b).find("tasks"), std::string::npos);
  ask_as(of_b, "POST", "/api/agent/tasks/" + task + "/result",
         R"({"exit_code": 0, "stdout": "", "stderr": ""})");
  tell();
  EXPECT_EQ(said(watches_a), "");
  EXPECT_NE(said(watches_b).find("results"), std::string::npos);
}

TEST_F(Streams, EndWithinASecondOnceTheirTokenIsRevoked) {
  const std::string body =
      ask("POST", "/api/v1/operators", R"({"name": "ann", "role": "read_only"})").body;
  const Source source =
      watch("/api/v1/stream", {"Authorization", "Bearer " + member(body, "token")});
  tell();
  EXPECT_EQ(said(source), "");
  JsonDocument document;
  const auto id = document.parse(body).value().find("id")->integer().value();
  ASSERT_EQ(ask("DELETE", "/api/v1/operators/" + std::to_string(id)).status, 200);
  tell();
  EXPECT_EQ(said(source), "over");
}

TEST_F(Streams, OfWhoHasARoleInOneOrganisationTellOfThatAndEndWithTheRole) {
  ASSERT_EQ(ask("POST", "/api/v1/orgs", R"({"name": "b"})").status, 201);
  const Device of_a = enrol("web-a");
  const Device of_b = enrol("web-b", "b");
  for (const Device& each : {of_a, of_b}) {
    ask_as(each, "POST", "/api/agent/heartbeat", R"({"status": "idle"})");
  }
  const std::string body =
      ask("POST", "/api/v1/operators", R"({"name": "bob", "role": "read_only", "org": "b"})").body;
  const std::string bearer = "Bearer " + member(body, "token");
  EXPECT_EQ(
      server.ask({"GET", "/api/v1/stream?org=default", {{"Authorization", bearer}}, {}}).status,
      404);
  const Source source = watch("/api/v1/stream", {"Authorization", bearer});
  create_task(of_a);
  tell();
  EXPECT_EQ(said(source), "");
  create_task(of_b);
  EXPECT_TRUE(tells(source, "tasks"));
  JsonDocument document;
  const auto id = document.parse(body).value().find("id")->integer().value();
  ASSERT_EQ(ask("DELETE", "/api/v1/operators/" + std::to_string(id) + "/grants/b").status, 200);
  tell();
  EXPECT_EQ(said(source), "over");
}

TEST_F(Streams, OfASessionEndWhenItIsSignedOut) {
  const std::string url = member(ask("POST", "/api/v1/console/links").body, "url");
  const http::Response signed_in = server.ask(
      {"POST", "/api/v1/sessions", {}, R"({"link": ")" + url.substr(url.find('#') + 1) + R"("})"});
  ASSERT_EQ(signed_in.status, 201) << signed_in.body;
  std::string cookie;
  for (const auto& [name, value] : signed_in.headers) {
    if (name == "Set-Cookie") cookie = value.substr(0, value.find(';'));
  }
  const Source source = watch("/api/v1/stream", {"Cookie", cookie});
  ASSERT_EQ(server
                .ask({"DELETE",
                      "/api/v1/sessions/current",
                      {{"Cookie", cookie}, {"X-Muster-Console", "1"}},
                      {}})
                .status,
            200);
  tell();
  EXPECT_EQ(said(source), "over");
}

TEST_F(Streams, AreCountedAndBounded) {
  std::vector<Source> sources;
  for (std::size_t i = 0; i < fleet::Watchers::watchers_per_operator; ++i) {
    sources.push_back(watch());
  }
  const http::Response refused = ask("GET", "/api/v1/stream");
  EXPECT_EQ(refused.status, 429);
  const bool says_when = std::any_of(refused.headers.begin(), refused.headers.end(),
                                     [](const auto& each) { return each.first == "Retry-After"; });
  EXPECT_TRUE(says_when);
  EXPECT_NE(ask("GET", "/metrics").body.find("\nmuster_watchers 16\n"), std::string::npos);
  sources.clear();
  EXPECT_NE(ask("GET", "/metrics").body.find("\nmuster_watchers 0\n"), std::string::npos);
}

}  // namespace
}  // namespace muster::endpoints
