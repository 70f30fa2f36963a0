// SPDX-License-Identifier: Apache-2.0
#include "sim/wire.h"

#include <algorithm>

namespace muster::sim {

namespace {

/// How long callers wait for an answer.
constexpr Duration patience = std::chrono::seconds(30);
constexpr Duration repeat_most = std::chrono::minutes(3);
/// Long enough for a host's software to have changed (Weather::stale_reports).
constexpr Duration stale_report_most = std::chrono::minutes(60);

bool is_report(const agent::Call& call) {
  return call.target == "/api/agent/report" || call.target == "/api/agent/inventory";
}

Error lost(const char* why) {
  return {Errc::unavailable, why};
}

}  // namespace

struct Wire::Exchange {
  std::string who;
  agent::Call call;
  Answered answered;
};

Duration Wire::latency() {
  if (chance(rng_, weather_.late)) {
    return between(rng_, std::chrono::seconds(1), std::chrono::seconds(90));
  }
  return between(rng_, std::chrono::milliseconds(1), std::chrono::milliseconds(40));
}

void Wire::finish(Exchange& exchange, Result<agent::Answer> answer) {
  if (auto answered = std::exchange(exchange.answered, {})) answered(std::move(answer));
}

void Wire::send(std::string_view who, agent::Call call, Answered answered) {
  auto exchange = std::make_shared<Exchange>();
  exchange->who = who;
  exchange->call = std::move(call);
  exchange->answered = std::move(answered);
  if (chance(rng_, weather_.cut)) {
    steps_.after(between(rng_, Duration(0), std::chrono::seconds(8)),
                 [exchange] { finish(*exchange, lost("connection reset")); });
  } else {
    steps_.after(patience, [exchange] { finish(*exchange, lost("no answer")); });
  }
  const bool may_come_late = weather_.stale_reports || !is_report(exchange->call);
  const Duration wait = latency();
  if (!chance(rng_, weather_.request_lost)) {
    deliver(exchange, may_come_late ? wait : std::min<Duration>(wait, std::chrono::seconds(5)));
  }
  if (chance(rng_, weather_.repeated) && may_come_late) {
    const bool report = is_report(exchange->call);
    deliver(exchange, between(rng_, Duration(0), report ? stale_report_most : repeat_most));
  }
}

void Wire::deliver(const std::shared_ptr<Exchange>& exchange, Duration wait) {
  steps_.after(wait, [this, exchange] { serve(exchange, steps_.now()); });
}

void Wire::serve(const std::shared_ptr<Exchange>& exchange, Instant at) {
  const int life = server_.life();
  const Instant started = server_.started_at();
  if (server_.up()) {
    ledger_.asked(exchange->call, at);
    if (auto forged = forge(plant_, exchange->call)) {
      return served(exchange, at, life, started, std::move(forged));
    }
  }
  if (plant_ == Plant::answers_early && exchange->call.target.ends_with("/result")) {
    // The answer leaves before the work is durable, if it ever is.
    if (server_.up()) served(exchange, at, life, started, http::json_response(200, "{}"));
  }
  const bool taken =
      server_.ask(exchange->call, "192.0.2.1",
                  [this, exchange, at, life, started](std::optional<http::Response> response) {
                    if (response) garble(plant_, exchange->call, *response);
                    served(exchange, at, life, started, std::move(response));
                  });
  if (taken) return;
  trace_.note(steps_.now(), exchange->who, "is refused a connection");
  finish(*exchange, lost("connection refused"));
}

void Wire::served(const std::shared_ptr<Exchange>& exchange, Instant at, int life, Instant started,
                  std::optional<http::Response> response) {
  const Instant now = steps_.now();
  trace_.note(now, exchange->who, exchange->call.target, response ? response->status : 0);
  ledger_.take({exchange->call, response ? &*response : nullptr, at, life, started}, now);
  if (!response || chance(rng_, weather_.answer_lost)) return;
  agent::Answer answer;
  answer.status = response->status;
  answer.headers = std::move(response->headers);
  answer.headers.emplace_back("Content-Type", response->content_type);
  answer.body = std::move(response->body);
  steps_.after(latency(), [exchange, answer = std::move(answer)]() mutable {
    finish(*exchange, std::move(answer));
  });
}

}  // namespace muster::sim
