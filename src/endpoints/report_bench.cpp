// SPDX-License-Identifier: Apache-2.0
// Reports of 500 packages, from body to durable answer: parse, intern, diff, match, write, commit.
// A hundred thousand advisory rows are loaded. `cpu_us` is the processor time of the whole process
// for one report, which is what bounds a server; the argument is how many reports share a commit,
// as group commit has it (1: an idle server, 20: a busy one). Aim for 5 packages in and 5 out of
// 500: 350 us.
#include <ctime>
#include <latch>

#include <benchmark/benchmark.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "endpoints/testing.h"

namespace muster::endpoints {
namespace {

constexpr std::size_t sources = 3500;
constexpr std::size_t flaws_of_a_source = 5;
constexpr std::size_t packages_of_a_host = 500;
constexpr std::size_t hosts = 100;

double cpu_seconds() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

/// The shape of Debian's tracker: six rows for each flaw. Of the flaws in the hosts' own release
/// most are fixed in versions that everybody has, and one in fifty has no fix.
std::string tracker() {
  JsonWriter json;
  json.begin_object();
  for (std::size_t source = 0; source < sources; ++source) {
    json.key("package-" + std::to_string(source)).begin_object();
    for (std::size_t flaw = 0; flaw < flaws_of_a_source; ++flaw) {
      const std::size_t number = source * flaws_of_a_source + flaw;
      json.key("CVE-2025-" + std::to_string(10000 + number)).begin_object();
      json.member("description", "A description of flaw " + std::to_string(number));
      json.key("releases").begin_object();
      for (const char* release : {"buster", "bullseye", "bookworm", "trixie", "forky", "sid"}) {
        json.key(release).begin_object();
        if (number % 50 == 0) {
          json.member("status", "open").member("urgency", "low");
        } else {
          json.member("status", "resolved")
              .member("fixed_version", "1." + std::to_string(number % 30) + "-1+deb12u1")
              .member("urgency", "not yet assigned");
        }
        json.end_object();
      }
      json.end_object().end_object();
    }
    json.end_object();
  }
  json.end_object();
  return json.take();
}

/// A host's report: 500 of 3,500 packages. Five of them are a version further for odd `edition`s.
std::string report_body(std::size_t host, const std::string& hostname, std::size_t edition) {
  JsonWriter json;
  json.begin_object().member("hostname", hostname);
  json.key("os").begin_object().member("name", "Debian GNU/Linux");
  json.member("version", "12 (bookworm)").end_object();
  json.key("software").begin_array();
  for (std::size_t i = 0; i < packages_of_a_host; ++i) {
    const std::size_t source = (host * 131 + i * 7) % sources;
    const bool further = i % 100 == 50 && edition % 2 == 1;
    json.begin_object()
        .member("name", "package-" + std::to_string(source))
        .member("version", further ? "2.28-2" : "2.28-1")
        .member("vendor", "Debian")
        .member("ecosystem", "deb")
        .member("arch", "amd64")
        .end_object();
  }
  json.end_array().end_object();
  return json.take();
}

/// A server with the feed, and hosts whose two editions it has both seen.
struct Reporting {
  Reporting() {
    Config of;
    of.limits_report_per_minute = 0;
    server = std::make_unique<TestServer>(of);
    const std::pair<std::string, std::string> token = {"Authorization",
                                                       "Bearer " + server->admin_token};
    const http::Response created =
        server->ask({"POST", "/api/v1/keys", {token}, R"({"name": "site"})"});
    key = thread_json().parse(created.body)->find("key")->string().value();
    CHECK(server->ask({"POST", "/api/v1/feeds/debian", {token}, tracker()}).status == 200);
    for (std::size_t host = 0; host < hosts; ++host) {
      const std::string hostname = "host-" + std::to_string(host);
      for (std::size_t edition = 0; edition < 2; ++edition) {
        bodies[edition].push_back(report_body(host, hostname, edition));
        CHECK(report(bodies[edition].back()).status == 200);
      }
    }
    server->fleet.store.start_writer();
  }

