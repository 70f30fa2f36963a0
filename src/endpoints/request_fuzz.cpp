// SPDX-License-Identifier: Apache-2.0
// Any body on any route, from callers who proved who they are: every decoder of the wire, and what
// stands behind it. The first octet picks the route. Input never breaks the server: no 5xx, and
// what it answers is JSON.
#include <memory>

#include "base/json_read.h"
#include "endpoints/testing.h"

namespace {

using namespace muster;
using endpoints::TestRequest;
using Headers = std::vector<std::pair<std::string, std::string>>;

std::string text_of(const http::Response& response, const char* object, const char* member) {
  const Json body = thread_json().parse(response.body).value();
  const Json inner = object == nullptr ? body : body.find(object).value();
  return std::string(inner.find(member).value().string().value());
}

/// A server with one of each kind of caller; made anew before it grows large.
struct Site {
  Site() {
    Config config;
    config.limits_report_per_minute = 0;
    config.limits_heartbeat_per_minute = 0;
    config.limits_device_per_minute = 0;
    server = std::make_unique<endpoints::TestServer>(config);
    as_operator = {{"Authorization", "Bearer " + server->admin_token}};
    const auto created = [&](const char* target, const char* body) {
      return server->ask({"POST", target, as_operator, body});
    };
    as_site = {
        {"X-Agent-Key", text_of(created("/api/v1/keys", R"({"name": "s"})"), nullptr, "key")}};
    const std::string token = text_of(created("/api/v1/tokens", "{}"), nullptr, "token");
    const http::Response enrolled = server->ask(
        {"POST",
         "/api/agent/enroll",
         {},
         R"({"token": ")" + token +
             R"(", "hostname": "h", "os": "linux", "arch": "amd64", "agent_version": "1"})"});
    agent = text_of(enrolled, "data", "agent_id");
    as_agent = {{"X-Agent-Key", text_of(enrolled, "data", "api_key")},
                {"X-Agent-ID", agent},
                {"X-Request-Timestamp", format_rfc3339(server->clock.now())}};
    const http::Response task =
        created("/api/v1/tasks", (R"({"type": "execute_command", "command": "id",)"
                                  R"( "agent_ids": [")" +
                                  agent + R"("]})")
                                     .c_str());
    thread_json().parse(task.body)->find("task_ids")->for_each([&](const Json& id) {
      tasks = "/api/agent/tasks/" + std::string(id.string().value());
    });
  }

  std::unique_ptr<endpoints::TestServer> server;
  Headers as_operator, as_site, as_agent;
  std::string agent, tasks;
  int requests = 0;
};

TestRequest request_of(const Site& site, std::uint8_t route, std::string body) {
  switch (route % 14) {
    case 0:
      return {"POST", "/api/agent/enroll", {}, std::move(body)};
    case 1:
      return {"POST", "/api/agent/heartbeat", site.as_agent, std::move(body)};
    case 2:
      return {"POST", site.tasks + "/result", site.as_agent, std::move(body)};
    case 3:
      return {"PATCH", site.tasks + "/status", site.as_agent, std::move(body)};
    case 4:
      return {"POST", "/api/agent/report", site.as_site, std::move(body)};
    case 5:
      return {"POST", "/api/agent/inventory", site.as_site, std::move(body)};
    case 6:
      return {"POST", "/api/agent/heartbeat", site.as_site, std::move(body)};
    case 7:
      return {"POST", "/api/agent/report", site.as_agent, std::move(body)};
    case 8:
      return {"POST", "/api/v1/tokens", site.as_operator, std::move(body)};
    case 9:
      return {"POST", "/api/v1/keys", site.as_operator, std::move(body)};
    case 10:
      return {"POST", "/api/v1/tasks", site.as_operator, std::move(body)};
    case 11:
      return {"PUT", "/api/v1/settings?scope=org&target=1", site.as_operator, std::move(body)};
    case 12:
      return {"GET", "/api/v1/hosts?" + body, site.as_operator, ""};
    default: {
      Headers gzipped = site.as_site;
      gzipped.emplace_back("Content-Encoding", "gzip");
      return {"POST", "/api/agent/report", gzipped, std::move(body)};
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static std::unique_ptr<Site> site;
  if (size == 0) return 0;
  if (!site || ++site->requests > 20'000) site = std::make_unique<Site>();
  const std::string body(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const http::Response response = site->server->ask(request_of(*site, bytes[0], body));
  CHECK(response.status >= 200 && response.status < 500);
  CHECK(response.body.empty() || thread_json().parse(response.body).ok());
  return 0;
}
