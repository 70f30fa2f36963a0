// SPDX-License-Identifier: Apache-2.0
// A heartbeat that changes nothing, from its parsed head to its answer: what the product adds to
// the session (net/) in the path of which a server serves most. Aim: 1 us.
#include <array>

#include <benchmark/benchmark.h>

#include "base/json_read.h"
#include "endpoints/testing.h"

namespace muster::endpoints {
namespace {

constexpr int agents = 10'000;

/// The seed's own example.
const std::string heartbeat_body = R"({
"timestamp": "2026-03-21T14:30:00Z",
"status": "idle",
"current_task": null,
"system": {
"hostname": "WORKSTATION-01",
"os": "windows",
"arch": "amd64",
"uptime_seconds": 86400,
"cpu_percent": 15,
"memory_mb": 4096,
"disk_free_mb": 50000,
"process_cpu_percent": 2,
"process_memory_mb": 25
},
"agent_version": "0.5.11"
})";

struct EnrolledAgent {
  std::string key;
  std::string id;
};

/// A server with enrolled agents that have all sent their first heartbeat.
struct Beating {
  Beating() {
    Config of;
    of.limits_device_per_minute = 1'000'000'000;  // counted, never reached
    server = std::make_unique<TestServer>(of);
    const http::Response token = server->ask({"POST",
                                              "/api/v1/tokens",
                                              {{"Authorization", "Bearer " + server->admin_token}},
                                              R"({"ttl_seconds": 3600, "max_uses": 1000000})"});
    const std::string secret = text_of(token, nullptr, "token");
    for (int i = 0; i < agents; ++i) {
      const http::Response enrolled =
          server->ask({"POST",
                       "/api/agent/enroll",
                       {},
                       R"({"token": ")" + secret + R"(", "hostname": "host-)" + std::to_string(i) +
                           R"(", "os": "windows", "arch": "amd64", "agent_version": "0.5.11"})"});
      known.push_back(
          {text_of(enrolled, "data", "api_key"), text_of(enrolled, "data", "agent_id")});
      CHECK(beat(known.back()).status == 200);
    }
  }

  static std::string text_of(const http::Response& response, const char* object,
                             std::string_view member) {
    const Result<Json> body = thread_json().parse(response.body);
    CHECK(body.ok());
    const auto inner = object == nullptr ? std::optional<Json>(*body) : body->find(object);
    CHECK(inner.has_value());
    return std::string(inner->find(member).value().string().value());
  }

  void fill(http::Request& request, const EnrolledAgent& agent) const {
    request.method = http::Method::post;
    request.path = "/api/agent/heartbeat";
    request.headers.add("Host", "muster.example:8480");
    request.headers.add("User-Agent", "agent/0.5.11");
    request.headers.add("Content-Type", "application/json");
    request.headers.add("Content-Length", "338");
    request.headers.add("X-Agent-Key", agent.key);
    request.headers.add("X-Agent-ID", agent.id);
    request.headers.add("X-Request-Timestamp", "2026-03-21T14:30:00Z");
    request.body = heartbeat_body;
    request.peer_address = "192.0.2.7";
    request.now = server->clock.now();
  }

  http::Response beat(const EnrolledAgent& agent) {
    return server->ask({"POST",
                        "/api/agent/heartbeat",
                        {{"X-Agent-Key", agent.key},
                         {"X-Agent-ID", agent.id},
                         {"X-Request-Timestamp", "2026-03-21T14:30:00Z"}},
                        heartbeat_body});
  }

  std::unique_ptr<TestServer> server;
  std::vector<EnrolledAgent> known;
};

Beating& beating() {
  static Beating instance;
  return instance;
}

/// Steps through `count` agents; neighbours in time are not neighbours in memory.
struct Turn {
  std::size_t count;
  std::size_t at = 0;
  std::size_t next() { return at = (at + 4801) % count; }
};

/// What the next agents send. A server has just read those bytes from a socket, so they are in its
/// cache, unlike what it remembers of the agent; they are copied here outside the measured time.
class Arrived {
 public:
  Arrived(benchmark::State& state, const Beating& fleet)
      : state_(state), fleet_(fleet), turn_{static_cast<std::size_t>(state.range(0))} {}

  const EnrolledAgent& next() {
    if (at_ == batch_.size()) {
      state_.PauseTiming();
      for (EnrolledAgent& agent : batch_) agent = fleet_.known[turn_.next()];
      at_ = 0;
      state_.ResumeTiming();
    }
    return batch_[at_++];
  }

 private:
  benchmark::State& state_;
  const Beating& fleet_;
  Turn turn_;
  std::array<EnrolledAgent, 64> batch_;
  std::size_t at_ = batch_.size();
};

/// The argument is how many agents take turns: with one, everything of it is in the first cache.
void dispatch_heartbeat(benchmark::State& state) {
  Beating& fleet = beating();
  Arrived arrived(state, fleet);
  for (auto _ : state) {
    http::Request request;
    fleet.fill(request, arrived.next());
    auto admitted = fleet.server->dispatcher.admit(request);
    auto* admission = std::get_if<http::Admission>(&admitted);
    CHECK(admission != nullptr);
    http::Reply reply = fleet.server->dispatcher.handle(*admission, request);
    const auto* response = std::get_if<http::Response>(&reply);
    CHECK(response != nullptr && response->status == 200);
    benchmark::DoNotOptimize(response->body.data());
  }
}
BENCHMARK(dispatch_heartbeat)->Arg(agents)->Arg(1);

/// The first half of it: route, key, clock, limit.
void admit_heartbeat(benchmark::State& state) {
  Beating& fleet = beating();
  Arrived arrived(state, fleet);
  for (auto _ : state) {
    http::Request request;
    fleet.fill(request, arrived.next());
    auto admitted = fleet.server->dispatcher.admit(request);
    CHECK(std::holds_alternative<http::Admission>(admitted));
    benchmark::DoNotOptimize(admitted);
  }
}
BENCHMARK(admit_heartbeat)->Arg(agents)->Arg(1);

}  // namespace
}  // namespace muster::endpoints
