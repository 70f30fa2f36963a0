// SPDX-License-Identifier: Apache-2.0
// The work of the common requests, for callgrind to count instructions of: the same numbers on
// every run, unlike times. bench/gate.py runs this and compares with bench/counts.json.
#include <valgrind/callgrind.h>

#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "endpoints/testing.h"
#include "net/head.h"
#include "version/scheme.h"
#include "vuln/match.h"

using namespace muster;

namespace {

constexpr int warm_ups = 3;
constexpr int runs = 20;

/// Counts `runs` times `work`, in the state that warming up leaves, under `name`.
void count(const char* name, const std::function<void()>& work) {
  for (int i = 0; i < warm_ups; ++i) work();
  CALLGRIND_START_INSTRUMENTATION;
  CALLGRIND_ZERO_STATS;
  for (int i = 0; i < runs; ++i) work();
  CALLGRIND_DUMP_STATS_AT(name);
  CALLGRIND_STOP_INSTRUMENTATION;
  std::cout << name << ' ' << runs << '\n';
}

std::string text_of(const http::Response& response, const char* object, const char* member) {
  const Json body = thread_json().parse(response.body).value();
  const Json inner = object == nullptr ? body : body.find(object).value();
  return std::string(inner.find(member).value().string().value());
}

/// A host's report; five packages are a version further in odd editions.
std::string report_body(int edition) {
  JsonWriter json;
  json.begin_object().member("hostname", "counted-host").key("os").begin_object();
  json.member("name", "Debian GNU/Linux").member("version", "12 (bookworm)").end_object();
  json.key("software").begin_array();
  for (int i = 0; i < 500; ++i) {
    json.begin_object()
        .member("name", "package-" + std::to_string(i))
        .member("version", i % 100 == 50 && edition % 2 == 1 ? "2.28-2" : "2.28-1")
        .member("ecosystem", "deb")
        .end_object();
  }
  return json.end_array().end_object().take();
}

/// One server, one enrolled agent, one site key.
class Site {
 public:
  Site() {
    key_ = text_of(as_operator("/api/v1/keys", R"({"name": "site"})"), nullptr, "key");
    const std::string token =
        text_of(as_operator("/api/v1/tokens", R"({"max_uses": 1000})"), nullptr, "token");
    enrol_body_ = R"({"token": ")" + token + R"(", "hostname": "agent-one", "os": "linux", )" +
                  R"("arch": "amd64", "agent_version": "1.0.0", "machine_id": "m"})";
    const http::Response enrolled = enrol();
    agent_ = text_of(enrolled, "data", "agent_id");
    agent_key_ = text_of(enrolled, "data", "api_key");
    heartbeat();
  }

  http::Response enrol() { return server_.ask({"POST", "/api/agent/enroll", {}, enrol_body_}); }
  void heartbeat() {
    const http::Response answer =
        as_agent("POST", "/api/agent/heartbeat",
                 R"({"status": "idle", "current_task": null, "agent_version": "1.0.0", "system":)"
                 R"( {"uptime_seconds": 86400, "cpu_percent": 15, "memory_mb": 4096}})");
    CHECK(answer.status == 200);
  }
  void poll() { CHECK(as_agent("GET", "/api/agent/tasks", "").status == 204); }
  void report(const std::string& body) {
    const http::Response answer =
        server_.ask({"POST", "/api/agent/report", {{"X-Agent-Key", key_}}, body});
    CHECK(answer.status == 200);
  }
  std::string create_task() {
    const http::Response created = as_operator(
        "/api/v1/tasks",
        R"({"type": "execute_command", "command": "id", "agent_ids": [")" + agent_ + R"("]})");
    std::string id;
    thread_json().parse(created.body)->find("task_ids")->for_each([&](const Json& task) {
      id = task.string().value();
    });
    return id;
  }
  void result(const std::string& task) {
    const http::Response answer =
        as_agent("POST", "/api/agent/tasks/" + task + "/result",
                 R"({"exit_code": 0, "stdout": "uid=0", "stderr": "", "hostname": "agent-one"})");
    CHECK(answer.status == 200);
  }

