// SPDX-License-Identifier: Apache-2.0
#include "sim/server.h"

#include <fstream>

#include <sqlite3.h>

#include "base/check.h"
#include "store/driver.h"
#include "store/sqlite/sqlite_connection.h"

namespace muster::sim {

namespace {

constexpr Duration restart_least = std::chrono::seconds(1);
constexpr Duration restart_most = std::chrono::minutes(4);
constexpr const char* directory_on_disk = "/data";

/// For two of ten minutes, from its start on: by the clock, so that no draw depends on it.
bool is_strained(Duration up) {
  return up % std::chrono::minutes(10) < std::chrono::minutes(2);
}

/// Puts the content of a streamed answer into its body; false when it cannot be had.
bool read_stream(http::Response& response) {
  const http::Stream stream = *std::exchange(response.stream, std::nullopt);
  try {
    while (response.body.size() < stream.bytes) {
      const std::string piece = stream.source->read(stream.offset + response.body.size());
      if (piece.empty()) return false;
      response.body += piece;
    }
    return true;
  } catch (const store::StoreError&) {
    return false;
  }
}

}  // namespace

/// One request on its way through the server; holds what its views look at.
struct Server::Flight {
  agent::Call call;
  std::string peer;
  http::Request request;
  http::Admission admission;
  Respond respond;
  int life = 0;

  ~Flight() {
    if (respond) respond(std::nullopt);
  }
};

Server::Server(Steps& steps, Trace& trace, std::uint64_t seed)
    : steps_(steps),
      trace_(trace),
      rng_(fork(seed, "machine")),
      server_rng_(fork(seed, "server")),
      disk_(fork(seed, "disk").next_u64()),
      vfs_(disk_, steps.clock()),
      log_(steps.clock(), [](std::string_view) {}) {
  // The engine's own generator is one for the process; a run must not depend on the runs before.
  sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, static_cast<int>(seed | 1), nullptr);
}

Server::~Server() = default;

void Server::shut_down() {
  wiring_.reset();
  fleet_.reset();
}

void Server::start() {
  ++life_;
  started_at_ = steps_.now();
  trace_.note(steps_.now(), "server", "starts", life_);
  const auto file = [&](const char* name) { return directory_.path() + "/" + name; };
  try {
    fleet_ = std::make_unique<fleet::Fleet>(
        std::make_unique<store::SqliteDatabase>(directory_on_disk, vfs_.name()), file("secret"),
        server_rng_, steps_.now());
    wiring_ = std::make_unique<endpoints::Wiring>(*fleet_, changes_, config_, server_rng_, log_,
                                                  file("admin.token"), steps_.now());
    fleet_->store.step_writer([this] { return wait_for_commit(); });
  } catch (const store::StoreError& failure) {
    trace_.note(steps_.now(), "server", failure.what());
    if (!disk_.dead()) {
      // It exits, and its supervisor starts it again.
      killed_ = true;
      disk_.die();
    }
    return;
  }
  std::ifstream(file("admin.token")) >> admin_token_;
  wiring_->open("https://muster.example.org");
  schedule_flush();
  schedule_watch();
  if (on_start) on_start();
}

