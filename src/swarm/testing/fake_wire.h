// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json_read.h"
#include "base/testing.h"
#include "swarm/wire.h"

namespace muster::swarm::testing {

/// A server that speaks both dialects, far enough for a fleet, behind connections that take no time
/// but what the test says. Time moves when nothing is to be done.
class FakeWire final : public Wire {
 public:
  using Event = net::ClientFleet::Event;
  using Request = net::ClientRequest;

  Micros latency{500};
  /// Answers instead of the server; nothing: the server does.
  std::function<std::optional<Event>(std::uint32_t connection, const Request& request)> instead;
  /// "5000000 3 POST /api/agent/heartbeat 211": when, who, what and a hash of the body, in order.
  std::vector<std::string> calls;
  bool keep_calls = true;
  std::map<std::string, int> counts;  // by "POST /api/agent/heartbeat", ids left out
  std::size_t tasks_waiting = 0;      // handed out to whoever polls next
  std::map<std::string, std::string> metrics;
  int cuts = 0;
  int most_sends_at_once = 0;  // between two waits
  Duration longest_pause{0};

  Micros now() const override { return now_; }
  Instant wall() const override { return test_epoch + std::chrono::duration_cast<Duration>(now_); }

  void send(std::uint32_t connection, const Request& request, Duration pause) override {
    const std::string line = std::string(http::method_name(request.method)) + " " + request.target;
    if (keep_calls)
      calls.push_back(std::to_string(now_.count()) + " " + std::to_string(connection) + " " + line +
                      " " + std::to_string(std::hash<std::string>{}(request.body)));
    ++counts[without_id(line)];
    most_sends_at_once = std::max(most_sends_at_once, ++sends_);
    longest_pause = std::max(longest_pause, pause);
    auto answer = instead ? instead(connection, request) : std::nullopt;
    if (!answer) answer = Event{connection, net::ClientFleet::End::answered, serve(request), {}};
    answer->connection = connection;
    coming_.emplace(now_ + latency, *std::move(answer));
  }
  void cut(std::uint32_t connection) override {
    ++cuts;
    std::erase_if(coming_, [&](const auto& each) { return each.second.connection == connection; });
  }
  void wait(Micros until, std::vector<Event>& events) override {
    sends_ = 0;
    if (!coming_.empty() && coming_.begin()->first <= until) {
      until = std::max(now_, coming_.begin()->first);
      events.push_back(std::move(coming_.begin()->second));
      coming_.erase(coming_.begin());
    }
    now_ = std::max(now_, until);
  }
  /// The server closes every connection that waits for its next request.
  void close_idle(std::uint32_t connections) {
    for (std::uint32_t i = 0; i < connections; ++i) {
      coming_.emplace(now_, Event{i, net::ClientFleet::End::idle, {}, "closed"});
    }
  }

  static Event status(int code, std::string body = "{}") {
    return {0, net::ClientFleet::End::answered, {code, {}, std::move(body)}, {}};
  }
  static Event lost(net::ClientFleet::End end) { return {0, end, {}, "lost"}; }

 private:
  static std::string without_id(const std::string& line) {
    const auto tasks = line.find("/tasks/");
    if (tasks == std::string::npos) return line;
    return line.substr(0, tasks + 7) + line.substr(line.rfind('/') + 1);
  }
  static std::string uuid(std::size_t number) {
    char text[40];
    std::snprintf(text, sizeof text, "01234567-0000-7000-8000-%012zu", number);
    return text;
  }
  static net::ClientResponse good(const std::string& data) {
    return {200, {}, R"({"success": true, "data": )" + data + "}"};
  }

  net::ClientResponse serve(const Request& request) {
    const std::string& target = request.target;
    const bool site = request.headers.size() == 1;
    if (target == "/api/agent/enroll") {
      const std::string id = uuid(++enrolled_);
      net::ClientResponse answer =
          good(R"({"agent_id": ")" + id + R"(", "api_key": "ak_)" + id + R"(", "public_key": ""})");
      answer.status = 201;
      return answer;
    }
    if (target == "/api/agent/heartbeat") {
      return site ? net::ClientResponse{200, {}, R"({"status": "success"})"}
                  : good(R"({"acknowledged": true})");
    }
    if (target == "/api/agent/tasks") {
      if (tasks_waiting == 0) return {204, {}, {}};
      --tasks_waiting;
      return good(R"({"id": ")" + uuid(900'000 + ++tasks_) +
                  R"(", "type": "execute_command", "payload": {"command": "true"}})");
    }
    if (target == "/api/v1/tasks") {
      JsonDocument document;
      const auto body = document.parse(request.body);
      tasks_waiting += body->find("agent_ids")->size();
      return {201, {}, "{}"};
    }
    if (target == "/metrics") {
      std::string text;
      for (const auto& [name, value] : metrics) text += name + " " + value + "\n";
      return {200, {}, text};
    }
    if (target == "/api/agent/report" || target == "/api/agent/inventory") {
      return {200, {}, R"({"status": "accepted"})"};
    }
    return good("{}");
  }

  Micros now_{5'000'000};  // a clock that did not begin with the run
  std::multimap<Micros, Event> coming_;
  int sends_ = 0;
  std::size_t enrolled_ = 0;
  std::size_t tasks_ = 0;
};

}  // namespace muster::swarm::testing