 private:
  http::Response as_operator(const std::string& target, const std::string& body) {
    return server_.ask(
        {"POST", target, {{"Authorization", "Bearer " + server_.admin_token}}, body});
  }
  http::Response as_agent(const std::string& method, const std::string& target,
                          const std::string& body) {
    return server_.ask({method,
                        target,
                        {{"X-Agent-Key", agent_key_},
                         {"X-Agent-ID", agent_},
                         {"X-Request-Timestamp", format_rfc3339(server_.clock.now())}},
                        body});
  }

  static Config without_limits() {
    Config config;
    config.limits_report_per_minute = 0;
    config.limits_device_per_minute = 0;
    return config;
  }

  endpoints::TestServer server_{without_limits()};
  std::string key_, agent_, agent_key_, enrol_body_;
};

void count_requests() {
  Site site;
  count("heartbeat", [&] { site.heartbeat(); });
  count("poll_without_task", [&] { site.poll(); });
  const std::string reports[] = {report_body(0), report_body(1)};
  int edition = 0;
  count("report_500_packages_5_changed", [&] { site.report(reports[edition++ % 2]); });
  count("report_500_packages_unchanged", [&] { site.report(reports[0]); });
  std::vector<std::string> tasks;
  for (int i = 0; i < warm_ups + runs; ++i) tasks.push_back(site.create_task());
  count("result", [&] {
    site.result(tasks.back());
    tasks.pop_back();
  });
  count("enrolment", [&] { CHECK(site.enrol().status == 201); });
}

void count_head() {
  const std::string head =
      "POST /api/agent/heartbeat HTTP/1.1\r\nHost: muster.example:8480\r\n"
      "User-Agent: agent/1.0\r\nContent-Type: application/json\r\nContent-Length: 338\r\n"
      "X-Agent-Key: ak_" +
      std::string(64, '7') +
      "\r\n"
      "X-Agent-ID: 0190f1c2-0000-7000-8000-000000000001\r\n"
      "X-Request-Timestamp: 2026-03-21T14:30:00Z\r\n\r\n";
  std::string memory;
  count("request_head", [&] {
    net::RequestParser parser;
    http::Request request;
    memory = head;
    CHECK(!parser.parse_head(memory, request));
  });
}

void count_versions() {
  count("compare_100_deb_versions", [] {
    int older = 0;
    for (int i = 0; i < 100; ++i) {
      const std::string version = "1:2." + std::to_string(i) + "-1+deb12u1";
      older += version::compare(version::Scheme::deb, version, "1:2.50-1+deb12u2").value() < 0;
    }
    CHECK(older > 0);
  });
}

void count_matching() {
  std::vector<model::Advisory> advisories;
  for (int i = 0; i < 2000; ++i) {
    model::Advisory advisory;
    advisory.feed = "debian";
    advisory.id = "CVE-2025-" + std::to_string(10000 + i);
    advisory.ecosystem = model::Ecosystem::deb;
    advisory.distro = "debian:12";
    advisory.package = "package-" + std::to_string(i % 400);
    advisory.ranges = {{"", "1." + std::to_string(i % 30) + "-1", ""}};
    advisories.push_back(std::move(advisory));
  }
  const auto index = vuln::Index::build(advisories);
  count("match_500_packages", [&] {
    for (int i = 0; i < 500; ++i) {
      model::Package package;
      package.name = "package-" + std::to_string(i);
      package.version = "1.20-1";
      package.ecosystem = model::Ecosystem::deb;
      package.distro = "debian:12";
      CHECK(vuln::match(*index, package).state != vuln::State::not_assessed);
    }
  });
}

}  // namespace

int main() {
  count_requests();
  count_head();
  count_versions();
  count_matching();
  return 0;
}