bool Server::ask(const agent::Call& call, std::string_view peer, Respond respond) {
  if (!up()) return false;
  auto flight = std::make_shared<Flight>();
  flight->call = call;
  flight->peer = peer;
  flight->life = life_;
  http::Request& request = flight->request;
  request.method = flight->call.method;
  const std::string_view target = flight->call.target;
  const auto mark = target.find('?');
  request.path = target.substr(0, mark);
  request.query = mark == std::string_view::npos ? "" : target.substr(mark + 1);
  for (const auto& [name, value] : flight->call.headers) CHECK(request.headers.add(name, value));
  CHECK(request.headers.add("Host", "muster.example.org"));
  request.peer_address = flight->peer;
  request.now = steps_.now();
  request.strained = is_strained(request.now - started_at_);
  flight->respond = std::move(respond);
  auto verdict = wiring_->dispatcher.admit(request);
  if (auto* refused = std::get_if<http::Response>(&verdict)) {
    answer(*flight, std::move(*refused));
    return true;
  }
  flight->admission = std::get<http::Admission>(verdict);
  if (flight->call.body.size() > flight->admission.body_max) {
    answer(*flight, wiring_->dispatcher.refuse(request, {Errc::body_too_large, "too large"}));
    return true;
  }
  request.body = flight->call.body;
  // A body may dribble in, and workers have a queue: meanwhile the world goes on.
  const bool report = request.path.ends_with("/report") || request.path.ends_with("/inventory");
  const bool slow = flight->admission.run_on == http::RunOn::read || (!report && chance(rng_, 30));
  if (!slow) {
    finish(flight);
    return true;
  }
  const Duration most = std::chrono::milliseconds(chance(rng_, 100) ? 20'000 : 40);
  steps_.after(between(rng_, Duration(0), most), [this, flight] { finish(flight); });
  return true;
}

void Server::answer(Flight& flight, http::Response response) {
  if (!runs(flight.life)) return;  // the process that would have sent it is gone
  auto respond = std::exchange(flight.respond, {});
  if (!respond) return;
  if (!response.stream) return respond(std::move(response));
  if (read_stream(response)) return respond(std::move(response));
  respond(std::nullopt);  // cut off in the middle
}

void Server::finish(const std::shared_ptr<Flight>& flight) {
  if (!runs(flight->life)) return;
  // An import lets go of the store many times, and others write in between. Elsewhere a handler
  // that waits holds what belongs to its thread, so nothing else may run on it.
  const bool imports = flight->request.path.starts_with("/api/v1/feeds/");
  const bool outer = std::exchange(may_interleave_, imports && depth_ < 2);
  http::Reply reply = wiring_->dispatcher.handle(flight->admission, flight->request);
  may_interleave_ = outer;
  if (auto* response = std::get_if<http::Response>(&reply)) {
    return answer(*flight, std::move(*response));
  }
  if (!runs(flight->life)) return;
  auto write = std::get<http::Write>(std::move(reply));
  http::Application::Respond respond = [this, flight](http::Response response) {
    answer(*flight, std::move(response));
  };
  if (!wiring_->dispatcher.commit(flight->admission, write, respond)) {
    const Error full{Errc::overloaded, "Too many writes wait", {}, 2};
    return answer(*flight, wiring_->dispatcher.refuse(flight->request, full));
  }
  schedule_commit();
}

void Server::schedule_commit() {
  if (std::exchange(commit_scheduled_, true)) return;
  const Duration most = std::chrono::milliseconds(chance(rng_, 20) ? 2000 : 8);
  steps_.after(between(rng_, Duration(0), most), [this, life = life_] {
    if (!runs(life)) return;
    commit_scheduled_ = false;
    commit();
  });
}

void Server::commit() {
  const std::size_t most = chance(rng_, 300) ? 1 + rng_.below(3) : limits::writes_per_commit;
  ++commits_;
  if (fleet_->store.commit_queued(most) > 0) schedule_commit();
}

bool Server::wait_for_commit() {
  if (disk_.dead()) return false;
  if (!may_interleave_) {
    commit();
    return !disk_.dead();
  }
  schedule_commit();
  ++depth_;
  const bool outer = std::exchange(may_interleave_, false);
  steps_.run_one(steps_.now() + std::chrono::hours(1));
  may_interleave_ = outer;
  --depth_;
  return !disk_.dead();
}

void Server::schedule_flush() {
  steps_.after(std::chrono::seconds(config_.presence_flush_seconds), [this, life = life_] {
    if (!runs(life)) return;
    const bool outer = std::exchange(may_interleave_, depth_ < 2);
    wiring_->finish_matching(steps_.now());
    if (runs(life)) wiring_->maintain(steps_.now());
    if (runs(life)) rotate_keys();
    may_interleave_ = outer;
    trace_.note(steps_.now(), "server", "maintains itself");
    if (runs(life)) schedule_flush();
  });
}

void Server::rotate_keys() {
  try {
    const std::size_t keys = wiring_->keys.rotate(rotate_keys_after_, steps_.now());
    if (keys > 0) {
      trace_.note(steps_.now(), "server", "rotates keys", static_cast<std::int64_t>(keys));
    }
  } catch (const store::StoreError& failure) {
    trace_.note(steps_.now(), "server", failure.what());
  }
}

void Server::schedule_watch() {
  steps_.after(std::chrono::seconds(config_.presence_check_seconds), [this, life = life_] {
    if (!runs(life)) return;
    const bool outer = std::exchange(may_interleave_, depth_ < 2);
    wiring_->watch(steps_.now());
    may_interleave_ = outer;
    if (runs(life)) schedule_watch();
  });
}

void Server::schedule_start(Duration wait) {
  steps_.after(wait, [this] {
    CHECK(wiring_ == nullptr);
    start();
  });
}

void Server::end(End how) {
  if (!up()) return;
  trace_.note(steps_.now(), "server", "is to end", static_cast<std::int64_t>(how));
  switch (how) {
    case End::killed:
      killed_ = true;
      disk_.die();
      return;
    case End::power:
      disk_.die();
      return;
    case End::on_disk:
      disk_.arm(Fault::crash, static_cast<std::int64_t>(rng_.below(60)));
      return;
    case End::politely:
      draining_ = true;
      return;
  }
}

void Server::settle() {
  CHECK(depth_ == 0);
  if (fleet_ == nullptr && !disk_.dead()) return;
  if (draining_ && !disk_.dead()) {
    while (!disk_.dead() && fleet_->store.commit_queued() > 0) {
    }
    wiring_->flush_presence();
    killed_ = true;
    // Destroyed while the disk still answers: connections close, and the WAL is folded in.
    wiring_.reset();
    fleet_.reset();
    disk_.die();
  }
  if (!disk_.dead()) return;
  bury(!killed_);
}

void Server::come_to_rest() {
  CHECK(up());
  while (fleet_->store.commit_queued() > 0) {
  }
  wiring_->flush_presence();
}

void Server::bury(bool power_lost) {
  trace_.note(steps_.now(), "server", power_lost ? "lost its power" : "is gone", disk_.changes());
  wiring_.reset();
  fleet_.reset();
  CHECK(vfs_.open_files() == 0);
  if (power_lost) {
    disk_.lose_power();
  } else {
    disk_.restart();
  }
  killed_ = draining_ = commit_scheduled_ = false;
  schedule_start(between(rng_, restart_least, restart_most));
}

}  // namespace muster::sim