  http::Response report(const std::string& body) {
    return server->ask({"POST", "/api/agent/report", {{"X-Agent-Key", key}}, body});
  }

  /// One commit with all of these, as when they queued behind another one.
  void report_together(const std::vector<const std::string*>& together) {
    std::latch queued(1);
    std::latch answered(static_cast<std::ptrdiff_t>(together.size()));
    if (together.size() > 1) hold_writer_until(queued);
    for (const std::string* body : together) {
      http::Request request;
      request.method = http::Method::post;
      request.path = "/api/agent/report";
      request.headers.add("X-Agent-Key", key);
      request.body = *body;
      request.peer_address = "192.0.2.7";
      request.now = server->clock.now();
      auto admitted = server->dispatcher.admit(request);
      const auto& admission = std::get<http::Admission>(admitted);
      http::Reply reply = server->dispatcher.handle(admission, request);
      auto write = std::get<http::Write>(std::move(reply));
      Dispatcher::Respond respond = [&](http::Response response) {
        CHECK(response.status == 200);
        answered.count_down();
      };
      CHECK(server->dispatcher.commit(admission, write, respond));
    }
    queued.count_down();
    answered.wait();
    server->clock.advance(Duration(1));
  }

  void hold_writer_until(std::latch& queued) {
    store::Work wait = [&](store::Tx&) {
      queued.wait();
      return true;
    };
    store::Done ignored = [](std::exception_ptr) {};
    CHECK(server->fleet.store.submit(wait, ignored));
  }

  std::unique_ptr<TestServer> server;
  std::string key;
  std::array<std::vector<std::string>, 2> bodies;  // by edition
};

Reporting& reporting() {
  static Reporting instance;
  return instance;
}

/// Calls `next_body()` for each report of a batch, outside the measured time.
template <typename F>
void report_in_batches(benchmark::State& state, F&& next_body) {
  Reporting& site = reporting();
  const auto batch = static_cast<std::size_t>(state.range(0));
  std::size_t reports = 0;
  double used = 0;
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<const std::string*> together;
    while (together.size() < batch) together.push_back(next_body());
    const double before = cpu_seconds();
    state.ResumeTiming();
    site.report_together(together);
    used += cpu_seconds() - before;
    reports += batch;
  }
  state.counters["cpu_us"] = used / static_cast<double>(reports) * 1e6;
  state.SetItemsProcessed(static_cast<std::int64_t>(reports));
}

void report_five_in_five_out(benchmark::State& state) {
  static std::size_t turn = 0;  // goes on: each report has to differ from the host's last one
  report_in_batches(state, [&] {
    const std::size_t host = turn % hosts;
    const std::size_t edition = turn / hosts % 2;
    ++turn;
    return &reporting().bodies[edition][host];
  });
}
BENCHMARK(report_five_in_five_out)->Arg(1)->Arg(20)->UseRealTime()->Unit(benchmark::kMicrosecond);

void report_unchanged(benchmark::State& state) {
  std::size_t turn = 0;
  for (const std::string& body : reporting().bodies[1]) {
    reporting().report_together({&body});
  }
  report_in_batches(state, [&] { return &reporting().bodies[1][turn++ % hosts]; });
}
BENCHMARK(report_unchanged)->Arg(1)->Arg(20)->UseRealTime()->Unit(benchmark::kMicrosecond);

void report_first(benchmark::State& state) {
  static std::size_t host = hosts;
  std::vector<std::unique_ptr<std::string>> kept;
  report_in_batches(state, [&] {
    ++host;
    kept.push_back(
        std::make_unique<std::string>(report_body(host, "new-" + std::to_string(host), 0)));
    return kept.back().get();
  });
}
BENCHMARK(report_first)
    ->Arg(1)
    ->Arg(20)
    ->Iterations(100)
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace muster::endpoints
